//! What the callback reports: the newest state on the latest lane, what happened on the essential lane.

use super::clock::Timing;
use super::live::SourceId;
use super::loads::Loads;
use super::schedule::Strength;
use super::timeline::{Anchor, MusicTime};
use crate::music::{Percent, Pitch};
use crate::time::{Frames, Micros, Rate, Stamp, StreamId, Ticks};

/// Where the music is and how the sound goes, as of the end of one block. Only the newest one counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Playhead {
    /// The place in fractional ticks; before the start of the music during a count-in.
    pub tick: f64,
    /// The course of the music; holds for frames to come while `moves()`.
    pub anchor: Anchor,
    /// The frame that comes next.
    pub frame: Frames,
    /// The monotonic time of that frame, by the clock mapping.
    pub mono: Micros,
    /// The stream that `frame` counts in.
    pub stream: StreamId,
    /// Whether the transport plays, waiting included.
    pub playing: bool,
    /// Whether it waits for the person.
    pub waiting: bool,
    /// Whether it counts in.
    pub counting_in: bool,
    /// Passes of the loop completed since it was started.
    pub pass: u32,
    /// The constant delay between a live event and its sound, in frames.
    pub live_delay: u32,
    /// Peaks of left and right after the limiter, falling by some 20 dB a second.
    pub peak: [f32; 2],
    /// Voices that sound.
    pub voices: u16,
    /// The share of the last block's duration that computing it took; 0 where nobody measures.
    pub load: f32,
    /// The loads of all blocks since the stream began.
    pub loads: Loads,
    /// How punctual callbacks are, and how long keys wait for them.
    pub timing: Timing,
    /// Live events that came too late for their frame and sounded at once, since the start.
    pub late: u32,
    /// Messages for instruments outside for which there was no room, since the start.
    pub unsent: u32,
    /// Panics caught in the callback and samples that were no numbers, since the start.
    pub faults: u32,
}

impl Playhead {
    /// Whether the place moves as frames pass.
    pub fn moves(&self) -> bool {
        self.playing && !self.waiting
    }
}

impl Default for Playhead {
    fn default() -> Self {
        let (rate, speed) = (Rate::DEFAULT, Percent::FULL);
        Self {
            tick: 0.0,
            anchor: Anchor { frame: Frames::ZERO, at: MusicTime(0), speed, rate, resolution: 480 },
            frame: Frames::ZERO,
            mono: Micros::ZERO,
            stream: StreamId::default(),
            playing: false,
            waiting: false,
            counting_in: false,
            pass: 0,
            live_delay: 0,
            peak: [0.0; 2],
            voices: 0,
            load: 0.0,
            loads: Loads::default(),
            timing: Timing::default(),
            late: 0,
            unsent: 0,
            faults: 0,
        }
    }
}

/// What happened to the transport; its stamp carries the exact frame and the mapped monotonic time of that frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TransportEvent {
    /// A stream began at its frame 0.
    StreamBegan {
        /// Frames per second.
        rate: Rate,
        /// The nominal block size.
        period: u32,
    },
    /// From the stamped frame on the music runs from `at` at `speed`: [`TransportEvent::anchor`]. Sent when playing
    /// starts, and whenever the course changes (seek, speed, loop, hold lifted, another stream).
    Runs {
        /// The place in the music; before the start during a count-in.
        at: MusicTime,
        /// The playback speed.
        speed: Percent,
        /// Ticks to the quarter note.
        resolution: u16,
    },
    /// Playing started; the first beat of the count-in or the music begins here. `Runs` follows.
    Started {
        /// Bars counted in.
        count_in: u8,
    },
    /// Playing was stopped.
    Stopped,
    /// The place was changed by hand. `Runs` follows if it plays.
    Sought {
        /// The new place.
        tick: Ticks,
    },
    /// The loop ended and begins again, with its count-in. `Runs` follows.
    Looped {
        /// Passes completed.
        pass: u32,
    },
    /// The music ended and stopped.
    ReachedEnd,
    /// The speed changed. `Runs` follows if it plays.
    SpeedChanged {
        /// The new speed.
        speed: Percent,
    },
    /// The music waits.
    HoldReached {
        /// Where.
        tick: Ticks,
    },
    /// The music went on because the person did. `Runs` follows.
    Advanced {
        /// Where the person is.
        tick: Ticks,
    },
    /// A click began on the stamped frame, heard or not.
    ClickAt {
        /// Where it falls; the start of the music for a count-in.
        tick: Ticks,
        /// The beat in its bar, from 0.
        beat: u8,
        /// How it sounds.
        strength: Strength,
        /// Whether it belongs to a count-in.
        count_in: bool,
    },
}

impl TransportEvent {
    /// The anchor of a `Runs` event with its stamp and the rate of its stream.
    pub fn anchor(&self, stamp: &Stamp, rate: Rate) -> Option<Anchor> {
        match (self, stamp.frame) {
            (&Self::Runs { at, speed, resolution }, Some(frame)) => Some(Anchor { frame, at, speed, rate, resolution }),
            _ => None,
        }
    }
}

/// What the program began to sound by itself, for whoever must tell it from what a person plays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OwnSound {
    /// A note of the accompaniment.
    Note {
        /// The key.
        pitch: Pitch,
        /// Where in the music it is written.
        at: MusicTime,
    },
    /// A click that has a pitch.
    Click {
        /// The pitch that is heard, in hertz.
        hertz: f32,
        /// Where in the music it falls.
        at: MusicTime,
    },
}

/// What the callback puts on the essential lane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AudioEvent {
    /// Something was played at a source whose events only the callback sees.
    Live {
        /// Where.
        source: SourceId,
        /// The message; what it does not use of the bytes is 0.
        data: [u8; 3],
    },
    /// Something happened to the transport.
    Transport(TransportEvent),
}

const _: () = assert!(size_of::<AudioEvent>() + size_of::<Stamp>() <= 64, "an event of a lane has at most 64 bytes");
