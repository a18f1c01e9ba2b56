//! The command line beside the window: words to an [`Invocation`], and the commands themselves. Each command takes
//! plain arguments and a writer, so that it can be tested without a process.

mod args;
pub mod devices;
pub mod grade;
pub mod render;
pub mod scan;
pub mod store;

pub use args::{BackendChoice, Invocation, USAGE, UsageError, WindowArgs, parse};

use std::io::Write;

use crate::practice::Mode;

/// Runs a command, unless it is to open the window, which is returned.
///
/// # Errors
/// One clear line.
pub fn run(invocation: Invocation, out: &mut dyn Write) -> Result<Option<WindowArgs>, CliError> {
    match invocation {
        Invocation::Window(args) => return Ok(Some(args)),
        Invocation::Help => write!(out, "{USAGE}")?,
        Invocation::Version => writeln!(out, "music-trainer {}", env!("CARGO_PKG_VERSION"))?,
        Invocation::Devices { json } => devices::run(json, out)?,
        Invocation::Grade { mode, json, score, take } => {
            let mode = grade_mode(&mode)?;
            let warnings = grade::run(mode, json, &score, &take, out).map_err(CliError::of)?;
            for warning in warnings {
                writeln!(std::io::stderr(), "{warning}")?;
            }
        }
        Invocation::Render { source, take: None, out: to, soundfont } => {
            render::score(&source, &to, soundfont.as_deref(), out)?;
        }
        Invocation::Render { source, take: Some(id), out: to, soundfont } => {
            render::take(&source, &id, &to, soundfont.as_deref(), out)?;
        }
        Invocation::Inspect { dir, json } => store::inspect(&dir, json, out)?,
        Invocation::Log { dir, from, json } => store::log(&dir, from, json, out)?,
        Invocation::Verify { dir } => store::verify(&dir, out)?,
        Invocation::Backup { dir, out: to } => store::backup(&dir, &to, out)?,
        Invocation::Restore { from, dir } => store::restore(&from, &dir, out)?,
        Invocation::Recover { dir, number } => store::recover(&dir, number, out)?,
        Invocation::Export { dir, out: to } => store::export(&dir, &to, out)?,
        Invocation::Scan { folder, dir } => scan::scan(&folder, &dir, out)?,
        Invocation::Import { from, dir } => store::import(&from, &dir, out)?,
    }
    Ok(None)
}

fn grade_mode(name: &str) -> Result<Mode, CliError> {
    match name {
        "follow" => Ok(Mode::Follow),
        "wait" => Ok(Mode::Wait),
        "tempo" => Ok(Mode::Tempo),
        "rhythm" => Ok(Mode::Rhythm),
        _ => Err(CliError::new(format!("grade knows the modes follow, wait, tempo and rhythm, not {name:?}"))),
    }
}

/// Why a command ended early.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CliError {
    /// It failed, for this reason: one clear line.
    #[error("{0}")]
    Failed(String),
    /// Nobody reads the output any more, as with `| head`; no failure.
    #[error("the output is closed")]
    OutputClosed,
}

impl CliError {
    /// From any text.
    pub fn new(text: impl Into<String>) -> Self {
        Self::Failed(text.into())
    }

    /// From another module's error.
    pub fn of(error: impl std::fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<std::io::Error> for CliError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self::OutputClosed,
            _ => Self::Failed(format!("cannot write: {error}")),
        }
    }
}
