//! What a person asks the library for, and which pieces that selects, in order. Pure: the program does it beside the
//! window, so that typing waits for nothing.

use std::cmp::{Ordering, Reverse};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::text;
use super::view::{NoteNames, PieceRow};

/// Files opened lately that stand above all others; older ones are among the rest.
const RECENT_MAX: usize = 12;

/// Whether a piece was practised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Practised {
    /// All pieces.
    #[default]
    Any,
    /// Those that were.
    Yes,
    /// Those that were not.
    No,
}

/// The order of pieces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Sort {
    /// As on a shelf: files opened lately, the pieces of the program by grade, then the folders by title.
    #[default]
    Shelf,
    /// By title.
    Title,
    /// By composer.
    Composer,
    /// The easiest first.
    Grade,
    /// What was practised last, first.
    Last,
    /// The best result first.
    Best,
}

impl Sort {
    /// In the order of the menu.
    pub const ALL: [Self; 6] = [Self::Shelf, Self::Title, Self::Composer, Self::Grade, Self::Last, Self::Best];
}

/// The lowest and the highest grade.
pub const GRADES: (u8, u8) = (1, 9);

/// What a person asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Words, each of which must be somewhere.
    pub search: String,
    /// Favourites only.
    pub favourites: bool,
    /// With this tag only.
    pub tag: Option<String>,
    /// By this composer only.
    pub composer: Option<String>,
    /// In this folder or below it only.
    pub folder: Option<PathBuf>,
    /// Practised, new, or all.
    pub practised: Practised,
    /// Grades from and to; all of them also takes pieces whose grade is not known.
    pub grades: (u8, u8),
    /// The order.
    pub sort: Sort,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            search: String::new(),
            favourites: false,
            tag: None,
            composer: None,
            folder: None,
            practised: Practised::Any,
            grades: GRADES,
            sort: Sort::Shelf,
        }
    }
}

impl Query {
    /// Whether it leaves anything out.
    pub fn filters(&self) -> bool {
        *self != Self { sort: self.sort, ..Self::default() }
    }

    /// Whether a piece is asked for; `words` are those of the search, folded.
    fn takes(&self, row: &PieceRow, words: &[String]) -> bool {
        let grade = |(low, high): (u8, u8)| row.any_grade().is_some_and(|grade| (low..=high).contains(&grade));
        (!self.favourites || row.favourite)
            && self.tag.as_ref().is_none_or(|tag| row.tags.contains(tag))
            && self.composer.as_ref().is_none_or(|composer| row.composer == *composer)
            && self.folder.as_ref().is_none_or(|folder| row.path.as_ref().is_some_and(|file| lies_in(file, folder)))
            && match self.practised {
                Practised::Any => true,
                Practised::Yes => row.is_practised(),
                Practised::No => !row.is_practised(),
            }
            && (self.grades == GRADES || grade(self.grades))
            && words.iter().all(|word| row.search.contains(word.as_str()))
    }
}

/// Whether a file lies in a folder or below it. The one was found in the other, so both are written alike: their bytes
/// are compared, which is done sooner than to take thousands of paths apart.
fn lies_in(file: &Path, folder: &Path) -> bool {
    let is_separator = |byte: &u8| std::path::is_separator(char::from(*byte));
    let folder = folder.as_os_str().as_encoded_bytes();
    let ends = folder.iter().rposition(|byte| !is_separator(byte)).map_or(0, |last| last + 1);
    let below = file.as_os_str().as_encoded_bytes().strip_prefix(&folder[..ends]);
    below.and_then(<[u8]>::first).is_some_and(is_separator)
}

/// A part of the list with a heading of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Group {
    /// Files opened lately.
    Recent,
    /// The pieces of the program.
    BuiltIn,
    /// Files of the folders, and files opened earlier.
    Files,
    /// All that was asked for, in one order.
    Found,
}

/// What the pieces of the library can be asked by; the same for every query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    /// Every tag with how many pieces have it, by name.
    pub tags: Vec<(String, usize)>,
    /// Every composer likewise.
    pub composers: Vec<(String, usize)>,
    /// Every folder that is watched, each followed by those below it in which there are pieces.
    pub folders: Vec<Folder>,
}

/// A folder of the library.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folder {
    /// Where it is.
    pub path: PathBuf,
    /// How many others it lies in, up to the one that is watched.
    pub depth: usize,
    /// How many pieces are in it and below it.
    pub pieces: usize,
}

