use super::lab::*;
use crate::reference::agent::Agent as Client;
use crate::reference::link::{Footing, LinesLink, Link};
use crate::reference::*;
use crate::transport::lines::{LineReader, LineWriter};
use crate::wire::{Json, Message, Revision, parse, rpc};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{duplex, split};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const POLICY: &str = r#"{"version":"1","default":"deny","tools":{"list":{},"hangs":{},"progress":{},
    "destroy":{"action":"deny","reason":"by people"}}}"#;

fn pipe() -> ((LineReader, LineWriter), (LineReader, LineWriter)) {
    let ((near_in, near_out), (far_in, far_out)) = {
        let (near, far) = duplex(1 << 16);
        (split(near), split(far))
    };
    let lines = |reader, writer| (LineReader::new(reader, 1 << 20), LineWriter::new(writer));
    (lines(near_in, near_out), lines(far_in, far_out))
}

async fn frame(reader: &mut LineReader) -> Json {
    parse(&reader.next().await.unwrap().unwrap()).unwrap()
}

#[tokio::test]
async fn an_agent_on_lines_is_served() {
    let server = Server::start().await;
    let upstream =
        Upstream { name: "lab".into(), reach: Reach::Http { url: server.url.clone(), headers: Vec::new() } };
    let anonymous = Grant { token: None, ..grant("alice", POLICY) };
    let settings = settings(vec![upstream], vec![anonymous], Channel::Retried);
    let gateway = Reference::new(settings, Conduct::default(), Clock::real()).unwrap();
    let ((mut reader, writer), (far_reader, far_writer)) = pipe();
    let serving = tokio::spawn({
        let gateway = gateway.clone();
        async move { gateway.serve_lines(far_reader, far_writer, CancellationToken::new()).await }
    });
    let send = async |text: String| writer.send(text.as_bytes()).await.unwrap();
    send(call("list", "{}")).await;
    assert_eq!(told(&frame(&mut reader).await), "error -32600", "not before `initialize`");
    let hello = serde_json::json!({"protocolVersion": "2025-06-18", "capabilities": {}});
    send(rpc::request(1, "initialize", hello.into()).to_string()).await;
    let greeting = frame(&mut reader).await;
    assert_eq!(greeting.pointer("/result/protocolVersion"), Some(&Json::from("2025-06-18")));
    for (sent, expected) in [
        (call("list", "{}"), "did list"),
        (call("destroy", "{}"), "! denied by policy: by people (/tools/destroy/action)"),
        ("nonsense".into(), "error -32700"),
        (format!("[{}]", call("list", "{}")), "error -32600"),
    ] {
        send(sent).await;
        assert_eq!(told(&frame(&mut reader).await), expected);
    }
    // A call put as a notification has no answer: the next line answers the ping.
    send(call("destroy", "{}").replace("\"id\":7,", "")).await;
    send(call("hangs", "{}")).await;
    server.wait(1, |frame| frame.contains("hangs")).await;
    send(
        rpc::notification("notifications/cancelled", serde_json::json!({"requestId": 7}).into()).to_string(),
    )
    .await;
    server.wait(1, |frame| frame.contains("notifications/cancelled")).await;
    send(rpc::request("p", "ping", Json::object()).to_string()).await;
    assert_eq!(frame(&mut reader).await.get("id"), Some(&Json::from("p")));
    assert_eq!(server.ran(), "list hangs");
    writer.close().await.unwrap();
    serving.await.unwrap();
    gateway.end().await;
}

