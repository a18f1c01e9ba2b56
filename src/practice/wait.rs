//! *Wait for me*: the page turns when an onset group is done. A state machine over key-downs.
//!
//! A group is done when each of its pitches got a new key-down since the group before was done. A key-down that the
//! next group needs is kept for it. Held keys and releases mean nothing here: the set of held keys equals the written
//! chord in only two onsets of three even when professionals play.

use super::options::{ChordWindow, KeyRange, PracticeSettings};
use super::types::{GroupDone, PlayedNote, Verdict, VerdictKind};
use crate::music::{Hand, Hands, NoteId, Pitch, Score};
use crate::time::{Micros, Ticks};

/// In any-note rhythm, key-downs this soon after a stroke belong to it: professionals strike 95 % of their chords
/// within 69 ms.
pub const STROKE_WINDOW: Micros = Micros::from_millis(75);

/// How a [`WaitMatcher`] judges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WaitOptions {
    /// How far apart the notes of a chord may be before they are coloured late.
    pub chord_window: ChordWindow,
    /// Any key counts as the whole group.
    pub any_note: bool,
    /// A wrong key counts as the nearest note that is still needed, which is then missed.
    pub go_on_after_error: bool,
    /// The keys that can be asked for; what is written outside is not required.
    pub keyboard: KeyRange,
}

impl From<&PracticeSettings> for WaitOptions {
    fn from(settings: &PracticeSettings) -> Self {
        Self {
            chord_window: settings.chord_window,
            any_note: settings.any_note,
            go_on_after_error: settings.go_on_after_error,
            keyboard: settings.keyboard,
        }
    }
}

/// What followed from one input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// What was decided, in order.
    pub verdicts: Vec<Verdict>,
    /// The groups that became done; several when what was kept completes the next one at once.
    pub done: Vec<GroupDone>,
    /// Where the transport is to go, if it is to move: the group that is needed now, or the end of the range.
    pub advance_to: Option<Ticks>,
    /// Whether nothing is left to play in this pass.
    pub finished: bool,
}

/// One pitch of a group. A unison of both hands is one key with two written notes.
#[derive(Clone, Debug)]
struct Key {
    pitch: Pitch,
    written: Vec<NoteId>,
    settled: bool,
}

#[derive(Clone, Debug)]
struct Group {
    tick: Ticks,
    keys: Vec<Key>,
}

/// The page turner. Key-downs in order of time in, verdicts and finished groups out.
#[derive(Clone, Debug)]
pub struct WaitMatcher {
    groups: Vec<Group>,
    others: Vec<(Ticks, Pitch, NoteId)>,
    from: Ticks,
    to: Ticks,
    options: WaitOptions,
    at: usize,
    pass: u32,
    /// The first key-down of the current group.
    first: Option<Micros>,
    kept: Vec<PlayedNote>,
    held: u128,
}

impl WaitMatcher {
    /// A matcher for the notes of `hands` whose onsets lie in `[from, to)`, before the first of them.
    pub fn new(score: &Score, hands: Hands, from: Ticks, to: Ticks, options: WaitOptions) -> Self {
        let required = |id: &NoteId| options.keyboard.contains(score.note(*id).pitch);
        let mut groups = Vec::new();
        for group in score.onset_groups(hands, from, to) {
            let mut keys: Vec<Key> = Vec::new();
            for id in group.notes.into_iter().filter(required) {
                let pitch = score.note(id).pitch;
                match keys.iter_mut().find(|k| k.pitch == pitch) {
                    Some(key) => key.written.push(id),
                    None => keys.push(Key { pitch, written: vec![id], settled: false }),
                }
            }
            if !keys.is_empty() {
                groups.push(Group { tick: group.tick, keys });
            }
        }
        let other = |hand: Hand| !hands.contains(hand);
        let others = score.iter().filter(|(_, n)| other(n.hand)).map(|(id, n)| (n.onset, n.pitch, id)).collect();
        Self { groups, others, from, to, options, at: 0, pass: 0, first: None, kept: Vec::new(), held: 0 }
    }

