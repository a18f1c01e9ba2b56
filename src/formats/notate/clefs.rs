//! Clefs by height: the cheapest way through the measures, where ledger lines and changes cost.

use crate::music::Hand;
use crate::music::notation::{Clef, Measure};
use crate::time::Ticks;

const CLEFS: [Clef; 2] = [Clef::Treble, Clef::Bass];
/// What a change costs, in ledger lines beyond the first of a note: some measures of them.
const CHANGE: i32 = 16;
/// What a staff costs that begins with the other hand's clef; less than a change, so that none stands at the beginning.
const UNUSUAL: i32 = 10;

/// Chooses the clef that a staff begins with, and writes its changes at the beginnings of measures.
pub(in super::super) fn choose(measures: &mut [Measure], staff: u8, hand: Hand) -> Clef {
    let usual = usize::from(hand == Hand::Left);
    let mut costs = [UNUSUAL; 2];
    costs[usual] = 0;
    let mut from: Vec<[usize; 2]> = Vec::with_capacity(measures.len());
    for measure in measures.iter() {
        let moved = costs;
        let mut before = [0, 1];
        for clef in 0..2 {
            if moved[1 - clef] + CHANGE < costs[clef] {
                (costs[clef], before[clef]) = (moved[1 - clef] + CHANGE, 1 - clef);
            }
            costs[clef] = costs[clef].saturating_add(ledger_lines(measure, staff, CLEFS[clef]));
        }
        let least = costs[0].min(costs[1]);
        costs.iter_mut().for_each(|cost| *cost -= least);
        from.push(before);
    }
    let mut clef = if costs[usual] <= costs[1 - usual] { usual } else { 1 - usual };
    for (measure, before) in measures.iter_mut().zip(&from).rev() {
        if before[clef] != clef {
            measure.clefs.push((staff, Ticks::ZERO, CLEFS[clef]));
            clef = before[clef];
        }
    }
    CLEFS[clef]
}

/// Ledger lines of a measure's notes, one of each note forgiven.
fn ledger_lines(measure: &Measure, staff: u8, clef: Clef) -> i32 {
    let bottom = clef.bottom_line();
    let lines = |step: i32| ((bottom - step).max(step - bottom - 8) / 2 - 1).max(0);
    let heads = measure.chords.iter().filter(|c| c.staff == staff).flat_map(|c| &c.heads);
    heads.filter(|h| h.sounds.is_some()).map(|h| lines(h.pitch.diatonic())).sum()
}
