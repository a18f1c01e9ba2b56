//! Words about the library: how many pieces, what is asked for, how an import goes.

use std::path::Path;

use super::{DOT, bar_count, count, hand_alone, mode, tr};
use crate::ui::query::{GRADES, Group, Practised, Sort};
use crate::ui::view::{FolderRow, Import, PieceRow, Series, Tally};

/// `1 piece`, `1 284 pieces`.
pub fn pieces(n: usize) -> String {
    if n == 1 { "1 piece".to_owned() } else { format!("{} pieces", count(n as u64)) }
}

/// `1 file`, `12 files`.
fn files(n: usize) -> String {
    if n == 1 { "1 file".to_owned() } else { format!("{} files", count(n as u64)) }
}

/// The heading of a part of the list.
pub fn group(group: Group, n: usize) -> String {
    match group {
        Group::Recent => tr().recent.to_owned(),
        Group::BuiltIn => tr().built_in.to_owned(),
        Group::Files => format!("{}{DOT}{}", tr().files_of_folders, count(n as u64)),
        Group::Found => pieces(n),
    }
}

/// An order of pieces.
pub fn sort(sort: Sort) -> &'static str {
    match sort {
        Sort::Shelf => tr().sort_shelf,
        Sort::Title => tr().sort_title,
        Sort::Composer => tr().sort_composer,
        Sort::Grade => tr().sort_grade,
        Sort::Last => tr().sort_last,
        Sort::Best => tr().sort_best,
    }
}

/// Practised, new, or both.
pub fn practised_choice(practised: Practised) -> &'static str {
    match practised {
        Practised::Any => tr().practised_or_new,
        Practised::Yes => tr().practised_word,
        Practised::No => tr().new_word,
    }
}

/// `Any grade`, `Grade 4`, `Grades 2 to 5`.
pub fn grades((low, high): (u8, u8)) -> String {
    match (low, high) {
        GRADES => tr().any_grade.to_owned(),
        (low, high) if low == high => super::grade(low),
        (low, high) => format!("{} {low} {} {high}", tr().grades, tr().to_grade),
    }
}

/// A choice with how many pieces it stands for: `Bach · 24`.
pub fn with_count(name: &str, n: usize) -> String {
    format!("{name}{DOT}{}", count(n as u64))
}

/// `120 of 2 000`.
pub fn import_progress(import: &Import) -> String {
    format!("{} of {}", count(import.done as u64), count(import.of as u64))
}

/// An import for screen readers.
pub fn import_in_words(import: &Import) -> String {
    format!("Reading your folders, {}", import_progress(import))
}

/// What came of the imports: `1 204 new, 3 known already, 2 that cannot be read`; empty if nothing did.
pub fn tally(tally: &Tally) -> String {
    let told = |n: usize, words: &str| (n > 0).then(|| format!("{} {words}", count(n as u64)));
    let parts =
        [told(tally.found, "new"), told(tally.known, "known already"), told(tally.refused, "that cannot be read")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// That a person broke an import off.
pub fn left_unread(n: usize) -> String {
    format!("{} not read yet", files(n))
}

/// How a folder stands.
pub fn folder(folder: &FolderRow) -> String {
    match &folder.away {
        Some(why) => format!("not there now: {why}"),
        None if folder.cut => format!("{}{DOT}{}", files(folder.files), tr().folder_cut),
        None => files(folder.files),
    }
}

/// That a folder is not there: the line that names it.
pub fn folder_away(folder: &FolderRow) -> String {
    let why = folder.away.as_deref().unwrap_or_default();
    let stays = match folder.missing {
        0 => "it is looked through when it is back".to_owned(),
        1 => "its piece stays in the library and is found when it is back".to_owned(),
        n => format!("its {} pieces stay in the library and are found when it is back", count(n as u64)),
    };
    format!("{} is not there now ({why}); {stays}", folder.path)
}

/// That it is there again.
pub fn folder_back(folder: &FolderRow) -> String {
    format!("{} is there again", folder.path)
}

/// The heading of the refused files.
pub fn refused(n: usize, shown: usize) -> String {
    match n {
        n if n > shown => format!("{}{DOT}{}, {} shown", tr().refused_files, count(n as u64), count(shown as u64)),
        n => format!("{}{DOT}{}", tr().refused_files, count(n as u64)),
    }
}

/// How many pieces are chosen.
pub fn chosen_pieces(n: usize) -> String {
    if n == 0 { tr().chosen_none.to_owned() } else { format!("{} chosen", pieces(n)) }
}

/// The name of the button that shows a piece's tags and progress.
pub fn about_piece(title: &str) -> String {
    format!("{} and progress: {title}", tr().tags)
}

/// The name of the box that chooses a piece.
pub fn choose_one(title: &str) -> String {
    format!("Choose {title}")
}

/// The results of a piece as a curve, for screen readers.
pub fn curve_of_results(curve: &[f32]) -> String {
    let shares: Vec<String> = curve.iter().map(|share| format!("{:.0} %", share * 100.0)).collect();
    format!("{}: {}", tr().last_results, shares.join(", "))
}

/// What the results of a curve are of: `Wait for me · left hand · the same 4 bars`.
pub fn series(series: &Series) -> String {
    let bars = series.bars.map_or_else(
        || tr().the_whole_piece.to_owned(),
        |bars| format!("the same {}", bar_count((bars.last() - bars.first() + 1) as u32)),
    );
    let parts = [Some(mode(series.mode)), series.hand.map(hand_alone), Some(&bars)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(DOT)
}

/// The composer of a card, with the piece's tags.
pub fn composer_and_tags(row: &PieceRow) -> String {
    let parts = [row.composer.clone(), row.tags.join(", ")];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(DOT)
}

/// The name of a folder without where it is.
pub fn folder_name(folder: &Path) -> String {
    folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned()
}

/// The name of a folder with that of the one it is in: `Bach/Suites`.
pub fn folder_with_its_own(folder: &Path) -> String {
    let outer = folder.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    outer.into_iter().chain([folder_name(folder)]).collect::<Vec<_>>().join("/")
}

/// Where a piece comes from, to tell it from another of the same title: its file with the folder that it is in.
pub fn place_of_file(row: &PieceRow) -> String {
    let Some(path) = &row.path else { return tr().from_program.to_owned() };
    let name = |part: &std::ffi::OsStr| part.to_string_lossy().into_owned();
    let folder = path.parent().and_then(Path::file_name).map(name);
    [folder, path.file_name().map(name)].into_iter().flatten().collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_pieces_read_as_people_say_them() {
        assert_eq!((pieces(1), pieces(1_284)), ("1 piece".to_owned(), "1\u{2009}284 pieces".to_owned()));
        assert_eq!((grades(GRADES), grades((4, 4))), ("Any grade".to_owned(), super::super::grade(4)));
        assert_eq!(grades((2, 5)), "Grades 2 to 5");
        assert_eq!(tally(&Tally { found: 12, known: 0, refused: 1, left: 0 }), "12 new, 1 that cannot be read");
        assert_eq!(tally(&Tally::default()), "");
        let bars = Some(crate::practice::BarRange::new(4, 7));
        let of = Series { mode: crate::practice::Mode::Wait, hand: Some(crate::music::Hand::Left), bars };
        assert_eq!(series(&of), "Wait for me · left hand · the same 4 bars");
        assert_eq!(series(&Series { hand: None, bars: None, ..of }), "Wait for me · the whole piece");
        let row = PieceRow { tags: vec!["exam".to_owned(), "slow".to_owned()], ..PieceRow::default() };
        assert_eq!(composer_and_tags(&row), "exam, slow");
    }
}
