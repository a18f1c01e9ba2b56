//! What the control thread takes from the bus: notes into the session, settings into the engine, choices into the devices.

use super::{EngineCommand, Worker};
use crate::audio;
use crate::bus::{Envelope, LiveItem};
use crate::components::devices::calibration_entity;
use crate::model::{Entity, Event, Setting, Settings, Trainer};

/// A slider's percentage as a gain: twice the percentage is four times the power, and 80 % is as it comes.
fn volume(percent: u8) -> f32 {
    (f32::from(percent) / 100.0).powi(2) * 1.5625
}

impl Worker {
    pub(super) fn item(&mut self, item: LiveItem<Trainer>) {
        match item {
            LiveItem::Event(envelope) => {
                self.lab.owe();
                if let Some(envelope) = self.missing.comes(self.session.current_take(), envelope) {
                    self.event(&envelope);
                }
            }
            LiveItem::Lost(count) => self.lost(count),
        }
        self.changed = true;
    }

    pub(super) fn event(&mut self, envelope: &Envelope<Trainer>) {
        self.hold(envelope);
        self.follow(envelope);
        if self.parked {
            return;
        }
        self.calibration_event(envelope);
        let now = self.clock.now();
        self.session.event(envelope, now, &mut || self.ids.next());
        self.carry_out();
    }

    /// Which keys are down.
    pub(super) fn hold(&mut self, envelope: &Envelope<Trainer>) {
        if let Some(Event::NotesLost(_)) = envelope.event() {
            self.held = 0;
        }
        if let Some(Event::NotePlayed(played)) = envelope.event() {
            self.midi_in.see(played, self.clock.now());
            if let Some((pitch, _)) = played.note_on() {
                self.held |= 1 << pitch.key();
            } else if let Some(pitch) = played.note_off() {
                self.held &= !(1 << pitch.key());
            }
        }
    }

    /// What was chosen is done, whoever chose it.
    pub(super) fn follow(&mut self, envelope: &Envelope<Trainer>) {
        match envelope.event() {
            Some(Event::SettingChanged(setting)) if self.settings.current(setting) != *setting => {
                let old = self.settings.clone();
                self.settings.set(setting);
                self.apply_settings(Some(old));
            }
            // Chosen again: what was left out is tried once more.
            Some(Event::SettingChanged(Setting::Backend(_) | Setting::OutputDevice(_)))
                if !self.openings.left_out().is_empty() =>
            {
                self.sound.choose(&self.settings);
            }
            Some(Event::ConnectionChosen(_)) => self.sound.keep_connections(&self.bus.snapshot().state),
            Some(Event::DeviceChosen { name, enabled }) => self.midi.enable(name, *enabled),
            Some(Event::DeviceCalibrated(_)) => self.calibrate(),
            Some(Event::HandsChosen(_)) => self.follow_hands(envelope),
            Some(Event::OutputChosen { name, usage }) => {
                self.midi.use_output(name, *usage, &mut self.engine);
                self.send_accompaniment_volume();
            }
            _ => {}
        }
    }

    /// What is known of how late the running stream is holds from now on.
    pub(super) fn calibrate(&mut self) {
        let stream = self.sound.report().stream;
        let entity = stream.as_ref().map(calibration_entity);
        let known = entity.and_then(|entity| match self.bus.snapshot().state.value(entity.as_str()) {
            Some(Entity::Device(device)) => Some((*device.calibration).clone()),
            _ => None,
        });
        self.sound.calibrate(known.unwrap_or_default());
        self.session.set_latency(self.sound.report().judged(), self.clock.now());
        self.midi.set_heard(self.sound.report().heard());
        self.carry_out();
    }

    /// What the program plays is silent here while it sounds on an instrument outside alone.
    pub(super) fn send_accompaniment_volume(&mut self) {
        self.engine.send(EngineCommand::SetAlone(self.midi.plays_alone()));
        let gain = volume(self.settings.volume_accompaniment);
        self.engine.send(EngineCommand::SetVolume(audio::Bus::Accompaniment, gain));
    }

    pub(super) fn apply_settings(&mut self, old: Option<Settings>) {
        let settings = self.settings.clone();
        self.engine.send(EngineCommand::SetVolume(audio::Bus::Live, volume(settings.volume_piano)));
        self.send_accompaniment_volume();
        self.engine.send(EngineCommand::SetVolume(audio::Bus::Metronome, volume(settings.volume_metronome)));
        if old.as_ref().is_none_or(|o| o.soundfont != settings.soundfont)
            && let Some(line) = self.sound.set_soundfont(settings.soundfont.as_deref(), &mut self.engine)
        {
            self.notice(true, line);
        }
        self.engine.send(EngineCommand::SetClicks(settings.clicks()));
        self.sound.tune(&settings, &mut self.engine);
        self.sound.use_microphone(&settings);
        let device = |s: &Settings| (s.backend.clone(), s.output_device.clone(), s.period);
        if old.as_ref().is_some_and(|o| device(o) != device(&settings)) {
            self.sound.choose(&settings);
        }
        if old.as_ref().is_some_and(|o| (o.preset, o.keyboard) != (settings.preset, settings.keyboard)) {
            let practice = self.for_everything(*self.session.settings());
            self.session.choose(practice, None, &mut || self.ids.next());
        }
    }
}
