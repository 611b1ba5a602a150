//! Which scenarios run: `--only`, `--tag`, `--fail-fast`; and names that nobody knows.

use crate::program::ran;
use crate::suite::{SOUND, STRICT, folder};
use serde_json::Value;
use std::path::Path;

/// `ID status` of each scenario of a run, in the order of the report.
fn outcome(folder: &Path, arguments: &[&str]) -> Vec<String> {
    let ran = ran(folder, &[&["run"], arguments, &["--format", "json"]].concat(), &[]);
    let outcome: Value =
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}", ran.err));
    let line = |one: &Value| format!("{} {}", one["id"].as_str().unwrap(), one["status"].as_str().unwrap());
    outcome["scenarios"].as_array().unwrap().iter().map(line).collect()
}

fn suite() -> tempfile::TempDir {
    folder(&[("a/DENY-01-one.yaml", STRICT), ("a/RATE-02-two.yaml", SOUND), ("b/three.yaml", SOUND)])
}

#[test]
fn only_takes_ids_globs_and_requirements() {
    let suite = suite();
    let path = suite.path();
    assert_eq!(outcome(path, &["a", "--only", "RATE-02-two"]), ["RATE-02-two passed"]);
    assert_eq!(outcome(path, &["a", "--only", "DENY-01"]), ["DENY-01-one passed"]);
    assert_eq!(
        outcome(path, &["a", "b", "--only", "*-02-*", "--only", "three"]),
        ["RATE-02-two passed", "three passed"]
    );
    assert_eq!(outcome(path, &["."]), ["DENY-01-one passed", "RATE-02-two passed", "three passed"]);
}

#[test]
fn tags_and_names_both_have_to_fit() {
    let suite = suite();
    let path = suite.path();
    assert_eq!(outcome(path, &["a", "--tag", "quick"]), ["RATE-02-two passed"]);
    assert_eq!(outcome(path, &[".", "--tag", "none", "--tag", "quick", "--only", "three"]), ["three passed"]);
}

#[test]
fn fail_fast_begins_nothing_after_a_failure() {
    let suite = suite();
    let all = outcome(suite.path(), &[".", "--gateway", "direct", "-j", "1"]);
    assert_eq!(all, ["DENY-01-one failed", "RATE-02-two passed", "three passed"]);
    let first = outcome(suite.path(), &[".", "--gateway", "direct", "-j", "1", "--fail-fast"]);
    assert_eq!(first, ["DENY-01-one failed", "RATE-02-two skipped", "three skipped"]);
}

#[test]
fn results_come_in_the_order_of_the_files_whatever_ends_first() {
    let slow = SOUND.replace(
        "upstreams: [ludus]",
        "upstreams: {lab: {mock: ludus, answers: {list_hosts: [{give: [], delay: 400ms}]}}}",
    );
    let files: Vec<String> = (0..8).map(|place| format!("s{place}.yaml")).collect();
    let text = |place: usize| if place.is_multiple_of(3) { slow.as_str() } else { SOUND };
    let files: Vec<(&str, &str)> =
        files.iter().enumerate().map(|(place, name)| (name.as_str(), text(place))).collect();
    let suite = folder(&files);
    let expected: Vec<String> = (0..8).map(|place| format!("s{place} passed")).collect();
    for jobs in ["1", "3", "8"] {
        assert_eq!(outcome(suite.path(), &[".", "-j", jobs]), expected, "-j {jobs}");
    }
}

#[test]
fn each_gateway_and_each_flaw_is_run() {
    let suite = suite();
    let gateways = ["a/DENY-01-one.yaml", "--gateway", "reference", "--gateway", "direct"];
    assert_eq!(outcome(suite.path(), &gateways), ["DENY-01-one passed", "DENY-01-one failed"]);
    let flaws = ["a/DENY-01-one.yaml", "--flaw", "denies-by-list-only", "--flaw", "admits-one-more"];
    assert_eq!(outcome(suite.path(), &flaws), ["DENY-01-one failed", "DENY-01-one passed"]);
}

#[test]
fn a_name_that_nobody_knows_is_told_with_the_nearest() {
    let suite = suite();
    for (arguments, hint) in [
        (&["run", "a", "--gateway", "referense"][..], "did you mean `reference`?"),
        (&["run", "a", "--flaw", "admit-one-more"], "did you mean `admits-one-more`?"),
        (&["mock", "ludos"], "did you mean `ludus`?"),
        (&["list", "tools", "velociraptr"], "ludus"),
        (&["rum"], "'run'"),
    ] {
        let told = ran(suite.path(), arguments, &[]);
        assert_eq!(told.code, 2, "{arguments:?}");
        assert!(told.err.contains(hint), "{arguments:?}: {}", told.err);
    }
}
