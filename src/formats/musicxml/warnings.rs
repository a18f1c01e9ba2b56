//! What was mended, for a person: one line each, with the measure and its place in the text.

/// So many places are told one by one: the window shows them one under another.
const PLACES_MAX: usize = 5;

/// Collects lines.
#[derive(Debug)]
pub(super) struct Warnings<'t> {
    text: &'t str,
    /// About the whole.
    general: Vec<String>,
    /// About a measure: its number, where it stands, and what is wrong.
    places: Vec<(String, usize, String)>,
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
        if !self.places.iter().any(|(_, place, known)| place == byte && known == problem) {
            self.places.push((number.clone(), *byte, problem.to_owned()));
        }
    }

    /// About the whole.
    pub(super) fn general(&mut self, words: String) {
        self.general.push(words);
    }

    /// All lines, those about the whole first.
    pub(super) fn finish(self) -> Vec<String> {
        let line = |byte: usize| self.text[..byte].matches('\n').count() + 1;
        let words = |(number, byte, problem)| format!("measure {number} (line {}): {problem}", line(byte));
        let more = (self.more > 0).then(|| format!("{} more places were mended", self.more));
        self.general.into_iter().chain(self.places.into_iter().map(words)).chain(more).collect()
    }
}
