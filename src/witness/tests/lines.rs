use super::*;
use crate::transport::{LineReader, LineWriter};
use std::time::Instant;
use tokio::io::duplex;

/// The far side of a session over lines.
struct Far {
    reader: LineReader,
    writer: LineWriter,
}

impl Far {
    async fn next(&mut self) -> Json {
        let line = self.reader.next().await.unwrap().expect("the witness closed");
        parse(&line).unwrap()
    }

    async fn send(&self, line: &str) {
        self.writer.send(line.as_bytes()).await.unwrap();
    }

    async fn answer(&mut self, result: &str) -> Json {
        let frame = self.next().await;
        self.send(&response(&frame, result)).await;
        frame
    }
}

fn pair() -> (Target, Far) {
    let ((near_in, far_out), (far_in, near_out)) = (duplex(1 << 16), duplex(1 << 16));
    let limit = 16 << 20;
    let target = Target::Stdio { reader: LineReader::new(near_in, limit), writer: LineWriter::new(near_out) };
    (target, Far { reader: LineReader::new(far_in, limit), writer: LineWriter::new(far_out) })
}

async fn legacy(elicitation: bool) -> (Session, Far) {
    let (target, mut far) = pair();
    let opening = Opening { elicitation, ..opening(Some(Revision::V2025_11_25)) };
    let serving = async {
        let initialize = far.answer(r#"{"protocolVersion":"2025-06-18","capabilities":{}}"#).await;
        assert_eq!(initialize.pointer("/params/protocolVersion").unwrap().as_str(), Some("2025-11-25"));
        assert_eq!(initialize.pointer("/params/capabilities/elicitation").is_some(), elicitation);
        assert_eq!(method(&far.next().await), "notifications/initialized");
    };
    let (session, ()) = tokio::join!(Session::open(target, opening), serving);
    (session.unwrap(), far)
}

#[tokio::test]
async fn a_legacy_session_opens_lists_calls_and_closes() {
    let (session, mut far) = legacy(false).await;
    assert_eq!(
        (session.revision(), session.id(), session.opening_exchanges().len()),
        (Revision::V2025_06_18, None, 2)
    );
    let serving = async {
        far.answer(r#"{"tools":[{"name":"a"},{"name":"b"}],"nextCursor":"x"}"#).await;
        let second = far.answer(r#"{"tools":[{"name":"a"}]}"#).await;
        assert_eq!(second.pointer("/params/cursor").unwrap().as_str(), Some("x"));
        far.send("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}").await;
        assert_eq!(far.answer("{\"content\":[]}").await.get("id"), Some(&json("9007199254740993")));
        assert!(far.reader.next().await.unwrap().is_none());
    };
    let using = async {
        let list = session.list_tools(LONG).await;
        assert_eq!((list.pages.len(), list.tools.len(), list.incomplete), (2, 3, None));
        let exact = Ask { id: Some(json("9007199254740993")), ..call() };
        let exchange = session.start(exact).wait(LONG).await;
        assert_eq!((exchange.ended.clone(), exchange.http.is_none()), (Ended::Answered, true));
        assert_eq!(result(&exchange), json("{\"content\":[]}"));
        assert_eq!(session.notices().len(), 1);
        assert!(session.close().await.is_none());
    };
    tokio::join!(serving, using);
}

#[tokio::test]
async fn a_session_may_list_before_anything_else_and_that_is_part_of_its_opening() {
    let (target, mut far) = pair();
    let opening = Opening { lists_first: true, ..opening(Some(Revision::V2025_11_25)) };
    let serving = async {
        far.answer(r#"{"protocolVersion":"2025-11-25","capabilities":{}}"#).await;
        assert_eq!(method(&far.next().await), "notifications/initialized");
        assert_eq!(method(&far.answer(r#"{"tools":[{"name":"a"}],"nextCursor":"x"}"#).await), "tools/list");
        assert_eq!(method(&far.answer(r#"{"tools":[{"name":"b"}]}"#).await), "tools/list");
    };
    let (session, ()) = tokio::join!(Session::open(target, opening), serving);
    let session = session.unwrap();
    let said = session.opening_exchanges();
    let said: Vec<Json> = said.iter().map(|exchange| parse(&exchange.sent.bytes).unwrap()).collect();
    let methods: Vec<&str> = said.iter().map(method).collect();
    assert_eq!(methods, ["initialize", "notifications/initialized", "tools/list", "tools/list"]);
    let mut calling = session.start(call());
    let (exchange, called) = tokio::join!(calling.wait(LONG), far.answer("{\"content\":[]}"));
    assert_eq!((method(&called), exchange.ended), ("tools/call", Ended::Answered));
}

#[tokio::test]
async fn cursors_without_an_end_are_noticed() {
    let (session, mut far) = legacy(false).await;
    let serving = async {
        for _ in 0..2 {
            far.answer(r#"{"tools":[],"nextCursor":"again"}"#).await;
        }
    };
    let (list, ()) = tokio::join!(session.list_tools(LONG), serving);
    assert_eq!((list.pages.len(), list.incomplete), (2, Some("cursors without an end")));
}

#[tokio::test]
async fn answers_find_their_exchange_in_any_order_and_a_second_one_too() {
    let (session, mut far) = legacy(false).await;
    let (mut first, mut second) = (session.start(call()), session.start(call()));
    let (one, two) = (far.next().await, far.next().await);
    far.send(&response(&two, "{\"n\":2}")).await;
    far.send(&response(&one, "{\"n\":1}")).await;
    far.send(&response(&one, "{\"n\":3}")).await;
    assert_eq!(result(&second.wait(LONG).await), json("{\"n\":2}"));
    let twice = |exchange: &Exchange| exchange.responses().count() == 2;
    assert_eq!(result(&first.wait(LONG).await), json("{\"n\":1}"));
    let mut third = session.start(call());
    far.answer("{}").await;
    third.wait(LONG).await;
    assert!(twice(&first.so_far()) && !twice(&second.so_far()));
    assert!(session.notices().is_empty());
}

#[tokio::test]
async fn junk_a_wrong_id_and_silence_are_quiet_and_kept() {
    let (session, mut far) = legacy(false).await;
    let mut flight = session.start(call());
    let frame = far.next().await;
    for line in ["Listening on port 80", "", "{\"jsonrpc\":\"2.0\",\"id\":\"wrong\",\"result\":{}}"] {
        far.send(line).await;
    }
    let exchange = flight.wait_until(|exchange| exchange.received.len() == 3, LONG).await;
    assert_eq!((exchange.ended, session.notices().len()), (Ended::Quiet, 3));
    assert_eq!(flight.wait(Duration::ZERO).await.ended, Ended::Quiet);
    far.send(&response(&frame, "{}")).await;
    assert_eq!(flight.wait(LONG).await.ended, Ended::Answered);
}

#[tokio::test]
async fn an_end_of_the_output_loses_what_waits_and_what_comes() {
    let (session, far) = legacy(false).await;
    let mut flight = session.start(call());
    drop(far);
    assert!(matches!(flight.wait(LONG).await.ended, Ended::Lost(_)));
    assert!(matches!(session.start(call()).wait(LONG).await.ended, Ended::Lost(_)));
}

#[tokio::test]
async fn ten_mebibytes_are_an_answer_and_a_line_without_end_is_a_loss() {
    let (session, mut far) = legacy(false).await;
    let mut flight = session.start(call());
    let text = format!("\"{}\"", "x".repeat(10 << 20));
    let (exchange, _) = tokio::join!(flight.wait(LONG), far.answer(&text));
    assert_eq!(result(&exchange).as_str().map(str::len), Some(10 << 20));
    let mut flight = session.start(call());
    let (exchange, ()) = tokio::join!(flight.wait(LONG), async { far.send(&"x".repeat(17 << 20)).await });
    assert_eq!(exchange.ended, Ended::Lost(format!("a line of more than {} bytes", 16 << 20)));
    let mut after = session.start(call());
    far.next().await;
    far.answer("{}").await;
    assert_eq!(after.wait(LONG).await.ended, Ended::Answered);
}

#[tokio::test]
async fn a_ping_is_answered_and_what_was_not_offered_is_refused() {
    let (session, mut far) = legacy(false).await;
    let flight = session.start(call());
    far.next().await;
    far.send(r#"{"jsonrpc":"2.0","id":"p","method":"ping"}"#).await;
    assert_eq!(far.next().await, json(r#"{"jsonrpc":"2.0","id":"p","result":{}}"#));
    far.send(r#"{"jsonrpc":"2.0","id":8,"method":"elicitation/create","params":{}}"#).await;
    assert_eq!(far.next().await.pointer("/error/code").unwrap().as_i64(), Some(-32601));
    assert_eq!(flight.so_far().received.len(), 2);
}

#[tokio::test]
async fn an_elicitation_that_was_offered_is_the_runners() {
    let (session, mut far) = legacy(true).await;
    let mut flight = session.start(call());
    let frame = far.next().await;
    far.send(r#"{"jsonrpc":"2.0","id":8,"method":"elicitation/create","params":{}}"#).await;
    let asked = flight.wait_until(|exchange| !exchange.received.is_empty(), LONG).await;
    assert_eq!(asked.ended, Ended::Quiet);
    session.answer(Json::from(8), Ok(json(r#"{"action":"accept"}"#))).await;
    assert_eq!(far.next().await, json(r#"{"jsonrpc":"2.0","id":8,"result":{"action":"accept"}}"#));
    far.send(&response(&frame, "{}")).await;
    assert_eq!(flight.wait(LONG).await.ended, Ended::Answered);
}

#[tokio::test]
async fn raw_bytes_go_out_unchanged_and_an_answer_without_an_id_is_theirs() {
    let (session, mut far) = legacy(false).await;
    let mut flight = session.start_raw(Raw { bytes: "{\"a\": 1,, }".into(), ..Raw::default() });
    assert_eq!(far.reader.next().await.unwrap().unwrap(), "{\"a\": 1,, }");
    far.send(r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"no"}}"#).await;
    assert_eq!(flight.wait(LONG).await.ended, Ended::Answered);
    let mut batch =
        session.start_raw(Raw { bytes: "[{},{}]\n".into(), id: Some(Json::from(70)), ..Raw::default() });
    assert_eq!(far.reader.next().await.unwrap().unwrap(), "[{},{}]");
    far.send(r#"[{"jsonrpc":"2.0","id":71,"result":{}},{"jsonrpc":"2.0","id":70,"result":{}}]"#).await;
    assert_eq!(batch.wait(LONG).await.ended, Ended::Answered);
}

#[tokio::test]
async fn an_answer_without_an_id_is_for_the_only_one_that_waits() {
    let (session, mut far) = legacy(false).await;
    let refusal = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"too large"}}"#;
    let mut flight = session.start(call());
    far.next().await;
    far.send(refusal).await;
    assert_eq!(flight.wait(LONG).await.ended, Ended::Answered);
    let (mut one, mut other) = (session.start(call()), session.start(call()));
    let (first, second) = (far.next().await, far.next().await);
    far.send(refusal).await;
    far.send(&response(&first, "{}")).await;
    far.send(&response(&second, "{}")).await;
    for exchange in [one.wait(LONG).await, other.wait(LONG).await] {
        assert!(exchange.response().is_some(), "whose it was could not be told: {exchange:?}");
    }
}

#[tokio::test]
async fn a_cancelled_call_is_told_and_a_late_answer_still_seen() {
    let (session, mut far) = legacy(false).await;
    let mut flight = session.start(call());
    let frame = far.next().await;
    flight.cancel().await;
    let told = far.next().await;
    assert_eq!(
        (method(&told), told.pointer("/params/requestId")),
        ("notifications/cancelled", frame.get("id"))
    );
    far.send(&response(&frame, "{}")).await;
    assert_eq!(flight.wait(LONG).await.ended, Ended::Answered);
}

#[tokio::test]
async fn notices_can_be_waited_for() {
    let (session, far) = legacy(false).await;
    let since = Instant::now();
    let changed = r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#;
    let (notice, ()) = tokio::join!(session.notice("tools/list_changed", since, LONG), far.send(changed));
    assert_eq!(notice.unwrap().bytes, changed);
    assert!(session.notice("tools/list_changed", Instant::now(), Duration::ZERO).await.is_none());
    assert!(session.notice("notifications/tools/list_changed", since, Duration::ZERO).await.is_some());
}

#[tokio::test]
async fn modern_is_offered_first_and_taken_or_left() {
    let (target, mut far) = pair();
    let serving = async {
        let discover =
            far.answer(r#"{"resultType":"complete","supportedVersions":["2026-07-28","2025-11-25"]}"#).await;
        assert_eq!(method(&discover), "server/discover");
        assert!(discover.pointer("/params/_meta/io.modelcontextprotocol~1protocolVersion").is_some());
    };
    let (session, ()) = tokio::join!(Session::open(target, opening(None)), serving);
    assert_eq!(session.unwrap().revision(), Revision::V2026_07_28);
    let refusals = [
        (r#""code":-32601,"message":"?""#, "2025-11-25"),
        (r#""code":-32022,"message":"?","data":{"supported":["2024-11-05","2025-03-26"]}"#, "2025-03-26"),
    ];
    for (refusal, revision) in refusals {
        let (target, mut far) = pair();
        let serving = async {
            let discover = far.next().await;
            far.send(&format!(
                r#"{{"jsonrpc":"2.0","id":{},"error":{{{refusal}}}}}"#,
                discover.get("id").unwrap()
            ))
            .await;
            let initialize =
                far.answer(&format!(r#"{{"protocolVersion":"{revision}","capabilities":{{}}}}"#)).await;
            assert_eq!(initialize.pointer("/params/protocolVersion").unwrap().as_str(), Some(revision));
            assert!(initialize.pointer("/params/_meta").is_none());
            far.next().await;
        };
        let (session, ()) = tokio::join!(Session::open(target, opening(None)), serving);
        let session = session.unwrap();
        assert_eq!((session.revision().as_str(), session.opening_exchanges().len()), (revision, 3));
    }
}

#[tokio::test]
async fn what_opens_no_session_says_why_and_what_was_said() {
    let answers = [
        (
            Some(r#""result":{"protocolVersion":"1999-01-01"}"#),
            "`initialize` was answered with revision `1999-01-01`",
        ),
        (Some(r#""error":{"code":-32000,"message":"no"}"#), "`initialize` was refused: -32000 no"),
        (None, "`initialize` was not answered in time"),
    ];
    for (answer, what) in answers {
        let (target, mut far) = pair();
        let serving = async {
            far.next().await;
            if let Some(answer) = answer {
                far.send(&format!(r#"{{"jsonrpc":"2.0","id":1,{answer}}}"#)).await;
            }
            far
        };
        let patience = if answer.is_some() { LONG } else { Duration::from_millis(10) };
        let opening = Opening { patience, ..opening(Some(Revision::V2025_11_25)) };
        let (session, _far) = tokio::join!(Session::open(target, opening), serving);
        let error = session.unwrap_err();
        assert_eq!((error.what.as_str(), error.exchanges.len()), (what, 1));
    }
}
