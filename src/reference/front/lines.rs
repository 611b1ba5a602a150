//! An agent on standard input and output, both eras.

use super::era;
use super::http::open;
use crate::reference::agent::ROOM;
use crate::reference::audit::Record;
use crate::reference::read::{Frame, Taken};
use crate::reference::route;
use crate::reference::session::Session;
use crate::reference::state::{Granted, State};
use crate::reference::walk::Context;
use crate::transport::lines::{LineReader, LineWriter};
use crate::wire::{Era, Json, Message, RpcError, rpc};
use http::HeaderMap;
use std::io::ErrorKind;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// One agent on a pair of lines.
struct Line {
    state: Arc<State>,
    session: Option<Arc<Session>>,
    /// For requests of the modern era.
    stateless: Option<Arc<Session>>,
    outlet: mpsc::Sender<Json>,
    tasks: TaskTracker,
}

/// Serves until the agent closes its end, or the caller stops.
pub(in crate::reference) async fn serve(
    state: Arc<State>,
    mut reader: LineReader,
    writer: LineWriter,
    stop: CancellationToken,
) {
    let (outlet, mut frames) = mpsc::channel::<Json>(ROOM);
    let writing = tokio::spawn(async move {
        while let Some(frame) = frames.recv().await {
            if writer.send(&frame.to_bytes()).await.is_err() {
                break;
            }
        }
        let _ = writer.close().await;
    });
    let mut line = Line { state, session: None, stateless: None, outlet, tasks: TaskTracker::new() };
    loop {
        let read = tokio::select! {
            () = stop.cancelled() => break,
            read = reader.next() => read,
        };
        match read {
            Ok(Some(bytes)) => line.take(&bytes).await,
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                line.say(rpc::error(Json::Null, RpcError::new(rpc::INVALID_REQUEST, error.to_string())))
                    .await;
            }
            Ok(None) | Err(_) => break,
        }
    }
    line.end().await;
    let _ = writing.await;
}

impl Line {
    async fn say(&self, frame: Json) {
        let _ = self.outlet.send(frame).await;
    }

    async fn end(self) {
        if let Some(session) = &self.session {
            self.state.end_session(&session.id).await;
        }
        if let Some(session) = &self.stateless {
            session.close().await;
        }
        self.tasks.close();
        self.tasks.wait().await;
    }

    async fn take(&mut self, bytes: &[u8]) {
        let Some(granted) = self.state.granted(&HeaderMap::new()) else {
            self.state.record(Record {
                about: "authentication",
                decision: "unauthorized",
                ..Record::default()
            });
            let id = crate::wire::parse(bytes).ok().and_then(|frame| frame.get("id").cloned());
            if let Some(id) = id {
                self.say(rpc::error(id, RpcError::new(super::super::refusal::FAILED, "unauthorized"))).await;
            }
            return;
        };
        match (self.state.conduct.read)(bytes, &self.state.settings.declared) {
            Taken::One(frame) => self.one(frame, granted).await,
            Taken::Batch(frames) => self.batch(frames, &granted).await,
            Taken::Refused { id, error } => {
                self.state.record_attempts(bytes, &granted, &error.message);
                // A frame that wanted no answer gets none, unless nobody can tell what it wanted.
                let silent = id.is_null() && error.code == rpc::INVALID_PARAMS;
                if !silent {
                    self.say(rpc::error(id, error)).await;
                }
            }
        }
    }

    async fn one(&mut self, frame: Frame, granted: Granted) {
        match Message::of(&frame.judged) {
            Message::Request { id, method, params } if method == "initialize" => {
                self.greet(id, params.unwrap_or_else(Json::object), &granted).await;
            }
            Message::Request { id, .. } => match self.session_for(&frame.judged, &granted) {
                Ok(session) => self.request(&session, frame, granted),
                Err(error) => {
                    self.state.record_attempts(&frame.judged.to_bytes(), &granted, &error.message);
                    self.say(rpc::error(id, error)).await;
                }
            },
            Message::Notification { .. } => {
                if let Ok(session) = self.session_for(&frame.judged, &granted) {
                    let gone = session.closed.child_token();
                    route::notice(&self.context(&session, granted, gone), frame).await;
                }
            }
            _ => {
                let session =
                    self.session.clone().unwrap_or_else(|| self.state.stateless(granted.identity()));
                session.agent.answered(frame.judged);
            }
        }
    }

    async fn greet(&mut self, id: Json, hello: Json, granted: &Granted) {
        if let Some(before) = self.session.take() {
            self.state.end_session(&before.id).await;
        }
        let session = open(&self.state, granted, hello);
        session.agent.listen(self.outlet.clone());
        self.say(rpc::result(id, route::greeting(session.revision))).await;
        self.session = Some(session);
    }

    fn session_for(&mut self, frame: &Json, granted: &Granted) -> Result<Arc<Session>, RpcError> {
        if era::of(frame, &HeaderMap::new()) == Era::Modern {
            era::check_modern(era::stated(frame)?)?;
            return Ok(self.stateless_for(granted.identity()));
        }
        // A revoked or another identity's session is not taken over.
        let session =
            self.session.as_ref().and_then(|session| self.state.session(&session.id, granted.identity()));
        session.ok_or_else(|| RpcError::new(rpc::INVALID_REQUEST, "no session: say `initialize` first"))
    }

    /// Nothing of one identity is left for another.
    fn stateless_for(&mut self, identity: &str) -> Arc<Session> {
        let known = self.stateless.take().filter(|session| session.identity == identity);
        let session = known.unwrap_or_else(|| self.state.new_stateless(identity));
        session.agent.listen(self.outlet.clone());
        self.stateless = Some(session.clone());
        session
    }

    fn context(&self, session: &Arc<Session>, granted: Granted, gone: CancellationToken) -> Context {
        let granted = self.state.binding(session, granted);
        let (state, session, outlet) = (self.state.clone(), session.clone(), self.outlet.clone());
        Context { state, session, granted, outlet, gone, headers: HeaderMap::new() }
    }

    fn request(&self, session: &Arc<Session>, frame: Frame, granted: Granted) {
        let under_way = session.begin(&frame.judged.get("id").cloned().unwrap_or_default());
        let context = self.context(session, granted, under_way.token().clone());
        self.tasks.spawn(async move {
            let answer = route::respond(&context, frame).await;
            // Who took a request back wants no answer to it.
            if !under_way.token().is_cancelled() {
                let _ = context.outlet.send(answer).await;
            }
        });
    }

    async fn batch(&mut self, frames: Vec<Frame>, granted: &Granted) {
        let Some(session) = self.session.clone() else {
            let what = "no session: say `initialize` first";
            return self.say(rpc::error(Json::Null, RpcError::new(rpc::INVALID_REQUEST, what))).await;
        };
        let mut asked = Vec::new();
        for frame in frames {
            let Message::Request { id, .. } = Message::of(&frame.judged) else {
                self.one(frame, granted.clone()).await;
                continue;
            };
            let under_way = session.begin(&id);
            let context = self.context(&session, granted.clone(), under_way.token().clone());
            asked.push(async move {
                let _under_way = under_way;
                route::respond(&context, frame).await
            });
        }
        let outlet = self.outlet.clone();
        self.tasks.spawn(async move {
            let answers = futures_util::future::join_all(asked).await;
            if !answers.is_empty() {
                let _ = outlet.send(Json::Array(answers)).await;
            }
        });
    }
}
