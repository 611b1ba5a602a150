use super::lab::*;
use crate::reference::*;
use crate::wire::era::meta;
use crate::wire::{Json, parse, rpc};

const POLICY: &str = r#"{"version":"1","default":"deny","tools":{"list":{},"destroy":{"action":"deny"},
    "deploy":{"action":"require_approval","approval":{"timeout":60}}}}"#;

fn params(name: &str, more: &serde_json::Value) -> Json {
    let mut params = serde_json::json!({"name": name, "arguments": {}, "_meta": {
        meta::VERSION: "2026-07-28", meta::CAPABILITIES: {"elicitation": {}}}});
    params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    params.into()
}

async fn send(agent: &Agent, name: &str, more: &serde_json::Value) -> (u16, Json) {
    let agent = agent
        .with("mcp-method", "tools/call")
        .with("mcp-name", name)
        .with("mcp-protocol-version", "2026-07-28");
    let (status, mut frames) =
        agent.frames(rpc::request("m1", "tools/call", params(name, more)).to_bytes()).await;
    (status, frames.remove(0))
}

#[tokio::test]
async fn requests_stand_alone_and_headers_must_agree() {
    let lab = Lab::new(POLICY, honest).await;
    let alice = Agent::new(&lab.url, "alice");
    let (status, answer) = send(&alice, "list", &serde_json::json!({})).await;
    assert_eq!((status, told(&answer)), (200, "did list".into()));
    let arrival = lab.server.wait(1, |frame| frame.contains("tools/call")).await;
    assert_eq!(
        (&arrival.headers["mcp-method"], &arrival.headers["mcp-name"]),
        (&"tools/call".parse().unwrap(), &"list".parse().unwrap())
    );
    assert!(arrival.headers.get("mcp-session-id").is_none());
    let (status, answer) = send(&alice, "destroy", &serde_json::json!({})).await;
    assert_eq!(
        (status, told(&answer)),
        (200, "! denied by policy: this tool is denied (/tools/destroy/action)".into())
    );
    assert_eq!(answer.pointer("/result/resultType"), Some(&Json::from("complete")));
    let modern = alice.with("mcp-protocol-version", "2026-07-28");
    let body = rpc::request("m1", "tools/call", params("destroy", &serde_json::json!({}))).to_bytes();
    for (agent, expected) in [
        (modern.with("mcp-method", "tools/call").with("mcp-name", "list"), "http 400 error -32020"),
        (modern.with("mcp-method", "tools/list").with("mcp-name", "destroy"), "http 400 error -32020"),
        (modern.clone(), "http 400 error -32020"),
        (
            alice
                .with("mcp-protocol-version", "2025-11-25")
                .with("mcp-method", "tools/call")
                .with("mcp-name", "destroy"),
            "http 400 error -32020",
        ),
    ] {
        assert_eq!(agent.says(body.clone()).await, expected);
    }
    let text = String::from_utf8(body).unwrap();
    let future = text.replace("2026-07-28", "2030-01-01");
    assert_eq!(modern.says(future.clone()).await, "http 400 error -32020");
    let ahead = alice.with("mcp-protocol-version", "2030-01-01");
    for body in [text.clone(), future] {
        assert_eq!(ahead.says(body).await, "http 400 error -32022", "before any disagreement");
    }
    let past = text.replace("2026-07-28", "2025-11-25");
    let legacy = alice
        .with("mcp-protocol-version", "2025-11-25")
        .with("mcp-method", "tools/call")
        .with("mcp-name", "destroy");
    assert_eq!(legacy.says(past).await, "http 400 error -32022", "agreed, but of the other era");
    assert_eq!(
        modern.with("mcp-method", "tools/call").says(call("list", "{}")).await,
        "http 400 error -32602"
    );
    assert_eq!(lab.server.ran(), "list");
    lab.end().await;
}

#[tokio::test]
async fn discovery_is_answered_and_unknown_methods_are_not_found() {
    let lab = Lab::new(POLICY, honest).await;
    let alice = Agent::new(&lab.url, "alice").with("mcp-protocol-version", "2026-07-28");
    let ask = async |method: &str| {
        let params: Json = serde_json::json!({"_meta": {meta::VERSION: "2026-07-28"}}).into();
        alice.with("mcp-method", method).frames(rpc::request(1, method, params).to_bytes()).await
    };
    let (status, frames) = ask("server/discover").await;
    assert_eq!(status, 200);
    assert_eq!(frames[0].pointer("/result/supportedVersions/0"), Some(&Json::from("2026-07-28")));
    assert_eq!(ask("odd/method").await.0, 404);
    lab.end().await;
}

#[tokio::test]
async fn an_approval_is_asked_for_as_input() {
    let lab = Plan { channel: Channel::Elicited, ..Plan::new(POLICY, honest) }.start().await;
    let alice = Agent::new(&lab.url, "alice");
    let bob = Agent::new(&lab.url, "bob");
    let (_, asked) = send(&alice, "deploy", &serde_json::json!({})).await;
    assert_eq!(asked.pointer("/result/resultType"), Some(&Json::from("input_required")));
    let state = asked.pointer("/result/requestState").and_then(Json::as_str).unwrap().to_owned();
    let accept = |state: &str| serde_json::json!({"requestState": state, "inputResponses": {"approval": {"action": "accept"}}});
    let (_, foreign) = send(&bob, "deploy", &accept(&state)).await;
    assert_eq!(foreign.pointer("/result/resultType"), Some(&Json::from("input_required")));
    let mut other = accept(&state);
    other["arguments"] = serde_json::json!({"more": 1});
    let (_, changed) = send(&alice, "deploy", &other).await;
    assert_eq!(changed.pointer("/result/resultType"), Some(&Json::from("input_required")));
    assert_eq!(lab.server.ran(), "");
    let (_, done) = send(&alice, "deploy", &accept(&state)).await;
    assert_eq!(told(&done), "did deploy");
    let arrival = lab.server.wait(1, |frame| frame.contains("tools/call")).await;
    let arrived = parse(&arrival.bytes).unwrap();
    assert!(
        arrived.pointer("/params/requestState").is_none()
            && arrived.pointer("/params/inputResponses").is_none()
    );
    let (_, again) = send(&alice, "deploy", &accept(&state)).await;
    assert_eq!(again.pointer("/result/resultType"), Some(&Json::from("input_required")));
    assert_eq!(lab.server.ran(), "deploy");
    lab.end().await;
}
