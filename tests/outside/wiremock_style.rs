//! The library as a Rust test of somebody's agent would use it: a server is started, expectations are stated, the agent
//! does its work, and the server is asked whether it saw what it should.

use crate::guest::{Era, Guest};
use mcp_gauntlet::mock::{Answer, Change, Changed, Expect, Mock, MockServer};
use serde_json::{Value, json};

fn arguments(value: &Value) -> rmcp::model::JsonObject {
    value.as_object().expect("arguments are an object").clone()
}

#[tokio::test]
async fn what_was_expected_is_verified() {
    let server = MockServer::start(Mock::ludus()).await;
    server.expect(Expect::call("get_vm_console_ticket").with(json!({"vm_id": "101"})).once());
    server.expect(Expect::call("list_hosts").within(1..=2));
    server.expect(Expect::call("destroy_vm").never());

    let agent = Guest::http(&server.url(), None, Era::Modern).await;
    agent.call("list_hosts", arguments(&json!({}))).await.expect("an answer");
    agent.call("get_vm_console_ticket", arguments(&json!({"vm_id": "101"}))).await.expect("an answer");
    agent.leave().await;

    server.verify().expect("all as expected");
    assert!(server.complaints().is_empty());
    server.stop().await;
}

#[tokio::test]
async fn what_was_not_expected_is_told() {
    let server = MockServer::start(Mock::ludus()).await;
    server.expect(Expect::call("destroy_vm").never());
    server.expect(Expect::call("list_hosts").once());
    server.expect(Expect::call("get_vm_console_ticket").with(json!({"vm_id": "103"})));

    let agent = Guest::http(&server.url(), None, Era::Legacy).await;
    agent.call("destroy_vm", arguments(&json!({"vm_id": "101"}))).await.expect("an answer");
    agent.call("get_vm_console_ticket", arguments(&json!({"vm_id": "101"}))).await.expect("an answer");
    agent.leave().await;

    let unverified = server.verify().expect_err("three expectations are not met");
    assert_eq!(
        unverified.to_string(),
        "expected no call of `destroy_vm`, and 1 arrived; \
         expected exactly 1 call of `list_hosts`, and 0 arrived; \
         expected at least 1 call of `get_vm_console_ticket` with {\"vm_id\":\"103\"}, and 0 arrived"
    );
    let [destroyed, ..] = &unverified.0[..] else { panic!("all are told") };
    let arrivals = server.ledger();
    let arrival =
        arrivals.iter().find(|arrival| arrival.seq == destroyed.arrivals[0]).expect("it is in the ledger");
    assert_eq!(arrival.executed[0].tool, "destroy_vm");
    server.stop().await;
}

#[tokio::test]
async fn answers_of_ones_own_come_first() {
    let answer = |value| serde_json::from_value::<Answer>(value).expect("an answer");
    let answers = vec![
        answer(json!({"when": {"nth": 1}, "error": "the hypervisor is busy"})),
        answer(json!({"when": {"vm_id": "101"}, "give": {"status": "success", "vm": "{{ args.vm_id }}"}})),
    ];
    let mock = Mock::ludus().with_answers("destroy_vm", answers).expect("they make sense");
    let server = MockServer::start(mock).await;
    let agent = Guest::http(&server.url(), None, Era::Modern).await;
    let call =
        async || agent.call("destroy_vm", arguments(&json!({"vm_id": "101"}))).await.expect("an answer");
    let (first, second) = (call().await, call().await);
    assert_eq!(first.is_error, Some(true));
    assert_eq!(second.structured_content, Some(json!({"status": "success", "vm": "101"})));
    agent.leave().await;
    server.stop().await;
}

#[tokio::test]
async fn a_server_wants_its_token_and_knows_who_has_it() {
    let server = MockServer::builder(Mock::ludus()).bearer("s3cret").start().await.expect("a free port");
    let stranger = reqwest::Client::builder().no_proxy().build().expect("a client");
    let answer = stranger.post(server.url()).body("{}").send().await.expect("an answer");
    assert_eq!(answer.status(), 401);
    assert!(answer.headers().contains_key("www-authenticate"));

    let agent = Guest::http(&server.url(), Some("s3cret"), Era::Legacy).await;
    agent.call("list_hosts", arguments(&json!({}))).await.expect("an answer");
    agent.leave().await;
    assert_eq!(server.ledger().iter().flat_map(|arrival| &arrival.executed).count(), 1);
    server.stop().await;
}

#[tokio::test]
async fn what_one_call_changes_the_next_one_sees() {
    let server = MockServer::start(Mock::ludus()).await;
    let agent = Guest::http(&server.url(), None, Era::Modern).await;
    let hosts = async || {
        let result = agent.call("list_hosts", arguments(&json!({}))).await.expect("an answer");
        result.structured_content.expect("structure")["result"].as_array().expect("a list").len()
    };
    // Asked twice, an answer may come from memory; after a change it may not.
    assert_eq!((hosts().await, hosts().await), (6, 6));
    agent.call("destroy_vm", arguments(&json!({"vm_id": "104"}))).await.expect("an answer");
    assert_eq!(hosts().await, 5);
    agent.leave().await;
    server.stop().await;
}

#[tokio::test]
async fn a_list_can_change_under_an_agent() {
    let server = MockServer::start(Mock::velociraptor()).await;
    let agent = Guest::http(&server.url(), None, Era::Legacy).await;
    assert_eq!(agent.tools().await.len(), 28);
    server.change(Change::silent(Changed::Remove("collect_artifact".into()))).await.expect("it is there");
    assert_eq!(agent.tools().await.len(), 27);
    let refused = agent.call("collect_artifact", arguments(&json!({}))).await.expect("an answer");
    assert_eq!(refused.is_error, Some(true));
    agent.leave().await;
    server.stop().await;
}

#[tokio::test]
async fn what_happens_can_be_waited_for() {
    let server = std::sync::Arc::new(MockServer::start(Mock::ludus()).await);
    let agent = Guest::lines(&server, Era::Modern).await;
    let (arrivals, _) = tokio::join!(
        server.wait_for(|arrivals| arrivals.iter().any(|arrival| !arrival.executed.is_empty())),
        agent.call("list_hosts", arguments(&json!({}))),
    );
    assert_eq!(arrivals.last().map(|arrival| arrival.executed[0].tool.as_str()), Some("list_hosts"));
    agent.leave().await;
}
