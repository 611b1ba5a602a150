//! Answers on their way out over HTTP: as a body or as events, whole or spoilt.

use super::BACKLOG;
use super::post::status;
use crate::mock::delivery::{Delivery, Finish};
use crate::mock::fault::{Fault, GARBAGE, packed, spread};
use crate::mock::frame::Frame;
use crate::mock::living::Living;
use crate::mock::session::{Outlet, event};
use crate::transport::http_server::{Body, Chunk, Reply};
use crate::wire::{Era, Json};
use bytes::Bytes;
use std::sync::Arc;
use tokio::sync::mpsc;

/// The id of a request that nobody made.
pub(in crate::mock) fn wrong_id() -> Json {
    Json::from(987_654_321)
}

/// A reply whose body is a stream of events.
pub(super) fn events(body: Body) -> Reply {
    let headers = [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-cache, no-transform"),
        ("x-accel-buffering", "no"),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    Reply { status: 200, headers, body }
}

/// An answer that is ready.
pub(super) fn ready(frame: Frame, era: Era, as_events: bool) -> Reply {
    let status = status(&frame, era);
    if as_events && status == 200 {
        return events(Body::Full(event(&frame.whole())));
    }
    let body = match frame.into_pieces() {
        [whole, middle, last] if middle.is_empty() && last.is_empty() => Body::Full(whole),
        pieces => Body::Pieces(Box::new(pieces)),
    };
    Reply { body, ..Reply::json(status, Bytes::new()) }
}

/// Waits for an answer and gives it as a body. When the client goes away this is dropped, and the delivery with it.
/// `packs` says that it takes a packed one.
pub(super) async fn deliver(living: &Living, delivery: Delivery, packs: bool) -> Reply {
    let json = |bytes: Bytes| Reply::json(200, bytes);
    match delivery.run(None).await {
        Finish::Answer(frame) => ready(frame, Era::Legacy, false),
        Finish::Cancelled(Some(frame)) => json(frame.whole()),
        Finish::Cancelled(None) => Reply::status(202),
        Finish::Fault(Fault::Packed, Some(frame)) if packs => {
            json(packed(&frame.whole()).into()).with("content-encoding", "gzip")
        }
        Finish::Fault(fault, frame) => spoilt(living, &fault, frame.as_ref()),
    }
}

fn spoilt(living: &Living, fault: &Fault, frame: Option<&Frame>) -> Reply {
    let whole = frame.map(Frame::whole).unwrap_or_default();
    let broken = |body: Body| Reply { body, ..Reply::json(200, Bytes::new()) };
    match fault {
        Fault::Hang | Fault::Drop => broken(Body::Abort),
        Fault::Crash => {
            living.crash();
            broken(Body::Abort)
        }
        Fault::Garbage => broken(Body::Full(Bytes::from_static(GARBAGE))),
        Fault::Truncate => broken(Body::Truncated(whole.slice(..whole.len() / 2), whole.len())),
        Fault::WrongId => {
            broken(Body::Full(frame.map(|frame| frame.with_id(&wrong_id())).unwrap_or_default()))
        }
        // Without a stream there is no way to say it twice but to write it twice.
        Fault::Twice => broken(Body::Full([whole.clone(), whole].concat().into())),
        Fault::Oversize(_) | Fault::Packed => broken(Body::Full(whole)),
        Fault::Lines => broken(Body::Full(spread(&whole).into())),
        Fault::Http(answer) => {
            let headers = answer.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
            Reply { status: answer.status, headers, body: Body::Full(answer.body.clone().into()) }
        }
    }
}

/// Waits for an answer in a stream of events that begins now.
pub(super) fn stream(living: &Arc<Living>, delivery: Delivery) -> Reply {
    let (sender, receiver) = mpsc::channel(BACKLOG);
    let inner = Arc::clone(living);
    living.tasks.spawn(async move {
        let outlet = Outlet::Events(sender.clone());
        let finish = tokio::select! {
            finish = delivery.run(Some(&outlet)) => finish,
            // The client has closed the stream: whatever came of it, nobody would see it.
            () = outlet.closed() => return,
        };
        for chunk in chunks(&inner, finish) {
            if sender.send(chunk).await.is_err() {
                return;
            }
        }
    });
    events(Body::Stream(receiver))
}

fn chunks(living: &Living, finish: Finish) -> Vec<Chunk> {
    let (fault, frame) = match finish {
        Finish::Answer(frame) | Finish::Cancelled(Some(frame)) => {
            return vec![Chunk::Data(event(&frame.whole()))];
        }
        Finish::Cancelled(None) => return Vec::new(),
        Finish::Fault(fault, frame) => (fault, frame),
    };
    let whole = frame.as_ref().map(|frame| event(&frame.whole()));
    match (fault, whole, frame) {
        (Fault::Garbage, _, _) => vec![Chunk::Data(event(GARBAGE))],
        (Fault::Truncate, Some(event), _) => {
            vec![Chunk::Data(event.slice(..event.len() / 2)), Chunk::Abort]
        }
        (Fault::WrongId, _, Some(frame)) => vec![Chunk::Data(event(&frame.with_id(&wrong_id())))],
        (Fault::Twice, Some(whole), _) => vec![Chunk::Data(whole.clone()), Chunk::Data(whole)],
        (Fault::Lines, _, Some(frame)) => vec![Chunk::Data(event(&spread(&frame.whole())))],
        (Fault::Oversize(_) | Fault::Packed, Some(whole), _) => vec![Chunk::Data(whole)],
        (Fault::Crash, _, _) => {
            living.crash();
            vec![Chunk::Abort]
        }
        _ => vec![Chunk::Abort],
    }
}
