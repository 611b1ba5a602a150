//! Equality of meaning: members as sets, numbers by value. Two frames that differ only so are the same call.

use super::json::Json;
use std::fmt::Write as _;

/// Whether two values mean the same: member order and number spelling do not count, everything else does.
pub fn same(left: &Json, right: &Json) -> bool {
    canonical(left) == canonical(right)
}

/// One text for each meaning: members sorted by name (the last of a repeated one), numbers in canonical spelling.
pub fn canonical(value: &Json) -> String {
    let mut text = String::new();
    write(&mut text, value);
    text
}

fn write(text: &mut String, value: &Json) {
    match value {
        Json::Number(number) => text.push_str(&number.canonical()),
        Json::Array(elements) => {
            text.push('[');
            for element in elements {
                write(text, element);
                text.push(',');
            }
            text.push(']');
        }
        Json::Object(object) => {
            let mut members: Vec<_> = object.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            text.push('{');
            for (index, (name, value)) in members.iter().enumerate() {
                // The sort is stable, so the last of a repeated name is the one a common parser takes.
                if members.get(index + 1).is_some_and(|(next, _)| next == name) {
                    continue;
                }
                write(text, &Json::from(*name));
                text.push(':');
                write(text, value);
                text.push(',');
            }
            text.push('}');
        }
        other => {
            let _ = write!(text, "{other}");
        }
    }
}

/// What happened to a value on its way: nothing, members added to objects, or anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fidelity {
    /// The same meaning.
    Same,
    /// Objects have members that the original lacks; all else is the same.
    Added,
    /// Something was changed or lost.
    Changed,
}

/// Compares what arrived with what was sent.
pub fn fidelity(sent: &Json, arrived: &Json) -> Fidelity {
    match (sent, arrived) {
        (Json::Object(before), Json::Object(after)) => {
            let kept = before.iter().map(|(name, value)| match after.get(name) {
                Some(now) => fidelity(value, now),
                None => Fidelity::Changed,
            });
            let grown = after.iter().any(|(name, _)| before.get(name).is_none());
            kept.max().unwrap_or(Fidelity::Same).max(if grown { Fidelity::Added } else { Fidelity::Same })
        }
        (Json::Array(before), Json::Array(after)) if before.len() == after.len() => before
            .iter()
            .zip(after)
            .map(|(left, right)| fidelity(left, right))
            .max()
            .unwrap_or(Fidelity::Same),
        _ if same(sent, arrived) => Fidelity::Same,
        _ => Fidelity::Changed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::parse;

    fn value(text: &str) -> Json {
        parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn order_and_spelling_do_not_count() {
        assert!(same(&value(r#"{"a":1,"b":[2.0,"x"]}"#), &value(r#"{"b":[2,"x"],"a":1e0}"#)));
        assert!(!same(&value(r#"{"a":"1"}"#), &value(r#"{"a":1}"#)));
        assert!(!same(&value("[1,2]"), &value("[2,1]")));
        assert!(!same(&value("{}"), &value(r#"{"a":null}"#)));
    }

    #[test]
    fn an_added_member_is_told_from_a_changed_one() {
        let sent = value(r#"{"a":{"b":1}}"#);
        assert_eq!(fidelity(&sent, &value(r#"{"a":{"b":1.0}}"#)), Fidelity::Same);
        assert_eq!(fidelity(&sent, &value(r#"{"a":{"b":1,"c":2}}"#)), Fidelity::Added);
        assert_eq!(fidelity(&sent, &value(r#"{"a":{"b":2,"c":2}}"#)), Fidelity::Changed);
        assert_eq!(fidelity(&sent, &value(r#"{"a":{}}"#)), Fidelity::Changed);
    }
}
