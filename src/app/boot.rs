//! Starting and stopping the program. In this order: clock · data folder · store · bus · the take that records from the
//! start · engine and sound · control thread · components. The other way round at the end. Starting always succeeds,
//! but for a second program on the same folder: what is missing becomes a line the window shows.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, bounded};
use etcetera::BaseStrategy;

use crate::audio::sound::Sound;
use crate::audio::{Playhead, engine};
use crate::bus::lab::Lab;
use crate::bus::lane::LatestReader;
use crate::bus::storage::{Storage, StorageError};
use crate::bus::{BusHandle, Config, Health, MemoryStorage, Publish, StartError, start};
use crate::cli::{BackendChoice, WindowArgs};
use crate::components::devices::SoundDesk;
use crate::components::eraser::Eraser;
use crate::components::library::shelf::Shelf;
use crate::components::openings::Openings;
use crate::components::recorder::AudioRecorder;
use crate::components::results::Results;
use crate::model::{Entity, Event, PieceId, Settings, TakeEnd, TakeId, TakeStart, Trainer, recorder_entity};
use crate::store::{self, InstanceLock, OpenError, OpenOptions, Opened};
use crate::time::{Clock, Rate};

use super::caretaker::{Caretaker, Copies, News, Place};
use super::clock::SystemClock;
use super::control::{Control, Parts};
use super::door::Door;

/// News that wait.
const NEWS: usize = 8;
/// How long the end may take: longer than any commit but a stalled disk's.
const SHUTDOWN_WAIT: Duration = Duration::from_secs(10);

/// The running program without its window.
pub struct Program {
    /// The bus.
    pub bus: BusHandle<Trainer>,
    /// The control thread.
    pub control: Control,
    /// Where the music is.
    pub playhead: LatestReader<Playhead>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// What goes wrong on purpose.
    pub lab: Arc<Lab>,
    /// Settings at the start, those of the command line included.
    pub settings: Settings,
    /// Lines the person must know from the start.
    pub lines: Vec<String>,
    /// What was played when the program ended before it was closed.
    pub interrupted: Option<Interrupted>,
    /// The last event before this run of the program.
    pub before: u64,
    /// What the data folder's caretaker has to say.
    pub news: Receiver<News>,
    /// The folders that are looked through for pieces.
    pub shelf: Option<Shelf>,
    /// Where another start of the program brings its file.
    pub door: Option<Door>,
    caretaker: Option<Caretaker>,
    _lock: Option<InstanceLock>,
}

/// A take that the program did not live to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interrupted {
    /// Which.
    pub take: TakeId,
    /// How many notes it has.
    pub notes: u32,
    /// The piece that was practised.
    pub piece: Option<PieceId>,
}

/// Why the program does not start.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// Another program has the folder.
    #[error("{0}; close it first, or name another folder with --data-dir")]
    InUse(OpenError),
    /// The system gives no threads.
    #[error("the program cannot start: {0}")]
    Threads(String),
}

/// The platform's folder for the program's data.
pub fn default_dir() -> PathBuf {
    etcetera::choose_base_strategy().map_or_else(|_| PathBuf::from("."), |s| s.data_dir()).join("music-trainer")
}

struct Base {
    bus: BusHandle<Trainer>,
    lock: Option<InstanceLock>,
    lines: Vec<String>,
    /// The data folder, if it is in use, or if it is damaged.
    place: Result<Place, Option<PathBuf>>,
}

