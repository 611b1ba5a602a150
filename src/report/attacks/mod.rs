//! How the attacks of a run fared, for people who answer for security: each scenario that replays a documented attack,
//! then counted by pattern and by the ids of the lists that name it.
//!
//! An attack is stopped only where its benign twin got through as well; what the scenario only observes is never called
//! stopped. Nothing is decided here that the outcome does not say.

mod document;
mod markdown;

pub use document::document;
pub use markdown::markdown;

use crate::pattern;
use crate::run::outcome::{Outcome, ScenarioOutcome, Status, StepOutcome};
use serde::Serialize;

/// How an attack fared at a gateway; the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fared {
    /// The harm was done.
    NotStopped,
    /// It was only observed, and the harm was done.
    ObservedPassing,
    /// Honest work did not get through as it should, so that nothing is proved.
    TwinFailed,
    /// It was only observed, and no harm was seen.
    ObservedHeld,
    /// It was stopped, and honest work was not.
    Stopped,
    /// It was not run.
    NotRun,
}

impl Fared {
    /// Every one, in the order in which reports count them.
    pub const ALL: [Self; 6] = [
        Self::Stopped,
        Self::NotStopped,
        Self::TwinFailed,
        Self::ObservedPassing,
        Self::ObservedHeld,
        Self::NotRun,
    ];

    /// The words for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::NotStopped => "not stopped",
            Self::ObservedPassing => "observed: passes",
            Self::TwinFailed => "twin failed",
            Self::ObservedHeld => "observed: held",
            Self::Stopped => "stopped",
            Self::NotRun => "not run",
        }
    }
}

/// One attack at one gateway. Of several eras, the one in which it fared worst.
#[derive(Clone, Copy, Debug)]
pub struct Finding<'a> {
    /// What came of its scenario.
    pub scenario: &'a ScenarioOutcome,
    /// How it fared.
    pub fared: Fared,
    /// Whether what an honest agent does got through; nothing where the scenario has no such step, or was not run.
    pub twin: Option<bool>,
    /// The step that tells: the first that was not as expected.
    pub telling: Option<&'a StepOutcome>,
}

impl<'a> Finding<'a> {
    fn of(scenario: &'a ScenarioOutcome) -> Self {
        let ran = !matches!(scenario.status, Status::NotApplicable | Status::Skipped);
        let benign = scenario.steps.iter().any(|step| step.benign);
        let unmet = |step: &&StepOutcome| !step.met;
        let twin_failed = scenario.steps.iter().filter(unmet).any(is_failed_twin);
        let harm = scenario.steps.iter().filter(unmet).find(|step| !is_failed_twin(step));
        let fared = match (ran && !scenario.steps.is_empty(), scenario.observed) {
            (false, _) => Fared::NotRun,
            (true, true) if harm.is_some() => Fared::ObservedPassing,
            (true, false) if harm.is_some() || !scenario.unexplained.is_empty() => Fared::NotStopped,
            (true, _) if twin_failed || !matches!(scenario.status, Status::Passed | Status::Observed) => {
                Fared::TwinFailed
            }
            (true, true) => Fared::ObservedHeld,
            (true, false) => Fared::Stopped,
        };
        let telling = harm.or_else(|| scenario.steps.iter().find(unmet));
        Self { scenario, fared, twin: (ran && benign).then_some(!twin_failed), telling }
    }

    /// The line in the scenario's file that a reader should look at; the first where none tells.
    pub fn line(&self) -> usize {
        self.telling.map_or(1, |step| step.line)
    }

    /// What was expected, and what was; foreign text, made printable by whoever writes it.
    pub fn story(&self) -> String {
        match (self.telling, &self.scenario.why) {
            (Some(step), _) => format!("{}: expected {}, was {}", step.name, step.expected, step.was),
            (None, _) if !self.scenario.unexplained.is_empty() => "arrivals that no call explains".to_owned(),
            (None, Some(why)) => why.clone(),
            (None, None) => String::new(),
        }
    }

