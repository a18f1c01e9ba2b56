//! Calibration by loop-back: chirps go out through the sound device and come back through a cable or a microphone; how
//! late they come back is how late everything is that is heard.

use std::thread::JoinHandle;

use crate::audio::backend::StreamInfo;
use crate::audio::capture::{Captured, Input, Mark, capture};
use crate::audio::{Command, Emission, Engine, Supervisor};
use crate::listen::{ROUND_TRIP_MAX, RoundTrip, chirp, emissions};
use crate::time::{Frames, Micros, Rate, Stamp};

/// Silence before the first chirp: the input may need a moment to open its ears.
const LEAD: Micros = Micros::from_millis(300);
/// Nothing has come back for so long: the device does not call.
const PATIENCE: Micros = Micros::from_millis(3_000);

/// How a calibration by loop-back stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoopbackStand {
    /// It is under way, so many hundredths of it.
    Listening(u8),
    /// Sound is heard so long after its frame.
    Heard(Micros),
    /// Why nothing was measured.
    Failed(String),
}

enum Phase {
    /// Chirps go out and are recorded.
    Recording,
    /// They are looked for.
    Searching(JoinHandle<Result<Micros, String>>),
}

/// One calibration under way.
pub struct Loopback {
    output: Rate,
    input: Input,
    captured: Captured,
    /// Where the chirps lie in what goes out.
    offsets: Vec<Frames>,
    recording: Vec<f32>,
    first: Option<Mark>,
    /// What to add to a time of the input's frames to have the program's clock: the least-delayed block counts.
    punctual: Option<Micros>,
    wanted: usize,
    began: Option<Stamp>,
    heard_last: Micros,
    phase: Phase,
}

impl Loopback {
    /// Opens the input of this id, or the default one, and sends the chirps.
    ///
    /// # Errors
    /// There is no input, or it does not work; one line.
    pub fn begin(
        now: Micros,
        engine: &mut Engine,
        supervisor: &mut Supervisor,
        device: Option<&str>,
    ) -> Result<Self, String> {
        let StreamInfo { rate: output, .. } = supervisor.info().cloned().ok_or("no sound device runs")?;
        let (tap, captured) = capture();
        let input = supervisor.listen(device, Some(tap)).map_err(|e| e.to_string())?.ok_or("there is no input")?;
        let one = chirp(output);
        let offsets = emissions(output.frames(LEAD), output).to_vec();
        let end = offsets.last().map_or(0, |last| last.0) as usize + one.len();
        let mut samples = vec![0.0; end];
        for offset in &offsets {
            let at = offset.0.max(0) as usize;
            samples[at..at + one.len()].copy_from_slice(&one);
        }
        engine.send(Command::Emit(Box::new(Emission::new(samples))));
        let seconds = output.micros(Frames(end as i64)) + ROUND_TRIP_MAX + LEAD;
        let wanted = input.rate.frames(seconds).0 as usize;
        let (recording, phase) = (Vec::with_capacity(wanted), Phase::Recording);
        let (first, punctual, began) = (None, None, None);
        Ok(Self { output, input, captured, offsets, recording, first, punctual, wanted, began, heard_last: now, phase })
    }

    /// Takes in what came back. Call it a hundred times a second: less than a second and a half fits the ring.
    pub fn poll(&mut self, now: Micros, engine: &mut Engine) -> LoopbackStand {
        match &self.phase {
            Phase::Recording => self.record(now, engine).unwrap_or_else(LoopbackStand::Failed),
            Phase::Searching(thread) if !thread.is_finished() => LoopbackStand::Listening(100),
            Phase::Searching(_) => self.found(),
        }
    }

    fn record(&mut self, now: Micros, engine: &mut Engine) -> Result<LoopbackStand, String> {
        while let Some(mark) = self.captured.pop(|samples| self.recording.extend_from_slice(samples)) {
            if mark.lost > 0 {
                return Err("the input came faster than it could be recorded; try again".to_owned());
            }
            self.heard_last = now;
            self.first.get_or_insert(mark);
            let offset = mark.mono - self.input.rate.micros(mark.first);
            self.punctual = Some(self.punctual.map_or(offset, |punctual| punctual.min(offset)));
        }
        if now - self.heard_last > PATIENCE || self.captured.is_over() {
            return Err("nothing comes in".to_owned());
        }
        if let Some(emission) = engine.take_emission() {
            self.began = emission.began().filter(|_| emission.is_whole());
        }
        if self.recording.len() < self.wanted {
            return Ok(LoopbackStand::Listening((self.recording.len() * 100 / self.wanted.max(1)) as u8));
        }
        self.search()
    }

    /// Looks for the chirps on a thread of its own: it takes some tens of milliseconds.
    fn search(&mut self) -> Result<LoopbackStand, String> {
        let emitted = self.emitted().ok_or("the chirps were not played to their end")?;
        let (recording, rate) = (std::mem::take(&mut self.recording), self.input.rate);
        let on_the_way_in = rate.micros(Frames(i64::from(self.input.latency)));
        let find = move || {
            let trip = RoundTrip::find(&recording, &emitted, rate).map_err(|e| e.to_string())?;
            Ok((trip.micros(rate) - on_the_way_in).max(Micros::ZERO))
        };
        let thread = std::thread::Builder::new().name("chirps".to_owned()).spawn(find).map_err(|e| e.to_string())?;
        self.phase = Phase::Searching(thread);
        Ok(LoopbackStand::Listening(100))
    }

    /// When each chirp was due, in samples of the recording.
    fn emitted(&self) -> Option<Vec<Frames>> {
        let (began, first, punctual) = (self.began?, self.first?, self.punctual?);
        let start = if self.input.shares_frames {
            began.frame? - first.first
        } else {
            self.input.rate.frames(began.mono - punctual) - first.first
        };
        let scaled = |offset: &Frames| start + self.input.rate.frames(self.output.micros(*offset));
        Some(self.offsets.iter().map(scaled).collect())
    }

    fn found(&mut self) -> LoopbackStand {
        let Phase::Searching(thread) = std::mem::replace(&mut self.phase, Phase::Recording) else {
            return LoopbackStand::Listening(100);
        };
        match thread.join() {
            Ok(Ok(heard)) => LoopbackStand::Heard(heard),
            Ok(Err(reason)) => LoopbackStand::Failed(reason),
            Err(_) => LoopbackStand::Failed("the search for the chirps failed".to_owned()),
        }
    }

    /// The input is closed, and chirps that are left are not played.
    pub fn end(self, engine: &mut Engine, supervisor: &mut Supervisor) {
        engine.send(Command::Emit(Box::new(Emission::new(Vec::new()))));
        // The stream may be gone already, and its tap with it.
        let _ended = supervisor.listen(None, None);
    }
}
