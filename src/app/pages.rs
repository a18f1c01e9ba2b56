//! The rows of the event table: a stretch of the log that was searched, of which at most two pages are held. It grows
//! where the person looks and is cut at the other end, so that a log of any length can be walked through. Pure: what
//! to read is answered as a question.

use std::sync::Arc;

use crate::bus::inspect::{EventView, Search};

/// Events of a page at most.
pub const PAGE: usize = 256;
/// Rows held at most.
const ROWS_MAX: usize = 2 * PAGE;
/// Rows that are kept ready beyond the first one shown; more are read when there are fewer.
const NEAR: usize = 64;

/// A row.
pub type Row = Arc<dyn EventView>;

/// Which way a page goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Toward {
    /// Down, to the log's first event.
    Older,
    /// Up, to its last.
    Newer,
}

/// A part of the log to search.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// What to look for.
    pub search: Search,
    /// The first event to look at.
    pub from: u64,
    /// Where to go on from there.
    pub toward: Toward,
    /// Tells answers to earlier searches apart.
    pub number: u64,
}

/// What was found there.
#[derive(Clone, Debug)]
pub struct Page {
    /// The question.
    pub wanted: Wanted,
    /// The last event that was looked at.
    pub reached: u64,
    /// What fits, in the order in which it was met.
    pub rows: Vec<Row>,
}

/// See the module.
#[derive(Debug)]
pub struct Pages {
    text: String,
    search: Search,
    /// Newest first; everything that fits in `low..=high`.
    rows: Vec<Row>,
    low: u64,
    high: u64,
    number: u64,
    asked: bool,
    begun: bool,
    unreadable: bool,
}

impl Default for Pages {
    fn default() -> Self {
        let (text, search) = (String::new(), Search::default());
        Self {
            text,
            search,
            rows: Vec::new(),
            low: 1,
            high: 0,
            number: 0,
            asked: false,
            begun: false,
            unreadable: false,
        }
    }
}

impl Pages {
    /// The rows, newest first.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Down to which event the log was searched.
    pub fn low(&self) -> u64 {
        self.low
    }

    /// Whether an answer is awaited.
    pub fn is_searching(&self) -> bool {
        self.asked
    }

    /// Looks for something else from now on; `end` is where one looks from.
    pub fn look_for(&mut self, text: &str, end: u64) {
        if !self.begun || self.text != text {
            text.clone_into(&mut self.text);
            self.search = Search::new(text);
            self.begin(end);
        }
    }

    /// Nothing is known any more; the next search begins below `high`.
    fn begin(&mut self, high: u64) {
        self.rows.clear();
        (self.low, self.high) = (high + 1, high);
        self.number += 1;
        (self.asked, self.begun, self.unreadable) = (false, true, false);
    }

    /// Takes up the newest events, oldest first, as they come. Where too many came at once the rows begin anew.
    pub fn follow(&mut self, recent: &[Row]) {
        let (Some(first), Some(last)) = (recent.first().map(|e| e.seq()), recent.last().map(|e| e.seq())) else {
            return;
        };
        if last <= self.high {
            return;
        }
        if first > self.high + 1 {
            self.begin(first - 1);
        }
        let new = recent.iter().rev().take_while(|event| event.seq() > self.high);
        let fitting: Vec<Row> = new.filter(|event| self.search.fits(event.as_ref())).cloned().collect();
        self.rows.splice(0..0, fitting);
        self.high = last;
        self.cut_oldest();
    }

