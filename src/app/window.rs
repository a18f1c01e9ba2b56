//! The window's frame: fills the view from the snapshot, the desk and the playhead, draws it, and applies what the
//! person wants, in one `match`.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::audio::Playhead;
use crate::audio::soundfont::find_system_soundfont;
use crate::bus::{DeviceId, EntityKey, EventId, Health, LetterDecision, Publish, Snapshot, Ticket};
use crate::components::devices;
use crate::components::library::{shelf::Shelf, title as piece_title};
use crate::components::session::{Finished, SessionView};
use crate::formats::pieces;
use crate::midi::Cause;
use crate::model::{Entity, Event, FAVOURITE, PieceId, Setting, Settings, TakeId, Trainer};
use crate::music::{Hand, HandEdits, Pitch, Score};
use crate::practice::result::TakeResult;
use crate::practice::{Heard, PracticeSettings};
use crate::store::Recovered;
use crate::time::{Frames, Micros, Ticks, WallMillis};
use crate::ui::view::{self, Banner, Held, Level, Mark, Play, ResultView, View};
use crate::ui::{self, Command, Screen, TakeFile};

use super::boot::{BootError, Program};
use super::caretaker::News;
use super::catalogue::{Catalogue, Folders};
use super::control::{Desk, Notice, Wish};
use super::exporting::Exports;
use super::history::{Change, History, TagEdit};
use super::inspector::{Inspector, Told};
use super::keeping::Keeping;
use super::rescue::Rescue;
use super::rows::{self, Rows, Wall};
use super::take_view::{OpenTake, Purpose, Reading};

use self::listening::Voices;

mod library;
mod listening;
mod playing;
mod reading;

/// How long a slider rests before its value is written down.
const SETTLE: Micros = Micros::from_millis(250);
/// How long what is edited is leased, and after which time it is leased again.
const LEASE: WallMillis = WallMillis(60_000);
const LEASE_AGAIN: Micros = Micros::from_millis(30_000);
/// The author of what is done in the window.
const PERSON: &str = "person";
/// How long a line is shown that asks for nothing.
const NEWS: Micros = Micros::from_millis(15_000);
/// How long a wrong key stays marked.
const WRONG: Micros = Micros::from_millis(350);
/// The inspector looks at the bus this often while nothing moves.
const INSPECT: Duration = Duration::from_millis(250);
/// Notes before the place that are looked at for what sounds.
const SOUNDING_LOOK_BACK: usize = 256;
/// Banners of the laboratory and of the store, each with a number of its own.
const RECOVERED: u64 = 995;
const INTERRUPTED: u64 = 996;
const LABORATORY: u64 = 997;
const BUFFERING: u64 = 998;
const READ_ONLY: u64 = 999;
/// Banners of the start come before; those of the control thread count on from here.
const FIRST_NOTICE: u64 = 1_000;
/// Failures that are remembered.
const FAILURES_MAX: usize = 8;

/// The window.
pub struct Window {
    program: Option<Program>,
    state: ui::State,
    rows: Rows,
    settings: Settings,
    system_soundfont: Option<PathBuf>,
    unsaved: Vec<(Setting, Micros)>,
    /// The versions of the settings that are shown.
    settings_seen: HashMap<EntityKey, u64>,
    history: History,
    dismissed: BTreeSet<u64>,
    result: Option<ResultView>,
    reading: Option<Reading>,
    take: Option<Box<OpenTake>>,
    /// The take of the result that is shown, once it was tried to read it.
    looked_into: Option<TakeId>,
    exports: Exports,
    catalogue: Option<Catalogue>,
    folders: Folders,
    /// What the folders' thread complains of, once told.
    shelf_fault: Option<String>,
    keeping: Keeping,
    /// What is heard of a take, and of the one that is played.
    voices: Voices,
    inspector: Inspector,
    /// Whether the screen of devices is shown.
    at_devices: bool,
    shown_take: Option<TakeId>,
    chosen: Option<PracticeSettings>,
    answers: Vec<Ticket<Trainer>>,
    failures: Vec<Banner>,
    next_failure: u64,
    send: Vec<Command>,
    /// What is leased while it is edited, and when it must be leased again.
    leased: Option<(EntityKey, Micros)>,
    rescue: Option<Rescue>,
    /// Why there is no program behind the window and will be none.
    lost: Option<String>,
    boot: Boot,
    saved: Arc<AtomicBool>,
}

