//! Who plays and who listens: the instrument, what it is holding, the exchange of one instrument for another.

use super::command::Return;
use super::instrument::{Instrument, Part, Pedal};
use super::live::Played;
use super::outlet::Outlet;
use crate::music::{Hand, Hands, Pitch};
use crate::time::Rate;

/// Frames rendered at a time at most, so that the buffers here have a size.
pub(super) const CHUNK: usize = 256;
const FADE_SECONDS: f32 = 0.01;
/// How far the pitch wheel bends: two semitones, the default of General MIDI.
const BEND_CENTS: f32 = 200.0;

/// Who may hold a key of the accompaniment: the right hand, the left, neither, and prompts.
const ROWS: usize = 4;
const PROMPTS: usize = 3;

/// An instrument that leaves.
struct Leaving {
    instrument: Box<dyn Instrument>,
    /// Frames of the fade still to come.
    left: u32,
}

/// See the module.
pub(super) struct Stage {
    instrument: Option<Box<dyn Instrument>>,
    leaving: Option<Leaving>,
    /// Waits until the one before has left.
    entering: Option<Box<dyn Instrument>>,
    fade_frames: u32,
    /// Notes of the accompaniment that sound, by [`row`] and key.
    held: [[u8; 128]; ROWS],
    hands: Hands,
    /// Hands for which the keys of the mask are played, though they are not heard.
    filled: (Hands, u128),
    /// Sustain, sostenuto, soft; by part.
    pedals: [[u8; 3]; Part::COUNT],
    /// Cents of the pitch wheel, and pressure; by part.
    wheels: [(f32, u8); Part::COUNT],
    gains: [f32; Part::COUNT],
    /// Whether the accompaniment is silent here and sounds outside alone.
    alone: bool,
    /// Whether the instrument has a volume for each part.
    own_gain: [bool; Part::COUNT],
    scratch: [[f32; CHUNK]; 2],
    /// Where the accompaniment goes besides.
    pub(super) outlet: Outlet,
}

impl Stage {
    pub(super) fn new(instrument: Box<dyn Instrument>, outlet: Outlet, rate: Rate) -> Self {
        Self {
            instrument: Some(instrument),
            leaving: None,
            entering: None,
            fade_frames: fade_frames(rate),
            held: [[0; 128]; ROWS],
            hands: Hands::BOTH,
            filled: (Hands::NONE, 0),
            pedals: [[0; 3]; Part::COUNT],
            wheels: [(0.0, 0); Part::COUNT],
            gains: [1.0; Part::COUNT],
            alone: false,
            own_gain: [false; Part::COUNT],
            scratch: [[0.0; CHUNK]; 2],
            outlet,
        }
    }

    pub(super) fn set_rate(&mut self, rate: Rate) {
        self.fade_frames = fade_frames(rate);
    }

    pub(super) fn voices(&self) -> usize {
        self.instrument.as_ref().map_or(0, |i| i.voices())
    }

    /// Sounds what was played.
    pub(super) fn play(&mut self, part: Part, played: Played) {
        match played {
            Played::On { pitch, velocity } => self.strike(part, pitch, velocity),
            Played::Off { pitch } => self.with(|i| i.note_off(part, pitch)),
            Played::Pedal(pedal) => self.pedal(part, pedal),
            Played::Bend(value) => {
                let cents = f32::from(value) * BEND_CENTS / 8192.0;
                self.wheels[usize::from(part.0).min(Part::COUNT - 1)].0 = cents;
                self.with(|i| i.bend(part, cents));
            }
            Played::Pressure(value) => {
                self.wheels[usize::from(part.0).min(Part::COUNT - 1)].1 = value;
                self.with(|i| i.pressure(part, value));
            }
            // The books of who holds what turn these into releases.
            Played::AllNotesOff | Played::Controllers | Played::Reset => {}
        }
    }

    fn with(&mut self, act: impl FnOnce(&mut dyn Instrument)) {
        if let Some(instrument) = &mut self.instrument {
            act(instrument.as_mut());
        }
    }

    fn strike(&mut self, part: Part, pitch: Pitch, velocity: u8) {
        let index = usize::from(part.0).min(Part::COUNT - 1);
        let gain = if self.own_gain[index] { 1.0 } else { self.gain_here(part) };
        if let Some(velocity) = scaled(velocity, gain) {
            self.with(|i| i.note_on(part, pitch, velocity));
        }
    }

    fn gain_here(&self, part: Part) -> f32 {
        let silent = self.alone && part == Part::ACCOMPANIMENT;
        if silent { 0.0 } else { self.gains[usize::from(part.0).min(Part::COUNT - 1)] }
    }

