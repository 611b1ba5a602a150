use super::*;
use crate::transport::http_server::{Body, Chunk, Reply, Request, serve};
use bytes::Bytes;
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};

/// What a server does with a tools/call.
type OnCall = fn(&Json) -> Reply;

/// A server that opens sessions properly and answers calls in its own way.
struct Server {
    url: String,
    /// Every request: verb and target, headers, body.
    asked: Arc<Mutex<Vec<Request>>>,
    /// The streams that it holds open.
    streams: Streams,
    _stop: DropGuard,
}

type Streams = Arc<Mutex<Vec<mpsc::Sender<Chunk>>>>;

async fn start(on_call: OnCall) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    let (asked, streams, stop) =
        (Arc::<Mutex<Vec<Request>>>::default(), Streams::default(), CancellationToken::new());
    let seen = (asked.clone(), streams.clone());
    let respond = move |request: Request| {
        seen.0.lock().unwrap().push(request.clone());
        let reply = reply(&request, on_call, &seen.1);
        async move { reply }
    };
    tokio::spawn(serve(listener, respond, stop.clone()));
    Server { url, asked, streams, _stop: stop.drop_guard() }
}

fn reply(request: &Request, on_call: OnCall, streams: &Streams) -> Reply {
    let frame = parse(&request.body).unwrap_or_default();
    match (request.method.as_str(), method(&frame)) {
        ("GET", _) => held(streams),
        ("DELETE", _) => Reply::status(204),
        (_, "initialize") => {
            let date = frame.pointer("/params/protocolVersion").unwrap();
            let result = format!(r#"{{"protocolVersion":{date},"capabilities":{{}}}}"#);
            Reply::json(200, response(&frame, &result)).with("mcp-session-id", "s-1")
        }
        (_, "subscriptions/listen") => held(streams),
        (_, "tools/call") => on_call(&frame),
        _ => Reply::status(202),
    }
}

/// An open stream of events.
fn held(streams: &Streams) -> Reply {
    let (sender, chunks) = mpsc::channel(8);
    streams.lock().unwrap().push(sender);
    let headers = vec![("content-type".to_owned(), "text/event-stream; charset=utf-8".to_owned())];
    Reply { status: 200, headers, body: Body::Stream(chunks) }
}

fn events(frames: &[String]) -> Reply {
    let bytes: Vec<u8> = frames.iter().flat_map(|frame| crate::wire::sse::event(frame)).collect();
    Reply::full(200, "text/event-stream", bytes)
}

impl Server {
    async fn open(&self, revision: Revision, notices: bool) -> Session {
        let headers = vec![("authorization".to_owned(), "Bearer t".to_owned())];
        let target = Target::Http { url: self.url.clone(), headers };
        Session::open(target, Opening { notices, ..opening(Some(revision)) }).await.unwrap()
    }

    fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }
}

/// What becomes of a call before such a server.
async fn called(on_call: OnCall) -> Exchange {
    let server = start(on_call).await;
    server.open(Revision::V2025_11_25, false).await.start(call()).wait(LONG).await
}

fn status(exchange: &Exchange) -> u16 {
    exchange.http.as_ref().unwrap().status
}

#[tokio::test]
async fn a_legacy_session_says_what_it_must_in_headers() {
    let server = start(|frame| Reply::json(200, response(frame, "{}"))).await;
    let session = server.open(Revision::V2025_11_25, false).await;
    let mut ask = call();
    ask.headers = vec![("Authorization".into(), "Bearer other".into()), ("x-b".into(), "1".into())];
    let exchange = session.start(ask).wait(LONG).await;
    assert_eq!(
        (exchange.ended.clone(), status(&exchange), texts(&exchange)[0].0),
        (Ended::Answered, 200, Via::Body)
    );
    assert_eq!(status(&session.close().await.unwrap()), 204);
    let asked = server.asked();
    let header = |nth: usize, name: &str| asked[nth].header(name).map(str::to_owned);
    assert_eq!((header(0, "mcp-session-id"), header(0, "mcp-protocol-version")), (None, None));
    assert_eq!(
        (header(0, "authorization").as_deref(), header(2, "authorization").as_deref()),
        (Some("Bearer t"), Some("Bearer other"))
    );
    for nth in 1..4 {
        assert_eq!(header(nth, "mcp-session-id").as_deref(), Some("s-1"));
        assert_eq!(header(nth, "mcp-protocol-version").as_deref(), Some("2025-11-25"));
    }
    assert_eq!((asked.len(), asked[3].method.as_str(), asked[3].header("content-type")), (4, "DELETE", None));
}