/// Starts the program again, on a data folder that was brought back.
pub type Boot = Arc<dyn Fn() -> Result<Program, BootError>>;

/// What one frame is drawn from, owned.
struct Frame {
    desk: Arc<Desk>,
    head: Playhead,
    now: Micros,
    wall: Wall,
}

impl Window {
    /// A window for a program that runs; `saved` learns at the end whether everything reached the disk.
    pub fn new(program: Program, boot: Boot, saved: Arc<AtomicBool>) -> Self {
        let settings = program.settings.clone();
        // The command line may have the last word over what is there from the start.
        let snapshot = program.bus.snapshot();
        let seen = snapshot.state.iter_prefix("settings/").map(|(key, versioned)| (key.clone(), versioned.version));
        let settings_seen = seen.collect();
        let end = program.bus.snapshot().applied;
        Self {
            program: Some(program),
            state: ui::State::new(),
            rows: Rows::default(),
            settings,
            system_soundfont: find_system_soundfont(),
            unsaved: Vec::new(),
            settings_seen,
            history: History::default(),
            dismissed: BTreeSet::new(),
            result: None,
            reading: None,
            take: None,
            looked_into: None,
            exports: Exports::default(),
            catalogue: None,
            folders: Folders::default(),
            shelf_fault: None,
            keeping: Keeping::default(),
            voices: Voices::default(),
            inspector: Inspector::new(end),
            shown_take: None,
            at_devices: false,
            chosen: None,
            answers: Vec::new(),
            failures: Vec::new(),
            next_failure: u64::MAX / 2,
            send: Vec::new(),
            leased: None,
            rescue: None,
            lost: None,
            boot,
            saved,
        }
    }

    /// Ends the program behind the window.
    pub fn stop(&mut self) -> bool {
        self.save_settings(true);
        self.inspector.stop();
        self.program.take().is_none_or(Program::stop)
    }

    /// Draws one frame and applies what the person wants. Draws nothing once the program is stopped.
    pub fn draw_frame(&mut self, ui: &mut egui::Ui) {
        self.rescue(ui.ctx());
        let Some(program) = &mut self.program else {
            let text = self.lost.as_deref().unwrap_or(ui::text::tr().recovering);
            return ui::waiting_ui(ui, text);
        };
        let desk = program.control.desk();
        let head = program.playhead.read();
        let now = program.clock.now();
        let wall = Wall::read(&*program.clock);
        let frame = Frame { desk, head, now, wall };
        self.look_up(&frame, ui.ctx());
        self.tell_exports();
        self.tell_kept();
        self.catch_up(&frame, ui.ctx());
        self.draw(ui, &frame);
        for command in std::mem::take(&mut self.send) {
            self.apply(command, &frame, ui.ctx());
        }
        self.save_settings(false);
        self.lease_what_is_edited(now);
        if !self.unsaved.is_empty() {
            ui.ctx().request_repaint_after(Duration::from_millis(100));
        }
        let at_devices = self.state.screen == Screen::Devices;
        if at_devices && !self.at_devices {
            self.wish(Wish::LookForDevices);
        }
        self.at_devices = at_devices;
        if self.state.screen == Screen::Inspector {
            ui.ctx().request_repaint_after(INSPECT);
        }
    }

    /// Hears of a damaged data folder, and starts the program again once it was brought back.
    fn rescue(&mut self, ctx: &egui::Context) {
        let news: Vec<News> = self.program.iter().flat_map(|program| program.news.try_iter()).collect();
        for news in news {
            match news {
                News::BackedUp => {}
                News::NoBackup(why) => self.fail(format!("no backup could be made: {why}")),
                News::Damaged(dir) => match Rescue::begin(dir, wake(ctx)) {
                    Ok(rescue) => (self.rescue, self.state.rescue_put_off) = (Some(rescue), false),
                    Err(error) => self.fail(format!("the damaged data cannot be looked at: {error}")),
                },
            }
        }
        let Some(done) = self.rescue.as_mut().and_then(Rescue::poll) else { return };
        match done {
            Ok(Recovered { events, before }) => {
                let kept = before.map(|dir| format!("; the damaged folder is kept as {}", dir.display()));
                self.restart(
                    Level::Info,
                    format!("your data is back, {events} events kept{}", kept.unwrap_or_default()),
                );
            }
            Err(error) => self.restart(Level::Bad, format!("your data could not be brought back: {error}")),
        }
    }

