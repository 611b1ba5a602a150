//! In which era a request speaks, and whether it speaks it properly.

use crate::wire::era::{code, header, meta};
use crate::wire::{Era, Json, Message, Revision, RpcError, rpc};
use base64::Engine as _;
use http::HeaderMap;
use serde_json::json;

/// Whether a frame is of the modern era: it says so in its `_meta`, in its header, or by its method.
pub(super) fn of(frame: &Json, headers: &HeaderMap) -> Era {
    let (method, params) = match Message::of(frame) {
        Message::Request { method, params, .. } | Message::Notification { method, params } => {
            (method, params)
        }
        _ => (String::new(), None),
    };
    let modern = Revision::V2026_07_28.as_str();
    let said = params.as_ref().and_then(|params| params.get("_meta")?.get(meta::VERSION)).is_some();
    let header = headers.get(header::VERSION).is_some_and(|version| version == modern);
    let legacy = method == "initialize" || headers.contains_key(header::SESSION);
    if !legacy && (said || header || method == "server/discover") { Era::Modern } else { Era::Legacy }
}

/// The version that a modern request has to state in its `_meta`.
pub(super) fn stated(frame: &Json) -> Result<&str, RpcError> {
    version(frame).ok_or_else(|| {
        RpcError::new(rpc::INVALID_PARAMS, format!("invalid params: `_meta` lacks `{}`", meta::VERSION))
    })
}

fn version(frame: &Json) -> Option<&str> {
    frame.get("params")?.get("_meta")?.get(meta::VERSION)?.as_str()
}

/// Whether that version is the modern one.
pub(super) fn check_modern(version: &str) -> Result<(), RpcError> {
    if version == Revision::V2026_07_28.as_str() { Ok(()) } else { Err(unsupported(version)) }
}

/// The error for a version that is not spoken.
pub(super) fn unsupported(version: &str) -> RpcError {
    let data = json!({"supported": [Revision::V2026_07_28.as_str()], "requested": version});
    RpcError::new(code::UNSUPPORTED_VERSION, "unsupported protocol version").with(data)
}

/// Whether headers and body agree: whoever routes by the one and judges by the other could be deceived.
pub(in crate::reference) fn check_headers(frame: &Json, headers: &HeaderMap) -> Result<(), RpcError> {
    let disagree =
        |name: &str| Err(RpcError::new(code::HEADER_MISMATCH, format!("header `{name}` and body disagree")));
    let params = frame.get("params");
    let method = frame.get("method").and_then(Json::as_str);
    let member = match method {
        Some("tools/call" | "prompts/get") => "name",
        Some("resources/read") => "uri",
        _ => "",
    };
    let name = params.and_then(|params| params.get(member)).and_then(Json::as_str);
    for (header, body) in [(header::VERSION, version(frame)), (header::METHOD, method), (header::NAME, name)]
    {
        let mut values = headers.get_all(header).iter();
        let value = values.next().and_then(|value| decoded(value.to_str().ok()?));
        if values.next().is_some() || value.as_deref() != body {
            return disagree(header);
        }
    }
    Ok(())
}

fn decoded(value: &str) -> Option<String> {
    match value.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?=")) {
        Some(packed) => {
            String::from_utf8(base64::engine::general_purpose::STANDARD.decode(packed).ok()?).ok()
        }
        None => Some(value.to_owned()),
    }
}

/// The HTTP status of an answer.
pub(super) fn status_of(answer: &Json, era: Era) -> u16 {
    match answer.pointer("/error/code").and_then(Json::as_i64) {
        Some(rpc::METHOD_NOT_FOUND) if era == Era::Modern => 404,
        Some(
            rpc::INVALID_PARAMS
            | rpc::INVALID_REQUEST
            | code::HEADER_MISMATCH
            | code::MISSING_CAPABILITY
            | code::UNSUPPORTED_VERSION,
        ) if era == Era::Modern => 400,
        _ => 200,
    }
}
