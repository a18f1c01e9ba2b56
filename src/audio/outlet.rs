//! What the program plays by itself, for instruments outside: accompaniment and clicks as MIDI messages with the frame and
//! the time at which they sound. Filled in the callback: no allocation, no lock. Every note that is sent gets its end,
//! even when the ring was full at that moment.

use rtrb::{Consumer, Producer};

use super::schedule::Strength;
use crate::music::Pitch;
use crate::time::{Frames, Stamp};

/// Messages on their way to the thread that sends them: a dense score has 100 a second, and that thread never sleeps
/// for long.
pub(super) const SENT_SLOTS: usize = 4_096;
/// Messages on their way to the driver's own port.
pub(super) const WIRE_SLOTS: usize = 1_024;
/// Messages of one block at most: every key released and struck again, many times over.
const BLOCK_MAX: usize = 8_192;

/// The accompaniment plays on channel 1.
const NOTES: u8 = 0;
/// General MIDI percussion, channel 10.
const PERCUSSION: u8 = 9;
/// How hard a click is struck.
const CLICK_VELOCITY: u8 = 96;

/// One to three bytes: a whole MIDI message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wire {
    bytes: [u8; 3],
    len: u8,
}

impl Wire {
    /// A message of one to three bytes; `None` for anything longer or nothing at all.
    pub fn new(message: &[u8]) -> Option<Self> {
        let mut bytes = [0; 3];
        bytes.get_mut(..message.len()).filter(|place| !place.is_empty())?.copy_from_slice(message);
        Some(Self { bytes, len: message.len() as u8 })
    }

    const fn control(channel: u8, controller: u8, value: u8) -> Self {
        Self { bytes: [0xb0 | channel, controller, value], len: 3 }
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

/// Which part of what the program plays a message belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SentPart {
    /// The hands that are heard, and their pedal.
    Accompaniment,
    /// The metronome.
    Click,
}

/// A message and when it sounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The frame, and the monotonic time at which it is computed; the device's output latency comes on top.
    pub stamp: Stamp,
    /// Whose it is.
    pub part: SentPart,
    /// The message: the accompaniment on channel 1, clicks on channel 10.
    pub wire: Wire,
}

/// A message at a frame of the block at hand, for a driver that has a MIDI port of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimedWire {
    /// Frames after the first of the block; never less than that of the message before.
    pub offset: u32,
    /// The message.
    pub wire: Wire,
}

/// What the driver's own MIDI port is given besides the messages sent through the engine's other end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PortUse {
    /// The hands that are heard.
    pub accompaniment: bool,
    /// The metronome.
    pub clicks: bool,
}

/// The outside ends.
pub struct OutletEnds {
    /// What the program plays, in the order of its time. Nobody has to read it.
    pub sent: Consumer<Sent>,
    /// Messages for the driver's own port, at the beginning of the next block.
    pub port: Producer<Wire>,
}

/// Notes of one part that one way out was given and that have not ended, and ends for which it had no room.
#[derive(Clone, Copy, Debug, Default)]
struct Notes {
    held: u128,
    owed: u128,
}

/// What one way out was given.
#[derive(Clone, Copy, Debug, Default)]
struct Books {
    /// By part.
    notes: [Notes; 2],
    /// The sustain pedal as it was told last.
    sustain: u8,
    sustain_owed: bool,
}

/// The ways out: each has books of its own, since each may be given something else.
#[derive(Clone, Copy, Debug)]
enum Way {
    Ring,
    Port,
}

const WAYS: [Way; 2] = [Way::Ring, Way::Port];

/// See the module.
pub(super) struct Outlet {
    sent: Producer<Sent>,
    wires: Consumer<Wire>,
    block: Vec<TimedWire>,
    /// The block's messages were written before it began, and stay for it.
    early: bool,
    first: Frames,
    /// Now: what is sent sounds then.
    pub(super) at: Stamp,
    port: PortUse,
    books: [Books; 2],
    /// The sustain pedal of the accompaniment.
    sustain: u8,
    /// Messages for which there was no room.
    pub(super) lost: u32,
}

