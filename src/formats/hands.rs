//! Which hand plays what: by the names of the parts, by their pitch, and in a single part by following the hands.

use super::notate;
use crate::music::{Hand, HandEdits, Pitch, Score, WrittenNote};
use crate::time::Ticks;

/// A note before a hand is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartNote {
    /// The first tick.
    pub onset: Ticks,
    /// The tick of the release.
    pub end: Ticks,
    /// The key.
    pub pitch: Pitch,
    /// 1 to 127.
    pub velocity: u8,
}

/// A track or channel.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// Its name, perhaps empty.
    pub name: String,
    /// Its notes in any order; not empty.
    pub notes: Vec<PartNote>,
}

const RIGHT_WORDS: [&str; 13] = [
    "right", "rh", "treble", "upper", "rechts", "rechte", "droite", "md", "destra", "derecha", "diskant", "discant",
    "soprano",
];
const LEFT_WORDS: [&str; 12] =
    ["left", "lh", "bass", "lower", "links", "linke", "gauche", "mg", "ms", "sinistra", "izquierda", "basso"];

/// The hand that a track's name speaks of, in English, German, French, Italian or Spanish; `None` when it names none
/// or both.
pub fn named_hand(name: &str) -> Option<Hand> {
    let plain = name.to_lowercase().replace('.', "");
    let words: Vec<&str> = plain.split(|c: char| !c.is_alphabetic()).collect();
    let right = words.iter().any(|w| RIGHT_WORDS.contains(w));
    let left = words.iter().any(|w| LEFT_WORDS.contains(w));
    match (right, left) {
        (true, false) => Some(Hand::Right),
        (false, true) => Some(Hand::Left),
        _ => None,
    }
}

/// Gives every note a hand. One part: a split that follows the hands ([`split`]). Several: names where they tell,
/// and the rest by average pitch, the higher half to the right hand.
pub fn assign(parts: Vec<Part>) -> Assigned {
    let name = |part: usize| part.min(usize::from(u16::MAX)) as u16;
    let of = parts.iter().enumerate().flat_map(|(part, p)| p.notes.iter().map(move |_| name(part))).collect();
    if let [only] = &parts[..] {
        let hands = split(&only.notes);
        return Assigned { notes: only.notes.iter().zip(hands).map(|(n, hand)| n.with(hand)).collect(), of };
    }
    let hands = part_hands(&parts);
    let notes = parts.iter().zip(hands).flat_map(|(part, hand)| part.notes.iter().map(move |n| n.with(hand)));
    Assigned { notes: notes.collect(), of }
}

/// Notes with their hands, and for each the index of its part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assigned {
    /// The notes, part by part.
    pub notes: Vec<WrittenNote>,
    /// Where each comes from.
    pub of: Vec<u16>,
}

/// A score with the hands that a person gave it. Notes keep their ids. A page that was made from the notes is made
/// again, without what is nobody's; one that was printed stays as it is, unless a hand is given what does not stand on it:
/// then a page is made.
pub fn edited(score: &Score, edits: &HandEdits) -> Score {
    if edits.is_empty() {
        return score.clone();
    }
    let changed = score.with_hands(&edits.hands(score));
    if !score.page_is_made() && !changed.lacks_on_page() {
        return changed;
    }
    match notate::notate(&changed.on_page().for_page()) {
        None if !score.page_is_made() => changed,
        page => changed.with_page(page),
    }
}

impl PartNote {
    /// The note, played by that hand.
    pub(super) fn with(&self, hand: Hand) -> WrittenNote {
        WrittenNote { onset: self.onset, end: self.end, pitch: self.pitch, hand, velocity: self.velocity }
    }
}

