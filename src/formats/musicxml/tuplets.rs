//! Tuplets, and tuplets within tuplets: which notes each has, and its number.

use std::collections::BTreeMap;

use roxmltree::Node;

use super::page::Strike;
use super::tree::{child, child_number, number};
use crate::music::notation::TupletMark;

/// Tuplets that begin or end at one note; nobody writes more than three within one another.
pub(super) const MARKS_MAX: usize = 8;

/// What a `<tuplet>` says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Mark {
    /// Which of those that are open, 1 for the outermost.
    level: u8,
    /// Of its beginning: what is printed. `None` at its end.
    start: Option<Printed>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Printed {
    /// Its own number of notes, where it is said.
    actual: Option<u8>,
    shown: bool,
    bracket: Option<bool>,
}

/// Reads a `<tuplet>`; `None` if it neither begins nor ends.
pub(super) fn mark(node: Node<'_, '_>) -> Option<Mark> {
    let level = number(node, "number").unwrap_or(1);
    let start = match node.attribute("type") {
        Some("start") => Some(Printed {
            actual: child(node, "tuplet-actual").and_then(|own| child_number(own, "tuplet-number")),
            shown: node.attribute("show-number") != Some("none"),
            bracket: node.attribute("bracket").map(|bracket| bracket == "yes"),
        }),
        Some("stop") => None,
        _ => return None,
    };
    Some(Mark { level, start })
}

/// A tuplet of a voice, from one of its notes to another.
struct Tuplet {
    from: usize,
    to: usize,
    level: u8,
    printed: Printed,
}

/// Marks the tuplets of a measure at its notes. One that does not end within it ends with it.
pub(super) fn write(strikes: &mut [Strike]) {
    let mut voices: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, strike) in strikes.iter().enumerate().filter(|(_, strike)| strike.chord.grace.is_none()) {
        voices.entry(strike.label.clone()).or_default().push(index);
    }
    voices.retain(|_, voice| voice.iter().any(|index| !strikes[*index].tuplets.is_empty()));
    for voice in voices.into_values() {
        let tuplets = tuplets(strikes, &voice);
        // Those that have begun before the one at hand and have not ended, at most one of each level.
        let mut before: Vec<&Tuplet> = Vec::new();
        for (nth, tuplet) in tuplets.iter().enumerate() {
            let holds = |outer: &Tuplet, inner: &Tuplet| {
                outer.from <= inner.from && outer.to >= inner.to && outer.level < inner.level
            };
            before.retain(|outer| outer.to >= tuplet.from);
            let is_outer = tuplets[nth + 1..].iter().take_while(|t| t.from <= tuplet.to).any(|t| holds(tuplet, t));
            let around = before.iter().rev().find(|outer| holds(outer, tuplet)).copied();
            before.push(tuplet);
            let Printed { actual, shown, bracket } = tuplet.printed;
            let number = actual.or_else(|| own_number(strikes, &voice, tuplet, around)).filter(|_| shown);
            let place = |strike: &mut Strike, mark: TupletMark| {
                let chord = &mut strike.chord;
                let own = if is_outer { &mut chord.around } else { &mut chord.tuplet };
                if *own == TupletMark::None {
                    *own = mark;
                }
            };
            place(&mut strikes[voice[tuplet.from]], TupletMark::Starts { number, bracket });
            place(&mut strikes[voice[tuplet.to]], TupletMark::Ends);
        }
    }
}

/// The tuplets of a voice by their first notes, outer ones first.
fn tuplets(strikes: &[Strike], voice: &[usize]) -> Vec<Tuplet> {
    let mut done: Vec<Tuplet> = Vec::new();
    let mut open: Vec<Tuplet> = Vec::new();
    for (place, index) in voice.iter().enumerate() {
        let marks = &strikes[*index].tuplets;
        for (level, printed) in marks.iter().filter_map(|mark| Some((mark.level, mark.start?))) {
            // One that has no end ends before the next of its level.
            let (ended, still): (Vec<_>, Vec<_>) = open.drain(..).partition(|tuplet| tuplet.level == level);
            done.extend(ended.into_iter().map(|t| Tuplet { to: place.saturating_sub(1).max(t.from), ..t }));
            open = still;
            open.push(Tuplet { from: place, to: place, level, printed });
        }
        for level in marks.iter().filter(|mark| mark.start.is_none()).map(|mark| mark.level) {
            let (ended, still): (Vec<_>, Vec<_>) = open.drain(..).partition(|tuplet| tuplet.level == level);
            done.extend(ended.into_iter().map(|t| Tuplet { to: place, ..t }));
            open = still;
        }
    }
    let last = voice.len().saturating_sub(1);
    done.extend(open.into_iter().map(|t| Tuplet { to: last, ..t }));
    done.sort_by_key(|tuplet| (tuplet.from, tuplet.level));
    done
}

/// The number of a tuplet by the values of its notes, which have the product of all tuplets around them.
fn own_number(strikes: &[Strike], voice: &[usize], tuplet: &Tuplet, around: Option<&Tuplet>) -> Option<u8> {
    let actual = |place: usize| strikes[voice[place]].chord.value.ratio.map(|ratio| ratio.actual);
    let least = |tuplet: &Tuplet| (tuplet.from..=tuplet.to).filter_map(actual).min();
    let own = least(tuplet)?;
    let outer = around.and_then(least).filter(|outer| *outer > 1 && *outer < own && own.is_multiple_of(*outer));
    Some(outer.map_or(own, |outer| own / outer))
}
