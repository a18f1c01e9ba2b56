//! What happens where a line of the page ends: courtesies, and what goes on over it.

use super::page_support::{RESOLUTION, page};
use super::shape::{Item, Part, Shape};
use super::{Flow, System, engrave_page, font, glyphs as g};
use crate::music::notation::{Clef, Ending, Notation, Span, SpanKind};
use crate::time::Ticks;

const WIDTH: f32 = 90.0;

fn lines(page: &Notation) -> Vec<System> {
    let systems = engrave_page(page, RESOLUTION, Flow::Lines(WIDTH), &|_, _, _| None);
    assert!(systems.len() > 2, "{} lines", systems.len());
    systems
}

fn page_of(measure: &str, measures: usize) -> Notation {
    let upper = vec![measure; measures].join("|");
    let lower = vec!["c3h g3h"; measures].join("|");
    page((4, 4), 0, &[(0, &upper), (1, &lower)])
}

/// A span of the first voice of the upper staff, from the first measure to the last.
fn span(page: &Notation, kind: SpanKind) -> Span {
    let last = page.measures.len() as u32 - 1;
    Span { kind, staff: 0, voice: 0, from: (0, Ticks(0)), to: (last, Ticks(0)), above: None }
}

/// Signs of a line's last measure on a staff: glyphs with their places and scales.
fn signs(system: &System, staff: u8) -> Vec<(char, f32, f32)> {
    let items = &system.measures[system.measures.len() - 1].items;
    let of = |item: &Item| match item.shape {
        Shape::Glyph { sign, at, scale } if item.tag.part == Part::Signature && item.tag.staff == staff => {
            Some((sign, at.x, scale))
        }
        _ => None,
    };
    items.iter().filter_map(of).collect()
}

#[test]
fn clefs_keys_and_metres_are_told_at_the_end_of_the_line_before() {
    let mut page = page_of("c5q d5q e5q f5q", 24);
    for (index, measure) in page.measures.iter_mut().enumerate() {
        let odd = index % 2 == 1;
        measure.fifths = Some(if odd { -1 } else { 2 });
        measure.meter = Some(if odd { (2, 2) } else { (4, 4) });
        measure.clefs = vec![(1, Ticks(0), if odd { Clef::Treble } else { Clef::Bass })];
    }
    let systems = lines(&page);
    for pair in systems.windows(2) {
        let (system, last) = (&pair[0], &pair[0].measures[pair[0].measures.len() - 1]);
        let next = &pair[1].measures[0];
        let (accidental, count) = if next.fifths > 0 { (g::ACCIDENTAL_SHARP, 2) } else { (g::ACCIDENTAL_FLAT, 1) };
        let digit = font::TIME[usize::from(next.meter.0)];
        for staff in 0..2 {
            let signs = signs(system, staff);
            let behind: Vec<char> = signs.iter().filter(|s| s.1 > last.right).map(|s| s.0).collect();
            assert_eq!(behind.iter().filter(|sign| **sign == accidental.sign).count(), count, "{behind:?}");
            assert_eq!(behind.iter().filter(|sign| **sign == digit.sign).count(), 2, "{behind:?}");
            assert_eq!(behind.len(), count + 2);
            assert!(signs.iter().all(|s| s.1 < system.width));
        }
        let clef = font::clef(next.clefs[1]).0;
        let small = signs(system, 1).into_iter().filter(|s| s.0 == clef.sign && s.1 < last.right && s.2 < 1.0).count();
        assert_eq!(small, 1, "the clef stands before the last bar line");
    }
    for system in &systems[..systems.len() - 1] {
        assert!((system.width - WIDTH).abs() < 0.01, "the courtesy is part of the line: {}", system.width);
    }
    let last = &systems[systems.len() - 1];
    assert!((last.width - last.measures[last.measures.len() - 1].right).abs() < 1e-3, "nothing comes after the end");
}

#[test]
fn every_line_begins_with_clef_and_key_and_its_number() {
    let mut page = page_of("c5q d5q e5q f5q", 24);
    page.measures[0].fifths = Some(3);
    for system in lines(&page) {
        let first = &system.measures[0];
        let all: Vec<char> = (first.items.iter())
            .filter(|i| i.tag.part == Part::Signature && i.tag.staff == 0)
            .filter_map(|i| if let Shape::Glyph { sign, .. } = i.shape { Some(sign) } else { None })
            .collect();
        assert_eq!(all[0], g::G_CLEF.sign);
        assert_eq!(all.iter().filter(|sign| **sign == g::ACCIDENTAL_SHARP.sign).count(), 3);
        let numbers = |items: &[Item]| -> Vec<String> {
            let of = |item: &Item| match &item.shape {
                Shape::Text { text, .. } if item.tag.part == Part::Number => Some(text.clone()),
                _ => None,
            };
            items.iter().filter_map(of).collect()
        };
        assert_eq!(numbers(&first.items), [(first.measure + 1).to_string()]);
        assert!(system.measures[1..].iter().all(|m| numbers(&m.items).is_empty()));
    }
}

