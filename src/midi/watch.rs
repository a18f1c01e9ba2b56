//! When to ask the system for its ports: soon after it says that one came or went, where it says so, and about once a
//! second where it does not. No clock, no thread; the one that listens is behind [`Announcer`].

use crate::time::Micros;

/// How often a system that says nothing is asked for its ports: with opening, a device is back well within 2 s.
pub const LIST_PERIOD: Micros = Micros::SECOND;
/// The longest pause between two tries to reach a system that has no MIDI.
pub const FAULT_PERIOD_MAX: Micros = Micros(30 * Micros::SECOND.0);
/// A device brings several announcements; the ports are listed when it has been quiet for so long.
pub const DEBOUNCE: Micros = Micros::from_millis(200);
/// And after so long even when it is never quiet.
pub const STORM_MAX: Micros = Micros::SECOND;
/// Listed once more after so long, for devices that take their time to work.
pub const AGAIN: Micros = Micros(3 * Micros::SECOND.0);

/// What was announced since last asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Announced {
    /// Nothing.
    Nothing,
    /// A port came or went.
    Something,
    /// It is not known: nobody listens any more.
    Unknown,
}

/// Listens to what the system says about its ports; asked on the control thread.
pub trait Announcer: Send {
    /// What was said since last asked; never waits.
    fn heard(&mut self) -> Announced;
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Next {
    #[default]
    Now,
    At(Micros),
    WhenAnnounced,
}

/// When the ports are to be listed next.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rescans {
    next: Next,
    listening: bool,
    /// Since when announcements come without a list.
    storm: Option<Micros>,
    again: Option<Micros>,
    /// The pause after the last list that failed.
    pause: Option<Micros>,
}

impl Rescans {
    /// Takes in what an announcer heard; whoever has none says [`Announced::Unknown`].
    pub fn hear(&mut self, now: Micros, announced: Announced) {
        match announced {
            Announced::Nothing => self.listening = true,
            Announced::Something => {
                self.listening = true;
                let since = *self.storm.get_or_insert(now);
                let due = (now + DEBOUNCE).min(since + STORM_MAX);
                self.again = Some(due + AGAIN);
                if self.next != Next::Now && self.pause.is_none() {
                    self.next = Next::At(due);
                }
            }
            Announced::Unknown => {
                if std::mem::take(&mut self.listening) {
                    self.next = Next::Now;
                }
            }
        }
    }

    /// Whether it is time.
    pub fn is_due(&self, now: Micros) -> bool {
        match self.next {
            Next::Now => true,
            Next::At(at) => now >= at,
            Next::WhenAnnounced => false,
        }
    }

    /// The ports were listed.
    pub fn listed(&mut self, now: Micros) {
        (self.storm, self.pause) = (None, None);
        self.next = match (self.listening, self.again.filter(|again| *again > now)) {
            (true, Some(again)) => Next::At(again),
            (true, None) => Next::WhenAnnounced,
            (false, _) => Next::At(now + LIST_PERIOD),
        };
    }

    /// They could not be listed: asked again less and less often.
    pub fn failed(&mut self, now: Micros) {
        let pause = self.pause.map_or(LIST_PERIOD, |pause| Micros(pause.0 * 2).min(FAULT_PERIOD_MAX));
        self.pause = Some(pause);
        self.next = Next::At(now + pause);
    }

    /// Something could not be opened: tried again with a list, whoever listens.
    pub fn try_again(&mut self, now: Micros) {
        let retry = now + LIST_PERIOD;
        self.next = match self.next {
            Next::Now => Next::Now,
            Next::At(at) => Next::At(at.min(retry)),
            Next::WhenAnnounced => Next::At(retry),
        };
    }

    /// List as soon as possible.
    pub fn hurry(&mut self) {
        self.next = Next::Now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When lists were made in so many milliseconds, asked every 50; `said` tells what is heard when.
    fn lists(millis: i64, said: impl Fn(i64) -> Announced) -> Vec<i64> {
        let mut rescans = Rescans::default();
        let mut listed = Vec::new();
        for at in (0..millis).step_by(50) {
            let now = Micros::from_millis(at);
            rescans.hear(now, said(at));
            if rescans.is_due(now) {
                listed.push(at);
                rescans.listed(now);
            }
        }
        listed
    }

    #[test]
    fn a_system_that_says_nothing_is_asked_once_a_second() {
        assert_eq!(lists(3_500, |_| Announced::Unknown), [0, 1_000, 2_000, 3_000]);
    }

    #[test]
    fn a_system_that_tells_is_asked_when_it_tells_and_once_more() {
        let said = |at| if matches!(at, 10_000 | 10_100) { Announced::Something } else { Announced::Nothing };
        assert_eq!(lists(60_000, said), [0, 10_300, 13_300]);
    }

    #[test]
    fn a_storm_of_announcements_does_not_put_it_off_for_ever() {
        let said = |at| if at >= 1_000 { Announced::Something } else { Announced::Nothing };
        assert_eq!(lists(5_200, said), [0, 2_000, 3_050, 4_100, 5_150]);
    }

    #[test]
    fn when_the_listener_ends_it_is_asked_again_and_again() {
        let said = |at| if at < 5_000 { Announced::Nothing } else { Announced::Unknown };
        assert_eq!(lists(7_100, said), [0, 5_000, 6_000, 7_000]);
    }

    #[test]
    fn a_device_that_could_not_be_opened_is_tried_again_without_an_announcement() {
        let mut rescans = Rescans::default();
        rescans.hear(Micros(0), Announced::Nothing);
        rescans.listed(Micros(0));
        assert!(!rescans.is_due(Micros(60_000_000)));
        rescans.try_again(Micros(60_000_000));
        assert!(rescans.is_due(Micros(61_000_000)));
    }
}
