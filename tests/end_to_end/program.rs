//! The program itself and the screen it draws on: processes that end with the test, whatever happens.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

const BINARY: &str = env!("CARGO_BIN_EXE_music-trainer");

/// A virtual X display.
pub(crate) struct Display {
    server: Child,
    name: String,
}

impl Display {
    /// On a free number, which the server finds itself and says when it is ready.
    pub(crate) fn start() -> Self {
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb starts: apt-get install xvfb");
        let mut number = String::new();
        let said = server.stdout.take().map(|out| BufReader::new(out).read_line(&mut number));
        let name = format!(":{}", number.trim());
        let display = Self { server, name };
        assert!(matches!(said, Some(Ok(1..))), "Xvfb found no display to serve: apt-get install xvfb");
        display
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        // Asked, it removes its socket and its lock.
        let asked = Command::new("kill").arg(self.server.id().to_string()).status();
        if !asked.is_ok_and(|status| status.success()) {
            let _gone = self.server.kill();
        }
        let _gone = self.server.wait();
    }
}

/// The program with its window.
pub(crate) struct Program {
    child: Child,
    /// The inspection port.
    pub(crate) port: u16,
}

impl Program {
    pub(crate) fn start(data: &Path, display: &Display) -> Self {
        let free = TcpListener::bind(("127.0.0.1", 0)).and_then(|l| l.local_addr()).expect("a free port");
        let child = Command::new(BINARY)
            .args(["--backend", "jack", "--data-dir"])
            .arg(data)
            .env("DISPLAY", &display.name)
            .env_remove("WAYLAND_DISPLAY")
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .env("EGUI_INSPECTION", free.to_string())
            .spawn()
            .expect("the program starts");
        Self { child, port: free.port() }
    }

    /// As kill -9 does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("the program runs");
        let status = self.child.wait().expect("its end");
        assert!(!status.success(), "it was killed and did not end by itself: {status}");
    }

    /// Waits until it has ended by itself, well.
    pub(crate) fn wait(&mut self) {
        let status = self.child.wait().expect("its end");
        assert!(status.success(), "{status}");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// Runs a command of the command line; its standard output, if it ended well.
pub(crate) fn run(arguments: &[&str], data: &Path) -> String {
    let (command, options) = arguments.split_first().expect("a command");
    let output: Output = Command::new(BINARY).arg(command).arg(data).args(options).output().expect("the program runs");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{arguments:?}: {}{}", said(&output.stdout), said(&output.stderr));
    said(&output.stdout)
}
