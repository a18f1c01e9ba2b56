//! Values that come out the same in whatever order the edits of several machines and components arrive: one type for
//! each strategy that needs one. Pure.
//!
//! | strategy | type | in the literature | its edits |
//! | --- | --- | --- | --- |
//! | last writer | [`Register`] | LWW-register | a value with its [`Rank`]; the higher rank stays |
//! | maximum | any `Ord` | max-register | `max` |
//! | counter | [`Totals`] | G-counter | each machine raises its own total |
//! | set, keep both | [`Observed`] | OR-set, MV-register | a value under its event's name; an edit takes away only what its author saw |
//!
//! The terms are of Shapiro, Preguiça, Baquero and Zawirski, "A comprehensive study of convergent and commutative
//! replicated data types", INRIA RR-7506, 2011.

use std::collections::BTreeMap;
use std::ops::Deref;

use serde::{Deserialize, Serialize};

use super::storage::{DeviceId, EventId};

/// Which of two writers is the later one: by the hybrid clock, then by machine and number there. A writer's clock is
/// never below what it has seen, so whoever has seen an edit is later than it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rank {
    /// The hybrid logical clock of the event.
    pub hlc: u64,
    /// The event.
    pub id: EventId,
}

/// A value that the last writer decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Register<T> {
    value: T,
    rank: Rank,
}

impl<T> Register<T> {
    /// As written by an event.
    pub const fn new(value: T, rank: Rank) -> Self {
        Self { value, rank }
    }

    /// Writes, unless a later writer has; whether it did.
    pub fn write(&mut self, value: T, rank: Rank) -> bool {
        let later = rank > self.rank;
        if later {
            *self = Self { value, rank };
        }
        later
    }

    /// An old one written once more, or a new one.
    pub fn rewritten(old: Option<Self>, value: T, rank: Rank) -> Self {
        match old {
            Some(mut old) => {
                old.write(value, rank);
                old
            }
            None => Self::new(value, rank),
        }
    }

    /// Who wrote it.
    pub fn rank(&self) -> Rank {
        self.rank
    }

    /// Another form of the value, by the same writer.
    pub fn transform<U>(self, form: impl FnOnce(T) -> U) -> Register<U> {
        Register { value: form(self.value), rank: self.rank }
    }
}

impl<T> Deref for Register<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

/// A number that every machine adds to: the sum of their totals. An edit says its machine's whole total, so that it
/// may come twice, and older ones may be compacted away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals(BTreeMap<DeviceId, u64>);

impl Totals {
    /// A machine's total has become this; a smaller one is an older one.
    pub fn raise(&mut self, device: DeviceId, total: u64) {
        let known = self.0.entry(device).or_default();
        *known = (*known).max(total);
    }

    /// A machine's total.
    pub fn of(&self, device: DeviceId) -> u64 {
        self.0.get(&device).copied().unwrap_or(0)
    }

    /// All machines together.
    pub fn sum(&self) -> u64 {
        self.0.values().fold(0, |sum, total| sum.saturating_add(*total))
    }
}

/// Values under the names of the events that brought them, each until an event whose author has seen it takes it away.
/// As a set, what one machine adds while another takes it away stays. As a text, of two that were written at the same
/// time both stay, until somebody who sees both writes a third. The bus applies an event once, and after those that it
/// names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed<T>(BTreeMap<EventId, T>);

impl<T> Default for Observed<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> Observed<T> {
    /// An event brings a value.
    pub fn add(&mut self, id: EventId, value: T) {
        self.0.insert(id, value);
    }

    /// What these events brought is taken away.
    pub fn remove(&mut self, seen: &[EventId]) {
        for id in seen {
            self.0.remove(id);
        }
    }

    /// The values, by the events that brought them.
    pub fn iter(&self) -> impl Iterator<Item = (EventId, &T)> {
        self.0.iter().map(|(id, value)| (*id, value))
    }

