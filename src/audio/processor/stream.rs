//! The processor between streams and at their beginning: what is kept, let go, made anew, and told. The music stays where
//! it is.

use std::sync::atomic::Ordering;

use rtrb::Consumer;

use super::{Command, Links, Processor, Return};
use crate::audio::delay::Delay;
use crate::audio::limiter::Limiter;
use crate::audio::live::SourceId;
use crate::audio::loads::Loads;
use crate::audio::metronome::ClickVoice;
use crate::audio::ramp::Ramp;
use crate::audio::report::{AudioEvent, TransportEvent};
use crate::time::{Frames, Rate, StreamId};

/// How many instruments are under way.
fn instruments(commands: &mut Consumer<Command>) -> usize {
    let waiting = commands.slots();
    let Ok(chunk) = commands.read_chunk(waiting) else { return 0 };
    let (first, second) = chunk.as_slices();
    first.iter().chain(second).filter(|command| matches!(command, Command::SetInstrument(_))).count()
}

impl Processor {
    /// Prepares for a stream whose frames begin at 0; the music stays where it is, and what the driver's own port held is
    /// let go: its messages end with its stream. Allocates: for the control side, before the first block, which says
    /// that the stream has begun.
    pub fn begin_stream(&mut self, stream: StreamId, rate: Rate, period: u32) {
        self.release_driver();
        self.release_prompts();
        if rate != self.rate {
            if let Some(factory) = &mut self.factory {
                self.outdated = instruments(&mut self.links.commands);
                let home = &mut self.links.home;
                self.links.below.fetch_add(1, Ordering::Relaxed);
                self.stage.exchange(factory(rate), &mut |r| Links::send_home(home, r));
            }
            self.click = ClickVoice::new(rate);
            self.limiter = Limiter::new(rate);
            self.master = Ramp::new(self.master.target(), rate);
            self.metronome_gain = Ramp::new(self.metronome_gain.target(), rate);
            self.stage.set_rate(rate);
        }
        // What was laid out for another stream is not measured there.
        if let Some(broken_off) = self.emission.take() {
            Links::send_home(&mut self.links.home, Return::Emission(broken_off));
        }
        self.transport.begin_stream(self.now, rate);
        self.inputs.begin_stream(self.now, stream, rate, period);
        self.delay = Delay::new(rate, period);
        self.stage.outlet.begin_stream();
        (self.rate, self.stream, self.period, self.now) = (rate, stream, period, Frames::ZERO);
        (self.load, self.loads) = (0.0, Loads::default());
        self.unannounced = true;
    }

    /// Says that the stream has begun, once it is known when: what is played is judged by these stamps.
    pub(super) fn announce(&mut self) {
        if !std::mem::take(&mut self.unannounced) {
            return;
        }
        let (rate, period) = (self.rate, self.period);
        self.publish(TransportEvent::StreamBegan { rate, period });
        if std::mem::take(&mut self.resumed) {
            self.publish(TransportEvent::Started { count_in: 0 });
        }
        self.publish_course();
    }

    /// Lets go of what the driver's own port holds, for those who listen to it too.
    pub(in crate::audio) fn release_driver(&mut self) {
        let stamp = self.stamp(self.now);
        for data in self.inputs.release_driver() {
            let body = AudioEvent::Live { source: SourceId::DRIVER, data };
            let _full = self.links.events.push(stamp, body);
        }
    }

    /// The stream is lost: the music stands still at its place, and [`Processor::resume`] lets it go on from there, or
    /// from where commands moved it meanwhile, unless one starts or stops it first. Control side, between two streams.
    pub fn interrupt(&mut self) {
        if self.transport.interrupt(self.now) {
            self.release();
            // Nobody was told that it went on.
            if !std::mem::take(&mut self.resumed) {
                self.publish(TransportEvent::Stopped);
            }
        }
    }

    /// Goes on after [`Processor::interrupt`]; the next stream says so with its first block. Control side.
    pub fn resume(&mut self) {
        self.resumed |= self.transport.resume(self.now);
    }

    /// The music shall not go on by itself.
    pub fn forget_interruption(&mut self) {
        self.transport.forget_interruption();
    }
}
