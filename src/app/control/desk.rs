//! What the control thread shows: the desk that the window reads, and the lines that a person must know.

use std::sync::Arc;

use super::Worker;
use crate::components::devices::{DriverInputReport, Plugged, SoundReport};
use crate::components::session::SessionView;
use crate::midi::DeviceReport;
use crate::midi::output::OutputReport;
use crate::model::{CalibrationStand, TakeId};
use crate::time::Micros;

/// What the control thread shows: rebuilt when something changed, read by the window without waiting.
#[derive(Clone, Default)]
pub struct Desk {
    /// The session.
    pub session: SessionView,
    /// The piece that is being read, and since when.
    pub opening: Option<(String, Micros)>,
    /// The sound device.
    pub sound: SoundReport,
    /// How a calibration stands.
    pub calibration: CalibrationStand,
    /// MIDI inputs of the system.
    pub midi: Vec<DeviceReport>,
    /// The MIDI input of the audio driver that anyone may be joined to, where it has one.
    pub midi_in: Option<DriverInputReport>,
    /// Why there is no MIDI at all.
    pub midi_fault: Option<String>,
    /// MIDI outputs of the system and of the audio driver.
    pub midi_out: Vec<OutputReport>,
    /// Why an output is not played on, though it was chosen.
    pub midi_out_fault: Option<String>,
    /// Drivers and devices that are left out because the program once ended while it opened them.
    pub left_out: Vec<String>,
    /// The take that is recorded now.
    pub take: Option<TakeId>,
    /// The take that is played, and when its first message sounded.
    pub listening: Option<(TakeId, Micros)>,
    /// Keys the person holds, one bit each.
    pub held: u128,
    /// Lines a person must know, newest last, each with a number that grows.
    pub notices: Vec<Notice>,
}

/// A line a person must know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Its number.
    pub id: u64,
    /// When it was told.
    pub at: Micros,
    /// Whether something failed.
    pub bad: bool,
    /// The line.
    pub text: String,
    /// Whether it says where sound comes from.
    pub about_stream: bool,
}

/// At most so many notices are kept.
const NOTICES_MAX: usize = 8;

impl Worker {
    pub(super) fn show(&mut self) {
        let session = self.session.view();
        if self.session.next_keys(self.clock.now()).is_none() {
            self.midi.light(session.awaited.keys);
        }
        self.sound.await_keys(session.awaited);
        self.desk.store(Arc::new(Desk {
            session,
            opening: self.opening.on_the_way(),
            sound: self.sound.report(),
            calibration: self.calibration.clone(),
            midi: self.midi.report(),
            midi_in: self.midi_in.report(self.sound.midi_joined(), self.sound.midi_awaited()),
            midi_fault: self.midi.fault().map(str::to_owned),
            midi_out: self.midi.outputs(),
            midi_out_fault: self.midi.output_fault().map(str::to_owned),
            left_out: self.openings.left_out(),
            take: Some(self.session.current_take()),
            listening: self.player.playing(),
            held: self.held,
            notices: self.notices.clone(),
        }));
        (self.repaint)();
    }

    /// One line for a keyboard that was unplugged, until it is back.
    pub(super) fn tell_plugged(&mut self) {
        let gone = |name: &str| format!("{name} is unplugged");
        // With a sound server its keyboards are gone too, and one line is enough.
        let waiting = self.sound.report().waiting;
        for news in self.midi.take_news() {
            match news {
                Plugged::Out(_) if waiting => {}
                Plugged::Out(name) => self.notice(true, gone(&name)),
                Plugged::In(name) => {
                    if self.notices.extract_if(.., |notice| notice.text == gone(&name)).count() > 0 {
                        self.notice(false, format!("{name} is back"));
                    }
                }
            }
        }
    }

    pub(super) fn notice(&mut self, bad: bool, text: String) {
        self.tell(bad, text, false);
    }

    pub(super) fn tell(&mut self, bad: bool, text: String, about_stream: bool) {
        // Said again, it is a line of its own: the one before may have been put away.
        self.notices.retain(|n| n.text != text);
        let at = self.clock.now();
        self.notices.push(Notice { id: self.next_notice, at, bad, text, about_stream });
        self.next_notice += 1;
        if self.notices.len() > NOTICES_MAX {
            self.notices.remove(0);
        }
        self.changed = true;
    }
}
