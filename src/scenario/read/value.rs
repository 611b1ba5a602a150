//! Single values: texts, numbers, words from a table, times.

use super::Told;
use crate::diagnostic::Diagnostic;
use crate::source::{Node, Placed, Value};
use std::time::Duration;

/// Complains that something else was expected.
pub(super) fn expected<T>(what: &str, node: &Node, told: &mut Told) -> Option<T> {
    let complaint = Diagnostic::mistake(node.spot, format!("expected {what}, found {}", node.noun()));
    let quote = what == "a text" && matches!(node.value, Value::Bool(_) | Value::Number(_));
    told.push(if quote { complaint.help("put it in quotes") } else { complaint });
    None
}

/// A text.
pub(super) fn text(node: &Node, told: &mut Told) -> Option<String> {
    node.text().map(str::to_owned).or_else(|| expected("a text", node, told))
}

/// A name, with its place.
pub(super) fn name(node: &Node, told: &mut Told) -> Option<Placed<String>> {
    let value = text(node, told)?;
    if value.is_empty() {
        told.push(Diagnostic::mistake(node.spot, "a name is not empty"));
        return None;
    }
    Some(Placed { value, spot: node.spot })
}

/// A text or a list of them, each with its place.
pub(super) fn names(node: &Node, told: &mut Told) -> Vec<Placed<String>> {
    match &node.value {
        Value::List(elements) => elements.iter().filter_map(|element| name(element, told)).collect(),
        Value::Text(_) => name(node, told).into_iter().collect(),
        _ => expected::<()>("a text or a list of texts", node, told).map(|()| Vec::new()).unwrap_or_default(),
    }
}

/// A text or a list of them.
pub(super) fn texts(node: &Node, told: &mut Told) -> Vec<String> {
    names(node, told).into_iter().map(|placed| placed.value).collect()
}

/// `true` or `false`.
pub(super) fn flag(node: &Node, told: &mut Told) -> Option<bool> {
    match node.value {
        Value::Bool(value) => Some(value),
        _ => {
            let complaint =
                Diagnostic::mistake(node.spot, format!("expected a boolean, found {}", node.noun()));
            told.push(complaint.help("write `true` or `false`"));
            None
        }
    }
}

/// A whole number that is not negative.
pub(super) fn count(node: &Node, told: &mut Told) -> Option<u64> {
    let value = match &node.value {
        Value::Number(number) => number.as_i64().and_then(|value| u64::try_from(value).ok()),
        _ => return expected("a whole number", node, told),
    };
    if value.is_none() {
        told.push(Diagnostic::mistake(node.spot, "expected a whole number that is not negative"));
    }
    value
}

/// A whole number from one on.
pub(super) fn positive(node: &Node, told: &mut Told) -> Option<u32> {
    let value = u32::try_from(count(node, told)?).ok().filter(|value| *value > 0);
    if value.is_none() {
        told.push(Diagnostic::mistake(node.spot, "expected a whole number from 1 on"));
    }
    value
}

/// A time as people write it: `2s`, `1m 30s`, `500ms`.
pub(super) fn duration(node: &Node, told: &mut Told) -> Option<Duration> {
    let written = match &node.value {
        Value::Text(text) => text.as_str(),
        // Half of all units are seconds; guessing which half this is would be wrong the other time.
        Value::Number(number) => {
            let complaint = Diagnostic::mistake(node.spot, "a duration needs a unit");
            told.push(complaint.help(format!("write `{}s`", number.spelling())));
            return None;
        }
        _ => return expected("a duration", node, told),
    };
    humantime::parse_duration(written)
        .map_err(|error| {
            let complaint = Diagnostic::mistake(node.spot, format!("`{written}` is no duration: {error}"));
            told.push(complaint.help("write it like `2s`, `500ms` or `1m 30s`"));
        })
        .ok()
}

/// One of the words of a table.
pub(super) fn word<T: Copy>(node: &Node, noun: &str, table: &[(&str, T)], told: &mut Told) -> Option<T> {
    let written = node.text().or_else(|| expected(&format!("a word for the {noun}"), node, told))?;
    let found = table.iter().find(|(word, _)| *word == written).map(|(_, value)| *value);
    if found.is_none() {
        told.push(Diagnostic::unknown(node.spot, noun, written, table.iter().map(|(word, _)| *word)));
    }
    found
}

/// The entries of a mapping whose keys are the user's own, or a complaint.
pub(super) fn entries<'a>(node: &'a Node, what: &str, told: &mut Told) -> &'a [(Placed<String>, Node)] {
    node.map().or_else(|| expected(what, node, told)).unwrap_or_default()
}

/// The elements of a list, or a complaint.
pub(super) fn elements<'a>(node: &'a Node, what: &str, told: &mut Told) -> &'a [Node] {
    node.list().or_else(|| expected(what, node, told)).unwrap_or_default()
}
