//! What the list of takes shows, and a take in full, as its screen and the screen of results show it.

use std::sync::Arc;

use super::{Extra, LocalTime, Mark};
use crate::music::{Hand, Hands, NoteId, Pitch, Score};
use crate::practice::expression::Expression;
use crate::practice::pass::PassResult;
use crate::practice::recital::Voice;
use crate::practice::result::TakeResult;
use crate::practice::story::Story;
use crate::practice::{Mode, PracticeSettings, VerdictKind};
use crate::time::Micros;

/// What was played in a take, and what became of it. All times count from its first message.
#[derive(Clone, Debug, PartialEq)]
pub struct TakeView {
    /// The take's id.
    pub id: String,
    /// When it began.
    pub at: LocalTime,
    /// The piece's title; `None` is free play.
    pub piece: Option<String>,
    /// How it was played; `None` is free play.
    pub mode: Option<Mode>,
    /// From the first message to the last.
    pub length: Micros,
    /// What was played, by onset.
    pub notes: Vec<RollNote>,
    /// What was written, by time.
    pub written: Vec<RollWritten>,
    /// Why each note was judged so, by time; empty in free play.
    pub stories: Vec<Story>,
    /// Its passes, each with what came out.
    pub passes: Arc<[PassResult]>,
    /// How it was played beyond right and wrong.
    pub expression: Option<Expression>,
    /// Right notes, and all written or wrongly played, of the result that is kept, where today's rules find something else.
    pub kept_result: Option<(u32, u32)>,
    /// As music on a page, if it can be one.
    pub page: Option<TakePage>,
    /// How things stood at the instant that is looked back at.
    pub past: Option<PastInstant>,
}

impl TakeView {
    /// The music that was played, where there is a page of it.
    pub fn score(&self) -> Option<&Score> {
        self.page.as_ref().map(|page| &*page.score)
    }
}

/// A take on a page: that of its piece, or one made from what was played.
#[derive(Clone, Debug, PartialEq)]
pub struct TakePage {
    /// The music, with its page.
    pub score: Arc<Score>,
    /// What became of its notes at the end.
    pub marks: Vec<Option<Mark>>,
    /// Keys that were not written.
    pub extras: Vec<Extra>,
    /// When ticks were played: times of the take, ascending.
    pub course: Vec<(Micros, f64)>,
    /// Whose notes they are.
    pub hands: Hands,
    /// The beat that was found in free playing; `None` where none was, and for a piece.
    pub beat: Option<Micros>,
}

impl TakePage {
    /// The tick at a time of the take.
    pub fn tick_at(&self, at: Micros) -> f64 {
        let after = self.course.partition_point(|(time, _)| *time <= at);
        match (after.checked_sub(1).map(|i| self.course[i]), self.course.get(after)) {
            (Some((from, tick)), Some((to, next))) => {
                let share = (at - from).0 as f64 / (*to - from).0.max(1) as f64;
                // After a jump back the music goes on from where it jumped to.
                if *next < tick { tick } else { tick + (next - tick) * share }
            }
            (Some((_, tick)), None) => tick,
            (None, Some((_, tick))) => *tick,
            (None, None) => 0.0,
        }
    }

    /// When a tick was played, first at or after it.
    pub fn time_at(&self, tick: f64) -> Micros {
        let found = self.course.iter().find(|(_, reached)| *reached >= tick).or(self.course.last());
        found.map_or(Micros::ZERO, |(at, _)| *at)
    }
}

/// How things stood at an instant of a take.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PastInstant {
    /// The instant, and the first and last that there are; from the take's first message on.
    pub at: Micros,
    /// See `at`.
    pub span: (Micros, Micros),
    /// Events that had happened.
    pub events: usize,
    /// Events of the take.
    pub of: usize,
    /// The last of them: its place in the log, and its topic.
    pub event: Option<(u64, String)>,
    /// Whether that event's payload was erased.
    pub erased: bool,
    /// Events so far whose payload was erased.
    pub erased_so_far: usize,
    /// Keys that were down.
    pub keys: u128,
    /// How far down the sustain pedal was, 0 to 127.
    pub pedal: u8,
    /// Where the music stood, in ticks; `None` in free play.
    pub place: Option<f64>,
    /// What was known of the written notes.
    pub marks: Vec<Option<Mark>>,
    /// Keys that were found not to be written.
    pub extras: Vec<Extra>,
    /// The written notes that were expected next.
    pub next: Vec<NoteId>,
    /// Notes judged right, judged at all, and keys not written.
    pub counts: Option<(u32, u32, u32)>,
}