    /// The patterns that it replays.
    pub fn patterns(&self) -> &'a [String] {
        self.scenario.attack.as_ref().map(|attack| attack.patterns.as_slice()).unwrap_or_default()
    }

    fn ids(&self, list: List) -> &'a [String] {
        let Some(attack) = &self.scenario.attack else { return &[] };
        match list {
            List::Patterns => &attack.patterns,
            List::Owasp => &attack.owasp,
            List::Atlas => &attack.atlas,
        }
    }
}

/// Whether an honest agent's call did not get through. Where it did, what the step demands beyond that is the point.
fn is_failed_twin(step: &StepOutcome) -> bool {
    let through = |verdict: &str| verdict == "allowed";
    let all_through = match step.calls.as_slice() {
        [] => step.verdict.is_some_and(through),
        calls => calls.iter().all(|call| through(call.verdict)),
    };
    step.benign && !all_through
}

/// The attacks of one gateway.
pub fn findings<'a>(outcome: &'a Outcome, gateway: &str) -> Vec<Finding<'a>> {
    let mut findings: Vec<Finding<'a>> = Vec::new();
    let attacks = outcome.scenarios.iter().filter(|one| one.gateway == gateway && one.attack.is_some());
    for finding in attacks.map(Finding::of) {
        match findings.iter_mut().find(|known| known.scenario.id == finding.scenario.id) {
            Some(known) if finding.fared < known.fared => *known = finding,
            Some(_) => {}
            None => findings.push(finding),
        }
    }
    findings
}

/// A list of ids that attacks are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// The documented patterns.
    Patterns,
    /// OWASP's lists.
    Owasp,
    /// MITRE ATLAS.
    Atlas,
}

/// The attacks of one id, counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The id.
    pub id: String,
    /// Its name; empty where no list has it.
    pub name: &'static str,
    /// How many fared how, in the order of [`Fared::ALL`].
    #[serde(skip)]
    pub counts: [usize; Fared::ALL.len()],
    /// How many benign twins got through.
    pub twins_passed: usize,
    /// How many benign twins were tried.
    pub twins: usize,
}

