//! The modern era: no sessions; each request says who it is and what it can do.

use super::offered::offered;
use super::{Caller, Outcome, empty_list, list, unknown_method};
use crate::mock::call::call;
use crate::mock::frame::{Dress, Frame, members};
use crate::mock::listener::{Wants, subscribed};
use crate::mock::living::Living;
use crate::mock::notice::News;
use crate::wire::{Era, Json, RpcError, era, rpc};
use serde_json::json;

/// Answers a request whose headers, if it had any, agree with it.
pub(super) fn request(caller: &Caller, id: &Json, method: &str, params: Option<&Json>) -> Outcome {
    if let Err(error) = introduced(params).and_then(|version| spoken(&caller.living, version)) {
        return Outcome::error(id, error);
    }
    match method {
        "server/discover" => discover(caller, id),
        "tools/list" => list(caller, id, params, Era::Modern),
        "tools/call" => call(caller, id, params, Era::Modern),
        "subscriptions/listen" => listen(caller, id.clone(), params),
        method => offered(caller, id, (method, params), Era::Modern)
            .or_else(|| empty_list(caller, id, method, Era::Modern))
            .unwrap_or_else(|| unknown_method(id, method)),
    }
}

/// Whether `_meta` says what every request has to say; the version that it says.
pub(in crate::mock) fn introduced(params: Option<&Json>) -> Result<&str, RpcError> {
    let meta = params.and_then(|params| params.get("_meta"));
    let member = |name: &str| meta.and_then(|meta| meta.get(name));
    let missing: Vec<&str> = [
        (era::meta::VERSION, member(era::meta::VERSION).and_then(Json::as_str).is_some()),
        (
            era::meta::CAPABILITIES,
            member(era::meta::CAPABILITIES).is_some_and(|value| value.as_object().is_some()),
        ),
    ]
    .into_iter()
    .filter_map(|(name, is_there)| (!is_there).then_some(name))
    .collect();
    if !missing.is_empty() {
        return Err(RpcError::new(
            rpc::INVALID_PARAMS,
            format!("Invalid params: `_meta` lacks {}", missing.join(", ")),
        ));
    }
    Ok(member(era::meta::VERSION).and_then(Json::as_str).unwrap_or_default())
}

/// Whether that version is one of the era's that are spoken here.
pub(in crate::mock) fn spoken(living: &Living, version: &str) -> Result<(), RpcError> {
    let spoken =
        living.settings.revisions.iter().any(|one| one.era() == Era::Modern && one.as_str() == version);
    if spoken { Ok(()) } else { Err(unsupported(living, version)) }
}

/// The error for a revision that is not spoken here.
pub(in crate::mock) fn unsupported(living: &Living, requested: &str) -> RpcError {
    let supported: Vec<&str> = modern(living);
    RpcError::new(era::code::UNSUPPORTED_VERSION, "Unsupported protocol version")
        .with(json!({"supported": supported, "requested": requested}))
}

fn modern(living: &Living) -> Vec<&'static str> {
    living.settings.revisions.iter().filter(|one| one.era() == Era::Modern).map(|one| one.as_str()).collect()
}

fn discover(caller: &Caller, id: &Json) -> Outcome {
    let living = &caller.living;
    let manner = &living.spec.manner;
    let mut result = json!({"supportedVersions": modern(living), "capabilities": manner.capabilities});
    if let Some(instructions) = &manner.instructions {
        result["instructions"] = json!(instructions);
    }
    let dress = Dress { tail: &living.tail, ..living.dress(Era::Modern, None) };
    Outcome::Frame(Frame::result(id, &members(&result), dress))
}

/// Opens a stream of notices; only those that the server ever sends are acknowledged.
fn listen(caller: &Caller, id: Json, params: Option<&Json>) -> Outcome {
    let wanted = |name: &str| params.and_then(|params| params.pointer(&format!("/notifications/{name}")));
    if params.and_then(|params| params.get("notifications")).is_none_or(|filter| filter.as_object().is_none())
    {
        return Outcome::error(
            &id,
            RpcError::new(rpc::INVALID_PARAMS, "Invalid params: `notifications` is missing"),
        );
    }
    let tells = |kind: &str, what: &str| {
        let capability = caller.living.spec.manner.capabilities.get(kind);
        capability
            .and_then(|capability| capability.get(what))
            .and_then(serde_json::Value::as_bool)
            .unwrap_or_default()
    };
    let mut agreed = crate::wire::Object::default();
    let mut wants = Wants::default();
    for (name, kind, news) in [
        ("toolsListChanged", "tools", News::Tools),
        ("promptsListChanged", "prompts", News::Prompts),
        ("resourcesListChanged", "resources", News::Resources),
    ] {
        if wanted(name).and_then(Json::as_bool) == Some(true) && tells(kind, "listChanged") {
            agreed.set(name, true);
            wants.lists.push(news);
        }
    }
    if let Some(uris) = wanted("resourceSubscriptions").filter(|_| tells("resources", "subscribe")) {
        agreed.set("resourceSubscriptions", uris.clone());
        let uris = uris.as_array().into_iter().flatten().filter_map(Json::as_str).map(str::to_owned);
        wants.watched.lock().expect("no writer panics").extend(uris);
    }
    let mut params = subscribed(&id);
    if let Some(params) = params.as_object_mut() {
        params.set("notifications", Json::Object(agreed));
    }
    Outcome::Listen {
        id,
        first: rpc::notification("notifications/subscriptions/acknowledged", params),
        wants,
    }
}
