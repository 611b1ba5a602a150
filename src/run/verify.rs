//! Each step's expectation held against what happened.

use super::expectation::{self, Fell};
use super::judge::{Asked, Judged};
use super::outcome::{CallOutcome, StepOutcome};
use super::perform::{Performance, Performed};
use super::telling;
use super::verdict::meets;
use crate::diagnostic::printable;
use crate::mock::Arrival;
use crate::scenario::{Call, Detailed, Expect, Kind, NoticeExpect, Scenario, Step, Tally, Verdict};
use crate::source::Placed;
use crate::transport::child::Departure;
use crate::wire::canonical::Fidelity;
use std::process::ExitStatus;

/// Everything that is known when the ledgers are closed.
pub(super) struct Evidence<'a> {
    pub(super) performance: &'a Performance,
    pub(super) judged: &'a [Judged],
    pub(super) arrivals: &'a [Arrival],
    /// Whether a call counts as allowed although its answer was changed on the way; a note tells of it.
    pub(super) only_passage: bool,
}

/// Whether an expectation was met, and both sides of it in words.
pub(super) struct Finding {
    pub(super) met: bool,
    pub(super) expected: String,
    pub(super) was: String,
}

impl Finding {
    pub(super) fn of(met: bool, expected: impl Into<String>, was: impl Into<String>) -> Self {
        Self { met, expected: expected.into(), was: was.into() }
    }
}

/// What came of one step.
pub(super) fn step(evidence: &Evidence<'_>, step: &Step, performed: &Performed) -> StepOutcome {
    let calls: Vec<(&Asked, &Judged)> = performed
        .calls
        .clone()
        .map(|place| (&evidence.performance.asked[place], &evidence.judged[place]))
        .collect();
    let finding = finding(evidence, step, performed, &calls);
    let outcomes = calls.iter().map(|(asked, judged)| CallOutcome {
        unmet: !finding.met && is_to_blame(evidence, step, asked, judged),
        ..telling::outcome(asked, judged, evidence.arrivals)
    });
    let first = calls.first().map(|(_, judged)| *judged);
    let mut exchanges: Vec<_> = calls.iter().flat_map(|(asked, _)| asked.exchanges.iter().cloned()).collect();
    exchanges.extend(performed.listed.iter().flat_map(|listed| listed.pages.iter().cloned()));
    StepOutcome {
        line: step.spot.line as usize,
        name: name(step),
        met: finding.met,
        expected: finding.expected,
        was: finding.was,
        verdict: first.map(|judged| judged.verdict.word()),
        reach: first.map(|judged| judged.reach),
        told: first.map(|judged| telling::word(judged.told)),
        at_once: matches!(step.kind, Kind::Together(_)),
        twin: is_failed_twin(step, &calls),
        benign: wants_allowed(step) && !wants_refusal(step),
        notes: notes(evidence, performed, &calls),
        calls: outcomes.collect(),
        second: Vec::new(),
        exchanges,
    }
}

fn finding(
    evidence: &Evidence<'_>,
    step: &Step,
    performed: &Performed,
    calls: &[(&Asked, &Judged)],
) -> Finding {
    if let Some(trouble) = &performed.trouble {
        return Finding::of(false, "a step that can be done", trouble);
    }
    if performed.passed_over.is_some() {
        return Finding::of(true, "", "");
    }
    let fell: Vec<Fell> = calls.iter().map(|(asked, judged)| fell(evidence, asked, judged)).collect();
    match &step.expect {
        None => Finding::of(true, "", expectation_free(&fell)),
        Some(Expect::Verdict(verdicts)) => Finding::of(
            expectation::each(&fell, verdicts),
            expectation::words(verdicts),
            expectation::describe(&fell),
        ),
        Some(Expect::Runs(tallies)) => {
            let expected = expectation::tallies(tallies).replace(", ", ", then ");
            Finding::of(expectation::runs(&fell, tallies), expected, expectation::describe(&fell))
        }
        Some(Expect::Counts(tallies)) => Finding::of(
            expectation::counts(&fell, tallies),
            expectation::tallies(tallies),
            expectation::describe(&fell),
        ),
        Some(Expect::Each(sessions)) => per_session(&fell, sessions),
        Some(Expect::Detailed(detailed)) => super::detail::detailed(evidence, detailed, calls),
        Some(Expect::Listing(listing)) => super::detail::listing(evidence, listing, performed),
        Some(Expect::Orderly) => orderly(performed.departure.as_ref()),
        Some(Expect::Notice(expected)) => {
            let came = matches!(performed.noticed, Some(Some(_)));
            let words = |came: bool| if came { "a notification" } else { "none" };
            Finding::of(
                came == (*expected == NoticeExpect::Arrives),
                words(*expected == NoticeExpect::Arrives),
                words(came),
            )
        }
    }
}

