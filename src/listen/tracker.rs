//! Turns looks into notes of one voice: a note begins when the same key was heard for a few looks, and ends when it
//! fades or another begins.

use super::onset::Onset;
use super::pitch::Heard;
use super::{HOP, Look};
use crate::music::Pitch;
use crate::time::{Frames, Rate};

/// Looks that must agree after an onset: 16 ms at 48 kHz.
const AGREE: u32 = 3;
/// And without one, in legato: 32 ms.
const AGREE_LEGATO: u32 = 6;
/// Clarity from which a look says something, and below which a sounding note is no longer heard.
const CLEAR: f32 = 0.8;
const UNCLEAR: f32 = 0.6;
/// Level in dBFS from which a note may begin, and below which it ends.
const GATE_ON: f32 = -50.0;
pub(super) const GATE_OFF: f32 = -58.0;
/// Looks without the note after which it has ended: 80 ms at 48 kHz.
const MISSING_MAX: u32 = 15;
/// A key is left only when the pitch is nearer to another by this, in cents from the key's middle: vibrato stays.
const LEAVE_CENTS: f64 = 65.0;
/// An onset waits so many frames for a pitch: the windows must be full of the new note.
const ONSET_WAIT: i64 = 8_192;
/// After an onset a pitch counts when so many of its periods, and so many frames more, have been heard.
const PERIODS: f64 = 3.0;
const SETTLED: f64 = 512.0;
/// A key heard within so many frames after one that began with an onset is that onset's true key.
const CORRECTED: i64 = 7_200;
/// A key that sounds is struck again if an onset raises the level by this, in decibels.
const RESTRIKE_DB: f32 = 3.0;
/// The levels that a player's softest and loudest note reach, in dBFS; velocity runs evenly between.
const SOFT: f32 = -48.0;
const LOUD: f32 = -6.0;
/// What a note's beginning is told earlier than its first look, where no onset was seen: half a short window.
const LOOK_DELAY: i64 = 1_024;

/// A note of one voice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NoteEvent {
    /// A note began.
    On {
        /// The key.
        pitch: Pitch,
        /// 1 to 127, estimated from the level.
        velocity: u8,
        /// The frame at which it was heard to begin.
        at: Frames,
        /// 0 to 1.
        confidence: f32,
    },
    /// It ended.
    Off {
        /// The key.
        pitch: Pitch,
        /// The frame at which it was last heard.
        at: Frames,
    },
}

#[derive(Clone, Copy)]
struct Candidate {
    pitch: Pitch,
    looks: u32,
    first: Frames,
    clarity: f32,
    loudest: f32,
}

#[derive(Clone, Copy)]
struct Sounding {
    pitch: Pitch,
    missing: u32,
    level: f32,
    last: Frames,
}

/// The state of one voice. No memory is taken.
pub struct Tracker {
    sounding: Option<Sounding>,
    candidate: Option<Candidate>,
    onset: Option<Onset>,
    /// The level before the onset.
    level_before: f32,
    last_level: f32,
    /// Where the last note began that had an onset.
    began: Option<Frames>,
    rate: f64,
}

impl Tracker {
    /// Nothing sounds.
    pub fn new(rate: Rate) -> Self {
        let (silence, rate) = (f32::NEG_INFINITY, f64::from(rate.0));
        let (sounding, candidate, onset, began) = (None, None, None, None);
        Self { sounding, candidate, onset, level_before: silence, last_level: silence, began, rate }
    }

    /// Takes the next look; each event in order.
    pub fn push(&mut self, look: &Look, a4: f64, each: &mut dyn FnMut(NoteEvent)) {
        if let Some(onset) = look.onset {
            self.onset = Some(onset);
            self.level_before = self.last_level;
            self.candidate = None;
        }
        if self.onset.is_some_and(|onset| look.end.0 - onset.at.0 > ONSET_WAIT) {
            self.onset = None;
        }
        let clear =
            look.heard.filter(|heard| heard.clarity >= CLEAR && look.level >= GATE_ON && self.is_full(heard, look));
        let key = clear.and_then(|heard| heard.key(a4));
        let key = key.map(|(pitch, cents)| (self.held_key(pitch, cents), look.heard.map_or(0.0, |h| h.clarity)));
        self.follow(key, look);
        self.end(look, each);
        self.begin(look, each);
        self.last_level = look.level;
    }