impl Outlet {
    /// An outlet with its outside ends. Allocates.
    pub(super) fn new() -> (Self, OutletEnds) {
        let (sent, sent_end) = rtrb::RingBuffer::new(SENT_SLOTS);
        let (port_end, wires) = rtrb::RingBuffer::new(WIRE_SLOTS);
        let outlet = Self {
            sent,
            wires,
            block: Vec::with_capacity(BLOCK_MAX),
            early: false,
            first: Frames::ZERO,
            at: Stamp::default(),
            port: PortUse { accompaniment: true, clicks: false },
            books: [Books::default(); 2],
            sustain: 0,
            lost: 0,
        };
        (outlet, OutletEnds { sent: sent_end, port: port_end })
    }

    /// The port is a new one, whose listeners may still hold what the one before sent: they are told to let go.
    pub(super) fn begin_stream(&mut self) {
        self.block.clear();
        self.early = true;
        self.first = Frames::ZERO;
        self.books[Way::Port as usize] = Books::default();
        for wire in quiet() {
            self.block.push(TimedWire { offset: 0, wire });
        }
    }

    /// What of the music the driver's own port is given from now on; what it is not to play any more ends there.
    pub(super) fn set_port(&mut self, port: PortUse) {
        self.port = port;
        for (part, wanted) in [(SentPart::Accompaniment, port.accompaniment), (SentPart::Click, port.clicks)] {
            if !wanted {
                for key in keys(self.notes(Way::Port, part).held) {
                    self.end(Way::Port, part, key);
                }
            }
        }
        self.follow_pedal(Way::Port);
    }

    /// A block begins; what waits for the driver's own port leaves with its first frame.
    pub(super) fn begin_block(&mut self, first: Frames) {
        self.first = first;
        if !std::mem::take(&mut self.early) {
            self.block.clear();
        }
        for _ in 0..self.wires.slots().min(WIRE_SLOTS) {
            let Ok(wire) = self.wires.pop() else { break };
            let taken = self.put(0, wire);
            self.lost += u32::from(!taken);
        }
        for way in WAYS {
            self.pay(way);
        }
    }

    /// The messages of the block at hand for the driver's own port.
    pub(super) fn block(&self) -> &[TimedWire] {
        &self.block
    }

    /// A note of the accompaniment begins; one of the same key ends before.
    pub(super) fn note_on(&mut self, pitch: Pitch, velocity: u8) {
        self.begin(SentPart::Accompaniment, pitch.key(), velocity.clamp(1, 127));
    }

    /// It ends.
    pub(super) fn note_off(&mut self, pitch: Pitch) {
        for way in WAYS {
            self.end(way, SentPart::Accompaniment, pitch.key());
        }
    }

    /// The sustain pedal of the accompaniment moves.
    pub(super) fn sustain(&mut self, value: u8) {
        self.sustain = value & 0x7f;
        for way in WAYS {
            self.follow_pedal(way);
        }
    }

    /// A click: a high or low wood block, the side stick for the groups of a compound metre, the closed
    /// hi-hat between the beats (General MIDI percussion).
    pub(super) fn click(&mut self, strength: Strength) {
        self.end_all(SentPart::Click);
        let key = match strength {
            Strength::Bar => 76,
            Strength::Beat => 77,
            Strength::Group => 37,
            Strength::Division => 42,
        };
        self.begin(SentPart::Click, key, CLICK_VELOCITY);
    }

    /// Ends everything that was sent and has not ended; the pedal comes up.
    pub(super) fn release(&mut self) {
        self.release_notes();
        self.sustain(0);
    }

    /// Ends every note that was sent and has not ended.
    pub(super) fn release_notes(&mut self) {
        self.end_all(SentPart::Accompaniment);
        self.end_all(SentPart::Click);
    }

    fn end_all(&mut self, part: SentPart) {
        for way in WAYS {
            for key in keys(self.notes(way, part).held) {
                self.end(way, part, key);
            }
        }
    }

    fn notes(&mut self, way: Way, part: SentPart) -> &mut Notes {
        &mut self.books[way as usize].notes[part as usize]
    }

    /// What goes into the ring is sorted out by whoever reads it.
    fn wants(&self, way: Way, part: SentPart) -> bool {
        match (way, part) {
            (Way::Ring, _) => true,
            (Way::Port, SentPart::Accompaniment) => self.port.accompaniment,
            (Way::Port, SentPart::Click) => self.port.clicks,
        }
    }

