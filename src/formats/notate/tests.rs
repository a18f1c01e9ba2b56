//! Laws of pages that are made from notes, and pages that are read off.

use proptest::prelude::*;

use super::{finer, notate};
use crate::music::notation::{Chord, Measure, Notation, Rest, Span, SpanKind};
use crate::music::{Hand, Meter, Pitch, Score, ScoreParts, WrittenNote};
use crate::time::Ticks;

fn written(onset: i64, end: i64, key: u8, hand: Hand) -> WrittenNote {
    WrittenNote { onset: Ticks(onset), end: Ticks(end), pitch: Pitch::from_data_byte(key), hand, velocity: 80 }
}

fn score(parts: ScoreParts) -> Score {
    let score = Score::new(finer(parts));
    let page = notate(&score);
    score.with_notation(page)
}

/// A value such as `q`, `e.` or `s3:2`.
fn value(chord: &Chord) -> String {
    let letter = &"bwhqestxy"[chord.value.base as usize..][..1];
    let ratio = chord.value.ratio.map_or(String::new(), |r| format!("{}:{}", r.actual, r.normal));
    let grace = if chord.grace.is_some() { "'" } else { "" };
    format!("{grace}{letter}{}{ratio}", ".".repeat(usize::from(chord.value.dots)))
}

/// The voices of a measure, a line each: `c4q~ rq`.
fn told(measure: &Measure) -> Vec<String> {
    let mut voices: Vec<u8> = measure.chords.iter().map(|c| c.voice).collect();
    voices.sort_unstable();
    voices.dedup();
    let line = |voice: u8| {
        let words = measure.chords.iter().filter(|c| c.voice == voice).map(|chord| {
            let names: Vec<String> =
                chord.heads.iter().map(|h| format!("{}{}", h.pitch, if h.tied { "~" } else { "" })).collect();
            let name = match (names.is_empty(), chord.rest) {
                (false, _) => names.join("+"),
                (true, Rest::Printed) => "r".into(),
                (true, Rest::WholeMeasure) => "R".into(),
                (true, Rest::Hidden) => "y".into(),
            };
            format!("{name} {}", value(chord))
        });
        words.collect::<Vec<_>>().join(", ")
    };
    voices.into_iter().map(line).collect()
}

/// Notes of the right hand as onset, end and key at 480 ticks to the quarter, and how the first measures are written.
#[track_caller]
fn check(meter: (u8, u8), notes: &[(i64, i64, u8)], expected: &[&str]) {
    let notes = notes.iter().map(|(onset, end, key)| written(*onset, *end, *key, Hand::Right)).collect();
    let meters = vec![Meter { tick: Ticks(0), beats: meter.0, unit: meter.1 }];
    let score = score(ScoreParts { resolution: 480, notes, meters, ..ScoreParts::default() });
    let page = score.notation().expect("a page");
    lawful(&score, page);
    let lines: Vec<String> = page.measures.iter().flat_map(told).collect();
    assert_eq!(lines, expected);
}

/// What must hold for every page.
#[track_caller]
fn lawful(score: &Score, page: &Notation) {
    let resolution = score.resolution();
    let mut heads: Vec<(Ticks, Pitch, Hand)> = Vec::new();
    assert_eq!(page.passages.len(), page.measures.len());
    for (passage, measure) in page.passages.iter().zip(&page.measures) {
        let of_measure = measure.chords.iter().flat_map(|c| c.heads.iter().map(move |h| (c, h)));
        for (chord, head) in of_measure {
            assert!(usize::from(chord.staff) < page.staves.len());
            assert!(head.pitch.alter.abs() <= 2, "{}", head.pitch);
            if let Some((at, pitch)) = head.sounds {
                let octaves = octaves(page, passage.measure, chord);
                let read = head.pitch.pitch().map(|p| i32::from(p.key()) + 12 * octaves);
                assert_eq!(read, Some(i32::from(pitch.key())));
                heads.push((passage.start + at, pitch, chord.hand));
            }
        }
        for voice in 0..4 {
            let chords: Vec<&Chord> = measure.chords.iter().filter(|c| c.voice == voice && c.grace.is_none()).collect();
            let mut now = Ticks(0);
            for chord in &chords {
                assert_eq!(chord.at, now, "{:?}", told(measure));
                let is_whole = chord.rest == Rest::WholeMeasure && chord.heads.is_empty();
                now = if is_whole { measure.length } else { now + exact(chord, resolution) };
            }
            let rest = measure.length.0 - now.0;
            let fills = (0..i64::from(resolution) / 32).contains(&rest);
            assert!(chords.is_empty() || fills, "{rest} ticks are left of {}: {:?}", measure.length, told(measure));
        }
    }
    heads.sort_unstable();
    let mut sounding: Vec<_> = score.notes().iter().map(|n| (n.onset, n.pitch, n.hand)).collect();
    sounding.sort_unstable();
    assert_eq!(heads, sounding, "every note has one head");
    ties_lead_on(page);
}

