//! *Keep tempo*: each written note has its moment, and each played note is judged against it.
//!
//! Every written note owns a cell of time on its own pitch: [`REACH`] to both sides, but never more than half the way
//! to the next onset of that pitch. Within a cell the nearest key-down wins, so an early choice is revised when a
//! better one comes; what is left over on both sides may still pair as a wrong octave. A note is decided when nothing
//! that could change it can come any more, so deciding as time goes on and deciding afterwards give the same verdicts.
//!
//! *Rhythm only* is the same with all keys for one: each onset of the practised hands has its moment, any key plays it, and
//! what is struck within [`STROKE_WINDOW`] of a key-down belongs to the same stroke.

use std::collections::VecDeque;
use std::ops::Range;

use super::options::{KeyRange, PracticeSettings};
use super::types::{Mode, PlayedNote, Preset, Verdict, VerdictKind, scaled_to_speed};
use super::wait::STROKE_WINDOW;
use crate::music::{Hands, NoteId, Percent, Pitch, Score};
use crate::time::{Micros, Ticks};

/// How far from its moment a key-down may be and still count for a written note, at full speed. Of 43 890 notes of
/// professionals 99.9 % lie within 420 ms even of a rolled chord.
pub const REACH: Micros = Micros::from_millis(400);

/// How far from its moment a key-down in another octave may be to pair as a wrong octave, at full speed.
pub const OCTAVE_REACH: Micros = Micros::from_millis(150);

/// How much later than its time a key-down may arrive at the judge and still be judged like one that came at once.
pub const REORDER_HORIZON: Micros = Micros::from_millis(50);

/// The key that stands for all of them.
const ANY: Pitch = Pitch::MIDDLE_C;

/// Later than any moment of a take.
const END_OF_TIME: Micros = Micros(i64::MAX / 4);

/// What is judged, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TempoPlan {
    /// The hands that are judged; key-downs that fit the other hand are neutral.
    pub hands: Hands,
    /// The first tick.
    pub from: Ticks,
    /// The tick after the last.
    pub to: Ticks,
    /// The playback speed.
    pub speed: Percent,
    /// How timing is coloured.
    pub preset: Preset,
    /// The keys that can be asked for; what is written outside is not required.
    pub keyboard: KeyRange,
    /// Whether any key plays what is written: only the rhythm counts.
    pub any_key: bool,
}

impl TempoPlan {
    /// The whole piece, both hands, at the written tempo.
    pub fn whole(score: &Score) -> Self {
        Self {
            hands: Hands::BOTH,
            from: Ticks::ZERO,
            to: Ticks(i64::MAX),
            speed: Percent::FULL,
            preset: Preset::Standard,
            keyboard: KeyRange::ALL,
            any_key: false,
        }
        .clipped(score)
    }

    /// What a person has chosen.
    pub fn from_settings(score: &Score, settings: &PracticeSettings) -> Self {
        let (from, to) = settings.ticks(score.bars());
        Self {
            hands: settings.practise,
            from,
            to,
            speed: settings.tempo,
            preset: settings.preset,
            keyboard: settings.keyboard,
            any_key: settings.mode == Mode::Rhythm,
        }
    }

    /// When a tick sounds, counted from the moment at which `from` sounds.
    pub fn offset(&self, score: &Score, tick: Ticks) -> Micros {
        score.tempo().micros(tick, self.speed) - score.tempo().micros(self.from, self.speed)
    }

    /// How long one pass lasts, without its count-in.
    pub fn duration(&self, score: &Score) -> Micros {
        self.offset(score, self.to)
    }

    fn clipped(self, score: &Score) -> Self {
        Self { to: self.to.min(score.end()), ..self }
    }
}

/// The written notes of one pitch on one tick: one key-down plays them all.
#[derive(Clone, Debug)]
struct Slot {
    pass: u32,
    at: Micros,
    pitch: Pitch,
    /// The practised notes; empty if the slot belongs to the other hand.
    written: Vec<NoteId>,
    /// A note of the other hand, if it has one here.
    other: Option<NoteId>,
    /// The cell: from `at - left` up to, not including, `at + right`.
    left: Micros,
    right: Micros,
    state: State,
    /// Whether it was said that the note is overdue, or that it is not.
    told: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Not known yet.
    Open,
    /// Nothing fits: the note may still pair with another octave.
    Free,
    /// Judged.
    Settled,
}

