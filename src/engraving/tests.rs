//! The laws of an engraved page: nothing collides, time goes to the right, lines fill their width.

use super::page_support::{RESOLUTION, page, unfold};
use super::shape::{Bounds, Item, Part, Shape};
use super::{Flow, Point, System, bezier, engrave, engrave_page, font, glyphs as g};
use crate::music::notation::{Base, Direction, DirectionKind, Dynamic, Notation, NoteValue, Passage, Span, SpanKind};
use crate::music::{Hand, NoteId, Score, ScoreParts, WrittenNote};
use crate::time::Ticks;

fn lines(page: &Notation, flow: Flow) -> Vec<System> {
    engrave_page(page, RESOLUTION, flow, &|_, _, _| None)
}

fn endless(page: &Notation) -> System {
    lines(page, Flow::Endless).remove(0)
}

fn items(system: &System) -> impl Iterator<Item = &Item> {
    system.measures.iter().flat_map(|m| &m.items)
}

/// The box of a head, accidental, dot or rest.
fn bounds(item: &Item) -> Option<Bounds> {
    let Shape::Glyph { sign, at, scale } = &item.shape else { return None };
    let heads = Base::ALL.into_iter().flat_map(|base| [font::head(base), font::rest(base)]);
    let accidentals = (-3..=3).map(font::accidental);
    let glyph = heads.chain(accidentals).chain([g::AUGMENTATION_DOT]).find(|g| g.sign == *sign)?;
    Some(glyph.bounds(at.x, at.y, *scale))
}

/// What collides on a staff. Heads may touch as far as their boxes are larger than they are: seconds share the stem's
/// width, thirds a hair's breadth; and two stems may share one head.
fn collisions(system: &System) -> Vec<String> {
    let parts = [Part::Head, Part::Accidental, Part::Dot, Part::Rest];
    let mut all: Vec<(&Item, Bounds)> =
        items(system).filter(|i| parts.contains(&i.tag.part)).filter_map(|i| Some((i, bounds(i)?))).collect();
    all.sort_by(|a, b| a.1.left.total_cmp(&b.1.left));
    let slack = 0.07;
    let shrunk = |b: &Bounds| Bounds {
        left: b.left + slack,
        top: b.top + slack,
        right: b.right - slack,
        bottom: b.bottom - slack,
    };
    let mut found = Vec::new();
    for (index, (item, own)) in all.iter().enumerate() {
        for (other, theirs) in all[index + 1..].iter().take_while(|(_, b)| b.left < own.right) {
            let one_head = item.tag.part == other.tag.part
                && (own.left - theirs.left).abs() < 0.01
                && (own.top - theirs.top).abs() < 0.01;
            if item.tag.staff == other.tag.staff && shrunk(own).overlaps(&shrunk(theirs)) && !one_head {
                found.push(format!("{:?} {own:?} and {:?} {theirs:?}", item.tag, other.tag));
            }
        }
    }
    found
}