    fn begin(&mut self, part: SentPart, key: u8, velocity: u8) {
        for way in WAYS {
            self.end(way, part, key);
            // While the end of the one before is owed, there is no room for another.
            let is_owed = self.notes(way, part).owed & bit(key) != 0;
            if self.wants(way, part) && !is_owed && self.send(way, part, [0x90 | channel(part), key, velocity]) {
                self.notes(way, part).held |= bit(key);
            }
        }
    }

    fn end(&mut self, way: Way, part: SentPart, key: u8) {
        if self.notes(way, part).held & bit(key) != 0 {
            self.notes(way, part).held &= !bit(key);
            if !self.send(way, part, off(channel(part), key)) {
                self.notes(way, part).owed |= bit(key);
            }
        }
    }

    /// Tells a way out where the pedal stands; one that does not get the accompaniment has it up.
    fn follow_pedal(&mut self, way: Way) {
        let value = if self.wants(way, SentPart::Accompaniment) { self.sustain } else { 0 };
        if self.books[way as usize].sustain != value {
            let taken = self.send(way, SentPart::Accompaniment, [0xb0 | NOTES, 64, value]);
            let books = &mut self.books[way as usize];
            (books.sustain, books.sustain_owed) = (value, !taken);
        }
    }

    /// Sends what a way out had no room for.
    fn pay(&mut self, way: Way) {
        for part in [SentPart::Accompaniment, SentPart::Click] {
            for key in keys(std::mem::take(&mut self.notes(way, part).owed)) {
                if !self.push(way, part, off(channel(part), key)) {
                    self.notes(way, part).owed |= bit(key);
                }
            }
        }
        let Books { sustain, sustain_owed, .. } = self.books[way as usize];
        if sustain_owed {
            let taken = self.push(way, SentPart::Accompaniment, [0xb0 | NOTES, 64, sustain]);
            self.books[way as usize].sustain_owed = !taken;
        }
    }

    /// Whether it was taken; counted where not.
    fn send(&mut self, way: Way, part: SentPart, bytes: [u8; 3]) -> bool {
        let taken = self.push(way, part, bytes);
        self.lost += u32::from(!taken);
        taken
    }

    /// Whether it was taken; a ring that nobody reads takes everything.
    fn push(&mut self, way: Way, part: SentPart, bytes: [u8; 3]) -> bool {
        let wire = Wire { bytes, len: 3 };
        match way {
            Way::Ring => self.sent.push(Sent { stamp: self.at, part, wire }).is_ok() || self.sent.is_abandoned(),
            Way::Port => {
                let offset = (self.at.frame.unwrap_or(self.first) - self.first).0.max(0) as u32;
                self.put(offset, wire)
            }
        }
    }

    fn put(&mut self, offset: u32, wire: Wire) -> bool {
        let has_room = self.block.len() < BLOCK_MAX;
        if has_room {
            self.block.push(TimedWire { offset, wire });
        }
        has_room
    }
}

fn channel(part: SentPart) -> u8 {
    match part {
        SentPart::Accompaniment => NOTES,
        SentPart::Click => PERCUSSION,
    }
}

/// Every pedal up and every note off, on both channels.
pub(super) fn quiet() -> [Wire; 3] {
    [Wire::control(NOTES, 64, 0), Wire::control(NOTES, 123, 0), Wire::control(PERCUSSION, 123, 0)]
}

fn off(channel: u8, key: u8) -> [u8; 3] {
    [0x80 | channel, key, 64]
}

fn bit(key: u8) -> u128 {
    1 << (key & 0x7f)
}

