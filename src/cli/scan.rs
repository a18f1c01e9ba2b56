//! `scan`: looks through a folder of music and puts what is in it into a data folder's library, as the window does.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::bounded;

use super::CliError;
use crate::app::clock::SystemClock;
use crate::bus::{BusHandle, Config, Publish, start};
use crate::components::library::shelf::{Shelf, ShelfReport};
use crate::model::{Event, FolderChoice, Trainer};
use crate::store::{self, OpenOptions};

/// How long the disk may take for what was found last.
const SHUTDOWN_WAIT: Duration = Duration::from_secs(60);

/// Watches `folder` from now on in the data folder `dir`, and prints how it goes: a line for each part that is kept, what
/// cannot be read, and the sums.
///
/// # Errors
/// A folder that cannot be read or written, or that another program has open.
pub fn scan(folder: &Path, dir: &Path, out: &mut dyn Write) -> Result<(), CliError> {
    let whole = folder.canonicalize().map_err(|e| CliError::new(format!("{}: {e}", folder.display())))?;
    let path = whole.to_str().ok_or_else(|| CliError::new(format!("{}: its name is no text", folder.display())))?;
    let opened = store::open(dir, OpenOptions::default()).map_err(CliError::of)?;
    let clock = Arc::new(SystemClock::start());
    let bus = start(Config::default(), clock, Box::new(opened.storage)).map_err(CliError::of)?;
    let scanned = watch(&bus, path, out);
    match bus.shutdown(SHUTDOWN_WAIT) {
        true => scanned,
        false => Err(CliError::new("the disk did not take everything that was found")),
    }
}

fn watch(bus: &BusHandle<Trainer>, path: &str, out: &mut dyn Write) -> Result<(), CliError> {
    let choice = FolderChoice { path: path.to_owned(), watched: true };
    let chosen = Publish::new(FolderChoice::entity(path), Event::FolderChosen(choice)).actor("person");
    bus.publish(chosen).durable().map_err(CliError::of)?;
    let (wake, woken) = bounded(1);
    // One word that waits says as much as many.
    let shelf = Shelf::start(bus.clone(), Box::new(move || _ = wake.try_send(()))).map_err(CliError::of)?;
    let mut told = 0;
    let report = loop {
        woken.recv().map_err(|_| CliError::new("the folder cannot be looked through: its thread has ended"))?;
        let report = shelf.report();
        if report.found > told {
            told = report.found;
            writeln!(out, "{told} found")?;
        }
        if report.looks > 0 && report.progress.is_none() {
            break report;
        }
    };
    tell(path, &report, out)
}

fn tell(path: &str, report: &ShelfReport, out: &mut dyn Write) -> Result<(), CliError> {
    if let Some(fault) = &report.fault {
        return Err(CliError::new(fault.clone()));
    }
    if let Some(why) = report.folders.iter().find(|folder| folder.path == path).and_then(|folder| folder.away.as_ref())
    {
        return Err(CliError::new(format!("{path}: {why}")));
    }
    for (file, why) in report.refused.iter() {
        writeln!(out, "{file}: {why}")?;
    }
    let ShelfReport { found, known, refused_count, .. } = report;
    writeln!(out, "{path}: {found} new, {known} known already, {refused_count} that cannot be read")?;
    Ok(())
}
