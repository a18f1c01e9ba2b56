//! One part, measure by measure: the state that elements change, and what is collected for page and sound.

use std::collections::HashSet;

use roxmltree::Node;

use super::divide::Sign;
use super::outline::{MeasureNode, STAVES_MAX};
use super::spans::Spans;
use super::tree::{child_number, says_yes, text};
use super::tuplets;
use super::warnings::Warnings;
use crate::music::notation::{Chord, Clef, Ending, Head, Jump, Measure};
use crate::music::{KeySignature, Meter, Pitch};
use crate::time::Ticks;

/// Longer measures are cut: the longest cadenzas have a tenth of it.
const MEASURE_QUARTERS_MAX: f64 = 2_000.0;
/// Less than any tick, in quarters: what additions of fractions may be off.
const HAIR: f64 = 1e-6;

/// A note as it was read.
#[derive(Clone, Debug)]
pub(super) struct Struck {
    pub(super) head: Head,
    /// Whether it goes on with a tie.
    pub(super) goes_on: bool,
    /// The key; `None` for what is not played.
    pub(super) key: Option<Pitch>,
    /// What the file says about this very note.
    pub(super) velocity: Option<u8>,
}

/// What the file says about the time of a grace note.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Steal {
    /// Whether from the note that follows, or from the one before.
    pub(super) from_following: Option<bool>,
    /// How much of that note, 0 to 1.
    pub(super) share: Option<f64>,
}

/// A chord or rest as it was read.
#[derive(Clone, Debug)]
pub(super) struct Strike {
    /// Without its heads, which are in `heads`.
    pub(super) chord: Chord,
    pub(super) heads: Vec<Struck>,
    /// How long it lasts by the file, whatever its printed value.
    pub(super) length: Ticks,
    /// Running number in the part.
    pub(super) id: u32,
    /// The file's name of its voice.
    pub(super) label: String,
    /// Whether an arpeggio goes down.
    pub(super) rolls_down: bool,
    /// Of a grace note: where the file says that it takes its time.
    pub(super) steal: Steal,
    /// Which half of a tremolo between two chords it is: the first or not.
    pub(super) tremolo: Option<bool>,
    /// Tuplets that begin and end here.
    pub(super) tuplets: Vec<tuplets::Mark>,
    /// Whether it is on the page.
    pub(super) printed: bool,
    /// Which of the score's parts it belongs to.
    pub(super) part: u16,
}

/// What a sign does to the sound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Sound {
    /// Microseconds of a quarter note.
    Tempo(u32),
    /// Velocity from here on, at a staff.
    Loud(u8, u8),
    /// Velocity of what is struck here only, at a staff.
    Accent(u8, u8),
    /// The sustain pedal, 0 to 127.
    Pedal(u8),
}

/// A measure as it was read.
#[derive(Debug, Default)]
pub(super) struct Bar {
    pub(super) page: Measure,
    pub(super) strikes: Vec<Strike>,
    pub(super) sounds: Vec<(Ticks, Sound)>,
    /// The key that begins here.
    pub(super) key: Option<KeySignature>,
    /// Whether its number is not counted: it may be incomplete.
    pub(super) implicit: bool,
    /// What its metre wants.
    pub(super) due: Ticks,
    /// Where it stands in the text.
    pub(super) byte: usize,
    /// A repeat that ends at its beginning, which belongs to the measure before.
    pub(super) repeat_before: Option<u8>,
    /// Repeat signs between its notes.
    pub(super) within: Vec<(Ticks, Sign)>,
}

/// From written to sounding: steps of the staff and semitones.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Transpose {
    pub(super) steps: i32,
    pub(super) semitones: i32,
}

/// Reads the measures of one part.
pub(super) struct Reader<'w, 't> {
    pub(super) resolution: u16,
    /// The staff at which the part begins.
    pub(super) first_staff: u8,
    pub(super) staves: u8,
    pub(super) warnings: &'w mut Warnings<'t>,
    pub(super) spans: Spans,
    pub(super) bar: Bar,
    /// The clefs at the very beginning.
    pub(super) clefs: [Clef; STAVES_MAX as usize],
    /// Which measure, from 0.
    pub(super) index: u32,
    /// In quarters from the measure's beginning.
    pub(super) cursor: f64,
    pub(super) strikes: u32,
    /// Drum notes, which are left out.
    pub(super) drums: usize,
    pub(super) beams: bool,
    pub(super) transpose: Transpose,
    /// What a measure's end says about the next one.
    pub(super) next_jumps: Vec<Jump>,
    pub(super) next_repeat_start: bool,
    pub(super) divisions: f64,
    pub(super) meter: (u8, u8),
    /// How far the measure reaches by its notes.
    reach: f64,
    /// The file's names of the voices in this measure.
    labels: HashSet<String>,
    ending: Option<Vec<u8>>,
}

