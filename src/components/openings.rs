//! Drivers that took the program down with them: before one is opened, a small file says so, and it is taken away when
//! the opening has ended, well or not. A file that is there at the start tells of a driver that let the program end in
//! the middle of it; that one is left out until a person chooses it again.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
#[expect(clippy::disallowed_types, reason = "shared by the threads that open devices; none is a real-time one")]
use std::sync::Mutex;
use std::sync::{Arc, PoisonError};

/// The folder of the files, in the data folder.
const FOLDER: &str = "opening";
/// More files than there are devices to open; further ones are not read.
const FILES_MAX: usize = 256;
/// What a file may hold: the name of a device, not a book.
const NAME_BYTES_MAX: u64 = 1_024;

/// A driver is not opened, because the program ended while it did so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the program ended while it was opening this; choose it again to use it")]
pub struct LeftOut;

/// What is being opened and what is left out. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Openings {
    folder: Option<PathBuf>,
    #[expect(clippy::disallowed_types, reason = "see above")]
    names: Arc<Mutex<Names>>,
}

#[derive(Debug, Default)]
struct Names {
    left_out: BTreeSet<String>,
    /// What was opened in this run: it has shown that it does not take the machine down.
    opened: BTreeSet<String>,
}

/// Something is being opened, until this is dropped.
#[derive(Debug)]
#[must_use]
pub struct Opening(Option<PathBuf>);

impl Drop for Opening {
    fn drop(&mut self) {
        if let Some(file) = &self.0 {
            // One that stays leaves a device out that worked: a nuisance, and told.
            let _ = fs::remove_file(file);
        }
    }
}

impl Openings {
    /// Reads what earlier runs left in the data folder. A folder that cannot be read or written is as good as none:
    /// then nothing is left out.
    pub fn load(data: &Path) -> Self {
        let folder = data.join(FOLDER);
        let files = fs::read_dir(&folder).into_iter().flatten().flatten().take(FILES_MAX);
        let left_out = files.filter_map(|file| read(&file.path())).collect();
        #[expect(clippy::disallowed_types, reason = "see above")]
        let names = Arc::new(Mutex::new(Names { left_out, opened: BTreeSet::new() }));
        Self { folder: Some(folder), names }
    }

    /// What is left out, in words.
    pub fn left_out(&self) -> Vec<String> {
        self.with(|names| names.left_out.iter().cloned().collect())
    }

    /// One calm line for each thing that is left out.
    pub fn lines(&self) -> Vec<String> {
        let line = |what: &String| {
            format!("the program ended while it was opening {what}; that is left out until you choose it again")
        };
        self.left_out().iter().map(line).collect()
    }

    /// Says that something is about to be opened; the answer is held until that has ended.
    ///
    /// # Errors
    /// It is left out.
    pub fn begin(&self, what: &str) -> Result<Opening, LeftOut> {
        let is_first = self.with(|names| {
            if names.left_out.contains(what) { Err(LeftOut) } else { Ok(names.opened.insert(what.to_owned())) }
        })?;
        let Some(folder) = &self.folder else { return Ok(Opening(None)) };
        let file = file(folder, what);
        // Without the file the driver is opened all the same, and nothing is known of it afterwards.
        let written = fs::create_dir_all(folder).and_then(|()| fs::File::create(&file)).and_then(|mut to| {
            to.write_all(what.as_bytes())?;
            // A driver that stops the machine is one of its kernel, and shows it the first time.
            if is_first { to.sync_all() } else { Ok(()) }
        });
        Ok(Opening(written.ok().map(|()| file)))
    }

    /// A person chose it: it is opened again.
    pub fn allow(&self, what: &str) {
        self.allow_all(|name| name == what);
    }

    /// A person chose all that these words mean; whether anything was left out.
    pub fn allow_all(&self, means: impl Fn(&str) -> bool) -> bool {
        let allowed: Vec<String> = self.with(|names| {
            let allowed = names.left_out.iter().filter(|name| means(name)).cloned().collect();
            names.left_out.retain(|name| !means(name));
            allowed
        });
        for what in &allowed {
            if let Some(folder) = &self.folder {
                let _ = fs::remove_file(file(folder, what));
            }
        }
        !allowed.is_empty()
    }

    fn with<T>(&self, act: impl FnOnce(&mut Names) -> T) -> T {
        act(&mut self.names.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The file of a name: any name has one, whatever letters it has.
fn file(folder: &Path, what: &str) -> PathBuf {
    folder.join(&blake3::hash(what.as_bytes()).to_hex()[..16])
}

/// What a file says. One that says nothing of use was cut off before anything was opened.
fn read(path: &Path) -> Option<String> {
    let is_small = fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.len() <= NAME_BYTES_MAX);
    let what = is_small.then(|| fs::read_to_string(path).ok()).flatten()?;
    let is_ours = path.file_name() == file(Path::new(""), &what).file_name();
    (is_ours && !what.is_empty()).then_some(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_opened_in_order_leaves_nothing() {
        let data = tempfile::tempdir().unwrap();
        let openings = Openings::load(data.path());
        drop(openings.begin("a sound card").unwrap());
        assert_eq!(Openings::load(data.path()).left_out(), [""; 0]);
    }

    #[test]
    fn what_was_not_is_left_out_until_it_is_chosen_again() {
        let data = tempfile::tempdir().unwrap();
        std::mem::forget(Openings::load(data.path()).begin("a sound card").unwrap());
        for _ in 0..2 {
            let next = Openings::load(data.path());
            assert_eq!(next.left_out(), ["a sound card"], "start after start");
            assert_eq!(next.begin("a sound card").unwrap_err(), LeftOut);
            assert!(next.lines()[0].contains("a sound card"));
            drop(next.begin("another").unwrap());
        }
        let next = Openings::load(data.path());
        assert!(next.allow_all(|name| name.starts_with("a sound")));
        drop(next.clone().begin("a sound card").unwrap());
        assert_eq!(Openings::load(data.path()).left_out(), [""; 0]);
    }

    #[test]
    fn a_folder_that_cannot_be_written_or_holds_nonsense_leaves_nothing_out() {
        let data = tempfile::tempdir().unwrap();
        fs::write(data.path().join(FOLDER), "no folder").unwrap();
        let openings = Openings::load(data.path());
        drop(openings.begin("a sound card").unwrap());
        assert_eq!(openings.left_out(), [""; 0]);
        let other = tempfile::tempdir().unwrap();
        fs::create_dir_all(other.path().join(FOLDER).join("folder")).unwrap();
        for (name, content) in
            [("empty", &b""[..]), ("strange", b"hello"), ("bytes", &[0xff; 9]), ("long", &[b'x'; 4096])]
        {
            fs::write(other.path().join(FOLDER).join(name), content).unwrap();
        }
        assert_eq!(Openings::load(other.path()).left_out(), [""; 0]);
        drop(Openings::default().begin("anything").unwrap());
    }
}
