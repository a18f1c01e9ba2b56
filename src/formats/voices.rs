//! Which voice of a staff is the upper one: by how high they lie beside each other over the whole piece, not by the order
//! in which a source lists them.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

/// How many steps each voice lies above the others of its staff, in the mean of the measures that it shares with them;
/// 0 where it never does. `notes` are measure, staff, voice and the place in steps.
pub(super) fn heights<V>(notes: impl IntoIterator<Item = (usize, u8, V, i32)>) -> HashMap<(u8, V), f64>
where
    V: Clone + Eq + Hash + Ord,
{
    let mut shared: BTreeMap<(usize, u8), BTreeMap<V, (i64, i64)>> = BTreeMap::new();
    for (measure, staff, voice, step) in notes {
        let (sum, count) = shared.entry((measure, staff)).or_default().entry(voice).or_default();
        (*sum, *count) = (*sum + i64::from(step), *count + 1);
    }
    let mut found: HashMap<(u8, V), (f64, f64)> = HashMap::new();
    for ((_, staff), voices) in shared.into_iter().filter(|(_, voices)| voices.len() > 1) {
        let mean = |(sum, count): &(i64, i64)| *sum as f64 / *count as f64;
        let (all, others) = (voices.values().map(mean).sum::<f64>(), voices.len() as f64 - 1.0);
        for (voice, steps) in voices {
            let own = mean(&steps);
            let (sum, measures) = found.entry((staff, voice)).or_default();
            (*sum, *measures) = (*sum + own - (all - own) / others, *measures + 1.0);
        }
    }
    found.into_iter().map(|(voice, (sum, measures))| (voice, sum / measures)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Notes as `measure staff voice step`; the voices with their heights.
    #[track_caller]
    fn check(notes: &[(usize, u8, char, i32)], expected: &[(u8, char, f64)]) {
        let mut found: Vec<_> = heights(notes.iter().copied()).into_iter().map(|((s, v), h)| (s, v, h)).collect();
        found.sort_by_key(|(staff, voice, _)| (*staff, *voice));
        assert_eq!(found, expected, "{notes:?}");
    }

    #[test]
    fn voices_are_compared_where_they_stand_together() {
        check(&[], &[]);
        check(&[(0, 0, 'a', 4), (1, 0, 'b', 9)], &[]);
        check(&[(0, 0, 'a', 4), (0, 0, 'b', 9), (1, 0, 'a', 90)], &[(0, 'a', -5.0), (0, 'b', 5.0)]);
        check(&[(0, 0, 'a', 4), (0, 1, 'b', 9)], &[]);
    }

    #[test]
    fn a_crossing_in_one_measure_counts_as_one_measure() {
        let notes = [(0, 0, 'a', 8), (0, 0, 'b', 2), (1, 0, 'a', 3), (1, 0, 'a', 3), (1, 0, 'b', 5)];
        check(&notes, &[(0, 'a', 2.0), (0, 'b', -2.0)]);
    }

    #[test]
    fn of_three_voices_one_lies_between() {
        check(&[(0, 0, 'a', 0), (0, 0, 'b', 6), (0, 0, 'c', 3)], &[(0, 'a', -4.5), (0, 'b', 4.5), (0, 'c', 0.0)]);
    }
}
