//! The callback side: takes commands, splits each block at the frames where something happens, renders, reports. No
//! allocation, no lock, no system call, no unbounded loop, no panic that escapes.

mod sounding;
mod stream;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use rtrb::{Consumer, Producer, PushError};

use super::command::{Bus, Command, Return};
use super::delay::Delay;
use super::denormals::FlushDenormals;
use super::emission::Emission;
use super::inputs::Inputs;
use super::instrument::{Instrument, Part, Pedal};
use super::limiter::Limiter;
use super::live::{SourceId, TimedMidi};
use super::loads::Loads;
use super::metronome::{self, ClickVoice};
use super::outlet::{Outlet, TimedWire};
use super::prompts::Prompts;
use super::ramp::Ramp;
use super::report::{AudioEvent, OwnSound, Playhead, TransportEvent};
use super::schedule::{Click, EventKind, Schedule, Strength};
use super::stage::{CHUNK, Stage};
use super::timeline::Anchor;
use super::transport::{Due, Transport};
use crate::bus::lane::{EssentialProducer, LatestWriter};
use crate::music::{ClickRoute, ClickStyle, Meter};
use crate::time::{Frames, Micros, Rate, Stamp, StreamId, Ticks};

/// Things done on one frame at most; a loop shorter than a frame must not hold up the callback.
const FIRED_MAX: usize = 4096;
/// The largest volume.
const GAIN_MAX: f32 = 4.0;

/// When a block is due.
#[derive(Clone, Copy, Debug, Default)]
pub struct Block {
    /// Its first frame, counted from the beginning of the stream.
    pub first: Frames,
    /// The monotonic time at which the driver called.
    pub mono: Micros,
    /// The stream.
    pub stream: StreamId,
    /// Frames of the driver's whole call, of which this block may be a part; 0 for just this block.
    pub call: u32,
    /// Whether frames were lost since the block before.
    pub xrun: bool,
}

/// Where the sound goes: as many frames on each side; of the metronome's own channel as many again, or none.
pub struct Outputs<'a> {
    /// The left side.
    pub left: &'a mut [f32],
    /// The right side.
    pub right: &'a mut [f32],
    /// A channel for the metronome alone; empty where the device has none.
    pub click: &'a mut [f32],
}

impl<'a> Outputs<'a> {
    /// Two sides and nothing else.
    pub fn stereo(left: &'a mut [f32], right: &'a mut [f32]) -> Self {
        Self { left, right, click: &mut [] }
    }

    /// The frames that both sides have; what one is longer than the other stays as it was.
    fn even(self) -> Self {
        let frames = self.left.len().min(self.right.len());
        let click = if self.click.len() < frames { &mut [] } else { &mut self.click[..frames] };
        Self { left: &mut self.left[..frames], right: &mut self.right[..frames], click }
    }

    fn part(&mut self, frames: std::ops::Range<usize>) -> Outputs<'_> {
        let click = if self.click.is_empty() { &mut [] } else { &mut self.click[frames.clone()] };
        Outputs { left: &mut self.left[frames.clone()], right: &mut self.right[frames], click }
    }

    fn silence(&mut self) {
        for channel in [&mut *self.left, &mut *self.right, &mut *self.click] {
            channel.fill(0.0);
        }
    }
}

/// The callback's ends of the rings and lanes.
pub(super) struct Links {
    pub(super) commands: Consumer<Command>,
    pub(super) home: Producer<Return>,
    /// What is below and will come home, counted; what a new stream brings is added here.
    pub(super) below: Arc<AtomicUsize>,
    pub(super) playhead: LatestWriter<Playhead>,
    pub(super) events: EssentialProducer<AudioEvent>,
    pub(super) own_sounds: Producer<(Stamp, OwnSound)>,
}

impl Links {
    fn send_home(home: &mut Producer<Return>, returned: Return) {
        if let Err(PushError::Full(returned)) = home.push(returned) {
            // The engine sends no more boxes than fit; to leak one is better than to free it here.
            std::mem::forget(returned);
        }
    }
}

/// Makes an instrument for another sample rate, on the control side.
pub type InstrumentFactory = Box<dyn FnMut(Rate) -> Box<dyn Instrument> + Send>;

