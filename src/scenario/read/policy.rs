//! The policy within a scenario: read by the policy room, complained about in the scenario's own places.

use super::Told;
use super::value::word;
use crate::diagnostic::Diagnostic;
use crate::policy::{Policy, Posture};
use crate::scenario::policy::{PolicyText, Spoil};
use crate::source::{Node, Value};

/// The ways to spoil a policy.
pub(in crate::scenario) const SPOILS: [(&str, Spoil); 4] = [
    (Spoil::UnknownMember.word(), Spoil::UnknownMember),
    (Spoil::UnknownMemberOfARule.word(), Spoil::UnknownMemberOfARule),
    (Spoil::Truncated.word(), Spoil::Truncated),
    (Spoil::Missing.word(), Spoil::Missing),
];

/// A policy document, perhaps with `spoiled` beside its own members.
pub(super) fn policy(node: &Node, told: &mut Told) -> Option<PolicyText> {
    let Value::Map(entries) = &node.value else {
        told.push(Diagnostic::mistake(node.spot, format!("a policy is a mapping, found {}", node.noun())));
        return None;
    };
    let spoiled = node.get("spoiled").map(|node| word(node, "way to spoil a policy", &SPOILS, told));
    let rest: Vec<_> = entries.iter().filter(|(key, _)| key.value != "spoiled").cloned().collect();
    // Nothing but a spoiled file: under a default of allow, whatever gets through got through because of it.
    let policy = if rest.is_empty() && spoiled.is_some() {
        Policy::with_default(Posture::Allow)
    } else {
        Policy::from_node(&Node { value: Value::Map(rest), spot: node.spot }, told)?
    };
    Some(PolicyText { spot: node.spot, policy, spoiled: spoiled.flatten() })
}