#[derive(Clone, Copy, Debug)]
struct Pending {
    note: PlayedNote,
    state: State,
}

/// The judge. Key-downs and the passage of time in, final verdicts out.
#[derive(Clone, Debug)]
pub struct TempoJudge {
    plan: TempoPlan,
    /// One pass, times counted from its start.
    template: Vec<Slot>,
    slots: VecDeque<Slot>,
    /// By time.
    pending: Vec<Pending>,
    /// When each pass began, ascending.
    starts: Vec<Micros>,
    reach: Micros,
    octave_reach: Micros,
    /// *Rhythm only*: when the latest stroke began, and key-downs that belong to a stroke already judged.
    stroke: Option<Micros>,
    strokes: Vec<Verdict>,
}

impl TempoJudge {
    /// A judge without a pass; see [`Self::begin_pass`].
    pub fn new(score: &Score, plan: TempoPlan) -> Self {
        Self {
            template: template(score, &plan),
            slots: VecDeque::new(),
            pending: Vec::new(),
            starts: Vec::new(),
            reach: scaled_to_speed(REACH, plan.speed),
            octave_reach: scaled_to_speed(OCTAVE_REACH, plan.speed),
            stroke: None,
            strokes: Vec::new(),
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
        let mut last = [None::<usize>; 128];
        for (index, slot) in self.slots.iter().enumerate() {
            last[usize::from(slot.pitch.key())] = Some(index);
        }
        for model in &self.template {
            let mut slot = Slot { pass, at: at + model.at, ..model.clone() };
            (slot.left, slot.right) = (self.reach, self.reach);
            if let Some(before) = last[usize::from(slot.pitch.key())] {
                let half = Micros((slot.at - self.slots[before].at).0 / 2);
                slot.left = slot.left.min(half);
                self.slots[before].right = self.slots[before].right.min(half);
            }
            last[usize::from(slot.pitch.key())] = Some(self.slots.len());
            self.slots.push_back(slot);
        }
        pass
    }

    /// A key went down. The verdict returned is the first impression, for the eye; the final one comes from
    /// [`Self::advance`] and may differ.
    pub fn play(&mut self, note: PlayedNote) -> Verdict {
        let mut note = note;
        if self.plan.any_key {
            note.pitch = ANY;
            if self.stroke.is_some_and(|began| (Micros::ZERO..=STROKE_WINDOW).contains(&(note.at - began))) {
                let verdict = Verdict { kind: VerdictKind::Neutral, ..extra(&note, self.pass_at(note.at)) };
                self.strokes.push(verdict);
                return verdict;
            }
            self.stroke = Some(note.at);
        }
        let at = self.pending.partition_point(|p| (p.note.at, p.note.id) <= (note.at, note.id));
        self.pending.insert(at, Pending { note, state: State::Open });
        match self.home(&note) {
            Some(slot) if self.nearest(slot) == Some(at) => self.pair(slot, &note, slot.written.first().copied()),
            _ => extra(&note, self.pass_at(note.at)),
        }
    }

    /// Decides what can no longer change when all key-downs before `now` (less [`REORDER_HORIZON`]) have been played.
    pub fn advance(&mut self, now: Micros) -> Vec<Verdict> {
        let mut verdicts = std::mem::take(&mut self.strokes);
        let known = now - REORDER_HORIZON;
        self.close_cells(known, &mut verdicts);
        self.pair_octaves(known, &mut verdicts);
        self.drop_extras(&mut verdicts);
        while self.slots.front().is_some_and(|s| s.state == State::Settled && s.at + self.horizon() < known) {
            self.slots.pop_front();
        }
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

    /// The take stops at `at`: what is written after it is not judged, all else is decided now.
    pub fn stop(&mut self, at: Micros) -> Vec<Verdict> {
        self.slots.retain(|s| s.at <= at);
        self.finish()
    }

    /// Decides everything: nothing will be played any more.
    pub fn finish(&mut self) -> Vec<Verdict> {
        self.advance(END_OF_TIME)
    }

    /// How long after its moment a note is decided at the latest.
    pub fn horizon(&self) -> Micros {
        Micros(self.reach.0 * 2 + self.octave_reach.0 * 2) + REORDER_HORIZON
    }

    /// What is judged.
    pub fn plan(&self) -> &TempoPlan {
        &self.plan
    }

    /// Gives each cell that is over to its nearest key-down.
    fn close_cells(&mut self, known: Micros, verdicts: &mut Vec<Verdict>) {
        for index in 0..self.slots.len() {
            let slot = &self.slots[index];
            if slot.at - self.reach > known {
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
                self.pending[winner].state = State::Settled;
            }
        }
        for at in 0..self.pending.len() {
            let Pending { note, state } = self.pending[at];
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
            let near = |p: &&Pending| p.state != State::Settled && self.is_octave(slot, &p.note);
            let around = &self.pending[self.pending_around(slot.at, self.octave_reach)];
            if around.iter().filter(near).any(|p| p.state == State::Open) {
                break;
            }
            let best = around.iter().filter(near).min_by_key(|p| ((p.note.at - slot.at).0.abs(), p.note.id));
            let played = best.map(|p| p.note);
            for &id in &slot.written {
                let (kind, deviation) = match played {
                    Some(note) => (VerdictKind::WrongOctave, Some(note.at - slot.at)),
                    None => (VerdictKind::Missed, None),
                };
                let played = played.map(|n| n.id);
                verdicts.push(Verdict { pass: slot.pass, played, written: Some(id), kind, deviation });
            }
            self.slots[index].state = State::Settled;
            if let Some(taken) = self.pending.iter_mut().find(|p| Some(p.note.id) == played.map(|n| n.id)) {
                taken.state = State::Settled;
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
                verdicts.push(extra(&note, self.pass_at(note.at)));
                self.pending[at].state = State::Settled;
            }
        }
    }

    /// The key-down that a cell would take now.
    fn nearest(&self, slot: &Slot) -> Option<usize> {
        let inside = |&at: &usize| self.pending[at].state == State::Open && slot.holds(&self.pending[at].note);
        let order = |&at: &usize| ((self.pending[at].note.at - slot.at).0.abs(), at);
        self.pending_around(slot.at, self.reach).filter(inside).min_by_key(order)
    }

    /// The slot whose cell a key-down falls in; there is one at most.
    fn home(&self, note: &PlayedNote) -> Option<&Slot> {
        self.slots.range(self.slots_around(note.at, self.reach)).find(|s| s.holds(note))
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

impl Slot {
    fn holds(&self, note: &PlayedNote) -> bool {
        self.pitch == note.pitch && self.at - self.left <= note.at && note.at < self.at + self.right
    }
}

fn extra(note: &PlayedNote, pass: u32) -> Verdict {
    Verdict { pass, played: Some(note.id), written: None, kind: VerdictKind::Extra, deviation: None }
}

/// One pass, by time, then pitch.
fn template(score: &Score, plan: &TempoPlan) -> Vec<Slot> {
    let mut slots: Vec<Slot> = Vec::new();
    let first = score.notes().partition_point(|n| n.onset < plan.from);
    for (id, note) in score.iter().skip(first).take_while(|(_, n)| n.onset < plan.to) {
        let at = plan.offset(score, note.onset);
        let practised = plan.hands.contains(note.hand) && plan.keyboard.contains(note.pitch);
        let pitch = if plan.any_key { ANY } else { note.pitch };
        if plan.any_key && !practised {
            continue;
        }
        if slots.last().is_none_or(|s| (s.at, s.pitch) != (at, pitch)) {
            slots.push(Slot {
                pass: 0,
                at,
                pitch,
                written: Vec::new(),
                other: None,
                left: Micros::ZERO,
                right: Micros::ZERO,
                state: State::Open,
                told: false,
            });
        }
        let Some(slot) = slots.last_mut() else { continue };
        if practised {
            slot.written.push(id);
        } else {
            slot.other = Some(id);
        }
    }
    slots
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
