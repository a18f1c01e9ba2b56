//! Metres, key signatures, and where the bars fall.

use std::fmt;

use super::notation::Notation;
use crate::time::Ticks;

/// A time signature that holds from `tick` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meter {
    /// Where it begins.
    pub tick: Ticks,
    /// Beats in a bar, at least 1.
    pub beats: u8,
    /// The note value of a beat: 4 is a quarter note. A power of two.
    pub unit: u8,
}

impl Meter {
    /// Ticks of one beat, at least 1.
    pub fn beat_ticks(self, resolution: u16) -> i64 {
        (i64::from(resolution) * 4 / i64::from(self.unit.max(1))).max(1)
    }

    /// Ticks of one bar, at least 1.
    pub fn bar_ticks(self, resolution: u16) -> i64 {
        self.beat_ticks(resolution) * i64::from(self.beats.max(1))
    }
}

/// A key signature that holds from `tick` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySignature {
    /// Where it begins.
    pub tick: Ticks,
    /// Sharps if positive, flats if negative; -7 to 7.
    pub fifths: i8,
    /// Whether the key is minor.
    pub minor: bool,
}

/// One bar, from its first tick up to the next bar's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    /// The first tick.
    pub start: Ticks,
    /// The tick after the last.
    pub end: Ticks,
    /// The metre in force.
    pub meter: Meter,
}

/// Where the bars fall: contiguous from tick 0 to at least the end of the music, never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bars {
    bars: Vec<Bar>,
    /// What a musician calls each.
    numbers: Vec<BarNumber>,
}

/// How many ticks a bar lacks at its beginning: the beats of an upbeat are the last of its bar, at the beginning of the
/// piece as after a repeat, where it completes the short bar before.
pub fn missing_ticks(bars: &[Bar], begins_with_upbeat: bool, at: usize, resolution: u16) -> i64 {
    let bar = bars[at];
    let length = |bar: &Bar| bar.end.0 - bar.start.0;
    let missing = bar.meter.bar_ticks(resolution) - length(&bar);
    let is_upbeat = match at.checked_sub(1).map(|before| bars[before]) {
        None => begins_with_upbeat,
        Some(before) => {
            (before.meter.beats, before.meter.unit) == (bar.meter.beats, bar.meter.unit) && missing == length(&before)
        }
    };
    if is_upbeat { missing.max(0) } else { 0 }
}

/// So many bars at most; a file that claims more is cut there rather than filling the memory.
const BARS_MAX: usize = 100_000;

impl Bars {
    /// Bars from time signatures (4/4 until the first one). `pickup` is the length of an incomplete first bar, 0 for
    /// none. A change of metre within a bar ends the bar there.
    pub fn new(resolution: u16, meters: &[Meter], pickup: Ticks, end: Ticks) -> Self {
        let mut sorted = meters.to_vec();
        sorted.sort_by_key(|m| m.tick);
        let mut meter = Meter { tick: Ticks(0), beats: 4, unit: 4 };
        let mut next = 0;
        let mut bars = Vec::new();
        let mut start = 0;
        loop {
            while sorted.get(next).is_some_and(|m| m.tick.0 <= start) {
                meter = sorted[next];
                next += 1;
            }
            let length = if start == 0 && pickup.0 > 0 { pickup.0 } else { meter.bar_ticks(resolution) };
            let mut stop = start + length;
            if let Some(change) = sorted.get(next) {
                stop = stop.min(change.tick.0);
            }
            bars.push(Bar { start: Ticks(start), end: Ticks(stop), meter });
            start = stop;
            if start >= end.0 || bars.len() >= BARS_MAX {
                break;
            }
        }
        let first = if pickup.0 > 0 { 0 } else { 1 };
        Self { numbers: (first..).take(bars.len()).map(BarNumber::from).collect(), bars }
    }

