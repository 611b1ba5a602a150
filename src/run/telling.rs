//! A call that was judged, its answer and its arrivals, as outcomes have them: printable and bounded.

use super::judge::{Asked, Judged};
use super::outcome::{ArrivalSeen, CallOutcome};
use crate::diagnostic::{printable, printable_bytes, printable_within};
use crate::gateway::Word;
use crate::mock::Arrival;
use crate::transcript::{Ended, Exchange};
use crate::transport::http_client::STAGES;
use crate::wire::{Json, Message};
use std::time::Instant;

/// Answers are kept to this many characters in an outcome.
const EXCERPT: usize = 2_000;

/// What reports tell of a call.
pub fn outcome(call: &Asked, judged: &Judged, arrivals: &[Arrival]) -> CallOutcome {
    let answered_at =
        call.exchanges.last().and_then(|exchange| exchange.received.last()).map(|piece| piece.at);
    let seen = judged.arrivals.iter().enumerate().map(|(index, place)| {
        // A batch is one arrival and several calls.
        let nth = judged.arrivals[..index].iter().filter(|other| *other == place).count();
        seen(&arrivals[*place], (call.tool.as_deref(), nth), answered_at)
    });
    CallOutcome {
        tool: printable(call.tool.as_deref().unwrap_or("(raw bytes)")),
        arguments: (&call.arguments).into(),
        session: call.session.clone(),
        verdict: judged.verdict.word(),
        unmet: false,
        reach: judged.reach,
        told: word(judged.told),
        reason: call.told.reason.as_deref().map(|reason| printable_within(reason, EXCERPT)),
        retry_after: call.told.retry_after.map(|after| after.as_secs_f64()),
        arguments_fidelity: judged.arguments,
        answer_fidelity: judged.answer,
        change: judged.change.clone(),
        frame: frame(call),
        http: call.exchanges.last().and_then(|exchange| Some(exchange.http.as_ref()?.status)),
        answer: call.exchanges.last().map(answer_line).unwrap_or_default(),
        arrivals: seen.collect(),
    }
}

/// Raw bytes as reports tell them.
fn frame(call: &Asked) -> Option<String> {
    let first = call.exchanges.first().filter(|_| call.tool.is_none())?;
    Some(printable_bytes(&first.sent.bytes, EXCERPT))
}

/// One arrival as reports tell it: what ran; where nothing did, of several readings the one that names the tool that was
/// asked for. Of a batch, the nth that ran.
pub fn seen(
    arrival: &Arrival,
    (tool, nth): (Option<&str>, usize),
    answered_at: Option<Instant>,
) -> ArrivalSeen {
    let is = |name: &str| Some(name) == tool;
    let ran = &arrival.executed;
    let ran = ran.iter().find(|ran| is(&ran.tool) && nth == 0).or(ran.get(nth));
    let read = || {
        let called = arrival.calls().iter().find(|call| is(&call.tool)).or(arrival.calls().first())?;
        Some((&called.tool, &called.arguments))
    };
    let called = ran.map(|ran| (&ran.tool, &ran.arguments)).or_else(read);
    let before = answered_at.map(|at| match at.checked_duration_since(arrival.at) {
        Some(before) => before.as_secs_f64() * 1e3,
        None => arrival.at.duration_since(at).as_secs_f64() * -1e3,
    });
    ArrivalSeen {
        upstream: arrival.upstream.clone(),
        tool: called.map(|(tool, _)| named(tool)).unwrap_or_default(),
        arguments: called.map(|(_, arguments)| arguments.into()).unwrap_or_default(),
        executed: ran.is_some(),
        before_answer_ms: before,
    }
}

/// A tool's name; a call may have none.
fn named(tool: &str) -> String {
    if tool.is_empty() { "(no name)".to_owned() } else { printable(tool) }
}

/// The answer in one printable line: what kind it is, then its words.
pub fn answer_line(exchange: &Exchange) -> String {
    let text = match exchange.response() {
        Some(Message::Response { outcome: Ok(result), .. }) => {
            let kind = if result.get("isError").and_then(Json::as_bool) == Some(true) {
                "result isError"
            } else {
                "result"
            };
            let content = result.get("content").and_then(Json::as_array).unwrap_or_default();
            let texts: Vec<&str> = content.iter().filter_map(|block| block.get("text")?.as_str()).collect();
            format!("{kind}  \"{}\"", texts.join(" "))
        }
        Some(Message::Response { outcome: Err(error), .. }) => {
            format!("error {}  \"{}\"", error.code, error.message)
        }
        _ => no_response(exchange),
    };
    printable_within(&text, EXCERPT)
}

fn no_response(exchange: &Exchange) -> String {
    let said = exchange.received.last().map(|piece| String::from_utf8_lossy(&piece.bytes).into_owned());
    match (&exchange.ended, said) {
        (Ended::Lost(why), _) if STAGES.iter().any(|stage| why.starts_with(stage)) => why.clone(),
        (Ended::Lost(why), _) => format!("connection lost: {why}"),
        (Ended::Quiet, None) => "no answer in time".to_owned(),
        (Ended::Quiet, Some(said)) => format!("no answer in time, but {said}"),
        (Ended::Answered, None) => "an empty answer".to_owned(),
        (Ended::Answered, Some(said)) => format!("not a response: {said}"),
    }
}

/// The word for what the agent was told, as outcomes spell it.
pub fn word(told: Word) -> &'static str {
    match told {
        Word::Success => "success",
        Word::Denied => "denied",
        Word::Limited => "limited",
        Word::Pending => "pending",
        Word::Unauthorized => "unauthorized",
        Word::Unknown => "unknown",
        Word::Invalid => "invalid",
        Word::Failed => "failed",
        Word::Refused => "refused",
        Word::Silence => "silence",
        Word::Lost => "lost",
    }
}