/// How many octaves higher a chord sounds than it is written.
fn octaves(page: &Notation, measure: u32, chord: &Chord) -> i32 {
    let here = (measure, chord.at);
    let holds = |s: &&Span| s.staff == chord.staff && s.from <= here && here < s.to;
    page.spans.iter().filter(holds).map(|s| if let SpanKind::Octave(n) = s.kind { i32::from(n) } else { 0 }).sum()
}

/// How long a chord is, which the resolution must be able to say.
#[track_caller]
fn exact(chord: &Chord, resolution: u16) -> Ticks {
    let ticks = chord.ticks(resolution);
    assert!(ticks.0 > 0);
    assert_eq!(chord.ticks(resolution * 2).0, ticks.0 * 2, "{:?} is rounded at {resolution}", chord.value);
    ticks
}

/// Each tie has its next head: in the same voice, of the same pitch, at once, and not struck again.
#[track_caller]
fn ties_lead_on(page: &Notation) {
    for voice in 0..4u8 {
        let chords: Vec<&Chord> = page
            .measures
            .iter()
            .flat_map(|m| m.chords.iter().filter(|c| c.voice == voice && c.grace.is_none()))
            .collect();
        for (index, chord) in chords.iter().enumerate() {
            for head in &chord.heads {
                let next = chords.get(index + 1).and_then(|c| c.heads.iter().find(|h| h.pitch == head.pitch));
                assert!(
                    !head.tied || next.is_some_and(|h| h.sounds.is_none()),
                    "a tie of {} leads nowhere",
                    head.pitch
                );
                let before = index.checked_sub(1).and_then(|i| chords[i].heads.iter().find(|h| h.pitch == head.pitch));
                assert!(head.sounds.is_some() || before.is_some_and(|h| h.tied), "{} comes from nowhere", head.pitch);
            }
        }
    }
}

#[test]
fn values_follow_the_metre() {
    check((4, 4), &[(0, 480, 60), (480, 1440, 62), (1440, 1920, 64)], &["C4 q, D4 h, E4 q"]);
    check((4, 4), &[(0, 240, 60), (240, 720, 62), (720, 960, 64), (960, 1920, 65)], &["C4 e, D4 q, E4 e, F4 h"]);
    // Across the middle of the measure nothing small is held without a tie.
    check((4, 4), &[(0, 720, 60), (720, 1200, 62), (1200, 1920, 64)], &["C4 q., D4~ e, D4 e, E4 q."]);
    check((3, 4), &[(0, 480, 60), (480, 1440, 62)], &["C4 q, D4 h"]);
    check((6, 8), &[(0, 720, 60), (720, 960, 62), (960, 1440, 64)], &["C4 q., D4 e, E4 q"]);
    check((6, 8), &[(0, 480, 60), (480, 960, 62), (960, 1440, 64)], &["C4 q, D4~ e, D4 e, E4 q"]);
    check((4, 4), &[(0, 2400, 60)], &["C4~ w", "C4 q, r q, r h"]);
    check((4, 4), &[(1920, 3840, 60)], &["R w", "C4 w"]);
    check((5, 4), &[(0, 2400, 60)], &["C4~ w, C4 q"]);
    check((3, 4), &[(0, 480, 60)], &["C4 q, r q, r q"]);
    check((2, 4), &[(0, 360, 60), (360, 480, 62), (480, 600, 64), (600, 960, 65)], &["C4 e., D4 s, E4 s, F4 e."]);
}

