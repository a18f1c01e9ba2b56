//! What belongs to single notes: articulations, fingers, ornaments, syllables; and words and dynamics beside them.

use super::canvas::Canvas;
use super::chords::ARPEGGIO_HALF;
use super::draw::ChordPlace;
use super::font;
use super::glyphs as g;
pub(super) use super::lettering::text_width;
use super::shape::{Align, Bounds, Part, Point, Shape, Tag, TextKind};
use crate::music::Hand;
use crate::music::notation::{Articulation, Chord, Direction, DirectionKind, NoteValue, Ornament};

/// The sizes of texts in spaces.
pub(super) const LYRIC_SIZE: f32 = 2.0;
const WORDS_SIZE: f32 = 2.0;
const TEMPO_SIZE: f32 = 2.2;
/// From a place to the middle of the loudness there: that of a head.
const DYNAMIC_MIDDLE: f32 = 0.6;
/// From what is below or above a mark.
const GAP: f32 = 0.35;

/// Draws the marks of a chord.
pub(super) fn chord_ui(canvas: &mut Canvas, chord: &Chord, place: &ChordPlace) {
    let tag = Tag {
        part: Part::Mark,
        chord: Some(place.chord as u16),
        staff: place.staff,
        hand: Some(place.hand),
        ..Tag::default()
    };
    articulations_ui(canvas, chord, place, tag);
    fingers_ui(canvas, place, tag);
    for ornament in &chord.ornaments {
        ornament_ui(canvas, *ornament, place, tag);
    }
}

/// At the heads, opposite the stem; in two voices outside of both (Gould, pp. 117-119).
fn articulations_ui(canvas: &mut Canvas, chord: &Chord, place: &ChordPlace, tag: Tag) {
    if chord.articulations.is_empty() || place.heads.is_empty() {
        return;
    }
    let marcato_only = chord.articulations.iter().all(|a| *a == Articulation::Marcato);
    let above = place.upper.unwrap_or(!place.up || marcato_only);
    let way = if above { -1.0 } else { 1.0 };
    let head = if above { place.heads.last() } else { place.heads.first() };
    let Some(head) = head else { return };
    let x = place.x;
    let staff_top = canvas.y(place.staff, 0.0);
    // From the middle of the head, or from the stem's end.
    let at_stem = place.tip.filter(|_| place.up == above);
    let mut y = at_stem.map_or((head.bounds.top + head.bounds.bottom) / 2.0 + way * 0.55, |tip| tip.y);
    for articulation in &chord.articulations {
        let glyph = font::articulation(*articulation, above);
        let height = glyph.top - glyph.bottom;
        let small = matches!(articulation, Articulation::Staccato | Articulation::Tenuto);
        let mut middle = y + way * (GAP * 0.6 + height / 2.0);
        if small {
            // Small signs go into spaces of the staff: a half from each line.
            let on_staff = middle - staff_top;
            if (0.0..=4.0).contains(&on_staff) {
                let space = if above { (on_staff - 0.5).floor() + 0.5 } else { (on_staff - 0.5).ceil() + 0.5 };
                middle = staff_top + space;
            }
        } else {
            // Outside of the staff, of ties, and of what else is there.
            let (left, right) = (x - glyph.width() / 2.0, x + glyph.width() / 2.0);
            middle = if above {
                middle.min(canvas.top(place.staff, left, right) - GAP - height / 2.0)
            } else {
                middle.max(canvas.bottom(place.staff, left, right) + GAP + height / 2.0)
            };
        }
        let origin = middle + (glyph.top + glyph.bottom) / 2.0;
        canvas.centered(glyph, x, origin, 1.0, tag);
        y = middle + way * height / 2.0;
    }
}

/// Fingers of the right hand above, of the left hand below, in the order of the notes.
fn fingers_ui(canvas: &mut Canvas, place: &ChordPlace, tag: Tag) {
    let above = place.upper.unwrap_or(place.hand == Hand::Right);
    let fingers: Vec<(f32, u8)> =
        place.heads.iter().filter_map(|h| Some(((h.bounds.left + h.bounds.right) / 2.0, h.finger?))).collect();
    let ordered: Vec<(f32, u8)> = if above { fingers } else { fingers.into_iter().rev().collect() };
    for (_, finger) in ordered {
        let Some(glyph) = font::FINGERING.get(usize::from(finger).wrapping_sub(1)) else { continue };
        let half = glyph.width() / 2.0;
        let y = if above {
            canvas.top(place.staff, place.x - half, place.x + half) - GAP
        } else {
            canvas.bottom(place.staff, place.x - half, place.x + half) + GAP + glyph.top
        };
        canvas.centered(*glyph, place.x, y, 1.0, tag);
    }
}

