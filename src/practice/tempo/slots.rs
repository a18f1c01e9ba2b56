//! What is due when: the written notes of one pass, the ornaments in it, and which time belongs to which note.

use super::super::types::PlayedNote;
use super::{ANY, STROKE_MAX, TempoPlan};
use crate::music::{NoteId, OrnamentSpan, Percent, Pitch, Score};
use crate::time::{Micros, Ticks};

/// In *Rhythm only*, what is written so near together is one stroke: no one means more than one by it, and a take that
/// serves as a score has its chords spread by as much.
const ONE_STROKE: Micros = Micros::from_millis(30);

/// The written notes of one pitch on one tick: one key-down plays them all. In *Rhythm only* all that is one stroke.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) pass: u32,
    /// Which of the template's.
    pub(super) model: usize,
    tick: Ticks,
    pub(super) at: Micros,
    /// How much of what is written sounds before and after `at`: grace notes, the keys of a rolled chord.
    lead: Micros,
    tail: Micros,
    pub(super) pitch: Pitch,
    /// The practised notes; empty if the slot belongs to the other hand.
    pub(super) written: Vec<NoteId>,
    /// A note of the other hand, if it has one here.
    pub(super) other: Option<NoteId>,
    /// The cell: from `at - left` up to, not including, `at + right`.
    left: Micros,
    pub(super) right: Micros,
    pub(super) state: State,
    /// When the key-down came that it was given.
    pub(super) winner: Option<Micros>,
    /// Whether it was said that the note is overdue, or that it is not.
    pub(super) told: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Not known yet.
    Open,
    /// Nothing fits: the note may still pair with another octave.
    Free,
    /// Judged.
    Settled,
}

impl Slot {
    fn new(tick: Ticks, at: Micros, pitch: Pitch) -> Self {
        Self {
            pass: 0,
            model: 0,
            tick,
            at,
            lead: Micros::ZERO,
            tail: Micros::ZERO,
            pitch,
            written: Vec::new(),
            other: None,
            left: Micros::ZERO,
            right: Micros::ZERO,
            state: State::Open,
            winner: None,
            told: false,
        }
    }

    pub(super) fn holds(&self, note: &PlayedNote) -> bool {
        self.pitch == note.pitch && self.at - self.left <= note.at && note.at < self.at + self.right
    }

    /// How far it reaches beyond its moment.
    pub(super) fn extent(&self) -> Micros {
        self.lead.max(self.tail)
    }

    /// Whether a moment belongs to the stroke that was struck at `winner`: so near to it, or to what is written, that
    /// it is nearer to no other stroke.
    pub(super) fn is_of_stroke(&self, winner: Micros, at: Micros) -> bool {
        let before = stroke_window(Micros((self.left - self.lead).0 * 2));
        let after = stroke_window(Micros((self.right - self.tail).0 * 2));
        (winner.min(self.at - self.lead) - before..=winner.max(self.at + self.tail) + after).contains(&at)
    }

    /// This one of the template, in a pass that begins at `start`.
    pub(super) fn in_pass(&self, pass: u32, start: Micros) -> Self {
        Self { pass, at: start + self.at, ..self.clone() }
    }

    /// Goes to where its model is in a pass that begins at `start`, as far as it is still to come at `now`: of a chord
    /// that is being rolled, the keys that are left.
    pub(super) fn move_to(&mut self, model: &Self, start: Micros, now: Micros) {
        let moved = |was: Micros, is: Micros| if was > now { start + is } else { was };
        let at = moved(self.at, model.at);
        let first = moved(self.at - self.lead, model.at - model.lead);
        let last = moved(self.at + self.tail, model.at + model.tail);
        (self.at, self.lead, self.tail) = (at, (at - first).max(Micros::ZERO), (last - at).max(Micros::ZERO));
    }

    /// Takes in what sounds at a moment.
    fn stretch(&mut self, at: Micros) {
        self.lead = self.lead.max(self.at - at);
        self.tail = self.tail.max(at - self.at);
    }
}

/// In *Rhythm only*, how far from a stroke another key still belongs to it, when the next is so far: a third, so that a
/// stroke in the middle between two is told as one too many; no more than a spread chord takes.
pub fn stroke_window(gap: Micros) -> Micros {
    Micros(gap.0.max(0) / 3).min(STROKE_MAX)
}

