//! Both sides put together: for each call, its arrivals and its verdict.

mod unit;

use super::altered;
use super::attribution::{Arrived, Claim, Wanted, Window, attribute};
use super::verdict::{Sides, is_refusal, verdict};
use crate::gateway::{Told, Word};
use crate::mock::Arrival;
use crate::scenario::Verdict;
use crate::transcript::{Exchange, Received};
use crate::wire::canonical::{Fidelity, fidelity};
use crate::wire::{Called, Json, Message, Object, apart};
use std::time::Instant;
use unit::{Unit, bear_an_id, take};

/// The member of `_meta` that the mocks stamp into their answers.
pub const RECEIPT: &str = "dev.gauntlet/receipt";

/// One call as the agent's side saw it.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The tool as the server knows it; `None` for raw bytes.
    pub tool: Option<String>,
    /// The calls that some server could read in raw bytes, with the tools' names as the servers know them.
    pub reads: Vec<Called>,
    /// The upstream it must land on, where the scenario says.
    pub upstream: Option<String>,
    /// The arguments.
    pub arguments: Json,
    /// The headers that the step asks for, without any credential.
    pub headers: Vec<(String, String)>,
    /// The session that made it.
    pub session: String,
    /// All that was sent for it: more than one exchange where it was repeated after a decision.
    pub exchanges: Vec<Exchange>,
    /// What the last of them told the agent.
    pub told: Told,
    /// When its first byte left.
    pub opened: Instant,
    /// Until when arrivals are explained by it; `None` is the end of the scenario.
    pub closed: Option<Instant>,
    /// When somebody decided about it; what arrived before ran without a decision.
    pub decided: Option<Instant>,
    /// Whether it asks for no answer.
    pub notification: bool,
    /// Whether some upstream has a tool of that name.
    pub known: bool,
}

/// One call, judged.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The verdict.
    pub verdict: Verdict,
    /// How many arrivals belong to it and were not turned away; see [`Sides`].
    pub reach: usize,
    /// How many of them ran, or would have run where some parser takes the bytes otherwise than this server did.
    pub ran: usize,
    /// What the agent was told, all sides considered.
    pub told: Word,
    /// What happened to the arguments.
    pub arguments: Option<Fidelity>,
    /// What happened to the answer.
    pub answer: Option<Fidelity>,
    /// The first thing that changed, in words, where something did.
    pub change: Option<String>,
    /// The places of its arrivals among all.
    pub arrivals: Vec<usize>,
}

/// Every call judged, and the arrivals that none of them explains. `holds` says whether a call would be kept open while a
/// person decides about it.
pub fn judge(
    asked: &[Asked],
    arrivals: &[Arrival],
    holds: impl Fn(&Asked) -> bool,
) -> (Vec<Judged>, Vec<usize>) {
    let units: Vec<Unit<'_>> =
        arrivals.iter().enumerate().flat_map(|(place, arrival)| Unit::of(place, arrival)).collect();
    let arrived: Vec<Arrived> = units.iter().map(Unit::arrived).collect();
    let windows: Vec<Window> = asked.iter().map(window).collect();
    let owners = attribute(&windows, &arrived);
    let judged = asked.iter().enumerate().map(|(place, call)| {
        let own: Vec<&Unit<'_>> = units
            .iter()
            .zip(&owners)
            .filter(|(_, owner)| **owner == Some(place))
            .map(|(unit, _)| unit)
            .collect();
        judge_one(call, &own, holds(call))
    });
    let judged = judged.collect();
    let mut unexplained: Vec<usize> =
        units.iter().zip(&owners).filter(|(_, owner)| owner.is_none()).map(|(unit, _)| unit.place).collect();
    unexplained.dedup();
    (judged, unexplained)
}

fn wanted(calls: &[&Called]) -> Wanted {
    Wanted { takes: calls.iter().map(|call| take(call)).collect(), bears_id: bear_an_id(calls) }
}

fn window(call: &Asked) -> Window {
    let raw = call.exchanges.first().filter(|_| call.tool.is_none()).map(|exchange| &exchange.sent.bytes);
    let asks = match &call.tool {
        Some(tool) => vec![Wanted { takes: vec![(tool.clone(), call.arguments.clone())], bears_id: true }],
        None => apart(&call.reads).iter().map(|calls| wanted(calls)).collect(),
    };
    let claim = match call.told.word {
        Word::Success => Claim::Owed,
        word if is_refusal(word) => Claim::Refused,
        _ => Claim::Unsure,
    };
    Window {
        asks,
        text: raw.map(|bytes| String::from_utf8_lossy(bytes).into_owned()),
        known: call.known,
        upstream: call.upstream.clone(),
        opened: call.opened,
        closed: call.closed,
        receipts: call.exchanges.iter().flat_map(receipts).collect(),
        claim,
    }
}

/// The receipts in the replies of an exchange.
fn receipts(exchange: &Exchange) -> Vec<String> {
    let receipt = |message: &Message| match message {
        Message::Response { outcome: Ok(result), .. } => {
            result.get("_meta")?.get(RECEIPT)?.as_str().map(str::to_owned)
        }
        _ => None,
    };
    exchange.received.iter().flat_map(Received::frames).filter_map(receipt).collect()
}