#[test]
fn tuplets_are_found_and_marked() {
    check(
        (2, 4),
        &[(0, 160, 60), (160, 320, 62), (320, 480, 64), (480, 960, 65)],
        &["C4 e3:2, D4 e3:2, E4 e3:2, F4 q"],
    );
    check((2, 4), &[(0, 320, 60), (320, 640, 62), (640, 960, 64)], &["C4 q3:2, D4 q3:2, E4 q3:2"]);
    check((2, 4), &[(0, 320, 60), (320, 480, 62), (480, 960, 64)], &["C4 q3:2, D4 e3:2, E4 q"]);
    let sextuplet: Vec<_> = (0..6).map(|i| (i * 80, i * 80 + 80, 60 + i as u8)).collect();
    check((1, 4), &sextuplet, &["C4 s3:2, C♯4 s3:2, D4 s3:2, E♭4 s3:2, E4 s3:2, F4 s3:2"]);
    let quintuplet: Vec<_> = (0..5).map(|i| (i * 96, i * 96 + 96, 60 + i as u8)).collect();
    check((1, 4), &quintuplet, &["B♯3 s5:4, C♯4 s5:4, D4 s5:4, D♯4 s5:4, E4 s5:4"]);
}

#[test]
fn only_the_half_of_a_beat_that_is_divided_by_three_is_a_tuplet() {
    check(
        (1, 4),
        &[(0, 240, 60), (240, 320, 62), (320, 400, 64), (400, 480, 65)],
        &["C4 e, D4 s3:2, E4 s3:2, F4 s3:2"],
    );
    // Where something is held over the middle it is one of six.
    check(
        (1, 4),
        &[(0, 160, 60), (160, 320, 62), (320, 400, 64), (400, 480, 65)],
        &["C4 e6:4, D4 e6:4, E4 s6:4, F4 s6:4"],
    );
}

#[test]
fn what_sounds_half_of_its_value_has_a_dot_unless_everything_does() {
    let page = |notes: &[(i64, i64, u8)]| {
        let notes = notes.iter().map(|(onset, end, key)| written(*onset, *end, *key, Hand::Right)).collect();
        let meters = vec![Meter { tick: Ticks(0), beats: 2, unit: 4 }];
        let score = score(ScoreParts { resolution: 480, notes, meters, ..ScoreParts::default() });
        let page = score.notation().expect("a page").clone();
        page.measures.iter().flat_map(|m| &m.chords).map(|c| c.articulations.len()).collect::<Vec<_>>()
    };
    assert_eq!(page(&[(0, 120, 60), (240, 480, 62), (480, 720, 64), (720, 960, 65)]), [1, 0, 0, 0]);
    assert_eq!(page(&[(0, 120, 60), (240, 360, 62), (480, 600, 64), (720, 960, 65)]), [0, 0, 0, 0]);
}

#[test]
fn what_stands_on_many_ledger_lines_is_written_an_octave_nearer() {
    let spans = |keys: &[u8], hand| {
        let notes = (0..).zip(keys).map(|(i, key)| written(i * 480, i * 480 + 480, *key, hand)).collect();
        let score = score(ScoreParts { resolution: 480, notes, ..ScoreParts::default() });
        let page = score.notation().expect("a page");
        lawful(&score, page);
        let of = |s: &Span| (s.kind, s.from.0 as i64 * 1_920 + s.from.1.0, s.to.0 as i64 * 1_920 + s.to.1.0);
        page.spans.iter().map(of).collect::<Vec<_>>()
    };
    // C7 and D7 stand on five and more lines, C6 on two.
    assert_eq!(spans(&[84, 96, 98, 96, 84, 72], Hand::Right), [(SpanKind::Octave(1), 480, 1_920)]);
    assert_eq!(spans(&[72, 84, 86, 88, 84, 72], Hand::Right), []);
    assert_eq!(spans(&[48, 24, 26, 24, 48], Hand::Left), [(SpanKind::Octave(-1), 480, 1_920)]);
}

