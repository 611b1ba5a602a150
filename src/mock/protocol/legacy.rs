//! The legacy era: sessions that `initialize` opens.

use super::offered::offered;
use super::{Caller, Outcome, empty_list, list, unknown_method};
use crate::mock::call::call;
use crate::mock::change::After;
use crate::mock::frame::{Frame, members};
use crate::mock::session::{Opened, Session};
use crate::wire::{Era, Json, Object, Revision, RpcError};
use bytes::Bytes;
use serde_json::json;
use std::sync::Arc;

/// Methods that the era knows and most of these servers do not have; any other word makes a request malformed.
const KNOWN: [&str; 7] = [
    "completion/complete",
    "logging/setLevel",
    "prompts/get",
    "resources/read",
    "resources/subscribe",
    "resources/unsubscribe",
    "tasks/list",
];

/// Answers a request.
pub(super) fn request(caller: &Caller, id: &Json, method: &str, params: Option<&Json>) -> Outcome {
    if method == "initialize" {
        return initialize(caller, id, params);
    }
    let is_open = caller.session.as_ref().is_some_and(|session| session.opened().is_some());
    match method {
        "ping" => Outcome::Frame(Frame::result(id, &Bytes::new(), caller.living.dress(Era::Legacy, None))),
        _ if !is_open || params.is_some_and(|params| params.as_object().is_none()) => malformed(caller, id),
        "tools/list" => list(caller, id, params, Era::Legacy),
        "tools/call" => call(caller, id, params, Era::Legacy),
        method => offered(caller, id, (method, params), Era::Legacy)
            .or_else(|| empty_list(caller, id, method, Era::Legacy))
            .unwrap_or_else(|| {
                if KNOWN.contains(&method) { unknown_method(id, method) } else { malformed(caller, id) }
            }),
    }
}

fn malformed(caller: &Caller, id: &Json) -> Outcome {
    Outcome::error(id, caller.living.spec.convention.invalid_params())
}

/// Agrees on a revision: the client's own if it is spoken here, otherwise the newest of the era.
fn initialize(caller: &Caller, id: &Json, params: Option<&Json>) -> Outcome {
    let living = &caller.living;
    let Some(wanted) = params.and_then(|params| params.get("protocolVersion")).and_then(Json::as_str) else {
        return malformed(caller, id);
    };
    let legacy: Vec<Revision> =
        living.settings.revisions.iter().copied().filter(|one| one.era() == Era::Legacy).collect();
    let Some(newest) = legacy.iter().max() else {
        return Outcome::error(id, super::modern::unsupported(living, wanted));
    };
    let revision = legacy.iter().find(|revision| revision.as_str() == wanted).unwrap_or(newest);
    let capabilities =
        params.and_then(|params| params.get("capabilities")).cloned().unwrap_or_else(Json::object);
    let opened = Opened { revision: *revision, capabilities };
    let manner = &living.spec.manner;
    let mut result = json!({
        "protocolVersion": revision.as_str(),
        "capabilities": manner.capabilities,
        "serverInfo": {"name": manner.name, "version": manner.version},
    });
    if let Some(instructions) = &manner.instructions {
        result["instructions"] = json!(instructions);
    }
    let frame = Frame::result(id, &members(&result), living.dress(Era::Legacy, None));
    match &caller.session {
        // A connection of lines is its own session.
        Some(session) => {
            session.open(opened);
            living.reached(After::Sessions(living.sessions.note()));
            Outcome::Frame(frame)
        }
        None => {
            let session = Arc::new(Session::new());
            session.open(opened);
            living.reached(After::Sessions(living.sessions.add(&session)));
            Outcome::Opened(frame, session)
        }
    }
}

/// The error of a transport that could not even find out what was asked.
pub(in crate::mock) fn refusal(message: impl Into<String>) -> Frame {
    // The id of both real servers' transport: there is no request that it could answer.
    Frame::error(&Json::from("server-error"), RpcError::new(crate::wire::rpc::INVALID_REQUEST, message))
}

/// Whether a client offered to answer such questions.
pub(in crate::mock) fn offers(session: &Session, method: &str) -> bool {
    let capability = capability(method);
    session.opened().is_some_and(|opened| opened.capabilities.get(capability).is_some())
}

/// The capability that a question needs.
pub(in crate::mock) fn capability(method: &str) -> &str {
    method.split('/').next().unwrap_or(method)
}

/// `{capability: {}}`.
pub(in crate::mock) fn needed(capability: &str) -> Json {
    let mut needed = Object::default();
    needed.set(capability, Json::object());
    Json::Object(needed)
}