/// Whether it is this call for which the expectation is not met, where that can be said of one call: of runs and counts
/// it can of a verdict that none of them names.
fn is_to_blame(evidence: &Evidence<'_>, step: &Step, asked: &Asked, judged: &Judged) -> bool {
    let fell = [fell(evidence, asked, judged)];
    let unnamed = |tallies: &[Tally]| {
        let named = |tally: &Tally| expectation::each(&fell, &[tally.verdict]);
        !tallies.iter().any(named)
    };
    match &step.expect {
        Some(Expect::Verdict(verdicts)) => !expectation::each(&fell, verdicts),
        Some(Expect::Runs(tallies) | Expect::Counts(tallies)) => unnamed(tallies),
        Some(Expect::Each(sessions)) => {
            sessions.iter().any(|(name, tallies)| name.value == asked.session && unnamed(tallies))
        }
        Some(Expect::Detailed(detailed)) => {
            let verdict = detailed.verdict.is_empty() || expectation::each(&fell, &detailed.verdict);
            !verdict || !super::detail::unmet(evidence, detailed, asked, judged).is_empty()
        }
        Some(Expect::Listing(_) | Expect::Notice(_) | Expect::Orderly) | None => false,
    }
}

/// It ended when it was asked to, of itself or by the signal, and nothing that it started went on.
fn orderly(departure: Option<&Departure>) -> Finding {
    let was = match departure {
        None => "no process of its own".to_owned(),
        Some(Departure { status: None, .. }) => "still there after SIGTERM".to_owned(),
        Some(Departure { left_behind: true, .. }) => "a process that it had started stayed behind".to_owned(),
        Some(Departure { status: Some(status), .. }) => status.to_string(),
    };
    let sound = |departure: &Departure| {
        let asked = departure.status.is_some_and(|status| status.success() || ended_as_asked(status));
        asked && !departure.left_behind
    };
    Finding::of(departure.is_some_and(sound), "an end in order after SIGTERM", was)
}

/// By SIGTERM (15), or with the status that shells have for that.
fn ended_as_asked(status: ExitStatus) -> bool {
    const SIGTERM: i32 = 15;
    #[cfg(unix)]
    let by_signal = std::os::unix::process::ExitStatusExt::signal(&status) == Some(SIGTERM);
    #[cfg(not(unix))]
    let by_signal = false;
    by_signal || status.code() == Some(128 + SIGTERM)
}

fn expectation_free(fell: &[Fell]) -> String {
    if fell.is_empty() { String::new() } else { expectation::describe(fell) }
}

fn per_session(fell: &[Fell], sessions: &[(Placed<String>, Vec<Tally>)]) -> Finding {
    let of = |name: &str| fell.iter().filter(|one| one.session == name).cloned().collect::<Vec<_>>();
    let met = sessions.iter().all(|(name, tallies)| expectation::counts(&of(&name.value), tallies));
    let expected =
        sessions.iter().map(|(name, tallies)| format!("{}: {}", name.value, expectation::tallies(tallies)));
    let was = sessions
        .iter()
        .map(|(name, _)| format!("{}: {}", name.value, expectation::describe(&of(&name.value))));
    Finding::of(met, expected.collect::<Vec<_>>().join("; "), was.collect::<Vec<_>>().join("; "))
}

pub(super) fn fell(evidence: &Evidence<'_>, asked: &Asked, judged: &Judged) -> Fell {
    let got_through = evidence.only_passage && is_only_answered_otherwise(judged);
    let verdict = if got_through { Verdict::Allowed } else { judged.verdict };
    Fell { verdict, session: asked.session.clone(), notification: asked.notification }
}

/// Whether a call arrived as it was sent, and only its answer did not come back so.
fn is_only_answered_otherwise(judged: &Judged) -> bool {
    judged.verdict == Verdict::Altered && judged.arguments != Some(Fidelity::Changed)
}

/// Whether a scenario asks of its calls only whether they get through: it is about refusals, and what becomes of
/// answers is a matter of others. Otherwise one change of all answers would look like a failure of everything.
pub(super) fn asks_only_for_passage(scenario: &Scenario) -> bool {
    let about_answers = |requirement: &Placed<String>| requirement.value.starts_with("TRANS-");
    scenario.steps.iter().any(wants_refusal)
        && !scenario.requirements.iter().any(about_answers)
        && !scenario.steps.iter().any(|step| wants(step, |verdict| verdict == Verdict::Altered))
}

/// An allowed twin that was refused or failed proves that the denials beside it prove nothing. One that leaked, was
/// doubled, or arrived otherwise than it was sent is a failure of its own.
fn is_failed_twin(step: &Step, calls: &[(&Asked, &Judged)]) -> bool {
    let blocked = |judged: &Judged| meets(Verdict::Blocked, judged.verdict, true);
    let innocent = |judged: &Judged| {
        judged.verdict == Verdict::Allowed
            || blocked(judged)
            || matches!(judged.verdict, Verdict::Failed | Verdict::Lost | Verdict::Unanswered)
    };
    wants_allowed(step) && calls.iter().all(|(_, judged)| innocent(judged))
}

