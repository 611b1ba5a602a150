//! One start of a gateway: the scenarios that share it are performed one after the other, the ledgers are closed, and
//! then each is judged.

use super::against::{self, Tally};
use super::canary;
use super::decoy;
use super::introduced;
use super::judge::{Asked, judge};
use super::outcome::{ScenarioOutcome, Status, StepOutcome};
use super::pack::{Part, footprint, owners};
use super::perform::{Performance, perform};
use super::plan::Entry;
use super::preflight::Probe;
use super::questions::{self, Sessions};
use super::record::{self, Kept};
use super::runner::{blank, millis};
use super::stage::{Stage, Theatre};
use super::telling::seen;
use super::variants;
use super::verify::{self, Evidence};
use super::waits::may_wait;
use crate::diagnostic::printable;
use crate::gateway::Style;
use crate::mock::Arrival;
use crate::scenario::{Scenario, Verdict};
use crate::snapshot::Mark;
use crate::transcript::{Ended, Exchange, Received};
use crate::wire::Revision;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// One scenario performed, and not yet judged.
struct Played {
    performance: Performance,
    /// What was said while its sessions were opened.
    opened: Vec<Exchange>,
    /// What its sessions were told besides answers.
    notices: Vec<Received>,
    revision: Option<Revision>,
    /// The gateway's own record, or why it cannot be read, where the scenario reads it.
    record: Option<Result<Kept, String>>,
    marks: Vec<(Mark, String)>,
    /// What a comparison with the servers themselves needs, where that was asked for.
    kept: Option<against::Kept>,
    /// What the mocks had no answer for.
    complaints: Vec<String>,
    /// Whether the gateway still owes an answer: it may be busy with that, and is not trusted with the next one.
    left_hanging: bool,
    begun: Instant,
    elapsed: Duration,
}

/// Performs the entries in turn for as long as the gateway is well, closes the ledgers, and judges. There is an
/// outcome for each of the first ones, as far as it came, and for one at least; `begins` is told of each that begins.
pub(super) async fn play(
    entries: &[&Entry],
    theatre: Arc<Theatre>,
    fence: Option<&Probe>,
    begins: impl Fn(&Entry),
) -> Vec<ScenarioOutcome> {
    let (mut played, mut fences) = (Vec::new(), Vec::new());
    for entry in entries {
        let lives = theatre.lives().await;
        if played.last().is_some_and(|last: &Played| last.left_hanging || !lives) {
            break;
        }
        begins(entry);
        theatre.begin_anew();
        let stage = Stage::set_up(entry, theatre.clone());
        let mut one = play_one(entry, &stage).await;
        if let Some(fence) = fence {
            fences.extend(fence.fence(&stage).await);
        }
        stage.leave().await;
        one.complaints = theatre.complaints();
        played.push(one);
    }
    if fence.is_some() {
        theatre.calm().await;
    }
    let survived = theatre.lives().await;
    let theatre = Arc::into_inner(theatre).expect("every stage has been left");
    let (arrivals, late) = theatre.close().await;
    if let Some(last) = played.last_mut() {
        last.complaints = late;
    }
    let shares = shares(entries, &played, without(&fences, arrivals));
    let mut outcomes = Vec::new();
    for ((entry, played), arrivals) in entries.iter().zip(&played).zip(shares) {
        outcomes.push(conclude(entry, played, &arrivals).await);
    }
    // Whether the last one or an earlier one brought the gateway down is not known: it gets another start. What leaked
    // has leaked all the same.
    if !survived && outcomes.len() > 1 && !outcomes.last().is_some_and(leaks) {
        outcomes.pop();
    }
    outcomes
}

fn leaks(outcome: &ScenarioOutcome) -> bool {
    let calls = || outcome.steps.iter().flat_map(|step| &step.calls);
    !outcome.unexplained.is_empty() || calls().any(|call| call.verdict == Verdict::Leaked.word())
}

async fn play_one(entry: &Entry, stage: &Stage) -> Played {
    let begun = Instant::now();
    let performance = perform(stage).await;
    if entry.scenario.steps.iter().any(verify::looks_for_the_abandoned) {
        stage.theatre.idle().await;
    }
    let revision = stage.revision().await;
    // To ask a gateway for its record can take as long as to start it.
    let wanted = canary::reads_the_audit(&entry.scenario) || record::reads(&entry.scenario);
    let record = if wanted { Some(stage.audit().await) } else { None };
    let mut marks = stage.marks().await;
    let opened = stage.opening_exchanges().await;
    marks.extend(
        performance.asked.iter().filter_map(|asked| Some((Mark::Approval, asked.told.approval.clone()?))),
    );
    let notices = stage.notices().await;
    let kept = if stage.theatre.beside.direct { against::Kept::of(stage).await } else { None };
    let waits = matches!(entry.contender.profile.approval_style(), Some(Style::Held | Style::Elicitation));
    let left_hanging = performance.asked.iter().any(|asked| owed(asked, waits));
    let elapsed = begun.elapsed();
    let complaints = Vec::new();
    Played {
        performance,
        opened,
        notices,
        revision,
        record,
        marks,
        kept,
        complaints,
        left_hanging,
        begun,
        elapsed,
    }
}

/// Whether a call was left without an answer, other than by waiting for an approval.
fn owed(asked: &Asked, waits: bool) -> bool {
    let unanswered = |exchange: &Exchange| match exchange.ended {
        Ended::Answered => false,
        Ended::Quiet => !waits && !asked.notification,
        Ended::Lost(_) => true,
    };
    asked.exchanges.last().is_some_and(unanswered)
}

