//! *Keep tempo*: each written note has its moment, and each played note is judged against it.
//!
//! Every written note owns a cell of time on its own pitch: [`REACH`] to both sides, but never more than half the way
//! to the next onset of that pitch. Within a cell the nearest key-down wins, so an early choice is revised when a
//! better one comes; what is left over on both sides may still pair as a wrong octave. A note is decided when nothing
//! that could change it can come any more, so deciding as time goes on and deciding afterwards give the same verdicts.
//!
//! *Rhythm only* is the same with all keys for one: what the practised hands have together has its moment, any key plays
//! it, and what is struck near that key-down ([`stroke_window`]) belongs to the same stroke.
//!
//! While an ornament lasts its keys are neutral where no written note takes them.

use std::collections::VecDeque;
use std::ops::Range;

use super::ornament::SLACK;
use super::types::{PlayedNote, Verdict, VerdictKind, scaled_to_speed};
use crate::music::{NoteId, Percent, Pitch, Score};
use crate::time::Micros;

mod plan;
mod slots;

pub use plan::TempoPlan;
pub use slots::stroke_window;
use slots::{Cover, Slot, State, Template, divide};

/// How far from its moment a key-down may be and still count for a written note, at full speed. Of 43 890 notes of
/// professionals 99.9 % lie within 420 ms even of a rolled chord.
pub const REACH: Micros = Micros::from_millis(400);

/// How far from its moment a key-down in another octave may be to pair as a wrong octave, at full speed.
pub const OCTAVE_REACH: Micros = Micros::from_millis(150);

/// How much later than its time a key-down may arrive at the judge and still be judged like one that came at once.
pub const REORDER_HORIZON: Micros = Micros::from_millis(50);

/// How far the keys of one stroke are apart at most: of professionals' chords 99 % are spread by 152 ms or less.
pub const STROKE_MAX: Micros = Micros::from_millis(150);

/// The key that stands for all of them.
const ANY: Pitch = Pitch::MIDDLE_C;

/// Later than any moment of a take.
const END_OF_TIME: Micros = Micros(i64::MAX / 4);

#[derive(Clone, Copy, Debug)]
struct Pending {
    /// In *Rhythm only* its pitch is that of any key.
    note: PlayedNote,
    /// The key itself.
    key: Pitch,
    state: State,
}

/// The judge. Key-downs and the passage of time in, final verdicts out.
#[derive(Clone, Debug)]
pub struct TempoJudge {
    plan: TempoPlan,
    template: Template,
    slots: VecDeque<Slot>,
    covers: Vec<Cover>,
    /// By time.
    pending: Vec<Pending>,
    /// When each pass began, ascending.
    starts: Vec<Micros>,
    reach: Micros,
    octave_reach: Micros,
}

impl TempoJudge {
    /// A judge without a pass; see [`Self::begin_pass`].
    pub fn new(score: &Score, plan: TempoPlan) -> Self {
        Self {
            template: Template::new(score, &plan),
            slots: VecDeque::new(),
            covers: Vec::new(),
            pending: Vec::new(),
            starts: Vec::new(),
            reach: scaled_to_speed(REACH, plan.speed),
            octave_reach: scaled_to_speed(OCTAVE_REACH, plan.speed),
            plan,
        }
    }

    /// Says that the first tick of the range sounds at `at` on the clock of the played notes, and returns the number
    /// of the pass. What an earlier pass would have had from `at` on is not judged. In a loop, call it a
    /// [`Self::horizon`] or more before `at`: when the pass before begins is a good moment.
    pub fn begin_pass(&mut self, at: Micros) -> u32 {
        self.slots.retain(|s| s.at < at);
        let pass = self.starts.len() as u32;
        self.starts.push(at);
        self.slots.extend(self.template.slots.iter().map(|model| model.in_pass(pass, at)));
        let covers = self.template.covers.iter();
        self.covers.extend(covers.map(|c| Cover { pass, from: at + c.from, to: at + c.to, ..*c }));
        // A grace note of the first beat comes before what ends the pass before.
        self.slots.make_contiguous().sort_by_key(|slot| slot.at);
        divide(self.slots.iter_mut(), self.reach);
        pass
    }