    /// Starts the program behind the window again, and says why.
    fn restart(&mut self, level: Level, line: String) {
        match (self.boot)() {
            Err(error) => self.lost = Some(format!("{line}\n{error}")),
            Ok(program) => {
                let fresh = Self::new(program, Arc::clone(&self.boot), Arc::clone(&self.saved));
                *self = Self { state: std::mem::take(&mut self.state), ..fresh };
                self.failures.push(banner(RECOVERED, level, line));
            }
        }
    }

    /// Ends the program, and goes the way that was chosen.
    fn recover(&mut self, index: usize, ctx: &egui::Context) {
        if self.rescue.as_ref().is_none_or(|rescue| rescue.offers().get(index).is_none()) {
            return;
        }
        if !self.stop() {
            let line = "nothing was done: the disk did not take everything that was played last";
            return self.restart(Level::Bad, line.to_owned());
        }
        let begun = self.rescue.as_mut().map(|rescue| rescue.go(index, wake(ctx)));
        if let Some(Err(error)) = begun {
            self.restart(Level::Bad, format!("your data could not be brought back: {error}"));
        }
    }

    /// A setting that somebody else has changed, or that was brought back, is shown as it is now.
    fn follow_settings(&mut self, snapshot: &Snapshot<Trainer>) {
        for (key, versioned) in snapshot.state.iter_prefix("settings/") {
            if self.settings_seen.get(key) == Some(&versioned.version) {
                continue;
            }
            self.settings_seen.insert(key.clone(), versioned.version);
            if let Some(Entity::Setting(setting)) = &versioned.value
                && self.unsaved.iter().all(|(unsaved, _)| unsaved.name() != setting.name())
            {
                self.settings.set(setting);
            }
        }
    }

    /// While a person types a name, nobody else writes one.
    fn lease_what_is_edited(&mut self, now: Micros) {
        let Some(program) = &self.program else { return };
        let named = self.state.naming.as_ref().and_then(|(take, _)| TakeId::parse(take)).map(|take| take.entity());
        if let Some((leased, _)) = self.leased.take_if(|(leased, _)| named.as_ref() != Some(leased)) {
            self.answers.extend(program.bus.release(&leased, PERSON));
        }
        if let Some(entity) = named.filter(|_| self.leased.as_ref().is_none_or(|(_, due)| *due <= now)) {
            self.answers.extend(program.bus.lease(&entity, PERSON, LEASE));
            self.leased = Some((entity, now + LEASE_AGAIN));
        }
    }

    /// What happened since the last frame.
    fn catch_up(&mut self, frame: &Frame, ctx: &egui::Context) {
        let Some(program) = &self.program else { return };
        let snapshot = program.bus.snapshot();
        // While one plays, every note is a new snapshot: the lists wait until they are looked at.
        if self.state.screen != Screen::Play {
            let recording = frame.desk.take.unwrap_or(TakeId(0));
            let inspecting = self.state.screen == Screen::Inspector;
            self.rows.refresh(&snapshot, frame.wall, recording, inspecting);
        }
        self.look_into_library(frame.wall, ctx);
        if matches!(snapshot.health, Health::Ok) {
            // What was put away comes back when it happens again.
            self.dismissed.retain(|id| ![BUFFERING, READ_ONLY].contains(id));
        }
        self.hear_answers();
        self.follow_settings(&snapshot);
        self.chosen = self.chosen.filter(|chosen| !playing::is_in_force(chosen, &frame.desk.session.settings));
        if let Some(finished) = &frame.desk.session.finished
            && self.shown_take.replace(finished.take) != Some(finished.take)
            && finished.completed
            && self.state.screen == Screen::Play
        {
            self.show_finished(finished, frame);
        }
        self.take_in_what_was_read(frame.wall);
        self.look_along(frame);
        self.look_into_result(&snapshot, frame, ctx);
    }

