//! What a frame gets: the eras' rules, without a byte of transport.

pub(super) mod headers;
pub(super) mod legacy;
pub(super) mod modern;
mod offered;

use super::delivery::Delivery;
use super::frame::Frame;
use super::listener::Wants;
use super::living::Living;
use super::session::Session;
use crate::wire::rpc::Asks;
use crate::wire::{Era, Json, Message, RpcError, rpc};
use std::sync::Arc;

/// Who sent a frame, and where it stands in the ledger.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) living: Arc<Living>,
    pub(super) seq: u64,
    /// Its place in a batch.
    pub(super) place: usize,
    /// The session that it came in; a connection of lines always has one.
    pub(super) session: Option<Arc<Session>>,
    pub(super) identity: Arc<str>,
}

/// What a frame gets.
pub(super) enum Outcome {
    /// Nothing: it was a notification, or a reply.
    Silent,
    /// This, at once.
    Frame(Frame),
    /// This, and a session to come back to.
    Opened(Frame, Arc<Session>),
    /// Something that takes time, or goes wrong.
    Delivery(Box<Delivery>),
    /// Notices, from now on; the first is the acknowledgement.
    Listen {
        /// The request's id: the subscription's name.
        id: Json,
        /// The notice that comes first.
        first: Json,
        /// What it will hear of.
        wants: Wants,
    },
}

impl Outcome {
    /// An error, at once.
    pub(super) fn error(id: &Json, error: RpcError) -> Self {
        Self::Frame(Frame::error(id, error))
    }
}

/// Takes a frame in its era.
pub(super) fn take(caller: &Caller, frame: &Json, era: Era) -> Outcome {
    let invalid = |why: &str| RpcError::new(rpc::INVALID_REQUEST, format!("Invalid Request: {why}"));
    if let Some(Asks { id, method, params }) = Asks::of(frame) {
        return match (id, era) {
            (None, _) => {
                notified(caller, method, params, era);
                Outcome::Silent
            }
            (Some(id), _) if !caller.living.settings.lenient && !is_proper_id(id) => {
                Outcome::error(&Json::Null, invalid("`id` is neither a string nor an integer"))
            }
            (Some(id), Era::Legacy) => legacy::request(caller, id, method, params),
            (Some(id), Era::Modern) => modern::request(caller, id, method, params),
        };
    }
    match Message::of(frame) {
        Message::Response { id, outcome } => {
            if let Some(session) = &caller.session {
                session.reply(&id, outcome);
            }
            Outcome::Silent
        }
        Message::Invalid(why) => {
            let id = frame.get("id").filter(|id| is_proper_id(id)).cloned().unwrap_or_default();
            Outcome::error(&id, invalid(why))
        }
        // Whatever asks has been answered above.
        Message::Request { .. } | Message::Notification { .. } => Outcome::Silent,
    }
}

fn is_proper_id(id: &Json) -> bool {
    matches!(id, Json::String(_))
        || matches!(id, Json::Number(number) if super::python::is_integer(number.spelling()))
}

fn notified(caller: &Caller, method: &str, params: Option<&Json>, era: Era) {
    match method {
        "notifications/cancelled" => {
            let (Some(session), Some(id)) =
                (&caller.session, params.and_then(|params| params.get("requestId")))
            else {
                return;
            };
            session.cancel(id);
            caller.living.listeners.remove(&session.id, Some(id));
        }
        // A call without an id is no call for a careful server; a careless one runs it and keeps the answer.
        "tools/call" if caller.living.settings.lenient => {
            super::call::call(caller, &Json::Null, params, era);
        }
        _ => {}
    }
}

/// What both eras answer to a method that is not here.
pub(super) fn unknown_method(id: &Json, method: &str) -> Outcome {
    let error = RpcError::new(rpc::METHOD_NOT_FOUND, "Method not found").with(method);
    Outcome::error(id, error)
}

/// A page of the tool list.
pub(super) fn list(caller: &Caller, id: &Json, params: Option<&Json>, era: Era) -> Outcome {
    let living = &caller.living;
    let listing = living.listing();
    let Some(page) = listing.page(params.and_then(|params| params.get("cursor"))) else {
        return Outcome::error(id, RpcError::new(rpc::INVALID_PARAMS, "Invalid cursor"));
    };
    let tail = if era == Era::Modern { living.tail.as_str() } else { "" };
    let frame = Frame::result(id, page.members, super::frame::Dress { tail, ..living.dress(era, None) });
    if page.is_last {
        living.listed();
    }
    Outcome::Frame(frame)
}

/// A list that is always empty, if the method asks for one.
pub(super) fn empty_list(caller: &Caller, id: &Json, method: &str, era: Era) -> Option<Outcome> {
    let living = &caller.living;
    let member = living.spec.manner.empty_lists.get(method)?;
    let tail = if era == Era::Modern { living.tail.as_str() } else { "" };
    let dress = super::frame::Dress { tail, ..living.dress(era, None) };
    Some(Outcome::Frame(Frame::result(id, &format!("\"{member}\":[]").into(), dress)))
}
