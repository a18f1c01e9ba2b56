//! Results: when a take has ended it is judged from the log, and what came out becomes an event. A durable subscriber, so
//! that a take which the program did not live to judge is judged at the next start.

use std::collections::HashMap;
use std::sync::Arc;

use crate::bus::storage::StorageError;
use crate::bus::{BusHandle, Component, Context, Delivery, EntityKey, Filter, Outcome, Publish, Snapshot};
use crate::formats::hands;
use crate::model::{Entity, Event, PieceId, ResultSummary, Take, TakeId, Trainer};
use crate::music::Score;
use crate::practice::result::TakeResult;
use crate::practice::{PracticeSettings, Verdict};
use crate::time::Micros;

use super::judging::TakeJudge;
use super::library::{Library, OpenError};
use super::performed::{Performed, each_event};

/// Judges ended takes.
#[derive(Default)]
pub struct Results {
    library: Library,
    /// How long each piece was practised here, in milliseconds, as published last: the snapshot may not show it yet.
    practised: HashMap<PieceId, Practised>,
}

/// What was published last of a piece.
#[derive(Clone, Copy, Default)]
struct Practised {
    total: u64,
    /// The take that it was raised by: judged once more, it counts once.
    take: Option<TakeId>,
}

/// A take judged again, with everything that a result is shown from.
#[derive(Clone, Debug)]
pub struct JudgedTake {
    /// Its name.
    pub id: TakeId,
    /// The take in short.
    pub take: Take,
    /// The music.
    pub score: Arc<Score>,
    /// How it was practised.
    pub practice: PracticeSettings,
    /// What came out.
    pub result: TakeResult,
    /// What was found of each note, in the order in which it was decided.
    pub verdicts: Vec<Verdict>,
    /// What was played.
    pub performed: Performed,
}

/// Why a take cannot be judged.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// Free play has nothing to compare with.
    #[error("there is nothing to judge this take against")]
    Free,
    /// There is no such take.
    #[error("there is no take {0}")]
    Unknown(TakeId),
    /// The piece has gone.
    #[error(transparent)]
    Piece(#[from] OpenError),
    /// The log cannot be read.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Judges a take from its notes in the log, as often as one likes, with the same result.
///
/// # Errors
/// Free play, an unknown take, a piece that has gone, or a log that cannot be read.
pub fn judge(
    bus: &BusHandle<Trainer>,
    snapshot: &Snapshot<Trainer>,
    library: &mut Library,
    id: TakeId,
) -> Result<JudgedTake, JudgeError> {
    let Some(Entity::Take(take)) = snapshot.state.value(id.entity().as_str()) else {
        return Err(JudgeError::Unknown(id));
    };
    let (Some(piece), Some(practice)) = (&take.start.piece, take.start.practice) else {
        return Err(JudgeError::Free);
    };
    let score = library.score(snapshot, piece)?;
    let said = &take.start.hands;
    let score = if said.is_empty() { score } else { Arc::new(hands::edited(&score, said)) };
    let mut judge = TakeJudge::new(score.clone(), practice, take.start.latency);
    let (mut performed, mut verdicts) = (Performed::default(), Vec::new());
    let read = |entity: &EntityKey, from, max| bus.entity_events(entity, from, max);
    each_event(id, read, |envelope| {
        performed.take_in(envelope);
        if let Some(event) = envelope.event() {
            verdicts.extend(judge.event(envelope.version, event, envelope.stamp.as_ref()).verdicts);
        }
    })?;
    verdicts.extend(judge.finish().verdicts);
    performed.sort();
    Ok(JudgedTake { id, take: take.clone(), score, practice, result: judge.result().clone(), verdicts, performed })
}

/// What was played in a take, and how it was judged where it can be: what cannot was played all the same.
///
/// # Errors
/// An unknown take, or a log that cannot be read.
pub fn played(
    bus: &BusHandle<Trainer>,
    snapshot: &Snapshot<Trainer>,
    library: &mut Library,
    id: TakeId,
) -> Result<(Performed, Option<JudgedTake>), JudgeError> {
    match judge(bus, snapshot, library, id) {
        Ok(judged) => Ok((judged.performed.clone(), Some(judged))),
        Err(JudgeError::Free | JudgeError::Piece(_)) => {
            let read = |entity: &EntityKey, from, max| bus.entity_events(entity, from, max);
            Ok((Performed::read(id, read)?, None))
        }
        Err(error) => Err(error),
    }
}

impl Results {
    /// How long a piece was practised on this machine, with a take more.
    fn practised(&mut self, context: &Context<Trainer>, piece: &PieceId, id: TakeId, take: Micros) -> u64 {
        let known = match context.snapshot().state.value(piece.entity().as_str()) {
            Some(Entity::Piece(piece)) => piece.practised.of(context.bus().device()),
            _ => 0,
        };
        let last = self.practised.entry(piece.clone()).or_default();
        if last.take != Some(id) {
            *last = Practised { total: known.max(last.total) + take.0.max(0) as u64 / 1_000, take: Some(id) };
        }
        last.total
    }
}

impl Component<Trainer> for Results {
    fn name(&self) -> &'static str {
        "results"
    }

    fn filter(&self) -> Filter {
        Filter::topic("take.ended")
    }

    fn handle(&mut self, delivery: &Delivery<Trainer>, context: &Context<Trainer>) -> Outcome<Trainer> {
        let envelope = &delivery.envelope;
        let Some(id) = TakeId::parse(envelope.entity.id()) else {
            return Outcome::Term(format!("{} is no take", envelope.entity));
        };
        if envelope.id.device != context.bus().device() {
            // Where it was played it is judged.
            return Outcome::done();
        }
        match judge(context.bus(), &context.snapshot(), &mut self.library, id) {
            // Who played nothing did not practise.
            Ok(judged) if judged.take.notes == 0 => Outcome::done(),
            Ok(judged) if judged.result.counts.written() + judged.result.counts.extra == 0 => Outcome::done(),
            Ok(judged) => {
                let summary = Event::ResultRecorded(Box::new(ResultSummary::of(&judged.result)));
                let follow = |publish: Publish<Trainer>| publish.cause(envelope.id).actor("results");
                let mut publish = vec![follow(Publish::new(id.result_entity(), summary))];
                if let Some(piece) = judged.take.start.piece.clone() {
                    let total = self.practised(context, &piece, id, judged.take.duration());
                    publish.push(follow(Publish::new(piece.entity(), Event::PractiseCounted(total))));
                }
                Outcome::publish(publish)
            }
            // Free play, or deleted for ever meanwhile.
            Err(JudgeError::Free | JudgeError::Unknown(_)) => Outcome::done(),
            Err(error @ JudgeError::Piece(_)) => Outcome::Term(error.to_string()),
            Err(error @ JudgeError::Storage(_)) => Outcome::Nak { delay: Micros::ZERO, reason: error.to_string() },
        }
    }
}