    /// Moves a pedal.
    pub(super) fn pedal(&mut self, part: Part, pedal: Pedal) {
        let (which, value) = match pedal {
            Pedal::Sustain(value) => (0, value),
            Pedal::Sostenuto(value) => (1, value),
            Pedal::Soft(value) => (2, value),
        };
        self.pedals[usize::from(part.0).min(Part::COUNT - 1)][which] = value;
        self.with(|i| i.pedal(part, pedal));
        if let (Part::ACCOMPANIMENT, Pedal::Sustain(value)) = (part, pedal) {
            self.outlet.sustain(value);
        }
    }

    /// Strikes a note of the accompaniment, if its hand is heard; whether it is.
    pub(super) fn accompany_on(&mut self, hand: Hand, pitch: Pitch, velocity: u8) -> bool {
        let (filled, keys) = self.filled;
        let is_lacking = filled.contains(hand) && keys >> pitch.key() & 1 == 1;
        let is_heard = hand == Hand::Neither || self.hands.contains(hand) || is_lacking;
        if is_heard {
            self.begin(row(hand), pitch, velocity);
        }
        is_heard
    }

    /// Strikes a note of the accompaniment's instrument that is not due by itself, whoever is heard.
    pub(super) fn prompt_on(&mut self, pitch: Pitch, velocity: u8) {
        self.begin(PROMPTS, pitch, velocity);
    }

    /// Releases it.
    pub(super) fn prompt_off(&mut self, pitch: Pitch) {
        self.end(PROMPTS, pitch);
    }

    fn begin(&mut self, row: usize, pitch: Pitch, velocity: u8) {
        let held = &mut self.held[row][usize::from(pitch.key())];
        *held = held.saturating_add(1);
        self.strike(Part::ACCOMPANIMENT, pitch, velocity);
        if let Some(velocity) = scaled(velocity, self.gains[usize::from(Part::ACCOMPANIMENT.0)]) {
            self.outlet.note_on(pitch, velocity);
        }
    }

    /// Releases a note of the accompaniment, unless the same key is held by another note.
    pub(super) fn accompany_off(&mut self, hand: Hand, pitch: Pitch) {
        self.end(row(hand), pitch);
    }

    fn end(&mut self, row: usize, pitch: Pitch) {
        let key = usize::from(pitch.key());
        let held = &mut self.held[row][key];
        if *held > 0 {
            *held -= 1;
            if self.held.iter().all(|row| row[key] == 0) {
                self.with(|i| i.note_off(Part::ACCOMPANIMENT, pitch));
                self.outlet.note_off(pitch);
            }
        }
    }

    /// Releases everything that the accompaniment holds, its pedal too.
    pub(super) fn release_accompaniment(&mut self) {
        for row in 0..ROWS {
            self.release_row(row);
        }
        if self.pedals[usize::from(Part::ACCOMPANIMENT.0)][0] > 0 {
            self.pedal(Part::ACCOMPANIMENT, Pedal::Sustain(0));
        }
        self.outlet.release();
    }

    fn release_row(&mut self, row: usize) {
        for key in 0..128 {
            if self.held[row][usize::from(key)] > 0 {
                self.held[row][usize::from(key)] = 1;
                self.end(row, Pitch::from_data_byte(key));
            }
        }
    }

    /// Chooses the hands that are heard.
    pub(super) fn set_hands(&mut self, hands: Hands) {
        self.hands = hands;
        for hand in [Hand::Right, Hand::Left] {
            if !hands.contains(hand) {
                self.release_row(row(hand));
            }
        }
    }

    /// Chooses the hands for which these keys, one bit each, are played though the hands are not heard: their keyboard
    /// has none.
    pub(super) fn set_filled(&mut self, hands: Hands, keys: u128) {
        self.filled = (hands, keys);
    }

    /// Sets the volume of a part.
    pub(super) fn set_gain(&mut self, part: Part, gain: f32) {
        let index = usize::from(part.0).min(Part::COUNT - 1);
        self.gains[index] = gain;
        let here = self.gain_here(part);
        self.own_gain[index] = self.instrument.as_mut().is_some_and(|i| i.set_gain(part, here));
    }

    /// Whether the accompaniment is silent here and sounds outside alone.
    pub(super) fn set_alone(&mut self, alone: bool) {
        self.alone = alone;
        self.set_gain(Part::ACCOMPANIMENT, self.gains[usize::from(Part::ACCOMPANIMENT.0)]);
    }