/// Every id of the list that some attack names: those known in their order, then the others.
pub fn rows(findings: &[Finding<'_>], list: List) -> Vec<Row> {
    let known = pattern::shipped();
    let names: Vec<(&'static str, &'static str)> = match list {
        List::Patterns => known.patterns.iter().map(|(id, one)| (id.as_str(), one.name.as_str())).collect(),
        List::Owasp => known.owasp.iter().map(|(id, one)| (id.as_str(), one.name.as_str())).collect(),
        List::Atlas => known.atlas.iter().map(|(id, one)| (id.as_str(), one.name.as_str())).collect(),
    };
    let mut ids: Vec<(String, &'static str)> =
        names.into_iter().map(|(id, name)| (id.to_owned(), name)).collect();
    for id in findings.iter().flat_map(|finding| finding.ids(list)) {
        if !ids.iter().any(|(known, _)| known == id) {
            ids.push((id.clone(), ""));
        }
    }
    let row = |(id, name): (String, &'static str)| {
        let members: Vec<_> = findings.iter().filter(|finding| finding.ids(list).contains(&id)).collect();
        let count = |fared| members.iter().filter(|finding| finding.fared == fared).count();
        let twins = members.iter().filter_map(|finding| finding.twin);
        let (passed, tried) =
            twins.fold((0, 0), |(passed, tried), twin| (passed + usize::from(twin), tried + 1));
        let row = Row { id, name, counts: Fared::ALL.map(count), twins_passed: passed, twins: tried };
        (!members.is_empty()).then_some(row)
    };
    ids.into_iter().filter_map(row).collect()
}

/// How many of all fared how, in the order of [`Fared::ALL`].
pub fn totals(findings: &[Finding<'_>]) -> [usize; Fared::ALL.len()] {
    Fared::ALL.map(|fared| findings.iter().filter(|finding| finding.fared == fared).count())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::run::testing;
    use crate::scenario::{Attack, Severity};

    /// A step of a scenario.
    pub(crate) fn step(line: usize, benign: bool, met: bool) -> StepOutcome {
        let (expected, was) =
            if benign { ("allowed", "denied") } else { ("denied", "allowed \u{1b}[2J|`<b>") };
        let twin = benign && !met;
        let (expected, was) = (expected.to_owned(), was.to_owned());
        StepOutcome {
            line,
            name: "call x".to_owned(),
            met,
            expected,
            was,
            benign,
            twin,
            ..Default::default()
        }
    }

    /// What came of a scenario about `K24`.
    pub(crate) fn scenario(id: &str, status: Status, steps: Vec<StepOutcome>) -> ScenarioOutcome {
        let attack = Attack {
            patterns: vec!["K24".to_owned()],
            owasp: vec!["ASI02".to_owned(), "X\u{202e}|1".to_owned()],
            atlas: vec!["AML.T0101".to_owned()],
            see: Vec::new(),
        };
        ScenarioOutcome {
            title: "nothing is destroyed".to_owned(),
            group: "attacks".to_owned(),
            file: format!("my attacks/{id}.yaml"),
            severity: Severity::Critical,
            attack: Some(attack),
            why: None,
            known: None,
            steps,
            ..testing::scenario(id, "acme", status)
        }
    }

    /// One attack of each kind.
    pub(crate) fn outcome() -> Outcome {
        let watched = |id: &str, met: bool| {
            let observed = scenario(id, Status::Passed, vec![step(5, true, true), step(6, false, met)]);
            ScenarioOutcome { observed: true, ..observed }
        };
        let scenarios = vec![
            scenario("held", Status::Passed, vec![step(5, true, true), step(6, false, true)]),
            scenario("let-through", Status::Failed, vec![step(5, true, false), step(6, false, false)]),
            scenario("too-strict", Status::Inconclusive, vec![step(5, true, false), step(6, false, true)]),
            watched("watched", false),
            watched("watched-and-held", true),
            scenario("not-run", Status::NotApplicable, Vec::new()),
        ];
        testing::outcome(&["acme"], scenarios)
    }

    #[test]
    fn each_attack_fares_as_its_steps_say() {
        let outcome = outcome();
        let findings = findings(&outcome, "acme");
        let fared: Vec<_> =
            findings.iter().map(|finding| (finding.fared, finding.twin, finding.line())).collect();
        assert_eq!(
            fared,
            [
                (Fared::Stopped, Some(true), 1),
                (Fared::NotStopped, Some(false), 6),
                (Fared::TwinFailed, Some(false), 5),
                (Fared::ObservedPassing, Some(true), 6),
                (Fared::ObservedHeld, Some(true), 1),
                (Fared::NotRun, None, 1),
            ]
        );
        assert_eq!(totals(&findings), [1; 6]);
        let rows = rows(&findings, List::Owasp);
        assert_eq!(rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["ASI02", "X\u{202e}|1"]);
        assert_eq!((rows[0].counts, rows[0].twins_passed, rows[0].twins), ([1; 6], 3, 5));
    }

    #[test]
    fn of_several_eras_the_worst_is_told() {
        let mut outcome = outcome();
        outcome.scenarios.push(scenario("held", Status::Failed, vec![step(6, false, false)]));
        let findings = findings(&outcome, "acme");
        assert_eq!((findings.len(), findings[0].fared), (6, Fared::NotStopped));
    }

    #[test]
    fn what_a_step_demands_beyond_getting_through_is_the_point() {
        let passed_on = StepOutcome { verdict: Some("allowed"), ..step(5, true, false) };
        let refused = StepOutcome { verdict: Some("denied"), ..step(5, true, false) };
        let fared = |step| Finding::of(&scenario("bearer", Status::Failed, vec![step])).fared;
        assert_eq!((fared(passed_on), fared(refused)), (Fared::NotStopped, Fared::TwinFailed));
    }
}
