//! What was mended, for a person: one line each, with the measure and its place in the text.

/// So many lines are told one by one.
const LINES_MAX: usize = 20;

/// Collects lines.
#[derive(Debug)]
pub(super) struct Warnings<'t> {
    text: &'t str,
    lines: Vec<String>,
    more: usize,
    /// The measure at hand: its number and where it stands.
    measure: (String, usize),
}

impl<'t> Warnings<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, lines: Vec::new(), more: 0, measure: (String::new(), 0) }
    }

    /// The measure that is read now.
    pub(super) fn measure(&mut self, number: &str, byte: usize) {
        self.measure = (number.to_owned(), byte);
    }

    /// About the measure at hand; once for each kind of trouble in it.
    pub(super) fn add(&mut self, problem: &str) {
        if self.lines.len() >= LINES_MAX {
            self.more += 1;
            return;
        }
        let (number, byte) = &self.measure;
        let line = self.text[..*byte].matches('\n').count() + 1;
        let words = format!("measure {number} (line {line}): {problem}");
        if self.lines.last() != Some(&words) {
            self.lines.push(words);
        }
    }

    /// About the whole.
    pub(super) fn general(&mut self, words: String) {
        self.lines.push(words);
    }

    pub(super) fn finish(mut self) -> Vec<String> {
        if self.more > 0 {
            self.lines.push(format!("{} more places were mended", self.more));
        }
        self.lines
    }
}