fn judge_one(call: &Asked, own: &[&Unit<'_>], holds: bool) -> Judged {
    let outside = !own.is_empty() && own.iter().all(|unit| unit.arrival.turned_away);
    // An error that nobody claims, about what its server turned away, is that server's trouble with the session.
    let said = if outside && call.told.word == Word::Refused { Word::Failed } else { call.told.word };
    let got_in = |unit: &Unit<'_>| !unit.arrival.turned_away || (outside && is_refusal(said));
    let counted: Vec<&&Unit<'_>> = own.iter().filter(|unit| counts(call, unit) && got_in(unit)).collect();
    let arguments = counted
        .iter()
        .flat_map(|unit| &unit.calls)
        .map(|taken| fidelity(&call.arguments, &taken.arguments))
        .min();
    let reply = call.exchanges.last().and_then(Exchange::response);
    let answered = own.iter().find_map(|unit| unit.answered());
    let answer = answered.as_ref().and_then(|answered| faithful(answered, reply?));
    let told = match (answer, reply) {
        // The upstream's own answer: the gateway refused nothing. An error of the protocol is trouble of the upstream.
        (Some(Fidelity::Same | Fidelity::Added), Some(Message::Response { outcome: Err(_), .. })) => {
            Word::Failed
        }
        (Some(Fidelity::Same | Fidelity::Added), _) => Word::Success,
        _ => said,
    };
    // Whatever was told in the end: when it ran, it was still to be decided.
    let early = |unit: &&&Unit<'_>| call.decided.is_some_and(|decided| unit.arrival.at < decided);
    let told = if counted.iter().any(early) { Word::Pending } else { told };
    let worst = arguments.filter(|_| call.tool.is_some()).max(answer).unwrap_or(Fidelity::Same);
    let sides = Sides { reach: counted.len(), told, fidelity: worst, known: call.known, holds };
    let arrivals = own.iter().map(|unit| unit.place).collect();
    let asked = Some(&call.arguments).filter(|_| call.tool.is_some());
    let taken = counted.iter().flat_map(|unit| &unit.calls).map(|taken| &taken.arguments);
    let change =
        asked.and_then(|asked| altered::first(asked, taken.min_by_key(|taken| fidelity(asked, taken))?));
    let change = change.map(|change| format!("argument {change}"));
    let change = change.or_else(|| Some(format!("answer {}", changed(answered.as_ref()?, reply?)?)));
    let ran = counted.iter().filter(|unit| unit.executed || !unit.is_unanimous()).count();
    Judged { verdict: verdict(sides), reach: counted.len(), ran, told, arguments, answer, change, arrivals }
}

/// Whether an arrival counts: a name that no upstream has may be forwarded, and runs nothing unless a server takes it for
/// one that it has.
fn counts(call: &Asked, unit: &Unit<'_>) -> bool {
    let signed = |receipt: &String| call.exchanges.iter().flat_map(receipts).any(|one| one == *receipt);
    let taken = call.told.word == Word::Success && unit.receipt.as_ref().is_some_and(signed);
    call.known || unit.executed || call.tool.is_none() || taken
}

/// What happened to an answer on its way back, or to an error.
fn faithful(answered: &Json, reply: &Message) -> Option<Fidelity> {
    let Message::Response { outcome, .. } = reply else { return None };
    match outcome {
        Ok(result) => Some(fidelity(&substance(answered), &substance(result))),
        Err(error) => {
            let code = answered.get("code").and_then(Json::as_i64);
            let message = answered.get("message").and_then(Json::as_str);
            let same_error = code == Some(error.code) && message == Some(error.message.as_str());
            Some(if same_error { Fidelity::Same } else { Fidelity::Changed })
        }
    }
}

/// What of an answer changed on its way back.
fn changed(answered: &Json, reply: &Message) -> Option<String> {
    let Message::Response { outcome, .. } = reply else { return None };
    match outcome {
        Ok(result) => altered::first(&substance(answered), &substance(result)),
        Err(error) => {
            let told = [("code", Json::from(error.code)), ("message", Json::from(error.message.as_str()))];
            let told: Json = told.map(|(name, value)| (name.to_owned(), value)).into_iter().collect();
            let said = ["code", "message"]
                .map(|name| (name.to_owned(), answered.get(name).cloned().unwrap_or_default()));
            altered::first(&said.into_iter().collect(), &told)
        }
    }
}

/// What of a result has to arrive: all of it but what each side of the gateway says for itself, in its own era, and the
/// receipt, which is ours.
fn substance(result: &Json) -> Json {
    let mut kept = Object::default();
    for (name, value) in result.as_object().into_iter().flat_map(Object::iter) {
        match (name, value) {
            ("resultType", _) => {}
            ("_meta", Json::Object(meta)) => {
                let of_the_server =
                    |(name, _): &(&str, &Json)| *name != RECEIPT && !name.starts_with(OF_A_SIDE);
                let meta: Vec<_> = meta.iter().filter(of_the_server).collect();
                if !meta.is_empty() {
                    kept.set(
                        name,
                        meta.into_iter()
                            .map(|(name, value)| (name.to_owned(), value.clone()))
                            .collect::<Json>(),
                    );
                }
            }
            (name, value) => kept.set(name, value.clone()),
        }
    }
    kept.set("isError", result.get("isError").and_then(Json::as_bool).unwrap_or(false));
    Json::Object(kept)
}

/// What members of `_meta` begin with that the protocol has for whoever speaks.
const OF_A_SIDE: &str = "io.modelcontextprotocol/";

#[cfg(test)]
mod tests;
