//! Hearing with the score in hand: one voice is followed note by note; where the written keys are known, each onset is
//! asked for them too, which tells chords. One onset counts once, whichever of the two answers.
//!
//! * A single key that is awaited counts as soon as the voice is it. Anything else waits for the verifier's answer about
//!   the same onset, a stretch of its window later; it counts, as a wrong note, if none of the awaited keys was struck.
//! * Keys that the verifier does not tell do not count; they are told as unsure until the next onset.
//! * Limits: a wrong key struck together with an awaited one is not told; of chords of real pianos that are struck again
//!   while they ring, under the pedal, two in five are not told whole at the first time ([`super::verify`]).

use std::collections::VecDeque;

use super::HOP;
use super::listener::{Listener, Look};
use super::onset::Onset;
use super::tracker::{GATE_OFF, NoteEvent, velocity};
use super::tuner::Reading;
use super::verify::{Answer, NOTES_MAX, Verifier};
use crate::music::Pitch;
use crate::time::{Frames, Rate};

/// Onsets that may wait for their answer: they are 53 ms apart, and the answer takes less than 0.19 s.
const PENDING_MAX: usize = 8;
/// Events of the voice in one hop: an end, another end, a beginning.
const VOICE_EVENTS: usize = 4;

/// The keys that are waited for, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Awaited {
    /// All that are written together; 0 while nothing is waited for.
    pub keys: u128,
    /// Those of them that have not been played yet.
    pub needed: u128,
}

/// What the voice said of an onset that has not been answered.
#[derive(Clone, Copy)]
struct Stray {
    pitch: Pitch,
    velocity: u8,
    confidence: f32,
    ended: Option<Frames>,
}

/// An onset that waits for its answer.
#[derive(Clone, Copy)]
struct Pending {
    at: Frames,
    /// Keys that were down before.
    sounding: u128,
    /// The loudest level since, in dBFS.
    level: f32,
    is_played: bool,
    stray: Option<Stray>,
}

/// Listens to one stream of samples and knows what is written. All memory is taken in [`Hearing::new`].
pub struct Hearing {
    listener: Listener,
    verifier: Verifier,
    awaited: Awaited,
    /// The newest samples: what the verifier wants on both sides of an onset.
    past: Vec<f32>,
    hop: [f32; HOP],
    filled: usize,
    pending: VecDeque<Pending>,
    /// The onset answered last, and whether an awaited key was in it.
    answered: Option<(Frames, bool)>,
    /// Several keys sound: what the voice takes for one of them is none.
    crowded: bool,
    /// Keys that count as down.
    held: u128,
    /// The one of them that ends with the voice.
    voice: Option<Pitch>,
    unsure: u128,
}

impl Hearing {
    /// For one sample rate, with A4 at `a4` hertz; the first sample will be frame `first`.
    pub fn new(rate: Rate, a4: f64, first: Frames) -> Self {
        let verifier = Verifier::new(rate, a4);
        Self {
            listener: Listener::new(rate, a4, first),
            past: vec![0.0; verifier.past() + verifier.window() + 2 * HOP],
            verifier,
            awaited: Awaited::default(),
            hop: [0.0; HOP],
            filled: 0,
            pending: VecDeque::with_capacity(PENDING_MAX),
            answered: None,
            crowded: false,
            held: 0,
            voice: None,
            unsure: 0,
        }
    }

    /// What is waited for from now on.
    pub fn await_keys(&mut self, awaited: Awaited) {
        self.awaited = awaited;
    }

    /// What the tuner shows now.
    pub fn reading(&self) -> Reading {
        self.listener.reading()
    }

    /// Awaited keys of the newest onset of which the sound does not tell whether they were struck, one bit each.
    pub fn unsure(&self) -> u128 {
        self.unsure
    }

