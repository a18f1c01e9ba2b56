//! Which notes a beam joins: by the page where it says so, by the metre elsewhere.
//!
//! Beats are kept apart; plain eighths are joined over half a bar of 4/4 and over a whole bar of 2/4, 3/4 and 3/8, and never
//! so that 3/4 looks like 6/8 (Gould, *Behind Bars*, pp. 152-166).

use crate::music::notation::{BeamHint, Chord};
use crate::time::Ticks;

/// The metre that a measure is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Metre {
    /// Beats and unit.
    pub(super) signature: (u8, u8),
    /// Ticks to the quarter.
    pub(super) resolution: u16,
    /// How much of the bar is missing before its first note, in a pick-up.
    pub(super) offset: Ticks,
}

/// A group of a window: where it begins and ends, in ticks of the full bar.
type Window = (i64, i64);

impl Metre {
    fn unit(self) -> i64 {
        (i64::from(self.resolution) * 4 / i64::from(self.signature.1.max(1))).max(1)
    }

    /// The beat that a tick of the full bar lies in.
    pub(super) fn beat(self, tick: i64) -> Window {
        let (beats, unit) = self.signature;
        let u = self.unit();
        let parts: &[i64] = match (beats, unit) {
            (5, 8..) => &[3, 2],
            (7, 8..) => &[2, 2, 3],
            (beats, 8..) if beats % 3 == 0 => &[3],
            (_, 8..) => &[2],
            _ => &[1],
        };
        // A half note as the beat still shows its quarters to shorter notes.
        let u = if unit <= 2 { i64::from(self.resolution).max(1) } else { u };
        let cycle: i64 = parts.iter().sum::<i64>() * u;
        let mut start = tick.div_euclid(cycle) * cycle;
        for part in parts {
            if tick < start + part * u {
                return (start, start + part * u);
            }
            start += part * u;
        }
        (start, start + cycle)
    }

    /// The longer group that plain eighths may fill.
    fn wide(self, tick: i64) -> Window {
        let (beats, unit) = self.signature;
        let bar = self.unit() * i64::from(beats.max(1));
        let quarter = i64::from(self.resolution);
        match (beats, unit) {
            (2 | 3, 4) => (0, bar),
            (_, 2) | (4, 4) => {
                let start = tick.div_euclid(2 * quarter) * 2 * quarter;
                (start, start + 2 * quarter)
            }
            _ => self.beat(tick),
        }
    }
}

/// The groups of one voice, as indices into `voice`, which are its chords in order without grace notes.
pub(super) fn groups(voice: &[&Chord], metre: Metre) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    for (index, chord) in voice.iter().enumerate() {
        let joins = open.last().is_some_and(|last| joins(voice, *last, index, metre));
        let can = !chord.heads.is_empty() && chord.value.base.flags() > 0;
        let bridges = chord.heads.is_empty() && open.last().is_some_and(|l| voice[*l].beam == BeamHint::Joined);
        if bridges {
            continue;
        }
        if !(joins && can) {
            groups.extend((open.len() > 1).then(|| open.clone()));
            open.clear();
        }
        if can {
            open.push(index);
        }
    }
    groups.extend((open.len() > 1).then_some(open));
    groups.into_iter().flat_map(|group| not_as_six_eight(group, voice, metre)).collect()
}

/// Whether a beam leads from one chord to the next.
fn joins(voice: &[&Chord], from: usize, to: usize, metre: Metre) -> bool {
    let (a, b) = (voice[from], voice[to]);
    match a.beam {
        BeamHint::Joined => return true,
        BeamHint::Ends => return false,
        BeamHint::ByMeter => {}
    }
    if to != from + 1 || a.at + a.ticks(metre.resolution) != b.at {
        return false;
    }
    let (x, y) = (a.at.0 + metre.offset.0, b.at.0 + metre.offset.0);
    let within = |window: Window| (window.0..window.1).contains(&y);
    within(metre.beat(x)) || (within(metre.wide(x)) && only_eighths(voice, metre.wide(x), metre))
}

