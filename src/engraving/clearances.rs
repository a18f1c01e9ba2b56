//! Marks keep clear of what they belong to and of each other, and those of one kind stand on one line.

use super::page_support::{RESOLUTION, page};
use super::shape::{Bounds, Item, Part, Shape};
use super::{Flow, Point, System, bezier, engrave_page, font, glyphs as g};
use crate::music::notation::{Articulation, Ending, Notation, Ornament, Span, SpanKind, TupletMark};
use crate::time::Ticks;

fn endless(page: &Notation) -> System {
    engrave_page(page, RESOLUTION, Flow::Endless, &|_, _, _| None).remove(0)
}

/// All items, those that reach over several measures included.
fn items(system: &System) -> impl Iterator<Item = &Item> {
    system.measures.iter().flat_map(|m| &m.items).chain(system.spanning(f32::MIN, f32::MAX))
}

/// The boxes of the glyphs that are among `known`.
fn glyphs(system: &System, known: &[font::Glyph]) -> Vec<(u8, Bounds)> {
    let of = |item: &Item| match item.shape {
        Shape::Glyph { sign, at, scale } => {
            let glyph = known.iter().find(|glyph| glyph.sign == sign)?;
            Some((item.tag.staff, glyph.bounds(at.x, at.y, scale)))
        }
        _ => None,
    };
    items(system).filter_map(of).collect()
}

fn curves(system: &System, part: Part) -> Vec<[Point; 4]> {
    let of = |item: &Item| match item.shape {
        Shape::Curve { points, .. } if item.tag.part == part => Some(points),
        _ => None,
    };
    items(system).filter_map(of).collect()
}

fn is_met(curve: &[Point; 4], of: &Bounds) -> bool {
    let inside = |at: Point| (of.left..of.right).contains(&at.x) && (of.top..of.bottom).contains(&at.y);
    (0..=400).any(|step| inside(bezier(curve, step as f32 / 400.0)))
}

fn span(kind: SpanKind, from: (u32, i64), to: (u32, i64)) -> Span {
    Span { kind, staff: 0, voice: 0, from: (from.0, Ticks(from.1)), to: (to.0, Ticks(to.1)), above: None }
}

#[test]
fn an_arpeggio_stands_left_of_the_accidentals_of_its_chord_and_right_of_the_note_before() {
    for chord in ["g4+b&4+f5q", "g#4+b4+e#5+g#5q", "g4+a4+b4q"] {
        let mut page = page((2, 4), 0, &[(0, &format!("f5t a4t e5t d5t a4e {chord}"))]);
        page.measures[0].chords[5].ornaments.push(Ornament::Arpeggio);
        let system = endless(&page);
        let waves = curves(&system, Part::Mark);
        assert!(waves.len() > 2, "{chord}");
        let (left, right) = waves.iter().flatten().fold((f32::MAX, f32::MIN), |(l, r), p| (l.min(p.x), r.max(p.x)));
        let signs: Vec<font::Glyph> = (-2..=2).map(font::accidental).collect();
        for (_, sign) in glyphs(&system, &signs) {
            assert!(right < sign.left, "{chord}: {right} and {sign:?}");
        }
        let heads = glyphs(&system, &[g::NOTEHEAD_BLACK]);
        let before = heads.iter().map(|(_, b)| b).filter(|b| b.right < right).map(|b| b.right).fold(f32::MIN, f32::max);
        assert!(
            heads.iter().filter(|(_, b)| b.right < right).count() == 5 && before < left,
            "{chord}: {before} {left}"
        );
    }
}

#[test]
fn an_accent_stands_outside_of_a_tie() {
    for (voice, sign) in [("b&5e~ b&5e b5h.", true), ("f4e~ f4e b4h.", false)] {
        let mut page = page((4, 4), 0, &[(0, voice)]);
        page.measures[0].chords[0].articulations.push(Articulation::Accent);
        let system = endless(&page);
        let accent = glyphs(&system, &[font::articulation(Articulation::Accent, sign)]);
        let ties = curves(&system, Part::Curve);
        assert_eq!((accent.len(), ties.len()), (1, 1), "{voice}");
        assert!(!is_met(&ties[0], &accent[0].1), "{voice}: {accent:?} {ties:?}");
    }
}

#[test]
fn a_slur_goes_over_the_fingers_of_its_notes() {
    let rising = "c5q g5q a5q b5q | c6q d6q e6q f6q | e6q d6q c6q b5q | a5q g5q e5q c5q";
    let falling = "f5q a5q e5q g5q | f5q d5q c5q b4q";
    let chords = "a4+c5q a4+c5q c5+f5q d5+f5q";
    for (voice, measures, fingers) in [(rising, 4, 1), (falling, 2, 1), (chords, 1, 2)] {
        let mut page = page((4, 4), 0, &[(0, voice)]);
        for head in page.measures.iter_mut().flat_map(|m| &mut m.chords).flat_map(|c| c.heads.iter_mut().take(fingers))
        {
            head.finger = Some(5);
        }
        page.spans = vec![span(SpanKind::Slur, (0, 0), (measures - 1, 1_440))];
        let system = endless(&page);
        let (slurs, fives) = (curves(&system, Part::Curve), glyphs(&system, &font::FINGERING[4..]));
        assert_eq!((slurs.len(), fives.len()), (1, 4 * measures as usize * fingers), "{voice}");
        let met = fives.iter().filter(|(_, five)| is_met(&slurs[0], five)).count();
        assert_eq!(met, 0, "{voice}");
    }
}

