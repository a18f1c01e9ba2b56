//! Files that are there whole or not at all: written beside their place, and put there when they are done. What is there
//! already is never written over.

use std::fs::{File, hard_link, remove_file, rename};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Unfinished files of one name at most: a program that is killed leaves one.
const PARTS_MAX: u32 = 1_000;

/// Writes a file by `write`, which is told where, and puts it at the first of these places where nothing is; gives the
/// place too. `failed` says what it means that the system would not put it there.
///
/// # Errors
/// Those of `write`, and of `failed`: at every place there is something, or the system refuses. Nothing is left of the
/// file then.
pub fn create<T, E>(
    places: impl IntoIterator<Item = PathBuf>,
    write: impl FnOnce(&Path) -> Result<T, E>,
    failed: impl Fn(&Path, io::Error) -> E,
) -> Result<(PathBuf, T), E> {
    let mut places = places.into_iter().peekable();
    let first = places.peek().cloned().unwrap_or_default();
    let part = reserve(&first).map_err(|error| failed(&first, error))?;
    let done = write(&part).and_then(|value| {
        // Else a power cut may leave a name without its content.
        let saved = File::options().write(true).open(&part).and_then(|file| file.sync_all());
        saved.map_err(|error| failed(&first, error))?;
        let mut taken = (first, ErrorKind::AlreadyExists.into());
        for place in places {
            match put(&part, &place) {
                Ok(()) => return Ok((place, value)),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => taken = (place, error),
                Err(error) => return Err(failed(&place, error)),
            }
        }
        Err(failed(&taken.0, taken.1))
    });
    // It has its name by now, or is of no use to anybody.
    let _gone = remove_file(&part);
    done
}

/// An empty file beside the place, for this call alone.
fn reserve(place: &Path) -> io::Result<PathBuf> {
    for n in 0..PARTS_MAX {
        let part = place.with_added_extension(if n == 0 { "part".to_owned() } else { format!("{n}.part") });
        match File::create_new(&part) {
            Ok(_) => return Ok(part),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

/// Gives a finished file another name, unless something has it.
fn put(part: &Path, place: &Path) -> io::Result<()> {
    match hard_link(part, place) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists && part.exists() => put_without_links(part, place),
        done => done,
    }
}

/// The same on file systems without links (FAT, some of the network): the name is taken by an empty file first, whose
/// place the whole one takes in one step.
fn put_without_links(part: &Path, place: &Path) -> io::Result<()> {
    drop(File::create_new(place)?);
    rename(part, place).inspect_err(|_| {
        let _gone = remove_file(place);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let names = std::fs::read_dir(dir).expect("the folder").map(|entry| entry.expect("readable").file_name());
        let mut names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    fn write(bytes: &'static str) -> impl FnOnce(&Path) -> io::Result<()> {
        move |part| std::fs::write(part, bytes)
    }

    #[test]
    fn a_file_takes_the_first_place_where_nothing_is_even_if_it_was_taken_meanwhile() {
        let dir = tempfile::tempdir().expect("a folder");
        let places = || (1..4).map(|n| dir.path().join(format!("{n}.mid")));
        let read = |n: u8| std::fs::read_to_string(dir.path().join(format!("{n}.mid"))).expect("a file");
        let (place, ()) = create(places(), write("first"), |_, e| e).expect("written");
        assert_eq!(place, dir.path().join("1.mid"));
        // Somebody else is quicker while it is being written.
        let late = |part: &Path| write("other")(&dir.path().join("2.mid")).and_then(|()| write("late")(part));
        let (place, ()) = create(places(), late, |_, e| e).expect("written");
        assert_eq!(place, dir.path().join("3.mid"));
        assert_eq!([read(1), read(2), read(3)], ["first", "other", "late"]);
        let full =
            create(places(), write("fourth"), |place, error| io::Error::new(error.kind(), place.display().to_string()));
        let full = full.expect_err("no place is left");
        assert_eq!(
            (full.kind(), full.to_string()),
            (ErrorKind::AlreadyExists, dir.path().join("3.mid").display().to_string())
        );
        assert_eq!(names(dir.path()), ["1.mid", "2.mid", "3.mid"], "nothing is left over");
    }

    #[test]
    fn what_fails_leaves_nothing_and_what_is_unfinished_elsewhere_is_left_alone() {
        let dir = tempfile::tempdir().expect("a folder");
        let place = dir.path().join("take.mid");
        std::fs::write(dir.path().join("take.mid.part"), "another program's").expect("a file");
        let broken = |part: &Path| write("half")(part).and(Err::<(), _>(io::Error::other("full")));
        assert!(create([place.clone()], broken, |_, e| e).is_err());
        assert_eq!(names(dir.path()), ["take.mid.part"]);
        create([place], write("whole"), |_, e| e).expect("written");
        assert_eq!(names(dir.path()), ["take.mid", "take.mid.part"]);
        let nowhere = dir.path().join("none/take.mid");
        assert!(create([nowhere], write("x"), |_, e| e).is_err());
    }

    #[test]
    fn without_links_a_name_is_taken_before_it_is_filled() {
        let dir = tempfile::tempdir().expect("a folder");
        let (part, place) = (dir.path().join("part"), dir.path().join("place"));
        std::fs::write(&part, "whole").expect("a file");
        std::fs::write(&place, "other").expect("a file");
        let taken = put_without_links(&part, &place).expect_err("it is taken");
        assert_eq!(taken.kind(), ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read_to_string(&place).expect("there"), "other");
        std::fs::remove_file(&place).expect("removed");
        put_without_links(&part, &place).expect("put");
        assert_eq!(std::fs::read_to_string(&place).expect("there"), "whole");
        assert!(put_without_links(&part, &dir.path().join("again")).is_err());
        assert_eq!(names(dir.path()), ["place"], "a name that could not be filled is given back");
    }
}