/// What arrived for the scenarios alone: of each fence one arrival is gone. What more arrives of it stays.
fn without(fences: &[Asked], mut arrivals: Vec<Arrival>) -> Vec<Arrival> {
    let (judged, _) = judge(fences, &arrivals, |_| false);
    let gone: Vec<usize> = judged.iter().filter_map(|fence| fence.arrivals.first().copied()).collect();
    let mut place = 0;
    arrivals.retain(|_| {
        place += 1;
        !gone.contains(&(place - 1))
    });
    arrivals
}

/// What arrived, each at the scenario whose it is.
fn shares(entries: &[&Entry], played: &[Played], arrivals: Vec<Arrival>) -> Vec<Vec<Arrival>> {
    // What came before the first began was the preflight's.
    let first = played.first().map(|played| played.begun);
    let arrivals = arrivals.into_iter().filter(|arrival| first.is_none_or(|begun| begun <= arrival.at));
    let arrivals: Vec<Arrival> = arrivals.collect();
    if played.len() == 1 {
        return vec![arrivals];
    }
    let part = |(entry, played): (&&Entry, &Played)| Part {
        begun: played.begun,
        footprint: footprint(entry).unwrap_or_default(),
    };
    let parts: Vec<Part> = entries.iter().zip(played).map(part).collect();
    let owners = owners(&parts, &arrivals);
    let mut shares = vec![Vec::new(); played.len()];
    owners.into_iter().zip(arrivals).for_each(|(owner, arrival)| shares[owner].push(arrival));
    shares
}

/// Both sides put together.
async fn conclude(entry: &Entry, played: &Played, arrivals: &[Arrival]) -> ScenarioOutcome {
    let (scenario, performance) = (&*entry.scenario, &played.performance);
    let waits = entry.contender.profile.approval_style() == Some(Style::Held);
    let holds = |asked: &Asked| waits && may_wait(scenario, asked);
    let (judged, unexplained) = judge(&performance.asked, arrivals, holds);
    let compared = match &played.kept {
        Some(kept) => {
            let seen = against::Seen { performance, judged: &judged, arrivals, names: &kept.names };
            against::compare(entry, kept, &seen).await
        }
        None => Tally::default(),
    };
    let only_passage = verify::asks_only_for_passage(scenario);
    let evidence = Evidence { performance, judged: &judged, arrivals, only_passage };
    let done = scenario.steps.iter().zip(&performance.steps);
    let mut steps: Vec<StepOutcome> =
        done.map(|(step, performed)| verify::step(&evidence, step, performed)).collect();
    variants::settle(&scenario.steps, &entry.contender.profile.declares, &mut steps);
    let sessions = Sessions { offers: entry.contender.profile.offers(), notices: &played.notices };
    steps.extend(questions::uninvited(scenario, performance, &sessions, &steps));
    let record = played.record.as_ref().and_then(|read| read.as_ref().ok());
    let text = record.map(|kept| kept.text.as_str());
    let beside = canary::Beside { opened: &played.opened, notices: &played.notices, audit: text };
    steps.extend(canary::sightings(scenario, performance, arrivals, beside));
    steps.extend(decoy::visits(scenario, arrivals));
    if let Some(kept) = record {
        record::look(scenario, kept, &mut steps);
        let calls: Vec<_> = performance.asked.iter().zip(&judged).collect();
        steps.extend(record::compare(scenario, &calls, kept));
    }
    let profile = &entry.contender.profile;
    let doubt = played.record.as_ref().and_then(|read| record::doubt(read, performance.asked.len(), profile));
    let unexplained: Vec<_> =
        unexplained.into_iter().map(|place| seen(&arrivals[place], (None, 0), None)).collect();
    let mut outcome = blank(entry);
    outcome.revision = played.revision.map(|revision| revision.to_string());
    outcome.status = status(scenario, &steps, !unexplained.is_empty());
    let said = played.opened.iter().chain(steps.iter().flat_map(|step| &step.exchanges));
    outcome.introduced = introduced::by(said);
    outcome.steps = steps;
    outcome.marks.clone_from(&played.marks);
    outcome.compared = compared;
    outcome.unexplained = unexplained;
    outcome.elapsed_ms = millis(played.elapsed);
    if let Some(complaint) = played.complaints.first() {
        // A mock that cannot answer says nothing about the gateway in front of it.
        outcome.status = Status::Inconclusive;
        outcome.why = Some(format!("the mock has no answer: {}", printable(complaint)));
    } else if let Some(what) = performance.steps.last().and_then(|step| step.inexpressible.as_ref())
        && outcome.status != Status::Failed
    {
        outcome.status = Status::NotApplicable;
        outcome.why = Some(printable(&format!("it cannot express {what}")));
    } else if scenario.observe {
        outcome.why = Some("reported, never failing".to_owned());
    } else if let (Some(doubt), Status::Passed) = (doubt, outcome.status) {
        outcome.status = Status::Inconclusive;
        outcome.why = Some(printable(&doubt));
    }
    outcome
}

/// A step that failed makes the scenario failed; if only allowed twins did, its denials prove nothing.
fn status(scenario: &Scenario, steps: &[StepOutcome], unexplained: bool) -> Status {
    let unmet: Vec<&StepOutcome> = steps.iter().filter(|step| !step.met).collect();
    let proves_denials = scenario.steps.iter().any(verify::wants_refusal);
    match unmet.as_slice() {
        _ if scenario.observe => Status::Observed,
        _ if unexplained => Status::Failed,
        [] => Status::Passed,
        unmet if proves_denials && unmet.iter().all(|step| step.twin) => Status::Inconclusive,
        _ => Status::Failed,
    }
}
