use super::lab::*;
use crate::declared::{Batch, Declared};
use crate::wire::{Json, parse, rpc};
use http::Method;
use std::time::Duration;

const POLICY: &str = r#"{"version":"1","default":"deny","hide":["secret"],"tools":{
    "list":{"rate_limit":{"max":2,"window":60}}, "secret":{}, "progress":{}, "asks":{}, "hangs":{}, "fails":{}, "errors":{},
    "garbage":{}, "wrong_id":{}, "drops":{}, "plain":{},
    "destroy":{"action":"deny","reason":"machines are destroyed by people"},
    "deploy":{"action":"require_approval","approval":{"timeout":60},
              "limits":[{"counter":"deploys","window":"hour","max":5}]}}}"#;

#[tokio::test]
async fn what_is_allowed_arrives_unchanged_and_comes_back_unchanged() {
    let lab = Lab::new(POLICY, honest).await;
    let alice = lab.agent("alice").await;
    let arguments = r#"{"n":1.0,"e":1e3,"big":9007199254740993,"é":"\ud83d\ude00","empty":"","none":null}"#;
    let (_, frames) = alice.frames(call("list", arguments)).await;
    assert_eq!(frames[0].get("result"), Some(&result("list")));
    assert_eq!(frames[0].get("id"), Some(&Json::from(7)));
    let arrival = lab.server.wait(1, |frame| frame.contains("tools/call")).await;
    let arrived = parse(&arrival.bytes).unwrap();
    assert_eq!(arrived.pointer("/params/arguments"), Some(&parse(arguments.as_bytes()).unwrap()));
    assert_eq!(arrival.headers["authorization"], "Bearer upstream-secret");
    assert_eq!(arrival.headers["mcp-session-id"], "up");
    let id_of = |id: &'static str| call("plain", "{}").replace("\"id\":7", &format!("\"id\":{id}"));
    for id in ["\"7\"", "1.0", "9007199254740993", "-5"] {
        let (_, frames) = alice.frames(id_of(id)).await;
        assert_eq!(frames[0].get("id").unwrap().to_string(), id);
    }
    lab.end().await;
}

#[tokio::test]
async fn refusals_are_told_and_nothing_arrives() {
    let lab = Lab::new(POLICY, honest).await;
    let alice = lab.agent("alice").await;
    for (tool, expected) in [
        ("destroy", "! denied by policy: machines are destroyed by people (/tools/destroy/action)"),
        ("Destroy", "! denied by policy: tools that are not listed are denied (/default)"),
        ("secret", "! denied by policy: tools that are not listed are denied (/default)"),
        ("", "! denied by policy: tools that are not listed are denied (/default)"),
        ("list", "did list"),
        ("list", "did list"),
        ("list", "! rate limited: retry in 60.0s (/tools/list/rate_limit)"),
        ("deploy", "pending"),
    ] {
        assert_eq!(alice.call(tool, "{}").await, expected, "{tool}");
    }
    assert_eq!(lab.server.ran(), "list list");
    assert_eq!(lab.audit(), "denied denied hidden denied allowed allowed limited pending");
    lab.clock.turn(Duration::from_secs(60));
    assert_eq!(alice.call("list", "{}").await, "did list");
    let denied = &lab.gateway.audit_lines()[0];
    assert_eq!((denied["identity"].as_str(), denied["upstream"].as_str()), (Some("alice"), Some("lab")));
    assert_eq!(
        (denied["rule"].as_str(), denied["request_id"].as_i64()),
        (Some("/tools/destroy/action"), Some(7))
    );
    lab.end().await;
}

