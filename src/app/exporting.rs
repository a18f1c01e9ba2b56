//! Takes as files in the person's music folder, as sound, MIDI or a table, written on threads of their own.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use crossbeam_channel::{Receiver, TryRecvError, bounded};

use crate::audio::sound::Sound;
use crate::audio::soundfont::Font;
use crate::bus::BusHandle;
use crate::components::library::Library;
use crate::components::performed::Performed;
use crate::components::results::{self, JudgedTake};
use crate::components::sound_file::{self, RATE, SoundFileError};
use crate::components::whole_file;
use crate::formats::csv;
use crate::model::{NoteNames, Settings, TakeId, Trainer};
use crate::music::{BarNumber, NoteId, Pitch, Score};
use crate::practice::{PlayedId, Verdict, VerdictKind};
use crate::ui::command::TakeFile;
use crate::ui::text;

/// Characters of a file's name at most.
const NAME_CHARS_MAX: usize = 80;
/// Files of one name at most: each is looked for in its turn, and nobody finds one of so many again.
const NUMBER_MAX: u32 = 9_999;

/// Files that are being written: where, and what becomes of each.
#[derive(Debug, Default)]
pub(super) struct Exports(Vec<(PathBuf, Receiver<Result<PathBuf, String>>)>);

impl Exports {
    /// Begins to write a take into the folder; `wake` is called when it is done.
    pub(super) fn begin(
        &mut self,
        bus: BusHandle<Trainer>,
        id: TakeId,
        (file, name): (TakeFile, String),
        settings: Settings,
        wake: impl FnOnce() + Send + 'static,
    ) -> Result<(), String> {
        let (done, outcome) = bounded(1);
        let places = Places { folder: folder(), words: name, extension: extension(file) };
        let place = places.first_free()?;
        let work = move || {
            // Nobody may be waiting any more: the file is there all the same.
            let _ = done.send(export(&bus, id, file, &settings, &places));
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
                done.push(Err(format!("{} was not written: the program failed at it", place.display())));
                false
            }
        });
        done
    }
}

/// Where a file of some name may lie: numbered, if others are called so.
struct Places {
    folder: PathBuf,
    words: String,
    extension: &'static str,
}

impl Places {
    fn all(&self) -> impl Iterator<Item = PathBuf> {
        (1..=NUMBER_MAX).map(|n| self.folder.join(file_name(&self.words, n, self.extension)))
    }

    /// Where nothing is now; by the time that the file is written, something may be.
    fn first_free(&self) -> Result<PathBuf, String> {
        self.all().find(|path| path.symlink_metadata().is_err()).ok_or_else(|| self.full())
    }

    fn full(&self) -> String {
        let name = file_name(&self.words, 1, self.extension);
        format!("{} has {NUMBER_MAX} files that are called {name} already", self.folder.display())
    }

    /// Why nothing was put at a place.
    fn refused(&self, place: &Path, error: &io::Error) -> String {
        match error.kind() {
            io::ErrorKind::AlreadyExists => self.full(),
            _ => format!("{} cannot be written: {error}", place.display()),
        }
    }
}

fn extension(file: TakeFile) -> &'static str {
    match file {
        TakeFile::Sound => "wav",
        TakeFile::Midi => "mid",
        TakeFile::Table => "csv",
    }
}

fn export(
    bus: &BusHandle<Trainer>,
    id: TakeId,
    file: TakeFile,
    settings: &Settings,
    places: &Places,
) -> Result<PathBuf, String> {
    let Places { folder, words: name, .. } = places;
    std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let bytes = match file {
        TakeFile::Sound => return sound(bus, id, settings, places),
        TakeFile::Midi => {
            let (performed, judged) = judged(bus, id)?;
            let in_time = judged.as_ref().filter(|judged| judged.practice.mode.keeps_time());
            performed.to_midi(name, in_time.map(|judged| (&*judged.score, judged.take.start.latency)))
        }
        TakeFile::Table => {
            let (performed, judged) = judged(bus, id)?;
            table(&performed, judged.as_ref(), settings.names).into_bytes()
        }
    };
    let failed = |place: &Path, error: io::Error| places.refused(place, &error);
    let first = places.first_free()?;
    let write = |part: &Path| std::fs::write(part, &bytes).map_err(|error| failed(&first, error));
    whole_file::create(places.all(), write, failed).map(|(place, ())| place)
}

