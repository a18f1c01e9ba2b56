//! What is written, as *Wait for me* asks for it: the keys of each beat, whatever their order.

use super::WaitOptions;
use crate::music::{Hands, NoteId, Percent, Pitch, Score};
use crate::practice::tempo::stroke_window;
use crate::time::{Micros, Ticks};

/// One key-down of a group. A unison of both hands is one, with two written notes; a main note and a grace note of its
/// pitch are two.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) pitch: Pitch,
    /// When it sounds as it is written.
    onset: Ticks,
    pub(super) written: Vec<NoteId>,
    pub(super) settled: bool,
    /// Whether it may be left out: a grace note beside its main note.
    pub(super) optional: bool,
}

impl Key {
    /// Whether it is still waited for.
    pub(super) fn is_due(&self) -> bool {
        !self.settled && !self.optional
    }
}

/// What is written on one tick: a chord, rolled or not, with the grace notes that lead to it.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) tick: Ticks,
    /// The index of its bar.
    pub(super) bar: usize,
    pub(super) keys: Vec<Key>,
    /// When it sounds at the written tempo.
    pub(super) time: Micros,
    /// The keys, one bit each, of the ornaments that last from here towards the next group.
    pub(super) ornament: u128,
    /// In any-note rhythm: how long after its first key-down others still belong to it.
    pub(super) stroke: Micros,
}

impl Group {
    /// How many key-downs of a pitch it has.
    pub(super) fn count(&self, pitch: Pitch) -> usize {
        self.keys.iter().filter(|key| key.pitch == pitch).count()
    }
}

/// The groups of `hands` that are written in `[from, to)`.
pub(super) fn groups(score: &Score, hands: Hands, (from, to): (Ticks, Ticks), options: &WaitOptions) -> Vec<Group> {
    let required = |id: &NoteId| options.keyboard.contains(score.note(*id).pitch);
    let mut groups: Vec<Group> = Vec::new();
    for written in score.written_groups(hands, from, to) {
        let mut keys: Vec<Key> = Vec::new();
        for id in written.notes.into_iter().filter(required) {
            let note = score.note(id);
            let struck = |onset: Ticks| onset >= written.tick;
            let is_unison = |key: &&mut Key| {
                let other_hand = key.written.iter().all(|other| score.note(*other).hand != note.hand);
                let together = key.onset == note.onset || (struck(key.onset) && struck(note.onset));
                key.pitch == note.pitch && other_hand && together
            };
            match keys.iter_mut().find(is_unison) {
                Some(key) => {
                    key.written.push(id);
                    key.optional &= score.is_grace(id);
                }
                None => {
                    let (pitch, onset, optional) = (note.pitch, note.onset, score.is_grace(id));
                    keys.push(Key { pitch, onset, written: vec![id], settled: false, optional });
                }
            }
        }
        if keys.iter().all(|key| key.optional) {
            keys.iter_mut().for_each(|key| key.optional = false);
        }
        if !keys.is_empty() {
            let time = score.tempo().micros(written.tick, Percent::FULL);
            let (tick, bar) = (written.tick, score.bars().index_at(written.tick));
            groups.push(Group { tick, bar, keys, time, ornament: 0, stroke: Micros::ZERO });
        }
    }
    for ornament in score.ornaments().iter().filter(|ornament| hands.contains(ornament.hand)) {
        let first = groups.partition_point(|group| group.tick < ornament.from);
        let lasting = groups[first..].iter_mut().take_while(|group| group.tick < ornament.to);
        lasting.for_each(|group| group.ornament |= ornament.keys);
    }
    let time = |tick: Ticks| score.tempo().micros(tick, Percent::FULL);
    for index in 0..groups.len() {
        let next = groups.get(index + 1).map_or(to, |next| next.tick);
        groups[index].stroke = stroke_window(time(next) - time(groups[index].tick));
    }
    groups
}