#[test]
fn endings_and_pedals_that_follow_each_other_stand_on_one_line() {
    let mut page = page((4, 4), 0, &[(0, "c5w | c7w | c5w | c5w"), (1, "c3w | c2w | g3w | c3w")]);
    for (measure, pass) in [(1, 1), (2, 2)] {
        page.measures[measure].ending = Some(Ending { passes: vec![pass], starts: true, ends: true });
    }
    page.measures[1].repeat_end = Some(2);
    page.spans = (0..4).map(|m| Span { staff: 1, ..span(SpanKind::Pedal, (m, 0), (m, 1_920)) }).collect();
    let system = engrave_page(&page, RESOLUTION, Flow::Lines(200.0), &|_, _, _| None).remove(0);
    let level = |item: &Item| match item.shape {
        Shape::Line { from, to, .. } if from.y == to.y && item.tag.staff == 0 => Some(from.y),
        _ => None,
    };
    let brackets: Vec<f32> = system.spanning(f32::MIN, f32::MAX).filter_map(level).collect();
    assert_eq!(brackets.len(), 2);
    assert_eq!(brackets[0], brackets[1]);
    let pedals = glyphs(&system, &[g::KEYBOARD_PEDAL_PED]);
    assert_eq!(pedals.len(), 4);
    assert!(pedals.iter().all(|(_, ped)| ped.bottom == pedals[0].1.bottom), "{pedals:?}");
    let heads = glyphs(&system, &[font::head(crate::music::notation::Base::Whole)]);
    let lowest = heads.iter().map(|(_, head)| head.bottom).fold(f32::MIN, f32::max);
    assert!(pedals[0].1.top > lowest);
}

#[test]
fn numbers_of_tuplets_in_both_hands_are_apart() {
    let triplets = |notes: &str| format!("(3:2 {notes} ) (3:2 {notes} )");
    let upper = triplets("e5e d5e d5e");
    let lower = triplets("a3e g3e b3e").replace("a3e", "^a3e");
    let system = endless(&page((2, 4), 0, &[(0, &upper), (1, &lower)]));
    let threes = glyphs(&system, &[font::TUPLET[3]]);
    assert_eq!(threes.len(), 4);
    for (index, (_, own)) in threes.iter().enumerate() {
        assert!(threes[index + 1..].iter().all(|(_, other)| !own.overlaps(other)), "{threes:?}");
        let padded = Bounds { top: own.top - 0.3, bottom: own.bottom + 0.3, ..*own };
        assert!(threes[index + 1..].iter().all(|(_, other)| !padded.overlaps(other)), "{threes:?}");
    }
}

#[test]
fn a_tuplet_within_a_tuplet_has_its_own_number_nearer_to_the_notes() {
    let mut page = page((1, 4), 0, &[(0, "(3:2 c5e (9:4 d5e e5e f5e )")]);
    let chords = &mut page.measures[0].chords;
    chords[0].tuplet = TupletMark::None;
    chords[0].around = TupletMark::Starts { number: Some(3), bracket: Some(true) };
    chords[1].tuplet = TupletMark::Starts { number: Some(3), bracket: Some(true) };
    chords[3].around = TupletMark::Ends;
    let system = endless(&page);
    let threes = glyphs(&system, &[font::TUPLET[3]]);
    assert_eq!(threes.len(), 2, "{threes:?}");
    let (outer, inner) =
        if threes[0].1.left < threes[1].1.left { (&threes[0], &threes[1]) } else { (&threes[1], &threes[0]) };
    assert!(outer.1.top > inner.1.bottom || outer.1.bottom < inner.1.top, "{threes:?}");
    let heads = glyphs(&system, &[g::NOTEHEAD_BLACK]);
    let middle = heads.iter().map(|(_, head)| head.top).sum::<f32>() / heads.len() as f32;
    assert!((outer.1.top - middle).abs() > (inner.1.top - middle).abs(), "{threes:?}");
}

#[test]
fn a_beam_across_the_staves_lies_between_them() {
    let mut page = page((2, 4), 0, &[(0, "f5h"), (1, "f3e c4e e4e a4e")]);
    for chord in page.measures[0].chords.iter_mut().filter(|c| c.staff == 1).skip(1) {
        chord.heads[0].staff = Some(0);
        chord.beam = crate::music::notation::BeamHint::Joined;
    }
    let first = page.measures[0].chords.iter_mut().find(|c| c.staff == 1).expect("a chord");
    first.beam = crate::music::notation::BeamHint::Joined;
    let system = endless(&page);
    let beams: Vec<[Point; 4]> = items(&system)
        .filter_map(|item| if let Shape::Beam(corners) = item.shape { Some(corners) } else { None })
        .collect();
    assert_eq!(beams.len(), 1);
    let heads = glyphs(&system, &[g::NOTEHEAD_BLACK]);
    assert_eq!(heads.len(), 4);
    for (staff, head) in heads {
        let beyond = |corner: &Point| if staff == 0 { corner.y > head.bottom } else { corner.y < head.top };
        assert!(beams[0].iter().all(beyond), "staff {staff}: {head:?} and {:?}", beams[0]);
    }
}
