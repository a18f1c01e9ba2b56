//! The page of a piece: its lines beneath each other, and where each tick of the score stands on them.
//!
//! A page has each measure once, however often it is played: which of its passages a measure stands for depends on where
//! the music is.

use super::system::{PlacedMeasure, System};
use super::{Flow, engrave};
use crate::music::notation::Passage;
use crate::music::{NoteId, Score};

/// Between what stands lowest on a line and what stands highest on the next, in spaces: room for the marks of what was
/// played, and air.
const BETWEEN: f32 = 3.4;

/// A page.
#[derive(Clone, Debug, PartialEq)]
pub struct Sheet {
    systems: Vec<System>,
    /// Where the top line of each line's upper staff lies, from the top of the page.
    tops: Vec<f32>,
    /// The width that the lines were made for, in spaces.
    width: f32,
    /// For each printed measure its line and its place there.
    places: Vec<(usize, usize)>,
    passages: Vec<Passage>,
    /// For each printed measure its passages, ascending.
    played: Vec<Vec<usize>>,
    /// Ticks of the page to a tick of the score.
    per_tick: f64,
}

/// A place on a page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spot {
    /// The line.
    pub system: usize,
    /// How far along it, in spaces.
    pub x: f32,
}

impl Sheet {
    /// Engraves a score on lines of a width in spaces; `None` if its page is not known or has no measures.
    pub fn new(score: &Score, width: f32) -> Option<Self> {
        let systems = engrave(score, Flow::Lines(width))?;
        let page = score.notation()?;
        let mut sheet = Self {
            tops: Vec::with_capacity(systems.len()),
            width,
            places: vec![(0, 0); page.measures.len()],
            passages: page.passages.clone(),
            played: vec![Vec::new(); page.measures.len()],
            per_tick: systems.first()?.per_tick,
            systems,
        };
        let mut y = 0.0;
        for (index, system) in sheet.systems.iter().enumerate() {
            sheet.tops.push(y - system.top);
            y += system.bottom - system.top + BETWEEN;
            for (place, measure) in system.measures.iter().enumerate() {
                sheet.places[measure.measure as usize] = (index, place);
            }
        }
        for (index, passage) in page.passages.iter().enumerate() {
            if let Some(played) = sheet.played.get_mut(passage.measure as usize) {
                played.push(index);
            }
        }
        Some(sheet)
    }

    /// The lines.
    pub fn systems(&self) -> &[System] {
        &self.systems
    }

    /// The width that the lines were made for.
    pub fn width(&self) -> f32 {
        self.width
    }

    /// Where the top line of a line's upper staff lies, in spaces from the top of the page.
    pub fn top(&self, system: usize) -> f32 {
        self.tops.get(system).copied().unwrap_or(0.0)
    }

    /// How much of the page's height a line takes: from where, to where, room for marks below included.
    pub fn extent(&self, system: usize) -> (f32, f32) {
        let top = self.top(system);
        self.systems.get(system).map_or((0.0, 0.0), |s| (top + s.top, top + s.bottom + BETWEEN))
    }

    /// How high the page is.
    pub fn height(&self) -> f32 {
        self.systems.len().checked_sub(1).map_or(0.0, |last| self.extent(last).1)
    }

    /// How high a usual line is, with the room below it: half of them are higher.
    pub fn usual_height(&self) -> f32 {
        let mut heights: Vec<f32> = self.systems.iter().map(|s| s.bottom - s.top + BETWEEN).collect();
        let middle = heights.len() / 2;
        if heights.is_empty() { 0.0 } else { *heights.select_nth_unstable_by(middle, f32::total_cmp).1 }
    }

    /// The passage that is played at a tick of the score.
    pub fn passage_at(&self, tick: f64) -> usize {
        let tick = tick * self.per_tick;
        self.passages.partition_point(|p| p.start.0 as f64 <= tick).max(1) - 1
    }

    /// The ticks of the score at which a passage begins and ends.
    pub fn span(&self, passage: usize) -> (f64, f64) {
        let start = self.passages.get(passage).map_or(0.0, |p| p.start.0 as f64);
        let end = self.passages.get(passage + 1).map_or(f64::MAX, |p| p.start.0 as f64);
        (start / self.per_tick, end / self.per_tick)
    }

