//! Gateways that speak badly: each gives a verdict, none a hang or a panic, and nothing of theirs reaches a terminal.

use crate::program::{Ran, ran};
use crate::suite::folder;
use bytes::Bytes;
use mcp_gauntlet::transport::http_server::{Body, Chunk, Reply, Request, serve};
use quick_junit::Report;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

const CALL: &str = include_str!("../gateways/one-call.yaml");
const LINES: &str = include_str!("../gateways/speaks-badly.yaml");
const HTTP: &str = include_str!("../gateways/answers-badly.yaml");

/// Bad ways on stdio, and the verdict on the call; the script is `tests/gateways/bin/speaks-badly`.
const ON_STDIO: [(&str, &str); 10] = [
    ("never", "unanswered"),
    ("other-id", "unanswered"),
    ("twice", "unfounded"),
    ("huge", "unfounded"),
    ("junk", "unfounded"),
    ("escapes", "refused"),
    ("raw-escapes", "refused"),
    ("deep", "unanswered"),
    ("dies", "lost"),
    ("dies-midway", "lost"),
];

/// Bad ways over HTTP, and the verdict on the call.
const OVER_HTTP: [(&str, &str); 15] = [
    ("never", "unanswered"),
    ("status-alone", "failed"),
    ("forbidden-alone", "refused"),
    ("accepted", "unanswered"),
    ("no-content", "unanswered"),
    ("other-id", "failed"),
    ("twice", "unfounded"),
    ("huge", "unfounded"),
    ("stream-dies", "lost"),
    ("stream-ends", "unanswered"),
    ("stream-never-ends", "unanswered"),
    ("truncated", "lost"),
    ("closes", "lost"),
    ("page", "failed"),
    ("escapes", "refused"),
];