    /// The speed changes at `now`, and nothing else: what is still to come moves, what was due and what was played stay.
    /// `start` is when the first tick of the present pass would have sounded at the new speed. Decide first what can be
    /// ([`Self::advance`]).
    pub fn change_speed(&mut self, score: &Score, now: Micros, speed: Percent, start: Micros) {
        self.plan.speed = speed;
        (self.reach, self.octave_reach) = (scaled_to_speed(REACH, speed), scaled_to_speed(OCTAVE_REACH, speed));
        // What is being rolled has some of its keys at either speed.
        let extent = self.template.extent;
        self.template = Template::new(score, &self.plan);
        self.template.extent = self.template.extent.max(extent);
        let present = self.pass_at(now);
        let duration = self.template.duration;
        let start_of = |pass: u32| start + Micros(duration.0 * i64::from(pass.saturating_sub(present)));
        for slot in &mut self.slots {
            slot.move_to(&self.template.slots[slot.model], start_of(slot.pass), now);
        }
        for cover in &mut self.covers {
            let moment = |tick| start_of(cover.pass) + self.plan.offset(score, tick);
            let moved = |at: Micros, tick| if at > now { moment(tick) } else { at };
            (cover.from, cover.to) = (moved(cover.from, cover.span.from), moved(cover.to, cover.span.to));
        }
        let later = (0..).zip(&mut self.starts).filter(|(pass, _)| *pass > present);
        later.for_each(|(pass, begins)| *begins = start_of(pass));
        divide(self.slots.iter_mut(), self.reach);
    }

    /// A key went down. The verdict returned is the first impression, for the eye; the final one comes from
    /// [`Self::advance`] and may differ.
    pub fn play(&mut self, note: PlayedNote) -> Verdict {
        let mut note = note;
        let key = note.pitch;
        if self.plan.any_key {
            note.pitch = ANY;
        }
        let at = self.pending.partition_point(|p| (p.note.at, p.note.id) <= (note.at, note.id));
        self.pending.insert(at, Pending { note, key, state: State::Open });
        let home = self.home(&note).map(|slot| (slot, self.nearest(slot)));
        match home {
            Some((slot, Some(winner))) if winner == at => self.pair(slot, &note, slot.written.first().copied()),
            Some((slot, winner)) => {
                let winner = winner.map(|winner| self.pending[winner].note.at).or(slot.winner);
                self.left_over(&self.pending[at], winner.map(|winner| (slot, winner)))
            }
            None => self.left_over(&self.pending[at], None),
        }
    }

