//! Told as a person would: which ports come and go, what the graph shows, and what is taken for a person's doing.

use super::*;

/// A desk with a keyboard at the general input and speakers, and a clock that is put forward by hand.
struct Desk {
    connections: Connections,
    graph: BTreeSet<Pair>,
    ports: BTreeSet<String>,
    now: Micros,
}

fn of(own: &str, other: &str) -> Pair {
    (own.to_owned(), other.to_owned())
}

fn choice(own: &str, other: &str, joined: bool) -> Connection {
    Connection { own: own.to_owned(), other: other.to_owned(), joined }
}

impl Desk {
    fn new(choices: Vec<Connection>, ports: &[&str]) -> Self {
        let ports = ports.iter().map(|port| (*port).to_owned()).collect();
        let connections = Connections::new(choices, Micros::ZERO);
        let mut desk = Self { connections, graph: BTreeSet::new(), ports, now: Micros::ZERO };
        desk.look();
        desk
    }

    /// Time passes without anything new in the graph.
    fn wait(&mut self, time: Micros) {
        self.now += time;
        self.connections.settle(self.now, |port| self.ports.contains(port));
    }

    /// Looks, joins what is due, and settles; as the stream does.
    fn look(&mut self) {
        self.connections.looked(self.now, self.graph.clone());
        for pair in self.connections.due() {
            if self.ports.contains(&pair.1) {
                self.graph.insert(pair.clone());
                self.connections.made(pair);
            }
        }
        self.wait(Micros::ZERO);
    }

    fn plug_in(&mut self, port: &str) {
        self.ports.insert(port.to_owned());
        self.connections.came(port, self.now);
        self.look();
    }

    /// The server takes its connections apart first, and a look may come in between.
    fn unplug(&mut self, port: &str) {
        self.graph.retain(|(_, other)| other != port);
        self.look();
        self.ports.remove(port);
        self.connections.went(port);
        self.look();
    }

    fn join(&mut self, own: &str, other: &str) {
        self.graph.insert(of(own, other));
        self.look();
    }

    fn part(&mut self, own: &str, other: &str) {
        self.graph.remove(&of(own, other));
        self.look();
    }

    fn is_joined(&self, own: &str, other: &str) -> bool {
        self.graph.contains(&of(own, other))
    }

    #[track_caller]
    fn expect(&mut self, news: &[Connection]) {
        assert_eq!(self.connections.take_news(), news);
    }
}

#[test]
fn what_a_person_joins_is_told_of_and_joined_again_whenever_the_port_is_back() {
    let mut desk = Desk::new(Vec::new(), &["Piano:out"]);
    desk.wait(AT_ONCE);
    desk.join("midi_in", "Piano:out");
    desk.expect(&[choice("midi_in", "Piano:out", true)]);
    for _ in 0..2 {
        desk.unplug("Piano:out");
        desk.wait(STILL_THERE);
        desk.plug_in("Piano:out");
        assert!(desk.is_joined("midi_in", "Piano:out"));
        desk.expect(&[]);
    }
    // What is joined already when the program starts anew needs no more.
    let mut again = Desk::new(vec![choice("midi_in", "Piano:out", true)], &["Piano:out"]);
    assert!(again.is_joined("midi_in", "Piano:out"));
    again.wait(AT_ONCE);
    again.expect(&[]);
}

#[test]
fn what_a_person_undoes_is_not_joined_again() {
    let mut desk = Desk::new(vec![choice("midi_in", "Piano:out", true)], &["Piano:out"]);
    desk.wait(AT_ONCE);
    desk.part("midi_in", "Piano:out");
    desk.expect(&[]);
    desk.wait(STILL_THERE);
    desk.expect(&[choice("midi_in", "Piano:out", false)]);
    desk.unplug("Piano:out");
    desk.plug_in("Piano:out");
    assert!(!desk.is_joined("midi_in", "Piano:out"));
    desk.expect(&[]);
    desk.wait(AT_ONCE);
    desk.join("midi_in", "Piano:out");
    desk.expect(&[choice("midi_in", "Piano:out", true)]);
}