/// Gives each slot its cell, up to `reach` to both sides. Slots are in order of time.
pub(super) fn divide<'a>(slots: impl Iterator<Item = &'a mut Slot>, reach: Micros) {
    let mut last: Vec<Option<&mut Slot>> = (0..128).map(|_| None).collect();
    for slot in slots {
        (slot.left, slot.right) = (slot.lead + reach, slot.tail + reach);
        let before = &mut last[usize::from(slot.pitch.key())];
        if let Some(before) = before {
            let half = Micros((slot.at - slot.lead - before.at - before.tail).0.max(0) / 2);
            slot.left = slot.left.min(slot.lead + half);
            before.right = before.right.min(before.tail + half);
        }
        *before = Some(slot);
    }
}

/// An ornament of one pass.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cover {
    pub(super) pass: u32,
    pub(super) from: Micros,
    pub(super) to: Micros,
    pub(super) span: OrnamentSpan,
}

/// One pass, counted from the moment of its first tick.
#[derive(Clone, Debug)]
pub(super) struct Template {
    /// By time, then pitch.
    pub(super) slots: Vec<Slot>,
    pub(super) covers: Vec<Cover>,
    pub(super) duration: Micros,
    /// The most that any slot reaches beyond its moment.
    pub(super) extent: Micros,
}

impl Template {
    pub(super) fn new(score: &Score, plan: &TempoPlan) -> Self {
        let mut slots = if plan.any_key { strokes(score, plan) } else { notes(score, plan) };
        slots.iter_mut().enumerate().for_each(|(index, slot)| slot.model = index);
        let within = |span: &&OrnamentSpan| span.from < plan.to && span.to > plan.from;
        let cover = |span: &OrnamentSpan| {
            let (from, to) = (plan.offset(score, span.from), plan.offset(score, span.to));
            Cover { pass: 0, from, to, span: *span }
        };
        Self {
            covers: score.ornaments().iter().filter(within).map(cover).collect(),
            duration: plan.duration(score),
            extent: slots.iter().map(Slot::extent).max().unwrap_or(Micros::ZERO),
            slots,
        }
    }
}

fn is_practised(score: &Score, plan: &TempoPlan, id: NoteId) -> bool {
    let note = score.note(id);
    plan.hands.contains(note.hand) && plan.keyboard.contains(note.pitch)
}

fn written(score: &Score, plan: &TempoPlan) -> impl Iterator<Item = (Ticks, NoteId)> {
    let (from, to) = (plan.from, plan.to);
    score.iter().map(|(id, _)| (score.beat(id), id)).filter(move |(beat, _)| (from..to).contains(beat))
}

/// Each note at its own moment.
fn notes(score: &Score, plan: &TempoPlan) -> Vec<Slot> {
    let mut slots: Vec<Slot> = Vec::new();
    for (_, id) in written(score, plan) {
        let note = score.note(id);
        if slots.last().is_none_or(|s| (s.tick, s.pitch) != (note.onset, note.pitch)) {
            slots.push(Slot::new(note.onset, plan.offset(score, note.onset), note.pitch));
        }
        let Some(slot) = slots.last_mut() else { continue };
        if is_practised(score, plan, id) {
            slot.written.push(id);
        } else {
            slot.other = Some(id);
        }
    }
    slots
}

/// All keys for one: what is written together is one stroke, rolled or not, with its grace notes.
fn strokes(score: &Score, plan: &TempoPlan) -> Vec<Slot> {
    let mut beats: Vec<(Ticks, NoteId)> =
        written(score, plan).filter(|(_, id)| is_practised(score, plan, *id)).collect();
    beats.sort_unstable();
    let mut slots: Vec<Slot> = Vec::new();
    for (beat, id) in beats {
        let at = plan.offset(score, beat);
        // The same at every speed, so that a change of speed finds each stroke again.
        let time = |tick| score.tempo().micros(tick, Percent::FULL);
        if slots.last().is_none_or(|s| time(beat) - time(s.tick) >= ONE_STROKE) {
            slots.push(Slot::new(beat, at, ANY));
        }
        let Some(slot) = slots.last_mut() else { continue };
        slot.stretch(at);
        slot.stretch(plan.offset(score, score.note(id).onset));
        slot.written.push(id);
    }
    slots
}