/// Starts everything but the window. `repaint` is called from other threads when there is something new to draw.
///
/// # Errors
/// Another program has the data folder, or the system gives no threads.
pub fn boot(args: &WindowArgs, repaint: Arc<dyn Fn() + Send + Sync>) -> Result<Program, BootError> {
    let lab = Arc::new(Lab::default());
    let clock = lab.clock(Arc::new(SystemClock::start()));
    let dir = args.data_dir.clone().unwrap_or_else(default_dir);
    let (piano, base) = beside(|| Sound::default().instrument_or_piano(Rate::DEFAULT), || open_bus(&dir, &clock, &lab))
        .map_err(threads)?;
    let Base { bus, lock, mut lines, place } = base?;
    let settings = settings(&bus, args);
    let before = bus.snapshot().applied;
    let (take, interrupted) = begin_take(&bus, &*clock);
    let (engine, processor, reports) = engine(piano, Rate::DEFAULT);
    bus.add_lane("audio", reports.events, Box::new(AudioRecorder::default())).map_err(threads)?;
    let openings = Openings::load(&dir);
    let mut sound = SoundDesk::new(processor, clock.clone(), &settings, openings.clone());
    lines.extend(openings.lines());
    sound.keep_connections(&bus.snapshot().state);
    sound.start();
    bus.run(lab.component(Box::new(Results::default()))).map_err(threads)?;
    let wake = repaint.clone();
    // Without one the other start says that the program runs.
    let door = lock.as_ref().and_then(|_| Door::open(&dir, Box::new(move || wake())).ok());
    let (told, news) = bounded(NEWS);
    let caretaker = match place {
        Ok(place) => {
            let wake = repaint.clone();
            let tell = Box::new(move |news| {
                // Nobody listens to so much of it.
                let _ = told.try_send(news);
                wake();
            });
            Some(Caretaker::start(place, bus.clone(), clock.clone(), tell).map_err(threads)?)
        }
        Err(damaged) => {
            damaged.map(|dir| told.try_send(News::Damaged(dir)));
            None
        }
    };
    let (caretaker, copies) = caretaker.unzip();
    let erased = move || copies.as_ref().map_or(Ok(()), Copies::are_stale);
    Eraser::start(&bus, &lab, Box::new(erased)).map_err(threads)?;
    let wake = repaint.clone();
    let shelf = Some(Shelf::start(bus.clone(), Box::new(move || wake())).map_err(threads)?);
    let waker = repaint.clone();
    bus.set_waker(Box::new(move || waker()));
    let parts = Parts {
        bus: bus.clone(),
        clock: clock.clone(),
        engine,
        sound,
        take,
        settings: settings.clone(),
        midi: !args.safe,
        openings,
        outlet: reports.outlet,
        own_sounds: reports.own_sounds,
        lab: lab.clone(),
        repaint,
    };
    let control = Control::start(parts).map_err(threads)?;
    let playhead = reports.playhead;
    Ok(Program {
        bus,
        control,
        playhead,
        clock,
        lab,
        settings,
        lines,
        interrupted,
        before,
        news,
        shelf,
        door,
        caretaker,
        _lock: lock,
    })
}

impl Program {
    /// Ends everything and waits until what was played is on disk; whether it is.
    pub fn stop(mut self) -> bool {
        // What was played must reach the disk.
        self.lab.heal();
        self.caretaker.iter_mut().for_each(Caretaker::quit);
        (self.shelf, self.door) = (None, None);
        self.control.stop();
        let saved = self.bus.shutdown(SHUTDOWN_WAIT);
        if let Some(caretaker) = self.caretaker.take() {
            caretaker.end(SHUTDOWN_WAIT);
        }
        saved
    }
}

fn threads(error: impl ToString) -> BootError {
    BootError::Threads(error.to_string())
}

/// Does two things at once, since the start waits for both; gives what `there` and `here` gave.
fn beside<A: Send, B>(there: impl FnOnce() -> A + Send, here: impl FnOnce() -> B) -> std::io::Result<(A, B)> {
    std::thread::scope(|scope| {
        let there = std::thread::Builder::new().name("start".to_owned()).spawn_scoped(scope, there)?;
        let here = here();
        let there = there.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Ok((there, here))
    })
}

