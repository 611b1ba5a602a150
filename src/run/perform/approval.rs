//! Approvals, in every way that gateways put them: held open, to be retried, asked of the client, as inputs that the
//! call is repeated with, or as an address to open. One decision means the same in all of them.

use super::Trouble;
use super::call;
use super::heard::{Caller, Heard, answered, asks_again, hear_again, hints, style};
use super::reply::reply_to;
use super::steps::{Performance, Performed, saved};
use crate::gateway::{Carried, Decided, Pending as Approval, Style, Told, Word};
use crate::run::judge::Asked;
use crate::run::stage::Stage;
use crate::scenario::{Decide, Decision, Settle};
use crate::transcript::{Ended, Exchange};
use crate::wire::{Json, Message};
use crate::witness::{Ask, InFlight};
use std::time::{Duration, Instant};

/// How often one call may ask: a gateway that asks for ever is pending for ever.
const QUESTIONS: usize = 8;

/// A call that waits for a decision.
#[derive(Debug)]
pub(in crate::run) struct Pending {
    pub(super) caller: Caller,
    /// All that came back so far.
    pub(super) exchange: Exchange,
    /// What the gateway's approver knows it by, or why that is not known.
    approval: Result<Approval, String>,
    /// The question that came within the call: its id and parameters.
    question: Option<(Json, Json)>,
    /// The open request of a held or elicited call.
    pub(super) flight: Option<InFlight>,
    /// The inputs that an `input_required` was answered with.
    inputs: Option<(Json, Option<Json>)>,
    /// What the repeated call takes along.
    carried: Carried,
    /// The call among all.
    pub(super) place: usize,
    /// What was decided first, and when.
    pub(super) decided: Option<(Decision, Instant)>,
    /// Why a decision by hand was not taken.
    untaken: Option<String>,
}

impl Pending {
    /// A call that was heard to wait; what the gateway's side knows it by is looked for.
    pub(super) async fn of(stage: &Stage, caller: Caller, heard: Heard) -> Self {
        let Heard { exchange, told, approval, question } = heard;
        let approval = match approval {
            Some(approval) => approval,
            None => stage.find(&told, &hints(&caller)).await,
        };
        let (inputs, carried, decided) = (None, Carried::default(), None);
        let (flight, place, untaken) = (None, 0, None);
        Self { caller, exchange, approval, question, flight, inputs, carried, place, decided, untaken }
    }
}

impl Pending {
    /// Decides with somebody's own credential where the approver's is due; that it is not taken is right.
    async fn put_by(&self, stage: &Stage, decision: Decision, identity: &str) -> Result<(), String> {
        if let Ok(approval) = &self.approval {
            let _ = stage.decide_by(approval, decision == Decision::Approve, identity).await;
        }
        Ok(())
    }

    /// Takes the call back, where it still waits for its answer.
    pub(super) async fn cancel(&mut self) {
        if let Some(flight) = &mut self.flight {
            flight.cancel().await;
        }
    }
}

/// Brings one decision to where the gateway takes it.
pub(super) async fn put(stage: &Stage, pending: &mut Pending, decision: Decision) -> Result<(), String> {
    pending.decided.get_or_insert((decision, Instant::now()));
    let style = style(stage, &pending.caller).ok_or("the gateway has no approvals")?;
    // The agent's own client decides, once: what it changes its mind about was never sent.
    if style == Style::InputRequired && pending.inputs.is_some() {
        return Ok(());
    }
    let approval = pending.approval.as_ref().map_err(Clone::clone)?;
    let since = Instant::now();
    let decided = stage.decide(approval, decision == Decision::Approve).await?;
    pending.carried = stage.carried(approval).await?;
    match decided {
        Decided::Wait => Ok(()),
        Decided::Repeat => announced(stage, pending, since).await,
        Decided::Answer(answer) if style == Style::Elicitation => match pending.question.clone() {
            Some((id, params)) => {
                let reply = reply_to(&params, &answer.into(), decision);
                pending.caller.session.answer(id, Ok(reply)).await;
                Ok(())
            }
            None => Err("the gateway asked nothing that could be answered".to_owned()),
        },
        Decided::Answer(answer) => fill_in(pending, &answer.into(), decision),
    }
}

