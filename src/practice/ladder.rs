//! The tempo ladder: a passage is played again and again, a little faster after clean passes, a little slower after
//! failed ones, until it is clean at its goal. Pure: the outcome of each pass in, the next speed out.

use serde::{Deserialize, Serialize};

use super::result::Counts;
use super::types::{Mode, Preset};
use crate::music::Percent;

/// A rung is at least one percent and at most half the written tempo: more is no ladder.
pub const STEP_MAX: u8 = 50;
/// Passes that a rung may ask for; who needs more has another problem than the tempo.
pub const PASSES_MAX: u8 = 10;
/// Of the right notes of a clean pass so many hundredths are on time. Professionals have 60 of 100 within the strictest
/// window (measured on 88 performances), so half is asked of everybody and drifting from the tempo is no clean pass.
const ON_TIME_PERCENT: u32 = 50;

/// What a person has chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LadderPlan {
    /// Whether the tempo changes by itself.
    pub on: bool,
    /// The speed of the first pass.
    pub start: Percent,
    /// By how many hundredths of the written tempo it changes, 1 to [`STEP_MAX`].
    pub step: u8,
    /// The speed to reach.
    pub goal: Percent,
    /// Clean passes in a row until it goes faster, 1 to [`PASSES_MAX`].
    pub up: u8,
    /// Failed passes in a row until it goes slower, up to [`PASSES_MAX`]; 0 for never.
    pub down: u8,
}

impl Default for LadderPlan {
    fn default() -> Self {
        Self { on: false, start: Percent::new(60), step: 5, goal: Percent::FULL, up: 2, down: 3 }
    }
}

impl LadderPlan {
    /// The same within its bounds, and with the start not above the goal.
    pub fn bounded(self) -> Self {
        Self {
            start: self.start.min(self.goal),
            step: self.step.clamp(1, STEP_MAX),
            up: self.up.clamp(1, PASSES_MAX),
            down: self.down.min(PASSES_MAX),
            ..self
        }
    }

    /// Whether the tempo is the ladder's in a mode: where the program keeps the time. A tempo that nobody had to keep is
    /// no rung.
    pub fn climbs_in(self, mode: Mode) -> bool {
        self.on && mode.is_timed()
    }
}

/// Of a clean pass so many hundredths of the notes written or wrongly played are right, and of those written so many
/// thousandths may be missing. Professionals leave out about one note in a hundred.
const fn demands(preset: Preset) -> (u32, u32) {
    match preset {
        Preset::Relaxed => (90, 50),
        Preset::Standard => (95, 10),
        Preset::Strict => (98, 5),
    }
}

/// Whether a pass was clean; `None` if nothing was played, which is neither clean nor failed.
///
/// The rule: right notes are at least 95 % of all that were written or wrongly played, none is missing (of a hundred
/// written notes, one may be), and half of the right ones are on time. *Relaxed* asks for 90 % and
/// lets one of twenty be missing, *Strict* for 98 % and one of two hundred.
pub fn is_clean(pass: &Counts, preset: Preset) -> Option<bool> {
    if pass.right() + pass.extra + pass.wrong_octave == 0 {
        return None;
    }
    let (right_percent, missing_permille) = demands(preset);
    let all = pass.right() + pass.wrong();
    let right = u64::from(pass.right()) * 100 >= u64::from(right_percent) * u64::from(all);
    let whole = u64::from(pass.missed) * 1_000 <= u64::from(missing_permille) * u64::from(pass.written());
    let on_time = u64::from(pass.on_time) * 100 >= u64::from(ON_TIME_PERCENT) * u64::from(pass.right());
    Some(right && whole && on_time)
}

/// What a pass led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Climb {
    /// The same speed again.
    Stays,
    /// A rung up.
    Up,
    /// A rung down.
    Down,
    /// The goal is reached: it was clean often enough at its speed.
    Done,
}

/// A pass as it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rung {
    /// At which speed it was played.
    pub speed: Percent,
    /// Whether it was clean.
    pub clean: bool,
    /// What it led to.
    pub climb: Climb,
}

/// Where a person stands on the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ladder {
    plan: LadderPlan,
    speed: Percent,
    clean: u8,
    failed: u8,
    done: bool,
}

impl Ladder {
    /// At a speed that was played before, or was chosen by hand; what was played at another speed does not count.
    pub fn at(plan: LadderPlan, speed: Percent) -> Self {
        Self { plan: plan.bounded(), speed, clean: 0, failed: 0, done: false }
    }

    /// The speed of the pass at hand.
    pub fn speed(&self) -> Percent {
        self.speed
    }

    /// The plan, within its bounds.
    pub fn plan(&self) -> &LadderPlan {
        &self.plan
    }

    /// Clean passes in a row at this speed.
    pub fn clean(&self) -> u8 {
        self.clean
    }

    /// Failed passes in a row at this speed.
    pub fn failed(&self) -> u8 {
        self.failed
    }

    /// Whether the goal was reached.
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// A pass is over. After the goal was reached nothing changes any more.
    pub fn pass(&mut self, clean: bool) -> Climb {
        if self.done {
            return Climb::Done;
        }
        (self.clean, self.failed) =
            if clean { (self.clean.saturating_add(1), 0) } else { (0, self.failed.saturating_add(1)) };
        if self.clean >= self.plan.up {
            return self.up();
        }
        let slower = self.stepped(-i32::from(self.plan.step)).max(self.plan.start.min(self.speed));
        if self.plan.down > 0 && self.failed >= self.plan.down {
            self.failed = 0;
            if slower < self.speed {
                self.speed = slower;
                return Climb::Down;
            }
        }
        Climb::Stays
    }

