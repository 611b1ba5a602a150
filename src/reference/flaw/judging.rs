//! Lies about what the policy says.

use crate::policy::{Action, Call, Decision, Op, Policy, Posture, Predicate};
use crate::reference::conduct::Seen;
use crate::wire::{Json, Number, Object};

pub(super) fn shows_allowed(seen: &Seen<'_>) -> bool {
    let refused = |policy: &Policy| {
        policy.hides(seen.upstream, seen.tool) || policy.always_denies(seen.upstream, seen.tool)
    };
    seen.policy.is_some_and(|policy| !refused(policy))
}

pub(super) fn the_first_calls(policy: &Policy, call: &Call<'_>, nth: u64) -> Decision {
    if nth < 3 { policy.decide(call) } else { Decision::Allowed }
}

/// Judges without the arguments that are wrapped: lists, objects, and strings that hold a number.
pub(super) fn on_plain_arguments(policy: &Policy, call: &Call<'_>, _: u64) -> Decision {
    let plain = |value: &Json| match value {
        Json::Array(_) | Json::Object(_) => false,
        Json::String(text) => Number::from_spelling(text).is_none(),
        _ => true,
    };
    let members = call.arguments.as_object().into_iter().flat_map(Object::iter);
    let arguments: Json = members
        .filter(|(_, value)| plain(value))
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .collect();
    let mut policy = policy.clone();
    for rule in policy.tools.values_mut() {
        rule.require.retain(|condition| given(condition, &arguments) || !given(condition, call.arguments));
    }
    policy.decide(&Call { arguments: &arguments, ..*call })
}

/// Judges only by arguments that are there.
pub(super) fn on_given_arguments(policy: &Policy, call: &Call<'_>, _: u64) -> Decision {
    let mut policy = policy.clone();
    for rule in policy.tools.values_mut() {
        rule.require.retain(|condition| given(condition, call.arguments));
    }
    policy.decide(call)
}

pub(super) fn given(condition: &Predicate, arguments: &Json) -> bool {
    Predicate::new(&condition.arg, Op::Exists, true).holds(arguments)
}

/// Whoever is not mentioned may pass.
pub(super) fn on_mentioned_tools(policy: &Policy, call: &Call<'_>, _: u64) -> Decision {
    Policy { default: Posture::Allow, ..policy.clone() }.decide(call)
}

/// Where something is said of all tools, every tool is mentioned.
pub(super) fn on_all_tools(policy: &Policy, call: &Call<'_>, _: u64) -> Decision {
    let default = if policy.all_tools.limits.is_empty() { policy.default } else { Posture::Allow };
    Policy { default, ..policy.clone() }.decide(call)
}

/// A call that somebody will be asked about is not looked at before.
pub(super) fn on_what_nobody_is_asked_about(policy: &Policy, call: &Call<'_>, _: u64) -> Decision {
    let mut policy = policy.clone();
    for rule in policy.tools.values_mut().filter(|rule| rule.action == Action::RequireApproval) {
        rule.require.clear();
        rule.deny_if.clear();
    }
    policy.decide(call)
}

/// A tool with an entry of its own is not hidden, and is not denied where a limit is named.
pub(super) fn on_the_entry_first(policy: &Policy, call: &Call<'_>, _: u64) -> Decision {
    let mut policy = policy.clone();
    policy.hide.retain(|name| !policy.tools.contains_key(name));
    for rule in policy.tools.values_mut().filter(|rule| rule.rate_limit.is_some() || !rule.limits.is_empty())
    {
        rule.action = Action::Allow;
    }
    policy.decide(call)
}

/// Names that mean something elsewhere are not looked up.
pub(super) fn on_plain_names(policy: &Policy, call: &Call<'_>, _: u64) -> Decision {
    let plain = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let special = ["__proto__", "constructor", "toString"].contains(&call.tool);
    if special || !plain(call.tool) { Decision::Allowed } else { policy.decide(call) }
}

