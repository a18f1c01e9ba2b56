//! Which accidentals are printed: the rules of the bar.
//!
//! An accidental holds for its line or space, in its octave and staff, up to the bar line, in all voices. A note tied over
//! the bar line keeps it without a sign, and that does not hold for later notes of the bar (Gould, *Behind Bars*, pp. 78-83).

use std::collections::HashMap;

use crate::music::notation::{Head, Measure, SpelledPitch};
use crate::time::Ticks;

/// A note that a tie leads to: when in the measure, on which staff, which.
pub(super) type TieEnd = (Ticks, u8, SpelledPitch);

/// What holds for a line or space.
#[derive(Clone, Copy)]
struct Holds {
    alter: i8,
    since: Ticks,
    /// Two notes of one tick differed: the next one says what it is.
    unclear: bool,
}

/// The accidentals of a measure in semitones, by chord and head, and the ties that lead over its end, at tick 0 of the next measure.
/// `fifths` is the key in force, `tied` what is tied over its beginning.
pub(super) fn accidentals(
    measure: &Measure,
    fifths: i8,
    resolution: u16,
    tied: &[TieEnd],
) -> (Vec<Vec<Option<i8>>>, Vec<TieEnd>) {
    let mut ties = tied.to_vec();
    let mut over = Vec::new();
    let mut holds: HashMap<(u8, i32), Holds> = HashMap::new();
    let conflicts = conflicts(measure);
    let printed = measure.chords.iter().map(|chord| {
        let end = chord.at + chord.ticks(resolution);
        let of_head = |head: &Head| {
            let staff = head.staff.unwrap_or(chord.staff);
            let continues = ties.contains(&(chord.at, staff, head.pitch)) && chord.grace.is_none();
            if head.tied && end >= measure.length {
                over.push((Ticks::ZERO, staff, head.pitch));
            } else if head.tied {
                ties.push((end, staff, head.pitch));
            }
            if continues {
                return None;
            }
            let conflict = conflicts.get(&(chord.at, staff, head.pitch.diatonic())).is_some_and(|c| *c);
            print(head, staff, chord.at, fifths, conflict, &mut holds)
        };
        chord.heads.iter().map(of_head).collect()
    });
    let printed = printed.collect();
    (printed, over)
}

fn print(
    head: &Head,
    staff: u8,
    at: Ticks,
    fifths: i8,
    conflict: bool,
    holds: &mut HashMap<(u8, i32), Holds>,
) -> Option<i8> {
    let key = Holds { alter: head.pitch.step.alter_in(fifths), since: Ticks(-1), unclear: false };
    let held = holds.entry((staff, head.pitch.diatonic())).or_insert(key);
    let wanted = held.alter != head.pitch.alter || (held.unclear && held.since < at) || conflict;
    *held = Holds { alter: head.pitch.alter, since: at, unclear: conflict };
    (wanted || head.courtesy).then_some(head.pitch.alter)
}

/// Where two notes of one tick stand on the same line or space and differ: both then say what they are.
fn conflicts(measure: &Measure) -> HashMap<(Ticks, u8, i32), bool> {
    let mut seen: HashMap<(Ticks, u8, i32), (i8, bool)> = HashMap::new();
    for chord in measure.chords.iter().filter(|chord| chord.grace.is_none()) {
        for head in &chord.heads {
            let place = (chord.at, head.staff.unwrap_or(chord.staff), head.pitch.diatonic());
            let entry = seen.entry(place).or_insert((head.pitch.alter, false));
            entry.1 |= entry.0 != head.pitch.alter;
        }
    }
    seen.into_iter().map(|(place, (_, conflict))| (place, conflict)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engraving::page_support::{RESOLUTION, page};

    /// A key and voices in; what is printed at each head of the last measure, in order, out: `-` for nothing.
    #[track_caller]
    fn check(fifths: i8, voices: &[(u8, &str)], expected: &str) {
        let page = page((4, 4), fifths, voices);
        let mut ties = Vec::new();
        let mut last = Vec::new();
        for measure in &page.measures {
            (last, ties) = accidentals(measure, fifths, RESOLUTION, &ties);
        }
        let name = |printed: &Option<i8>| printed.map_or("-", |alter| ["bb", "b", "n", "#", "x"][(alter + 2) as usize]);
        let found: Vec<&str> = last.iter().flatten().map(name).collect();
        assert_eq!(found.join(" "), expected, "{voices:?} in {fifths}");
    }

    #[test]
    fn an_accidental_holds_for_its_place_up_to_the_bar_line() {
        check(0, &[(0, "c4q c#4q c#4q c4q")], "- # - n");
        check(0, &[(0, "c#4w | c4q c#4q c5q c#5q")], "- # - #");
        check(0, &[(0, "f#4q f#5q f4q f5q")], "# # n n");
        check(0, &[(0, "fx4q f#4q fx4q f4q")], "x # x n");
        check(0, &[(0, "b&4q bb4q b4q bb4q")], "bb b n b");
    }

    #[test]
    fn the_key_wants_no_signs_and_departures_do() {
        check(1, &[(0, "f#4q f4q f#4q g4q")], "- n # -");
        check(-3, &[(0, "eb4q e4q ab4q a4q")], "- n - n");
        check(7, &[(0, "b#4q b4q e#4q f#4q")], "- n - -");
        check(-7, &[(0, "cb5q c5q fb4q f4q")], "- n - n");
    }

    #[test]
    fn it_holds_in_all_voices_of_its_staff_and_in_no_other() {
        check(0, &[(0, "c#5q yq yh"), (0, "yq c#5q c5h")], "# - n");
        check(0, &[(0, "c#4q rq rh"), (1, "rq c#4q rh")], "# #");
        check(0, &[(0, "f#5+f#4q f5q rh")], "# # n");
    }

    #[test]
    fn a_tie_over_the_bar_line_needs_none_and_holds_for_nothing_else() {
        check(0, &[(0, "c#4w~ | c#4q c#4q c4h")], "- # n");
        check(0, &[(0, "c#4w~ | c#4w~ | c#4h c4h")], "- -");
        check(0, &[(0, "rq rh c#4q~ | c#4h c4h")], "- -");
        check(0, &[(0, "c#4h~ c#4q c4q")], "# - n");
    }

    #[test]
    fn two_that_differ_at_once_both_say_what_they_are() {
        check(0, &[(0, "f4+f#4h f4h")], "n # n");
        check(0, &[(0, "f4h f4h"), (0, "f#4h f#4h")], "n # n #");
        check(2, &[(0, "f4+f#4h f#4h")], "n # #");
    }

    #[test]
    fn courtesies_are_printed_where_the_page_has_them_and_grace_notes_count() {
        check(0, &[(0, "c#4w | c4h? c4h")], "n -");
        check(0, &[(0, "c#4h c4h?")], "# n");
        check(0, &[(0, "'c#4e c#4h c4h")], "# - n");
    }
}
