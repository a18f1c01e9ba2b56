//! `music-trainer grade`: judges a take against a score, both Standard MIDI Files, and prints what it found.

use std::collections::{HashMap, HashSet};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use thiserror::Error;

use crate::formats::musicxml::is_musicxml;
use crate::formats::smf::{Performance, read_performance};
use crate::formats::{self, FormatError, SCORE_BYTES_MAX};
use crate::music::{Hand, Hands, Percent, Score};
use crate::practice::follow::FollowPlan;
use crate::practice::ornament;
use crate::practice::result::TakeResult;
use crate::practice::tempo::TempoPlan;
use crate::practice::wait::{WaitMatcher, WaitOptions};
use crate::practice::{GroupDone, Mode, PlayedId, PlayedNote, Verdict, VerdictKind, follow, tempo};
use crate::time::{Micros, Ticks};

/// A first note that comes so much too late was not meant for its moment: far beyond what counts as late.
const SILENCE: Micros = Micros::SECOND;

/// Why a take cannot be graded.
#[derive(Debug, Error)]
pub enum GradeError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("{}: {source}", path.display())]
    Format {
        /// Which.
        path: PathBuf,
        /// What, and where.
        source: FormatError,
    },
    /// A take that is no MIDI file.
    #[error("{}: a take is a MIDI file of what was played, and this is {what}", path.display())]
    Take {
        /// Which.
        path: PathBuf,
        /// What it is instead.
        what: String,
    },
    /// Nothing is judged in this mode.
    #[error("takes are graded in the modes follow, wait, tempo and rhythm")]
    Mode,
    /// The result cannot be written.
    #[error("cannot write the result: {0}")]
    Write(#[from] io::Error),
}

/// A take, judged.
#[derive(Clone, Debug)]
pub struct Grade {
    /// What was decided.
    pub verdicts: Vec<Verdict>,
    /// When each onset group was done; *Wait* only.
    pub groups: Vec<GroupDone>,
    /// Whether the take reached the end of the score.
    pub completed: bool,
}

/// Grades the take in one file against the score in another, and prints a summary or one JSON document. Returns what was
/// left out or mended in the files, a line each; the document has it too.
///
/// # Errors
/// Any [`GradeError`]; it names the file.
pub fn run(mode: Mode, json: bool, score: &Path, take: &Path, out: &mut dyn Write) -> Result<Vec<String>, GradeError> {
    let score_bytes = read_file(score)?;
    let name = score.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let reading = formats::read(&name, &score_bytes).map_err(|source| format_error(score, source))?;
    let performance = read_take(take)?;
    let notes: Vec<PlayedNote> = (performance.notes.iter().enumerate())
        .map(|(i, n)| PlayedNote { id: PlayedId(i as u64), at: n.at, pitch: n.pitch, velocity: n.velocity })
        .collect();
    let of = |path: &Path, warning: &String| format!("{}: {warning}", path.display());
    let of_score = reading.warnings.iter().map(|warning| of(score, warning));
    let silence = silence_before(mode, &reading.score, &notes);
    let of_take = performance.warnings.iter().chain(&silence).map(|warning| of(take, warning));
    let warnings: Vec<String> = of_score.chain(of_take).collect();
    let grade = grade(mode, &reading.score, &notes).ok_or(GradeError::Mode)?;
    if json {
        let report = Report { warnings: warnings.clone(), ..Report::new(&reading.score, &notes, &grade) };
        serde_json::to_writer(&mut *out, &report).map_err(io::Error::from)?;
        writeln!(out)?;
    } else {
        summary(mode, &reading.score, &notes, &grade, out)?;
    }
    Ok(warnings)
}

/// Where the take's own time counts: what to say of a take that begins long after the music.
fn silence_before(mode: Mode, score: &Score, notes: &[PlayedNote]) -> Option<String> {
    let (written, played) = (score.notes().iter().find(|n| n.hand != Hand::Neither)?, notes.first()?);
    let late = played.at - score.tempo().micros(written.onset, Percent::FULL);
    (mode.keeps_time() && late > SILENCE).then(|| {
        let (began, late) = (played.at.0 as f64 / 1e6, late.0 as f64 / 1e6);
        format!(
            "its first note comes after {began:.1} s, {late:.1} s later than it is written: in the modes tempo and \
                 rhythm its time 0 is the first tick, so silence before the music makes everything late"
        )
    })
}