#[test]
fn staves_have_two_voices_where_notes_end_apart() {
    let two = [(0, 1920, 60), (0, 480, 72), (480, 960, 74), (960, 1440, 76), (1440, 1920, 77)];
    check((4, 4), &two, &["C5 q, D5 q, E5 q, F5 q", "C4 w"]);
    let above = [(0, 1920, 84), (0, 480, 60), (480, 960, 62), (960, 1440, 64), (1440, 1920, 65)];
    check((4, 4), &above, &["C6 w", "C4 q, D4 q, E4 q, F4 q"]);
    let chords = [(0, 960, 60), (0, 960, 64), (960, 1920, 62), (960, 1920, 65)];
    check((4, 4), &chords, &["C4+E4 h, D4+F4 h"]);
    let later = [(0, 960, 60), (240, 960, 67), (960, 1920, 60)];
    check((4, 4), &later, &["r e, G4 q., C4 h", "C4 h, y h"]);
}

#[test]
fn short_ends_are_how_it_is_played() {
    // As programs play: 95 in 100 of the value.
    check((4, 4), &[(0, 455, 60), (480, 1390, 62), (1440, 1895, 64)], &["C4 q, D4 h, E4 q"]);
    check((4, 4), &[(0, 120, 60), (240, 360, 62), (480, 960, 64), (960, 1920, 65)], &["C4 e, D4 e, E4 q, F4 h"]);
    check((2, 4), &[(0, 120, 60), (240, 480, 62), (480, 600, 64), (720, 840, 65)], &["C4 e, D4 e, E4 e, F4 s, r s"]);
    // A rest that is written stays one.
    check((4, 4), &[(0, 480, 60), (960, 1440, 62)], &["C4 q, r q, D4 q, r q"]);
}

/// A small generator of numbers, so that a seed gives the same music on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as i64 % sides
    }
}

#[test]
fn what_is_played_with_a_metronome_reads_as_it_is_meant() {
    // Quarters, eighths and triplets at 100 quarters a minute, each up to 25 ms away from its place, cut by a fifth.
    let rhythm = [480, 240, 240, 160, 160, 160, 480, 480, 480, 240, 240, 480, 160, 160, 160, 960, 480];
    let mut dice = Dice(7);
    for _ in 0..20 {
        let mut notes = Vec::new();
        let mut now = 1_920;
        for _ in 0..4 {
            for length in rhythm {
                let onset = now + dice.roll(41) - 20;
                let end = now + length * 4 / 5 + dice.roll(21);
                notes.push(written(onset, end, 60 + dice.roll(12) as u8, Hand::Right));
                now += length;
            }
        }
        let tempos = vec![crate::music::Tempo { tick: Ticks(0), micros_per_quarter: 600_000 }];
        let score = score(ScoreParts { resolution: 480, notes, tempos, ..ScoreParts::default() });
        let page = score.notation().expect("a page");
        lawful(&score, page);
        let values = page.measures[1..].iter().flat_map(|m| &m.chords).map(|c| c.ticks(480).0);
        assert_eq!(values.collect::<Vec<_>>(), rhythm.repeat(4));
    }
}

