//! What a verdict rests on: the gateway's own record, the frame that was sent, what arrived for it, what was told last.

use crate::program::{Ran, ran};
use crate::suite::folder;
use serde_json::Value;

const PROFILE: &str = include_str!("../../gateways/reference-process/profile.yaml");
const TEMPLATE: &str = include_str!("../../gateways/reference-process/reference.yaml.j2");
const SYSTEM: [(&str, &str); 1] = [("PATH", "/usr/bin:/bin")];

/// The only scenario of a run.
fn only(ran: &Ran) -> Value {
    let outcome: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}{}", ran.out, ran.err));
    let scenarios = outcome["scenarios"].as_array().unwrap();
    assert_eq!(scenarios.len(), 1, "{}", ran.err);
    scenarios[0].clone()
}

/// What a shipped scenario comes to at the gateway that comes with the program, driven with its profile so changed.
fn with_profile(scenario: &str, change: (&str, &str)) -> Ran {
    let profile = PROFILE.replace(change.0, change.1);
    assert!(profile != PROFILE || change.0 == change.1);
    let folder = folder(&[("acme/profile.yaml", &profile), ("acme/reference.yaml.j2", TEMPLATE)]);
    ran(folder.path(), &["run", "--gateway", "acme", "--format", "json", "--only", scenario], &SYSTEM)
}

#[test]
fn a_record_that_cannot_be_read_clears_nobody() {
    let missing = with_profile("AUD-04-*", ("/audit.jsonl", "/audits.jsonl"));
    assert_eq!(missing.code, 1, "{}", missing.err);
    let scenario = only(&missing);
    assert_eq!(scenario["status"], "inconclusive");
    let why = scenario["why"].as_str().unwrap();
    assert!(why.contains("{{ folder }}/audits.jsonl cannot be read"), "{why}");
    assert_eq!(only(&with_profile("AUD-01-*", ("/audit.jsonl", "/audits.jsonl")))["status"], "inconclusive");
    assert_eq!(only(&with_profile("AUD-04-*", ("", "")))["status"], "passed");
}

#[test]
fn an_empty_record_clears_nobody() {
    let empty = ("file: \"{{ folder }}/audit.jsonl\"", "run: [\"true\"]");
    let scenario = only(&with_profile("AUD-04-*", empty));
    assert_eq!(scenario["status"], "inconclusive");
    let why = scenario["why"].as_str().unwrap();
    assert_eq!(why, "the gateway's own record (`true`) holds nothing, and 2 calls were made");
    assert_eq!(only(&with_profile("AUD-01-*", empty))["status"], "failed", "a gateway that records nothing");
}

#[test]
fn an_unknown_variable_in_the_place_of_the_record_is_a_mistake() {
    let told = with_profile("AUD-04-*", ("{{ folder }}/audit.jsonl", "{{ foldr }}/audit.jsonl"));
    assert_eq!(told.code, 2, "{}", told.out);
    assert!(told.err.contains("unknown variable `foldr`"), "{}", told.err);
}