    /// Asks the log for what the inspector shows of it, when that has changed, and takes the answers.
    fn look_up(&mut self, frame: &Frame, ctx: &egui::Context) {
        let Some(program) = &self.program else { return };
        let wake = || {
            let ctx = ctx.clone();
            Box::new(move || ctx.request_repaint()) as Box<dyn Fn() + Send>
        };
        let Told { failures, again } = match self.inspector.look_up(&program.bus, &self.state, frame.wall, wake) {
            Ok(heard) => heard,
            Err(error) => return self.fail(format!("the log cannot be looked into: {error}")),
        };
        failures.into_iter().for_each(|line| self.fail(line));
        for (key, event) in again {
            match event {
                Event::PracticeChosen(practice)
                    if frame.desk.session.piece.as_ref().is_some_and(|piece| piece.id.entity() == key) =>
                {
                    self.wish(Wish::Choose(practice));
                }
                _ => {}
            }
        }
    }

    /// Tells of what a person did and the bus refused.
    fn hear_answers(&mut self) {
        let mut refused = Vec::new();
        self.answers.retain_mut(|ticket| match ticket.try_applied() {
            None => true,
            Some(Ok(_)) => false,
            Some(Err(error)) => {
                refused.push(format!("that was not saved: {error}"));
                false
            }
        });
        refused.into_iter().for_each(|line| self.fail(line));
    }

    fn publish(&mut self, publish: Publish<Trainer>) {
        if let Some(program) = &self.program {
            self.answers.push(program.bus.edit(publish));
        }
    }

    /// The result of the practice just finished.
    fn show_finished(&mut self, finished: &Finished, frame: &Frame) {
        let session = &frame.desk.session;
        let chosen = finished.start.practice.unwrap_or(session.settings);
        if let (Some(piece), Some(result)) = (&session.piece, &session.result) {
            self.result = Some(ResultView {
                take: finished.take.to_string(),
                piece: piece.id.0.to_string(),
                title: piece.score.title().to_owned(),
                at: frame.wall.local(self.moment_of(finished)),
                chosen,
                result: result.clone(),
                tempo: tempo(&piece.score, &chosen, result),
            });
            self.state.screen = Screen::Results;
        }
    }

