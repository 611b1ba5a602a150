//! A denial proves nothing unless the same thing gets through where it may: its allowed twin.

use super::Checking;
use super::walk::{self, Stop};
use crate::diagnostic::Diagnostic;
use crate::policy::{Action, Policy, Posture};
use crate::scenario::document::{IdentityPolicy, Scenario};
use crate::scenario::expect::{Expect, Tally, Verdict};
use crate::scenario::step::{Body, Kind, Step, ToolName};

pub(super) fn check(checking: &mut Checking<'_>) {
    let scenario = checking.scenario;
    let broken = scenario.audit_is_full || scenario.policy.as_ref().is_some_and(|own| own.spoiled.is_some());
    // Where something is broken from the beginning the run looks for the twin, and an observation fails nobody.
    if scenario.observe || broken {
        return;
    }
    let stops = walk::steps(&scenario.steps);
    let allowed: Vec<&Stop<'_>> = stops.iter().filter(|stop| allows(stop)).collect();
    let mut told = Vec::new();
    for stop in &stops {
        let Some(word) = refuses(stop) else { continue };
        let spot = stop.step.expect.as_ref().map_or(stop.step.spot, |_| stop.step.expect_spot);
        let tool = tool(scenario, stop.step);
        match tool.filter(|tool| !tool.exact && by_condition(scenario, stop.step, tool, word)) {
            Some(tool) if !allowed.iter().any(|stop| calls(scenario, stop.step, tool)) => {
                let message =
                    format!("`{}` is {word} here, and no call of it is expected to be allowed", tool.name);
                let help =
                    format!("add a call of `{}` that gets through: here a condition decides", tool.name);
                told.push(Diagnostic::mistake(spot, message).help(help));
            }
            None if allowed.is_empty() && told.is_empty() => {
                let message = format!("{word} is expected here, and nothing is expected to be allowed");
                let help = "add a call that gets through: a gateway that refuses everything would pass";
                told.push(Diagnostic::mistake(spot, message).help(help));
            }
            _ => {}
        }
    }
    checking.told.extend(told);
}

/// Whether a step calls that tool, be it in bytes of its own.
fn calls(scenario: &Scenario, step: &Step, wanted: &ToolName) -> bool {
    if let Kind::Send(send) = &step.kind {
        return match &send.body {
            Body::Text { text, .. } => text.contains(&wanted.name),
            Body::Bytes(bytes) => String::from_utf8_lossy(bytes).contains(&wanted.name),
        };
    }
    tool(scenario, step).is_some_and(|tool| (&tool.upstream, &tool.name) == (&wanted.upstream, &wanted.name))
}

/// The tool that a step is about; settling is about the tool of the call that was pending.
fn tool<'a>(scenario: &'a Scenario, step: &'a Step) -> Option<&'a ToolName> {
    match &step.kind {
        Kind::Call(call) => Some(&call.tool),
        Kind::Settle(settle) => {
            walk::steps(&scenario.steps).into_iter().find_map(|stop| match &stop.step.kind {
                Kind::Call(call)
                    if call.name.as_ref().is_some_and(|name| name.value == settle.step.value) =>
                {
                    Some(&call.tool)
                }
                _ => None,
            })
        }
        _ => None,
    }
}

fn tallied(expect: &Expect) -> Vec<Tally> {
    match expect {
        Expect::Runs(tallies) | Expect::Counts(tallies) => tallies.clone(),
        Expect::Each(each) => each.iter().flat_map(|(_, tallies)| tallies.clone()).collect(),
        _ => Vec::new(),
    }
}

/// Whether a gateway that lets nothing through would fail this step.
fn allows(stop: &Stop<'_>) -> bool {
    let only_allowed =
        |verdicts: &[Verdict]| !verdicts.is_empty() && verdicts.iter().all(|word| *word == Verdict::Allowed);
    match stop.expect {
        Some(Expect::Verdict(verdicts)) => only_allowed(verdicts),
        Some(Expect::Detailed(detailed)) => {
            only_allowed(&detailed.verdict) || detailed.executions.is_some_and(|count| !count.meets(0))
        }
        Some(Expect::Listing(listing)) => !listing.includes.is_empty(),
        Some(expect) => {
            tallied(expect).iter().any(|tally| tally.verdict == Verdict::Allowed && !tally.count.meets(0))
        }
        None => false,
    }
}

/// The word by which a step expects a refusal, if it does.
fn refuses(stop: &Stop<'_>) -> Option<&'static str> {
    let first = |verdicts: &[Verdict]| {
        let refused = !verdicts.contains(&Verdict::Allowed);
        verdicts.iter().find(|word| refused && is_refusal(**word)).map(|word| word.word())
    };
    match stop.expect? {
        Expect::Verdict(verdicts) => first(verdicts),
        Expect::Detailed(detailed) => {
            let none = detailed.executions.is_some_and(|count| count.at_most == Some(0));
            first(&detailed.verdict).or(none.then_some("no execution"))
        }
        Expect::Listing(listing) => {
            let hidden = !listing.excludes.is_empty() || listing.exactly.as_ref().is_some_and(Vec::is_empty);
            hidden.then_some("hiding")
        }
        expect => {
            let tallies = tallied(expect);
            let refusal = tallies.iter().find(|tally| is_refusal(tally.verdict) && !tally.count.meets(0));
            refusal.map(|tally| tally.verdict.word())
        }
    }
}

fn is_refusal(word: Verdict) -> bool {
    matches!(
        word,
        Verdict::Denied
            | Verdict::RateLimited
            | Verdict::Pending
            | Verdict::Held
            | Verdict::Unauthorized
            | Verdict::UnknownTool
            | Verdict::Refused
            | Verdict::Blocked
    )
}

/// Whether an argument, a limit or an approval decides about this call, not the tool's name alone.
fn by_condition(scenario: &Scenario, step: &Step, tool: &ToolName, word: &str) -> bool {
    if [Verdict::RateLimited, Verdict::Pending, Verdict::Held].iter().any(|verdict| verdict.word() == word) {
        return true;
    }
    let Some(policy) = policy(scenario, step) else { return false };
    let hidden = policy.hide.iter().any(|name| name == "*" || *name == tool.name);
    let full = tool.upstream.as_ref().map(|upstream| format!("{upstream}/{}", tool.name));
    let rules: Vec<_> = [full.as_ref(), Some(&tool.name)]
        .into_iter()
        .flatten()
        .filter_map(|name| policy.tools.get(name))
        .collect();
    let listed = !rules.is_empty() || policy.default == Posture::Allow;
    listed && !hidden && rules.iter().all(|rule| rule.action != Action::Deny)
}

/// The policy that binds whoever makes this call.
fn policy<'a>(scenario: &'a Scenario, step: &Step) -> Option<&'a Policy> {
    let voice = step.voice()?;
    let session = match &voice.session {
        Some(named) => scenario.sessions.get(&named.value),
        None => scenario.sessions.values().next(),
    };
    let by = voice.by.as_ref().map(|by| &by.value);
    let identity = by.or(session.and_then(|session| session.identity.as_ref()))?;
    match &scenario.identities.get(identity)?.policy {
        IdentityPolicy::Shared => scenario.policy.as_ref().map(|policy| &policy.policy),
        IdentityPolicy::Own(policy) => Some(&policy.policy),
        IdentityPolicy::None => None,
    }
}