/// The half of the engine that runs in the callback. A backend owns it while its stream runs and gives it back, so that
/// the music goes on at the same place in the next stream.
pub struct Processor {
    links: Links,
    rate: Rate,
    stream: StreamId,
    period: u32,
    now: Frames,
    /// The monotonic time of the callback at hand.
    called: Micros,
    transport: Transport,
    inputs: Inputs,
    delay: Delay,
    /// Instruments among the commands that were made for another rate.
    outdated: usize,
    stage: Stage,
    click: ClickVoice,
    metronome_on: bool,
    clicks: ClickStyle,
    metronome_gain: Ramp,
    master: Ramp,
    emission: Option<Box<Emission>>,
    prompts: Prompts,
    limiter: Limiter,
    peak: [f32; 2],
    load: f32,
    loads: Loads,
    faults: u32,
    factory: Option<InstrumentFactory>,
    /// The stream has begun, and nobody has been told: when, its first callback knows.
    unannounced: bool,
    /// With the beginning, music goes on that an interruption had stopped.
    resumed: bool,
}

impl std::fmt::Debug for Processor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Processor").field("stream", &self.stream).field("now", &self.now).finish_non_exhaustive()
    }
}

impl Processor {
    pub(super) fn new(links: Links, outlet: Outlet, instrument: Box<dyn Instrument>, rate: Rate) -> Self {
        let meter = Meter { tick: Ticks::ZERO, beats: 4, unit: 4 };
        Self {
            links,
            rate,
            stream: StreamId::default(),
            period: 0,
            now: Frames::ZERO,
            called: Micros::ZERO,
            transport: Transport::new(Box::new(Schedule::of_beat(500_000, meter)), rate),
            inputs: Inputs::new(rate, 0),
            delay: Delay::new(rate, 0),
            outdated: 0,
            stage: Stage::new(instrument, outlet, rate),
            click: ClickVoice::new(rate),
            metronome_on: false,
            clicks: ClickStyle::default(),
            metronome_gain: Ramp::new(1.0, rate),
            master: Ramp::new(1.0, rate),
            emission: None,
            prompts: Prompts::default(),
            limiter: Limiter::new(rate),
            peak: [0.0; 2],
            load: 0.0,
            loads: Loads::default(),
            faults: 0,
            factory: None,
            unannounced: false,
            resumed: false,
        }
    }

    /// How to make the instrument anew when a stream has another sample rate. Control side only.
    pub fn set_factory(&mut self, factory: InstrumentFactory) {
        self.factory = Some(factory);
    }

    /// What the driver's own MIDI port, if it has one, is to send in the block that was computed last.
    pub fn outgoing(&self) -> &[TimedWire] {
        self.stage.outlet.block()
    }

    /// Frames per second of the running stream.
    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// The share of the last block's duration that computing it took, from whoever measures; shown with the next one.
    pub fn note_load(&mut self, load: f32) {
        self.load = load;
        self.loads.record(load);
    }

    /// The next frames, overwriting all slices of `out`. Any length is fine, and it may change from call to call.
    /// `midi_in` are the driver's own events of this block, by offset.
    pub fn process(&mut self, block: Block, midi_in: &[TimedMidi], out: Outputs<'_>) {
        let _guard = FlushDenormals::new();
        let mut out = out.even();
        let frames = out.left.len();
        let whole = catch_unwind(AssertUnwindSafe(|| self.run(block, midi_in, &mut out)));
        if whole.is_err() {
            out.silence();
            self.faults += 1;
            let home = &mut self.links.home;
            self.stage.remove_faulty(&mut |r| Links::send_home(home, r));
            self.report(block.first + Frames(frames as i64));
        }
    }

    fn run(&mut self, block: Block, midi_in: &[TimedMidi], out: &mut Outputs<'_>) {
        let frames = out.left.len();
        (self.now, self.called) = (block.first, block.mono);
        let delay = self.delay.observe(block.call.max(frames as u32));
        // Smaller only when nothing is under way that would come too late then.
        if delay > self.inputs.delay || self.inputs.is_idle() {
            self.inputs.delay = delay;
        }
        let period = self.period.max(frames as u32).max(block.call);
        self.inputs.clock.observe(block.first, block.mono, period, block.xrun);
        self.announce();
        self.stage.outlet.at = self.stamp(block.first);
        self.stage.outlet.begin_block(block.first);
        self.take_commands();
        self.deliver(block.first, midi_in);
        let mut done = 0;
        while done < frames {
            self.fire_due();
            let to = self.quiet_until(block.first + Frames(frames as i64));
            let next = done + (to.0 - self.now.0) as usize;
            self.render(out.part(done..next));
            (done, self.now) = (next, to);
            self.stage.outlet.at = self.stamp(to);
        }
        self.emit(block.first, out.left, out.right);
        self.faults += self.limiter.process(out.left, out.right);
        self.meter(out.left, out.right);
        self.report(self.now);
    }

