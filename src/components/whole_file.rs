//! Files that are there whole or not at all: written beside their place, and put there when they are done.

use std::io;
use std::path::{Path, PathBuf};

/// Writes a file by `write`, which is told where; a file of this name is replaced when the new one is whole. `failed`
/// says what it means that the system would not put it there.
///
/// # Errors
/// Those of `write` and `failed`; nothing is left of the new file then.
pub fn replace<T, E>(
    path: &Path,
    write: impl FnOnce(&Path) -> Result<T, E>,
    failed: impl FnOnce(io::Error) -> E,
) -> Result<T, E> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let done = write(&part).and_then(|value| std::fs::rename(&part, path).map(|()| value).map_err(failed));
    if done.is_err() {
        // What is left of it is of no use to anybody.
        let _gone = std::fs::remove_file(&part);
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_or_stays_as_it_was() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("take.mid");
        let write = |bytes: &'static str| move |part: &Path| std::fs::write(part, bytes);
        replace(&path, write("old"), |e| e).expect("written");
        let broken = replace(&path, |part| write("half")(part).and(Err::<(), _>(io::Error::other("full"))), |e| e);
        assert!(broken.is_err());
        assert_eq!(std::fs::read_to_string(&path).expect("the old one"), "old");
        replace(&path, write("new"), |e| e).expect("replaced");
        assert_eq!(std::fs::read_to_string(&path).expect("the new one"), "new");
        assert_eq!(std::fs::read_dir(dir.path()).expect("the folder").count(), 1, "nothing is left over");
    }
}
