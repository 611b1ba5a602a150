//! The attacks of a run as SARIF 2.1.0, which code scanners show: a run for each gateway, a rule for each pattern, and a
//! result for each attack that was not stopped, or that was observed as passing.

use super::attacks::{Fared, Finding, List, findings, rows};
use super::json::escaped;
use crate::diagnostic::printable_within;
use crate::pattern::{self, Pattern};
use crate::run::outcome::Outcome;
use crate::scenario::Severity;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Where the format is described.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Foreign text is cut to this many characters.
const EXCERPT: usize = 500;

/// The rule of attacks that name no pattern.
const UNLISTED: &str = "unlisted";

/// The log, indented, with a line feed at its end.
pub fn sarif(outcome: &Outcome) -> String {
    let runs: Vec<Value> = outcome.gateways.iter().map(|gateway| run(outcome, &gateway.name)).collect();
    escaped(&json!({"$schema": SCHEMA, "version": "2.1.0", "runs": runs}))
}

fn run(outcome: &Outcome, gateway: &str) -> Value {
    let findings = findings(outcome, gateway);
    let mut ids: Vec<String> = rows(&findings, List::Patterns).into_iter().map(|row| row.id).collect();
    if findings.iter().any(|finding| finding.patterns().is_empty()) {
        ids.push(UNLISTED.to_owned());
    }
    let bad = findings.iter().filter(|one| matches!(one.fared, Fared::NotStopped | Fared::ObservedPassing));
    let gateway = printable_within(gateway, EXCERPT);
    json!({
        "tool": {"driver": {
            "name": "gauntlet",
            "version": env!("CARGO_PKG_VERSION"),
            "rules": ids.iter().map(|id| rule(id)).collect::<Vec<Value>>(),
        }},
        "automationDetails": {"id": format!("gauntlet/attacks/{gateway}/")},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": true}],
        "results": bad.map(|finding| result(finding, &ids, &gateway)).collect::<Vec<Value>>(),
    })
}

fn rule(id: &str) -> Value {
    match pattern::shipped().patterns.get(id) {
        Some(pattern) => known_rule(id, pattern),
        None => json!({
            "id": printable_within(id, EXCERPT),
            "shortDescription": {"text": "an attack that is in no list"},
            "help": {"text": "the scenario says what is done, and what should come of it"},
        }),
    }
}

fn known_rule(id: &str, pattern: &Pattern) -> Value {
    let stops: Vec<&str> = pattern.stopped_by.iter().map(|control| control.words()).collect();
    let stops = match stops.split_last() {
        None => "Nothing of it can be seen at a gateway.".to_owned(),
        Some((last, [])) => format!("What a gateway can have against it: {last}."),
        Some((last, others)) => {
            format!("What a gateway can have against it: {} or {last}.", others.join(", "))
        }
    };
    let tags: Vec<&String> = pattern.owasp.iter().chain(&pattern.atlas).collect();
    json!({
        "id": id,
        "name": pattern.name,
        "shortDescription": {"text": pattern.name},
        "fullDescription": {"text": pattern.statement},
        "help": {"text": format!("{} {stops}", pattern.statement)},
        "properties": {"tags": tags},
    })
}

fn result(finding: &Finding<'_>, ids: &[String], gateway: &str) -> Value {
    let scenario = finding.scenario;
    let id = finding.patterns().first().map_or(UNLISTED, String::as_str);
    let observed = finding.fared == Fared::ObservedPassing;
    let passes = if observed { "passes, as far as it can be observed" } else { "is not stopped" };
    let text = format!("{} {passes} at {gateway}: {}", scenario.title, finding.story());
    let attack = scenario.attack.as_ref();
    let tags: Vec<&String> = attack.into_iter().flat_map(|one| one.owasp.iter().chain(&one.atlas)).collect();
    let mut result = json!({
        "ruleId": printable_within(id, EXCERPT),
        "level": level(scenario.severity, observed),
        "message": {"text": printable_within(&text, EXCERPT)},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": uri(&scenario.file)},
            "region": {"startLine": finding.line()},
        }}],
        "partialFingerprints": {"attack/v1": format!("{gateway}/{}", scenario.id)},
        "properties": {"scenario": scenario.id, "gateway": gateway, "observed": observed, "severity": scenario.severity, "tags": tags},
    });
    if let (Some(index), Some(members)) = (ids.iter().position(|known| known == id), result.as_object_mut()) {
        members.insert("ruleIndex".to_owned(), json!(index));
    }
    result
}

/// An observation is a warning at most: no policy of this gateway was to stop it.
fn level(severity: Severity, observed: bool) -> &'static str {
    match severity {
        Severity::Critical | Severity::High if !observed => "error",
        Severity::Critical | Severity::High | Severity::Medium => "warning",
        Severity::Low => "note",
    }
}

/// A path as a reference of RFC 3986; an absolute one as a file's.
fn uri(path: &str) -> String {
    let mut uri = String::from(if path.starts_with('/') { "file://" } else { "" });
    for byte in path.trim_start_matches("./").bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::super::attacks::tests::outcome;
    use super::*;
    use crate::diagnostic::hides;

    fn log() -> Value {
        let text = sarif(&outcome());
        assert!(!text.chars().any(|character| character != '\n' && hides(character)), "{text}");
        serde_json::from_str(&text).unwrap()
    }

    /// The members that SARIF 2.1.0 requires (sections 3.13, 3.14, 3.18, 3.19, 3.20, 3.27, 3.49), and their types.
    #[test]
    fn what_the_format_requires_is_there() {
        let log = log();
        assert_eq!(log["version"], "2.1.0");
        let run = &log["runs"][0];
        let driver = &run["tool"]["driver"];
        assert!(driver["name"].is_string());
        assert!(run["invocations"][0]["executionSuccessful"].is_boolean());
        for rule in driver["rules"].as_array().unwrap() {
            assert!(rule["id"].is_string() && rule["help"]["text"].is_string());
            assert!(rule["shortDescription"]["text"].is_string());
        }
        let results = run["results"].as_array().unwrap();
        assert_eq!(results.len(), 2);
        for result in results {
            assert!(result["message"]["text"].is_string());
            assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(driver["rules"][index]["id"], result["ruleId"]);
            let place = &result["locations"][0]["physicalLocation"];
            assert!(place["region"]["startLine"].as_u64().unwrap() >= 1);
        }
    }

    #[test]
    fn a_result_is_at_its_line_and_as_bad_as_it_is() {
        let log = log();
        let [missed, watched] = [0, 1].map(|place| log["runs"][0]["results"][place].clone());
        let place = &missed["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "my%20attacks/let-through.yaml");
        assert_eq!(place["region"]["startLine"], 6);
        assert_eq!((&missed["level"], &watched["level"]), (&json!("error"), &json!("warning")));
        let rule = &log["runs"][0]["tool"]["driver"]["rules"][0];
        assert_eq!((&rule["id"], &rule["name"]), (&json!("K24"), &json!("Destructive call")));
        assert_eq!(rule["properties"]["tags"], json!(["ASI02", "AML.T0101"]));
    }

    #[test]
    fn a_path_is_a_reference() {
        assert_eq!(uri("scenarios/attacks/a.yaml"), "scenarios/attacks/a.yaml");
        assert_eq!(uri("./a b/\u{e9}.yaml"), "a%20b/%C3%A9.yaml");
        assert_eq!(uri("/srv/a.yaml"), "file:///srv/a.yaml");
    }
}
