//! The rows of the library: each is made anew when its piece or a result of it has changed, and no other is touched.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use super::outcomes::{Outcome, Outcomes, with_progress};
use super::{Asked, Question, Shown, day};
use crate::app::rows::Wall;
use crate::bus::{LiveItem, State};
use crate::formats::pieces;
use crate::model::{Entity, Found, Piece, PieceId, TakeId, Trainer};
use crate::music::KeySignature;
use crate::time::{Micros, Ticks, WallMillis};
use crate::ui::query::{self, Choices, Query, Selection};
use crate::ui::text::fold;
use crate::ui::view::PieceRow;

/// What has changed since rows were made last.
#[derive(Default)]
pub(super) struct Changed {
    /// Anything may have.
    everything: bool,
    pieces: HashSet<PieceId>,
    /// Takes whose result has.
    results: HashSet<TakeId>,
}

impl Changed {
    pub(super) fn everything() -> Self {
        Self { everything: true, ..Self::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.everything && self.pieces.is_empty() && self.results.is_empty()
    }

    /// One more event, or that some were lost.
    pub(super) fn take_in(&mut self, change: &LiveItem<Trainer>) {
        let LiveItem::Event(envelope) = change else { return self.everything = true };
        let key = &envelope.entity;
        match key.kind() {
            "piece" => _ = self.pieces.insert(PieceId(key.id().into())),
            "result" => self.results.extend(TakeId::parse(key.id())),
            // What lies below it is listed, or no longer.
            "folder" => self.everything = true,
            _ => {}
        }
    }
}

/// Where a piece stands among all: the built-in ones first, in their order.
type Place = (usize, PieceId);

fn place_of(id: &PieceId) -> Place {
    let builtin = id.as_builtin().and_then(|id| pieces::builtin().iter().position(|piece| piece.id == id));
    (builtin.unwrap_or(usize::MAX), id.clone())
}

/// The rows, and what they can be asked by.
type All = (Arc<[Arc<PieceRow>]>, Arc<Choices>);

/// What rows are made of.
#[derive(Default)]
pub(super) struct Making {
    missing: Arc<HashSet<PieceId>>,
    /// By piece: the version it was made of, and the row.
    rows: HashMap<PieceId, (u64, Arc<PieceRow>)>,
    /// Those that are shown.
    listed: BTreeMap<Place, Arc<PieceRow>>,
    /// By take: the version of its result, and the piece.
    results: HashMap<TakeId, (u64, Option<PieceId>)>,
    outcomes: HashMap<PieceId, Outcomes>,
    builtin: HashMap<PieceId, Found>,
    dirty: HashSet<PieceId>,
    day: Option<(i64, i32)>,
    folders: Vec<String>,
    tags: Words,
    composers: Words,
    /// Folders, those that are watched and all in which there are pieces.
    places: Words,
    /// The rows that are shown, in one piece, and what they can be asked by; `None` if they have changed since.
    all: Option<All>,
    made: u64,
    /// Pieces that were looked at, to see that it is those that have changed.
    looked: u64,
}

impl Making {
    /// Takes a question in, and what may have changed by it.
    pub(super) fn hear(&mut self, question: Question, asked: &mut Option<Asked>, changed: &mut Changed) {
        match question {
            Question::Asked(next) => {
                let same_day = asked
                    .as_ref()
                    .is_some_and(|asked| day(asked.wall) == day(next.wall) && asked.wall.offset == next.wall.offset);
                *asked = Some(*next);
                changed.everything |= !same_day;
            }
            Question::Missing(missing) => {
                let differ: Vec<PieceId> = self.missing.symmetric_difference(&missing).cloned().collect();
                self.dirty.extend(differ.iter().cloned());
                changed.pieces.extend(differ);
                self.missing = missing;
            }
        }
    }

    /// Makes anew what has changed.
    pub(super) fn make(&mut self, changed: &Changed, state: &State<Trainer>, wall: Wall) {
        if self.day.replace((day(wall), wall.offset)) != Some((day(wall), wall.offset)) {
            self.rows.clear();
        }
        if changed.everything {
            self.make_all(state, wall);
        } else {
            for id in &changed.results {
                self.take_in_result(*id, state);
            }
            let pieces: HashSet<PieceId> = changed.pieces.union(&self.dirty).cloned().collect();
            pieces.iter().for_each(|id| self.update(id, state, wall));
        }
        self.dirty.clear();
    }

