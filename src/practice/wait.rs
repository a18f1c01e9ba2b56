//! *Wait for me*: the page turns when an onset group is done. A state machine over key-downs.
//!
//! A group is what is written on one tick: a chord, rolled or not, with the grace notes that lead to it, in any order. It
//! is done when each of its keys was struck since the group before was done, but for grace notes: they are right when
//! they are played, be it a moment after their main note, and nobody waits for them. A key-down that the next group needs
//! is kept for it; what fits the groups after that in their order is neutral, as one who left a note out goes on, and so
//! is a bar that is played again from its beginning. Held keys and releases mean nothing here: the set of held keys
//! equals the written chord in only two onsets of three even when professionals play.

mod again;
mod ahead;
mod groups;

use again::{Again, Fit};
use ahead::Ahead;
use groups::{Group, Key, groups};

use super::options::{ChordWindow, KeyRange, PracticeSettings};
use super::ornament;
use super::types::{GroupDone, PlayedNote, Verdict, VerdictKind};
use crate::music::{Hand, Hands, NoteId, OrnamentSpan, Pitch, Score};
use crate::time::{Micros, Ticks};

/// So many key-downs of the next pass are kept until a loop goes back: more than two hands strike before it does.
const EARLY_MAX: usize = 64;

/// A key of an ornament this soon after another one is its next stroke: trills are struck eight to fourteen times a second
/// (Moore, *The trill in keyboard playing*, 1992), and learners' half as often.
const ORNAMENT_STEP: Micros = Micros::from_millis(200);

/// A grace note this long after its main note still belongs to it: as long as the keys of a rolled chord may be apart.
const GRACE_AFTER: Micros = Micros::from_millis(450);

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
    /// Whether the range is played again and again: after its last group the first one is the next.
    pub looping: bool,
}

impl From<&PracticeSettings> for WaitOptions {
    fn from(settings: &PracticeSettings) -> Self {
        Self {
            chord_window: settings.chord_window,
            any_note: settings.any_note,
            go_on_after_error: settings.go_on_after_error,
            keyboard: settings.keyboard,
            looping: settings.looping,
        }
    }
}

/// What followed from one input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// What was decided, in order.
    pub verdicts: Vec<Verdict>,
    /// A wrong key that may yet be a bar begun again; what it is follows, with the next key-down or two.
    pub impressions: Vec<Verdict>,
    /// The groups that became done; several when what was kept completes the next one at once.
    pub done: Vec<GroupDone>,
    /// Where the transport is to go, if it is to move: the group that is needed now, or the end of the range.
    pub advance_to: Option<Ticks>,
    /// Whether nothing is left to play in this pass.
    pub finished: bool,
    /// Whether the next pass of a loop was begun, so that the music is to go back at once.
    pub wrap: bool,
}

/// The page turner. Key-downs in order of time in, verdicts and finished groups out.
#[derive(Clone, Debug)]
pub struct WaitMatcher {
    groups: Vec<Group>,
    others: Vec<(Ticks, Pitch, NoteId)>,
    ornaments: Vec<OrnamentSpan>,
    from: Ticks,
    to: Ticks,
    options: WaitOptions,
    at: usize,
    pass: u32,
    /// Whether a key was struck in this pass.
    begun: bool,
    /// The first key-down of the current group.
    first: Option<Micros>,
    /// When the group before was done, and its first key-down.
    turned: Option<Micros>,
    begun_before: Option<Micros>,
    /// The latest key-down of an ornament at hand.
    ornamented: Option<Micros>,
    kept: Vec<PlayedNote>,
    /// Where a player is who left something out.
    ahead: Option<Ahead>,
    /// The bar that the player may play again.
    again: Again,
    /// Key-downs of the next pass of a loop.
    early: Vec<PlayedNote>,
    held: u128,
}

impl WaitMatcher {
    /// A matcher for the notes of `hands` that are written in `[from, to)`, before the first of them.
    pub fn new(score: &Score, hands: Hands, from: Ticks, to: Ticks, options: WaitOptions) -> Self {
        let other = |hand: Hand| !hands.contains(hand);
        let others = score.iter().filter(|(_, n)| other(n.hand)).map(|(id, n)| (score.beat(id), n.pitch, id));
        let mut others: Vec<_> = others.collect();
        others.sort_unstable();
        Self {
            groups: groups(score, hands, (from, to), &options),
            others,
            ornaments: score.ornaments().to_vec(),
            from,
            to,
            options,
            at: 0,
            pass: 0,
            begun: false,
            first: None,
            turned: None,
            begun_before: None,
            ornamented: None,
            kept: Vec::new(),
            ahead: None,
            again: Again::default(),
            early: Vec::new(),
            held: 0,
        }
    }