/// A small generator of numbers, so that a seed gives the same page on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.roll(of.len() as u64) as usize]
    }

    fn note(&mut self, octaves: &[&str]) -> String {
        let letter = self.pick(&["c", "d", "e", "f", "g", "a", "b"]);
        let accidental = self.pick(&["", "", "", "#", "b", "x", "&"]);
        format!("{letter}{accidental}{}", self.pick(octaves))
    }

    fn names(&mut self, octaves: &[&str]) -> String {
        let count = [1, 1, 2, 3, 4, 5][self.roll(6) as usize];
        let mut names: Vec<String> = (0..count).map(|_| self.note(octaves)).collect();
        // A key is struck once in a chord.
        names.sort();
        names.dedup_by(|a, b| a[..1] == b[..1] && a[a.len() - 1..] == b[b.len() - 1..]);
        names.join("+")
    }

    /// A beat of one quarter.
    fn beat(&mut self, octaves: &[&str]) -> String {
        match self.roll(9) {
            0 => "rq".to_owned(),
            1 | 2 => format!("{}q", self.names(octaves)),
            3 => format!("{}e {}e", self.names(octaves), self.names(octaves)),
            4 => format!("{}e. {}s", self.names(octaves), self.names(octaves)),
            5 => format!("(3:2 {}e {}e {}e )", self.names(octaves), self.names(octaves), self.names(octaves)),
            6 => format!("{}s re {}s", self.names(octaves), self.names(octaves)),
            7 => format!("'{}e {}q", self.note(octaves), self.names(octaves)),
            _ => format!(
                "{}s {}s {}s. {}t",
                self.names(octaves),
                self.names(octaves),
                self.names(octaves),
                self.names(octaves)
            ),
        }
    }

    fn bar(&mut self, octaves: &[&str]) -> String {
        match self.roll(6) {
            0 => format!("{}w", self.names(octaves)),
            1 => format!("{}h. {}", self.names(octaves), self.beat(octaves)),
            2 => format!("{}q. {}e {}h~", self.names(octaves), self.names(octaves), self.names(octaves)),
            3 => "R".to_owned(),
            _ => (0..4).map(|_| self.beat(octaves)).collect::<Vec<_>>().join(" "),
        }
    }

    fn voice(&mut self, octaves: &[&str]) -> String {
        (0..4).map(|_| self.bar(octaves)).collect::<Vec<_>>().join(" | ")
    }
}

/// Pages with one or two voices on each staff, by seed.
fn random_page(seed: u64) -> (Notation, String) {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) + 1);
    let mut voices = vec![(0, dice.voice(&["4", "5", "6"])), (1, dice.voice(&["2", "3"]))];
    if dice.roll(2) == 0 {
        voices.push((0, dice.voice(&["3", "4", "5"])));
    }
    if dice.roll(3) == 0 {
        voices.push((1, dice.voice(&["2", "3"])));
    }
    let fifths = dice.roll(15) as i8 - 7;
    let told = voices.iter().map(|(staff, text)| format!("staff {staff}: {text}")).collect::<Vec<_>>().join("\n");
    let voices: Vec<(u8, &str)> = voices.iter().map(|(staff, text)| (*staff, text.as_str())).collect();
    (page((4, 4), fifths, &voices), told)
}

#[test]
fn nothing_collides_on_random_pages() {
    for seed in 0..300 {
        let (page, told) = random_page(seed);
        let found = collisions(&endless(&page));
        assert!(found.is_empty(), "seed {seed}: {}\n{told}", found.join("\n"));
    }
}

#[test]
fn nothing_collides_where_it_is_hard() {
    for (upper, lower) in [
        ("c4+d4+e4+f4+g4q c#4+d#4+e#4q d4+f4+g4h.", ""),
        ("c#5+d#5+f#5+g#5+b5w", ""),
        ("c5q d5q e5q f5q", "c5q c5q d5q g5q"),
        ("c5h d5h.", "c5q b4q d5w"),
        ("e5q. d5e c5h", "c5+e5q. c5e d5h"),
        ("rq c5q re c5e rq", "c4h rh"),
        ("a#5t b5t a#5t gx5t f5t e5t d5t c#5t rq rh", ""),
        ("'f#5s 'g5s 'a#5s b5q 'c5e d5q rh", ""),
    ] {
        let voices = [(0, upper), (0, lower)];
        let page = page((4, 4), 0, if lower.is_empty() { &voices[..1] } else { &voices });
        let found = collisions(&endless(&page));
        assert!(found.is_empty(), "{upper} / {lower}: {}", found.join("\n"));
    }
}

#[test]
fn ticks_and_places_are_one_another_s_inverse() {
    for seed in 0..50 {
        let (mut page, told) = random_page(seed);
        // Bars 2 and 3 are played again.
        page.passages = [0, 1, 2, 1, 2, 3]
            .iter()
            .enumerate()
            .map(|(i, m)| Passage { measure: *m, start: Ticks(i as i64 * 1_920) })
            .collect();
        let system = endless(&page);
        let mut last = f32::MIN;
        for tick in (0..6 * 1_920).step_by(20) {
            let x = system.x_at(f64::from(tick));
            assert!(x > last, "seed {seed}, tick {tick}: {x} after {last}\n{told}");
            last = x;
            let back = system.tick_at(x);
            assert!((back - f64::from(tick)).abs() < 1.0, "seed {seed}: {tick} became {back}");
        }
        assert_eq!(system.measures.iter().map(|m| m.measure).collect::<Vec<_>>(), [0, 1, 2, 1, 2, 3]);
    }
}