/// Folders with their pieces as a tree: each is followed by those that lie in it, by name.
pub fn tree(folders: impl IntoIterator<Item = (PathBuf, usize)>) -> Vec<Folder> {
    let mut folders: Vec<(PathBuf, usize)> = folders.into_iter().collect();
    // The name itself tells those apart that are folded alike.
    let parts = |path: &Path| -> Vec<(String, String)> {
        let names = path.iter().map(|part| part.to_string_lossy().into_owned());
        names.map(|name| (text::fold(&name), name)).collect()
    };
    folders.sort_by_cached_key(|(path, _)| parts(path));
    let mut above: Vec<PathBuf> = Vec::new();
    let mut placed = |(path, pieces): (PathBuf, usize)| {
        above.truncate(above.iter().rposition(|outer| lies_in(&path, outer)).map_or(0, |last| last + 1));
        let depth = above.len();
        above.push(path.clone());
        Folder { path, depth, pieces }
    };
    folders.into_iter().map(&mut placed).collect()
}

/// What a query selects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The query.
    pub query: Query,
    /// The pieces by their places among the rows, in order, group by group; none is empty.
    pub groups: Vec<(Group, Vec<u32>)>,
    /// What can be asked for.
    pub choices: Arc<Choices>,
    /// Titles that more than one piece has, folded.
    pub twins: HashSet<String>,
}

impl Selection {
    /// How many pieces.
    pub fn len(&self) -> usize {
        self.groups.iter().map(|(_, rows)| rows.len()).sum()
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }
}

/// Everything that one may remember of a piece, folded, to be searched.
pub fn searched(row: &PieceRow) -> String {
    let mut words = vec![row.title.clone(), row.composer.clone()];
    words.extend(row.path.as_ref().and_then(|path| path.file_name()).map(|name| name.to_string_lossy().into_owned()));
    words.extend(row.tags.iter().cloned());
    words.extend(NoteNames::ALL.into_iter().filter_map(|names| row.key.map(|key| text::key(key, names))));
    words.extend(row.grade.map(text::grade).or(row.estimate.map(text::about_grade)));
    if row.favourite {
        words.push(text::tr().favourite.to_owned());
    }
    text::fold(&words.join("\n"))
}

/// Selects and sorts; the choices of what comes out are left empty.
pub fn select(rows: &[Arc<PieceRow>], query: &Query) -> Selection {
    let words: Vec<String> = text::fold(&query.search).split_whitespace().map(str::to_owned).collect();
    let taken = rows.iter().enumerate().filter(|(_, row)| query.takes(row, &words));
    let mut taken: Vec<(u32, &PieceRow)> = taken.map(|(place, row)| (place as u32, &**row)).collect();
    let groups = if query.sort == Sort::Shelf {
        shelf(taken)
    } else {
        taken.sort_by(|(_, a), (_, b)| order(query.sort, a, b).then_with(|| by_title(a, b)));
        vec![(Group::Found, places(&taken))]
    };
    let groups = groups.into_iter().filter(|(_, rows)| !rows.is_empty()).collect();
    Selection { query: query.clone(), groups, twins: twins(rows), ..Selection::default() }
}

/// Titles that more than one piece has, folded.
fn twins(rows: &[Arc<PieceRow>]) -> HashSet<String> {
    let mut seen = HashSet::with_capacity(rows.len());
    rows.iter().map(|row| row.sort.0.as_str()).filter(|title| !seen.insert(*title)).map(str::to_owned).collect()
}

/// Files opened lately, the pieces of the program, the others.
fn shelf(taken: Vec<(u32, &PieceRow)>) -> Vec<(Group, Vec<u32>)> {
    let (mut builtin, files): (Vec<_>, Vec<_>) = taken.into_iter().partition(|(_, row)| row.builtin);
    builtin.sort_by_key(|(_, row)| (row.grade, row.sort.0.as_str()));
    let (mut recent, mut others): (Vec<_>, Vec<_>) = files.into_iter().partition(|(_, row)| row.opened.0 > 0);
    recent.sort_by_key(|(_, row)| Reverse(row.opened));
    others.extend(recent.split_off(recent.len().min(RECENT_MAX)));
    others.sort_by(|(_, a), (_, b)| by_title(a, b));
    vec![(Group::Recent, places(&recent)), (Group::BuiltIn, places(&builtin)), (Group::Files, places(&others))]
}

