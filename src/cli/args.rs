//! Words of the command line to what they mean. Reads no environment and no file.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::prelude::*;

/// What `--help` prints.
pub const USAGE: &str = "\
Music Trainer: practise music on MIDI keyboards and audio interfaces.

music-trainer [FILE] [--data-dir DIR] [--backend auto|cpal|jack|null] [--safe]
    open the window, with a piece if a FILE is named; where a window is open already, it opens there
music-trainer devices [--json]
    audio and MIDI devices and what they can do
music-trainer grade --mode follow|wait|tempo|rhythm [--json] SCORE TAKE
    judge a take, a MIDI file, against a score in MIDI or MusicXML
music-trainer render SCORE OUT.wav [--soundfont FILE]
music-trainer render DIR OUT.wav --take ID [--soundfont FILE]
    a score, or what was played in a take, through the same synthesiser, faster than real time;
    where there is no take of that ID, those in which something was played are listed
music-trainer inspect DIR [--json]
    watermarks, topics, entities, subscribers and size of a data folder
music-trainer log DIR [--from SEQ] [--json]
    the events of a data folder, a line each
music-trainer verify DIR
    check every record and the chain, fold the log and compare with the state
music-trainer backup DIR OUT
    hot, compact copy of a data folder
music-trainer restore COPY DIR
    put a copy, checked, in the place of a data folder; what was there is kept beside it
music-trainer recover DIR [NUMBER]
    what can be done for a damaged data folder, or do it; the damaged folder is kept beside it
music-trainer scan FOLDER DIR
    put the MIDI and MusicXML files of a folder into the library of a data folder, and watch it from now on
music-trainer export DIR OUT.jsonl
    everything that a data folder holds, as JSON lines
music-trainer import IN.jsonl DIR
    make a new data folder from an export

--data-dir DIR   where takes, results and settings are kept
--backend NAME   how sound is made; auto takes JACK if a server runs, then the sound card, then none
--safe           no devices and default settings, for this run only
--json           one JSON document on standard output
";

/// Which audio backend to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BackendChoice {
    /// As the settings say, by default the best that works.
    #[default]
    Auto,
    /// The system's sound cards.
    Cpal,
    /// A JACK server.
    Jack,
    /// No sound; the program runs all the same.
    Null,
}

impl BackendChoice {
    /// From its name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "auto" => Some(Self::Auto),
            "cpal" => Some(Self::Cpal),
            "jack" => Some(Self::Jack),
            "null" => Some(Self::Null),
            _ => None,
        }
    }
}

/// How the window is to be opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WindowArgs {
    /// A piece to open.
    pub file: Option<PathBuf>,
    /// The data folder, if not the platform's.
    pub data_dir: Option<PathBuf>,
    /// The backend, if named.
    pub backend: Option<BackendChoice>,
    /// No devices, default settings.
    pub safe: bool,
}

/// What the person asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invocation {
    /// Open the window.
    Window(WindowArgs),
    /// List the devices.
    Devices {
        /// As JSON.
        json: bool,
    },
    /// Judge a take.
    Grade {
        /// `follow`, `wait` or `tempo`.
        mode: String,
        /// As JSON.
        json: bool,
        /// The score's file.
        score: PathBuf,
        /// The take's file.
        take: PathBuf,
    },
    /// Render to a WAV file.
    Render {
        /// The score's file, or the data folder of the take.
        source: PathBuf,
        /// The take's name, if it is one.
        take: Option<String>,
        /// The file to write, which does not exist yet.
        out: PathBuf,
        /// A SoundFont instead of the built-in piano.
        soundfont: Option<PathBuf>,
    },
    /// Look at a data folder.
    Inspect {
        /// The folder.
        dir: PathBuf,
        /// As JSON.
        json: bool,
    },
    /// Print the events.
    Log {
        /// The folder.
        dir: PathBuf,
        /// The first sequence number.
        from: u64,
        /// As JSON.
        json: bool,
    },
    /// Check a data folder.
    Verify {
        /// The folder.
        dir: PathBuf,
    },
    /// Copy a data folder.
    Backup {
        /// The folder.
        dir: PathBuf,
        /// The copy, a folder that does not exist yet.
        out: PathBuf,
    },
    /// Put a copy in the place of a data folder.
    Restore {
        /// The copy, a folder.
        from: PathBuf,
        /// The data folder.
        dir: PathBuf,
    },
    /// Bring a damaged data folder back.
    Recover {
        /// The folder.
        dir: PathBuf,
        /// Which of the ways out, from 1; none to see them.
        number: Option<usize>,
    },
    /// Write a data folder as text.
    Export {
        /// The folder.
        dir: PathBuf,
        /// The file, which does not exist yet.
        out: PathBuf,
    },
    /// Make a data folder from text.
    Import {
        /// The file.
        from: PathBuf,
        /// The folder, which does not exist yet.
        dir: PathBuf,
    },
    /// Put a folder of music into the library.
    Scan {
        /// The folder of music.
        folder: PathBuf,
        /// The data folder.
        dir: PathBuf,
    },
    /// Print the usage.
    Help,
    /// Print the version.
    Version,
}

