//! A note element: pitch, value, tie, and all the signs at it.

use roxmltree::Node;

use super::page::{Reader, Steal, Strike, Struck, Transpose};
use super::spans::End;
use super::tree::{child, child_number, child_text, children, has, number, says_yes, text};
use super::tuplets;
use crate::music::notation::{
    Articulation, Base, BeamHint, Chord, Grace, Head, Lyric, NoteValue, Ornament, Ratio, Rest, SpanKind, SpelledPitch,
    Step,
};
use crate::music::{Hand, Pitch, Spelling};
use crate::time::Ticks;

/// Syllables are short; verses are few.
const LYRIC_CHARS_MAX: usize = 60;
const VERSES_MAX: usize = 8;
/// Notes in one chord: ten fingers, and some for the pedal.
const HEADS_MAX: usize = 32;
/// Articulations of one note, and ornaments.
const SIGNS_MAX: usize = 16;

impl Reader<'_, '_> {
    /// Reads a note, a rest, or a further note of a chord.
    pub(super) fn note(&mut self, node: Node<'_, '_>) {
        let grace = child(node, "grace");
        let quarters = if grace.is_some() { 0.0 } else { self.note_duration(node) };
        if has(node, "unpitched") {
            self.drums += 1;
            self.pass(node, quarters);
            return;
        }
        let struck = if has(node, "rest") { None } else { self.struck(node) };
        if has(node, "chord")
            && let Some(last) = self.bar.strikes.last_mut()
            && last.chord.grace.is_some() == grace.is_some()
        {
            if last.heads.len() < HEADS_MAX {
                last.heads.extend(struck);
            }
            let (id, at, staff) = (last.id, last.chord.at, last.chord.staff);
            self.notations(node, id, at, staff);
            return;
        }
        let label: String = child_text(node, "voice").chars().take(8).collect();
        if grace.is_none() {
            self.enter_voice(&label);
        }
        let at = self.ticks(self.cursor);
        let length = self.ticks(self.cursor + quarters) - at;
        let mut chord = Chord::plain(at, self.value(node, length), (self.staff(node), 0, Hand::Right), Vec::new());
        chord.grace = grace.map(|grace| Grace { slash: says_yes(grace, "slash") });
        chord.stem_up = match child_text(node, "stem") {
            "up" => Some(true),
            "down" => Some(false),
            _ => None,
        };
        chord.beam = self.beam(node);
        chord.lyrics = lyrics(node);
        let printed = node.attribute("print-object") != Some("no");
        // Without a printed value a rest as long as its measure is one for the measure.
        let is_whole = || child(node, "type").is_none() && self.is_at_start() && self.fills_measure(quarters);
        let fills = child(node, "rest").is_some_and(|rest| says_yes(rest, "measure") || is_whole());
        if struck.is_none() {
            chord.rest = match (printed, fills) {
                (false, _) => Rest::Hidden,
                (true, true) => Rest::WholeMeasure,
                (true, false) => Rest::Printed,
            };
        }
        let id = self.strikes;
        self.strikes += 1;
        let staff = chord.staff;
        self.bar.strikes.push(Strike {
            printed: printed || struck.is_none(),
            heads: struck.into_iter().collect(),
            chord,
            length,
            id,
            label,
            rolls_down: false,
            steal: grace.map_or(Steal::default(), steal),
            tremolo: None,
            tuplets: Vec::new(),
            part: 0,
        });
        self.notations(node, id, at, staff);
        if fills {
            self.advance_measure_rest(quarters);
        } else {
            self.pass(node, quarters);
        }
    }

    /// Moves on, but for a note of a chord.
    fn pass(&mut self, node: Node<'_, '_>, quarters: f64) {
        if !has(node, "chord") {
            self.advance(quarters);
        }
    }

    /// In quarters; by the printed value where the file gives no duration.
    fn note_duration(&mut self, node: Node<'_, '_>) -> f64 {
        self.duration(node).unwrap_or_else(|| {
            self.warnings.add("a note without duration lasts as long as its value");
            let value = self.value(node, Ticks(i64::from(self.resolution)));
            value.ticks(self.resolution).0 as f64 / f64::from(self.resolution)
        })
    }

    /// The printed value, or the one nearest to how long it lasts.
    fn value(&self, node: Node<'_, '_>, length: Ticks) -> NoteValue {
        let dots = children(node, "dot").take(3).count() as u8;
        let ratio = child(node, "time-modification").and_then(|tuplet| {
            let part = |name| child_number::<u8>(tuplet, name).filter(|n| *n > 0);
            Some(Ratio { actual: part("actual-notes")?, normal: part("normal-notes")? })
        });
        match base(child_text(node, "type")) {
            Some(base) => NoteValue { base, dots, ratio: ratio.filter(|ratio| ratio.actual != ratio.normal) },
            None => value_of(length, self.resolution, ratio),
        }
    }

