//! A take as a MIDI file: everything that was played, a track for each instrument. What was played to music that kept a
//! tempo stands in its bars ([`super::grid`]); anything else at 120 quarters a minute, exact in time.

use midly::num::u24;
use midly::{Format, MetaMessage};

use super::grid::{Layout, Run};
use super::write::{Struck, Timed, channel_message, finish, meta, push_note, track};
use crate::music::{Pitch, Score};
use crate::time::{Micros, div_round};

/// Ticks to the quarter note where no score says otherwise; fewer in takes of more than half a day.
pub const WRITE_RESOLUTION: u16 = 25_000;
/// Microseconds of a quarter note there: 120 quarters a minute, so that other programs show the usual.
const QUARTER: u32 = 500_000;

/// A note as it was played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TakeNote {
    /// The onset from the take's first message on.
    pub at: Micros,
    /// From onset to release.
    pub duration: Micros,
    /// The channel, 0 to 15.
    pub channel: u8,
    /// The key.
    pub pitch: Pitch,
    /// How hard, 1 to 127.
    pub velocity: u8,
    /// How fast it was let go, 0 to 127.
    pub release: u8,
}

/// What came from one instrument.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TakeTrack {
    /// Its name.
    pub name: String,
    /// The notes.
    pub notes: Vec<TakeNote>,
    /// Every other message of a channel, such as the pedals, and when.
    pub others: Vec<(Micros, [u8; 3])>,
}

impl TakeTrack {
    fn end(&self) -> Micros {
        let notes = self.notes.iter().map(|note| Micros(note.at.0.saturating_add(note.duration.0)));
        notes.chain(self.others.iter().map(|(at, _)| *at)).max().unwrap_or(Micros::ZERO)
    }
}

/// The music that a take was played to.
#[derive(Clone, Copy, Debug)]
pub struct TakeGrid<'a> {
    /// As it is written.
    pub score: &'a Score,
    /// How it ran, in order; times as those of the notes.
    pub runs: &'a [Run],
}

/// A take as a MIDI file: of type 0 if one instrument was played, of type 1 if several. At 120 quarters a minute times are
/// kept to within 10 µs (half a tick), in a grid to within a tick of it and a microsecond a quarter note; notes before the
/// beginning begin there. A take that is too long for this is written in coarser ticks.
/// At most [`super::super::NOTES_MAX`] notes are written, so that what is written can be read.
pub fn write_take(name: &str, tracks: &[TakeTrack], grid: Option<TakeGrid<'_>>) -> Vec<u8> {
    let end = tracks.iter().map(TakeTrack::end).max().unwrap_or(Micros::ZERO);
    let layout = grid.and_then(|grid| Layout::new(grid.score, grid.runs, end));
    let (resolution, conductor) = match &layout {
        Some(layout) => (layout.resolution(), layout.conductor(end)),
        None => (plain_resolution(end), vec![meta(0, MetaMessage::Tempo(u24::new(QUARTER)))]),
    };
    let tick = |at: Micros| layout.as_ref().map_or_else(|| plain_tick(at, resolution), |layout| layout.tick(at));
    let mut room = super::super::NOTES_MAX;
    let mut events = |track: &TakeTrack| {
        let mut events: Vec<Timed<'static>> = Vec::with_capacity(track.notes.len() * 2 + track.others.len());
        for note in track.notes.iter().take(room) {
            let TakeNote { at, duration, channel, pitch, velocity, release } = *note;
            let off = tick(Micros(at.0.saturating_add(duration.0)));
            push_note(&mut events, tick(at), off, Struck { channel, key: pitch.key(), velocity, release });
        }
        room -= track.notes.len().min(room);
        events.extend(track.others.iter().filter_map(|(at, data)| channel_message(tick(*at), *data)));
        events
    };
    match tracks {
        [] => finish(Format::SingleTrack, resolution, vec![track(name, conductor)]),
        [only] => {
            let events = [conductor, events(only)].concat();
            finish(Format::SingleTrack, resolution, vec![track(name, events)])
        }
        several => {
            let first = std::iter::once(track(name, conductor));
            let parts = several.iter().map(|part| track(&part.name, events(part)));
            finish(Format::Parallel, resolution, first.chain(parts).collect())
        }
    }
}

