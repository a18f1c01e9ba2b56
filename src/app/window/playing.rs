//! The window and how a piece is practised: what a command makes of the choices, and whose hands play what.

use crate::bus::Publish;
use crate::components::session::SessionView;
use crate::model::{Entity, Event, PieceId};
use crate::music::{Hand, HandEdits, Hands};
use crate::practice::ladder::LadderPlan;
use crate::practice::{Heard, Mode, PracticeSettings};
use crate::ui::Command;
use crate::ui::view::Transport;

use super::Window;
use crate::app::history::Change;

impl Window {
    /// Says something about the hands of the open piece; it can be taken back.
    pub(super) fn edit_hands(&mut self, session: &SessionView, edit: impl FnOnce(&HandEdits) -> HandEdits) {
        let (Some(piece), Some(program)) = (&session.piece, &self.program) else { return };
        // Not those on the stand: a change is on its way there for a while.
        let from = match program.bus.snapshot().state.value(piece.id.entity().as_str()) {
            Some(Entity::Piece(piece)) => (*piece.hands).clone(),
            _ => piece.hands.clone(),
        };
        let to = edit(&from);
        if let Err(why) = to.check() {
            return self.fail(why.to_owned());
        }
        if to != from {
            self.history.push(Change::Hands { piece: piece.id.clone(), from, to: to.clone() });
            self.choose_hands(&piece.id, to);
        }
    }

    /// Publishes what holds of a piece's hands from now on.
    pub(super) fn choose_hands(&mut self, piece: &PieceId, hands: HandEdits) {
        self.publish(Publish::new(piece.entity(), Event::HandsChosen(hands)));
    }
}

/// The transport as it is shown.
pub(super) fn transport(session: &SessionView, chosen: PracticeSettings, position: f64) -> Transport {
    let hands_edited = session.piece.as_ref().is_some_and(|piece| !piece.hands.is_empty());
    let ladder = session.ladder.filter(|_| chosen.climbs() && session.judging);
    let (playing, armed) = (session.playing && !session.armed, session.armed);
    Transport { chosen, playing, armed, position, begins: session.begins, ladder, hands_edited }
}

/// Whether what was chosen here is what is practised: strictness and keyboard hold for all pieces, and the tempo is the
/// ladder's where there is one.
pub(super) fn is_in_force(chosen: &PracticeSettings, now: &PracticeSettings) -> bool {
    let tempo = if now.climbs() { now.tempo } else { chosen.tempo };
    PracticeSettings { preset: now.preset, keyboard: now.keyboard, tempo, ..*chosen } == *now
}

/// The choice after a command of the transport.
pub(super) fn chosen(old: PracticeSettings, command: &Command) -> PracticeSettings {
    match *command {
        Command::SetMode(Mode::Listen) => {
            let (heard_right, heard_left) = (Heard::Always, Heard::Always);
            PracticeSettings { mode: Mode::Listen, heard_right, heard_left, ..old }
        }
        Command::SetMode(mode) if !old.mode.is_judged() => with_hands(PracticeSettings { mode, ..old }, old.practise),
        Command::SetMode(mode) => PracticeSettings { mode, ..old },
        Command::SetPractised(practise) if old.mode.is_judged() => with_changed_hands(old, practise),
        Command::SetPractised(practise) => PracticeSettings { practise, ..old },
        Command::SetHeard(Hand::Right, heard_right) => PracticeSettings { heard_right, ..old },
        Command::SetHeard(Hand::Left, heard_left) => PracticeSettings { heard_left, ..old },
        Command::SetTempo(tempo) => PracticeSettings { tempo, ..old },
        Command::SetLoop(range) => PracticeSettings { range, looping: range.is_some(), ..old },
        Command::SetMetronome(metronome) => PracticeSettings { metronome, ..old },
        Command::SetCountIn(on) => PracticeSettings { count_in_bars: u8::from(on), ..old },
        Command::SetLadder(plan) => with_ladder(old, plan),
        Command::SetChordWindow(chord_window) => PracticeSettings { chord_window, ..old },
        Command::SetAnyNote(any_note) => PracticeSettings { any_note, ..old },
        Command::SetGoOn(go_on_after_error) => PracticeSettings { go_on_after_error, ..old },
        _ => old,
    }
}

/// Who switches the ladder on begins at its start, and at another start when it is moved.
fn with_ladder(old: PracticeSettings, plan: LadderPlan) -> PracticeSettings {
    let begins = plan.on && (!old.ladder.on || plan.start != old.ladder.start);
    let tempo = if begins { plan.bounded().start } else { old.tempo };
    PracticeSettings { ladder: plan, tempo, ..old }
}

/// The hand that one does not play is heard, the one that one plays is not.
fn with_hands(old: PracticeSettings, practise: Hands) -> PracticeSettings {
    let heard = |played: bool| if played { Heard::Muted } else { Heard::Always };
    PracticeSettings { practise, heard_right: heard(practise.right), heard_left: heard(practise.left), ..old }
}

/// The same for the hand that was changed; what was chosen of the other stays.
fn with_changed_hands(old: PracticeSettings, practise: Hands) -> PracticeSettings {
    let usual = with_hands(old, practise);
    let heard_right = if practise.right == old.practise.right { old.heard_right } else { usual.heard_right };
    let heard_left = if practise.left == old.practise.left { old.heard_left } else { usual.heard_left };
    PracticeSettings { heard_right, heard_left, ..usual }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::Percent;

    #[test]
    fn what_i_hear_is_chosen_apart_from_what_i_practise() {
        let start = chosen(PracticeSettings::default(), &Command::SetMode(Mode::Listen));
        let wait = chosen(start, &Command::SetMode(Mode::Wait));
        assert_eq!((wait.heard_right, wait.heard_left), (Heard::Muted, Heard::Muted));
        let missed = chosen(wait, &Command::SetHeard(Hand::Right, Heard::WhenMissed));
        let right = chosen(missed, &Command::SetPractised(Hands::RIGHT));
        assert_eq!((right.heard_right, right.heard_left), (Heard::WhenMissed, Heard::Always));
        let silent = chosen(right, &Command::SetHeard(Hand::Left, Heard::Muted));
        let keep = chosen(silent, &Command::SetMode(Mode::Tempo));
        assert_eq!((keep.heard_right, keep.heard_left), (Heard::WhenMissed, Heard::Muted), "another mode leaves it");
    }

    #[test]
    fn the_ladder_begins_at_its_start_and_the_tempo_is_its_own_from_there() {
        let plan = LadderPlan { on: true, start: Percent::new(50), ..LadderPlan::default() };
        let keep = PracticeSettings { mode: Mode::Tempo, ..PracticeSettings::default() };
        let on = chosen(keep, &Command::SetLadder(plan));
        assert_eq!(on.tempo, Percent::new(50));
        let climbed = PracticeSettings { tempo: Percent::new(65), ..on };
        let wider = chosen(climbed, &Command::SetLadder(LadderPlan { step: 10, ..plan }));
        assert_eq!(wider.tempo, Percent::new(65), "where one stands, one stays");
        assert!(is_in_force(&on, &climbed) && !is_in_force(&wider, &climbed));
        let off = chosen(climbed, &Command::SetLadder(LadderPlan { on: false, ..plan }));
        assert_eq!(off.tempo, Percent::new(65));
    }
}