    fn draw(&mut self, ui: &mut egui::Ui, frame: &Frame) {
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

    fn banners(&self, health: &Health, frame: &Frame) -> Vec<Banner> {
        let Some(program) = &self.program else { return Vec::new() };
        let mut banners = Vec::new();
        let lines = program.lines.iter().enumerate();
        let offered = self.rescue.as_ref().is_some_and(|rescue| !rescue.offers().is_empty());
        let action = offered.then(|| (ui::text::tr().rescue_again.to_owned(), Command::ShowRescue));
        banners.extend(
            lines.map(|(i, text)| Banner { action: action.clone(), ..banner(i as u64, Level::Bad, text.clone()) }),
        );
        match health {
            Health::Ok | Health::Degraded(_) => {}
            Health::Buffering { .. } => banners.push(banner(BUFFERING, Level::Bad, health.to_string())),
            Health::ReadOnly(_) => banners.push(banner(READ_ONLY, Level::Bad, health.to_string())),
        }
        if let Some(on) = ui::text::laboratory_on(&program.lab) {
            let action = Some((ui::text::tr().heal.to_owned(), Command::Heal));
            banners.push(Banner { id: LABORATORY, level: Level::Warn, text: on, action });
        }
        if let Some(notes) = program.interrupted {
            banners.push(banner(INTERRUPTED, Level::Info, ui::text::interrupted_at(notes)));
        }
        // The newest first: only a few fit.
        banners.extend(self.failures.iter().rev().cloned());
        let fresh = |n: &&Notice| n.bad || frame.now - n.at < NEWS;
        let notices = frame.desk.notices.iter().rev().filter(fresh);
        banners.extend(notices.map(|n| banner(FIRST_NOTICE + n.id, level(n.bad), n.text.clone())));
        banners.retain(|b| !self.dismissed.contains(&b.id));
        banners
    }

    fn fail(&mut self, text: String) {
        self.next_failure += 1;
        self.failures.push(banner(self.next_failure, Level::Bad, text));
        if self.failures.len() > FAILURES_MAX {
            self.failures.remove(0);
        }
    }

    fn wish(&mut self, wish: Wish) {
        let taken = self.program.as_ref().is_none_or(|p| p.control.wish(wish));
        if !taken {
            self.fail("the program is busy; that was not done".to_owned());
        }
    }

    /// Everything a person can want.
    fn apply(&mut self, command: Command, frame: &Frame, ctx: &egui::Context) {
        let session = &frame.desk.session;
        match command {
            Command::Recover(index) => self.recover(index, ctx),
            Command::ShowRescue => self.state.rescue_put_off = false,
            Command::Play => self.wish(Wish::Play),
            Command::Pause => {
                let place = (!frame.head.counting_in).then(|| Ticks(position(frame, session) as i64));
                self.wish(Wish::Stop(place));
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
            | Command::SetLadder(_) => {
                let old = self.chosen.unwrap_or(session.settings);
                self.practise(session, old, playing::chosen(old, &command));
            }
            Command::EditHands(edit) => self.edit_hands(session, |hands| hands.with(edit)),
            Command::ForgetHands => self.edit_hands(session, |_| HandEdits::default()),
            Command::OpenPiece(id) => {
                self.wish(Wish::Open(PieceId(id.into()), None));
                self.state.screen = Screen::Play;
            }
            Command::OpenFile(path) => self.open_file(path),
            Command::ClosePiece => self.wish(Wish::Close),
            Command::KeyDown(pitch, velocity) => {
                self.wish(Wish::KeyDown { at: frame.now, cause: cause(pitch), pitch, velocity });
            }
            Command::KeyUp(pitch) => self.wish(Wish::KeyUp { at: frame.now, cause: cause(pitch) }),
            Command::Panic => self.wish(Wish::Panic),
            Command::Undo => {
                if let Some(change) = self.history.undo() {
                    self.redo(change, session);
                }
            }
            Command::Redo => {
                if let Some(change) = self.history.redo() {
                    self.redo(change, session);
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
            Command::DismissBanner(id) => {
                self.dismissed.insert(id);
            }
        }
    }

    fn practise(&mut self, session: &SessionView, from: PracticeSettings, to: PracticeSettings) {
        if let Some(piece) = &session.piece
            && from != to
        {
            self.history.push(Change::Practice { piece: piece.id.clone(), from, to });
        }
        self.chosen = Some(to);
        self.wish(Wish::Choose(to));
    }

    fn again(&mut self, piece: String, session: &SessionView, change: impl Fn(PracticeSettings) -> PracticeSettings) {
        let id = PieceId(piece.into());
        let same = session.piece.as_ref().is_some_and(|p| p.id == id);
        let known = self.program.as_ref().and_then(|p| match p.bus.snapshot().state.value(id.entity().as_str()) {
            Some(Entity::Piece(piece)) => *piece.practice,
            _ => None,
        });
        if same {
            self.wish(Wish::Choose(change(session.settings)));
            self.wish(Wish::Await);
        } else {
            self.wish(Wish::Open(id, Some(change(known.unwrap_or(session.settings)))));
        }
        self.state.screen = Screen::Play;
    }

    /// Applies a change of the history, without remembering it again.
    fn redo(&mut self, change: Change, session: &SessionView) {
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
                if session.piece.as_ref().is_some_and(|p| p.id == piece) {
                    self.chosen = Some(to);
                    self.wish(Wish::Choose(to));
                }
            }
        }
    }

    fn enable_midi(&mut self, input: String, enabled: bool) {
        self.publish(devices::chosen(&input, enabled));
    }

    fn letter(&mut self, subscriber: &str, seq: u64, decision: LetterDecision) {
        if let Some(program) = &self.program {
            self.answers.push(program.bus.settle_letter(subscriber, seq, decision));
        }
    }

    fn snapshot(&self) -> Option<Arc<Snapshot<Trainer>>> {
        self.program.as_ref().map(|program| program.bus.snapshot())
    }

    fn name_of(&self, take: TakeId) -> String {
        match self.snapshot().as_ref().and_then(|s| s.state.value(take.entity().as_str())) {
            Some(Entity::Take(take)) => take.name(),
            _ => String::new(),
        }
    }

    /// Names a take, in place of the names that are seen now.
    fn name(&mut self, take: TakeId, name: String) {
        let seen = match self.snapshot().as_ref().and_then(|s| s.state.value(take.entity().as_str())) {
            Some(Entity::Take(take)) => take.names.seen(),
            _ => Vec::new(),
        };
        self.publish(Publish::new(take.entity(), Event::TakeNamed { name, seen }));
    }

    /// Deletes a take and what came out of it for ever.
    fn erase(&mut self, take: TakeId) {
        let Some(program) = &self.program else { return };
        // The result too if there is none yet: it is being judged perhaps.
        let items = [take.entity(), take.result_entity()].map(|key| Publish::new(key, Event::Erased));
        self.answers.push(program.bus.transact(items.into()));
        // If it is refused the take is there as before, and only undo has forgotten it.
        self.history.forget(take);
        // Nothing that was read of it before is kept.
        self.take = self.take.take().filter(|open| open.id != take);
        self.result = self.result.take().filter(|result| result.take != take.to_string());
        self.inspector.forget();
    }

    fn discard(&mut self, take: TakeId, discarded: bool) {
        if !discarded {
            self.withdraw_offer(take);
        }
        self.publish(Publish::new(take.entity(), Event::TakeDiscarded(discarded)));
    }

    fn set(&mut self, setting: Setting, remember: bool) {
        let from = self.settings.current(&setting);
        if from == setting {
            return;
        }
        if remember {
            self.history.push(Change::Setting { from, to: setting.clone() });
        }
        self.settings.set(&setting);
        self.wish(Wish::Settings(Box::new(self.settings.clone())));
        let now = self.program.as_ref().map_or(Micros::ZERO, |p| p.clock.now());
        self.unsaved.retain(|(s, _)| s.name() != setting.name());
        let due = if setting.is_gradual() { now + SETTLE } else { now };
        self.unsaved.push((setting, due));
    }

    /// Publishes the settings that have come to rest.
    fn save_settings(&mut self, all: bool) {
        let Some(program) = &self.program else { return };
        let now = program.clock.now();
        let unsaved = std::mem::take(&mut self.unsaved);
        let (due, rest): (Vec<_>, Vec<_>) = unsaved.into_iter().partition(|(_, due)| all || *due <= now);
        self.unsaved = rest;
        for (setting, _) in due {
            self.publish(Publish::new(setting.entity(), Event::SettingChanged(setting)));
        }
    }

    /// A take, as a file in the music folder.
    fn export(&mut self, take: &str, file: TakeFile, ctx: &egui::Context) {
        let (Some(program), Some(id)) = (&self.program, TakeId::parse(take)) else { return };
        let row = self.rows.takes.iter().find(|row| row.id == take);
        let words = row.map_or_else(|| take.to_owned(), ui::text::take_in_a_file_name);
        let begun = self.exports.begin(program.bus.clone(), id, (file, words), self.settings.clone(), wake(ctx));
        if let Err(line) = begun {
            self.fail(line);
        }
    }

    fn tell_exports(&mut self) {
        for exported in self.exports.poll() {
            match exported {
                Ok(path) => {
                    self.next_failure += 1;
                    let text = format!("the take is in {}", path.display());
                    self.failures.push(banner(self.next_failure, Level::Info, text));
                }
                Err(line) => self.fail(line),
            }
        }
    }
}

impl eframe::App for Window {
    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        self.draw_frame(ui);
    }

    fn on_exit(&mut self, _gl: Option<&eframe::glow::Context>) {
        let saved = self.stop();
        self.saved.store(saved, Ordering::Release);
    }
}

fn level(bad: bool) -> Level {
    if bad { Level::Bad } else { Level::Info }
}

fn wake(ctx: &egui::Context) -> impl Fn() + Send + 'static {
    let ctx = ctx.clone();
    move || ctx.request_repaint()
}