    /// The bars of a page in the order in which they are played; `None` for a page without any. What is not printed up
    /// to `end` is counted on in the last metre.
    pub fn of_page(page: &Notation, resolution: u16, end: Ticks) -> Option<Self> {
        let printed = printed_numbers(page);
        let (mut bars, mut numbers, mut played) = (Vec::new(), Vec::new(), vec![0; page.measures.len()]);
        let meters: Vec<(u8, u8)> = (page.measures.iter())
            .scan((4, 4), |meter, measure| {
                *meter = measure.meter.unwrap_or(*meter);
                Some(*meter)
            })
            .collect();
        for passage in page.passages.iter().take(BARS_MAX) {
            let measure = page.measures.get(passage.measure as usize)?;
            let (start, (beats, unit)) = (passage.start, meters[passage.measure as usize]);
            let stop = start + measure.length.max(Ticks(1));
            bars.push(Bar { start, end: stop, meter: Meter { tick: start, beats, unit } });
            let times = &mut played[passage.measure as usize];
            *times += 1;
            numbers.push(BarNumber { time: *times, ..printed[passage.measure as usize] });
        }
        while let Some(last) = bars.last().copied().filter(|last| last.end < end && bars.len() < BARS_MAX) {
            let stop = last.end + Ticks(last.meter.bar_ticks(resolution));
            bars.push(Bar { start: last.end, end: stop, meter: last.meter });
            numbers.push(BarNumber::from(numbers.last().map_or(1, |number| number.count + 1)));
        }
        (!bars.is_empty()).then_some(Self { bars, numbers })
    }

    /// How many bars there are; never 0.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.bars.len()
    }

    /// The bars in order.
    pub fn as_slice(&self) -> &[Bar] {
        &self.bars
    }

    /// The index of the bar that holds a tick: the first for what comes earlier, the last for what comes later.
    pub fn index_at(&self, tick: Ticks) -> usize {
        self.bars.partition_point(|b| b.start <= tick).max(1) - 1
    }

    /// A bar by its index, the last one for an index beyond.
    pub fn get(&self, index: usize) -> Bar {
        self.bars[index.min(self.bars.len() - 1)]
    }

    /// How many ticks a bar lacks at its beginning; see [`missing_ticks`].
    pub fn missing(&self, index: usize, resolution: u16) -> Ticks {
        Ticks(missing_ticks(&self.bars, self.number(0) == 0, index, resolution))
    }

    /// The number that a musician would call the bar by: a pick-up is bar 0, and what is repeated has one number.
    pub fn number(&self, index: usize) -> BarNumber {
        self.numbers[index.min(self.numbers.len() - 1)]
    }
}

/// What a musician calls a bar: a number, a letter where a page has it several times, such as `4` and `4a`, and which time
/// it is played where the page says to play it again: `4 (2nd time)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BarNumber {
    /// The number; 0 is a pick-up.
    pub count: u32,
    /// The letter after it.
    pub letter: Option<char>,
    /// The first time that it is played, or a later one; from 1.
    pub time: u32,
}

impl BarNumber {
    /// As it stands on the page, whichever time it is played.
    pub fn printed(&self) -> String {
        format!("{}{}", self.count, self.letter.map(String::from).unwrap_or_default())
    }

    /// `2nd`; `None` for the first time.
    pub fn again(&self) -> Option<String> {
        (self.time > 1).then(|| ordinal(self.time))
    }

    /// From what a page prints; `None` where that is no number with at most one letter.
    fn read(text: &str) -> Option<Self> {
        let letter = text.chars().next_back().filter(|c| c.is_ascii_alphabetic());
        let digits = text.strip_suffix(|c: char| c.is_ascii_alphabetic()).unwrap_or(text);
        Some(Self { count: digits.parse().ok()?, letter, time: 1 })
    }
}

impl From<u32> for BarNumber {
    fn from(count: u32) -> Self {
        Self { count, letter: None, time: 1 }
    }
}

impl PartialEq<u32> for BarNumber {
    fn eq(&self, count: &u32) -> bool {
        (self.count, self.letter) == (*count, None)
    }
}

impl fmt::Display for BarNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let again = self.again().map(|time| format!(" ({time} time)")).unwrap_or_default();
        f.pad(&format!("{}{again}", self.printed()))
    }
}