#[tokio::test]
async fn odd_answers_are_answers_as_they_came() {
    let empty = called(|_| Reply::status(403)).await;
    assert_eq!((empty.ended.clone(), status(&empty), empty.received.len()), (Ended::Answered, 403, 0));
    let accepted = called(|_| Reply::status(202)).await;
    assert_eq!(
        (accepted.ended.clone(), status(&accepted), accepted.response()),
        (Ended::Answered, 202, None)
    );
    let limited = called(|_| Reply::full(429, "text/plain", "slow down").with("retry-after", "7")).await;
    assert_eq!((status(&limited), limited.header("retry-after")), (429, Some("7")));
    assert_eq!(texts(&limited), [(Via::Body, "slow down".to_owned())]);
    let wrong = called(|_| Reply::json(200, r#"{"jsonrpc":"2.0","id":"wrong","result":{}}"#)).await;
    assert_eq!((wrong.ended.clone(), wrong.received.len(), wrong.response()), (Ended::Answered, 1, None));
    let moved = called(|_| Reply::status(307).with("location", "/elsewhere")).await;
    assert_eq!((status(&moved), moved.header("location")), (307, Some("/elsewhere")));
    let junk = called(|_| Reply::full(200, "text/event-stream", "no events\nat all")).await;
    assert_eq!((junk.ended.clone(), texts(&junk)), (Ended::Answered, vec![(Via::Body, "at all".to_owned())]));
}

#[tokio::test]
async fn a_stream_is_heard_to_its_end_with_both_answers() {
    let progress = r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{}}"#;
    let exchange = called(|frame| {
        let progress = r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{}}"#.to_owned();
        events(&[progress, response(frame, "{\"n\":1}"), response(frame, "{\"n\":2}")])
    })
    .await;
    assert_eq!(
        (exchange.ended.clone(), exchange.responses().count(), exchange.received.len()),
        (Ended::Answered, 2, 3)
    );
    assert_eq!(texts(&exchange)[0], (Via::Event, progress.to_owned()));
    assert_eq!(result(&exchange), json("{\"n\":1}"));
}

/// A stream of these chunks; then it is held open, or cut.
fn chunks(chunks: Vec<Chunk>, held: bool) -> Reply {
    let (sender, receiver) = mpsc::channel(8);
    for chunk in chunks {
        sender.try_send(chunk).unwrap();
    }
    if held {
        tokio::spawn(async move { sender.closed().await });
    }
    let headers = vec![("content-type".to_owned(), "text/event-stream".to_owned())];
    Reply { status: 200, headers, body: Body::Stream(receiver) }
}

#[tokio::test]
async fn a_stream_that_stays_open_after_the_response_ends_it_soon() {
    let exchange = called(|frame| {
        let event = crate::wire::sse::event(&response(frame, "{}"));
        chunks(vec![Chunk::Data(event.into())], true)
    })
    .await;
    assert_eq!((exchange.ended.clone(), exchange.responses().count()), (Ended::Answered, 1));
}

#[tokio::test]
async fn broken_connections_are_lost_with_what_had_come() {
    let aborted = called(|_| Reply { status: 200, headers: Vec::new(), body: Body::Abort }).await;
    assert!(matches!(aborted.ended, Ended::Lost(_)) && aborted.http.is_none());
    let truncated =
        called(|_| Reply { status: 200, headers: Vec::new(), body: Body::Truncated("{\"half".into(), 90) })
            .await;
    assert!(matches!(truncated.ended, Ended::Lost(_)), "{truncated:?}");
    assert_eq!(texts(&truncated), [(Via::Body, "{\"half".to_owned())]);
    let cut =
        called(|_| chunks(vec![Chunk::Data("data: {}\n\ndata: {\"ha".into()), Chunk::Abort], false)).await;
    assert!(matches!(cut.ended, Ended::Lost(_)), "{cut:?}");
    assert_eq!(texts(&cut), [(Via::Event, "{}".to_owned()), (Via::Body, "data: {\"ha".to_owned())]);
    let (unbound, target) = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/mcp", listener.local_addr().unwrap());
        (listener, Target::Http { url, headers: Vec::new() })
    };
    drop(unbound);
    let error = Session::open(target, opening(None)).await.unwrap_err();
    assert!(error.what.starts_with("no connection"), "{}", error.what);
}

#[tokio::test]
async fn ten_mebibytes_are_an_answer() {
    let exchange =
        called(|frame| Reply::json(200, response(frame, &format!("\"{}\"", "x".repeat(10 << 20))))).await;
    assert_eq!(result(&exchange).as_str().map(str::len), Some(10 << 20));
}

#[tokio::test]
async fn silence_is_quiet_and_a_half_answer_is_seen() {
    let server = start(|_| {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Reply { headers, ..chunks(vec![Chunk::Data("{\"half".into())], true) }
    })
    .await;
    let mut flight = server.open(Revision::V2025_11_25, false).await.start(call());
    let exchange = flight.wait_until(|exchange| !exchange.received.is_empty(), LONG).await;
    assert_eq!(
        (exchange.ended.clone(), texts(&exchange)),
        (Ended::Quiet, vec![(Via::Body, "{\"half".to_owned())])
    );
    assert_eq!(flight.wait(Duration::ZERO).await.ended, Ended::Quiet);
}

