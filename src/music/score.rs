//! The score: what is written, with repeats already unfolded.

use serde::{Deserialize, Serialize};

use std::collections::BTreeMap;
use std::sync::Arc;

use super::embellishment::{Displaced, OrnamentSpan, beats};
use super::notation::Notation;
use super::{Bars, KeySignature, Meter, Percent, Pitch, Tempo, TempoMap};
use crate::time::{Micros, Ticks};

/// Which hand plays a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Hand {
    /// The right hand, usually the upper staff.
    Right,
    /// The left hand, usually the lower staff.
    Left,
}

/// A choice of hands; both may be off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Hands {
    /// Whether the right hand is meant.
    pub right: bool,
    /// Whether the left hand is meant.
    pub left: bool,
}

impl Hands {
    /// Both hands.
    pub const BOTH: Self = Self { right: true, left: true };
    /// Neither.
    pub const NONE: Self = Self { right: false, left: false };
    /// The right hand alone.
    pub const RIGHT: Self = Self { right: true, left: false };
    /// The left hand alone.
    pub const LEFT: Self = Self { right: false, left: true };

    /// Whether a hand is among them.
    pub const fn contains(self, hand: Hand) -> bool {
        match hand {
            Hand::Right => self.right,
            Hand::Left => self.left,
        }
    }
}

/// The index of a written note in its score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NoteId(pub u32);

/// A note as written: what to play, from when to when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrittenNote {
    /// The first tick.
    pub onset: Ticks,
    /// The tick of the release, after the onset.
    pub end: Ticks,
    /// The key.
    pub pitch: Pitch,
    /// Who plays it.
    pub hand: Hand,
    /// How hard, 1 to 127, for playing it to the person.
    pub velocity: u8,
}

/// A written change of the sustain pedal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PedalChange {
    /// When.
    pub tick: Ticks,
    /// How far down, 0 to 127; 64 and above is down.
    pub value: u8,
}

/// The notes that begin, or are written, on one tick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnsetGroup {
    /// The tick.
    pub tick: Ticks,
    /// The notes, by onset, then ascending in pitch.
    pub notes: Vec<NoteId>,
}

/// What a score is made of, in any order; [`Score::new`] puts it right.
#[derive(Clone, Debug, Default)]
pub struct ScoreParts {
    /// The title, perhaps empty.
    pub title: String,
    /// The composer, perhaps empty.
    pub composer: String,
    /// Ticks to the quarter note.
    pub resolution: u16,
    /// The notes.
    pub notes: Vec<WrittenNote>,
    /// Tempo changes.
    pub tempos: Vec<Tempo>,
    /// Time signatures.
    pub meters: Vec<Meter>,
    /// Key signatures.
    pub keys: Vec<KeySignature>,
    /// Sustain pedal.
    pub pedals: Vec<PedalChange>,
    /// The length of an incomplete first bar, 0 for none.
    pub pickup: Ticks,
    /// The page, if it is known.
    pub notation: Option<Notation>,
    /// Which notes are played beside the tick they are written on.
    pub displaced: Vec<Displaced>,
    /// Trills and their like.
    pub ornaments: Vec<OrnamentSpan>,
}

/// A piece of music as written. Notes are sorted by onset, then pitch, then hand; a [`NoteId`] is an index.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    title: String,
    composer: String,
    notes: Vec<WrittenNote>,
    /// Where each note is written.
    beats: Vec<Ticks>,
    ornaments: Vec<OrnamentSpan>,
    tempo: TempoMap,
    bars: Bars,
    keys: Vec<KeySignature>,
    pedals: Vec<PedalChange>,
    end: Ticks,
    notation: Option<Arc<Notation>>,
    /// What the page is of, where this score's ticks are too coarse for one.
    fine: Option<Arc<Self>>,
}

impl Score {
    /// Sorts and completes the parts. Notes are made at least one tick long; exact duplicates (one onset, pitch and
    /// hand) become one note, the longer.
    pub fn new(mut parts: ScoreParts) -> Self {
        for note in &mut parts.notes {
            note.onset = note.onset.max(Ticks::ZERO);
            note.end = note.end.max(note.onset + Ticks(1));
        }
        parts.notes.sort_by_key(|n| (n.onset, n.pitch, n.hand, std::cmp::Reverse(n.end)));
        parts.notes.dedup_by_key(|n| (n.onset, n.pitch, n.hand));
        parts.keys.sort_by_key(|k| k.tick);
        parts.pedals.sort_by_key(|p| p.tick);
        parts.ornaments.sort_by_key(|o| o.from);
        let end = parts.notes.iter().map(|n| n.end).max().unwrap_or(Ticks::ZERO);
        let resolution = parts.resolution.max(1);
        let page = parts.notation.as_ref().and_then(|page| Bars::of_page(page, resolution, end));
        Self {
            bars: page.unwrap_or_else(|| Bars::new(resolution, &parts.meters, parts.pickup, end)),
            tempo: TempoMap::new(parts.resolution, &parts.tempos),
            title: parts.title,
            composer: parts.composer,
            beats: beats(&parts.notes, &parts.displaced),
            ornaments: parts.ornaments,
            notes: parts.notes,
            keys: parts.keys,
            pedals: parts.pedals,
            end,
            notation: parts.notation.map(Arc::new),
            fine: None,
        }
    }

    /// The same music under another title.
    pub fn with_title(self, title: &str) -> Self {
        Self { title: title.to_owned(), ..self }
    }

    /// The same music by another composer.
    pub fn with_composer(self, composer: &str) -> Self {
        Self { composer: composer.to_owned(), ..self }
    }

    /// The same music on a page that was made for its bars.
    pub fn with_notation(self, page: Option<Notation>) -> Self {
        Self { notation: page.map(Arc::new), ..self }
    }

