//! Attacks: how they are listed and reported, and the policy that is recommended against them.

use crate::program::ran;
use crate::suite::{SOUND, folder};
use serde_json::Value;
use std::fs;

/// Without a gateway the second call gets through.
const ATTACK: &str = "\
scenario: no machine is destroyed
attack: {pattern: [K24, MINE], owasp: [ASI02], atlas: [AML.T0101]}
severity: critical
upstreams: [ludus]
policy: {version: \"1\", default: deny, tools: {list_hosts: {}}}
steps:
  - call: list_hosts
    expect: allowed
  - call: destroy_vm
    with: {vm_id: \"104\"}
    expect: blocked
";

#[test]
fn an_attack_is_reported_by_pattern_where_it_was_not_stopped() {
    let suite = folder(&[("attack.yaml", ATTACK), ("sound.yaml", SOUND)]);
    let reports = ["--attacks", "a.md", "--attacks", "a.json", "--attacks", "a.sarif"];
    let all = [&["run", ".", "--gateway", "direct", "--gateway", "reference"][..], &reports].concat();
    assert_eq!(ran(suite.path(), &all, &[]).code, 1);
    let read = |name: &str| fs::read_to_string(suite.path().join(name)).unwrap();
    let json = |name: &str| serde_json::from_str::<Value>(&read(name)).unwrap();

    let text = read("a.md");
    assert!(text.contains("## Gateway direct\n\n1 attack: 0 stopped, 1 not stopped."), "{text}");
    assert!(text.contains("## Gateway reference\n\n1 attack: 1 stopped, 0 not stopped."), "{text}");
    assert!(text.contains("| critical | K24 Destructive call, MINE | no machine is destroyed |"), "{text}");
    assert!(text.contains("| ASI02 | Tool Misuse and Exploitation |  | 1 |"), "{text}");

    let direct = &json("a.json")["gateways"][0];
    assert_eq!(
        (&direct["attacks"][0]["fared"], &direct["attacks"][0]["line"]),
        (&"not_stopped".into(), &9.into())
    );
    assert_eq!(direct["patterns"][1]["id"], "MINE");

    let log = json("a.sarif");
    assert_eq!(log["runs"].as_array().unwrap().len(), 2);
    let results = |run: usize| log["runs"][run]["results"].as_array().unwrap();
    assert_eq!((results(0).len(), results(1).len()), (1, 0));
    let place = &results(0)[0]["locations"][0]["physicalLocation"];
    assert_eq!(
        (&place["artifactLocation"]["uri"], &place["region"]["startLine"]),
        (&"attack.yaml".into(), &9.into())
    );
    assert_eq!((&results(0)[0]["ruleId"], &results(0)[0]["level"]), (&"K24".into(), &"error".into()));
}

#[test]
fn the_ending_says_how_a_report_is_written() {
    let suite = folder(&[("attack.yaml", ATTACK)]);
    let told = ran(suite.path(), &["run", ".", "--attacks", "attacks.txt"], &[]);
    assert_eq!(told.code, 2);
    assert!(told.err.contains("`.md`, `.json` or `.sarif`"), "{}", told.err);
    assert!(!suite.path().join("attacks.txt").exists());
}

#[test]
fn attacks_are_listed_with_the_scenarios_that_replay_them() {
    let suite = folder(&[
        ("attack.yaml", ATTACK),
        ("watched.yaml", &ATTACK.replace("severity", "observe: true\nseverity")),
    ]);
    let told = ran(suite.path(), &["list", "attacks", "."], &[]);
    let row = told.out.lines().find(|line| line.starts_with("K24 ")).unwrap();
    assert!(row.contains("Destructive call") && row.contains("ASI02 AML.T0101"), "{row}");
    assert!(row.ends_with("  attack (watched)"), "{row}");
    assert_eq!(told.out.lines().count(), 42);
}

#[test]
fn a_recommended_policy_can_be_enforced() {
    let here = folder(&[]);
    let told = ran(here.path(), &["policy", "recommend", "--for", "ludus", "--default", "allow"], &[]);
    assert_eq!((told.code, told.err.as_str()), (0, ""));
    let policy: Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!(
        (&policy["default"], &policy["tools"]["capture_network_traffic"]),
        (&"allow".into(), &serde_json::json!({}))
    );
    assert!(policy["hide"].as_array().unwrap().contains(&"destroy_vm".into()));
    assert_eq!(policy["tools"]["webhook_integration"]["limits"][0]["max"], 30);
    let unknown = ran(here.path(), &["policy", "recommend", "--for", "ludo"], &[]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.err.contains("did you mean `ludus`?"), "{}", unknown.err);
}
