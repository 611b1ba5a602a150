//! Names that nothing uses: harmless, and mostly the trace of something forgotten.

use super::walk;
use super::{Checking, token};
use crate::diagnostic::Diagnostic;
use crate::scenario::expect::{EntryExpect, Expect};
use crate::scenario::step::{Kind, Step};
use crate::scenario::template;
use crate::source::Spot;

pub(super) fn check(checking: &mut Checking<'_>) {
    let scenario = checking.scenario;
    let stops = walk::steps(&scenario.steps);
    let mut mentioned: Vec<String> =
        scenario.steps.iter().flat_map(walk::texts).flat_map(|text| template::mentioned(&text)).collect();
    // Answers and changes plant canaries too.
    let answers = scenario.upstreams.values().flat_map(|upstream| upstream.answers.values().flatten());
    mentioned.extend(answers.flat_map(|answer| template::mentioned(&answer.value.to_string())));
    let changes = scenario.upstreams.values().flat_map(|upstream| &upstream.changes);
    let changes = changes.chain(stops.iter().filter_map(|stop| match &stop.step.kind {
        Kind::Change(change) => Some(change),
        _ => None,
    }));
    mentioned.extend(changes.flat_map(|change| {
        change.fields.0.iter().flat_map(|(_, value)| template::mentioned(&value.to_string()))
    }));
    let mut unused = |spot: Spot, message: String| checking.told.push(Diagnostic::warning(spot, message));
    for stop in &stops {
        for (name, pointer) in
            stop.step.saves().into_iter().flatten().filter(|(name, _)| !mentioned.contains(name))
        {
            unused(pointer.spot, format!("`{name}` is saved and never used"));
        }
    }
    for (name, canary) in scenario.canaries.iter().filter(|(name, _)| !mentioned.contains(name)) {
        unused(canary.spot, format!("the canary `{name}` is planted nowhere"));
    }
    for decoy in scenario.decoys.iter().filter(|decoy| !mentioned.contains(&decoy.value)) {
        unused(decoy.spot, format!("nobody is told the address of the decoy `{}`", decoy.value));
    }
    let referred: Vec<&String> = stops.iter().flat_map(|stop| references(stop.step)).collect();
    for name in
        stops.iter().filter_map(|stop| stop.step.name()).filter(|name| !referred.contains(&&name.value))
    {
        unused(name.spot, format!("no later step refers to `{}`", name.value));
    }
    people(checking, &stops);
}

/// The steps that a step refers to.
fn references(step: &Step) -> Vec<&String> {
    let mut names = match &step.kind {
        Kind::Call(call) => call.carrying.iter().map(|name| &name.value).collect(),
        Kind::Settle(settle) => vec![&settle.step.value],
        Kind::Cancel(name) => vec![&name.value],
        Kind::Decide(decide) => decide.decisions.iter().map(|(name, _)| &name.value).collect(),
        _ => Vec::new(),
    };
    if let Some(Expect::Detailed(detailed)) = &step.expect {
        names.extend(detailed.same_as.iter().map(|name| &name.value));
    }
    if let Some(Expect::Listing(listing)) = &step.expect {
        names.extend(listing.same_as.iter().map(|name| &name.value));
        names.extend(listing.entry.values().flatten().filter_map(|alternative| match alternative {
            EntryExpect::SameAs(name) => Some(&name.value),
            _ => None,
        }));
    }
    names
}

/// Identities without a session or a call of their own, and sessions that nobody speaks on.
fn people(checking: &mut Checking<'_>, stops: &[walk::Stop<'_>]) {
    let scenario = checking.scenario;
    let spoken: Vec<&String> =
        stops.iter().filter_map(|stop| Some(&stop.step.voice()?.session.as_ref()?.value)).collect();
    let first = stops.iter().any(|stop| stop.step.voice().is_some_and(|voice| voice.session.is_none()));
    let written = |pointer: String| {
        let root = checking.root.as_ref()?;
        let spot = root.key(&pointer);
        (root.nearest(&pointer).spot != root.spot).then_some(spot)
    };
    let mut told = Vec::new();
    if checking.root.as_ref().is_some_and(|root| root.get("sessions").is_some()) {
        for (index, name) in scenario.sessions.keys().enumerate() {
            if !(spoken.contains(&name) || (first && index == 0)) {
                let spot = written(format!("/sessions/{}", token(name))).unwrap_or_default();
                told.push(Diagnostic::warning(spot, format!("nobody speaks on the session `{name}`")));
            }
        }
    }
    let by = stops.iter().filter_map(|stop| Some(&stop.step.voice()?.by.as_ref()?.value));
    let sessions = scenario.sessions.values().filter_map(|session| session.identity.as_ref());
    let named: Vec<&String> = by.chain(sessions).collect();
    for name in scenario.identities.keys().filter(|name| !named.contains(name)) {
        if let Some(spot) = written(format!("/identities/{}", token(name))) {
            told.push(Diagnostic::warning(spot, format!("nobody is `{name}`")));
        }
    }
    checking.told.extend(told);
}