    fn emit(&mut self, first: Frames, left: &mut [f32], right: &mut [f32]) {
        let stamp = self.stamp(first);
        if self.emission.as_mut().is_some_and(|emission| !left.is_empty() && emission.mix(stamp, left, right))
            && let Some(over) = self.emission.take()
        {
            Links::send_home(&mut self.links.home, Return::Emission(over));
        }
    }

    fn deliver(&mut self, first: Frames, midi_in: &[TimedMidi]) {
        for event in midi_in {
            let frame = first + Frames(i64::from(event.offset));
            let stamp = Stamp { driver: event.driver, ..self.stamp(frame) };
            let body = AudioEvent::Live { source: SourceId::DRIVER, data: event.data };
            let _full = self.links.events.push(stamp, body);
        }
        self.inputs.deliver(first, midi_in);
    }

    /// Does everything that is due now; live notes first.
    fn fire_due(&mut self) {
        for _ in 0..FIRED_MAX {
            if self.inputs.next_frame(self.now, self.now + Frames(1)).is_some() {
                let stage = &mut self.stage;
                self.inputs.take(self.now, self.called, &mut |played| stage.play(Part::LIVE, played));
            } else if let Some(pitch) = self.prompts.take(self.now) {
                self.stage.prompt_off(pitch);
            } else if self.transport.next_frame(self.now) == Some(self.now) {
                if let Some(due) = self.transport.take(self.now) {
                    self.perform(due);
                }
            } else {
                return;
            }
        }
    }

    /// The frame up to which nothing happens: at least one ahead, at most one chunk.
    fn quiet_until(&mut self, end: Frames) -> Frames {
        let next_live = self.inputs.next_frame(self.now, end).unwrap_or(end);
        let next_due = self.transport.next_frame(self.now).unwrap_or(end);
        let next_due = next_due.min(self.prompts.next_frame().unwrap_or(end));
        next_live.min(next_due).min(end).min(self.now + Frames(CHUNK as i64)).max(self.now + Frames(1))
    }

    fn render(&mut self, out: Outputs<'_>) {
        let Outputs { left, right, click: own } = out;
        let home = &mut self.links.home;
        self.stage.render(left, right, &mut |r| Links::send_home(home, r));
        own.fill(0.0);
        if self.click.sounds() {
            self.click_over(left, right, own);
        } else {
            self.metronome_gain.finish();
        }
        if !self.master.is_unity() {
            let mut own = own.iter_mut();
            for (l, r) in left.iter_mut().zip(right) {
                let gain = self.master.next_value();
                *l *= gain;
                *r *= gain;
                if let Some(click) = own.next() {
                    *click *= gain;
                }
            }
        }
    }

    /// Adds the clicks where they are to be heard.
    fn click_over(&mut self, left: &mut [f32], right: &mut [f32], own: &mut [f32]) {
        let [mut on_left, mut on_right] = [true, true];
        let on_own = self.clicks.route == ClickRoute::Own && !own.is_empty();
        match self.clicks.route {
            ClickRoute::Left => on_right = false,
            ClickRoute::Right => on_left = false,
            ClickRoute::Own if on_own => (on_left, on_right) = (false, false),
            ClickRoute::Both | ClickRoute::Own => {}
        }
        for frame in 0..left.len() {
            let click = self.click.next_sample() * self.metronome_gain.next_value();
            left[frame] += if on_left { click } else { 0.0 };
            right[frame] += if on_right { click } else { 0.0 };
            if on_own {
                // The limiter looks after the music only.
                own[frame] = click.clamp(-1.0, 1.0);
            }
        }
    }

    fn meter(&mut self, left: &[f32], right: &[f32]) {
        let fall = 10_f32.powf(-(left.len() as f32) / self.rate.0 as f32);
        for (peak, samples) in self.peak.iter_mut().zip([left, right]) {
            *peak = samples.iter().fold(*peak * fall, |peak, s| peak.max(s.abs()));
        }
    }