/// Whether what can be beamed in a window is plain eighths.
fn only_eighths(voice: &[&Chord], window: Window, metre: Metre) -> bool {
    let inside = |c: &&&Chord| (window.0..window.1).contains(&(c.at.0 + metre.offset.0));
    voice.iter().filter(inside).filter(|c| c.value.base.flags() > 0).all(|c| {
        let v = c.value;
        v.base.flags() == 1 && v.dots == 0 && v.ratio.is_none() && !c.heads.is_empty()
    })
}

/// Three eighths that fill a half of 3/4 are grouped by beats.
fn not_as_six_eight(group: Vec<usize>, voice: &[&Chord], metre: Metre) -> Vec<Vec<usize>> {
    let by_page = group.iter().any(|i| voice[*i].beam != BeamHint::ByMeter);
    if metre.signature != (3, 4) || group.len() != 3 || by_page {
        return vec![group];
    }
    let half = metre.unit() * 3 / 2;
    let start = voice[group[0]].at.0 + metre.offset.0;
    if start != 0 && start != half {
        return vec![group];
    }
    let beat = |i: &usize| metre.beat(voice[*i].at.0 + metre.offset.0);
    let mut parts: Vec<Vec<usize>> = Vec::new();
    for index in group {
        match parts.last_mut() {
            Some(part) if beat(&part[0]) == beat(&index) => part.push(index),
            _ => parts.push(vec![index]),
        }
    }
    parts.retain(|part| part.len() > 1);
    parts
}

/// A beam of one level over some of a group's notes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Level {
    /// 0 is the first beam.
    pub(super) level: u8,
    /// The first note of the group that it reaches.
    pub(super) from: usize,
    /// The last one; the same as `from` for a stub.
    pub(super) to: usize,
    /// Of a stub, whether it points to the right.
    pub(super) right: bool,
}

/// The beams of a group: by flags of its notes, `starts` being their ticks in the bar and `beat` the beat's length.
///
/// Stubs point into their own half of the beat (Gould, p. 157); groups with three and more beams are broken by halves of
/// the beat down to one.
pub(super) fn levels(flags: &[u8], starts: &[i64], quarter: i64) -> Vec<Level> {
    let mut found = Vec::new();
    let most = flags.iter().copied().max().unwrap_or(0);
    let half = (quarter / 2).max(1);
    for level in 0..most {
        let mut from = None;
        for index in 0..flags.len() {
            if flags[index] <= level {
                continue;
            }
            let first = *from.get_or_insert(index);
            let breaks =
                |next: usize| level > 0 && most > 2 && starts[index].div_euclid(half) != starts[next].div_euclid(half);
            let goes_on = index + 1 < flags.len() && flags[index + 1] > level && !breaks(index + 1);
            if goes_on {
                continue;
            }
            let right = first == 0 || (index + 1 < flags.len() && points_right(flags[index], starts, index, quarter));
            found.push(Level { level, from: first, to: index, right });
            from = None;
        }
    }
    found
}

