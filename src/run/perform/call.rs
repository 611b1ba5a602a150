//! One call of a tool, driven to where its step leaves it: answered, pending, or unanswered.

use super::Trouble;
use super::approval::{self, Pending};
use super::heard::{Caller, hear, is_pending};
use crate::gateway::{Told, Word};
use crate::run::judge::Asked;
use crate::run::stage::{Opened, Stage};
use crate::scenario::{Call, ToolName, Variables};
use crate::transcript::{Ended, Exchange};
use crate::wire::Json;
use crate::witness::Ask;
use std::time::{Duration, Instant};

/// A call that was made, and what of it still waits.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) asked: Asked,
    pub(super) pending: Option<Pending>,
}

impl Made {
    /// Made, and over.
    pub(super) fn over(asked: Asked) -> Self {
        Self { asked, pending: None }
    }
}

/// A tool as both sides know it.
#[derive(Clone, Debug)]
pub(in crate::run) struct Target {
    /// The name at the server.
    pub(super) tool: String,
    /// The name at the gateway.
    pub(in crate::run) shown: String,
    /// The upstream, where the scenario names it.
    pub(super) upstream: Option<String>,
    /// Whether some upstream has it.
    pub(super) known: bool,
}

/// A call as it is before anything was sent, and what will be.
pub(super) fn prepare(
    stage: &Stage,
    call: &Call,
    row: &Variables,
    carried: Option<&Pending>,
) -> Result<(Asked, Ask), Trouble> {
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
    let unsent = super::open::unsent(target, arguments, stage.voice_name(&call.voice));
    let asked = Asked { headers: ask.headers.clone(), ..unsent };
    ask.headers.extend(stage.credential_of(&call.voice));
    Ok((asked, ask))
}

/// Makes one call and drives the approver's part of it.
pub(super) async fn make(
    stage: &Stage,
    call: &Call,
    row: &Variables,
    carried: Option<&Pending>,
) -> Result<Made, Trouble> {
    let (asked, ask) = prepare(stage, call, row, carried)?;
    let driven = match stage.session(&asked.session).await {
        Opened::Refused(exchange) => {
            let told = stage.profile.told(&exchange);
            Driven { exchanges: vec![exchange], told, decided: None, pending: None }
        }
        Opened::Open(open) => {
            let tool = asked.tool.clone().unwrap_or_default();
            let caller = Caller { session: open, name: asked.session.clone(), tool, ask };
            drive(stage, caller, call).await?
        }
    };
    let Driven { exchanges, told, decided, pending } = driven;
    let closed = closed(&exchanges, pending.is_some() || told.word == Word::Pending);
    Ok(Made { asked: Asked { exchanges, told, closed, decided, ..asked }, pending })
}

/// How far a call was driven.
struct Driven {
    exchanges: Vec<Exchange>,
    told: Told,
    decided: Option<Instant>,
    pending: Option<Pending>,
}

/// Starts the call, waits, and does what the approver is said to do, until nothing is left to be done.
async fn drive(stage: &Stage, caller: Caller, call: &Call) -> Result<Driven, Trouble> {
    let patience = stage.patience_of(&call.voice);
    let mut flight = caller.session.start(caller.ask.clone());
    let heard = hear(stage, &caller, &mut flight, first_wait(stage, call)).await;
    let (first, told) = (heard.exchange.clone(), heard.told.clone());
    if !is_pending(stage, &heard) {
        return Ok(Driven { exchanges: vec![first], told, decided: None, pending: None });
    }
    let mut pending = Pending::of(stage, caller, heard).await;
    let goes_on = first.ended == Ended::Quiet;
    pending.flight = goes_on.then_some(flight);
    let decision = call.approver.and_then(|approver| Some((approver.decision?, approver.after)));
    let Some((decision, after)) = decision else {
        return Ok(Driven { exchanges: vec![first], told, decided: None, pending: Some(pending) });
    };
    if let Some(after) = after {
        stage.let_pass(after).await;
    }
    approval::put(stage, &mut pending, decision).await.map_err(Trouble::Other)?;
    let decided = pending.decided.map(|(_, at)| at);
    let settled = approval::go_on(stage, pending, patience).await.map_err(Trouble::Other)?;
    // A request that goes on is one exchange: the whole of it stands in the place of its beginning.
    let exchanges = Some(first).filter(|_| !goes_on).into_iter().chain(settled.exchanges).collect();
    Ok(Driven { exchanges, told: settled.told, decided, pending: settled.open })
}

/// How long the first answer is waited for: a gateway that says nothing on purpose need not be sat out.
fn first_wait(stage: &Stage, call: &Call) -> Duration {
    let silence = stage.profile.holds_after().map_or(stage.patience, |silence| silence.min(stage.patience));
    stage.within(&call.voice).unwrap_or(silence)
}

/// When arrivals stop being explained: with the last byte of the answer, if there was one. An answer without a body is
/// over by now.
pub(super) fn closed(exchanges: &[Exchange], waits: bool) -> Option<Instant> {
    let last = exchanges.last()?;
    (!waits && last.ended == Ended::Answered)
        .then(|| last.received.last().map_or_else(Instant::now, |piece| piece.at))
}

/// Finds the tool on both sides.
pub(in crate::run) fn target(stage: &Stage, name: &ToolName, row: &Variables) -> Result<Target, Trouble> {
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
