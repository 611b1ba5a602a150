//! Which request goes where: answered here, judged, or passed on.

use super::audit::Record;
use super::conduct::Stage;
use super::read::Frame;
use super::state::{Granted, State};
use super::walk::{Called, Context, Walk};
use crate::wire::era::meta;
use crate::wire::{Era, Json, Message, Revision, RpcError, rpc};
use serde_json::json;

/// Requests that are passed on as they are. What is not known is not passed on: a careless server could take it for
/// a call.
const PASSED: [&str; 10] = [
    "prompts/list",
    "prompts/get",
    "resources/list",
    "resources/templates/list",
    "resources/read",
    "resources/subscribe",
    "resources/unsubscribe",
    "completion/complete",
    "logging/setLevel",
    "subscriptions/listen",
];

/// A frame that is not judged goes straight on: only a liar has such frames.
const UNPOLICED: &[Stage] = &[Stage::Forward];

/// Answers one request; the response frame.
pub(super) async fn respond(context: &Context, frame: Frame) -> Json {
    let mut answer = answer(context, frame).await;
    if let Some(members) = answer.as_object_mut()
        && let Some(id) = members.get("id").cloned()
    {
        members.set("id", (context.state.conduct.echoes)(id));
    }
    answer
}

async fn answer(context: &Context, frame: Frame) -> Json {
    let (id, method, params) = match Message::of(&frame.judged) {
        Message::Request { id, method, params } => (id, method, params),
        _ => return rpc::error(Json::Null, RpcError::new(rpc::INVALID_REQUEST, "not a request")),
    };
    let mut answer = match method.as_str() {
        "ping" => rpc::result(Json::Null, authored(Json::object(), context.session.revision)),
        "server/discover" if context.session.revision.era() == Era::Modern => {
            rpc::result(Json::Null, discovered())
        }
        "tools/list" => context.list(&id, params).await,
        "tools/call" => return call(context, id, params.unwrap_or_default(), frame).await,
        passed if PASSED.contains(&passed) && context.state.settings.upstreams.len() == 1 => {
            let passed = context.ask(0, passed, params).await;
            passed.unwrap_or_else(|trouble| {
                rpc::error(Json::Null, RpcError::new(super::refusal::FAILED, trouble.what))
            })
        }
        unknown => match (context.state.conduct.strange)(unknown) {
            Ok(result) => rpc::result(Json::Null, result),
            Err(error) => rpc::error(Json::Null, error),
        },
    };
    answer.as_object_mut().into_iter().for_each(|answer| answer.set("id", id.clone()));
    answer
}

async fn call(context: &Context, id: Json, params: Json, frame: Frame) -> Json {
    let shown = params.get("name").and_then(Json::as_str).unwrap_or_default().to_owned();
    let arguments = params.get("arguments").cloned().unwrap_or_else(Json::object);
    let mut sent = frame.sent.get("params").cloned().unwrap_or_default();
    let (place, tool) = match context.resolve(&shown, &arguments).await {
        Ok(way) => way,
        Err(refusal) => {
            let record = context.signed(Record {
                tool: Some(shown),
                request_id: Some((&id).into()),
                ..Record::default()
            });
            context.state.record(Record {
                about: "call",
                decision: "denied",
                reason: Some("unknown tool".into()),
                ..record
            });
            return context.put(id, &refusal);
        }
    };
    if tool != shown {
        sent.as_object_mut().into_iter().for_each(|sent| sent.set("name", tool.as_str()));
    }
    let order = if frame.policed { context.state.conduct.order } else { UNPOLICED };
    let called = Called { id, place, tool, shown, arguments, params: sent, order };
    Walk::new(context, called).run().await
}

/// What a frame that wants no answer does. A call put so is never forwarded.
pub(super) async fn notice(context: &Context, frame: Frame) {
    let Message::Notification { method, params } = Message::of(&frame.judged) else { return };
    if method == "notifications/cancelled" {
        let id = params.as_ref().and_then(|params| params.get("requestId"));
        id.into_iter().for_each(|id| context.session.take_back(id));
        return;
    }
    let passes = (context.state.conduct.passes_notice)(&method);
    if method == "tools/call" && !passes {
        let tool =
            params.as_ref().and_then(|params| params.get("name")).and_then(Json::as_str).map(str::to_owned);
        let reason = Some("a call that wants no answer is not forwarded".into());
        context.state.record(context.signed(Record {
            about: "call",
            decision: "denied",
            tool,
            reason,
            ..Record::default()
        }));
    }
    if !passes {
        return;
    }
    if method == "tools/call" {
        for place in 0..context.state.settings.upstreams.len() {
            let _ = context.session.link(place, &context.state).await;
        }
    }
    for link in context.session.open_links().await {
        link.tell(frame.sent.clone()).await;
    }
}

impl Context {
    /// A record with the name of whoever asks.
    pub(super) fn signed(&self, record: Record) -> Record {
        sign(record, &self.granted)
    }
}

impl State {
    /// A record for each call that somebody tried to make with bytes that were refused.
    pub(super) fn record_attempts(&self, bytes: &[u8], granted: &Granted, reason: &str) {
        for tool in super::read::attempts(bytes) {
            let reason = Some(reason.to_owned());
            self.record(sign(
                Record { about: "call", decision: "malformed", tool, reason, ..Record::default() },
                granted,
            ));
        }
    }
}

fn sign(record: Record, granted: &Granted) -> Record {
    Record { identity: Some(granted.identity().to_owned()), policy: granted.policy_print(), ..record }
}

/// A result of our own, as its era wants it.
pub(super) fn authored(mut result: Json, revision: Revision) -> Json {
    if let Some(result) = result.as_object_mut()
        && revision.era() == Era::Modern
        && result.get("resultType").is_none()
    {
        result.set("resultType", "complete");
    }
    result
}

/// The result of `initialize`.
pub(super) fn greeting(revision: Revision) -> Json {
    json!({
        "protocolVersion": revision.as_str(),
        "capabilities": {"tools": {"listChanged": true}, "logging": {}},
        "serverInfo": server_info(),
    })
    .into()
}

/// `_meta` of a modern request of our own.
pub(super) fn own_meta() -> serde_json::Value {
    json!({
        meta::VERSION: Revision::V2026_07_28.as_str(),
        meta::CAPABILITIES: {},
        meta::CLIENT: server_info(),
    })
}

fn discovered() -> Json {
    json!({
        "resultType": "complete",
        "supportedVersions": [Revision::V2026_07_28.as_str()],
        "capabilities": {"tools": {"listChanged": true}},
        "ttlMs": 0,
        "cacheScope": "private",
        "_meta": {"io.modelcontextprotocol/serverInfo": server_info()},
    })
    .into()
}

fn server_info() -> serde_json::Value {
    json!({"name": "gauntlet-reference", "version": env!("CARGO_PKG_VERSION")})
}