/// Whether the stub of a note points to the next one: when both lie in one half, quarter … of the beat.
fn points_right(flags: u8, starts: &[i64], index: usize, quarter: i64) -> bool {
    let own = (quarter >> flags).max(1);
    (starts[index].div_euclid(own)) % 2 == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engraving::page_support::{RESOLUTION, page};

    /// The groups of the first measure, by the places of their notes in the voice.
    #[track_caller]
    fn check(meter: (u8, u8), voice: &str, expected: &[&[usize]]) {
        check_from(meter, voice, 0, expected);
    }

    #[track_caller]
    fn check_from(meter: (u8, u8), voice: &str, offset: i64, expected: &[&[usize]]) {
        let page = page(meter, 0, &[(0, voice)]);
        let chords: Vec<&Chord> = page.measures[0].chords.iter().collect();
        let metre = Metre { signature: meter, resolution: RESOLUTION, offset: Ticks(offset) };
        assert_eq!(groups(&chords, metre), expected, "{voice} in {meter:?}");
    }

    const EIGHT: &str = "c4e c4e c4e c4e c4e c4e c4e c4e";

    #[test]
    fn beats_are_kept_apart() {
        check((4, 4), EIGHT, &[&[0, 1, 2, 3], &[4, 5, 6, 7]]);
        check((4, 4), "c4q c4e c4e c4e c4e c4q", &[&[1, 2], &[3, 4]]);
        check((4, 4), "c4e c4s c4s c4e c4e c4h", &[&[0, 1, 2], &[3, 4]]);
        check((4, 4), "c4e c4e c4e. c4s c4h", &[&[0, 1], &[2, 3]]);
        check((4, 4), "c4s c4s c4s c4s c4s c4s c4s c4s c4h", &[&[0, 1, 2, 3], &[4, 5, 6, 7]]);
        check((4, 4), "c4q. c4e c4e c4e c4q", &[&[2, 3]]);
        check((2, 4), "c4e c4e c4e c4e", &[&[0, 1, 2, 3]]);
        check((2, 2), EIGHT, &[&[0, 1, 2, 3], &[4, 5, 6, 7]]);
        check((3, 4), "c4e c4e c4e c4e c4e c4e", &[&[0, 1, 2, 3, 4, 5]]);
        check((3, 4), "c4q c4e c4e c4e c4e", &[&[1, 2, 3, 4]]);
        check((3, 4), "c4q. c4e c4e c4e", &[&[2, 3]]);
    }

    #[test]
    fn compound_and_uneven_metres_have_their_own_beats() {
        check((6, 8), "c4e c4e c4e c4e c4e c4e", &[&[0, 1, 2], &[3, 4, 5]]);
        check((3, 8), "c4e c4s c4s c4e", &[&[0, 1, 2, 3]]);
        check((12, 8), "c4q c4e c4e c4e c4e c4q. c4q.", &[&[2, 3, 4]]);
        check((5, 8), "c4e c4e c4e c4e c4e", &[&[0, 1, 2], &[3, 4]]);
        check((7, 8), "c4e c4e c4e c4e c4e c4e c4e", &[&[0, 1], &[2, 3], &[4, 5, 6]]);
    }

    #[test]
    fn rests_tuplets_and_the_page_decide() {
        check((4, 4), "c4e re c4e c4e c4h", &[&[2, 3]]);
        check((4, 4), "(3:2 c4e c4e c4e ) (3:2 c4e c4e c4e ) c4h", &[&[0, 1, 2], &[3, 4, 5]]);
        check((4, 4), "c4e_ c4e/ c4e_ c4e/ c4h", &[&[0, 1], &[2, 3]]);
        check((4, 4), "c4s_ rs c4s_ c4s/ c4q c4h", &[&[0, 2, 3]]);
        check((4, 4), "c4e/ c4e/ c4q c4h", &[]);
    }

    #[test]
    fn a_pick_up_is_counted_from_its_end() {
        check_from((4, 4), "c4e c4q c4e c4e", 1_920 - 1_200, &[&[2, 3]]);
        check_from((6, 8), "c4e c4e", 1_440 - 480, &[&[0, 1]]);
    }

    #[test]
    fn further_beams_and_stubs() {
        let check = |flags: &[u8], starts: &[i64], expected: &[(u8, usize, usize, bool)]| {
            let found: Vec<_> = levels(flags, starts, 480)
                .into_iter()
                .filter(|l| l.level > 0)
                .map(|l| (l.level, l.from, l.to, l.right))
                .collect();
            let ends: Vec<_> = found.iter().map(|f| (f.0, f.1, f.2, f.1 == f.2 && f.3)).collect();
            assert_eq!(ends, expected, "{flags:?}");
        };
        check(&[1, 2, 2], &[0, 240, 360], &[(1, 1, 2, false)]);
        check(&[1, 2], &[0, 360], &[(1, 1, 1, false)]);
        check(&[2, 1], &[0, 120], &[(1, 0, 0, true)]);
        check(&[2, 1, 2], &[0, 120, 360], &[(1, 0, 0, true), (1, 2, 2, false)]);
        check(&[1, 2, 1], &[0, 240, 360], &[(1, 1, 1, true)]);
        check(&[1, 2, 1], &[0, 120, 240], &[(1, 1, 1, false)]);
        let eight = [3u8; 8];
        let starts: Vec<i64> = (0..8).map(|i| i * 60).collect();
        check(&eight, &starts, &[(1, 0, 3, false), (1, 4, 7, false), (2, 0, 3, false), (2, 4, 7, false)]);
    }
}