/// `1st`, `2nd`, `3rd`, `4th` …
pub fn ordinal(number: u32) -> String {
    let ending = match (number % 100, number % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// The number of each measure of a page: the one above it; of one without, such as the second half of a divided bar, that
/// of the measure before. Counted from 1 on a page without any.
fn printed_numbers(page: &Notation) -> Vec<BarNumber> {
    /// More measures than any page has.
    const NUMBER_MAX: u32 = 1_000_000;
    let written = |text: &str| BarNumber::read(text).filter(|number| number.count <= NUMBER_MAX);
    if page.measures.iter().all(|measure| written(&measure.number).is_none()) {
        return (1..).take(page.measures.len()).map(BarNumber::from).collect();
    }
    let first = page.measures.first().and_then(|measure| written(&measure.number)).unwrap_or(BarNumber::from(0));
    let number = |last: &mut BarNumber, text: &str| {
        *last = written(text).unwrap_or(*last);
        Some(*last)
    };
    page.measures.iter().scan(first, |last, measure| number(last, &measure.number)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::notation::{Measure, Passage};
    use super::*;

    #[test]
    fn bars_follow_metres_and_pickup() {
        let meters = [Meter { tick: Ticks(0), beats: 3, unit: 4 }, Meter { tick: Ticks(1900), beats: 2, unit: 4 }];
        let bars = Bars::new(480, &meters, Ticks(460), Ticks(3000));
        let starts: Vec<i64> = bars.as_slice().iter().map(|b| b.start.0).collect();
        assert_eq!(starts, [0, 460, 1900, 2860]);
        assert_eq!(bars.number(0), 0);
        assert_eq!(bars.index_at(Ticks(1899)), 1);
        assert_eq!(bars.index_at(Ticks(99_999)), 3);
        assert_eq!(bars.index_at(Ticks(-5)), 0);
    }

    #[test]
    fn bars_of_a_page_are_called_as_printed() {
        let check = |numbers: &[&str], expected: &[u32]| {
            let measure = |number: &&str| Measure { number: (*number).to_owned(), ..Measure::default() };
            let page = Notation { measures: numbers.iter().map(measure).collect(), ..Notation::default() };
            assert_eq!(printed_numbers(&page), expected);
        };
        check(&["0", "1", "2"], &[0, 1, 2]);
        check(&["7", "8", "X1", "9"], &[7, 8, 8, 9]);
        check(&["", "1"], &[0, 1]);
        check(&["", ""], &[1, 2]);
        let measure = |number: &str| Measure { number: number.to_owned(), ..Measure::default() };
        let page = Notation { measures: ["4", "4a", "5"].map(measure).to_vec(), ..Notation::default() };
        let names: Vec<String> = printed_numbers(&page).iter().map(ToString::to_string).collect();
        assert_eq!(names, ["4", "4a", "5"]);
    }

    #[test]
    fn bars_that_are_played_again_say_which_time_it_is() {
        let measure = |number: &str| Measure { number: number.to_owned(), length: Ticks(1_920), ..Measure::default() };
        let mut page = Notation { measures: ["1", "2", "3"].map(measure).to_vec(), ..Notation::default() };
        let passage = |(start, measure): (i64, u32)| Passage { measure, start: Ticks(start * 1_920) };
        page.passages = (0..).zip([0, 1, 0, 1, 2]).map(passage).collect();
        let bars = Bars::of_page(&page, 480, Ticks(0)).expect("bars");
        let names: Vec<String> = (0..bars.len()).map(|index| bars.number(index).to_string()).collect();
        assert_eq!(names, ["1", "2", "1 (2nd time)", "2 (2nd time)", "3"]);
        assert_eq!([1, 2, 3, 4, 11, 12, 22].map(ordinal), ["1st", "2nd", "3rd", "4th", "11th", "12th", "22nd"]);
    }

    #[test]
    fn an_empty_piece_has_one_bar() {
        assert_eq!(Bars::new(480, &[], Ticks(0), Ticks(0)).len(), 1);
    }
}
