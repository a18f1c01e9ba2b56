//! The window and what a person wants of it: one `match` over everything that can be wanted.

use super::banners::LABORATORY;
use super::picture::place;
use super::{Frame, Window, playing};
use crate::app::control::Wish;
use crate::app::files;
use crate::app::history::{Change, TagEdit};
use crate::app::take_view::Purpose;
use crate::bus::{DeviceId, EventId, LetterDecision};
use crate::components::devices;
use crate::components::library::shelf::Shelf;
use crate::components::session::SessionView;
use crate::midi::Cause;
use crate::model::{Entity, FAVOURITE, PieceId, Setting, TakeId};
use crate::music::{HandEdits, Pitch};
use crate::practice::PracticeSettings;
use crate::ui::{Command, Screen};

impl Window {
    /// Everything a person can want.
    pub(super) fn apply(&mut self, command: Command, frame: &Frame, ctx: &egui::Context) {
        let session = &frame.desk.session;
        match command {
            Command::Recover(index) => self.recover(index, ctx),
            Command::ShowRescue => self.state.rescue_put_off = false,
            Command::Play => self.wish(Wish::Play),
            Command::Pause => {
                self.wish(Wish::Stop(place(frame)));
            }
            Command::Restart => self.wish(Wish::Restart),
            Command::SeekBar(bar) => {
                if let Some(piece) = &session.piece {
                    self.wish(Wish::Seek(piece.score.bars().get(bar).start));
                }
            }
            Command::SetMode(_)
            | Command::SetPractised(_)
            | Command::SetHeard(..)
            | Command::SetTempo(_)
            | Command::SetLoop(_)
            | Command::SetMetronome(_)
            | Command::SetCountIn(_)
            | Command::SetLadder(_)
            | Command::SetChordWindow(_)
            | Command::SetAnyNote(_)
            | Command::SetGoOn(_) => {
                let old = self.chosen.unwrap_or(session.settings);
                self.practise(frame, old, playing::chosen(old, &command));
            }
            Command::EditHands(edit) => self.edit_hands(session, |hands| hands.with(edit)),
            Command::ForgetHands => self.edit_hands(session, |_| HandEdits::default()),
            Command::OpenPiece(id) => {
                self.wish(Wish::Open(PieceId(id.into()), None));
                self.state.screen = Screen::Play;
            }
            Command::OpenFile(path) => self.open_file(path),
            Command::StopOpening => {
                // What was chosen for that piece comes to nothing.
                self.chosen = None;
                self.wish(Wish::StopOpening);
            }
            Command::ClosePiece => self.wish(Wish::Close),
            Command::KeyDown(pitch, velocity) => {
                self.wish(Wish::KeyDown { at: frame.now, cause: cause(pitch), pitch, velocity });
            }
            Command::KeyUp(pitch) => self.wish(Wish::KeyUp { at: frame.now, cause: cause(pitch) }),
            Command::Panic => self.wish(Wish::Panic),
            Command::Undo => {
                if let Some(change) = self.history.undo() {
                    self.redo(change, frame);
                }
            }
            Command::Redo => {
                if let Some(change) = self.history.redo() {
                    self.redo(change, frame);
                }
            }
            Command::Set(setting) => self.set(setting, true),
            Command::SetBackend(name) => self.set(Setting::Backend(name), true),
            Command::ShowResult(take) => {
                self.result = None;
                self.read(&take, Purpose::Result, frame.wall, ctx);
            }
            Command::ShowTake(take) => self.read(&take, Purpose::Look, frame.wall, ctx),
            Command::PlayTake(..)
            | Command::PlayPart { .. }
            | Command::SetVoice(_)
            | Command::KeepLast
            | Command::OpenTake(_)
            | Command::LookBack(_)
            | Command::LookBackBy(_)
            | Command::LookBackEnd
            | Command::ShowBusAt(_) => self.of_takes(command, frame, ctx),
            Command::StopTake => self.wish(Wish::PlayTake(None)),
            Command::KeepResult(take) => self.keep_result(&take),
            Command::ExportTake(take, file) => self.export(&take, file, ctx),
            Command::DeleteTake(take) => {
                if let Some(take) = TakeId::parse(&take) {
                    self.delete_take(take);
                }
            }
            Command::BringTakeBack(take) => self.bring_take_back(&take),
            Command::EraseTake(take) => {
                if let Some(take) = TakeId::parse(&take) {
                    self.erase(take);
                }
            }
            Command::NameTake(take, name) => {
                if let Some(take) = TakeId::parse(&take) {
                    let from = self.name_of(take);
                    self.history.push(Change::Name { take, from, to: name.clone() });
                    self.name(take, name);
                }
            }
            Command::Favour(piece, favourite) => {
                self.tag(
                    vec![TagEdit { piece: PieceId(piece.into()), tag: FAVOURITE.to_owned(), on: favourite }],
                    true,
                );
            }
            Command::Tag { pieces, tag, on } => self.tag_all(pieces, &tag, on),
            Command::RenameTag { from, to } => self.rename_tag(&from, &to),
            Command::WatchFolder(path, watched) => self.watch_folder(&path, watched),
            Command::LookThroughFolders => self.with_shelf(Shelf::look),
            Command::CancelImport => self.with_shelf(Shelf::cancel),
            Command::PractiseBars { piece, bars, speed } => {
                self.again(piece, session, |p| PracticeSettings {
                    range: Some(bars),
                    looping: true,
                    tempo: speed,
                    ..p
                });
            }
            Command::PlayAgain { piece, speed } => {
                self.again(piece, session, |p| PracticeSettings { range: None, looping: false, tempo: speed, ..p });
            }
            Command::EnableMidi(input, enabled) => {
                self.history.push(Change::Midi { input: input.clone(), enabled });
                self.enable_midi(input, enabled);
            }
            Command::UseOutput(output, to) => {
                let known = frame.desk.midi_out.iter().find(|report| report.identity.to_string() == output);
                let from = known.map(devices::usage_of).unwrap_or_default();
                self.history.push(Change::Output { output: output.clone(), from, to });
                self.publish(devices::chosen_output(&output, to));
            }
            Command::OpenLeftOut => self.wish(Wish::OpenLeftOut),
            Command::Listen(on) => self.wish(Wish::Listen(on)),
            Command::TestTone => self.wish(Wish::TestTone),
            Command::TapAlong(begin) => self.wish(Wish::TapAlong(begin)),
            Command::LoopBack(begin) => self.wish(Wish::LoopBack(begin)),
            Command::ForgetCalibration => self.wish(Wish::ForgetCalibration),
            Command::LookForDevices => self.wish(Wish::LookForDevices),
            Command::Break(failure, on) => {
                if let Some(program) = &self.program {
                    program.lab.set(failure, on);
                }
                ctx.request_repaint();
            }
            Command::Heal => {
                if let Some(program) = &self.program {
                    program.lab.heal();
                }
                self.dismissed.remove(&LABORATORY);
                ctx.request_repaint();
            }
            Command::PanicComponent => {
                if let Some(program) = &self.program {
                    program.lab.panic_next();
                }
            }
            Command::FillLane => self.wish(Wish::FillLane(frame.now)),
            Command::ShowAt(seq) => {
                self.inspector.show_at(seq);
                ctx.request_repaint();
            }
            Command::ShowHistory(key) => {
                self.inspector.show_history(&key);
                ctx.request_repaint();
            }
            Command::BringBack { entity, device, number } => {
                let id = EventId { device: DeviceId(device), device_seq: number };
                if !self.inspector.bring_back(&entity, id) {
                    self.fail("too much is being looked up; try again".to_owned());
                }
            }
            Command::ReplayLetter { subscriber, seq } => self.letter(&subscriber, seq, LetterDecision::Replay),
            Command::DropLetter { subscriber, seq } => self.letter(&subscriber, seq, LetterDecision::Drop),
            Command::ShowFolder(folder) => {
                if let Err(error) = files::show(&folder) {
                    self.fail(format!("{} cannot be shown: {error}", folder.display()));
                }
            }
            Command::DismissBanner(id) => {
                self.dismissed.insert(id);
            }
        }
    }

