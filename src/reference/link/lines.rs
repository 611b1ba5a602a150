//! A way to an upstream process, line by line.

use super::{Ask, Footing, Trouble, answer_server, request};
use crate::declared::Failure;
use crate::reference::agent::{Outlet, lock};
use crate::transport::child::{Child, Command, Talk};
use crate::transport::lines::{LineReader, LineWriter};
use crate::wire::canonical::same;
use crate::wire::rpc::Asks;
use crate::wire::{Era, Json, Message, parse, rpc};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::oneshot;

/// How long a process may take to end by itself.
const GRACE: Duration = Duration::from_secs(2);

/// A way to a process; it ends with the session that it was opened for.
#[derive(Clone, Debug)]
pub(in crate::reference) struct LinesLink(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    writer: LineWriter,
    footing: Footing,
    pending: Mutex<BTreeMap<i64, Waiting>>,
    child: Mutex<Option<Child>>,
    next: AtomicI64,
    dead: AtomicBool,
}

/// A request that waits for its answer.
#[derive(Debug)]
struct Waiting {
    answer: oneshot::Sender<Json>,
    outlet: Option<Outlet>,
    token: Option<Json>,
}

/// Forgets a request; tells the process, unless it has answered.
struct TakeBack<'a>(&'a LinesLink, i64);

impl Drop for TakeBack<'_> {
    fn drop(&mut self) {
        let unanswered = lock(&self.0.0.pending).remove(&self.1).is_some();
        if unanswered && !self.0.is_dead() {
            let params = serde_json::json!({"requestId": self.1, "reason": "taken back by the agent"});
            let frame = rpc::notification("notifications/cancelled", params.into());
            let link = self.0.clone();
            self.0.0.footing.tasks.spawn(async move { link.tell(frame).await });
        }
    }
}

impl LinesLink {
    /// Starts a process and opens the way to it.
    pub(in crate::reference) async fn start(command: &Command, footing: Footing) -> Result<Self, Trouble> {
        let unreachable = |what: String| {
            Trouble::new(Failure::Unreachable, format!("the upstream cannot be started: {what}"))
        };
        let mut child =
            Child::spawn(command, Talk::Frames).map_err(|error| unreachable(error.to_string()))?;
        let (Some(reader), Some(writer)) = (child.stdout.take(), child.stdin.take()) else {
            return Err(unreachable("it has no standard input".into()));
        };
        Self::open(reader, writer, Some(child), footing).await
    }

    /// Opens the way over lines that are there already.
    pub(in crate::reference) async fn open(
        reader: LineReader,
        writer: LineWriter,
        child: Option<Child>,
        footing: Footing,
    ) -> Result<Self, Trouble> {
        let link = Self(Arc::new(Inner {
            writer,
            footing: footing.clone(),
            pending: Mutex::default(),
            child: Mutex::new(child),
            next: AtomicI64::new(0),
            dead: AtomicBool::new(false),
        }));
        footing.tasks.spawn(link.clone().hear(reader));
        if footing.revision.era() == Era::Modern {
            return Ok(link);
        }
        let hello = link.exchange("initialize", Some(footing.hello), None).await?;
        let Message::Response { outcome: Ok(_), .. } = Message::of(&hello) else {
            link.close().await;
            return Err(Trouble::new(Failure::Unreachable, "the upstream refused to open a session"));
        };
        link.tell(rpc::notification("notifications/initialized", Json::object())).await;
        Ok(link)
    }

    /// Asks; gives the response frame under the id of the link.
    pub(super) async fn ask(&self, ask: Ask<'_>) -> Result<Json, Trouble> {
        self.exchange(ask.method, ask.params, Some(ask.outlet.clone())).await
    }

    pub(super) async fn tell(&self, frame: Json) {
        // A process that is gone is told so by the reader.
        let _ = self.0.writer.send(&frame.to_bytes()).await;
    }

    pub(super) fn is_dead(&self) -> bool {
        self.0.dead.load(Ordering::Relaxed)
    }

    pub(super) async fn close(&self) {
        let _ = self.0.writer.close().await;
        let child = lock(&self.0.child).take();
        if let Some(child) = child {
            child.stop(GRACE).await;
        }
    }

    async fn exchange(
        &self,
        method: &str,
        params: Option<Json>,
        outlet: Option<Outlet>,
    ) -> Result<Json, Trouble> {
        let id = self.0.next.fetch_add(1, Ordering::Relaxed) + 1;
        let token = params.as_ref().and_then(|params| params.pointer("/_meta/progressToken")).cloned();
        let (sender, answer) = oneshot::channel();
        lock(&self.0.pending).insert(id, Waiting { answer: sender, outlet, token });
        let _guard = TakeBack(self, id);
        let gone = || Trouble::new(Failure::Dropped, "the upstream process is gone");
        if self.is_dead() || self.0.writer.send(&request(id, method, params).to_bytes()).await.is_err() {
            return Err(gone());
        }
        answer.await.map_err(|_| gone())
    }

    /// Takes every line to where it belongs, until the process ends or the session does.
    async fn hear(self, mut reader: LineReader) {
        loop {
            let line = tokio::select! {
                () = self.0.footing.closed.cancelled() => break,
                line = reader.next() => line,
            };
            match line {
                Ok(Some(line)) => self.take(&line).await,
                // A line that is too long is one bad frame, not the end.
                Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {}
                Ok(None) | Err(_) => break,
            }
        }
        self.0.dead.store(true, Ordering::Relaxed);
        lock(&self.0.pending).clear();
    }

    async fn take(&self, line: &[u8]) {
        let Ok(frame) = parse(line) else { return };
        match Asks::of(&frame) {
            None if !rpc::is_response(&frame) => {}
            None => {
                let id = frame.get("id").and_then(Json::as_i64);
                if let Some(waiting) = id.and_then(|id| lock(&self.0.pending).remove(&id)) {
                    let _ = waiting.answer.send(frame);
                }
            }
            Some(asks) if !(self.0.footing.relays)(asks.method) => {}
            Some(Asks { id: Some(_), .. }) => self.answer_beside(frame),
            Some(Asks { params, .. }) => match self.outlet_for(params) {
                Some(outlet) => drop(outlet.send(frame).await),
                None => self.0.footing.agent.tell(frame),
            },
        }
    }

    /// The stream of the request that a progress notification names.
    fn outlet_for(&self, params: Option<&Json>) -> Option<Outlet> {
        let token = params?.get("progressToken")?;
        let pending = lock(&self.0.pending);
        let named = |waiting: &&Waiting| waiting.token.as_ref().is_some_and(|other| same(other, token));
        pending.values().find(named).and_then(|waiting| waiting.outlet.clone())
    }

    fn answer_beside(&self, frame: Json) {
        // A process does not say for which request it asks: the last one is the best guess.
        let near = lock(&self.0.pending).values().rev().find_map(|waiting| waiting.outlet.clone());
        let (link, footing) = (self.clone(), self.0.footing.clone());
        self.0.footing.tasks.spawn(async move {
            let answer = tokio::select! {
                () = footing.closed.cancelled() => None,
                answer = answer_server(&footing, &frame, near.as_ref()) => answer,
            };
            if let Some(answer) = answer {
                link.tell(answer).await;
            }
        });
    }
}
