//! The window and what one does with a take that is there: listening to it in one voice or another, looking back through
//! it, keeping what was just played.

use crate::app::control::Wish;
use crate::app::history::Change;
use crate::app::take_view::{OpenTake, Purpose};
use crate::components::keeper::{Kept, Wanted};
use crate::components::session::Finished;
use crate::model::{Entity, TakeId};
use crate::practice::recital::Voice;
use crate::time::{Micros, WallMillis};
use crate::ui::view::Listening;
use crate::ui::{Command, InspectorTab, Screen};

use super::{Frame, Window, wake};

/// What is heard of takes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Voices {
    /// Of what is played from now on.
    pub(super) wanted: Voice,
    /// Of what is played now.
    playing: Voice,
}

impl Window {
    /// What a person wants of takes.
    pub(super) fn of_takes(&mut self, command: Command, frame: &Frame, ctx: &egui::Context) {
        match command {
            Command::PlayTake(take, from) => self.play_or_read(&take, (from, None), frame, ctx),
            Command::PlayPart { take, voice, from, until } => {
                self.voices.wanted = voice;
                self.play_or_read(&take, (from, Some(until)), frame, ctx);
            }
            Command::SetVoice(voice) => self.set_voice(voice, frame),
            Command::KeepLast => self.keep_last(frame, ctx),
            Command::OpenTake(take) => {
                self.read(&take, Purpose::Look, frame.wall, ctx);
                self.state.screen = Screen::Take;
            }
            Command::LookBack(at) => self.look_back_by_hand(frame, |open| open.look_back(at)),
            Command::LookBackBy(events) => self.look_back_by_hand(frame, |open| open.look_back_by(events)),
            Command::LookBackEnd => self.look_back(|open| {
                open.look_back_end();
                Ok(())
            }),
            Command::ShowBusAt(seq) => {
                self.inspector.show_at(Some(seq));
                self.state.inspector.tab = InspectorTab::Flow;
                self.state.inspector.selected = Some(seq);
                self.state.inspector.top = Some(seq);
                self.state.screen = Screen::Inspector;
                ctx.request_repaint();
            }
            _ => {}
        }
    }

    fn play_or_read(&mut self, take: &str, part: (Micros, Option<Micros>), frame: &Frame, ctx: &egui::Context) {
        match self.take.take() {
            Some(open) if open.view.id == take => {
                self.play(&open, part.0, part.1);
                self.take = Some(open);
            }
            other => {
                self.take = other;
                self.read(take, Purpose::Play(part.0, part.1), frame.wall, ctx);
            }
        }
    }

    /// Plays a take in the voice that is wanted.
    pub(super) fn play(&mut self, open: &OpenTake, from: Micros, until: Option<Micros>) {
        self.voices.playing = open.voice(self.voices.wanted);
        self.wish(Wish::PlayTake(Some(open.tape(self.voices.playing, from, until))));
    }

    /// Another voice: what is played goes on in it from the same place.
    fn set_voice(&mut self, voice: Voice, frame: &Frame) {
        self.voices.wanted = voice;
        let Some(open) = self.take.take() else { return };
        if let Some((id, began)) = frame.desk.listening.filter(|(id, _)| *id == open.id) {
            let at = self.listening("", id, frame.now - began).at.max(Micros::ZERO);
            self.play(&open, at, None);
        }
        self.take = Some(open);
    }

    /// The take that is played, at a time of the voice that is heard.
    pub(super) fn listening<'a>(&self, take: &'a str, id: TakeId, at: Micros) -> Listening<'a> {
        let voice = self.voices.playing;
        let open = self.take.as_ref().filter(|open| open.id == id);
        Listening { take, at: open.map_or(at, |open| open.recital.time_of_take(voice, at)), voice }
    }

    fn look_back(&mut self, look: impl FnOnce(&mut OpenTake) -> Result<(), String>) {
        if let Some(Err(line)) = self.take.as_mut().map(|open| look(open)) {
            self.fail(line);
        }
    }

    /// Whoever goes elsewhere than where they listen has listened enough.
    fn look_back_by_hand(&mut self, frame: &Frame, look: impl FnOnce(&mut OpenTake) -> Result<(), String>) {
        let goes_on = self.take.as_ref().is_some_and(|open| !open.is_looked_back());
        if !goes_on && frame.desk.listening.is_some() {
            self.wish(Wish::PlayTake(None));
        }
        self.look_back(look);
    }

    /// Who looks back while they listen sees what they hear; and everybody what was seen meanwhile.
    pub(super) fn look_along(&mut self, frame: &Frame) {
        self.take.iter_mut().for_each(|open| open.take_in_what_was_seen());
        let Some((id, began)) = frame.desk.listening else { return };
        let looks = self.take.as_ref().is_some_and(|open| open.id == id && open.is_looked_back());
        if looks && self.state.screen == Screen::Take {
            let at = self.listening("", id, frame.now - began - frame.desk.sound.heard()).at;
            self.look_back(|open| open.look_back(at));
        }
    }

    fn keep_last(&mut self, frame: &Frame, ctx: &egui::Context) {
        let Some(program) = &self.program else { return };
        let take = TakeId::new(frame.wall.now, frame.now.0 as u16);
        let wanted = Wanted { take, until: frame.now, before: program.before };
        if let Err(line) = self.keeping.begin(program.bus.clone(), wanted, frame.wall, wake(ctx)) {
            self.fail(line);
        }
    }

    /// Takes a take off the list, and offers it back at once.
    pub(super) fn delete_take(&mut self, take: TakeId) {
        self.history.push(Change::Discard { take, discarded: true });
        self.discard(take, true);
        let texts = crate::ui::text::tr();
        let undo = (texts.undo.to_owned(), Command::BringTakeBack(take.to_string()));
        self.inform(texts.take_deleted.to_owned(), vec![undo]);
    }

    /// Puts a deleted take back.
    pub(super) fn bring_take_back(&mut self, take: &str) {
        let Some(take) = TakeId::parse(take) else { return };
        self.history.push(Change::Discard { take, discarded: false });
        self.discard(take, false);
    }

    /// A take that is back need not be offered any more.
    pub(super) fn withdraw_offer(&mut self, take: TakeId) {
        let offer = Command::BringTakeBack(take.to_string());
        self.told.retain(|told| told.banner.actions.iter().all(|(_, command)| *command != offer));
    }

    /// Tells what became of the last five minutes.
    pub(super) fn tell_kept(&mut self) {
        match self.keeping.poll() {
            Some(Ok(Kept { take, notes, .. })) => {
                self.history.push(Change::Discard { take, discarded: false });
                let open = (crate::ui::text::tr().open_kept.to_owned(), Command::OpenTake(take.to_string()));
                self.inform(crate::ui::text::kept(notes), vec![open]);
            }
            Some(Err(line)) => self.fail(line),
            None => {}
        }
    }

    /// When a take that was judged began: with its first key.
    pub(super) fn moment_of(&self, finished: &Finished) -> WallMillis {
        match self.snapshot().as_ref().and_then(|s| s.state.value(finished.take.entity().as_str())) {
            Some(Entity::Take(take)) => take.moment(),
            _ => finished.start.at,
        }
    }
}