    /// Where a tick of the score stands.
    pub fn spot(&self, tick: f64) -> Option<Spot> {
        let passage = self.passages.get(self.passage_at(tick))?;
        let (system, place) = *self.places.get(passage.measure as usize)?;
        let measure = self.systems.get(system)?.measures.get(place)?;
        Some(Spot { system, x: measure.x_at(tick * self.per_tick - passage.start.0 as f64) })
    }

    /// Where a tick of a passage stands on its line.
    pub fn x_in(&self, measure: &PlacedMeasure, passage: usize, tick: f64) -> f32 {
        let start = self.passages.get(passage).map_or(0.0, |p| p.start.0 as f64);
        measure.x_at(tick * self.per_tick - start)
    }

    /// The passages of a printed measure, ascending.
    pub fn passages(&self, measure: u32) -> &[usize] {
        self.played.get(measure as usize).map_or(&[], Vec::as_slice)
    }

    /// Which passage a printed measure stands for while `now` is played: ahead of the place the one that is to come, so that
    /// nothing tells of an earlier time through; else the last that has begun, else its first.
    pub fn shown(&self, measure: u32, now: usize) -> Option<usize> {
        let all = self.passages(measure);
        let begun = all.partition_point(|p| *p <= now);
        let ahead = self.passages.get(now).is_some_and(|here| measure > here.measure);
        all.get(begun).filter(|_| ahead).or(all.get(begun.saturating_sub(1))).copied()
    }

    /// The passage of a printed measure that is nearest to `now`.
    pub fn nearest(&self, measure: u32, now: usize) -> Option<usize> {
        self.passages(measure).iter().copied().min_by_key(|p| p.abs_diff(now))
    }

    /// The note that a head stands for in a passage of its measure, whose first passage it is tagged with.
    pub fn note_in(&self, score: &Score, note: NoteId, measure: u32, passage: usize) -> Option<NoteId> {
        let first = *self.passages(measure).first()?;
        if passage == first {
            return Some(note);
        }
        let own = score.on_page();
        let written = own.note(note);
        let later = self.passages.get(passage)?.start - self.passages.get(first)?.start;
        own.find(written.onset + later, written.pitch, written.hand)
    }

    /// The line at the top of what is shown, when `height` spaces are and `playing` is played. It turns by whole lines,
    /// when the last one that is shown in full is reached: then that one is at the top, and the next is always in sight.
    pub fn first_shown(&self, playing: usize, height: f32) -> usize {
        let mut first = 0;
        while first < playing {
            let bottom = self.extent(first).0 + height + BETWEEN;
            let mut last = first;
            while last + 1 < self.systems.len() && self.extent(last + 1).1 <= bottom {
                last += 1;
            }
            if playing < last || last + 1 == self.systems.len() {
                break;
            }
            first = last.max(first + 1);
        }
        first
    }

