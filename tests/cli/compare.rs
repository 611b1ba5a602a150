//! What changed between two runs: `gauntlet compare` and `gauntlet run --since`.

use crate::program::ran;
use crate::suite::{SOUND, STRICT, folder};
use serde_json::Value;
use std::fs;
use tempfile::TempDir;

/// A suite with the outcome of a gateway that enforces, `good.json`, and that of none, `bad.json`.
fn suite() -> TempDir {
    let suite = folder(&[("strict.yaml", STRICT), ("sound.yaml", SOUND)]);
    for (gateway, file, code) in [("reference", "good.json", 0), ("direct", "bad.json", 1)] {
        let told = ran(suite.path(), &["run", ".", "--gateway", gateway, "--json", file], &[]);
        assert_eq!(told.code, code, "{}", told.err);
    }
    suite
}

#[test]
fn a_change_is_told_as_behaviour() {
    let suite = suite();
    let worse = ran(suite.path(), &["compare", "good.json", "bad.json"], &[]);
    assert_eq!((worse.code, worse.err.as_str()), (1, ""));
    insta::assert_snapshot!(worse.out, @"
    worse
      strict at direct
        line 8 call destroy_vm: denied → allowed
    1 worse, 1 as before
    ");
    let better = ran(suite.path(), &["compare", "bad.json", "good.json"], &[]);
    assert_eq!(better.code, 0);
    assert!(better.out.contains("allowed → denied") && better.out.starts_with("better\n"), "{}", better.out);
    let same = ran(suite.path(), &["compare", "good.json", "good.json"], &[]);
    assert_eq!((same.code, same.out.as_str()), (0, "0 worse, 2 as before\n"));
}

#[test]
fn each_form_says_it() {
    let suite = suite();
    let json = ran(suite.path(), &["compare", "good.json", "bad.json", "--format", "json"], &[]);
    let read: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!((json.code, &read["counts"]["worse"]), (1, &1.into()));
    assert_eq!(read["changes"][0]["turns"][0]["now"], "allowed");
    let markdown = ran(suite.path(), &["compare", "good.json", "bad.json", "--format", "markdown"], &[]);
    assert!(markdown.out.starts_with("### ✗ Since the run before: 1 worse"), "{}", markdown.out);
}

#[test]
fn a_run_tells_what_changed_since_another() {
    let suite = suite();
    let arguments = ["run", ".", "--gateway", "direct", "--since", "good.json", "--markdown", "m.md"];
    let told = ran(suite.path(), &arguments, &[]);
    assert_eq!(told.code, 1);
    assert!(told.out.contains("\nsince good.json\nworse\n  strict at direct\n"), "{}", told.out);
    let markdown = fs::read_to_string(suite.path().join("m.md")).unwrap();
    assert!(markdown.contains("### ✗ Since the run before: 1 worse"), "{markdown}");
    let json = [&arguments[..6], &["--format", "json"]].concat();
    let printed = ran(suite.path(), &json, &[]).out;
    serde_json::from_str::<Value>(&printed).unwrap_or_else(|error| panic!("{error}: {printed}"));
}

#[test]
fn what_is_no_outcome_is_refused() {
    let suite = suite();
    fs::write(suite.path().join("next.json"), r#"{"version": 2}"#).unwrap();
    for (arguments, told) in [
        (["compare", "nowhere.json", "good.json"], "`nowhere.json` cannot be read: "),
        (
            ["compare", "good.json", "strict.yaml"],
            "`strict.yaml` is no outcome: expected value at line 1 column 1\nhelp: ",
        ),
        (
            ["compare", "next.json", "good.json"],
            "`next.json` is an outcome of version 2, and this program reads version 1\nhelp: ",
        ),
        (["run", "--since", "next.json"], "`next.json` is an outcome of version 2, "),
    ] {
        let ran = ran(suite.path(), &arguments, &[]);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.err);
        assert!(ran.err.starts_with(told), "{}", ran.err);
    }
}