fn ornament_ui(canvas: &mut Canvas, ornament: Ornament, place: &ChordPlace, tag: Tag) {
    let below = place.upper == Some(false);
    let glyph = match ornament {
        Ornament::Fermata if below => g::FERMATA_BELOW,
        Ornament::Fermata => g::FERMATA_ABOVE,
        Ornament::Trill => g::ORNAMENT_TRILL,
        Ornament::Mordent => g::ORNAMENT_MORDENT,
        Ornament::InvertedMordent => g::ORNAMENT_SHORT_TRILL,
        Ornament::Turn => g::ORNAMENT_TURN,
        Ornament::InvertedTurn => g::ORNAMENT_TURN_INVERTED,
        Ornament::Tremolo(strokes) => return tremolo_ui(canvas, strokes, place, tag),
        Ornament::Arpeggio => return arpeggio_ui(canvas, place, tag),
        Ornament::Breath => {
            let at = Point::new(place.bounds.right + 1.0, canvas.y(place.staff, -0.3));
            canvas.glyph(g::BREATH_MARK_COMMA, at, 1.0, tag);
            return;
        }
    };
    let half = glyph.width() / 2.0;
    let (left, right) = (place.x - half, place.x + half);
    let y = if ornament == Ornament::Fermata && below {
        canvas.bottom(place.staff, left, right) + GAP + glyph.top
    } else {
        canvas.top(place.staff, left, right) - GAP + glyph.bottom.min(0.0)
    };
    canvas.centered(glyph, place.x, y, 1.0, tag);
}

/// Strokes through the middle of the stem.
fn tremolo_ui(canvas: &mut Canvas, strokes: u8, place: &ChordPlace, tag: Tag) {
    let Some(glyph) = font::TREMOLO.get(usize::from(strokes).wrapping_sub(1)) else { return };
    let (x, y) = match (place.tip, place.heads.is_empty()) {
        (_, true) => return,
        (Some(tip), _) => {
            let head = if place.up { place.heads.last() } else { place.heads.first() };
            (tip.x, (tip.y + head.map_or(tip.y, |h| (h.bounds.top + h.bounds.bottom) / 2.0)) / 2.0)
        }
        (None, _) => (place.x, place.bounds.top - 1.2),
    };
    canvas.centered(*glyph, x, y + (glyph.top + glyph.bottom) / 2.0, 1.0, tag);
}

/// A wavy line to the left of the chord.
fn arpeggio_ui(canvas: &mut Canvas, place: &ChordPlace, tag: Tag) {
    let (x, width) = (place.arpeggio_x, ARPEGGIO_HALF);
    let Some(heads) = place.heads.iter().map(|head| head.bounds).reduce(Bounds::join) else { return };
    let (top, end) = (heads.top, heads.bottom);
    let mut y = top;
    let mut side = 1.0;
    // A half wave a space; a staff's chord is at most some forty spaces high.
    for _ in 0..80 {
        let next = (y + 0.5).min(end);
        if next - y < 0.05 {
            break;
        }
        let points = [
            Point::new(x, y),
            Point::new(x + width * side, y + 0.12),
            Point::new(x + width * side, next - 0.12),
            Point::new(x, next),
        ];
        canvas.push(Shape::Curve { points, middle: 0.22, ends: 0.12 }, tag);
        side = -side;
        y = next;
    }
    canvas.keep(place.staff, Bounds { left: x - width, right: x + width, top, bottom: end });
}

/// The height at which dynamics, hairpins and words below a staff stand: between two staves in their middle, unless
/// something is in the way.
pub(super) fn lane_below(canvas: &Canvas, staff: u8, left: f32, right: f32) -> f32 {
    let bottom = canvas.bottom(staff, left, right);
    if usize::from(staff) + 1 < canvas.staves.len() {
        let next = canvas.top(staff + 1, left, right);
        let middle = (canvas.y(staff, 4.0) + canvas.y(staff + 1, 0.0)) / 2.0;
        if bottom + 1.1 > middle || next - 1.1 < middle { (bottom + next) / 2.0 } else { middle }
    } else {
        (canvas.y(staff, 4.0) + 2.6).max(bottom + 1.3)
    }
}

/// The height above a staff where marks of such a height stand on.
fn lane_above(canvas: &Canvas, staff: u8, left: f32, right: f32) -> f32 {
    (canvas.y(staff, 0.0) - 1.4).min(canvas.top(staff, left, right) - GAP - 0.25)
}

/// From a place to the right edge of the loudness that stands there.
pub(super) fn dynamic_right(kind: &DirectionKind) -> Option<f32> {
    let DirectionKind::Dynamic(dynamic) = kind else { return None };
    Some(DYNAMIC_MIDDLE + font::dynamic(*dynamic).width() / 2.0)
}

