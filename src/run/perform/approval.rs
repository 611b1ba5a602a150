//! Approvals, in every way that gateways put them: held open, to be retried, asked of the client, or as inputs that
//! the call is repeated with.

use super::Trouble;
use super::call;
use super::steps::{Performance, saved};
use crate::gateway::{Pending as Approval, Style, Told};
use crate::run::judge::Asked;
use crate::run::stage::Stage;
use crate::scenario::{Decide, Decision, Settle};
use crate::transcript::Exchange;
use crate::wire::{Json, Message, Object, parse};
use crate::witness::{Ask, InFlight, Session};
use std::time::Instant;

/// A call that waits for a decision.
#[derive(Debug)]
pub(in crate::run) struct Pending {
    /// The connection it was made on.
    session: Session,
    /// What was asked, without what the harness adds.
    ask: Ask,
    /// All that came back so far.
    pub(super) exchange: Exchange,
    /// What the gateway's approver knows it by.
    approval: Option<Approval>,
    /// The open request of a held or elicited call.
    pub(super) flight: Option<InFlight>,
    /// The inputs that an `input_required` was answered with.
    inputs: Option<(Json, Option<Json>)>,
    /// The call among all.
    pub(super) place: usize,
    /// When it was decided.
    decided: Option<Instant>,
}

impl Pending {
    pub(super) fn new(session: Session, ask: Ask, exchange: Exchange, approval: Option<Approval>) -> Self {
        Self { session, ask, exchange, approval, flight: None, inputs: None, place: 0, decided: None }
    }
}

impl Pending {
    /// Decides with somebody's own credential where the approver's is due.
    async fn put_by(&self, stage: &Stage, decision: Decision, identity: &str) -> Result<(), String> {
        match &self.approval {
            Some(approval) => stage.decide_by(approval, decision == Decision::Approve, identity).await,
            None => Ok(()),
        }
    }

    /// Takes the call back, where it still waits for its answer.
    pub(super) async fn cancel(&mut self) {
        if let Some(flight) = &mut self.flight {
            flight.cancel().await;
        }
    }
}

/// Whether the server asks the client something within this exchange.
pub(super) fn asks(exchange: &Exchange) -> bool {
    question(exchange).is_some()
}

/// The server's question: its id and parameters.
fn question(exchange: &Exchange) -> Option<(Json, Json)> {
    exchange.received.iter().rev().find_map(|piece| match Message::of(&parse(&piece.bytes).ok()?) {
        Message::Request { id, method, params } if method == "elicitation/create" => {
            Some((id, params.unwrap_or_default()))
        }
        _ => None,
    })
}

/// What the gateway's approver knows a pending call by, where it is decided at the gateway's side.
pub(super) async fn find(stage: &Stage, told: &Told) -> Option<Approval> {
    match stage.profile.approval_style() {
        Some(Style::Retry | Style::Held) => stage.find(told, &[]).await.ok(),
        _ => None,
    }
}

/// Brings one decision to where the gateway takes it.
pub(super) async fn put(stage: &Stage, pending: &mut Pending, decision: Decision) -> Result<(), String> {
    pending.decided = Some(Instant::now());
    let approve = decision == Decision::Approve;
    match stage.profile.approval_style() {
        Some(Style::Elicitation) => match question(&pending.exchange) {
            Some((id, params)) => {
                let answer = reply_to(&params, approve);
                pending.session.answer(id, Ok(answer)).await;
                Ok(())
            }
            None => Err("the gateway asked nothing that could be answered".to_owned()),
        },
        // The agent's own client decides, once: what it changes its mind about was never sent.
        Some(Style::InputRequired) if pending.inputs.is_some() => Ok(()),
        Some(Style::InputRequired) => {
            let result = match pending.exchange.response() {
                Some(Message::Response { outcome: Ok(result), .. }) => result,
                _ => return Err("the gateway's answer asks for no input".to_owned()),
            };
            let requests = result.get("inputRequests").and_then(Json::as_object).cloned().unwrap_or_default();
            let answers = requests.iter().map(|(name, request)| {
                (name.to_owned(), reply_to(request.get("params").unwrap_or(&Json::Null), approve))
            });
            pending.inputs = Some((answers.collect(), result.get("requestState").cloned()));
            Ok(())
        }
        Some(Style::Retry | Style::Held) => match &pending.approval {
            Some(approval) => stage.decide(approval, approve).await,
            None => Err("nothing that waits for a decision was found".to_owned()),
        },
        None => Err("the gateway has no approvals".to_owned()),
    }
}

