//! The XML beneath: what is refused before it is parsed, the parser, and short ways to children and numbers.

use std::str::FromStr;

use roxmltree::{Document, Node, ParsingOptions};

use super::super::FormatError;

/// Elements within one another; MusicXML needs ten.
const DEPTH_MAX: usize = 64;
/// The longest tag in bytes: attributes are compared with one another.
const TAG_BYTES_MAX: usize = 4 * 1024;
/// Declarations of namespaces, which elements inherit from those around them; MusicXML needs one or two.
const NAMESPACES_MAX: usize = 1_000;
/// Elements, texts and comments; a tree of so many takes a hundred megabytes.
const NODES_MAX: u32 = 1_500_000;

/// Parses a text. No entity but the five of XML is expanded, nothing outside the text is fetched.
pub(super) fn parse(text: &str) -> Result<Document<'_>, FormatError> {
    guard(text)?;
    let options = ParsingOptions { allow_dtd: true, nodes_limit: NODES_MAX, ..ParsingOptions::default() };
    Document::parse_with_options(text, options).map_err(|error| match error {
        roxmltree::Error::NodesLimitReached => fail_at(text, 0, "more elements than any score has"),
        roxmltree::Error::UnclosedRootNode => fail_at(text, text.len(), "the text ends within an element"),
        error => {
            // The parser's own words end with the place.
            let words = error.to_string();
            let problem = words.rsplit_once(" at ").map_or(words.as_str(), |(problem, _)| problem);
            let place = error.pos();
            FormatError::Notation { line: place.row as usize, column: place.col as usize, problem: problem.to_owned() }
        }
    })
}

/// An error at a byte of the text.
pub(super) fn fail_at(text: &str, byte: usize, problem: impl Into<String>) -> FormatError {
    let before = &text[..text.floor_char_boundary(byte)];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    FormatError::Notation {
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
        problem: problem.into(),
    }
}

/// Refuses what would cost more than its length: declared entities, deep nesting, endless tags.
fn guard(text: &str) -> Result<(), FormatError> {
    if let Some(at) = text.find("<!ENTITY") {
        return Err(fail_at(text, at, "entities are declared, which no score needs"));
    }
    if let Some((at, _)) = text.match_indices("xmlns").nth(NAMESPACES_MAX) {
        return Err(fail_at(text, at, "more namespaces than any score has"));
    }
    let (mut at, mut depth) = (0, 0usize);
    while let Some(found) = text[at..].find('<') {
        let start = at + found;
        let rest = &text[start..];
        let passed = [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>"), ("<!", ">")];
        if let Some((_, end)) = passed.iter().find(|(begin, _)| rest.starts_with(begin)) {
            // What never ends is for the parser to tell.
            let Some(length) = rest.find(end) else { return Ok(()) };
            at = start + length + end.len();
            continue;
        }
        let Some(length) = tag_length(rest) else {
            return Err(fail_at(text, start, "a tag that does not end"));
        };
        let tag = &rest[..length];
        if tag.starts_with("</") {
            depth = depth.saturating_sub(1);
        } else if !tag.ends_with("/>") {
            depth += 1;
            if depth > DEPTH_MAX {
                return Err(fail_at(text, start, format!("more than {DEPTH_MAX} elements within one another")));
            }
        }
        at = start + length;
    }
    Ok(())
}

/// From `<` to the `>` that is in no quotes; `None` beyond what is read.
fn tag_length(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate().take(TAG_BYTES_MAX) {
        match quote {
            Some(open) if byte == open => quote = None,
            Some(_) => {}
            None if byte == b'>' => return Some(at + 1),
            None if byte == b'"' || byte == b'\'' => quote = Some(byte),
            None => {}
        }
    }
    None
}

/// The first child element of a name.
pub(super) fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| child.is_element() && child.tag_name().name() == name)
}

/// All child elements of a name.
pub(super) fn children<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| child.is_element() && child.tag_name().name() == name)
}

/// Whether there is a child of a name.
pub(super) fn has(node: Node<'_, '_>, name: &str) -> bool {
    child(node, name).is_some()
}

/// The text of a node, without outer blanks.
pub(super) fn text<'a>(node: Node<'a, '_>) -> &'a str {
    node.text().unwrap_or_default().trim()
}

/// The text of a child; empty without it.
pub(super) fn child_text<'a>(node: Node<'a, '_>, name: &str) -> &'a str {
    child(node, name).map_or("", text)
}

/// The number in a child.
pub(super) fn child_number<T: FromStr>(node: Node<'_, '_>, name: &str) -> Option<T> {
    child_text(node, name).parse().ok()
}

/// The number in an attribute.
pub(super) fn number<T: FromStr>(node: Node<'_, '_>, name: &str) -> Option<T> {
    node.attribute(name)?.trim().parse().ok()
}

/// Whether an attribute says yes.
pub(super) fn says_yes(node: Node<'_, '_>, name: &str) -> bool {
    node.attribute(name) == Some("yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(text: &str, message: &str) {
        assert_eq!(parse(text).expect_err("refused").to_string(), message);
    }

    #[test]
    fn hostile_texts_are_refused_with_the_place() {
        let laughs = "<!DOCTYPE a [\n  <!ENTITY b \"ha\">\n  <!ENTITY c \"&b;&b;\">\n]>\n<a>&c;</a>";
        refused(laughs, "line 2, column 3: entities are declared, which no score needs");
        let deep = "<a>".repeat(100_000);
        refused(&deep, "line 1, column 193: more than 64 elements within one another");
        let wide = format!("<a>\n<b {}/></a>", (0..9_999).map(|i| format!("c{i}='' ")).collect::<String>());
        refused(&wide, "line 2, column 1: a tag that does not end");
        let spaces: String = (0..1_100).map(|i| format!("<a xmlns:n{i}=''/>\n")).collect();
        refused(&spaces, "line 1001, column 4: more namespaces than any score has");
        let many = format!("<a>{}</a>", "<b/>".repeat(2_000_000));
        refused(&many, "line 1, column 1: more elements than any score has");
    }

    #[test]
    fn mistakes_are_told_with_the_place() {
        refused("<a>\n <b></c></a>", "line 2, column 5: expected 'b' tag, not 'c'");
        refused("<a>&nbsp;</a>", "line 1, column 4: unknown entity reference 'nbsp'");
        assert!(parse("<a><!-- < --><![CDATA[<b>]]><c d='>'/></a>").is_ok());
        assert!(parse("<!DOCTYPE a PUBLIC \"x\" \"y\"><a/>").is_ok());
    }
}
