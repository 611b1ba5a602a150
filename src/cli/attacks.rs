//! How attacks are listed and reported: the formats of `gauntlet run --attacks`, and `gauntlet list attacks`.

use crate::pattern;
use crate::report::{attacks, sarif};
use crate::run::Outcome;
use crate::scenario::Scenario;
use std::path::PathBuf;

/// A report about attacks: where it is written, and how.
#[derive(Clone, Debug)]
pub struct Report {
    /// Where.
    pub file: PathBuf,
    make: Make,
}

type Make = fn(&Outcome) -> String;

impl Report {
    /// What is written.
    pub(super) fn text(&self, outcome: &Outcome) -> String {
        (self.make)(outcome)
    }
}

/// The endings, and what each means.
const FORMATS: [(&str, Make); 3] = [("md", attacks::markdown), ("json", attacks::document), ("sarif", sarif)];

/// Reads the argument: the file's ending is the format.
pub(super) fn report(written: &str) -> Result<Report, String> {
    let file = PathBuf::from(written);
    let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    match FORMATS.into_iter().find(|(known, _)| *known == ending) {
        Some((_, make)) => Ok(Report { make, file }),
        None => Err("the ending says the format: `.md`, `.json` or `.sarif`".to_owned()),
    }
}

/// A line for each pattern: id, name, the ids of the lists, and the scenarios that replay it.
pub(super) fn rows(scenarios: &[Scenario]) -> Vec<Vec<String>> {
    let known = pattern::shipped();
    let mut rows: Vec<Vec<String>> = Vec::new();
    for (id, pattern) in &known.patterns {
        let ids: Vec<&str> = pattern.owasp.iter().chain(&pattern.atlas).map(String::as_str).collect();
        rows.push(vec![id.clone(), pattern.name.clone(), ids.join(" "), replays(scenarios, id)]);
    }
    rows
}

/// The scenarios that replay a pattern, those that only observe in brackets.
fn replays(scenarios: &[Scenario], pattern: &str) -> String {
    let replay = |scenario: &&Scenario| {
        scenario.attack.as_ref().is_some_and(|attack| attack.patterns.iter().any(|id| id == pattern))
    };
    let name = |scenario: &Scenario| {
        if scenario.observe { format!("({})", scenario.id) } else { scenario.id.clone() }
    };
    scenarios.iter().filter(replay).map(name).collect::<Vec<_>>().join(" ")
}
