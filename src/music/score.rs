//! The score: what is written, with repeats already unfolded.

use serde::{Deserialize, Serialize};

use std::collections::BTreeMap;
use std::sync::Arc;

use super::embellishment::{Displaced, OrnamentSpan, beats, graces};
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
    /// Nobody's: the program plays it.
    Neither,
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
            Hand::Neither => false,
        }
    }

    /// With a hand that was not among them, or without one that was; whoever takes the last one away takes the other.
    pub const fn toggled(self, hand: Hand) -> Self {
        let toggled = match hand {
            Hand::Right => Self { right: !self.right, ..self },
            Hand::Left => Self { left: !self.left, ..self },
            Hand::Neither => self,
        };
        match (toggled.right, toggled.left, hand) {
            (false, false, Hand::Right) => Self::LEFT,
            (false, false, Hand::Left) => Self::RIGHT,
            _ => toggled,
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
    /// The names of the tracks or channels that the notes come from, perhaps empty ones; none where the staves are the
    /// parts.
    pub part_names: Vec<String>,
    /// For each note the index of its part; where that is not said, its staff: 0 for the upper.
    pub note_parts: Vec<u16>,
    /// Which notes are played beside the tick they are written on.
    pub displaced: Vec<Displaced>,
    /// Trills and their like.
    pub ornaments: Vec<OrnamentSpan>,
}

/// Where the notes of a score come from.
#[derive(Clone, Debug, PartialEq)]
struct Parts {
    names: Vec<String>,
    /// For each note.
    of: Vec<u16>,
}

/// A piece of music as written. Notes are sorted by onset, then pitch, then hand as first found; a [`NoteId`] is an
/// index, and stays when hands are changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    title: String,
    composer: String,
    notes: Vec<WrittenNote>,
    /// Whose each note is on the page, where that is not whose it is now.
    printed: Option<Arc<[Hand]>>,
    parts: Arc<Parts>,
    /// Where each note is written.
    beats: Vec<Ticks>,
    graces: Vec<bool>,
    ornaments: Vec<OrnamentSpan>,
    tempo: TempoMap,
    bars: Bars,
    keys: Vec<KeySignature>,
    pedals: Vec<PedalChange>,
    end: Ticks,
    notation: Option<Arc<Notation>>,
    /// Whether the page was made from the notes, rather than read with them.
    page_is_made: bool,
    /// What the page is of, where this score's ticks are too coarse for one.
    fine: Option<Arc<Self>>,
}

impl Score {
    /// Sorts and completes the parts. Notes are made at least one tick long; exact duplicates (one onset, pitch and
    /// hand, and one part where it is nobody's) become one note, the longer.
    pub fn new(mut parts: ScoreParts) -> Self {
        for note in &mut parts.notes {
            note.onset = note.onset.max(Ticks::ZERO);
            note.end = note.end.max(note.onset + Ticks(1));
        }
        let (notes, of) = sorted(parts.notes, &parts.note_parts);
        parts.notes = notes;
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
            graces: graces(&parts.notes, &parts.displaced),
            ornaments: parts.ornaments,
            notes: parts.notes,
            printed: None,
            parts: Arc::new(Parts { names: parts.part_names, of }),
            keys: parts.keys,
            pedals: parts.pedals,
            end,
            notation: parts.notation.map(Arc::new),
            page_is_made: false,
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
        Self { notation: page.map(Arc::new), page_is_made: true, printed: None, ..self }
    }

