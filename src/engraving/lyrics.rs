//! Syllables under a staff: each verse on a line of its own, with hyphens between the syllables of a word and a line under
//! the notes that a last syllable is held for (Gould, *Behind Bars*, pp. 434-453).

use super::canvas::Canvas;
use super::draw::ChordPlace;
use super::marks::{LYRIC_SIZE, text_width};
use super::plan::{Book, Placed};
use super::shape::{Align, Bounds, Part, Point, Shape, Tag, TextKind};
use crate::music::notation::Lyric;

/// From the lowest thing under a staff to the first baseline, and from baseline to baseline.
const BELOW: f32 = 2.0;
const VERSE: f32 = LYRIC_SIZE * 1.2;
/// A hyphen: its length, its thickness, its height above the baseline.
const HYPHEN: (f32, f32, f32) = (0.7, 0.14, 0.55);
/// Between two hyphens of one long gap, about.
const HYPHENS_APART: f32 = 10.0;
/// The line of a held syllable: its thickness, the room before it, and how long it is at least.
const EXTENDER: (f32, f32, f32) = (0.12, 0.25, 1.0);
/// So many measures back a syllable is looked for that goes on over the beginning of a line.
const MEASURES_BACK: usize = 32;

/// A chord of a staff on the line.
#[derive(Clone, Copy)]
struct Sung<'a> {
    measure: usize,
    place: &'a ChordPlace,
    lyric: Option<&'a Lyric>,
}

impl Sung<'_> {
    /// From where to where its syllable reaches.
    fn edges(&self) -> (f32, f32) {
        let half = self.lyric.map_or(0.0, |lyric| text_width(&lyric.text, LYRIC_SIZE) / 2.0);
        (self.place.x - half, self.place.x + half)
    }

    fn tag(&self) -> Tag {
        Tag {
            chord: Some(self.place.chord as u16),
            staff: self.place.staff,
            hand: Some(self.place.hand),
            ..Tag::default()
        }
    }
}

/// Draws the syllables of a row, below everything that stands under their staves.
pub(super) fn draw_lyrics(canvas: &mut Canvas, book: &Book<'_>, row: &[Placed], chords: &[Vec<ChordPlace>]) {
    for staff in 0..canvas.staves.len() as u8 {
        let of = |verse: u8| sung(book, row, chords, staff, verse);
        let verses = verses(book, row, staff);
        let words = verses.iter().flat_map(|verse| of(*verse)).filter(|s| s.lyric.is_some());
        let lowest = words
            .map(|s| canvas.bottom(staff, s.place.bounds.left, s.place.bounds.right))
            .fold(canvas.y(staff, 4.0), f32::max);
        for (line, verse) in verses.into_iter().enumerate() {
            let baseline = lowest + BELOW + line as f32 * VERSE;
            let (from, to) = row.first().zip(row.last()).map_or((0.0, 0.0), |(a, b)| (a.inner.0, b.inner.1));
            let held = before(book, row, staff, verse);
            draw_verse(canvas, &of(verse), baseline, (from, to), held);
        }
    }
}

/// The verses that a staff has on a row, those that are only held there included.
fn verses(book: &Book<'_>, row: &[Placed], staff: u8) -> Vec<u8> {
    let first = row.first().map_or(0, |placed| placed.measure);
    let here = row.iter().map(|placed| placed.measure);
    let measures = here.chain(first.saturating_sub(MEASURES_BACK)..first).map(|m| &book.page.measures[m]);
    let words = measures.flat_map(|m| &m.chords).filter(|c| c.staff == staff).flat_map(|c| &c.lyrics);
    let mut found: Vec<u8> = words.map(|lyric| lyric.verse).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// The chords and rests of the voice that sings a verse, in order.
fn sung<'a>(book: &'a Book<'_>, row: &[Placed], chords: &'a [Vec<ChordPlace>], staff: u8, verse: u8) -> Vec<Sung<'a>> {
    let mut found = Vec::new();
    for (measure, (placed, places)) in row.iter().zip(chords).enumerate() {
        let written = &book.page.measures[placed.measure].chords;
        let lyric = |place: &ChordPlace| written[place.chord].lyrics.iter().find(|l| l.verse == verse);
        let of_staff = || places.iter().filter(|p| p.staff == staff && !p.grace);
        let voice = of_staff().find(|p| lyric(p).is_some()).or_else(|| of_staff().next()).map(|p| p.voice);
        let mut own: Vec<Sung<'a>> = of_staff()
            .filter(|p| Some(p.voice) == voice || lyric(p).is_some())
            .map(|place| Sung { measure, place, lyric: lyric(place) })
            .collect();
        own.sort_by_key(|s| s.place.at);
        found.extend(own);
    }
    found
}