/// Judges a take, notes in order of time; `None` in a mode in which nothing is judged.
pub fn grade(mode: Mode, score: &Score, notes: &[PlayedNote]) -> Option<Grade> {
    match mode {
        Mode::Wait => Some(grade_wait(score, notes)),
        Mode::Tempo | Mode::Rhythm => {
            let plan = TempoPlan { any_key: mode == Mode::Rhythm, ..TempoPlan::whole(score) };
            let verdicts = tempo::judge(score, plan, &[Micros::ZERO], notes);
            Some(graded(score, verdicts))
        }
        Mode::Follow => {
            let mut verdicts = follow::pair(score, &FollowPlan::whole(score), notes);
            ornament::settle(score, mode, &mut verdicts, notes);
            Some(graded(score, verdicts))
        }
        Mode::Listen => None,
    }
}

fn graded(score: &Score, verdicts: Vec<Verdict>) -> Grade {
    let last = score.notes().iter().rfind(|n| n.hand != Hand::Neither).map(|n| n.onset);
    let right = |v: &Verdict| v.kind.is_right() && v.written.map(|id| score.note(id).onset) == last;
    Grade { completed: verdicts.iter().any(right), verdicts, groups: Vec::new() }
}

fn grade_wait(score: &Score, notes: &[PlayedNote]) -> Grade {
    let mut matcher = WaitMatcher::new(score, Hands::BOTH, Ticks::ZERO, score.end(), WaitOptions::default());
    let mut grade = Grade { verdicts: Vec::new(), groups: Vec::new(), completed: false };
    for &note in notes {
        let step = matcher.key_down(note);
        grade.verdicts.extend(step.verdicts);
        grade.groups.extend(step.done);
    }
    grade.verdicts.extend(matcher.finish());
    grade.completed = matcher.is_finished();
    grade
}

