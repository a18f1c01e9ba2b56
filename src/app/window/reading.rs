//! The window and the takes it reads: results, what they rest on, and what is listened to.

use std::sync::Arc;

use crate::app::rows::Wall;
use crate::app::take_view::{Purpose, Reading};
use crate::bus::{Publish, Snapshot};
use crate::components::results::JudgedTake;
use crate::model::{Entity, Event, ResultSummary, TakeId, Trainer};
use crate::ui::Screen;
use crate::ui::view::ResultView;

use super::{Frame, Window, tempo, wake};

impl Window {
    /// Reads a take from the log on a thread of its own, and goes on when it is there.
    pub(super) fn read(&mut self, take: &str, purpose: Purpose, wall: Wall, ctx: &egui::Context) {
        let (Some(program), Some(id)) = (&self.program, TakeId::parse(take)) else { return };
        if self.take.as_ref().is_some_and(|open| open.id != id) {
            self.take = None;
        }
        match Reading::begin(program.bus.clone(), id, purpose, wall, wake(ctx)) {
            Ok(reading) => self.reading = Some(reading),
            Err(line) => self.fail(line),
        }
    }

    pub(super) fn take_in_what_was_read(&mut self, wall: Wall) {
        let Some(read) = self.reading.as_ref().and_then(Reading::poll) else { return };
        let Some(Reading { purpose, .. }) = self.reading.take() else { return };
        let open = match read {
            Ok(open) => open,
            Err(line) => return self.fail(line),
        };
        match (purpose, &open.judged) {
            (Purpose::Result, Some(judged)) => {
                self.looked_into = Some(open.id);
                self.show_judged(judged, wall);
            }
            (Purpose::Result, None) => {
                self.state.screen = Screen::Take;
                self.fail("there is nothing to judge this take against".to_owned());
            }
            (Purpose::Play(from, until), _) => self.play(&open, from, until),
            (Purpose::Look | Purpose::Detail, _) => {}
        }
        self.take = Some(open);
    }

    /// What the result of the practice just finished rests on is read once it is in the log.
    pub(super) fn look_into_result(&mut self, snapshot: &Snapshot<Trainer>, frame: &Frame, ctx: &egui::Context) {
        let shown = self.result.as_ref().filter(|_| self.state.screen == Screen::Results && self.reading.is_none());
        let Some(id) = shown.and_then(|result| TakeId::parse(&result.take)) else { return };
        let judged = matches!(snapshot.state.value(id.result_entity().as_str()), Some(Entity::Result(_)));
        if judged && self.looked_into.replace(id) != Some(id) {
            self.read(&id.to_string(), Purpose::Detail, frame.wall, ctx);
        }
    }

    /// What today's rules find of a take takes the place of the result that is kept.
    pub(super) fn keep_result(&mut self, take: &str) {
        let Some(open) = self.take.as_mut().filter(|open| open.view.id == take) else { return };
        let Some(judged) = &open.judged else { return };
        let summary = ResultSummary::of(&judged.result);
        open.view.kept_result = None;
        let publish = Publish::new(open.id.result_entity(), Event::ResultRecorded(Box::new(summary)));
        self.publish(publish);
    }

    fn show_judged(&mut self, judged: &JudgedTake, wall: Wall) {
        let JudgedTake { id, take, score, practice, result, .. } = judged;
        let tempo = tempo(score, practice, result);
        self.result = Some(ResultView {
            take: id.to_string(),
            piece: take.start.piece.as_ref().map(|p| p.0.to_string()).unwrap_or_default(),
            title: score.title().to_owned(),
            at: wall.local(take.moment()),
            chosen: *practice,
            result: Arc::new(result.clone()),
            tempo,
        });
        self.state.screen = Screen::Results;
    }
}