    pub(super) fn practise(&mut self, frame: &Frame, from: PracticeSettings, to: PracticeSettings) {
        if let Some(piece) = &frame.desk.session.piece
            && from != to
        {
            self.history.push(Change::Practice { piece: piece.id.clone(), from, to });
        }
        self.chosen = Some(to);
        self.wish(Wish::Choose(to, place(frame)));
    }

    pub(super) fn again(
        &mut self,
        piece: String,
        session: &SessionView,
        change: impl Fn(PracticeSettings) -> PracticeSettings,
    ) {
        let id = PieceId(piece.into());
        let same = session.piece.as_ref().is_some_and(|p| p.id == id);
        let known = self.program.as_ref().and_then(|p| match p.bus.snapshot().state.value(id.entity().as_str()) {
            Some(Entity::Piece(piece)) => *piece.practice,
            _ => None,
        });
        if same {
            self.wish(Wish::Choose(change(session.settings), None));
            self.wish(Wish::Restart);
            self.wish(Wish::Await);
        } else {
            self.wish(Wish::Open(id, Some(change(known.unwrap_or(session.settings)))));
        }
        self.state.screen = Screen::Play;
    }

    /// Applies a change of the history, without remembering it again.
    pub(super) fn redo(&mut self, change: Change, frame: &Frame) {
        match change {
            Change::Setting { to, .. } => self.set(to, false),
            Change::Discard { take, discarded } => self.discard(take, discarded),
            Change::Name { take, to, .. } => self.name(take, to),
            Change::Tags(edits) => self.tag(edits, false),
            Change::Folder { path, watched } => self.choose_folder(path, watched),
            Change::Midi { input, enabled } => self.enable_midi(input, enabled),
            Change::Output { output, to, .. } => self.publish(devices::chosen_output(&output, to)),
            Change::Hands { piece, to, .. } => self.choose_hands(&piece, to),
            Change::Practice { piece, to, .. } => {
                if frame.desk.session.piece.as_ref().is_some_and(|p| p.id == piece) {
                    self.chosen = Some(to);
                    self.wish(Wish::Choose(to, place(frame)));
                }
            }
        }
    }