fn any_note() -> impl Strategy<Value = (i64, i64, u8, bool)> {
    let length = prop_oneof![1i64..40, 100i64..1_000, Just(480), Just(240), Just(160), 1_000i64..9_000];
    (0i64..12_000, length, 0u8..128, any::<bool>())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn every_page_is_lawful(
        rows in proptest::collection::vec(any_note(), 1..80),
        meters in proptest::collection::vec((0i64..9_000, 1u8..13, 0u32..8), 0..4),
        resolution in prop_oneof![Just(480u16), Just(96), Just(8), Just(1_024), 1u16..32_768],
        grid in prop_oneof![Just(1i64), Just(20), Just(60), Just(160)],
        keys in proptest::collection::vec((0i64..9_000, -7i8..8), 0..3),
        pickup in prop_oneof![Just(0i64), 1i64..600],
    ) {
        let notes = rows.iter().map(|(onset, length, key, right)| {
            let onset = onset / grid * grid;
            written(onset, onset + length, *key, if *right { Hand::Right } else { Hand::Left })
        });
        let meters = meters.iter().map(|(tick, beats, power)| Meter { tick: Ticks(*tick), beats: *beats, unit: 1 << power });
        let keys = keys.iter().map(|(tick, fifths)| {
            crate::music::KeySignature { tick: Ticks(*tick), fifths: *fifths, minor: false }
        });
        let parts = ScoreParts {
            resolution,
            notes: notes.collect(),
            meters: meters.collect(),
            keys: keys.collect(),
            pickup: Ticks(pickup),
            ..ScoreParts::default()
        };
        let score = score(parts);
        if let Some(page) = score.notation() {
            lawful(&score, page);
        } else {
            prop_assert!(score.bars().len() > super::MEASURES_MAX);
        }
    }
}

#[test]
fn a_finer_resolution_keeps_the_times() {
    let check = |resolution: u16, expected: u16| {
        let tempos = vec![crate::music::Tempo { tick: Ticks(7), micros_per_quarter: 345_678 }];
        let notes = vec![written(3, 9, 60, Hand::Left), written(10, 31_000, 62, Hand::Left)];
        let parts = ScoreParts { resolution, notes, tempos, ..ScoreParts::default() };
        let (coarse, fine) = (Score::new(parts.clone()), Score::new(finer(parts)));
        assert_eq!(fine.resolution(), expected, "{resolution}");
        for (one, two) in coarse.notes().iter().zip(fine.notes()) {
            let micros = |score: &Score, tick| score.tempo().micros(tick, crate::music::Percent::FULL).0;
            assert!((micros(&coarse, one.onset) - micros(&fine, two.onset)).abs() <= 8, "{resolution}");
        }
    };
    for (from, to) in [(480, 480), (960, 960), (96, 480), (8, 480), (384, 1_920), (1_000, 12_000)] {
        check(from, to);
    }
    // Nothing that a file can say is a multiple of these: ticks are rounded.
    check(997, 32_640);
    check(32_767, 32_640);
}

#[test]
fn pieces_are_named_as_their_composers_did() {
    let (mut same, mut all) = (0, 0);
    for piece in crate::formats::pieces::builtin() {
        let page = piece.score.notation().expect("a page");
        let mut names = std::collections::HashMap::new();
        for passage in &page.passages {
            for chord in &page.measures[passage.measure as usize].chords {
                for head in &chord.heads {
                    let Some((at, pitch)) = head.sounds else { continue };
                    names.insert((passage.start + at, pitch, chord.hand), head.pitch);
                }
            }
        }
        let notes = piece.score.notes();
        assert_eq!(names.len(), notes.len(), "{}: every note has a head", piece.id);
        let spelled = super::spelling::spelled(notes, &super::spelling::keys(&piece.score), piece.score.resolution());
        all += notes.len();
        same += notes.iter().zip(&spelled).filter(|(n, name)| names[&(n.onset, n.pitch, n.hand)] == **name).count();
    }
    assert!(same * 1_000 >= all * 995, "{same} of {all} names agree");
}

