//! Streamable HTTP: one endpoint, what each verb does there, and which era a request belongs to.

mod guard;
mod post;
mod reply;

pub(super) use reply::wrong_id;

use super::intake::take;
use super::ledger::{Arrival, Headers, Transport};
use super::listener::{Listener, Wants};
use super::living::Living;
use super::protocol::legacy::refusal;
use super::session::{Outlet, Session};
use crate::transport::http_server::{Body, Reply, Request};
use crate::wire::{Era, Json, Revision, era};
use std::sync::{Arc, OnceLock};
use std::time::Instant;
use tokio::sync::mpsc;

/// The path of the endpoint.
pub const PATH: &str = "/mcp";

/// How many events wait for a slow client before the server waits for it.
const BACKLOG: usize = 256;

/// Answers one HTTP request; whatever it is, it stands in the ledger first.
pub(super) async fn respond(living: Arc<Living>, request: Request) -> Reply {
    let frame = take(&request.body, living.settings.lenient);
    let named = |name: &str| request.header(name).map(str::to_owned);
    let method = frame.as_ref().ok().and_then(|frame| frame.get("method")).and_then(Json::as_str);
    let seq = living.ledger.record(Arrival {
        seq: 0,
        at: Instant::now(),
        upstream: living.settings.name.clone(),
        session: named(era::header::SESSION),
        transport: Transport::Http,
        request: Some(format!("{} {}", request.method, request.target)),
        headers: Headers::from(&request.headers),
        bytes: request.body.clone(),
        method: method.map(str::to_owned),
        calls: OnceLock::new(),
        executed: Vec::new(),
        receipts: Vec::new(),
        abandoned: false,
        turned_away: false,
    });
    let reply = match guard::admit(&living.settings, &request) {
        Err(refused) => refused,
        Ok(identity) => match request.method.as_str() {
            "POST" => post::post(&living, &request, (seq, identity), frame).await,
            "GET" => stream(&living, &request),
            "DELETE" => end(&living, &request),
            _ => Reply::status(405).with("allow", "GET, POST, DELETE"),
        },
    };
    living.dealt_with(seq);
    reply
}

/// The session that a legacy request names.
fn session(living: &Living, request: &Request) -> Result<Arc<Session>, Reply> {
    let Some(id) = request.header(era::header::SESSION) else {
        return Err(refused(400, "Bad Request: Missing session ID"));
    };
    living.sessions.get(id).ok_or_else(|| refused(404, "Session not found"))
}

fn refused(status: u16, message: &str) -> Reply {
    Reply::json(status, refusal(message).whole())
}

/// Whether a request without a body belongs to the modern era, which has neither GET nor DELETE.
fn is_modern(living: &Living, request: &Request) -> bool {
    let revision = request.header(era::header::VERSION).and_then(|version| version.parse::<Revision>().ok());
    revision.is_some_and(|revision| revision.era() == Era::Modern) || !living.speaks(Era::Legacy)
}

/// GET: the session's stream of notices.
fn stream(living: &Living, request: &Request) -> Reply {
    if is_modern(living, request) {
        return Reply::status(405).with("allow", "POST");
    }
    let session = match session(living, request) {
        Ok(session) => session,
        Err(refused) => return refused,
    };
    if !guard::accepts(request, "text/event-stream") {
        return refused(406, "Not Acceptable: Client must accept text/event-stream");
    }
    if living.listeners.has_stream(&session.id) {
        return refused(409, "Conflict: Only one SSE stream is allowed per session");
    }
    let (sender, receiver) = mpsc::channel(BACKLOG);
    living.listeners.add(Listener {
        session: session.id.clone(),
        subscription: None,
        wants: Wants::legacy(&session.watched),
        outlet: Outlet::Events(sender),
    });
    reply::events(Body::Stream(receiver))
}

/// DELETE: the session ends.
fn end(living: &Living, request: &Request) -> Reply {
    if is_modern(living, request) {
        return Reply::status(405).with("allow", "POST");
    }
    match session(living, request) {
        Ok(session) => {
            living.sessions.end(&session.id);
            living.listeners.remove(&session.id, None);
            Reply::status(200)
        }
        Err(refused) => refused,
    }
}
