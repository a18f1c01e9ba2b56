//! The window and the lines across it: what the start, the bus, the control thread and the window itself have to tell.

use super::{Frame, Window};
use crate::app::boot::Interrupted;
use crate::app::control::Notice;
use crate::bus::Health;
use crate::model::PieceId;
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
/// Lines of the window that are remembered.
const TOLD_MAX: usize = 8;

/// A line of the window, and when it was told.
pub(super) struct Told {
    pub(super) banner: Banner,
    pub(super) at: Micros,
}

impl Told {
    /// Whether it is still shown: what only is good to know goes by itself, but for where one's data is.
    fn is_fresh(&self, now: Micros) -> bool {
        self.banner.level != Level::Info || self.banner.id == RECOVERED || now - self.at < NEWS
    }
}

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
        let actions = Vec::from_iter(action);
        banners.extend(
            lines.map(|(i, text)| Banner { actions: actions.clone(), ..banner(i as u64, Level::Bad, text.clone()) }),
        );
        match health {
            Health::Ok | Health::Degraded(_) => {}
            Health::Buffering { .. } => banners.push(banner(BUFFERING, Level::Bad, health.to_string())),
            Health::ReadOnly(_) => banners.push(banner(READ_ONLY, Level::Bad, health.to_string())),
        }
        if let Some(on) = ui::text::laboratory_on(&program.lab) {
            let actions = vec![(ui::text::tr().heal.to_owned(), Command::Heal)];
            banners.push(Banner { id: LABORATORY, level: Level::Warn, text: on, actions });
        }
        if let Some(name) = frame.slow_to_open() {
            let actions = vec![(ui::text::tr().cancel.to_owned(), Command::StopOpening)];
            banners.push(Banner { actions, ..banner(OPENING, Level::Info, ui::text::opening(name)) });
        }
        banners.extend(program.interrupted.as_ref().map(interrupted));
        // The newest first: only a few fit.
        let told = self.told.iter().rev().filter(|told| told.is_fresh(frame.now));
        banners.extend(told.map(|told| told.banner.clone()));
        let fresh = |n: &&Notice| n.bad || frame.now - n.at < NEWS;
        let notices = frame.desk.notices.iter().rev().filter(fresh);
        banners.extend(notices.map(|n| banner(FIRST_NOTICE + n.id, level(n.bad), n.text.clone())));
        banners.retain(|b| !self.dismissed.contains(&b.id));
        banners
    }

    /// Something failed.
    pub(super) fn fail(&mut self, text: String) {
        self.tell(Level::Bad, text, Vec::new());
    }

    /// Something is good to know.
    pub(super) fn inform(&mut self, text: String, actions: Vec<(String, Command)>) {
        self.tell(Level::Info, text, actions);
    }

    fn tell(&mut self, level: Level, text: String, actions: Vec<(String, Command)>) {
        self.next_told += 1;
        self.tell_as(Banner { actions, ..banner(self.next_told, level, text) });
    }

    /// Tells it under a number of its own, in place of the same line told before.
    pub(super) fn tell_as(&mut self, banner: Banner) {
        let at = self.program.as_ref().map_or(Micros::ZERO, |program| program.clock.now());
        self.told.retain(|told| told.banner.text != banner.text);
        self.told.push(Told { banner, at });
        if self.told.len() > TOLD_MAX {
            self.told.remove(0);
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
        let mut erased = Vec::new();
        self.erasing.retain_mut(|(ticket, words)| match ticket.try_applied() {
            None => true,
            Some(Ok(_)) => {
                erased.push(ui::text::erased_for_ever(words));
                false
            }
            Some(Err(error)) => {
                refused.push(format!("the take was not deleted: {error}"));
                false
            }
        });
        refused.into_iter().for_each(|line| self.fail(line));
        erased.into_iter().for_each(|line| self.inform(line, Vec::new()));
    }
}

/// That the program was not closed, with the ways back to what was played and practised.
fn interrupted(interrupted: &Interrupted) -> Banner {
    let Interrupted { take, notes, piece } = interrupted;
    let look = (ui::text::tr().show_interrupted.to_owned(), Command::OpenTake(take.to_string()));
    let go_on = |piece: &PieceId| (ui::text::tr().go_on_with_piece.to_owned(), Command::OpenPiece(piece.0.to_string()));
    let actions = [look].into_iter().chain(piece.as_ref().map(go_on)).collect();
    Banner { actions, ..banner(INTERRUPTED, Level::Info, ui::text::interrupted_at(*notes)) }
}

pub(super) fn level(bad: bool) -> Level {
    if bad { Level::Bad } else { Level::Info }
}

pub(super) fn banner(id: u64, level: Level, text: String) -> Banner {
    Banner { id, level, text, actions: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TakeId;

    #[test]
    fn what_is_good_to_know_goes_by_itself_and_what_failed_stays() {
        let fresh = |id, level, age: Micros| {
            let at = Micros(5_000_000);
            Told { banner: banner(id, level, String::new()), at }.is_fresh(at + age)
        };
        let just_before = NEWS - Micros(1);
        assert_eq!([fresh(1, Level::Info, just_before), fresh(1, Level::Info, NEWS)], [true, false]);
        assert!(fresh(1, Level::Bad, NEWS) && fresh(1, Level::Warn, NEWS));
        assert!(fresh(RECOVERED, Level::Info, NEWS), "where one's data is must be read");
    }

    #[test]
    fn after_an_end_in_the_middle_there_are_ways_to_the_take_and_to_its_piece() {
        let take = TakeId(7);
        let commands = |piece: Option<&str>| -> Vec<Command> {
            let piece = piece.map(|id| PieceId(id.into()));
            interrupted(&Interrupted { take, notes: 16, piece })
                .actions
                .into_iter()
                .map(|(_, command)| command)
                .collect()
        };
        let look = || Command::OpenTake(take.to_string());
        assert_eq!(commands(None), [look()]);
        assert_eq!(commands(Some("menuet")), [look(), Command::OpenPiece("menuet".to_owned())]);
    }
}