#[test]
fn chromatic_notes_are_named_by_where_they_go() {
    // A melody of eighths over a chord that is struck every half, in a key; the names of the melody.
    let check = |fifths: i8, minor: bool, melody: &[u8], chord: &[u8], expected: &str| {
        let right = melody.iter().zip(0..).map(|(key, i)| written(i * 240, i * 240 + 240, *key, Hand::Right));
        let halves = 0..melody.len() as i64 / 4;
        let left = halves.flat_map(|i| chord.iter().map(move |k| written(i * 960, i * 960 + 960, *k, Hand::Left)));
        let mut notes: Vec<WrittenNote> = right.chain(left).collect();
        notes.sort_by_key(|n| (n.onset, n.pitch));
        let key = crate::music::KeySignature { tick: Ticks(0), fifths, minor };
        let names = super::spelling::spelled(&notes, &[key], 480);
        let melody = notes.iter().zip(names).filter(|(n, _)| n.hand == Hand::Right).map(|(_, name)| name.to_string());
        assert_eq!(melody.collect::<Vec<_>>().join(" "), expected);
    };
    // The leading note of F minor over D flat, where the votes are for F flat.
    check(-4, true, &[77, 80, 79, 77, 76, 77, 77, 77], &[49, 56, 61, 65], "F5 A♭5 G5 F5 E5 F5 F5 F5");
    // Neighbours below are raised, though the chord would have the second one lowered.
    check(0, false, &[67, 66, 67, 69, 68, 69, 67, 67], &[48, 53, 57], "G4 F♯4 G4 A4 G♯4 A4 G4 G4");
    // Downwards it is the letter above.
    check(0, false, &[69, 68, 67, 67, 69, 68, 67, 67], &[48, 52, 55], "A4 A♭4 G4 G4 A4 A♭4 G4 G4");
}

#[test]
fn built_in_pieces_are_written_from_their_notes_as_they_stand() {
    for piece in crate::formats::pieces::builtin() {
        let page = notate(&piece.score).expect("a page");
        lawful(&piece.score, &page);
        let values = |page: &Notation| {
            let of = |m: &Measure| {
                let heads = m.chords.iter().flat_map(|c| c.heads.iter().map(move |h| (c.at, h.pitch.pitch(), c.value)));
                let mut heads: Vec<_> = heads.map(|(at, pitch, value)| (at, pitch, format!("{value:?}"))).collect();
                heads.sort();
                heads
            };
            let passages = page.passages.iter().map(|p| of(&page.measures[p.measure as usize]));
            passages.collect::<Vec<_>>()
        };
        let (own, made) = (values(piece.score.notation().expect("a page")), values(&page));
        let same = own.iter().zip(&made).filter(|(one, two)| one == two).count();
        assert_eq!(own.len(), made.len(), "{}", piece.id);
        assert!(same * 10 >= own.len() * 8, "{}: {same} of {} measures", piece.id, own.len());
    }
}

#[test]
fn short_notes_before_long_ones_are_grace_notes() {
    // 40 ms before the beat, at 120 quarters a minute.
    check((2, 4), &[(0, 440, 60), (440, 478, 64), (480, 960, 65)], &["C4 q, E4 'e, F4 q"]);
    // A dotted sixteenth with its thirty-second is written as it is.
    check((1, 4), &[(0, 180, 60), (180, 240, 62), (240, 480, 64)], &["C4 s., D4 t, E4 e"]);
}

#[test]
fn triplets_that_are_played_unevenly_are_read_by_their_neighbours() {
    // Eight bars of triplets in the left hand under quarters, each note up to 25 of 480 ticks (47 ms) off.
    let mut beats = [0, 0];
    for seed in 1..=20u64 {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut off = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as i64 % 51 - 25
        };
        let mut notes = Vec::new();
        for third in 0..96 {
            let at = (third * 160 + off()).max(0);
            notes.push(written(at, at + 150 + off(), 48 + (third % 3) as u8 * 4, Hand::Left));
            if third % 3 == 0 {
                let at = (third * 160 + off()).max(0);
                notes.push(written(at, at + 470, 72, Hand::Right));
            }
        }
        let tempos = vec![crate::music::Tempo { tick: Ticks(0), micros_per_quarter: 909_091 }];
        let score = score(ScoreParts { resolution: 480, notes, tempos, ..ScoreParts::default() });
        let page = score.notation().expect("a page");
        let left = page.measures.iter().flat_map(|m| &m.chords).filter(|c| c.hand == Hand::Left && !c.heads.is_empty());
        let thirds = left.filter(|c| c.value.ratio.is_some_and(|r| (r.actual, r.normal) == (3, 2))).count();
        beats = [beats[0] + thirds.min(96), beats[1] + 96];
    }
    assert!(beats[0] * 100 >= beats[1] * 99, "{} of {} notes are in triplets", beats[0], beats[1]);
}

