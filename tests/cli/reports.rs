//! What a run prints and writes: for people, as JSON, as JUnit.

use crate::program::ran;
use crate::suite::{SOUND, STRICT, folder};
use quick_junit::{NonSuccessKind, Report, TestCaseStatus};
use serde_json::Value;
use std::fs;

#[test]
fn people_are_told_both_sides_of_what_failed() {
    let suite = folder(&[("deny/strict.yaml", STRICT), ("deny/sound.yaml", SOUND)]);
    let ran = ran(suite.path(), &["run", "deny", "--gateway", "direct"], &[]);
    let timeless = regex::Regex::new(r"\d+ ms").unwrap().replace_all(&ran.out, "[TIME]").into_owned();
    insta::assert_snapshot!(timeless, @r#"
    gateway direct   upstreams ludus   2 scenarios
      strict  no machine is destroyed     FAILED
        deny/strict.yaml:8  expected blocked, was allowed
        agent    200  result  "{"result":"VM 104 (LAB-WS02) was destroyed"}"
        ludus    1 execution of destroy_vm {"vm_id":"104"}, [TIME] before the answer
        again    gauntlet run --gateway direct deny/strict.yaml
      deny            1 passed   1 failed
    1 passed, 1 failed
    "#);
    assert_eq!(ran.err, "");
}

#[test]
fn the_frame_that_was_sent_and_the_first_thing_that_changed_are_told() {
    let here = folder(&[]);
    let sent = ran(
        here.path(),
        &["run", "--gateway", "direct", "--only", "two-readings-of-one-frame", "--json", "o.json"],
        &[],
    );
    assert_eq!(sent.code, 1, "{}", sent.err);
    let line = r#"sent     3 of 12  {"jsonrpc":"2.0","id":"raw-3","method":"tools/call","params":{"#;
    assert!(sent.out.contains(line), "{}", sent.out);
    let outcome: Value =
        serde_json::from_str(&fs::read_to_string(here.path().join("o.json")).unwrap()).unwrap();
    let frames = outcome["scenarios"][0]["steps"][1]["calls"].as_array().unwrap();
    assert!(
        frames[2]["frame"].as_str().unwrap().starts_with(r#"{"jsonrpc":"2.0","id":"raw-3","method":"#),
        "{frames:?}"
    );
    let changed =
        ran(here.path(), &["run", "--flaw", "rounds-numbers", "--only", "TRANS-01-arguments-arrive"], &[]);
    let line = "changed  argument /config/note 123456789012345678901234567890 → 1.2345678901234568e+29\n";
    assert!(changed.out.contains(line), "{}", changed.out);
}

#[test]
fn off_a_terminal_there_is_neither_colour_nor_a_bar() {
    let suite = folder(&[("sound.yaml", SOUND), ("strict.yaml", STRICT)]);
    for environment in [&[][..], &[("NO_COLOR", "1")], &[("CLICOLOR_FORCE", "1"), ("TERM", "xterm-256color")]]
    {
        let told = ran(suite.path(), &["run", ".", "--gateway", "direct"], environment);
        assert!(!told.out.contains('\u{1b}'), "{environment:?}: {}", told.out);
        assert_eq!(told.err, "", "{environment:?}");
    }
}

#[test]
fn json_is_printed_or_written_and_says_the_same() {
    let suite = folder(&[("sound.yaml", SOUND), ("strict.yaml", STRICT)]);
    let arguments = ["run", ".", "--gateway", "direct", "--format", "json", "--json", "outcome.json"];
    let ran = ran(suite.path(), &arguments, &[]);
    assert_eq!(ran.code, 1);
    assert_eq!(ran.out, fs::read_to_string(suite.path().join("outcome.json")).unwrap());
    let outcome: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(outcome["version"], 1, "a change that breaks readers needs a new version");
    assert_eq!(
        outcome["summary"],
        serde_json::json!({"passed": 1, "observed": 0, "failed": 1, "inconclusive": 0, "not_applicable": 0, "skipped": 0, "known": 0})
    );
    let failed = &outcome["scenarios"][1];
    assert_eq!((&failed["id"], &failed["status"]), (&"strict".into(), &"failed".into()));
    let step = &failed["steps"][1];
    assert_eq!(
        (&step["line"], &step["expected"], &step["was"]),
        (&8.into(), &"blocked".into(), &"allowed".into())
    );
    assert_eq!(step["calls"][0]["arrivals"][0]["executed"], true);
}

#[test]
fn junit_is_well_formed_also_around_hostile_text() {
    let hostile = r#"<b>&amp; \"quoted\" ]]> <!-- \e[31m \x00 \u202e"#;
    let titled = |text: &str| {
        text.replacen("scenario: ", &format!("scenario: \"{hostile} "), 1).replacen('\n', "\"\n", 1)
    };
    let suite = folder(&[("sound.yaml", &titled(SOUND)), ("strict.yaml", &titled(STRICT))]);
    let ran = ran(suite.path(), &["run", ".", "--gateway", "direct", "--junit", "junit.xml"], &[]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let text = fs::read_to_string(suite.path().join("junit.xml")).unwrap();
    assert!(!text.chars().any(|character| character != '\n' && character.is_control()), "{text}");
    let report = Report::deserialize_from_str(&text).unwrap();
    let [gateway] = &report.test_suites[..] else { panic!("{text}") };
    assert_eq!((gateway.name.as_str(), gateway.tests, gateway.failures), ("direct", 2, 1));
    let [sound, strict] = &gateway.test_cases[..] else { panic!("{text}") };
    assert!(matches!(sound.status, TestCaseStatus::Success { .. }));
    assert!(
        sound.name.as_str().starts_with("sound <b>&amp; \"quoted\" ]]> <!-- "),
        "{}",
        sound.name.as_str()
    );
    let TestCaseStatus::NonSuccess { kind, message, description, .. } = &strict.status else {
        panic!("{text}")
    };
    assert_eq!(*kind, NonSuccessKind::Failure);
    assert_eq!(message.as_ref().unwrap().as_str(), "line 8: expected blocked, was allowed");
    assert!(description.as_ref().unwrap().as_str().contains("1 execution of destroy_vm"));
}