/// A way to a scripted process, and that process's ends.
async fn link(revision: Revision) -> (Link, LineReader, LineWriter, Footing) {
    let ((reader, writer), (mut far_reader, far_writer)) = pipe();
    let (agent, tasks, closed) = (Arc::new(Client::default()), TaskTracker::new(), CancellationToken::new());
    let Conduct { answers, explains, relays, unpacks, hears, stands_in, .. } = Conduct::default();
    let hello = Json::object();
    let footing = Footing {
        revision,
        hello,
        agent,
        tasks,
        closed,
        answers,
        explains,
        relays,
        unpacks,
        hears,
        stands_in,
    };
    let opening = tokio::spawn(LinesLink::open(reader, writer, None, footing.clone()));
    if revision != Revision::V2026_07_28 {
        let hello = frame(&mut far_reader).await;
        let id = hello.get("id").unwrap().clone();
        far_writer.send(&rpc::result(id, Json::object()).to_bytes()).await.unwrap();
        assert!(frame(&mut far_reader).await.to_string().contains("notifications/initialized"));
    }
    (Link::Lines(opening.await.unwrap().unwrap()), far_reader, far_writer, footing)
}

fn ask<'a>(outlet: &'a mpsc::Sender<Json>, gone: &'a CancellationToken, params: &str) -> link::Ask<'a> {
    let params = Some(parse(params.as_bytes()).unwrap());
    link::Ask {
        method: "tools/call",
        params,
        headers: Vec::new(),
        outlet,
        gone,
        patience: Some(Duration::from_secs(20)),
    }
}

#[tokio::test]
async fn answers_of_a_process_find_their_requests() {
    let (link, mut far_reader, far_writer, footing) = link(Revision::V2025_11_25).await;
    let (outlet, mut interim) = mpsc::channel(8);
    let gone = CancellationToken::new();
    let one = link.ask(ask(&outlet, &gone, r#"{"name":"a","_meta":{"progressToken":1}}"#));
    let two = link.ask(ask(&outlet, &gone, r#"{"name":"b"}"#));
    let process = async {
        let (first, second) = (frame(&mut far_reader).await, frame(&mut far_reader).await);
        let say = async |frame: Json| far_writer.send(&frame.to_bytes()).await.unwrap();
        far_writer.send(b"garbage").await.unwrap();
        say(rpc::notification("notifications/progress", serde_json::json!({"progressToken": 1}).into()))
            .await;
        say(rpc::result(Json::from("unknown"), Json::object())).await;
        say(rpc::result(second.get("id").unwrap().clone(), second.pointer("/params/name").unwrap().clone()))
            .await;
        say(rpc::result(first.get("id").unwrap().clone(), first.pointer("/params/name").unwrap().clone()))
            .await;
    };
    let (one, two, ()) = tokio::join!(one, two, process);
    assert_eq!(one.unwrap().get("result"), Some(&Json::from("a")));
    assert_eq!(two.unwrap().get("result"), Some(&Json::from("b")));
    assert!(interim.recv().await.unwrap().to_string().contains("progress"));
    far_writer.send(&rpc::request("s", "ping", Json::object()).to_bytes()).await.unwrap();
    assert!(matches!(Message::of(&frame(&mut far_reader).await), Message::Response { outcome: Ok(_), .. }));
    footing.closed.cancel();
    footing.tasks.close();
    footing.tasks.wait().await;
}

#[tokio::test]
async fn a_process_is_told_what_is_taken_back_and_its_end_ends_every_wait() {
    let (link, mut far_reader, far_writer, _footing) = link(Revision::V2026_07_28).await;
    let (outlet, _interim) = mpsc::channel(8);
    let gone = CancellationToken::new();
    let (answer, ()) = tokio::join!(link.ask(ask(&outlet, &gone, r#"{"name":"a"}"#)), async {
        frame(&mut far_reader).await;
        gone.cancel();
        assert!(frame(&mut far_reader).await.to_string().contains("notifications/cancelled"));
    });
    assert_eq!(answer.unwrap_err().failure, crate::declared::Failure::Cancelled);
    let gone = CancellationToken::new();
    let (answer, ()) = tokio::join!(link.ask(ask(&outlet, &gone, r#"{"name":"b"}"#)), async {
        frame(&mut far_reader).await;
        far_writer.close().await.unwrap();
    });
    assert_eq!(answer.unwrap_err().failure, crate::declared::Failure::Dropped);
    assert!(link.is_dead());
}
