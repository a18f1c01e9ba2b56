//! What goes to which output and when. Runs on the output thread and reads no clock: music, keys and orders in, bytes to
//! the sinks out.

use rtrb::Consumer;

use super::echo::Echoes;
use super::{Due, KeySound, Music, MusicPart, OutputPlan, Sink};
use crate::midi::keys::KeySet;
use crate::midi::message::{Message, controller};
use crate::midi::monitor::Seen;
use crate::midi::ports::Identity;
use crate::midi::{LiveMidi, SourceId};
use crate::music::Pitch;
use crate::time::Micros;

/// Local control, a channel mode message: 0 is off, 127 is on.
const LOCAL_CONTROL: u8 = 122;
/// Nothing is computed so long before it sounds; a time beyond is a clock's fault, and does not hold up the music.
const AHEAD_MAX: Micros = Micros::SECOND;
/// The key of a light is struck as softly as can be, so that an instrument that sounds it is hardly heard.
const LIGHT_VELOCITY: u8 = 1;
/// Messages taken of one keyboard at a time.
const THROUGH_MAX: usize = 256;

/// From the control thread.
pub enum Order {
    /// An output is open.
    Open {
        /// Its number; outputs are ordered by it.
        output: SourceId,
        /// Which device it is.
        device: Identity,
        /// What it is used for.
        plan: OutputPlan,
        /// Its driver.
        sink: Box<dyn Sink>,
    },
    /// An output is used otherwise from now on.
    Plan(SourceId, OutputPlan),
    /// An output is left: everything is let go.
    Leave(SourceId),
    /// An output is gone; nothing can be sent any more.
    Gone(SourceId),
    /// A keyboard whose keys may be sent on. The same source replaces the ring.
    Keyboard {
        /// Its number.
        source: SourceId,
        /// Which device it is; the keys of the window are none.
        device: Option<Identity>,
        /// What is played at it.
        ring: Consumer<LiveMidi>,
    },
    /// These keys come next, one bit each.
    Lights(u128),
    /// Everything off.
    Silence,
    /// Leave every output and end.
    Quit,
}

/// To the control thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Something was sent.
    Sent(SourceId, Seen),
    /// An output does not work any more, for this reason.
    Failed(SourceId, String),
}

struct Output {
    number: SourceId,
    device: Identity,
    plan: OutputPlan,
    sink: Box<dyn Sink>,
    /// Keys that sound by the music, and by what is played elsewhere.
    music: KeySet,
    through: KeySet,
    /// Channels whose sustain pedal is down.
    pedals: u16,
    lights: u128,
    /// The channel on which they are lit.
    lit_on: u8,
}

/// All open outputs and what is sent to them.
pub struct Dispatcher {
    music: Box<dyn Music>,
    head: Option<Due>,
    outputs: Vec<Output>,
    keyboards: Vec<(SourceId, Consumer<LiveMidi>)>,
    echoes: Echoes,
    lights: u128,
    told: Vec<Told>,
}

impl Dispatcher {
    /// Without outputs.
    pub fn new(music: Box<dyn Music>) -> Self {
        let (outputs, keyboards, told) = (Vec::new(), Vec::new(), Vec::new());
        Self { music, head: None, outputs, keyboards, echoes: Echoes::default(), lights: 0, told }
    }

    /// Whether anything is open.
    pub fn is_open(&self) -> bool {
        !self.outputs.is_empty()
    }

    /// Whether keys are sent on.
    pub fn sends_on(&self) -> bool {
        self.outputs.iter().any(|output| output.plan.through)
    }