/// A played note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RollNote {
    /// When.
    pub at: Micros,
    /// How long the key was down.
    pub duration: Micros,
    /// The key.
    pub pitch: Pitch,
    /// How hard, 1 to 127.
    pub velocity: u8,
    /// The hand, where a written note tells.
    pub hand: Option<Hand>,
    /// What was found of it.
    pub kind: Option<VerdictKind>,
}

/// A written note, where it belonged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RollWritten {
    /// When it was due.
    pub at: Micros,
    /// Until when.
    pub end: Micros,
    /// The key.
    pub pitch: Pitch,
    /// The hand.
    pub hand: Hand,
    /// What became of it.
    pub kind: VerdictKind,
}

/// The take that is played now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Listening<'a> {
    /// Its id.
    pub take: &'a str,
    /// The place, from its first message on.
    pub at: Micros,
    /// What is heard of it.
    pub voice: Voice,
}

/// A take in the list.
#[derive(Clone, Debug, PartialEq)]
pub struct TakeRow {
    /// The id, for commands.
    pub id: String,
    /// When it began.
    pub at: LocalTime,
    /// The piece's title; `None` is free play.
    pub piece: Option<String>,
    /// What the person calls it; empty if nothing.
    pub name: String,
    /// How it was played; `None` is free play.
    pub mode: Option<Mode>,
    /// Played notes.
    pub notes: u64,
    /// From the first to the last note.
    pub duration: Micros,
    /// How it stands.
    pub state: TakeState,
    /// Notes right of all that were due or wrongly played, where there is a result.
    pub result: Option<(u32, u32)>,
}

/// How a take stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakeState {
    /// Being played now.
    Recording,
    /// To its end; free play has none and is always whole.
    Complete,
    /// Until the person stopped.
    Stopped,
    /// Until the program broke off.
    Interrupted,
    /// So many notes were lost on the way; it is not graded.
    Incomplete {
        /// How many.
        lost: u64,
    },
}

/// A practice in numbers, and what it was.
#[derive(Clone, Debug)]
pub struct ResultView {
    /// The take's id.
    pub take: String,
    /// The piece's id.
    pub piece: String,
    /// Its title.
    pub title: String,
    /// When.
    pub at: LocalTime,
    /// What the person chose.
    pub chosen: PracticeSettings,
    /// The numbers.
    pub result: Arc<TakeResult>,
    /// The tempo held, where the player set it.
    pub tempo: Option<Held>,
}

/// A tempo that a person held, in units of the metre a minute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Held {
    /// The tempo.
    pub held: f64,
    /// What was asked for.
    pub asked: f64,
    /// The unit: 4 is a quarter.
    pub unit: u8,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::ScoreParts;

    #[test]
    fn a_time_of_the_take_is_a_tick_of_its_page_and_back_and_a_second_time_through_begins_again() {
        let course = [(0, 0.0), (1_000, 480.0), (3_000, 960.0), (4_000, 0.0), (5_000, 480.0)];
        let page = TakePage {
            score: Arc::new(Score::new(ScoreParts { resolution: 480, ..ScoreParts::default() })),
            marks: Vec::new(),
            extras: Vec::new(),
            course: course.map(|(at, tick)| (Micros(at), tick)).to_vec(),
            hands: Hands::BOTH,
            beat: None,
        };
        for (at, tick) in
            [(-5, 0.0), (0, 0.0), (500, 240.0), (2_000, 720.0), (3_500, 960.0), (4_500, 240.0), (9_000, 480.0)]
        {
            assert_eq!(page.tick_at(Micros(at)), tick, "at {at}");
        }
        for (tick, at) in [(0.0, 0), (1.0, 1_000), (480.0, 1_000), (900.0, 3_000), (5_000.0, 5_000)] {
            assert_eq!(page.time_at(tick), Micros(at), "at {tick}");
        }
    }
}
