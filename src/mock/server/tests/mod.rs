//! A living server, asked over real connections on the loopback.

mod faults;
mod legacy;
mod lines;
mod modern;
mod offered;
mod shipped;

use super::MockServer;
use crate::mock::{Answer, Mock};
use crate::wire::{Json, parse};
use serde_json::{Value, json};
use std::time::Duration;

/// Long enough for anything that happens at all: what is awaited with it never sleeps when all is well.
const SOON: Duration = Duration::from_secs(10);

/// A mock whose tools answer as these tests need it; `get_range` is the tool that they call.
fn mock(answers: Value) -> Mock {
    let answers: Vec<Answer> = serde_json::from_value(answers).unwrap();
    Mock::ludus().with_answers("get_range", answers).unwrap()
}

fn simple() -> Mock {
    mock(json!([{"give": {"hosts": 3}}]))
}

/// A client of a few lines that hides nothing.
struct Client {
    url: String,
    headers: Vec<(String, String)>,
}

struct Told {
    status: u16,
    headers: reqwest::header::HeaderMap,
    body: String,
}

impl Told {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{}: {error}", self.body))
    }

    /// The frames of an event stream.
    fn events(&self) -> Vec<Value> {
        let mut decoder = crate::wire::sse::Decoder::default();
        decoder
            .push(self.body.as_bytes())
            .iter()
            .map(|event| serde_json::from_str(&event.data).unwrap())
            .collect()
    }

    /// The text of a tool's first block.
    fn text(&self) -> String {
        self.json()["result"]["content"][0]["text"]
            .as_str()
            .unwrap_or_else(|| panic!("{}", self.body))
            .to_owned()
    }

    fn code(&self) -> (u16, i64) {
        (self.status, self.json()["error"]["code"].as_i64().unwrap_or_else(|| panic!("{}", self.body)))
    }
}

impl Client {
    fn new(server: &MockServer) -> Self {
        let headers =
            [("accept", "application/json, text/event-stream"), ("content-type", "application/json")];
        Self {
            url: server.url(),
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        }
    }

    /// The same with a header replaced or added.
    fn with(&self, name: &str, value: &str) -> Self {
        let mut headers: Vec<_> = self.headers.iter().filter(|(known, _)| known != name).cloned().collect();
        headers.push((name.to_owned(), value.to_owned()));
        Self { url: self.url.clone(), headers }
    }

    /// In a session of the legacy era.
    async fn opened(server: &MockServer, revision: &str) -> Self {
        let client = Self::new(server);
        let told = client.ask("initialize", json!({"protocolVersion": revision, "capabilities": {"elicitation": {}}, "clientInfo": {"name": "c", "version": "1"}})).await;
        assert_eq!(told.status, 200, "{}", told.body);
        client.with("mcp-session-id", told.headers["mcp-session-id"].to_str().unwrap())
    }

    fn send(&self, verb: reqwest::Method, body: impl Into<reqwest::Body>) -> reqwest::RequestBuilder {
        let request = reqwest::Client::new().request(verb, &self.url).body(body);
        self.headers.iter().fold(request, |request, (name, value)| request.header(name, value))
    }

    async fn raw(&self, verb: reqwest::Method, body: impl Into<reqwest::Body>) -> Told {
        let answer = self.send(verb, body).send().await.unwrap();
        Told {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            body: answer.text().await.unwrap(),
        }
    }

    async fn post(&self, frame: Value) -> Told {
        self.raw(reqwest::Method::POST, frame.to_string()).await
    }

    async fn ask(&self, method: &str, params: Value) -> Told {
        self.post(json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})).await
    }

    async fn call(&self, tool: &str, arguments: Value) -> Told {
        self.ask("tools/call", json!({"name": tool, "arguments": arguments})).await
    }

    /// A request of the modern era, its headers as they should be.
    async fn modern(&self, method: &str, mut params: Value) -> Told {
        params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2026-07-28");
        if params["_meta"].get("io.modelcontextprotocol/clientCapabilities").is_none() {
            params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
        }
        let mut client = self.with("mcp-protocol-version", "2026-07-28").with("mcp-method", method);
        if let Some(name) = params.get("name").or(params.get("uri")).and_then(Value::as_str) {
            client = client.with("mcp-name", name);
        }
        client.ask(method, params).await
    }
}

fn value(text: &[u8]) -> Json {
    parse(text).unwrap()
}

#[test]
fn a_server_is_ready_at_once_in_any_thread() {
    fn assert<T: Send + Sync>() {}
    assert::<MockServer>();
    assert::<Mock>();
}
