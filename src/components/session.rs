//! The practice session: which take is recorded, what the engine is told, who turns the page in *Wait for me*. A state
//! machine without threads: inputs in, effects out.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::audio::{Command, LoopRange, MusicTime, Schedule};
use crate::bus::Envelope;
use crate::listen::{Awaited, Written};
use crate::model::{Event, PieceId, TakeEnd, TakeId, TakeOrigin, TakeStart, Trainer, TransportChange, TransportMoved};
use crate::music::{HandEdits, NoteId, Percent, Score};
use crate::practice::{Heard, Mode, PlayedId, PracticeSettings, Verdict, scaled_to_speed};
use crate::time::{Frames, Micros, Stamp, Ticks, WallMillis};

use super::judging::{Judged, TakeJudge};
use super::marks::Marks;
pub use super::marks::NoteMark;
use super::next_keys::NextKeys;

mod climbing;
mod hearing;
mod settling;
mod view;

pub use settling::{Settled, Settling};
pub use view::{Finished, SessionView};

/// How long after the end of the music the last notes may still come, in *Keep tempo* at full speed. Longer than any
/// note is judged late.
const AFTERMATH: Micros = Micros::from_millis(700);
/// A note is written together with another when it begins so near to it: as far as a key may be off and still be judged.
const TOGETHER: Micros = Micros::from_millis(250);
/// A note that the program sounds may be heard for so long.
const RINGS_ON: Micros = Micros::from_millis(2_000);

/// A name for a new take, and the moment at which it begins.
#[derive(Clone, Copy, Debug)]
pub struct Fresh {
    /// The name.
    pub take: TakeId,
    /// The wall clock.
    pub wall: WallMillis,
    /// The monotonic clock.
    pub now: Micros,
}

/// What the session wants done, in this order.
pub enum Effect {
    /// Tell the engine.
    Engine(Command),
    /// Publish in one transaction, and wait until it is applied: what the engine does next belongs to the new take.
    Switch {
        /// The take that was recorded until now.
        from: TakeId,
        /// To which take what happens.
        events: Vec<(TakeId, Event)>,
        /// When.
        at: Micros,
    },
    /// Publish an event of the take, and the moment at which it happened if that counts.
    Publish(TakeId, Event, Option<Micros>),
    /// Judge the end of a take, which may take long, and tell [`Session::settled`].
    Settle(Box<Settling>),
}

/// A piece on the music stand.
#[derive(Clone)]
pub struct OnStand {
    /// Its name in the library.
    pub id: PieceId,
    /// The music.
    pub score: Arc<Score>,
    /// What a person said about its hands; the score has them.
    pub hands: HandEdits,
}

struct Running {
    take: TakeId,
    start: TakeStart,
    judge: TakeJudge,
    /// The latency that the take was told last, and the moments of those changes that have not come back as events yet.
    latency: Micros,
    changes: VecDeque<Micros>,
    /// *Keep tempo*: when the last note may be given up.
    ends_at: Option<Micros>,
    /// Where the person asked the waiting music to go, while it has not come there.
    sought: Option<Ticks>,
}

/// See the module.
pub struct Session {
    stand: Option<OnStand>,
    settings: PracticeSettings,
    running: Option<Running>,
    /// The take that records what is played, judged or not.
    take: TakeId,
    playing: bool,
    /// Where *Play* begins when not at the start of the range.
    start: Option<Ticks>,
    found: Marks,
    view: SessionView,
    effects: Vec<Effect>,
    /// Of the devices, as of now.
    latency: Micros,
    next: NextKeys,
    /// Whether the ladder has changed the tempo since that was last asked.
    climbed: bool,
    /// On a ladder: the frame of the stream on which the next pass is to begin.
    goes_on_at: Option<Frames>,
    /// How often the sound had stopped short when that was last told.
    interruptions: u64,
}

impl Session {
    /// A session without a piece; `take` is the free take being recorded.
    pub fn new(take: TakeId) -> Self {
        Self {
            stand: None,
            settings: PracticeSettings::default(),
            running: None,
            take,
            playing: false,
            start: None,
            found: Marks::default(),
            view: SessionView::default(),
            effects: Vec::new(),
            latency: Micros::ZERO,
            next: NextKeys::default(),
            climbed: false,
            goes_on_at: None,
            interruptions: 0,
        }
    }

