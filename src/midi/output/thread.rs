//! The thread that sends. It sleeps until the next message is due, and looks for new ones often enough that none is late.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TryRecvError, TrySendError, bounded};

use super::dispatcher::{Dispatcher, Order, Told};
use crate::time::{Clock, Micros};

/// Orders that may wait: each device brings a few.
const ORDERS: usize = 1_024;
/// What may wait to be shown; the rest is not shown.
const TOLD: usize = 4_096;
/// How often keys and music are looked for while there is any: what a person does not feel.
const LIVELY: Duration = Duration::from_millis(1);
/// And while there is none: less than a device takes from computing to sounding.
const OPEN: Duration = Duration::from_millis(4);
/// While no output is open.
const IDLE: Duration = Duration::from_millis(100);
/// The music counts as lively for so long after its last message.
const LIVELY_FOR: Micros = Micros(2 * Micros::SECOND.0);
/// How long the end of the program waits for a driver that does not take the last messages.
const FAREWELL: Duration = Duration::from_secs(1);

/// The control thread's hold on it.
pub struct OutputThread {
    orders: Sender<Order>,
    told: Receiver<Told>,
    ended: Receiver<()>,
    thread: JoinHandle<()>,
}

impl OutputThread {
    /// Starts the thread with its dispatcher.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(dispatcher: Dispatcher, clock: Arc<dyn Clock>) -> std::io::Result<Self> {
        let (orders, orders_out) = bounded(ORDERS);
        let (told_in, told) = bounded(TOLD);
        let (end, ended) = bounded(1);
        let thread = std::thread::Builder::new().name("midi out".to_owned()).spawn(move || {
            run(dispatcher, &orders_out, &told_in, clock.as_ref());
            // Nobody may be waiting any more.
            let _ = end.try_send(());
        })?;
        Ok(Self { orders, told, ended, thread })
    }

    /// Gives an order; whether there was room. A driver that hangs keeps the orders waiting.
    pub fn order(&self, order: Order) -> bool {
        let taken = self.orders.try_send(order).is_ok();
        self.thread.thread().unpark();
        taken
    }

    /// What was sent and what failed since last asked.
    pub fn told(&self) -> impl Iterator<Item = Told> + '_ {
        self.told.try_iter()
    }

    /// Leaves every output and ends the thread; whether it ended in time.
    pub fn quit(self) -> bool {
        // This one is not lost where there is no room at the moment.
        let _ = self.orders.send_timeout(Order::Quit, FAREWELL);
        self.thread.thread().unpark();
        let ended = self.ended.recv_timeout(FAREWELL).is_ok();
        if ended {
            // It has nothing more to do.
            let _ = self.thread.join();
        }
        ended
    }
}

fn run(mut dispatcher: Dispatcher, orders: &Receiver<Order>, told: &Sender<Told>, clock: &dyn Clock) {
    let mut lively_until = Micros::ZERO;
    loop {
        loop {
            match orders.try_recv() {
                Ok(order) => {
                    if !dispatcher.obey(clock.now(), order) {
                        return;
                    }
                }
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    dispatcher.obey(clock.now(), Order::Quit);
                    return;
                }
            }
        }
        let now = clock.now();
        let next = dispatcher.turn(now);
        let news = dispatcher.take_told();
        if next.is_some() || !news.is_empty() || dispatcher.sends_on() {
            lively_until = now + LIVELY_FOR;
        }
        for one in news {
            tell(told, one);
        }
        let often = match (dispatcher.is_open(), now < lively_until) {
            (false, _) => IDLE,
            (true, true) => LIVELY,
            (true, false) => OPEN,
        };
        let until = next.map(|at| Duration::from_micros((at - clock.now()).0.max(0) as u64));
        std::thread::park_timeout(until.map_or(often, |until| until.min(often)));
    }
}

/// A failure is told whatever waits; of what was sent the latest is not shown when nobody looks.
fn tell(told: &Sender<Told>, one: Told) {
    if let (Err(TrySendError::Full(one)), true) = (told.try_send(one.clone()), matches!(one, Told::Failed(..))) {
        let _ = told.send_timeout(one, FAREWELL);
    }
}