    /// A pitched note; `None` for one without a pitch that can be read.
    fn struck(&mut self, node: Node<'_, '_>) -> Option<Struck> {
        let pitch = child(node, "pitch").and_then(spelled);
        let Some(written) = pitch else {
            self.warnings.add("a note without a readable pitch is taken for a rest");
            return None;
        };
        let pitch = transposed(written, self.transpose);
        let ties = |name, kind| children(node, name).any(|tie| tie.attribute("type") == Some(kind));
        let notations: Vec<Node<'_, '_>> = children(node, "notations").collect();
        let tied = |kind| {
            ties("tie", kind)
                || (notations.iter().flat_map(|n| children(*n, "tied"))).any(|tie| tie.attribute("type") == Some(kind))
        };
        let technical = notations.iter().flat_map(|n| children(*n, "technical"));
        let finger = technical.flat_map(|n| children(n, "fingering")).find_map(|n| text(n).parse().ok());
        let accidental = child(node, "accidental");
        let key = pitch.pitch();
        if key.is_none() {
            self.warnings.add("a note beyond all keys is not played");
        }
        let dynamics = number::<f64>(node, "dynamics");
        Some(Struck {
            head: Head {
                pitch,
                // Until the measure is known it means: an accidental is printed.
                courtesy: accidental.is_some() && self.transpose.semitones % 12 == 0,
                tied: tied("start"),
                staff: Some(self.staff(node)),
                finger: finger.filter(|finger| (1..=5).contains(finger)),
                sounds: None,
            },
            goes_on: tied("stop"),
            key: key.filter(|_| !has(node, "cue")),
            velocity: dynamics.map(super::signs::velocity),
        })
    }

    fn beam(&mut self, node: Node<'_, '_>) -> BeamHint {
        let first = children(node, "beam").find(|beam| beam.attribute("number").unwrap_or("1") == "1");
        match first.map(text) {
            Some("begin" | "continue") => {
                self.beams = true;
                BeamHint::Joined
            }
            Some(_) => {
                self.beams = true;
                BeamHint::Ends
            }
            None => BeamHint::ByMeter,
        }
    }

    /// Slurs, tuplets, articulations, ornaments and dynamics at a note.
    fn notations(&mut self, node: Node<'_, '_>, id: u32, at: Ticks, staff: u8) {
        for sign in children(node, "notations").flat_map(|node| node.children()).filter(Node::is_element) {
            let strike = self.bar.strikes.last_mut();
            let strike = strike.filter(|strike| strike.chord.ornaments.len() < SIGNS_MAX);
            match (sign.tag_name().name(), strike) {
                ("slur", _) => {
                    let end = End { place: (self.index, at), staff, strike: Some(id), above: above(sign) };
                    self.spans.mark(sign, SpanKind::Slur, end);
                }
                ("tuplet", Some(strike)) if strike.tuplets.len() < tuplets::MARKS_MAX => {
                    strike.tuplets.extend(tuplets::mark(sign));
                }
                ("fermata", Some(strike)) => strike.chord.ornaments.push(Ornament::Fermata),
                ("arpeggiate", Some(strike)) if !strike.chord.ornaments.contains(&Ornament::Arpeggio) => {
                    strike.chord.ornaments.push(Ornament::Arpeggio);
                    strike.rolls_down = sign.attribute("direction") == Some("down");
                }
                ("articulations", Some(strike)) => {
                    for mark in sign.children().filter(Node::is_element) {
                        match mark.tag_name().name() {
                            "breath-mark" => strike.chord.ornaments.push(Ornament::Breath),
                            name => strike.chord.articulations.extend(articulation(name)),
                        }
                    }
                    strike.chord.articulations.truncate(SIGNS_MAX);
                    strike.chord.articulations.dedup();
                }
                ("ornaments", Some(strike)) => {
                    let marks = || sign.children().filter(Node::is_element);
                    strike.chord.ornaments.extend(marks().filter_map(ornament));
                    let half = |mark: Node<'_, '_>| match mark.attribute("type") {
                        Some("start") => Some(true),
                        Some("stop") => Some(false),
                        _ => None,
                    };
                    let tremolo = marks().find(|mark| mark.tag_name().name() == "tremolo");
                    strike.tremolo = tremolo.and_then(half).or(strike.tremolo);
                }
                ("dynamics", _) => {
                    self.dynamics(sign, at, staff, above(sign));
                }
                _ => {}
            }
        }
    }
}

/// Whether a sign stands above, where it says so.
pub(super) fn above(node: Node<'_, '_>) -> Option<bool> {
    match node.attribute("placement").or_else(|| node.attribute("orientation")) {
        Some("above" | "over") => Some(true),
        Some("below" | "under") => Some(false),
        _ => None,
    }
}

/// What a `<pitch>` says, as written.
pub(super) fn spelled(node: Node<'_, '_>) -> Option<SpelledPitch> {
    let letter = child_text(node, "step");
    let step = Step::ALL.into_iter().find(|step| format!("{step:?}") == letter)?;
    let octave = child_number::<i8>(node, "octave").filter(|octave| (-1..=10).contains(octave))?;
    // Quarter tones go to the nearer key towards the letter.
    let alter = child_number::<f64>(node, "alter").unwrap_or(0.0).clamp(-3.0, 3.0).trunc() as i8;
    Some(SpelledPitch { step, alter, octave })
}