    /// What to read for a person who looks at the newest (`None`), or at the rows from `top` down. `durable` is the
    /// last event in the log.
    pub fn want(&mut self, top: Option<u64>, durable: u64) -> Option<Wanted> {
        // What is not durable yet can only be followed, not read.
        let top = top.map(|top| top.min(self.high.max(durable)));
        if let Some(top) = top
            && !(self.low <= top + 1 && top <= self.high)
        {
            self.begin(top);
        }
        if self.asked || self.unreadable {
            return None;
        }
        let above = top.map_or(0, |top| self.rows.partition_point(|row| row.seq() > top));
        let (from, toward) = if self.rows.len() - above < NEAR && self.low > 1 {
            (self.low - 1, Toward::Older)
        } else if top.is_some() && above < NEAR && self.high < durable {
            (self.high + 1, Toward::Newer)
        } else {
            return None;
        };
        (from <= durable).then(|| Wanted { search: self.search.clone(), from, toward, number: self.number })
    }

    /// The question was taken.
    pub fn asked(&mut self) {
        self.asked = true;
    }

    /// The question could not be answered. It is not asked again before the person looks for something else.
    pub fn failed(&mut self) {
        self.unreadable |= std::mem::take(&mut self.asked);
    }

    /// Takes an answer.
    pub fn take(&mut self, page: Page) {
        if page.wanted.number != self.number {
            return;
        }
        // A failure meanwhile was that of another question.
        (self.asked, self.unreadable) = (false, false);
        match page.wanted.toward {
            Toward::Older => {
                self.rows.extend(page.rows);
                self.low = page.reached;
                if self.rows.len() > ROWS_MAX {
                    self.rows.drain(..self.rows.len() - ROWS_MAX);
                    self.high = self.rows[0].seq();
                }
            }
            Toward::Newer => {
                self.rows.splice(0..0, page.rows.into_iter().rev());
                self.high = page.reached;
                self.cut_oldest();
            }
        }
    }

