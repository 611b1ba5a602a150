//! What the probes came to, looked up by the names that their steps bear. It judges nothing.

use crate::run::outcome::{CallOutcome, ScenarioOutcome, Status, StepOutcome};
use crate::scenario::{Kind, Scenario};
use crate::transcript::Exchange;
use crate::wire::{Json, Message, parse};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One probe, done or not.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) scenario: Arc<Scenario>,
    pub(super) outcome: ScenarioOutcome,
}

/// Every probe by its name.
#[derive(Debug, Default)]
pub(super) struct Chart(BTreeMap<String, Seen>);

impl Chart {
    pub(super) fn add(&mut self, name: &str, seen: Seen) {
        self.0.insert(name.to_owned(), seen);
    }

    /// A probe that was done.
    pub(super) fn done(&self, name: &str) -> Option<&Seen> {
        self.0.get(name).filter(|seen| seen.why_not().is_none())
    }

    /// Why a probe was not done.
    pub(super) fn why_not(&self, name: &str) -> String {
        self.0.get(name).and_then(Seen::why_not).unwrap_or("it was not reached").to_owned()
    }

    /// A step of a probe that was done.
    pub(super) fn step(&self, name: &str, step: &str) -> Option<&StepOutcome> {
        self.done(name)?.step(step)
    }

    /// The first call of a step.
    pub(super) fn call(&self, name: &str, step: &str) -> Option<&CallOutcome> {
        self.step(name, step)?.calls.first()
    }

    /// All that was done.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &Seen)> {
        self.0.iter().filter(|(_, seen)| seen.why_not().is_none()).map(|(name, seen)| (name.as_str(), seen))
    }
}

impl Seen {
    /// Why nothing was done, where nothing was.
    fn why_not(&self) -> Option<&str> {
        let undone = matches!(self.outcome.status, Status::NotApplicable | Status::Skipped)
            || self.outcome.steps.is_empty();
        undone.then(|| self.outcome.why.as_deref().unwrap_or("it was not reached"))
    }

    /// The step of that name.
    pub(super) fn step(&self, name: &str) -> Option<&StepOutcome> {
        self.steps().find(|(known, _)| *known == Some(name)).map(|(_, outcome)| outcome)
    }

    /// The steps that were done, with their names.
    pub(super) fn steps(&self) -> impl Iterator<Item = (Option<&str>, &StepOutcome)> {
        self.scenario.steps.iter().map(|step| name_of(&step.kind)).zip(&self.outcome.steps)
    }

    /// The step that sent raw bytes.
    pub(super) fn sent(&self) -> Option<&StepOutcome> {
        let raw = |kind: &Kind| matches!(kind, Kind::Send(_));
        let steps = self.scenario.steps.iter().zip(&self.outcome.steps);
        steps.filter(|(step, _)| raw(&step.kind)).map(|(_, outcome)| outcome).next()
    }
}

fn name_of(kind: &Kind) -> Option<&str> {
    let name = match kind {
        Kind::Call(call) => call.name.as_ref(),
        Kind::List(list) => list.name.as_ref(),
        _ => None,
    };
    name.map(|name| name.value.as_str())
}

/// The names in the pages of a list, as the gateway spells them; `None` where no list came.
pub(super) fn listed(step: &StepOutcome) -> Option<Vec<String>> {
    let mut names = Vec::new();
    for page in &step.exchanges {
        let Some(Message::Response { outcome: Ok(result), .. }) = page.response() else { return None };
        let tools = result.get("tools")?.as_array()?.to_vec();
        names.extend(tools.iter().filter_map(|tool| Some(tool.get("name")?.as_str()?.to_owned())));
    }
    (!step.exchanges.is_empty()).then_some(names)
}

/// The method of what was sent: a session that could not be opened shows its opening in place of the call.
pub(super) fn method(exchange: &Exchange) -> Option<String> {
    Some(parse(&exchange.sent.bytes).ok()?.get("method")?.as_str()?.to_owned())
}

/// The tool's name as it was sent.
pub(super) fn sent_name(exchange: &Exchange) -> Option<String> {
    let frame = parse(&exchange.sent.bytes).ok()?;
    frame.pointer("/params/name").and_then(Json::as_str).map(str::to_owned)
}
