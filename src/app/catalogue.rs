//! The library as the window shows it, made beside the window: a row for each piece, made anew when its piece or its
//! results have changed, and the selection that a person asked for. At rest the thread sleeps.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use arc_swap::ArcSwap;
use crossbeam_channel::{Receiver, Sender, bounded, select};

use super::rows::Wall;
use crate::bus::{BusHandle, Filter, State};
use crate::components::library::shelf::{FolderReport, Progress as ShelfProgress, ShelfReport};
use crate::formats::pieces;
use crate::model::{Entity, Found, Piece, PieceId, ResultSummary, Take, TakeId, Trainer};
use crate::music::KeySignature;
use crate::practice::Mode;
use crate::time::{Micros, Ticks, WallMillis};
use crate::ui::query::{self, Query, Selection};
use crate::ui::text::fold;
use crate::ui::view::{FolderRow, Import, LastResult, Library, PieceRow, Tally};

/// Questions that wait; the newest counts.
const QUESTIONS: usize = 16;
/// Changes that wait: that there was one is enough.
const CHANGES: usize = 8_192;
/// Results that a piece's curve has.
const CURVE: usize = 12;
/// The share that must be right for a tempo to be reached.
const TEMPO_SHARE: f32 = 0.9;

/// What the thread is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// Which pieces are to be shown.
    pub query: Query,
    /// The day and the zone in which moments are told.
    pub wall: Wall,
}

impl Asked {
    /// Moments are told by the day: within one there is nothing new to ask.
    pub fn is_same(&self, other: &Self) -> bool {
        self.query == other.query && day(self.wall) == day(other.wall) && self.wall.offset == other.wall.offset
    }
}

fn day(wall: Wall) -> i64 {
    (wall.now.0 + i64::from(wall.offset) * 60_000).div_euclid(86_400_000)
}

/// What is shown.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// Every piece.
    pub rows: Arc<[Arc<PieceRow>]>,
    /// What was asked for last; `None` before the first time.
    pub list: Option<Arc<Selection>>,
    /// Rows made so far, to see that only what changed is made anew.
    pub made: u64,
}

/// The thread, as long as it is wanted.
pub struct Catalogue {
    questions: Option<Sender<Question>>,
    shown: Arc<ArcSwap<Shown>>,
    asked: Option<Asked>,
    missing: Arc<HashSet<PieceId>>,
    thread: Option<JoinHandle<()>>,
}

enum Question {
    Asked(Box<Asked>),
    Missing(Arc<HashSet<PieceId>>),
}

impl Catalogue {
    /// Starts the thread; `wake` is called when there is something new to show.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(bus: BusHandle<Trainer>, wake: Box<dyn Fn() + Send>) -> std::io::Result<Self> {
        let (questions, heard) = bounded(QUESTIONS);
        let shown = Arc::new(ArcSwap::from_pointee(Shown::default()));
        let to = Arc::clone(&shown);
        let thread = Builder::new().name("catalogue".to_owned()).spawn(move || run(&bus, &heard, &to, &*wake))?;
        Ok(Self { questions: Some(questions), shown, asked: None, missing: Arc::default(), thread: Some(thread) })
    }

    /// Asks, unless that was asked last. Where too much waits it is asked again with the next frame.
    pub fn ask(&mut self, asked: Asked) {
        if self.asked.as_ref().is_none_or(|last| !last.is_same(&asked))
            && self.tell(Question::Asked(Box::new(asked.clone())))
        {
            self.asked = Some(asked);
        }
    }

    /// Says which pieces are not there.
    pub fn miss(&mut self, missing: &Arc<HashSet<PieceId>>) {
        if !Arc::ptr_eq(missing, &self.missing) && self.tell(Question::Missing(Arc::clone(missing))) {
            self.missing = Arc::clone(missing);
        }
    }

    fn tell(&self, question: Question) -> bool {
        self.questions.as_ref().is_some_and(|questions| questions.try_send(question).is_ok())
    }

    /// What is shown now.
    pub fn shown(&self) -> Arc<Shown> {
        self.shown.load_full()
    }
}