    fn perform(&mut self, due: Due) {
        match due {
            Due::Event(event) => match event.kind {
                EventKind::On { pitch, hand, velocity } => {
                    if self.stage.accompany_on(hand, pitch, velocity) {
                        self.tell(OwnSound::Note { pitch, at: event.at });
                    }
                }
                EventKind::Off { pitch, hand } => self.stage.accompany_off(hand, pitch),
                EventKind::Pedal { value } => self.stage.pedal(Part::ACCOMPANIMENT, Pedal::Sustain(value)),
            },
            Due::Click(click) => {
                let (tick, beat, strength) = (click.tick, click.beat, click.strength);
                self.click(self.metronome_on, &click);
                if strength != Strength::Division {
                    self.publish(TransportEvent::ClickAt { tick, beat, strength, count_in: false });
                }
            }
            Due::Count(click) => {
                let (tick, beat, strength) = (click.tick, click.beat, click.strength);
                self.click(true, &click);
                self.publish(TransportEvent::ClickAt { tick, beat, strength, count_in: true });
            }
            Due::Wrap => {
                self.resume_elsewhere();
                self.publish(TransportEvent::Looped { pass: self.transport.pass() });
                self.publish_course();
            }
            Due::Hold(tick) => self.publish(TransportEvent::HoldReached { tick }),
            Due::End => {
                self.release();
                self.publish(TransportEvent::ReachedEnd);
            }
        }
    }

    fn click(&mut self, heard: bool, click: &Click) {
        if heard {
            self.click.strike(self.clicks.sound, click.strength);
            self.stage.outlet.click(click.strength);
            if let Some(hertz) = metronome::pitch(self.clicks.sound, click.strength) {
                self.tell(OwnSound::Click { hertz, at: click.at });
            }
        }
    }

    /// Tells whoever wants to know what sounds by itself.
    fn tell(&mut self, sound: OwnSound) {
        let stamp = self.stamp(self.now);
        let _full = self.links.own_sounds.push((stamp, sound));
    }

    fn take_commands(&mut self) {
        // As many as were there at the beginning, so that a busy control side cannot hold up the callback.
        for _ in 0..self.links.commands.slots() {
            let Ok(command) = self.links.commands.pop() else { return };
            self.obey(command);
        }
    }

    fn obey(&mut self, command: Command) {
        let now = self.now;
        match command {
            Command::Play { count_in } => self.play(count_in, now),
            Command::PlayAt { count_in, frame } => self.play(count_in, frame),
            Command::Stop => self.stop(),
            Command::Seek(tick) => {
                self.transport.seek(now, tick);
                self.resume_elsewhere();
                self.publish(TransportEvent::Sought { tick });
                self.publish_course();
            }
            Command::SetSpeed(speed) => {
                self.transport.set_speed(now, speed);
                self.publish(TransportEvent::SpeedChanged { speed });
                self.publish_course();
            }
            Command::SetLoop(range) => {
                if self.transport.set_loop(now, range) {
                    self.resume_elsewhere();
                    self.publish(TransportEvent::Sought { tick: range.map_or(Ticks::ZERO, |r| r.from) });
                    self.publish_course();
                }
            }
            Command::Hold(hold) => {
                self.transport.set_hold(now, hold);
                self.publish_course();
            }
            Command::AdvanceTo { tick, hold } => self.advance(tick, hold),
            Command::SetHands(hands) => self.stage.set_hands(hands),
            Command::Fill(hands, keys) => self.stage.set_filled(hands, keys),
            Command::Prompt { pitch, velocity, hold } => self.prompt(pitch, velocity, hold),
            Command::SetMetronome(on) => self.metronome_on = on,
            Command::SetClicks(clicks) => {
                self.clicks = clicks;
                self.transport.set_division(now, clicks.division);
            }
            Command::SetProgram(program) => self.stage.set_program(program),
            Command::SetPort(port) => self.stage.outlet.set_port(port),
            Command::SetVolume(bus, gain) => self.set_volume(bus, gain),
            Command::SetAlone(alone) => self.stage.set_alone(alone),
            Command::Audition(played) => self.stage.play(Part::LIVE, played),
            Command::Panic => {
                self.stop();
                self.inputs.panic();
                self.stage.panic();
                self.prompts.forget();
            }
            Command::Load(_) | Command::SetInstrument(_) | Command::AddSource(..) | Command::Emit(_) => {
                self.exchange(command)
            }
            Command::RemoveSource(id) => self.remove_source(id),
        }
    }