#[cfg(unix)]
#[test]
fn each_bad_way_on_stdio_has_a_verdict() {
    let bin = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/gateways/bin");
    let path = format!("{bin}:/usr/bin:/bin");
    for (way, verdict) in ON_STDIO {
        let told = told(&LINES.replace("WAY", way), patience(verdict), &[("PATH", &path)]);
        told.is_judged(way, verdict);
    }
    let never = told(&LINES.replace("WAY", "dies-at-once"), "20s", &[("PATH", &path)]).ran;
    assert_eq!(never.code, 3, "{}", never.err);
    assert!(never.err.contains("its last words:\nno license \\u{1b}[31mfound"), "{}", never.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_bad_way_over_http_has_a_verdict() {
    for (way, verdict) in OVER_HTTP {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let profile = HTTP.replace("ADDRESS", &format!("'http://{}/mcp'", listener.local_addr().unwrap()));
        let stop = CancellationToken::new();
        let respond = move |request: Request| async move { reply(way, &request).await };
        let serving = tokio::spawn(serve(listener, respond, stop.clone()));
        let told = tokio::task::spawn_blocking(move || told(&profile, patience(verdict), &[])).await.unwrap();
        told.is_judged(way, verdict);
        stop.cancel();
        serving.await.unwrap();
    }
}

/// What a run printed and wrote.
struct Told {
    ran: Ran,
    json: String,
    junit: String,
    _folder: TempDir,
}

/// Only where nothing comes, the wait has to be sat out.
fn patience(verdict: &str) -> &'static str {
    if verdict == "unanswered" { "700ms" } else { "20s" }
}

/// Runs the one call through a gateway.
fn told(profile: &str, patience: &str, environment: &[(&str, &str)]) -> Told {
    let here = folder(&[("call/one-call.yaml", CALL), ("gateway/profile.yaml", profile)]);
    let mut arguments = vec!["run", "call/one-call.yaml", "--gateway", "gateway", "--timeout", patience];
    arguments.extend(["--json", "outcome.json", "--junit", "junit.xml"]);
    let ran = ran(here.path(), &arguments, environment);
    let written = |name: &str| fs::read_to_string(Path::join(here.path(), name)).unwrap_or_default();
    Told { json: written("outcome.json"), junit: written("junit.xml"), ran, _folder: here }
}

impl Told {
    /// Holds it against the verdict that it should have come to, and looks for what must not be in a report.
    fn is_judged(&self, way: &str, verdict: &str) {
        let Ran { code, out, err } = &self.ran;
        assert_eq!(*code, 1, "{way}\n{out}{err}");
        let outcome: Value = serde_json::from_str(&self.json).unwrap();
        assert_eq!(outcome["scenarios"][0]["steps"][1]["verdict"], verdict, "{way}\n{out}");
        let harmless =
            |text: &str| !text.chars().any(|one| one != '\n' && (one.is_control() || one == '\u{202e}'));
        for (where_to, text) in [("out", out), ("err", err), ("JSON", &self.json), ("JUnit", &self.junit)] {
            assert!(harmless(text), "{way}, {where_to}:\n{text}");
            assert!(text.len() < 100_000, "{way}, {where_to}: {} bytes", text.len());
        }
        Report::deserialize_from_str(&self.junit).unwrap();
        assert!(!err.contains("panicked"), "{way}\n{err}");
    }
}

async fn reply(way: &str, request: &Request) -> Reply {
    let frame: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let id = &frame["id"];
    match frame["method"].as_str() {
        Some("initialize") => whole(&json!({"jsonrpc": "2.0", "id": id, "result": {
            "protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": {"name": "bad", "version": "1"}}})),
        Some("tools/list") => whole(&json!({"jsonrpc": "2.0", "id": id, "result": {"tools": [
            {"name": "\u{1b}[31mred\u{9b}2J\u{202e}", "inputSchema": {"type": "object"}}]}})),
        Some("tools/call") => bad(way, id).await,
        _ => bare(if request.method == "GET" { 405 } else { 202 }),
    }
}

async fn bad(way: &str, id: &Value) -> Reply {
    let result = |text: &str| json!({"jsonrpc": "2.0", "id": id, "result": {"content": [{"type": "text", "text": text}]}});
    let event = |text: &str| format!("data: {}\n\n", result(text));
    match way {
        "never" => std::future::pending().await,
        "status-alone" => bare(502),
        "forbidden-alone" => bare(403),
        "accepted" => bare(202),
        "no-content" => bare(204),
        "other-id" => whole(&json!({"jsonrpc": "2.0", "id": 4711, "result": {"content": []}})),
        "twice" => stream(vec![Chunk::Data((event("first") + &event("second")).into())]),
        "huge" => whole(&result(&"x".repeat(10 << 20))),
        "stream-dies" => stream(vec![Chunk::Data(": wait\n\ndata: {\"jsonrpc\"".into()), Chunk::Abort]),
        "stream-ends" => stream(vec![Chunk::Data(": nothing follows\n\n".into())]),
        "stream-never-ends" => {
            let (sender, receiver) = mpsc::channel(1);
            sender.send(Chunk::Data(": wait\n\n".into())).await.unwrap();
            tokio::spawn(async move { sender.closed().await });
            streamed(receiver)
        }
        "truncated" => Reply { body: Body::Truncated("{\"jsonrpc\":".into(), 1000), ..whole(&Value::Null) },
        "closes" => Reply { body: Body::Abort, ..bare(200) },
        "page" => typed(200, "text/html", "<h1>It works!</h1>\u{1b}[2J"),
        "escapes" => typed(403, "text/plain", "\u{1b}[31mred\u{1b}]0;title\u{7} \u{9b}2J \u{202e} ]]> <b>"),
        other => panic!("no way `{other}`"),
    }
}

fn typed(status: u16, kind: &str, body: impl Into<Bytes>) -> Reply {
    Reply { status, headers: vec![("content-type".into(), kind.into())], body: Body::Full(body.into()) }
}

fn whole(frame: &Value) -> Reply {
    typed(200, "application/json", frame.to_string())
}

fn bare(status: u16) -> Reply {
    Reply { status, headers: Vec::new(), body: Body::Full(Bytes::new()) }
}

fn streamed(chunks: mpsc::Receiver<Chunk>) -> Reply {
    Reply { body: Body::Stream(chunks), ..typed(200, "text/event-stream", "") }
}

fn stream(chunks: Vec<Chunk>) -> Reply {
    let (sender, receiver) = mpsc::channel(chunks.len());
    chunks.into_iter().for_each(|chunk| sender.try_send(chunk).unwrap());
    streamed(receiver)
}
