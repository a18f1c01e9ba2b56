//! Measuring how late the devices are, with the person's help: the piece is put aside, a metronome runs, keys are tapped
//! with it; then the piece is put back.

use super::{PracticeSettings, Wish, Worker};
use crate::audio::{Command as EngineCommand, Schedule};
use crate::bus::{Envelope, Publish};
use crate::components::devices::{BEAT, LoopbackStand, TAPS, Tapped, Tapping, calibration_entity};
use crate::components::session::OnStand;
use crate::model::{Calibration, CalibrationStand, Event, Trainer, TransportChange, TransportMoved};
use crate::music::{ClickStyle, Division, Meter};
use crate::time::{Micros, StreamId, Ticks};

/// A calibration under way.
pub(super) struct Calibrating {
    /// Of this stream.
    stream: Option<StreamId>,
    /// Not for loop-back, which needs no taps.
    tapping: Option<Tapping>,
    /// What was on the stand, and how it was practised.
    aside: Option<(OnStand, PracticeSettings)>,
}

impl Worker {
    /// Begins a calibration by tapping, or stops the one under way.
    pub(super) fn tap_along(&mut self, begin: bool) {
        self.end_calibration(CalibrationStand::Idle);
        if !begin {
            return;
        }
        self.put_aside(Some(Tapping::default()));
        let meter = Meter { tick: Ticks::ZERO, beats: 1, unit: 4 };
        self.engine.send(EngineCommand::Load(Box::new(Schedule::of_beat(BEAT.0 as u32, meter))));
        // One click for each tap.
        let clicks = ClickStyle { division: Division::NONE, ..self.settings.clicks() };
        self.engine.send(EngineCommand::SetClicks(clicks));
        self.engine.send(EngineCommand::SetMetronome(true));
        self.engine.send(EngineCommand::Play { count_in: 0 });
        self.calibration = CalibrationStand::Tapping { done: 0, of: TAPS };
        self.changed = true;
    }

    /// Begins a calibration by loop-back, or stops the one under way.
    pub(super) fn loop_back(&mut self, begin: bool) {
        self.end_calibration(CalibrationStand::Idle);
        if !begin {
            return;
        }
        self.put_aside(None);
        match self.sound.begin_loopback(&mut self.engine) {
            Ok(()) => self.calibration = CalibrationStand::Listening(0),
            Err(reason) => self.end_calibration(CalibrationStand::Failed(reason)),
        }
        self.changed = true;
    }

    /// Looks after a calibration by loop-back.
    pub(super) fn poll_loopback(&mut self, now: Micros) {
        let Some(stand) = self.sound.poll_loopback(now, &mut self.engine) else { return };
        match stand {
            LoopbackStand::Listening(done) if self.calibration == CalibrationStand::Listening(done) => return,
            LoopbackStand::Listening(done) => self.calibration = CalibrationStand::Listening(done),
            LoopbackStand::Failed(reason) => self.end_calibration(CalibrationStand::Failed(reason)),
            LoopbackStand::Heard(heard) => {
                let known = self.sound.report().calibration;
                self.keep_calibration(Calibration { loopback: Some(heard), ..known });
                self.end_calibration(CalibrationStand::Heard(heard));
            }
        }
        self.changed = true;
    }

    /// The piece waits until the calibration is over.
    fn put_aside(&mut self, tapping: Option<Tapping>) {
        let aside = self.session.stand().cloned().map(|stand| (stand, *self.session.settings()));
        self.session.close(&mut || self.ids.next());
        self.carry_out();
        let stream = self.sound.report().stream.map(|stream| stream.stream);
        self.calibrating = Some(Calibrating { stream, tapping, aside });
    }

    /// What is wished for the music, and another stream, end a calibration.
    pub(super) fn give_way(&mut self, wish: &Wish) {
        let unrelated = matches!(
            wish,
            Wish::KeyDown { .. }
                | Wish::KeyUp { .. }
                | Wish::Settings(_)
                | Wish::TapAlong(_)
                | Wish::LoopBack(_)
                | Wish::Listen(_)
                | Wish::ForgetCalibration
                | Wish::LookForDevices
                | Wish::FillLane(_)
                | Wish::Quit
        );
        if self.calibrating.is_some() && !unrelated {
            self.end_calibration(CalibrationStand::Idle);
        }
    }

    /// What was measured of another stream says nothing about this one.
    pub(super) fn stream_changed(&mut self) {
        let stream = self.sound.report().stream.map(|stream| stream.stream);
        if self.calibrating.as_ref().is_some_and(|calibrating| calibrating.stream != stream) {
            self.end_calibration(CalibrationStand::Idle);
        }
    }

    /// Clicks and keys of a calibration under way.
    pub(super) fn calibration_event(&mut self, envelope: &Envelope<Trainer>) {
        let tapping = self.calibrating.as_mut().and_then(|calibrating| calibrating.tapping.as_mut());
        let (Some(tapping), Some(stamp)) = (tapping, envelope.stamp) else { return };
        let tapped = match envelope.event() {
            Some(Event::TransportMoved(TransportMoved { change: TransportChange::Bar, .. })) => {
                tapping.click(stamp.mono)
            }
            Some(Event::NotePlayed(played)) if played.note_on().is_some() => tapping.tap(stamp.mono),
            _ => return,
        };
        match tapped {
            Tapped::More(done) => self.calibration = CalibrationStand::Tapping { done, of: TAPS },
            Tapped::Scattered => self.end_calibration(CalibrationStand::Scattered),
            Tapped::Nobody => self.end_calibration(CalibrationStand::Nobody),
            Tapped::Offset(offset) => {
                let known = self.sound.report().calibration;
                self.keep_calibration(Calibration { tapped: Some(offset), ..known });
                self.end_calibration(CalibrationStand::Done(offset));
            }
        }
        self.changed = true;
    }

    /// What was measured of the running stream is forgotten.
    pub(super) fn forget_calibration(&mut self) {
        self.end_calibration(CalibrationStand::Idle);
        self.keep_calibration(Calibration::default());
    }

    fn keep_calibration(&mut self, calibration: Calibration) {
        let Some(stream) = self.sound.report().stream else { return };
        let calibration = Calibration { name: stream.device.clone(), ..calibration };
        let event = Event::DeviceCalibrated(calibration);
        self.bus.publish(Publish::new(calibration_entity(&stream), event).actor("devices"));
    }

    /// The metronome stops, and the piece is put back.
    fn end_calibration(&mut self, stand: CalibrationStand) {
        self.calibration = stand;
        let Some(Calibrating { aside, tapping, .. }) = self.calibrating.take() else { return };
        self.sound.end_loopback(&mut self.engine);
        if tapping.is_some() {
            self.engine.send(EngineCommand::Stop);
            self.engine.send(EngineCommand::SetMetronome(false));
            self.engine.send(EngineCommand::SetClicks(self.settings.clicks()));
        }
        if let Some((stand, practice)) = aside {
            self.session.open(stand, practice, &mut || self.ids.next());
            self.carry_out();
        }
        self.changed = true;
    }
}
