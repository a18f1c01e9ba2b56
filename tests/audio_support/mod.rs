//! What the audio tests share: an engine on the stepped backend, an instrument that writes down what it is told, and a
//! script of things to do at exact frames.
#![allow(dead_code, unreachable_pub)]

use music_trainer::audio::backend::stepped::{Driver, SteppedBackend, stepped};
use music_trainer::audio::backend::{Backend, Stream, StreamConfig};
use music_trainer::audio::instrument::{Instrument, Part, Pedal};
use music_trainer::audio::{AudioEvent, Command, Engine, Played, Reports, Schedule, TimedMidi, TransportEvent, engine};
use music_trainer::bus::lane::LaneItem;
use music_trainer::music::{Hand, Pitch, Score, ScoreParts, Tempo, WrittenNote};
use music_trainer::time::{Micros, Rate, Stamp, StreamId, Ticks};

/// An engine whose stream a test drives.
pub struct Rig {
    pub engine: Engine,
    pub reports: Reports,
    pub driver: Driver,
    pub stream: Option<Box<dyn Stream>>,
    pub backend: SteppedBackend,
}

impl Rig {
    /// A stream at 48 kHz whose nominal period is `period`.
    pub fn new(instrument: Box<dyn Instrument>, period: u32) -> Self {
        let (engine, processor, reports) = engine(instrument, Rate::DEFAULT);
        let (mut backend, driver) = stepped();
        let config = StreamConfig { period, stream: StreamId(1), ..StreamConfig::default() };
        let stream = backend.start(processor, &config).map_err(|e| e.error).expect("the stepped backend starts");
        Self { engine, reports, driver, stream: Some(stream), backend }
    }

    /// The stream ends, and another begins.
    pub fn restart(&mut self, rate: Rate, period: u32) {
        let processor = self.stream.take().and_then(|stream| stream.stop()).expect("a stream ran");
        self.driver.set_rate(rate);
        let config = StreamConfig { period, rate, stream: StreamId(2), ..StreamConfig::default() };
        let stream = self.backend.start(processor, &config).map_err(|e| e.error).expect("the stepped backend starts");
        self.stream = Some(stream);
    }

    /// One with a recorder on stage.
    pub fn recorded(period: u32) -> (Self, Log) {
        let (recorder, log) = Recorder::new();
        (Self::new(Box::new(recorder), period), log)
    }

    pub fn load(&mut self, score: &Score) {
        self.engine.send(Command::Load(Box::new(Schedule::of_score(score))));
    }

    /// What the essential lane holds.
    pub fn events(&mut self) -> Vec<(Stamp, AudioEvent)> {
        events(&mut self.reports)
    }

    /// The transport's events with their frames.
    pub fn transport_events(&mut self) -> Vec<(i64, TransportEvent)> {
        let transport = |(stamp, event): (Stamp, AudioEvent)| match event {
            AudioEvent::Transport(event) => Some((stamp.frame.expect("the callback knows the frame").0, event)),
            AudioEvent::Live { .. } => None,
        };
        self.events().into_iter().filter_map(transport).collect()
    }
}

/// What the essential lane holds; nothing may be lost.
pub fn events(reports: &mut Reports) -> Vec<(Stamp, AudioEvent)> {
    let mut events = Vec::new();
    reports.events.drain(usize::MAX, |item| match item {
        LaneItem::Event { stamp, body } => events.push((stamp, body)),
        LaneItem::Gap { lost, .. } => panic!("{lost} events lost"),
        LaneItem::Closed => {}
    });
    events
}

/// What an instrument was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    On(u8, u8),
    Off(u8),
    Pedal(u8),
    Bend(i32),
    Pressure(u8),
    Silence,
}

/// Writes down what it is told and at which frame; sounds a decaying tone of its own for each key.
pub struct Recorder {
    frame: i64,
    log: rtrb::Producer<(i64, Part, Call)>,
    level: f32,
}

/// What the recorder wrote.
pub struct Log(rtrb::Consumer<(i64, Part, Call)>);

impl Recorder {
    pub fn new() -> (Self, Log) {
        let (producer, consumer) = rtrb::RingBuffer::new(100_000);
        (Self { frame: 0, log: producer, level: 0.0 }, Log(consumer))
    }

    fn write(&mut self, part: Part, call: Call) {
        self.log.push((self.frame, part, call)).expect("the log is long enough");
    }
}

impl Log {
    /// Everything of one part since last asked.
    pub fn of(&mut self, part: Part) -> Vec<(i64, Call)> {
        let mut calls = Vec::new();
        while let Ok((frame, of, call)) = self.0.pop() {
            if of == part {
                calls.push((frame, call));
            }
        }
        calls
    }

    /// The onsets of one part: frame and key.
    pub fn onsets(&mut self, part: Part) -> Vec<(i64, u8)> {
        let onset = |(frame, call)| match call {
            Call::On(key, _) => Some((frame, key)),
            _ => None,
        };
        self.of(part).into_iter().filter_map(onset).collect()
    }
}