    /// Everything ends, after a gap in the sound.
    pub fn reset(&mut self, at: Frames, each: &mut dyn FnMut(NoteEvent)) {
        if let Some(sounding) = self.sounding.take() {
            each(NoteEvent::Off { pitch: sounding.pitch, at });
        }
        let silence = f32::NEG_INFINITY;
        (self.candidate, self.onset, self.began) = (None, None, None);
        (self.level_before, self.last_level) = (silence, silence);
    }

    /// Whether enough was heard since the onset to tell this pitch.
    fn is_full(&self, heard: &Heard, look: &Look) -> bool {
        let needed = PERIODS * self.rate / heard.hertz + SETTLED;
        self.onset.is_none_or(|onset| (look.end.0 - onset.at.0) as f64 >= needed)
    }

    /// The key that sounds, while the pitch is not clearly another's.
    fn held_key(&self, pitch: Pitch, cents: f64) -> Pitch {
        let Some(sounding) = self.sounding else { return pitch };
        let from_held = 100.0 * (f64::from(pitch.key()) - f64::from(sounding.pitch.key())) + cents;
        if from_held.abs() < LEAVE_CENTS { sounding.pitch } else { pitch }
    }

    fn follow(&mut self, key: Option<(Pitch, f32)>, look: &Look) {
        match (key, &mut self.candidate) {
            (Some((pitch, clarity)), Some(candidate)) if candidate.pitch == pitch => {
                candidate.looks += 1;
                candidate.clarity = candidate.clarity.max(clarity);
                candidate.loudest = candidate.loudest.max(look.level);
            }
            (Some((pitch, clarity)), _) => {
                let first = look.end;
                self.candidate = Some(Candidate { pitch, looks: 1, first, clarity, loudest: look.level });
            }
            (None, _) => self.candidate = None,
        }
    }

    /// Ends what sounds if it is no longer heard.
    fn end(&mut self, look: &Look, each: &mut dyn FnMut(NoteEvent)) {
        let Some(sounding) = &mut self.sounding else { return };
        let same = self.candidate.is_some_and(|c| c.pitch == sounding.pitch)
            || look.heard.is_some_and(|h| h.clarity >= UNCLEAR && self.candidate.is_none());
        if same && look.level >= GATE_OFF {
            (sounding.missing, sounding.last, sounding.level) = (0, look.end, look.level);
            return;
        }
        sounding.missing += 1;
        if sounding.missing > MISSING_MAX || look.level < GATE_OFF {
            each(NoteEvent::Off { pitch: sounding.pitch, at: sounding.last });
            self.sounding = None;
        }
    }

    fn begin(&mut self, look: &Look, each: &mut dyn FnMut(NoteEvent)) {
        let Some(candidate) = self.candidate else { return };
        let corrects = self.began.filter(|began| look.end.0 - began.0 <= CORRECTED);
        let needed = if self.onset.is_some() || corrects.is_some() { AGREE } else { AGREE_LEGATO };
        if candidate.looks < needed {
            return;
        }
        let held = self.sounding.filter(|s| s.pitch == candidate.pitch);
        if held.is_some() {
            let struck = self.onset.is_some() && candidate.loudest >= self.level_before + RESTRIKE_DB;
            if !struck {
                return;
            }
        }
        let first = Frames(candidate.first.0 - LOOK_DELAY);
        let began = self.onset.map(|onset| onset.at).or(corrects);
        let at = began.unwrap_or(first);
        self.began = self.onset.map(|onset| onset.at).or(self.began);
        if let Some(sounding) = self.sounding.take() {
            each(NoteEvent::Off { pitch: sounding.pitch, at });
        }
        let velocity = velocity(candidate.loudest);
        let confidence = if self.onset.is_some() { candidate.clarity } else { 0.8 * candidate.clarity };
        each(NoteEvent::On { pitch: candidate.pitch, velocity, at, confidence });
        self.onset = None;
        self.sounding = Some(Sounding {
            pitch: candidate.pitch,
            missing: 0,
            level: look.level,
            last: look.end + Frames(HOP as i64),
        });
    }
}

/// From a level in dBFS, evenly in decibels.
pub(super) fn velocity(level: f32) -> u8 {
    let place = ((level - SOFT) / (LOUD - SOFT)).clamp(0.0, 1.0);
    (1.0 + 126.0 * place).round() as u8
}