    fn cut_oldest(&mut self) {
        if self.rows.len() > ROWS_MAX {
            self.rows.truncate(ROWS_MAX);
            self.low = self.rows[ROWS_MAX - 1].seq();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::storage::Header;

    #[derive(Debug)]
    struct Event(u64);

    impl EventView for Event {
        fn seq(&self) -> u64 {
            self.0
        }
        fn topic(&self) -> &str {
            if self.0.is_multiple_of(1_000) { "rare" } else { "often" }
        }
        fn entity(&self) -> &str {
            "a/b"
        }
        fn header(&self) -> Header {
            unreachable!("the names are enough")
        }
        fn payload(&self) -> serde_json::Value {
            unreachable!("the names are enough")
        }
    }

    fn row(seq: u64) -> Row {
        Arc::new(Event(seq))
    }

    /// A log that is only asked, never held: it has `end` events.
    fn answer(wanted: Wanted, end: u64) -> Page {
        let mut page = Page { reached: wanted.from, rows: Vec::new(), wanted };
        for left in (0..5_000).rev() {
            if page.wanted.search.fits(&Event(page.reached)) {
                page.rows.push(row(page.reached));
            }
            let next = match page.wanted.toward {
                Toward::Older => page.reached - 1,
                Toward::Newer => page.reached + 1,
            };
            if page.rows.len() == PAGE || next == 0 || next > end || left == 0 {
                break;
            }
            page.reached = next;
        }
        page
    }

    /// Asks until nothing more is wanted; the rows that are shown then.
    fn settle(pages: &mut Pages, top: Option<u64>, end: u64) -> Vec<u64> {
        for _ in 0..10_000 {
            let Some(wanted) = pages.want(top, end) else {
                assert!(pages.rows().len() <= ROWS_MAX, "{} rows are held", pages.rows().len());
                assert!(pages.rows().windows(2).all(|pair| pair[0].seq() > pair[1].seq()), "newest first");
                let from = top.unwrap_or(u64::MAX);
                return pages.rows().iter().map(|row| row.seq()).filter(|seq| *seq <= from).take(20).collect();
            };
            pages.asked();
            assert!(pages.want(top, end).is_none(), "one question at a time");
            pages.take(answer(wanted, end));
        }
        panic!("it never comes to rest");
    }

    #[test]
    fn the_list_is_filled_from_the_log_when_nothing_has_happened_yet() {
        let mut pages = Pages::default();
        pages.look_for("", 10_000_000);
        let shown = settle(&mut pages, None, 10_000_000);
        assert_eq!(shown, (9_999_981..=10_000_000).rev().collect::<Vec<_>>());
        let mut short = Pages::default();
        short.look_for("", 3);
        assert_eq!(settle(&mut short, None, 3), [3, 2, 1]);
        let mut empty = Pages::default();
        empty.look_for("", 0);
        assert_eq!(settle(&mut empty, None, 0), [0; 0]);
    }

    #[test]
    fn a_walk_through_ten_million_events_shows_each_place_and_holds_two_pages() {
        let end = 10_000_000;
        let mut pages = Pages::default();
        pages.look_for("", end);
        let walk =
            (0..60).map(|step| end - step * 17).chain([5_000_000, 1, 40, end, 300]).chain((300..900).step_by(13));
        for top in walk {
            let shown = settle(&mut pages, Some(top), end);
            assert_eq!(shown, (top.saturating_sub(19).max(1)..=top).rev().collect::<Vec<_>>(), "from {top} down");
        }
    }

    #[test]
    fn what_is_rare_is_found_however_far_down_it_is() {
        let end = 2_000_000;
        let mut pages = Pages::default();
        pages.look_for("rare*", end);
        let shown = settle(&mut pages, None, end);
        assert_eq!(shown, (1_981..=2_000).rev().map(|k| k * 1_000).collect::<Vec<_>>());
        let shown = settle(&mut pages, Some(70_500), end);
        assert_eq!(shown, (51..=70).rev().map(|k| k * 1_000).collect::<Vec<_>>());
        let mut none = Pages::default();
        none.look_for("nowhere*", 100_000);
        assert_eq!(settle(&mut none, None, 100_000), [0; 0]);
        assert_eq!(none.low(), 1, "all of it was searched");
    }

    #[test]
    fn the_newest_are_followed_and_a_burst_that_was_missed_is_read_from_the_log() {
        let mut pages = Pages::default();
        pages.look_for("", 100);
        settle(&mut pages, None, 100);
        let recent = |range: std::ops::RangeInclusive<u64>| range.map(row).collect::<Vec<_>>();
        pages.follow(&recent(90..=103));
        assert_eq!(settle(&mut pages, None, 100)[..4], [103, 102, 101, 100]);
        pages.follow(&recent(900..=910));
        assert_eq!(settle(&mut pages, None, 905), (891..=910).rev().collect::<Vec<_>>());
        for end in (911..20_000).step_by(100) {
            pages.follow(&recent(end - 400..=end));
            assert!(pages.rows().len() <= ROWS_MAX);
            assert_eq!(pages.rows()[0].seq(), end);
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_asked_for_again_until_something_else_is_looked_for() {
        let mut pages = Pages::default();
        pages.look_for("", 5_000);
        let wanted = pages.want(None, 5_000).expect("the first page");
        pages.asked();
        pages.failed();
        assert_eq!(pages.want(None, 5_000), None);
        pages.take(answer(wanted, 5_000));
        assert_eq!(settle(&mut pages, Some(4_000), 5_000)[0], 4_000, "it was another question that failed");
        pages.asked();
        pages.failed();
        pages.look_for("rare*", 5_000);
        assert_eq!(settle(&mut pages, None, 5_000).len(), 5);
    }

    #[test]
    fn another_search_begins_anew_and_answers_to_the_old_one_are_not_taken() {
        let mut pages = Pages::default();
        pages.look_for("", 5_000);
        let old = pages.want(None, 5_000).expect("the first page");
        pages.asked();
        pages.look_for("rare*", 5_000);
        pages.take(answer(old, 5_000));
        assert!(pages.rows().is_empty());
        assert_eq!(settle(&mut pages, None, 5_000), [5_000, 4_000, 3_000, 2_000, 1_000]);
    }
}