impl<'w, 't> Reader<'w, 't> {
    pub(super) fn new(resolution: u16, (first_staff, staves): (u8, u8), warnings: &'w mut Warnings<'t>) -> Self {
        Self {
            resolution,
            first_staff,
            staves,
            warnings,
            spans: Spans::default(),
            bar: Bar::default(),
            clefs: [Clef::Treble; STAVES_MAX as usize],
            index: 0,
            cursor: 0.0,
            strikes: 0,
            drums: 0,
            beams: false,
            transpose: Transpose::default(),
            next_jumps: Vec::new(),
            next_repeat_start: false,
            divisions: 1.0,
            meter: (4, 4),
            reach: 0.0,
            labels: HashSet::new(),
            ending: None,
        }
    }

    /// Reads one measure after the other.
    pub(super) fn measure(&mut self, node: MeasureNode<'_, '_>) -> Bar {
        self.bar = Bar {
            byte: node.head.range().start,
            implicit: says_yes(node.head, "implicit"),
            page: Measure {
                number: measure_number(node.head),
                repeat_start: std::mem::take(&mut self.next_repeat_start),
                jumps: std::mem::take(&mut self.next_jumps),
                ..Measure::default()
            },
            ..Bar::default()
        };
        self.warnings.measure(&self.bar.page.number, self.bar.byte);
        (self.cursor, self.reach) = (0.0, 0.0);
        self.labels.clear();
        for element in node.body.into_iter().flat_map(|body| body.children()).filter(Node::is_element) {
            match element.tag_name().name() {
                "note" => self.note(element),
                "backup" => self.backup(element),
                "forward" => self.advance(self.duration(element).unwrap_or(0.0)),
                "attributes" => self.attributes(element),
                "direction" => self.direction(element),
                "harmony" => self.harmony(element),
                "sound" => self.sound(element, self.ticks(self.cursor), self.first_staff),
                "barline" => self.barline(element),
                _ => {}
            }
        }
        self.finish_measure();
        self.index += 1;
        std::mem::take(&mut self.bar)
    }

    fn finish_measure(&mut self) {
        tuplets::write(&mut self.bar.strikes);
        let (beats, unit) = self.meter;
        self.bar.due = Ticks(Meter { tick: Ticks(0), beats, unit }.bar_ticks(self.resolution));
        let content = self.ticks(self.reach);
        self.bar.page.length = if content.0 > 0 { content } else { self.bar.due };
        if let Some(passes) = &self.ending {
            let ending = Ending { passes: passes.clone(), starts: false, ends: false };
            self.bar.page.ending.get_or_insert(ending);
        }
        if self.bar.page.ending.as_ref().is_some_and(|ending| ending.ends) {
            self.ending = None;
        }
    }

    /// A duration in quarters; `None` where there is none.
    pub(super) fn duration(&self, node: Node<'_, '_>) -> Option<f64> {
        let duration = child_number::<f64>(node, "duration").filter(|n| n.is_finite() && *n >= 0.0)?;
        Some(self.quarters(duration))
    }

    /// The file's divisions as quarters.
    pub(super) fn quarters(&self, divisions: f64) -> f64 {
        let quarters = divisions / self.divisions;
        if quarters.is_finite() { quarters.clamp(-MEASURE_QUARTERS_MAX, MEASURE_QUARTERS_MAX) } else { 0.0 }
    }

    /// Whether nothing of the measure has passed.
    pub(super) fn is_at_start(&self) -> bool {
        self.cursor < HAIR
    }

    /// Whether the measure has all that its metre wants.
    pub(super) fn is_full(&self) -> bool {
        self.fills_measure(self.cursor)
    }

