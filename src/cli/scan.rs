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
use crate::components::library::walk::{DEPTH_MAX, FILES_MAX, NAMES_MAX};
use crate::model::{Event, FolderChoice, Trainer};
use crate::store::{self, OpenOptions};

/// How long the disk may take for what was found last.
const SHUTDOWN_WAIT: Duration = Duration::from_secs(60);

/// Watches `folder` from now on in the data folder `dir`, and prints how it goes: a line for each part that is kept, what
/// cannot be read, and the sums.
///
/// # Errors
/// A folder that cannot be read or written, that another program has open, or that holds more than can be looked
/// through; of that what was seen is in the library.
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
    let folder = report.folders.iter().find(|folder| folder.path == path);
    if let Some(why) = folder.and_then(|folder| folder.away.as_ref()) {
        return Err(CliError::new(format!("{path}: {why}")));
    }
    for (file, why) in report.refused.iter() {
        writeln!(out, "{file}: {why}")?;
    }
    let ShelfReport { found, known, refused_count, .. } = report;
    writeln!(out, "{path}: {found} new, {known} known already, {refused_count} that cannot be read")?;
    match folder.is_some_and(|folder| folder.cut) {
        true => Err(CliError::new(format!(
            "{path}: there is more in it than can be looked through; what lies deeper than {DEPTH_MAX} folders, or beyond \
             {FILES_MAX} pieces or {NAMES_MAX} names, was left out"
        ))),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::library::shelf::FolderReport;

    #[test]
    fn a_folder_that_was_cut_short_is_told_of_and_is_no_success() {
        let told = |cut| {
            let path = "/music".to_owned();
            let folders = vec![FolderReport { path, files: 7, cut, ..FolderReport::default() }];
            let mut out = Vec::new();
            let told = tell("/music", &ShelfReport { folders, found: 7, ..ShelfReport::default() }, &mut out);
            (String::from_utf8(out).expect("text"), told.map_err(|error| error.to_string()))
        };
        let sums = "/music: 7 new, 0 known already, 0 that cannot be read\n";
        assert_eq!(told(false), (sums.to_owned(), Ok(())));
        let (out, cut) = told(true);
        assert_eq!(out, sums);
        assert!(
            cut.is_err_and(|line| line.starts_with("/music: there is more in it") && line.contains("100000 pieces"))
        );
    }
}