    /// The same music on another page that was made for it, wherever that is kept.
    pub fn with_page(self, page: Option<Notation>) -> Self {
        match self.fine.clone() {
            Some(fine) => Self { fine: Some(Arc::new((*fine).clone().with_notation(page))), ..self },
            None => self.with_notation(page),
        }
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

    /// Whether a note is a grace note, which its main note can do without.
    pub fn is_grace(&self, id: NoteId) -> bool {
        self.graces[id.0 as usize]
    }

    /// The index of the bar that a note is written in.
    pub fn bar_of(&self, id: NoteId) -> usize {
        self.bars.index_at(self.beat(id))
    }

    /// Where a note stands in its bar, in beats of the metre from 1; between two beats a fraction. An upbeat has the last
    /// beats of a whole bar.
    pub fn beat_in_bar(&self, id: NoteId) -> f64 {
        let index = self.bar_of(id);
        let bar = self.bars.get(index);
        let into = self.note(id).onset - bar.start + self.bars.missing(index, self.resolution());
        1.0 + into.0 as f64 / bar.meter.beat_ticks(self.resolution()) as f64
    }

    /// The written tempo at a tick as a metronome counts it: so many of the metre's units a minute, and the unit (4 is a
    /// quarter).
    pub fn beats_per_minute(&self, tick: Ticks) -> (f64, u8) {
        let unit = self.bars.get(self.bars.index_at(tick)).meter.unit.max(1);
        (self.tempo.quarters_per_minute(tick) * f64::from(unit) / 4.0, unit)
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

    /// The note of this onset and key that is this hand's on the page.
    pub fn find(&self, onset: Ticks, pitch: Pitch, hand: Hand) -> Option<NoteId> {
        let first = self.notes.partition_point(|n| (n.onset, n.pitch) < (onset, pitch));
        let same = |index: &usize| self.notes.get(*index).is_some_and(|n| (n.onset, n.pitch) == (onset, pitch));
        let printed = |index: usize| match &self.printed {
            Some(hands) => hands.get(index).copied(),
            None => Some(self.notes[index].hand),
        };
        let found = (first..).take_while(same).find(|index| printed(*index) == Some(hand));
        found.map(|index| NoteId(index as u32))
    }

    /// The names of the parts that the notes come from: tracks or channels, perhaps without a name; none where the staves
    /// are the parts, the upper one first.
    pub fn parts(&self) -> &[String] {
        &self.parts.names
    }

    /// The part of a note; a score that knows no parts has its staves as the first two.
    pub fn part_of(&self, id: NoteId) -> u16 {
        self.parts.of.get(id.0 as usize).copied().unwrap_or_default()
    }

    /// Whether the page was made from the notes, so that it has to be made again when hands change.
    pub fn page_is_made(&self) -> bool {
        self.on_page().page_is_made
    }

    /// Whether a hand has a note that was nobody's when the page was printed, and does not stand on it.
    pub fn lacks_on_page(&self) -> bool {
        let printed = self.printed.iter().flat_map(|hands| hands.iter());
        printed.zip(&self.notes).any(|(before, note)| *before == Hand::Neither && note.hand != Hand::Neither)
    }

    /// The same notes, with the same ids, played by other hands. The page is still what it was.
    pub fn with_hands(&self, hands: &[Hand]) -> Self {
        let printed = self.printed.clone().unwrap_or_else(|| self.notes.iter().map(|note| note.hand).collect());
        let mut changed = self.clone();
        for (note, hand) in changed.notes.iter_mut().zip(hands) {
            note.hand = *hand;
        }
        changed.fine = self.fine.as_ref().map(|fine| Arc::new(fine.with_hands(hands)));
        Self { printed: Some(printed), ..changed }
    }

    /// The notes as they can be put on a page: in order of their present hands, and each key once in a hand.
    pub fn for_page(&self) -> Self {
        let (notes, _) = sorted(self.notes.clone(), &[]);
        let parts = Parts { names: Vec::new(), of: Vec::new() };
        Self { beats: beats(&notes, &[]), notes, printed: None, parts: Arc::new(parts), fine: None, ..self.clone() }
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

/// Notes in their order, each once in a hand, or in a part of those that are nobody's; with the parts that they come from.
fn sorted(notes: Vec<WrittenNote>, parts: &[u16]) -> (Vec<WrittenNote>, Vec<u16>) {
    let staff = |note: &WrittenNote| u16::from(note.hand != Hand::Right);
    let part = |(i, note): (usize, WrittenNote)| (note, parts.get(i).copied().unwrap_or_else(|| staff(&note)));
    let mut all: Vec<(WrittenNote, u16)> = notes.into_iter().enumerate().map(part).collect();
    let own = |hand: Hand, part: u16| if hand == Hand::Neither { part } else { 0 };
    all.sort_by_key(|(n, part)| (n.onset, n.pitch, n.hand, own(n.hand, *part), std::cmp::Reverse(n.end)));
    all.dedup_by_key(|(n, part)| (n.onset, n.pitch, n.hand, own(n.hand, *part)));
    all.into_iter().unzip()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(onset: i64, key: u8, hand: Hand) -> WrittenNote {
        WrittenNote { onset: Ticks(onset), end: Ticks(onset + 10), pitch: Pitch::new(key).unwrap(), hand, velocity: 80 }
    }

    #[test]
    fn whoever_takes_the_last_hand_away_takes_the_other() {
        assert_eq!(Hands::BOTH.toggled(Hand::Right), Hands::LEFT);
        assert_eq!(Hands::LEFT.toggled(Hand::Left), Hands::RIGHT);
        assert_eq!(Hands::RIGHT.toggled(Hand::Right), Hands::LEFT);
        assert_eq!(Hands::RIGHT.toggled(Hand::Left), Hands::BOTH);
        assert_eq!(Hands::NONE.toggled(Hand::Left), Hands::LEFT, "as old settings may have it");
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

    #[test]
    fn ids_and_page_stay_when_hands_change() {
        let notes = vec![note(0, 60, Hand::Left), note(0, 60, Hand::Right), note(480, 62, Hand::Right)];
        let score = Score::new(ScoreParts { resolution: 480, notes, ..Default::default() });
        let changed = score.with_hands(&[Hand::Left, Hand::Left, Hand::Neither]);
        assert_eq!(changed.notes().iter().map(|n| n.hand).collect::<Vec<_>>(), [Hand::Left, Hand::Left, Hand::Neither]);
        let middle_c = Pitch::MIDDLE_C;
        for hand in [Hand::Right, Hand::Left] {
            assert_eq!(changed.find(Ticks(0), middle_c, hand), score.find(Ticks(0), middle_c, hand), "{hand:?}");
        }
        assert_eq!([0, 1, 2].map(|id| changed.part_of(NoteId(id))), [0, 1, 0], "the staves are the parts");
        assert_eq!(changed.for_page().notes().len(), 2, "on one staff a key is written once");
        let groups = changed.onset_groups(Hands::BOTH, Ticks(0), Ticks(9_999));
        assert_eq!(groups.len(), 1, "what is nobody's is not asked for");
    }
}
