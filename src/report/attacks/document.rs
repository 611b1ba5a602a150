//! The attacks of a run as a JSON document of their own, version 1, within which members are only added.

use super::{Fared, Finding, List, Row, findings, rows, totals};
use crate::report::json::escaped;
use crate::run::outcome::Outcome;
use serde_json::{Map, Value, json};

/// The version of the document.
const VERSION: u32 = 1;

/// The document, indented, with a line feed at its end.
pub fn document(outcome: &Outcome) -> String {
    let gateways: Vec<Value> = outcome.gateways.iter().map(|one| gateway(outcome, &one.name)).collect();
    escaped(&json!({"version": VERSION, "gateways": gateways}))
}

fn gateway(outcome: &Outcome, name: &str) -> Value {
    let findings = findings(outcome, name);
    let of = |list| rows(&findings, list).iter().map(row).collect::<Vec<Value>>();
    json!({
        "name": name,
        "summary": counts(totals(&findings)),
        "patterns": of(List::Patterns),
        "owasp": of(List::Owasp),
        "atlas": of(List::Atlas),
        "attacks": findings.iter().map(finding).collect::<Vec<Value>>(),
    })
}

fn counts(counts: [usize; Fared::ALL.len()]) -> Map<String, Value> {
    let word = |fared: Fared| json!(fared).as_str().unwrap_or_default().to_owned();
    Fared::ALL.into_iter().zip(counts).map(|(fared, count)| (word(fared), json!(count))).collect()
}

fn row(row: &Row) -> Value {
    let mut value = json!(row);
    if let Some(members) = value.as_object_mut() {
        members.extend(counts(row.counts));
    }
    value
}

fn finding(finding: &Finding<'_>) -> Value {
    let scenario = finding.scenario;
    json!({
        "scenario": scenario.id,
        "title": scenario.title,
        "file": scenario.file,
        "line": finding.line(),
        "severity": scenario.severity,
        "attack": scenario.attack,
        "fared": finding.fared,
        "twin_passed": finding.twin,
        "told": finding.story(),
        "again": scenario.again,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::outcome;
    use super::*;
    use crate::diagnostic::hides;

    #[test]
    fn the_document_counts_and_tells_each_attack() {
        let text = document(&outcome());
        assert!(!text.chars().any(|character| character != '\n' && hides(character)), "{text}");
        let read: Value = serde_json::from_str(&text).unwrap();
        let gateway = &read["gateways"][0];
        assert_eq!((&gateway["name"], &gateway["summary"]["not_stopped"]), (&json!("acme"), &json!(1)));
        assert_eq!(gateway["patterns"][0]["id"], "K24");
        assert_eq!(gateway["patterns"][0]["twins_passed"], 3);
        assert_eq!(gateway["patterns"][0]["observed_passing"], 1);
        assert_eq!(gateway["owasp"][1]["id"], "X\u{202e}|1");
        let attack = &gateway["attacks"][1];
        assert_eq!((&attack["fared"], &attack["line"]), (&json!("not_stopped"), &json!(6)));
        assert_eq!(attack["attack"]["owasp"][0], "ASI02");
    }
}