/// Draws a word or sign at `x`.
pub(super) fn direction_ui(canvas: &mut Canvas, direction: &Direction, x: f32) {
    let staff = direction.staff.min(canvas.staves.len().saturating_sub(1) as u8);
    let tag = Tag { staff, ..Tag::default() };
    match &direction.kind {
        DirectionKind::Dynamic(dynamic) => {
            let glyph = font::dynamic(*dynamic);
            let middle = x + DYNAMIC_MIDDLE;
            let (left, right) = (middle - glyph.width() / 2.0, middle + glyph.width() / 2.0);
            let y = if direction.above == Some(true) && staff == 0 {
                lane_above(canvas, staff, left, right)
            } else {
                let lane = if direction.above == Some(true) { staff - 1 } else { staff };
                // The height of a letter without stroke is about one space.
                lane_below(canvas, lane, left, right) + 0.5
            };
            canvas.centered(glyph, middle, y, 1.0, tag);
        }
        DirectionKind::Words(text) => {
            let right = x + text_width(text, WORDS_SIZE);
            let above = direction.above.unwrap_or(false);
            let y = if above {
                lane_above(canvas, staff, x, right)
            } else {
                lane_below(canvas, staff, x, right) + WORDS_SIZE * 0.3
            };
            canvas.text(text, Point::new(x, y), WORDS_SIZE, TextKind::Italic, Align::Left, tag);
        }
        DirectionKind::Tempo(text) | DirectionKind::Harmony(text) => {
            let y = lane_above(canvas, staff, x, x + text_width(text, TEMPO_SIZE));
            canvas.text(text, Point::new(x, y), TEMPO_SIZE, TextKind::Bold, Align::Left, tag);
        }
        DirectionKind::Metronome(value, number) => {
            let y = lane_above(canvas, staff, x, x + metronome_width(*number));
            metronome_ui(canvas, (*value, *number), Point::new(x, y), tag);
        }
        DirectionKind::PedalDown | DirectionKind::PedalUp => {
            let glyph = match direction.kind {
                DirectionKind::PedalDown => g::KEYBOARD_PEDAL_PED,
                _ => g::KEYBOARD_PEDAL_UP,
            };
            let staff = canvas.staves.len().saturating_sub(1) as u8;
            let bottom = canvas.bottom(staff, x, x + glyph.width());
            let y = (canvas.y(staff, 4.0) + 3.4).max(bottom + GAP + glyph.top);
            canvas.glyph(glyph, Point::new(x, y), 1.0, Tag { staff, ..tag });
        }
    }
}

/// A tempo word with the metronome mark behind it, on one line.
pub(super) fn tempo_ui(canvas: &mut Canvas, staff: u8, word: &str, mark: (NoteValue, f32), x: f32) {
    let tag = Tag { staff, ..Tag::default() };
    let behind = x + text_width(word, TEMPO_SIZE) + 0.9;
    let y = lane_above(canvas, staff, x, behind + metronome_width(mark.1));
    canvas.text(word, Point::new(x, y), TEMPO_SIZE, TextKind::Bold, Align::Left, tag);
    metronome_ui(canvas, mark, Point::new(behind, y), tag);
}

fn metronome_words(number: f32) -> String {
    format!("= {}", (f64::from(number) * 10.0).round() / 10.0)
}

fn metronome_width(number: f32) -> f32 {
    2.2 + text_width(&metronome_words(number), TEMPO_SIZE)
}

/// ♩ = 96
fn metronome_ui(canvas: &mut Canvas, (value, number): (NoteValue, f32), at: Point, tag: Tag) {
    use crate::music::notation::Base;
    let glyph = match value.base {
        Base::Breve => g::MET_NOTE_DOUBLE_WHOLE,
        Base::Whole => g::MET_NOTE_WHOLE,
        Base::Half => g::MET_NOTE_HALF_UP,
        Base::Quarter => g::MET_NOTE_QUARTER_UP,
        Base::Eighth => g::MET_NOTE_8TH_UP,
        Base::Sixteenth => g::MET_NOTE_16TH_UP,
        _ => g::MET_NOTE_32ND_UP,
    };
    let scale = 0.75;
    let mut x = canvas.glyph(glyph, at, scale, tag).right + 0.25;
    for _ in 0..value.dots {
        x = canvas.glyph(g::MET_AUGMENTATION_DOT, Point::new(x, at.y), scale, tag).right + 0.2;
    }
    let words = metronome_words(number);
    canvas.text(&words, Point::new(x + 0.3, at.y), TEMPO_SIZE * 0.9, TextKind::Number, Align::Left, tag);
}