/// Answers every input that an `input_required` asks for.
fn fill_in(pending: &mut Pending, answer: &Json, decision: Decision) -> Result<(), String> {
    let result = match pending.exchange.response() {
        Some(Message::Response { outcome: Ok(result), .. }) => result,
        _ => return Err("the gateway's answer asks for no input".to_owned()),
    };
    let requests = result.get("inputRequests").and_then(Json::as_object).cloned().unwrap_or_default();
    let answers = requests.iter().map(|(name, request)| {
        (name.to_owned(), reply_to(request.get("params").unwrap_or(&Json::Null), answer, decision))
    });
    pending.inputs = Some((answers.collect(), result.get("requestState").cloned()));
    Ok(())
}

/// Waits until the gateway says that the address was visited, where its profile says that it does.
async fn announced(stage: &Stage, pending: &Pending, since: Instant) -> Result<(), String> {
    let Some(within) = stage.profile.announces() else { return Ok(()) };
    let id = pending.approval.as_ref().ok().and_then(Approval::id).unwrap_or_default().to_owned();
    let is_about = |method: &str, params: &Json| {
        method == "notifications/elicitation/complete"
            && params.get("elicitationId").and_then(Json::as_str) == Some(id.as_str())
    };
    let notice = pending.caller.session.notice_of(since, within, is_about).await;
    let late = || {
        let time = humantime::format_duration(within);
        format!(
            "`notifications/elicitation/complete` for `{id}` did not come within {time} of the decision \
             (`approval.announces` of the profile)"
        )
    };
    notice.map(drop).ok_or_else(late)
}

/// What is sent again after a decision; `None` where the first request goes on.
fn repeat(stage: &Stage, pending: &Pending) -> Option<Ask> {
    let mut again = pending.caller.ask.clone();
    again.id = None;
    match style(stage, &pending.caller)? {
        Style::Retry | Style::InputRequired | Style::Url => {
            carry(&mut again, pending);
            Some(again)
        }
        Style::Held | Style::Elicitation => None,
    }
}

/// Puts what a decided call has to show into another one: inputs and state, or what the profile says.
pub(super) fn carry(ask: &mut Ask, pending: &Pending) {
    let Carried { meta, arguments, headers } = &pending.carried;
    ask.headers.extend(headers.iter().cloned());
    if !meta.is_empty() {
        let mut own = ask.meta.take().and_then(|own| own.as_object().cloned()).unwrap_or_default();
        meta.iter().for_each(|(name, value)| own.set(name, value.as_str()));
        ask.meta = Some(Json::Object(own));
    }
    let Some(params) = ask.params.as_object_mut() else { return };
    if !arguments.is_empty() {
        let mut own = params.get("arguments").and_then(Json::as_object).cloned().unwrap_or_default();
        arguments.iter().for_each(|(name, value)| own.set(name, value.as_str()));
        params.set("arguments", Json::Object(own));
    }
    if let Some((inputs, state)) = &pending.inputs {
        params.set("inputResponses", inputs.clone());
        if let Some(state) = state {
            params.set("requestState", state.clone());
        }
    }
}

/// What going on with a call came to.
pub(super) struct Settled {
    /// Every exchange that was ended on the way, and the last one as it stands.
    pub(super) exchanges: Vec<Exchange>,
    /// What the last one told.
    pub(super) told: Told,
    /// The call, where its request is still open: it has to be taken back in the end.
    pub(super) open: Option<Pending>,
}