/// The finest resolution in which the end can be told, halved from the usual one.
fn plain_resolution(end: Micros) -> u16 {
    let mut resolution = WRITE_RESOLUTION;
    while resolution > 1 && plain_tick(end, resolution) >= super::TICKS_MAX {
        resolution /= 2;
    }
    resolution
}

fn plain_tick(at: Micros, resolution: u16) -> i64 {
    div_round(i128::from(at.0.max(0)) * i128::from(resolution), i128::from(QUARTER))
}

#[cfg(test)]
mod tests {
    use super::super::read_performance;
    use super::*;
    use midly::{MidiMessage, Smf, TrackEventKind};

    fn note(at: i64, duration: i64, key: u8) -> TakeNote {
        let pitch = Pitch::from_data_byte(key);
        TakeNote { at: Micros(at), duration: Micros(duration), channel: 0, pitch, velocity: 80, release: 30 }
    }

    #[test]
    fn a_take_of_two_days_is_neither_cut_nor_bent() {
        const HOUR: i64 = 3_600_000_000;
        let take =
            |last: i64| TakeTrack { notes: vec![note(0, 1_000, 60), note(last, HOUR, 62)], ..TakeTrack::default() };
        for (hours, coarse) in [(1, 10), (11, 20), (20, 40)] {
            let file = write_take("long", &[take(hours * HOUR)], None);
            let read = read_performance(&file).expect("what was written");
            assert_eq!(read.notes.len(), 2, "{hours} hours: {:?}", read.warnings);
            assert!((read.notes[1].at.0 - hours * HOUR).abs() <= coarse, "{hours} hours: {:?}", read.notes[1]);
            assert!((read.notes[1].duration.0 - HOUR).abs() <= 2 * coarse);
        }
        // More than a day is not read again, but written whole.
        let file = write_take("long", &[take(48 * HOUR)], None);
        let smf = Smf::parse(&file).expect("a MIDI file");
        let ticks: i64 = smf.tracks[0].iter().map(|event| i64::from(event.delta.as_int())).sum();
        assert_eq!(ticks, 49 * 3_600 * 2 * 3_125);
    }

    #[test]
    fn each_instrument_has_a_track_with_its_channel_its_releases_and_all_that_is_no_note() {
        let others = vec![
            (Micros(1_000), [0xb0, 66, 127]),
            (Micros(2_000), [0xb0, 67, 100]),
            (Micros(3_000), [0xe3, 1, 65]),
            (Micros(4_000), [0xd0, 9, 0]),
            (Micros(5_000), [0xf8, 0, 0]),
        ];
        let one = TakeTrack { name: "one".to_owned(), notes: vec![note(0, 500_000, 60)], others };
        let channel = |note: TakeNote| TakeNote { channel: 4, ..note };
        let two = TakeTrack { name: "two".to_owned(), notes: vec![channel(note(100, 200_000, 60))], others: vec![] };
        let file = write_take("duet", &[one, two], None);
        let smf = Smf::parse(&file).expect("a MIDI file");
        assert_eq!((smf.header.format, smf.tracks.len()), (Format::Parallel, 3));
        let told = |track: usize| -> Vec<String> {
            let tell = |kind: &TrackEventKind<'_>| match kind {
                TrackEventKind::Midi { channel, message: MidiMessage::NoteOff { vel, .. } } => {
                    Some(format!("{channel} off {vel}"))
                }
                TrackEventKind::Midi { channel, message: MidiMessage::NoteOn { .. } } => Some(format!("{channel} on")),
                TrackEventKind::Midi { channel, message: MidiMessage::Controller { controller, value } } => {
                    Some(format!("{channel} cc{controller} {value}"))
                }
                TrackEventKind::Midi { channel, message: MidiMessage::PitchBend { bend } } => {
                    Some(format!("{channel} bend {}", bend.0))
                }
                TrackEventKind::Midi { channel, message } => Some(format!("{channel} {message:?}")),
                _ => None,
            };
            smf.tracks[track].iter().filter_map(|event| tell(&event.kind)).collect()
        };
        let pressed = "0 ChannelAftertouch { vel: u7(9) }";
        assert_eq!(told(1), ["0 on", "0 cc66 127", "0 cc67 100", "3 bend 8321", pressed, "0 off 30"]);
        assert_eq!(told(2), ["4 on", "4 off 30"]);
    }
}