    /// How much later than the music a key that is struck in time is stamped from `now` on; a take that is being judged is
    /// told.
    pub fn set_latency(&mut self, latency: Micros, now: Micros) {
        self.latency = latency;
        if let Some(running) = self.running.as_mut().filter(|running| running.latency != latency) {
            running.latency = latency;
            running.changes.push_back(now);
            self.effects.push(Effect::Publish(running.take, Event::LatencyChanged(latency), Some(now)));
        }
    }

    /// The sound has stopped short so many times since the program started; a take that is being judged is told.
    pub fn sound_interrupted(&mut self, times: u64, now: Micros) {
        let more = times.saturating_sub(std::mem::replace(&mut self.interruptions, times));
        if let (1.., Some(running)) = (more, &self.running) {
            self.effects.push(Effect::Publish(running.take, Event::SoundInterrupted(more), Some(now)));
        }
    }

    /// What is to be done now; empties the list.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// What the window shows.
    pub fn view(&self) -> SessionView {
        SessionView {
            piece: self.stand.clone(),
            settings: self.settings,
            judging: self.running.is_some(),
            playing: self.playing,
            armed: self.playing && self.running.as_ref().is_some_and(|r| r.judge.waits()) && self.found.is_empty(),
            marks: self.found.notes.clone(),
            extras: self.found.extras.clone(),
            ..self.view.clone()
        }
    }

    /// The keys that come next at `now`, one bit each, where the music does not wait for them: see
    /// [`SessionView::awaited`] for those that it waits for.
    pub fn next_keys(&self, now: Micros) -> Option<u128> {
        let stand = self.stand.as_ref().filter(|_| self.playing && self.settings.mode.keeps_time())?;
        Some(self.next.at(stand.score.tempo(), now - self.latency))
    }

    /// What the person has to play around something that the program sounds at `at`.
    pub fn written_around(&self, at: MusicTime) -> Written {
        let Some(stand) = &self.stand else { return Written::default() };
        let (score, speed) = (&stand.score, self.settings.tempo);
        let here = score.tempo().micros(Ticks(at.ticks(score.tempo()).round() as i64), speed);
        let notes = score.notes();
        let keys = |to: Micros| {
            let tick = |time: Micros| score.tempo().ticks_f64(time, speed);
            let (first, last) = (tick(here - TOGETHER), tick(here + to));
            let from = notes.partition_point(|note| (note.onset.0 as f64) < first);
            let near = notes[from..].iter().take_while(|note| note.onset.0 as f64 <= last);
            let practised = near.filter(|note| self.settings.is_mine(note));
            practised.fold(0, |keys, note| keys | 1 << note.pitch.key())
        };
        Written { now: keys(TOGETHER), soon: keys(RINGS_ON) }
    }

    /// How the piece is practised.
    pub fn settings(&self) -> &PracticeSettings {
        &self.settings
    }

    /// The piece on the stand.
    pub fn stand(&self) -> Option<&OnStand> {
        self.stand.as_ref()
    }

    /// Whether the transport was started and has not come to its end.
    pub fn is_playing(&self) -> bool {
        self.playing
    }

    /// Whether it was stopped in the middle, and is to go on from there.
    pub fn is_paused(&self) -> bool {
        !self.playing && self.start.is_some()
    }

    /// The take being recorded.
    pub fn current_take(&self) -> TakeId {
        self.take
    }

    /// Whether the person has something to play: notes of the chosen hands and keys in the range, where one is judged.
    pub fn has_something_to_play(&self) -> bool {
        let Some(stand) = self.stand.as_ref().filter(|_| self.settings.mode.is_judged()) else { return true };
        first_onset(&stand.score, &self.settings, self.range().0).is_some()
    }

    /// Whether the session wants to be told of passing time.
    pub fn wants_time(&self) -> bool {
        let runs = self.playing && self.settings.mode != Mode::Wait && self.next.runs();
        runs || self.running.as_ref().is_some_and(|r| !r.judge.waits())
    }