fn banner(id: u64, level: Level, text: String) -> Banner {
    Banner { id, level, text, action: None }
}

fn cause(pitch: Pitch) -> Cause {
    Cause(u32::from(pitch.key()))
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

/// The tempo held and the tempo asked for, at the beginning.
fn tempo(score: &Score, practice: &PracticeSettings, result: &TakeResult) -> Option<Held> {
    let (written, unit) = score.beats_per_minute(practice.ticks(score.bars()).0);
    let asked = written * f64::from(practice.tempo.get()) / 100.0;
    result.tempo_held().map(|held| Held { held: held * written, asked, unit })
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
    let Some(piece) = session.piece.as_ref().filter(|_| frame.head.moves()) else { return keys };
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

/// What undo and redo are about, for their tooltips.
fn words(change: &Change) -> String {
    match change {
        Change::Setting { from, .. } => from.name().replace('-', " "),
        Change::Practice { from, to, .. } if from.tempo != to.tempo => "tempo".to_owned(),
        Change::Practice { from, to, .. } if from.mode != to.mode => "mode".to_owned(),
        Change::Practice { from, to, .. } if from.range != to.range => "loop".to_owned(),
        Change::Practice { from, to, .. } if from.ladder != to.ladder => "tempo ladder".to_owned(),
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
