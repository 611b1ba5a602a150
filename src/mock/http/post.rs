//! POST: which era a body belongs to, whether its headers agree with it, and what it gets.

use super::guard::accepts;
use super::reply::{deliver, events, ready};
use super::{BACKLOG, refused, session};
use crate::mock::frame::Frame;
use crate::mock::listener::Listener;
use crate::mock::living::Living;
use crate::mock::protocol::{Caller, Outcome, headers, modern, take};
use crate::mock::session::{Outlet, Session, event};
use crate::transport::http_server::{Body, Chunk, Reply, Request};
use crate::wire::rpc::Asks;
use crate::wire::{Era, Json, Revision, RpcError, era, rpc};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Answers a POST.
pub(super) async fn post(
    living: &Arc<Living>,
    request: &Request,
    (seq, identity): (u64, Arc<str>),
    frame: Result<Json, RpcError>,
) -> Reply {
    if let Some(refused) = unfit(living, request) {
        return refused;
    }
    let frame = match frame {
        Ok(frame) => frame,
        Err(error) => return Reply::json(400, Frame::error(&Json::Null, error).whole()),
    };
    let caller = Caller { living: Arc::clone(living), seq, place: 0, session: None, identity };
    match era_of(living, request, &frame) {
        Err(reply) => reply,
        Ok(Era::Legacy) => in_session(caller, request, &frame).await,
        Ok(Era::Modern) => match check(living, request, &frame) {
            Err(error) => {
                Reply::json(400, Frame::error(frame.get("id").unwrap_or(&Json::Null), error).whole())
            }
            Ok(()) => answer(caller, request, &frame, Era::Modern).await,
        },
    }
}

/// What the transport itself refuses of a careful server's client.
fn unfit(living: &Living, request: &Request) -> Option<Reply> {
    if living.settings.lenient {
        return None;
    }
    let kind = request.header("content-type").unwrap_or_default();
    if kind.split(';').next().unwrap_or_default().trim() != "application/json" {
        return Some(refused(415, "Unsupported Media Type: Content-Type must be application/json"));
    }
    if request.headers.contains_key("content-encoding") {
        return Some(refused(415, "Unsupported Media Type: Content-Encoding is not supported"));
    }
    let both = accepts(request, "application/json") && accepts(request, "text/event-stream");
    (!both).then(|| {
        refused(406, "Not Acceptable: Client must accept both application/json and text/event-stream")
    })
}

/// The era of a body: `initialize` opens the legacy one, otherwise the version decides that it names.
fn era_of(living: &Living, request: &Request, frame: &Json) -> Result<Era, Reply> {
    let method = frame.get("method").and_then(Json::as_str);
    let said = meta_version(frame);
    let version = request.header(era::header::VERSION);
    let era = match version.map(|version| (version, version.parse::<Revision>())) {
        // The modern era has no `initialize`; who says in both places to be of that era is told so in its words.
        Some((_, Ok(revision))) if revision.era() == Era::Modern && said.is_some() => Era::Modern,
        _ if method == Some("initialize") => return Ok(Era::Legacy),
        Some((_, Ok(revision))) => revision.era(),
        Some((version, Err(()))) => {
            let legacy = said.is_none() && request.header(era::header::SESSION).is_some()
                || !living.speaks(Era::Modern);
            return Err(unspoken(living, (version, legacy), frame));
        }
        None if said.is_some() || method == Some("server/discover") => Era::Modern,
        None => Era::Legacy,
    };
    if living.speaks(era) {
        return Ok(era);
    }
    let requested = version.or(said).unwrap_or(Revision::V2025_03_26.as_str());
    Err(unspoken(living, (requested, era == Era::Modern), frame))
}

/// The answer for a version that is not spoken, in the words of the era that is.
fn unspoken(living: &Living, (version, legacy): (&str, bool), frame: &Json) -> Reply {
    if legacy {
        let known: Vec<&str> = living.settings.revisions.iter().map(|one| one.as_str()).collect();
        let known = known.join(", ");
        return refused(
            400,
            &format!("Bad Request: Unsupported protocol version: {version}. Supported versions: {known}"),
        );
    }
    let id = frame.get("id").cloned().unwrap_or_default();
    Reply::json(400, Frame::error(&id, modern::unsupported(living, version)).whole())
}

fn meta_version(frame: &Json) -> Option<&str> {
    frame.get("params")?.get("_meta")?.get(era::meta::VERSION)?.as_str()
}