/// What was played in a take, and how it was judged where it can be.
fn judged(bus: &BusHandle<Trainer>, id: TakeId) -> Result<(Performed, Option<JudgedTake>), String> {
    let judged = results::played(bus, &bus.snapshot(), &mut Library::default(), id);
    let (performed, judged) = judged.map_err(|error| error.to_string())?;
    if performed.messages().is_empty() {
        return Err(format!("nothing was played in the take {id}"));
    }
    Ok((performed, judged))
}

fn sound(bus: &BusHandle<Trainer>, id: TakeId, settings: &Settings, places: &Places) -> Result<PathBuf, String> {
    let font = settings.soundfont.as_deref().map(Font::load).transpose().map_err(|e| e.to_string())?;
    let sound = Sound { font: font.as_ref(), a4: settings.a4(), program: settings.program };
    let instrument = sound.instrument(RATE).map_err(|e| e.to_string())?;
    let sound = sound_file::take(id, instrument, |entity, from, max| bus.entity_events(entity, from, max));
    match sound.and_then(|sound| sound_file::write(places.all(), sound)) {
        Ok((place, _)) => Ok(place),
        Err(SoundFileError::Exists(_)) => Err(places.full()),
        Err(error) => Err(error.to_string()),
    }
}

/// A take as a table: what was played, and below it what was not.
fn table(performed: &Performed, judged: Option<&JudgedTake>, names: NoteNames) -> String {
    let verdicts = judged.map(|judged| &*judged.verdicts).unwrap_or_default();
    // One key-down may stand for several written notes; the first names them.
    let mut found: HashMap<PlayedId, &Verdict> = HashMap::new();
    for verdict in verdicts {
        verdict.played.into_iter().for_each(|id| _ = found.entry(id).or_insert(verdict));
    }
    let place = |verdict: &Verdict| Some(place(&judged?.score, verdict.written?));
    let named: Vec<String> = (0..128).map(|key| text::note_octave(Pitch::from_data_byte(key), names)).collect();
    let name = |pitch: Pitch| &*named[usize::from(pitch.key())];
    let notes = performed.notes();
    let played = notes.iter().map(|note| {
        let verdict = found.get(&note.id).copied();
        let Place { hand, bar, beat } = verdict.and_then(place).unwrap_or_default();
        csv::Row {
            at: Some(note.at),
            pitch: note.pitch,
            name: name(note.pitch),
            velocity: Some(note.velocity),
            duration: Some(note.duration),
            hand,
            bar,
            beat,
            verdict: verdict.map(|v| text::verdict(v.kind)).unwrap_or_default(),
            deviation: verdict.and_then(|v| v.deviation),
        }
    });
    let missed = verdicts.iter().filter(|v| v.kind == VerdictKind::Missed).filter_map(|verdict| {
        let pitch = judged?.score.note(verdict.written?).pitch;
        let (at, velocity, duration, deviation) = (None, None, None, None);
        let word = text::verdict(verdict.kind);
        let (name, Place { hand, bar, beat }) = (name(pitch), place(verdict)?);
        Some(csv::Row { at, pitch, name, velocity, duration, hand, bar, beat, verdict: word, deviation })
    });
    csv::write(played.chain(missed))
}

/// Where a written note stands, in a person's words.
#[derive(Default)]
struct Place {
    hand: &'static str,
    bar: Option<BarNumber>,
    beat: Option<f64>,
}

fn place(score: &Score, id: NoteId) -> Place {
    let bar = score.bars().number(score.bar_of(id));
    Place { hand: text::hand(score.note(id).hand), bar: Some(bar), beat: Some(score.beat_in_bar(id)) }
}

/// Where a person finds what was exported: a folder of the program's in their music folder, or at home.
fn folder() -> PathBuf {
    let home = etcetera::home_dir().unwrap_or_else(|_| PathBuf::from("."));
    let config = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let dirs = config.unwrap_or_else(|| home.join(".config")).join("user-dirs.dirs");
    let named = std::fs::read_to_string(dirs).ok().and_then(|text| music_folder(&text, &home));
    let music = named.into_iter().chain([home.join("Music")]).find(|path| path.is_dir());
    music.unwrap_or(home).join("Music Trainer")
}

