//! What keeps a scenario from sharing a start with any other.

use super::footprint::Footprint;
use crate::gateway::Profile;
use crate::policy::{Action, Policy};
use crate::run::plan::{Entry, flat};
use crate::run::{canary, record};
use crate::scenario::{Expect, IdentityPolicy, Kind, Reads, Scenario, Upstream};

/// Why a scenario needs a start of its own, as what follows "it".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Alone {
    /// On stdio each session is a process of its own.
    #[error("speaks stdio: each session is a process of its own anyway")]
    Lines,
    /// A limit on all tools.
    #[error("limits all tools together")]
    AllTools,
    /// `hide: ["*"]`.
    #[error("hides every tool")]
    HidesAll,
    /// Pinned tools.
    #[error("pins the list of tools")]
    Pins,
    /// A broken policy.
    #[error("breaks its policy on purpose")]
    Spoiled,
    /// A record that cannot be kept.
    #[error("has a gateway whose record is on a full disk")]
    Full,
    /// A server that is a careless reader.
    #[error("has a server that reads leniently")]
    Lenient,
    /// A server that nobody is told of.
    #[error("has a server that the gateway is told nothing of")]
    Decoys,
    /// A list in pages.
    #[error("has a list of tools in pages")]
    Pages,
    /// A list that changes.
    #[error("changes the list of tools")]
    Changes,
    /// A server that misbehaves.
    #[error("has a server that misbehaves, which may harm the gateway's connection to it")]
    Faults,
    /// Raw bytes.
    #[error("sends raw bytes")]
    Raw,
    /// A list that must be exactly so.
    #[error("says exactly which tools are listed")]
    Exactly,
    /// Notices come to every session.
    #[error("waits for a notice")]
    Notice,
    /// Time, which would pass for all.
    #[error("lets time pass")]
    Time,
    /// The gateway or a server is stopped.
    #[error("stops or starts a part")]
    Parts,
    /// The policy is replaced.
    #[error("reloads the policy")]
    Reload,
    /// A credential is taken away.
    #[error("revokes a credential")]
    Revoke,
    /// The gateway's record is counted or searched.
    #[error("reads the gateway's own record")]
    Record,
    /// What is pending is looked for in a list that others may stand in too.
    #[error("has its approval looked for among all that are pending")]
    Approvals,
    /// A tool's name is only known when the scenario runs.
    #[error("names a tool only while it runs")]
    Names,
    /// A name that some parser might take for any tool.
    #[error("spells a tool beyond ASCII")]
    Spelling,
}

/// What an entry would share; why it can share nothing.
pub(in crate::run) fn footprint(entry: &Entry) -> Result<Footprint, Alone> {
    let (scenario, profile) = (&*entry.scenario, &*entry.contender.profile);
    if profile.speaks_lines() {
        return Err(Alone::Lines);
    }
    let reason = policies(scenario).find_map(|policy| by_policy(policy, profile));
    let spoiled = || scenario.policy.as_ref().and_then(|text| text.spoiled).map(|_| Alone::Spoiled);
    let full = || scenario.audit_is_full.then_some(Alone::Full);
    let decoys = || (!scenario.decoys.is_empty()).then_some(Alone::Decoys);
    let upstream = || scenario.upstreams.values().find_map(by_upstream).or_else(decoys);
    let step = || flat(&scenario.steps).find_map(|step| by_step(&step.kind, step.expect.as_ref()));
    let recorded =
        || (record::is_about(scenario) || canary::reads_the_audit(scenario)).then_some(Alone::Record);
    match reason.or_else(spoiled).or_else(full).or_else(upstream).or_else(step).or_else(recorded) {
        Some(alone) => Err(alone),
        None => Footprint::of(scenario),
    }
}

/// Every policy of a scenario.
pub(in crate::run) fn policies(scenario: &Scenario) -> impl Iterator<Item = &Policy> {
    scenario.identities.values().filter_map(|identity| policy_of(scenario, &identity.policy))
}

/// The policy that binds an identity.
pub(super) fn policy_of<'a>(scenario: &'a Scenario, identity: &'a IdentityPolicy) -> Option<&'a Policy> {
    match identity {
        IdentityPolicy::Shared => scenario.policy.as_ref().map(|text| &text.policy),
        IdentityPolicy::None => None,
        IdentityPolicy::Own(text) => Some(&text.policy),
    }
}

fn by_policy(policy: &Policy, profile: &Profile) -> Option<Alone> {
    let asks = policy.tools.values().any(|rule| rule.action == Action::RequireApproval);
    let reasons = [
        (!policy.all_tools.limits.is_empty(), Alone::AllTools),
        (policy.hide.iter().any(|name| name == "*"), Alone::HidesAll),
        (policy.pin, Alone::Pins),
        (asks && profile.searches_for_approvals(), Alone::Approvals),
    ];
    reasons.into_iter().find_map(|(holds, alone)| holds.then_some(alone))
}

fn by_upstream(upstream: &Upstream) -> Option<Alone> {
    let faulty = upstream.answers.values().flatten().any(|answer| holds_fault(&answer.value));
    let reasons = [
        (upstream.reads == Reads::Leniently, Alone::Lenient),
        (upstream.page.is_some(), Alone::Pages),
        (!upstream.changes.is_empty(), Alone::Changes),
        (faulty, Alone::Faults),
    ];
    reasons.into_iter().find_map(|(holds, alone)| holds.then_some(alone))
}

fn holds_fault(answer: &serde_json::Value) -> bool {
    ["fault", "delay"].iter().any(|member| answer.get(member).is_some())
}

fn by_step(kind: &Kind, expect: Option<&Expect>) -> Option<Alone> {
    let exactly = matches!(expect, Some(Expect::Listing(listing)) if listing.exactly.is_some());
    match kind {
        Kind::Call(call) if call.approver.is_some_and(|approver| approver.after.is_some()) => {
            Some(Alone::Time)
        }
        Kind::Call(call) if call.later => Some(Alone::Time),
        Kind::Cancel(_) => Some(Alone::Time),
        Kind::Accept(_) => Some(Alone::Changes),
        Kind::Records(_) => Some(Alone::Record),
        Kind::Call(_) | Kind::Together(_) | Kind::Decide(_) | Kind::Settle(_) => None,
        Kind::List(_) => exactly.then_some(Alone::Exactly),
        Kind::Change(_) => Some(Alone::Changes),
        Kind::Notice(_) => Some(Alone::Notice),
        Kind::Agent(_) => Some(Alone::Names),
        Kind::Send(_) => Some(Alone::Raw),
        Kind::Wait(_) => Some(Alone::Time),
        Kind::Stop(_) | Kind::Start(_) | Kind::Restart(_) => Some(Alone::Parts),
        Kind::Reload(_) => Some(Alone::Reload),
        Kind::Revoke(_) => Some(Alone::Revoke),
    }
}
