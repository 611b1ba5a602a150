//! Requests by hand, where an SDK would hide what the bytes were.

use crate::guest::Era;
use mcp_gauntlet::mock::MockServer;
use mcp_gauntlet::transport::lines::{LONGEST, LineReader, LineWriter};
use serde_json::{Value, json};
use std::sync::Arc;

const LEGACY: &str = "2025-11-25";
const MODERN: &str = "2026-07-28";

/// The parameters of a request of that era.
fn params(era: Era, mut params: Value) -> Value {
    if era == Era::Modern {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": {"name": "plain", "version": "1.0.0"},
        });
    }
    params
}

fn initialize() -> Value {
    let params = json!({
        "protocolVersion": LEGACY,
        "capabilities": {},
        "clientInfo": {"name": "plain", "version": "1.0.0"},
    });
    json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params})
}

/// All entries of `tools/list` as they stand on the wire, over HTTP.
pub(crate) async fn list_over_http(url: &str, era: Era) -> Vec<Value> {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let mut session = None;
    let ask = async |session: Option<&str>, body: &Value| {
        let version = if era == Era::Modern { MODERN } else { LEGACY };
        let mut request = client
            .post(url)
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", version)
            .body(body.to_string());
        if era == Era::Modern {
            request = request.header("mcp-method", body["method"].as_str().expect("a method"));
        }
        if let Some(session) = session {
            request = request.header("mcp-session-id", session);
        }
        request.send().await.expect("an answer")
    };
    if era == Era::Legacy {
        let answer = ask(None, &initialize()).await;
        session = answer.headers().get("mcp-session-id").map(|id| id.to_str().expect("a text").to_owned());
        ask(session.as_deref(), &json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
    }
    let mut tools = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let body = list(era, &cursor);
        let answer = ask(session.as_deref(), &body).await;
        assert_eq!(answer.status(), 200, "{era:?}");
        let text = answer.text().await.expect("a body");
        cursor = take_page(&text, &mut tools);
        if cursor.is_null() {
            return tools;
        }
    }
}

/// All entries of `tools/list` as they stand on the wire, on lines.
pub(crate) async fn list_on_lines(server: &Arc<MockServer>, era: Era) -> Vec<Value> {
    let (near, far) = tokio::io::duplex(1 << 16);
    let (read, write) = tokio::io::split(far);
    let server = Arc::clone(server);
    let (reader, writer) = (LineReader::new(read, LONGEST), LineWriter::new(write));
    tokio::spawn(async move { server.serve_lines(reader, writer).await });
    let (read, write) = tokio::io::split(near);
    let (mut reader, writer) = (LineReader::new(read, LONGEST), LineWriter::new(write));
    if era == Era::Legacy {
        writer.send(initialize().to_string().as_bytes()).await.expect("sent");
        reader.next().await.expect("read").expect("an answer");
        let told = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        writer.send(told.to_string().as_bytes()).await.expect("sent");
    }
    let mut tools = Vec::new();
    let mut cursor = Value::Null;
    loop {
        writer.send(list(era, &cursor).to_string().as_bytes()).await.expect("sent");
        let line = reader.next().await.expect("read").expect("an answer");
        cursor = take_page(std::str::from_utf8(&line).expect("UTF-8"), &mut tools);
        if cursor.is_null() {
            return tools;
        }
    }
}

fn list(era: Era, cursor: &Value) -> Value {
    let asked = if cursor.is_null() { json!({}) } else { json!({ "cursor": cursor }) };
    json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": params(era, asked)})
}

/// Takes the entries of one page; what follows is the next cursor, or null.
fn take_page(text: &str, tools: &mut Vec<Value>) -> Value {
    let frame: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let page = frame["result"]["tools"].as_array().unwrap_or_else(|| panic!("no tools: {text}"));
    tools.extend(page.iter().cloned());
    frame["result"]["nextCursor"].clone()
}