/// Whether a modern request's headers say what its body says.
fn check(living: &Living, request: &Request, frame: &Json) -> Result<(), RpcError> {
    if frame.as_array().is_some() {
        return Err(RpcError::new(
            rpc::INVALID_REQUEST,
            "Invalid Request: batches are not part of this protocol version",
        ));
    }
    let mismatch = |message: String| RpcError::new(era::code::HEADER_MISMATCH, message);
    if Asks::of(frame).is_some_and(|asks| asks.id.is_some()) {
        let said = modern::introduced(frame.get("params"))?;
        let header = request.header(era::header::VERSION).unwrap_or("nothing");
        if header != said {
            return Err(mismatch(format!(
                "Header mismatch: mcp-protocol-version header says {header}, the body says {said}"
            )));
        }
        modern::spoken(living, said)?;
    }
    let calls = frame.get("method").and_then(Json::as_str) == Some("tools/call");
    let tool = frame.pointer("/params/name").filter(|_| calls).and_then(Json::as_str);
    let listing = living.listing();
    let parameters = tool.and_then(|tool| listing.tool(tool)).map(|tool| tool.parameters());
    headers::agree(&request.headers, frame, parameters).map_err(mismatch)
}

/// The legacy era: everything but `initialize` comes in a session.
async fn in_session(mut caller: Caller, request: &Request, frame: &Json) -> Reply {
    let opens = frame.get("method").and_then(Json::as_str) == Some("initialize");
    if !opens {
        match session(&caller.living, request) {
            Ok(session) => caller.session = Some(session),
            Err(refused) => {
                if refused.status == 404 {
                    caller.living.ledger.amend(caller.seq, |arrival| arrival.turned_away = true);
                }
                return refused;
            }
        }
    }
    match frame {
        Json::Array(frames) => batch(caller, frames).await,
        frame => answer(caller, request, frame, Era::Legacy).await,
    }
}

/// Several frames at once; their answers come as an array, in order.
async fn batch(caller: Caller, frames: &[Json]) -> Reply {
    let allowed =
        |session: &Arc<Session>| session.opened().is_some_and(|opened| opened.revision.has_batches());
    if !caller.living.settings.lenient && !caller.session.as_ref().is_some_and(allowed) || frames.is_empty() {
        return refused(400, "Invalid Request: batches are not part of this protocol version");
    }
    let mut answers = Vec::new();
    for (place, frame) in frames.iter().enumerate() {
        let caller = Caller { place, ..caller.clone() };
        match take(&caller, frame, Era::Legacy) {
            Outcome::Frame(frame) | Outcome::Opened(frame, _) => answers.push(frame.whole()),
            Outcome::Delivery(delivery) => match deliver(&caller.living, *delivery, false).await.body {
                Body::Full(bytes) => answers.push(bytes),
                Body::Pieces(pieces) => answers.push(pieces.concat().into()),
                broken => return Reply { body: broken, ..Reply::status(200) },
            },
            Outcome::Silent | Outcome::Listen { .. } => {}
        }
    }
    if answers.is_empty() {
        return Reply::status(202);
    }
    Reply::json(200, [b"[", answers.join(&b","[..]).as_slice(), b"]"].concat())
}

async fn answer(caller: Caller, request: &Request, frame: &Json, era: Era) -> Reply {
    let living = &caller.living;
    // A client that takes no events gets a body; one that takes nothing else gets events.
    let takes_events = accepts(request, "text/event-stream");
    let as_events = takes_events && (living.settings.streams || !accepts(request, "application/json"));
    match take(&caller, frame, era) {
        Outcome::Silent => Reply::status(202),
        Outcome::Frame(frame) => ready(frame, era, as_events),
        Outcome::Opened(frame, session) => {
            ready(frame, era, as_events).with(era::header::SESSION, &session.id)
        }
        Outcome::Delivery(delivery) if as_events || (takes_events && delivery.needs_stream()) => {
            super::reply::stream(living, *delivery)
        }
        Outcome::Delivery(delivery) => deliver(living, *delivery, accepts_gzip(request)).await,
        Outcome::Listen { id, first, wants } => {
            let (sender, receiver) = mpsc::channel(BACKLOG);
            // The channel is empty: the first event always fits.
            let _ = sender.try_send(Chunk::Data(event(&first.to_bytes())));
            if wants.nothing() {
                living.hold(sender);
            } else {
                let outlet = Outlet::Events(sender);
                let (session, subscription) = (String::new(), Some(id));
                living.listeners.add(Listener { session, subscription, wants, outlet });
            }
            events(Body::Stream(receiver))
        }
    }
}

fn accepts_gzip(request: &Request) -> bool {
    request.header("accept-encoding").is_some_and(|names| names.contains("gzip") || names.contains('*'))
}

/// The status that belongs to an answer.
pub(super) fn status(frame: &Frame, era: Era) -> u16 {
    match (frame.code, era) {
        (Some(rpc::PARSE_ERROR | rpc::INVALID_REQUEST), _) => 400,
        (Some(rpc::METHOD_NOT_FOUND), Era::Modern) => 404,
        (
            Some(era::code::HEADER_MISMATCH | era::code::MISSING_CAPABILITY | era::code::UNSUPPORTED_VERSION),
            Era::Modern,
        ) => 400,
        _ => 200,
    }
}
