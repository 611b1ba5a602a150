//! What came of it: who fails whom.

use super::Question;
use super::contenders::{HONEST, NONE, is_related};
use crate::reference::{FLAWS, Flaw};
use crate::report::human::story;
use crate::run::outcome::{ScenarioOutcome, Status};
use crate::scenario::Scenario;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a proof came to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Proof {
    /// Each flaw, in the order of the flaws.
    pub flaws: Vec<Caught>,
    /// Honest gateways that do not pass.
    pub alarms: Vec<Alarm>,
    /// Scenarios that no flaw fails, and not even the absence of a gateway.
    pub unproved: Vec<String>,
    /// Scenarios that no gateway of this process can do: they are proved elsewhere, or nowhere.
    pub not_run: Vec<String>,
    /// Scenarios that only the absence of a gateway fails.
    pub only_without_gateway: Vec<String>,
    /// Scenarios that fail for flaws that are about something else altogether: each with those flaws.
    pub broad: BTreeMap<String, Vec<String>>,
}

/// One flaw, and what catches it.
#[derive(Clone, Debug, Serialize)]
pub struct Caught {
    /// The flaw.
    pub flaw: &'static str,
    /// The requirements that it breaks by its own word.
    pub breaks: Vec<&'static str>,
    /// Those of them whose scenarios do not catch it.
    pub missed: Vec<&'static str>,
    /// The scenarios that catch it.
    pub by: BTreeSet<String>,
}

/// An honest gateway that a scenario fails.
#[derive(Clone, Debug, Serialize)]
pub struct Alarm {
    /// The gateway, or the variant.
    pub gateway: String,
    /// The scenario.
    pub scenario: String,
    /// What happened, as people read it.
    pub story: Vec<String>,
}

/// What is kept of one outcome.
pub(super) struct Met {
    gateway: String,
    scenario: String,
    status: Status,
    /// Only of an honest gateway that does not pass.
    story: Vec<String>,
}

impl Met {
    pub(super) fn of(outcome: &ScenarioOutcome) -> Self {
        let (gateway, scenario, status) = (outcome.gateway.clone(), outcome.id.clone(), outcome.status);
        let story = if is_alarm(&gateway, status) { story(outcome) } else { Vec::new() };
        Self { gateway, scenario, status, story }
    }
}

/// Whether this is said of a gateway of which nothing bad should be said.
fn is_alarm(gateway: &str, status: Status) -> bool {
    let lies = FLAWS.iter().any(|flaw| flaw.name == gateway) || gateway == NONE;
    matches!(status, Status::Failed | Status::Inconclusive) && !lies
}

impl Proof {
    /// Draws the conclusion from what came of a question's entries.
    pub(super) fn of(question: &Question, outcomes: &[Met]) -> Self {
        let mut proof = Self::default();
        let mut failed: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for outcome in outcomes {
            let (gateway, scenario) = (outcome.gateway.as_str(), outcome.scenario.clone());
            match outcome.status {
                status if is_alarm(gateway, status) => {
                    let (gateway, story) = (gateway.to_owned(), outcome.story.clone());
                    proof.alarms.push(Alarm { gateway, scenario, story });
                }
                Status::Failed | Status::Inconclusive => {
                    failed.entry(gateway).or_default().insert(scenario);
                }
                _ => {}
            }
        }
        proof.alarms.sort_by_key(|alarm| alarm.gateway != HONEST);
        let by = |name: &str| failed.get(name).cloned().unwrap_or_default();
        proof.flaws = question.flaws.iter().map(|flaw| caught(question, flaw, by(flaw.name))).collect();
        let by_flaw: BTreeSet<&String> = proof.flaws.iter().flat_map(|caught| &caught.by).collect();
        let without = by(NONE);
        let honest = outcomes.iter().filter(|outcome| outcome.gateway == HONEST);
        let ran: BTreeSet<&String> = honest
            .filter(|outcome| outcome.status == Status::Passed)
            .map(|outcome| &outcome.scenario)
            .collect();
        for scenario in question.scenarios.iter().filter(|scenario| !by_flaw.contains(&scenario.id)) {
            let list = match &scenario.id {
                id if !ran.contains(id) => &mut proof.not_run,
                id if without.contains(id) => &mut proof.only_without_gateway,
                _ => &mut proof.unproved,
            };
            list.push(scenario.id.clone());
        }
        proof.broad = broad(question, &proof.flaws);
        proof
    }

    /// The scenarios that no flaw has failed yet.
    pub(super) fn open(&self) -> Vec<String> {
        self.unproved.iter().chain(&self.only_without_gateway).cloned().collect()
    }

    /// Whether every flaw is caught by what it breaks, every scenario is proved, and no honest gateway raises an alarm.
    pub fn holds(&self) -> bool {
        self.holds_for(true, true)
    }

    /// The same, where not all scenarios or not all flaws were asked.
    pub fn holds_for(&self, all_scenarios: bool, all_flaws: bool) -> bool {
        let caught = !all_scenarios || self.flaws.iter().all(|caught| caught.missed.is_empty());
        let proved = !all_flaws || self.unproved.is_empty();
        caught && proved && self.alarms.is_empty()
    }
}

/// Requirements whose scenarios were not asked cannot have missed anything.
fn caught(question: &Question, flaw: &Flaw, by: BTreeSet<String>) -> Caught {
    let catches = |id: &&str| {
        let mut about = question
            .scenarios
            .iter()
            .filter(|scenario| scenario.requirements.iter().any(|requirement| requirement.value == **id));
        about.any(|scenario| by.contains(&scenario.id))
    };
    let missed = flaw.requirements.iter().copied().filter(|id| !catches(id)).collect();
    Caught { flaw: flaw.name, breaks: flaw.requirements.to_vec(), missed, by }
}

/// A scenario may fail for whatever spoils a call that it needs. It is too broad where a flaw that keeps its own
/// requirements, and breaks none of its group, fails it.
fn broad(question: &Question, caught: &[Caught]) -> BTreeMap<String, Vec<String>> {
    let mut broad: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (flaw, caught) in question.flaws.iter().zip(caught) {
        let fails =
            |scenario: &&Arc<Scenario>| caught.by.contains(&scenario.id) && !is_related(flaw, scenario);
        for scenario in question.scenarios.iter().filter(fails) {
            broad.entry(scenario.id.clone()).or_default().push(flaw.name.to_owned());
        }
    }
    broad
}