    /// A matcher for what a person has chosen.
    pub fn from_settings(score: &Score, settings: &PracticeSettings) -> Self {
        let (from, to) = settings.ticks(score.bars());
        Self::new(score, settings.practise, from, to, settings.into())
    }

    /// A key went down. Notes come in order of time.
    pub fn key_down(&mut self, note: PlayedNote) -> Step {
        self.held |= 1 << note.pitch.key();
        self.judge(note)
    }

    fn judge(&mut self, note: PlayedNote) -> Step {
        self.begun = true;
        let mut step = Step::default();
        if let Some(key) = self.late_grace(&note) {
            let first = self.begun_before.unwrap_or(note.at);
            self.give((self.at - 1, key), note, note.at - first, &mut step);
        } else if self.is_finished() {
            self.after_the_end(note, &mut step);
        } else if self.goes_on_with_ornament(&note) {
            step.verdicts.push(self.verdict(&note, None, VerdictKind::Neutral, None));
        } else if self.options.any_note {
            self.stroke(note, &mut step);
        } else {
            self.key(note, &mut step);
        }
        step.finished = self.is_finished();
        step.wrap = step.finished && !self.early.is_empty();
        step
    }

    /// A key went up. Changes no progress; only [`Self::is_held`].
    pub fn key_up(&mut self, pitch: Pitch) {
        self.held &= !(1 << pitch.key());
    }

    /// Goes to the first group at or after `tick` and begins a new pass, if a key was struck in this one. What was kept
    /// for a group is let go; what was still needed is not judged.
    pub fn seek(&mut self, tick: Ticks) -> Step {
        let verdicts = self.let_go();
        self.pass += u32::from(std::mem::take(&mut self.begun));
        (self.first, self.turned, self.begun_before, self.ornamented) = (None, None, None, None);
        self.ahead = None;
        self.groups.iter_mut().flat_map(|g| &mut g.keys).for_each(|k| k.settled = false);
        self.at = self.groups.partition_point(|g| g.tick < tick);
        Step { verdicts, advance_to: Some(self.tick()), finished: self.is_finished(), ..Step::default() }
    }

    /// Begins the range again, as a loop does; what was played of it already counts.
    pub fn wrap(&mut self) -> Step {
        let early = std::mem::take(&mut self.early);
        let mut step = self.seek(self.from);
        for note in early {
            let next = self.judge(note);
            step.verdicts.extend(next.verdicts);
            step.done.extend(next.done);
            (step.finished, step.wrap) = (next.finished, next.wrap);
        }
        step.advance_to = Some(self.tick());
        step
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

    /// The tick that a key struck now is about: that of the group that is needed; after the last one, that one, until
    /// the next pass of a loop was begun.
    pub fn place(&self) -> Ticks {
        let after = if self.early.is_empty() { self.groups.last() } else { self.groups.first() };
        self.groups.get(self.at).or(after).map_or(self.from, |g| g.tick)
    }

    /// The index of the group that is needed now, and how many groups there are.
    pub fn progress(&self) -> (usize, usize) {
        (self.at, self.groups.len())
    }

    /// The current pass, from 0.
    pub fn pass(&self) -> u32 {
        self.pass
    }

    /// The written notes that still need a key-down now; grace notes need none.
    pub fn needed(&self) -> impl Iterator<Item = NoteId> + '_ {
        let keys = self.groups.get(self.at).map_or(&[][..], |g| &g.keys);
        keys.iter().filter(|k| k.is_due()).flat_map(|k| k.written.iter().copied())
    }