fn places(rows: &[(u32, &PieceRow)]) -> Vec<u32> {
    rows.iter().map(|(place, _)| *place).collect()
}

/// What is not known comes last.
fn order(sort: Sort, a: &PieceRow, b: &PieceRow) -> Ordering {
    let share = |row: &PieceRow| row.best.map(|best| best.share());
    match sort {
        Sort::Shelf | Sort::Title => Ordering::Equal,
        Sort::Composer => (a.sort.1.is_empty(), &a.sort.1).cmp(&(b.sort.1.is_empty(), &b.sort.1)),
        Sort::Grade => a.any_grade().unwrap_or(u8::MAX).cmp(&b.any_grade().unwrap_or(u8::MAX)),
        Sort::Last => b.last_at.cmp(&a.last_at),
        Sort::Best => share(b).unwrap_or(-1.0).total_cmp(&share(a).unwrap_or(-1.0)),
    }
}

fn by_title(a: &PieceRow, b: &PieceRow) -> Ordering {
    (&a.sort, &a.id).cmp(&(&b.sort, &b.id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::KeySignature;
    use crate::time::{Micros, Ticks, WallMillis};
    use crate::ui::view::LastResult;

    fn row(title: &str, composer: &str, grade: Option<u8>) -> PieceRow {
        PieceRow {
            id: title.to_owned(),
            title: title.to_owned(),
            composer: composer.to_owned(),
            estimate: grade,
            sort: (text::fold(title), text::fold(composer)),
            ..PieceRow::default()
        }
    }

    /// Titles of what is selected, group by group.
    fn check(rows: &[PieceRow], query: Query, expected: &[&[&str]]) {
        let whole = |row: &PieceRow| Arc::new(PieceRow { search: searched(row), ..row.clone() });
        let rows: Vec<Arc<PieceRow>> = rows.iter().map(whole).collect();
        let selection = select(&rows, &query);
        let titles = |(_, places): &(Group, Vec<u32>)| -> Vec<&str> {
            places.iter().map(|place| rows[*place as usize].title.as_str()).collect()
        };
        let titles: Vec<Vec<&str>> = selection.groups.iter().map(titles).collect();
        assert_eq!(titles, expected, "{query:?}");
        assert_eq!(selection.len(), expected.iter().map(|group| group.len()).sum::<usize>());
    }

    #[test]
    fn every_word_of_the_search_must_be_somewhere_whatever_its_accents_and_case() {
        let minuet = PieceRow {
            key: Some(KeySignature { tick: Ticks(0), fifths: 1, minor: false }),
            path: Some("/home/ada/Scans/petzold-bwv-114.mid".into()),
            tags: vec!["Fête".to_owned()],
            ..row("Minuet in G", "C. Petzold", Some(2))
        };
        let rows = [minuet, row("Humoresque", "Antonín Dvořák", Some(6))];
        let search = |search: &str| Query { search: search.to_owned(), ..Query::default() };
        for (words, expected) in [
            ("minuet PETZ", &["Minuet in G"][..]),
            ("g major grade 2", &["Minuet in G"]),
            ("bwv-114", &["Minuet in G"]),
            ("fete", &["Minuet in G"]),
            ("DVORAK", &["Humoresque"]),
            ("dvořák", &["Humoresque"]),
        ] {
            check(&rows, search(words), &[expected]);
        }
        check(&rows, search("scans"), &[]);
        check(&rows, search("minuet dvorak"), &[]);
        check(&rows, search(" "), &[&["Humoresque", "Minuet in G"]]);
    }

    #[test]
    fn filters_leave_out_what_is_not_asked_for() {
        let rows = [
            PieceRow { favourite: true, ..row("A", "Bach", Some(2)) },
            PieceRow { tags: vec!["slow".to_owned()], practised: Micros(1), ..row("B", "Bach", Some(5)) },
            row("C", "Satie", None),
        ];
        let all = Query { sort: Sort::Title, ..Query::default() };
        check(&rows, all.clone(), &[&["A", "B", "C"]]);
        check(&rows, Query { favourites: true, ..all.clone() }, &[&["A"]]);
        check(&rows, Query { tag: Some("slow".to_owned()), ..all.clone() }, &[&["B"]]);
        check(&rows, Query { composer: Some("Bach".to_owned()), ..all.clone() }, &[&["A", "B"]]);
        check(&rows, Query { practised: Practised::Yes, ..all.clone() }, &[&["B"]]);
        check(&rows, Query { practised: Practised::No, ..all.clone() }, &[&["A", "C"]]);
        check(&rows, Query { grades: (3, 9), ..all.clone() }, &[&["B"]]);
        check(&rows, Query { grades: (1, 9), ..all }, &[&["A", "B", "C"]]);
    }

    #[test]
    fn a_folder_is_asked_for_with_all_below_it_and_with_other_filters() {
        let file = |path: &str| {
            let name = path.rsplit('/').next().unwrap_or_default();
            PieceRow { path: Some(path.into()), ..row(name, "", Some(3)) }
        };
        let rows = [
            file("/music/Bach/two/a"),
            file("/music/Bach/b"),
            file("/music/Bachelor/c"),
            file("/elsewhere/Bach/d"),
            row("built in", "", Some(3)),
        ];
        let below = |folder: &str| Query { folder: Some(folder.into()), sort: Sort::Title, ..Query::default() };
        check(&rows, below("/music"), &[&["a", "b", "c"]]);
        check(&rows, below("/music/Bach"), &[&["a", "b"]]);
        check(&rows, below("/music/Bach/"), &[&["a", "b"]]);
        check(&rows, below("/music/Bach/two"), &[&["a"]]);
        check(&rows, below("/"), &[&["a", "b", "c", "d"]]);
        check(&rows, below("/music/Bach/two/a"), &[]);
        check(&rows, Query { search: "C".to_owned(), ..below("/music") }, &[&["c"]]);
        check(&rows, Query { grades: (4, 9), ..below("/music") }, &[]);
        assert!(below("/music").filters());
    }

    #[test]
    fn folders_stand_under_the_one_they_are_in() {
        let folders = ["/m/b", "/m", "/n/Ähre", "/m/b/x", "/m/B/y", "/m/a z", "/m/a", "/n", "/m/B", "/m/a/q"];
        let tree = tree(folders.into_iter().map(|path| (PathBuf::from(path), path.len())));
        let shown: Vec<String> = tree
            .iter()
            .map(|folder| format!("{}{}", "-".repeat(folder.depth), text::folder_name(&folder.path)))
            .collect();
        assert_eq!(shown, ["m", "-a", "--q", "-a z", "-B", "--y", "-b", "--x", "n", "-Ähre"]);
        assert_eq!(tree.iter().map(|folder| folder.pieces).sum::<usize>(), folders.concat().len());
    }

    #[test]
    fn each_order_puts_what_is_not_known_last() {
        let result = |right| Some(LastResult { right, of: 10, ..LastResult::default() });
        let rows = [
            PieceRow { last_at: WallMillis(5), best: result(3), ..row("b", "", Some(7)) },
            PieceRow { last_at: WallMillis(9), best: result(9), ..row("Ä", "Zelter", None) },
            row("c", "Bach", Some(1)),
        ];
        let sorted = |sort| Query { sort, ..Query::default() };
        check(&rows, sorted(Sort::Title), &[&["Ä", "b", "c"]]);
        check(&rows, sorted(Sort::Composer), &[&["c", "Ä", "b"]]);
        check(&rows, sorted(Sort::Grade), &[&["c", "b", "Ä"]]);
        check(&rows, sorted(Sort::Last), &[&["Ä", "b", "c"]]);
        check(&rows, sorted(Sort::Best), &[&["Ä", "b", "c"]]);
    }

    #[test]
    fn the_shelf_has_what_was_opened_lately_above() {
        let opened = |title: &str, at| PieceRow { opened: WallMillis(at), ..row(title, "", None) };
        let builtin = |title: &str, grade| PieceRow { builtin: true, grade: Some(grade), ..row(title, "", None) };
        let mut rows = vec![builtin("x", 3), row("found", "", None), builtin("y", 1)];
        rows.extend((1..=RECENT_MAX as i64 + 1).map(|at| opened(&format!("o{at:02}"), at)));
        let newest: Vec<String> = (2..=RECENT_MAX + 1).rev().map(|at| format!("o{at:02}")).collect();
        let newest: Vec<&str> = newest.iter().map(String::as_str).collect();
        check(&rows, Query::default(), &[&newest, &["y", "x"], &["found", "o01"]]);
    }
}
