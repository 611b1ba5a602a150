//! What a gateway does where gateways may choose: each member of `declares`, measured by what got through, or the reason
//! why it could not be. Nothing here reads an answer's words; what arrived decides.

use super::chart::{Chart, Seen, listed, sent_name};
use super::examine::ERAS;
use super::form;
use super::window::{Attempt, Fit, Rate, fit};
use crate::declared::{Batch, Counts, Drift, Failure, Leaning, Naming, Records, Spoken};
use crate::run::outcome::CallOutcome;
use crate::scenario::{Kind, Wait};
use serde_json::Value;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// One member of `declares`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Measured {
    /// The member.
    pub(super) member: &'static str,
    /// What was seen, as it would be declared; the reason where nothing was.
    pub(super) found: Result<Value, String>,
}

/// What is known beside the probes.
pub(super) struct Beside {
    /// The eras in which calls got through.
    pub(super) eras: Vec<Spoken>,
    /// What becomes of names, where they could be made out.
    pub(super) naming: Option<Naming>,
    /// Whether the gateway's time passes only where a step waits.
    pub(super) still: bool,
}

/// Every member, in the order of the profile's format.
pub(super) fn measure(chart: &Chart, beside: &Beside) -> Vec<Measured> {
    let as_value = |naming| serde_json::to_value(naming).unwrap_or_default();
    let names =
        beside.naming.map(as_value).ok_or("no template explains the names that are listed".to_owned());
    let found: [(&'static str, Result<Value, String>); 16] = [
        ("window", window(chart, beside.still)),
        ("batch", batch(chart)),
        ("missing_argument", missing_argument(chart)),
        ("refund", refund(chart)),
        ("counts", counts(chart)),
        ("eras", Ok(serde_json::to_value(&beside.eras).unwrap_or_default())),
        ("names", names),
        ("counters_shared", counters_shared(chart)),
        ("counters_survive", counters_survive(chart)),
        ("denied_are_listed", denied_are_listed(chart)),
        ("drift", drift(chart)),
        ("records", records(chart)),
        ("records_arguments", Err("its record would have to be searched: AUD-04 does that".to_owned())),
        ("unrecorded", Err("its disk would have to be full: LIFE-09 does that".to_owned())),
        ("gives_up", Err("a server that hangs would have to be sat out: LIFE-03 does that".to_owned())),
        ("sessions", Err("a session would have to be ended: PROTO-02 does that".to_owned())),
    ];
    found.map(|(member, found)| Measured { member, found }).into()
}

fn word(value: impl serde::Serialize) -> Result<Value, String> {
    serde_json::to_value(value).map_err(|error| error.to_string())
}

fn window(chart: &Chart, still: bool) -> Result<Value, String> {
    let Some((seen, rate)) = paced(chart) else {
        let (short, minute) = (chart.why_not("window"), chart.why_not("window-minute"));
        return Err(if short == minute { short } else { format!("{short}; by whole minutes: {minute}") });
    };
    let attempts = attempts(seen, still);
    match fit(&attempts, rate) {
        Fit::One(kind) => word(kind),
        Fit::Several => Err("more than one kind of window explains what passed".to_owned()),
        Fit::None => Err(pattern(&attempts)),
    }
}

/// Whether the time of day hid what kind of window it is.
pub(super) fn window_is_open(chart: &Chart, still: bool) -> bool {
    paced(chart).is_some_and(|(seen, rate)| fit(&attempts(seen, still), rate) == Fit::Several)
}

/// The probe that called again and again, and the limit that it ran into.
fn paced(chart: &Chart) -> Option<(&Seen, Rate)> {
    let rate = |seconds| Rate { max: 4, per: Duration::from_secs(seconds) };
    let minute = || chart.done("window-minute").map(|seen| (seen, rate(60)));
    chart.done("window").map(|seen| (seen, rate(4))).or_else(minute)
}

/// When each call was made, and whether it got through.
fn attempts(seen: &Seen, still: bool) -> Vec<Attempt> {
    let Some(first) =
        seen.outcome.steps.iter().flat_map(|step| &step.exchanges).next().map(|one| one.sent.at)
    else {
        return Vec::new();
    };
    let begun =
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().saturating_sub(first.elapsed());
    let mut turned = Duration::ZERO;
    let mut attempts = Vec::new();
    for (place, (step, outcome)) in seen.scenario.steps.iter().zip(&seen.outcome.steps).enumerate() {
        if let Kind::Wait(Wait::For(time)) = &step.kind {
            turned += *time;
        }
        for (call, exchange) in outcome.calls.iter().zip(&outcome.exchanges) {
            let passed = if still { turned } else { exchange.sent.at.duration_since(first) };
            // Bursts and waits take turns.
            attempts.push(Attempt { burst: place / 2, at: begun + passed, passed: call.reach > 0 });
        }
    }
    attempts
}

/// What was admitted, for people who have to make sense of it.
fn pattern(attempts: &[Attempt]) -> String {
    let bursts = attempts.last().map_or(0, |last| last.burst + 1);
    let passed = |burst| attempts.iter().filter(|one| one.burst == burst && one.passed).count().to_string();
    let counts: Vec<String> = (0..bursts).map(passed).collect();
    format!("no kind of window explains that {} calls passed, one burst after the other", counts.join(", "))
}

fn batch(chart: &Chart) -> Result<Value, String> {
    let seen = chart.done("batch").ok_or_else(|| chart.why_not("batch"))?;
    let reach = |call: &CallOutcome| call.reach;
    let alive = seen.step("allowed").and_then(|step| step.calls.first()).is_some_and(|call| reach(call) == 1);
    match seen.sent().and_then(|step| step.calls.first()).map(reach) {
        _ if !alive => Err("the allowed call before the batch did not get through".to_owned()),
        Some(0) => word(Batch::Reject),
        Some(2) => word(Batch::Split),
        Some(count) => Err(format!("{count} of a batch of two allowed calls and a denied one arrived")),
        None => Err("no batch was sent".to_owned()),
    }
}

fn missing_argument(chart: &Chart) -> Result<Value, String> {
    let call = |step| chart.call("arguments", step);
    let (Some(allowed), Some(denied), Some(missing)) = (call("allowed"), call("denied"), call("missing"))
    else {
        return Err(chart.why_not("arguments"));
    };
    if allowed.reach != 1 || denied.reach != 0 {
        return Err("the rule about the argument does not decide".to_owned());
    }
    word(if missing.reach > 0 { Leaning::Allow } else { Leaning::Deny })
}

/// The failures that were tried, and whether they gave a unit back.
const FAILURES: [(Failure, &str, &str); 5] = [
    (Failure::Unreachable, "refund-unreachable", "after"),
    (Failure::RpcError, "refund", "rpc_error"),
    (Failure::ErrorResult, "refund", "error_result"),
    (Failure::Timeout, "refund-timeout", "timeout"),
    (Failure::Dropped, "refund-dropped", "dropped"),
];

/// Whether a failure of that kind gives back what was taken; the reason where that is not known.
pub(super) fn gives_back(chart: &Chart, kind: Failure) -> Result<bool, String> {
    let Some((_, probe, step)) = FAILURES.into_iter().find(|(known, ..)| *known == kind) else {
        return Err("no probe goes away in mid-call".to_owned());
    };
    let outcome = chart.step(probe, step).ok_or_else(|| chart.why_not(probe))?;
    let passed: Vec<bool> = outcome.calls.iter().map(|call| call.reach > 0).collect();
    // Of a maximum of two: the first one fails, and what is left of the limit shows in the others.
    let failed = usize::from(kind != Failure::Unreachable);
    let left = passed[failed.min(passed.len())..].iter().take_while(|passed| **passed).count();
    match (left, passed.last()) {
        (1, Some(false)) => Ok(false),
        (2, Some(false)) => Ok(true),
        _ => Err(format!("{left} of the calls after the failure got through")),
    }
}

fn refund(chart: &Chart) -> Result<Value, String> {
    let kinds = FAILURES.map(|(kind, ..)| (kind, gives_back(chart, kind)));
    let known = kinds.iter().filter(|(_, found)| found.is_ok()).count();
    if known == 0 {
        return Err(kinds.into_iter().find_map(|(_, found)| found.err()).unwrap_or_default());
    }
    let back: Vec<Failure> =
        kinds.into_iter().filter(|(_, found)| *found == Ok(true)).map(|(kind, _)| kind).collect();
    word(back)
}

fn counts(chart: &Chart) -> Result<Value, String> {
    let passed = |probe, step| {
        let outcome = chart.step(probe, step)?;
        Some(outcome.calls.iter().filter(|call| call.reach > 0).count())
    };
    match (passed("counts", "calls"), passed("limit", "within")) {
        (Some(3), _) | (None, Some(3)) => word(Counts::Calls),
        (Some(0..=2), _) | (None, Some(0..=2)) => word(Counts::Messages),
        (Some(_), _) => Err("the limit on everything does not bite".to_owned()),
        _ => Err(chart.why_not("limit")),
    }
}

fn counters_shared(chart: &Chart) -> Result<Value, String> {
    let seen = chart.done("limit").ok_or_else(|| chart.why_not("limit"))?;
    let first = |step| seen.step(step).and_then(|step| step.calls.first());
    match (first("over"), first("elsewhere")) {
        (Some(over), _) if over.reach > 0 => Err("the limit does not bite".to_owned()),
        (Some(_), Some(elsewhere)) if elsewhere.reach > 0 => word(false),
        (Some(over), Some(elsewhere)) if elsewhere.told == over.told => word(true),
        _ => Err("no call got an answer in a second session".to_owned()),
    }
}

fn counters_survive(chart: &Chart) -> Result<Value, String> {
    let seen = chart.done("restart").ok_or_else(|| chart.why_not("restart"))?;
    if let Some(stuck) = seen.outcome.steps.iter().find(|step| step.name == "restart" && !step.met) {
        return Err(stuck.was.clone());
    }
    let first = |step| seen.step(step).and_then(|step| step.calls.first());
    match (first("over"), first("after")) {
        (Some(over), _) if over.reach > 0 => Err("the limit does not bite".to_owned()),
        (Some(_), Some(after)) if after.reach > 0 => word(false),
        (Some(over), Some(after)) if after.told == over.told => word(true),
        _ => Err("no call got an answer after the restart".to_owned()),
    }
}

fn denied_are_listed(chart: &Chart) -> Result<Value, String> {
    for (first, ..) in ERAS {
        let (Some(list), Some(denied)) = (chart.step(first, "list"), chart.step(first, "denied")) else {
            continue;
        };
        if !chart.done(first).is_some_and(|seen| form::names(&seen.scenario, "destroy_vm")) {
            return Err("it cannot be told to deny a tool".to_owned());
        }
        let name = denied.exchanges.first().and_then(sent_name);
        if let (Some(names), Some(name)) = (listed(list), name) {
            return word(names.contains(&name));
        }
    }
    Err("no list came".to_owned())
}

fn drift(chart: &Chart) -> Result<Value, String> {
    let seen = chart
        .done("drift")
        .or_else(|| chart.done("drift-unpinned"))
        .ok_or_else(|| chart.why_not("drift-unpinned"))?;
    let is = |step| seen.step(step).is_some_and(|step| step.met);
    match () {
        () if is("withheld") => word(Drift::Withheld),
        () if is("frozen") => word(Drift::Frozen),
        () if is("ignored") => word(Drift::Ignored),
        () => Err("the list is neither the old one nor the new one".to_owned()),
    }
}

fn records(chart: &Chart) -> Result<Value, String> {
    let seen = chart.done("records").ok_or_else(|| chart.why_not("records"))?;
    let kept = seen.outcome.steps.iter().find(|step| step.name == "audit");
    let kept = kept.ok_or("its record could not be read".to_owned())?;
    let counts = kept.was.split([' ', ',']).filter_map(|word| word.parse::<usize>().ok());
    match counts.sum() {
        0_usize => Err("its record has nothing of a call".to_owned()),
        1 => word(Records::Calls),
        _ => word(Records::Everything),
    }
}
