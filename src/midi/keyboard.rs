//! The computer keyboard and the keys on the screen as one more source. Each key or pointer that presses is a cause; a
//! key of the piano sounds until its last cause lets go. Which physical key means which pitch is the window's affair.

use super::SourceId;
use super::message::Message;
use super::monitor::Monitor;
use super::route::{Rings, Route, RouteView};
use crate::music::Pitch;
use crate::time::{Micros, Stamp};

/// What presses a key: a physical key's code, a pointer or a finger. The window numbers them as it likes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cause(pub u32);

/// More causes than a person has fingers; further ones are not heard.
pub const CAUSES_MAX: usize = 64;

/// A source that the window plays. Its messages take the same rings as those of a MIDI keyboard, on channel 0.
pub struct VirtualInput {
    route: Route,
    view: RouteView,
    monitor: Monitor,
    presses: Vec<(Cause, Pitch)>,
}

impl VirtualInput {
    /// A source that plays into `rings`, as [`SourceId::VIRTUAL`].
    pub fn new(rings: Rings) -> Self {
        let (route, view) = Route::new(SourceId::VIRTUAL, rings);
        Self { route, view, monitor: Monitor::default(), presses: Vec::with_capacity(CAUSES_MAX) }
    }

    /// A cause presses a key; `velocity` 1 to 127. Pressing again is a repeat and changes nothing; pressing another key
    /// lets the first one go.
    pub fn press(&mut self, now: Micros, cause: Cause, pitch: Pitch, velocity: u8) {
        if self.presses.contains(&(cause, pitch)) {
            return;
        }
        self.release(now, cause);
        if self.presses.len() == CAUSES_MAX {
            return;
        }
        let sounds_already = self.is_down(pitch);
        self.presses.push((cause, pitch));
        if !sounds_already {
            self.send(now, Message::NoteOn { channel: 0, pitch, velocity: velocity.clamp(1, 127) });
        }
    }

    /// A cause lets go of the key it pressed, whatever key that was.
    pub fn release(&mut self, now: Micros, cause: Cause) {
        let Some(place) = self.presses.iter().position(|(known, _)| *known == cause) else {
            return;
        };
        let (_, pitch) = self.presses.swap_remove(place);
        if !self.is_down(pitch) {
            self.send(now, Message::NoteOff { channel: 0, pitch, velocity: 64 });
        }
    }

    /// Moves a pedal or another controller, see [`controller`](super::controller).
    pub fn control(&mut self, now: Micros, controller: u8, value: u8) {
        self.send(now, Message::Control { channel: 0, controller: controller & 0x7f, value: value & 0x7f });
    }

    /// Tells the bus's lane alone, and so often, of a controller that means nothing: to see what happens when it is full.
    pub fn flood(&mut self, now: Micros, messages: usize) {
        self.route.flood(Stamp::at(now), messages);
    }

    /// Whether what is played may be sent on to other instruments.
    pub fn send_on(&mut self, sent_on: bool) {
        self.view.counts.set_ways(true, sent_on);
    }

    /// Lets every key and pedal go, as when the window loses the focus.
    pub fn release_all(&mut self, now: Micros) {
        self.presses.clear();
        self.route.release_all(Stamp::at(now));
    }

    /// Tries again to deliver releases that found the engine's ring full. To be called now and then.
    pub fn poll(&mut self, now: Micros) {
        self.route.settle(Stamp::at(now));
        self.monitor.refresh(&mut self.view);
    }

    /// Whether any cause holds the key.
    pub fn is_down(&self, pitch: Pitch) -> bool {
        self.presses.iter().any(|(_, held)| *held == pitch)
    }

    /// What was played lately, as of the last [`VirtualInput::poll`].
    pub fn monitor(&self) -> &Monitor {
        &self.monitor
    }

    fn send(&mut self, now: Micros, message: Message) {
        self.route.send(Stamp::at(now), message);
    }
}

