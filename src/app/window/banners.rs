//! The window and the lines across it: what the start, the bus, the control thread and the window itself have to tell.

use super::{Frame, Window};
use crate::app::control::Notice;
use crate::bus::Health;
use crate::time::Micros;
use crate::ui::view::{Banner, Level};
use crate::ui::{self, Command};

/// How long a line is shown that asks for nothing.
const NEWS: Micros = Micros::from_millis(15_000);
/// A piece that takes longer to open is told of.
const SLOW: Micros = Micros::from_millis(400);
/// Banners of the laboratory and of the store, each with a number of its own.
pub(super) const OPENING: u64 = 994;
pub(super) const RECOVERED: u64 = 995;
const INTERRUPTED: u64 = 996;
pub(super) const LABORATORY: u64 = 997;
pub(super) const BUFFERING: u64 = 998;
pub(super) const READ_ONLY: u64 = 999;
/// Banners of the start come before; those of the control thread count on from here.
const FIRST_NOTICE: u64 = 1_000;
/// Failures that are remembered.
const FAILURES_MAX: usize = 8;

impl Frame {
    /// The piece that is being opened, once that takes long.
    fn slow_to_open(&self) -> Option<&str> {
        let (name, since) = self.desk.opening.as_ref()?;
        (self.now - *since >= SLOW).then_some(name)
    }
}

impl Window {
    pub(super) fn banners(&self, health: &Health, frame: &Frame) -> Vec<Banner> {
        let Some(program) = &self.program else { return Vec::new() };
        let mut banners = Vec::new();
        let lines = program.lines.iter().enumerate();
        let offered = self.rescue.as_ref().is_some_and(|rescue| !rescue.offers().is_empty());
        let action = offered.then(|| (ui::text::tr().rescue_again.to_owned(), Command::ShowRescue));
        banners.extend(
            lines.map(|(i, text)| Banner { action: action.clone(), ..banner(i as u64, Level::Bad, text.clone()) }),
        );
        match health {
            Health::Ok | Health::Degraded(_) => {}
            Health::Buffering { .. } => banners.push(banner(BUFFERING, Level::Bad, health.to_string())),
            Health::ReadOnly(_) => banners.push(banner(READ_ONLY, Level::Bad, health.to_string())),
        }
        if let Some(on) = ui::text::laboratory_on(&program.lab) {
            let action = Some((ui::text::tr().heal.to_owned(), Command::Heal));
            banners.push(Banner { id: LABORATORY, level: Level::Warn, text: on, action });
        }
        if let Some(name) = frame.slow_to_open() {
            let action = Some((ui::text::tr().cancel.to_owned(), Command::StopOpening));
            banners.push(Banner { action, ..banner(OPENING, Level::Info, ui::text::opening(name)) });
        }
        if let Some(notes) = program.interrupted {
            banners.push(banner(INTERRUPTED, Level::Info, ui::text::interrupted_at(notes)));
        }
        // The newest first: only a few fit.
        banners.extend(self.failures.iter().rev().cloned());
        let fresh = |n: &&Notice| n.bad || frame.now - n.at < NEWS;
        let notices = frame.desk.notices.iter().rev().filter(fresh);
        banners.extend(notices.map(|n| banner(FIRST_NOTICE + n.id, level(n.bad), n.text.clone())));
        banners.retain(|b| !self.dismissed.contains(&b.id));
        banners
    }

    pub(super) fn fail(&mut self, text: String) {
        self.say(true, text);
    }

    /// One line, which takes the place of the same one said before.
    pub(super) fn say(&mut self, bad: bool, text: String) {
        self.next_failure += 1;
        self.failures.retain(|line| line.text != text);
        self.failures.push(banner(self.next_failure, level(bad), text));
        if self.failures.len() > FAILURES_MAX {
            self.failures.remove(0);
        }
    }

    /// Tells of what a person did and the bus refused.
    pub(super) fn hear_answers(&mut self) {
        let mut refused = Vec::new();
        self.answers.retain_mut(|ticket| match ticket.try_applied() {
            None => true,
            Some(Ok(_)) => false,
            Some(Err(error)) => {
                refused.push(format!("that was not saved: {error}"));
                false
            }
        });
        refused.into_iter().for_each(|line| self.fail(line));
    }
}

pub(super) fn level(bad: bool) -> Level {
    if bad { Level::Bad } else { Level::Info }
}

pub(super) fn banner(id: u64, level: Level, text: String) -> Banner {
    Banner { id, level, text, action: None }
}
