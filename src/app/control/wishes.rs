//! What a person wants of the control thread, and how it is done: one `match`.

use std::path::PathBuf;

use super::{EngineCommand, SETTLE, Worker};
use crate::bus::Publish;
use crate::bus::lane::ESSENTIAL_SLOTS;
use crate::components::library::{OpenError, Opened, Source};
use crate::components::player::Tape;
use crate::components::session::first_settings;
use crate::midi::Cause;
use crate::model::{Entity, Event, PieceId, Settings};
use crate::music::Pitch;
use crate::practice::{Mode, PracticeSettings};
use crate::time::{Micros, Ticks};

/// What the window, or a command line, wants.
pub enum Wish {
    /// Put a piece of the library on the stand, to be practised so, or as it was the last time.
    Open(PieceId, Option<PracticeSettings>),
    /// Open a file.
    OpenFile(PathBuf),
    /// Wait no longer for the piece that is being read.
    StopOpening,
    /// Take the piece off the stand.
    Close,
    /// Start playing or practising.
    Play,
    /// Stop, and keep this place for the next time.
    Stop(Option<Ticks>),
    /// Back to the start of the range.
    Restart,
    /// Go to a tick's bar.
    Seek(Ticks),
    /// Practise so from now on; the music is at this place.
    Choose(PracticeSettings, Option<Ticks>),
    /// A key in the window or on the computer keyboard went down.
    KeyDown {
        /// When the window learnt of it.
        at: Micros,
        /// What pressed it.
        cause: Cause,
        /// Which key.
        pitch: Pitch,
        /// How hard, 1 to 127.
        velocity: u8,
    },
    /// And up.
    KeyUp {
        /// When the window learnt of it.
        at: Micros,
        /// What let go.
        cause: Cause,
    },
    /// Begin at once, if the practice waits for the person's first note.
    Await,
    /// All sound off, all keys up.
    Panic,
    /// Settings have changed.
    Settings(Box<Settings>),
    /// Play a take, or stop it.
    PlayTake(Option<Tape>),
    /// Open again what was left out because the program once ended while it opened it.
    OpenLeftOut,
    /// A second of sound through the whole chain.
    TestTone,
    /// Begin to measure by tapping how late the devices are, or stop it.
    TapAlong(bool),
    /// Begin to measure by chirps that come back how late the sound is, or stop it.
    LoopBack(bool),
    /// Forget what was measured of the sound device.
    ForgetCalibration,
    /// Look which sound devices there are.
    LookForDevices,
    /// Listen to the microphone, or no more.
    Listen(bool),
    /// More than it holds into the lane of the window's keys, at this moment.
    FillLane(Micros),
    /// End.
    Quit,
}

impl Worker {
    pub(super) fn wish(&mut self, wish: Wish) {
        let Some(wish) = self.wait_for_piece(wish) else { return };
        self.give_way(&wish);
        self.end_listening(&wish);
        let now = self.clock.now();
        let ids = &mut self.ids;
        match wish {
            Wish::Open(id, practice) => self.open(Source::Piece(id), practice),
            Wish::OpenFile(path) => self.open(Source::File(path), None),
            Wish::StopOpening => self.opening.give_up(),
            Wish::Close => self.session.close(&mut || ids.next()),
            Wish::Play if !self.session.has_something_to_play() => self.tell_nothing_to_play(),
            Wish::Play => self.session.play(&mut || ids.next()),
            Wish::Stop(at) => self.session.pause(at, &mut || ids.next()),
            Wish::Restart => self.session.restart(),
            Wish::Seek(tick) => self.session.seek(tick),
            Wish::Choose(practice, at) => self.choose(practice, at),
            Wish::Await => self.session.await_person(&mut || ids.next()),
            Wish::KeyDown { at, cause, pitch, velocity } => self.midi.keys().press(at, cause, pitch, velocity),
            Wish::KeyUp { at, cause } => self.midi.keys().release(at, cause),
            Wish::Panic => self.panic(now),
            Wish::Settings(settings) => {
                let old = std::mem::replace(&mut self.settings, *settings);
                self.apply_settings(Some(old));
            }
            Wish::PlayTake(Some(tape)) => {
                if self.session.is_playing() {
                    self.session.pause(None, &mut || ids.next());
                }
                self.player.play(tape, now, &mut self.engine);
            }
            Wish::PlayTake(None) => {}
            Wish::OpenLeftOut => {
                if self.openings.allow_all(|_| true) {
                    self.sound.choose(&self.settings);
                    self.midi.list_anew();
                }
            }
            Wish::Listen(on) => self.sound.set_listening(on),
            Wish::TestTone => self.sound.test_tone(&mut self.engine),
            Wish::TapAlong(begin) => self.tap_along(begin),
            Wish::LoopBack(begin) => self.loop_back(begin),
            Wish::ForgetCalibration => self.forget_calibration(),
            Wish::LookForDevices => self.sound.look(),
            Wish::FillLane(at) => self.midi.keys().flood(at, 2 * ESSENTIAL_SLOTS),
            Wish::Quit => {}
        }
        self.carry_out();
        self.changed = true;
    }