impl Drop for Catalogue {
    fn drop(&mut self) {
        self.questions = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(bus: &BusHandle<Trainer>, questions: &Receiver<Question>, shown: &ArcSwap<Shown>, wake: &dyn Fn()) {
    let topics = ["piece.*", "practise.*", "result.*", "folder.*", "entity.*"];
    let changes = bus.subscribe_live(Filter::topics(topics), CHANGES);
    let mut making = Making::default();
    let mut asked: Option<Asked> = None;
    let mut changed = true;
    loop {
        select! {
            recv(questions) -> question => match question {
                Ok(question) => changed |= making.hear(question, &mut asked),
                Err(_) => return,
            },
            recv(changes.channel()) -> change => match change {
                Ok(_) => changed = true,
                Err(_) => return,
            },
        }
        // What else waits belongs to the same look.
        for question in questions.try_iter() {
            changed |= making.hear(question, &mut asked);
        }
        changed |= changes.channel().try_iter().count() > 0;
        let Some(asked) = &asked else { continue };
        if std::mem::take(&mut changed) {
            making.refresh(&bus.snapshot().state, asked.wall);
        }
        shown.store(Arc::new(making.shown(&asked.query)));
        wake();
    }
}

/// A result of a piece, as far as the library tells of it.
#[derive(Clone, Copy, Debug)]
struct Outcome {
    at: WallMillis,
    right: u32,
    of: u32,
    part: Option<u32>,
    passes: u32,
    incomplete: bool,
    /// The tempo in percent that was kept to the end.
    tempo: Option<u16>,
}

impl Outcome {
    fn of(take: &Take, result: &ResultSummary) -> Self {
        let whole = result.completed && take.start.practice.is_some_and(|p| p.range.is_none());
        let (right, of) = (result.all.right(), result.all.written());
        let good = result.completed && !result.incomplete && of > 0 && right as f32 >= TEMPO_SHARE * of as f32;
        let tempo = take.start.practice.filter(|p| good && matches!(p.mode, Mode::Tempo | Mode::Rhythm));
        Self {
            at: take.start.at,
            right,
            of,
            part: (!whole).then_some(result.bars.len() as u32),
            passes: result.passes.max(1),
            incomplete: result.incomplete,
            tempo: tempo.map(|practice| practice.tempo.get()),
        }
    }

    fn shown(&self, wall: Wall) -> LastResult {
        LastResult { at: wall.local(self.at), right: self.right, of: self.of, part: self.part }
    }
}

/// Whether as great a share was right.
fn is_as_good(one: &Outcome, other: &Outcome) -> bool {
    u64::from(one.right) * u64::from(other.of) >= u64::from(other.right) * u64::from(one.of)
}

/// The results of a piece by their takes, whose names sort by time.
type Outcomes = BTreeMap<TakeId, Outcome>;

/// The best of the whole piece; of equals the newer. An incomplete one is no judgement of the person.
fn best(outcomes: &Outcomes) -> Option<&Outcome> {
    let whole = outcomes.values().filter(|outcome| outcome.part.is_none() && !outcome.incomplete);
    whole.reduce(|best, next| if is_as_good(next, best) { next } else { best })
}

/// What rows are made of.
#[derive(Default)]
struct Making {
    missing: Arc<HashSet<PieceId>>,
    /// By piece: the version it was made of, and the row.
    rows: HashMap<PieceId, (u64, Arc<PieceRow>)>,
    /// By take: the version of its result, and the piece.
    results: HashMap<TakeId, (u64, Option<PieceId>)>,
    outcomes: HashMap<PieceId, Outcomes>,
    builtin: HashMap<PieceId, Found>,
    dirty: HashSet<PieceId>,
    day: Option<(i64, i32)>,
    folders: Vec<String>,
    all: Arc<[Arc<PieceRow>]>,
    tags: Vec<(String, usize)>,
    composers: Vec<(String, usize)>,
    made: u64,
}

impl Making {
    /// Takes a question in; whether rows may have changed by it.
    fn hear(&mut self, question: Question, asked: &mut Option<Asked>) -> bool {
        match question {
            Question::Asked(next) => {
                let same_day = asked
                    .as_ref()
                    .is_some_and(|asked| day(asked.wall) == day(next.wall) && asked.wall.offset == next.wall.offset);
                *asked = Some(*next);
                !same_day
            }
            Question::Missing(missing) => {
                self.dirty.extend(self.missing.symmetric_difference(&missing).cloned());
                self.missing = missing;
                true
            }
        }
    }

    /// Makes anew what has changed.
    fn refresh(&mut self, state: &State<Trainer>, wall: Wall) {
        if self.day.replace((day(wall), wall.offset)) != Some((day(wall), wall.offset)) {
            self.rows.clear();
        }
        self.take_in_results(state);
        self.folders = state
            .iter_prefix("folder/")
            .filter_map(|(_, versioned)| match &versioned.value {
                Some(Entity::Folder(choice)) if choice.watched => Some(choice.path.clone()),
                _ => None,
            })
            .collect();
        let mut all = Vec::with_capacity(self.all.len() + 64);
        for piece in pieces::builtin() {
            let id = PieceId::builtin(piece.id);
            let known = state.get(id.entity().as_str());
            let version = known.map_or(0, |known| known.version);
            let value = match known.and_then(|known| known.value.as_ref()) {
                Some(Entity::Piece(piece)) => Some(piece),
                _ => None,
            };
            all.push(self.row(id, version, wall, value));
        }
        for (key, versioned) in state.iter_prefix("piece/") {
            let Some(Entity::Piece(piece)) = &versioned.value else { continue };
            let id = PieceId(key.id().into());
            if id.as_builtin().is_none() && self.is_listed(piece) {
                all.push(self.row(id, versioned.version, wall, Some(piece)));
            }
        }
        self.dirty.clear();
        self.tags = counted(all.iter().flat_map(|row| row.tags.iter()));
        self.composers = counted(all.iter().map(|row| &row.composer).filter(|composer| !composer.is_empty()));
        self.all = all.into();
    }

    /// What was opened is listed until it is taken off, what was found as long as its folder is watched.
    fn is_listed(&self, piece: &Piece) -> bool {
        let place = piece.found.as_ref().map(|found| std::path::Path::new(&found.path));
        let below = |place: &std::path::Path| self.folders.iter().any(|folder| place.starts_with(folder));
        *piece.recent || !piece.is_forgotten() && place.is_some_and(below)
    }

    fn take_in_results(&mut self, state: &State<Trainer>) {
        for (key, versioned) in state.iter_prefix("result/") {
            let Some(id) = TakeId::parse(key.id()) else { continue };
            let known = self.results.get(&id);
            if known.is_some_and(|(version, _)| *version == versioned.version) {
                continue;
            }
            if let Some(piece) = known.and_then(|(_, piece)| piece.clone()) {
                self.outcomes.get_mut(&piece).map(|outcomes| outcomes.remove(&id));
                self.dirty.insert(piece);
            }
            let take = match state.value(id.entity().as_str()) {
                Some(Entity::Take(take)) => Some(take),
                _ => None,
            };
            let piece = take.and_then(|take| take.start.piece.clone());
            if let (Some(Entity::Result(result)), Some(take), Some(piece)) = (&versioned.value, take, &piece) {
                self.outcomes.entry(piece.clone()).or_default().insert(id, Outcome::of(take, result));
                self.dirty.insert(piece.clone());
            }
            self.results.insert(id, (versioned.version, piece));
        }
    }

    /// The row of a piece, made anew if anything of it has changed.
    fn row(&mut self, id: PieceId, version: u64, wall: Wall, piece: Option<&Piece>) -> Arc<PieceRow> {
        let kept = self.rows.get(&id).filter(|(made_of, _)| *made_of == version && !self.dirty.contains(&id));
        if let Some((_, row)) = kept {
            return Arc::clone(row);
        }
        self.made += 1;
        let mut row = match id.as_builtin().and_then(pieces::find) {
            Some(builtin) => {
                let facts = self.builtin.entry(id.clone()).or_insert_with(|| Found::of(&builtin.score));
                let row = PieceRow { grade: Some(builtin.grade), builtin: true, ..with_facts(facts) };
                PieceRow { title: builtin.title.clone(), composer: builtin.composer.clone(), ..row }
            }
            None => file_row(piece, self.missing.contains(&id)),
        };
        if let Some(piece) = piece {
            row.favourite = !piece.favoured_by().is_empty();
            row.tags = tags(piece);
            row.practised = Micros::from_millis(i64::try_from(piece.practised.sum()).unwrap_or(i64::MAX / 1_000));
        }
        if let Some(outcomes) = self.outcomes.get(&id) {
            with_progress(&mut row, outcomes, wall);
        }
        row.id = id.0.to_string();
        row.sort = (fold(&row.title), fold(&row.composer));
        row.search = query::searched(&row);
        let row = Arc::new(row);
        self.rows.insert(id, (version, Arc::clone(&row)));
        row
    }

    fn shown(&self, query: &Query) -> Shown {
        let selection = query::select(&self.all, query);
        let (tags, composers) = (self.tags.clone(), self.composers.clone());
        let list = Some(Arc::new(Selection { tags, composers, ..selection }));
        Shown { rows: Arc::clone(&self.all), list, made: self.made }
    }
}

fn with_facts(found: &Found) -> PieceRow {
    PieceRow {
        estimate: found.grade,
        key: found.key.map(|key| KeySignature { tick: Ticks(0), fifths: key.fifths, minor: key.minor }),
        meter: (found.bars > 0).then_some(found.meter),
        bars: found.bars,
        duration: found.duration,
        ..PieceRow::default()
    }
}

fn file_row(piece: Option<&Piece>, missing: bool) -> PieceRow {
    let Some(piece) = piece else { return PieceRow::default() };
    let facts = piece.found.as_ref().map(|found| with_facts(found)).unwrap_or_default();
    PieceRow {
        title: piece.title().to_owned(),
        composer: piece.composer().to_owned(),
        path: piece.path().filter(|path| !path.is_empty()).map(Into::into),
        opened: if *piece.recent { piece.info.opened } else { WallMillis(0) },
        missing,
        ..facts
    }
}

fn tags(piece: &Piece) -> Vec<String> {
    let mut tags: Vec<String> = piece.tags.values().filter(|tag| *tag != crate::model::FAVOURITE).cloned().collect();
    tags.sort();
    tags.dedup();
    tags
}

fn with_progress(row: &mut PieceRow, outcomes: &Outcomes, wall: Wall) {
    let last = outcomes.values().next_back();
    row.last = last.map(|last| last.shown(wall));
    row.last_at = last.map_or(WallMillis(0), |last| last.at);
    row.best = best(outcomes).map(|best| best.shown(wall));
    let judged = outcomes.values().filter(|outcome| outcome.of > 0 && !outcome.incomplete);
    let shares: Vec<f32> = judged.map(|outcome| outcome.right as f32 / outcome.of as f32).collect();
    row.curve = shares[shares.len().saturating_sub(CURVE)..].to_vec();
    row.passes = outcomes.values().map(|outcome| outcome.passes).sum();
    row.tempo = outcomes.values().filter_map(|outcome| outcome.tempo).max();
}

/// Each word with how often it is there, by its folded form.
fn counted<'a>(words: impl Iterator<Item = &'a String>) -> Vec<(String, usize)> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    words.for_each(|word| *counts.entry(word).or_default() += 1);
    let mut counted: Vec<(String, usize)> = counts.into_iter().map(|(word, n)| (word.to_owned(), n)).collect();
    counted.sort_by_cached_key(|(word, _)| (fold(word), word.clone()));
    counted
}