/// A pitch moved by an interval: the letter by steps, the key by semitones.
fn transposed(pitch: SpelledPitch, by: Transpose) -> SpelledPitch {
    if (by.steps, by.semitones) == (0, 0) {
        return pitch;
    }
    let key = |pitch: SpelledPitch| (i32::from(pitch.octave) + 1) * 12 + i32::from(pitch.step.semitones());
    let place = pitch.diatonic() + by.steps;
    let (octave, step) = (place.div_euclid(7), Step::ALL[place.rem_euclid(7) as usize]);
    let moved = SpelledPitch { step, alter: 0, octave: octave.clamp(-2, 12) as i8 };
    let wanted = key(pitch) + i32::from(pitch.alter) + by.semitones;
    match i8::try_from(wanted - key(moved)) {
        Ok(alter @ -2..=2) => SpelledPitch { alter, ..moved },
        // A triple accidental is spelled anew.
        _ => u8::try_from(wanted).ok().and_then(Pitch::new).map_or(moved, |p| SpelledPitch::of(p, Spelling::Sharp)),
    }
}

/// A note value by its name.
pub(super) fn base(name: &str) -> Option<Base> {
    Some(match name {
        "maxima" | "long" | "breve" => Base::Breve,
        "whole" => Base::Whole,
        "half" => Base::Half,
        "quarter" => Base::Quarter,
        "eighth" => Base::Eighth,
        "16th" => Base::Sixteenth,
        "32nd" => Base::ThirtySecond,
        "64th" => Base::SixtyFourth,
        "128th" | "256th" | "512th" | "1024th" => Base::HundredTwentyEighth,
        _ => return None,
    })
}

/// The value of a length that the file gives no name for: exact if there is one, else the next shorter.
fn value_of(length: Ticks, resolution: u16, ratio: Option<Ratio>) -> NoteValue {
    let stretched = ratio.map_or(length, |ratio| Ticks(length.0 * i64::from(ratio.actual) / i64::from(ratio.normal)));
    if let Some(value) = NoteValue::of_ticks(stretched, resolution) {
        return NoteValue { ratio, ..value };
    }
    let triplet = Ratio { actual: 3, normal: 2 };
    if let (None, Some(value)) = (ratio, NoteValue::of_ticks(Ticks(length.0 * 3 / 2), resolution)) {
        return NoteValue { ratio: Some(triplet), ..value };
    }
    let shorter = Base::ALL.into_iter().find(|base| NoteValue::plain(*base).ticks(resolution) <= length);
    NoteValue::plain(shorter.unwrap_or(Base::HundredTwentyEighth))
}

/// Where a `<grace>` says that it takes its time, and how much of it in per cent.
fn steal(grace: Node<'_, '_>) -> Steal {
    let share = |name| grace.attribute(name).map(|percent| percent.trim().parse::<f64>().ok());
    let (from_following, percent) = match (share("steal-time-following"), share("steal-time-previous")) {
        (Some(percent), _) => (Some(true), percent),
        (None, Some(percent)) => (Some(false), percent),
        (None, None) => (None, None),
    };
    let share = percent.filter(|percent| percent.is_finite()).map(|percent| percent.clamp(0.0, 100.0) / 100.0);
    Steal { from_following, share }
}

fn articulation(name: &str) -> Option<Articulation> {
    Some(match name {
        "staccato" => Articulation::Staccato,
        "staccatissimo" | "spiccato" => Articulation::Staccatissimo,
        "tenuto" => Articulation::Tenuto,
        "accent" => Articulation::Accent,
        "strong-accent" => Articulation::Marcato,
        "detached-legato" => Articulation::Portato,
        _ => return None,
    })
}

fn ornament(node: Node<'_, '_>) -> Option<Ornament> {
    Some(match node.tag_name().name() {
        "trill-mark" => Ornament::Trill,
        "mordent" => Ornament::Mordent,
        "inverted-mordent" => Ornament::InvertedMordent,
        "turn" | "delayed-turn" => Ornament::Turn,
        "inverted-turn" | "delayed-inverted-turn" => Ornament::InvertedTurn,
        "tremolo" => Ornament::Tremolo(text(node).parse().unwrap_or(3).clamp(1, 5)),
        _ => return None,
    })
}

fn lyrics(node: Node<'_, '_>) -> Vec<Lyric> {
    let lyric = |(place, node): (usize, Node<'_, '_>)| {
        let words: Vec<&str> = children(node, "text").map(text).collect();
        let verse = number::<u8>(node, "number").map_or(place as u8, |n| n.max(1) - 1);
        Lyric {
            verse,
            text: words.join(" ").chars().take(LYRIC_CHARS_MAX).collect(),
            hyphen: matches!(child_text(node, "syllabic"), "begin" | "middle"),
            extends: child(node, "extend").is_some_and(|extend| extend.attribute("type") != Some("stop")),
        }
    };
    let mut lyrics: Vec<Lyric> = children(node, "lyric").take(VERSES_MAX).enumerate().map(lyric).collect();
    lyrics.retain(|lyric| !lyric.text.is_empty());
    lyrics
}
