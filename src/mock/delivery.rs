//! An answer that takes time: delays, progress notices, questions to the client, being taken back.
//!
//! It comes to one value in the end; how that leaves the server, faults included, is the transport's.

use super::fault::Fault;
use super::frame::Frame;
use super::protocol::legacy::offers;
use super::questions::Put;
use super::running::{Next, Running};
use super::session::{self, Outlet};
use super::value::from_wire;
use crate::wire::{Era, Json, Object, RpcError, rpc};
use minijinja::Value;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// What comes after the waiting.
pub(super) enum Then {
    /// This.
    Frame(Frame),
    /// Questions of the legacy era, and the answer that asks them.
    Questions(Vec<Put>, usize),
    /// A fault that stands alone.
    Nothing,
}

/// An answer on its way.
pub(super) struct Delivery {
    running: Running,
    next: Next,
    /// Known to the session from the start: a client may take back at once what it has just asked for.
    registered: Option<session::Running>,
    /// Its answer is not wanted any more once this is dropped before the end.
    wanted: Wanted,
}

/// How a delivery ended.
pub(super) enum Finish {
    /// With this answer.
    Answer(Frame),
    /// With a fault, and the answer that it spoils.
    Fault(Fault, Option<Frame>),
    /// The client took it back, and is told so, or not at all.
    Cancelled(Option<Frame>),
}

/// Marks the arrival as abandoned when it is dropped before its answer was ready.
struct Wanted {
    living: std::sync::Arc<super::living::Living>,
    seq: u64,
    settled: bool,
    /// Let go of when what became of it is written down.
    _counted: TaskTrackerToken,
}

impl Drop for Wanted {
    fn drop(&mut self) {
        if !self.settled {
            self.living.ledger.amend(self.seq, |arrival| arrival.abandoned = true);
        }
    }
}

impl Delivery {
    /// The way of that answer.
    pub(super) fn new(running: Running, next: Next) -> Self {
        let living = std::sync::Arc::clone(&running.living);
        let counted = living.deliveries.token();
        let wanted = Wanted { living, seq: running.seq, settled: false, _counted: counted };
        let registered = running.session.as_ref().map(|session| session.run(&running.id));
        Self { running, next, registered, wanted }
    }

    /// Whether frames may come before the answer.
    pub(super) fn needs_stream(&self) -> bool {
        let aside = &self.next.aside;
        let progress = aside.progress > 0 && self.running.token.is_some();
        let log = self.running.least.is_some_and(|least| aside.log.iter().any(|(level, _)| *level >= least));
        let twice = self.next.fault == Some(Fault::Twice);
        let http = matches!(self.next.fault, Some(Fault::Http(_)));
        !http && (progress || log || twice || matches!(self.next.then, Then::Questions(..)))
    }

    /// Waits, tells, asks, until there is an answer. Frames before the answer go to the outlet.
    pub(super) async fn run(mut self, outlet: Option<&Outlet>) -> Finish {
        let cancelled =
            self.registered.as_ref().map_or_else(CancellationToken::new, |running| running.cancelled.clone());
        let stopped = self.running.living.stop.clone();
        let finish = tokio::select! {
            biased;
            () = cancelled.cancelled() => None,
            () = stopped.cancelled() => None,
            finish = self.answer(outlet) => Some(finish),
        };
        self.wanted.settled = finish.is_some();
        finish.unwrap_or_else(|| {
            // The modern era says nothing more about a request that was taken back.
            let told =
                self.running.living.spec.convention.cancelled().filter(|_| self.running.era == Era::Legacy);
            Finish::Cancelled(told.map(|error| Frame::error(&self.running.id, error)))
        })
    }

    async fn answer(&mut self, outlet: Option<&Outlet>) -> Finish {
        loop {
            self.wait(outlet).await;
            for news in &self.next.aside.tells {
                self.running.living.listeners.tell(news).await;
            }
            if self.next.fault == Some(Fault::Hang) {
                std::future::pending::<()>().await;
            }
            let next = match std::mem::replace(&mut self.next.then, Then::Nothing) {
                Then::Questions(put, choice) => match self.ask(put, choice, outlet).await {
                    Ok(next) => next,
                    Err(frame) => return Finish::Answer(frame),
                },
                then => {
                    let frame = if let Then::Frame(frame) = then { Some(frame) } else { None };
                    return match (self.next.fault.take(), frame) {
                        (Some(fault), frame) => Finish::Fault(fault, frame),
                        (None, Some(frame)) => Finish::Answer(frame),
                        // Only faults stand alone; this is what a drop looks like.
                        (None, None) => Finish::Fault(Fault::Drop, None),
                    };
                }
            };
            self.next = next;
        }
    }

    /// The delay, with progress notices and log messages evenly spread over it.
    async fn wait(&self, outlet: Option<&Outlet>) {
        let aside = &self.next.aside;
        let Some(outlet) = outlet else { return pause(self.next.delay).await };
        let moments = aside.moments();
        for moment in 1..=moments {
            pause(self.next.delay / (moments + 1)).await;
            let progress = self.running.token.as_ref().and_then(|token| aside.progress_at(moment, token));
            let log = self.running.least.and_then(|least| aside.log_at(moment, least));
            for notice in progress.into_iter().chain(log) {
                outlet.send(&notice.to_bytes()).await;
            }
        }
        pause(self.next.delay / (moments + 1)).await;
    }

    /// Puts the questions one after the other and lets the tool go on with the replies.
    async fn ask(&self, put: Vec<Put>, choice: usize, outlet: Option<&Outlet>) -> Result<Next, Frame> {
        let mut replies = Object::default();
        for question in put {
            let (Some(session), Some(outlet)) = (&self.running.session, outlet) else {
                return Err(self.running.cannot_ask(&question.method));
            };
            if !offers(session, &question.method) {
                return Err(self.running.cannot_ask(&question.method));
            }
            let (id, reply) = session.ask();
            outlet.send(&rpc::request(id, &question.method, question.params).to_bytes()).await;
            let reply = match reply.await {
                Ok(Ok(value)) => value,
                Ok(Err(error)) => refused(&error),
                Err(_) => Json::Null,
            };
            replies.set(&question.name, reply);
        }
        let replies: Value = from_wire(&Json::Object(replies));
        let next = self
            .running
            .play(Some((replies, choice + 1)))
            .and_then(|played| self.running.conclude(played, None));
        next.map_err(|error| Frame::error(&self.running.id, error))
    }
}

async fn pause(span: Duration) {
    if !span.is_zero() {
        tokio::time::sleep(span).await;
    }
}

/// A client's error as a reply that conditions can ask for.
fn refused(error: &RpcError) -> Json {
    let mut inner = Object::default();
    inner.set("code", error.code);
    inner.set("message", error.message.clone());
    let mut reply = Object::default();
    reply.set("error", Json::Object(inner));
    Json::Object(reply)
}
