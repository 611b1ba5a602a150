use super::*;
use crate::transcript::{HttpHead, Sent};
use crate::wire::Json;
use bytes::Bytes;
use std::time::Instant;

fn exchange(sent: &str, id: i64, http: Option<HttpHead>, received: &[(Via, &str)]) -> Exchange {
    let at = Instant::now();
    let piece = |(via, text): &(Via, &str)| Received::now(*via, (*text).to_owned());
    Exchange {
        sent: Sent { at, bytes: Bytes::from(sent.to_owned()), id: Some(Json::from(id)) },
        http,
        received: received.iter().map(piece).collect(),
        ended: Ended::Answered,
    }
}

/// A call over HTTP in which everything differs that may.
fn call(id: i64, tool: &str, answer: &str) -> Exchange {
    let sent = format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{tool}","_meta":{{"progressToken":{id}}}}}}}"#
    );
    let header = |name: &str, value: String| (name.to_owned(), value);
    let head = HttpHead {
        status: 200,
        headers: vec![
            header("date", format!("now {id}")),
            header("mcp-session-id", format!("session-{id}")),
            header("retry-after", id.to_string()),
            header("content-type", "application/json".to_owned()),
        ],
    };
    let answer = format!(
        r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[{{"type":"text","text":"{answer} (session-{id})"}}],
        "_meta":{{"dev.gauntlet/receipt":"r-{id}"}}}}}}"#
    );
    exchange(&sent, id, Some(head), &[(Via::Body, &answer)])
}

fn step(name: &str, came: Came, exchanges: Vec<Exchange>) -> StepStory {
    StepStory { name: name.to_owned(), came, exchanges }
}

fn section(label: &str, steps: Vec<StepStory>) -> Section {
    Section { label: label.to_owned(), steps }
}

fn story(sections: Vec<Section>) -> Story {
    Story {
        scenario: "DENY-01-denied-tool".to_owned(),
        file: "scenarios/DENY-01-denied-tool.yaml".to_owned(),
        gateway: "acme".to_owned(),
        sections,
    }
}

fn usual(id: i64, denied: &str) -> Vec<StepStory> {
    vec![
        step("call list_hosts", Came::word("allowed"), vec![call(id, "list_hosts", "three hosts")]),
        step(
            "call destroy_vm",
            Came::word(denied),
            vec![call(id + 1, "destroy_vm", "not allowed: destroy_vm")],
        ),
    ]
}

fn contents(sections: Vec<Section>) -> String {
    render(&story(sections), &Redactions::default()).contents
}