    /// Whoever begins to play, or wants silence, has listened enough.
    pub(super) fn end_listening(&mut self, wish: &Wish) {
        let ends = matches!(
            wish,
            Wish::Open(..)
                | Wish::OpenFile(_)
                | Wish::Play
                | Wish::Restart
                | Wish::Await
                | Wish::Panic
                | Wish::PlayTake(_)
                | Wish::TestTone
                | Wish::TapAlong(true)
                | Wish::LoopBack(true)
        );
        if ends {
            self.player.stop(&mut self.engine);
        }
    }

    pub(super) fn panic(&mut self, now: Micros) {
        self.session.stop(&mut || self.ids.next());
        self.midi.panic(now);
        self.engine.send(EngineCommand::Panic);
        self.held = 0;
    }

    pub(super) fn choose(&mut self, practice: PracticeSettings, at: Option<Ticks>) {
        let practice = self.for_everything(practice);
        // Whoever paused goes on when they say so, or choose another mode; other hands or a loop do not.
        let paused = self.session.is_paused();
        let practised = |p: &PracticeSettings| (!paused).then_some((p.practise, p.range, p.looping));
        let course = |p: &PracticeSettings| (p.mode, practised(p));
        let goes_on = self.session.is_playing() || course(self.session.settings()) != course(&practice);
        let (hands, range) = (self.session.settings().practise, self.session.settings().range);
        self.session.choose(practice, at, &mut || self.ids.next());
        if goes_on {
            self.session.await_person(&mut || self.ids.next());
        }
        if (hands, range) != (practice.practise, practice.range) && !self.session.has_something_to_play() {
            self.tell_nothing_to_play();
        }
        if let Some(stand) = self.session.stand() {
            self.unsaved = Some((stand.id.clone(), practice, self.clock.now() + SETTLE));
        }
    }

    /// Publishes how a piece is practised once the sliders have come to rest.
    pub(super) fn save_practice(&mut self, now: Option<Micros>) {
        if self.unsaved.as_ref().is_some_and(|(_, _, due)| now.is_none_or(|now| now >= *due))
            && let Some((piece, practice, _)) = self.unsaved.take()
        {
            self.bus.publish(Publish::new(piece.entity(), Event::PracticeChosen(practice)));
        }
    }

    pub(super) fn stand(&mut self, opened: Result<Opened, OpenError>, practice: Option<PracticeSettings>) {
        self.save_practice(None);
        match opened {
            Ok(_) if self.parked => {
                self.notice(true, "practising is off until the program is started again".to_owned())
            }
            Ok(Opened { id, score, warnings }) => {
                for warning in warnings {
                    self.notice(false, warning);
                }
                let known = match self.bus.snapshot().state.value(id.entity().as_str()) {
                    Some(Entity::Piece(piece)) => *piece.practice,
                    _ => None,
                };
                let practice = practice.or(known).unwrap_or_else(|| first_settings(Mode::Wait));
                let (stand, practice) = (self.on_stand(id, score), self.for_everything(practice));
                self.session.open(stand, practice, &mut || self.ids.next());
                self.session.await_person(&mut || self.ids.next());
            }
            Err(error) => self.notice(true, error.to_string()),
        }
    }
}
