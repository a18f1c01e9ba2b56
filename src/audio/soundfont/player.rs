//! Playing a SoundFont: a small synthesiser of its own for each note.
//!
//! rustysynth computes blocks of at least eight frames and begins a note with its next block. A note that has a
//! synthesiser to itself begins its first block on its very frame, fades by itself when its place is needed, and is free
//! when it has died away. That costs 64 copies of what a channel remembers; the time goes into the voices in either
//! case. What all notes of a player share, the room, is our own: one network of delays behind them.
//!
//! What was read in rustysynth-ext 1.5.0: `render`, `note_on`, `note_off`, `reset` and `process_midi_message` take no
//! memory, lock nothing and do not call the system. They loop over voices, frames, and the zones of a preset (bounded
//! in [`super::outline`]). They panic when two slices differ in length, which they do not here, and would if a sample
//! lay outside the data, which the reader refuses.

use std::sync::Arc;

use rustysynth::{SoundFont, Synthesizer, SynthesizerError, SynthesizerSettings};

use crate::audio::ahead::Ahead;
use crate::audio::instrument::{Instrument, Part, Pedal};
use crate::audio::ramp::Ramp;
use crate::audio::space::Space;
use crate::music::Pitch;
use crate::time::Rate;

/// The font's own loudness; the synthesiser halves it otherwise, and it lies far below the built-in piano.
const VOLUME: f32 = 1.0;
/// Frames of rustysynth's inner block: how finely its envelopes and bends move, and how late an end may come, 0.7 ms.
const BLOCK: usize = 32;
/// Notes of one player that sound at once. When more are struck the one that is nearest its end goes.
pub const NOTES: usize = 64;
/// Layers of one note, the least that rustysynth allows.
const LAYERS: usize = 8;
/// Frames rendered at once.
const CHUNK: usize = 256;
/// How fast a player is silenced and a stolen note fades, in seconds.
const FADE_SECONDS: f64 = 0.005;
/// Silence after which a note is over, in seconds: when released; when held; and when nothing was heard yet, as some
/// instruments begin late.
const OVER_SECONDS: [f64; 3] = [0.1, 1.0, 60.0];
/// The room: amplitude, seconds to fall by 60 dB, and the corner of its lowpass in hertz. As loud behind middle C (-10
/// dB) and as long as that of rustysynth, which fonts are made for.
const ROOM: (f32, f64, f64) = (0.063, 1.5, 5_000.0);
/// Its delays, in seconds.
const DELAYS: [f64; 8] = [0.0213, 0.0257, 0.0299, 0.0347, 0.0391, 0.0443, 0.0497, 0.0569];
/// The largest bend in cents.
const BEND_MAX: f32 = 2_400.0;

/// What controllers say; a new note learns it.
#[derive(Clone, Copy)]
struct Manner {
    program: u8,
    /// How far everything is off the font's own tuning, in cents: the concert pitch and the bend.
    a4_cents: f64,
    bend_cents: f64,
    pressure: u8,
}

impl Manner {
    /// Tells a synthesiser the pitch, in steps of a hundredth of a cent.
    fn tune(&self, synthesizer: &mut Synthesizer) {
        let semitones = (self.a4_cents + self.bend_cents) / 100.0;
        let coarse = semitones.round().clamp(-64.0, 63.0);
        // A semitone is 8 192 steps around the middle.
        let fine = ((semitones - coarse) * 8_192.0).round() as i32 + 8_192;
        let mut control = |controller, value| synthesizer.process_midi_message(0, 0xb0, controller, value);
        for (parameter, msb, lsb) in [(2, coarse as i32 + 64, 0), (1, fine >> 7, fine & 0x7f)] {
            control(101, 0);
            control(100, parameter);
            control(6, msb);
            control(38, lsb);
        }
    }

