//! The window and a damaged data folder: it ends the program, lets the folder be brought back, and starts it again.

use std::sync::Arc;

use super::banners::{RECOVERED, banner};
use super::{Window, wake};
use crate::app::caretaker::News;
use crate::app::rescue::Rescue;
use crate::store::Recovered;
use crate::ui::view::Level;

impl Window {
    /// Hears of a damaged data folder, and starts the program again once it was brought back.
    pub(super) fn rescue(&mut self, ctx: &egui::Context) {
        let news: Vec<News> = self.program.iter().flat_map(|program| program.news.try_iter()).collect();
        for news in news {
            match news {
                News::BackedUp => {}
                News::NoBackup(why) => self.fail(format!("no backup could be made: {why}")),
                News::Damaged(dir) => match Rescue::begin(dir, wake(ctx)) {
                    Ok(rescue) => (self.rescue, self.state.rescue_put_off) = (Some(rescue), false),
                    Err(error) => self.fail(format!("the damaged data cannot be looked at: {error}")),
                },
            }
        }
        let Some(done) = self.rescue.as_mut().and_then(Rescue::poll) else { return };
        match done {
            Ok(Recovered { events, before }) => {
                let kept = before.map(|dir| format!("; the damaged folder is kept as {}", dir.display()));
                self.restart(
                    Level::Info,
                    format!("your data is back, {events} events kept{}", kept.unwrap_or_default()),
                );
            }
            Err(error) => self.restart(Level::Bad, format!("your data could not be brought back: {error}")),
        }
    }

    /// Starts the program behind the window again, and says why.
    pub(super) fn restart(&mut self, level: Level, line: String) {
        match (self.boot)() {
            Err(error) => self.lost = Some(format!("{line}\n{error}")),
            Ok(program) => {
                let fresh = Self::new(program, Arc::clone(&self.boot), Arc::clone(&self.saved));
                *self = Self { state: std::mem::take(&mut self.state), ..fresh };
                self.tell_as(banner(RECOVERED, level, line));
            }
        }
    }

    /// Ends the program, and goes the way that was chosen.
    pub(super) fn recover(&mut self, index: usize, ctx: &egui::Context) {
        if self.rescue.as_ref().is_none_or(|rescue| rescue.offers().get(index).is_none()) {
            return;
        }
        if !self.stop() {
            let line = "nothing was done: the disk did not take everything that was played last";
            return self.restart(Level::Bad, line.to_owned());
        }
        let begun = self.rescue.as_mut().map(|rescue| rescue.go(index, wake(ctx)));
        if let Some(Err(error)) = begun {
            self.restart(Level::Bad, format!("your data could not be brought back: {error}"));
        }
    }
}
