//! What will be run: every scenario at every gateway in every era that it asks for, and what will not, with the reason.

use super::{canary, record};
use crate::declared::{Declared, Spoken};
use crate::diagnostic::listed;
use crate::gateway::{Profile, Style};
use crate::known::Deviation;
use crate::scenario::{
    Agent, Boundary, EraChoice, Expect, Given, Kind, Need, Part, Records, Reload, Scenario, Step, Verdict,
    Wait, Within,
};
use crate::wire::{Era, Revision};
use std::sync::Arc;
use std::time::Duration;

/// A scenario that waits longer than this, where no clock can be turned, is slow.
const SLOW: Duration = Duration::from_secs(5);

/// A gateway to drive.
#[derive(Clone, Debug)]
pub struct Contender {
    /// Its name in reports: the profile's, and the flaw's behind a `+`.
    pub name: String,
    /// How to drive it.
    pub profile: Arc<Profile>,
    /// The way in which the embedded reference lies, if it does.
    pub flaw: Option<String>,
}

/// What the user asked for beyond files and gateways.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// Run slow scenarios too.
    pub slow: bool,
    /// The era instead of each scenario's own choice.
    pub era: Option<EraChoice>,
    /// The deviations that are known, and accepted today.
    pub known: Vec<Deviation>,
}

/// One scenario at one gateway in one era.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The scenario.
    pub scenario: Arc<Scenario>,
    /// The gateway.
    pub contender: Arc<Contender>,
    /// The revision to speak; `None` offers the newest and falls back.
    pub revision: Option<Revision>,
    /// Whether it will be run.
    pub fate: Fate,
    /// The known deviation that its failure would be.
    pub known: Option<Deviation>,
}

/// Whether an entry will be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It will.
    Run,
    /// The gateway cannot do what it needs.
    NotApplicable(String),
    /// It takes too long for a run without `--slow`.
    Slow(Duration),
}

/// Every entry, gateway by gateway, in the order of the scenarios.
pub fn plan(scenarios: &[Arc<Scenario>], contenders: &[Arc<Contender>], wishes: &Wishes) -> Vec<Entry> {
    let mut entries = Vec::new();
    for contender in contenders {
        for scenario in scenarios {
            for revision in revisions(scenario, &contender.profile.declares, wishes) {
                let fate = fate(scenario, contender, revision, wishes);
                let known = known(scenario, contender, wishes);
                let (scenario, contender) = (scenario.clone(), contender.clone());
                entries.push(Entry { scenario, contender, revision, fate, known });
            }
        }
    }
    entries
}

fn known(scenario: &Scenario, contender: &Contender, wishes: &Wishes) -> Option<Deviation> {
    let requirements: Vec<String> = scenario.requirements.iter().map(|one| one.value.clone()).collect();
    let about = |deviation: &&Deviation| deviation.is_about(&scenario.id, &requirements, &contender.name);
    wishes.known.iter().find(about).cloned()
}

fn revisions(scenario: &Scenario, declared: &Declared, wishes: &Wishes) -> Vec<Option<Revision>> {
    let speaks = |spoken| declared.eras.as_ref().is_none_or(|eras| eras.contains(&spoken));
    // The user's wish gives way where a scenario is about one era alone.
    let choice = match scenario.era {
        EraChoice::Newest | EraChoice::Every => wishes.era.unwrap_or(scenario.era),
        bound => bound,
    };
    match choice {
        EraChoice::Newest if declared.eras.is_none() => vec![None],
        // Which eras it speaks is not known: the newest is offered, as to any other. The user may insist.
        EraChoice::Every if declared.eras.is_none() && wishes.era.is_none() => vec![None],
        EraChoice::Newest if speaks(Spoken::Modern) => vec![Some(Revision::V2026_07_28)],
        EraChoice::Newest | EraChoice::Legacy => vec![Some(Revision::NEWEST_LEGACY)],
        EraChoice::Modern => vec![Some(Revision::V2026_07_28)],
        EraChoice::Revision(revision) => vec![Some(revision)],
        EraChoice::Every => {
            let both = [(Spoken::Legacy, Revision::NEWEST_LEGACY), (Spoken::Modern, Revision::V2026_07_28)];
            both.into_iter()
                .filter(|(spoken, _)| speaks(*spoken))
                .map(|(_, revision)| Some(revision))
                .collect()
        }
    }
}

