//! Looks through a folder for files that may hold a piece: everything below it within limits, links followed but never
//! in a circle. Reads names and lengths, no content.

use std::collections::HashSet;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::io_reason;
use crate::model::PIECE_ENDINGS;
use crate::time::WallMillis;

/// Folders within folders at most: nobody sorts deeper, and a link that leads around ends here at the latest.
pub const DEPTH_MAX: usize = 32;
/// Files of one folder at most, all below it included: ten times the largest collection that is shared.
pub const FILES_MAX: usize = 100_000;
/// Names looked at in one folder at most, for a folder that turns out to be a whole disk.
pub const NAMES_MAX: usize = 2_000_000;

/// A file that may hold a piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenFile {
    /// Where it is.
    pub path: String,
    /// Its length.
    pub bytes: u64,
    /// When it was changed last; 0 if the file system does not say.
    pub modified: WallMillis,
}

/// What was seen below a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walked {
    /// Files that may hold a piece, by name, folder after folder.
    pub files: Vec<SeenFile>,
    /// What could not be looked at, and why.
    pub passed: Vec<(String, String)>,
    /// Whether a limit cut the look short.
    pub cut: bool,
}

/// Looks through everything below `root`, as long as `go_on` says so; what was seen until then is given.
///
/// # Errors
/// The folder itself cannot be read: why.
pub fn walk(root: &Path, go_on: &mut dyn FnMut() -> bool) -> Result<Walked, String> {
    let mut walked = Walked::default();
    let mut been: HashSet<PathBuf> = HashSet::new();
    let mut names_left = NAMES_MAX;
    let mut next = vec![(root.to_path_buf(), 0)];
    while let Some((folder, depth)) = next.pop() {
        if !go_on() || walked.cut {
            break;
        }
        let listed = folder.canonicalize().and_then(|real| Ok((real, std::fs::read_dir(&folder)?)));
        let (real, names) = match listed {
            Ok(listed) => listed,
            Err(error) if depth == 0 => return Err(io_reason(&error)),
            Err(error) => {
                walked.passed.push((folder.display().to_string(), io_reason(&error)));
                continue;
            }
        };
        if !been.insert(real) {
            continue;
        }
        let mut paths: Vec<PathBuf> = names.take(names_left + 1).flatten().map(|entry| entry.path()).collect();
        walked.cut |= paths.len() > names_left;
        names_left = names_left.saturating_sub(paths.len());
        paths.sort();
        let mut folders = Vec::new();
        for path in paths.into_iter().filter(|path| !is_hidden(path)) {
            look_at(path, &mut walked, &mut folders);
        }
        walked.cut |= depth >= DEPTH_MAX && !folders.is_empty();
        if depth < DEPTH_MAX {
            next.extend(folders.into_iter().rev().map(|folder| (folder, depth + 1)));
        }
    }
    Ok(walked)
}

fn look_at(path: PathBuf, walked: &mut Walked, folders: &mut Vec<PathBuf>) {
    // Follows links: one that leads nowhere is told of only if it is called like a piece.
    let meta = match std::fs::metadata(&path) {
        Ok(meta) if meta.is_dir() => return folders.push(path),
        meta if is_piece(&path) => meta,
        _ => return,
    };
    if walked.files.len() >= FILES_MAX {
        walked.cut = true;
        return;
    }
    match (path.to_str(), meta) {
        (Some(name), Ok(meta)) if meta.is_file() => {
            let (path, bytes, modified) = (name.to_owned(), meta.len(), modified(&meta));
            walked.files.push(SeenFile { path, bytes, modified });
        }
        (_, Ok(meta)) if !meta.is_file() => {}
        (None, _) => walked.passed.push((path.display().to_string(), "its name is no text".to_owned())),
        (Some(name), Err(error)) => walked.passed.push((name.to_owned(), io_reason(&error))),
        (Some(_), Ok(_)) => {}
    }
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

fn is_piece(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| PIECE_ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

/// When a file was changed last; 0 if the file system does not say.
pub(super) fn modified(meta: &Metadata) -> WallMillis {
    let since = meta.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    WallMillis(since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(root: &Path) -> Vec<String> {
        let walked = walk(root, &mut || true).expect("a folder");
        let short = |file: &SeenFile| file.path.strip_prefix(root.to_str().expect("text")).expect("below").to_owned();
        walked.files.iter().map(short).collect()
    }

    #[test]
    fn pieces_are_found_at_every_depth_and_nothing_else() {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(dir.path().join("b/c/.git")).expect("folders");
        for name in ["z.mid", "b/c/x.MusicXML", "b/notes.txt", "b/.hidden.mid", "b/c/.git/y.mid", "a.KAR"] {
            std::fs::write(dir.path().join(name), b"12").expect("a file");
        }
        assert_eq!(names(dir.path()), ["/a.KAR", "/z.mid", "/b/c/x.MusicXML"]);
        assert!(walk(&dir.path().join("nowhere"), &mut || true).is_err());
        let none = walk(dir.path(), &mut || false).expect("a folder");
        assert_eq!(none, Walked::default(), "whoever stops at once has seen nothing");
    }

    #[test]
    #[cfg(unix)]
    fn links_in_a_circle_end_and_links_to_nowhere_are_told() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(dir.path().join("a")).expect("a folder");
        std::fs::write(dir.path().join("a/x.mid"), b"12").expect("a file");
        symlink(dir.path(), dir.path().join("a/around")).expect("a link");
        symlink(dir.path().join("a"), dir.path().join("b")).expect("a link");
        symlink("nothing", dir.path().join("gone.mid")).expect("a link");
        let walked = walk(dir.path(), &mut || true).expect("a folder");
        assert_eq!(names(dir.path()), ["/a/x.mid"]);
        let [(path, reason)] = &walked.passed[..] else { panic!("one is passed over: {walked:?}") };
        assert!(path.ends_with("gone.mid") && reason.contains("no such file"), "{path}: {reason}");
    }

    #[test]
    fn a_folder_that_is_too_deep_is_cut() {
        let dir = tempfile::tempdir().expect("a folder");
        let deep: PathBuf = (0..=DEPTH_MAX).map(|_| "d").collect();
        std::fs::create_dir_all(dir.path().join(&deep)).expect("folders");
        std::fs::write(dir.path().join(&deep).join("x.mid"), b"12").expect("a file");
        let walked = walk(dir.path(), &mut || true).expect("a folder");
        assert_eq!((walked.files.len(), walked.cut), (0, true));
    }
}