#[tokio::test]
async fn notices_come_on_their_own_stream_and_requests_there_are_answered() {
    let server = start(|frame| Reply::json(200, response(frame, "{}"))).await;
    let session = server.open(Revision::V2025_11_25, true).await;
    let stream = server.streams.lock().unwrap()[0].clone();
    let since = Instant::now();
    let changed = r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#;
    let ping = r#"{"jsonrpc":"2.0","id":"p","method":"ping"}"#;
    for frame in [ping, changed] {
        stream.send(Chunk::Data(crate::wire::sse::event(frame).into())).await.unwrap();
    }
    let notice = session.notice("tools/list_changed", since, LONG).await.unwrap();
    assert_eq!((notice.via, notice.bytes), (Via::Notices, Bytes::from(changed)));
    drop(session);
    stream.closed().await;
}

#[tokio::test]
async fn a_request_in_the_answers_stream_is_refused_by_another_post() {
    let server = start(|_| {
        let ask = r#"{"jsonrpc":"2.0","id":4,"method":"sampling/createMessage","params":{}}"#;
        chunks(vec![Chunk::Data(crate::wire::sse::event(ask).into())], true)
    })
    .await;
    let session = server.open(Revision::V2025_11_25, false).await;
    let mut flight = session.start(call());
    let refused = |request: &Request| {
        parse(&request.body).unwrap_or_default().pointer("/error/code").and_then(Json::as_i64)
    };
    flight.wait_until(|exchange| !exchange.received.is_empty(), LONG).await;
    // A later call on the session shows that the reply before it went out.
    let answered = session.answer(Json::from(4), Ok(Json::object())).await;
    assert_eq!((answered.ended.clone(), status(&answered)), (Ended::Answered, 202));
    while !server.asked().iter().any(|request| refused(request) == Some(-32601)) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn modern_needs_no_opening_and_cancels_by_closing() {
    let server =
        start(|frame| chunks(vec![Chunk::Data(format!(": {}\n", frame.get("id").unwrap()).into())], true))
            .await;
    let session = server.open(Revision::V2026_07_28, false).await;
    assert!(session.opening_exchanges().is_empty() && server.asked().is_empty());
    let mut flight = session.start(call());
    flight.wait_until(|exchange| exchange.http.is_some(), LONG).await;
    flight.cancel().await;
    assert_eq!(flight.wait(LONG).await.ended, Ended::Lost("closed by the client".into()));
    let asked = server.asked();
    assert_eq!(
        (asked.len(), asked[0].header("mcp-method"), asked[0].header("mcp-name")),
        (1, Some("tools/call"), Some("list_hosts"))
    );
    assert!(session.close().await.is_none());
}

#[tokio::test]
async fn modern_notices_are_subscribed_to() {
    let server = start(|frame| Reply::json(200, response(frame, "{}"))).await;
    let session = server.open(Revision::V2026_07_28, true).await;
    let stream = server.streams.lock().unwrap()[0].clone();
    let changed = r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#;
    let since = Instant::now();
    stream.send(Chunk::Data(crate::wire::sse::event(changed).into())).await.unwrap();
    assert!(session.notice("tools/list_changed", since, LONG).await.is_some());
    let asked = server.asked();
    let wanted = parse(&asked[0].body).unwrap();
    assert_eq!(wanted.pointer("/params/notifications/toolsListChanged"), Some(&Json::Bool(true)));
}

#[tokio::test]
async fn raw_requests_choose_verb_path_headers_and_bytes() {
    let server = start(|_| Reply::status(500)).await;
    let session = server.open(Revision::V2025_11_25, false).await;
    let raw = Raw {
        bytes: Bytes::from_static(b"\xff{"),
        headers: vec![("Origin".into(), "http://evil.test".into())],
        without: vec!["MCP-Session-Id".into(), "Authorization".into()],
        method: Some(::http::Method::PUT),
        path: Some("/other?x=1".into()),
        ..Raw::default()
    };
    let exchange = session.start_raw(raw).wait(LONG).await;
    assert_eq!(status(&exchange), 202);
    let asked = server.asked().pop().unwrap();
    assert_eq!(
        (asked.method.as_str(), asked.target.as_str(), &asked.body[..]),
        ("PUT", "/other?x=1", &b"\xff{"[..])
    );
    assert_eq!(
        (asked.header("origin"), asked.header("mcp-session-id"), asked.header("authorization")),
        (Some("http://evil.test"), None, None)
    );
}

/// The result of a call, as gzip.
fn packed(frame: &Json) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, response(frame, r#"{"content":[]}"#).as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn what_comes_packed_is_unpacked_or_said_to_be_unreadable() {
    let calls: [(OnCall, bool); 3] = [
        (|frame| Reply::json(200, packed(frame)).with("content-encoding", "gzip"), true),
        (|frame| Reply::json(200, packed(frame)).with("content-encoding", "br"), false),
        (|frame| Reply::json(200, packed(frame)[..20].to_vec()).with("content-encoding", "gzip"), false),
    ];
    for (on_call, readable) in calls {
        let exchange = called(on_call).await;
        assert_eq!(exchange.response().is_some(), readable);
        assert_eq!(exchange.unreadable().is_none(), readable, "{:?}", exchange.ended);
        assert!(!exchange.received.is_empty() && exchange.header("content-encoding").is_some());
    }
}
