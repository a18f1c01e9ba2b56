//! The eyes and the mouse: reads the program's accessibility tree and clicks in its window through the inspection port.

use std::net::TcpStream;
use std::time::Duration;

use egui::accesskit::{Node, Role, Toggled};
use egui::{Event, Key, Modifiers, PointerButton, Pos2};
use egui_inspection::protocol::{PROTOCOL_VERSION, Request, Response, read_handshake, read_message, write_message};

use crate::ear::Ear;

/// A frame that takes longer will not come.
const REPLY_MAX: Duration = Duration::from_secs(30);

/// A window that is driven.
pub(crate) struct Window(TcpStream);

/// What a person, or their screen reader, finds in the window.
pub(crate) struct Tree(Vec<Node>);

impl Window {
    /// As soon as the program answers.
    pub(crate) fn connect(port: u16, ear: &mut Ear) -> Self {
        let mut stream = ear.until("the inspection port", |_| TcpStream::connect(("127.0.0.1", port)).ok());
        stream.set_read_timeout(Some(REPLY_MAX)).expect("a time-out");
        let version = read_handshake(&mut stream).expect("an inspection peer");
        assert_eq!(version, PROTOCOL_VERSION);
        Self(stream)
    }

    fn ask(&mut self, request: &Request) -> Response {
        write_message(&mut self.0, request).expect("the program listens");
        read_message(&mut self.0).expect("the program answers")
    }

    pub(crate) fn tree(&mut self) -> Tree {
        match self.ask(&Request::GetTree) {
            Response::Tree { pixels_per_point, accesskit: Some(tree), .. } => {
                assert_eq!(pixels_per_point, 1.0, "bounds are where the pointer goes");
                Tree(tree.nodes.into_iter().map(|(_, node)| node).collect())
            }
            other => panic!("no tree but {other:?}"),
        }
    }

    fn apply(&mut self, events: Vec<Event>) {
        match self.ask(&Request::ApplyEvents { events }) {
            Response::Done => {}
            other => panic!("events: {other:?}"),
        }
    }

    /// Presses a key with its modifiers. The program may end of it, so nothing is expected back.
    pub(crate) fn press_and_leave(mut self, key: Key, modifiers: Modifiers) {
        let event = |pressed| Event::Key { key, physical_key: Some(key), pressed, repeat: false, modifiers };
        let events = vec![event(true), event(false)];
        write_message(&mut self.0, &Request::ApplyEvents { events }).expect("the program listens");
    }

    /// Clicks on the control of that name, once it is there and stays where it is: a window that has just opened may
    /// still get another size.
    pub(crate) fn click(&mut self, ear: &mut Ear, role: Role, name: &str) {
        let at = std::cell::Cell::new(None);
        let place = self.find(ear, name, |tree| {
            let now = tree.named(role, name).map(centre);
            now.filter(|_| at.replace(now) == now)
        });
        self.click_at(place);
    }

    pub(crate) fn click_at(&mut self, pos: Pos2) {
        let button =
            |pressed| Event::PointerButton { pos, button: PointerButton::Primary, pressed, modifiers: Modifiers::NONE };
        self.apply(vec![Event::PointerMoved(pos)]);
        self.apply(vec![button(true)]);
        self.apply(vec![button(false)]);
        self.apply(vec![Event::PointerGone]);
    }

    /// Looks once a cycle until it is there.
    pub(crate) fn find<T>(&mut self, ear: &mut Ear, what: &str, look: impl Fn(&Tree) -> Option<T>) -> T {
        let mut last = Tree(Vec::new());
        for _ in 0..LOOKS_MAX {
            last = self.tree();
            if let Some(found) = look(&last) {
                return found;
            }
            ear.hear();
        }
        panic!("{what} is not in the window, which shows: {:#?}", last.words());
    }
}

/// Looks at the window before something asked for is missing: at least 20 seconds.
const LOOKS_MAX: usize = 1_000;

pub(crate) fn centre(node: &Node) -> Pos2 {
    let bounds = node.bounds().expect("a control with a place");
    Pos2::new(((bounds.x0 + bounds.x1) / 2.0) as f32, ((bounds.y0 + bounds.y1) / 2.0) as f32)
}

impl Tree {
    /// The control of that role and name.
    pub(crate) fn named(&self, role: Role, name: &str) -> Option<&Node> {
        self.0.iter().find(|n| n.role() == role && n.label() == Some(name))
    }

    /// Controls of a role whose name begins so, from the top down.
    pub(crate) fn beginning(&self, role: Role, name: &str) -> Vec<&Node> {
        let begins = |n: &&Node| n.role() == role && n.label().is_some_and(|l| l.starts_with(name));
        let mut found: Vec<&Node> = self.0.iter().filter(begins).collect();
        found.sort_by(|a, b| centre(a).y.total_cmp(&centre(b).y));
        found
    }

    /// Whether a control is on; `None` without such a control.
    pub(crate) fn is_on(&self, role: Role, name: &str) -> Option<bool> {
        self.named(role, name).map(|n| n.toggled() == Some(Toggled::True))
    }

    /// Whether a text stands there.
    pub(crate) fn says(&self, text: &str) -> bool {
        self.words().contains(&text)
    }

    /// The text at the right of another one.
    pub(crate) fn beside(&self, text: &str) -> Option<&str> {
        let name = self.0.iter().find(|n| n.value() == Some(text))?;
        let (place, y) = (name.bounds()?, centre(name).y);
        let right = |n: &&Node| n.value().is_some() && n.bounds().is_some_and(|b| b.x0 >= place.x1);
        let near = self.0.iter().filter(right).filter(|n| (centre(n).y - y).abs() < 4.0);
        near.min_by(|a, b| centre(a).x.total_cmp(&centre(b).x))?.value()
    }

    fn words(&self) -> Vec<&str> {
        self.0.iter().flat_map(|n| [n.label(), n.value()]).flatten().collect()
    }
}
