//! `known.yaml`: failures that are known do not fail a run, and entries that no longer hold do.

use crate::program::{Ran, ran};
use crate::suite::{SOUND, STRICT, folder};
use quick_junit::{Report, TestCaseStatus};
use serde_json::Value;
use std::fs;
use tempfile::TempDir;

/// A suite in which `deny/strict.yaml` fails without a gateway, and a list that says so.
fn listed(entry: &str) -> TempDir {
    let list = format!("# looked at\n- {entry}\n");
    folder(&[("deny/strict.yaml", STRICT), ("deny/sound.yaml", SOUND), ("known.yaml", &list)])
}

fn entry(about: &str, gateway: &str, until: &str) -> String {
    format!("{{{about}, gateway: {gateway}, because: there is no gateway, until: {until}}}")
}

fn run(suite: &TempDir, arguments: &[&str]) -> Ran {
    ran(suite.path(), &[&["run"], arguments].concat(), &[])
}

#[test]
fn a_known_failure_is_told_and_does_not_fail_the_run() {
    for about in ["scenario: strict", "requirement: DENY-01"] {
        let suite = listed(&entry(about, "direct", "2999-12-31"));
        let files = ["--json", "o.json", "--junit", "j.xml", "--markdown", "m.md"];
        let told = run(&suite, &[&[".", "--gateway", "direct"], &files[..]].concat());
        assert_eq!((told.code, told.err.as_str()), (0, ""), "{}", told.out);
        insta::allow_duplicates! {
            insta::assert_snapshot!(told.out, @"
            gateway direct   upstreams ludus   2 scenarios
              strict  no machine is destroyed     known
                line 8: expected blocked, was allowed
                until 2999-12-31: there is no gateway
              deny            1 passed   1 known
            1 passed, 0 failed, 1 known
            ");
        }
        let read = |name: &str| fs::read_to_string(suite.path().join(name)).unwrap();
        let outcome: Value = serde_json::from_str(&read("o.json")).unwrap();
        let strict = &outcome["scenarios"][1];
        assert_eq!((&strict["status"], &strict["known"]["was"]), (&"known".into(), &"failed".into()));
        assert_eq!(outcome["known"], serde_json::json!({"file": "./known.yaml", "complaints": []}));
        let report = Report::deserialize_from_str(&read("j.xml")).unwrap();
        let TestCaseStatus::Skipped { message, .. } = &report.test_suites[0].test_cases[1].status else {
            panic!("{report:?}")
        };
        let message = message.as_ref().map(|one| one.as_str());
        assert_eq!(message, Some("known until 2999-12-31: there is no gateway"));
        assert!(read("m.md").contains("### What is known to fail"));
    }
}

#[test]
fn an_entry_that_passes_fails_the_run_at_its_place() {
    let suite = listed(&entry("scenario: strict", "reference", "2999-12-31"));
    let told = run(&suite, &["."]);
    assert_eq!(told.code, 1);
    insta::assert_snapshot!(told.err, @"
    error: `strict` passes at `reference`, but is listed as known to fail
     --> ./known.yaml:2:4
      |
    2 | - {scenario: strict, gateway: reference, because: there is no gateway, until: 2999-12-31}
      |    ^^^^^^^^
      |
      = help: remove the entry
    ");
    assert!(
        told.out.ends_with("2 passed, 0 failed, 1 entry of ./known.yaml no longer holds\n"),
        "{}",
        told.out
    );
    let other = run(&suite, &[".", "--only", "sound"]);
    assert_eq!((other.code, other.err.as_str()), (0, ""), "what was left out may fail");
}

#[test]
fn an_entry_past_its_day_excuses_nothing() {
    let suite = listed(&entry("scenario: strict", "direct", "2020-02-29"));
    let told = run(&suite, &[".", "--gateway", "direct"]);
    assert_eq!(told.code, 1);
    assert!(told.out.contains("FAILED") && told.out.contains("1 failed, 1 entry of"), "{}", told.out);
    assert!(told.err.contains("until 2020-02-29, which is past"), "{}", told.err);
}

#[test]
fn a_name_that_is_not_there_is_a_mistake_before_anything_runs() {
    for (about, gateway, told) in [
        ("scenario: stirct", "direct", "unknown scenario `stirct`"),
        ("requirement: DENY-1", "direct", "unknown requirement `DENY-1`"),
        ("scenario: strict", "drect", "unknown gateway `drect`"),
    ] {
        let suite = listed(&entry(about, gateway, "2999-12-31"));
        let ran = run(&suite, &[".", "--gateway", "direct"]);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.err);
        assert!(ran.err.contains(told) && ran.err.contains("known.yaml:2:"), "{}", ran.err);
        assert!(ran.err.contains("help: "), "{}", ran.err);
    }
}

#[test]
fn a_list_above_the_paths_is_found_and_may_be_about_more() {
    let suite = listed(&entry("scenario: elsewhere", "direct", "2999-12-31"));
    let list = fs::read_to_string(suite.path().join("known.yaml")).unwrap();
    let own = format!("- {}\n", entry("scenario: strict", "direct", "2999-12-31"));
    fs::write(suite.path().join("known.yaml"), list + &own).unwrap();
    let below = run(&suite, &["deny/strict.yaml", "--gateway", "direct"]);
    assert_eq!(below.code, 0, "{}", below.err);
    let named = run(&suite, &["deny", "--gateway", "direct", "--known", "known.yaml"]);
    assert_eq!(named.code, 0, "{}", named.err);
    assert_eq!(run(&suite, &[".", "--gateway", "direct"]).code, 2, "the whole suite has no such scenario");
    let missing = run(&suite, &["deny", "--known", "nowhere.yaml"]);
    assert_eq!(missing.code, 2);
    assert!(missing.err.starts_with("`nowhere.yaml` cannot be read: "), "{}", missing.err);
}

#[test]
fn profiles_beside_the_list_may_be_what_other_runs_are_about() {
    let profile = "gateway: acme\nconnect: {http: 'http://127.0.0.1:9/mcp'}\n";
    let list = format!("- {}\n", entry("scenario: strict", "acme", "2999-12-31"));
    let files = [("strict.yaml", STRICT), ("known.yaml", &list), ("gateways/acme/profile.yaml", profile)];
    let told = run(&folder(&files), &["."]);
    assert_eq!(told.code, 0, "{}", told.err);
}

#[test]
fn nothing_stops_at_a_known_failure() {
    let list = format!("- {}\n", entry("scenario: a", "direct", "2999-12-31"));
    let suite = folder(&[("a.yaml", STRICT), ("b.yaml", SOUND), ("known.yaml", &list)]);
    let told = run(&suite, &[".", "--gateway", "direct", "--fail-fast", "-j", "1"]);
    assert_eq!(told.code, 0);
    assert!(told.out.ends_with("1 passed, 0 failed, 1 known\n"), "{}", told.out);
}

#[test]
fn neither_list_nor_requirements_are_taken_for_scenarios() {
    let suite = listed(&entry("scenario: strict", "direct", "2999-12-31"));
    fs::write(suite.path().join("requirements.yaml"), "mine: []\n").unwrap();
    let told = ran(suite.path(), &["check", "."], &[]);
    let counted = "2 scenarios without mistakes\n1 list of known deviations without mistakes\n";
    assert_eq!((told.code, told.out.as_str()), (0, counted), "{}", told.err);
}

const MISTAKEN: &str = "\
- {scenario: strct, gateway: acmee, because: there is no gateway, until: 2999-02-31}
- {requirement: DENY-061, gateway: reference, because: batches, until: 2999-12-31}
";

#[test]
fn a_list_is_checked_like_any_other_file() {
    let profile = "gateway: acme\nconnect: {http: 'http://127.0.0.1:9/mcp'}\n";
    let suite = folder(&[
        ("deny/strict.yaml", STRICT),
        ("gateways/acme/profile.yaml", profile),
        ("known.yaml", MISTAKEN),
    ]);
    for (paths, scenarios_are_known) in
        [(&["known.yaml"][..], true), (&["."], true), (&["known.yaml", "deny"], true), (&["deny"], false)]
    {
        let told = ran(suite.path(), &[&["check"], paths].concat(), &[]);
        assert_eq!(told.code, 2, "{paths:?}: {}", told.out);
        for part in [
            "known.yaml:1:30",
            "unknown gateway `acmee`",
            "did you mean `acme`?",
            "`2999-02-31` is no day of the calendar",
            "known.yaml:2:17",
            "unknown requirement `DENY-061`",
            "did you mean `DENY-0",
            "1 list of known deviations with mistakes, 0 without",
        ] {
            assert!(told.err.contains(part), "{paths:?}: `{part}` is missing:\n{}", told.err);
        }
        let scenario = told.err.contains("unknown scenario `strct`") && told.err.contains("`strict`?");
        assert_eq!(scenario, scenarios_are_known, "{paths:?}: {}", told.err);
    }
}

#[test]
fn a_list_past_its_day_is_no_mistake_of_the_file() {
    let list = format!("- {}\n", entry("scenario: strict", "remote", "2001-01-31"));
    let suite = folder(&[("strict.yaml", STRICT), ("known.yaml", &list)]);
    let told = ran(suite.path(), &["check", "known.yaml"], &[]);
    let counted = "1 list of known deviations without mistakes\n";
    assert_eq!((told.code, told.out.as_str()), (0, counted), "{}", told.err);
    insta::assert_snapshot!(told.err, @"
    warning: `strict` is known to fail until 2001-01-31, which is past
     --> known.yaml:1:76
      |
    1 | - {scenario: strict, gateway: remote, because: there is no gateway, until: 2001-01-31}
      |                                                                            ^^^^^^^^^^
      |
      = help: look at it again: fix it, or give it a later day
    ");
}
