//! The window and the list of takes: names, what is thrown away, and files.

use std::path::Path;

use super::{PERSON, Window, wake};
use crate::bus::Publish;
use crate::model::{Entity, Event, TakeId};
use crate::time::{Micros, WallMillis};
use crate::ui::{self, Command, TakeFile};

/// How long what is edited is leased, and after which time it is leased again.
const LEASE: WallMillis = WallMillis(60_000);
const LEASE_AGAIN: Micros = Micros::from_millis(30_000);

impl Window {
    pub(super) fn name_of(&self, take: TakeId) -> String {
        match self.snapshot().as_ref().and_then(|s| s.state.value(take.entity().as_str())) {
            Some(Entity::Take(take)) => take.name(),
            _ => String::new(),
        }
    }

    /// Names a take, in place of the names that are seen now.
    pub(super) fn name(&mut self, take: TakeId, name: String) {
        let seen = match self.snapshot().as_ref().and_then(|s| s.state.value(take.entity().as_str())) {
            Some(Entity::Take(take)) => take.names.seen(),
            _ => Vec::new(),
        };
        self.publish(Publish::new(take.entity(), Event::TakeNamed { name, seen }));
    }

    /// While a person types a name, nobody else writes one.
    pub(super) fn lease_what_is_edited(&mut self, now: Micros) {
        let Some(program) = &self.program else { return };
        let named = self.state.naming.as_ref().and_then(|(take, _)| TakeId::parse(take)).map(|take| take.entity());
        if let Some((leased, _)) = self.leased.take_if(|(leased, _)| named.as_ref() != Some(leased)) {
            self.answers.extend(program.bus.release(&leased, PERSON));
        }
        if let Some(entity) = named.filter(|_| self.leased.as_ref().is_none_or(|(_, due)| *due <= now)) {
            self.answers.extend(program.bus.lease(&entity, PERSON, LEASE));
            self.leased = Some((entity, now + LEASE_AGAIN));
        }
    }

    /// Deletes a take and what came out of it for ever.
    pub(super) fn erase(&mut self, take: TakeId) {
        let Some(program) = &self.program else { return };
        // The result too if there is none yet: it is being judged perhaps.
        let items = [take.entity(), take.result_entity()].map(|key| Publish::new(key, Event::Erased));
        let row = self.rows.takes.iter().find(|row| row.id == take.to_string());
        let words = row.map_or_else(|| take.to_string(), ui::text::take_in_words);
        self.erasing.push((program.bus.transact(items.into()), words));
        // If it is refused the take is there as before, and only undo has forgotten it.
        self.history.forget(take);
        // Nothing that was read of it before is kept.
        self.take = self.take.take().filter(|open| open.id != take);
        self.result = self.result.take().filter(|result| result.take != take.to_string());
        self.inspector.forget();
    }

    pub(super) fn discard(&mut self, take: TakeId, discarded: bool) {
        if !discarded {
            self.withdraw_offer(take);
        }
        self.publish(Publish::new(take.entity(), Event::TakeDiscarded(discarded)));
    }

    /// A take, as a file in the music folder.
    pub(super) fn export(&mut self, take: &str, file: TakeFile, ctx: &egui::Context) {
        let (Some(program), Some(id)) = (&self.program, TakeId::parse(take)) else { return };
        let row = self.rows.takes.iter().find(|row| row.id == take);
        let words = row.map_or_else(|| take.to_owned(), ui::text::take_in_a_file_name);
        let begun = self.exports.begin(program.bus.clone(), id, (file, words), self.settings.clone(), wake(ctx));
        if let Err(line) = begun {
            self.fail(line);
        }
    }

    pub(super) fn tell_exports(&mut self) {
        for exported in self.exports.poll() {
            match exported {
                Ok(path) => {
                    let show =
                        |folder: &Path| (ui::text::tr().show_folder.to_owned(), Command::ShowFolder(folder.into()));
                    let actions = path.parent().map(show).into_iter().collect();
                    self.inform(format!("the take is in {}", path.display()), actions);
                }
                Err(line) => self.fail(line),
            }
        }
    }
}