    /// A matcher for what a person has chosen.
    pub fn from_settings(score: &Score, settings: &PracticeSettings) -> Self {
        let (from, to) = settings.ticks(score.bars());
        Self::new(score, settings.practise, from, to, settings.into())
    }

    /// A key went down. Notes come in order of time.
    pub fn key_down(&mut self, note: PlayedNote) -> Step {
        self.held |= 1 << note.pitch.key();
        let mut step = Step::default();
        if self.is_finished() {
            step.verdicts.push(self.verdict(&note, None, self.neutral_or_extra(note.pitch), None));
        } else if self.options.any_note {
            self.stroke(note, &mut step);
        } else {
            self.key(note, &mut step);
        }
        step.finished = self.is_finished();
        step
    }

    /// A key went up. Changes no progress; only [`Self::is_held`].
    pub fn key_up(&mut self, pitch: Pitch) {
        self.held &= !(1 << pitch.key());
    }

    /// Goes to the first group at or after `tick` and begins a new pass. What was kept for a group is let go; what
    /// was still needed is not judged.
    pub fn seek(&mut self, tick: Ticks) -> Step {
        let verdicts = self.let_go();
        self.pass += 1;
        self.first = None;
        self.groups.iter_mut().flat_map(|g| &mut g.keys).for_each(|k| k.settled = false);
        self.at = self.groups.partition_point(|g| g.tick < tick);
        Step { verdicts, done: Vec::new(), advance_to: Some(self.tick()), finished: self.is_finished() }
    }

    /// Begins the range again, as a loop does.
    pub fn wrap(&mut self) -> Step {
        self.seek(self.from)
    }

    /// Ends the take: verdicts for what was still kept.
    pub fn finish(&mut self) -> Vec<Verdict> {
        self.let_go()
    }

    /// Whether the range has been played to its end.
    pub fn is_finished(&self) -> bool {
        self.at >= self.groups.len()
    }

    /// The tick of the group that is needed now; the end of the range when all is done.
    pub fn tick(&self) -> Ticks {
        self.groups.get(self.at).map_or(self.to, |g| g.tick)
    }

    /// The index of the group that is needed now, and how many groups there are.
    pub fn progress(&self) -> (usize, usize) {
        (self.at, self.groups.len())
    }

    /// The current pass, from 0.
    pub fn pass(&self) -> u32 {
        self.pass
    }

