//! What was played in a take, out of its events in the log: the messages, the notes with their lengths, the pedal.
//! Values only; who reads the log is told how.

use std::collections::{BTreeMap, HashMap};

use crate::bus::storage::StorageError;
use crate::bus::{EntityKey, Envelope};
use crate::formats::smf::{self, Run, TakeGrid, TakeNote, TakeTrack};
use crate::model::{Event, Played, TakeId, Trainer, TransportChange, TransportMoved};
use crate::music::{Pitch, Score};
use crate::practice::PlayedId;
use crate::time::Micros;

use super::take_clock::TakeClock;

/// Events read at a time.
const READ: usize = 4_096;

/// Goes through a take's events in order. `read` gives up to so many of an entity's events from a version on.
///
/// # Errors
/// The log cannot be read.
pub fn each_event(
    id: TakeId,
    mut read: impl FnMut(&EntityKey, u64, usize) -> Result<Vec<Envelope<Trainer>>, StorageError>,
    mut each: impl FnMut(&Envelope<Trainer>),
) -> Result<(), StorageError> {
    let mut next = 1;
    loop {
        let events = read(&id.entity(), next, READ)?;
        let Some(last) = events.last() else { return Ok(()) };
        next = last.version + 1;
        events.iter().for_each(&mut each);
    }
}

/// A message as it was played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// The number by which verdicts name it.
    pub id: PlayedId,
    /// When, by the clock of the take.
    pub at: Micros,
    /// What.
    pub played: Played,
}

/// A note as it was played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerformedNote {
    /// The number by which verdicts name it.
    pub id: PlayedId,
    /// When, from the first message of the take on.
    pub at: Micros,
    /// How long the key was down: until it came up, was struck again, or the take ended.
    pub duration: Micros,
    /// The key.
    pub pitch: Pitch,
    /// How hard, 1 to 127.
    pub velocity: u8,
    /// How fast the key came up, 0 to 127; 64 where it did not say, as MIDI has it.
    pub release: u8,
    /// The channel, 0 to 15.
    pub channel: u8,
    /// Which input it came from, as of [`Played::source`].
    pub source: u16,
}

/// How fast a key comes up that does not say.
const PLAIN_RELEASE: u8 = 64;

/// Everything that was played in a take.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Performed {
    messages: Vec<Message>,
    /// How the music ran beside it, by the clock of the take.
    runs: Vec<Run>,
    clock: TakeClock,
}

