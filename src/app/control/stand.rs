//! The piece on the stand: as a person said its hands are, on the keyboard that they have, and at the tempo that the ladder
//! has come to.

use std::sync::Arc;

use super::{SETTLE, Worker};
use crate::bus::Envelope;
use crate::components::library::Source;
use crate::components::session::OnStand;
use crate::formats::hands;
use crate::model::{Entity, Event, PieceId, Trainer};
use crate::music::{HandEdits, Score};
use crate::practice::PracticeSettings;
use crate::time::Micros;

impl Worker {
    /// A piece with the hands that were chosen for it.
    pub(super) fn on_stand(&self, id: PieceId, score: Arc<Score>) -> OnStand {
        let edits = match self.bus.snapshot().state.value(id.entity().as_str()) {
            Some(Entity::Piece(piece)) => (*piece.hands).clone(),
            _ => HandEdits::default(),
        };
        with_hands(id, score, edits)
    }

    /// Other hands were chosen: the piece is put on the stand anew.
    pub(super) fn follow_hands(&mut self, envelope: &Envelope<Trainer>) {
        let Some(Event::HandsChosen(edits)) = envelope.event() else { return };
        let Some(stand) = self.session.stand().filter(|stand| stand.id.entity() == envelope.entity) else { return };
        if stand.hands == *edits || self.parked {
            return;
        }
        let (id, practice) = (stand.id.clone(), *self.session.settings());
        match self.library.at_hand(&id) {
            Some(opened) => {
                let stand = with_hands(id, opened.score, edits.clone());
                self.session.open(stand, practice, &mut || self.ids.next());
                self.session.await_person(&mut || self.ids.next());
                self.carry_out();
            }
            None => self.open(Source::Piece(id), Some(practice)),
        }
    }

    /// Why nothing begins: there is no note to practise.
    pub(super) fn tell_nothing_to_play(&mut self) {
        let settings = self.session.settings();
        let place = if settings.range.is_some() { "these bars have" } else { "this piece has" };
        let whose = match (settings.practise.right, settings.practise.left) {
            (true, false) => " for the right hand",
            (false, true) => " for the left hand",
            (true, true) => " on your keyboard",
            (false, false) => ", since no hand is chosen",
        };
        self.notice(false, format!("{place} nothing to play{whose}; choose other hands or bars, or listen"));
    }

    /// What holds for every piece holds for this one too.
    pub(super) fn for_everything(&self, practice: PracticeSettings) -> PracticeSettings {
        PracticeSettings { preset: self.settings.preset, keyboard: self.settings.keyboard, ..practice }
    }

    /// The tempo that the ladder has come to is kept with the piece.
    pub(super) fn keep_climbed(&mut self, now: Micros) {
        if self.session.take_climbed()
            && let Some(stand) = self.session.stand()
        {
            self.unsaved = Some((stand.id.clone(), *self.session.settings(), now + SETTLE));
        }
    }
}

fn with_hands(id: PieceId, score: Arc<Score>, edits: HandEdits) -> OnStand {
    let score = if edits.is_empty() { score } else { Arc::new(hands::edited(&score, &edits)) };
    OnStand { id, score, hands: edits }
}