    /// Puts a piece on the stand, ready to play from its start.
    pub fn open(&mut self, stand: OnStand, settings: PracticeSettings, ids: &mut dyn FnMut() -> Fresh) {
        self.stop(ids);
        let range = settings.range.map(|r| r.within(stand.score.bars()));
        self.settings = PracticeSettings { range, ..settings };
        self.engine(Command::Load(Box::new(Schedule::of_score(&stand.score))));
        self.stand = Some(stand);
        self.start = None;
        self.view = SessionView::default();
        self.clear_marks();
        self.configure();
        let from = self.range().0;
        self.engine(Command::Seek(from));
    }

    /// Takes the piece off the stand: free play.
    pub fn close(&mut self, ids: &mut dyn FnMut() -> Fresh) {
        self.stop(ids);
        self.stand = None;
        self.start = None;
        self.view = SessionView::default();
        self.clear_marks();
    }

    /// Changes how the piece is practised. What cannot change under a take ends it: another mode, other hands, another
    /// range; the place, where the music was at `at`, is kept unless the range is another.
    pub fn choose(&mut self, settings: PracticeSettings, at: Option<Ticks>, ids: &mut dyn FnMut() -> Fresh) {
        let old = self.settings;
        if old == settings {
            return;
        }
        let same_course = PracticeSettings {
            tempo: settings.tempo,
            metronome: settings.metronome,
            heard_right: settings.heard_right,
            heard_left: settings.heard_left,
            count_in_bars: if old.looping { old.count_in_bars } else { settings.count_in_bars },
            ..old
        } == settings;
        if same_course {
            self.settings = settings;
        } else {
            let was_playing = self.playing;
            self.stop(ids);
            self.settings = settings;
            match old.range == settings.range {
                true if was_playing => self.begin_next_at(at.unwrap_or(self.view.begins)),
                true => {}
                false => {
                    self.start = None;
                    let from = self.range().0;
                    self.engine(Command::Seek(from));
                }
            }
        }
        self.configure();
    }

    /// Starts playing or practising, as the mode says.
    pub fn play(&mut self, ids: &mut dyn FnMut() -> Fresh) {
        let Some(stand) = self.stand.clone() else { return };
        if self.playing {
            return;
        }
        // The music has ended, and the last notes had not had all their time yet.
        self.end_take(TakeEnd::Completed, ids);
        let (from, to) = self.range();
        let start = self.start.take().filter(|t| (from..to).contains(t)).unwrap_or(from);
        self.clear_marks();
        self.configure();
        // Until it is told where the music runs.
        self.next.follow(TransportChange::Stopped, Micros::ZERO);
        self.view.begins = start;
        let mode = self.settings.mode;
        if mode.is_judged() {
            self.begin_take(&stand, start, ids);
        } else {
            self.engine(Command::Seek(start));
            self.engine(Command::Hold(self.stop_at()));
        }
        // Whoever waits for the person needs no count-in: the first note is theirs.
        let count_in = if mode.is_timed() { self.settings.count_in_bars } else { 0 };
        self.engine(Command::Play { count_in });
        self.playing = true;
    }

    fn begin_take(&mut self, stand: &OnStand, start: Ticks, ids: &mut dyn FnMut() -> Fresh) {
        let Fresh { take, wall, now } = ids();
        let (piece, practice) = (Some(stand.id.clone()), Some(self.settings));
        let (latency, hands) = (self.latency, stand.hands.clone());
        let begin = TakeStart { at: wall, piece, practice, latency, origin: TakeOrigin::Played, hands };
        self.switch(take, begin.clone(), TakeEnd::Stopped, now);
        // Not before: where the music begins belongs to the new take.
        self.engine(Command::Seek(start));
        let judge = TakeJudge::new(stand.score.clone(), self.settings, self.latency);
        let first = judge.waits().then(|| first_onset(&stand.score, &self.settings, start));
        let (latency, changes) = (self.latency, VecDeque::new());
        let (ends_at, sought) = (None, None);
        self.running = Some(Running { take, start: begin, judge, latency, changes, ends_at, sought });
        self.view.finished = None;
        match first {
            Some(first) => self.engine(Command::Hold(first.or(self.stop_at()))),
            None => self.engine(Command::Hold(self.stop_at())),
        }
        self.show_needed();
    }