fn fate(scenario: &Scenario, contender: &Contender, revision: Option<Revision>, wishes: &Wishes) -> Fate {
    let profile = &contender.profile;
    if let Some(reason) =
        unmet(&scenario.given, &profile.declares).or_else(|| lacks(scenario, profile, revision))
    {
        return Fate::NotApplicable(reason);
    }
    let waits = longest_wait(scenario, &profile.declares);
    let turns = profile.is_embedded() || profile.turns();
    if waits > SLOW && !turns && !wishes.slow { Fate::Slow(waits) } else { Fate::Run }
}

/// Why a declaration does not hold of a gateway that declares otherwise. One that says nothing is tried.
pub fn unmet(given: &Given, declared: &Declared) -> Option<String> {
    let declared = serde_json::to_value(declared).expect("declarations are plain data");
    given.0.iter().find_map(|(member, words)| {
        let said = declared.get(member).filter(|said| !said.is_null())?;
        let holds = words.iter().any(|word| match word.strip_prefix("not ") {
            Some(other) => !says(said, other),
            None => says(said, word),
        });
        (!holds).then(|| format!("it declares `{member}: {}`", said.to_string().replace('"', "")))
    })
}

/// Whether a declaration says that word, alone or among others.
fn says(said: &serde_json::Value, word: &str) -> bool {
    match said {
        serde_json::Value::Array(several) => several.iter().any(|one| one == word),
        serde_json::Value::Bool(value) => value.to_string() == word,
        one => one == word,
    }
}

/// What a scenario needs that the gateway's profile does not offer.
fn lacks(scenario: &Scenario, profile: &Profile, revision: Option<Revision>) -> Option<String> {
    let modern = revision.is_some_and(|revision| revision.era() == Era::Modern);
    let spoken = if modern { Spoken::Modern } else { Spoken::Legacy };
    if revision.is_some() && profile.declares.eras.as_ref().is_some_and(|eras| !eras.contains(&spoken)) {
        return Some(format!("it does not speak the {} era", if modern { "modern" } else { "legacy" }));
    }
    let answers_once = match profile.approval_style() {
        Some(Style::Held) => true,
        Some(Style::Elicitation) => !modern,
        _ => false,
    };
    if answers_once && repeats_by_hand(scenario) {
        return Some("it answers the call that asked: there is nothing to repeat".to_owned());
    }
    if scenario.needs().contains(&Need::Spoiled) && !profile.reads_its_policy() {
        return Some("it has no file for its policy: there is nothing to break".to_owned());
    }
    let reads = record::reads(scenario) || canary::reads_the_audit(scenario);
    if reads && !profile.is_embedded() && !profile.records() {
        return Some("it keeps no record that can be read".to_owned());
    }
    if scenario.audit_is_full && !profile.is_embedded() && !profile.records_in_a_file() {
        return Some("it keeps no record in a file whose disk could be full".to_owned());
    }
    if takes_back_a_pending(scenario) && !matches!(profile.approval_style(), Some(Style::Held)) {
        return Some("it answers at once: a call that waits cannot be taken back".to_owned());
    }
    if wants_held(scenario) && !matches!(profile.approval_style(), Some(Style::Held)) {
        return Some("it does not hold calls".to_owned());
    }
    if decides_as_agent(scenario) && !matches!(profile.approval_style(), Some(Style::Retry | Style::Held)) {
        return Some("the agent's own client decides".to_owned());
    }
    flat(&scenario.steps).find_map(|step| lacks_for(step, profile))
}

/// Whether a call is taken back while it waits for an approval.
fn takes_back_a_pending(scenario: &Scenario) -> bool {
    let later = |name: &str| {
        flat(&scenario.steps).any(|step| match &step.kind {
            Kind::Call(call) => call.later && call.name.as_ref().is_some_and(|known| known.value == name),
            _ => false,
        })
    };
    flat(&scenario.steps).any(|step| matches!(&step.kind, Kind::Cancel(name) if !later(&name.value)))
}

/// Whether a call has to be held open, not put off.
fn wants_held(scenario: &Scenario) -> bool {
    let held =
        |expect: &Expect| matches!(expect, Expect::Verdict(words) if words.as_slice() == [Verdict::Held]);
    flat(&scenario.steps).any(|step| step.expect.as_ref().is_some_and(held))
}

/// Whether somebody decides with an agent's credential.
fn decides_as_agent(scenario: &Scenario) -> bool {
    flat(&scenario.steps).any(|step| matches!(&step.kind, Kind::Decide(decide) if decide.by.is_some()))
}