    /// What is to be told to the control side since last asked.
    pub fn take_told(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.told)
    }

    /// Carries an order out; whether the dispatcher goes on.
    pub fn obey(&mut self, now: Micros, order: Order) -> bool {
        match order {
            Order::Open { output, device, plan, sink } => self.open(now, output, device, plan, sink),
            Order::Plan(number, plan) => {
                let lights = self.lights;
                self.with(now, number, |output, out| output.change(plan, lights, out));
            }
            Order::Leave(number) => {
                self.with(now, number, Output::leave);
                self.outputs.retain(|output| output.number != number);
            }
            Order::Gone(number) => self.outputs.retain(|output| output.number != number),
            Order::Keyboard { source, device, ring } => {
                if let Some(device) = device {
                    self.echoes.know(source, device);
                }
                self.keyboards.retain(|(known, _)| *known != source);
                self.keyboards.push((source, ring));
            }
            Order::Lights(keys) => {
                self.lights = keys;
                self.each(now, |output, out| output.light(keys, out));
            }
            Order::Silence => self.each(now, Output::silence),
            Order::Quit => {
                self.each(now, Output::leave);
                self.outputs.clear();
                return false;
            }
        }
        true
    }

    /// Sends everything that is due; when the next of the music is, if that is known already.
    pub fn turn(&mut self, now: Micros) -> Option<Micros> {
        self.send_keys_on(now);
        loop {
            let due = self.head.take().or_else(|| self.music.next())?;
            if due.at > now && (due.at - now).0 <= AHEAD_MAX.0 {
                self.head = Some(due);
                return Some(due.at);
            }
            self.each(now, |output, out| output.play(due, out));
        }
    }

    fn open(&mut self, now: Micros, number: SourceId, device: Identity, plan: OutputPlan, sink: Box<dyn Sink>) {
        self.outputs.retain(|output| output.number != number);
        let (music, through) = (KeySet::default(), KeySet::default());
        let quiet = OutputPlan::default();
        let output = Output { number, device, plan: quiet, sink, music, through, pedals: 0, lights: 0, lit_on: 0 };
        self.outputs.push(output);
        self.outputs.sort_by_key(|output| output.number);
        let lights = self.lights;
        self.with(now, number, |output, out| output.change(plan, lights, out));
    }

    fn send_keys_on(&mut self, now: Micros) {
        for at in 0..self.keyboards.len() {
            for _ in 0..THROUGH_MAX {
                let Ok(live) = self.keyboards[at].1.pop() else { break };
                if !is_played(live.message) {
                    continue;
                }
                let is_news = self.echoes.is_news(now, live.message);
                // What ends something is never held back: somebody else's may have been the same, on another channel.
                if is_news || self.outputs.iter().any(|output| output.is_ended_by(live.message)) {
                    self.send_on(now, live);
                }
            }
        }
        self.keyboards.retain(|(_, ring)| !ring.is_abandoned() || ring.slots() > 0);
    }

    fn send_on(&mut self, now: Micros, live: LiveMidi) {
        let targets: Vec<_> = self.outputs.iter().filter(|o| o.plan.through).map(|o| &o.device).collect();
        let passes = |to: usize| self.echoes.may_pass(live.source, to, &targets);
        let chosen: Vec<bool> = (0..targets.len()).map(passes).collect();
        let mut chosen = chosen.into_iter();
        self.each(now, |output, out| {
            // A note that was sent on ends there, even when others are not sent on any more.
            if output.plan.through && chosen.next() == Some(true) || output.is_ended_by(live.message) {
                output.pass(live.message, out);
            }
        });
    }

    /// Lets each output say what it sends, and sends it.
    fn each(&mut self, now: Micros, mut act: impl FnMut(&mut Output, &mut Vec<Message>)) {
        let mut messages = Vec::new();
        let told = &mut self.told;
        self.outputs.retain_mut(|output| {
            act(output, &mut messages);
            output.send(now, &mut messages, told)
        });
    }

    fn with(&mut self, now: Micros, number: SourceId, act: impl FnOnce(&mut Output, &mut Vec<Message>)) {
        let mut act = Some(act);
        self.each(now, |output, out| {
            if output.number == number
                && let Some(act) = act.take()
            {
                act(output, out);
            }
        });
    }
}

impl Output {
    /// Sends what is collected; whether the output still works.
    fn send(&mut self, now: Micros, messages: &mut Vec<Message>, told: &mut Vec<Told>) -> bool {
        for message in messages.drain(..) {
            if let Err(reason) = self.sink.send(&message.encode()) {
                told.push(Told::Failed(self.number, reason));
                return false;
            }
            told.push(Told::Sent(self.number, Seen { at: now, message }));
        }
        true
    }

    fn play(&mut self, due: Due, out: &mut Vec<Message>) {
        let wanted = !self.sink.has_music()
            && match due.part {
                MusicPart::Accompaniment => self.plan.accompaniment,
                MusicPart::Click => self.plan.clicks,
            };
        match due.message {
            Message::NoteOn { channel, pitch, .. } if wanted => {
                self.music.insert(channel, pitch);
                out.push(due.message);
            }
            // What was sent ends, wanted or not.
            Message::NoteOff { channel, pitch, .. } if self.music.contains(channel, pitch) => {
                self.music.remove(channel, pitch);
                out.push(due.message);
            }
            Message::Control { channel, controller: controller::SUSTAIN, value } => {
                self.pedal(wanted, channel, value, due.message, out);
            }
            _ => {}
        }
    }

    /// Whether a message of a keyboard ends something that was sent on to this output.
    fn is_ended_by(&self, message: Message) -> bool {
        match message {
            Message::NoteOff { channel, pitch, .. } => self.through.contains(channel, pitch),
            Message::Control { channel, value: 0, .. } if message.sustain().is_some() => {
                self.pedals >> (channel & 0x0f) & 1 == 1
            }
            _ => message.is_all_notes_off() || message.is_all_sound_off(),
        }
    }