    fn make_all(&mut self, state: &State<Trainer>, wall: Wall) {
        for (key, _) in state.iter_prefix("result/") {
            TakeId::parse(key.id()).into_iter().for_each(|id| self.take_in_result(id, state));
        }
        let folders = state.iter_prefix("folder/").filter_map(|(_, versioned)| match &versioned.value {
            Some(Entity::Folder(choice)) if choice.watched => Some(choice.path.clone()),
            _ => None,
        });
        self.folders = folders.collect();
        (self.listed, self.tags, self.composers, self.places, self.all) = Default::default();
        pieces::builtin().iter().for_each(|piece| self.update(&PieceId::builtin(piece.id), state, wall));
        for (key, _) in state.iter_prefix("piece/") {
            let id = PieceId(key.id().into());
            if id.as_builtin().is_none() {
                self.update(&id, state, wall);
            }
        }
    }

    /// The row of a piece as it is now, if it is shown.
    fn update(&mut self, id: &PieceId, state: &State<Trainer>, wall: Wall) {
        self.looked += 1;
        let known = state.get(id.entity().as_str());
        let version = known.map_or(0, |known| known.version);
        let piece = match known.and_then(|known| known.value.as_ref()) {
            Some(Entity::Piece(piece)) => Some(piece),
            _ => None,
        };
        let is_shown = match id.as_builtin() {
            Some(builtin) => pieces::find(builtin).is_some(),
            None => piece.is_some_and(|piece| self.is_listed(piece)),
        };
        let row = is_shown.then(|| self.row(id.clone(), version, wall, piece));
        let place = place_of(id);
        let before = match &row {
            Some(row) => self.listed.insert(place, Arc::clone(row)),
            None => self.listed.remove(&place),
        };
        for (row, count) in before.iter().map(|row| (row, -1)).chain(row.iter().map(|row| (row, 1))) {
            row.tags.iter().for_each(|tag| self.tags.count(tag, count));
            self.composers.count(&row.composer, count);
            for folder in row.path.iter().flat_map(|file| folders_of(file, &self.folders)) {
                self.places.count(folder, count);
            }
        }
        self.all = None;
    }

    /// What was opened is listed until it is taken off, what was found as long as its folder is watched.
    fn is_listed(&self, piece: &Piece) -> bool {
        let place = piece.found.as_ref().map(|found| std::path::Path::new(&found.path));
        let below = |place: &std::path::Path| self.folders.iter().any(|folder| place.starts_with(folder));
        *piece.recent || !piece.is_forgotten() && place.is_some_and(below)
    }

    fn take_in_result(&mut self, id: TakeId, state: &State<Trainer>) {
        let Some(versioned) = state.get(id.result_entity().as_str()) else { return };
        let known = self.results.get(&id);
        if known.is_some_and(|(version, _)| *version == versioned.version) {
            return;
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

    /// The rows in order, and those among them that were asked for.
    pub(super) fn arrange(&mut self, query: &Query) -> Shown {
        let listed = &self.listed;
        let (all, choices) = self.all.get_or_insert_with(|| {
            let folders = query::tree(self.places.0.iter().map(|(path, n)| (path.into(), *n)));
            let choices = Choices { tags: self.tags.sorted(), composers: self.composers.sorted(), folders };
            (listed.values().cloned().collect(), Arc::new(choices))
        });
        let list = Some(Arc::new(Selection { choices: Arc::clone(choices), ..query::select(all, query) }));
        Shown { rows: Arc::clone(all), list, made: self.made }
    }
}

/// Words, and how often each is there.
#[derive(Default)]
struct Words(HashMap<String, usize>);

impl Words {
    /// One more of a word, or one less.
    fn count(&mut self, word: &str, change: isize) {
        if word.is_empty() {
            return;
        }
        let before = self.0.get(word).copied().unwrap_or(0);
        match before.saturating_add_signed(change) {
            0 => _ = self.0.remove(word),
            now => _ = self.0.insert(word.to_owned(), now),
        }
    }

    /// By their folded form.
    fn sorted(&self) -> Vec<(String, usize)> {
        let mut sorted: Vec<(String, usize)> = self.0.iter().map(|(word, n)| (word.clone(), *n)).collect();
        sorted.sort_by_cached_key(|(word, _)| (fold(word), word.clone()));
        sorted
    }
}

/// The folders that a file is in, from its own up to the outermost that is watched; none if it is in none of these.
fn folders_of<'a>(file: &'a Path, watched: &[String]) -> impl Iterator<Item = &'a str> {
    let outermost = watched.iter().filter(|folder| file.starts_with(folder)).min_by_key(|folder| folder.len()).cloned();
    let above = file.ancestors().skip(1);
    above
        .take_while(move |folder| outermost.as_ref().is_some_and(|top| folder.starts_with(top)))
        .filter_map(Path::to_str)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::{BusHandle, Config, MemoryStorage, Publish, start};
    use crate::model::{Event, FolderChoice};
    use crate::time::ManualClock;

    const WALL: Wall = Wall { now: WallMillis(0), offset: 0 };
    const PIECES: usize = 640;
    const BATCH: usize = 64;