#[test]
fn lines_fill_their_width() {
    let mut page = random_page(7).0;
    let more: Vec<_> = (8..16).flat_map(|seed| random_page(seed).0.measures).collect();
    page.measures.extend(more);
    unfold(&mut page);
    for width in [90.0, 140.0, 220.0] {
        let systems = lines(&page, Flow::Lines(width));
        assert!(systems.len() > 2, "{} lines", systems.len());
        for system in &systems[..systems.len() - 1] {
            let single = system.measures.len() == 1 && system.width > width;
            assert!((system.width - width).abs() < 0.01 || single, "{} of {width}", system.width);
            let lines = system.measures.last().expect("a measure").items.iter().filter(|i| i.tag.part == Part::Barline);
            let right = lines.filter_map(|i| match i.shape {
                Shape::Line { from, thickness, .. } => Some(from.x + thickness / 2.0),
                _ => None,
            });
            let end = system.measures.last().map_or(0.0, |m| m.right);
            assert!((right.fold(0.0, f32::max) - end).abs() < 0.01, "the last line ends the last measure");
        }
        let printed: Vec<u32> = systems.iter().flat_map(|s| s.measures.iter().map(|m| m.measure)).collect();
        assert_eq!(printed, (0..page.measures.len() as u32).collect::<Vec<_>>(), "each measure once, in order");
        assert!(systems.iter().all(|s| collisions(s).is_empty()));
    }
}

#[test]
fn both_staves_stand_together_and_the_same_page_is_the_same_picture() {
    let page = page((4, 4), 2, &[(0, "d5q f#5e e5e d5h"), (1, "d3q a3q f#3h")]);
    let system = endless(&page);
    let heads = |staff: u8| -> Vec<f32> {
        items(&system)
            .filter(|i| i.tag.part == Part::Head && i.tag.staff == staff)
            .filter_map(|i| bounds(i).map(|b| b.left))
            .collect()
    };
    let (upper, lower) = (heads(0), heads(1));
    assert_eq!([upper[0], upper[1], upper[3]], [lower[0], lower[1], lower[2]]);
    assert_eq!(system, endless(&page));
    assert_eq!(lines(&random_page(3).0, Flow::Lines(100.0)), lines(&random_page(3).0, Flow::Lines(100.0)));
}

#[test]
fn ledger_lines_tuplets_and_stems_are_there() {
    let page = page((4, 4), 0, &[(0, "c6q c4q (3:2 c5q d5q e5q )"), (0, "yw")]);
    let system = endless(&page);
    let count = |part: Part| items(&system).filter(|i| i.tag.part == part).count();
    assert_eq!(count(Part::Ledger), 3, "two above for C6, one below for C4");
    assert_eq!(count(Part::Head), 5);
    assert_eq!(count(Part::Stem), 5);
    let is_three = |i: &&Item| matches!(i.shape, Shape::Glyph { sign, .. } if sign == font::TUPLET[3].sign);
    assert_eq!(items(&system).filter(is_three).count(), 1);
    let bracket = items(&system).filter(|i| i.tag.part == Part::Mark && matches!(i.shape, Shape::Line { .. })).count();
    assert_eq!(bracket, 4, "two hooks, and the line on both sides of the number");
}

