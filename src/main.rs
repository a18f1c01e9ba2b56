//! The program: command line, then the window or a command. No logic.

use std::process::ExitCode;

use music_trainer::app;
use music_trainer::cli::{self, CliError};

fn main() -> ExitCode {
    match start() {
        Ok(()) | Err(CliError::OutputClosed) => ExitCode::SUCCESS,
        Err(CliError::Failed(line)) => {
            eprintln!("music-trainer: {line}");
            ExitCode::FAILURE
        }
    }
}

fn start() -> Result<(), CliError> {
    let invocation = cli::parse(std::env::args_os().skip(1)).map_err(CliError::of)?;
    match cli::run(invocation, &mut std::io::stdout())? {
        Some(window) => app::run(&window),
        None => Ok(()),
    }
}
