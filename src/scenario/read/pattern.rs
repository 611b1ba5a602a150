//! Patterns: what a value should look like.

use super::Told;
use super::value::{names, text};
use crate::diagnostic::Diagnostic;
use crate::scenario::pattern::Pattern;
use crate::source::{Node, Value};
use crate::wire::Json;
use regex::Regex;

/// The words that make a mapping a condition instead of an object.
pub(in crate::scenario) const CONDITIONS: [&str; 6] =
    ["contains", "matches", "equals", "absent", "present", "not"];

/// A pattern: a condition, or a value that is met partially.
pub(super) fn pattern(node: &Node, told: &mut Told) -> Option<Pattern> {
    match &node.value {
        Value::Map(entries) => {
            let conditions =
                entries.iter().filter(|(key, _)| CONDITIONS.contains(&key.value.as_str())).count();
            if conditions > 0 && conditions == entries.len() {
                return all(entries.iter().map(|(key, node)| condition(&key.value, node, told)).collect());
            }
            let members = entries.iter().map(|(key, node)| Some((key.value.clone(), pattern(node, told)?)));
            members.collect::<Option<_>>().map(Pattern::Members)
        }
        Value::List(elements) => {
            elements.iter().map(|node| pattern(node, told)).collect::<Option<_>>().map(Pattern::Elements)
        }
        _ => Some(Pattern::Equals(Json::from(node))),
    }
}

/// A pattern for a text: what is no condition is a mistake.
pub(super) fn text_pattern(node: &Node, told: &mut Told) -> Option<Pattern> {
    for (key, _) in node.map().unwrap_or_default() {
        if !CONDITIONS.contains(&key.value.as_str()) {
            told.push(Diagnostic::unknown(key.spot, "condition", &key.value, CONDITIONS));
            return None;
        }
    }
    if let Value::List(_) = node.value {
        return super::value::expected("a text or a condition", node, told);
    }
    pattern(node, told)
}

fn condition(word: &str, node: &Node, told: &mut Told) -> Option<Pattern> {
    Some(match word {
        "contains" => match &node.value {
            Value::List(parts) => return all(parts.iter().map(|part| condition(word, part, told)).collect()),
            _ => Pattern::Contains(Json::from(node)),
        },
        "matches" => Pattern::Matches(regex(node, told)?),
        "equals" => Pattern::Equals(Json::from(node)),
        "not" => Pattern::Not(Box::new(pattern(node, told)?)),
        _ => {
            let yes = super::value::flag(node, told)?;
            if yes == (word == "absent") { Pattern::Absent } else { Pattern::Present }
        }
    })
}

fn all(patterns: Vec<Option<Pattern>>) -> Option<Pattern> {
    let mut patterns: Vec<Pattern> = patterns.into_iter().collect::<Option<_>>()?;
    if patterns.len() == 1 { patterns.pop() } else { Some(Pattern::All(patterns)) }
}

fn regex(node: &Node, told: &mut Told) -> Option<Regex> {
    let written = text(node, told)?;
    Regex::new(&written)
        .map_err(|error| {
            let why = error.to_string();
            let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            told.push(Diagnostic::mistake(node.spot, format!("not a regular expression: {why}")));
        })
        .ok()
}

/// Header names that must be absent, in lower case.
pub(super) fn absent_headers(node: &Node, told: &mut Told) -> Vec<(String, Pattern)> {
    let absent = names(node, told).into_iter();
    absent.map(|header| (header.value.to_lowercase(), Pattern::Absent)).collect()
}

/// Headers by name, each with what it should be.
pub(super) fn headers(node: &Node, told: &mut Told) -> Vec<(String, Pattern)> {
    let mut read = Vec::new();
    for (key, node) in super::value::entries(node, "a mapping of headers", told) {
        let pattern =
            if node.value == Value::Null { Some(Pattern::Absent) } else { text_pattern(node, told) };
        read.extend(pattern.map(|pattern| (key.value.to_lowercase(), pattern)));
    }
    read
}
