//! Who is asked: the honest gateway, none at all, every liar, and every honest one that differs.

use super::{Question, Reach};
use crate::gateway::{self, Profile};
use crate::reference::{Flaw, VARIANTS};
use crate::run::{Contender, Entry, Fate, Wishes, plan};
use crate::scenario::Scenario;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The name of the honest gateway in outcomes.
pub(super) const HONEST: &str = "reference";

/// The name of no gateway at all.
pub(super) const NONE: &str = "direct";

/// The ways in which the embedded gateway asks for approvals; a scenario is run at the first that it is about.
const STYLES: [&str; 4] = ["reference", "reference-held", "reference-elicited", "reference-input-required"];

/// Every entry of the proof.
pub(super) fn entries(question: &Question) -> Vec<Entry> {
    let profiles = styles();
    // Those that differ begin: one of them takes its time, and nobody should wait for it alone in the end.
    let mut entries = if question.variants { differing(question, &profiles) } else { Vec::new() };
    entries.extend(at_first(&question.scenarios, &profiles, &Named { name: HONEST, twist: None }));
    if let Some(profile) = gateway::named(NONE) {
        let contender = Contender { name: NONE.to_owned(), profile: Arc::new(profile), flaw: None };
        entries.extend(plan(&question.scenarios, &[Arc::new(contender)], &Wishes::default()));
    }
    entries.extend(lying(question));
    entries
}

/// Each flaw at the scenarios that it is to meet.
fn lying(question: &Question) -> Vec<Entry> {
    let profiles = styles();
    let mut entries = Vec::new();
    for flaw in &question.flaws {
        let named = Named { name: flaw.name, twist: Some(flaw.name) };
        let related = |scenario: &&Arc<Scenario>| match question.reach {
            Reach::Everything => true,
            Reach::Related => is_related(flaw, scenario),
            Reach::Named => is_named(flaw, scenario),
        };
        let scenarios: Vec<Arc<Scenario>> = question.scenarios.iter().filter(related).cloned().collect();
        entries.extend(at_first(&scenarios, &profiles, &named));
    }
    entries
}

/// Each of these scenarios at the related flaw of that number.
pub(super) fn next(question: &Question, open: &[String], round: usize) -> Vec<Entry> {
    let profiles = styles();
    let open = question.scenarios.iter().filter(|scenario| open.contains(&scenario.id));
    let met = |scenario: &Arc<Scenario>| {
        let mut related = question.flaws.iter().filter(|flaw| is_related(flaw, scenario));
        let flaw = related.nth(round)?;
        let named = Named { name: flaw.name, twist: Some(flaw.name) };
        Some(at_first(std::slice::from_ref(scenario), &profiles, &named))
    };
    open.filter_map(met).flatten().collect()
}

/// Every honest gateway that is not the usual one.
fn differing(question: &Question, profiles: &[Arc<Profile>]) -> Vec<Entry> {
    let others = profiles.len() - 1 + VARIANTS.len();
    // Where it has to be quick, each scenario meets one of them.
    let met = |place: usize| -> Vec<Arc<Scenario>> {
        let scenarios = question.scenarios.iter().enumerate();
        let meets =
            |(at, _): &(usize, &Arc<Scenario>)| question.reach != Reach::Named || at % others == place;
        scenarios.filter(meets).map(|(_, scenario)| scenario.clone()).collect()
    };
    let mut entries = Vec::new();
    for (place, style) in profiles.iter().skip(1).enumerate() {
        let named = Named { name: &style.gateway, twist: None };
        entries.extend(at_first(&met(place), std::slice::from_ref(style), &named));
    }
    for (place, variant) in VARIANTS.iter().enumerate() {
        let declared = profiles.iter().map(|profile| {
            let mut profile = Profile::clone(profile);
            (variant.declares)(&mut profile.declares);
            Arc::new(profile)
        });
        let named = Named { name: variant.name, twist: Some(variant.name) };
        entries.extend(at_first(&met(profiles.len() - 1 + place), &declared.collect::<Vec<_>>(), &named));
    }
    entries
}

fn styles() -> Vec<Arc<Profile>> {
    STYLES.iter().filter_map(|name| gateway::named(name)).map(Arc::new).collect()
}

/// Whether a scenario is about a requirement that a flaw breaks by its own word.
fn is_named(flaw: &Flaw, scenario: &Scenario) -> bool {
    scenario.requirements.iter().any(|requirement| flaw.requirements.contains(&requirement.value.as_str()))
}

/// Whether a scenario is about something like it: a requirement of the same group, or an attack that it lets pass.
pub(super) fn is_related(flaw: &Flaw, scenario: &Scenario) -> bool {
    let groups: BTreeSet<&str> = flaw.requirements.iter().map(|id| group(id)).collect();
    let mut own = scenario.requirements.iter().map(|requirement| group(&requirement.value));
    own.any(|own| groups.contains(own))
        || (scenario.attack.is_some() && ATTACKED.iter().any(|group| groups.contains(group)))
}

/// What attacks are about.
const ATTACKED: [&str; 3] = ["ARG", "DENY", "RATE"];

/// `DENY` of `DENY-06`.
fn group(requirement: &str) -> &str {
    requirement.split('-').next().unwrap_or_default()
}

/// Under which name a contender stands in the outcomes, and in which way it lies or differs.
struct Named<'a> {
    name: &'a str,
    twist: Option<&'a str>,
}

/// Each scenario at the first of the profiles where it can be run.
fn at_first(scenarios: &[Arc<Scenario>], profiles: &[Arc<Profile>], named: &Named<'_>) -> Vec<Entry> {
    let contenders: Vec<Arc<Contender>> = profiles
        .iter()
        .map(|profile| {
            let flaw = named.twist.map(str::to_owned);
            Arc::new(Contender { name: named.name.to_owned(), profile: profile.clone(), flaw })
        })
        .collect();
    let first = |scenario: &Arc<Scenario>| {
        let one = std::slice::from_ref(scenario);
        let planned =
            contenders.iter().map(|contender| plan(one, std::slice::from_ref(contender), &Wishes::default()));
        let runs = |entries: &Vec<Entry>| entries.iter().any(|entry| entry.fate == Fate::Run);
        planned.into_iter().find(runs).unwrap_or_default()
    };
    scenarios.iter().flat_map(first).collect()
}