    /// Begins a practice in *Wait for me* at once, if nothing sounds before the person's first note: whoever opens a
    /// piece presses its first key, and that counts.
    pub fn await_person(&mut self, ids: &mut dyn FnMut() -> Fresh) {
        let Some(stand) = &self.stand else { return };
        let from = self.start.unwrap_or(self.range().0);
        let first = first_onset(&stand.score, &self.settings, from);
        let silent = |first| !hearing::sounds_between(&stand.score, &self.settings, from, first);
        if !self.settings.mode.keeps_time() && first.is_some_and(silent) {
            self.play(ids);
        }
    }

    /// Stops the music and ends the take being judged.
    pub fn stop(&mut self, ids: &mut dyn FnMut() -> Fresh) {
        if self.playing {
            self.engine(Command::Stop);
        }
        self.playing = false;
        self.end_take(TakeEnd::Stopped, ids);
    }

    /// Stops, and keeps the place for the next time: where the music is, or where it was begun while that is not known.
    pub fn pause(&mut self, at: Option<Ticks>, ids: &mut dyn FnMut() -> Fresh) {
        let was_playing = self.playing;
        self.stop(ids);
        if was_playing {
            self.begin_next_at(at.unwrap_or(self.view.begins));
        }
    }

    /// Where *Play* begins the next time: to the bar when it is judged, exactly when one listens.
    fn begin_next_at(&mut self, tick: Ticks) {
        let Some(stand) = &self.stand else { return };
        let bars = stand.score.bars();
        let bar = bars.get(bars.index_at(tick)).start.max(self.range().0);
        let start = if self.settings.mode.is_judged() { bar } else { tick };
        self.start = Some(start);
        self.engine(Command::Seek(start));
    }

    /// The change of takes was refused: what was recorded before still is, and nothing is judged.
    pub fn switch_failed(&mut self, recorded: TakeId) {
        self.take = recorded;
        self.running = None;
        self.playing = false;
        self.engine(Command::Stop);
    }

    /// Goes to a tick, snapped to its bar; while a take runs it goes on from there.
    pub fn seek(&mut self, tick: Ticks) {
        let Some(stand) = &self.stand else { return };
        let (from, to) = self.range();
        let bars = stand.score.bars();
        let start = bars.get(bars.index_at(tick)).start.max(from).min(Ticks((to.0 - 1).max(from.0)));
        let first = first_onset(&stand.score, &self.settings, start);
        let running = self.running.as_mut().filter(|r| r.judge.waits());
        let waits = running.is_some();
        if let Some(running) = running.filter(|_| self.playing) {
            running.sought = Some(start);
        }
        self.start = (!self.playing).then_some(start);
        self.view.begins = start;
        self.engine(Command::Seek(start));
        if self.playing && waits {
            self.engine(Command::Hold(first.or(self.stop_at())));
        }
        match self.running {
            // Once the music is there.
            Some(_) => self.view.wrong = None,
            None => self.clear_marks(),
        }
    }

    /// Back to the start of the range.
    pub fn restart(&mut self) {
        let from = self.range().0;
        self.seek(from);
        self.start = None;
    }

    /// An event of the log, of whichever take.
    pub fn event(&mut self, envelope: &Envelope<Trainer>, now: Micros, ids: &mut dyn FnMut() -> Fresh) {
        let Some(event) = envelope.event() else { return };
        let of_this_take = envelope.entity == self.take.entity();
        if let (true, Event::TransportMoved(moved)) = (of_this_take, event) {
            self.next.follow(moved.change, envelope.stamp.map_or(now, |stamp| stamp.mono));
            self.transport(moved, envelope.stamp.as_ref(), now);
        }
        let Some(running) = &mut self.running else { return };
        if envelope.entity != running.take.entity() {
            return;
        }
        match event {
            Event::LatencyChanged(_) => drop(running.changes.pop_front()),
            Event::TransportMoved(TransportMoved { change: TransportChange::Sought { tick }, .. })
                if running.sought == Some(*tick) =>
            {
                running.sought = None;
            }
            // What the music did may be among what was lost.
            Event::NotesLost(_) => running.sought = None,
            _ => {}
        }
        let judged = running.judge.event(envelope.version, event, envelope.stamp.as_ref());
        if let Event::NotePlayed(played) = event {
            let this = Some(PlayedId(envelope.version));
            let is_wrong = |v: &Verdict| v.played == this && v.kind.is_wrong();
            if judged.impressions.iter().chain(&judged.verdicts).any(is_wrong) {
                self.view.wrong = played.note_on().map(|(pitch, _)| (pitch, now));
            }
        }
        self.follow(judged, now, ids);
    }

