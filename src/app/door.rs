//! How a second start of the program gives its file to the window that is open already: a local socket in the data
//! folder, which only the holder of the folder's lock listens at.
//!
//! What comes in is one path, and all that comes of it is that the window is asked to open that file. The folder must be
//! closed to other people, else there is no door; nothing of what is said is kept or carried out, and a caller who says
//! too much or nothing is left. On Windows, and where the folder's path is too long for a socket, there is none.

use std::path::{Path, PathBuf};

use crossbeam_channel::Receiver;

/// The socket's name in the data folder.
pub const DOOR: &str = "open.socket";

/// Why a file was not handed over. Each text is for the person at the instrument.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// Nobody listens, or the system knows no such sockets.
    #[error("it cannot be asked to open files ({0})")]
    Closed(std::io::Error),
    /// The window said no.
    #[error("it did not take the file: {0}")]
    Refused(String),
}

/// An open door; it closes when this is dropped.
pub struct Door {
    /// Files that are to be opened.
    pub files: Receiver<PathBuf>,
    #[cfg(unix)]
    _listening: unix::Listening,
}

impl Door {
    /// Opens the door of a data folder whose lock is held; `wake` is called when somebody has brought a file.
    ///
    /// # Errors
    /// The folder is open to other people, or the system gives no socket or no thread.
    pub fn open(dir: &Path, wake: Box<dyn Fn() + Send>) -> std::io::Result<Self> {
        #[cfg(unix)]
        {
            let (listening, files) = unix::Listening::begin(dir, wake)?;
            Ok(Self { files, _listening: listening })
        }
        #[cfg(not(unix))]
        {
            let _ = (dir, wake);
            Err(std::io::ErrorKind::Unsupported.into())
        }
    }
}