    /// Decides what can no longer change when all key-downs before `now` (less [`REORDER_HORIZON`]) have been played.
    pub fn advance(&mut self, now: Micros) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        let known = now - REORDER_HORIZON;
        self.close_cells(known, &mut verdicts);
        self.pair_octaves(known, &mut verdicts);
        self.drop_extras(&mut verdicts);
        while self.slots.front().is_some_and(|s| s.state == State::Settled && s.at + self.horizon() < known) {
            self.slots.pop_front();
        }
        let horizon = self.horizon();
        self.covers.retain(|cover| cover.to + horizon >= known);
        self.pending.retain(|p| p.state != State::Settled);
        verdicts
    }

    /// The practised notes that have become later than on time without a key-down that could be theirs, each once: what
    /// one would miss to hear. They may still be played, late.
    pub fn overdue(&mut self, now: Micros) -> Vec<NoteId> {
        let late = self.plan.preset.window(self.plan.speed) + REORDER_HORIZON;
        let mut overdue = Vec::new();
        for index in 0..self.slots.len() {
            let slot = &self.slots[index];
            if slot.at + late > now {
                break;
            }
            if !slot.told && slot.state != State::Settled && self.nearest(slot).is_none() {
                overdue.extend(&slot.written);
            }
            self.slots[index].told = true;
        }
        overdue
    }

    /// The music stops at `at`: what could still have come is judged if it did, all else is decided now.
    pub fn stop(&mut self, at: Micros) -> Vec<Verdict> {
        let came: Vec<bool> =
            self.slots.iter().map(|slot| slot.at + slot.right <= at || self.nearest(slot).is_some()).collect();
        let mut came = came.into_iter();
        self.slots.retain(|_| came.next() == Some(true));
        self.finish()
    }

    /// The music goes on elsewhere from `at` on, under another judge: like [`Self::stop`], but key-downs since `since`
    /// that belong to nothing here are handed over and not judged.
    pub fn hand_over(&mut self, at: Micros, since: Micros) -> (Vec<Verdict>, Vec<PlayedNote>) {
        let mut verdicts = self.advance(at);
        let late = self.pending.iter().filter(|p| p.note.at >= since);
        let late: Vec<PlayedNote> = late.map(|p| PlayedNote { pitch: p.key, ..p.note }).collect();
        let mut last = self.stop(at);
        let is_open = |verdict: &Verdict, note: &PlayedNote| {
            verdict.played == Some(note.id) && verdict.written.is_none() && verdict.deviation.is_none()
        };
        let open: Vec<PlayedNote> = late.into_iter().filter(|note| last.iter().any(|v| is_open(v, note))).collect();
        last.retain(|verdict| !open.iter().any(|note| is_open(verdict, note)));
        verdicts.append(&mut last);
        (verdicts, open)
    }

    /// Decides everything: nothing will be played any more.
    pub fn finish(&mut self) -> Vec<Verdict> {
        self.advance(END_OF_TIME)
    }

    /// How long after its moment a note is decided at the latest.
    pub fn horizon(&self) -> Micros {
        Micros(self.reach.0 * 2 + self.octave_reach.0 * 2 + self.template.extent.0 * 2) + REORDER_HORIZON
    }

    /// What is judged.
    pub fn plan(&self) -> &TempoPlan {
        &self.plan
    }

    /// Gives each cell that is over to its nearest key-down.
    fn close_cells(&mut self, known: Micros, verdicts: &mut Vec<Verdict>) {
        for index in 0..self.slots.len() {
            let slot = &self.slots[index];
            if slot.at > known {
                break;
            }
            if slot.state != State::Open || slot.at + slot.right > known {
                continue;
            }
            let winner = self.nearest(slot);
            let ids = slot.written.iter().copied().map(Some);
            match winner {
                Some(w) if slot.written.is_empty() => verdicts.push(self.pair(slot, &self.pending[w].note, None)),
                Some(w) => verdicts.extend(ids.map(|id| self.pair(slot, &self.pending[w].note, id))),
                None => {}
            }
            let lacking = winner.is_none() && !slot.written.is_empty();
            self.slots[index].state = if lacking { State::Free } else { State::Settled };
            if let Some(winner) = winner {
                self.slots[index].winner = Some(self.pending[winner].note.at);
                self.pending[winner].state = State::Settled;
            }
        }
        for at in 0..self.pending.len() {
            let Pending { note, state, .. } = self.pending[at];
            let free = match self.home(&note) {
                Some(slot) => slot.state != State::Open,
                None => note.at + self.reach <= known,
            };
            if state == State::Open && free {
                self.pending[at].state = State::Free;
            }
        }
    }

    /// Pairs written notes that nothing fits with key-downs of the same name that fit nothing, in order of writing.
    fn pair_octaves(&mut self, known: Micros, verdicts: &mut Vec<Verdict>) {
        for index in 0..self.slots.len() {
            let slot = &self.slots[index];
            match slot.state {
                State::Settled => continue,
                State::Open => break,
                State::Free if slot.at + self.octave_reach > known => break,
                State::Free => {}
            }
            let near = |p: &Pending| p.state != State::Settled && self.is_octave(slot, &p.note);
            let around = self.pending_around(slot.at, self.octave_reach);
            let candidates = around.map(|at| (at, &self.pending[at])).filter(|(_, p)| near(p));
            if candidates.clone().any(|(_, p)| p.state == State::Open) {
                break;
            }
            let best = candidates.min_by_key(|(_, p)| ((p.note.at - slot.at).0.abs(), p.note.id));
            let (taken, played) = (best.map(|(at, _)| at), best.map(|(_, p)| p.note));
            for &id in &slot.written {
                let (kind, deviation) = match played {
                    Some(note) => (VerdictKind::WrongOctave, Some(note.at - slot.at)),
                    None => (VerdictKind::Missed, None),
                };
                let played = played.map(|n| n.id);
                verdicts.push(Verdict { pass: slot.pass, played, written: Some(id), kind, deviation });
            }
            self.slots[index].state = State::Settled;
            if let Some(taken) = taken {
                self.pending[taken].state = State::Settled;
            }
        }
    }

    /// Gives up on key-downs that fit nothing, once no written note could still claim them.
    fn drop_extras(&mut self, verdicts: &mut Vec<Verdict>) {
        for at in 0..self.pending.len() {
            let note = self.pending[at].note;
            let wanted = |s: &Slot| s.state != State::Settled && !s.written.is_empty() && self.is_octave(s, &note);
            let around = self.slots_around(note.at, self.octave_reach);
            if self.pending[at].state == State::Free && !self.slots.range(around).any(wanted) {
                let home = self.home(&note).and_then(|slot| Some((slot, slot.winner?)));
                verdicts.push(self.left_over(&self.pending[at], home));
                self.pending[at].state = State::Settled;
            }
        }
    }

    /// The verdict on a key-down that no written note takes; `home` is the slot it would have been for, and when the
    /// key-down came that it has.
    fn left_over(&self, pending: &Pending, home: Option<(&Slot, Micros)>) -> Verdict {
        let Pending { note, key, .. } = pending;
        let slack = scaled_to_speed(SLACK, self.plan.speed);
        let ornament = |cover: &Cover| {
            let permitted = self.plan.any_key || cover.span.permits(*key);
            permitted && (cover.from - slack..=cover.to + slack).contains(&note.at)
        };
        let of_stroke = self.plan.any_key && home.is_some_and(|(slot, winner)| slot.is_of_stroke(winner, note.at));
        let neutral = of_stroke || self.covers.iter().any(ornament);
        let kind = if neutral { VerdictKind::Neutral } else { VerdictKind::Extra };
        Verdict { pass: self.pass_at(note.at), played: Some(note.id), written: None, kind, deviation: None }
    }

    /// The key-down that a cell would take now.
    fn nearest(&self, slot: &Slot) -> Option<usize> {
        let inside = |&at: &usize| self.pending[at].state == State::Open && slot.holds(&self.pending[at].note);
        let order = |&at: &usize| ((self.pending[at].note.at - slot.at).0.abs(), at);
        self.pending_around(slot.at, self.reach + slot.extent()).filter(inside).min_by_key(order)
    }

    /// The slot whose cell a key-down falls in; there is one at most.
    fn home(&self, note: &PlayedNote) -> Option<&Slot> {
        self.slots.range(self.slots_around(note.at, self.reach + self.template.extent)).find(|s| s.holds(note))
    }

    fn slots_around(&self, at: Micros, reach: Micros) -> Range<usize> {
        self.slots.partition_point(|s| s.at < at - reach)..self.slots.partition_point(|s| s.at <= at + reach)
    }

    fn pending_around(&self, at: Micros, reach: Micros) -> Range<usize> {
        self.pending.partition_point(|p| p.note.at < at - reach)
            ..self.pending.partition_point(|p| p.note.at <= at + reach)
    }

    fn is_octave(&self, slot: &Slot, note: &PlayedNote) -> bool {
        let near = (note.at - slot.at).0.abs() <= self.octave_reach.0;
        near && slot.pitch != note.pitch && slot.pitch.class() == note.pitch.class()
    }

    /// The verdict on a key-down within a cell; `id` is `None` if the cell is the other hand's.
    fn pair(&self, slot: &Slot, note: &PlayedNote, id: Option<NoteId>) -> Verdict {
        let deviation = note.at - slot.at;
        let kind = match id {
            Some(_) => self.plan.preset.judge(deviation, self.plan.speed),
            None => VerdictKind::Neutral,
        };
        let written = id.or(slot.other);
        Verdict { pass: slot.pass, played: Some(note.id), written, kind, deviation: Some(deviation) }
    }

    /// The pass that a moment falls in; the first one for what comes earlier.
    fn pass_at(&self, at: Micros) -> u32 {
        self.starts.partition_point(|&s| s <= at).saturating_sub(1) as u32
    }
}

/// Judges a take as a whole: `starts` are the moments at which the passes began, ascending.
pub fn judge(score: &Score, plan: TempoPlan, starts: &[Micros], notes: &[PlayedNote]) -> Vec<Verdict> {
    let mut judge = TempoJudge::new(score, plan);
    for &start in starts {
        judge.begin_pass(start);
    }
    for &note in notes {
        judge.play(note);
    }
    judge.finish()
}