    /// Whether so many quarters are all that the metre wants.
    pub(super) fn fills_measure(&self, quarters: f64) -> bool {
        let (beats, unit) = self.meter;
        quarters >= f64::from(beats) * 4.0 / f64::from(unit) - HAIR
    }

    /// Quarters as ticks.
    pub(super) fn ticks(&self, quarters: f64) -> Ticks {
        Ticks((quarters * f64::from(self.resolution)).round() as i64)
    }

    /// Moves on; what is passed belongs to the measure.
    pub(super) fn advance(&mut self, quarters: f64) {
        self.cursor += quarters;
        if self.cursor > MEASURE_QUARTERS_MAX {
            self.warnings.add("is cut: it is longer than any measure");
            self.cursor = MEASURE_QUARTERS_MAX;
        }
        self.reach = self.reach.max(self.cursor);
    }

    /// Moves on by a rest that fills its measure, however long the file says it is.
    pub(super) fn advance_measure_rest(&mut self, quarters: f64) {
        let (beats, unit) = self.meter;
        self.advance(quarters.min(f64::from(beats) * 4.0 / f64::from(unit)));
    }

    fn backup(&mut self, node: Node<'_, '_>) {
        self.cursor -= self.duration(node).unwrap_or(0.0);
        if self.cursor < -HAIR {
            self.warnings.add("a <backup> goes before its beginning");
        }
        self.cursor = self.cursor.max(0.0);
    }

    /// A further voice that begins where the measure is full has lost its `<backup>`: it begins with the measure.
    pub(super) fn enter_voice(&mut self, label: &str) {
        let lost = self.is_full() && !label.is_empty() && !self.labels.is_empty() && !self.labels.contains(label);
        if lost {
            self.warnings.add("a voice without <backup> is put at its beginning");
            self.cursor = 0.0;
        }
        self.labels.insert(label.to_owned());
    }

    /// The staff of an element, counted from 0 in the page.
    pub(super) fn staff(&self, node: Node<'_, '_>) -> u8 {
        let staff = child_number::<u8>(node, "staff").unwrap_or(1).clamp(1, self.staves);
        self.first_staff + staff - 1
    }

    /// An ending begins or ends in this measure.
    pub(super) fn ending(&mut self, node: Node<'_, '_>) {
        match node.attribute("type") {
            Some("start") => {
                let passes = passes(node.attribute("number").unwrap_or_default(), text(node));
                self.bar.page.ending = Some(Ending { passes: passes.clone(), starts: true, ends: false });
                self.ending = Some(passes);
            }
            _ => {
                let passes = self.ending.clone();
                if let Some(passes) = passes {
                    let ending = Ending { passes, starts: false, ends: false };
                    self.bar.page.ending.get_or_insert(ending).ends = true;
                }
            }
        }
    }
}

/// The number above a measure; programs mark the second half of a divided one with an X.
fn measure_number(node: Node<'_, '_>) -> String {
    let number = node.attribute("number").unwrap_or_default();
    super::super::text::tidy(number).chars().take(8).collect()
}

/// Such as `1`, `1, 2`, `1-3` or `1.2.`; from the text above where the number says nothing.
fn passes(number: &str, text: &str) -> Vec<u8> {
    /// Nobody plays anything more often.
    const PASS_MAX: u8 = 64;
    let read = |from: &str| {
        let mut passes: Vec<u8> = Vec::new();
        for part in from.split([',', ' ', '.']).filter(|part| !part.is_empty()) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            if let (Ok(first), Ok(last)) = (first.parse::<u8>(), last.parse::<u8>()) {
                passes.extend(first.max(1)..=last.min(PASS_MAX));
            }
        }
        passes.truncate(usize::from(PASS_MAX));
        passes
    };
    [read(number), read(text)].into_iter().find(|passes| !passes.is_empty()).unwrap_or_else(|| vec![1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_are_lists_and_ranges() {
        assert_eq!(passes("1", ""), [1]);
        assert_eq!(passes("1, 2", ""), [1, 2]);
        assert_eq!(passes("1-3", ""), [1, 2, 3]);
        assert_eq!(passes("", "1.2."), [1, 2]);
        assert_eq!(passes(" ", ""), [1]);
        assert_eq!(passes("1-255", "").len(), 64);
    }
}