    fn up(&mut self) -> Climb {
        if self.speed >= self.plan.goal {
            self.done = true;
            return Climb::Done;
        }
        self.speed = self.stepped(i32::from(self.plan.step)).min(self.plan.goal);
        self.clean = 0;
        Climb::Up
    }

    fn stepped(&self, by: i32) -> Percent {
        Percent::new((i32::from(self.speed.get()) + by).max(0) as u16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(start: u16, step: u8, goal: u16, up: u8, down: u8) -> LadderPlan {
        LadderPlan { on: true, start: Percent::new(start), step, goal: Percent::new(goal), up, down }
    }

    /// Plays passes, `+` a clean and `-` a failed one, and tells the speeds of the passes that follow.
    fn check(plan: LadderPlan, passes: &str, expected: &[u16]) {
        let mut ladder = Ladder::at(plan, plan.start);
        let speeds: Vec<u16> = (passes.chars())
            .map(|pass| {
                ladder.pass(pass == '+');
                ladder.speed().get()
            })
            .collect();
        assert_eq!(speeds, expected, "{passes}");
    }

    #[test]
    fn it_climbs_after_clean_passes_in_a_row_and_comes_down_after_failed_ones() {
        check(plan(60, 10, 90, 2, 2), "++++", &[60, 70, 70, 80]);
        check(plan(60, 10, 90, 2, 2), "+-+-+", &[60, 60, 60, 60, 60]);
        check(plan(60, 10, 90, 1, 2), "++--", &[70, 80, 80, 70]);
        check(plan(60, 10, 90, 1, 0), "+-----", &[70; 6]);
        check(plan(60, 10, 90, 1, 1), "--", &[60, 60]);
        check(plan(60, 25, 100, 1, 1), "+++", &[85, 100, 100]);
    }

    #[test]
    fn the_goal_is_reached_by_clean_passes_at_its_own_speed() {
        let mut ladder = Ladder::at(plan(90, 10, 100, 2, 1), Percent::new(90));
        let climbs = [true, true, true, false, true, true, true, true, false].map(|clean| ladder.pass(clean));
        use Climb::{Done, Down, Stays, Up};
        assert_eq!(climbs, [Stays, Up, Stays, Down, Stays, Up, Stays, Done, Done]);
        assert!(ladder.is_done());
        assert_eq!(ladder.speed(), Percent::FULL);
    }

    #[test]
    fn a_clean_pass_is_one_with_the_right_notes_none_missing_and_half_of_them_on_time() {
        let counts = |on_time, late, missed, extra| Counts { on_time, late, missed, extra, ..Counts::default() };
        let check = |pass: Counts, expected: [bool; 3]| {
            let found = Preset::ALL.map(|preset| is_clean(&pass, preset));
            assert_eq!(found, expected.map(Some), "{pass:?}");
        };
        check(counts(20, 0, 0, 0), [true, true, true]);
        check(counts(20, 0, 0, 1), [true, true, false]);
        check(counts(19, 0, 1, 0), [true, false, false]);
        check(counts(20, 0, 0, 2), [true, false, false]);
        check(counts(17, 0, 3, 0), [false, false, false]);
        check(counts(198, 0, 1, 0), [true, true, false]);
        check(counts(199, 0, 1, 0), [true, true, true]);
        check(counts(9, 11, 0, 0), [false, false, false]);
        assert_eq!(is_clean(&counts(0, 0, 8, 0), Preset::Standard), None, "nobody played");
    }

    proptest::proptest! {
        #[test]
        fn the_speed_stays_between_start_and_goal_and_moves_a_step_at_most(
            (start, goal, step, up, down) in (10u16..=200, 10u16..=200, 0u8..=80, 0u8..=12, 0u8..=12),
            passes in proptest::collection::vec(proptest::bool::ANY, 0..200),
        ) {
            let plan = plan(start, step, goal, up, down).bounded();
            let mut ladder = Ladder::at(plan, plan.start);
            let mut in_a_row = 0;
            for clean in passes {
                let before = ladder;
                let climb = ladder.pass(clean);
                in_a_row = if clean { in_a_row + 1 } else { 0 };
                let moved = i32::from(ladder.speed().get()) - i32::from(before.speed().get());
                proptest::prop_assert!((plan.start..=plan.goal).contains(&ladder.speed()));
                proptest::prop_assert!(moved.abs() <= i32::from(plan.step));
                match climb {
                    Climb::Up => proptest::prop_assert!(moved > 0 && clean),
                    Climb::Down => proptest::prop_assert!(moved < 0 && !clean && plan.down > 0),
                    Climb::Stays => proptest::prop_assert_eq!(moved, 0),
                    Climb::Done => proptest::prop_assert!(moved == 0 && ladder.speed() == plan.goal),
                }
                if climb == Climb::Up {
                    proptest::prop_assert!(in_a_row >= u32::from(plan.up));
                    in_a_row = 0;
                }
            }
        }

        #[test]
        fn whoever_never_fails_reaches_the_goal_and_no_sooner_than_the_rungs_take(
            (start, goal, step, up) in (10u16..=200, 10u16..=200, 1u8..=50, 1u8..=10),
        ) {
            let plan = plan(start, step, goal, up, 3).bounded();
            let rungs = (plan.goal.get() - plan.start.get()).div_ceil(u16::from(step)) + 1;
            let needed = rungs * u16::from(up);
            let mut ladder = Ladder::at(plan, plan.start);
            for pass in 1..=needed {
                let done = ladder.pass(true) == Climb::Done;
                proptest::prop_assert_eq!(done, pass == needed);
            }
        }
    }
}