fn part_hands(parts: &[Part]) -> Vec<Hand> {
    let named: Vec<Option<Hand>> = parts.iter().map(|p| named_hand(&p.name)).collect();
    let pitch: Vec<f64> = parts.iter().map(average_pitch).collect();
    let of = |hand| {
        let known: Vec<f64> = (0..parts.len()).filter(|&i| named[i] == Some(hand)).map(|i| pitch[i]).collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    };
    match (of(Hand::Right), of(Hand::Left)) {
        (Some(right), Some(left)) => {
            let near = |p: f64| if (p - right).abs() <= (p - left).abs() { Hand::Right } else { Hand::Left };
            named.iter().zip(&pitch).map(|(name, p)| name.unwrap_or_else(|| near(*p))).collect()
        }
        // One hand named, among two: the other part is the other hand.
        (Some(_), None) if parts.len() == 2 && named.iter().flatten().count() == 1 => {
            named.iter().map(|n| n.unwrap_or(Hand::Left)).collect()
        }
        (None, Some(_)) if parts.len() == 2 && named.iter().flatten().count() == 1 => {
            named.iter().map(|n| n.unwrap_or(Hand::Right)).collect()
        }
        _ => by_pitch(&pitch),
    }
}

/// The higher half right, the lower left; of an odd number the middle part goes with the nearer neighbour. Of equal
/// parts the first is the higher.
pub(super) fn by_pitch(pitch: &[f64]) -> Vec<Hand> {
    let mut order: Vec<usize> = (0..pitch.len()).collect();
    order.sort_by(|a, b| pitch[*b].total_cmp(&pitch[*a]));
    let mut rights = pitch.len() / 2;
    if pitch.len() % 2 == 1 && rights > 0 {
        let [above, middle, below] = [rights - 1, rights, rights + 1].map(|i| pitch[order[i]]);
        rights += usize::from(above - middle < middle - below);
    }
    let mut hands = vec![Hand::Left; pitch.len()];
    order.iter().take(rights).for_each(|&i| hands[i] = Hand::Right);
    hands
}

fn average_pitch(part: &Part) -> f64 {
    part.notes.iter().map(|n| f64::from(n.pitch.key())).sum::<f64>() / part.notes.len().max(1) as f64
}

// The costs below were found by search on 23 two-staff pieces from Bach to Joplin, on which the split then agreed with
// the staves for 96 notes in 100 on average (88 to 100); their unit is a semitone between boundary and centre.

/// What a semitone beyond the easy span costs, and one beyond what can be reached.
const STRAIN: i32 = 22;
const BREAK: i32 = 66;
/// A ninth is easy; nobody reaches further than an octave and a sixth.
const SPAN_EASY: i32 = 13;
const SPAN_MAX: i32 = 20;
/// Each finger more than five.
const FINGER: i32 = 30;
/// All keys for one hand while the other has none.
const IDLE: i32 = 41;
/// Each semitone that the boundary moves from one onset to the next.
const MOVE: i32 = 11;
/// A boundary close to a note is a bad one: each semitone short of the clearance.
const CLEAR: i32 = 13;
const CLEARANCE: i32 = 4;
/// The centre is the mean of the outermost keys, wherever they are this far apart, so many onsets around, ...
const APART: i32 = 13;
const AROUND: usize = 60;
/// ... and of middle C, which counts for so many of them.
const HOME: i32 = 6;

/// Splits one part between the hands, for each note one hand, in the notes' order. The boundary is a pitch that follows
/// the hands: the cheapest path through all onsets (Viterbi), where stretches, many fingers, an idle hand, moves and
/// notes close to the boundary cost. Held notes stay in the hand's span. Time: notes × 128.
pub fn split(notes: &[PartNote]) -> Vec<Hand> {
    let mut order: Vec<usize> = (0..notes.len()).collect();
    order.sort_by_key(|&i| (notes[i].onset, notes[i].pitch));
    let groups: Vec<&[usize]> = order.chunk_by(|a, b| notes[*a].onset == notes[*b].onset).collect();
    let sounding = sounding(notes, &groups);
    let mut path: Vec<[u8; 128]> = Vec::with_capacity(groups.len());
    let mut cost = [0i32; 128];
    for (keys, centre) in sounding.iter().zip(centres(&sounding)) {
        path.push(spread(&mut cost));
        let least = cost.iter().copied().min().unwrap_or(0);
        for (boundary, c) in (0i32..).zip(cost.iter_mut()) {
            *c += local(keys, boundary, centre) - least;
        }
    }
    let mut hands = vec![Hand::Right; notes.len()];
    let mut boundary = (0..128usize).min_by_key(|&b| (cost[b], b.abs_diff(60))).unwrap_or(60);
    for (group, from) in groups.iter().zip(&path).rev() {
        for &i in *group {
            if usize::from(notes[i].pitch.key()) < boundary {
                hands[i] = Hand::Left;
            }
        }
        boundary = usize::from(from[boundary]);
    }
    hands
}