/// Whether a step wants every call to get through.
fn wants_allowed(step: &Step) -> bool {
    match &step.expect {
        Some(Expect::Verdict(verdicts)) => verdicts.as_slice() == [Verdict::Allowed],
        Some(Expect::Detailed(detailed)) => wants_only_allowed(detailed),
        _ => false,
    }
}

/// Whether a step wants something refused: only beside one that does can an allowed twin's failure prove anything.
pub(super) fn wants_refusal(step: &Step) -> bool {
    let counts_arrivals = |detailed: &Detailed| {
        detailed.executions.is_some()
            || detailed.upstream.as_ref().is_some_and(|there| there.arrivals.is_some())
    };
    wants(step, |verdict| verdict != Verdict::Allowed)
        || matches!(&step.expect, Some(Expect::Detailed(detailed)) if counts_arrivals(detailed))
}

/// Whether a step wants a verdict like that.
fn wants(step: &Step, like: impl Fn(Verdict) -> bool) -> bool {
    let some = |tallies: &[Tally]| tallies.iter().any(|tally| like(tally.verdict));
    match &step.expect {
        Some(Expect::Verdict(verdicts)) => verdicts.iter().any(|verdict| like(*verdict)),
        Some(Expect::Runs(tallies) | Expect::Counts(tallies)) => some(tallies),
        Some(Expect::Each(sessions)) => sessions.iter().any(|(_, tallies)| some(tallies)),
        Some(Expect::Detailed(detailed)) => detailed.verdict.iter().any(|verdict| like(*verdict)),
        Some(Expect::Listing(_) | Expect::Notice(_) | Expect::Orderly) | None => false,
    }
}

/// Whether it matters to a step that a server was told to stop.
pub(super) fn looks_for_the_abandoned(step: &Step) -> bool {
    let Some(Expect::Detailed(detailed)) = &step.expect else { return false };
    detailed.upstream.as_ref().is_some_and(|there| there.abandoned.is_some())
}

fn wants_only_allowed(detailed: &Detailed) -> bool {
    detailed.verdict.as_slice() == [Verdict::Allowed]
}

/// Remarks that do not decide.
fn notes(evidence: &Evidence<'_>, performed: &Performed, calls: &[(&Asked, &Judged)]) -> Vec<String> {
    let mut notes: Vec<String> =
        performed.passed_over.iter().map(|why| format!("passed over: {why}")).collect();
    notes.extend(performed.notes.iter().map(|note| printable(note)));
    let added = |fidelity: Option<Fidelity>| fidelity == Some(Fidelity::Added);
    if evidence.only_passage && calls.iter().any(|(_, judged)| is_only_answered_otherwise(judged)) {
        notes.push("the answer was changed on the way".to_owned());
    }
    if calls.iter().any(|(_, judged)| added(judged.arguments)) {
        notes.push("members were added to the arguments".to_owned());
    }
    if calls.iter().any(|(_, judged)| added(judged.answer)) {
        notes.push("members were added to the answer".to_owned());
    }
    notes
}

/// What a step does, in a few words.
fn name(step: &Step) -> String {
    let times = |call: &Call| if call.times > 1 { format!(" ×{}", call.times) } else { String::new() };
    match &step.kind {
        Kind::Call(call) => format!("call {}{}", crate::diagnostic::printable(&call.tool.name), times(call)),
        Kind::Together(members) => format!("together {}", members.len()),
        Kind::Agent(agent) => format!("agent {}", agent.persona.word()),
        Kind::List(_) => "list tools".to_owned(),
        Kind::Change(_) => "change".to_owned(),
        Kind::Notice(notice) => format!("notice {}", notice.method),
        Kind::Send(_) => "send".to_owned(),
        Kind::Wait(_) => "wait".to_owned(),
        Kind::Cancel(name) => format!("cancel {}", name.value),
        Kind::Records(_) => "records".to_owned(),
        Kind::Accept(tool) => format!("accept {}", tool.value),
        Kind::Decide(decide) => format!(
            "decide {}",
            decide.decisions.iter().map(|(name, _)| name.value.as_str()).collect::<Vec<_>>().join(", ")
        ),
        Kind::Settle(settle) => format!("settle {}", settle.step.value),
        Kind::Stop(_) => "stop".to_owned(),
        Kind::Start(_) => "start".to_owned(),
        Kind::Restart(_) => "restart".to_owned(),
        Kind::Reload(_) => "reload".to_owned(),
        Kind::Revoke(identity) => format!("revoke {identity}"),
    }
}