fn read_file(path: &Path) -> Result<Vec<u8>, GradeError> {
    let read_error = |source| GradeError::Read { path: path.to_owned(), source };
    let file = std::fs::File::open(path).map_err(read_error)?;
    let length = file.metadata().map_err(read_error)?;
    if length.is_file() {
        formats::check_len(length.len()).map_err(|source| format_error(path, source))?;
    }
    // What is no plain file tells no length, and may have no end.
    let mut bytes = Vec::new();
    file.take(SCORE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(read_error)?;
    formats::check_len(bytes.len() as u64).map_err(|source| format_error(path, source))?;
    Ok(bytes)
}

fn read_take(path: &Path) -> Result<Performance, GradeError> {
    let bytes = read_file(path)?;
    let no_take = |what: String| GradeError::Take { path: path.to_owned(), what };
    if is_musicxml(&bytes) {
        return Err(no_take("MusicXML, which is a score".to_owned()));
    }
    read_performance(&bytes).map_err(|source| match source {
        FormatError::Unknown { begins } => no_take(format!("none (it begins with {begins})")),
        source => format_error(path, source),
    })
}

fn format_error(path: &Path, source: FormatError) -> GradeError {
    GradeError::Format { path: path.to_owned(), source }
}

#[derive(Debug, Serialize)]
struct Report {
    matches: Vec<Match>,
    missed: Vec<WrittenReport>,
    extra: Vec<PlayedReport>,
    groups: Vec<GroupReport>,
    completed: bool,
    /// What was left out or mended in the files, with their names.
    warnings: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Match {
    score: WrittenReport,
    played: PlayedReport,
    /// From the moment it was due; none where the note has no moment of its own.
    deviation_ms: Option<f64>,
}

#[derive(Debug, Serialize)]
struct WrittenReport {
    tick: i64,
    pitch: u8,
}

#[derive(Debug, Serialize)]
struct PlayedReport {
    ms: f64,
    pitch: u8,
}

#[derive(Debug, Serialize)]
struct GroupReport {
    tick: i64,
    done_ms: f64,
}

impl Report {
    /// Right notes are matches; everything else that is written is missed, and that is played extra. So a wrong
    /// octave is both. Neutral key-downs, which the program knows to mean nothing, are left out. A unison, one key for
    /// two written notes, is one match.
    fn new(score: &Score, notes: &[PlayedNote], grade: &Grade) -> Self {
        let played: HashMap<PlayedId, &PlayedNote> = notes.iter().map(|n| (n.id, n)).collect();
        let mut found = vec![false; score.notes().len()];
        let (mut pairs, mut extras) = (HashSet::new(), HashSet::new());
        let mut report = Self {
            matches: Vec::new(),
            missed: Vec::new(),
            extra: Vec::new(),
            groups: grade.groups.iter().map(|g| GroupReport { tick: g.tick.0, done_ms: millis(g.at) }).collect(),
            completed: grade.completed,
            warnings: Vec::new(),
        };
        for verdict in &grade.verdicts {
            let note = verdict.played.and_then(|id| played.get(&id));
            match (verdict.kind, verdict.written, note) {
                (VerdictKind::OnTime | VerdictKind::Early | VerdictKind::Late, Some(id), Some(note)) => {
                    found[id.0 as usize] = true;
                    let written = score.note(id);
                    if !pairs.insert((written.onset, written.pitch, note.id)) {
                        continue;
                    }
                    report.matches.push(Match {
                        score: WrittenReport { tick: written.onset.0, pitch: written.pitch.key() },
                        played: PlayedReport { ms: millis(note.at), pitch: note.pitch.key() },
                        deviation_ms: verdict.deviation.map(millis),
                    });
                }
                // A key that was struck an octave off for a unison is one key.
                (VerdictKind::Extra | VerdictKind::WrongOctave, _, Some(note)) if extras.insert(note.id) => {
                    report.extra.push(PlayedReport { ms: millis(note.at), pitch: note.pitch.key() });
                }
                _ => {}
            }
        }
        let missed = score.iter().filter(|(id, _)| !found[id.0 as usize]);
        report.missed = missed.map(|(_, n)| WrittenReport { tick: n.onset.0, pitch: n.pitch.key() }).collect();
        report
    }
}

fn millis(time: Micros) -> f64 {
    time.as_millis_f64()
}

fn summary(mode: Mode, score: &Score, notes: &[PlayedNote], grade: &Grade, out: &mut dyn Write) -> io::Result<()> {
    let result = TakeResult::of(mode, score, &grade.verdicts, |_| None);
    let c = result.counts;
    writeln!(out, "written   {} notes", score.notes().len())?;
    writeln!(out, "played    {} notes", notes.len())?;
    match mode {
        // Whoever is waited for is neither early nor late.
        Mode::Wait => writeln!(out, "right     {}", c.right())?,
        _ => writeln!(out, "right     {} ({} on time, {} early, {} late)", c.right(), c.on_time, c.early, c.late)?,
    }
    writeln!(out, "missed    {}", c.missed)?;
    writeln!(out, "extra     {}", c.extra)?;
    writeln!(out, "octave    {} in the wrong octave", c.wrong_octave)?;
    match result.timing() {
        Some(t) => {
            let interval = t.bias_interval_millis;
            writeln!(out, "bias      {:+.1} ms ± {interval:.1} (n = {} onsets)", t.bias_millis, t.n)?;
            writeln!(out, "spread    {:.1} ms ± {:.1}", t.spread_millis, t.spread_interval_millis)?;
        }
        None if mode == Mode::Wait => writeln!(out, "timing    not judged while waiting")?,
        None => writeln!(out, "timing    not enough data")?,
    }
    for (bar, trouble) in result.worst_bars() {
        writeln!(out, "bar {:<5} {trouble}", bar.number)?;
    }
    writeln!(out, "{}", if grade.completed { "completed" } else { "not played to the end" })
}
