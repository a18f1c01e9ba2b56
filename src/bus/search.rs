//! What a person looks for among events: words that must all be found. Pure.

use super::inspect::EventView;

/// Words, each a part of the topic, the entity, the actor or the payload; one that ends in `*` is a beginning of the
/// topic or the entity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    words: Vec<String>,
}

impl Search {
    /// From what was typed.
    pub fn new(text: &str) -> Self {
        Self { words: text.split_whitespace().map(str::to_lowercase).collect() }
    }

    /// Whether topic and entity alone have all words.
    pub fn fits_names(&self, topic: &str, entity: &str) -> bool {
        self.words.iter().all(|word| in_names(word, topic, entity))
    }

    /// Whether an event has all words. Its payload is only read when its names are not enough.
    pub fn fits(&self, event: &dyn EventView) -> bool {
        let missing = |word: &&String| !in_names(word, event.topic(), event.entity());
        let rest: Vec<&String> = self.words.iter().filter(missing).collect();
        if rest.iter().any(|word| word.ends_with('*')) {
            return false;
        }
        if rest.is_empty() {
            return true;
        }
        let text = format!("{} {}", event.header().actor, event.payload()).to_lowercase();
        rest.into_iter().all(|word| text.contains(word))
    }
}

fn in_names(word: &str, topic: &str, entity: &str) -> bool {
    match word.strip_suffix('*') {
        Some(start) => topic.starts_with(start) || entity.starts_with(start),
        None => topic.contains(word) || entity.contains(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::storage::Header;

    #[derive(Debug)]
    struct Note;

    impl EventView for Note {
        fn seq(&self) -> u64 {
            7
        }
        fn topic(&self) -> &str {
            "note.played"
        }
        fn entity(&self) -> &str {
            "take/8f2c"
        }
        fn header(&self) -> Header {
            let text = |text: &str| text.into();
            Header {
                seq: 7,
                id: Default::default(),
                topic: text("note.played"),
                entity: text("take/8f2c"),
                version: 1,
                base: None,
                hlc: 0,
                stamp: None,
                cause: None,
                actor: text("recorder"),
                schema: text("note"),
                schema_version: 1,
            }
        }
        fn payload(&self) -> serde_json::Value {
            serde_json::json!({ "pitch": 60, "name": "Before breakfast" })
        }
    }

    #[test]
    fn all_words_must_be_found_in_names_actor_or_payload() {
        for (text, names, all) in [
            ("", true, true),
            ("note", true, true),
            ("note.*", true, true),
            ("take/8", true, true),
            ("ake", true, true),
            ("ake*", false, false),
            ("x", false, false),
            ("note.* take/8f2c", true, true),
            ("note.* take/9", false, false),
            ("recorder", false, true),
            ("before BREAKFAST", false, true),
            ("note.* \"pitch\":60", false, true),
            ("pitch*", false, false),
        ] {
            let search = Search::new(text);
            assert_eq!(search.fits_names("note.played", "take/8f2c"), names, "{text}");
            assert_eq!(search.fits(&Note), all, "{text}");
        }
    }
}