/// Why the words make no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}; music-trainer --help tells what there is")]
pub struct UsageError(String);

impl From<lexopt::Error> for UsageError {
    fn from(error: lexopt::Error) -> Self {
        Self(error.to_string())
    }
}

#[derive(Default)]
struct Words {
    values: Vec<OsString>,
    json: bool,
    safe: bool,
    mode: Option<String>,
    from: Option<u64>,
    soundfont: Option<PathBuf>,
    take: Option<String>,
    data_dir: Option<PathBuf>,
    backend: Option<BackendChoice>,
    help: bool,
    version: bool,
}

/// The meaning of the words after the program's name.
pub fn parse<I>(args: I) -> Result<Invocation, UsageError>
where
    I: IntoIterator<Item = OsString>,
{
    let mut words = Words::default();
    let mut parser = lexopt::Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            Long("help") | Short('h') => words.help = true,
            Long("version") | Short('V') => words.version = true,
            Long("json") => words.json = true,
            Long("safe") => words.safe = true,
            Long("mode") => words.mode = Some(parser.value()?.string()?),
            Long("from") => words.from = Some(parser.value()?.parse()?),
            Long("take") => words.take = Some(parser.value()?.string()?),
            Long("soundfont") => words.soundfont = Some(parser.value()?.into()),
            Long("data-dir") => words.data_dir = Some(parser.value()?.into()),
            Long("backend") => {
                let name = parser.value()?.string()?;
                let choice = BackendChoice::parse(&name);
                words.backend =
                    Some(choice.ok_or_else(|| {
                        UsageError(format!("the backend {name:?} is none of auto, cpal, jack, null"))
                    })?);
            }
            Value(value) => words.values.push(value),
            other => return Err(other.unexpected().into()),
        }
    }
    interpret(words)
}

fn interpret(mut words: Words) -> Result<Invocation, UsageError> {
    if words.help {
        return Ok(Invocation::Help);
    }
    if words.version {
        return Ok(Invocation::Version);
    }
    let command = words.values.first().and_then(|v| v.to_str()).unwrap_or_default().to_owned();
    let json = words.json;
    let choice = (command == "recover" && words.values.len() == 3).then(|| words.values.pop()).flatten();
    let mut take = |names: &[&str]| -> Result<Vec<PathBuf>, UsageError> {
        let given = words.values.split_off(1);
        if given.len() != names.len() {
            return Err(UsageError(format!("{command} wants {}, and got {} words", names.join(" "), given.len())));
        }
        Ok(given.into_iter().map(PathBuf::from).collect())
    };
    Ok(match command.as_str() {
        "devices" => take(&[]).map(|_| Invocation::Devices { json })?,
        "grade" => {
            let [score, take_file] = two(take(&["SCORE", "TAKE"])?);
            let mode =
                words.mode.ok_or_else(|| UsageError("grade wants --mode follow, wait, tempo or rhythm".to_owned()))?;
            Invocation::Grade { mode, json, score, take: take_file }
        }
        "render" => {
            let (first, id) = (if words.take.is_some() { "DIR" } else { "SCORE" }, words.take.take());
            let [source, out] = two(take(&[first, "OUT.wav"])?);
            Invocation::Render { source, take: id, out, soundfont: words.soundfont }
        }
        "inspect" => Invocation::Inspect { dir: one(take(&["DIR"])?), json },
        "log" => Invocation::Log { dir: one(take(&["DIR"])?), from: words.from.unwrap_or(1), json },
        "verify" => Invocation::Verify { dir: one(take(&["DIR"])?) },
        "backup" => {
            let [dir, out] = two(take(&["DIR", "OUT"])?);
            Invocation::Backup { dir, out }
        }
        "restore" => {
            let [from, dir] = two(take(&["COPY", "DIR"])?);
            Invocation::Restore { from, dir }
        }
        "recover" => {
            let number = choice.map(|word| {
                let parsed = word.to_str().and_then(|word| word.parse().ok());
                parsed.ok_or_else(|| UsageError(format!("{} is not a number of a way out", word.to_string_lossy())))
            });
            Invocation::Recover { number: number.transpose()?, dir: one(take(&["DIR"])?) }
        }
        "scan" => {
            let [folder, dir] = two(take(&["FOLDER", "DIR"])?);
            Invocation::Scan { folder, dir }
        }
        "export" => {
            let [dir, out] = two(take(&["DIR", "OUT.jsonl"])?);
            Invocation::Export { dir, out }
        }
        "import" => {
            let [from, dir] = two(take(&["IN.jsonl", "DIR"])?);
            Invocation::Import { from, dir }
        }
        _ => window(words)?,
    })
}

