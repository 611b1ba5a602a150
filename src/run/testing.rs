//! Outcomes for the unit tests of whatever reads them, and arrivals for those of whatever judges.

use crate::mock::{Arrival, Headers, Transport};
use crate::run::against::Tally;
use crate::run::outcome::{
    ArrivalSeen, CallOutcome, Excused, GatewayRow, Introduced, Outcome, ScenarioOutcome, Status, StepOutcome,
    Summary, VERSION,
};
use crate::scenario::{Attack, Severity};
use bytes::Bytes;
use std::sync::OnceLock;
use std::time::Instant;

/// Text that does harm wherever it is not escaped.
pub(crate) const HOSTILE: &str = "<script>alert(1)</script> | `x` \u{1b}[31m\u{202e} ]]> &amp; [a](javascript:b) {{ 7 * 7 }} \u{0}\u{fffe}\n# b";

/// A call that came over HTTP and ran nowhere yet.
pub(crate) fn arrival(at: Instant, bytes: impl Into<Bytes>) -> Arrival {
    Arrival {
        seq: 1,
        at,
        upstream: "ludus".into(),
        session: None,
        transport: Transport::Http,
        request: None,
        headers: Headers::default(),
        calls: OnceLock::new(),
        bytes: bytes.into(),
        method: Some("tools/call".into()),
        executed: Vec::new(),
        receipts: Vec::new(),
        abandoned: false,
        turned_away: false,
    }
}

pub(crate) fn outcome(gateways: &[&str], scenarios: Vec<ScenarioOutcome>) -> Outcome {
    Outcome {
        version: VERSION,
        gauntlet: "0.1.0",
        begun: "2027-01-31T12:00:00Z".to_owned(),
        summary: Summary::of(&scenarios),
        gateways: gateways.iter().map(|name| gateway(name)).collect(),
        scenarios,
        known: None,
    }
}

pub(crate) fn gateway(name: &str) -> GatewayRow {
    let (own, version) = (format!("{name}-server"), "1.2.3".to_owned());
    let introduced = vec![Introduced { name: own, version, at_opening: true }];
    GatewayRow {
        name: name.to_owned(),
        flaw: None,
        profile: "0123456789ab".to_owned(),
        verified: None,
        introduced,
        comparison: None,
    }
}

/// A scenario whose id begins with the requirement that it proves, where that is written in capitals.
pub(crate) fn scenario(id: &str, gateway: &str, status: Status) -> ScenarioOutcome {
    let requirement = id.split('-').take(2).collect::<Vec<_>>().join("-");
    let proves = requirement.starts_with(|first: char| first.is_ascii_uppercase());
    let was = matches!(status, Status::Failed | Status::Known);
    ScenarioOutcome {
        id: id.to_owned(),
        title: format!("the sentence of {id}"),
        group: "deny".to_owned(),
        requirements: proves.then_some(requirement).into_iter().collect(),
        attack: None,
        severity: Severity::Medium,
        observed: status == Status::Observed,
        file: format!("scenarios/{id}.yaml"),
        gateway: gateway.to_owned(),
        upstreams: vec!["ludus".to_owned()],
        revision: Some("2026-07-28".to_owned()),
        status,
        why: why(status).map(str::to_owned),
        known: (status == Status::Known).then(excused),
        steps: vec![
            step(7, "list_hosts", "allowed", "allowed"),
            step(9, "destroy_vm", "denied", if was { "leaked" } else { "denied" }),
        ],
        unexplained: Vec::new(),
        elapsed_ms: 12,
        again: format!("gauntlet run --gateway {gateway} scenarios/{id}.yaml"),
        introduced: Vec::new(),
        marks: Vec::new(),
        compared: Tally::default(),
    }
}

fn why(status: Status) -> Option<&'static str> {
    match status {
        Status::NotApplicable => Some("it has no approvals"),
        Status::Skipped => Some("slow (1m, run with --slow)"),
        Status::Inconclusive => Some("the mock has no answer"),
        Status::Observed => Some("reported, never failing"),
        Status::Passed | Status::Failed | Status::Known => None,
    }
}

fn excused() -> Excused {
    let because = "reported to its authors".to_owned();
    Excused { was: Status::Failed, because, until: "2027-03-31".to_owned() }
}

pub(crate) fn attack() -> Attack {
    let list = |one: &str| vec![one.to_owned()];
    Attack { patterns: list("K24"), owasp: list("ASI02"), atlas: list("AML.T0101"), see: Vec::new() }
}

/// A step of one call.
pub(crate) fn step(line: usize, tool: &str, expected: &'static str, was: &'static str) -> StepOutcome {
    let reach = usize::from(matches!(was, "leaked" | "allowed"));
    let call = CallOutcome {
        retry_after: None,
        tool: tool.to_owned(),
        arguments: serde_json::json!({}),
        session: "agent".to_owned(),
        verdict: was,
        unmet: expected != was,
        reach,
        told: if was == "allowed" { "success" } else { "denied" },
        reason: None,
        arguments_fidelity: None,
        answer_fidelity: None,
        change: None,
        frame: None,
        http: Some(200),
        answer: format!("an answer about {tool}"),
        arrivals: vec![seen(tool); reach],
    };
    StepOutcome {
        line,
        name: format!("call {tool}"),
        met: expected == was,
        expected: expected.to_owned(),
        was: was.to_owned(),
        verdict: Some(was),
        reach: Some(reach),
        calls: vec![call],
        ..StepOutcome::default()
    }
}

fn seen(tool: &str) -> ArrivalSeen {
    let (upstream, tool) = ("ludus".to_owned(), tool.to_owned());
    let arguments = serde_json::json!({});
    ArrivalSeen { upstream, tool, arguments, executed: true, before_answer_ms: Some(2.0) }
}
