//! One call of a tool, driven to where its step leaves it: answered, pending, or unanswered.

use super::Trouble;
use super::approval::{self, Pending};
use crate::gateway::{Pending as Approval, Style, Told, Word};
use crate::run::judge::Asked;
use crate::run::stage::{Opened, Stage};
use crate::scenario::{Call, ToolName, Variables};
use crate::transcript::{Ended, Exchange};
use crate::wire::Json;
use crate::witness::{Ask, InFlight, Session};
use std::time::{Duration, Instant};

/// A call that was made, and what of it still waits.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) asked: Asked,
    pub(super) pending: Option<Pending>,
}

/// A tool as both sides know it.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// The name at the server.
    pub(super) tool: String,
    /// The name at the gateway.
    pub(super) shown: String,
    /// The upstream, where the scenario names it.
    pub(super) upstream: Option<String>,
    /// Whether some upstream has it.
    pub(super) known: bool,
}

/// Makes one call and drives the approver's part of it.
pub(super) async fn make(
    stage: &Stage,
    call: &Call,
    row: &Variables,
    carried: Option<&Pending>,
) -> Result<Made, Trouble> {
    let target = target(stage, &call.tool, row)?;
    let arguments = row.fill(&call.with)?;
    let mut ask = Ask::call(&target.shown, arguments.clone());
    ask.id = call.id.as_ref().map(|id| row.fill(id)).transpose()?;
    ask.meta = call.meta.as_ref().map(|meta| row.fill(&Json::Object(meta.clone()))).transpose()?;
    for (name, value) in &call.headers {
        ask.headers.push((name.clone(), row.fill_string(value)?));
    }
    if let Some(carried) = carried {
        approval::carry(&mut ask, carried);
    }
    let session = stage.voice_name(&call.voice);
    let opened = Instant::now();
    let (exchanges, told, pending) = match stage.session(&session).await {
        Opened::Refused(exchange) => (vec![exchange.clone()], stage.profile.told(&exchange), None),
        Opened::Open(open) => {
            ask.headers.extend(stage.credential_of(&call.voice));
            drive(stage, &open, ask, call).await?
        }
    };
    let closed = closed(&exchanges, pending.is_some());
    let asked = Asked {
        tool: Some(target.tool),
        upstream: target.upstream,
        arguments,
        session,
        exchanges,
        told,
        opened,
        closed,
        notification: false,
        known: target.known,
    };
    Ok(Made { asked, pending })
}

type Driven = (Vec<Exchange>, Told, Option<Pending>);

/// Starts the call, waits, and does what the approver is said to do, until nothing is left to be done.
async fn drive(stage: &Stage, session: &Session, ask: Ask, call: &Call) -> Result<Driven, Trouble> {
    let patience = call.voice.within.unwrap_or(stage.patience);
    let mut exchanges = Vec::new();
    let mut flight = session.start(ask.clone());
    let mut decision = call.approver.and_then(|approver| Some((approver.decision?, approver.after)));
    loop {
        let (exchange, approval) = wait(stage, &mut flight, patience).await;
        let told = stage.profile.told(&exchange);
        exchanges.push(exchange.clone());
        if !is_pending(stage, &told) {
            return Ok((exchanges, told, None));
        }
        let approval = match approval {
            Some(approval) => Some(approval),
            None => approval::find(stage, &told).await,
        };
        let mut pending = Pending::new(session.clone(), ask.clone(), exchange, approval);
        let Some((decision, after)) = decision.take() else {
            pending.flight = matches!(pending.exchange.ended, Ended::Quiet).then_some(flight);
            return Ok((exchanges, told, Some(pending)));
        };
        if let Some(after) = after {
            stage.let_pass(after).await;
        }
        approval::put(stage, &mut pending, decision).await.map_err(Trouble::because)?;
        match approval::repeat(stage, &pending) {
            Some(again) => flight = session.start(again),
            // A held call goes on: the exchange so far is replaced by the whole one. What was asked in it is answered.
            None => {
                exchanges.pop();
                let exchange = flight.wait(patience).await;
                let told = stage.profile.told(&exchange);
                exchanges.push(exchange);
                return Ok((exchanges, told, None));
            }
        }
    }
}

/// Whether a call waits for somebody's decision.
pub(super) fn is_pending(stage: &Stage, told: &Told) -> bool {
    told.word == Word::Pending
        || (told.word == Word::Silence && stage.profile.approval_style() == Some(Style::Held))
}

/// Waits for the answer, or for the sign that the gateway waits for somebody.
pub(super) async fn wait(
    stage: &Stage,
    flight: &mut InFlight,
    patience: Duration,
) -> (Exchange, Option<Approval>) {
    match stage.profile.approval_style() {
        Some(Style::Held) => wait_held(stage, flight, patience).await,
        Some(Style::Elicitation) => (flight.wait_until(approval::asks, patience).await, None),
        _ => (flight.wait(patience).await, None),
    }
}

/// A held call says nothing: the approver's own list shows it. Whichever comes first ends the wait.
async fn wait_held(stage: &Stage, flight: &mut InFlight, patience: Duration) -> (Exchange, Option<Approval>) {
    let quiet = stage.profile.told(&flight.so_far());
    let found = tokio::select! {
        biased;
        exchange = flight.wait(patience) => return (exchange, None),
        found = stage.find_new(&quiet) => found,
    };
    match found {
        Some(approval) => (flight.so_far(), Some(approval)),
        None => (flight.wait(patience).await, None),
    }
}

/// When arrivals stop being explained: with the last byte of the answer, if there was one. An answer without a body is
/// over by now.
pub(super) fn closed(exchanges: &[Exchange], waits: bool) -> Option<Instant> {
    let last = exchanges.last()?;
    (!waits && last.ended == Ended::Answered)
        .then(|| last.received.last().map_or_else(Instant::now, |piece| piece.at))
}

/// Finds the tool on both sides.
fn target(stage: &Stage, name: &ToolName, row: &Variables) -> Result<Target, Trouble> {
    let tool = row.fill_string(&name.name)?;
    let upstream = name.upstream.clone().or_else(|| stage.upstream_of(&tool));
    let known = upstream.is_some();
    let shown = match &upstream {
        Some(upstream) if !name.exact => {
            stage.theatre.names.spelled(upstream, &tool).map_err(Trouble::because)?
        }
        _ => tool.clone(),
    };
    Ok(Target { tool, shown, upstream: name.upstream.clone(), known })
}