#[test]
fn measures_are_the_bars_of_the_score() {
    let notes = vec![
        written(0, 480, 67, Hand::Right),
        written(480, 1_920, 48, Hand::Left),
        written(1_920, 3_360, 48, Hand::Left),
    ];
    let meters = vec![Meter { tick: Ticks(0), beats: 3, unit: 4 }, Meter { tick: Ticks(1_920), beats: 6, unit: 8 }];
    let keys = vec![crate::music::KeySignature { tick: Ticks(0), fifths: 1, minor: false }];
    let parts = ScoreParts { resolution: 480, notes, meters, keys, pickup: Ticks(480), ..ScoreParts::default() };
    let score = score(parts);
    let page = score.notation().expect("a page");
    lawful(&score, page);
    let heads: Vec<_> = page.measures.iter().map(|m| (m.number.as_str(), m.length.0, m.meter, m.fifths)).collect();
    let expected = [("0", 480, Some((3, 4)), Some(1)), ("1", 1_440, None, None), ("2", 1_440, Some((6, 8)), None)];
    assert_eq!(heads, expected);
    assert_eq!(page.passages.iter().map(|p| p.start.0).collect::<Vec<_>>(), [0, 480, 1_920]);
    assert_eq!(told(&page.measures[1]), ["R h.", "C3 h."]);
}

#[test]
fn clefs_change_for_long_stretches_only() {
    use crate::music::notation::Clef;
    let page = |high: std::ops::Range<i64>| {
        let key = |bar: i64| if high.contains(&bar) { 79 } else { 48 };
        let notes = (0..40).map(|i| written(i * 480, i * 480 + 480, key(i / 4), Hand::Left)).collect();
        let score = score(ScoreParts { resolution: 480, notes, ..ScoreParts::default() });
        score.notation().expect("a page").as_ref().clone()
    };
    let changes = |page: &Notation| -> Vec<(usize, Clef)> {
        page.measures.iter().enumerate().flat_map(|(i, m)| m.clefs.iter().map(move |c| (i, c.2))).collect()
    };
    let long = page(3..7);
    assert_eq!((long.staves[0].clef, changes(&long)), (Clef::Bass, vec![(3, Clef::Treble), (7, Clef::Bass)]));
    assert_eq!(changes(&page(3..4)), [], "one measure is no reason");
    assert_eq!(page(0..10).staves[0].clef, Clef::Treble);
}

#[test]
fn a_key_is_found_where_none_is_said_or_c_major_is_not_meant() {
    let scale = |tonic: u8, keys: &[(i8, bool)]| {
        let steps = [0, 2, 4, 5, 7, 9, 11, 12, 7, 4, 0];
        let notes = steps.iter().zip(0..).map(|(s, i)| written(i * 480, i * 480 + 480, tonic + s, Hand::Right));
        let keys = keys.iter().map(|(fifths, minor)| crate::music::KeySignature {
            tick: Ticks(0),
            fifths: *fifths,
            minor: *minor,
        });
        let parts = ScoreParts { resolution: 480, notes: notes.collect(), keys: keys.collect(), ..Default::default() };
        score(parts).notation().expect("a page").measures[0].fifths
    };
    assert_eq!((scale(60, &[]), scale(64, &[]), scale(63, &[])), (Some(0), Some(4), Some(-3)));
    assert_eq!(scale(64, &[(0, false)]), Some(4), "what programs write by default");
    assert_eq!(scale(64, &[(1, false)]), Some(1), "what somebody meant");
}
