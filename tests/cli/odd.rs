//! A gateway unlike others: every tool has another name, and whoever is refused gets a line of text instead of a frame.

use mcp_gauntlet::transport::http_client::{HttpClient, Outgoing};
use mcp_gauntlet::transport::http_server::{Body, Reply, Request, serve};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How it is driven, without a word about what its answers mean.
pub(crate) const PROFILE: &str = include_str!("../gateways/odd.yaml");

/// Calls that got through, by server and tool; lists, by session.
type Counts = Arc<Mutex<HashMap<String, u64>>>;

/// Begins to serve; gives where, and what ends it.
pub(crate) async fn stand() -> (SocketAddr, CancellationToken, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
    let (counts, client) = (Counts::default(), HttpClient::new());
    let respond = move |request: Request| {
        let (counts, client) = (counts.clone(), client.clone());
        async move { answer(&request, &counts, &client).await }
    };
    let serving = tokio::spawn(serve(listener, respond, stop.clone()));
    (address, stop, serving)
}

async fn answer(request: &Request, counts: &Counts, client: &HttpClient) -> Reply {
    if request.method != http::Method::POST {
        return Reply::status(405);
    }
    // `/NAME/URL`: which server stands behind it, and where.
    let (name, url) = request.target[1..].split_once('/').unwrap();
    let Ok(mut frame @ Value::Object(_)) = serde_json::from_slice::<Value>(&request.body) else {
        return text(400, "that is no request\n");
    };
    if request.header("x-modern-only").is_some() {
        return modern_only(request);
    }
    if request.header("mcp-method").is_some() {
        return text(400, "that is not spoken here\n");
    }
    if frame["method"] == "tools/call" {
        let called = frame["params"]["name"].as_str().unwrap_or_default().to_owned();
        let Some(tool) = called.strip_prefix(&format!("{name}.")).map(|tool| tool.replace('-', "_")) else {
            return text(404, &format!("who is {called}?\n"));
        };
        let policy: Value = serde_json::from_str(request.header("x-policy").unwrap()).unwrap();
        if request.header("x-lists-first").is_some()
            && !counts.lock().unwrap().contains_key(&session(request))
        {
            return text(404, &format!("who is {called}? nobody asked for the list\n"));
        }
        if let Some(refusal) = refusal(&policy, &tool, &format!("{url} {tool}"), counts) {
            return refusal;
        }
        frame["params"]["name"] = json!(tool);
    }
    if frame["method"] == "tools/list" {
        counts.lock().unwrap().insert(session(request), 1);
    }
    forward(request, &frame, (client, url), name).await
}

/// The key under which a session's list is noted.
fn session(request: &Request) -> String {
    format!("list of {}", request.header("mcp-session-id").unwrap_or_default())
}

/// A gateway of the modern era alone that knows nobody.
fn modern_only(request: &Request) -> Reply {
    let (status, code, words) = match request.header("mcp-method") {
        None => (400, -32_602, "this is spoken in another way here"),
        Some(_) => (401, -32_011, "who is asking?"),
    };
    let frame = json!({"jsonrpc": "2.0", "id": null, "error": {"code": code, "message": words}});
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    Reply { status, headers, body: Body::Full(frame.to_string().into()) }
}

fn refusal(policy: &Value, tool: &str, counter: &str, counts: &Counts) -> Option<Reply> {
    let rule = &policy["tools"][tool];
    let hidden = policy["hide"].as_array().unwrap().iter().any(|name| name == tool);
    let allowed = if rule.is_null() { policy["default"] == "allow" } else { rule["action"] == "allow" };
    if hidden || !allowed {
        let reason = rule["reason"].as_str().unwrap_or("it is not on the list");
        return Some(text(403, &format!("no way, {tool}: {reason}\n")));
    }
    let max = rule["limits"][0]["max"].as_u64()?;
    let mut counts = counts.lock().unwrap();
    let count = counts.entry(counter.to_owned()).or_default();
    *count += 1;
    (*count > max).then(|| text(503, &format!("slow down, {max} is enough; come back in 7 seconds\n")))
}

async fn forward(request: &Request, frame: &Value, (client, url): (&HttpClient, &str), name: &str) -> Reply {
    let kept = ["accept", "content-type", "mcp-session-id", "mcp-protocol-version"];
    let headers = kept.iter().filter_map(|name| Some(((*name).to_owned(), request.header(name)?.to_owned())));
    let outgoing = Outgoing {
        method: http::Method::POST,
        url: url.to_owned(),
        headers: headers.collect(),
        body: frame.to_string().into(),
    };
    let Ok(answer) = client.send(outgoing).await else { return text(502, "nobody is there\n") };
    let (status, headers) = (answer.status, answer.headers.clone());
    let Ok(body) = answer.whole(64 << 20).await else { return text(502, "it broke off\n") };
    let body = match serde_json::from_slice::<Value>(&body) {
        Ok(mut frame) => {
            let policy: Value = serde_json::from_str(request.header("x-policy").unwrap()).unwrap();
            let hidden = |tool: &Value| policy["hide"].as_array().unwrap().contains(&tool["name"]);
            if let Some(tools) = frame["result"]["tools"].as_array_mut() {
                tools.retain(|tool| !hidden(tool));
            }
            if frame["result"]["content"].is_array() {
                lose(&mut frame, request.header("x-loses").unwrap_or_default());
            }
            for tool in frame["result"]["tools"].as_array_mut().into_iter().flatten() {
                tool["name"] = json!(format!("{name}.{}", tool["name"].as_str().unwrap().replace('_', "-")));
            }
            frame.to_string().into()
        }
        Err(_) => body,
    };
    let headers = headers.into_iter().filter(|(name, _)| name == "content-type" || name == "mcp-session-id");
    Reply { status, headers: headers.collect(), body: Body::Full(body) }
}

/// What becomes of a server's answer, as the profile wants it.
fn lose(frame: &mut Value, way: &str) {
    match way {
        "the error" => frame["result"]["isError"] = json!(false),
        "the answer" => {
            frame["result"] =
                json!({"isError": true, "content": [{"type": "text", "text": "the answer has no schema"}]});
        }
        _ => {}
    }
}

fn text(status: u16, body: &str) -> Reply {
    let headers = vec![("content-type".to_owned(), "text/plain".to_owned())];
    Reply { status, headers, body: Body::Full(body.to_owned().into()) }
}