/// The keys that sound at each onset, ascending: those struck and those still held.
fn sounding(notes: &[PartNote], groups: &[&[usize]]) -> Vec<Vec<i32>> {
    /// More held notes than fingers are held by the pedal.
    const HELD_MAX: usize = 12;
    let mut held: Vec<usize> = Vec::new();
    let mut all = Vec::with_capacity(groups.len());
    for group in groups {
        let onset = notes[group[0]].onset;
        held.retain(|&i| notes[i].end > onset);
        let mut keys: Vec<i32> = held.iter().chain(*group).map(|&i| i32::from(notes[i].pitch.key())).collect();
        keys.sort_unstable();
        all.push(keys);
        held.extend_from_slice(group);
        held.drain(..held.len().saturating_sub(HELD_MAX));
    }
    all
}

/// Where the boundary would rather be at each onset: halfway between the outermost keys of the music around.
fn centres(sounding: &[Vec<i32>]) -> Vec<i32> {
    let mut sums = vec![(0, 0)];
    let (mut sum, mut count) = (0, 0);
    for keys in sounding {
        if let (Some(low), Some(high)) = (keys.first(), keys.last())
            && high - low >= APART
        {
            sum += low + high;
            count += 2;
        }
        sums.push((sum, count));
    }
    let centre = |i: usize| {
        let (before, after) = (sums[i.saturating_sub(AROUND)], sums[(i + AROUND + 1).min(sounding.len())]);
        (60 * HOME * 2 + after.0 - before.0) / (HOME * 2 + after.1 - before.1)
    };
    (0..sounding.len()).map(centre).collect()
}

/// Lets the boundary move: each cost becomes the least of all with the way there; returns where from.
fn spread(cost: &mut [i32; 128]) -> [u8; 128] {
    let mut from: [u8; 128] = std::array::from_fn(|i| i as u8);
    for i in 1..128 {
        if cost[i - 1] + MOVE < cost[i] {
            cost[i] = cost[i - 1] + MOVE;
            from[i] = from[i - 1];
        }
    }
    for i in (0..127).rev() {
        if cost[i + 1] + MOVE < cost[i] {
            cost[i] = cost[i + 1] + MOVE;
            from[i] = from[i + 1];
        }
    }
    from
}

