//! The events of one track: notes paired, texts decoded, drums left out.

use midly::{EventIter, MetaMessage, MidiMessage, TrackEventKind};

use super::super::heading::composer_in;
use super::super::text::{decode, syllable};
use super::super::{FormatError, NOTES_MAX};
use super::TICKS_MAX;
use super::chunks::TrackBytes;
use crate::music::{KeySignature, Meter, PedalChange, Pitch, Tempo};
use crate::time::Ticks;

/// The channel of drums, counted from 0: the tenth.
const DRUM_CHANNEL: u8 = 9;
/// Controllers that matter here.
const SUSTAIN: u8 = 64;
const ALL_SOUND_OFF: u8 = 120;
const ALL_NOTES_OFF: u8 = 123;

/// A paired note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RawNote {
    pub(super) onset: i64,
    pub(super) end: i64,
    pub(super) pitch: Pitch,
    pub(super) velocity: u8,
    pub(super) channel: u8,
}

/// Words at a tick, as they are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) tick: i64,
    pub(super) text: String,
}

/// More words in one track are none: the longest opera has a tenth of it.
const WORDS_MAX: usize = 100_000;

/// What a track holds.
#[derive(Debug, Default)]
pub(super) struct Track {
    pub(super) name: String,
    /// Texts of karaoke files that begin with `@T`: title, then artist.
    pub(super) headings: Vec<String>,
    /// The composer, where a text or the copyright says who it is.
    pub(super) composer: Option<String>,
    /// Lyric events.
    pub(super) lyrics: Vec<Words>,
    /// Text events, which are syllables in a karaoke file.
    pub(super) texts: Vec<Words>,
    pub(super) notes: Vec<RawNote>,
    pub(super) tempos: Vec<Tempo>,
    pub(super) meters: Vec<Meter>,
    pub(super) keys: Vec<KeySignature>,
    pub(super) pedals: Vec<PedalChange>,
    /// How often a drum is struck.
    pub(super) drums: usize,
    /// The notes of the drums' channel, for a take that has no others.
    pub(super) drum_notes: Vec<RawNote>,
    pub(super) end: i64,
    pub(super) warnings: Vec<String>,
}

/// Reads a track's events up to its end, or to the first that cannot be read. `notes_before` counts those of the
/// tracks before it, for the limit.
pub(super) fn read(raw: TrackBytes<'_>, notes_before: usize) -> Result<Track, FormatError> {
    let mut track = Track::default();
    let (mut keys, mut drum_keys) = (Keys::new(), Keys::new());
    let mut events = EventIter::new(raw.bytes);
    let mut ended = false;
    while !events.unread().is_empty() {
        let at = raw.offset + raw.bytes.len() - events.unread().len();
        let event = match events.next() {
            Some(Ok(event)) => event,
            _ => {
                if !raw.cut {
                    track.warnings.push(format!("track {} cannot be read from byte {at} on", raw.number));
                }
                break;
            }
        };
        let tick = track.end + i64::from(event.delta.as_int());
        if tick > TICKS_MAX {
            track.warnings.push(format!("track {} is too long: from byte {at} on it is left out", raw.number));
            break;
        }
        track.end = tick;
        match event.kind {
            TrackEventKind::Midi { channel, message } => {
                match channel.as_int() {
                    DRUM_CHANNEL => drum(&mut track, &mut drum_keys, tick, message),
                    channel => midi(&mut track, &mut keys, tick, channel, message),
                }
                if notes_before + track.notes.len().max(track.drum_notes.len()) > NOTES_MAX {
                    return Err(FormatError::TooManyNotes { track: raw.number, offset: at });
                }
            }
            TrackEventKind::Meta(MetaMessage::EndOfTrack) => {
                ended = true;
                break;
            }
            TrackEventKind::Meta(meta) => self::meta(&mut track, tick, meta, raw.number, at),
            TrackEventKind::SysEx(_) | TrackEventKind::Escape(_) => {}
        }
    }
    if raw.cut && !ended {
        let size = raw.offset + raw.bytes.len();
        track.warnings.push(format!("the file ends at byte {size}, within track {}", raw.number));
    }
    drum_keys.release_all(&mut track.drum_notes, track.end);
    let unreleased = keys.release_all(&mut track.notes, track.end);
    if unreleased > 0 {
        let notes = if unreleased == 1 {
            "one note is never released and lasts"
        } else {
            &format!("{unreleased} notes are never released and last")
        };
        track.warnings.push(format!("track {}: {notes} to its end", raw.number));
    }
    if notes_before + track.notes.len() > NOTES_MAX {
        return Err(FormatError::TooManyNotes { track: raw.number, offset: raw.offset });
    }
    Ok(track)
}

fn midi(track: &mut Track, keys: &mut Keys, tick: i64, channel: u8, message: MidiMessage) {
    match message {
        MidiMessage::NoteOn { key, vel } if vel.as_int() > 0 => {
            keys.down(&mut track.notes, tick, channel, key.as_int(), vel.as_int());
        }
        MidiMessage::NoteOn { key, .. } | MidiMessage::NoteOff { key, .. } => {
            keys.up(&mut track.notes, tick, channel, key.as_int());
        }
        MidiMessage::Controller { controller, value } => match controller.as_int() {
            SUSTAIN => track.pedals.push(PedalChange { tick: Ticks(tick), value: value.as_int() }),
            ALL_SOUND_OFF | ALL_NOTES_OFF => keys.release_channel(&mut track.notes, tick, channel),
            _ => {}
        },
        _ => {}
    }
}

