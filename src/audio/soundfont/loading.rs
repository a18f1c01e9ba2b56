//! Reading a SoundFont on a thread of its own, so that neither the window nor the sound waits for it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crossbeam_channel::{Receiver, bounded};

use super::{Font, FontError};

/// How far loading is, for another thread to see, and to end it.
#[derive(Debug, Default)]
pub struct Progress {
    read: AtomicU64,
    total: AtomicU64,
    cancelled: AtomicBool,
}

impl Progress {
    /// Bytes read, and bytes of the file: 0 before it was opened. Unpacking a compressed font follows the last byte.
    pub fn bytes(&self) -> (u64, u64) {
        (self.read.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed))
    }

    /// Gives up: loading ends with [`FontError::Cancelled`] at its next read, or once the samples of a compressed font are
    /// unpacked.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    pub(super) fn begin(&self, total: u64) {
        self.total.store(total, Ordering::Relaxed);
    }

    pub(super) fn advance(&self, bytes: usize) {
        self.read.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

/// A font that is being read. Dropping it gives up.
#[derive(Debug)]
pub struct Loading {
    outcome: Receiver<Result<Font, FontError>>,
    progress: Arc<Progress>,
}

impl Loading {
    /// Begins to read a file.
    ///
    /// # Errors
    /// No thread could be started.
    pub fn start(path: PathBuf) -> std::io::Result<Self> {
        let progress = Arc::new(Progress::default());
        let (done, outcome) = bounded(1);
        let watched = progress.clone();
        std::thread::Builder::new().name("soundfont".to_owned()).spawn(move || {
            // Nobody may be waiting any more: then the font is not wanted.
            let _ = done.send(Font::load_watched(&path, &watched));
        })?;
        Ok(Self { outcome, progress })
    }

    /// Bytes read, and bytes of the file.
    pub fn bytes(&self) -> (u64, u64) {
        self.progress.bytes()
    }

    /// What came of it, once.
    pub fn poll(&self) -> Option<Result<Font, FontError>> {
        self.outcome.try_recv().ok()
    }
}

impl Drop for Loading {
    fn drop(&mut self) {
        self.progress.cancel();
    }
}