    /// The written notes that still need a key-down now.
    pub fn needed(&self) -> impl Iterator<Item = NoteId> + '_ {
        let keys = self.groups.get(self.at).map_or(&[][..], |g| &g.keys);
        keys.iter().filter(|k| !k.settled).flat_map(|k| k.written.iter().copied())
    }

    /// Whether a key is down: if it is needed too, it has to be struck again.
    pub fn is_held(&self, pitch: Pitch) -> bool {
        self.held >> pitch.key() & 1 == 1
    }

    /// An ordinary key-down.
    fn key(&mut self, note: PlayedNote, step: &mut Step) {
        if self.open_key(self.at, note.pitch).is_some() {
            self.take(note, step);
        } else if self.open_key(self.at + 1, note.pitch).is_some() && self.kept.iter().all(|k| k.pitch != note.pitch) {
            self.kept.push(note);
        } else {
            self.wrong_key(note, step);
        }
        self.turn_pages(note.at, step);
    }

    /// A key-down in any-note rhythm: the whole group, or nothing if it belongs to the stroke before.
    fn stroke(&mut self, note: PlayedNote, step: &mut Step) {
        if self.first.is_some_and(|first| note.at - first <= STROKE_WINDOW) {
            step.verdicts.push(self.verdict(&note, None, VerdictKind::Neutral, None));
            return;
        }
        self.groups[self.at].keys.iter_mut().for_each(|k| k.settled = true);
        for &id in self.groups[self.at].keys.iter().flat_map(|k| &k.written) {
            step.verdicts.push(self.verdict(&note, Some(id), VerdictKind::OnTime, Some(Micros::ZERO)));
        }
        self.turn_pages(note.at, step);
        self.first = Some(note.at);
    }

    /// Gives a key-down to the current group, which needs it.
    fn take(&mut self, note: PlayedNote, step: &mut Step) {
        let first = *self.first.get_or_insert(note.at);
        let deviation = note.at - first;
        let kind = match self.options.chord_window.micros() {
            Some(window) if deviation > window => VerdictKind::Late,
            _ => VerdictKind::OnTime,
        };
        let Some(key) = self.open_key(self.at, note.pitch) else { return };
        for &id in &self.groups[self.at].keys[key].written {
            step.verdicts.push(self.verdict(&note, Some(id), kind, Some(deviation)));
        }
        self.groups[self.at].keys[key].settled = true;
    }

    /// A key-down that neither the current nor the next group needs. Never undoes anything.
    fn wrong_key(&mut self, note: PlayedNote, step: &mut Step) {
        if let Some(id) = self.other_hand(note.pitch) {
            step.verdicts.push(self.verdict(&note, Some(id), VerdictKind::Neutral, None));
            return;
        }
        let open = self.groups[self.at].keys.iter().enumerate().filter(|(_, k)| !k.settled);
        let Some((nearest, _)) = open.min_by_key(|(_, k)| k.pitch.key().abs_diff(note.pitch.key())) else { return };
        let octave = self.groups[self.at].keys.iter().any(|k| !k.settled && k.pitch.class() == note.pitch.class());
        let again = self.groups[self.at].keys.iter().any(|k| k.pitch == note.pitch);
        let kind = if octave && !again { VerdictKind::WrongOctave } else { VerdictKind::Extra };
        step.verdicts.push(self.verdict(&note, None, kind, None));
        if self.options.go_on_after_error {
            for &id in &self.groups[self.at].keys[nearest].written {
                let missed = Verdict { played: None, ..self.verdict(&note, Some(id), VerdictKind::Missed, None) };
                step.verdicts.push(missed);
            }
            self.groups[self.at].keys[nearest].settled = true;
        }
    }

    /// Leaves every group that is complete, giving what was kept to the one that follows.
    fn turn_pages(&mut self, now: Micros, step: &mut Step) {
        while self.groups.get(self.at).is_some_and(|g| g.keys.iter().all(|k| k.settled)) {
            step.done.push(GroupDone { index: self.at, tick: self.groups[self.at].tick, at: now });
            self.at += 1;
            self.first = None;
            for note in std::mem::take(&mut self.kept) {
                self.take(note, step);
            }
            step.advance_to = Some(self.tick());
        }
    }

    /// The index of a pitch that a group still needs.
    fn open_key(&self, group: usize, pitch: Pitch) -> Option<usize> {
        self.groups.get(group)?.keys.iter().position(|k| k.pitch == pitch && !k.settled)
    }

    /// A note of the hand that is not practised, of this pitch, from the group before up to the next one.
    fn other_hand(&self, pitch: Pitch) -> Option<NoteId> {
        let from = self.at.checked_sub(1).map_or(self.from, |i| self.groups[i].tick);
        let to = self.groups.get(self.at + 1).map_or(self.to, |g| g.tick);
        let first = self.others.partition_point(|o| o.0 < from);
        self.others[first..].iter().take_while(|o| o.0 <= to).find(|o| o.1 == pitch).map(|o| o.2)
    }

    fn neutral_or_extra(&self, pitch: Pitch) -> VerdictKind {
        if self.other_hand(pitch).is_some() { VerdictKind::Neutral } else { VerdictKind::Extra }
    }

    fn let_go(&mut self) -> Vec<Verdict> {
        let kept = std::mem::take(&mut self.kept);
        kept.iter().map(|note| self.verdict(note, None, VerdictKind::Neutral, None)).collect()
    }

    fn verdict(&self, note: &PlayedNote, id: Option<NoteId>, kind: VerdictKind, deviation: Option<Micros>) -> Verdict {
        Verdict { pass: self.pass, played: Some(note.id), written: id, kind, deviation }
    }
}