    /// Channel pressure deepens the vibrato as the modulation wheel does: by up to 50 cents both, says the SoundFont
    /// specification 2.04, sections 8.4.3 and 8.4.4. rustysynth knows the wheel only.
    fn press(&self, synthesizer: &mut Synthesizer) {
        synthesizer.process_midi_message(0, 0xb0, 1, i32::from(self.pressure));
    }
}

/// One note.
struct Note {
    synthesizer: Synthesizer,
    sounding: bool,
    key: u8,
    /// Which note it is since the start: the lowest is the oldest.
    number: u64,
    /// Its end was asked for: by the key, without a pedal that keeps it.
    ended: bool,
    heard: bool,
    /// Frames of silence until now.
    silent: usize,
    /// Frames of a fade that are left, and its length; 0 when it sounds freely.
    fade: usize,
    fade_frames: usize,
}

impl Note {
    fn begin(&mut self, key: u8, velocity: u8, number: u64, manner: &Manner) {
        self.synthesizer.reset();
        self.synthesizer.process_midi_message(0, 0xc0, i32::from(manner.program), 0);
        manner.tune(&mut self.synthesizer);
        manner.press(&mut self.synthesizer);
        self.synthesizer.note_on(0, i32::from(key), i32::from(velocity));
        (self.key, self.number) = (key, number);
        (self.sounding, self.ended, self.heard) = (true, false, false);
        (self.silent, self.fade) = (0, 0);
    }

    fn end(&mut self) {
        if !self.ended {
            self.ended = true;
            self.synthesizer.note_off(0, i32::from(self.key));
        }
    }

    fn fade(&mut self) {
        if self.fade == 0 {
            self.fade = self.fade_frames;
        }
    }

    /// How little would be missed if it went: fading notes first, then released ones, the oldest of each.
    fn worth(&self) -> (bool, bool, u64) {
        (self.fade == 0, !self.ended, self.number)
    }

    /// Adds the next frames, at most [`CHUNK`]. `over` is [`OVER_SECONDS`] in frames.
    fn render(&mut self, left: &mut [f32], right: &mut [f32], over: &[usize; 3]) {
        let mut own = [[0.0; CHUNK]; 2];
        let [l, r] = &mut own;
        let (l, r) = (&mut l[..left.len()], &mut r[..right.len()]);
        self.synthesizer.render(l, r);
        for (((left, right), l), r) in left.iter_mut().zip(right).zip(l).zip(r) {
            // A font may ask for a filter that runs away; the room behind would keep that for ever.
            if !(l.is_finite() && r.is_finite()) {
                self.sounding = false;
                return;
            }
            let quiet = *l == 0.0 && *r == 0.0;
            self.silent = if quiet { self.silent + 1 } else { 0 };
            self.heard |= !quiet;
            let gain = if self.fade > 0 { self.fade as f32 / self.fade_frames as f32 } else { 1.0 };
            *left += *l * gain;
            *right += *r * gain;
            if self.fade > 0 {
                self.fade -= 1;
                if self.fade == 0 {
                    self.sounding = false;
                    return;
                }
            }
        }
        let patience = if self.ended { over[0] } else { over[usize::from(!self.heard) + 1] };
        self.sounding = self.silent < patience;
    }
}

/// One part: its notes, pedals, volume and room.
struct Player {
    notes: Vec<Note>,
    struck: u64,
    manner: Manner,
    down: u128,
    /// Keys that the middle pedal keeps.
    caught: u128,
    sustain: bool,
    sostenuto: bool,
    soft: bool,
    gain: Ramp,
    ahead: Ahead,
    room: Space,
    /// Frames until the room is silenced; 0 when it sounds freely.
    closing: usize,
    over: [usize; 3],
}

