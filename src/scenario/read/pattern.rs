//! Patterns: what a value should look like.

use super::Told;
use super::value::{names, text};
use crate::diagnostic::{Diagnostic, listed};
use crate::scenario::pattern::Pattern;
use crate::source::{Node, Placed, Value};
use crate::wire::Json;
use regex::Regex;

/// The words that make a mapping a condition instead of an object.
pub(in crate::scenario) const CONDITIONS: [&str; 6] =
    ["contains", "matches", "equals", "absent", "present", "not"];

/// Words that are conditions elsewhere. Where a condition is due, they would be read as members, and never be met.
const ELSEWHERE: [&str; 18] = [
    "all", "any", "anything", "contain", "each", "every", "equal", "excludes", "exists", "has", "includes",
    "is", "lacks", "match", "missing", "none", "regex", "some",
];

/// A pattern: a condition, or a value that is met partially.
pub(super) fn pattern(node: &Node, told: &mut Told) -> Option<Pattern> {
    match &node.value {
        Value::Map(entries) => {
            let conditions =
                entries.iter().filter(|(key, _)| CONDITIONS.contains(&key.value.as_str())).count();
            if conditions > 0 {
                let mistakes = told.len();
                let strangers = entries.iter().filter(|(key, _)| !CONDITIONS.contains(&key.value.as_str()));
                told.extend(strangers.map(|(key, _)| no_condition(key)));
                let read: Vec<_> = entries
                    .iter()
                    .filter(|(key, _)| CONDITIONS.contains(&key.value.as_str()))
                    .map(|(key, node)| condition(&key.value, node, told))
                    .collect();
                return if told.len() == mistakes { all(read) } else { None };
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

/// A pattern below a condition, where the words of other tools are most likely meant as such.
fn below(node: &Node, told: &mut Told) -> Option<Pattern> {
    let stranger = |(key, _): &&(Placed<String>, Node)| ELSEWHERE.contains(&key.value.as_str());
    match node.map().unwrap_or_default().iter().find(stranger) {
        Some((key, _)) => {
            told.push(no_condition(key));
            None
        }
        None => pattern(node, told),
    }
}

/// A word beside conditions that is none. A member of that name can still be meant.
fn no_condition(key: &Placed<String>) -> Diagnostic {
    let word = &key.value;
    let complaint = Diagnostic::mistake(key.spot, format!("unknown condition `{word}`"));
    complaint
        .help(format!("conditions are {}; a member of that name is written `/{word}`", listed(CONDITIONS)))
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
            Value::Map(_) => Pattern::Element(Box::new(below(node, told)?)),
            _ => Pattern::Contains(Json::from(node)),
        },
        "matches" => Pattern::Matches(regex(node, told)?),
        "equals" => Pattern::Equals(Json::from(node)),
        "not" => Pattern::Not(Box::new(below(node, told)?)),
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