impl Performed {
    /// Reads a take.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn read(
        id: TakeId,
        read: impl FnMut(&EntityKey, u64, usize) -> Result<Vec<Envelope<Trainer>>, StorageError>,
    ) -> Result<Self, StorageError> {
        let mut performed = Self::default();
        each_event(id, read, |envelope| performed.take_in(envelope))?;
        performed.sort();
        Ok(performed)
    }

    /// The next event of the take, in the order of the log; [`Self::sort`] once all are in.
    pub fn take_in(&mut self, envelope: &Envelope<Trainer>) {
        let (event, Some(stamp)) = (envelope.event(), &envelope.stamp) else { return };
        let at = self.clock.event(event, stamp);
        match event {
            Some(Event::NotePlayed(played)) => {
                self.messages.push(Message { id: PlayedId(envelope.version), at, played: *played });
            }
            Some(Event::TransportMoved(TransportMoved { change: TransportChange::Runs { place, speed }, .. })) => {
                self.runs.push(Run { at, place: *place, speed: *speed });
            }
            _ => {}
        }
    }

    /// Puts what came in into the order of time: several inputs come through lanes of their own.
    pub fn sort(&mut self) {
        self.messages.sort_by_key(|message| (message.at, message.id));
    }

    /// The messages, in order of time.
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// When the first message was played, by the clock of the take.
    pub fn first(&self) -> Micros {
        self.messages.first().map_or(Micros::ZERO, |message| message.at)
    }

    /// From the first message to the last.
    pub fn length(&self) -> Micros {
        self.messages.last().map_or(Micros::ZERO, |message| message.at - self.first())
    }

    /// The notes, by onset. Each instrument and channel has keys of its own.
    pub fn notes(&self) -> Vec<PerformedNote> {
        let (first, mut notes) = (self.first(), Vec::<PerformedNote>::new());
        // Where the note is whose key is down.
        let mut down: HashMap<(u16, u8, Pitch), usize> = HashMap::new();
        for message in &self.messages {
            let (at, Played { source, data }) = (message.at - first, message.played);
            let channel = data[0] & 0x0f;
            let on = message.played.note_on();
            if let Some(pitch) = on.map(|(pitch, _)| pitch).or(message.played.note_off())
                && let Some(sounding) = down.remove(&(source, channel, pitch))
            {
                notes[sounding].duration = at - notes[sounding].at;
                if data[0] & 0xf0 == 0x80 {
                    notes[sounding].release = data[2];
                }
            }
            if let Some((pitch, velocity)) = on {
                down.insert((source, channel, pitch), notes.len());
                let (id, duration, release) = (message.id, Micros::ZERO, PLAIN_RELEASE);
                notes.push(PerformedNote { id, at, duration, pitch, velocity, release, channel, source });
            }
        }
        let end = self.length();
        down.into_values().for_each(|held| notes[held].duration = end - notes[held].at);
        notes
    }

    /// All of it as a MIDI file. With the music that it was played to, at a tempo that was kept, in the bars of that;
    /// `latency` is how much later than the music a key that is struck in time is stamped. Otherwise it begins with the
    /// first message.
    pub fn to_midi(&self, name: &str, music: Option<(&Score, Micros)>) -> Vec<u8> {
        let mut tracks: BTreeMap<u16, TakeTrack> = BTreeMap::new();
        for note in self.notes() {
            let PerformedNote { at, duration, pitch, velocity, release, channel, source, .. } = note;
            let note = TakeNote { at, duration, channel, pitch, velocity, release };
            tracks.entry(source).or_default().notes.push(note);
        }
        let first = self.first();
        for message in &self.messages {
            let track = tracks.entry(message.played.source).or_default();
            track.others.push((message.at - first, message.played.data));
        }
        let named = |(track, number): (TakeTrack, usize)| TakeTrack { name: format!("Input {number}"), ..track };
        let tracks: Vec<TakeTrack> = tracks.into_values().zip(1..).map(named).collect();
        let latency = music.map_or(Micros::ZERO, |(_, latency)| latency);
        let runs: Vec<Run> = self.runs.iter().map(|run| Run { at: run.at - first + latency, ..*run }).collect();
        smf::write_take(name, &tracks, music.map(|(score, _)| TakeGrid { score, runs: &runs }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn performed(messages: &[(i64, [u8; 3])]) -> Performed {
        let message = |(number, (millis, data)): (usize, &(i64, [u8; 3]))| Message {
            id: PlayedId(number as u64),
            at: Micros::from_millis(*millis),
            played: Played { source: 0, data: *data },
        };
        let messages = messages.iter().enumerate().map(message).collect();
        let mut performed = Performed { messages, ..Performed::default() };
        performed.sort();
        performed
    }

    #[test]
    fn a_note_lasts_until_its_key_comes_up_is_struck_again_or_the_take_ends() {
        let take = performed(&[
            (1_000, [0x90, 60, 80]),
            (1_250, [0x80, 60, 64]),
            (1_300, [0x90, 62, 70]),
            (1_500, [0x90, 62, 71]),
            (1_600, [0x90, 62, 0]),
            (1_700, [0x90, 64, 72]),
            (2_000, [0xb0, 64, 127]),
        ]);
        let notes: Vec<(i64, i64, u8, u8)> =
            take.notes().iter().map(|n| (n.at.0 / 1_000, n.duration.0 / 1_000, n.pitch.key(), n.velocity)).collect();
        assert_eq!(notes, [(0, 250, 60, 80), (300, 200, 62, 70), (500, 100, 62, 71), (700, 300, 64, 72)]);
    }

    #[test]
    fn two_keyboards_have_keys_of_their_own() {
        let mut take =
            performed(&[(0, [0x90, 60, 80]), (100, [0x90, 60, 81]), (300, [0x80, 60, 90]), (700, [0x80, 60, 10])]);
        (take.messages[1].played.source, take.messages[2].played.source) = (1, 1);
        let notes: Vec<_> = take.notes().iter().map(|n| (n.source, n.duration.0 / 1_000, n.release)).collect();
        assert_eq!(notes, [(0, 700, 10), (1, 200, 90)]);
        let read = smf::read_performance(&take.to_midi("duet", None)).expect("what was written");
        let lengths: Vec<i64> = read.notes.iter().map(|note| note.duration.0 / 1_000).collect();
        assert_eq!(lengths, [700, 200]);
    }

    #[test]
    fn a_take_comes_back_from_its_midi_file() {
        let take = performed(&[
            (70, [0x90, 60, 80]),
            (320, [0x80, 60, 64]),
            (570, [0x90, 64, 81]),
            (600, [0xb0, 64, 127]),
            (820, [0x80, 64, 64]),
        ]);
        let read = smf::read_performance(&take.to_midi("Minuet", None)).expect("what was written");
        assert_eq!(read.notes.len(), 2);
        for (read, note) in read.notes.iter().zip(take.notes()) {
            assert_eq!((read.pitch, read.velocity), (note.pitch, note.velocity));
            for (read, played) in [(read.at, note.at), (read.duration, note.duration)] {
                assert!((read - played).0.abs() <= 20, "{read:?} beside {played:?}");
            }
        }
        assert_eq!(read.pedals.len(), 1);
        assert_eq!(Performed::default().notes(), []);
    }
}