#[test]
fn a_rest_between_beamed_notes_keeps_clear_of_the_beam() {
    for voice in ["c5s_ rs c5s_ c5s/ rq rh", "c4s_ rs c4s_ c4s/ rq rh", "g5t_ rt b5t_ b5t/ re rq rh"] {
        let system = endless(&page((4, 4), 0, &[(0, voice)]));
        let rest = items(&system).find(|i| i.tag.part == Part::Rest).and_then(bounds).expect("a rest");
        let corners =
            items(&system).filter_map(|i| if let Shape::Beam(points) = i.shape { Some(points) } else { None });
        let over = |points: &[Point; 4]| points[0].x < rest.right && rest.left < points[1].x;
        let beams: Vec<[Point; 4]> = corners.filter(over).collect();
        assert!(!beams.is_empty(), "{voice}");
        for points in beams {
            let (top, bottom) = points.iter().fold((f32::MAX, f32::MIN), |(t, b), p| (t.min(p.y), b.max(p.y)));
            assert!(rest.bottom < top || rest.top > bottom, "{voice}: {rest:?} meets a beam {top}..{bottom}");
        }
    }
}

#[test]
fn two_voices_turn_their_stems_away_from_each_other() {
    let page = page((4, 4), 0, &[(0, "c5q d5q e5h"), (0, "c4q d4q e4h")]);
    let system = endless(&page);
    for item in items(&system).filter(|i| i.tag.part == Part::Stem) {
        let Shape::Line { from, to, .. } = item.shape else { continue };
        let chord = &page.measures[0].chords[usize::from(item.tag.chord.expect("a chord"))];
        assert_eq!(to.y < from.y, chord.voice == 0, "voice {}", chord.voice);
    }
}

#[test]
fn heads_stand_for_the_notes_of_the_score_ties_included() {
    let page = page((4, 4), 0, &[(0, "c5h e5h~ | e5h c5h"), (1, "c3w | g2w")]);
    let mut page = page;
    page.measures[1]
        .chords
        .iter_mut()
        .filter(|c| c.staff == 0 && c.at == Ticks(0))
        .for_each(|c| c.heads[0].sounds = None);
    let mut notes = Vec::new();
    for passage in &page.passages {
        for chord in &page.measures[passage.measure as usize].chords {
            for (at, pitch) in chord.heads.iter().filter_map(|h| h.sounds) {
                let onset = passage.start + at;
                notes.push(WrittenNote { onset, end: onset + Ticks(480), pitch, hand: chord.hand, velocity: 80 });
            }
        }
    }
    let score = Score::new(ScoreParts { resolution: RESOLUTION, notes, notation: Some(page), ..ScoreParts::default() });
    let systems = engrave(&score, Flow::Endless).expect("a page");
    let found: Vec<Option<NoteId>> = items(&systems[0])
        .filter(|i| i.tag.part == Part::Head && i.tag.hand == Some(Hand::Right))
        .map(|i| i.tag.note)
        .collect();
    let id = |onset, key| score.find(Ticks(onset), crate::music::Pitch::new(key).expect("a key"), Hand::Right);
    assert_eq!(found, [id(0, 72), id(960, 76), id(960, 76), id(2_880, 72)]);
    assert!(found.iter().all(Option::is_some));
}

/// Two voices of one hand, one measure of two quarters' length each.
fn unison(upper: &str, lower: &str) -> System {
    let page = page((2, 4), 0, &[(0, upper), (0, lower)]);
    let mut notes = Vec::new();
    for chord in &page.measures[0].chords {
        for (onset, pitch) in chord.heads.iter().filter_map(|h| h.sounds) {
            notes.push(WrittenNote { onset, end: onset + Ticks(480), pitch, hand: chord.hand, velocity: 80 });
        }
    }
    let score = Score::new(ScoreParts { resolution: RESOLUTION, notes, notation: Some(page), ..ScoreParts::default() });
    engrave(&score, Flow::Endless).expect("a page").remove(0)
}

