use super::lab::*;
use crate::reference::*;
use crate::wire::{Json, parse, rpc};
use http::Method;
use std::time::Duration;

const POLICY: &str = r#"{"version":"1","default":"deny","tools":{"list":{},
    "deploy":{"action":"require_approval","approval":{"timeout":60},
              "limits":[{"counter":"deploys","window":"hour","max":5}]}}}"#;

#[tokio::test]
async fn an_approval_is_for_one_call_of_one_identity() {
    let lab = Lab::new(POLICY, honest).await;
    let (alice, bob) = (lab.agent("alice").await, lab.agent("bob").await);
    assert_eq!(alice.call("deploy", r#"{"a":5,"b":1}"#).await, "pending");
    assert_eq!(alice.call("deploy", r#"{"b":1,"a":5.0}"#).await, "pending");
    let waiting = lab.gateway.undecided();
    assert_eq!(waiting.len(), 1, "the same call is asked about once");
    assert!(lab.gateway.decide(&waiting[0].id, Verdict::Approve, "carol").is_some());
    assert!(lab.gateway.decide(&waiting[0].id, Verdict::Approve, "carol").is_none());
    assert_eq!(bob.call("deploy", r#"{"a":5,"b":1}"#).await, "pending");
    assert_eq!(alice.call("deploy", r#"{"a":"5","b":1}"#).await, "pending");
    assert_eq!(lab.server.ran(), "");
    let retries =
        futures_util::future::join_all((0..10).map(|_| alice.call("deploy", r#"{"b":1,"a":5}"#))).await;
    assert_eq!(retries.iter().filter(|said| *said == "did deploy").count(), 1, "{retries:?}");
    assert_eq!(lab.server.ran(), "deploy");
    let approval = lab.gateway.audit_lines().into_iter().find(|line| line["about"] == "approval").unwrap();
    assert_eq!(
        (approval["approver"].as_str(), approval["identity"].as_str()),
        (Some("carol"), Some("alice"))
    );
    lab.end().await;
}

#[tokio::test]
async fn a_rejection_is_told_once_and_a_late_decision_has_no_effect() {
    let lab = Lab::new(POLICY, honest).await;
    let alice = lab.agent("alice").await;
    assert_eq!(alice.call("deploy", "{}").await, "pending");
    let first = lab.gateway.undecided().remove(0);
    lab.gateway.decide(&first.id, Verdict::Reject, "carol").unwrap();
    assert_eq!(
        alice.call("deploy", "{}").await,
        "! denied by policy: rejected by carol (/tools/deploy/action)"
    );
    assert_eq!(alice.call("deploy", "{}").await, "pending");
    let second = lab.gateway.undecided().remove(0);
    lab.clock.turn(Duration::from_secs(60));
    assert!(lab.gateway.undecided().is_empty());
    assert!(lab.gateway.decide(&second.id, Verdict::Approve, "carol").is_none());
    assert_eq!(
        alice.call("deploy", "{}").await,
        "! denied by policy: nobody approved within 60s (/tools/deploy/action)"
    );
    // An approval that nobody used in time is no approval any more.
    assert_eq!(alice.call("deploy", "{}").await, "pending");
    let third = lab.gateway.undecided().remove(0);
    lab.gateway.decide(&third.id, Verdict::Approve, "carol").unwrap();
    lab.clock.turn(Duration::from_secs(60));
    assert_eq!(alice.call("deploy", "{}").await, "pending");
    assert_eq!(lab.server.ran(), "");
    lab.end().await;
}

#[tokio::test]
async fn a_held_call_waits_for_the_decision_and_ends_with_its_agent() {
    let lab = Plan { channel: Channel::Held, ..Plan::new(POLICY, honest) }.start().await;
    let alice = lab.agent("alice").await;
    let held = |arguments: &'static str| {
        let alice = alice.clone();
        tokio::spawn(async move { alice.call("deploy", arguments).await })
    };
    let asked = async |count| loop {
        let waiting = lab.gateway.undecided();
        if waiting.len() == count {
            break waiting;
        }
        tokio::task::yield_now().await;
    };
    let approved = held(r#"{"a":1}"#);
    lab.gateway.decide(&asked(1).await[0].id, Verdict::Approve, "carol").unwrap();
    assert_eq!(approved.await.unwrap(), "did deploy");
    let rejected = held("{}");
    lab.gateway.decide(&asked(1).await[0].id, Verdict::Reject, "carol").unwrap();
    assert_eq!(rejected.await.unwrap(), "! denied by policy: rejected by carol (/tools/deploy/action)");
    let late = held("{}");
    asked(1).await;
    lab.clock.turn(Duration::from_secs(60));
    assert_eq!(late.await.unwrap(), "! denied by policy: nobody approved within 60s (/tools/deploy/action)");
    let leaving = held("{}");
    asked(1).await;
    leaving.abort();
    asked(0).await;
    // Two equal calls, one approval: one of them runs.
    let (one, two) = (held("{}"), held("{}"));
    let waiting = asked(2).await;
    lab.gateway.decide(&waiting[0].id, Verdict::Approve, "carol").unwrap();
    lab.gateway.decide(&waiting[1].id, Verdict::Reject, "carol").unwrap();
    let mut said = [one.await.unwrap(), two.await.unwrap()];
    said.sort();
    assert_eq!(said, ["! denied by policy: rejected by carol (/tools/deploy/action)", "did deploy"]);
    assert_eq!(lab.server.ran(), "deploy deploy");
    lab.end().await;
}

#[tokio::test]
async fn a_policy_that_is_tightened_meanwhile_wins() {
    let lab = Plan { channel: Channel::Held, ..Plan::new(POLICY, honest) }.start().await;
    let alice = lab.agent("alice").await;
    let held = tokio::spawn({
        let alice = alice.clone();
        async move { alice.call("deploy", "{}").await }
    });
    while lab.gateway.undecided().is_empty() {
        tokio::task::yield_now().await;
    }
    let strict = r#"{"version":"1","default":"deny","tools":{"deploy":{"action":"deny","reason":"frozen"}}}"#;
    lab.gateway.reload(vec![grant("alice", strict)]).await;
    lab.gateway.decide(&lab.gateway.undecided()[0].id, Verdict::Approve, "carol").unwrap();
    assert_eq!(held.await.unwrap(), "! denied by policy: frozen (/tools/deploy/action)");
    assert_eq!(alice.list().await, "list destroy deploy secret");
    lab.gateway.reload(Vec::new()).await;
    assert_eq!(alice.call("list", "{}").await, "http 401 error -32600");
    assert_eq!(lab.server.ran(), "");
    lab.end().await;
}

#[tokio::test]
async fn the_agents_own_client_can_be_asked() {
    let lab = Plan { channel: Channel::Elicited, ..Plan::new(POLICY, honest) }.start().await;
    let alice = lab.agent("alice").await;
    for (action, expected) in [("accept", "did deploy"), ("decline", "rejected by alice")] {
        let mut stream = alice.send(call("deploy", r#"{"a":1}"#)).await;
        let piece = stream.chunk().await.unwrap().unwrap();
        let event = crate::wire::sse::Decoder::default().push(&piece).remove(0);
        let question = parse(event.data.as_bytes()).unwrap();
        let message = question.pointer("/params/message").and_then(Json::as_str).unwrap();
        assert_eq!(message, r#"allow `deploy` on `lab` with {"a":1}?"#);
        let answer =
            rpc::result(question.get("id").unwrap().clone(), serde_json::json!({"action": action}).into());
        alice.send(answer.to_bytes()).await;
        let rest = stream.whole(1 << 20).await.unwrap();
        assert!(String::from_utf8_lossy(&rest).contains(expected), "{action}");
    }
    assert_eq!(lab.server.ran(), "deploy");
    lab.end().await;
}

#[tokio::test]
async fn only_the_decision_token_opens_the_decisions() {
    let lab = Lab::new(POLICY, honest).await;
    let alice = lab.agent("alice").await;
    assert_eq!(alice.call("deploy", r#"{"big":9007199254740993}"#).await, "pending");
    let mut person = alice.clone();
    person.url = format!("{}/approvals", lab.decisions);
    assert_eq!(person.ask(Method::GET, "").await.status, 401);
    let mut at_agents = alice.clone();
    at_agents.url = at_agents.url.replace("/mcp", "/approvals");
    assert_eq!(at_agents.ask(Method::GET, "").await.status, 404);
    let mut person = person.with("authorization", &format!("Bearer {}", lab.gateway.decision_token()));
    let listed = parse(&person.ask(Method::GET, "").await.whole(1 << 20).await.unwrap()).unwrap();
    assert_eq!(listed.pointer("/0/arguments/big").unwrap().to_string(), "9007199254740993");
    let id = listed.pointer("/0/id").and_then(Json::as_str).unwrap().to_owned();
    person.url = format!("{}/approvals/{id}/approve", lab.decisions);
    assert_eq!(person.send("").await.status, 200);
    assert_eq!(person.send("").await.status, 409);
    assert_eq!(alice.call("deploy", r#"{"big":9007199254740993}"#).await, "did deploy");
    lab.end().await;
}

#[tokio::test]
async fn a_changed_entry_is_withheld_until_exactly_it_is_approved() {
    const PINNED: &str = r#"{"version":"1","default":"allow","pin":true}"#;
    let lab = Lab::new(PINNED, honest).await;
    let alice = lab.agent("alice").await;
    assert_eq!(alice.list().await, "list destroy deploy secret");
    let change = |description: &str| lab.server.tools.lock().unwrap()[0] = entry("list", description);
    change("second");
    assert_eq!(alice.list().await, "destroy deploy secret");
    assert_eq!(
        alice.call("list", "{}").await,
        "! denied by policy: the tool changed since it was first listed (/pin)"
    );
    let second = lab.gateway.undecided().remove(0);
    change("third");
    assert_eq!(alice.list().await, "destroy deploy secret");
    assert!(
        lab.gateway.decide(&second.id, Verdict::Approve, "carol").is_none(),
        "it is not what is listed now"
    );
    let third = lab.gateway.undecided().remove(0);
    lab.gateway.decide(&third.id, Verdict::Approve, "carol").unwrap();
    assert_eq!(alice.list().await, "list destroy deploy secret");
    assert_eq!(alice.call("list", "{}").await, "did list");
    change("first");
    assert_eq!(alice.list().await, "destroy deploy secret");
    change("third");
    assert_eq!(alice.list().await, "list destroy deploy secret");
    assert_eq!(alice.call("list", "{}").await, "did list");
    lab.end().await;
}
