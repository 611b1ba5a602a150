//! Lies about who somebody is, and what binds them.

use crate::policy::{Call, Policy, Posture, fingerprint};
use crate::reference::conduct::Conduct;
use crate::reference::settings::Grant;
use crate::reference::variant::is_strange;
use crate::wire::Json;
use http::HeaderMap;
use serde_json::Value;

pub(super) fn sealed(identity: &str, call: &Call<'_>, arguments: &Json) -> String {
    fingerprint(identity, call.upstream, call.tool, arguments)
}

pub(super) fn by_header(headers: &HeaderMap, grants: &[Grant]) -> Option<usize> {
    let claimed = headers.get("x-identity").and_then(|value| value.to_str().ok());
    let believed = grants.iter().position(|grant| Some(grant.identity.as_str()) == claimed);
    believed.or_else(|| (Conduct::default().who)(headers, grants))
}

/// Whoever says to be somebody who has a grant is taken for them.
pub(super) fn by_client_name(hello: &Json, grants: &[Grant]) -> Option<usize> {
    let claimed = hello.pointer("/clientInfo/name").and_then(Json::as_str)?;
    grants.iter().position(|grant| grant.identity == claimed)
}

/// Goes to the second server where the agent names one.
pub(super) fn by_upstream_header(place: usize, headers: &HeaderMap) -> usize {
    if headers.contains_key("x-upstream") { 1 } else { place }
}

/// Whoever has a grant may decide too.
pub(super) fn agents_too(headers: &HeaderMap, token: &str, grants: &[Grant]) -> bool {
    let honest = Conduct::default();
    (honest.may_decide)(headers, token, grants) || (honest.who)(headers, grants).is_some()
}

/// Grants are added, and never taken away.
pub(super) fn added(old: &[Grant], mut new: Vec<Grant>) -> Vec<Grant> {
    let gone = |grant: &&Grant| !new.iter().any(|other| other.token == grant.token);
    let kept: Vec<Grant> = old.iter().filter(gone).cloned().collect();
    new.extend(kept);
    new
}

/// What a policy said before still holds, where the new one is silent.
pub(super) fn mixed(old: &[Grant], mut new: Vec<Grant>) -> Vec<Grant> {
    for grant in &mut new {
        let before =
            old.iter().find(|other| other.token == grant.token).and_then(|other| other.policy.as_ref());
        let (Some(policy), Some(before)) = (&mut grant.policy, before) else { continue };
        for (name, rule) in &before.tools {
            policy.tools.entry(name.clone()).or_insert_with(|| rule.clone());
        }
    }
    new
}

/// A policy that cannot be read forbids nothing.
pub(super) fn broken_is_open(text: &str) -> Result<Policy, String> {
    Ok(Policy::from_json(text).unwrap_or_else(|_| Policy::with_default(Posture::Allow)))
}

/// A condition with a member that nobody knows is left out.
pub(super) fn readable_conditions(text: &str) -> Result<Policy, String> {
    let honest = Policy::from_json(text).map_err(|error| error.to_string());
    let Ok(mut document) = serde_json::from_str::<Value>(text) else { return honest };
    leave_out(&mut document);
    honest.or_else(|_| Policy::from_json(&document.to_string()).map_err(|error| error.to_string()))
}

fn leave_out(value: &mut Value) {
    let odd =
        |below: &Value| below.as_object().is_some_and(|members| members.keys().any(|name| is_strange(name)));
    match value {
        Value::Object(members) => {
            members.retain(|_, below| !odd(below));
            members.values_mut().for_each(leave_out);
        }
        Value::Array(elements) => {
            elements.retain(|below| !odd(below));
            elements.iter_mut().for_each(leave_out);
        }
        _ => {}
    }
}

/// One answer for all who ask the same.
pub(super) fn by_what_was_asked(call: &Call<'_>, _: &Json) -> Option<String> {
    Some(fingerprint("", call.upstream, call.tool, call.arguments))
}

/// One answer for each id, whoever asks.
pub(super) fn by_id(_: &Call<'_>, id: &Json) -> Option<String> {
    Some(format!("answer {id}"))
}
