//! A piece on its way to the stand: its file is read on a thread of its own, so that devices, the session and *Panic* never
//! wait for a disk or a network. The newest wish counts; what is wished of the piece waits for it.

use std::sync::Arc;

use crossbeam_channel::{Receiver, RecvError, bounded, never};

use super::{Wish, Worker};
use crate::components::library::{self, OpenError, ReadPiece, Source};
use crate::practice::PracticeSettings;
use crate::time::Micros;

/// Files that are read at a time: only the newest is waited for, but a share that hangs holds the threads of those before.
const READING_MAX: usize = 8;
/// Wishes that wait for a piece: a person makes a few.
const WAITING_MAX: usize = 64;

type Answer = Result<ReadPiece, OpenError>;

/// A piece that is read.
struct OnTheWay {
    name: String,
    since: Micros,
    read: Receiver<Answer>,
    practice: Option<PracticeSettings>,
    waiting: Vec<Wish>,
}

/// See the module.
#[derive(Default)]
pub(super) struct Opening {
    piece: Option<OnTheWay>,
    /// Each thread that reads has one.
    threads: Arc<()>,
}

impl Opening {
    /// Answers with the piece once it is read.
    pub(super) fn channel(&self) -> Receiver<Answer> {
        self.piece.as_ref().map_or_else(never, |piece| piece.read.clone())
    }

    /// The piece that is being read, and since when.
    pub(super) fn on_the_way(&self) -> Option<(String, Micros)> {
        self.piece.as_ref().map(|piece| (piece.name.clone(), piece.since))
    }

    /// Waits for it no longer.
    pub(super) fn give_up(&mut self) {
        self.piece = None;
    }

    /// Begins to read; what was read before is of no interest any more.
    fn begin(
        &mut self,
        name: String,
        work: impl FnOnce() -> Answer + Send + 'static,
    ) -> Result<Receiver<Answer>, String> {
        self.piece = None;
        if Arc::strong_count(&self.threads) > READING_MAX {
            return Err(format!("{name} cannot be opened now: {READING_MAX} files before it do not answer"));
        }
        let (done, read) = bounded(1);
        let held = Arc::clone(&self.threads);
        let work = move || {
            // Another piece may be wanted by now.
            let _ = done.send(work());
            drop(held);
        };
        let thread = std::thread::Builder::new().name("open".to_owned()).spawn(work);
        thread.map(|_| read).map_err(|error| format!("{name} cannot be opened: {error}"))
    }
}

impl Worker {
    /// Puts a piece on the stand: at once if it need not be read.
    pub(super) fn open(&mut self, source: Source, practice: Option<PracticeSettings>) {
        self.opening.give_up();
        let at_hand = match &source {
            Source::Piece(id) => self.library.open_at_hand(&self.bus, id, self.clock.wall()),
            Source::File(_) => None,
        };
        if let Some(opened) = at_hand {
            return self.stand(Ok(opened), practice);
        }
        let (snapshot, since) = (self.bus.snapshot(), self.clock.now());
        let name = match &source {
            Source::File(path) => path.display().to_string(),
            Source::Piece(id) => library::title(&snapshot.state, id),
        };
        match self.opening.begin(name.clone(), move || library::read(&snapshot, &source)) {
            Ok(read) => self.opening.piece = Some(OnTheWay { name, since, read, practice, waiting: Vec::new() }),
            Err(line) => self.notice(true, line),
        }
    }

    /// The piece was read: it is put on the stand, and what was wished of it is done. Of one that cannot be opened nothing
    /// is.
    pub(super) fn opened(&mut self, answer: Result<Answer, RecvError>) {
        let Some(OnTheWay { name, practice, waiting, .. }) = self.opening.piece.take() else { return };
        let read = answer.unwrap_or(Err(OpenError::Failed(name)));
        let is_there = read.is_ok();
        let opened = read.map(|read| self.library.enter(&self.bus, read, self.clock.wall()));
        self.stand(opened, practice);
        self.carry_out();
        self.changed = true;
        waiting.into_iter().filter(|_| is_there).for_each(|wish| self.wish(wish));
    }

    /// What is wished of the piece that is on its way waits for it; the wish, if it does not.
    pub(super) fn wait_for_piece(&mut self, wish: Wish) -> Option<Wish> {
        let Some(piece) = &mut self.opening.piece else { return Some(wish) };
        match wish {
            Wish::Play | Wish::Restart | Wish::Seek(_) | Wish::Choose(..) | Wish::Await => {
                if piece.waiting.len() < WAITING_MAX {
                    piece.waiting.push(wish);
                }
                None
            }
            // Whoever wants silence, or no piece, does not want it to begin.
            Wish::Stop(_) | Wish::Panic => {
                piece.waiting.clear();
                Some(wish)
            }
            Wish::Close => {
                self.opening.give_up();
                Some(wish)
            }
            _ => Some(wish),
        }
    }
}
