//! The library as the window shows it, made beside the window: a row for each piece, made anew when its piece or its
//! results have changed, and the selection that a person asked for. At rest the thread sleeps.

mod making;
mod outcomes;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use arc_swap::ArcSwap;
use crossbeam_channel::{Receiver, Sender, after, bounded, never, select};

use self::making::{Changed, Making};
use super::rows::Wall;
use crate::bus::{BusHandle, Filter};
use crate::components::library::shelf::{FolderReport, Progress as ShelfProgress, ShelfReport};
use crate::model::{PieceId, Trainer};
use crate::time::Micros;
use crate::ui::query::{Query, Selection};
use crate::ui::text;
use crate::ui::view::{FolderRow, Import, Library, PieceRow, Tally};

/// Questions that wait; the newest counts.
const QUESTIONS: usize = 16;
/// Changes that wait; if there were more, everything is looked at once.
const CHANGES: usize = 8_192;
/// What changes is put in order this often at most: the largest collection takes a tenth of a second each time.
const ARRANGE_EVERY: Micros = Micros::from_millis(250);

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

/// When what has changed is put in order and shown.
#[derive(Default)]
struct Pace {
    last: Option<Micros>,
    pending: bool,
}

impl Pace {
    /// Something has changed.
    fn ask(&mut self) {
        self.pending = true;
    }

    /// How long it has to wait; `None` if there is nothing.
    fn wait(&self, now: Micros) -> Option<Duration> {
        let gone = self.last.map_or(ARRANGE_EVERY, |last| now - last);
        let left = (ARRANGE_EVERY - gone).max(Micros::ZERO);
        self.pending.then(|| Duration::from_micros(left.0.unsigned_abs()))
    }

    fn is_due(&self, now: Micros) -> bool {
        self.wait(now).is_some_and(|wait| wait.is_zero())
    }

    /// It was done.
    fn arranged(&mut self, now: Micros) {
        (self.last, self.pending) = (Some(now), false);
    }
}

fn run(bus: &BusHandle<Trainer>, questions: &Receiver<Question>, shown: &ArcSwap<Shown>, wake: &dyn Fn()) {
    let topics = ["piece.*", "practise.*", "result.*", "folder.*", "entity.*"];
    let changes = bus.subscribe_live(Filter::topics(topics), CHANGES);
    let mut making = Making::default();
    let mut asked: Option<Asked> = None;
    let mut changed = Changed::everything();
    let mut pace = Pace::default();
    loop {
        let due = pace.wait(bus.clock().now()).map_or_else(never, after);
        let (mut at_once, mut late) = (false, false);
        let mut hear = |question, changed: &mut Changed| {
            making.hear(question, &mut asked, changed);
            at_once = true;
        };
        select! {
            recv(questions) -> question => match question {
                Ok(question) => hear(question, &mut changed),
                Err(_) => return,
            },
            recv(changes.channel()) -> change => match change {
                Ok(change) => changed.take_in(&change),
                Err(_) => return,
            },
            // Whatever the clock says: so long has been waited.
            recv(due) -> _ => late = true,
        }
        // What else waits belongs to the same look.
        for question in questions.try_iter() {
            hear(question, &mut changed);
        }
        changes.channel().try_iter().for_each(|change| changed.take_in(&change));
        let Some(asked) = &asked else { continue };
        if !changed.is_empty() {
            making.make(&std::mem::take(&mut changed), &bus.snapshot().state, asked.wall);
            pace.ask();
        }
        if at_once || late || pace.is_due(bus.clock().now()) {
            pace.arranged(bus.clock().now());
            shown.store(Arc::new(making.arrange(&asked.query)));
            wake();
        }
    }
}

/// What the shelf reports, as the window shows it; kept until there is another report.
#[derive(Default)]
pub(super) struct Folders {
    of: Arc<ShelfReport>,
    rows: Vec<FolderRow>,
    import: Option<Import>,
    tally: Tally,
    /// What was told of the folders that are away, by their paths.
    told: BTreeMap<String, String>,
    news: Vec<FolderNews>,
}

/// What a person must know of a folder.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FolderNews {
    /// The line that no longer holds.
    pub(super) instead_of: Option<String>,
    /// Whether something is missing, and the line that says so; nothing of a folder that is no longer watched.
    pub(super) line: Option<(bool, String)>,
}