    fn pass(&mut self, message: Message, out: &mut Vec<Message>) {
        match message {
            _ if message.is_all_notes_off() || message.is_all_sound_off() => {
                let all = self.through;
                for (channel, pitch) in all.iter().filter(|(channel, _)| *channel == message.channel()) {
                    self.through.remove(channel, pitch);
                    out.push(Message::NoteOff { channel, pitch, velocity: 64 });
                }
                return;
            }
            Message::NoteOn { channel, pitch, .. } => self.through.insert(channel, pitch),
            Message::NoteOff { channel, pitch, .. } => self.through.remove(channel, pitch),
            Message::Control { channel, controller: controller::SUSTAIN, value } => {
                return self.pedal(true, channel, value, message, out);
            }
            _ => {}
        }
        out.push(message);
    }

    fn pedal(&mut self, wanted: bool, channel: u8, value: u8, message: Message, out: &mut Vec<Message>) {
        let bit = 1 << (channel & 0x0f);
        let is_down = self.pedals & bit != 0;
        if wanted || value == 0 && is_down {
            self.pedals = if value > 0 { self.pedals | bit } else { self.pedals & !bit };
            out.push(message);
        }
    }

    fn light(&mut self, keys: u128, out: &mut Vec<Message>) {
        let wanted = if self.plan.lights.is_some() { keys } else { 0 };
        let channel = self.lit_on;
        for pitch in pitches(self.lights & !wanted) {
            out.push(Message::NoteOff { channel, pitch, velocity: 64 });
        }
        for pitch in pitches(wanted & !self.lights) {
            out.push(Message::NoteOn { channel, pitch, velocity: LIGHT_VELOCITY });
        }
        self.lights = wanted;
    }

    /// Goes over to another plan: what the new one does not want ends.
    fn change(&mut self, plan: OutputPlan, lights: u128, out: &mut Vec<Message>) {
        let old = std::mem::replace(&mut self.plan, plan);
        if old.through && !plan.through {
            release(&mut self.through, out);
        }
        if (old.accompaniment && !plan.accompaniment) || (old.clicks && !plan.clicks) {
            release(&mut self.music, out);
            self.raise_pedals(out);
        }
        if old.lights != plan.lights {
            let channel = plan.lights.unwrap_or(self.lit_on) & 0x0f;
            self.put_lights_out(out);
            self.lit_on = channel;
            self.light(lights, out);
        }
        match (old.keys == KeySound::Program, plan.keys == KeySound::Program) {
            (false, true) => local_control(false, out),
            (true, false) => local_control(true, out),
            _ => {}
        }
    }

    fn silence(&mut self, out: &mut Vec<Message>) {
        release(&mut self.music, out);
        release(&mut self.through, out);
        self.raise_pedals(out);
    }

    /// As [`Output::silence`], and as it was found: lights out, local control on.
    fn leave(&mut self, out: &mut Vec<Message>) {
        self.silence(out);
        self.put_lights_out(out);
        if self.plan.keys == KeySound::Program {
            local_control(true, out);
        }
        self.plan = OutputPlan::default();
    }

    fn put_lights_out(&mut self, out: &mut Vec<Message>) {
        for pitch in pitches(std::mem::take(&mut self.lights)) {
            out.push(Message::NoteOff { channel: self.lit_on, pitch, velocity: 64 });
        }
    }

    fn raise_pedals(&mut self, out: &mut Vec<Message>) {
        let down = std::mem::take(&mut self.pedals);
        for channel in (0..16).filter(|channel| down >> channel & 1 == 1) {
            out.push(Message::Control { channel, controller: controller::SUSTAIN, value: 0 });
        }
    }
}

/// Whether a message is part of what hands and feet do, and not of how an instrument is set up.
fn is_played(message: Message) -> bool {
    match message {
        Message::Control { controller, .. } => {
            matches!(controller, controller::SUSTAIN | controller::SOSTENUTO | controller::SOFT)
                || message.is_all_notes_off()
                || message.is_all_sound_off()
        }
        Message::Program { .. } => false,
        _ => true,
    }
}

fn release(keys: &mut KeySet, out: &mut Vec<Message>) {
    out.extend(keys.iter().map(|(channel, pitch)| Message::NoteOff { channel, pitch, velocity: 64 }));
    *keys = KeySet::default();
}

/// On every channel, since which one an instrument listens to is not known.
fn local_control(on: bool, out: &mut Vec<Message>) {
    let value = if on { 127 } else { 0 };
    out.extend((0..16).map(|channel| Message::Control { channel, controller: LOCAL_CONTROL, value }));
}

fn pitches(keys: u128) -> impl Iterator<Item = Pitch> {
    (0..128_u8).filter(move |key| keys >> key & 1 == 1).map(Pitch::from_data_byte)
}
