//! The program: command line, then the window or a command. No logic.

use std::io::Write;
use std::process::ExitCode;

use music_trainer::{app, cli};

fn main() -> ExitCode {
    let mut out = std::io::stdout().lock();
    let outcome = cli::parse(std::env::args_os().skip(1)).map_err(|e| e.to_string()).and_then(|invocation| {
        let window = cli::run(invocation, &mut out).map_err(|e| e.to_string())?;
        out.flush().map_err(|e| e.to_string())?;
        window.map_or(Ok(()), |args| app::run(&args).map_err(|e| e.to_string()))
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(line) => {
            eprintln!("music-trainer: {line}");
            ExitCode::FAILURE
        }
    }
}
