//! Up to when everything that was played has surely been told of: where the sound's callback carries the keys too, a
//! driver that stands still tells of them late.

use crate::time::Micros;

/// A callback that has not been called for so long, or for this many periods, stood still.
const STILL: Micros = Micros::from_millis(100);
const STILL_PERIODS: i64 = 3;
/// When it is called again, what was played meanwhile has come through after so long.
const CATCH_UP: Micros = Micros::from_millis(250);

/// Watches the calls.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pulse {
    last: Option<Micros>,
    /// Since when what was played may still come, and until when.
    doubt: Option<(Micros, Micros)>,
}

impl Pulse {
    /// Everything up to the time returned has been told of. `call` is when the callback was called last, if it is watched
    /// at all; `period` is the time between two calls.
    pub(super) fn upto(&mut self, call: Option<Micros>, period: Micros, now: Micros) -> Micros {
        let Some(call) = call else {
            *self = Self::default();
            return now;
        };
        let still = STILL.max(Micros(STILL_PERIODS * period.0));
        if let Some(last) = self.last.filter(|last| call - *last > still) {
            let since = self.doubt.map_or(last, |(since, _)| since);
            self.doubt = Some((since, call + CATCH_UP));
        }
        self.last = Some(call);
        match self.doubt {
            Some((since, until)) if call < until => since,
            _ => {
                self.doubt = None;
                call
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upto(pulse: &mut Pulse, call: i64, now: i64) -> i64 {
        let period = Micros::from_millis(20);
        pulse.upto(Some(Micros::from_millis(call)), period, Micros::from_millis(now)).0 / 1_000
    }

    #[test]
    fn time_stands_still_with_the_callback_and_goes_on_when_it_has_caught_up() {
        let mut pulse = Pulse::default();
        assert_eq!((upto(&mut pulse, 1_000, 1_004), upto(&mut pulse, 1_020, 1_021)), (1_000, 1_020));
        assert_eq!(upto(&mut pulse, 1_020, 2_000), 1_020, "nobody calls");
        assert_eq!(upto(&mut pulse, 2_030, 2_031), 1_020, "what was played meanwhile is on its way");
        let told: Vec<i64> = [2_110, 2_200, 2_270, 2_290].map(|call| upto(&mut pulse, call, call)).to_vec();
        assert_eq!(told, [1_020, 1_020, 1_020, 2_290]);
    }

    #[test]
    fn a_second_halt_while_it_catches_up_is_part_of_the_first() {
        let mut pulse = Pulse::default();
        for (call, told) in [(0, 0), (500, 0), (700, 0), (900, 0), (990, 0), (1_080, 0), (1_160, 1_160)] {
            assert_eq!(upto(&mut pulse, call, call), told, "{call}");
        }
    }

    #[test]
    fn long_periods_are_no_halt_and_without_a_callback_time_passes_by_itself() {
        let mut pulse = Pulse::default();
        let period = Micros::from_millis(170);
        for call in [0, 170, 340, 510] {
            let call = Micros::from_millis(call);
            assert_eq!(pulse.upto(Some(call), period, call), call);
        }
        assert_eq!(pulse.upto(None, period, Micros(7)), Micros(7));
    }
}
