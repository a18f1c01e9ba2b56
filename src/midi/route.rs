//! The way of one source's messages: to the engine's ring for sound and to the bus lane, wait-free, from whichever
//! thread owns the source. Knows which keys and pedals are down, so that all of them can be let go when it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rtrb::{Consumer, Producer, RingBuffer};

use super::decoder::Decoder;
use super::keys::KeySet;
use super::message::{Message, controller};
use super::owed::{Owed, Rest};
use super::{LiveMidi, Played, SourceId};
use crate::bus::lane::{EssentialConsumer, EssentialProducer, essential};
use crate::time::{Micros, Stamp};

/// Slots of an engine ring: a DIN cable brings 1 100 messages a second, the engine empties the ring every block.
pub const ENGINE_SLOTS: usize = 1_024;
/// Slots of a bus lane: 7.8 s of a DIN cable, so that a bus that is held up loses nothing.
pub const LANE_SLOTS: usize = 8_192;
/// Slots towards the monitor; what does not fit is not shown, and counted.
const MONITOR_SLOTS: usize = 256;

/// The writing ends of one source's rings.
pub struct Rings {
    /// To the audio engine.
    pub engine: Producer<LiveMidi>,
    /// To the bus.
    pub lane: EssentialProducer<Played>,
    /// To the thread that sends to other instruments.
    pub through: Producer<LiveMidi>,
}

/// The reading ends of one source's rings.
pub struct RingEnds {
    /// For the audio engine.
    pub engine: Consumer<LiveMidi>,
    /// For the bus.
    pub lane: EssentialConsumer<Played>,
    /// For the thread that sends to other instruments.
    pub through: Consumer<LiveMidi>,
}

/// The rings of one source. Allocates them.
pub fn rings() -> (Rings, RingEnds) {
    let (engine, engine_end) = RingBuffer::new(ENGINE_SLOTS);
    let (lane, lane_end) = essential(LANE_SLOTS);
    let (through, through_end) = RingBuffer::new(ENGINE_SLOTS);
    (Rings { engine, lane, through }, RingEnds { engine: engine_end, lane: lane_end, through: through_end })
}

/// What a source has seen so far; written by its thread, read by anybody.
#[derive(Debug, Default)]
pub(super) struct RouteCounts {
    received: AtomicU64,
    malformed: AtomicU64,
    engine_lost: AtomicU64,
    monitor_lost: AtomicU64,
    /// Ways that are closed or open by choice.
    silent: AtomicBool,
    sent_on: AtomicBool,
}

impl RouteCounts {
    /// Whether the program sounds what is played, and whether it may be sent on.
    pub(super) fn set_ways(&self, sounds: bool, sent_on: bool) {
        self.silent.store(!sounds, Ordering::Relaxed);
        self.sent_on.store(sent_on, Ordering::Relaxed);
    }
    /// Messages received.
    pub(super) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }
    /// Bytes or cut-off messages that were of no use.
    pub(super) fn malformed(&self) -> u64 {
        self.malformed.load(Ordering::Relaxed)
    }
    /// Messages the engine's ring had no room for. Releases among them are made good as soon as there is room.
    pub(super) fn engine_lost(&self) -> u64 {
        self.engine_lost.load(Ordering::Relaxed)
    }
    /// Messages the monitor does not show.
    pub(super) fn monitor_lost(&self) -> u64 {
        self.monitor_lost.load(Ordering::Relaxed)
    }
}

/// One source's messages on their way. Every method but [`Route::new`] is wait-free and allocates nothing.
pub(super) struct Route {
    source: SourceId,
    rings: Rings,
    monitor: Producer<LiveMidi>,
    counts: Arc<RouteCounts>,
    decoder: Decoder,
    held: KeySet,
    /// Releases for which the engine's ring had no room.
    owed: Owed,
    /// Keys whose way to other instruments is under way, and releases for which that ring had no room.
    passed: KeySet,
    passed_owed: Owed,
    pedals: Pedals,
    /// Channels whose wheel is out of its middle, and whose keyboard is pressed.
    bent: u16,
    pressed: u16,
    /// The time of the last message: none is earlier, whichever thread sends it.
    last: Micros,
}

/// One bit a channel for each pedal that is down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Pedals {
    sustain: u16,
    sostenuto: u16,
    soft: u16,
}