fn window(words: Words) -> Result<Invocation, UsageError> {
    if words.values.len() > 1 {
        let names: Vec<_> = words.values.iter().map(|v| v.to_string_lossy()).collect();
        return Err(UsageError(format!("one piece at a time, and no command is called {:?}", names[0])));
    }
    // A file has a dot or a folder in its name; a word alone is a command that was mistyped.
    let is_word = |name: &OsString| !name.to_string_lossy().contains(['.', '/', '\\']);
    if let Some(word) = words.values.first().filter(|name| is_word(name)) {
        let word = word.to_string_lossy();
        return Err(UsageError(format!("no command is called {word:?}; a file of that name is ./{word}")));
    }
    Ok(Invocation::Window(WindowArgs {
        file: words.values.into_iter().next().map(PathBuf::from),
        data_dir: words.data_dir,
        backend: words.backend,
        safe: words.safe,
    }))
}

fn one(paths: Vec<PathBuf>) -> PathBuf {
    paths.into_iter().next().unwrap_or_default()
}

fn two(paths: Vec<PathBuf>) -> [PathBuf; 2] {
    let mut paths = paths.into_iter();
    [paths.next().unwrap_or_default(), paths.next().unwrap_or_default()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Result<Invocation, &str>) {
        let found = parse(line.split_whitespace().map(OsString::from));
        match (found, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{line}"),
            (Err(found), Err(part)) => assert!(found.to_string().contains(part), "{line}: {found}"),
            (found, expected) => panic!("{line}: {found:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn words_mean_what_the_usage_says() {
        check("", Ok(Invocation::Window(WindowArgs::default())));
        check(
            "a.mid --safe --backend null --data-dir d",
            Ok(Invocation::Window(WindowArgs {
                file: Some("a.mid".into()),
                data_dir: Some("d".into()),
                backend: Some(BackendChoice::Null),
                safe: true,
            })),
        );
        check("devices --json", Ok(Invocation::Devices { json: true }));
        check("log d --from 7", Ok(Invocation::Log { dir: "d".into(), from: 7, json: false }));
        check(
            "grade --mode wait s.mid t.mid",
            Ok(Invocation::Grade { mode: "wait".into(), json: false, score: "s.mid".into(), take: "t.mid".into() }),
        );
        check("recover d", Ok(Invocation::Recover { dir: "d".into(), number: None }));
        check("recover d 2", Ok(Invocation::Recover { dir: "d".into(), number: Some(2) }));
        check("scan m d", Ok(Invocation::Scan { folder: "m".into(), dir: "d".into() }));
        check("verify -h", Ok(Invocation::Help));
    }

    #[test]
    fn wrong_words_are_told_what_is_wrong_with_them() {
        check("grade s.mid t.mid", Err("--mode"));
        check("verify", Err("DIR"));
        check("render s.mid", Err("OUT.wav"));
        check("render d --take 1f", Err("DIR OUT.wav"));
        check("a.mid b.mid", Err("one piece at a time"));
        check("--backend loud", Err("none of auto"));
        check("--nonsense", Err("nonsense"));
        check("log d --from x", Err("x"));
        check("recover", Err("DIR"));
        check("recover d two", Err("two is not a number"));
    }
}
