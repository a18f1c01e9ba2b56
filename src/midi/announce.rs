//! Listens to the announcements of the ALSA sequencer: a client of its own on a thread of its own, which raises a flag
//! when a port or client comes or goes. Where there is no sequencer there is no listener.

use std::ffi::CStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use alsa::poll::{Descriptors, poll};
use alsa::seq::{Addr, EventType, PortCap, PortSubscribe, PortType, Seq};

use super::watch::{Announced, Announcer};

/// How long the thread sleeps at most before it looks whether it is still wanted, in milliseconds.
const WANTED_MILLIS: i32 = 1_000;
/// An error may mean that announcements came too fast, and some are lost: that is news. So many in a row are more.
const FAILURES_MAX: u32 = 16;
const NAME: &CStr = c"Music Trainer announcements";

#[derive(Default)]
struct Shared {
    changed: AtomicBool,
    ended: AtomicBool,
    unwanted: AtomicBool,
}

/// See the module. The thread ends within a second after it is dropped.
pub struct SequencerAnnouncer(Arc<Shared>);

impl SequencerAnnouncer {
    /// Starts to listen.
    ///
    /// # Errors
    /// There is no sequencer, or it gives no port; in its words.
    pub fn start() -> Result<Self, String> {
        // Asking ALSA for a sequencer that is not there makes it print to standard error.
        if !std::path::Path::new("/dev/snd/seq").exists() {
            return Err("this machine has no MIDI sequencer (/dev/snd/seq)".to_owned());
        }
        let sequencer = subscribed().map_err(|error| error.to_string())?;
        let shared = Arc::new(Shared::default());
        let raised = shared.clone();
        let thread = std::thread::Builder::new().name("midi watch".to_owned());
        thread
            .spawn(move || {
                listen(&sequencer, &raised);
                raised.ended.store(true, Ordering::Release);
            })
            .map_err(|error| error.to_string())?;
        Ok(Self(shared))
    }
}

impl Announcer for SequencerAnnouncer {
    fn heard(&mut self) -> Announced {
        if self.0.ended.load(Ordering::Acquire) {
            Announced::Unknown
        } else if self.0.changed.swap(false, Ordering::AcqRel) {
            Announced::Something
        } else {
            Announced::Nothing
        }
    }
}

impl Drop for SequencerAnnouncer {
    fn drop(&mut self) {
        self.0.unwanted.store(true, Ordering::Release);
    }
}

fn subscribed() -> alsa::Result<Seq> {
    let sequencer = Seq::open(None, Some(alsa::Direction::Capture), true)?;
    sequencer.set_client_name(NAME)?;
    let port = sequencer.create_simple_port(NAME, PortCap::WRITE | PortCap::NO_EXPORT, PortType::APPLICATION)?;
    let subscription = PortSubscribe::empty()?;
    subscription.set_sender(Addr::system_announce());
    subscription.set_dest(Addr { client: sequencer.client_id()?, port });
    sequencer.subscribe_port(&subscription)?;
    Ok(sequencer)
}

/// Listens until it is not wanted any more, or works no longer.
fn listen(sequencer: &Seq, shared: &Shared) {
    let Ok(mut descriptors) = (sequencer, Some(alsa::Direction::Capture)).get() else { return };
    let mut failures = 0;
    while !shared.unwanted.load(Ordering::Acquire) && failures < FAILURES_MAX {
        let heard = poll(&mut descriptors, WANTED_MILLIS).and_then(|_| take(sequencer));
        if heard != Ok(false) {
            shared.changed.store(true, Ordering::Release);
        }
        failures = if heard.is_ok() { 0 } else { failures + 1 };
    }
}

/// Takes all that has been announced; whether any of it is news.
fn take(sequencer: &Seq) -> alsa::Result<bool> {
    let mut input = sequencer.input();
    let mut news = false;
    while input.event_input_pending(true)? > 0 {
        news |= is_news(input.event_input()?.get_type());
    }
    Ok(news)
}

/// Whether an announcement is about what can be played on or heard; subscriptions of others are not.
fn is_news(event: EventType) -> bool {
    use EventType::{ClientChange, ClientExit, ClientStart, PortChange, PortExit, PortStart};
    matches!(event, ClientStart | ClientExit | ClientChange | PortStart | PortExit | PortChange)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_a_sequencer_has_no_listener_and_says_so_and_one_with_it_hears_a_client_come() {
        if !std::path::Path::new("/dev/snd/seq").exists() {
            let error = SequencerAnnouncer::start().err().expect("there is nothing to listen to");
            assert!(error.contains("/dev/snd/seq"), "{error}");
            return;
        }
        let mut announcer = SequencerAnnouncer::start().expect("there is a sequencer");
        let _other = Seq::open(None, None, true).expect("another client");
        let heard = (0..500).any(|_| {
            std::thread::park_timeout(std::time::Duration::from_millis(10));
            announcer.heard() == Announced::Something
        });
        assert!(heard, "a client that comes is announced");
    }

    #[test]
    fn ports_and_clients_are_news_and_their_notes_are_not() {
        assert!(is_news(EventType::PortStart) && is_news(EventType::ClientExit));
        assert!(!is_news(EventType::Noteon) && !is_news(EventType::PortSubscribed));
    }
}
