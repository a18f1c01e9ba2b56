//! Which connections of the program's ports a person made or undid by hand in a patch bay, and which are to be made again.
//! Pure: what the graph shows goes in; what a person did, and what is to be joined, comes out.
//!
//! A server does not say who joins what. So:
//!
//! - What the program joins itself is entered here when it does.
//! - What is joined as soon as a port is there was joined by a program that waits for ports, such as a session manager or
//!   a patch bay with a memory. It does so again by itself.
//! - What comes apart because a port goes is told of with the port's going. It is joined again when the port is back.
//! - All else is a person's.

use std::collections::{BTreeMap, BTreeSet};

use crate::audio::backend::{CONNECTIONS_MAX, Connection};
use crate::time::Micros;

/// What joins within this time of a port's coming was joined by a program: one that waits for ports is told at once, and
/// whoever joins by hand has to see the port first.
const AT_ONCE: Micros = Micros::from_millis(1_000);
/// What came apart is a person's doing if the ports are still there after this time: of one that goes the server tells
/// in the same breath, and it is asked five times a second.
const STILL_THERE: Micros = Micros::from_millis(500);

/// A port of the program, without its client, and another one by its full name.
pub(super) type Pair = (String, String);

/// See the module.
#[derive(Debug)]
pub(super) struct Connections {
    /// What a person chose, the latest last.
    choices: Vec<Connection>,
    /// Chosen, and to be joined as soon as both ports are there.
    due: BTreeSet<Pair>,
    /// Joined when last looked.
    joined: BTreeSet<Pair>,
    /// Of these, what the program joined without being asked.
    by_default: BTreeSet<Pair>,
    /// Ports that came a moment ago.
    came: BTreeMap<String, Micros>,
    /// Ports that have gone, and may still be shown as joined.
    gone: BTreeSet<String>,
    /// What came apart, and when.
    apart: Vec<(Pair, Micros)>,
    /// When the program's own ports came.
    began: Micros,
    news: Vec<Connection>,
}

impl Connections {
    /// The ports of the program come now; what was chosen before is to be joined again.
    pub(super) fn new(choices: Vec<Connection>, now: Micros) -> Self {
        let due = choices.iter().filter(|choice| choice.joined).map(pair_of).collect();
        Self {
            choices,
            due,
            joined: BTreeSet::new(),
            by_default: BTreeSet::new(),
            came: BTreeMap::new(),
            gone: BTreeSet::new(),
            apart: Vec::new(),
            began: now,
            news: Vec::new(),
        }
    }

    /// A port came.
    pub(super) fn came(&mut self, port: &str, now: Micros) {
        self.lose(|other| other == port);
        self.gone.remove(port);
        self.came.insert(port.to_owned(), now);
    }

    /// A port went.
    pub(super) fn went(&mut self, port: &str) {
        self.lose(|other| other == port);
        self.came.remove(port);
        self.gone.insert(port.to_owned());
    }

    /// So much happened at once that it is not known which ports came and went.
    pub(super) fn lost_count(&mut self, now: Micros) {
        self.lose(|_| true);
        self.began = now;
    }

    /// What was joined to these ports came apart by itself.
    fn lose(&mut self, port: impl Fn(&str) -> bool) {
        let apart = self.apart.extract_if(.., |((_, other), _)| port(other)).map(|(pair, _)| pair);
        let lost: Vec<Pair> = apart.chain(self.joined.extract_if(.., |(_, other)| port(other))).collect();
        self.due.extend(lost.iter().filter(|pair| is_chosen(&self.choices, pair) == Some(true)).cloned());
    }

    /// So the graph looks now.
    pub(super) fn looked(&mut self, now: Micros, mut graph: BTreeSet<Pair>) {
        self.gone.retain(|port| graph.iter().any(|(_, other)| other == port));
        graph.retain(|(_, other)| !self.gone.contains(other));
        self.came.retain(|_, at| now - *at < AT_ONCE);
        let is_new = now - self.began < AT_ONCE;
        let before = std::mem::replace(&mut self.joined, graph);
        let made: Vec<Pair> = self.joined.difference(&before).cloned().collect();
        for pair in made {
            let was_apart = self.apart.extract_if(.., |(apart, _)| *apart == pair).count() > 0;
            let was_due = self.due.remove(&pair);
            if !was_apart && !was_due && !is_new && !self.came.contains_key(&pair.1) {
                self.choose(pair, true);
            }
        }
        self.apart.extend(before.difference(&self.joined).map(|pair| (pair.clone(), now)));
    }

    /// What came apart a while ago a person undid, if the port is still there. What nobody chose, and the program does not
    /// join by itself, need not be remembered.
    pub(super) fn settle(&mut self, now: Micros, is_there: impl Fn(&str) -> bool) {
        let old: Vec<Pair> =
            self.apart.extract_if(.., |(_, since)| now - *since >= STILL_THERE).map(|(pair, _)| pair).collect();
        for pair in old {
            let chosen = is_chosen(&self.choices, &pair) == Some(true);
            if !is_there(&pair.1) {
                self.due.extend(chosen.then_some(pair));
            } else if chosen || self.by_default.contains(&pair) {
                self.by_default.remove(&pair);
                self.choose(pair, false);
            }
        }
    }

    fn choose(&mut self, pair: Pair, joined: bool) {
        self.due.remove(&pair);
        self.choices.retain(|choice| !is_of(choice, &pair));
        let (own, other) = pair;
        let choice = Connection { own, other, joined };
        self.choices.push(choice.clone());
        let forgotten = self.choices.len().saturating_sub(CONNECTIONS_MAX);
        for old in self.choices.drain(..forgotten) {
            self.due.remove(&pair_of(&old));
        }
        self.news.push(choice);
    }

    /// Whether the program may join these without being asked.
    pub(super) fn may_join(&self, own: &str, other: &str) -> bool {
        is_chosen(&self.choices, &(own.to_owned(), other.to_owned())) != Some(false)
    }

    /// What is to be joined as soon as it can be.
    pub(super) fn due(&self) -> Vec<Pair> {
        self.due.iter().cloned().collect()
    }

    /// The program joined these, because they were due or because it was told to.
    pub(super) fn made(&mut self, pair: Pair) {
        self.due.remove(&pair);
        self.joined.insert(pair);
    }

    /// The program joined these without being asked.
    pub(super) fn made_by_default(&mut self, pair: Pair) {
        self.by_default.insert(pair.clone());
        self.made(pair);
    }

    /// The program took these apart.
    pub(super) fn unmade(&mut self, pair: &Pair) {
        self.joined.remove(pair);
    }

    /// What a person did since last asked.
    pub(super) fn take_news(&mut self) -> Vec<Connection> {
        std::mem::take(&mut self.news)
    }
}

fn pair_of(choice: &Connection) -> Pair {
    (choice.own.clone(), choice.other.clone())
}

fn is_of(choice: &Connection, (own, other): &Pair) -> bool {
    choice.own == *own && choice.other == *other
}

/// What a person chose for a pair, if they did.
fn is_chosen(choices: &[Connection], pair: &Pair) -> Option<bool> {
    choices.iter().find(|choice| is_of(choice, pair)).map(|choice| choice.joined)
}

#[cfg(test)]
mod tests;