/// What the control side keeps of a route that a driver's thread holds.
#[derive(Debug)]
pub(super) struct RouteView {
    pub(super) counts: Arc<RouteCounts>,
    pub(super) monitor: Consumer<LiveMidi>,
}

impl Route {
    /// A route into the rings. Allocates.
    pub(super) fn new(source: SourceId, rings: Rings) -> (Self, RouteView) {
        let (monitor, monitor_end) = RingBuffer::new(MONITOR_SLOTS);
        let counts = Arc::new(RouteCounts::default());
        let view = RouteView { counts: counts.clone(), monitor: monitor_end };
        let (decoder, pedals) = (Decoder::new(), Pedals::default());
        let none = KeySet::default();
        let route = Self {
            source,
            rings,
            monitor,
            counts,
            decoder,
            held: none,
            owed: Owed::default(),
            passed: none,
            passed_owed: Owed::default(),
            pedals,
            bent: 0,
            pressed: 0,
            last: Micros(i64::MIN),
        };
        (route, view)
    }

    /// Takes what a driver delivered in one piece.
    pub(super) fn receive(&mut self, stamp: Stamp, bytes: &[u8]) {
        let mut decoder = self.decoder;
        decoder.packet(bytes, |message| self.send(stamp, message));
        self.counts.malformed.store(decoder.malformed(), Ordering::Relaxed);
        self.decoder = decoder;
    }

