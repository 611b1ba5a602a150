use super::*;
use crate::mock::{Headers, Transport};
use crate::transcript::{HttpHead, Sent, Via};
use std::sync::OnceLock;
use std::time::Duration;

const CALL: &str =
    r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"whoami","arguments":{}}}"#;
const GONE: &str =
    r#"{"jsonrpc":"2.0","id":"server-error","error":{"code":-32600,"message":"Session not found"}}"#;
const PLAIN: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[]}}"#;

fn arrival(start: Instant, millis: u64, turned_away: bool) -> Arrival {
    Arrival {
        seq: millis,
        at: start + Duration::from_millis(millis),
        upstream: "ludus".into(),
        session: None,
        transport: Transport::Http,
        request: None,
        headers: Headers::default(),
        calls: OnceLock::new(),
        bytes: CALL.into(),
        method: Some("tools/call".into()),
        executed: Vec::new(),
        receipts: Vec::new(),
        abandoned: false,
        turned_away,
    }
}

fn asked(start: Instant, word: Word, reply: &'static str) -> Asked {
    let sent = Sent { at: start, bytes: CALL.into(), id: Some(1.into()) };
    let received = vec![Received::now(Via::Body, reply)];
    let http = Some(HttpHead { status: 200, headers: Vec::new() });
    Asked {
        tool: Some("whoami".into()),
        reads: Vec::new(),
        upstream: None,
        arguments: Json::object(),
        headers: Vec::new(),
        session: "agent".into(),
        exchanges: vec![Exchange { sent, http, received, ended: Ended::Answered }],
        told: Told { word, ..Told::silence() },
        opened: start,
        closed: None,
        decided: None,
        notification: false,
        known: true,
    }
}

fn verdict_of(word: Word, reply: &'static str, turned_away: &[bool]) -> (Verdict, usize) {
    let start = Instant::now();
    let arrivals: Vec<Arrival> =
        turned_away.iter().zip(1..).map(|(away, millis)| arrival(start, millis, *away)).collect();
    let (judged, unexplained) = judge(&[asked(start, word, reply)], &arrivals, |_| false);
    assert_eq!(unexplained, [0_usize; 0]);
    assert_eq!(judged[0].arrivals.len(), turned_away.len(), "what arrived is told in any case");
    (judged[0].verdict, judged[0].reach)
}

#[test]
fn what_is_sent_again_in_another_session_is_one_call() {
    assert_eq!(verdict_of(Word::Success, PLAIN, &[true, false]), (Verdict::Allowed, 1));
    assert_eq!(verdict_of(Word::Success, PLAIN, &[false, false]), (Verdict::Duplicated, 2));
    assert_eq!(verdict_of(Word::Denied, PLAIN, &[true, false]), (Verdict::Leaked, 1));
}

#[test]
fn what_was_turned_away_counts_where_the_call_is_said_to_be_stopped() {
    assert_eq!(verdict_of(Word::Denied, PLAIN, &[true]), (Verdict::Leaked, 1), "it was on its way");
    assert_eq!(verdict_of(Word::Refused, PLAIN, &[true]), (Verdict::Leaked, 1));
    assert_eq!(verdict_of(Word::Refused, GONE, &[true]), (Verdict::Failed, 0), "the server's own word");
    assert_eq!(verdict_of(Word::Failed, PLAIN, &[true]), (Verdict::Failed, 0));
    assert_eq!(verdict_of(Word::Success, PLAIN, &[true]), (Verdict::Unfounded, 0));
    assert_eq!(verdict_of(Word::Silence, PLAIN, &[true]), (Verdict::Unanswered, 0));
}