/// The answer to an elicitation (2025-06-18, client features: elicitation): every required member filled in.
fn reply_to(params: &Json, approve: bool) -> Json {
    let mut reply = Object::default();
    reply.set("action", if approve { "accept" } else { "decline" });
    if approve {
        let schema = params.get("requestedSchema");
        let properties = schema.and_then(|schema| schema.get("properties")).and_then(Json::as_object);
        let content = properties.into_iter().flat_map(Object::iter).map(|(name, property)| {
            let choice = property.pointer("/enum/0").cloned();
            let plain = match property.get("type").and_then(Json::as_str) {
                Some("boolean") => Json::Bool(true),
                Some("integer" | "number") => Json::from(1),
                _ => Json::from("approve"),
            };
            (name.to_owned(), choice.unwrap_or(plain))
        });
        reply.set("content", content.collect::<Json>());
    }
    Json::Object(reply)
}

/// What is sent again after a decision; `None` where the first request goes on.
pub(super) fn repeat(stage: &Stage, pending: &Pending) -> Option<Ask> {
    let mut again = pending.ask.clone();
    again.id = None;
    match stage.profile.approval_style()? {
        Style::Retry => Some(again),
        Style::InputRequired => {
            carry(&mut again, pending);
            Some(again)
        }
        Style::Held | Style::Elicitation => None,
    }
}

/// Puts the inputs and the state of a pending call into another one.
pub(super) fn carry(ask: &mut Ask, pending: &Pending) {
    let Some((inputs, state)) = &pending.inputs else { return };
    if let Some(params) = ask.params.as_object_mut() {
        params.set("inputResponses", inputs.clone());
        if let Some(state) = state {
            params.set("requestState", state.clone());
        }
    }
}

/// Decides by hand. A decision that the gateway does not take is no trouble: what comes of the call is judged.
pub(super) async fn decide(
    stage: &Stage,
    performance: &mut Performance,
    decide: &Decide,
) -> Result<(), Trouble> {
    for (name, decision) in &decide.decisions {
        let Some(pending) = performance.pending.get_mut(&name.value) else { continue };
        let asked = &mut performance.asked[pending.place];
        // From here on an execution is what was decided, not a leak of the pending call.
        asked.closed = asked.closed.or(Some(Instant::now()));
        let _ = match &decide.by {
            Some(by) => pending.put_by(stage, *decision, &by.value).await,
            None => put(stage, pending, *decision).await,
        };
    }
    Ok(())
}

/// Brings a pending call to its end.
pub(super) async fn settle(
    stage: &Stage,
    performance: &mut Performance,
    settle: &Settle,
) -> Result<(), Trouble> {
    let Some(mut pending) = performance.pending.remove(&settle.step.value) else {
        return Err(Trouble::Other(format!("`{}` is not pending", settle.step.value)));
    };
    let begin = Instant::now();
    let first = &mut performance.asked[pending.place];
    first.closed = first.closed.or(Some(begin));
    let asked = first.clone();
    let patience = settle.voice.within.unwrap_or(stage.patience);
    let exchange = match (repeat(stage, &pending), pending.flight.take()) {
        (Some(again), _) => pending.session.start(again).wait(patience).await,
        (None, Some(mut flight)) => flight.wait(patience).await,
        (None, None) => pending.exchange.clone(),
    };
    let told = stage.profile.told(&exchange);
    let exchanges = vec![exchange];
    for (name, pointer) in &settle.save {
        if let Some(value) = saved(&exchanges[0], &pointer.value) {
            performance.variables.set(name, value);
        }
    }
    let closed = call::closed(&exchanges, call::is_pending(stage, &told));
    let opened = pending.decided.unwrap_or(begin);
    performance.asked.push(Asked { exchanges, told, opened, closed, ..asked });
    Ok(())
}
