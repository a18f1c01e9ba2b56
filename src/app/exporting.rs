//! Takes as sound files in the person's music folder, written on threads of their own.

use std::path::{Path, PathBuf};

use crossbeam_channel::{Receiver, TryRecvError, bounded};

use crate::audio::sound::Sound;
use crate::audio::soundfont::Font;
use crate::bus::BusHandle;
use crate::components::sound_file::{self, RATE};
use crate::model::{Settings, TakeId, Trainer};

/// Characters of a file's name at most.
const NAME_CHARS_MAX: usize = 80;

/// Files that are being written: where, and what becomes of each.
#[derive(Debug, Default)]
pub(super) struct Exports(Vec<(PathBuf, Receiver<Result<PathBuf, String>>)>);

impl Exports {
    /// Begins to write a take into the folder; `wake` is called when it is done.
    pub(super) fn begin(
        &mut self,
        bus: BusHandle<Trainer>,
        id: TakeId,
        settings: &Settings,
        to: PathBuf,
        wake: impl FnOnce() + Send + 'static,
    ) -> Result<(), String> {
        let (font, a4, program) = (settings.soundfont.clone(), settings.a4(), settings.program);
        let (done, outcome) = bounded(1);
        let place = to.clone();
        let work = move || {
            // Nobody may be waiting any more: the file is there all the same.
            let _ = done.send(export(&bus, id, font.as_deref(), (a4, program), to));
            wake();
        };
        let thread = std::thread::Builder::new().name("export".to_owned()).spawn(work);
        thread.map_err(|error| format!("the take cannot be exported: {error}"))?;
        self.0.push((place, outcome));
        Ok(())
    }

    /// What was finished since last asked.
    pub(super) fn poll(&mut self) -> Vec<Result<PathBuf, String>> {
        let mut done = Vec::new();
        self.0.retain(|(place, outcome)| match outcome.try_recv() {
            Ok(outcome) => {
                done.push(outcome);
                false
            }
            Err(TryRecvError::Empty) => true,
            Err(TryRecvError::Disconnected) => {
                done.push(Err(format!("{} was not written: the instrument broke down", place.display())));
                false
            }
        });
        done
    }

    /// A place in the folder for a file of this name that takes no other file's: numbered if need be.
    pub(super) fn free_place(&self, words: &str) -> PathBuf {
        let folder = folder();
        let numbered = |n: u32| if n == 1 { words.to_owned() } else { format!("{words} ({n})") };
        let is_free = |path: &PathBuf| !path.exists() && self.0.iter().all(|(place, _)| place != path);
        // A name that is taken a thousand times over is taken once more.
        let free = (1..1_000).map(|n| folder.join(file_name(&numbered(n)))).find(is_free);
        free.unwrap_or_else(|| folder.join(file_name(words)))
    }
}

fn export(
    bus: &BusHandle<Trainer>,
    id: TakeId,
    font: Option<&Path>,
    (a4, program): (f64, u8),
    to: PathBuf,
) -> Result<PathBuf, String> {
    let font = font.map(Font::load).transpose().map_err(|e| e.to_string())?;
    let instrument = Sound { font: font.as_ref(), a4, program }.instrument(RATE).map_err(|e| e.to_string())?;
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    let sound = sound_file::take(id, instrument, |entity, from, max| bus.entity_events(entity, from, max));
    sound.and_then(|sound| sound_file::write(&to, sound)).map_err(|e| e.to_string())?;
    Ok(to)
}

/// Where a person finds what was exported: a folder of the program's in their music folder, or at home.
fn folder() -> PathBuf {
    let home = etcetera::home_dir().unwrap_or_else(|_| PathBuf::from("."));
    let music = home.join("Music");
    (if music.is_dir() { music } else { home }).join("Music Trainer")
}

/// A file's name from words, without what a file system does not like.
fn file_name(words: &str) -> String {
    let fits = |c: char| if c.is_alphanumeric() || " -_.,()'".contains(c) { c } else { '-' };
    let name: String = words.chars().take(NAME_CHARS_MAX).map(fits).collect();
    format!("{}.wav", name.trim_matches([' ', '.']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_hold_nothing_that_leads_elsewhere() {
        for (words, expected) in [
            ("Minuet in G", "Minuet in G.wav"),
            ("../../etc/passwd", "-..-etc-passwd.wav"),
            ("a:b\\c/d?", "a-b-c-d-.wav"),
            ("Für Elise 13:04", "Für Elise 13-04.wav"),
        ] {
            assert_eq!(file_name(words), expected);
        }
        assert!(file_name(&"x".repeat(500)).len() < 100);
    }
}
