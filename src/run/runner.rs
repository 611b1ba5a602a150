//! Runs a plan: entries side by side, results in the plan's order. It cannot fail: what goes wrong is an outcome.

use super::canary;
use super::event::Event;
use super::judge::{judge, seen};
use super::outcome::{GatewayRow, Outcome, ScenarioOutcome, Status, StepOutcome, Summary, VERSION};
use super::perform::perform;
use super::plan::{Entry, Fate};
use super::record;
use super::stage::{Setting, SetupError, Stage};
use super::variants;
use super::verify::{self, Evidence};
use crate::diagnostic::printable;
use crate::gateway::Style;
use crate::scenario::Scenario;
use crate::snapshot::Mark;
use futures_util::StreamExt as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How a plan is run.
#[derive(Clone, Debug)]
pub struct Pace {
    /// How many entries run at the same time; at least one.
    pub jobs: usize,
    /// Whether the first entry that does not pass is the last one begun.
    pub fail_fast: bool,
}

/// What came of a run, and what of the world was wrong.
#[derive(Debug)]
pub struct Ran {
    /// The outcome.
    pub outcome: Outcome,
    /// Gateways that did not start, and other trouble of the world; empty in a good run.
    pub world: Vec<String>,
}

/// Runs every entry and tells what happens as it happens.
pub async fn run(plan: &[Entry], setting: &Setting, pace: &Pace, tell: impl Fn(Event)) -> Ran {
    let runnable = plan.iter().filter(|entry| entry.fate == Fate::Run).count();
    tell(Event::Planned { total: runnable });
    let stopped = AtomicBool::new(false);
    let (tell, stopped) = (&tell, &stopped);
    let each = async |entry: &Entry| {
        if stopped.load(Ordering::Relaxed) {
            return (skipped(entry, Status::Skipped, "not begun"), None);
        }
        let (outcome, trouble) = run_entry(entry, setting, tell).await;
        let unwell = matches!(outcome.status, Status::Failed | Status::Inconclusive);
        if trouble.is_some() || (pace.fail_fast && unwell) {
            stopped.store(true, Ordering::Relaxed);
        }
        (outcome, trouble)
    };
    let ran: Vec<_> =
        futures_util::stream::iter(plan.iter().map(each)).buffered(pace.jobs.max(1)).collect().await;
    let (scenarios, world): (Vec<_>, Vec<_>) = ran.into_iter().unzip();
    let mut world: Vec<String> = world.into_iter().flatten().collect();
    world.dedup();
    let outcome =
        Outcome { version: VERSION, summary: Summary::of(&scenarios), gateways: gateways(plan), scenarios };
    Ran { outcome, world }
}

fn gateways(plan: &[Entry]) -> Vec<GatewayRow> {
    let mut rows: Vec<GatewayRow> = Vec::new();
    for entry in plan {
        if !rows.iter().any(|row| row.name == entry.contender.name) {
            rows.push(GatewayRow { name: entry.contender.name.clone(), flaw: entry.contender.flaw.clone() });
        }
    }
    rows
}

async fn run_entry(
    entry: &Entry,
    setting: &Setting,
    tell: &impl Fn(Event),
) -> (ScenarioOutcome, Option<String>) {
    match &entry.fate {
        Fate::NotApplicable(why) => return (skipped(entry, Status::NotApplicable, why), None),
        Fate::Slow(time) => {
            let why = format!("slow ({}, run with --slow)", humantime::format_duration(*time));
            return (skipped(entry, Status::Skipped, &why), None);
        }
        Fate::Run => {}
    }
    tell(Event::Started { id: entry.scenario.id.clone(), gateway: entry.contender.name.clone() });
    let begin = Instant::now();
    let (mut outcome, trouble) = match Stage::set_up(entry, setting).await {
        Ok(stage) => (play(entry, stage).await, None),
        Err(SetupError::Cannot(what)) => {
            (skipped(entry, Status::NotApplicable, &format!("it cannot express {what}")), None)
        }
        Err(SetupError::Scenario(why)) => (skipped(entry, Status::Inconclusive, &why), None),
        Err(error) => (skipped(entry, Status::Inconclusive, &error.to_string()), Some(error.to_string())),
    };
    outcome.elapsed_ms = millis(begin.elapsed());
    tell(Event::Ended(Box::new(outcome.clone())));
    (outcome, trouble)
}