#[test]
fn voices_that_meet_share_a_head_and_a_note_is_struck_at_one_head() {
    // Heads that are printed, of these side by side with one of the same note, and heads that strike.
    let check = |upper: &str, lower: &str, expected: [usize; 3]| {
        let system = unison(upper, lower);
        let heads: Vec<&Item> = items(&system).filter(|i| i.tag.part == Part::Head).collect();
        let beside = |i: &&&Item| heads.iter().any(|o| o.tag.note == i.tag.note && o.shape != i.shape);
        let strikes = heads.iter().filter(|i| i.tag.strikes).count();
        assert_eq!([heads.len(), heads.iter().filter(beside).count(), strikes], expected, "{upper} ; {lower}");
        let notes: std::collections::HashSet<_> = heads.iter().filter_map(|i| i.tag.note).collect();
        assert_eq!(notes.len(), strikes, "{upper} ; {lower}");
    };
    check("g4h", "g4h", [1, 0, 1]);
    check("g4+b4+d5h", "g4h", [3, 0, 3]);
    check("g4q a4q", "g4e f4e a4q", [3, 0, 3]);
    check("g4q. a4e", "g4q. a4e", [2, 0, 2]);
    check("g4h", "g4q f4q", [3, 2, 2]);
    check("g4+a4h", "g4+b4h", [4, 2, 3]);
    check("g4q. a4e", "g4q a4q", [4, 2, 3]);
    check("g4+b4h", "e4+g4h", [3, 0, 3]);
    check("g4h~ | g4h", "R | R", [2, 2, 1]);
}

/// A span of the first voice of the upper staff within the first measure.
fn span(kind: SpanKind, from: i64, to: i64) -> Span {
    Span { kind, staff: 0, voice: 0, from: (0, Ticks(from)), to: (0, Ticks(to)), above: None }
}

#[test]
fn a_slur_keeps_clear_of_the_notes_under_it() {
    let mut page = page((4, 4), 0, &[(0, "c5q b5q e6q c5q")]);
    page.spans = vec![span(SpanKind::Slur, 0, 1_440)];
    let system = endless(&page);
    let curves: Vec<[Point; 4]> = (system.spanning(f32::MIN, f32::MAX))
        .filter_map(|item| if let Shape::Curve { points, .. } = item.shape { Some(points) } else { None })
        .collect();
    assert_eq!(curves.len(), 1);
    for head in items(&system).filter(|i| i.tag.part == Part::Head).filter_map(bounds) {
        for step in 0..=100 {
            let at = bezier(&curves[0], step as f32 / 100.0);
            let inside = (head.left..head.right).contains(&at.x);
            assert!(!inside || at.y < head.top, "the slur meets a head at {at:?}, {head:?}");
        }
    }
}

#[test]
fn ties_bend_away_from_stems_and_chords_outwards() {
    let bends = |voices: &[(u8, &str)]| -> Vec<bool> {
        let system = endless(&page((4, 4), 0, voices));
        let of = |item: &Item| match item.shape {
            Shape::Curve { points, .. } => Some((points[0].y, points[1].y < points[0].y)),
            _ => None,
        };
        let mut found: Vec<(f32, bool)> = system.spanning(f32::MIN, f32::MAX).filter_map(of).collect();
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        found.into_iter().map(|(_, up)| up).collect()
    };
    assert_eq!(bends(&[(0, "f4h~ f4h")]), [false], "the stem goes up");
    assert_eq!(bends(&[(0, "e5h~ e5h")]), [true], "the stem goes down");
    assert_eq!(bends(&[(0, "c5+e5+g5h~ c5+e5+g5h")]), [false, true, true]);
    assert_eq!(
        bends(&[(0, "f5h~ f5h"), (0, "f4h~ f4h")]),
        [false, true],
        "from below: the lower voice, the upper voice"
    );
}

#[test]
fn dynamics_and_hairpins_stand_between_the_staves() {
    let mut page = page((4, 4), 0, &[(0, "c4q c4q c4q c4q"), (1, "b3q b3q b3q b3q")]);
    let kind = DirectionKind::Dynamic(Dynamic::F);
    page.measures[0].directions = vec![Direction { staff: 0, at: Ticks(0), above: None, kind }];
    page.spans = vec![span(SpanKind::Crescendo, 480, 1_440)];
    let system = endless(&page);
    let low = items(&system).filter(|i| i.tag.part == Part::Head && i.tag.staff == 0).filter_map(bounds);
    let low = low.map(|b| b.bottom).fold(0.0, f32::max);
    let sign = font::dynamic(Dynamic::F);
    let letter = items(&system).find_map(|i| match i.shape {
        Shape::Glyph { sign: found, at, .. } if found == sign.sign => Some(sign.bounds(at.x, at.y, 1.0)),
        _ => None,
    });
    let letter = letter.expect("a dynamic");
    assert!(letter.top > low && letter.bottom < system.staves[1], "{letter:?} between {low} and {:?}", system.staves);
    let lines: Vec<(Point, Point)> = (system.spanning(f32::MIN, f32::MAX))
        .filter_map(|item| if let Shape::Line { from, to, .. } = item.shape { Some((from, to)) } else { None })
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0].0, lines[1].0, "it opens from one point");
    assert!(lines.iter().all(|(_, to)| to.y > low && to.y < system.staves[1] && to.x > letter.right));
}

