//! What a piece is called and who wrote it: by its fields, else by what stands on the first page.

use roxmltree::Node;

use super::super::text::tidy;
use super::tree::{child, child_text, children, number, text};

/// The title of the work and that of its movement, each once; that of the first page without them.
pub(super) fn title(root: Node<'_, '_>) -> String {
    let work = child(root, "work").map_or(String::new(), |work| tidy(child_text(work, "work-title")));
    let movement = tidy(child_text(root, "movement-title"));
    let (work, movement) = (Some(work).filter(|t| is_title(t)), Some(movement).filter(|t| is_title(t)));
    match (work.unwrap_or_default(), movement.unwrap_or_default()) {
        (work, movement) if work.is_empty() && movement.is_empty() => printed_title(root),
        (work, movement) if movement.is_empty() || work.contains(&movement) => work,
        (work, movement) if work.is_empty() || movement.contains(&work) => movement,
        (work, movement) => tidy(&format!("{work}: {movement}")),
    }
}

/// The composer, perhaps of the first page.
pub(super) fn composer(root: Node<'_, '_>) -> String {
    let creators = child(root, "identification").into_iter().flat_map(|node| children(node, "creator"));
    let composer = creators.into_iter().find(|node| node.attribute("type") == Some("composer"));
    let composer = composer.map_or(String::new(), |node| tidy(text(node)));
    if composer.is_empty() { printed_composer(root) } else { composer }
}

/// Words on the first page.
struct Credit<'a> {
    /// What they are, where the file says it.
    kind: &'a str,
    words: String,
    /// In points.
    size: Option<f64>,
    /// In tenths above the lower edge.
    height: Option<f64>,
    right: bool,
}

/// What stands on the first page, in the order of the file.
fn credits<'a>(root: Node<'a, '_>) -> Vec<Credit<'a>> {
    /// A page has a dozen; nobody reads more.
    const CREDITS_MAX: usize = 100;
    let first = children(root, "credit").filter(|node| node.attribute("page").is_none_or(|page| page.trim() == "1"));
    let credit = |node: Node<'a, '_>| {
        let words = child(node, "credit-words")?;
        // Under a name there may be years, or who arranged it.
        let line = text(words).trim().lines().next().unwrap_or_default();
        let is = |name, value| words.attribute(name) == Some(value);
        Some(Credit {
            kind: child_text(node, "credit-type"),
            words: tidy(line),
            size: number(words, "font-size"),
            height: number(words, "default-y"),
            right: is("justify", "right") || (is("halign", "right") && words.attribute("justify").is_none()),
        })
    };
    first.take(CREDITS_MAX).filter_map(credit).collect()
}

fn printed_title(root: Node<'_, '_>) -> String {
    let credits = credits(root);
    let typed = credits.iter().find(|credit| credit.kind == "title" && is_title(&credit.words));
    let placed = || {
        let free = credits.iter().filter(|c| c.kind.is_empty() && !c.right && is_title(&c.words) && is_name(&c.words));
        let place = |c: &Credit<'_>| (c.size.unwrap_or(0.0), c.height.unwrap_or(0.0));
        let higher = |a: &Credit<'_>, b: &Credit<'_>| {
            let (a, b) = (place(a), place(b));
            a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))
        };
        // Of equal ones the first.
        free.rev().max_by(|a, b| higher(a, b))
    };
    typed.or_else(placed).map_or(String::new(), |credit| credit.words.clone())
}

/// By its kind, else the first words at the right of the upper half.
fn printed_composer(root: Node<'_, '_>) -> String {
    let credits = credits(root);
    let highest = credits.iter().filter_map(|credit| credit.height).fold(0.0, f64::max);
    let typed = credits.iter().find(|credit| credit.kind == "composer" && !credit.words.is_empty());
    let placed = || {
        let upper = |credit: &&Credit<'_>| credit.height.is_none_or(|height| height * 2.0 >= highest);
        let free = credits.iter().filter(|c| c.kind.is_empty() && c.right && is_name(&c.words));
        free.into_iter().find(upper)
    };
    let found = typed.or_else(placed).map_or("", |credit| credit.words.as_str());
    without_years(found).to_owned()
}

/// Programs write these where nobody gave a title.
fn is_title(words: &str) -> bool {
    !["", "untitled", "untitled score", "title", "score"].contains(&words.to_lowercase().as_str())
}

/// Whether words name something: not a page number, nor who has which rights.
fn is_name(words: &str) -> bool {
    const RIGHTS: [&str; 6] = ["\u{a9}", "copyright", "www.", "http", "arr.", "arranged"];
    let lower = words.to_lowercase();
    words.chars().any(char::is_alphabetic) && !RIGHTS.iter().any(|word| lower.contains(word))
}

/// A name without the years of a life in brackets behind it.
fn without_years(name: &str) -> &str {
    let Some((before, rest)) = name.split_once('(') else { return name };
    let years = rest.chars().any(|c| c.is_ascii_digit()) && !rest.chars().any(char::is_alphabetic);
    if years { before.trim_end() } else { name }
}