#[test]
fn a_short_last_line_is_not_stretched() {
    let systems = lines(&page_of("c5q d5q e5q f5q", 13));
    let gap = |system: &System| system.measures[1].x_at(480.0) - system.measures[1].x_at(0.0);
    let (full, last) = (&systems[0], &systems[systems.len() - 1]);
    assert!(last.measures.len() > 1 && last.width < WIDTH * 0.7, "{} of {WIDTH}", last.width);
    assert!(gap(last) <= gap(full));
    assert!(last.width <= WIDTH + 0.01);
}

/// From where to where the curves of a line reach, ties and slurs.
fn curves(system: &System) -> Vec<(f32, f32)> {
    let of = |item: &Item| match item.shape {
        Shape::Curve { points, .. } => Some((points[0].x, points[3].x)),
        _ => None,
    };
    system.spanning(f32::MIN, f32::MAX).filter_map(of).collect()
}

#[test]
fn a_tie_over_the_end_is_drawn_on_both_lines() {
    let page = page_of("c5w~", 30);
    let systems = lines(&page);
    for (index, system) in systems.iter().enumerate() {
        let (first, last) = (&system.measures[0], &system.measures[system.measures.len() - 1]);
        let curves = curves(system);
        let from_before = curves.iter().filter(|c| c.0 < first.x_at(0.0) && c.1 < first.right).count();
        let to_after = curves.iter().filter(|c| c.0 > last.x_at(0.0) && c.1 > last.x_at(0.0)).count();
        assert_eq!(from_before, usize::from(index > 0), "line {index}: {curves:?}");
        assert_eq!(to_after, 1, "line {index}: {curves:?}");
        assert_eq!(curves.len(), system.measures.len() + usize::from(index > 0));
    }
}

#[test]
fn a_slur_goes_on_from_line_to_line() {
    let mut page = page_of("c5q d5q e5q f5q", 24);
    page.spans = vec![span(&page, SpanKind::Slur)];
    let systems = lines(&page);
    for (index, system) in systems.iter().enumerate() {
        let curves = curves(system);
        assert_eq!(curves.len(), 1, "line {index}");
        let (first, last) = (&system.measures[0], &system.measures[system.measures.len() - 1]);
        assert_eq!(curves[0].0 < first.x_at(0.0), index > 0, "it comes from before");
        let to_end = curves[0].1 > last.x_at(1_440.0);
        assert_eq!(to_end, index + 1 < systems.len(), "it leads to the end of the line: {curves:?}");
    }
}

#[test]
fn a_hairpin_stays_open_over_the_end_of_a_line() {
    let mut page = page_of("c5q d5q e5q f5q", 24);
    page.spans = vec![span(&page, SpanKind::Crescendo)];
    let systems = lines(&page);
    for (index, system) in systems.iter().enumerate() {
        let of = |item: &Item| match item.shape {
            Shape::Line { from, to, .. } => Some((from, to)),
            _ => None,
        };
        let lines: Vec<_> = system.spanning(f32::MIN, f32::MAX).filter_map(of).collect();
        assert_eq!(lines.len(), 2, "line {index}");
        let opening = [lines[1].0.y - lines[0].0.y, lines[1].1.y - lines[0].1.y];
        assert_eq!(opening[0] > 0.0, index > 0, "line {index} begins with {opening:?}");
        assert!(opening[1] > opening[0]);
    }
}

#[test]
fn an_ending_is_open_where_the_line_ends() {
    let mut page = page_of("c5q d5q e5q f5q", 24);
    let last = page.measures.len() - 1;
    for (index, measure) in page.measures.iter_mut().enumerate() {
        measure.ending = Some(Ending { passes: vec![1], starts: index == 0, ends: index == last });
    }
    let systems = lines(&page);
    for (index, system) in systems.iter().enumerate() {
        let mut hooks = 0;
        let mut words = 0;
        for item in system.spanning(f32::MIN, f32::MAX) {
            match &item.shape {
                Shape::Line { from, to, .. } if from.x == to.x => hooks += 1,
                Shape::Text { text, .. } => words += usize::from(text == "1."),
                _ => {}
            }
        }
        assert_eq!(words, usize::from(index == 0), "the number stands at its beginning");
        assert_eq!(hooks, usize::from(index == 0) + usize::from(index + 1 == systems.len()), "line {index}");
    }
}
