//! Several gateways in one run: the matrix on the terminal and in files.

use crate::program::ran;
use crate::suite::{SOUND, STRICT, folder};
use serde_json::Value;
use std::fs;

const BOTH: [&str; 6] = ["run", ".", "--gateway", "direct", "--gateway", "reference"];

#[test]
fn several_gateways_make_a_matrix() {
    let suite = folder(&[("strict.yaml", STRICT), ("sound.yaml", SOUND)]);
    let told = ran(suite.path(), &BOTH, &[]);
    assert_eq!(told.code, 1, "{}", told.err);
    let matrix = &told.out[told.out.find("requirements and gateways\n").unwrap()..];
    insta::assert_snapshot!(matrix, @"
    requirements and gateways
                    reference ─┐
               direct ─┐       │
      deny
        DENY-01  crit  FAILED  passed
      scenarios
        sound    med   passed  passed
      119 of 120 requirements have no scenario in this run
    3 passed, 1 failed
    ");
    let alone = ran(suite.path(), &["run", ".", "--gateway", "direct"], &[]);
    assert!(!alone.out.contains("requirements and gateways"), "{}", alone.out);
}

#[test]
fn the_matrix_is_written_with_versions_and_profiles() {
    let hostile = STRICT.replacen(
        "no machine is destroyed",
        r#""<script>alert(1)</script> | `x` [a](http://b.test) \e[31m\u202e""#,
        1,
    );
    let suite = folder(&[("strict.yaml", &hostile), ("sound.yaml", SOUND)]);
    let files = ["--markdown", "m.md", "--html", "m.html", "--json", "o.json"];
    let told = ran(suite.path(), &[&BOTH[..], &files].concat(), &[]);
    assert_eq!(told.code, 1, "{}", told.err);
    let read = |name: &str| fs::read_to_string(suite.path().join(name)).unwrap();
    let outcome: Value = serde_json::from_str(&read("o.json")).unwrap();
    let direct = &outcome["gateways"][0];
    assert_eq!(direct["introduced"][0], serde_json::json!({"name": "Core Operations", "version": "2.14.7"}));
    assert_eq!(direct["profile"].as_str().unwrap().len(), 12);
    assert_ne!(direct["profile"], outcome["gateways"][1]["profile"]);
    let strict = &outcome["scenarios"][1];
    assert_eq!(strict["requirements"], serde_json::json!(["DENY-01"]));
    assert_eq!(strict["severity"], "medium");
    assert!(outcome["begun"].as_str().unwrap().ends_with('Z'), "{}", outcome["begun"]);
    let profile = direct["profile"].as_str().unwrap();
    for text in [read("m.md"), read("m.html")] {
        assert!(text.contains("Core Operations 2.14.7") && text.contains(profile), "{text}");
        assert!(text.contains("DENY-01") && !text.contains("<script") && !text.contains("http://"), "{text}");
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
    }
    let nowhere = ran(suite.path(), &["run", "sound.yaml", "--html", "no/where.html"], &[]);
    assert_eq!(nowhere.code, 3);
    assert!(nowhere.err.starts_with("`no/where.html` cannot be written: "), "{}", nowhere.err);
}

#[cfg(unix)]
#[test]
fn a_gateway_that_does_not_start_stops_no_other() {
    let profile = "gateway: broken\nstart: {command: [./no-such-program], ready: {line: up}}\n\
        connect: {http: 'http://127.0.0.1:{{ port }}/mcp'}\n";
    let suite = folder(&[("a.yaml", SOUND), ("b.yaml", SOUND), ("broken/profile.yaml", profile)]);
    let arguments = ["run", "a.yaml", "b.yaml", "--gateway", "./broken", "--gateway", "direct", "-j", "1"];
    let told = ran(suite.path(), &arguments, &[]);
    assert_eq!(told.code, 3, "{}", told.err);
    assert!(told.out.ends_with("2 passed, 0 failed, 1 inconclusive, 1 skipped\n"), "{}", told.out);
}

#[test]
fn two_gateways_of_one_name_are_refused() {
    let suite = folder(&[("sound.yaml", SOUND)]);
    let told = ran(suite.path(), &["run", ".", "--gateway", "direct", "--gateway", "direct"], &[]);
    assert_eq!(told.code, 2);
    assert_eq!(
        told.err,
        "two gateways are called `direct`\nhelp: name each once, or give one of them another name in its `profile.yaml`\n"
    );
}
