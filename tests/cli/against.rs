//! Direct against through: what a gateway adds, drops and changes is told, and decides nothing.

use crate::program::{Ran, ran};
use crate::suite::{SOUND, STRICT, folder};
use bytes::Bytes;
use mcp_gauntlet::transport::http_server::{Body, Reply, Request, serve};
use mcp_gauntlet::wire::sse::Decoder;
use serde_json::{Value, json};
use std::fs;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const COMPARED: &str = include_str!("../gateways/compared.yaml");
const PASSES_ON: &str = include_str!("../gateways/passes-on.yaml");

/// A call whose numbers a careless gateway rounds.
const NUMBERS: &str = "\
scenario: numbers arrive
upstreams: [ludus]
policy: {version: \"1\", default: allow, tools: {}}
steps:
  - call: update_range_config
    with: {config: {big: 123456789012345678901234567890, spelled: 1.50}}
";

/// The table alone: how long calls took is of the moment.
fn table(told: &str) -> String {
    let lines = told.lines().skip_while(|line| !line.contains("direct against through"));
    lines.take_while(|line| !line.contains("latency of")).map(|line| format!("{line}\n")).collect()
}

fn against(scenario: &str, more: &[&str]) -> Ran {
    let here = folder(&[("s.yaml", scenario)]);
    ran(here.path(), &[&["run", "s.yaml", "--against", "direct"], more].concat(), &[])
}

#[test]
fn the_honest_reference_hides_and_marks_lists_as_private() {
    let listed = COMPARED.replace("tools: {}", "hide: [destroy_vm], tools: {}");
    let ran = against(&listed, &[]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    insta::assert_snapshot!(table(&ran.out), @r#"
    direct against through: 3 calls and 1 list compared
      what the agent gets
        changed    header cache-control      1 call  no-cache, no-transform → no-cache
        dropped    header x-accel-buffering  1 call  no
        changed    /result/cacheScope        1 list  "public" → "private"
        dropped    /result/tools/*           1 list  destroy_vm
    "#);
}

#[test]
fn without_a_gateway_there_is_no_difference() {
    let ran = against(COMPARED, &["--gateway", "direct"]);
    insta::assert_snapshot!(table(&ran.out), @r"
    direct against through: 3 calls and 1 list compared
      nothing was added, dropped or changed
    ");
}

#[test]
fn on_stdio_both_ways_are_lines() {
    let ran = against(COMPARED, &["--gateway", "reference-stdio"]);
    insta::assert_snapshot!(table(&ran.out), @r"
    direct against through: 3 calls and 1 list compared
      nothing was added, dropped or changed
    ");
    assert!(ran.out.contains("latency of list_hosts: "), "{}", ran.out);
}

#[test]
fn a_flaw_of_the_reference_shows_where_it_bites() {
    let rows = |scenario: &str, flaw: &str| table(&against(scenario, &["--flaw", flaw]).out);
    insta::assert_snapshot!(rows(SOUND, "alters-results"), @r#"
    direct against through: 1 call and 0 lists compared
      what the agent gets
        dropped    /result/structuredContent  1 call  {"result":[{"ID":101,"proxmoxID":101,"rangeNumber":1,"name":"LAB-route… (1526 more bytes)
    "#);
    insta::assert_snapshot!(rows(NUMBERS, "rounds-numbers"), @r"
    direct against through: 1 call and 0 lists compared
      what the server gets
        changed    /params/arguments/config/big      1 call  123456789012345678901234567890 → 1.2345678901234568e+29
        respelled  /params/arguments/config/spelled  1 call  1.50 → 1.5
    ");
    insta::assert_snapshot!(rows(SOUND, "passes-the-bearer-on"), @r"
    direct against through: 1 call and 0 lists compared
      what the server gets
        added      header authorization  1 call  (a credential)
    ");
    insta::assert_snapshot!(rows(SOUND, "sends-twice"), @r"
    direct against through: 1 call and 0 lists compared
      what the server gets
        changed    number of arrivals  1 call  1 → 2
    ");
}

#[test]
fn the_outcome_holds_the_comparison_and_what_was_measured() {
    let here = folder(&[("sound.yaml", SOUND), ("strict.yaml", STRICT)]);
    let arguments = ["run", ".", "--against", "direct", "--json", "outcome.json"];
    let ran = ran(here.path(), &arguments, &[]);
    assert_eq!(ran.code, 0, "{}", ran.out);
    let outcome: Value =
        serde_json::from_str(&fs::read_to_string(here.path().join("outcome.json")).unwrap()).unwrap();
    let comparison = &outcome["gateways"][0]["comparison"];
    assert_eq!((&comparison["calls"], &comparison["lists"]), (&json!(2), &json!(0)));
    assert_eq!(comparison["rows"], json!([]), "the reference leaves a plain call as it is");
    let latency = &comparison["latency"];
    let millis = |way: &str, quantile: &str| latency[way][quantile].as_f64().unwrap_or_default();
    assert!(latency["calls"].as_u64().unwrap() > 0 && latency["cores"].as_u64().unwrap() > 0, "{latency}");
    assert!(millis("direct", "p50_ms") > 0.0 && millis("through", "p50_ms") > 0.0, "{latency}");
    assert!(
        latency["direct"]["p99_ms"].is_null() || millis("direct", "p99_ms") >= millis("direct", "p50_ms")
    );
    assert!(ran.out.contains("latency of list_hosts: "), "{}", ran.out);
}

#[test]
fn nothing_is_compared_unless_that_is_asked_for() {
    let here = folder(&[("sound.yaml", SOUND)]);
    let ran = ran(here.path(), &["run", ".", "--format", "json"], &[]);
    let outcome: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(outcome["gateways"][0].get("comparison"), None);
}

#[test]
fn where_no_call_gets_through_that_is_said() {
    let here = folder(&[(
        "strict.yaml",
        &STRICT.replace("default: deny, tools: {list_hosts: {}}", "default: deny, tools: {}"),
    )]);
    let ran = ran(here.path(), &["run", ".", "--against", "direct"], &[]);
    assert!(ran.out.contains("latency was not measured: no call got through"), "{}", ran.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_meddles_is_told_member_by_member() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let profile = PASSES_ON.replace("ADDRESS", &listener.local_addr().unwrap().to_string());
    let stop = CancellationToken::new();
    let serving =
        tokio::spawn(serve(listener, |request: Request| async move { meddle(request).await }, stop.clone()));
    let told = tokio::task::spawn_blocking(move || {
        let here = folder(&[("s.yaml", COMPARED), ("gateway/profile.yaml", &profile)]);
        ran(here.path(), &["run", "s.yaml", "--gateway", "gateway", "--against", "direct"], &[])
    });
    let told = told.await.unwrap();
    stop.cancel();
    serving.await.unwrap();
    assert_eq!(told.code, 0, "what is compared decides nothing: {}{}", told.out, told.err);
    insta::assert_snapshot!(table(&told.out), @r#"
    direct against through: 3 calls and 1 list compared
      what the agent gets
        changed    /error/code                   1 call   -32050 → -32000
        reordered  /result/content               1 call   [{"type":"text","text":"first"},{"type":"text","text":"{\"seats\": 1.5… (31 more bytes) → [{"type":"text","text":"{\"seats\": 1.50}"},{"type":"text","text":"fir… (5 more bytes)
        dropped    /result/content/*/extra       1 call   {"kept":[1,null]}
        renamed    /result/structuredContent     1 call   "structuredContent" → "structured_content"
        dropped    frame notifications/progress  1 call   {"jsonrpc":"2.0","method":"notifications/progress","params":{"progress… (39 more bytes)
        dropped    header cache-control          1 call   no-cache, no-transform
        changed    header content-type           1 call   text/event-stream → application/json
        dropped    header x-accel-buffering      1 call   no
        added      header x-gateway              3 calls  \u{202e}meddler
        added      /result/tools/*               1 list   gateway_status
        changed    /result/tools/*/description   1 list   "Shows one range with its machines, networks and state. Without a user… (25 more bytes) → "\u001b[2J"
        added      header x-gateway              1 list   \u{202e}meddler
      what the server gets
        added      /params/_meta                2 calls  {"via":"gateway"}
        dropped    /params/_meta/progressToken  1 call   "(minted)"
        added      /params/_meta/via            1 call   "gateway"
        added      header authorization         3 calls  (a credential)
        added      header x-forwarded-for       3 calls  192.0.2.7
    "#);
}

/// Passes a request on, and does to it and to its answer what gateways have been seen to do.
async fn meddle(request: Request) -> Reply {
    let to = request.target.split_once("?to=").map(|(_, to)| to.to_owned()).unwrap_or_default();
    let mut frame: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    if frame["method"] == "tools/call" {
        frame["params"]["_meta"] = json!({"via": "gateway"});
    }
    let mut passed = reqwest::Client::new().request(request.method.clone(), to);
    for name in ["accept", "content-type", "mcp-session-id", "mcp-protocol-version", "authorization"] {
        if let Some(value) = request.header(name) {
            passed = passed.header(name, value);
        }
    }
    let body = if request.body.is_empty() { Bytes::new() } else { frame.to_string().into() };
    let answer = passed.header("x-forwarded-for", "192.0.2.7").body(body).send().await.unwrap();
    let status = answer.status().as_u16();
    let session = answer.headers().get("mcp-session-id").cloned();
    let said = answer.bytes().await.unwrap();
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    headers.push(("x-gateway".to_owned(), "\u{202e}meddler".to_owned()));
    headers.extend(session.map(|id| ("mcp-session-id".to_owned(), id.to_str().unwrap().to_owned())));
    Reply { status, headers, body: Body::Full(changed(&last_frame(&said))) }
}

/// The response; notices before it are lost on the way.
fn last_frame(said: &[u8]) -> Bytes {
    let events = Decoder::default().push(said);
    events.into_iter().next_back().map_or_else(|| Bytes::copy_from_slice(said), |event| event.data.into())
}

fn changed(said: &Bytes) -> Bytes {
    let Ok(mut frame) = serde_json::from_slice::<Value>(said) else { return said.clone() };
    if let Some(code) = frame.pointer_mut("/error/code") {
        *code = json!(-32000);
    }
    if let Some(result) = frame.get_mut("result").and_then(Value::as_object_mut) {
        if let Some(structure) = result.remove("structuredContent") {
            result.insert("structured_content".to_owned(), structure);
        }
        if let Some(content) = result.get_mut("content").and_then(Value::as_array_mut) {
            content.reverse();
            content.iter_mut().for_each(|block| drop(block.as_object_mut().unwrap().remove("extra")));
        }
        if let Some(tools) = result.get_mut("tools").and_then(Value::as_array_mut) {
            tools[0]["description"] = json!("\u{1b}[2J");
            tools.push(json!({"name": "gateway_status", "inputSchema": {"type": "object"}}));
        }
    }
    frame.to_string().into()
}