    /// The commands that bring memory or send some home.
    fn exchange(&mut self, command: Command) {
        let home = &mut self.links.home;
        let mut send_home = |returned| Links::send_home(home, returned);
        match command {
            Command::Load(schedule) => {
                send_home(Return::Schedule(self.transport.load(self.now, schedule)));
                self.release();
            }
            Command::SetInstrument(instrument) if self.outdated > 0 => {
                self.outdated -= 1;
                send_home(Return::Instrument(instrument));
            }
            Command::SetInstrument(instrument) => self.stage.exchange(instrument, &mut send_home),
            Command::Emit(emission) => {
                if let Some(broken_off) = self.emission.replace(emission) {
                    send_home(Return::Emission(broken_off));
                }
            }
            Command::AddSource(id, ring) => self.inputs.add(id, ring, &mut send_home),
            _ => {}
        }
    }

    fn remove_source(&mut self, source: SourceId) {
        if source == SourceId::DRIVER {
            return self.release_driver();
        }
        let (stage, home) = (&mut self.stage, &mut self.links.home);
        let mut send_home = |returned| Links::send_home(home, returned);
        self.inputs.remove(source, &mut |played| stage.play(Part::LIVE, played), &mut send_home);
    }

    fn play(&mut self, count_in: u8, at: Frames) {
        if self.transport.play(self.now, count_in, at) {
            self.resume_elsewhere();
            self.publish(TransportEvent::Started { count_in });
            self.publish_course();
        }
    }

    fn stop(&mut self) {
        if self.transport.stop(self.now) {
            self.release();
            self.publish(TransportEvent::Stopped);
        }
    }

    /// Onsets passed over are not sounded any more, releases and pedal are.
    fn advance(&mut self, tick: Ticks, hold: Option<Ticks>) {
        for index in self.transport.advance(self.now, tick, hold) {
            match self.transport.schedule().event(index).map(|e| e.kind) {
                Some(EventKind::Off { pitch, hand }) => self.stage.accompany_off(hand, pitch),
                Some(EventKind::Pedal { value }) => self.stage.pedal(Part::ACCOMPANIMENT, Pedal::Sustain(value)),
                Some(EventKind::On { .. }) | None => {}
            }
        }
        self.publish(TransportEvent::Advanced { tick });
        self.publish_course();
    }

    fn set_volume(&mut self, bus: Bus, gain: f32) {
        let gain = if gain.is_finite() { gain.clamp(0.0, GAIN_MAX) } else { 1.0 };
        match bus {
            Bus::Live => self.stage.set_gain(Part::LIVE, gain),
            Bus::Accompaniment => self.stage.set_gain(Part::ACCOMPANIMENT, gain),
            Bus::Metronome => self.metronome_gain.set(gain),
            Bus::Master => self.master.set(gain),
        }
    }

    /// The stamp of a frame of the block at hand, or of the one that was computed last.
    pub(super) fn stamp(&self, frame: Frames) -> Stamp {
        let mono = self.inputs.clock.mono(frame);
        Stamp { driver: mono, mono, frame: Some(frame), stream: self.stream }
    }

    fn publish(&mut self, event: TransportEvent) {
        let stamp = self.stamp(self.now);
        let _full = self.links.events.push(stamp, AudioEvent::Transport(event));
    }

    /// Says how frames map to music from now on, if the music moves.
    fn publish_course(&mut self) {
        if self.transport.playing() && !self.transport.waiting() {
            self.publish_runs(self.transport.anchor());
        }
    }

    fn publish_runs(&mut self, anchor: Anchor) {
        let (at, speed, resolution) = (anchor.at, anchor.speed, anchor.resolution);
        let stamp = self.stamp(anchor.frame);
        let runs = TransportEvent::Runs { at, speed, resolution };
        let _full = self.links.events.push(stamp, AudioEvent::Transport(runs));
    }

    fn report(&mut self, frame: Frames) {
        let playhead = Playhead {
            tick: self.transport.tick(frame),
            anchor: self.transport.anchor(),
            frame,
            mono: self.inputs.clock.mono(frame),
            stream: self.stream,
            playing: self.transport.playing(),
            waiting: self.transport.waiting(),
            counting_in: self.transport.counting_in(frame),
            pass: self.transport.pass(),
            live_delay: self.inputs.delay,
            peak: self.peak,
            voices: self.stage.voices().min(usize::from(u16::MAX)) as u16,
            load: self.load,
            loads: self.loads,
            timing: self.inputs.clock.timing(),
            late: self.inputs.late,
            unsent: self.stage.outlet.lost,
            faults: self.faults,
        };
        self.links.playhead.write(playhead);
    }
}
