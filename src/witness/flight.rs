//! A request under way: its exchange as it grows, and waiting for it.

use super::session::Session;
use crate::transcript::{Ended, Exchange, HttpHead, Received, Sent, Via};
use crate::wire::Json;
use bytes::{Bytes, BytesMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

/// A request under way. Dropping it closes its HTTP answer; what comes later on other ways becomes a notice.
#[derive(Debug)]
pub struct InFlight {
    pub(super) slot: Arc<Slot>,
    pub(super) task: Option<AbortOnDropHandle<()>>,
    pub(super) session: Session,
}

impl InFlight {
    /// The exchange as it stands, also after it ended: what came too late or twice is in it.
    pub fn so_far(&self) -> Exchange {
        self.slot.exchange()
    }

    /// Waits until it ended, or not: then it is `Quiet`, and may be waited for again.
    pub async fn wait(&mut self, within: Duration) -> Exchange {
        self.wait_until(|_| false, within).await
    }

    /// Waits until the exchange satisfies, or ended, or so long.
    pub async fn wait_until(&mut self, satisfies: impl Fn(&Exchange) -> bool, within: Duration) -> Exchange {
        let mut changes = self.slot.changed.subscribe();
        let enough = async {
            loop {
                changes.mark_unchanged();
                let exchange = self.slot.exchange();
                // The slot is ours, so its sender lives.
                if exchange.ended != Ended::Quiet || satisfies(&exchange) || changes.changed().await.is_err()
                {
                    return exchange;
                }
            }
        };
        let over = tokio::time::timeout(within, enough).await;
        over.unwrap_or_else(|_| self.slot.exchange())
    }

    /// Takes it back in the way of the era: `notifications/cancelled`, or (modern, over HTTP) by closing the answer.
    /// It may still be waited for.
    pub async fn cancel(&mut self) {
        if self.session.cancels_by_closing() {
            self.task = None;
            self.slot.end(Ended::Lost("closed by the client".into()));
        } else if let Some(id) = self.slot.id.clone() {
            self.session.tell_cancelled(id).await;
        }
    }
}

/// Where an exchange grows.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) id: Option<Json>,
    growing: Mutex<Growing>,
    changed: watch::Sender<()>,
}

#[derive(Debug)]
struct Growing {
    exchange: Exchange,
    /// The body so far of an answer that is not complete.
    partial: BytesMut,
}

impl Slot {
    pub(super) fn new(id: Option<Json>, bytes: Bytes) -> Self {
        let sent = Sent { at: Instant::now(), bytes, id: id.clone() };
        let exchange = Exchange { sent, http: None, received: Vec::new(), ended: Ended::Quiet };
        let growing = Mutex::new(Growing { exchange, partial: BytesMut::new() });
        Self { id, growing, changed: watch::Sender::new(()) }
    }

    /// As it stands; an incomplete body is shown too.
    pub(super) fn exchange(&self) -> Exchange {
        let growing = self.growing();
        let mut exchange = growing.exchange.clone();
        if !growing.partial.is_empty() {
            let bytes = Bytes::copy_from_slice(&growing.partial);
            exchange.received.push(Received::now(Via::Body, bytes));
        }
        exchange
    }

    pub(super) fn is_open(&self) -> bool {
        self.growing().exchange.ended == Ended::Quiet
    }

    pub(super) fn head(&self, head: HttpHead) {
        self.growing().exchange.http = Some(head);
        self.changed.send_replace(());
    }

    pub(super) fn push(&self, piece: Received) {
        self.growing().exchange.received.push(piece);
        self.changed.send_replace(());
    }

    /// Takes a piece of a body that is one whole; gives its length so far.
    pub(super) fn grow(&self, piece: &[u8]) -> usize {
        let mut growing = self.growing();
        growing.partial.extend_from_slice(piece);
        growing.partial.len()
    }

    /// Ends it, unless it has ended; a body so far becomes a piece.
    pub(super) fn end(&self, ended: Ended) {
        let mut growing = self.growing();
        let bytes = std::mem::take(&mut growing.partial).freeze();
        if !bytes.is_empty() {
            growing.exchange.received.push(Received::now(Via::Body, bytes));
        }
        if growing.exchange.ended == Ended::Quiet {
            growing.exchange.ended = ended;
        }
        drop(growing);
        self.changed.send_replace(());
    }

    fn growing(&self) -> MutexGuard<'_, Growing> {
        self.growing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