    /// Everything off, as fast as it can be without a click.
    pub(super) fn panic(&mut self) {
        self.held = [[0; 128]; ROWS];
        self.outlet.release();
        for part in [Part::LIVE, Part::ACCOMPANIMENT] {
            for pedal in [Pedal::Sustain(0), Pedal::Sostenuto(0), Pedal::Soft(0)] {
                self.pedal(part, pedal);
            }
            self.wheels[usize::from(part.0)] = (0.0, 0);
            self.with(|i| i.bend(part, 0.0));
            self.with(|i| i.pressure(part, 0));
            self.with(|i| i.silence(part));
        }
    }

    /// Another sound of the same instrument, for the notes to come.
    pub(super) fn set_program(&mut self, program: u8) {
        for instrument in [&mut self.instrument, &mut self.entering].into_iter().flatten() {
            for part in [Part::LIVE, Part::ACCOMPANIMENT] {
                instrument.program(part, program);
            }
        }
    }

    /// Puts another instrument in place of this one, which fades out.
    pub(super) fn exchange(&mut self, instrument: Box<dyn Instrument>, send_home: &mut impl FnMut(Return)) {
        if self.leaving.is_some() {
            if let Some(unheard) = self.entering.replace(instrument) {
                send_home(Return::Instrument(unheard));
            }
            return;
        }
        let old = self.instrument.replace(instrument);
        self.leaving = old.map(|instrument| Leaving { instrument, left: self.fade_frames });
        self.introduce();
    }

    /// Tells a new instrument how things stand.
    fn introduce(&mut self) {
        // What the accompaniment holds goes on to sound outside; the new instrument hears its ends only.
        for (index, part) in [Part::LIVE, Part::ACCOMPANIMENT].into_iter().enumerate() {
            self.set_gain(part, self.gains[index]);
            let (cents, pressure) = self.wheels[index];
            self.with(|i| i.bend(part, cents));
            self.with(|i| i.pressure(part, pressure));
            let [sustain, sostenuto, soft] = self.pedals[index];
            for pedal in [Pedal::Sustain(sustain), Pedal::Sostenuto(sostenuto), Pedal::Soft(soft)] {
                self.with(|i| i.pedal(part, pedal));
            }
        }
    }

    /// Takes an instrument that panicked off the stage at once.
    pub(super) fn remove_faulty(&mut self, send_home: &mut impl FnMut(Return)) {
        if let Some(leaving) = self.leaving.take() {
            send_home(Return::Instrument(leaving.instrument));
        }
        if let Some(broken) = std::mem::replace(&mut self.instrument, self.entering.take()) {
            let replaced = self.instrument.is_some();
            send_home(if replaced { Return::Instrument(broken) } else { Return::Broken(broken) });
            self.introduce();
        }
        self.held = [[0; 128]; ROWS];
        // Outside the music goes on, with its pedal; of a note it is not known whether its end was still told.
        self.outlet.release_notes();
        self.outlet.sustain(self.pedals[usize::from(Part::ACCOMPANIMENT.0)][0]);
    }

    /// The next frames, overwriting both slices, which have one length of at most [`CHUNK`].
    pub(super) fn render(&mut self, left: &mut [f32], right: &mut [f32], send_home: &mut impl FnMut(Return)) {
        match &mut self.instrument {
            Some(instrument) => instrument.render(left, right),
            None => {
                left.fill(0.0);
                right.fill(0.0);
            }
        }
        if let Some(leaving) = &mut self.leaving {
            let frames = left.len();
            let [old_left, old_right] = &mut self.scratch;
            leaving.instrument.render(&mut old_left[..frames], &mut old_right[..frames]);
            let step = 1.0 / self.fade_frames as f32;
            for i in 0..frames {
                let gain = leaving.left as f32 * step;
                left[i] += old_left[i] * gain;
                right[i] += old_right[i] * gain;
                leaving.left = leaving.left.saturating_sub(1);
            }
            if leaving.left == 0 {
                self.leave(send_home);
            }
        }
    }

    fn leave(&mut self, send_home: &mut impl FnMut(Return)) {
        if let Some(gone) = self.leaving.take() {
            send_home(Return::Instrument(gone.instrument));
        }
        if let Some(next) = self.entering.take() {
            self.exchange(next, send_home);
        }
    }
}

/// How hard a note is struck at a volume; `None` where it is not to be heard at all.
fn scaled(velocity: u8, gain: f32) -> Option<u8> {
    (gain > 0.0).then(|| (f32::from(velocity) * gain).round().clamp(1.0, 127.0) as u8)
}

fn row(hand: Hand) -> usize {
    match hand {
        Hand::Right => 0,
        Hand::Left => 1,
        Hand::Neither => 2,
    }
}

fn fade_frames(rate: Rate) -> u32 {
    (FADE_SECONDS * rate.0 as f32) as u32 + 1
}