/// The last syllable of a verse before a row, if the row goes on where it stands on the page.
fn before<'a>(book: &'a Book<'_>, row: &[Placed], staff: u8, verse: u8) -> Option<&'a Lyric> {
    let first = row.first()?.measure;
    let measures = book.page.measures[..first].iter().rev().take(MEASURES_BACK);
    let of = |c: &&'a crate::music::notation::Chord| c.staff == staff && c.lyrics.iter().any(|l| l.verse == verse);
    let last = measures.filter_map(|m| m.chords.iter().filter(of).max_by_key(|c| c.at)).next()?;
    last.lyrics.iter().find(|l| l.verse == verse)
}

fn draw_verse(canvas: &mut Canvas, sung: &[Sung<'_>], baseline: f32, (from, to): (f32, f32), held: Option<&Lyric>) {
    let next_of = |after: usize| sung.iter().skip(after).position(|s| s.lyric.is_some()).map(|i| i + after);
    if let (Some(held), Some(tag)) = (held, sung.first().map(Sung::tag)) {
        let next = next_of(0);
        if let (true, Some(next)) = (held.hyphen, next) {
            // The word goes on: a hyphen stands before its next syllable, too.
            let left = sung[next].edges().0;
            draw_hyphens(canvas, (from.max(left - 2.5), left), baseline, tag);
        }
        if held.extends {
            draw_extender(canvas, from, &sung[..next.unwrap_or(sung.len())], baseline, tag);
        }
    }
    for (index, own) in sung.iter().enumerate() {
        let Some(lyric) = own.lyric else { continue };
        canvas.measure = own.measure;
        let at = Point::new(own.place.x, baseline);
        canvas.text(&lyric.text, at, LYRIC_SIZE, TextKind::Lyric, Align::Center, own.tag());
        let next = next_of(index + 1);
        let right = own.edges().1;
        if lyric.hyphen {
            let left = next.map_or((right + 2.5).min(to), |next| sung[next].edges().0);
            draw_hyphens(canvas, (right, left), baseline, own.tag());
        } else if lyric.extends {
            let held = &sung[index + 1..next.unwrap_or(sung.len())];
            draw_extender(canvas, right, held, baseline, own.tag());
        }
    }
}

/// Hyphens between two places: one, more where it is far.
fn draw_hyphens(canvas: &mut Canvas, (left, right): (f32, f32), baseline: f32, tag: Tag) {
    let gap = right - left;
    let (length, thickness, height) = HYPHEN;
    if gap < length * 0.5 {
        return;
    }
    let count = (gap / HYPHENS_APART).round().max(1.0);
    let half = (length / 2.0).min(gap * 0.4);
    for index in 0..count as usize {
        let middle = left + gap * (index as f32 + 0.5) / count;
        line(canvas, (middle - half, middle + half), baseline - height, thickness, tag);
    }
}

/// A line up to the last of the notes that a syllable is held for; a rest ends it.
fn draw_extender(canvas: &mut Canvas, from: f32, held: &[Sung<'_>], baseline: f32, tag: Tag) {
    let (thickness, gap, least) = EXTENDER;
    let notes = held.iter().take_while(|s| !s.place.rest && s.lyric.is_none());
    let Some(last) = notes.last() else { return };
    let span = (from + gap, last.place.x + 0.65);
    if span.1 - span.0 >= least {
        line(canvas, span, baseline, thickness, tag);
    }
}

fn line(canvas: &mut Canvas, (left, right): (f32, f32), y: f32, thickness: f32, tag: Tag) {
    let tag = Tag { part: Part::Mark, ..tag };
    let shape = Shape::Line { from: Point::new(left, y), to: Point::new(right, y), thickness };
    canvas.push_spanning(left, right, shape, tag);
    canvas.keep(tag.staff, Bounds { left, right, top: y, bottom: y });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engraving::page_support::{RESOLUTION, page};
    use crate::engraving::{Flow, System, engrave_page};
    use crate::music::notation::Notation;

    /// Words under the notes of the upper staff: `-` after a syllable for a hyphen, `_` for a held one, `.` for none.
    fn sung(notes: &str, verses: &[&str]) -> Notation {
        let mut page = page((4, 4), 0, &[(0, notes), (1, &vec!["c3w"; notes.split('|').count()].join("|"))]);
        for (verse, words) in verses.iter().enumerate() {
            let chords = page.measures.iter_mut().flat_map(|m| &mut m.chords).filter(|c| c.staff == 0);
            for (chord, word) in chords.filter(|c| !c.heads.is_empty()).zip(words.split_whitespace()) {
                let text = word.trim_end_matches(['-', '_', '.']).to_owned();
                let (hyphen, extends) = (word.ends_with('-'), word.ends_with('_'));
                if !text.is_empty() {
                    chord.lyrics.push(Lyric { verse: verse as u8, text, hyphen, extends });
                }
            }
        }
        page
    }

    fn lines(page: &Notation, flow: Flow) -> Vec<System> {
        engrave_page(page, RESOLUTION, flow, &|_, _, _| None)
    }

    fn words(system: &System) -> Vec<(String, Point)> {
        let items = system.measures.iter().flat_map(|m| &m.items);
        let of = |item: &crate::engraving::Item| match &item.shape {
            Shape::Text { text, at, kind: TextKind::Lyric, .. } => Some((text.clone(), *at)),
            _ => None,
        };
        items.filter_map(of).collect()
    }

    /// Hyphens and extenders: from, to, height.
    fn strokes(system: &System) -> Vec<(f32, f32, f32)> {
        let of = |item: &crate::engraving::Item| match item.shape {
            Shape::Line { from, to, .. } => Some((from.x, to.x, from.y)),
            _ => None,
        };
        system.spanning(f32::MIN, f32::MAX).filter_map(of).collect()
    }

    #[test]
    fn each_verse_has_a_line_and_hyphens_of_its_own() {
        let system = lines(&sung("c5q d5q e5q f5q", &["sing- ing now .", "a men- . ded"]), Flow::Endless).remove(0);
        let found = words(&system);
        assert_eq!(found.iter().map(|w| w.0.as_str()).collect::<Vec<_>>(), ["sing", "ing", "now", "a", "men", "ded"]);
        let (first, second) = (found[0].1.y, found[3].1.y);
        assert!(found[..3].iter().all(|w| w.1.y == first) && found[3..].iter().all(|w| w.1.y == second));
        assert!(second > first && first > 4.0 && second < system.staves[1]);
        let strokes = strokes(&system);
        assert_eq!(strokes.len(), 2);
        for (from, to, y) in strokes {
            let own = if y < first { &found[..2] } else { &found[4..] };
            assert!(from > own[0].1.x && to < own[1].1.x, "{from}..{to} lies between {own:?}");
        }
    }

    #[test]
    fn a_held_syllable_has_a_line_to_its_last_note_and_a_rest_ends_it() {
        let page = sung("c5q d5q e5q f5q | c5q d5q rq f5q", &["now_ . . we sing_ . ."]);
        let system = lines(&page, Flow::Endless).remove(0);
        let strokes = strokes(&system);
        assert_eq!(strokes.len(), 2, "{strokes:?}");
        let x = |measure: usize, at: f64| system.measures[measure].x_at(at);
        assert!(strokes[0].1 > x(0, 960.0) && strokes[0].1 < x(0, 1_440.0));
        assert!(strokes[1].1 > x(1, 480.0) && strokes[1].1 < x(1, 960.0));
    }

    #[test]
    fn words_go_on_over_the_end_of_a_line() {
        let bars = 12;
        let notes = vec!["c5h d5h"; bars].join("|");
        let page = sung(&notes, &["be_"]);
        let systems = lines(&page, Flow::Lines(60.0));
        assert!(systems.len() > 1);
        for system in &systems {
            let last = system.measures[system.measures.len() - 1].x_at(960.0);
            let strokes = strokes(system);
            assert_eq!(strokes.len(), usize::from(system.measures[0].measure as usize <= MEASURES_BACK));
            assert!(strokes.iter().all(|s| (s.1 - last - 1.3).abs() < 1.0), "{strokes:?} up to {last}");
        }
        let page = sung(&notes, &[&"la- ".repeat(2 * bars - 1)]);
        for (index, system) in lines(&page, Flow::Lines(60.0)).iter().enumerate() {
            let strokes = strokes(system);
            assert!(strokes.len() >= words(system).len() - usize::from(index + 1 == systems.len()));
            if index > 0 {
                assert!(strokes[0].1 < words(system)[0].1.x, "a hyphen leads in");
            }
        }
    }
}
