//! What ran through the gateway is done once more straight, in the same order, and held against it.

use super::difference::{Difference, Kind, Passage, Side, Tally};
use super::exchange;
use super::listing::Straight;
use super::twin::{Twin, same_call};
use crate::gateway::Names;
use crate::mock::Arrival;
use crate::run::judge::{Asked, Judged};
use crate::run::perform::{Listed, Performance};
use crate::scenario::{Change, Kind as StepKind, Scenario, Verdict};
use crate::transcript::Exchange;
use crate::wire::{Message, parse};
use crate::witness::Ask;
use std::time::Instant;

/// All that was seen at the gateway.
pub(in crate::run) struct Seen<'a> {
    /// The agent's side.
    pub(in crate::run) performance: &'a Performance,
    /// Its calls, judged.
    pub(in crate::run) judged: &'a [Judged],
    /// The servers' side.
    pub(in crate::run) arrivals: &'a [Arrival],
    /// The names on both sides of the gateway.
    pub(in crate::run) names: &'a Names,
}

/// One thing to do again.
enum Again<'a> {
    /// A call that ran and was answered, and the last of its arrivals: to be compared.
    Call(Made<'a>, &'a Arrival),
    /// Whatever else ran: only done, so that the servers stay in step.
    Silent(&'a Arrival),
    /// A list.
    List(&'a Listed, String),
    /// A change of a list.
    Change(&'a Change),
}

/// A call, and what came of it.
struct Made<'a> {
    asked: &'a Asked,
    judged: &'a Judged,
}

/// Does it all again at the twin.
pub(super) async fn replay(scenario: &Scenario, seen: &Seen<'_>, twin: &mut Twin) -> Tally {
    let mut tally = Tally::default();
    for (_, again) in order(scenario, seen) {
        match again {
            Again::Call(made, arrival) => call(&made, arrival, twin, &mut tally).await,
            Again::Silent(arrival) => {
                for execution in &arrival.executed {
                    let ask = Ask::call(&execution.tool, execution.arguments.clone());
                    twin.ask(&arrival.upstream, "", ask).await;
                }
            }
            Again::List(listed, session) => {
                if let Some(direct) = Straight::list(twin, &session).await {
                    tally.count(Passage::List);
                    tally.take(Side::Agent, Passage::List, direct.against(listed, seen.names));
                }
            }
            Again::Change(change) => twin.change(change).await,
        }
    }
    tally
}

/// In the order in which it happened at the servers: calls that are held run later than they are made.
fn order<'a>(scenario: &'a Scenario, seen: &Seen<'a>) -> Vec<(Instant, Again<'a>)> {
    let mut order = Vec::new();
    for (place, arrival) in seen.arrivals.iter().enumerate() {
        // Of a call that ran twice the last is what was answered.
        let owner = seen.judged.iter().position(|judged| judged.arrivals.last() == Some(&place));
        let compared = owner.filter(|owner| {
            let verdict = seen.judged[*owner].verdict;
            seen.performance.asked[*owner].tool.is_some() && is_compared(verdict)
        });
        match compared {
            Some(owner) => {
                let made = Made { asked: &seen.performance.asked[owner], judged: &seen.judged[owner] };
                order.push((arrival.at, Again::Call(made, arrival)));
            }
            None if !arrival.executed.is_empty() => order.push((arrival.at, Again::Silent(arrival))),
            None => {}
        }
    }
    for (step, performed) in scenario.steps.iter().zip(&seen.performance.steps) {
        match (&step.kind, &performed.listed) {
            (StepKind::List(list), Some(listed)) if listed.whole => {
                let session = list.voice.session.as_ref().map(|session| session.value.clone());
                let first = || scenario.sessions.keys().next().cloned().unwrap_or_default();
                let at = listed.pages.first().map_or_else(Instant::now, |page| page.sent.at);
                order.push((at, Again::List(listed, session.unwrap_or_else(first))));
            }
            (StepKind::Change(change), _) => {
                order.extend(performed.began.map(|at| (at, Again::Change(change))));
            }
            _ => {}
        }
    }
    order.sort_by_key(|(at, _)| *at);
    order
}

/// Whether a call was answered after it ran. One that leaked may have been: an error of the server with another code is
/// a refusal in the agent's eyes.
fn is_compared(verdict: Verdict) -> bool {
    use Verdict::{Allowed, Altered, Duplicated, Failed, Leaked};
    matches!(verdict, Allowed | Altered | Failed | Duplicated | Leaked)
}

/// Whether an answer is an error of the protocol.
fn is_error(exchange: &Exchange) -> bool {
    matches!(exchange.response(), Some(Message::Response { outcome: Err(_), .. }))
}

async fn call(made: &Made<'_>, arrival: &Arrival, twin: &mut Twin, tally: &mut Tally) {
    let Made { asked, judged } = made;
    let (Some(tool), Some(through)) = (&asked.tool, asked.exchanges.last()) else { return };
    let sent = parse(&through.sent.bytes).unwrap_or_default();
    let ask = same_call(tool, &asked.arguments, &sent, &asked.headers);
    let Some((direct, arrived)) = twin.ask(&arrival.upstream, &asked.session, ask).await else { return };
    if judged.verdict == Verdict::Leaked && !is_error(&direct) {
        return;
    }
    tally.count(Passage::Call);
    let mut found = exchange::around(&direct, through);
    found.extend(exchange::response(&direct, through));
    tally.take(Side::Agent, Passage::Call, found);
    let mut found = arrived.map_or_else(Vec::new, |arrived| exchange::request(&arrived, arrival));
    if judged.reach > 1 {
        found.push(Difference::of(Kind::Changed, "number of arrivals", 1, judged.reach));
    }
    tally.take(Side::Server, Passage::Call, found);
}