/// What the shelf reports, as the window shows it; kept until there is another report.
#[derive(Default)]
pub(super) struct Folders {
    of: Arc<ShelfReport>,
    rows: Vec<FolderRow>,
    import: Option<Import>,
    tally: Tally,
}

impl Folders {
    /// Takes a report over, if it is another one.
    pub(super) fn take_over(&mut self, report: Arc<ShelfReport>) {
        if Arc::ptr_eq(&self.of, &report) {
            return;
        }
        let row = |folder: &FolderReport| {
            let FolderReport { path, files, away, cut } = folder.clone();
            FolderRow { path, files, away, cut }
        };
        self.rows = report.folders.iter().map(row).collect();
        self.import = report.progress.clone().map(|ShelfProgress { done, of, file }| Import { done, of, file });
        let ShelfReport { found, known, refused_count: refused, left, .. } = *report;
        self.tally = Tally { found, known, refused, left };
        self.of = report;
    }

    /// The library as a frame shows it.
    pub(super) fn library<'a>(&'a self, shown: &'a Shown) -> Library<'a> {
        Library {
            rows: &shown.rows,
            list: shown.list.as_deref(),
            folders: &self.rows,
            import: self.import.as_ref(),
            tally: self.tally,
            refused: &self.of.refused,
        }
    }

