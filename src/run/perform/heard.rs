//! What shows that a call waits for somebody: an entry in the approver's own list, a question in mid-call, an answer that
//! says so. It decides nothing.

use crate::gateway::{Pending as Approval, Style, Told, Word};
use crate::run::stage::Stage;
use crate::transcript::{Ended, Exchange, Received};
use crate::wire::{Era, Json, Message};
use crate::witness::{Ask, InFlight, Session};
use std::time::Duration;

/// Who made a call, and what of it the gateway's side is told when an approval has to be looked for.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    /// The connection.
    pub(super) session: Session,
    /// The connection's name in the scenario.
    pub(super) name: String,
    /// The tool as the server knows it.
    pub(super) tool: String,
    /// What was asked, without what the harness adds.
    pub(super) ask: Ask,
}

/// What a wait brought: the exchange so far, and what shows that the call waits for somebody.
pub(super) struct Heard {
    pub(super) exchange: Exchange,
    pub(super) told: Told,
    pub(super) approval: Option<Result<Approval, String>>,
    pub(super) question: Option<(Json, Json)>,
}

/// How approvals are put on that connection. To ask the agent's user means a question in mid-call in the legacy era, and
/// an answer that wants input in the modern one, which knows nothing else.
pub(super) fn style(stage: &Stage, caller: &Caller) -> Option<Style> {
    let modern = caller.session.revision().era() == Era::Modern;
    stage.profile.approval_style().map(|style| match style {
        Style::Elicitation | Style::InputRequired if modern => Style::InputRequired,
        Style::Elicitation | Style::InputRequired => Style::Elicitation,
        other => other,
    })
}

pub(super) fn hints(caller: &Caller) -> [(&'static str, String); 4] {
    let text = |name: &str| caller.ask.params.get(name).cloned().unwrap_or_default();
    let shown = text("name").as_str().unwrap_or_default().to_owned();
    let arguments = text("arguments").to_string();
    [
        ("tool", caller.tool.clone()),
        ("shown", shown),
        ("arguments", arguments),
        ("session", caller.name.clone()),
    ]
}

/// Waits for the answer, or for the sign that the gateway waits for somebody.
pub(super) async fn hear(stage: &Stage, caller: &Caller, flight: &mut InFlight, within: Duration) -> Heard {
    let (mut approval, mut question) = (None, None);
    let exchange = match style(stage, caller) {
        Some(Style::Held) if stage.profile.shows_what_waits() => {
            let (exchange, found) = hear_held(stage, caller, flight, within).await;
            approval = found;
            exchange
        }
        Some(Style::Elicitation) if !stage.declines(&caller.name) => {
            let (exchange, asked) = hear_question(stage, caller, flight, within).await;
            question = asked;
            exchange
        }
        _ => flight.wait(within).await,
    };
    let told = match &question {
        Some((id, _)) => stage.profile.told(&about(&exchange, id)),
        None => stage.profile.told(&exchange),
    };
    Heard { exchange, told, approval, question }
}

/// A call whose questions were answered: what it was told is what came after them. A question is no refusal of what was
/// then allowed.
pub(super) fn answered(stage: &Stage, caller: &Caller, heard: Heard) -> Heard {
    if heard.question.is_some() || style(stage, caller) != Some(Style::Elicitation) {
        return heard;
    }
    let mut after = heard.exchange.clone();
    after.received.retain(|piece| asked(piece).is_none_or(|(id, _)| !stage.was_asked(&caller.name, &id)));
    Heard { told: stage.profile.told(&after), ..heard }
}

/// An exchange as if that question alone had come in it: what the others say is about other calls.
fn about(exchange: &Exchange, id: &Json) -> Exchange {
    let mut exchange = exchange.clone();
    exchange.received.retain(|piece| match asked(piece) {
        Some((other, _)) => other == *id,
        None => true,
    });
    exchange
}

/// A held call says nothing: the approver's own list shows it. Whichever comes first ends the wait.
async fn hear_held(
    stage: &Stage,
    caller: &Caller,
    flight: &mut InFlight,
    within: Duration,
) -> (Exchange, Option<Result<Approval, String>>) {
    let end = tokio::time::Instant::now() + within;
    let quiet = stage.profile.told(&flight.so_far());
    let hints = hints(caller);
    let found = tokio::select! {
        biased;
        exchange = flight.wait(within) => return (exchange, None),
        found = stage.find_new(&quiet, &hints) => found,
    };
    match found {
        Ok(approval) => (flight.so_far(), Some(Ok(approval))),
        Err(why) => (flight.wait(end - tokio::time::Instant::now()).await, Some(Err(why))),
    }
}

/// A question ends the wait, unless it was another call's: on a way that all calls share, each hears all of them.
async fn hear_question(
    stage: &Stage,
    caller: &Caller,
    flight: &mut InFlight,
    within: Duration,
) -> (Exchange, Option<(Json, Json)>) {
    let end = tokio::time::Instant::now() + within;
    let new = |exchange: &Exchange| {
        questions(exchange).into_iter().find(|(id, _)| !stage.was_asked(&caller.name, id))
    };
    loop {
        let left = end - tokio::time::Instant::now();
        let exchange = flight.wait_until(|exchange| new(exchange).is_some(), left).await;
        if exchange.ended != Ended::Quiet {
            return (exchange, None);
        }
        match new(&exchange) {
            Some(question) if stage.claim_question(&caller.name, &question.0) => {
                return (exchange, Some(question));
            }
            Some(_) => {}
            None => return (exchange, None),
        }
    }
}

/// The server's questions within an exchange: their ids and parameters.
fn questions(exchange: &Exchange) -> Vec<(Json, Json)> {
    exchange.received.iter().filter_map(asked).collect()
}

fn asked(piece: &Received) -> Option<(Json, Json)> {
    match piece.frame()? {
        Message::Request { id, method, params } if method == "elicitation/create" => {
            Some((id.clone(), params.clone().unwrap_or_default()))
        }
        _ => None,
    }
}

/// Whether a call waits for somebody's decision.
pub(super) fn is_pending(stage: &Stage, heard: &Heard) -> bool {
    match stage.profile.approval_style() {
        Some(Style::Held) => matches!(heard.told.word, Word::Pending | Word::Silence),
        _ => heard.told.word == Word::Pending,
    }
}

/// A held call was found already: nothing else shows that it is still held.
pub(super) async fn hear_again(
    stage: &Stage,
    caller: &Caller,
    flight: &mut InFlight,
    within: Duration,
) -> Heard {
    if style(stage, caller) != Some(Style::Held) {
        return hear(stage, caller, flight, within).await;
    }
    let exchange = flight.wait(within).await;
    let told = stage.profile.told(&exchange);
    Heard { exchange, told, approval: None, question: None }
}

/// Whether the same call may be decided once more. One that was refused for an approval and is refused for it again
/// after the decision is not: the approval had no effect, and that is what has to be seen.
pub(super) fn asks_again(stage: &Stage, caller: &Caller, heard: &Heard) -> bool {
    let asks = match style(stage, caller) {
        Some(Style::Elicitation) => heard.question.is_some(),
        Some(Style::InputRequired | Style::Url) => heard.exchange.ended == Ended::Answered,
        _ => false,
    };
    asks && is_pending(stage, heard)
}
