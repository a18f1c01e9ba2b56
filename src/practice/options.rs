//! What a person chooses before and while practising, and the loop as bars. Plain values.

use serde::{Deserialize, Serialize};

use super::ladder::LadderPlan;
use super::types::{Mode, Preset};
use crate::music::{Bars, Hand, Hands, Percent, Pitch, WrittenNote};
use crate::time::{Micros, Ticks};

/// When the program sounds a hand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Heard {
    /// Always.
    #[default]
    Always,
    /// Never.
    Muted,
    /// Only the notes that the person missed.
    WhenMissed,
}

/// How far apart the key-downs of one chord may be before the chord is coloured late. It never undoes completion.
/// Professionals spread a chord by 31 ms at the median, 69 at p95, 152 at p99, and roll it over up to 420.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChordWindow {
    /// 75 ms: together.
    Tight,
    /// 150 ms: as people play.
    Normal,
    /// 450 ms: rolled.
    Rolled,
    /// Any spread is right.
    #[default]
    None,
}

impl ChordWindow {
    /// From the narrowest to none.
    pub const ALL: [Self; 4] = [Self::Tight, Self::Normal, Self::Rolled, Self::None];

    /// The width; `None` if any spread is right.
    pub const fn micros(self) -> Option<Micros> {
        match self {
            Self::Tight => Some(Micros::from_millis(75)),
            Self::Normal => Some(Micros::from_millis(150)),
            Self::Rolled => Some(Micros::from_millis(450)),
            Self::None => None,
        }
    }
}

/// The keys that a keyboard has, both ends included. What lies outside is played by the program and not required.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct KeyRange {
    /// The lowest key.
    pub low: Pitch,
    /// The highest key.
    pub high: Pitch,
}

impl KeyRange {
    /// All 128 MIDI keys: nothing is known to be lacking.
    pub const ALL: Self = Self { low: Pitch::from_data_byte(0), high: Pitch::from_data_byte(127) };
    /// The 88 keys of a piano.
    pub const PIANO: Self = Self { low: Pitch::PIANO_LOW, high: Pitch::PIANO_HIGH };

    /// Keys of one octave are the fewest that a keyboard has.
    pub const KEYS_MIN: u8 = 12;

    /// How many keys there are.
    pub fn keys(self) -> u8 {
        (self.high.key() + 1).saturating_sub(self.low.key())
    }

    /// The keys that lack, one bit each.
    pub fn lacking(self) -> u128 {
        (0..128).filter(|key| !self.contains(Pitch::from_data_byte(*key))).fold(0, |keys, key| keys | 1 << key)
    }

    /// Whether the keyboard has a key.
    pub fn contains(self, pitch: Pitch) -> bool {
        self.low <= pitch && pitch <= self.high
    }
}

impl Default for KeyRange {
    fn default() -> Self {
        Self::ALL
    }
}

/// Bars by index, the last one included: what a loop repeats, or what is practised. Always `first <= last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BarRange {
    first: u32,
    last: u32,
}

impl BarRange {
    /// From one bar to another, in either order.
    pub fn new(one: usize, other: usize) -> Self {
        Self { first: one.min(other) as u32, last: one.max(other) as u32 }
    }

    /// The bars that hold two ticks, as when dragging over a bar ruler. A later tick that lies exactly on a bar line
    /// does not reach into the next bar.
    pub fn snapped(bars: &Bars, one: Ticks, other: Ticks) -> Self {
        let (from, to) = (one.min(other), one.max(other));
        let last = bars.index_at(if to > from { Ticks(to.0 - 1) } else { to });
        Self::new(bars.index_at(from), last)
    }

    /// The index of the first bar.
    pub fn first(self) -> usize {
        self.first as usize
    }

    /// The index of the last bar, which is included.
    pub fn last(self) -> usize {
        self.last as usize
    }

    /// The same bars as far as the piece has them.
    pub fn within(self, bars: &Bars) -> Self {
        let end = bars.len() as u32 - 1;
        Self { first: self.first.min(end), last: self.last.min(end) }
    }

    /// From the first tick up to, not including, the tick after the last.
    pub fn ticks(self, bars: &Bars) -> (Ticks, Ticks) {
        let range = self.within(bars);
        (bars.get(range.first()).start, bars.get(range.last()).end)
    }

    /// Whether a bar is among them.
    pub fn contains(self, bar: usize) -> bool {
        (self.first()..=self.last()).contains(&bar)
    }
}