#[tokio::test]
async fn hidden_tools_are_left_out_of_every_page_and_nothing_else_is_touched() {
    let lab = Lab::new(POLICY, honest).await;
    *lab.server.page.lock().unwrap() = 1;
    let alice = lab.agent("alice").await;
    assert_eq!(alice.list().await, "list destroy deploy");
    *lab.server.page.lock().unwrap() = 100;
    let (_, frames) = alice.frames(rpc::request("x", "tools/list", Json::object()).to_bytes()).await;
    assert_eq!(frames[0].pointer("/result/tools/0"), Some(&entry("list", "first")));
    assert_eq!(frames[0].pointer("/result/_meta/kept"), Some(&Json::from(1)));
    lab.end().await;
    let lab = Lab::new(r#"{"version":"1","default":"allow","hide":["*"]}"#, honest).await;
    let alice = lab.agent("alice").await;
    assert_eq!(alice.list().await, "");
    assert_eq!(alice.call("list", "{}").await, "! Unknown tool: list");
    lab.end().await;
}

#[tokio::test]
async fn strangers_and_foreign_sessions_are_refused() {
    let lab = Lab::new(POLICY, honest).await;
    let alice = lab.agent("alice").await;
    let bob = lab.agent("bob").await;
    let session = alice.headers.iter().find(|(name, _)| name == "mcp-session-id").unwrap().1.clone();
    let thief = bob.with("mcp-session-id", &session);
    assert_eq!(thief.call("plain", "{}").await, "http 404 error -32600");
    assert_eq!(thief.ask(Method::DELETE, "").await.status, 404);
    assert_eq!(thief.with("accept", "text/event-stream").ask(Method::GET, "").await.status, 404);
    for token in ["Bearer nobody", "Basic alice-token", "Bearer"] {
        let stranger = alice.with("authorization", token).send(call("plain", "{}")).await;
        assert_eq!(stranger.status, 401);
        assert!(stranger.header("www-authenticate").unwrap().starts_with("Bearer"));
    }
    assert_eq!(alice.with("origin", "http://evil.test").send(call("plain", "{}")).await.status, 403);
    assert_eq!(lab.server.ran(), "");
    assert_eq!(alice.call("plain", "{}").await, "did plain");
    assert_eq!(alice.ask(Method::DELETE, "").await.status, 204);
    assert_eq!(alice.call("plain", "{}").await, "http 404 error -32600");
    lab.end().await;
}

#[tokio::test]
async fn odd_requests_open_no_other_way() {
    let lab = Lab::new(POLICY, honest).await;
    let alice = lab.agent("alice").await;
    let plain = call("plain", "{}");
    for (agent, status) in [
        (alice.with("content-type", "text/plain"), 415),
        (alice.with("content-type", "application/json; charset=utf-16"), 415),
        (alice.with("content-encoding", "gzip"), 415),
        (alice.with("accept", "text/html"), 406),
        (alice.with("mcp-protocol-version", "2020-01-01"), 400),
    ] {
        assert_eq!(agent.send(plain.clone()).await.status, status);
    }
    for path in ["/", "/mcp/", "//mcp", "/MCP", "/mcp/lab"] {
        let mut odd = alice.clone();
        odd.url = odd.url.replace("/mcp", path);
        assert_eq!(odd.send(plain.clone()).await.status, 404, "{path}");
    }
    for method in [Method::PUT, Method::PATCH, Method::OPTIONS] {
        assert_eq!(alice.with("x-http-method-override", "POST").ask(method, plain.clone()).await.status, 405);
    }
    let outside = Agent::new(&lab.url, "alice");
    assert_eq!(outside.call("plain", "{}").await, "http 400 error -32600");
    assert_eq!(alice.says(rpc::request(1, "tools/Call", Json::object()).to_bytes()).await, "error -32601");
    assert_eq!(alice.says(rpc::request(1, "ping", Json::object()).to_bytes()).await, "answered");
    assert_eq!(alice.says("{}").await, "http 400 error -32600");
    assert_eq!(alice.says("nonsense").await, "http 400 error -32700");
    assert_eq!(alice.says(format!("[{plain}]")).await, "http 400 error -32600");
    assert_eq!(alice.says(plain.replace("\"plain\"", "4")).await, "error -32602");
    assert_eq!(alice.says(plain.replace("\"id\":7,", "")).await, "http 202");
    assert_eq!(lab.server.ran(), "");
    let records = lab.audit();
    assert!(records.ends_with("malformed malformed denied"), "{records}");
    lab.end().await;
}

#[tokio::test]
async fn a_batch_is_split_where_that_is_declared() {
    let declared = Declared { batch: Some(Batch::Split), ..Declared::default() };
    let lab = Plan { declared, ..Plan::new(POLICY, honest) }.start().await;
    let alice = lab.agent("alice").await;
    let batch = format!("[{},{}]", call("plain", "{}"), call("destroy", "{}").replace('7', "8"));
    let said = alice.says(batch).await;
    assert!(said.starts_with("did plain | ! denied by policy"), "{said}");
    assert_eq!(lab.server.ran(), "plain");
    assert_eq!(lab.audit().split(' ').count(), 2);
    lab.end().await;
}

#[tokio::test]
async fn parallel_calls_never_exceed_a_limit() {
    let lab = Lab::new(POLICY, honest).await;
    let alice = lab.agent("alice").await;
    let burst = (0..20).map(|_| alice.call("list", "{}"));
    let said = futures_util::future::join_all(burst).await;
    assert_eq!(said.iter().filter(|said| *said == "did list").count(), 2);
    assert_eq!(lab.server.ran(), "list list");
    lab.end().await;
}

#[tokio::test]
async fn failures_of_the_upstream_are_told_and_contained() {
    let lab = Lab::new(POLICY, honest).await;
    let alice = lab.agent("alice").await;
    for tool in ["garbage", "wrong_id", "drops"] {
        assert_eq!(alice.call(tool, "{}").await, "error -32000", "{tool}");
    }
    assert_eq!(alice.call("fails", "{}").await, "! it failed");
    let (_, frames) = alice.frames(call("errors", "{}")).await;
    let error = parse(br#"{"code":-32050,"message":"odd","data":{"a":[1]}}"#).unwrap();
    assert_eq!(frames[0].get("error"), Some(&error));
    assert_eq!(alice.call("plain", "{}").await, "did plain");
    let outcomes: Vec<_> = lab.gateway.audit_lines().iter().map(|line| line["outcome"].clone()).collect();
    assert_eq!(outcomes, ["dropped", "dropped", "dropped", "error_result", "rpc_error", "success"]);
    lab.end().await;
}

#[tokio::test]
async fn an_upstream_that_is_not_there_costs_nothing() {
    let lab = Lab::new(POLICY, honest).await;
    lab.server.stop.cancel();
    let alice = lab.agent("alice").await;
    let gone = Agent { client: alice.client.clone(), ..alice.clone() };
    // Stopping is not instant; what still arrives is answered.
    while gone.call("plain", "{}").await != "error -32000" {}
    for _ in 0..3 {
        assert_eq!(alice.call("list", "{}").await, "error -32000");
    }
    assert_eq!(
        alice.call("destroy", "{}").await,
        "! denied by policy: machines are destroyed by people (/tools/destroy/action)"
    );
    lab.end().await;
}

#[tokio::test]
async fn progress_and_questions_pass_both_ways() {
    let lab = Lab::new(POLICY, honest).await;
    let alice = lab.agent("alice").await;
    let with_token = call("progress", "{}")
        .replace(r#""arguments":{}"#, r#""arguments":{},"_meta":{"progressToken":"t"}"#);
    let (_, frames) = alice.frames(with_token).await;
    let progress: Vec<_> =
        frames.iter().filter_map(|frame| frame.pointer("/params/progress")?.as_i64()).collect();
    assert_eq!((progress, told(&frames[2])), (vec![1, 2], "did progress".to_owned()));
    let mut stream = alice.send(call("asks", "{}")).await;
    let mut decoder = crate::wire::sse::Decoder::default();
    let question = loop {
        let events = decoder.push(&stream.chunk().await.unwrap().unwrap());
        let frames = events.iter().map(|event| parse(event.data.as_bytes()).unwrap());
        if let Some(question) =
            frames.into_iter().find(|frame| frame.get("method") == Some(&Json::from("elicitation/create")))
        {
            break question;
        }
    };
    let answer =
        rpc::result(question.get("id").unwrap().clone(), serde_json::json!({"action": "accept"}).into());
    // Another agent's answer is not taken for it.
    assert_eq!(lab.agent("bob").await.says(answer.to_bytes()).await, "http 202");
    assert_eq!(alice.says(answer.to_bytes()).await, "http 202");
    let rest = stream.whole(1 << 20).await.unwrap();
    assert!(String::from_utf8_lossy(&rest).contains("did asks"));
    lab.end().await;
}

#[tokio::test]
async fn what_is_taken_back_is_taken_back_upstream() {
    let lab = Lab::new(POLICY, honest).await;
    let alice = lab.agent("alice").await;
    let hanging = tokio::spawn({
        let alice = alice.clone();
        async move { alice.call("hangs", "{}").await }
    });
    lab.server.wait(1, |frame| frame.contains("hangs")).await;
    assert_eq!(alice.call("plain", "{}").await, "did plain", "a slow call delays nobody");
    let cancel = rpc::notification("notifications/cancelled", serde_json::json!({"requestId": 7}).into());
    assert_eq!(alice.says(cancel.to_bytes()).await, "http 202");
    assert_eq!(hanging.await.unwrap(), "error -32000");
    lab.server.wait(1, |frame| frame.contains("notifications/cancelled")).await;
    // Who goes away takes back what it asked.
    let leaving = tokio::spawn({
        let alice = alice.clone();
        async move { alice.call("hangs", "{}").await }
    });
    lab.server.wait(2, |frame| frame.contains("hangs")).await;
    leaving.abort();
    lab.server.wait(2, |frame| frame.contains("notifications/cancelled")).await;
    lab.end().await;
}

#[tokio::test]
async fn several_upstreams_stand_before_the_names_of_their_tools() {
    let (one, two) = (Server::start().await, Server::start().await);
    *two.tools.lock().unwrap() = vec![entry("list", "other"), entry("pay", "pays")];
    let policy = r#"{"version":"1","default":"deny","tools":{"lab/list":{},"shop/pay":{},"deploy":{}}}"#;
    let servers = vec![("lab", one.clone()), ("shop", two.clone())];
    let lab = Plan { servers, ..Plan::new(policy, honest) }.start().await;
    let alice = lab.agent("alice").await;
    // Nothing that the name could mean is allowed: nobody is asked.
    assert!(alice.call("destroy", "{}").await.starts_with("! denied by policy"));
    assert!(one.arrivals.borrow().is_empty());
    assert_eq!(alice.call("shop-pay", "{}").await, "did pay");
    assert_eq!(alice.call("lab-list", "{}").await, "did list");
    assert!(alice.call("shop-list", "{}").await.starts_with("! denied by policy"));
    assert_eq!(alice.call("list", "{}").await, "! Unknown tool: list");
    assert_eq!(alice.list().await, "lab-list lab-destroy lab-deploy lab-secret shop-list shop-pay");
    assert_eq!((one.ran(), two.ran()), ("list".into(), "pay".into()));
    lab.end().await;
}

#[tokio::test]
async fn notices_reach_the_session_and_nobody_else() {
    let lab = Lab::new(POLICY, honest).await;
    let alice = lab.agent("alice").await;
    let mut notices = alice.with("accept", "text/event-stream").ask(Method::GET, "").await;
    assert_eq!(notices.status, 200);
    lab.gateway.reload(vec![grant("alice", POLICY)]).await;
    let heard = notices.chunk().await.unwrap().unwrap();
    assert!(String::from_utf8_lossy(&heard).contains("notifications/tools/list_changed"));
    lab.gateway.reload(Vec::new()).await;
    assert_eq!(notices.chunk().await.unwrap(), None, "a revoked identity hears no more");
    lab.end().await;
}
