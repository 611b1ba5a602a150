//! Lines: stdio, or the relay that stands for it. A connection is a session of its own, in whichever era its frames are.

use super::delivery::{Delivery, Finish};
use super::fault::{Fault, GARBAGE};
use super::frame::Frame;
use super::http::wrong_id;
use super::intake::take as read;
use super::ledger::{Arrival, Headers, Transport};
use super::listener::{Listener, Wants};
use super::living::Living;
use super::protocol::{Caller, Outcome, take};
use super::session::{Outlet, Session};
use crate::transport::lines::{LineReader, LineWriter};
use crate::wire::{Era, Json, RpcError, era, rpc};
use bytes::Bytes;
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Instant;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// One connection.
#[derive(Clone)]
struct Connection {
    living: Arc<Living>,
    session: Arc<Session>,
    writer: LineWriter,
    /// Ends when a fault has ended the connection.
    over: CancellationToken,
}

/// Serves until the client's input ends, a fault ends the connection, or one of the tokens does.
pub(super) async fn serve(
    living: Arc<Living>,
    mut reader: LineReader,
    writer: LineWriter,
    stop: CancellationToken,
) {
    let session = Arc::new(Session::new());
    let connection =
        Connection { living: Arc::clone(&living), session, writer, over: CancellationToken::new() };
    let mut running = JoinSet::new();
    loop {
        let line = tokio::select! {
            biased;
            () = connection.over.cancelled() => break,
            () = stop.cancelled() => break,
            () = living.stop.cancelled() => break,
            Some(_) = running.join_next() => continue,
            line = reader.next() => line,
        };
        match line {
            Ok(Some(line)) => connection.line(line, &mut running).await,
            Ok(None) => break,
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {}
            Err(_) => break,
        }
    }
    running.shutdown().await;
    living.listeners.remove(&connection.session.id, None);
    // Whoever is gone cannot be told that this is the end.
    let _ = connection.writer.close().await;
}

impl Connection {
    async fn line(&self, line: Bytes, running: &mut JoinSet<()>) {
        let living = &self.living;
        let text = line.strip_suffix(b"\r").unwrap_or(&line);
        if text.is_empty() {
            return;
        }
        let frame = read(text, living.settings.lenient);
        let method = frame.as_ref().ok().and_then(|frame| frame.get("method")).and_then(Json::as_str);
        let seq = living.ledger.record(Arrival {
            seq: 0,
            at: Instant::now(),
            upstream: living.settings.name.clone(),
            session: Some(self.session.id.clone()),
            transport: Transport::Lines,
            request: None,
            headers: Headers::default(),
            bytes: line.clone(),
            method: method.map(str::to_owned),
            calls: OnceLock::new(),
            executed: Vec::new(),
            receipts: Vec::new(),
            abandoned: false,
            turned_away: false,
        });
        let caller = Caller {
            living: Arc::clone(living),
            seq,
            place: 0,
            session: Some(Arc::clone(&self.session)),
            identity: "".into(),
        };
        match frame {
            Err(error) => self.send(&Frame::error(&Json::Null, error).whole()).await,
            Ok(Json::Array(frames)) => self.batch(&caller, &frames).await,
            Ok(frame) => self.frame(&caller, &frame, running).await,
        }
        living.dealt_with(seq);
    }

    /// Sends; a client that is gone is noticed by the end of its input.
    async fn send(&self, frame: &[u8]) {
        let _ = self.writer.send(frame).await;
    }

    async fn frame(&self, caller: &Caller, frame: &Json, running: &mut JoinSet<()>) {
        match take(caller, frame, self.era(frame)) {
            Outcome::Silent => {}
            Outcome::Frame(answer) | Outcome::Opened(answer, _) => {
                self.send(&answer.whole()).await;
                let opened =
                    answer.code.is_none() && frame.get("method").and_then(Json::as_str) == Some("initialize");
                if opened {
                    self.listen(None, Wants::legacy(&self.session.watched));
                }
            }
            Outcome::Delivery(delivery) => {
                let connection = self.clone();
                running.spawn(async move { connection.deliver(*delivery).await });
            }
            Outcome::Listen { id, first, wants } => {
                self.send(&first.to_bytes()).await;
                if !wants.nothing() {
                    self.listen(Some(id), wants);
                }
            }
        }
    }