    /// The values.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.0.values()
    }

    /// What an author sees now: an edit names these to take them away.
    pub fn seen(&self) -> Vec<EventId> {
        self.0.keys().copied().collect()
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(device: u64, device_seq: u64) -> EventId {
        EventId { device: DeviceId(device), device_seq }
    }

    type Order = Vec<usize>;

    /// Applies edits in two orders, and compares.
    fn same<S: Default + PartialEq + std::fmt::Debug, E>(
        edits: &[E],
        order: &[usize],
        apply: impl Fn(&mut S, &E),
    ) -> Result<S, TestCaseError> {
        let (mut first, mut second) = (S::default(), S::default());
        edits.iter().for_each(|edit| apply(&mut first, edit));
        order.iter().for_each(|index| apply(&mut second, &edits[*index]));
        prop_assert_eq!(&first, &second);
        Ok(first)
    }

    fn shuffled<E: Clone + std::fmt::Debug>(
        edits: impl Strategy<Value = Vec<E>>,
    ) -> impl Strategy<Value = (Vec<E>, Order)> {
        edits.prop_flat_map(|edits| {
            let order: Order = (0..edits.len()).collect();
            (Just(edits), Just(order).prop_shuffle())
        })
    }

    /// Each index once more.
    fn repeated(order: &[usize]) -> Order {
        order.iter().rev().chain(order).copied().collect()
    }

    /// The order, with each index put off until those that it names have come.
    fn causal(order: &[usize], names: impl Fn(usize) -> Order) -> Order {
        let mut done = Order::new();
        while done.len() < order.len() {
            let next = order.iter().find(|i| !done.contains(i) && names(**i).iter().all(|n| done.contains(n)));
            done.push(*next.expect("names go back in time"));
        }
        done
    }

    proptest! {
        #[test]
        fn the_order_of_writers_does_not_matter_to_a_register(
            (edits, order) in shuffled(prop::collection::vec((0u64..5, 1u64..4, any::<u8>()), 0..9)),
        ) {
            let rank = |hlc, device, seq| Rank { hlc, id: id(device, seq) };
            let edits: Vec<_> = (1..).zip(&edits).map(|(seq, (hlc, device, v))| (*v, rank(*hlc, *device, seq))).collect();
            let write = |register: &mut Register<u8>, (value, rank): &(u8, Rank)| {
                register.write(*value, *rank);
            };
            let register = same(&edits, &order, write)?;
            same(&edits, &repeated(&order), write)?;
            let highest = edits.iter().max_by_key(|(_, rank)| *rank);
            prop_assert_eq!(*register, highest.map_or(0, |(value, _)| *value));
        }

        #[test]
        fn the_order_of_totals_does_not_matter_and_none_is_lost(
            (edits, order) in shuffled(prop::collection::vec((1u64..4, 0u64..100), 0..9)),
        ) {
            let raise = |totals: &mut Totals, (device, total): &(u64, u64)| totals.raise(DeviceId(*device), *total);
            let totals = same(&edits, &order, raise)?;
            same(&edits, &repeated(&order), raise)?;
            let highest = |device| edits.iter().filter(|(d, _)| *d == device).map(|(_, total)| *total).max();
            prop_assert_eq!(totals.sum(), (1..4).filter_map(highest).sum::<u64>());
        }

        #[test]
        fn the_order_of_adding_and_taking_away_does_not_matter_and_adding_wins(
            (edits, order) in shuffled(prop::collection::vec((any::<bool>(), prop::collection::vec(0usize..9, 0..4)), 0..9)),
        ) {
            // Each edit takes away some of those before it, and most bring a value under their own name.
            let names = |i: usize| edits[i].1.iter().copied().filter(|n| *n < i).collect::<Order>();
            let apply = |observed: &mut Observed<usize>, i: &usize| {
                let seen: Vec<EventId> = names(*i).iter().map(|n| id(1, *n as u64)).collect();
                observed.remove(&seen);
                if edits[*i].0 {
                    observed.add(id(1, *i as u64), *i);
                }
            };
            let all: Order = (0..edits.len()).collect();
            let observed = same(&all, &causal(&order, names), apply)?;
            for i in all {
                let taken = (0..edits.len()).any(|later| names(later).contains(&i));
                prop_assert_eq!(observed.values().any(|value| *value == i), edits[i].0 && !taken);
            }
        }
    }
}