/// The music folder as the desktop names it, in whatever language, from the text of
/// [`user-dirs.dirs`](https://www.freedesktop.org/wiki/Software/xdg-user-dirs/): lines of a shell, of which only these
/// two forms mean anything, `XDG_MUSIC_DIR="$HOME/yyy"` and `XDG_MUSIC_DIR="/yyy"`. The home folder itself stands for
/// none.
fn music_folder(text: &str, home: &Path) -> Option<PathBuf> {
    let values = text.lines().filter_map(|line| line.trim().strip_prefix("XDG_MUSIC_DIR=")?.strip_prefix('"'));
    let value = values.filter_map(|value| value.strip_suffix('"')).next_back()?;
    let mut path = String::new();
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        path.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    let path = match path.strip_prefix("$HOME") {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => home.join(rest.trim_start_matches('/')),
        _ => PathBuf::from(path),
    };
    Some(path).filter(|path| path.is_absolute() && path != home)
}

/// A file's name from words and its number among those that are called so, without what a file system does not like.
fn file_name(words: &str, number: u32, extension: &str) -> String {
    let fits = |c: char| if c.is_alphanumeric() || " -_.,()'".contains(c) { c } else { '-' };
    let name: String = words.chars().take(NAME_CHARS_MAX).map(fits).collect();
    let name = name.trim_matches([' ', '.']);
    if number == 1 { format!("{name}.{extension}") } else { format!("{name} ({number}).{extension}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::notation;

    #[test]
    fn a_written_note_stands_on_a_beat_of_its_bar() {
        let notes = "meter: 3/4\npickup: 1/4\nR: g4 | a4/8 b c5/4 d | e5/2.\nL: r | c3/4 d e | c3/2.";
        let score = notation::score(notes);
        let score = score.expect("the notes are written right");
        let told: Vec<_> = score.iter().map(|(id, _)| place(&score, id)).map(|p| (p.hand, p.bar, p.beat)).collect();
        assert_eq!(told[0], ("Right", Some(0.into()), Some(3.0)), "an upbeat is the last of its bar");
        let of = |hand: &str| -> Vec<f64> {
            told.iter()
                .filter(|(whose, bar, _)| *whose == hand && *bar == Some(1.into()))
                .filter_map(|place| place.2)
                .collect()
        };
        assert_eq!((of("Right"), of("Left")), (vec![1.0, 1.5, 2.0, 3.0], vec![1.0, 2.0, 3.0]));
    }

    #[test]
    fn names_of_files_hold_nothing_that_leads_elsewhere() {
        for (words, expected) in [
            ("Minuet in G", "Minuet in G.wav"),
            ("../../etc/passwd", "-..-etc-passwd.wav"),
            ("a:b\\c/d?", "a-b-c-d-.wav"),
            ("Für Elise 13:04", "Für Elise 13-04.wav"),
        ] {
            assert_eq!(file_name(words, 1, "wav"), expected);
        }
        assert!(file_name(&"x".repeat(500), 9_999, "mid").len() < 100);
    }

    #[test]
    fn no_file_takes_the_place_of_another_however_long_its_name_is() {
        let dir = tempfile::tempdir().expect("a folder");
        for words in ["Minuet in G".to_owned(), "x".repeat(NAME_CHARS_MAX + 5)] {
            let places = Places { folder: dir.path().to_owned(), words, extension: "mid" };
            let mut taken = std::collections::HashSet::new();
            for _ in 0..1_002 {
                let place = places.first_free().expect("a place");
                std::fs::write(&place, b"").expect("a file");
                assert!(taken.insert(place));
            }
            assert_eq!(places.all().count(), NUMBER_MAX as usize);
        }
        assert!(dir.path().join("Minuet in G (1002).mid").is_file());
    }

    #[test]
    fn the_music_folder_is_the_one_that_the_desktop_names() {
        let named = |text: &str| music_folder(text, Path::new("/home/clara"));
        let lines = "# comment\nXDG_DESKTOP_DIR=\"$HOME/Schreibtisch\"\nXDG_MUSIC_DIR=\"$HOME/Musik\"\n";
        assert_eq!(named(lines), Some("/home/clara/Musik".into()));
        assert_eq!(named("XDG_MUSIC_DIR=\"/data/Ma \\\"musique\\\"\""), Some("/data/Ma \"musique\"".into()));
        for none in [
            "",
            "XDG_MUSIC_DIR=\"$HOME/\"",
            "XDG_MUSIC_DIR=\"$HOME\"",
            "XDG_MUSIC_DIR=Musik",
            "XDG_MUSIC_DIR=\"Musik\"",
        ] {
            assert_eq!(named(none), None, "{none}");
        }
    }
}
