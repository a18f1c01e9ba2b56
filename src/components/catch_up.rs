//! Events of the take that is recorded which a live subscription lost: they are in the log, and are told from there in
//! their place, before what came after them. So a practice goes on as if nothing had been lost. A state machine without a
//! thread; who reads the log is told what.

use std::sync::Arc;

use crate::bus::Envelope;
use crate::model::{Event, TakeId, Trainer};

/// Events that may wait: beyond, everything is read from the log.
const WAITING_MAX: usize = 16_384;

/// What is to be read: the events of the take from this version on, once the log is on disk up to there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The take.
    pub take: TakeId,
    /// Its first event that was not told.
    pub from: u64,
    /// The place in the log before which everything that was lost is.
    pub until: u64,
}

/// See the module.
#[derive(Debug, Default)]
pub struct CatchUp {
    /// The latest event that was told, of which take.
    told: Option<(TakeId, u64)>,
    wanted: Option<Wanted>,
    /// What came since the loss.
    waiting: Vec<Arc<Envelope<Trainer>>>,
}

impl CatchUp {
    /// What is to be read now, if anything is missing.
    pub fn wanted(&self) -> Option<Wanted> {
        self.wanted
    }

    /// Events were lost while `take` was recorded; everything lost lies before `applied` in the log.
    pub fn lost(&mut self, take: TakeId, applied: u64) {
        let after = self.told.filter(|(told, _)| *told == take).map_or(0, |(_, version)| version);
        self.wanted = Some(Wanted { take, from: after + 1, until: applied });
        // They are in the log too.
        self.waiting.clear();
    }

    /// Another take is recorded: of the one before nothing is missing any more.
    pub fn recorded(&mut self, take: TakeId) {
        if self.wanted.is_some_and(|wanted| wanted.take != take) {
            *self = Self::default();
        }
    }

    /// An event as it comes: given back if it is to be told now.
    pub fn comes(&mut self, take: TakeId, envelope: Arc<Envelope<Trainer>>) -> Option<Arc<Envelope<Trainer>>> {
        self.recorded(take);
        if envelope.entity != take.entity() {
            return Some(envelope);
        }
        let Some(wanted) = &mut self.wanted else {
            // What was read from the log already comes once.
            let again = self.told.is_some_and(|(told, version)| told == take && version >= envelope.version);
            return (!again).then(|| self.tells(take, envelope));
        };
        if self.waiting.len() < WAITING_MAX {
            self.waiting.push(envelope);
        } else {
            self.waiting.clear();
            wanted.until = envelope.seq;
        }
        None
    }

    /// What was wanted was read: what is to be told, in order; nothing if more is wanted by now.
    pub fn read(&mut self, read: Wanted, events: Vec<Envelope<Trainer>>) -> Vec<Arc<Envelope<Trainer>>> {
        if self.wanted != Some(read) {
            return Vec::new();
        }
        self.wanted = None;
        let waiting = std::mem::take(&mut self.waiting);
        let last = events.last().map_or(read.from - 1, |last| last.version);
        let missing = events.into_iter().filter(is_told).map(Arc::new);
        let all = missing.chain(waiting.into_iter().filter(|envelope| envelope.version > last));
        let told: Vec<_> = all.collect();
        let latest = told.last().map_or(last, |envelope| envelope.version.max(last));
        self.told = Some((read.take, latest));
        told
    }

    fn tells(&mut self, take: TakeId, envelope: Arc<Envelope<Trainer>>) -> Arc<Envelope<Trainer>> {
        self.told = Some((take, envelope.version));
        envelope
    }
}

/// What a practice learns from the bus; what it says itself it knows.
fn is_told(envelope: &Envelope<Trainer>) -> bool {
    matches!(
        envelope.event(),
        Some(
            Event::NotePlayed(_)
                | Event::NotesLost(_)
                | Event::SoundInterrupted(_)
                | Event::LatencyChanged(_)
                | Event::TransportMoved(_)
        )
    )
}
