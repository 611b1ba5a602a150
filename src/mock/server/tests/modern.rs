use super::*;
use crate::mock::{Change, Changed};
use crate::wire::Revision;
use futures_util::FutureExt as _;
use reqwest::Method;

const META: &str = "io.modelcontextprotocol/clientCapabilities";

#[tokio::test]
async fn nothing_has_to_be_opened() {
    let server = MockServer::builder(simple()).receipts(true).start().await.unwrap();
    let client = Client::new(&server);
    let discovered = client.modern("server/discover", json!({})).await.json()["result"].clone();
    assert_eq!(
        (
            &discovered["supportedVersions"],
            &discovered["resultType"],
            &discovered["ttlMs"],
            &discovered["cacheScope"]
        ),
        (&json!(["2026-07-28"]), &json!("complete"), &json!(0), &json!("public"))
    );
    assert_eq!(discovered["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "Core Operations");
    let listed = client.modern("tools/list", json!({})).await.json()["result"].clone();
    assert_eq!(
        (listed["tools"].as_array().unwrap().len(), &listed["ttlMs"], &listed["resultType"]),
        (201, &json!(0), &json!("complete"))
    );
    let told = client.modern("tools/call", json!({"name": "get_range"})).await;
    let result = told.json()["result"].clone();
    assert_eq!(
        (&result["resultType"], &result["structuredContent"]),
        (&json!("complete"), &json!({"hosts": 3}))
    );
    assert_eq!(result["_meta"]["dev.gauntlet/receipt"], "r-ludus-3");
    assert!(told.headers.get("mcp-session-id").is_none());
}

#[tokio::test]
async fn headers_and_body_must_agree() {
    let server = MockServer::start(simple()).await;
    let client = Client::new(&server);
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", META: {}});
    let call = |meta: &Value| json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "get_range", "_meta": meta}});
    let good = client
        .with("mcp-protocol-version", "2026-07-28")
        .with("mcp-method", "tools/call")
        .with("mcp-name", "get_range");
    assert_eq!(good.post(call(&meta)).await.status, 200);
    for (client, meta, code) in [
        (client.with("mcp-method", "tools/call").with("mcp-name", "get_range"), meta.clone(), -32020),
        (good.with("mcp-name", "destroy_vm"), meta.clone(), -32020),
        (good.with("mcp-method", "tools/list"), meta.clone(), -32020),
        (good.with("mcp-protocol-version", "2025-11-25"), meta.clone(), -32600),
        (good.with("mcp-protocol-version", "2099-01-01"), meta.clone(), -32022),
        (good.with("mcp-protocol-version", "2026-07-28"), json!({}), -32602),
        (
            good.with("mcp-protocol-version", "2026-07-28"),
            json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28"}),
            -32602,
        ),
        (
            good.with("mcp-protocol-version", "2026-07-28"),
            json!({"io.modelcontextprotocol/protocolVersion": "2025-11-25", META: {}}),
            -32020,
        ),
    ] {
        assert_eq!(client.post(call(&meta)).await.code(), (400, code), "{meta}");
    }
    let unsupported = good.with("mcp-protocol-version", "2099-01-01").post(call(&meta)).await.json();
    assert_eq!(unsupported["error"]["data"], json!({"supported": ["2026-07-28"], "requested": "2099-01-01"}));
    assert!(server.ledger().iter().filter(|arrival| !arrival.executed.is_empty()).count() == 1);
}

#[tokio::test]
async fn what_the_era_has_not_is_refused() {
    let server = MockServer::start(simple()).await;
    let client = Client::new(&server);
    assert_eq!(client.modern("no/such", json!({})).await.code(), (404, -32601));
    assert_eq!(client.modern("ping", json!({})).await.code(), (404, -32601));
    let modern = client.with("mcp-protocol-version", "2026-07-28");
    assert_eq!(
        (modern.raw(Method::GET, "").await.status, modern.raw(Method::DELETE, "").await.status),
        (405, 405)
    );
    assert_eq!(modern.raw(Method::POST, "[]").await.code(), (400, -32600));
    assert_eq!(client.modern("tools/list", json!({"cursor": "x"})).await.code(), (200, -32602));
    let legacy = MockServer::builder(simple()).revisions(&[Revision::V2025_11_25]).start().await.unwrap();
    assert_eq!(Client::new(&legacy).modern("server/discover", json!({})).await.code(), (400, -32600));
    let only = MockServer::builder(simple()).revisions(&[Revision::V2026_07_28]).start().await.unwrap();
    assert_eq!(
        Client::new(&only).ask("initialize", json!({"protocolVersion": "2025-11-25"})).await.code().1,
        -32022
    );
    assert_eq!(Client::new(&only).ask("tools/list", json!({})).await.code(), (400, -32022));
}

