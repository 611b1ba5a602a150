//! What a scenario needs of a gateway: derived from what it does, never stated in the file.

use super::check::flat;
use super::document::{Haunt, IdentityPolicy, Scenario};
use super::expect::Expect;
use super::step::{Kind, Part, Step, Wait};
use std::collections::BTreeSet;
use std::time::Duration;

/// Something that not every gateway, or not every way of driving one, can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// A policy has to be rendered into the gateway's dialect.
    Policy,
    /// More than one identity, or a connection without any.
    Identities,
    /// More than one upstream behind one gateway.
    Upstreams,
    /// Approvals have to be decided from outside.
    Decisions,
    /// The gateway has to be reached over HTTP: headers, paths, statuses, another credential in a session.
    Http,
    /// The upstream has to be reached over HTTP: its headers are looked at.
    UpstreamHttp,
    /// The audit log has to be read.
    Audit,
    /// The policy has to change while the gateway runs.
    Reload,
    /// The gateway has to be stopped or started during the scenario.
    Restart,
    /// A credential has to be taken away during the scenario.
    Revoke,
    /// The rendered policy is broken on purpose, so the start may fail.
    Spoiled,
}

impl Need {
    /// What is needed, for the reason why a scenario is not applicable.
    pub fn what(self) -> &'static str {
        match self {
            Self::Policy => "a rendered policy",
            Self::Identities => "several identities",
            Self::Upstreams => "several upstreams",
            Self::Decisions => "decisions about approvals",
            Self::Http => "HTTP towards the agent",
            Self::UpstreamHttp => "HTTP towards the upstream",
            Self::Audit => "an audit log",
            Self::Reload => "a reload of the policy",
            Self::Restart => "a restart of the gateway",
            Self::Revoke => "a credential that is revoked",
            Self::Spoiled => "a policy file of its own",
        }
    }
}

/// A wait beyond this makes a scenario slow.
const SLOW: Duration = Duration::from_secs(5);

impl Scenario {
    /// What the scenario needs of a gateway.
    pub fn needs(&self) -> BTreeSet<Need> {
        let mut needs = BTreeSet::new();
        let mut need = |needed: bool, need: Need| {
            if needed {
                needs.insert(need);
            }
        };
        let own = |policy: &IdentityPolicy| matches!(policy, IdentityPolicy::Own(_));
        need(
            self.policy.is_some() || self.identities.values().any(|identity| own(&identity.policy)),
            Need::Policy,
        );
        let spoiled =
            |policy: &IdentityPolicy| matches!(policy, IdentityPolicy::Own(own) if own.spoiled.is_some());
        need(self.policy.as_ref().is_some_and(|policy| policy.spoiled.is_some()), Need::Spoiled);
        need(self.identities.values().any(|identity| spoiled(&identity.policy)), Need::Spoiled);
        need(self.identities.len() > 1, Need::Identities);
        need(self.sessions.values().any(|session| session.identity.is_none()), Need::Identities);
        need(self.upstreams.len() > 1, Need::Upstreams);
        let audited = self.canaries.values().any(|canary| canary.never.contains(&Haunt::Audit));
        // A requirement about the log can only be seen in the log.
        let logged = self.requirements.iter().any(|requirement| requirement.value.starts_with("AUD-"));
        need(audited || logged, Need::Audit);
        for step in flat(&self.steps) {
            needs_of(step, &mut need);
        }
        needs
    }

    /// Whether it waits longer than people like to, where no clock can be turned.
    pub fn is_slow(&self) -> bool {
        flat(&self.steps).into_iter().any(|step| match &step.kind {
            Kind::Wait(Wait::For(time)) => *time > SLOW,
            Kind::Wait(Wait::Until(_)) => true,
            Kind::Call(call) => {
                call.approver.and_then(|approver| approver.after).is_some_and(|time| time > SLOW)
            }
            _ => false,
        })
    }
}

fn needs_of(step: &Step, need: &mut impl FnMut(bool, Need)) {
    need(step.voice().is_some_and(|voice| voice.by.is_some()), Need::Http);
    match &step.kind {
        Kind::Call(call) => {
            let decided = call.approver.is_some_and(|approver| approver.decision.is_some());
            need(decided, Need::Decisions);
            need(!call.headers.is_empty(), Need::Http);
        }
        Kind::Send(send) => {
            need(!send.headers.is_empty() || send.method.is_some() || send.path.is_some(), Need::Http);
        }
        Kind::Records(_) => need(true, Need::Audit),
        Kind::Decide(_) => need(true, Need::Decisions),
        Kind::Reload(_) => need(true, Need::Reload),
        Kind::Revoke(_) => need(true, Need::Revoke),
        Kind::Stop(Part::Gateway) | Kind::Start(Part::Gateway) | Kind::Restart(Part::Gateway) => {
            need(true, Need::Restart);
        }
        _ => {}
    }
    if let Some(Expect::Detailed(detailed)) = &step.expect {
        need(detailed.http.is_some(), Need::Http);
        let headers = detailed.upstream.as_ref().is_some_and(|arrived| !arrived.headers.is_empty());
        need(headers, Need::UpstreamHttp);
    }
}