    pub(super) fn letter(&mut self, subscriber: &str, seq: u64, decision: LetterDecision) {
        if let Some(program) = &self.program {
            self.answers.push(program.bus.settle_letter(subscriber, seq, decision));
        }
    }

    pub(super) fn wish(&mut self, wish: Wish) {
        let taken = self.program.as_ref().is_none_or(|p| p.control.wish(wish));
        if !taken {
            self.fail("the program is busy; that was not done".to_owned());
        }
    }
}

pub(super) fn cause(pitch: Pitch) -> Cause {
    Cause(u32::from(pitch.key()))
}

/// What undo and redo are about, for their tooltips.
pub(super) fn words(change: &Change) -> String {
    match change {
        Change::Setting { from, .. } => from.name().replace('-', " "),
        Change::Practice { from, to, .. } if from.tempo != to.tempo => "tempo".to_owned(),
        Change::Practice { from, to, .. } if from.mode != to.mode => "mode".to_owned(),
        Change::Practice { from, to, .. } if from.range != to.range => "loop".to_owned(),
        Change::Practice { from, to, .. } if from.ladder != to.ladder => "tempo ladder".to_owned(),
        Change::Practice { from, to, .. } if from.waiting() != to.waiting() => "how the music waits".to_owned(),
        Change::Hands { .. } => "hands".to_owned(),
        Change::Practice { .. } => "practice".to_owned(),
        Change::Discard { discarded: true, .. } => "take off the list".to_owned(),
        Change::Discard { .. } => "kept take".to_owned(),
        Change::Name { .. } => "name of a take".to_owned(),
        Change::Tags(edits) if edits.iter().all(|edit| edit.tag == FAVOURITE) => "favourite".to_owned(),
        Change::Tags(_) => "tags".to_owned(),
        Change::Folder { .. } => "folder of music".to_owned(),
        Change::Midi { input, .. } => format!("use of {input}"),
        Change::Output { output, .. } => format!("use of {output}"),
    }
}
