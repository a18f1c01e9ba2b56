//! The built-in instrument: a polyphonic modal piano.
//!
//! Each key is a set of decaying sine waves, its modes, after Bank, Zambon and Fontana, "A modal-based real-time piano
//! synthesizer" (IEEE TASLP 18, 2010): stretched partials, two stages of decay with beating unisons, the comb of the
//! strike position, a hammer that brightens with force, phantom partials of the bass, octaves stretched as tuners do,
//! strings that ring along wherever a damper is up, the knock of the soundboard, the noise of felt and wood, and that of
//! all dampers when the pedal lifts them quickly. All
//! tables are computed in [`Piano::new`]; afterwards nothing here allocates, locks or calls the system, and the work of
//! a block is bounded by the number of voices and of strings.
//!
//! What it sounds like depends on the events and the frames between them alone: not on the block size, and not on the
//! clock. `register` holds what is known of pianos, `tone` makes keys of it, `modes` is the inner loop of the strings
//! that are struck, `strings` of those that are not. `tests/piano_acoustics.rs` compares what comes out with recordings
//! of a Steinway B, octave band by octave band, and with the literature.

mod modes;
mod noise;
mod part;
mod register;
mod strings;
mod tone;
mod voice;

#[cfg(test)]
mod tests;

use self::noise::Noises;
use self::part::PartState;
use self::strings::Strings;
use self::tone::{Blow, Tone};
use self::voice::Voice;
use crate::audio::instrument::{Instrument, Part, Pedal};
use crate::music::Pitch;
use crate::time::Rate;

/// Voices of a piano when nothing else is asked for.
pub const VOICES: usize = 64;
/// The most voices a piano may be given: what a fast machine renders in real time.
pub const VOICES_MAX: usize = 256;
/// Frames rendered at once; longer blocks are cut.
const PIECE: usize = 128;
/// One decibel per second in nepers per second.
const NEPER: f64 = std::f64::consts::LN_10 / 20.0;
/// How fast a string that is struck again gives up its old sound, in seconds.
const RESTRIKE_SECONDS: f64 = 0.012;

/// A piano for one sample rate.
///
/// 64 voices by default; when all sound, the quietest is faded out within 5 ms. A key struck again restarts on its own
/// strings. Players ([`Part`]) have their own keys and pedals. Half pedal acts for values between 28 and 92. Strings
/// whose dampers are up, under a pedal or a key that is held, ring along with the others. The pitch cannot be bent, and
/// pressing a key after the stroke changes nothing: as with any piano.
#[derive(Debug)]
pub struct Piano {
    rate: f64,
    tones: Vec<Tone>,
    noises: Noises,
    voices: Vec<Voice>,
    parts: [PartState; Part::COUNT],
}

impl Piano {
    /// A piano with [`VOICES`] voices and A4 at 440 Hz. Takes a few milliseconds and about 2 MB.
    pub fn new(rate: Rate) -> Self {
        Self::with(rate, VOICES, 440.0)
    }

    /// A piano with up to `voices` voices (1 to [`VOICES_MAX`]) and A4 at `a4` hertz (220 to 880). Values beyond, and
    /// rates beyond 8 to 384 kHz, are brought to the nearest allowed.
    pub fn with(rate: Rate, voices: usize, a4: f64) -> Self {
        let rate = f64::from(rate.0.clamp(8_000, 384_000));
        let a4 = if a4.is_finite() { a4.clamp(220.0, 880.0) } else { 440.0 };
        let strings = Strings::new(rate, a4);
        Self {
            rate,
            tones: (0..128).map(|key| Tone::new(key, rate, a4)).collect(),
            noises: Noises::new(rate),
            voices: (0..voices.clamp(1, VOICES_MAX)).map(|_| Voice::new()).collect(),
            parts: std::array::from_fn(|_| PartState::new(rate, strings.clone())),
        }
    }

