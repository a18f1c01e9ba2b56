//! What differs between two values, field by field. Pure.

use serde_json::Value;

use crate::ui::view::FieldChange;

/// Changes told at most.
pub const CHANGES_MAX: usize = 64;
/// Characters of a value at most.
const VALUE_CHARS_MAX: usize = 160;

/// The fields that differ, in the order of their paths, at most [`CHANGES_MAX`].
pub fn changes(before: Option<&Value>, after: Option<&Value>) -> Vec<FieldChange> {
    let mut found = Vec::new();
    compare("", before, after, &mut found);
    found
}

fn compare(path: &str, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<FieldChange>) {
    if before == after || found.len() == CHANGES_MAX {
        return;
    }
    let join = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match (before, after) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let added = new.keys().filter(|key| !old.contains_key(*key));
            for key in old.keys().chain(added) {
                compare(&join(key), old.get(key), new.get(key), found);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => {
            for index in 0..old.len().max(new.len()) {
                compare(&join(&index.to_string()), old.get(index), new.get(index), found);
            }
        }
        // What is new or gone as a whole is told field by field too.
        (None, Some(Value::Object(new))) if !new.is_empty() => {
            new.iter().for_each(|(key, value)| compare(&join(key), None, Some(value), found));
        }
        (Some(Value::Object(old)), None) if !old.is_empty() => {
            old.iter().for_each(|(key, value)| compare(&join(key), Some(value), None, found));
        }
        _ => {
            let shown = |value: &Value| value.to_string().chars().take(VALUE_CHARS_MAX).collect();
            let (before, after) = (before.map(shown), after.map(shown));
            found.push(FieldChange { path: path.to_owned(), before, after });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(before: Option<Value>, after: Option<Value>, expected: &[(&str, Option<&str>, Option<&str>)]) {
        let found = changes(before.as_ref(), after.as_ref());
        let found: Vec<_> = found.iter().map(|c| (c.path.as_str(), c.before.as_deref(), c.after.as_deref())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn only_what_differs_is_told_with_its_path() {
        check(Some(json!({"a": 1, "b": 2})), Some(json!({"a": 1, "b": 3})), &[("b", Some("2"), Some("3"))]);
        check(
            Some(json!({"at": {"x": [1, 2]}, "old": true})),
            Some(json!({"at": {"x": [1, 5, 6]}, "new": "t"})),
            &[
                ("at.x.1", Some("2"), Some("5")),
                ("at.x.2", None, Some("6")),
                ("old", Some("true"), None),
                ("new", None, Some("\"t\"")),
            ],
        );
        check(Some(json!(1)), Some(json!(1)), &[]);
        check(Some(json!({})), Some(json!(7)), &[("", Some("{}"), Some("7"))]);
    }

    #[test]
    fn what_begins_or_ends_is_told_field_by_field() {
        check(None, Some(json!({"a": 1, "b": {"c": 2}})), &[("a", None, Some("1")), ("b.c", None, Some("2"))]);
        check(Some(json!({"a": 1})), None, &[("a", Some("1"), None)]);
        check(None, None, &[]);
    }

    #[test]
    fn a_change_of_everything_is_told_in_part() {
        let many = |n: u64| json!((0..1_000).map(|i| i * n).collect::<Vec<u64>>());
        assert_eq!(changes(Some(&many(1)), Some(&many(2))).len(), CHANGES_MAX);
    }
}
