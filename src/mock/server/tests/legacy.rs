use super::*;
use crate::mock::{Change, Changed, Expect, Transport};
use reqwest::Method;

#[tokio::test]
async fn a_session_opens_is_used_and_ends() {
    let server = MockServer::start(simple()).await;
    for (wanted, agreed) in [
        ("2024-11-05", "2024-11-05"),
        ("2025-06-18", "2025-06-18"),
        ("2026-07-28", "2025-11-25"),
        ("1999-01-01", "2025-11-25"),
    ] {
        let told = Client::new(&server)
            .ask("initialize", json!({"protocolVersion": wanted, "capabilities": {}}))
            .await;
        assert_eq!(told.json()["result"]["protocolVersion"], agreed);
        assert_eq!(
            told.json()["result"]["serverInfo"],
            json!({"name": "Core Operations", "version": "2.14.7"})
        );
    }
    let client = Client::opened(&server, "2025-06-18").await;
    assert_eq!(
        client.post(json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await.status,
        202
    );
    assert_eq!(client.ask("ping", json!({})).await.json(), json!({"jsonrpc": "2.0", "id": 1, "result": {}}));
    let told = client.call("get_range", json!({})).await;
    assert_eq!(
        told.json()["result"],
        json!({"content": [{"type": "text", "text": "{\"hosts\":3}"}], "structuredContent": {"hosts": 3}, "isError": false})
    );
    assert_eq!(client.raw(Method::DELETE, "").await.status, 200);
    assert_eq!(client.call("get_range", json!({})).await.status, 404);
    assert_eq!(Client::new(&server).call("get_range", json!({})).await.code(), (400, -32600));
    assert_eq!(client.with("mcp-session-id", "nobody").ask("ping", json!({})).await.status, 404);
}

#[tokio::test]
async fn the_ledger_has_everything_that_reached_the_server() {
    let server = MockServer::builder(simple()).name("lab").receipts(true).start().await.unwrap();
    let client = Client::opened(&server, "2025-11-25").await.with("x-trace", "7");
    let told = client.call("get_range", json!({"user_id": null})).await;
    client.call("get_range", json!({"nope": 1})).await;
    client.call("no_such_tool", json!({})).await;
    client.raw(Method::POST, "nonsense").await;
    let ledger = server.ledger();
    assert_eq!(ledger.iter().map(|arrival| arrival.seq).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    let run = &ledger[1].executed[0];
    assert_eq!(
        (run.tool.as_str(), run.arguments.to_string().as_str(), run.is_error),
        ("get_range", r#"{"user_id":null}"#, false)
    );
    assert_eq!(run.answered(), *value(told.body.as_bytes()).get("result").unwrap());
    assert_eq!(told.json()["result"]["_meta"]["dev.gauntlet/receipt"], json!(run.receipt));
    assert_eq!((run.receipt.as_str(), &ledger[1].receipts), ("r-lab-2", &vec!["r-lab-2".to_owned()]));
    assert!(ledger[1].headers.get("x-trace") == Some("7"));
    assert_eq!((ledger[1].transport, ledger[1].upstream.as_str()), (Transport::Http, "lab"));
    assert_eq!(ledger[1].request.as_deref(), Some("POST /mcp"));
    assert!(
        ledger[2].executed.is_empty() && ledger[2].calls().len() == 1 && ledger[2].receipts == ["r-lab-3"]
    );
    assert!(ledger[3].executed.is_empty() && ledger[4].method.is_none());
    server.expect(Expect::call("get_range").times(2));
    assert_eq!(server.verify(), Ok(()));
    server.expect(Expect::call("no_such_tool").never());
    assert_eq!(server.verify().unwrap_err().to_string(), "expected no call of `no_such_tool`, and 1 arrived");
}

#[tokio::test]
async fn errors_are_the_real_servers() {
    let server = MockServer::start(mock(json!([{"error": "no hypervisor"}]))).await;
    let client = Client::opened(&server, "2025-11-25").await;
    assert_eq!(
        client.call("get_range", json!({})).await.text(),
        "Error calling tool 'get_range': no hypervisor"
    );
    assert_eq!(client.call("nope", json!({})).await.text(), "Unknown tool: nope");
    assert!(client.call("destroy_vm", json!({})).await.text().starts_with(
        "1 validation error for call[destroy_vm]\nvm_id\n  Missing required argument [type=missing_argument"
    ));
    assert!(client.call("get_range", json!({"zz": 1})).await.text().contains("Unexpected keyword argument"));
    let malformed = client.ask("tools/call", json!({"name": 5})).await.json();
    assert_eq!(
        malformed["error"],
        json!({"code": -32602, "message": "Invalid request parameters", "data": ""})
    );
    assert_eq!(
        client.ask("tools/call", json!({"name": "get_range", "arguments": []})).await.code(),
        (200, -32602)
    );
    assert_eq!(client.ask("no/such", json!({})).await.code(), (200, -32602));
    assert_eq!(client.ask("completion/complete", json!({})).await.code(), (200, -32601));
    assert_eq!(client.ask("prompts/list", json!({})).await.json()["result"], json!({"prompts": []}));
    let velociraptor = MockServer::start(Mock::velociraptor()).await;
    let client = Client::opened(&velociraptor, "2025-11-25").await;
    let told = client.call("client_info", json!({})).await.text();
    assert!(told.starts_with("Error executing tool client_info: 1 validation error for client_infoArguments\nhostname\n  Field required [type=missing"), "{told}");
}

#[tokio::test]
async fn lists_have_pages() {
    let server = MockServer::builder(Mock::ludus()).page(150).start().await.unwrap();
    let client = Client::opened(&server, "2025-11-25").await;
    let first = client.ask("tools/list", json!({})).await.json();
    assert_eq!(first["result"]["tools"].as_array().unwrap().len(), 150);
    let rest = client.ask("tools/list", json!({"cursor": first["result"]["nextCursor"]})).await.json();
    assert_eq!(
        (rest["result"]["tools"].as_array().unwrap().len(), rest["result"].get("nextCursor")),
        (51, None)
    );
    assert_eq!(client.ask("tools/list", json!({"cursor": "made up"})).await.code(), (200, -32602));
}

#[tokio::test]
async fn a_change_is_told_on_the_sessions_stream() {
    let server = MockServer::start(simple()).await;
    let client = Client::opened(&server, "2025-11-25").await;
    let mut stream = client.send(Method::GET, "").send().await.unwrap();
    assert_eq!(stream.status(), 200);
    assert_eq!(client.raw(Method::GET, "").await.status, 409);
    let fields = json!({"description": "reads your mail"});
    let change = Changed::Tool("get_range".into(), fields.as_object().unwrap().clone());
    server.change(Change::told(change)).await.unwrap();
    let told = String::from_utf8(stream.chunk().await.unwrap().unwrap().to_vec()).unwrap();
    assert!(told.contains("notifications/tools/list_changed"), "{told}");
    let listed = client.ask("tools/list", json!({})).await.body;
    assert!(listed.contains("reads your mail"));
    assert!(server.change(Change::told(Changed::Remove("nope".into()))).await.is_err());
    assert_eq!(Client::new(&server).raw(Method::GET, "").await.status, 400);
    server.stop().await;
}

#[tokio::test]
async fn batches_are_for_the_revision_that_has_them_and_for_careless_servers() {
    let frames = json!([{"jsonrpc": "2.0", "id": 1, "method": "ping"}, {"jsonrpc": "2.0", "method": "x"}, {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "get_range"}}]);
    let careful = MockServer::builder(simple()).receipts(true).start().await.unwrap();
    let told = Client::opened(&careful, "2025-03-26").await.post(frames.clone()).await.json();
    assert_eq!((told.as_array().unwrap().len(), &told[1]["id"]), (2, &json!(2)));
    assert_eq!(Client::opened(&careful, "2025-06-18").await.post(frames.clone()).await.status, 400);
    assert_eq!(careful.ledger().last().unwrap().calls().len(), 1, "what was refused was still seen");
    let careless = MockServer::builder(simple()).lenient(true).start().await.unwrap();
    let client = Client::opened(&careless, "2025-11-25").await;
    assert_eq!(client.post(frames).await.status, 200);
    assert_eq!(client.call(" get_range ", json!({})).await.json()["result"]["isError"], json!(false));
    let put_as_notice = json!({"jsonrpc": "2.0", "method": "tools/call", "params": {"name": "get_range"}});
    assert_eq!(client.post(put_as_notice).await.status, 202);
    assert_eq!(careless.ledger().last().unwrap().executed.len(), 1);
}

#[tokio::test]
async fn a_strict_transport_refuses_what_it_does_not_take() {
    let server = MockServer::builder(simple()).bearer("t").start().await.unwrap();
    let stranger = Client::new(&server);
    let told = stranger.ask("ping", json!({})).await;
    assert_eq!(told.status, 401);
    assert!(
        told.headers["www-authenticate"]
            .to_str()
            .unwrap()
            .starts_with("Bearer resource_metadata=\"http://127.0.0.1:")
    );
    let client = stranger.with("authorization", "Bearer t");
    let verbs = [
        (client.with("origin", "https://evil.test").ask("ping", json!({})).await.status, 403),
        (client.with("host", "evil.test").ask("ping", json!({})).await.status, 403),
        (client.with("accept", "application/json").ask("ping", json!({})).await.status, 406),
        (client.with("content-type", "text/plain").ask("ping", json!({})).await.status, 415),
        (client.raw(Method::PUT, "").await.status, 405),
        (client.raw(Method::POST, "{").await.code().0, 400),
        (client.raw(Method::POST, r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#).await.code().0, 400),
        (
            Client { url: server.url().replace("/mcp", "/"), ..client }.ask("ping", json!({})).await.status,
            404,
        ),
    ];
    for (told, expected) in verbs {
        assert_eq!(told, expected);
    }
}

#[tokio::test]
async fn a_question_in_mid_call_is_answered_by_another_post() {
    let server = MockServer::start(mock(json!([
        {"ask": {"elicit": {"message": "really?"}}},
        {"when": {"if": "{{ reply.action == 'accept' }}"}, "give": {"done": "{{ reply.content.why }}"}},
        {"error": "not confirmed"}
    ])))
    .await;
    let client = Client::opened(&server, "2025-11-25").await;
    for (reply, text) in [
        (json!({"result": {"action": "accept", "content": {"why": "because"}}}), "{\"done\":\"because\"}"),
        (
            json!({"error": {"code": -1, "message": "nobody there"}}),
            "Error calling tool 'get_range': not confirmed",
        ),
    ] {
        let call =
            json!({"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": {"name": "get_range"}});
        let mut stream = client.send(Method::POST, call.to_string()).send().await.unwrap();
        let mut decoder = crate::wire::sse::Decoder::default();
        let asked = decoder.push(&stream.chunk().await.unwrap().unwrap()).remove(0);
        let asked: Value = serde_json::from_str(&asked.data).unwrap();
        assert_eq!(
            (&asked["method"], &asked["params"]["message"]),
            (&json!("elicitation/create"), &json!("really?"))
        );
        let mut frame = json!({"jsonrpc": "2.0", "id": asked["id"]});
        frame.as_object_mut().unwrap().extend(reply.as_object().unwrap().clone());
        assert_eq!(client.post(frame).await.status, 202);
        let rest = stream.text().await.unwrap();
        let answer: Value = serde_json::from_str(&decoder.push(rest.as_bytes()).remove(0).data).unwrap();
        assert_eq!(answer["result"]["content"][0]["text"], text);
    }
    let silent = Client::new(&server);
    let told = silent.ask("initialize", json!({"protocolVersion": "2025-11-25", "capabilities": {}})).await;
    let silent = silent.with("mcp-session-id", told.headers["mcp-session-id"].to_str().unwrap());
    let told = silent.call("get_range", json!({})).await.events().remove(0);
    assert_eq!(
        told["result"]["content"][0]["text"],
        "Error calling tool 'get_range': the client offers no `elicitation`"
    );
}

#[tokio::test]
async fn a_mock_that_fits_nothing_fails_loudly() {
    let server =
        MockServer::start(mock(json!([{"when": {"if": "{{ args.user_id.deep.deeper }}"}, "give": 1}]))).await;
    let client = Client::opened(&server, "2025-11-25").await;
    let told = client.call("get_range", json!({})).await;
    assert_eq!(told.code(), (200, -32603));
    assert!(
        server.complaints()[0].starts_with("answer 1 of `get_range` failed"),
        "{:?}",
        server.complaints()
    );
}

#[tokio::test]
async fn a_paused_server_refuses_connections_and_forgets_its_sessions() {
    let server = MockServer::start(simple()).await;
    let client = Client::opened(&server, "2025-11-25").await;
    server.pause().await;
    assert!(client.send(Method::POST, "{}").send().await.unwrap_err().is_connect());
    server.resume().await.unwrap();
    assert_eq!(client.call("get_range", json!({})).await.status, 404);
    Client::opened(&server, "2025-11-25").await;
    server.stop().await;
}