    /// Time passes: *Keep tempo* gives up on notes that can no longer come. Everything that was played up to `told` has
    /// been told of.
    pub fn time_passes(&mut self, now: Micros, told: Micros, ids: &mut dyn FnMut() -> Fresh) {
        let Some(running) = &mut self.running else { return };
        let judged = running.judge.time_passes(running.changes.front().map_or(told, |change| told.min(*change)));
        let over = running.ends_at.is_some_and(|end| now >= end);
        self.follow(judged, now, ids);
        self.prompt_overdue(told);
        if over {
            self.pass_or_take_over(now, ids);
        }
    }

    fn transport(&mut self, moved: &TransportMoved, stamp: Option<&Stamp>, now: Micros) {
        let waits_for_person = self.running.as_ref().is_some_and(|r| r.judge.waits());
        match moved.change {
            TransportChange::Looped { .. } => self.view.begins = self.range().0,
            change if self.settings.climbs() && self.running.is_some() => {
                self.pass_ends(change, stamp, moved.rate, now)
            }
            TransportChange::Ended => self.music_ended(now),
            // Without a person to wait for, the place to wait at is the end of the range. Whoever is followed has
            // begun the last chord by then, and may have left a note of it out.
            TransportChange::Waits { tick } if !waits_for_person || self.is_over(tick) => {
                self.engine(Command::Stop);
                self.music_ended(now);
            }
            _ => {}
        }
    }

    fn music_ended(&mut self, now: Micros) {
        self.playing = false;
        self.start = None;
        if let Some(running) = &mut self.running {
            running.ends_at = Some(now + scaled_to_speed(AFTERMATH, self.settings.tempo));
        } else {
            let from = self.range().0;
            self.engine(Command::Seek(from));
        }
    }

    fn follow(&mut self, judged: Judged, now: Micros, ids: &mut dyn FnMut() -> Fresh) {
        if judged == Judged::default() {
            return;
        }
        let Some(take) = self.running.as_ref().map(|r| r.take) else { return };
        self.prompt_missed(&judged);
        self.found.take_in(&judged, now);
        for verdict in judged.verdicts {
            self.effects.push(Effect::Publish(take, Event::VerdictGiven(verdict), None));
        }
        if let Some(speed) = judged.speed {
            self.engine(Command::SetSpeed(speed));
        }
        // A key that was struck before the music has come to where the person asked for is about where it was.
        let elsewhere = self.running.as_ref().is_some_and(|r| r.sought.is_some());
        if let (true, Some(tick)) = (judged.leap, judged.done.filter(|_| !elsewhere)) {
            self.engine(Command::Seek(tick));
        }
        if let Some(tick) = judged.done.filter(|_| !elsewhere) {
            let end = self.stop_at();
            let hold = judged.next.filter(|_| !judged.finished).or(end);
            self.engine(Command::AdvanceTo { tick, hold });
        }
        if judged.finished && !elsewhere && !self.settings.looping {
            self.end_take(TakeEnd::Completed, ids);
        }
        self.show_needed();
        if let Some(over) = judged.pass_over {
            self.pass_over(over, ids);
        }
    }

    fn end_take(&mut self, end: TakeEnd, ids: &mut dyn FnMut() -> Fresh) {
        let Some(running) = self.running.take() else { return };
        let Fresh { take: free, wall, now } = ids();
        let Running { take, start, judge, .. } = running;
        let finished = Finished { take, start, completed: end == TakeEnd::Completed };
        let settling = Settling::new(finished, judge, (end, Stamp::at(now)));
        self.view.needed.clear();
        self.view.awaited = Awaited::default();
        if self.settings.mode == Mode::Follow {
            self.effects.push(Effect::Settle(Box::new(settling)));
        } else {
            let settled = settling.settle();
            self.effects.extend(settled.verdicts().map(|(take, event)| Effect::Publish(take, event, None)));
            self.settled(settled);
        }
        self.switch(free, TakeStart::free(wall), end, now);
    }

