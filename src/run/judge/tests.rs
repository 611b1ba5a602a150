use super::*;
use crate::run::telling::answer_line;
use crate::run::testing;
use crate::transcript::{Ended, HttpHead, Sent, Via};
use std::time::Duration;

const CALL: &str =
    r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"whoami","arguments":{}}}"#;
const PLAIN: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[]}}"#;

fn arrival(start: Instant, millis: u64, turned_away: bool) -> Arrival {
    let at = start + Duration::from_millis(millis);
    Arrival { seq: millis, turned_away, ..testing::arrival(at, CALL) }
}

fn asked(start: Instant, word: Word) -> Asked {
    let sent = Sent { at: start, bytes: CALL.into(), id: Some(1.into()) };
    let received = vec![Received::now(Via::Body, PLAIN)];
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

fn verdict_of(word: Word, turned_away: &[bool]) -> (Verdict, usize) {
    let start = Instant::now();
    let arrivals: Vec<Arrival> =
        turned_away.iter().zip(1..).map(|(away, millis)| arrival(start, millis, *away)).collect();
    let (judged, unexplained) = judge(&[asked(start, word)], &arrivals, |_| false);
    assert_eq!(unexplained, [0_usize; 0]);
    assert_eq!(judged[0].arrivals.len(), turned_away.len(), "what arrived is told in any case");
    (judged[0].verdict, judged[0].reach)
}

#[test]
fn what_is_sent_again_in_another_session_is_one_call() {
    assert_eq!(verdict_of(Word::Success, &[true, false]), (Verdict::Allowed, 1));
    assert_eq!(verdict_of(Word::Success, &[false, false]), (Verdict::Duplicated, 2));
    assert_eq!(verdict_of(Word::Denied, &[true, false]), (Verdict::Leaked, 1));
}

#[test]
fn a_loss_is_told_once() {
    let told = |why: &str| {
        let mut exchange = asked(Instant::now(), Word::Lost).exchanges.remove(0);
        (exchange.received, exchange.ended) = (Vec::new(), Ended::Lost(why.to_owned()));
        answer_line(&exchange)
    };
    assert_eq!(told("no connection: connection refused"), "no connection: connection refused");
    assert_eq!(told("connection lost: end of file"), "connection lost: end of file");
    assert_eq!(told("end of file"), "connection lost: end of file");
}

#[test]
fn what_was_turned_away_counts_where_the_call_is_said_to_be_stopped() {
    assert_eq!(verdict_of(Word::Denied, &[true]), (Verdict::Leaked, 1), "it was on its way");
    assert_eq!(verdict_of(Word::Limited, &[true]), (Verdict::Leaked, 1));
    assert_eq!(verdict_of(Word::Refused, &[true]), (Verdict::Failed, 0), "the server's own trouble");
    assert_eq!(verdict_of(Word::Failed, &[true]), (Verdict::Failed, 0));
    assert_eq!(verdict_of(Word::Success, &[true]), (Verdict::Unfounded, 0));
    assert_eq!(verdict_of(Word::Silence, &[true]), (Verdict::Unanswered, 0));
}