#[cfg(test)]
mod tests {
    use super::super::route::{RingEnds, rings};
    use super::*;
    use crate::bus::lane::LaneItem;

    const A: Cause = Cause(1);
    const B: Cause = Cause(2);
    const C4: Pitch = Pitch::MIDDLE_C;

    /// Runs a scene; what the engine hears as short text: `+60` and `-60`.
    #[track_caller]
    fn check(scene: impl FnOnce(&mut VirtualInput), expected: &[&str]) {
        let (rings, mut ends) = rings();
        let mut input = VirtualInput::new(rings);
        scene(&mut input);
        assert_eq!(heard(&mut ends), expected);
    }

    fn heard(ends: &mut RingEnds) -> Vec<String> {
        let text = |message| match message {
            Message::NoteOn { pitch, .. } => format!("+{}", pitch.key()),
            Message::NoteOff { pitch, .. } => format!("-{}", pitch.key()),
            other => other.to_string(),
        };
        std::iter::from_fn(|| ends.engine.pop().ok()).map(|live| text(live.message)).collect()
    }

    fn up(semitones: i8) -> Pitch {
        C4.transposed(semitones).unwrap()
    }

    #[test]
    fn a_key_sounds_from_its_first_cause_to_its_last() {
        check(
            |input| {
                input.press(Micros(1), A, C4, 80);
                input.press(Micros(2), B, C4, 80);
                input.release(Micros(3), A);
                assert!(input.is_down(C4));
                input.release(Micros(4), B);
                input.release(Micros(5), B);
            },
            &["+60", "-60"],
        );
    }

    #[test]
    fn auto_repeat_is_not_heard() {
        check(|input| (0..10).for_each(|n| input.press(Micros(n), A, C4, 80)), &["+60"]);
    }

    #[test]
    fn a_pointer_glides_from_key_to_key() {
        check(
            |input| {
                (0..3).for_each(|n| input.press(Micros(1), A, up(n), 80));
                input.release(Micros(2), A);
            },
            &["+60", "-60", "+61", "-61", "+62", "-62"],
        );
    }

    #[test]
    fn losing_the_focus_lets_everything_go() {
        check(
            |input| {
                input.press(Micros(1), A, C4, 0);
                input.press(Micros(1), B, up(4), 255);
                input.control(Micros(1), 64, 127);
                input.release_all(Micros(2));
                input.release(Micros(3), A);
            },
            &["+60", "+64", "sustain pedal 127, channel 1", "-60", "-64", "sustain pedal 0, channel 1"],
        );
    }

    #[test]
    fn a_flood_overflows_the_lane_is_not_heard_and_is_told_to_the_last_message() {
        let (rings, mut ends) = rings();
        let mut input = VirtualInput::new(rings);
        input.flood(Micros(7), 20_000);
        assert!(heard(&mut ends).is_empty());
        let (mut delivered, mut lost) = (0, 0);
        ends.lane.drain(usize::MAX, |item| match item {
            LaneItem::Event { .. } => delivered += 1,
            LaneItem::Gap { lost: n, .. } => lost += n,
            LaneItem::Closed => {}
        });
        assert_eq!(delivered + lost, 20_000);
        assert!(lost > 10_000, "{lost}");
        input.press(Micros(8), A, C4, 80);
        let mut after = Vec::new();
        ends.lane.drain(usize::MAX, |item| after.push(item));
        assert!(matches!(after[..], [LaneItem::Event { .. }]), "the lane is as before: {after:?}");
    }

    #[test]
    fn more_causes_than_fingers_are_not_heard() {
        let (rings, mut ends) = rings();
        let mut input = VirtualInput::new(rings);
        for n in 0..100 {
            input.press(Micros(1), Cause(n), Pitch::from_data_byte(n as u8), 80);
        }
        assert_eq!(heard(&mut ends).len(), CAUSES_MAX);
        input.poll(Micros(2));
        assert_eq!(input.monitor().received, CAUSES_MAX as u64);
    }
}
