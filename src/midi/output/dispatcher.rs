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
/// The pedals that hold something until they come up.
const PEDALS: [u8; 3] = [controller::SUSTAIN, controller::SOSTENUTO, controller::SOFT];
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
    /// Everything off, even what nobody here knows of.
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
    /// Channels whose sustain pedal is down by the music.
    music_pedal: u16,
    /// Channels whose pedals are down by what is played elsewhere, in the order of [`PEDALS`].
    pedals: [u16; 3],
    /// Channels whose wheel was moved, and whose keyboard is pressed.
    bent: u16,
    pressed: u16,
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
            Order::Silence => {
                let lights = self.lights;
                self.each(now, |output, out| output.panic(lights, out));
            }
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
        self.outputs.push(Output::new(number, device, sink));
        self.outputs.sort_by_key(|output| output.number);
        let lights = self.lights;
        self.with(now, number, |output, out| {
            // An earlier run that was killed may have left it off.
            if plan.keys != KeySound::Program {
                local_control(true, out);
            }
            output.change(plan, lights, out);
        });
    }

    fn send_keys_on(&mut self, now: Micros) {
        for at in 0..self.keyboards.len() {
            for _ in 0..THROUGH_MAX {
                let Ok(live) = self.keyboards[at].1.pop() else { break };
                if !is_played(live.message) {
                    continue;
                }
                let is_news = self.echoes.is_news(now, live);
                // What ends something is never held back: somebody else's may have been the same, on another channel.
                if is_news || self.outputs.iter().any(|output| output.is_ended_by(live.message)) {
                    self.echoes.passed(live.message);
                    self.send_on(now, live);
                }
            }
        }
        for live in self.echoes.no_echoes(now) {
            self.send_on(now, live);
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
    fn new(number: SourceId, device: Identity, sink: Box<dyn Sink>) -> Self {
        let (music, through) = (KeySet::default(), KeySet::default());
        let (plan, music_pedal, pedals, bent, pressed) = (OutputPlan::default(), 0, [0; 3], 0, 0);
        let (lights, lit_on) = (0, 0);
        Self { number, device, plan, sink, music, through, music_pedal, pedals, bent, pressed, lights, lit_on }
    }

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
            Message::Control { controller: controller::SUSTAIN, .. } => {
                pedal(&mut self.music_pedal, wanted, due.message, out);
            }
            _ => {}
        }
    }

    /// Whether a message of a keyboard ends something that was sent on to this output.
    fn is_ended_by(&self, message: Message) -> bool {
        match message {
            Message::NoteOff { channel, pitch, .. } => self.through.contains(channel, pitch),
            Message::Control { channel, controller, value: 0 } if PEDALS.contains(&controller) => {
                place(controller).is_some_and(|at| self.pedals[at] & bit(channel) != 0)
            }
            Message::PitchBend { channel, value: 0 } => self.bent & bit(channel) != 0,
            Message::ChannelPressure { channel, value: 0 } => self.pressed & bit(channel) != 0,
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
            Message::Control { controller, .. } => {
                if let Some(at) = place(controller) {
                    pedal(&mut self.pedals[at], true, message, out);
                }
                return;
            }
            Message::PitchBend { channel, value } => set(&mut self.bent, channel, value != 0),
            Message::ChannelPressure { channel, value } => set(&mut self.pressed, channel, value != 0),
            _ => {}
        }
        out.push(message);
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
            self.put_back(out);
        }
        if (old.accompaniment && !plan.accompaniment) || (old.clicks && !plan.clicks) {
            release(&mut self.music, out);
            self.raise_music(out);
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
        self.raise_music(out);
        self.put_back(out);
    }

    /// As [`Output::silence`], and whatever else sounds there: a note may have got stuck by somebody else's fault.
    fn panic(&mut self, lights: u128, out: &mut Vec<Message>) {
        self.silence(out);
        self.put_lights_out(out);
        for channel in 0..16 {
            for controller in [controller::SUSTAIN, controller::ALL_SOUND_OFF, controller::ALL_NOTES_OFF] {
                out.push(Message::Control { channel, controller, value: 0 });
            }
        }
        self.light(lights, out);
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

    /// What is played elsewhere holds nothing any more: pedals up, wheels in their middle, no pressure.
    fn put_back(&mut self, out: &mut Vec<Message>) {
        for (at, controller) in PEDALS.into_iter().enumerate() {
            let held_by_music = if controller == controller::SUSTAIN { self.music_pedal } else { 0 };
            raise(controller, std::mem::take(&mut self.pedals[at]) & !held_by_music, out);
        }
        let bent = std::mem::take(&mut self.bent);
        out.extend(channels(bent).map(|channel| Message::PitchBend { channel, value: 0 }));
        let pressed = std::mem::take(&mut self.pressed);
        out.extend(channels(pressed).map(|channel| Message::ChannelPressure { channel, value: 0 }));
    }

    fn raise_music(&mut self, out: &mut Vec<Message>) {
        raise(controller::SUSTAIN, std::mem::take(&mut self.music_pedal) & !self.pedals[0], out);
    }
}

/// Sends a pedal on its way if it is wanted there, or comes up and was down; `down` are the channels on which it is.
fn pedal(down: &mut u16, wanted: bool, message: Message, out: &mut Vec<Message>) {
    let Message::Control { channel, value, .. } = message else { return };
    if wanted || value == 0 && *down & bit(channel) != 0 {
        set(down, channel, value > 0);
        out.push(message);
    }
}

fn raise(controller: u8, down: u16, out: &mut Vec<Message>) {
    out.extend(channels(down).map(|channel| Message::Control { channel, controller, value: 0 }));
}

fn place(controller: u8) -> Option<usize> {
    PEDALS.iter().position(|pedal| *pedal == controller)
}

fn bit(channel: u8) -> u16 {
    1 << (channel & 0x0f)
}

fn set(channels: &mut u16, channel: u8, on: bool) {
    *channels = if on { *channels | bit(channel) } else { *channels & !bit(channel) };
}

fn channels(bits: u16) -> impl Iterator<Item = u8> {
    (0..16).filter(move |channel| bits & bit(*channel) != 0)
}

/// Whether a message is part of what hands and feet do, and not of how an instrument is set up.
fn is_played(message: Message) -> bool {
    match message {
        Message::Control { controller, .. } => {
            PEDALS.contains(&controller) || message.is_all_notes_off() || message.is_all_sound_off()
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