    /// Modern frames say so themselves; everything else is of the session that `initialize` opened.
    fn era(&self, frame: &Json) -> Era {
        let meta = frame.get("params").and_then(|params| params.get("_meta"));
        let says = meta.is_some_and(|meta| meta.get(era::meta::VERSION).is_some());
        let asks = frame.get("method").and_then(Json::as_str) == Some("server/discover");
        if (says || asks) && self.living.speaks(Era::Modern) { Era::Modern } else { Era::Legacy }
    }

    fn listen(&self, subscription: Option<Json>, wants: Wants) {
        let session = self.session.id.clone();
        self.living.listeners.add(Listener {
            session,
            subscription,
            wants,
            outlet: Outlet::Lines(self.writer.clone()),
        });
    }

    async fn batch(&self, caller: &Caller, frames: &[Json]) {
        let allowed = self.session.opened().is_some_and(|opened| opened.revision.has_batches());
        if !self.living.settings.lenient && !allowed || frames.is_empty() {
            let error = RpcError::new(
                rpc::INVALID_REQUEST,
                "Invalid Request: batches are not part of this protocol version",
            );
            return self.send(&Frame::error(&Json::Null, error).whole()).await;
        }
        let mut answers = Vec::new();
        for (place, frame) in frames.iter().enumerate() {
            match take(&Caller { place, ..caller.clone() }, frame, self.era(frame)) {
                Outcome::Frame(frame) | Outcome::Opened(frame, _) => answers.push(frame.whole()),
                Outcome::Delivery(delivery) => match delivery.run(None).await {
                    Finish::Answer(frame)
                    | Finish::Cancelled(Some(frame))
                    | Finish::Fault(_, Some(frame)) => answers.push(frame.whole()),
                    _ => {}
                },
                Outcome::Silent | Outcome::Listen { .. } => {}
            }
        }
        if !answers.is_empty() {
            self.send(&[b"[", answers.join(&b","[..]).as_slice(), b"]"].concat()).await;
        }
    }

    async fn deliver(&self, delivery: Delivery) {
        let outlet = Outlet::Lines(self.writer.clone());
        match delivery.run(Some(&outlet)).await {
            Finish::Answer(frame) | Finish::Cancelled(Some(frame)) => self.send(&frame.whole()).await,
            Finish::Cancelled(None) => {}
            Finish::Fault(fault, frame) => self.spoil(&fault, frame).await,
        }
    }

    async fn spoil(&self, fault: &Fault, frame: Option<Frame>) {
        let whole = frame.as_ref().map(Frame::whole).unwrap_or_default();
        match (fault, frame) {
            (Fault::Garbage, _) => self.send(GARBAGE).await,
            (Fault::WrongId, Some(frame)) => self.send(&frame.with_id(&wrong_id())).await,
            (Fault::Twice, Some(_)) => {
                self.send(&whole).await;
                self.send(&whole).await;
            }
            (Fault::Oversize(_) | Fault::Lines | Fault::Packed, Some(_)) => self.send(&whole).await,
            (Fault::Truncate, Some(_)) => {
                // What cannot be written any more is as truncated as was asked for.
                let _ = self.writer.raw(&whole[..whole.len() / 2]).await;
                self.over.cancel();
            }
            (Fault::Crash, _) => {
                self.writer.sever().await;
                self.living.crash();
                self.over.cancel();
            }
            // There is no HTTP here to answer with: the connection is all that can go.
            _ => self.over.cancel(),
        }
    }
}