    /// All written notes of the group that is needed now, played or not.
    pub fn awaited(&self) -> impl Iterator<Item = NoteId> + '_ {
        let keys = self.groups.get(self.at).map_or(&[][..], |g| &g.keys);
        keys.iter().flat_map(|k| k.written.iter().copied())
    }

    /// Whether a key is down: if it is needed too, it has to be struck again.
    pub fn is_held(&self, pitch: Pitch) -> bool {
        self.held >> pitch.key() & 1 == 1
    }

    /// An ordinary key-down.
    fn key(&mut self, note: PlayedNote, step: &mut Step) {
        let ahead = self.goes_on_ahead(note.pitch);
        let again = self.plays_again(note.pitch, step);
        if self.open_key(note.pitch).is_some() {
            self.take(note, note.at, step);
        } else if self.next_needs(note.pitch) {
            self.kept.push(note);
        } else if (ahead && !self.options.go_on_after_error) || again == Fit::Sure {
            step.verdicts.push(self.verdict(&note, None, VerdictKind::Neutral, None));
        } else {
            let told = step.verdicts.len();
            self.wrong_key(note, step);
            if again == Fit::Maybe {
                let wrong = step.verdicts.split_off(told);
                self.again.pending.extend(&wrong);
                step.impressions.extend(wrong);
            }
        }
        self.turn_pages(note.at, step);
    }

    /// Whether a key plays a bar again. What was struck of it before is told once that is known: in *go on after an error*
    /// a wrong key is always one.
    fn plays_again(&mut self, pitch: Pitch, step: &mut Step) -> Fit {
        if self.options.go_on_after_error {
            return Fit::None;
        }
        let fit = match self.again.strike(&self.groups, self.at, pitch) {
            // Who may only begin again, and strikes what is needed, goes on.
            Fit::Maybe if self.open_key(pitch).is_some() => Fit::None,
            fit => fit,
        };
        match fit {
            Fit::Maybe => return fit,
            Fit::None => self.again.forget(),
            Fit::Sure => self.again.pending.iter_mut().for_each(|verdict| verdict.kind = VerdictKind::Neutral),
        }
        step.verdicts.append(&mut self.again.pending);
        fit
    }

    /// Nothing is needed any more in this pass; in a loop the next one may be begun.
    fn after_the_end(&mut self, note: PlayedNote, step: &mut Step) {
        let begins = self.options.any_note || self.groups.first().is_some_and(|g| g.count(note.pitch) > 0);
        let of_stroke = self.options.any_note && self.belongs_to_stroke(note.at);
        let goes_on = !self.early.is_empty() || (begins && !of_stroke);
        if self.options.looping && !self.groups.is_empty() && goes_on && self.early.len() < EARLY_MAX {
            self.early.push(note);
        } else {
            let neutral = of_stroke || self.other_hand(note.pitch).is_some() || self.is_ornament(note.pitch);
            let kind = if neutral { VerdictKind::Neutral } else { VerdictKind::Extra };
            step.verdicts.push(self.verdict(&note, None, kind, None));
        }
    }

    /// A key-down in any-note rhythm: the whole group, or nothing if it belongs to the stroke before.
    fn stroke(&mut self, note: PlayedNote, step: &mut Step) {
        if self.belongs_to_stroke(note.at) {
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

    /// In any-note rhythm: whether a key-down comes so soon after a stroke that it is part of it.
    fn belongs_to_stroke(&self, at: Micros) -> bool {
        let window = self.at.checked_sub(1).map(|done| self.groups[done].stroke);
        self.first.zip(window).is_some_and(|(first, window)| at - first <= window)
    }

    /// Gives a key-down to the current group, which needs it, at `at`: what was kept counts from when the group was
    /// begun.
    fn take(&mut self, note: PlayedNote, at: Micros, step: &mut Step) {
        let deviation = at - *self.first.get_or_insert(at);
        let Some(key) = self.open_key(note.pitch) else { return };
        self.give((self.at, key), note, deviation, step);
    }

    /// Gives a key-down to a key of a group.
    fn give(&mut self, (group, key): (usize, usize), note: PlayedNote, deviation: Micros, step: &mut Step) {
        let kind = match self.options.chord_window.micros() {
            Some(window) if deviation > window => VerdictKind::Late,
            _ => VerdictKind::OnTime,
        };
        for &id in &self.groups[group].keys[key].written {
            step.verdicts.push(self.verdict(&note, Some(id), kind, Some(deviation)));
        }
        self.groups[group].keys[key].settled = true;
    }

    /// The index of a grace note of the group before that is played after its main note, before this group is begun.
    fn late_grace(&self, note: &PlayedNote) -> Option<usize> {
        let is_soon = self.turned.is_some_and(|turned| note.at - turned <= GRACE_AFTER);
        let is_due = self.open_key(note.pitch).is_some_and(|key| !self.groups[self.at].keys[key].optional);
        if !is_soon || self.first.is_some() || is_due {
            return None;
        }
        let keys = &self.groups.get(self.at.checked_sub(1)?)?.keys;
        keys.iter().position(|k| k.pitch == note.pitch && k.optional && !k.settled)
    }

    /// A key-down that neither the current nor the next group needs. Never undoes anything.
    fn wrong_key(&mut self, note: PlayedNote, step: &mut Step) {
        if let Some(id) = self.other_hand(note.pitch) {
            step.verdicts.push(self.verdict(&note, Some(id), VerdictKind::Neutral, None));
            return;
        }
        if self.is_ornament(note.pitch) {
            step.verdicts.push(self.verdict(&note, None, VerdictKind::Neutral, None));
            return;
        }
        let open = self.groups[self.at].keys.iter().enumerate().filter(|(_, k)| k.is_due());
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
        while self.groups.get(self.at).is_some_and(|g| !g.keys.iter().any(Key::is_due)) {
            step.done.push(GroupDone { index: self.at, tick: self.groups[self.at].tick, at: now });
            self.at += 1;
            (self.begun_before, self.first, self.turned) = (self.first, None, Some(now));
            if self.is_finished() {
                self.early.append(&mut self.kept);
            }
            for note in std::mem::take(&mut self.kept) {
                self.take(note, now, step);
            }
            step.advance_to = Some(self.tick());
        }
    }

    /// The index of a pitch that the current group still has to get; of a grace note on the key of its main note last.
    fn open_key(&self, pitch: Pitch) -> Option<usize> {
        let open = self.groups.get(self.at)?.keys.iter().enumerate().filter(|(_, k)| k.pitch == pitch && !k.settled);
        open.min_by_key(|(_, key)| key.optional).map(|(index, _)| index)
    }

    /// Whether the next group needs a key-down of this pitch that is not kept yet.
    fn next_needs(&self, pitch: Pitch) -> bool {
        let again = if self.options.looping { self.groups.first() } else { None };
        let needed = self.groups.get(self.at + 1).or(again).map_or(0, |g| g.count(pitch));
        self.kept.iter().filter(|k| k.pitch == pitch).count() < needed
    }

    /// Whether a key fits where a player is who left something out here and went on.
    fn goes_on_ahead(&mut self, pitch: Pitch) -> bool {
        if let Some(ahead) = self.ahead.as_mut().filter(|ahead| ahead.group > self.at)
            && ahead.goes_on(&self.groups, pitch)
        {
            return true;
        }
        let mut fresh = Ahead::new(&self.groups, self.at + 1);
        let kept = self.kept.iter().filter(|note| fresh.goes_on(&self.groups, note.pitch)).count();
        let fits = kept > 0 && fresh.goes_on(&self.groups, pitch);
        if fits {
            self.ahead = Some(fresh);
        }
        fits
    }

    /// Whether a key is but a stroke of an ornament, whatever the next group needs: of one in the group that is needed,
    /// or one more of one before it. The latter soon after the stroke before, and before it has had two thirds of its
    /// written time, as the next group must not be refused to those who are faster than that.
    fn goes_on_with_ornament(&mut self, note: &PlayedNote) -> bool {
        let key = if self.options.any_note { u128::MAX } else { 1 << note.pitch.key() };
        let is_of = |index: usize| self.groups.get(index).is_some_and(|group| group.ornament & key != 0);
        let here = is_of(self.at);
        let before = self.at.checked_sub(1).filter(|index| is_of(*index));
        let last = if here || before.is_some() { self.ornamented.replace(note.at) } else { None };
        let is_soon = last.is_some_and(|last| note.at - last <= ORNAMENT_STEP);
        let lasts = before.zip(self.turned).is_some_and(|(index, turned)| {
            let written = self.groups[self.at].time - self.groups[index].time;
            (note.at - turned).0 * 3 < written.0 * 2
        });
        let begins = here && !self.options.any_note && self.open_key(note.pitch).is_none();
        begins || (is_soon && lasts)
    }

    /// Whether a key belongs to an ornament that is written between the group before and this one.
    fn is_ornament(&self, pitch: Pitch) -> bool {
        ornament::permits(&self.ornaments, Some(pitch), (self.before(), self.tick()))
    }

    /// The tick of the group before.
    fn before(&self) -> Ticks {
        self.at.checked_sub(1).map_or(self.from, |i| self.groups[i].tick)
    }

    /// A note of the hand that is not practised, of this pitch, from the group before up to the next one.
    fn other_hand(&self, pitch: Pitch) -> Option<NoteId> {
        let from = self.before();
        let to = self.groups.get(self.at + 1).map_or(self.to, |g| g.tick);
        let first = self.others.partition_point(|o| o.0 < from);
        self.others[first..].iter().take_while(|o| o.0 <= to).find(|o| o.1 == pitch).map(|o| o.2)
    }

    fn let_go(&mut self) -> Vec<Verdict> {
        let kept = std::mem::take(&mut self.kept).into_iter().chain(std::mem::take(&mut self.early));
        let kept: Vec<PlayedNote> = kept.collect();
        self.again.forget();
        let pending = std::mem::take(&mut self.again.pending);
        let kept = kept.iter().map(|note| self.verdict(note, None, VerdictKind::Neutral, None));
        pending.into_iter().chain(kept).collect()
    }

    fn verdict(&self, note: &PlayedNote, id: Option<NoteId>, kind: VerdictKind, deviation: Option<Micros>) -> Verdict {
        Verdict { pass: self.pass, played: Some(note.id), written: id, kind, deviation }
    }
}