    /// Pieces that are not where they were.
    pub(super) fn missing(&self) -> &Arc<HashSet<PieceId>> {
        &self.of.missing
    }

    /// Why nothing can be kept.
    pub(super) fn fault(&self) -> Option<&str> {
        self.of.fault.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_take_that_was_broken_off_hides_no_good_one_and_of_equals_the_newer_is_shown() {
        let found = |minute: u64, right, of, part, incomplete| {
            let at = WallMillis(minute as i64 * 60_000);
            let outcome = Outcome { at, right, of, part, passes: 1, incomplete, tempo: None };
            (TakeId(minute), outcome)
        };
        let results = [
            found(1, 3, 4, Some(2), false),
            found(2, 90, 100, None, false),
            found(3, 45, 50, None, false),
            found(4, 80, 100, None, false),
            found(5, 100, 100, None, true),
            found(6, 1, 1, Some(1), false),
        ];
        let wall = Wall { now: WallMillis(0), offset: 0 };
        let (mut outcomes, mut bests) = (Outcomes::new(), Vec::new());
        for (id, outcome) in results {
            outcomes.insert(id, outcome);
            let mut row = PieceRow::default();
            with_progress(&mut row, &outcomes, wall);
            assert_eq!(row.last, Some(outcome.shown(wall)));
            bests.push(row.best.map(|best| best.at.minute));
        }
        assert_eq!(bests, [None, Some(2), Some(3), Some(3), Some(3), Some(3)]);
        let mut row = PieceRow::default();
        with_progress(&mut row, &outcomes, wall);
        assert_eq!((row.curve.len(), row.passes, row.last_at), (5, 6, WallMillis(360_000)));
    }
}
