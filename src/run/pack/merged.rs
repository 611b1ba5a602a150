//! Several scenarios as the one that a gateway and its servers are started for.

use super::Apart;
use super::alone::policy_of;
use crate::policy::{Policy, Posture, ToolRule};
use crate::scenario::{IdentityPolicy, PolicyText, Scenario, Upstream};
use crate::source::Spot;

/// Why two scenarios cannot be put together, whatever tools they touch.
pub(super) fn apart(one: &Scenario, other: &Scenario) -> Option<Apart> {
    let alike = |((name, own), (other, others)): ((&String, &Upstream), (&String, &Upstream))| {
        name == other && own.is_played_as(others)
    };
    if one.upstreams.len() != other.upstreams.len() || !one.upstreams.iter().zip(&other.upstreams).all(alike)
    {
        return Some(Apart::Upstreams);
    }
    if !one.identities.keys().eq(other.identities.keys()) {
        return Some(Apart::Identities);
    }
    one.identities.iter().zip(other.identities.values()).find_map(|((_, own), others)| {
        match (policy_of(one, &own.policy), policy_of(other, &others.policy)) {
            (None, None) => None,
            (Some(own), Some(others)) => (own.default != others.default).then_some(Apart::Defaults),
            _ => Some(Apart::Identities),
        }
    })
}

/// All of them in one, for a start that they share; the steps are those of the first.
pub(in crate::run) fn merged(scenarios: &[&Scenario]) -> Scenario {
    let (first, rest) = scenarios.split_first().expect("a pack has a member");
    let mut whole = (*first).clone();
    for (name, upstream) in &mut whole.upstreams {
        let others = rest.iter().filter_map(|other| other.upstreams.get(name));
        upstream.answers.extend(others.flat_map(|other| other.answers.clone()));
    }
    whole.canaries.extend(rest.iter().flat_map(|other| other.canaries.clone()));
    for (name, identity) in &mut whole.identities {
        let policies = scenarios
            .iter()
            .filter_map(|scenario| policy_of(scenario, &scenario.identities.get(name)?.policy));
        let policy = policies.cloned().reduce(union);
        // A scenario by itself keeps its policy as it stands, broken or not.
        if !rest.is_empty() {
            identity.policy = policy.map_or(IdentityPolicy::None, own);
        }
    }
    whole
}

/// The same with a tool that everybody may call.
pub(in crate::run) fn merged_with(scenarios: &[&Scenario], open: Option<&str>) -> Scenario {
    let mut whole = merged(scenarios);
    let Some(open) = open else { return whole };
    for name in whole.identities.keys().cloned().collect::<Vec<_>>() {
        let Some(mut policy) = policy_of(&whole, &whole.identities[&name].policy).cloned() else { continue };
        if policy.default == Posture::Deny {
            policy.tools.insert(open.to_owned(), ToolRule::default());
        }
        whole.identities[&name].policy = own(policy);
    }
    whole
}

fn own(policy: Policy) -> IdentityPolicy {
    IdentityPolicy::Own(PolicyText { spot: Spot::default(), policy, spoiled: None })
}

/// Two policies that agree on what they do not name, and name nothing in common but what both let pass.
fn union(mut one: Policy, other: Policy) -> Policy {
    one.hide.extend(other.hide);
    one.tools.extend(other.tools);
    one
}
