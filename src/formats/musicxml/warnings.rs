//! What was mended, for a person: one line each, with the measure and its place in the text.

/// So many places are told one by one: the window shows them one under another.
const PLACES_MAX: usize = 5;

/// Collects lines.
#[derive(Debug)]
pub(super) struct Warnings<'t> {
    text: &'t str,
    /// About the whole.
    general: Vec<String>,
    /// About a measure.
    places: Vec<String>,
    more: usize,
    /// The measure at hand: its number and where it stands.
    measure: (String, usize),
}

impl<'t> Warnings<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, general: Vec::new(), places: Vec::new(), more: 0, measure: (String::new(), 0) }
    }

    /// The measure that is read now.
    pub(super) fn measure(&mut self, number: &str, byte: usize) {
        self.measure = (number.to_owned(), byte);
    }

    /// About the measure at hand; once for each kind of trouble in it.
    pub(super) fn add(&mut self, problem: &str) {
        if self.places.len() >= PLACES_MAX {
            self.more += 1;
            return;
        }
        let (number, byte) = &self.measure;
        let line = self.text[..*byte].matches('\n').count() + 1;
        let words = format!("measure {number} (line {line}): {problem}");
        if !self.places.contains(&words) {
            self.places.push(words);
        }
    }

    /// About the whole.
    pub(super) fn general(&mut self, words: String) {
        self.general.push(words);
    }

    /// All lines, those about the whole first.
    pub(super) fn finish(self) -> Vec<String> {
        let more = (self.more > 0).then(|| format!("{} more places were mended", self.more));
        self.general.into_iter().chain(self.places).chain(more).collect()
    }
}
