//! Where the 88 keys lie. Pure.

use egui::{Pos2, Rect, pos2};

use crate::music::Pitch;

/// White keys of a piano.
const WHITE_KEYS: f32 = 52.0;
/// A black key is so much narrower than a white one, and so much shorter.
const BLACK_WIDTH: f32 = 0.64;
const BLACK_LENGTH: f32 = 0.62;
/// White keys below each class within its octave; for a black key, those below its left edge.
const WHITES_BELOW: [u8; 12] = [0, 1, 1, 2, 2, 3, 4, 4, 5, 5, 6, 6];

/// The keys of a piano over a width.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Keys {
    left: f32,
    white: f32,
}

impl Keys {
    /// From A0 at the left edge of `rect` to C8 at its right edge.
    pub(super) fn new(rect: Rect) -> Self {
        Self { left: rect.left(), white: rect.width() / WHITE_KEYS }
    }

    /// The width of a white key.
    pub(super) fn white(self) -> f32 {
        self.white
    }

    /// The 88 keys.
    pub(super) fn all() -> impl Iterator<Item = Pitch> {
        (Pitch::PIANO_LOW.key()..=Pitch::PIANO_HIGH.key()).filter_map(Pitch::new)
    }

    /// The left edge and the width of a key; `None` beyond the piano.
    pub(super) fn span(self, pitch: Pitch) -> Option<(f32, f32)> {
        if !(Pitch::PIANO_LOW..=Pitch::PIANO_HIGH).contains(&pitch) {
            return None;
        }
        let whites = i32::from(pitch.key() / 12) * 7 + i32::from(WHITES_BELOW[usize::from(pitch.class())]);
        // A0 has 1 * 7 + 5 white keys below it.
        let x = self.left + (whites - 12) as f32 * self.white;
        if pitch.is_black() {
            let width = self.white * BLACK_WIDTH;
            Some((x - width / 2.0, width))
        } else {
            Some((x, self.white))
        }
    }

    /// The key's rectangle on a keyboard.
    pub(super) fn rect(self, pitch: Pitch, keyboard: Rect) -> Option<Rect> {
        let (x, width) = self.span(pitch)?;
        let length = if pitch.is_black() { BLACK_LENGTH } else { 1.0 };
        let bottom = keyboard.top() + keyboard.height() * length;
        Some(Rect::from_min_max(pos2(x, keyboard.top()), pos2(x + width, bottom)))
    }

    /// The key under a point of the keyboard, and how far down it was struck as a velocity of 1 to 127.
    pub(super) fn hit(self, at: Pos2, keyboard: Rect) -> Option<(Pitch, u8)> {
        let under = |black: bool| {
            Self::all()
                .filter(|p| p.is_black() == black)
                .find_map(|p| self.rect(p, keyboard).filter(|r| r.contains(at)).map(|r| (p, r)))
        };
        let (pitch, rect) = under(true).or_else(|| under(false))?;
        let depth = ((at.y - rect.top()) / rect.height()).clamp(0.0, 1.0);
        Some((pitch, (24.0 + depth * 96.0).round() as u8))
    }
}

#[cfg(test)]
mod tests {
    use egui::{Rect, pos2};

    use super::*;

    fn keyboard() -> (Keys, Rect) {
        let rect = Rect::from_min_max(pos2(10.0, 0.0), pos2(530.0, 100.0));
        (Keys::new(rect), rect)
    }

    #[test]
    fn the_keys_fill_the_width_from_a0_to_c8() {
        let (keys, rect) = keyboard();
        assert_eq!(keys.span(Pitch::PIANO_LOW), Some((10.0, 10.0)));
        let (x, width) = keys.span(Pitch::PIANO_HIGH).expect("C8");
        assert!((x + width - rect.right()).abs() < 1e-3);
        assert_eq!(keys.span(Pitch::from_data_byte(20)), None);
        assert_eq!(keys.span(Pitch::from_data_byte(109)), None);
    }

    #[test]
    fn every_key_is_hit_at_its_end_and_harder_further_down() {
        let (keys, rect) = keyboard();
        for pitch in Keys::all() {
            let r = keys.rect(pitch, rect).expect("on the piano");
            let (found, hard) = keys.hit(pos2(r.center().x, r.bottom() - 1.0), rect).expect("a key");
            assert_eq!(found, pitch);
            assert!(hard > 100, "{hard}");
        }
        let (_, soft) = keys.hit(pos2(11.0, 1.0), rect).expect("a key");
        assert!(soft < 40, "{soft}");
        assert_eq!(keys.hit(pos2(0.0, 50.0), rect), None);
    }
}
