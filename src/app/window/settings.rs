//! The window and the settings: each is in force at once, and written down when its slider has come to rest.

use super::Window;
use crate::app::control::Wish;
use crate::app::history::Change;
use crate::bus::{Publish, Snapshot};
use crate::components::devices;
use crate::model::{Entity, Event, Setting, Trainer};
use crate::time::Micros;

/// How long a slider rests before its value is written down.
const SETTLE: Micros = Micros::from_millis(250);

impl Window {
    pub(super) fn set(&mut self, setting: Setting, remember: bool) {
        let from = self.settings.current(&setting);
        if from == setting {
            return;
        }
        if remember {
            self.history.push(Change::Setting { from, to: setting.clone() });
        }
        self.settings.set(&setting);
        self.wish(Wish::Settings(Box::new(self.settings.clone())));
        let now = self.program.as_ref().map_or(Micros::ZERO, |p| p.clock.now());
        self.unsaved.retain(|(s, _)| s.name() != setting.name());
        let due = if setting.is_gradual() { now + SETTLE } else { now };
        self.unsaved.push((setting, due));
    }

    /// Publishes the settings that have come to rest.
    pub(super) fn save_settings(&mut self, all: bool) {
        let Some(program) = &self.program else { return };
        let now = program.clock.now();
        let unsaved = std::mem::take(&mut self.unsaved);
        let (due, rest): (Vec<_>, Vec<_>) = unsaved.into_iter().partition(|(_, due)| all || *due <= now);
        self.unsaved = rest;
        for (setting, _) in due {
            self.publish(Publish::new(setting.entity(), Event::SettingChanged(setting)));
        }
    }

    /// A setting that somebody else has changed, or that was brought back, is shown as it is now.
    pub(super) fn follow_settings(&mut self, snapshot: &Snapshot<Trainer>) {
        for (key, versioned) in snapshot.state.iter_prefix("settings/") {
            if self.settings_seen.get(key) == Some(&versioned.version) {
                continue;
            }
            self.settings_seen.insert(key.clone(), versioned.version);
            if let Some(Entity::Setting(setting)) = &versioned.value
                && self.unsaved.iter().all(|(unsaved, _)| unsaved.name() != setting.name())
            {
                self.settings.set(setting);
            }
        }
    }

    pub(super) fn enable_midi(&mut self, input: String, enabled: bool) {
        self.publish(devices::chosen(&input, enabled));
    }
}