fn keys(bits: u128) -> impl Iterator<Item = u8> {
    (0..128_u8).filter(move |key| bits >> key & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(ends: &mut OutletEnds) -> Vec<[u8; 3]> {
        std::iter::from_fn(|| ends.sent.pop().ok()).map(|sent| sent.wire.bytes).collect()
    }

    #[test]
    fn a_note_whose_end_found_the_ring_full_ends_as_soon_as_there_is_room() {
        let (mut outlet, mut ends) = Outlet::new();
        outlet.note_on(Pitch::MIDDLE_C, 80);
        outlet.sustain(127);
        while outlet.sent.slots() > 0 {
            outlet.click(Strength::Bar);
        }
        outlet.release();
        assert!(outlet.lost > 0);
        let first = texts(&mut ends);
        assert_eq!(first[..2], [[0x90, 60, 80], [0xb0, 64, 127]]);
        assert!(!first.contains(&[0x80, 60, 64]));
        outlet.begin_block(Frames(256));
        let made_good = texts(&mut ends);
        assert!(made_good.contains(&[0x80, 60, 64]) && made_good.contains(&[0xb0, 64, 0]), "{made_good:?}");
        let count = |status| first.iter().chain(&made_good).filter(|m| m[0] == status).count();
        assert_eq!(count(0x99), count(0x89), "every click has its end");
    }

    #[test]
    fn a_port_that_does_not_get_the_accompaniment_hears_neither_its_pedal_nor_ends_of_its_notes() {
        let (mut outlet, mut ends) = Outlet::new();
        outlet.set_port(PortUse { accompaniment: false, clicks: false });
        outlet.note_on(Pitch::MIDDLE_C, 80);
        outlet.sustain(127);
        outlet.click(Strength::Bar);
        outlet.note_off(Pitch::MIDDLE_C);
        outlet.release();
        assert_eq!(outlet.block(), []);
        assert_eq!(texts(&mut ends).len(), 6, "the ring gets all of it, and each end once");
    }

    #[test]
    fn what_the_port_is_not_to_play_any_more_ends_there_and_the_pedal_follows() {
        let (mut outlet, _ends) = Outlet::new();
        outlet.note_on(Pitch::MIDDLE_C, 80);
        outlet.sustain(90);
        outlet.set_port(PortUse::default());
        outlet.note_off(Pitch::MIDDLE_C);
        outlet.set_port(PortUse { accompaniment: true, clicks: true });
        let bytes: Vec<_> = outlet.block().iter().map(|t| t.wire.bytes).collect();
        let expected = [[0x90, 60, 80], [0xb0, 64, 90], [0x80, 60, 64], [0xb0, 64, 0], [0xb0, 64, 90]];
        assert_eq!(bytes, expected);
    }

    #[test]
    fn a_full_ring_leaves_no_note_on_the_port() {
        let (mut outlet, _ends) = Outlet::new();
        outlet.set_port(PortUse { accompaniment: true, clicks: true });
        while outlet.sent.slots() > 0 {
            outlet.begin_block(Frames(0));
            outlet.sustain(outlet.sustain ^ 1);
        }
        outlet.begin_block(Frames(256));
        outlet.note_on(Pitch::MIDDLE_C, 80);
        outlet.click(Strength::Bar);
        outlet.release();
        let bytes: Vec<_> = outlet.block().iter().map(|t| t.wire.bytes).collect();
        assert_eq!(bytes[..4], [[0x90, 60, 80], [0x99, 76, 96], [0x80, 60, 64], [0x89, 76, 64]]);
    }

    #[test]
    fn what_nobody_reads_is_not_lost() {
        let (mut outlet, ends) = Outlet::new();
        drop(ends);
        for _ in 0..2 * SENT_SLOTS {
            outlet.note_on(Pitch::MIDDLE_C, 80);
            outlet.begin_block(Frames(0));
        }
        assert_eq!(outlet.lost, 0);
    }

    #[test]
    fn a_new_port_is_told_to_let_go_before_anything_else() {
        let (mut outlet, mut ends) = Outlet::new();
        outlet.begin_stream();
        ends.port.push(Wire::new(&[0x9f, 60, 1]).unwrap()).unwrap();
        outlet.begin_block(Frames(0));
        let bytes: Vec<_> = outlet.block().iter().map(|t| (t.offset, t.wire.bytes)).collect();
        assert_eq!(bytes, [(0, [0xb0, 64, 0]), (0, [0xb0, 123, 0]), (0, [0xb9, 123, 0]), (0, [0x9f, 60, 1])]);
        outlet.begin_block(Frames(256));
        assert!(outlet.block().is_empty());
    }

    #[test]
    fn a_wire_has_one_to_three_bytes() {
        assert_eq!(Wire::new(&[0xc0, 5]).unwrap().bytes(), [0xc0, 5]);
        assert_eq!((Wire::new(&[]), Wire::new(&[0xf0, 1, 2, 0xf7])), (None, None));
    }
}