    /// The line at a height of the page, the nearest one beyond its ends.
    pub fn system_at(&self, y: f32) -> usize {
        (0..self.systems.len()).take_while(|s| self.extent(*s).0 <= y).count().saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engraving::page_support::{RESOLUTION, page};
    use crate::music::{ScoreParts, WrittenNote};
    use crate::time::Ticks;

    /// Forty measures of which the second to the fourth are played twice.
    fn score() -> Score {
        let voice = ["c5q d5q e5q f5q"; 40].join("|");
        let mut page = page((4, 4), 0, &[(0, &voice), (1, &["c3w"; 40].join("|"))]);
        page.measures[1].repeat_start = true;
        page.measures[3].repeat_end = Some(2);
        assert!(page.unfold());
        let mut notes = Vec::new();
        for passage in &page.passages {
            for chord in &page.measures[passage.measure as usize].chords {
                for (at, pitch) in chord.heads.iter().filter_map(|head| head.sounds) {
                    let onset = passage.start + at;
                    notes.push(WrittenNote { onset, end: onset + Ticks(110), pitch, hand: chord.hand, velocity: 80 });
                }
            }
        }
        Score::new(ScoreParts { resolution: RESOLUTION, notes, notation: Some(page), ..ScoreParts::default() })
    }

    #[test]
    fn every_tick_has_its_place_and_repeats_come_back_to_theirs() {
        let (score, bar) = (score(), 1_920.0);
        let sheet = Sheet::new(&score, 100.0).expect("a page");
        assert!(sheet.systems().len() > 4);
        let spot = |tick: f64| sheet.spot(tick).expect("a place");
        // Passages: 0 1 2 3 1 2 3 4 ...
        assert_eq!(spot(bar * 1.0), spot(bar * 4.0));
        assert_eq!(spot(bar * 3.25), spot(bar * 6.25));
        assert!(spot(bar * 7.0).x > spot(bar * 6.0).x || spot(bar * 7.0).system > spot(bar * 6.0).system);
        let mut last = Spot { system: 0, x: f32::MIN };
        for tick in (7 * 1_920..43 * 1_920).step_by(60) {
            let here = spot(f64::from(tick));
            assert!(here.system > last.system || here.x > last.x, "{here:?} after {last:?}");
            last = here;
        }
        assert_eq!(last.system, sheet.systems().len() - 1);
        assert_eq!(sheet.span(4), (bar * 4.0, bar * 5.0));
    }

    #[test]
    fn a_measure_stands_for_the_pass_that_the_music_is_in() {
        let score = score();
        let sheet = Sheet::new(&score, 100.0).expect("a page");
        assert_eq!(sheet.passages(2), [2, 5]);
        let shown = |measure, nows: [usize; 5]| nows.map(|now| sheet.shown(measure, now).expect("it is played"));
        // Measures: 0 1 2 3 1 2 3 4 ...
        assert_eq!(shown(2, [0, 2, 3, 5, 30]), [2, 2, 2, 5, 5]);
        assert_eq!(shown(2, [3, 4, 5, 6, 7]), [2, 5, 5, 5, 5], "ahead of the second time through is what is to come");
        assert_eq!(shown(1, [0, 1, 3, 4, 5]), [1, 1, 1, 4, 4]);
        assert_eq!([0, 3, 4, 30].map(|now| sheet.nearest(2, now)), [Some(2), Some(2), Some(5), Some(5)]);
        let first =
            score.find(Ticks(2 * 1_920), crate::music::Pitch::new(72).expect("a key"), crate::music::Hand::Right);
        let first = first.expect("the measure's first note");
        let second = sheet.note_in(&score, first, 2, 5).expect("the same in the second pass");
        assert_eq!(score.note(second).onset, Ticks(5 * 1_920));
        assert_eq!(sheet.note_in(&score, first, 2, 2), Some(first));
        assert_eq!(sheet.passages(99), [0usize; 0]);
    }

    #[test]
    fn it_turns_by_whole_lines_with_the_next_one_in_sight() {
        let sheet = Sheet::new(&score(), 80.0).expect("a page");
        let lines = sheet.systems().len();
        assert!(lines >= 6, "{lines}");
        let high = sheet.usual_height();
        for shown in [1.0, 2.0, 3.5] {
            let mut before = 0;
            for playing in 0..lines {
                let first = sheet.first_shown(playing, high * shown);
                let bottom = sheet.extent(first).0 + high * shown + BETWEEN;
                assert!(first >= before && first <= playing, "{shown}: {first} while {playing} is played");
                let next = (playing + 1).min(lines - 1);
                if shown >= 2.0 {
                    assert!(sheet.extent(next).1 <= bottom + 0.01, "{shown}: {next} is not in sight from {first} on");
                }
                before = first;
            }
        }
        assert_eq!(sheet.first_shown(lines - 1, sheet.height()), 0, "a page that is shown whole never turns");
        assert_eq!(
            (0..lines).map(|s| sheet.system_at(sheet.top(s) + 1.0)).collect::<Vec<_>>(),
            (0..lines).collect::<Vec<_>>()
        );
        assert_eq!((sheet.system_at(-50.0), sheet.system_at(1e6)), (0, lines - 1));
    }
}