    fn bus() -> BusHandle<Trainer> {
        let clock = Arc::new(ManualClock::default());
        start(Config::default(), clock, Box::new(MemoryStorage::new())).expect("a bus")
    }

    fn watch(bus: &BusHandle<Trainer>, watched: bool) {
        let choice = FolderChoice { path: "/music".to_owned(), watched };
        let chosen = Publish::new(FolderChoice::entity(&choice.path), Event::FolderChosen(choice));
        bus.publish(chosen).applied().expect("applied");
    }

    fn id(number: usize) -> PieceId {
        PieceId(format!("{number:016x}").into())
    }

    fn found(number: usize) -> Publish<Trainer> {
        let composer = format!("Composer {}", number % 3);
        let path = format!("/music/folder {}/{number}.mid", number % 4);
        let found = Found { title: format!("Piece {number}"), composer, path, ..Found::default() };
        Publish::new(id(number).entity(), Event::PieceFound(Box::new(found)))
    }

    #[test]
    fn in_an_import_each_piece_is_looked_at_once_and_its_words_are_counted() {
        let bus = bus();
        watch(&bus, true);
        let builtin = pieces::builtin().len();
        let mut making = Making::default();
        making.make(&Changed::everything(), &bus.snapshot().state, WALL);
        assert_eq!((making.looked, making.made), (builtin as u64, builtin as u64));
        for first in (0..PIECES).step_by(BATCH) {
            bus.transact((first..first + BATCH).map(found).collect()).applied().expect("applied");
            let pieces = (first..first + BATCH).map(id).collect();
            making.make(&Changed { pieces, ..Changed::default() }, &bus.snapshot().state, WALL);
        }
        assert_eq!((making.looked, making.made), ((builtin + PIECES) as u64, (builtin + PIECES) as u64));
        let shown = making.arrange(&Query::default());
        assert_eq!(shown.rows.len(), builtin + PIECES);
        // Step by step it comes to the same as all at once.
        let mut anew = Making::default();
        anew.make(&Changed::everything(), &bus.snapshot().state, WALL);
        let at_once = anew.arrange(&Query::default());
        assert_eq!((&shown.rows, &shown.list), (&at_once.rows, &at_once.list));
        let choices = &shown.list.as_ref().expect("a list").choices;
        let composers = &choices.composers;
        let of_files: usize = composers.iter().filter(|(name, _)| name.starts_with("Composer ")).map(|(_, n)| n).sum();
        assert_eq!(of_files, PIECES);
        let folders: Vec<_> = choices
            .folders
            .iter()
            .map(|folder| (crate::ui::text::folder_name(&folder.path), folder.depth, folder.pieces))
            .collect();
        let in_folder = |number: usize| (0..PIECES).filter(|piece| piece % 4 == number).count();
        let mut expected = vec![("music".to_owned(), 0, PIECES)];
        expected.extend((0..4).map(|number| (format!("folder {number}"), 1, in_folder(number))));
        assert_eq!(folders, expected);
        watch(&bus, false);
        making.make(&Changed::everything(), &bus.snapshot().state, WALL);
        assert_eq!(making.arrange(&Query::default()).rows.len(), builtin, "what is not watched is not listed");
        assert!(bus.shutdown(std::time::Duration::from_secs(30)));
    }

    #[test]
    fn what_a_person_says_of_a_piece_changes_its_row_alone() {
        let bus = bus();
        watch(&bus, true);
        bus.transact((0..BATCH).map(found).collect()).applied().expect("applied");
        let mut making = Making::default();
        making.make(&Changed::everything(), &bus.snapshot().state, WALL);
        let (looked, made) = (making.looked, making.made);
        let tagged = Publish::new(id(7).entity(), Event::PieceTagged("slow".to_owned()));
        bus.publish(tagged).applied().expect("applied");
        let changed = Changed { pieces: [id(7)].into(), ..Changed::default() };
        making.make(&changed, &bus.snapshot().state, WALL);
        assert_eq!((making.looked - looked, making.made - made), (1, 1));
        let tags = making.arrange(&Query::default()).list.expect("a list").choices.tags.clone();
        assert_eq!(tags, [("slow".to_owned(), 1)]);
        // Nothing has changed: nothing is made.
        making.make(&changed, &bus.snapshot().state, WALL);
        assert_eq!(making.made - made, 1);
        let mut changed = Changed::default();
        making.hear(Question::Missing(Arc::new([id(9)].into())), &mut None, &mut changed);
        making.make(&changed, &bus.snapshot().state, WALL);
        let shown = making.arrange(&Query::default());
        let missing: Vec<&str> = shown.rows.iter().filter(|row| row.missing).map(|row| &*row.title).collect();
        assert_eq!(missing, ["Piece 9"]);
        assert!(bus.shutdown(std::time::Duration::from_secs(30)));
    }
}