/// What a boundary costs for keys that sound together, ascending; keys below it are the left hand's.
fn local(keys: &[i32], boundary: i32, centre: i32) -> i32 {
    let (left, right) = keys.split_at(keys.partition_point(|k| *k < boundary));
    let mut cost = (boundary - centre).abs();
    if keys.len() > 1 && (left.is_empty() || right.is_empty()) {
        cost += IDLE;
    }
    for hand in [left, right] {
        if let (Some(low), Some(high)) = (hand.first(), hand.last()) {
            let span = high - low;
            cost += (span - SPAN_EASY).max(0) * STRAIN + (span - SPAN_MAX).max(0) * BREAK;
            cost += (hand.len() as i32 - 5).max(0) * FINGER;
        }
    }
    let below = left.last().map_or(CLEARANCE, |k| boundary - k);
    let above = right.first().map_or(CLEARANCE, |k| k - boundary + 1);
    cost + ((CLEARANCE - below).max(0) + (CLEARANCE - above).max(0)) * CLEAR
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notes(rows: &[(i64, i64, u8)]) -> Vec<PartNote> {
        rows.iter()
            .map(|&(onset, end, key)| PartNote {
                onset: Ticks(onset),
                end: Ticks(end),
                pitch: Pitch::from_data_byte(key),
                velocity: 64,
            })
            .collect()
    }

    fn part(name: &str, key: u8) -> Part {
        Part { name: name.into(), notes: notes(&[(0, 10, key)]) }
    }

    #[test]
    fn names_speak_of_hands_in_several_languages() {
        for (name, hand) in [
            ("Right hand", Some(Hand::Right)),
            ("Piano R.H.", Some(Hand::Right)),
            ("PIANO (LH)", Some(Hand::Left)),
            ("main gauche", Some(Hand::Left)),
            ("Klavier rechts", Some(Hand::Right)),
            ("Klavier, linke Hand", Some(Hand::Left)),
            ("Upper staff", Some(Hand::Right)),
            ("Piano left and right", None),
            ("Bright piano", None),
            ("", None),
        ] {
            assert_eq!(named_hand(name), hand, "{name}");
        }
    }

    #[test]
    fn parts_go_by_name_then_by_pitch() {
        let check = |parts: &[Part], expected: &str| {
            let hands = part_hands(parts);
            let letters: String = hands.iter().map(|h| if *h == Hand::Right { 'R' } else { 'L' }).collect();
            assert_eq!(letters, expected, "{parts:?}");
        };
        check(&[part("left", 80), part("right", 40)], "LR");
        check(&[part("", 40), part("", 80)], "LR");
        check(&[part("", 60), part("", 60)], "RL");
        check(&[part("left", 80), part("x", 40)], "LR");
        check(&[part("S", 72), part("A", 67), part("T", 60), part("B", 50)], "RRLL");
        check(&[part("", 72), part("", 70), part("", 50)], "RRL");
        check(&[part("", 72), part("", 52), part("", 50)], "RLL");
        check(&[part("rh", 72), part("lh", 40), part("", 66)], "RLR");
    }

    fn check_split(rows: &[(i64, i64, u8)], expected: &str) {
        let letters: String = split(&notes(rows)).iter().map(|h| if *h == Hand::Right { 'R' } else { 'L' }).collect();
        assert_eq!(letters, expected, "{rows:?}");
    }

    #[test]
    fn the_split_follows_the_hands() {
        check_split(&[(0, 4, 48), (0, 4, 72), (4, 8, 50), (4, 8, 71)], "LRLR");
        // Both hands high up, then both low: a fixed boundary at middle C would give one hand everything.
        let high: Vec<_> = (0..8).flat_map(|i| [(i * 4, i * 4 + 4, 67), (i * 4, i * 4 + 4, 84)]).collect();
        check_split(&high, &"LR".repeat(8));
        let low: Vec<_> = (0..8).flat_map(|i| [(i * 4, i * 4 + 4, 36), (i * 4, i * 4 + 4, 55)]).collect();
        check_split(&low, &"LR".repeat(8));
        // A held bass keeps the left hand from reaching for the tune.
        check_split(&[(0, 16, 41), (0, 4, 57), (4, 8, 60), (8, 12, 62), (12, 16, 64)], "LRRRR");
    }

    /// How many notes in a hundred the split gives to the hand that the score says.
    fn agreement(score: &crate::music::Score) -> usize {
        let part: Vec<PartNote> = score
            .notes()
            .iter()
            .map(|n| PartNote { onset: n.onset, end: n.end, pitch: n.pitch, velocity: n.velocity })
            .collect();
        let same = split(&part).iter().zip(score.notes()).filter(|(hand, n)| **hand == n.hand).count();
        same * 100 / part.len()
    }

    #[test]
    fn the_split_finds_the_hands_of_the_built_in_pieces() {
        let pieces = crate::formats::pieces::builtin();
        let each: Vec<_> = pieces.iter().map(|p| (p.id, agreement(&p.score))).collect();
        assert!(each.iter().all(|(_, percent)| *percent >= 89), "{each:?}");
        assert!(each.iter().map(|(_, percent)| percent).sum::<usize>() >= each.len() * 96, "{each:?}");
    }

    #[test]
    fn no_notes_need_no_hands() {
        assert!(split(&[]).is_empty());
    }
}