    /// Takes the next samples; each note that counts. A chord is told at the latest, so beginnings may be out of order.
    pub fn push(&mut self, samples: &[f32], each: &mut dyn FnMut(NoteEvent)) {
        let mut rest = samples;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(HOP - self.filled));
            for (to, from) in self.hop[self.filled..].iter_mut().zip(now) {
                *to = if from.is_finite() { *from } else { 0.0 };
            }
            self.filled += now.len();
            rest = later;
            if self.filled == HOP {
                self.filled = 0;
                self.look(each);
            }
        }
    }

    /// Samples are missing before frame `next`: what sounds ends, and listening begins anew there.
    pub fn gap(&mut self, next: Frames, each: &mut dyn FnMut(NoteEvent)) {
        let end = self.listener.last().end;
        self.listener.gap(next, &mut |_| {});
        self.let_go(self.held, end, each);
        self.pending.clear();
        self.past.fill(0.0);
        (self.filled, self.answered, self.crowded, self.unsure) = (0, None, false, 0);
    }

    fn look(&mut self, each: &mut dyn FnMut(NoteEvent)) {
        self.past.copy_within(HOP.., 0);
        let kept = self.past.len() - HOP;
        self.past[kept..].copy_from_slice(&self.hop);
        let (mut told, mut count) = ([None; VOICE_EVENTS], 0);
        self.listener.push(&self.hop, &mut |event| {
            if let Some(slot) = told.get_mut(count) {
                *slot = Some(event);
            }
            count += 1;
        });
        let look = *self.listener.last();
        if let Some(onset) = look.onset {
            self.begin(onset);
        }
        for pending in &mut self.pending {
            pending.level = pending.level.max(look.level);
        }
        for event in told.into_iter().flatten() {
            self.follow(event, each);
        }
        self.answer(&look, each);
        if look.level < GATE_OFF {
            self.let_go(self.held, look.end, each);
        }
    }

    fn begin(&mut self, onset: Onset) {
        self.unsure = 0;
        self.crowded = self.awaited.keys.count_ones() > 1;
        if self.awaited.keys != 0 && self.pending.len() < PENDING_MAX {
            let (at, sounding, level) = (onset.at, self.held, f32::NEG_INFINITY);
            self.pending.push_back(Pending { at, sounding, level, is_played: false, stray: None });
        }
    }

    /// What the one voice does.
    fn follow(&mut self, event: NoteEvent, each: &mut dyn FnMut(NoteEvent)) {
        match event {
            NoteEvent::On { pitch, velocity, at, confidence } => {
                let stray = Stray { pitch, velocity, confidence, ended: None };
                let Awaited { keys, needed } = self.awaited;
                let is_it = keys.count_ones() == 1 && needed == bit(pitch);
                let counts = match self.pending.iter_mut().find(|pending| pending.at == at) {
                    Some(pending) if is_it && !pending.is_played => {
                        pending.is_played = true;
                        true
                    }
                    Some(pending) => {
                        pending.stray = Some(stray);
                        false
                    }
                    None => !self.crowded && self.answered.is_none_or(|(onset, struck)| onset != at || !struck),
                };
                if counts {
                    self.sound(stray, at, each);
                }
            }
            NoteEvent::Off { pitch, at } => {
                let strays = self.pending.iter_mut().filter_map(|pending| pending.stray.as_mut());
                strays.filter(|stray| stray.pitch == pitch).for_each(|stray| stray.ended = stray.ended.or(Some(at)));
                if self.voice == Some(pitch) {
                    self.let_go(bit(pitch), at, each);
                }
            }
        }
    }

    /// The voice's note counts, and everything else ends.
    fn sound(&mut self, note: Stray, at: Frames, each: &mut dyn FnMut(NoteEvent)) {
        self.let_go(self.held, at, each);
        let Stray { pitch, velocity, confidence, ended } = note;
        each(NoteEvent::On { pitch, velocity, at, confidence });
        self.held |= bit(pitch);
        self.voice = Some(pitch);
        if let Some(ended) = ended {
            self.let_go(bit(pitch), ended, each);
        }
    }

    fn let_go(&mut self, keys: u128, at: Frames, each: &mut dyn FnMut(NoteEvent)) {
        for pitch in pitches(keys & self.held) {
            each(NoteEvent::Off { pitch, at });
        }
        self.held &= !keys;
        self.voice.take_if(|voice| keys & bit(*voice) != 0);
    }

    /// Answers the onsets around which enough was heard.
    fn answer(&mut self, look: &Look, each: &mut dyn FnMut(NoteEvent)) {
        let window = self.verifier.window() as i64;
        while let Some(pending) = self.pending.pop_front_if(|pending| pending.at.0 + window <= look.end.0) {
            let struck = pending.is_played || self.verify(&pending, look.end, each);
            self.answered = Some((pending.at, struck));
            if let Some(stray) = pending.stray.filter(|stray| !struck && self.awaited.keys & bit(stray.pitch) == 0) {
                self.sound(stray, pending.at, each);
            }
            if self.pending.is_empty() && !struck {
                self.crowded = false;
            }
        }
    }

    /// Asks an onset for the awaited keys; whether one of them may have been struck.
    fn verify(&mut self, pending: &Pending, end: Frames, each: &mut dyn FnMut(NoteEvent)) -> bool {
        let Awaited { keys, needed } = self.awaited;
        let mut room = [Pitch::MIDDLE_C; NOTES_MAX];
        let mut count = 0;
        for (to, pitch) in room.iter_mut().zip(pitches(keys)) {
            *to = pitch;
            count += 1;
        }
        let onset = self.past.len().saturating_sub((end.0 - pending.at.0).max(0) as usize);
        let (before, after) = self.past.split_at(onset);
        let (mut heard, mut unsure, mut confidence) = (0, 0, 1.0_f32);
        // What rings on does not rise; taken as sounding, it would leave most chords of a piece undecided.
        for verdict in self.verifier.verify(before, after, &room[..count], &[]) {
            match verdict.answer {
                Answer::Heard => {
                    heard |= 1 << verdict.key;
                    confidence = confidence.min(verdict.confidence as f32);
                }
                Answer::Unsure => unsure |= 1 << verdict.key,
                Answer::NotHeard => {}
            }
        }
        self.unsure = if self.pending.is_empty() { unsure & needed } else { 0 };
        let played = heard & needed;
        if played != 0 {
            self.let_go(pending.sounding | played, pending.at, each);
            let velocity = velocity(pending.level);
            for pitch in pitches(played) {
                each(NoteEvent::On { pitch, velocity, at: pending.at, confidence });
            }
            self.held |= played;
        }
        heard | unsure != 0
    }
}

fn bit(pitch: Pitch) -> u128 {
    1 << pitch.key()
}

fn pitches(keys: u128) -> impl Iterator<Item = Pitch> {
    (0..128).filter(move |key| keys >> key & 1 == 1).filter_map(Pitch::new)
}
