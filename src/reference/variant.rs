//! Ways to be an honest gateway that are not the usual one, one line each: none of them may raise an alarm.

use super::conduct::Conduct;
use super::refusal::{Put, Refusal, plainly};
use crate::declared::{Batch, Declared, Failure, Leaning, Naming, Sessions, WindowKind};
use crate::policy::{Call, Decision, Denied, Op, Policy, Predicate};
use crate::wire::Json;
use serde_json::Value;
use std::time::Duration;

/// One honest way to differ.
#[derive(Clone, Copy, Debug)]
pub struct Variant {
    /// What it is called: what the gateway does, as a phrase.
    pub name: &'static str,
    /// What differs in its decisions.
    pub twist: fn(&mut Conduct),
    /// What differs in what it declares.
    pub declares: fn(&mut Declared),
}

const fn variant(name: &'static str, twist: fn(&mut Conduct)) -> Variant {
    Variant { name, twist, declares: |_| {} }
}

const fn declaring(name: &'static str, declares: fn(&mut Declared)) -> Variant {
    Variant { name, twist: |_| {}, declares }
}

/// All variants.
#[rustfmt::skip] // A variant is a line.
pub static VARIANTS: &[Variant] = &[
    variant("adds-meta-to-results", |c| c.returns = with_meta),
    variant("takes-part-in-the-trace", |c| c.sends = with_a_span_of_its_own),
    variant("answers-in-streams", |c| c.streams = || true),
    variant("words-rules-otherwise", |c| c.puts = in_other_words),
    declaring("splits-batches", |declared| declared.batch = Some(Batch::Split)),
    declaring("keeps-denied-tools-out-of-lists", |declared| declared.denied_are_listed = Some(false)),
    declaring("refunds-what-failed", |declared| declared.refund = Some(vec![
        Failure::Unreachable, Failure::RpcError, Failure::ErrorResult, Failure::Timeout, Failure::Dropped, Failure::Cancelled,
    ])),
    declaring("refunds-nothing", |declared| declared.refund = Some(Vec::new())),
    declaring("renames-every-tool", |declared| declared.names = Some(Naming::Rewritten)),
    declaring("counts-by-the-clock", |declared| declared.window = Some(WindowKind::Calendar)),
    declaring("counts-in-sliding-windows", |declared| declared.window = Some(WindowKind::Sliding)),
    declaring("counts-in-buckets", |declared| declared.window = Some(WindowKind::Bucket)),
    Variant { name: "asks-for-no-session", twist: |c| c.sessionless = || true, declares: |declared| {
        declared.sessions = Some(Sessions::None);
    } },
    variant("takes-its-time", |c| c.pauses = |_| Duration::from_millis(200)),
    variant("warns-of-unknown-members", |c| c.understands = known_members),
    Variant { name: "refuses-what-cannot-be-judged", twist: |c| c.decide = on_given_arguments, declares: |declared| {
        declared.missing_argument = Some(Leaning::Deny);
    } },
];

/// Members that nobody knows are left out, wherever they stand, and the rest binds.
fn known_members(text: &str) -> Result<Policy, String> {
    let honest = Policy::from_json(text).map_err(|error| error.to_string());
    let Ok(mut document) = serde_json::from_str::<Value>(text) else { return honest };
    forget(&mut document);
    honest.or_else(|_| Policy::from_json(&document.to_string()).map_err(|error| error.to_string()))
}

fn forget(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !is_strange(name));
            members.values_mut().for_each(forget);
        }
        Value::Array(elements) => elements.iter_mut().for_each(forget),
        _ => {}
    }
}

/// Whether a member is one of those that the suite breaks policies with.
pub(super) fn is_strange(name: &str) -> bool {
    name.starts_with("x_") || name.starts_with("member_")
}

/// A member of its own, as the protocol allows anybody to add.
fn with_meta(mut result: Json) -> Json {
    if let Some(members) = result.as_object_mut() {
        let mut meta = members.get("_meta").cloned().unwrap_or_else(Json::object);
        meta.as_object_mut().into_iter().for_each(|meta| meta.set("gateway.example/seen", true));
        members.set("_meta", meta);
    }
    result
}

/// The same trace, and the gateway's own part of it as the parent (W3C Trace Context, 3.4).
fn with_a_span_of_its_own(params: Json) -> Json {
    retraced(params, |parent| {
        let mut parts: Vec<&str> = parent.split('-').collect();
        *parts.get_mut(2)? = "00f067aa0ba902b7";
        Some(parts.join("-"))
    })
}

/// Parameters whose `traceparent`, where they have one, is another.
pub(super) fn retraced(mut params: Json, other: impl FnOnce(&str) -> Option<String>) -> Json {
    let meta = params.get("_meta").cloned();
    let parent = meta.as_ref().and_then(|meta| other(meta.get("traceparent")?.as_str()?));
    if let (Some(Json::Object(mut meta)), Some(parent), Some(params)) = (meta, parent, params.as_object_mut())
    {
        meta.set("traceparent", parent);
        params.set("_meta", Json::Object(meta));
    }
    params
}

/// The same refusals, with other words around what was configured.
fn in_other_words(refusal: &Refusal) -> Put {
    match refusal {
        Refusal::Denied(denied) => {
            let mut other = denied.clone();
            other.rule = "see the policy".to_owned();
            plainly(&Refusal::Denied(other))
        }
        other => plainly(other),
    }
}

/// A rule about an argument that is not there denies, whatever it says.
pub(super) fn on_given_arguments(policy: &Policy, call: &Call<'_>, _: u64) -> Decision {
    let missing = |condition: &Predicate| {
        condition.op != Op::Exists && !Predicate::new(&condition.arg, Op::Exists, true).holds(call.arguments)
    };
    let rules = policy.entries(call.upstream, call.tool);
    let unclear = rules.into_iter().flat_map(|(_, rule)| &rule.deny_if).find(|condition| missing(condition));
    match (policy.decide(call), unclear) {
        (decision @ (Decision::Hidden | Decision::Denied(_)), _) | (decision, None) => decision,
        (_, Some(condition)) => {
            let reason = format!("`{}` is required: a rule is about it", condition.arg);
            Decision::Denied(Denied { rule: "/tools".into(), reason })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::FLAWS;

    #[test]
    fn no_variant_is_called_like_another_or_like_a_flaw() {
        let mut names: Vec<_> = VARIANTS.iter().map(|variant| variant.name).collect();
        names.extend(FLAWS.iter().map(|flaw| flaw.name));
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
