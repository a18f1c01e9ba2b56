//! Which events a subscriber wants: topic patterns in the manner of NATS, and an entity prefix.

/// A filter. Without a topic pattern it takes every topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    topics: Vec<Box<str>>,
    entity: Box<str>,
}

impl Filter {
    /// Everything.
    pub fn all() -> Self {
        Self::default()
    }

    /// Topics that match a pattern: words between dots, `*` for any one word, `>` at the end for one or more words.
    pub fn topic(pattern: &str) -> Self {
        Self { topics: vec![pattern.into()], entity: "".into() }
    }

    /// Any of several patterns.
    pub fn topics<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Self {
        Self { topics: patterns.into_iter().map(Into::into).collect(), entity: "".into() }
    }

    /// Only entities whose key begins with `prefix`, such as `take/`.
    pub fn entity(mut self, prefix: &str) -> Self {
        self.entity = prefix.into();
        self
    }

    /// Whether it takes a topic.
    pub fn matches_topic(&self, topic: &str) -> bool {
        self.topics.is_empty() || self.topics.iter().any(|pattern| matches(pattern, topic))
    }

    /// Whether it takes an entity.
    pub fn matches_entity(&self, entity: &str) -> bool {
        entity.starts_with(&*self.entity)
    }
}

impl std::fmt::Display for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let topics = if self.topics.is_empty() { ">".to_owned() } else { self.topics.join(" ") };
        match &*self.entity {
            "" => f.write_str(&topics),
            entity => write!(f, "{topics} @{entity}"),
        }
    }
}

fn matches(pattern: &str, topic: &str) -> bool {
    let mut words = topic.split('.');
    let mut patterns = pattern.split('.').peekable();
    while let Some(part) = patterns.next() {
        match (part, words.next()) {
            (_, None) => return false,
            (">", Some(_)) if patterns.peek().is_none() => return true,
            ("*", Some(_)) => {}
            (part, Some(word)) if part == word => {}
            _ => return false,
        }
    }
    words.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_nats() {
        for (pattern, topic, expected) in [
            ("take.note", "take.note", true),
            ("take.note", "take", false),
            ("take", "take.note", false),
            ("take.*", "take.note", true),
            ("take.*", "take", false),
            ("take.*", "take.note.on", false),
            ("*.note", "take.note", true),
            ("take.>", "take.note.on", true),
            ("take.>", "take", false),
            (">", "take", true),
            ("tak*", "take", false),
        ] {
            assert_eq!(Filter::topic(pattern).matches_topic(topic), expected, "{pattern} on {topic}");
        }
    }

    #[test]
    fn no_pattern_takes_all_and_several_take_any() {
        assert!(Filter::all().matches_topic("anything"));
        let filter = Filter::topics(["a", "b.*"]).entity("take/");
        assert!(filter.matches_topic("b.c") && filter.matches_topic("a") && !filter.matches_topic("c"));
        assert!(filter.matches_entity("take/1") && !filter.matches_entity("piece/1"));
        assert_eq!(filter.to_string(), "a b.* @take/");
    }
}