impl Instrument for Recorder {
    fn note_on(&mut self, part: Part, pitch: Pitch, velocity: u8) {
        self.write(part, Call::On(pitch.key(), velocity));
        self.level += f32::from(velocity) / 1270.0;
    }
    fn note_off(&mut self, part: Part, pitch: Pitch) {
        self.write(part, Call::Off(pitch.key()));
    }
    fn pedal(&mut self, part: Part, pedal: Pedal) {
        if let Pedal::Sustain(value) = pedal {
            self.write(part, Call::Pedal(value));
        }
    }
    fn bend(&mut self, part: Part, cents: f32) {
        self.write(part, Call::Bend(cents.round() as i32));
    }
    fn pressure(&mut self, part: Part, value: u8) {
        self.write(part, Call::Pressure(value));
    }
    fn silence(&mut self, part: Part) {
        self.write(part, Call::Silence);
    }
    fn render(&mut self, left: &mut [f32], right: &mut [f32]) {
        for (l, r) in left.iter_mut().zip(right) {
            (*l, *r) = (self.level, self.level);
            self.level *= 0.99;
        }
        self.frame += left.len() as i64;
    }
    fn voices(&self) -> usize {
        0
    }
}

/// One sample of 0.5 for each onset.
#[derive(Default)]
pub struct Pulse(bool);

impl Instrument for Pulse {
    fn note_on(&mut self, _: Part, _: Pitch, _: u8) {
        self.0 = true;
    }
    fn note_off(&mut self, _: Part, _: Pitch) {}
    fn pedal(&mut self, _: Part, _: Pedal) {}
    fn silence(&mut self, _: Part) {}
    fn render(&mut self, left: &mut [f32], right: &mut [f32]) {
        left.fill(0.0);
        right.fill(0.0);
        if let (Some(l), Some(r)) = (left.first_mut(), right.first_mut()) {
            let pulse = if std::mem::take(&mut self.0) { 0.5 } else { 0.0 };
            (*l, *r) = (pulse, pulse);
        }
    }
    fn voices(&self) -> usize {
        0
    }
}

/// Panics when it is asked for sound.
pub struct Broken;

impl Instrument for Broken {
    fn note_on(&mut self, _: Part, _: Pitch, _: u8) {}
    fn note_off(&mut self, _: Part, _: Pitch) {}
    fn pedal(&mut self, _: Part, _: Pedal) {}
    fn silence(&mut self, _: Part) {}
    fn render(&mut self, _: &mut [f32], _: &mut [f32]) {
        panic!("a broken instrument, as the test wants it");
    }
    fn voices(&self) -> usize {
        0
    }
}

/// A score at 120 quarters a minute and 480 ticks (50 frames a tick at 48 kHz) in 4/4: onset, end, key, hand.
pub fn score(notes: &[(i64, i64, u8, Hand)]) -> Score {
    let notes = notes
        .iter()
        .map(|&(onset, end, key, hand)| WrittenNote {
            onset: Ticks(onset),
            end: Ticks(end),
            pitch: Pitch::new(key).expect("a key"),
            hand,
            velocity: 80,
        })
        .collect();
    let tempos = vec![Tempo { tick: Ticks(0), micros_per_quarter: 500_000 }];
    Score::new(ScoreParts { resolution: 480, notes, tempos, ..Default::default() })
}

/// Something at a frame.
pub enum Act {
    Do(Command),
    Play(Played),
}

pub fn on(key: u8, velocity: u8) -> Act {
    Act::Play(Played::On { pitch: Pitch::new(key).expect("a key"), velocity })
}

pub fn off(key: u8) -> Act {
    Act::Play(Played::Off { pitch: Pitch::new(key).expect("a key") })
}

pub fn pedal(value: u8) -> Act {
    Act::Play(Played::Pedal(Pedal::Sustain(value)))
}

/// Runs a script over `frames` in blocks of the given sizes, over and over. A block ends where a command is due, so that
/// commands take effect at the same frames whatever the sizes. Returns both channels.
pub fn perform(rig: &mut Rig, script: Vec<(i64, Act)>, frames: usize, sizes: &[usize]) -> [Vec<f32>; 2] {
    let (mut left, mut right) = (vec![0.0; frames], vec![0.0; frames]);
    let mut script = script.into_iter().peekable();
    let mut sizes = sizes.iter().copied().cycle();
    let mut played: Vec<(i64, Played)> = Vec::new();
    let mut commands: std::collections::VecDeque<(i64, Command)> = Default::default();
    for (frame, act) in script.by_ref() {
        match act {
            Act::Do(command) => commands.push_back((frame, command)),
            Act::Play(event) => played.push((frame, event)),
        }
    }
    let mut at = 0;
    while at < frames {
        while commands.front().is_some_and(|(frame, _)| *frame <= at as i64) {
            let (_, command) = commands.pop_front().expect("just seen");
            rig.engine.send(command);
        }
        let until = commands.front().map_or(frames, |(frame, _)| *frame as usize).min(frames);
        let end = (at + sizes.next().expect("endless")).min(until);
        let midi: Vec<TimedMidi> = played
            .iter()
            .filter(|(frame, _)| (at as i64..end as i64).contains(frame))
            .map(|&(frame, played)| TimedMidi::new((frame - at as i64) as u32, Micros(frame), played))
            .collect();
        assert!(rig.driver.step_into(&midi, &mut left[at..end], &mut right[at..end]));
        rig.engine.poll();
        at = end;
    }
    [left, right]
}

/// The largest step between neighbouring samples.
pub fn largest_step(samples: &[f32]) -> f32 {
    samples.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max)
}