/// The texts of a line with their places, in order.
fn texts(system: &System) -> Vec<(String, Point)> {
    let of = |item: &Item| match &item.shape {
        Shape::Text { text, at, .. } if item.tag.part == Part::Mark => Some((text.clone(), *at)),
        _ => None,
    };
    items(system).filter_map(of).collect()
}

#[test]
fn a_metronome_mark_stands_right_behind_its_word_in_its_own_measure() {
    let direction = |kind| Direction { staff: 0, at: Ticks(0), above: Some(true), kind };
    let tempo = || direction(DirectionKind::Tempo("Tempo di marcia".to_owned()));
    let mark = || direction(DirectionKind::Metronome(NoteValue::plain(Base::Quarter), 100.0));
    for directions in [[tempo(), mark()], [mark(), tempo()]] {
        // High notes under the mark lift the word, too.
        let mut page = page((4, 4), 0, &[(0, "c5e d5e e5e f5e c7e d7e e7e f7e | c5w")]);
        page.measures[0].directions = directions.to_vec();
        let system = endless(&page);
        let found = texts(&system);
        assert_eq!(found.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>(), ["Tempo di marcia", "= 100"]);
        assert_eq!(found[0].1.y, found[1].1.y, "on one line");
        let gap = found[1].1.x - found[0].1.x - super::lettering::text_width("Tempo di marcia", 2.2);
        assert!((1.0..3.5).contains(&gap), "room for the note only, not {gap}");
        assert!(found[1].1.x < system.measures[0].right);
    }
}

#[test]
fn words_and_hairpins_stand_beside_the_loudness_of_their_place() {
    let direction = |kind| Direction { staff: 0, at: Ticks(0), above: None, kind };
    let mut page = page((4, 4), 0, &[(0, "c5q c5q c5q c5q")]);
    page.spans = vec![span(SpanKind::Diminuendo, 0, 1_440)];
    page.measures[0].directions =
        vec![direction(DirectionKind::Words("dolce".to_owned())), direction(DirectionKind::Dynamic(Dynamic::Mf))];
    let system = endless(&page);
    let sign = font::dynamic(Dynamic::Mf);
    let loudness = items(&system).find_map(|i| match i.shape {
        Shape::Glyph { sign: found, at, .. } if found == sign.sign => Some(sign.bounds(at.x, at.y, 1.0)),
        _ => None,
    });
    let right = loudness.expect("a dynamic").right;
    assert!(texts(&system)[0].1.x > right);
    let hairpin = system.spanning(f32::MIN, f32::MAX).filter_map(|item| match item.shape {
        Shape::Line { from, to, .. } => Some(from.x.min(to.x)),
        _ => None,
    });
    assert!(hairpin.fold(f32::MAX, f32::min) > right);
}

#[test]
fn a_page_with_nothing_on_it_is_no_trouble() {
    let systems = lines(&Notation::default(), Flow::Endless);
    assert_eq!((systems.len(), systems[0].measures.len()), (1, 0));
    assert_eq!((systems[0].x_at(5.0), systems[0].measure_at(3.0)), (0.0, None));
    assert!(lines(&Notation::default(), Flow::Lines(80.0)).is_empty());
    let empty = page((3, 4), 0, &[(0, "yh."), (1, "R")]);
    assert_eq!(endless(&empty).measures.len(), 1);
}