    /// Sends one message both ways.
    pub(super) fn send(&mut self, stamp: Stamp, message: Message) {
        let stamp = Stamp { mono: stamp.mono.max(self.last), ..stamp };
        self.last = stamp.mono;
        self.remember(message);
        self.counts.received.fetch_add(1, Ordering::Relaxed);
        self.pay(stamp);
        let live = LiveMidi { stamp, source: self.source, message };
        let muted = self.counts.silent.load(Ordering::Relaxed) && begins(message);
        if !muted && !self.owed.send(&mut self.rings.engine, live) {
            self.counts.engine_lost.fetch_add(1, Ordering::Relaxed);
        }
        self.pass(live);
        // A lane that is full leaves a gap record, which the bus counts.
        let _ = self.rings.lane.push(stamp, live.played());
        if self.monitor.push(live).is_err() {
            self.counts.monitor_lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Sends a message on its way to other instruments, if it may go there; what went there ends there.
    fn pass(&mut self, live: LiveMidi) {
        let open = self.counts.sent_on.load(Ordering::Relaxed);
        let was_passed = match live.message {
            Message::NoteOff { channel, pitch, .. } => self.passed.contains(channel, pitch),
            // What comes to rest ends what it holds there, if anything.
            message => matches!(message, Message::Control { .. }) && !begins(message) || Rest::of(message).is_some(),
        };
        if !open && !was_passed {
            return;
        }
        let has_room = self.passed_owed.send(&mut self.rings.through, live);
        match live.message {
            Message::NoteOn { channel, pitch, .. } if has_room => self.passed.insert(channel, pitch),
            Message::NoteOff { channel, pitch, .. } => self.passed.remove(channel, pitch),
            _ => {}
        }
    }

    /// Pushes a controller without meaning into the bus's lane, so often.
    pub(super) fn flood(&mut self, stamp: Stamp, messages: usize) {
        let message = Message::Control { channel: 0, controller: 3, value: 0 };
        let played = LiveMidi { stamp, source: self.source, message }.played();
        for _ in 0..messages {
            // A lane that is full leaves a gap record, which the bus counts.
            let _ = self.rings.lane.push(stamp, played);
        }
    }

    /// Lets every key, pedal and wheel go, as when the device is gone. What the engine's ring has no room for stays owed,
    /// see [`Route::settle`]. At most 2 048 keys, 48 pedals and 32 wheels and pressures.
    pub(super) fn release_all(&mut self, stamp: Stamp) {
        let held = self.held;
        for (channel, pitch) in held.iter() {
            self.send(stamp, Message::NoteOff { channel, pitch, velocity: 64 });
        }
        let Pedals { sustain, sostenuto, soft } = self.pedals;
        let pedals = [(controller::SUSTAIN, sustain), (controller::SOSTENUTO, sostenuto), (controller::SOFT, soft)];
        for (controller, channels) in pedals {
            for channel in channels_of(channels) {
                self.send(stamp, Message::Control { channel, controller, value: 0 });
            }
        }
        for channel in channels_of(self.bent) {
            self.send(stamp, Message::PitchBend { channel, value: 0 });
        }
        for channel in channels_of(self.pressed) {
            self.send(stamp, Message::ChannelPressure { channel, value: 0 });
        }
        self.decoder = Decoder::new();
    }

    /// Tries again to deliver the releases that the engine's ring had no room for; whether none is left.
    pub(super) fn settle(&mut self, stamp: Stamp) -> bool {
        self.pay(stamp);
        self.owed.is_empty()
    }

    fn pay(&mut self, stamp: Stamp) {
        let source = self.source;
        self.owed.pay(&mut self.rings.engine, stamp, source);
        self.passed_owed.pay(&mut self.rings.through, stamp, source);
    }

    fn remember(&mut self, message: Message) {
        let bit = 1 << (message.channel() & 0x0f);
        let mark = |bits: &mut u16, on: bool| if on { *bits |= bit } else { *bits &= !bit };
        match message {
            Message::NoteOn { channel, pitch, .. } => self.held.insert(channel, pitch),
            Message::NoteOff { channel, pitch, .. } => self.held.remove(channel, pitch),
            Message::PitchBend { value, .. } => mark(&mut self.bent, value != 0),
            Message::ChannelPressure { value, .. } => mark(&mut self.pressed, value > 0),
            Message::Control { channel, controller, value } => {
                let set = |bits: &mut u16| mark(bits, value > 0);
                match controller {
                    controller::SUSTAIN => set(&mut self.pedals.sustain),
                    controller::SOSTENUTO => set(&mut self.pedals.sostenuto),
                    controller::SOFT => set(&mut self.pedals.soft),
                    controller::ALL_SOUND_OFF | controller::ALL_NOTES_OFF..=127 => self.held.clear(channel),
                    _ => {}
                }
            }
            _ => {}
        }
    }
}

/// The channels of a set of them.
fn channels_of(bits: u16) -> impl Iterator<Item = u8> {
    (0..16).filter(move |channel| bits >> channel & 1 == 1)
}

/// Whether a message makes something sound or hold, so that something must end it.
fn begins(message: Message) -> bool {
    match message {
        Message::NoteOn { .. } => true,
        Message::Control { controller, value, .. } => {
            value > 0 && matches!(controller, controller::SUSTAIN | controller::SOSTENUTO | controller::SOFT)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::lane::LaneItem;
    use crate::music::Pitch;

    fn at(micros: i64) -> Stamp {
        Stamp::at(Micros(micros))
    }

    fn engine_texts(ends: &mut RingEnds) -> Vec<String> {
        std::iter::from_fn(|| ends.engine.pop().ok()).map(|live| live.message.to_string()).collect()
    }

    #[test]
    fn a_message_goes_to_the_engine_and_to_the_bus_with_the_same_stamp() {
        let (rings, mut ends) = rings();
        let (mut route, _view) = Route::new(SourceId(20), rings);
        route.receive(at(7), &[0x90, 60, 80]);
        let live = ends.engine.pop().unwrap();
        assert_eq!((live.stamp, live.source), (at(7), SourceId(20)));
        let mut items = Vec::new();
        ends.lane.drain(10, |item| items.push(item));
        match items[..] {
            [LaneItem::Event { stamp, body }] => assert_eq!((stamp, body), (at(7), live.played())),
            ref other => panic!("one event was sent, {other:?} came"),
        }
    }

    #[test]
    fn letting_go_releases_every_key_and_pedal_that_is_down_and_nothing_else() {
        let (rings, mut ends) = rings();
        let (mut route, _view) = Route::new(SourceId(20), rings);
        for bytes in [[0x90, 60, 80], [0x91, 60, 80], [0x90, 64, 80], [0x90, 64, 0], [0xb0, 64, 127], [0xb0, 66, 0]] {
            route.receive(at(1), &bytes);
        }
        engine_texts(&mut ends);
        route.release_all(at(2));
        assert_eq!(
            engine_texts(&mut ends),
            [
                "note off C4 (60) velocity 64, channel 1",
                "note off C4 (60) velocity 64, channel 2",
                "sustain pedal 0, channel 1"
            ]
        );
        assert!(route.held.is_empty());
        route.release_all(at(3));
        assert_eq!(engine_texts(&mut ends), [""; 0]);
    }

    #[test]
    fn a_wheel_and_a_pressure_that_were_moved_go_back_with_the_device() {
        let (rings, mut ends) = rings();
        let (mut route, _view) = Route::new(SourceId(20), rings);
        for bytes in [&[0xe2, 0, 127][..], &[0xe0, 0, 127], &[0xe0, 0, 64], &[0xd1, 90], &[0xd0, 9], &[0xd0, 0]] {
            route.receive(at(1), bytes);
        }
        while ends.engine.pop().is_ok() {}
        route.release_all(at(2));
        let back: Vec<_> = std::iter::from_fn(|| ends.engine.pop().ok()).map(|live| live.message).collect();
        let expected = [Message::PitchBend { channel: 2, value: 0 }, Message::ChannelPressure { channel: 1, value: 0 }];
        assert_eq!(back, expected);
        route.release_all(at(3));
        assert!(ends.engine.pop().is_err());
    }

    #[test]
    fn keys_that_are_not_to_sound_go_to_the_bus_alone_and_what_sounded_before_ends() {
        let (rings, mut ends) = rings();
        let (mut route, view) = Route::new(SourceId(20), rings);
        route.receive(at(1), &[0x90, 60, 80]);
        view.counts.set_ways(false, false);
        for bytes in [[0x90, 64, 80], [0x80, 60, 64], [0xb0, 64, 127], [0x80, 64, 64]] {
            route.receive(at(2), &bytes);
        }
        let heard = engine_texts(&mut ends);
        assert_eq!(heard.iter().filter(|text| text.starts_with("note on")).count(), 1, "{heard:?}");
        assert!(heard.contains(&"note off C4 (60) velocity 64, channel 1".to_owned()), "{heard:?}");
        assert!(!heard.iter().any(|text| text.starts_with("sustain")), "{heard:?}");
        let mut count = 0;
        ends.lane.drain(10, |_| count += 1);
        assert_eq!(count, 5, "all of it is judged and kept");
    }

    #[test]
    fn a_release_is_never_earlier_than_what_came_while_the_port_was_being_closed() {
        let (rings, mut ends) = rings();
        let (mut route, _view) = Route::new(SourceId(20), rings);
        route.receive(at(9), &[0x90, 60, 80]);
        route.release_all(at(7));
        let times: Vec<_> = std::iter::from_fn(|| ends.engine.pop().ok()).map(|live| live.stamp.mono).collect();
        assert_eq!(times, [Micros(9), Micros(9)]);
    }

    #[test]
    fn what_is_sent_on_ends_there_even_when_the_way_is_closed_meanwhile_or_full() {
        let (rings, mut ends) = rings();
        let (mut route, view) = Route::new(SourceId(20), rings);
        let texts = |ends: &mut RingEnds| {
            std::iter::from_fn(|| ends.through.pop().ok()).map(|live| live.message.to_string()).collect::<Vec<_>>()
        };
        route.receive(at(1), &[0x90, 72, 80]);
        view.counts.set_ways(true, true);
        route.receive(at(1), &[0x90, 60, 80]);
        view.counts.set_ways(true, false);
        route.receive(at(2), &[0x80, 72, 64]);
        route.receive(at(2), &[0x80, 60, 64]);
        assert_eq!(
            texts(&mut ends),
            ["note on C4 (60) velocity 80, channel 1", "note off C4 (60) velocity 64, channel 1"]
        );
        view.counts.set_ways(true, true);
        route.receive(at(3), &[0x90, 60, 80]);
        for _ in 0..ENGINE_SLOTS {
            route.receive(at(3), &[0xe0, 0, 64]);
        }
        route.release_all(at(4));
        assert!(!texts(&mut ends).iter().any(|text| text.starts_with("note off")));
        route.settle(at(5));
        assert_eq!(texts(&mut ends), ["note off C4 (60) velocity 64, channel 1", "pitch bend 0, channel 1"]);
    }

    #[test]
    fn a_release_that_found_the_ring_full_is_made_good_later() {
        let (rings, mut ends) = rings();
        let (mut route, view) = Route::new(SourceId(20), rings);
        let pitch = Pitch::MIDDLE_C;
        for _ in 0..ENGINE_SLOTS {
            route.send(at(1), Message::NoteOn { channel: 0, pitch, velocity: 1 });
        }
        route.release_all(at(2));
        assert_eq!(view.counts.engine_lost(), 1);
        assert!(!route.settle(at(3)));
        engine_texts(&mut ends);
        assert!(route.settle(at(4)));
        assert_eq!(engine_texts(&mut ends), ["note off C4 (60) velocity 64, channel 1"]);
    }
}