/// The upstream's name does not matter.
pub(super) fn on_bare_names(policy: &Policy, call: &Call<'_>, _: u64) -> Decision {
    let mut bare = policy.clone();
    let tools = policy
        .tools
        .iter()
        .map(|(name, rule)| (name.rsplit('/').next().unwrap_or_default().to_owned(), rule.clone()));
    bare.tools = tools.collect();
    bare.decide(call)
}

/// Numbers as a double holds them.
pub(super) fn on_rounded_arguments(policy: &Policy, call: &Call<'_>, _: u64) -> Decision {
    let arguments = Json::from(serde_json::Value::from(call.arguments));
    policy.decide(&Call { arguments: &arguments, ..*call })
}

/// Texts without the spaces around them, the dot behind, and anybody's case.
pub(super) fn on_tidy_arguments(policy: &Policy, call: &Call<'_>, _: u64) -> Decision {
    let arguments = tidy(call.arguments);
    policy.decide(&Call { arguments: &arguments, ..*call })
}

fn tidy(value: &Json) -> Json {
    match value {
        Json::String(text) => Json::from(text.trim().trim_end_matches('.').to_lowercase()),
        Json::Object(object) => object.iter().map(|(name, value)| (name.to_owned(), tidy(value))).collect(),
        other => other.clone(),
    }
}

/// A pattern that matches the beginning has matched.
pub(super) fn on_beginnings(policy: &Policy, call: &Call<'_>, _: u64) -> Decision {
    let mut policy = policy.clone();
    for rule in policy.tools.values_mut() {
        for condition in rule.require.iter_mut().filter(|condition| condition.op == Op::Regex) {
            let open = condition.value.as_str().map(|pattern| pattern.trim_end_matches('$').to_owned());
            let open = open.map(|pattern| match pattern.strip_suffix("(/|$)") {
                Some(start) => start.to_owned(),
                None => pattern,
            });
            if let Some(pattern) = open {
                *condition = Predicate::new(&condition.arg, Op::Regex, pattern);
            }
        }
    }
    policy.decide(call)
}

/// A path inside the arguments is not followed: what lies deeper is not looked at.
pub(super) fn on_the_surface(policy: &Policy, call: &Call<'_>, _: u64) -> Decision {
    let mut policy = policy.clone();
    let deep = |condition: &Predicate| {
        condition.arg.matches('.').count() > 1 || condition.arg.matches('/').count() > 1
    };
    for rule in policy.tools.values_mut() {
        rule.require.retain(|condition| !deep(condition));
        rule.deny_if.retain(|condition| !deep(condition));
    }
    policy.decide(call)
}

/// Remembers for which requests a list was asked by a whole number.
pub(super) fn shows_to_odd_ids(seen: &Seen<'_>) -> bool {
    let counted = seen.id.as_i64().is_some() && !seen.id.to_string().contains(['e', '.']);
    !(counted || seen.id.as_str().is_some_and(|id| !id.is_empty())) || shows_allowed(seen)
}

/// The boundary itself falls to the other side.
pub(super) fn on_shifted_boundaries(policy: &Policy, call: &Call<'_>, _: u64) -> Decision {
    let mut policy = policy.clone();
    for condition in
        policy.tools.values_mut().flat_map(|rule| rule.require.iter_mut().chain(&mut rule.deny_if))
    {
        let op = match condition.op {
            Op::Lt => Op::Lte,
            Op::Lte => Op::Lt,
            Op::Gt => Op::Gte,
            Op::Gte => Op::Gt,
            other => other,
        };
        *condition = Predicate::new(&condition.arg, op, condition.value.clone());
    }
    policy.decide(call)
}

/// What takes long to look at is not looked at.
pub(super) fn on_small_arguments(policy: &Policy, call: &Call<'_>, _: u64) -> Decision {
    if call.arguments.to_string().len() > 1 << 16 { Decision::Allowed } else { policy.decide(call) }
}

/// Where there are no arguments there is nothing to judge.
pub(super) fn on_some_arguments(policy: &Policy, call: &Call<'_>, _: u64) -> Decision {
    let none = call.arguments.as_object().is_none_or(|object| object.iter().next().is_none());
    if none { Decision::Allowed } else { policy.decide(call) }
}
