//! Ticks and places on a line, both ways.

/// The place of `at` between ascending pairs; beyond them the nearest.
pub(super) fn interpolate(pairs: &[(f64, f32)], at: f64) -> f32 {
    let after = pairs.partition_point(|(tick, _)| *tick <= at);
    match (after.checked_sub(1).and_then(|i| pairs.get(i)), pairs.get(after)) {
        (Some((from, x)), Some((to, y))) => x + ((at - from) / (to - from)) as f32 * (y - x),
        (Some((_, x)), None) | (None, Some((_, x))) => *x,
        (None, None) => 0.0,
    }
}

/// The tick of a place, the inverse of [`interpolate`].
pub(super) fn invert(pairs: &[(f64, f32)], x: f32) -> f64 {
    let after = pairs.partition_point(|(_, place)| *place <= x);
    match (after.checked_sub(1).and_then(|i| pairs.get(i)), pairs.get(after)) {
        (Some((tick, from)), Some((next, to))) => tick + f64::from((x - from) / (to - from)) * (next - tick),
        (Some((tick, _)), None) | (None, Some((tick, _))) => *tick,
        (None, None) => 0.0,
    }
}
