use super::*;
use crate::mock::{Change, Changed, Transport};
use crate::transport::lines::{LineReader, LineWriter};
use crate::transport::relay::{self, Hello};
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, duplex};

/// The client's end of a connection of lines.
struct Talk {
    reader: LineReader,
    writer: LineWriter,
    served: tokio::task::JoinHandle<()>,
}

impl Talk {
    fn new(server: &Arc<MockServer>) -> Self {
        let ((near_in, far_out), (far_in, near_out)) = (duplex(1 << 20), duplex(1 << 20));
        let server = Arc::clone(server);
        let served = tokio::spawn(async move {
            server.serve_lines(LineReader::new(far_in, 1 << 26), LineWriter::new(far_out)).await;
        });
        Self { reader: LineReader::new(near_in, 1 << 26), writer: LineWriter::new(near_out), served }
    }

    async fn send(&self, frame: Value) {
        self.writer.send(frame.to_string().as_bytes()).await.unwrap();
    }

    async fn next(&mut self) -> Value {
        let line = tokio::time::timeout(SOON, self.reader.next()).await.unwrap().unwrap().unwrap();
        serde_json::from_slice(&line)
            .unwrap_or_else(|error| panic!("{}: {error}", String::from_utf8_lossy(&line)))
    }

    async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.send(json!({"jsonrpc": "2.0", "id": method, "method": method, "params": params})).await;
        self.next().await
    }

    async fn opened(server: &Arc<MockServer>) -> Self {
        let mut talk = Self::new(server);
        let told = talk
            .ask("initialize", json!({"protocolVersion": "2025-11-25", "capabilities": {"elicitation": {}}}))
            .await;
        assert_eq!(told["result"]["protocolVersion"], "2025-11-25");
        talk
    }
}

async fn server(answers: Value) -> Arc<MockServer> {
    Arc::new(MockServer::builder(mock(answers)).receipts(true).start().await.unwrap())
}

#[tokio::test]
async fn a_connection_is_a_session_in_the_era_of_its_frames() {
    let server = server(json!([{"give": {"a": 1}}])).await;
    let mut talk = Talk::new(&server);
    let early = talk.ask("tools/list", json!({})).await;
    assert_eq!(early["error"], json!({"code": -32602, "message": "Invalid request parameters", "data": ""}));
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}});
    let modern = talk.ask("tools/call", json!({"name": "get_range", "_meta": meta})).await;
    assert_eq!(modern["result"]["resultType"], "complete");
    assert_eq!(talk.ask("server/discover", json!({})).await["error"]["code"], -32602);
    let mut talk = Talk::opened(&server).await;
    assert_eq!(
        talk.ask("tools/call", json!({"name": "get_range"})).await["result"]["structuredContent"],
        json!({"a": 1})
    );
    talk.writer.send(b"{ not json").await.unwrap();
    assert_eq!(talk.next().await["error"]["code"], -32700);
    let arrival = server.ledger().into_iter().find(|arrival| !arrival.executed.is_empty()).unwrap();
    assert_eq!((arrival.transport, arrival.session.unwrap().len()), (Transport::Lines, 32));
    talk.writer.close().await.unwrap();
    tokio::time::timeout(SOON, talk.served).await.unwrap().unwrap();
}

#[tokio::test]
async fn calls_run_side_by_side_and_can_be_taken_back() {
    let server =
        server(json!([{"when": {"user_id": {"exists": true}}, "fault": "hang", "give": {}}, {"give": {}}]))
            .await;
    let mut talk = Talk::opened(&server).await;
    talk.send(json!({"jsonrpc": "2.0", "id": "slow", "method": "tools/call", "params": {"name": "get_range", "arguments": {"user_id": "a"}}})).await;
    assert_eq!(talk.ask("tools/call", json!({"name": "get_range"})).await["result"]["isError"], json!(false));
    talk.send(
        json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "slow"}}),
    )
    .await;
    let told = talk.next().await;
    assert_eq!((&told["id"], &told["error"]["message"]), (&json!("slow"), &json!("Request cancelled")));
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}});
    let params = json!({"name": "get_range", "arguments": {"user_id": "a"}, "_meta": meta});
    talk.send(json!({"jsonrpc": "2.0", "id": "quiet", "method": "tools/call", "params": params})).await;
    talk.send(
        json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "quiet"}}),
    )
    .await;
    server.wait_for(|ledger| ledger.iter().filter(|arrival| arrival.abandoned).count() == 2).await;
    assert_eq!(talk.ask("ping", json!({})).await["result"], json!({}), "nothing came for the one before");
}

#[tokio::test]
async fn questions_and_changes_come_as_lines() {
    let server =
        server(json!([{"ask": {"elicit": {"message": "sure?"}}}, {"give": {"reply": "{{ reply.action }}"}}]))
            .await;
    let mut talk = Talk::opened(&server).await;
    let asked = talk.ask("tools/call", json!({"name": "get_range"})).await;
    assert_eq!(asked["method"], "elicitation/create");
    talk.send(json!({"jsonrpc": "2.0", "id": asked["id"], "result": {"action": "decline"}})).await;
    assert_eq!(talk.next().await["result"]["structuredContent"], json!({"reply": "decline"}));
    server.change(Change::told(Changed::Remove("destroy_vm".into()))).await.unwrap();
    assert_eq!(talk.next().await["method"], "notifications/tools/list_changed");
}

#[tokio::test]
async fn faults_end_the_connection_or_spoil_the_line() {
    let fault = |fault: &str| server(json!([{"fault": fault, "give": {"a": 1}}]));
    for ending in ["drop", "crash", "truncate"] {
        let mut talk = Talk::opened(&fault(ending).await).await;
        talk.send(
            json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "get_range"}}),
        )
        .await;
        let rest = tokio::time::timeout(SOON, talk.reader.next()).await.unwrap().unwrap();
        assert_eq!(rest.is_some(), ending == "truncate");
        tokio::time::timeout(SOON, talk.served).await.unwrap().unwrap();
    }
    let mut talk = Talk::opened(&fault("twice").await).await;
    let first = talk.ask("tools/call", json!({"name": "get_range"})).await;
    assert_eq!(talk.next().await, first);
    let mut talk = Talk::opened(&fault("wrong_id").await).await;
    assert_eq!(talk.ask("tools/call", json!({"name": "get_range"})).await["id"], 987_654_321);
    let mut talk = Talk::opened(&fault("garbage").await).await;
    talk.send(json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "get_range"}}))
        .await;
    assert!(serde_json::from_slice::<Value>(&talk.reader.next().await.unwrap().unwrap()).is_err());
}

#[tokio::test]
async fn a_relay_with_the_token_is_let_in() {
    let server = server(json!([{"give": {}}])).await;
    for (token, lines) in [(server.relay_token().to_owned(), 1), ("guessed".to_owned(), 0)] {
        let hello = Hello { token, upstream: "ludus".into(), pid: 7, environment_names: vec!["HOME".into()] };
        let request = b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n";
        let (mut out, to_out) = duplex(1 << 16);
        let exit = relay::connect_and_pipe(server.relay_address(), &hello, &request[..], to_out);
        let mut text = String::new();
        let (exit, _) =
            tokio::time::timeout(SOON, async { tokio::join!(exit, out.read_to_string(&mut text)) })
                .await
                .unwrap();
        assert_eq!((exit, text.lines().count()), (0, lines));
    }
    assert_eq!(server.relays().len(), 1);
    assert_eq!(server.relays()[0].environment_names, ["HOME"]);
}
