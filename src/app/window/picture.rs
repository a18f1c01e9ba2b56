//! What the window shows of the moment: the place in the piece, the keys that are down, and the view made of it all.

use std::time::Duration;

use super::applying::words;
use super::{Frame, Window, playing};
use crate::app::catalogue::Catalogue;
use crate::app::rows;
use crate::components::library::title as piece_title;
use crate::components::session::SessionView;
use crate::formats::pieces;
use crate::music::Hand;
use crate::practice::Heard;
use crate::time::{Frames, Micros, Ticks};
use crate::ui::view::{self, Level, Mark, Play, View};
use crate::ui::{self, Screen};

/// How long a wrong key stays marked.
const WRONG: Micros = Micros::from_millis(350);
/// Notes before the place that are looked at for what sounds.
const SOUNDING_LOOK_BACK: usize = 256;

impl Window {
    pub(super) fn draw(&mut self, ui: &mut egui::Ui, frame: &Frame) {
        let Some(program) = &self.program else { return };
        let session = &frame.desk.session;
        let snapshot = program.bus.snapshot();
        let shown = snapshot.applied;
        let report = (self.state.screen == Screen::Inspector).then(|| program.bus.inspect());
        let devices = rows::devices(&frame.desk, &frame.head, &self.settings, &backends());
        let banners = self.banners(&snapshot.health, frame);
        if banners.iter().any(|banner| banner.level == Level::Info) {
            ui.ctx().request_repaint_after(Duration::from_secs(1));
        }
        let rescue = self.rescue.as_ref().and_then(|rescue| rescue.view(frame.wall, program.lines.is_empty()));
        let position = position(frame, session);
        let marks: Vec<Option<Mark>> =
            session.marks.iter().map(|m| m.map(|m| Mark { kind: m.kind, deviation: m.deviation })).collect();
        let extras: Vec<view::Extra> =
            session.extras.iter().map(|(pitch, tick)| view::Extra { tick: tick.0 as f64, pitch: *pitch }).collect();
        let title = session.piece.as_ref().map(|p| piece_title(&snapshot.state, &p.id)).unwrap_or_default();
        let piece = session.piece.as_ref().map(|p| view::Piece {
            id: &p.id.0,
            score: &p.score,
            title: &title,
            composer: p.score.composer(),
            grade: p.id.as_builtin().and_then(pieces::find).map(|b| b.grade),
            marks: &marks,
            extras: &extras,
            next: &session.needed,
            bars: &session.bars,
        });
        let chosen = self.chosen.unwrap_or(session.settings);
        let (undo, redo) = (self.history.next_undo().map(words), self.history.next_redo().map(words));
        let pieces_shown = self.catalogue.as_ref().map(Catalogue::shown).unwrap_or_default();
        let listened = frame.desk.listening.map(|(take, _)| take.to_string());
        let view = View {
            moving: frame.head.moves() || listened.is_some() || wrong_is_fresh(frame),
            play: Play { piece, transport: playing::transport(session, chosen, position), keys: keys(frame, position) },
            library: self.folders.library(&pieces_shown),
            takes: &self.rows.takes,
            result: self.result.as_ref(),
            take: self.take.as_ref().map(|open| &open.view),
            voice: self.voices.wanted,
            listening: listened
                .as_deref()
                .zip(frame.desk.listening)
                .map(|(take, (id, began))| self.listening(take, id, frame.now - began - frame.desk.sound.heard())),
            devices: &devices,
            settings: &self.settings,
            system_soundfont: self.system_soundfont.as_deref(),
            bus: report.as_deref(),
            lab: Some(&program.lab),
            events: report.as_deref().map(|report| self.inspector.events(report, frame.wall)).unwrap_or_default(),
            entities: self.inspector.entities(&self.rows.entities),
            past: self.inspector.past(),
            conflicts: self.inspector.conflicts(),
            history: self.inspector.history(),
            banners: &banners,
            rescue: rescue.as_ref(),
            undo: undo.as_deref(),
            redo: redo.as_deref(),
        };
        ui::frame(ui, &view, &mut self.state, &mut self.send);
        let drawn = program.clock.now();
        self.inspector.painted(shown, drawn);
    }
}

fn backends() -> Vec<&'static str> {
    let mut names = vec!["auto"];
    if cfg!(feature = "sound") {
        names.push("cpal");
    }
    if cfg!(feature = "jack") {
        names.push("jack");
    }
    names.push("null");
    names
}

/// The place in ticks at the moment that is drawn.
fn position(frame: &Frame, session: &SessionView) -> f64 {
    let head = &frame.head;
    match &session.piece {
        Some(piece) if head.moves() && !head.counting_in => {
            // What is drawn is what is heard now.
            let ahead = head.anchor.rate.frames(frame.now - head.mono - frame.desk.sound.heard()).0;
            let reach = i64::from(head.anchor.rate.0) / 2;
            let frames = Frames(head.frame.0 + ahead.clamp(-reach, reach)).max(head.anchor.frame);
            head.anchor.tick_at(piece.score.tempo(), frames)
        }
        _ => head.tick,
    }
}

/// The place as a tick, once the music is under way.
pub(super) fn place(frame: &Frame) -> Option<Ticks> {
    (!frame.head.counting_in).then(|| Ticks(position(frame, &frame.desk.session) as i64))
}

fn wrong_is_fresh(frame: &Frame) -> bool {
    frame.desk.session.wrong.is_some_and(|(_, at)| frame.now - at < WRONG)
}

fn keys(frame: &Frame, position: f64) -> view::Keys {
    let session = &frame.desk.session;
    let live = frame.desk.held;
    let wrong = match session.wrong {
        Some((pitch, at)) if frame.now - at < WRONG => view::Keys::bit(pitch) & live,
        _ => 0,
    };
    let mut keys = view::Keys { live, wrong, right: 0, left: 0 };
    let Some(piece) = session.piece.as_ref().filter(|_| frame.head.moves() && !frame.head.counting_in) else {
        return keys;
    };
    let notes = piece.score.notes();
    let end = notes.partition_point(|n| n.onset.0 as f64 <= position);
    for note in notes[end.saturating_sub(SOUNDING_LOOK_BACK)..end].iter().filter(|n| n.end.0 as f64 > position) {
        let lacks = session.settings.practise.contains(note.hand) && !session.settings.keyboard.contains(note.pitch);
        if session.settings.heard(note.hand) != Heard::Always && !lacks {
            continue;
        }
        match note.hand {
            Hand::Right => keys.right |= view::Keys::bit(note.pitch),
            Hand::Left => keys.left |= view::Keys::bit(note.pitch),
            Hand::Neither => {}
        }
    }
    keys
}