    /// A slot for a new voice, emptied if need be.
    fn make_room(&mut self, part: usize, key: u8) -> usize {
        if let Some(at) = self.voices.iter().position(|v| v.active && v.part == part && v.key == key && !v.fading()) {
            self.evict(at, (RESTRIKE_SECONDS * self.rate) as usize);
            return at;
        }
        if let Some(at) = self.voices.iter().position(|v| !v.active) {
            return at;
        }
        let quietest =
            (0..self.voices.len()).min_by(|&a, &b| self.voices[a].loudness().total_cmp(&self.voices[b].loudness()));
        let at = quietest.unwrap_or(0);
        self.evict(at, (part::FADE_SECONDS * self.rate) as usize);
        at
    }

    /// Frees a slot at once; the end of its voice is computed ahead, as a fade.
    fn evict(&mut self, at: usize, frames: usize) {
        let voice = &mut self.voices[at];
        let ahead = &mut self.parts[voice.part].ahead;
        voice.fade(frames);
        ahead.lay(frames, |left, right| voice.mix(left, right, &self.noises));
        voice.active = false;
    }

    /// Puts every damper of a part where keys and pedals want it.
    fn settle(&mut self, part: usize) {
        let state = &self.parts[part];
        for voice in self.voices.iter_mut().filter(|v| v.active && v.part == part) {
            voice.damp(state.lift_of(voice.key), self.rate);
        }
    }
}

/// The slot of a part; unknown parts share the last.
fn slot(part: Part) -> usize {
    usize::from(part.0).min(Part::COUNT - 1)
}

impl Instrument for Piano {
    fn note_on(&mut self, part: Part, pitch: Pitch, velocity: u8) {
        if velocity == 0 {
            return self.note_off(part, pitch);
        }
        let (part, key) = (slot(part), pitch.key());
        self.parts[part].key(key, true);
        let at = self.make_room(part, key);
        let blow = Blow::new(key, velocity, self.parts[part].soft);
        let voice = &mut self.voices[at];
        voice.strike(part, key, &self.tones[usize::from(key)], &blow, self.rate);
    }

    fn note_off(&mut self, part: Part, pitch: Pitch) {
        let (part, key) = (slot(part), pitch.key());
        let state = &mut self.parts[part];
        state.key(key, false);
        let lift = state.lift_of(key);
        for voice in self.voices.iter_mut().filter(|v| v.active && v.part == part && v.key == key) {
            voice.damp(lift, self.rate);
        }
        noise::lay_key_up(&self.noises, key, lift, &mut state.ahead);
    }

    fn pedal(&mut self, part: Part, pedal: Pedal) {
        let part = slot(part);
        let state = &mut self.parts[part];
        let brushed = state.pedal(pedal);
        noise::lay_lift(&self.noises, brushed, &mut state.ahead);
        self.settle(part);
    }

    fn silence(&mut self, part: Part) {
        let part = slot(part);
        let frames = self.parts[part].fade_frames();
        for voice in self.voices.iter_mut().filter(|v| v.active && v.part == part) {
            voice.fade(frames);
        }
        self.parts[part].silence();
    }

    fn render(&mut self, left: &mut [f32], right: &mut [f32]) {
        for (left, right) in left.chunks_mut(PIECE).zip(right.chunks_mut(PIECE)) {
            left.fill(0.0);
            right.fill(0.0);
            for (at, part) in self.parts.iter_mut().enumerate() {
                let (mut l, mut r) = ([0.0; PIECE], [0.0; PIECE]);
                let (l, r) = (&mut l[..left.len()], &mut r[..right.len()]);
                part.add_ahead(l, r);
                let mut struck = [None; 128];
                for (voice, slot) in self.voices.iter_mut().zip(0u16..).filter(|(v, _)| v.active && v.part == at) {
                    voice.sound(l, r, &self.noises);
                    if !voice.fading() {
                        struck[usize::from(voice.key)] = Some(slot);
                    }
                }
                let voices = &self.voices;
                let frames = left.len();
                let own = |key: u8| struck[usize::from(key)].map(|slot| voices[usize::from(slot)].own(frames));
                part.resonate(l, r, own);
                left.iter_mut().zip(l).for_each(|(out, x)| *out += *x);
                right.iter_mut().zip(r).for_each(|(out, x)| *out += *x);
            }
        }
    }

    fn voices(&self) -> usize {
        self.voices.iter().filter(|v| v.active).count()
    }
}
