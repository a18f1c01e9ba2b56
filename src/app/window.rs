//! The window: what it keeps from frame to frame, and the course of a frame. What happened meanwhile is caught up with,
//! the picture is drawn (`picture`), and what the person wants is applied (`applying`).

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::audio::Playhead;
use crate::audio::soundfont::find_system_soundfont;
use crate::bus::{EntityKey, Health, Publish, Snapshot, Ticket};
use crate::components::session::Finished;
use crate::model::{Event, Setting, Settings, TakeId, Trainer};
use crate::music::Score;
use crate::practice::PracticeSettings;
use crate::practice::result::TakeResult;
use crate::time::Micros;
use crate::ui::view::{Held, ResultView};
use crate::ui::{self, Command, Screen};

use super::boot::{BootError, Program};
use super::catalogue::{Catalogue, Folders};
use super::control::{Desk, Wish};
use super::exporting::Exports;
use super::history::History;
use super::inspector::{Inspector, Told};
use super::keeping::Keeping;
use super::rescue::Rescue;
use super::rows::{Rows, Wall};
use super::take_view::{OpenTake, Reading};

use self::banners::{BUFFERING, OPENING, READ_ONLY};
use self::listening::Voices;

mod applying;
mod banners;
mod library;
mod listening;
mod picture;
mod playing;
mod reading;
mod rescuing;
mod settings;
mod takes;

/// The author of what is done in the window.
const PERSON: &str = "person";
/// The inspector looks at the bus this often while nothing moves.
const INSPECT: Duration = Duration::from_millis(250);

/// What has no events of its own is looked at this often while it is awaited.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

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
    /// Takes that are being deleted for ever, in words.
    erasing: Vec<(Ticket<Trainer>, String)>,
    told: Vec<banners::Told>,
    next_told: u64,
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
            erasing: Vec::new(),
            told: Vec::new(),
            next_told: u64::MAX / 2,
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
            ui.ctx().request_repaint_after(LOOK_AGAIN);
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
        self.open_what_was_brought(ctx);
        if matches!(snapshot.health, Health::Ok) {
            // What was put away comes back when it happens again.
            self.dismissed.retain(|id| ![BUFFERING, READ_ONLY].contains(id));
        }
        match frame.desk.opening {
            None => _ = self.dismissed.remove(&OPENING),
            // For the line that tells of it.
            Some(_) => ctx.request_repaint_after(LOOK_AGAIN),
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
                    self.wish(Wish::Choose(practice, None));
                }
                _ => {}
            }
        }
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

    fn snapshot(&self) -> Option<Arc<Snapshot<Trainer>>> {
        self.program.as_ref().map(|program| program.bus.snapshot())
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

fn wake(ctx: &egui::Context) -> impl Fn() + Send + 'static {
    let ctx = ctx.clone();
    move || ctx.request_repaint()
}

/// The tempo held and the tempo asked for, at the beginning.
fn tempo(score: &Score, practice: &PracticeSettings, result: &TakeResult) -> Option<Held> {
    let (written, unit) = score.beats_per_minute(practice.ticks(score.bars()).0);
    let asked = written * f64::from(practice.tempo.get()) / 100.0;
    result.tempo_held().map(|held| Held { held: held * written, asked, unit })
}
