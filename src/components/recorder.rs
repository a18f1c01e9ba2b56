//! The recorder: on the bus thread it turns what comes through the lanes into events of the take that is recorded.
//! The only place where a key-down becomes a domain event.

use crate::audio::{AudioEvent, TransportEvent};
use crate::bus::lane::LaneItem;
use crate::bus::{Look, Publish, Translate};
use crate::midi;
use crate::model::{Entity, Event, Played, TakeId, Trainer, TransportChange, TransportMoved, recorder_entity};
use crate::time::{Rate, Stamp};

/// Who publishes here.
const ACTOR: &str = "recorder";

/// The take that is recorded now.
pub fn recorded_take(state: &dyn Look<Trainer>) -> Option<TakeId> {
    match state.look(recorder_entity().as_str())?.value.as_ref()? {
        Entity::Recorder(take) => *take,
        _ => None,
    }
}

fn record(take: TakeId, event: Event, stamp: Option<Stamp>) -> Publish<Trainer> {
    let publish = Publish::new(take.entity(), event).actor(ACTOR);
    match stamp {
        Some(stamp) => publish.stamp(stamp),
        None => publish,
    }
}

fn note(played: midi::Played) -> Event {
    let bytes = played.message.encode();
    let mut data = [0; 3];
    for (to, from) in data.iter_mut().zip(&*bytes) {
        *to = *from;
    }
    Event::NotePlayed(Played { source: played.source.0, data })
}

/// The lane of one MIDI input, or of the keys in the window.
#[derive(Debug, Default)]
pub struct MidiRecorder;

impl Translate<Trainer, midi::Played> for MidiRecorder {
    fn translate(&mut self, item: LaneItem<midi::Played>, state: &dyn Look<Trainer>, out: &mut Vec<Publish<Trainer>>) {
        let Some(take) = recorded_take(state) else { return };
        match item {
            LaneItem::Event { stamp, body } => out.push(record(take, note(body), Some(stamp))),
            LaneItem::Gap { lost, to, .. } => out.push(record(take, Event::NotesLost(lost), Some(to))),
            LaneItem::Closed => {}
        }
    }
}

/// The lane of the audio callback: what the driver itself received, and what the transport did.
#[derive(Debug)]
pub struct AudioRecorder {
    rate: Rate,
}

impl Default for AudioRecorder {
    fn default() -> Self {
        Self { rate: Rate::DEFAULT }
    }
}

impl AudioRecorder {
    /// What is worth keeping of a transport event: all that the mapping of frames to the music rests on.
    fn moved(&mut self, event: TransportEvent) -> Option<TransportMoved> {
        let change = match event {
            TransportEvent::StreamBegan { rate, .. } => {
                self.rate = rate;
                return None;
            }
            TransportEvent::Runs { at, speed, .. } => TransportChange::Runs { place: at.0, speed },
            TransportEvent::Sought { tick } => TransportChange::Sought { tick },
            TransportEvent::Looped { pass } => TransportChange::Looped { pass },
            TransportEvent::HoldReached { tick } => TransportChange::Waits { tick },
            TransportEvent::Stopped => TransportChange::Stopped,
            TransportEvent::ReachedEnd => TransportChange::Ended,
            TransportEvent::ClickAt { beat: 0, .. } => TransportChange::Bar,
            TransportEvent::ClickAt { .. }
            | TransportEvent::Started { .. }
            | TransportEvent::SpeedChanged { .. }
            | TransportEvent::Advanced { .. } => return None,
        };
        Some(TransportMoved { change, rate: self.rate })
    }
}

impl Translate<Trainer, AudioEvent> for AudioRecorder {
    fn translate(&mut self, item: LaneItem<AudioEvent>, state: &dyn Look<Trainer>, out: &mut Vec<Publish<Trainer>>) {
        let take = recorded_take(state);
        match item {
            LaneItem::Event { stamp, body: AudioEvent::Transport(event) } => {
                if let (Some(moved), Some(take)) = (self.moved(event), take) {
                    out.push(record(take, Event::TransportMoved(moved), Some(stamp)));
                }
            }
            LaneItem::Event { stamp, body: AudioEvent::Live { source, data } } => {
                let event = Event::NotePlayed(Played { source: source.0, data });
                out.extend(take.map(|take| record(take, event, Some(stamp))));
            }
            LaneItem::Gap { lost, to, .. } => {
                out.extend(take.map(|take| record(take, Event::NotesLost(lost), Some(to))));
            }
            LaneItem::Closed => {}
        }
    }
}
