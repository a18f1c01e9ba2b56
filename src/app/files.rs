//! A folder shown by the system's own program for files.

use std::io;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::thread::{Builder, JoinHandle};

/// The program that shows a folder.
const SHOWS: &str = if cfg!(target_os = "windows") {
    "explorer"
} else if cfg!(target_os = "macos") {
    "open"
} else {
    "xdg-open"
};

/// Shows a folder, given whole. It is one word for the other program, which no shell sees; a thread waits for its end.
///
/// # Errors
/// There is no such program, or the system gives no thread.
pub(super) fn show(folder: &Path) -> io::Result<()> {
    show_by(SHOWS.as_ref(), folder).map(drop)
}

fn show_by(program: &Path, folder: &Path) -> io::Result<JoinHandle<io::Result<ExitStatus>>> {
    // What begins with a dash would be an option.
    if !folder.is_absolute() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut command = Command::new(program);
    command.arg(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn()?;
    Builder::new().name("files".to_owned()).spawn(move || child.wait())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_folder_is_one_word_for_the_program_that_shows_it() {
        let dir = tempfile::tempdir().expect("a folder");
        let (program, seen) = (dir.path().join("shows"), dir.path().join("seen"));
        let script = format!("#!/bin/sh\nprintf '%s|' \"$@\" > '{}'\n", seen.display());
        std::fs::write(&program, script).expect("written");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).expect("ours");
        let folder = Path::new("/home/ada/Music Trainer; $(x) -a");
        let shown = show_by(&program, folder).expect("it starts").join().expect("it ends").expect("it is waited for");
        assert!(shown.success());
        assert_eq!(std::fs::read_to_string(&seen).expect("seen"), format!("{}|", folder.display()));
        assert!(show_by(&program, Path::new("-a")).is_err());
        assert!(show_by(&dir.path().join("none"), folder).is_err());
    }
}