    /// The same music on the page of one that has the same notes in the same order, at a finer resolution.
    pub fn with_page_of(self, fine: Self) -> Self {
        Self { fine: Some(Arc::new(fine)), ..self }
    }

    /// The title, perhaps empty.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The composer, perhaps empty.
    pub fn composer(&self) -> &str {
        &self.composer
    }

    /// Ticks to the quarter note.
    pub fn resolution(&self) -> u16 {
        self.tempo.resolution()
    }

    /// The notes, sorted by onset, then pitch.
    pub fn notes(&self) -> &[WrittenNote] {
        &self.notes
    }

    /// One note.
    pub fn note(&self, id: NoteId) -> &WrittenNote {
        &self.notes[id.0 as usize]
    }

    /// The notes with their ids.
    pub fn iter(&self) -> impl Iterator<Item = (NoteId, &WrittenNote)> {
        self.notes.iter().enumerate().map(|(i, n)| (NoteId(i as u32), n))
    }

    /// The tick that a note is written on: that of its chord where it is rolled, of the main note for a grace note, its
    /// onset for all others.
    pub fn beat(&self, id: NoteId) -> Ticks {
        self.beats[id.0 as usize]
    }

    /// The index of the bar that a note is written in.
    pub fn bar_of(&self, id: NoteId) -> usize {
        self.bars.index_at(self.beat(id))
    }

    /// Trills and their like, by where they begin.
    pub fn ornaments(&self) -> &[OrnamentSpan] {
        &self.ornaments
    }

    /// Ticks to time.
    pub fn tempo(&self) -> &TempoMap {
        &self.tempo
    }

    /// Where the bars fall.
    pub fn bars(&self) -> &Bars {
        &self.bars
    }

    /// Key signatures in order.
    pub fn keys(&self) -> &[KeySignature] {
        &self.keys
    }

    /// Sustain pedal changes in order.
    pub fn pedals(&self) -> &[PedalChange] {
        &self.pedals
    }

    /// The tick at which the last note is released.
    pub fn end(&self) -> Ticks {
        self.end
    }

    /// The duration as written, at full speed.
    pub fn duration(&self) -> Micros {
        self.tempo.micros(self.end, Percent::FULL)
    }

    /// The page, if it is known. Its ticks are those of [`Score::on_page`].
    pub fn notation(&self) -> Option<&Arc<Notation>> {
        self.on_page().notation.as_ref()
    }

    /// The same music, note by note, at the resolution that its page is written at: this score itself as a rule.
    pub fn on_page(&self) -> &Self {
        self.fine.as_deref().unwrap_or(self)
    }

    /// The note of this onset, key and hand.
    pub fn find(&self, onset: Ticks, pitch: Pitch, hand: Hand) -> Option<NoteId> {
        let found = self.notes.binary_search_by_key(&(onset, pitch, hand), |n| (n.onset, n.pitch, n.hand));
        found.ok().map(|index| NoteId(index as u32))
    }

    /// The onset groups of the chosen hands in `[from, to)`, in order. Several notes of one pitch on one tick (a
    /// unison of both hands) are all in the group.
    pub fn onset_groups(&self, hands: Hands, from: Ticks, to: Ticks) -> Vec<OnsetGroup> {
        let mut groups: Vec<OnsetGroup> = Vec::new();
        let first = self.notes.partition_point(|n| n.onset < from);
        for (id, note) in self.iter().skip(first).take_while(|(_, n)| n.onset < to) {
            if !hands.contains(note.hand) {
                continue;
            }
            match groups.last_mut() {
                Some(group) if group.tick == note.onset => group.notes.push(id),
                _ => groups.push(OnsetGroup { tick: note.onset, notes: vec![id] }),
            }
        }
        groups
    }

    /// The notes of the chosen hands that are written in `[from, to)`, grouped by the tick they are written on, in order: a
    /// rolled chord is one group, and so is a main note with its grace notes. Within a group by onset, then pitch.
    pub fn written_groups(&self, hands: Hands, from: Ticks, to: Ticks) -> Vec<OnsetGroup> {
        let mut groups: BTreeMap<Ticks, Vec<NoteId>> = BTreeMap::new();
        let chosen = self.iter().filter(|(_, note)| hands.contains(note.hand));
        for (id, beat) in chosen.map(|(id, _)| (id, self.beat(id))).filter(|(_, beat)| (from..to).contains(beat)) {
            groups.entry(beat).or_default().push(id);
        }
        groups.into_iter().map(|(tick, notes)| OnsetGroup { tick, notes }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(onset: i64, key: u8, hand: Hand) -> WrittenNote {
        WrittenNote { onset: Ticks(onset), end: Ticks(onset + 10), pitch: Pitch::new(key).unwrap(), hand, velocity: 80 }
    }

    #[test]
    fn groups_hold_the_chosen_hand_by_tick() {
        let notes = vec![
            note(480, 60, Hand::Right),
            note(0, 64, Hand::Right),
            note(0, 48, Hand::Left),
            note(0, 48, Hand::Left),
        ];
        let score = Score::new(ScoreParts { resolution: 480, notes, ..Default::default() });
        assert_eq!(score.notes().len(), 3, "the duplicate is gone");
        let both = score.onset_groups(Hands::BOTH, Ticks(0), score.end());
        assert_eq!(both.iter().map(|g| g.notes.len()).collect::<Vec<_>>(), [2, 1]);
        let left = score.onset_groups(Hands::LEFT, Ticks(0), score.end());
        assert_eq!(left.len(), 1);
        assert!(score.onset_groups(Hands::BOTH, Ticks(1), Ticks(480)).is_empty());
    }
}