/// Everything a person chose for practising a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PracticeSettings {
    /// The mode.
    pub mode: Mode,
    /// The hands that the person plays, and that are judged.
    pub practise: Hands,
    /// When the right hand is sounded by the program.
    pub heard_right: Heard,
    /// When the left hand is sounded by the program.
    pub heard_left: Heard,
    /// The playback speed.
    pub tempo: Percent,
    /// The bars to practise; `None` for the whole piece.
    pub range: Option<BarRange>,
    /// Whether the range is repeated.
    pub looping: bool,
    /// Bars counted in before the first note and before each pass, 0 to 4.
    pub count_in_bars: u8,
    /// Whether the metronome sounds.
    pub metronome: bool,
    /// How strictly timing is coloured.
    pub preset: Preset,
    /// *Wait*: how far apart the notes of a chord may be.
    pub chord_window: ChordWindow,
    /// *Wait*: any key counts as what is written.
    pub any_note: bool,
    /// *Wait*: a wrong key counts as the note, and is reported as an error.
    pub go_on_after_error: bool,
    /// The keys of the person's keyboard.
    pub keyboard: KeyRange,
    /// How the tempo changes from pass to pass.
    #[serde(skip_serializing_if = "is_unchosen")]
    pub ladder: LadderPlan,
}

/// What nobody chose is not written: logs of programs that know no ladder stay what they are.
fn is_unchosen(ladder: &LadderPlan) -> bool {
    *ladder == LadderPlan::default()
}

impl Default for PracticeSettings {
    fn default() -> Self {
        Self {
            mode: Mode::Wait,
            practise: Hands::BOTH,
            heard_right: Heard::Always,
            heard_left: Heard::Always,
            tempo: Percent::FULL,
            range: None,
            looping: false,
            count_in_bars: 1,
            metronome: true,
            preset: Preset::Standard,
            chord_window: ChordWindow::None,
            any_note: false,
            go_on_after_error: false,
            keyboard: KeyRange::ALL,
            ladder: LadderPlan::default(),
        }
    }
}

impl PracticeSettings {
    /// When a hand is sounded by the program.
    pub fn heard(&self, hand: Hand) -> Heard {
        match hand {
            Hand::Right => self.heard_right,
            Hand::Left => self.heard_left,
            Hand::Neither => Heard::Always,
        }
    }

    /// The hands of which the program sounds every note, or only what was missed.
    pub fn sounded(&self, when: Heard) -> Hands {
        Hands { right: self.heard_right == when, left: self.heard_left == when }
    }

    /// Whether a note is the person's to play: of a hand that they practise, and with a key that they have.
    pub fn is_mine(&self, note: &WrittenNote) -> bool {
        self.practise.contains(note.hand) && self.keyboard.contains(note.pitch)
    }

    /// *Wait*: how the music waits: the chord window, whether any key will do, and whether a wrong one goes on.
    pub fn waiting(&self) -> (ChordWindow, bool, bool) {
        (self.chord_window, self.any_note, self.go_on_after_error)
    }

    /// Whether the tempo is the ladder's.
    pub fn climbs(&self) -> bool {
        self.ladder.climbs_in(self.mode)
    }

    /// The ticks to practise: the range, or the whole piece.
    pub fn ticks(&self, bars: &Bars) -> (Ticks, Ticks) {
        let whole = BarRange::new(0, bars.len() - 1);
        self.range.unwrap_or(whole).ticks(bars)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bars() -> Bars {
        Bars::new(480, &[], Ticks(0), Ticks(1920 * 4))
    }

    #[test]
    fn a_loop_snaps_to_whole_bars() {
        for (one, other, first, last) in
            [(0, 1920, 0, 0), (100, 1921, 0, 1), (5000, 200, 0, 2), (1920, 1920, 1, 1), (-50, 999_999, 0, 3)]
        {
            let range = BarRange::snapped(&bars(), Ticks(one), Ticks(other));
            assert_eq!((range.first(), range.last()), (first, last), "{one} to {other}");
        }
    }

    #[test]
    fn a_range_ends_where_the_next_bar_begins_and_stays_within_the_piece() {
        assert_eq!(BarRange::new(2, 1).ticks(&bars()), (Ticks(1920), Ticks(5760)));
        assert_eq!(BarRange::new(3, 70).ticks(&bars()), (Ticks(5760), Ticks(7680)));
        assert_eq!(PracticeSettings::default().ticks(&bars()), (Ticks(0), Ticks(7680)));
    }
}