fn open_bus(dir: &Path, clock: &Arc<dyn Clock>, lab: &Arc<Lab>) -> Result<Base, BootError> {
    let (reason, damaged) = match store::open(dir, OpenOptions::default()) {
        Err(error @ OpenError::InUse { .. }) => return Err(BootError::InUse(error)),
        Err(error) => (error.to_string(), error.is_damage()),
        Ok(opened) => {
            let Opened { storage, lock, clean, .. } = opened;
            let place = Place { dir: dir.to_path_buf(), reader: storage.lmdb_reader(), clean, whole: lock.whole() };
            match start_bus(Box::new(storage), clock, lab, Health::Ok) {
                Ok(bus) => return Ok(Base { bus, lock: Some(lock), lines: Vec::new(), place: Ok(place) }),
                Err(error) => {
                    let damaged =
                        matches!(error, StartError::Fold(_) | StartError::Storage(StorageError::Damaged { .. }));
                    (format!("{}: {error}", dir.display()), damaged)
                }
            }
        }
    };
    let rest = Health::Degraded(reason.clone());
    let bus = start_bus(Box::new(MemoryStorage::new()), clock, lab, rest).map_err(threads)?;
    let line = format!("nothing is being saved: {reason}");
    let place = Err(damaged.then(|| dir.to_path_buf()));
    Ok(Base { bus, lock: None, lines: vec![line], place })
}

fn start_bus(
    storage: Box<dyn Storage>,
    clock: &Arc<dyn Clock>,
    lab: &Arc<Lab>,
    rest: Health,
) -> Result<BusHandle<Trainer>, StartError> {
    let config = Config { rest, lab: Some(Arc::clone(lab)), ..Config::default() };
    start(config, clock.clone(), lab.storage(storage))
}

/// Settings as chosen, unless the command line says otherwise for this run.
fn settings(bus: &BusHandle<Trainer>, args: &WindowArgs) -> Settings {
    let mut settings = if args.safe { Settings::default() } else { Settings::of(&bus.snapshot().state) };
    let named = match args.backend {
        Some(BackendChoice::Auto) => Some("auto"),
        Some(BackendChoice::Cpal) => Some("cpal"),
        Some(BackendChoice::Jack) => Some("jack"),
        Some(BackendChoice::Null) => Some("null"),
        None => args.safe.then_some("null"),
    };
    if let Some(name) = named {
        name.clone_into(&mut settings.backend);
    }
    settings
}

/// The take that records from the start: the last one if nothing was played in it, else a new one. A take that the
/// program did not live to end is ended now.
fn begin_take(bus: &BusHandle<Trainer>, clock: &dyn Clock) -> (TakeId, Option<Interrupted>) {
    let snapshot = bus.snapshot();
    let open = match snapshot.state.value(recorder_entity().as_str()) {
        Some(Entity::Recorder(Some(take))) => Some(*take),
        _ => None,
    };
    let value = open.and_then(|id| snapshot.state.value(id.entity().as_str()));
    let (mut events, mut interrupted) = (Vec::new(), None);
    if let (Some(id), Some(Entity::Take(take))) = (open, value)
        && take.end.is_none()
    {
        if take.notes == 0 && take.start.piece.is_none() {
            return (id, None);
        }
        let (notes, piece) = (take.notes, take.start.piece.clone());
        interrupted = (notes > 0).then_some(Interrupted { take: id, notes, piece });
        events.push(Publish::new(id.entity(), Event::TakeEnded(TakeEnd::Interrupted)).actor("recorder"));
    }
    let at = clock.wall();
    let id = TakeId::new(at, std::process::id() as u16);
    events.push(Publish::new(id.entity(), Event::TakeStarted(TakeStart::free(at))).actor("recorder"));
    events.push(Publish::new(recorder_entity(), Event::RecorderPointed(Some(id))).actor("recorder"));
    // The bus has just started and refuses nothing; without the answer the first notes would still be recorded.
    let _ = bus.transact(events).applied();
    (id, interrupted)
}
