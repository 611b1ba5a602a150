//! The second opinion: what a client of the Rust SDK makes of gateways that answer in their own ways.

use bytes::Bytes;
use mcp_gauntlet::transport::http_server::{Body, Reply, Request, serve};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Output;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const SEEN: &str = include_str!("gateways/second.yaml");
const PASSES_ON: &str = include_str!("gateways/passes-on.yaml");

/// How a gateway answers a call, what an agent built on the SDK makes of it, and some of its words.
const WAYS: [(&str, &str, &str); 10] = [
    ("faithful", "members_lost", "dropped /content/*/extra"),
    ("limited", "body_lost", "HTTP 429"),
    ("unauthorized", "status_lost", "Auth required"),
    ("forbidden", "same", "denied by rule 7"),
    ("forbidden-in-words", "same", "come back in an hour"),
    ("refused", "same", "come back in an hour"),
    ("accepted", "hung", "nothing in time"),
    ("other-id", "hung", "nothing in time"),
    ("silent", "same", "nothing in time"),
    ("expired", "sent_twice", "after 2 arrivals"),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_way_is_told_as_the_agent_lives_it() {
    for (way, class, saw) in WAYS {
        let outcome = seen(way).await;
        let list = &outcome["scenarios"][0]["steps"][0]["second"];
        assert_eq!(list[0]["class"], "same", "{way}: {list}");
        let call = &outcome["scenarios"][0]["steps"][1]["second"];
        assert_eq!(call[0]["class"], class, "{way}: {call}");
        let told = call[0]["saw"].as_str().unwrap_or_default();
        assert!(told.contains(saw), "{way}: {told}");
    }
}

#[test]
fn people_are_told_beside_the_verdicts() {
    let here = tempfile::tempdir().unwrap();
    fs::write(here.path().join("s.yaml"), SEEN).unwrap();
    let together = "scenario: all at once\nupstreams: [ludus]\npolicy: {version: \"1\", default: allow, tools: {}}\n\
        steps:\n  - together: [{call: whoami}]\n  - call: whoami\n";
    fs::write(here.path().join("t.yaml"), together).unwrap();
    for gateway in ["reference", "direct"] {
        let ran =
            gauntlet(here.path(), &["run", "s.yaml", "t.yaml", "--gateway", gateway, "--agent", "rmcp"]);
        let told = String::from_utf8(ran.stdout).unwrap();
        assert_eq!(ran.status.code(), Some(0), "{gateway}: {told}");
        assert!(
            told.contains("second opinion, an rmcp client: 1 the same, 1 members lost, 2 not made\n"),
            "{told}"
        );
        assert!(
            told.contains("members lost: an rmcp client saw: a result with dropped /content/*/extra"),
            "{told}"
        );
    }
}

#[test]
fn a_gateway_on_stdio_is_started_for_the_sdk_too() {
    let here = tempfile::tempdir().unwrap();
    fs::write(here.path().join("s.yaml"), SEEN).unwrap();
    let ran = gauntlet(here.path(), &["run", "s.yaml", "--gateway", "reference-stdio", "--agent", "rmcp"]);
    let told = String::from_utf8(ran.stdout).unwrap();
    assert!(told.contains("second opinion, an rmcp client: 1 the same, 1 members lost\n"), "{told}");
}

/// The outcome of a run through a gateway that answers calls in that way.
async fn seen(way: &'static str) -> Value {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let profile = PASSES_ON.replace("ADDRESS", &listener.local_addr().unwrap().to_string());
    let stop = CancellationToken::new();
    let respond = move |request: Request| async move { answer(way, request).await };
    let serving = tokio::spawn(serve(listener, respond, stop.clone()));
    let outcome = tokio::task::spawn_blocking(move || run(&profile)).await.unwrap();
    stop.cancel();
    serving.await.unwrap();
    outcome
}

fn run(profile: &str) -> Value {
    let here = tempfile::tempdir().unwrap();
    fs::write(here.path().join("s.yaml"), SEEN).unwrap();
    fs::create_dir(here.path().join("gateway")).unwrap();
    fs::write(here.path().join("gateway/profile.yaml"), profile).unwrap();
    let ran = gauntlet(
        here.path(),
        &["run", "s.yaml", "--gateway", "gateway", "--agent", "rmcp", "--format", "json", "--timeout", "1s"],
    );
    assert_eq!(ran.status.code(), Some(0), "{}", String::from_utf8_lossy(&ran.stderr));
    serde_json::from_slice(&ran.stdout).unwrap()
}

fn gauntlet(folder: &Path, arguments: &[&str]) -> Output {
    let mut program = assert_cmd::Command::new(env!("CARGO_BIN_EXE_gauntlet"));
    program.args(arguments).current_dir(folder).env_clear().output().unwrap()
}

async fn answer(way: &str, request: Request) -> Reply {
    let frame: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let id = &frame["id"];
    let error =
        json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32000, "message": "come back in an hour"}});
    match (frame["method"].as_str(), way) {
        (Some("tools/call"), "limited") => typed(429, "application/json", error.to_string()),
        (Some("tools/call"), "refused") => typed(200, "application/json", error.to_string()),
        (Some("tools/call"), "forbidden") => typed(403, "text/plain", "denied by rule 7"),
        (Some("tools/call"), "forbidden-in-words") => typed(403, "application/json", error.to_string()),
        (Some("tools/call"), "unauthorized") => {
            let mut reply = typed(401, "text/plain", "");
            reply.headers.push(("www-authenticate".to_owned(), "Bearer".to_owned()));
            reply
        }
        (Some("tools/call"), "silent") => std::future::pending().await,
        (Some("tools/call"), "accepted") => typed(202, "text/plain", ""),
        (Some("tools/call"), "other-id") => typed(
            200,
            "application/json",
            json!({"jsonrpc": "2.0", "id": 4711, "result": {"content": []}}).to_string(),
        ),
        (Some("tools/call"), "expired") => {
            pass_on(request).await;
            typed(404, "text/plain", "no such session")
        }
        _ => pass_on(request).await,
    }
}

async fn pass_on(request: Request) -> Reply {
    let to = request.target.split_once("?to=").map(|(_, to)| to.to_owned()).unwrap_or_default();
    let mut passed = reqwest::Client::new().request(request.method.clone(), to);
    for name in ["accept", "content-type", "mcp-session-id", "mcp-protocol-version"] {
        if let Some(value) = request.header(name) {
            passed = passed.header(name, value);
        }
    }
    let answer = passed.body(request.body).send().await.unwrap();
    let status = answer.status().as_u16();
    let kept = |name: &str| {
        let value = answer.headers().get(name)?.to_str().ok()?;
        Some((name.to_owned(), value.to_owned()))
    };
    let headers = ["content-type", "mcp-session-id"].into_iter().filter_map(kept).collect();
    if answer.headers().get("content-type").is_some_and(|kind| kind == "text/event-stream") {
        return typed(405, "text/plain", "");
    }
    Reply { status, headers, body: Body::Full(answer.bytes().await.unwrap()) }
}

fn typed(status: u16, kind: &str, body: impl Into<Bytes>) -> Reply {
    Reply { status, headers: vec![("content-type".into(), kind.into())], body: Body::Full(body.into()) }
}