impl Player {
    fn new(font: &Arc<SoundFont>, rate: Rate, manner: Manner) -> Result<Self, SynthesizerError> {
        let mut settings = SynthesizerSettings::new(i32::try_from(rate.0).unwrap_or(i32::MAX));
        settings.block_size = BLOCK;
        settings.maximum_polyphony = LAYERS;
        settings.enable_reverb_and_chorus = false;
        let hertz = f64::from(rate.0);
        let fade_frames = ((FADE_SECONDS * hertz) as usize).max(1);
        let note = || {
            let mut synthesizer = Synthesizer::new(font, &settings)?;
            synthesizer.set_master_volume(VOLUME);
            Ok(Note {
                synthesizer,
                sounding: false,
                key: 0,
                number: 0,
                ended: false,
                heard: false,
                silent: 0,
                fade: 0,
                fade_frames,
            })
        };
        Ok(Self {
            notes: (0..NOTES).map(|_| note()).collect::<Result<_, _>>()?,
            struck: 0,
            manner,
            down: 0,
            caught: 0,
            sustain: false,
            sostenuto: false,
            soft: false,
            gain: Ramp::new(1.0, rate),
            ahead: Ahead::new(fade_frames),
            room: Space::new(hertz, DELAYS, ROOM.1, ROOM.2),
            closing: 0,
            over: OVER_SECONDS.map(|seconds| (seconds * hertz) as usize),
        })
    }

    fn note_on(&mut self, key: u8, velocity: u8) {
        self.down |= 1 << key;
        self.notes.iter_mut().filter(|n| n.sounding && n.key == key).for_each(Note::end);
        let at = match self.notes.iter().position(|n| !n.sounding) {
            Some(free) => free,
            None => self.steal(),
        };
        let velocity = if self.soft { velocity - velocity / 4 } else { velocity };
        self.struck += 1;
        self.notes[at].begin(key, velocity.max(1), self.struck, &self.manner);
    }

    /// Frees the place of the note that is missed least; its fade is computed ahead.
    fn steal(&mut self) -> usize {
        let at = (0..self.notes.len()).min_by_key(|&at| self.notes[at].worth()).unwrap_or(0);
        let (note, over) = (&mut self.notes[at], self.over);
        note.fade();
        self.ahead.lay(note.fade, |left, right| {
            for (left, right) in left.chunks_mut(CHUNK).zip(right.chunks_mut(CHUNK)) {
                if note.sounding {
                    note.render(left, right, &over);
                }
            }
        });
        at
    }

    fn note_off(&mut self, key: u8) {
        self.down &= !(1 << key);
        self.settle();
    }

    fn pedal(&mut self, pedal: Pedal) {
        match pedal {
            Pedal::Sustain(value) => self.sustain = value >= 64,
            Pedal::Sostenuto(value) => {
                let is_down = value >= 64;
                if is_down && !self.sostenuto {
                    self.caught = if self.sustain { u128::MAX } else { self.down };
                } else if !is_down {
                    self.caught = 0;
                }
                self.sostenuto = is_down;
            }
            Pedal::Soft(value) => self.soft = value >= 64,
        }
        self.settle();
    }

    /// Ends every note that neither its key nor a pedal keeps.
    fn settle(&mut self) {
        let kept = if self.sustain { u128::MAX } else { self.down | self.caught };
        self.notes.iter_mut().filter(|n| n.sounding && kept >> n.key & 1 == 0).for_each(Note::end);
    }

    fn silence(&mut self) {
        (self.down, self.caught) = (0, 0);
        self.notes.iter_mut().filter(|n| n.sounding).for_each(Note::fade);
        let frames = self.notes[0].fade_frames;
        self.ahead.fade(frames);
        if self.closing == 0 && !self.room.is_empty() {
            self.closing = frames;
        }
    }

    /// Tells the notes that sound of a changed manner.
    fn change(&mut self, change: impl FnOnce(&mut Manner), tell: fn(&Manner, &mut Synthesizer)) {
        change(&mut self.manner);
        for note in self.notes.iter_mut().filter(|n| n.sounding) {
            tell(&self.manner, &mut note.synthesizer);
        }
    }