/// Goes on with a call, decided or not, until it is answered or nothing more comes of it. Whatever else the same call
/// asks is decided alike.
pub(super) async fn go_on(stage: &Stage, mut pending: Pending, within: Duration) -> Result<Settled, String> {
    let mut exchanges = Vec::new();
    for _ in 0..QUESTIONS {
        let mut flight = match (repeat(stage, &pending), pending.flight.take()) {
            (Some(again), _) => pending.caller.session.start(again),
            (None, Some(flight)) => flight,
            (None, None) => break,
        };
        let heard = hear_again(stage, &pending.caller, &mut flight, within).await;
        let heard = match (&pending.decided, &pending.untaken) {
            (Some(_), None) => answered(stage, &pending.caller, heard),
            _ => heard,
        };
        let open = heard.exchange.ended == Ended::Quiet;
        pending.flight = open.then_some(flight);
        let Some((decision, _)) = pending.decided.filter(|_| asks_again(stage, &pending.caller, &heard))
        else {
            exchanges.push(heard.exchange);
            let open = Some(pending).filter(|_| open);
            return Ok(Settled { exchanges, told: heard.told, open });
        };
        if !open {
            exchanges.push(heard.exchange.clone());
        }
        let Pending { caller, flight, decided, .. } = pending;
        pending = Pending { flight, decided, ..Pending::of(stage, caller, heard).await };
        put(stage, &mut pending, decision).await?;
    }
    let told = stage.profile.told(&pending.exchange);
    let open = pending.flight.is_some();
    if exchanges.is_empty() || open {
        exchanges.push(pending.exchange.clone());
    }
    Ok(Settled { exchanges, told, open: Some(pending).filter(|_| open) })
}

/// Decides by hand. A decision that the gateway does not take is no trouble: what comes of the call is judged.
pub(super) async fn decide(
    stage: &Stage,
    performance: &mut Performance,
    decide: &Decide,
    performed: &mut Performed,
) -> Result<(), Trouble> {
    for (name, decision) in &decide.decisions {
        let Some(pending) = performance.pending.get_mut(&name.value) else {
            performed.notes.push(format!("`{}` does not wait for a decision", name.value));
            continue;
        };
        let asked = &mut performance.asked[pending.place];
        // From here on an execution is what was decided, not a leak of the pending call.
        asked.closed = asked.closed.or(Some(Instant::now()));
        let put = match &decide.by {
            Some(by) => pending.put_by(stage, *decision, &by.value).await,
            None => put(stage, pending, *decision).await,
        };
        if let Err(why) = put {
            performed.notes.push(format!("the decision was not taken: {why}"));
            pending.untaken = Some(why);
        }
    }
    Ok(())
}

/// Brings a pending call to its end.
pub(super) async fn settle(
    stage: &Stage,
    performance: &mut Performance,
    settle: &Settle,
    performed: &mut Performed,
) -> Result<(), Trouble> {
    let Some(pending) = performance.pending.remove(&settle.step.value) else {
        return Err(Trouble::Other(format!("`{}` is not pending", settle.step.value)));
    };
    let begin = Instant::now();
    let first = &mut performance.asked[pending.place];
    first.closed = first.closed.or(Some(begin));
    let asked = first.clone();
    let patience = stage.patience_of(&settle.voice);
    let decided = pending.decided.map(|(_, at)| at);
    performed.notes.extend(pending.untaken.iter().map(|why| format!("the decision was not taken: {why}")));
    let Settled { exchanges, told, open } = go_on(stage, pending, patience).await.map_err(Trouble::Other)?;
    for (name, pointer) in &settle.save {
        if let Some(value) = exchanges.last().and_then(|exchange| saved(exchange, &pointer.value)) {
            performance.variables.set(name, value);
        }
    }
    let closed = call::closed(&exchanges, told.word == Word::Pending);
    if let Some(open) = open {
        let place = performance.asked.len();
        performance.pending.insert(settle.step.value.clone(), Pending { place, ..open });
    }
    let opened = decided.unwrap_or(begin);
    performance.asked.push(Asked { exchanges, told, opened, closed, decided, ..asked });
    Ok(())
}