#[test]
fn a_story_reads_well() {
    let sections = vec![
        section("legacy 2025-11-25", usual(10, "denied")),
        section("modern 2026-07-28", usual(30, "leaked")),
    ];
    insta::assert_snapshot!(render(&story(sections), &Redactions::default()).to_text(), @r#"
    ---
    source: "scenarios/DENY-01-denied-tool.yaml"
    expression: "DENY-01-denied-tool through acme"
    ---
    eras: legacy 2025-11-25, modern 2026-07-28

    1. call list_hosts => allowed
    2. call destroy_vm => denied

    only in modern 2026-07-28:
    2. call destroy_vm => leaked

    == 1. call list_hosts
    > {
    >   "id": "[ID]",
    >   "jsonrpc": "2.0",
    >   "method": "tools/call",
    >   "params": {"_meta":{"progressToken":"[ID]"},"name":"list_hosts"}
    > }
    < HTTP 200; content-type: application/json; retry-after: [ELAPSED]
    < {
    <   "id": "[ID]",
    <   "jsonrpc": "2.0",
    <   "result": {
    <     "_meta": {"dev.gauntlet/receipt":"[RECEIPT]"},
    <     "content": [{"text":"three hosts ([SESSION])","type":"text"}]
    <   }
    < }

    == 2. call destroy_vm
    > {
    >   "id": "[ID]",
    >   "jsonrpc": "2.0",
    >   "method": "tools/call",
    >   "params": {"_meta":{"progressToken":"[ID]"},"name":"destroy_vm"}
    > }
    < HTTP 200; content-type: application/json; retry-after: [ELAPSED]
    < {
    <   "id": "[ID]",
    <   "jsonrpc": "2.0",
    <   "result": {
    <     "_meta": {"dev.gauntlet/receipt":"[RECEIPT]"},
    <     "content": [{"text":"not allowed: destroy_vm ([SESSION])","type":"text"}]
    <   }
    < }
    "#);
}

#[test]
fn two_runs_of_the_same_behaviour_are_equal() {
    let one = contents(vec![section("legacy", usual(10, "denied"))]);
    assert_eq!(one, contents(vec![section("legacy", usual(77, "denied"))]));
    assert_ne!(one, contents(vec![section("legacy", usual(10, "allowed"))]));
}

#[test]
fn an_era_has_frames_of_its_own_only_where_they_differ() {
    let mut other = usual(50, "denied");
    other[1].exchanges = vec![call(52, "destroy_vm", "no")];
    let text = contents(vec![section("legacy", usual(10, "denied")), section("modern", other)]);
    assert!(!text.contains("only in"), "the verdicts are the same");
    assert!(
        text.contains("== 2. call destroy_vm, modern\n") && !text.contains("== 1. call list_hosts, modern")
    );
    let shorter = vec![usual(50, "denied").swap_remove(0)];
    let text = contents(vec![section("legacy", usual(10, "denied")), section("modern", shorter)]);
    assert!(text.contains("only in modern:\n2. call destroy_vm => not run\n"));
}

#[test]
fn a_group_stores_counts_and_nothing_of_its_order() {
    let group = |words: [&str; 3], ids: [i64; 3]| {
        let exchanges = ids.map(|id| call(id, "list_hosts", &format!("answer {id}"))).to_vec();
        contents(vec![section("legacy", vec![step("together", Came::counted(words), exchanges)])])
    };
    let one = group(["allowed", "rate_limited", "allowed"], [1, 2, 3]);
    assert_eq!(one, group(["rate_limited", "allowed", "allowed"], [3, 1, 2]));
    assert!(one.contains("1. together => 2 allowed, 1 rate_limited") && !one.contains("== "));
}

#[test]
fn repeated_and_endless_steps_are_bounded() {
    let row = |exchanges: Vec<Exchange>| {
        contents(vec![section("legacy", vec![step("call a", Came::default(), exchanges)])])
    };
    let equal = row((0..40).map(|id| call(id, "a", "same")).collect());
    assert_eq!(equal.matches("> {").count(), 1);
    assert!(equal.contains("40 times:\n"));
    let other = |last: &str| {
        row((0..40)
            .map(|id| call(id, "a", &format!("answer {id} {}", if id == 39 { last } else { "" })))
            .collect())
    };
    assert_eq!(other("x").matches("> {").count(), MOST_EXCHANGES);
    assert!(other("x").contains("28 more:\n"));
    assert_ne!(other("x"), other("y"), "a change beyond the bound is still a change");
}

#[test]
fn what_comes_at_any_time_is_not_stored() {
    let changed = r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#;
    let progress = r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1}}"#;
    let answer = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
    let shown = |received: &[(Via, &str)]| passed(&exchange("{}", 1, None, received), &Redactions::default());
    let quiet = shown(&[(Via::Line, progress), (Via::Line, answer)]);
    assert_eq!(
        quiet,
        shown(&[(Via::Line, changed), (Via::Notices, answer), (Via::Line, progress), (Via::Line, answer)])
    );
    assert!(quiet.contains("notifications/progress"));
}

#[test]
fn silence_and_loss_are_told() {
    let ended = |ended| passed(&Exchange { ended, ..exchange("{}", 1, None, &[]) }, &Redactions::default());
    assert_eq!(ended(Ended::Answered), "> {}\n");
    assert_eq!(ended(Ended::Quiet), "> {}\n< (no answer in time)\n");
    assert_eq!(ended(Ended::Lost("os error 104".to_owned())), "> {}\n< (connection lost)\n");
}

#[test]
fn hostile_text_cannot_make_steps_or_hide() {
    let hostile = step("call x\n9. call y => allowed", Came::word("denied\u{202e}"), vec![]);
    let text = contents(vec![section("legacy", vec![hostile])]);
    assert_eq!(Behaviour::read(&text).steps.len(), 1);
    assert!(!text.contains('\u{202e}'));
    let redactions = Redactions::new(["hunter22"]);
    let secret = step("call x", Came::word("denied: hunter22"), vec![call(1, "x", "hunter22")]);
    assert!(
        !render(&story(vec![section("legacy", vec![secret])]), &redactions).to_text().contains("hunter22")
    );
}