    /// Adds the next frames; both slices have one length of at most [`CHUNK`].
    fn render(&mut self, left: &mut [f32], right: &mut [f32]) {
        let mut dry = [[0.0; CHUNK]; 2];
        let [l, r] = &mut dry;
        let (l, r) = (&mut l[..left.len()], &mut r[..right.len()]);
        self.ahead.take(l, r);
        for note in self.notes.iter_mut().filter(|n| n.sounding) {
            note.render(l, r, &self.over);
        }
        let fade = self.notes[0].fade_frames as f32;
        for (((left, right), l), r) in left.iter_mut().zip(right).zip(l).zip(r) {
            let (wet_left, wet_right) =
                if self.room.is_empty() && *l == 0.0 && *r == 0.0 { (0.0, 0.0) } else { self.room.frame(*l, *r) };
            let open = if self.closing > 0 { (self.closing - 1) as f32 / fade } else { 1.0 };
            let gain = self.gain.next_value();
            *left += gain * (*l + ROOM.0 * open * wet_left);
            *right += gain * (*r + ROOM.0 * open * wet_right);
            if self.closing > 0 {
                self.closing -= 1;
                if self.closing == 0 {
                    self.room.clear();
                }
            }
        }
    }
}

/// A program of a SoundFont, played by both parts. Notes begin on their very frame.
pub struct SoundFontInstrument {
    players: [Player; Part::COUNT],
}

impl SoundFontInstrument {
    /// `program` of bank 0, and A4 in hertz.
    pub(super) fn new(font: &Arc<SoundFont>, rate: Rate, program: u8, a4: f64) -> Result<Self, SynthesizerError> {
        let a4_cents = 1_200.0 * (a4 / crate::audio::sound::A4).log2();
        let manner = Manner { program: program.min(127), a4_cents, bend_cents: 0.0, pressure: 0 };
        Ok(Self { players: [Player::new(font, rate, manner)?, Player::new(font, rate, manner)?] })
    }

    fn player(&mut self, part: Part) -> &mut Player {
        &mut self.players[usize::from(part.0).min(Part::COUNT - 1)]
    }
}

impl Instrument for SoundFontInstrument {
    fn note_on(&mut self, part: Part, pitch: Pitch, velocity: u8) {
        match velocity {
            0 => self.note_off(part, pitch),
            _ => self.player(part).note_on(pitch.key(), velocity.min(127)),
        }
    }

    fn note_off(&mut self, part: Part, pitch: Pitch) {
        self.player(part).note_off(pitch.key());
    }

    fn pedal(&mut self, part: Part, pedal: Pedal) {
        self.player(part).pedal(pedal);
    }

    fn silence(&mut self, part: Part) {
        self.player(part).silence();
    }

    fn set_gain(&mut self, part: Part, gain: f32) -> bool {
        self.player(part).gain.set(gain);
        true
    }

    fn bend(&mut self, part: Part, cents: f32) {
        if cents.is_finite() {
            let cents = f64::from(cents.clamp(-BEND_MAX, BEND_MAX));
            self.player(part).change(|manner| manner.bend_cents = cents, Manner::tune);
        }
    }

    fn pressure(&mut self, part: Part, value: u8) {
        self.player(part).change(|manner| manner.pressure = value.min(127), Manner::press);
    }

    fn program(&mut self, part: Part, program: u8) -> bool {
        self.player(part).manner.program = program.min(127);
        true
    }

    fn render(&mut self, left: &mut [f32], right: &mut [f32]) {
        left.fill(0.0);
        right.fill(0.0);
        for (l, r) in left.chunks_mut(CHUNK).zip(right.chunks_mut(CHUNK)) {
            for player in &mut self.players {
                player.render(l, r);
            }
        }
    }

    fn voices(&self) -> usize {
        self.players.iter().flat_map(|p| &p.notes).filter(|n| n.sounding).count()
    }
}
