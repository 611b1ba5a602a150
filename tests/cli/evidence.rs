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
    let missing = with_profile("AUD-04-no-arguments", ("/audit.jsonl", "/audits.jsonl"));
    assert_eq!(missing.code, 1, "{}", missing.err);
    let scenario = only(&missing);
    assert_eq!(scenario["status"], "inconclusive");
    let why = scenario["why"].as_str().unwrap();
    assert!(why.contains("{{ folder }}/audits.jsonl cannot be read"), "{why}");
    assert_eq!(
        only(&with_profile("AUD-01-one-record-per-call", ("/audit.jsonl", "/audits.jsonl")))["status"],
        "inconclusive"
    );
    assert_eq!(only(&with_profile("AUD-04-no-arguments", ("", "")))["status"], "passed");
}

#[test]
fn an_empty_record_clears_nobody() {
    let empty = ("file: \"{{ folder }}/audit.jsonl\"", "run: [\"true\"]");
    let scenario = only(&with_profile("AUD-04-no-arguments", empty));
    assert_eq!(scenario["status"], "inconclusive");
    let why = scenario["why"].as_str().unwrap();
    assert_eq!(why, "the gateway's own record (`true`) holds nothing, and 2 calls were made");
    assert_eq!(
        only(&with_profile("AUD-01-one-record-per-call", empty))["status"],
        "failed",
        "a gateway that records nothing"
    );
}

#[test]
fn an_unknown_variable_in_the_place_of_the_record_is_a_mistake() {
    let told = with_profile("AUD-04-no-arguments", ("{{ folder }}/audit.jsonl", "{{ foldr }}/audit.jsonl"));
    assert_eq!(told.code, 2, "{}", told.out);
    assert!(told.err.contains("unknown variable `foldr`"), "{}", told.err);
}

/// A run of one scenario of that text.
fn run(scenario: &str, gateway: &str, more: &[&str]) -> Ran {
    let folder = folder(&[("s.yaml", scenario)]);
    ran(folder.path(), &[&["run", "s.yaml", "--gateway", gateway], more].concat(), &SYSTEM)
}

#[test]
fn a_question_that_was_answered_is_no_refusal() {
    let hang = r#"
scenario: an approved call that hangs at the server is told as nothing
upstreams: {lab: {mock: ludus, answers: {migrate_to_sdn: {fault: hang, times: 1}}}}
policy: {version: "1", default: deny, tools: {list_hosts: {}, migrate_to_sdn: {action: require_approval, approval: {timeout: 60}}}}
steps:
  - {call: list_hosts, expect: allowed}
  - call: migrate_to_sdn
    approver: approves
    within: 1s
    expect: {verdict: swallowed, executions: 1}
"#;
    let told = run(hang, "reference-stdio", &[]);
    assert_eq!(told.code, 0, "{}{}", told.out, told.err);
    // Nobody decides: the question is all that is told.
    let ignored = hang
        .replace("{fault: hang, times: 1}", "{give: {status: success}}")
        .replace("approver: approves", "approver: ignores")
        .replace("verdict: swallowed, executions: 1", "verdict: pending, executions: 0");
    let twin = "  - {call: migrate_to_sdn, approver: approves, expect: allowed}\n";
    let told = run(&format!("{ignored}{twin}"), "reference-stdio", &[]);
    assert_eq!(told.code, 0, "{}{}", told.out, told.err);
}

const READINGS: &str = r#"
scenario: no reading of a frame deletes
upstreams: {office: {reads: leniently}}
era: legacy
policy: {version: "1", default: allow, tools: {delete_volume: {action: deny}}}
steps:
  - {call: read_secret, with: {name: mail-relay}, expect: allowed}
  - send: '{"jsonrpc":"2.0","id":"raw","method":"tools/call","params":{"name":"{{ tools.list_files }}",{{ other }}"arguments":{"volume":"tickets"}}}'
    over: {other: ['', '"n":1,', '"NAME":"{{ tools.delete_volume }}",']}
    expect: {executions: 0}
"#;