fn drum(track: &mut Track, keys: &mut Keys, tick: i64, message: MidiMessage) {
    match message {
        MidiMessage::NoteOn { key, vel } if vel.as_int() > 0 => {
            track.drums += 1;
            keys.down(&mut track.drum_notes, tick, DRUM_CHANNEL, key.as_int(), vel.as_int());
        }
        MidiMessage::NoteOn { key, .. } | MidiMessage::NoteOff { key, .. } => {
            keys.up(&mut track.drum_notes, tick, DRUM_CHANNEL, key.as_int());
        }
        _ => {}
    }
}

fn meta(track: &mut Track, tick: i64, meta: MetaMessage<'_>, number: usize, at: usize) {
    match meta {
        MetaMessage::TrackName(bytes) if track.name.is_empty() => track.name = decode(bytes),
        MetaMessage::Text(bytes) if bytes.starts_with(b"@T") => track.headings.push(decode(&bytes[2..])),
        MetaMessage::Text(bytes) => {
            credit(track, bytes);
            keep(&mut track.texts, tick, bytes);
        }
        MetaMessage::Copyright(bytes) => credit(track, bytes),
        MetaMessage::Lyric(bytes) => keep(&mut track.lyrics, tick, bytes),
        MetaMessage::Tempo(quarter) if quarter.as_int() > 0 => {
            track.tempos.push(Tempo { tick: Ticks(tick), micros_per_quarter: quarter.as_int() });
        }
        MetaMessage::Tempo(_) => track.warnings.push(format!("track {number}: a tempo of 0 at byte {at} is ignored")),
        MetaMessage::TimeSignature(beats, power, ..) => {
            if beats == 0 || power > 7 {
                track.warnings.push(format!("track {number}: an impossible metre at byte {at} is ignored"));
            } else {
                track.meters.push(Meter { tick: Ticks(tick), beats, unit: 1 << power });
            }
        }
        MetaMessage::KeySignature(fifths @ -7..=7, minor) => {
            track.keys.push(KeySignature { tick: Ticks(tick), fifths, minor });
        }
        _ => {}
    }
}

/// Keeps the first composer that a text names.
fn credit(track: &mut Track, bytes: &[u8]) {
    if track.composer.is_none() {
        track.composer = composer_in(&decode(bytes));
    }
}

fn keep(words: &mut Vec<Words>, tick: i64, bytes: &[u8]) {
    if words.len() < WORDS_MAX {
        words.push(Words { tick, text: syllable(bytes) });
    }
}

/// One key of one channel.
#[derive(Clone, Copy, Default)]
struct Key {
    /// Onset and velocity of the sounding note.
    sounding: Option<(i64, u8)>,
    /// Whether the sounding note began while a former one sounded.
    restruck: bool,
    /// Releases still to come for the notes begun.
    pending: u32,
    /// The last finished note, as index + 1.
    last: usize,
}

/// Pairs note-ons with note-offs. A key struck while it sounds ends the former note. Where two voices share a key, the
/// later of their two releases ends the later note.
struct Keys(Vec<Key>);

impl Keys {
    fn new() -> Self {
        Self(vec![Key::default(); 16 * 128])
    }

    fn down(&mut self, notes: &mut Vec<RawNote>, tick: i64, channel: u8, key: u8, velocity: u8) {
        let state = &mut self.0[usize::from(channel) * 128 + usize::from(key)];
        state.restruck = state.sounding.is_some();
        if let Some((onset, former)) = state.sounding {
            if onset == tick {
                state.pending += 1;
                state.sounding = Some((onset, former.max(velocity)));
                state.restruck = false;
                return;
            }
            finish(notes, state, tick, channel, key);
        } else {
            state.pending = 0;
        }
        state.pending += 1;
        state.sounding = Some((tick, velocity));
    }

    fn up(&mut self, notes: &mut Vec<RawNote>, tick: i64, channel: u8, key: u8) {
        let state = &mut self.0[usize::from(channel) * 128 + usize::from(key)];
        if state.pending == 0 {
            return;
        }
        state.pending -= 1;
        match state.sounding {
            // The release of the former note, written after the new onset.
            Some((onset, _)) if state.restruck && onset == tick => state.restruck = false,
            Some(_) => finish(notes, state, tick, channel, key),
            None => {
                if let Some(note) = state.last.checked_sub(1).and_then(|i| notes.get_mut(i)) {
                    note.end = tick;
                }
            }
        }
    }

    fn release_channel(&mut self, notes: &mut Vec<RawNote>, tick: i64, channel: u8) {
        for key in 0..128u8 {
            let state = &mut self.0[usize::from(channel) * 128 + usize::from(key)];
            finish(notes, state, tick, channel, key);
            state.pending = 0;
        }
    }

    /// Returns how many notes still sounded. Those that begin on the last tick have no length and are left out.
    fn release_all(&mut self, notes: &mut Vec<RawNote>, tick: i64) -> usize {
        let before = notes.len();
        for channel in 0..16 {
            self.release_channel(notes, tick, channel);
        }
        let unreleased = notes.len() - before;
        let whole = notes.split_off(before).into_iter().filter(|n| n.end > n.onset);
        notes.extend(whole);
        unreleased
    }
}

fn finish(notes: &mut Vec<RawNote>, state: &mut Key, tick: i64, channel: u8, key: u8) {
    if let Some((onset, velocity)) = state.sounding.take() {
        notes.push(RawNote { onset, end: tick, pitch: Pitch::from_data_byte(key), velocity, channel });
        state.last = notes.len();
    }
}