/// Whether a call takes up the approval of another one that is never settled itself.
fn repeats_by_hand(scenario: &Scenario) -> bool {
    let settled = |name: &str| {
        flat(&scenario.steps)
            .any(|step| matches!(&step.kind, Kind::Settle(settle) if settle.step.value == name))
    };
    flat(&scenario.steps).any(|step| match &step.kind {
        Kind::Call(call) => call.carrying.as_ref().is_some_and(|name| !settled(&name.value)),
        _ => false,
    })
}

fn lacks_for(step: &Step, profile: &Profile) -> Option<String> {
    let embedded = profile.is_embedded();
    let lines = profile.speaks_lines();
    let missing = match &step.kind {
        Kind::Call(call) if call.approver.is_some() || call.carrying.is_some() => approvals(profile),
        Kind::Decide(_) => approvals(profile),
        Kind::Accept(_) if !embedded => Some("cannot be told to accept a changed entry"),
        Kind::Records(records) if !embedded => return lacks_records(records, profile),
        Kind::Reload(_) if !embedded && !profile.reloads() => Some("cannot reload a policy"),
        Kind::Reload(reload) if breaks(reload) && !profile.reads_its_policy() => {
            Some("has no file for its policy: there is nothing to break")
        }
        Kind::Revoke(_) if !embedded && !profile.revokes() => Some("cannot revoke a credential"),
        Kind::Restart(Part::Gateway) if embedded && matches!(step.expect, Some(Expect::Orderly)) => {
            Some("has no process of its own that could be told to end: it is part of the harness")
        }
        Kind::Restart(Part::Gateway) if !embedded && !profile.restarts() => {
            Some("cannot be restarted within a scenario")
        }
        Kind::Stop(Part::Gateway) if !profile.restarts() => Some("cannot be restarted within a scenario"),
        Kind::Restart(Part::Gateway) if lines && matches!(step.expect, Some(Expect::Orderly)) => {
            Some("has no process of its own that could be told to end: each session has one")
        }
        Kind::Send(send)
            if lines && (send.method.is_some() || send.path.is_some() || !send.headers.is_empty()) =>
        {
            Some("speaks stdio, and the frame is about HTTP")
        }
        Kind::Call(call) if lines && call.voice.by.is_some() => {
            Some("speaks stdio: a connection has one credential")
        }
        _ => None,
    };
    missing.map(|missing| format!("it {missing}"))
}

fn breaks(reload: &Reload) -> bool {
    reload.policy.as_ref().is_some_and(|text| text.spoiled.is_some())
}

/// A record that is looked for in words that the profile does not have.
fn lacks_records(records: &Records, profile: &Profile) -> Option<String> {
    let known = |member: &&str| *member == "whole" || profile.records_field(member);
    let missing: Vec<&str> = records.like.keys().map(String::as_str).filter(|name| !known(name)).collect();
    let words = || {
        format!(
            "its record is not known to have {} (`audit.fields` of the profile)",
            listed(missing.iter().copied())
        )
    };
    (!missing.is_empty()).then(words)
}

fn approvals(profile: &Profile) -> Option<&'static str> {
    profile.approval_style().is_none().then_some("has no approvals")
}

/// Steps and those within them.
pub fn flat(steps: &[Step]) -> impl Iterator<Item = &Step> {
    steps.iter().flat_map(|step| match &step.kind {
        Kind::Together(members) | Kind::Agent(Agent { goal: members, .. }) => {
            members.iter().collect::<Vec<_>>()
        }
        _ => vec![step],
    })
}

/// How long a calendar window lasts.
pub fn length(boundary: Boundary) -> Duration {
    Duration::from_secs(match boundary {
        Boundary::Minute => 60,
        Boundary::Hour => 3_600,
        Boundary::Day => 86_400,
    })
}

/// How long a scenario waits on purpose, at most.
fn longest_wait(scenario: &Scenario, declared: &Declared) -> Duration {
    let gives_up = declared.gives_up.map(|span| span.0).unwrap_or_default();
    let wait = |step: &Step| match &step.kind {
        Kind::Wait(Wait::For(time)) => *time,
        Kind::Wait(Wait::Until(boundary)) => length(*boundary),
        Kind::Call(call) if call.voice.within == Some(Within::GivesUp) => gives_up,
        _ => Duration::ZERO,
    };
    flat(&scenario.steps).map(wait).sum()
}