#[test]
fn the_arrival_is_told_that_ran_and_the_frame_that_failed() {
    let told = run(READINGS, "direct", &["--format", "json"]);
    let step = &only(&told)["steps"][1];
    let unmet: Vec<bool> = (0..3).map(|call| step["calls"][call]["unmet"] == true).collect();
    assert_eq!(unmet, [false, false, true], "{step:#}");
    let arrival = &step["calls"][2]["arrivals"][0];
    assert_eq!((&arrival["tool"], &arrival["executed"]), (&"delete_volume".into(), &true.into()), "{step:#}");
    let told = run(READINGS, "direct", &[]);
    assert!(told.out.contains("execution of delete_volume"), "{}", told.out);
    assert!(!told.out.contains("of list_files"), "{}", told.out);
}

#[test]
fn what_a_dialect_cannot_say_in_mid_run_is_not_applicable() {
    let reload = "{% for one in identities if one.policy and one.policy.default == 'allow' %}{{ cannot('a default of allow') }}{% endfor %}";
    let files = [
        ("acme/profile.yaml", PROFILE),
        ("acme/reference.yaml.j2", &format!("{reload}{TEMPLATE}")),
        (
            "s.yaml",
            "
scenario: another policy holds
upstreams: [ludus]
policy: {version: \"1\", default: deny, tools: {list_hosts: {}}}
steps:
  - {call: list_hosts, expect: allowed}
  - reload: {policy: {version: \"1\", default: allow, tools: {}}}
  - {call: list_hosts, expect: allowed}
",
        ),
    ];
    let folder = folder(&files);
    let ran = ran(folder.path(), &["run", "s.yaml", "--gateway", "acme", "--format", "json"], &SYSTEM);
    let scenario = only(&ran);
    assert_eq!(scenario["status"], "not_applicable", "{scenario:#}");
    assert_eq!(scenario["why"], "it cannot express a default of allow");
}

#[test]
fn everything_that_is_not_so_is_told() {
    let text = "
scenario: it is told
upstreams: [ludus]
policy: {version: \"1\", default: allow, tools: {}}
steps:
  - call: whoami
    expect: {verdict: allowed, answer: {isError: true}, executions: 2, progress: 3, upstream: {arrivals: 2}, within: 20s}
";
    let told = run(text, "direct", &[]);
    let line = told.out.lines().find(|line| line.contains("expected")).unwrap_or(&told.out);
    let said = "expected answer at `/isError` true; 2 executions; 2 arrivals, was false; 1; 1; and 1 more that are not so";
    assert!(line.contains(said), "{line}");
}

const BOTH_ERAS: &str = r#"
scenario: one frame is called in both eras
upstreams: [ludus]
era: every
policy: {version: "1", default: deny, tools: {list_hosts: {}}}
steps:
  - together:
      - {call: list_hosts, times: 2}
      - send: '{"jsonrpc":"2.0","id":{{ id }},"method":"tools/call","params":{"_meta":{{ dict(envelope, note="own") }},"name":"{{ tools.list_hosts }}","arguments":{}}}'
        over: {id: ['"one"', "2002"]}
    expect: {allowed: 4}
  - send: '{"jsonrpc":"2.0","id":"raw","method":"tools/call","params":{"_meta":{{ envelope }},"name":"{{ tools.list_hosts }}","arguments":{}}}'
    expect: {executions: 1, upstream: {meta: {not: {contains: own}}}}
  - send: '{"jsonrpc":"2.0","id":"bare","method":"tools/call","params":{"name":"{{ tools.list_hosts }}","arguments":{}}}'
    expect: {executions: 1}
"#;

/// The eras of a run of it, each with the steps that came to what they should.
fn eras(gateway: &str) -> Vec<(String, Vec<bool>)> {
    let told = run(BOTH_ERAS, gateway, &["--format", "json"]);
    let outcome: Value = serde_json::from_str(&told.out).unwrap_or_else(|_| panic!("{}", told.err));
    let met = |one: &Value| one["steps"].as_array().unwrap().iter().map(|step| step["met"] == true).collect();
    let era = |one: &Value| (one["revision"].as_str().unwrap().to_owned(), met(one));
    outcome["scenarios"].as_array().unwrap().iter().map(era).collect()
}

/// Bare, it is called in the legacy era alone.
#[test]
fn the_envelope_lets_one_frame_be_called_in_both_eras() {
    let legacy = ("2025-11-25".to_owned(), vec![true, true, true]);
    let modern = ("2026-07-28".to_owned(), vec![true, true, false]);
    assert_eq!(eras("reference"), [legacy, modern.clone()]);
    // Which it speaks is not declared: it is offered the newest, and takes it.
    assert_eq!(eras("direct"), [modern]);
}