#[test]
fn what_is_joined_as_soon_as_a_port_is_there_is_no_persons_doing() {
    let mut desk = Desk::new(Vec::new(), &["Early:out"]);
    desk.join("midi_in", "Early:out");
    desk.wait(AT_ONCE);
    desk.plug_in("Late:out");
    desk.join("midi_in", "Late:out");
    desk.expect(&[]);
    // Nor is it remembered that it came apart: who joined it will do so again.
    desk.part("midi_in", "Late:out");
    desk.wait(STILL_THERE);
    desk.expect(&[]);
    desk.wait(AT_ONCE);
    desk.join("midi_in", "Late:out");
    desk.expect(&[choice("midi_in", "Late:out", true)]);
}

#[test]
fn what_the_program_joins_itself_is_its_own_and_a_person_may_undo_it_for_good() {
    let speakers = ["system:playback_1", "system:playback_3"];
    let mut desk = Desk::new(Vec::new(), &speakers);
    assert!(desk.connections.may_join("out_left", speakers[0]));
    desk.graph.insert(of("out_left", speakers[0]));
    desk.connections.made_by_default(of("out_left", speakers[0]));
    desk.graph.insert(of("in", "system:capture_1"));
    desk.connections.made(of("in", "system:capture_1"));
    desk.wait(AT_ONCE);
    desk.look();
    desk.expect(&[]);
    desk.part("out_left", speakers[0]);
    desk.join("out_left", speakers[1]);
    desk.wait(STILL_THERE);
    let news = [choice("out_left", speakers[1], true), choice("out_left", speakers[0], false)];
    desk.expect(&news);
    let again = Desk::new(news.to_vec(), &speakers);
    assert!(!again.connections.may_join("out_left", speakers[0]));
    assert!(again.is_joined("out_left", speakers[1]));
    // What the program takes apart itself nobody undid.
    desk.connections.unmade(&of("in", "system:capture_1"));
    desk.part("in", "system:capture_1");
    desk.wait(STILL_THERE);
    desk.expect(&[]);
}

#[test]
fn a_port_that_stops_and_is_shown_as_joined_for_a_while_was_not_joined_by_a_person() {
    let mut desk = Desk::new(vec![choice("midi_in", "Synth:out", true)], &["Synth:out"]);
    desk.wait(AT_ONCE);
    // Word of its going comes first, and the graph shows it still.
    desk.connections.went("Synth:out");
    desk.connections.looked(desk.now, desk.graph.clone());
    desk.expect(&[]);
    desk.part("midi_in", "Synth:out");
    desk.wait(STILL_THERE);
    desk.plug_in("Synth:out");
    assert!(desk.is_joined("midi_in", "Synth:out"));
    desk.expect(&[]);
}

#[test]
fn one_that_goes_without_a_word_and_one_that_is_joined_again_at_once_tell_nothing() {
    let mut desk = Desk::new(vec![choice("midi_in", "Piano:out", true)], &["Piano:out"]);
    desk.wait(AT_ONCE);
    desk.part("midi_in", "Piano:out");
    desk.join("midi_in", "Piano:out");
    desk.wait(STILL_THERE);
    desk.expect(&[]);
    desk.part("midi_in", "Piano:out");
    desk.ports.remove("Piano:out");
    desk.wait(STILL_THERE);
    desk.expect(&[]);
    desk.ports.insert("Piano:out".to_owned());
    desk.look();
    assert!(desk.is_joined("midi_in", "Piano:out"));
    // Nor does anything of what happened while too much happened at once.
    desk.part("midi_in", "Piano:out");
    desk.connections.lost_count(desk.now);
    desk.look();
    desk.wait(STILL_THERE);
    desk.expect(&[]);
    assert!(desk.is_joined("midi_in", "Piano:out"));
}

#[test]
fn the_latest_choices_are_kept_and_no_more_than_so_many() {
    let port = |n: usize| format!("Keys {n}:out");
    let ports: Vec<String> = (0..CONNECTIONS_MAX + 2).map(port).collect();
    let mut desk = Desk::new(Vec::new(), &ports.iter().map(String::as_str).collect::<Vec<_>>());
    desk.wait(AT_ONCE);
    for other in &ports {
        desk.join("midi_in", other);
    }
    assert_eq!(desk.connections.take_news().len(), ports.len(), "each is told of");
    assert_eq!(desk.connections.choices.len(), CONNECTIONS_MAX);
    for other in [&ports[1], &ports[2]] {
        desk.unplug(other);
        desk.plug_in(other);
    }
    assert!(!desk.is_joined("midi_in", &ports[1]) && desk.is_joined("midi_in", &ports[2]));
}
