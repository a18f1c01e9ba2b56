//! What goes into a matcher and what comes out: played notes, verdicts, presets. Plain values, no judging.

use serde::{Deserialize, Serialize};

use crate::music::{NoteId, Percent, Pitch};
use crate::time::{Micros, Ticks};

/// Which played note is meant: whatever number the caller gave it, unique within a take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlayedId(pub u64);

/// A key-down as it came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlayedNote {
    /// The caller's number for it.
    pub id: PlayedId,
    /// When, on the clock of the take, after calibration.
    pub at: Micros,
    /// The key.
    pub pitch: Pitch,
    /// How hard, 1 to 127.
    pub velocity: u8,
}

/// What was found about a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerdictKind {
    /// The right key within the preset's window (in *Wait*: within the chord window).
    OnTime,
    /// The right key, before the window.
    Early,
    /// The right key, after the window (in *Wait*: the chord was spread wider than its window).
    Late,
    /// Written, and never played.
    Missed,
    /// Played, and not written anywhere near.
    Extra,
    /// The right note name in another octave: one played and one written note.
    WrongOctave,
    /// Played, and neither right nor wrong: it belongs to the hand that is not practised, or to a stroke that has
    /// been judged already, or was kept for a group that a seek took away.
    Neutral,
}

impl VerdictKind {
    /// Whether the written note counts as played: on time, early or late.
    pub const fn is_right(self) -> bool {
        matches!(self, Self::OnTime | Self::Early | Self::Late)
    }

    /// Whether something went wrong with the pitches: missed, extra or the wrong octave.
    pub const fn is_wrong(self) -> bool {
        matches!(self, Self::Missed | Self::Extra | Self::WrongOctave)
    }
}

/// A decision about one played note, one written note, or a pair of them.
///
/// Within one pass every practised written note that was reached has exactly one verdict, but for grace notes that were
/// left out in *Wait*, and what came after the last key of somebody who stopped: they have none. A played note has exactly
/// one too, except that a key-down which counts for several written notes at once (a unison of both hands, a tap in
/// rhythm) is named in the verdict of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Which time through, from 0: each loop pass and each seek begins a new one.
    pub pass: u32,
    /// The played note; `None` if missed.
    pub played: Option<PlayedId>,
    /// The written note; `None` if extra.
    pub written: Option<NoteId>,
    /// What was found.
    pub kind: VerdictKind,
    /// Played minus expected time, positive when late. In *Wait*, where nothing is expected at a time, the time since
    /// the first key-down of the same chord. `None` without a pair of notes.
    pub deviation: Option<Micros>,
}

/// How strictly timing is coloured. From the spread of 22 professionals around their own local tempo: 60 % of their
/// notes lie within ±50 ms, 89 % within ±100, 96 % within ±150.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// ±150 ms.
    Relaxed,
    /// ±100 ms.
    #[default]
    Standard,
    /// ±50 ms.
    Strict,
}

impl Preset {
    /// All, from the mildest on.
    pub const ALL: [Self; 3] = [Self::Relaxed, Self::Standard, Self::Strict];

    /// Half the width of "on time" at a playback speed. Slower than written it grows in proportion (half speed, twice
    /// the window), down to a quarter of the speed; faster than written it stays, so that it is never less than
    /// what the preset says.
    pub const fn window(self, speed: Percent) -> Micros {
        let base = match self {
            Self::Relaxed => 150,
            Self::Standard => 100,
            Self::Strict => 50,
        };
        scaled_to_speed(Micros::from_millis(base), speed)
    }

    /// The colour of a deviation: on time if within the window, its edges included.
    pub const fn judge(self, deviation: Micros, speed: Percent) -> VerdictKind {
        let window = self.window(speed).0;
        if deviation.0 < -window {
            VerdictKind::Early
        } else if deviation.0 > window {
            VerdictKind::Late
        } else {
            VerdictKind::OnTime
        }
    }
}

/// A duration that holds at full speed, for a playback speed: in proportion when slower, at most four times as long;
/// unchanged when faster.
pub const fn scaled_to_speed(base: Micros, speed: Percent) -> Micros {
    let mut percent = speed.get() as i64;
    if percent < 25 {
        percent = 25;
    } else if percent > 100 {
        percent = 100;
    }
    Micros(base.0 * 100 / percent)
}

/// How the person and the program share the time: the five large buttons.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The program plays, the person listens.
    #[default]
    Listen,
    /// The program waits for each onset group.
    Wait,
    /// The program follows the person's tempo.
    Follow,
    /// The person keeps the program's tempo.
    Tempo,
    /// Any key counts; only the rhythm is judged.
    Rhythm,
}

impl Mode {
    /// All, in the order of the buttons.
    pub const ALL: [Self; 5] = [Self::Listen, Self::Wait, Self::Follow, Self::Tempo, Self::Rhythm];

    /// Whether the music keeps its own time, whatever is played.
    pub const fn keeps_time(self) -> bool {
        matches!(self, Self::Listen | Self::Tempo | Self::Rhythm)
    }

    /// Whether the person is judged against the music's own time.
    pub const fn is_timed(self) -> bool {
        matches!(self, Self::Tempo | Self::Rhythm)
    }

    /// Whether what is played gets verdicts.
    pub const fn is_judged(self) -> bool {
        !matches!(self, Self::Listen)
    }
}

/// An onset group that has been completed in *Wait*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupDone {
    /// Its index among the groups of the range.
    pub index: usize,
    /// Where it is written.
    pub tick: Ticks,
    /// When its last key-down came, or when the group before was done, whichever is later.
    pub at: Micros,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_grow_when_slower_and_never_shrink() {
        for (preset, percent, millis) in [
            (Preset::Standard, 100, 100),
            (Preset::Standard, 50, 200),
            (Preset::Standard, 200, 100),
            (Preset::Relaxed, 75, 200),
            (Preset::Strict, 25, 200),
            (Preset::Strict, 10, 200),
        ] {
            let window = preset.window(Percent::new(percent));
            assert_eq!(window, Micros::from_millis(millis), "{preset:?} at {percent} %");
        }
    }

    #[test]
    fn the_edges_of_the_window_are_on_time() {
        let judge = |micros| Preset::Standard.judge(Micros(micros), Percent::FULL);
        assert_eq!(judge(100_000), VerdictKind::OnTime);
        assert_eq!(judge(-100_000), VerdictKind::OnTime);
        assert_eq!(judge(100_001), VerdictKind::Late);
        assert_eq!(judge(-100_001), VerdictKind::Early);
    }
}