impl Folders {
    /// Takes a report over, if it is another one.
    pub(super) fn take_over(&mut self, report: Arc<ShelfReport>) {
        if Arc::ptr_eq(&self.of, &report) {
            return;
        }
        let row = |folder: &FolderReport| {
            let FolderReport { path, files, away, missing, cut } = folder.clone();
            FolderRow { path, files, away, missing, cut }
        };
        let rows: Vec<FolderRow> = report.folders.iter().map(row).collect();
        self.compare(&rows, report.answers != self.of.answers);
        self.rows = rows;
        self.import = report.progress.clone().map(|ShelfProgress { done, of, file }| Import { done, of, file });
        let ShelfReport { found, known, refused_count: refused, left, .. } = *report;
        self.tally = Tally { found, known, refused, left };
        self.of = report;
    }

    /// A folder that is away is named once, and again to whoever asked for a look; so is one that is back.
    fn compare(&mut self, rows: &[FolderRow], asked: bool) {
        for row in rows {
            let (is_away, was_away) = (row.away.is_some(), self.told.contains_key(&row.path));
            if is_away && (asked || !was_away) {
                let line = text::folder_away(row);
                let instead_of = self.told.insert(row.path.clone(), line.clone());
                self.news.push(FolderNews { instead_of, line: Some((true, line)) });
            } else if was_away && !is_away {
                let instead_of = self.told.remove(&row.path);
                self.news.push(FolderNews { instead_of, line: Some((false, text::folder_back(row))) });
            }
        }
        let unwatched = self.told.extract_if(.., |path, _| rows.iter().all(|row| row.path != *path));
        self.news.extend(unwatched.map(|(_, line)| FolderNews { instead_of: Some(line), line: None }));
    }

    /// What a person must know of the folders, since last asked.
    pub(super) fn take_news(&mut self) -> Vec<FolderNews> {
        std::mem::take(&mut self.news)
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
    fn a_folder_that_is_away_is_named_once_and_again_to_whoever_asks_until_it_is_back() {
        let mut folders = Folders::default();
        let mut tell = |stick: Option<(Option<&str>, usize)>, answers| {
            let stick = stick.map(|(away, missing)| FolderReport {
                path: "/stick".to_owned(),
                away: away.map(str::to_owned),
                missing,
                ..FolderReport::default()
            });
            let other = FolderReport { path: "/other".to_owned(), files: 1, ..FolderReport::default() };
            let report =
                ShelfReport { folders: stick.into_iter().chain([other]).collect(), answers, ..ShelfReport::default() };
            folders.take_over(Arc::new(report));
            folders.take_news()
        };
        let away = |n: usize| {
            format!("/stick is not there now (why); its {n} pieces stay in the library and are found when it is back")
        };
        let news = |instead_of: Option<String>, line| vec![FolderNews { instead_of, line }];
        assert_eq!(tell(Some((None, 0)), 0), []);
        assert_eq!(tell(Some((Some("why"), 2)), 0), news(None, Some((true, away(2)))));
        assert_eq!(tell(Some((Some("why"), 3)), 0), []);
        assert_eq!(tell(Some((Some("why"), 3)), 1), news(Some(away(2)), Some((true, away(3)))), "who asks is told");
        let back = (false, "/stick is there again".to_owned());
        assert_eq!(tell(Some((None, 0)), 1), news(Some(away(3)), Some(back)));
        assert_eq!(tell(Some((None, 0)), 2), []);
        // One that is no longer watched needs no line.
        tell(Some((Some("why"), 2)), 2);
        assert_eq!(tell(None, 2), news(Some(away(2)), None));
    }

    #[test]
    fn while_much_changes_it_is_put_in_order_a_few_times_a_second() {
        let (mut pace, mut arranged) = (Pace::default(), Vec::new());
        // A change every hundredth of a second for two seconds, and then none.
        for now in (0..4_000_000).step_by(10_000).map(Micros) {
            if now < Micros(2_000_000) {
                pace.ask();
            }
            if pace.is_due(now) {
                pace.arranged(now);
                arranged.push(now.0 / 1_000);
            }
        }
        assert_eq!(arranged, [0, 250, 500, 750, 1_000, 1_250, 1_500, 1_750, 2_000]);
        assert_eq!(pace.wait(Micros(9_000_000)), None, "and at rest nothing is waited for");
    }
}