/// Performs a scenario, closes the ledgers, and judges.
async fn play(entry: &Entry, stage: Stage) -> ScenarioOutcome {
    let scenario = entry.scenario.clone();
    let performance = perform(&stage).await;
    let revision = stage.revision().await;
    // To ask a gateway for its record can take as long as to start it.
    let wanted = canary::reads_the_audit(&scenario) || record::is_about(&scenario);
    let audit = if wanted { stage.audit().await } else { None };
    let mut marks = stage.marks().await;
    marks.extend(
        performance.asked.iter().filter_map(|asked| Some((Mark::Approval, asked.told.approval.clone()?))),
    );
    let holds = stage.profile.approval_style() == Some(Style::Held);
    let (arrivals, complaints) = stage.tear_down().await;
    let (judged, unexplained) = judge(&performance.asked, &arrivals, holds);
    let evidence = Evidence { performance: &performance, judged: &judged, arrivals: &arrivals };
    let done = scenario.steps.iter().zip(&performance.steps);
    let mut steps: Vec<StepOutcome> =
        done.map(|(step, performed)| verify::step(&evidence, step, performed)).collect();
    variants::settle(&scenario.steps, &entry.contender.profile.declares, &mut steps);
    let text = audit.as_ref().map(|kept| kept.text.as_str());
    steps.extend(canary::sightings(&scenario, &performance, &arrivals, text));
    steps.extend(record::compare(&scenario, &judged, &audit.unwrap_or_default()));
    let unexplained: Vec<_> =
        unexplained.into_iter().map(|place| seen(&arrivals[place], None, None)).collect();
    let mut outcome = blank(entry);
    outcome.revision = revision.map(|revision| revision.to_string());
    outcome.status = status(&scenario, &steps, !unexplained.is_empty());
    outcome.steps = steps;
    outcome.marks = marks;
    outcome.unexplained = unexplained;
    if let Some(complaint) = complaints.first() {
        // A mock that cannot answer says nothing about the gateway in front of it.
        outcome.status = Status::Inconclusive;
        outcome.why = Some(format!("the mock has no answer: {}", printable(complaint)));
    }
    if scenario.observe {
        outcome.why = Some("observed: reported, never failing".to_owned());
    }
    outcome
}

/// A step that failed makes the scenario failed; if only allowed twins did, its denials prove nothing.
fn status(scenario: &Scenario, steps: &[StepOutcome], unexplained: bool) -> Status {
    let unmet: Vec<&StepOutcome> = steps.iter().filter(|step| !step.met).collect();
    let proves_denials = scenario.steps.iter().any(verify::wants_refusal);
    match unmet.as_slice() {
        _ if scenario.observe => Status::Passed,
        _ if unexplained => Status::Failed,
        [] => Status::Passed,
        unmet if proves_denials && unmet.iter().all(|step| step.twin) => Status::Inconclusive,
        _ => Status::Failed,
    }
}

fn skipped(entry: &Entry, status: Status, why: &str) -> ScenarioOutcome {
    ScenarioOutcome { status, why: Some(why.to_owned()), ..blank(entry) }
}

fn blank(entry: &Entry) -> ScenarioOutcome {
    let scenario = &entry.scenario;
    let mut upstreams: Vec<String> =
        scenario.upstreams.values().map(|upstream| upstream.mock.value.clone()).collect();
    upstreams.dedup();
    ScenarioOutcome {
        id: scenario.id.clone(),
        title: scenario.title.clone(),
        group: group(&scenario.file),
        file: scenario.file.clone(),
        severity: scenario.severity,
        attack: scenario.attack.clone(),
        observed: scenario.observe,
        gateway: entry.contender.name.clone(),
        upstreams,
        revision: entry.revision.map(|revision| revision.to_string()),
        status: Status::Skipped,
        why: None,
        steps: Vec::new(),
        unexplained: Vec::new(),
        elapsed_ms: 0,
        again: String::new(),
        marks: Vec::new(),
    }
}

/// The folder that a scenario stands in.
fn group(file: &str) -> String {
    let mut parts = file.rsplit('/').skip(1);
    parts.next().filter(|part| !part.is_empty() && *part != ".").unwrap_or("scenarios").to_owned()
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
