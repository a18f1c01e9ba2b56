//! Which keys come next while the music runs in its own time: they light up on instruments that can. Pure.

use crate::model::TransportChange;
use crate::music::{NoteId, Score, TempoMap};
use crate::practice::PracticeSettings;
use crate::time::{Micros, Ticks};

use super::judging::Running;

/// A key lights up so long before it is due, and not while much else could be thought of.
const LEAD: Micros = Micros::from_millis(2_000);
/// It is dark so long after the onset before, so that a key that is struck twice is seen twice.
const DARK: Micros = Micros::from_millis(100);

/// The keys of a range, and the course of the music.
#[derive(Clone, Debug, Default)]
pub(super) struct NextKeys {
    /// Onsets of the hands that are practised, in order, with their keys, one bit each.
    onsets: Vec<(Ticks, u128)>,
    course: Option<Running>,
}

impl NextKeys {
    /// What is practised from now on; the course of the music stays.
    pub(super) fn practise(&mut self, score: &Score, settings: &PracticeSettings) {
        let (from, to) = settings.ticks(score.bars());
        let mine = |id: &&NoteId| settings.is_mine(score.note(**id));
        let key = |keys, id: &NoteId| keys | 1 << score.note(*id).pitch.key();
        let groups = score.onset_groups(settings.practise, from, to);
        let onsets = groups.iter().map(|group| (group.tick, group.notes.iter().filter(mine).fold(0, key)));
        self.onsets = onsets.filter(|(_, keys)| *keys != 0).collect();
    }

    /// What the transport did, and when.
    pub(super) fn follow(&mut self, change: TransportChange, at: Micros) {
        match change {
            TransportChange::Runs { place, speed } => self.course = Some(Running { place, speed, at }),
            TransportChange::Bar => {}
            _ => self.course = None,
        }
    }

    /// Whether the music runs.
    pub(super) fn runs(&self) -> bool {
        self.course.is_some()
    }

    /// The keys of the onset that is next due at `now`, shortly before it and until it is.
    pub(super) fn at(&self, map: &TempoMap, now: Micros) -> u128 {
        let Some(course) = self.course else { return 0 };
        let time = |(tick, _): &(Ticks, u128)| course.time_of(map, *tick);
        let next = self.onsets.partition_point(|onset| time(onset) <= now);
        let Some(onset) = self.onsets.get(next).filter(|onset| (time(onset) - now).0 <= LEAD.0) else { return 0 };
        let before = next.checked_sub(1).map(|before| time(&self.onsets[before]));
        let dark = before.is_some_and(|before| now - before < DARK.min(Micros((time(onset) - before).0 / 2)));
        if dark { 0 } else { onset.1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::notation;
    use crate::music::Percent;

    #[test]
    fn keys_light_up_before_they_are_due_and_go_out_in_between() {
        // Quarters of half a second: C with E, D, D after a long rest, D.
        let score =
            notation::score("tempo: 120\nR: <c4 e> d r r | r r r r | d d r r").expect("the notes are written right");
        let mut next = NextKeys::default();
        next.practise(&score, &PracticeSettings::default());
        let map = score.tempo();
        let at = |next: &NextKeys, millis| next.at(map, Micros::from_millis(millis));
        let (chord, d) = (1 << 60 | 1 << 64, 1 << 62);
        assert_eq!(at(&next, 0), 0, "nothing runs");
        // Half the speed: an onset a second; it begins three seconds in.
        let speed = Percent::new(50);
        next.follow(TransportChange::Runs { place: 0, speed }, Micros::from_millis(3_000));
        assert!(next.runs());
        let expected = [
            (900, 0),
            (1_000, chord),
            (2_999, chord),
            (3_000, 0),
            (3_099, 0),
            (3_100, d),
            (3_999, d),
            (4_000, 0),
            (8_999, 0),
            (9_000, d),
            (10_999, d),
            (11_000, 0),
            (11_100, d),
            (12_000, 0),
            (99_000, 0),
        ];
        for (millis, keys) in expected {
            assert_eq!(at(&next, millis), keys, "{millis} ms");
        }
        next.follow(TransportChange::Bar, Micros::from_millis(3_500));
        assert_eq!(at(&next, 3_500), d);
        next.follow(TransportChange::Stopped, Micros::from_millis(3_600));
        assert_eq!((at(&next, 3_600), next.runs()), (0, false));
    }
}