    fn switch(&mut self, next: TakeId, begin: TakeStart, end: TakeEnd, at: Micros) {
        let events = vec![
            (self.take, Event::TakeEnded(end)),
            (next, Event::TakeStarted(begin)),
            (next, Event::RecorderPointed(Some(next))),
        ];
        let from = std::mem::replace(&mut self.take, next);
        self.effects.push(Effect::Switch { from, events, at });
    }

    /// Tells the engine how the piece is practised.
    fn configure(&mut self) {
        let Some(stand) = &self.stand else { return };
        let settings = self.settings;
        self.next.practise(&stand.score, &settings);
        let (from, to) = self.range();
        let first = first_onset(&stand.score, &settings, from);
        let hold = first.filter(|_| !settings.mode.keeps_time());
        let count_in = if settings.mode.is_timed() { settings.count_in_bars } else { 0 };
        // On a ladder each pass is begun anew, at its own tempo.
        let loops = settings.looping && !settings.climbs();
        let range = loops.then_some(LoopRange { from, to, count_in, hold });
        let metronome = settings.metronome && settings.mode.keeps_time();
        self.engine(Command::SetSpeed(settings.tempo));
        self.engine(Command::SetHands(settings.sounded(Heard::Always)));
        self.engine(Command::Fill(hearing::filled(&settings), settings.keyboard.lacking()));
        self.engine(Command::SetMetronome(metronome));
        self.engine(Command::SetLoop(range));
    }

    /// Where the music stops before the end of the piece.
    fn stop_at(&self) -> Option<Ticks> {
        let ends = self.settings.range.is_some() && (!self.settings.looping || self.settings.climbs());
        ends.then(|| self.range().1)
    }

    fn is_over(&self, tick: Ticks) -> bool {
        self.settings.mode == Mode::Follow && !self.settings.looping && tick >= self.range().1
    }

    fn range(&self) -> (Ticks, Ticks) {
        self.stand.as_ref().map_or((Ticks::ZERO, Ticks(1)), |s| self.settings.ticks(s.score.bars()))
    }

    fn clear_marks(&mut self) {
        self.found = self.stand.as_ref().map(|stand| Marks::new(&stand.score)).unwrap_or_default();
        self.view.wrong = None;
    }

    fn show_needed(&mut self) {
        if let Some(running) = &self.running {
            self.view.needed = running.judge.needed();
            let score = self.stand.as_ref().map(|stand| &stand.score);
            let keys = |ids: &[NoteId]| {
                let of = |id: &NoteId| score.map_or(0, |score| 1u128 << score.note(*id).pitch.key());
                ids.iter().fold(0, |keys, id| keys | of(id))
            };
            self.view.awaited = Awaited { keys: keys(&running.judge.awaited()), needed: keys(&self.view.needed) };
            self.view.bars = running.judge.result().bars().copied().collect();
            self.view.ladder = running.judge.ladder().copied();
        }
    }

    fn engine(&mut self, command: Command) {
        self.effects.push(Effect::Engine(command));
    }
}

/// The tick of the first onset that the person has to play at or after `from`.
fn first_onset(score: &Score, settings: &PracticeSettings, from: Ticks) -> Option<Ticks> {
    let (_, to) = settings.ticks(score.bars());
    let required = |id: &NoteId| settings.is_mine(score.note(*id));
    let groups = score.written_groups(settings.practise, from, to);
    groups.iter().find(|g| g.notes.iter().any(required)).map(|g| g.tick)
}

/// The settings of a piece opened for the first time: one is not played to what one plays oneself.
pub fn first_settings(mode: Mode) -> PracticeSettings {
    PracticeSettings {
        mode,
        heard_right: Heard::Muted,
        heard_left: Heard::Muted,
        tempo: Percent::FULL,
        ..PracticeSettings::default()
    }
}
