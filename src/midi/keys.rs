//! A set of keys on 16 channels, of fixed size.

use crate::music::Pitch;

/// Which of 128 keys on each of 16 channels are in the set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeySet {
    channels: [u128; 16],
}

impl KeySet {
    /// Adds a key. Of `channel` the low four bits count, here and below.
    pub fn insert(&mut self, channel: u8, pitch: Pitch) {
        self.channels[slot(channel)] |= 1 << pitch.key();
    }

    /// Takes a key out.
    pub fn remove(&mut self, channel: u8, pitch: Pitch) {
        self.channels[slot(channel)] &= !(1 << pitch.key());
    }

    /// Takes all keys of a channel out.
    pub fn clear(&mut self, channel: u8) {
        self.channels[slot(channel)] = 0;
    }

    /// Whether the key is in the set.
    pub fn contains(&self, channel: u8, pitch: Pitch) -> bool {
        self.channels[slot(channel)] >> pitch.key() & 1 == 1
    }

    /// Whether no key is.
    pub fn is_empty(&self) -> bool {
        self.channels == [0; 16]
    }

    /// How many are.
    pub fn len(&self) -> usize {
        self.channels.iter().map(|keys| keys.count_ones() as usize).sum()
    }

    /// Channel and key of each, lowest first.
    pub fn iter(&self) -> impl Iterator<Item = (u8, Pitch)> + '_ {
        (0..16).flat_map(move |channel| {
            let keys = self.channels[slot(channel)];
            (0..128).filter(move |key| keys >> key & 1 == 1).map(move |key| (channel, Pitch::from_data_byte(key)))
        })
    }
}

fn slot(channel: u8) -> usize {
    usize::from(channel & 0x0f)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out_in_order() {
        let mut keys = KeySet::default();
        assert!(keys.is_empty());
        let all = [(0, 0), (0, 127), (3, 60), (15, 1)].map(|(channel, key)| (channel, Pitch::from_data_byte(key)));
        for (channel, pitch) in all.iter().rev() {
            keys.insert(*channel, *pitch);
        }
        assert_eq!(keys.iter().collect::<Vec<_>>(), all);
        assert_eq!(keys.len(), 4);
        keys.remove(0, all[1].1);
        assert!(!keys.contains(0, all[1].1) && keys.contains(3, all[2].1));
        keys.clear(3);
        assert_eq!(keys.len(), 2);
    }
}