/// Asks the program that has a data folder to open a file.
///
/// # Errors
/// Nobody listens there, or the file was not taken.
pub fn hand_over(dir: &Path, file: &Path) -> Result<(), DoorError> {
    #[cfg(unix)]
    {
        unix::hand_over(&dir.join(DOOR), &std::path::absolute(file).map_err(DoorError::Closed)?)
    }
    #[cfg(not(unix))]
    {
        let _ = (dir, file);
        Err(DoorError::Closed(std::io::ErrorKind::Unsupported.into()))
    }
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsStr;
    use std::fs;
    use std::io::{self, ErrorKind, Read, Write};
    use std::net::Shutdown;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::path::{Path, PathBuf};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread::{Builder, JoinHandle};
    use std::time::Duration;

    use crossbeam_channel::{Receiver, Sender, bounded};

    use super::{DOOR, DoorError};

    /// Bytes of a path at most: as many as Linux takes.
    const PATH_MAX: u64 = 4_096;
    /// Reads until a path must be whole: it comes in one, unless the system parts it.
    const READS_MAX: usize = 16;
    /// How long either side waits for the other's next word. A program that draws a frame needs no longer.
    const PATIENCE: Duration = Duration::from_secs(2);
    /// Files that wait for the window.
    const FILES_MAX: usize = 8;
    /// What is answered when a file was taken; anything else says why not.
    const TAKEN: &str = "taken";

    pub(super) struct Listening {
        path: PathBuf,
        ends: Arc<AtomicBool>,
        thread: Option<JoinHandle<()>>,
    }

    impl Listening {
        pub(super) fn begin(dir: &Path, wake: Box<dyn Fn() + Send>) -> io::Result<(Self, Receiver<PathBuf>)> {
            if fs::metadata(dir)?.mode() & 0o077 != 0 {
                return Err(ErrorKind::PermissionDenied.into());
            }
            let path = dir.join(DOOR);
            // One that a killed program left: its lock is ours.
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let listener = UnixListener::bind(&path)?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
            let (bring, files) = bounded(FILES_MAX);
            let ends = Arc::new(AtomicBool::new(false));
            let end = Arc::clone(&ends);
            let work = move || listen(&listener, &bring, &end, &*wake);
            let thread = Some(Builder::new().name("door".to_owned()).spawn(work)?);
            Ok((Self { path, ends, thread }, files))
        }
    }

    impl Drop for Listening {
        fn drop(&mut self) {
            self.ends.store(true, Ordering::Release);
            // Wakes the thread; if nobody can come to it any more, it is left where it waits.
            let woken = UnixStream::connect(&self.path).is_ok();
            let _ = fs::remove_file(&self.path);
            if let Some(thread) = self.thread.take().filter(|_| woken) {
                let _ = thread.join();
            }
        }
    }

    fn listen(listener: &UnixListener, bring: &Sender<PathBuf>, ends: &AtomicBool, wake: &dyn Fn()) {
        for caller in listener.incoming() {
            if ends.load(Ordering::Acquire) {
                return;
            }
            // Without a caller there is nobody to tell; a system that gives no more sockets has told the caller.
            let Ok(mut caller) = caller else { return };
            let brought = |path| bring.try_send(path).map_err(|_| "too many files wait to be opened");
            let answer = match said(&mut caller).and_then(brought) {
                Ok(()) => {
                    wake();
                    TAKEN
                }
                Err(why) => why,
            };
            // Whoever does not listen has gone.
            let _ = caller.write_all(answer.as_bytes());
        }
    }

    /// The path that a caller says.
    fn said(caller: &mut UnixStream) -> Result<PathBuf, &'static str> {
        let unheard = |_| "the path was not heard";
        caller.set_read_timeout(Some(PATIENCE)).map_err(unheard)?;
        caller.set_write_timeout(Some(PATIENCE)).map_err(unheard)?;
        let mut bytes = [0; PATH_MAX as usize + 1];
        let mut length = 0;
        for _ in 0..READS_MAX {
            match caller.read(&mut bytes[length..]) {
                Ok(0) => return path(&bytes[..length]),
                Ok(read) => length += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Err("the path was not heard"),
            }
        }
        Err("the path came in too many pieces")
    }

    fn path(bytes: &[u8]) -> Result<PathBuf, &'static str> {
        let path = Path::new(OsStr::from_bytes(bytes));
        match () {
            () if bytes.len() as u64 > PATH_MAX => Err("the path is too long"),
            () if bytes.contains(&0) || !path.is_absolute() => Err("that is no whole path"),
            () => Ok(path.to_owned()),
        }
    }

    pub(super) fn hand_over(door: &Path, file: &Path) -> Result<(), DoorError> {
        match say(door, file).map_err(DoorError::Closed)? {
            answer if answer == TAKEN => Ok(()),
            answer => Err(DoorError::Refused(answer)),
        }
    }

    /// What is answered to a path.
    fn say(door: &Path, file: &Path) -> io::Result<String> {
        let mut window = UnixStream::connect(door)?;
        window.set_read_timeout(Some(PATIENCE))?;
        window.set_write_timeout(Some(PATIENCE))?;
        window.write_all(file.as_os_str().as_bytes())?;
        window.shutdown(Shutdown::Write)?;
        let mut answer = String::new();
        window.take(PATH_MAX).read_to_string(&mut answer)?;
        Ok(answer)
    }

    #[cfg(test)]
    mod tests {
        use super::super::{Door, hand_over};
        use super::*;

        const WAIT: Duration = Duration::from_secs(30);

        fn folder(mode: u32) -> tempfile::TempDir {
            let dir = tempfile::tempdir().expect("a folder");
            fs::set_permissions(dir.path(), fs::Permissions::from_mode(mode)).expect("ours");
            dir
        }

        /// What a caller who says these bytes is answered.
        fn call(dir: &Path, bytes: &[u8]) -> String {
            let mut caller = UnixStream::connect(dir.join(DOOR)).expect("somebody listens");
            // A caller who says too much is not heard to the end.
            let _ = caller.write_all(bytes);
            let _ = caller.shutdown(Shutdown::Write);
            let mut answer = String::new();
            let _ = caller.read_to_string(&mut answer);
            answer
        }

        #[test]
        fn a_file_is_handed_over_and_the_door_closes_with_its_program() {
            let dir = folder(0o700);
            let closed = hand_over(dir.path(), Path::new("a.mid"));
            assert!(matches!(closed, Err(DoorError::Closed(_))), "nobody is there yet: {closed:?}");
            // What a killed program left is in nobody's way.
            drop(UnixListener::bind(dir.path().join(DOOR)).expect("a socket"));
            let (woken, wakes) = bounded(FILES_MAX);
            let wake = Box::new(move || _ = woken.try_send(()));
            let door = Door::open(dir.path(), wake).expect("a door");
            let mode = fs::metadata(dir.path().join(DOOR)).expect("a socket").mode();
            assert_eq!(mode & 0o777, 0o600);
            hand_over(dir.path(), Path::new("/music/Bach/1 – Prélude.mid")).expect("taken");
            assert_eq!(door.files.recv_timeout(WAIT).ok(), Some(PathBuf::from("/music/Bach/1 – Prélude.mid")));
            wakes.recv_timeout(WAIT).expect("the window is woken");
            hand_over(dir.path(), Path::new("near.mid")).expect("taken");
            let whole = std::path::absolute("near.mid").expect("a path");
            assert_eq!(door.files.recv_timeout(WAIT).ok(), Some(whole), "the window may stand elsewhere");
            drop(door);
            assert!(!dir.path().join(DOOR).exists());
            assert!(matches!(hand_over(dir.path(), Path::new("a.mid")), Err(DoorError::Closed(_))));
        }

        #[test]
        fn what_is_no_path_is_not_taken_and_more_than_waits_is_refused() {
            let dir = folder(0o700);
            let door = Door::open(dir.path(), Box::new(|| {})).expect("a door");
            for (bytes, answer) in [
                (&b""[..], "that is no whole path"),
                (b"a.mid", "that is no whole path"),
                (b"/a\0b.mid", "that is no whole path"),
                (&[b'/'; PATH_MAX as usize + 1], "the path is too long"),
            ] {
                assert_eq!(call(dir.path(), bytes), answer);
            }
            assert_ne!(call(dir.path(), &vec![b'/'; 1 << 20]), TAKEN);
            assert_eq!(door.files.try_recv().ok(), None);
            for _ in 0..FILES_MAX {
                assert_eq!(call(dir.path(), b"/a.mid"), TAKEN);
            }
            let full = hand_over(dir.path(), Path::new("/a.mid"));
            assert!(matches!(full, Err(DoorError::Refused(_))), "{full:?}");
            assert_eq!(door.files.try_iter().count(), FILES_MAX);
        }

        #[test]
        fn a_folder_that_is_open_to_others_has_no_door() {
            for mode in [0o755, 0o770, 0o701] {
                let dir = folder(mode);
                let refused = Door::open(dir.path(), Box::new(|| {})).err().map(|error| error.kind());
                assert_eq!(refused, Some(ErrorKind::PermissionDenied), "{mode:o}");
            }
        }
    }
}