#[tokio::test]
async fn questions_are_results_and_the_state_is_sealed() {
    let server = MockServer::start(mock(json!([
        {"ask": {"elicit": {"message": "really?"}}},
        {"when": {"if": "{{ reply.action == 'accept' }}"}, "give": {"done": true}},
        {"error": "not confirmed"}
    ])))
    .await;
    let client = Client::new(&server);
    let meta = json!({META: {"elicitation": {}}});
    let call = |more: Value| {
        let mut params = json!({"name": "get_range", "arguments": {}, "_meta": meta});
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        params
    };
    let asked = client.modern("tools/call", call(json!({}))).await.json()["result"].clone();
    assert_eq!(
        (&asked["resultType"], &asked["inputRequests"]["ask"]["method"]),
        (&json!("input_required"), &json!("elicitation/create"))
    );
    let state = asked["requestState"].clone();
    let yes = json!({"ask": {"action": "accept"}});
    let done =
        client.modern("tools/call", call(json!({"requestState": state, "inputResponses": yes}))).await.json();
    assert_eq!(done["result"]["structuredContent"], json!({"done": true}));
    let no = json!({"ask": {"action": "decline"}});
    let refused =
        client.modern("tools/call", call(json!({"requestState": state, "inputResponses": no}))).await.json();
    assert_eq!(refused["result"]["isError"], json!(true));
    let other =
        call(json!({"requestState": state, "inputResponses": yes, "arguments": {"user_id": "admin"}}));
    assert_eq!(client.modern("tools/call", other).await.code(), (200, -32602));
    assert_eq!(
        client
            .modern("tools/call", call(json!({"requestState": "1.00", "inputResponses": yes})))
            .await
            .code(),
        (200, -32602)
    );
    assert_eq!(client.modern("tools/call", json!({"name": "get_range"})).await.code(), (400, -32021));
    assert_eq!(server.ledger().iter().map(|arrival| arrival.executed.len()).sum::<usize>(), 2);
}

#[tokio::test]
async fn a_subscription_is_acknowledged_and_then_told() {
    let server = MockServer::start(simple()).await;
    let client = Client::new(&server)
        .with("mcp-protocol-version", "2026-07-28")
        .with("mcp-method", "subscriptions/listen");
    let frame = json!({"jsonrpc": "2.0", "id": "sub", "method": "subscriptions/listen", "params": {
        "_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28", META: {}},
        "notifications": {"toolsListChanged": true, "resourceSubscriptions": ["file:///a"]}}});
    let mut stream = client.send(Method::POST, frame.to_string()).send().await.unwrap();
    let mut decoder = crate::wire::sse::Decoder::default();
    let mut frames = Vec::new();
    while frames.len() < 2 {
        let chunk = tokio::time::timeout(SOON, stream.chunk()).await.unwrap().unwrap().unwrap();
        frames.extend(
            decoder.push(&chunk).into_iter().map(|event| serde_json::from_str::<Value>(&event.data).unwrap()),
        );
        if frames.len() == 1 {
            server.change(Change::told(Changed::Remove("destroy_vm".into()))).await.unwrap();
        }
    }
    assert_eq!(frames[0]["method"], "notifications/subscriptions/acknowledged");
    assert_eq!(frames[0]["params"]["notifications"], json!({"toolsListChanged": true}));
    assert_eq!(frames[1]["method"], "notifications/tools/list_changed");
    assert_eq!(frames[1]["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], "sub");
    server.stop().await;
    assert!(
        !matches!(tokio::time::timeout(SOON, stream.chunk()).await.unwrap(), Ok(Some(_))),
        "the stream ends with the server"
    );
}

#[tokio::test]
async fn progress_comes_before_the_answer_for_those_who_ask_for_it() {
    let server = MockServer::start(mock(json!([{"give": {}, "progress": 2}]))).await;
    let client = Client::new(&server);
    let told =
        client.modern("tools/call", json!({"name": "get_range", "_meta": {"progressToken": "p"}})).await;
    let events = told.events();
    assert_eq!(events.len(), 3);
    assert_eq!(events[0]["params"], json!({"progressToken": "p", "progress": 1, "total": 2}));
    assert_eq!(events[2]["result"]["resultType"], "complete");
    let plain = client.modern("tools/call", json!({"name": "get_range"})).await;
    assert_eq!(plain.json()["result"]["isError"], json!(false));
}

#[tokio::test]
async fn events_are_for_those_who_take_nothing_else_or_always() {
    let server = MockServer::builder(simple()).lenient(true).start().await.unwrap();
    let told = Client::new(&server)
        .with("accept", "text/event-stream")
        .modern("tools/call", json!({"name": "get_range"}))
        .await;
    assert_eq!(told.events()[0]["result"]["isError"], json!(false));
    let server = MockServer::builder(simple()).streams(true).start().await.unwrap();
    let told = Client::new(&server).modern("tools/list", json!({})).await;
    assert_eq!(told.headers["content-type"], "text/event-stream");
    assert_eq!(told.events()[0]["result"]["tools"].as_array().unwrap().len(), 201);
}

#[tokio::test]
async fn closing_the_stream_takes_the_call_back() {
    let server = MockServer::start(mock(json!([{"give": {}, "fault": "hang"}]))).await;
    let client = Client::new(&server);
    let call = tokio::spawn(async move { client.modern("tools/call", json!({"name": "get_range"})).await });
    server.wait_for(|ledger| ledger.iter().any(|arrival| !arrival.executed.is_empty())).await;
    assert!(server.idle().now_or_never().is_none(), "its answer is still on its way");
    call.abort();
    tokio::time::timeout(SOON, server.idle()).await.unwrap();
    let ledger = server.ledger();
    assert!(ledger[0].abandoned);
    assert_eq!(ledger[0].executed.len(), 1);
    server.stop().await;
}
