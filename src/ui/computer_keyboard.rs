//! The computer keyboard as a piano: physical keys, so that the layout of the language does not matter. The row of A
//! holds white keys, the row above black ones, Z and X move by an octave.

use egui::{Context, Event, Key};

use super::command::Command;
use crate::music::Pitch;

/// From C up to the D♯ an octave above, by physical key.
const KEYS: [(Key, u8); 16] = [
    (Key::A, 0),
    (Key::W, 1),
    (Key::S, 2),
    (Key::E, 3),
    (Key::D, 4),
    (Key::F, 5),
    (Key::T, 6),
    (Key::G, 7),
    (Key::Y, 8),
    (Key::H, 9),
    (Key::U, 10),
    (Key::J, 11),
    (Key::K, 12),
    (Key::O, 13),
    (Key::L, 14),
    (Key::P, 15),
];

/// A computer keyboard does not know how hard a key is struck.
const VELOCITY: u8 = 80;
/// C1 to C7: the row stays within 88 keys.
const BASE_RANGE: std::ops::RangeInclusive<u8> = 24..=96;

/// Which keys are down, and the octave.
#[derive(Debug)]
pub(super) struct ComputerKeyboard {
    base: u8,
    down: Vec<(Key, Pitch)>,
}

impl Default for ComputerKeyboard {
    fn default() -> Self {
        Self { base: Pitch::MIDDLE_C.key(), down: Vec::new() }
    }
}

impl ComputerKeyboard {
    /// Reads this frame's events. While a text is being typed nothing new sounds; what sounds is released as usual. Where
    /// its letters are not shown the octave stays.
    pub(super) fn handle(&mut self, ctx: &Context, (blocked, moves): (bool, bool), send: &mut Vec<Command>) {
        let blocked = blocked || ctx.text_edit_focused();
        ctx.input(|input| {
            for event in &input.events {
                match event {
                    Event::Key { physical_key: Some(key), pressed, repeat: false, modifiers, .. } => {
                        let stays = !moves && matches!(key, Key::Z | Key::X);
                        let free = !blocked && !stays && !modifiers.ctrl && !modifiers.alt && !modifiers.command;
                        self.key(*key, *pressed, free, send);
                    }
                    Event::WindowFocused(false) => self.release_all(send),
                    _ => {}
                }
            }
        });
    }

    /// Which key of the computer plays which of the piano now.
    pub(super) fn labels(&self) -> impl Iterator<Item = (Pitch, &'static str)> + use<> {
        let base = self.base;
        KEYS.into_iter().filter_map(move |(key, offset)| Some((Pitch::new(base + offset)?, key.name())))
    }

    /// Lets everything go.
    pub(super) fn release_all(&mut self, send: &mut Vec<Command>) {
        send.extend(self.down.drain(..).map(|(_, pitch)| Command::KeyUp(pitch)));
    }

    fn key(&mut self, key: Key, pressed: bool, free: bool, send: &mut Vec<Command>) {
        if !pressed {
            if let Some(at) = self.down.iter().position(|(k, _)| *k == key) {
                send.push(Command::KeyUp(self.down.swap_remove(at).1));
            }
            return;
        }
        if !free {
            return;
        }
        let moved = match key {
            Key::Z => self.base.saturating_sub(12),
            Key::X => self.base + 12,
            _ => self.base,
        };
        if moved != self.base {
            if BASE_RANGE.contains(&moved) {
                self.base = moved;
            }
            return;
        }
        let offset = KEYS.iter().find(|(k, _)| *k == key).map(|(_, offset)| *offset);
        let Some(pitch) = offset.and_then(|o| Pitch::new(self.base + o)) else { return };
        if self.down.iter().all(|(k, _)| *k != key) {
            self.down.push((key, pitch));
            send.push(Command::KeyDown(pitch, VELOCITY));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pitch(key: u8) -> Pitch {
        Pitch::new(key).expect("a MIDI key")
    }

    #[test]
    fn a_key_is_released_at_the_pitch_it_was_pressed_with() {
        let (mut keyboard, mut send) = (ComputerKeyboard::default(), Vec::new());
        for (key, pressed) in [(Key::A, true), (Key::X, true), (Key::A, true), (Key::S, true), (Key::A, false)] {
            keyboard.key(key, pressed, true, &mut send);
        }
        keyboard.release_all(&mut send);
        let expected = [
            Command::KeyDown(pitch(60), VELOCITY),
            Command::KeyDown(pitch(74), VELOCITY),
            Command::KeyUp(pitch(60)),
            Command::KeyUp(pitch(74)),
        ];
        assert_eq!(send, expected);
    }

    #[test]
    fn the_octave_stays_on_the_piano() {
        let (mut keyboard, mut send) = (ComputerKeyboard::default(), Vec::new());
        for _ in 0..20 {
            keyboard.key(Key::X, true, true, &mut send);
        }
        assert_eq!(keyboard.base, 96);
        for _ in 0..20 {
            keyboard.key(Key::Z, true, true, &mut send);
        }
        assert_eq!(keyboard.base, 24);
        assert!(send.is_empty());
    }
}
