//! Agents over HTTP, both eras.

use super::era;
use super::stream::{Streamed, event, stream};
use crate::reference::agent::ROOM;
use crate::reference::audit::Record;
use crate::reference::conduct::Door;
use crate::reference::read::{Frame, Taken};
use crate::reference::route;
use crate::reference::session::Session;
use crate::reference::state::{Granted, State};
use crate::reference::walk::Context;
use crate::transport::http_server::{Body, Reply, Request};
use crate::wire::era::header;
use crate::wire::{Era, Json, Message, Revision, RpcError, rpc};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::Method;
use std::io::Write as _;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// One request of an agent over HTTP, its credential known.
struct Asked {
    state: Arc<State>,
    granted: Granted,
    request: Request,
    /// Whether the policy is asked about it.
    policed: bool,
}

/// Answers one HTTP request.
pub(in crate::reference) async fn answer(state: Arc<State>, request: Request, loopback: bool) -> Reply {
    let policed = match (state.conduct.door)(&request.target) {
        Door::Agents => true,
        Door::Unwatched => false,
        Door::Decisions => return super::decisions::answer(state, request).await,
        Door::Closed => return Reply::status(404),
    };
    if loopback && !(state.conduct.local)(&request.headers) {
        return failure(403, Json::Null, "`Host` or `Origin` is not of this machine");
    }
    let Some(granted) = state.granted(&request.headers) else {
        let identity = (state.conduct.calls_strangers)(&request.headers);
        state.record(Record {
            about: "authentication",
            decision: "unauthorized",
            identity,
            ..Record::default()
        });
        return failure(401, Json::Null, "unauthorized")
            .with("www-authenticate", "Bearer realm=\"gauntlet\"");
    };
    let packs = (state.conduct.packs)(&request.headers);
    let asked = Asked { state, granted, request, policed };
    match asked.request.method {
        Method::POST if packs => packed(asked.post().await),
        Method::POST => asked.post().await,
        Method::GET => asked.notices(),
        Method::DELETE => asked.end().await,
        _ => Reply::status(405).with("allow", "POST, GET, DELETE"),
    }
}

/// The same answer as gzip, where it is there in one piece.
fn packed(reply: Reply) -> Reply {
    let Body::Full(plain) = reply.body else { return reply };
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Nothing fails that writes into memory.
    let bytes = encoder.write_all(&plain).and_then(|()| encoder.finish()).unwrap_or_default();
    Reply { body: Body::Full(bytes.into()), ..reply }.with("content-encoding", "gzip")
}

fn failure(status: u16, id: Json, what: &str) -> Reply {
    let error = RpcError::new(rpc::INVALID_REQUEST, what);
    Reply::json(status, rpc::error(id, error).to_bytes())
}

impl Asked {
    async fn post(self) -> Reply {
        if let Err(reply) = self.readable() {
            self.state.record_attempts(&self.request.body, &self.granted, "not readable");
            return reply;
        }
        let frames = match (self.state.conduct.read)(&self.request.body, &self.state.settings.declared) {
            Taken::One(frame) => vec![frame],
            Taken::Batch(frames) => return self.batch(frames).await,
            Taken::Refused { id, error } => {
                self.state.record_attempts(&self.request.body, &self.granted, &error.message);
                let modern = self
                    .request
                    .headers
                    .get(header::VERSION)
                    .is_some_and(|version| version == Revision::V2026_07_28.as_str());
                let status = if error.code == rpc::INVALID_PARAMS && !modern { 200 } else { 400 };
                return Reply::json(status, rpc::error(id, error).to_bytes());
            }
        };
        match frames.into_iter().next() {
            Some(frame) => self.watched(frame).await,
            None => Reply::status(400),
        }
    }

    /// Whether the body can be read, and an answer be given.
    fn readable(&self) -> Result<(), Reply> {
        if !(self.state.conduct.readable)(&self.request.headers) {
            return Err(failure(
                415,
                Json::Null,
                "the body must be `application/json`, in UTF-8, not compressed",
            ));
        }
        if !self.accepts("application/json") {
            return Err(failure(406, Json::Null, "`application/json` is not accepted"));
        }
        Ok(())
    }

    fn accepts(&self, kind: &str) -> bool {
        let Some(accept) = self.request.header("accept") else { return true };
        let main = kind.split('/').next().unwrap_or_default();
        let fits = |range: &str| range == kind || range == "*/*" || range.strip_suffix("/*") == Some(main);
        accept.split(',').any(|range| fits(range.split(';').next().unwrap_or_default().trim()))
    }

    async fn watched(self, frame: Frame) -> Reply {
        let policed = frame.policed && self.policed;
        self.one(Frame { policed, ..frame }).await
    }

    async fn one(self, frame: Frame) -> Reply {
        let session = match self.session_for(&frame.judged) {
            Ok(session) => session,
            Err(reply) => {
                self.state.record_attempts(&self.request.body, &self.granted, "outside a session");
                return reply;
            }
        };
        match Message::of(&frame.judged) {
            Message::Request { id, method, params } if method == "initialize" => {
                let session = open(&self.state, &self.granted, params.unwrap_or_else(Json::object));
                let answer = rpc::result(id, route::greeting(session.revision));
                Reply::json(200, answer.to_bytes()).with(header::SESSION, session.id.as_str())
            }
            Message::Request { id, .. } => self.request(session, id, frame).await,
            Message::Response { .. } => {
                session.agent.answered(frame.judged);
                Reply::status(202)
            }
            _ => {
                let (outlet, _) = mpsc::channel(1);
                let gone = session.closed.child_token();
                route::notice(&self.context(&session, outlet, gone), frame).await;
                Reply::status(202)
            }
        }
    }

    /// The session that a frame belongs to; a stranger's looks like one that does not exist.
    fn session_for(&self, frame: &Json) -> Result<Arc<Session>, Reply> {
        let id = frame.get("id").cloned().unwrap_or_default();
        let refused = |error: RpcError| {
            let answer = rpc::error(id.clone(), error);
            let status = era::status_of(&answer, Era::Modern);
            Err(Reply::json(status, answer.to_bytes()))
        };
        if era::of(frame, &self.request.headers) == Era::Modern {
            return match self.check_modern(frame) {
                Ok(()) => Ok(self.state.stateless(self.granted.identity())),
                Err(error) => refused(error),
            };
        }
        if self.unspoken().is_some() {
            return Err(failure(400, id, "unsupported `MCP-Protocol-Version`"));
        }
        if frame.get("method").and_then(Json::as_str) == Some("initialize") {
            // Not used: the request makes its own.
            return Ok(self.state.stateless(self.granted.identity()));
        }
        self.shown_session(id)
    }

    /// The version in the header, if it is none that is spoken.
    fn unspoken(&self) -> Option<&str> {
        self.request.header(header::VERSION).filter(|version| !(self.state.conduct.speaks)(version))
    }

    /// What is wrong with a modern request. A header that nobody speaks comes before its disagreement with the body, and
    /// that before what the body says.
    fn check_modern(&self, frame: &Json) -> Result<(), RpcError> {
        if let Some(version) = self.unspoken() {
            return Err(era::unsupported(version));
        }
        let stated = era::stated(frame)?;
        (self.state.conduct.agrees)(frame, &self.request.headers)?;
        era::check_modern(stated)
    }

    fn shown_session(&self, id: Json) -> Result<Arc<Session>, Reply> {
        let Some(shown) = self.request.header(header::SESSION) else {
            if (self.state.conduct.sessionless)() {
                return Ok(open(&self.state, &self.granted, stranger()));
            }
            return Err(failure(400, id, "`Mcp-Session-Id` is missing"));
        };
        let session = self.state.session(shown, self.granted.identity());
        session.ok_or_else(|| failure(404, id, "this session does not exist"))
    }

    fn context(
        &self,
        session: &Arc<Session>,
        outlet: mpsc::Sender<Json>,
        gone: CancellationToken,
    ) -> Context {
        let granted = self.state.binding(session, self.granted.clone());
        let (state, session, headers) = (self.state.clone(), session.clone(), self.request.headers.clone());
        let gone = if (state.conduct.gives_up)() { gone } else { session.closed.child_token() };
        Context { state, session, granted, outlet, gone, headers }
    }

    async fn request(self, session: Arc<Session>, id: Json, frame: Frame) -> Reply {
        let (outlet, interim) = mpsc::channel(ROOM);
        let under_way = session.begin(&id);
        let context = self.context(&session, outlet, under_way.token().clone());
        let (done, answer) = oneshot::channel();
        self.state.tasks.spawn(async move {
            let _ = done.send(route::respond(&context, frame).await);
        });
        let streams = self.accepts("text/event-stream");
        let streamed = Streamed { interim, answer, _under_way: under_way };
        streamed.reply(streams, session.revision.era(), &self.state).await
    }

    /// Each frame for itself, all at once, under one answer.
    async fn batch(self, frames: Vec<Frame>) -> Reply {
        let session = match self.shown_session(Json::Null) {
            Ok(session) => session,
            Err(reply) => return reply,
        };
        let (outlet, mut interim) = mpsc::channel(ROOM);
        let mut asked = Vec::new();
        for frame in frames {
            match Message::of(&frame.judged) {
                Message::Request { id, .. } => {
                    let under_way = session.begin(&id);
                    let context = self.context(&session, outlet.clone(), under_way.token().clone());
                    asked.push(async move {
                        let _under_way = under_way;
                        route::respond(&context, frame).await
                    });
                }
                Message::Notification { .. } => {
                    let gone = session.closed.child_token();
                    route::notice(&self.context(&session, outlet.clone(), gone), frame).await;
                }
                _ => drop(session.agent.answered(frame.judged)),
            }
        }
        drop(outlet);
        if asked.is_empty() {
            return Reply::status(202);
        }
        let drained = async { while interim.recv().await.is_some() {} };
        let (answers, ()) = tokio::join!(futures_util::future::join_all(asked), drained);
        Reply::json(200, Json::Array(answers).to_bytes())
    }

    /// The stream of notices of a session.
    fn notices(self) -> Reply {
        if !self.accepts("text/event-stream") || !self.request.headers.contains_key(header::SESSION) {
            return Reply::status(405).with("allow", "POST, DELETE");
        }
        let session = match self.shown_session(Json::Null) {
            Ok(session) => session,
            Err(reply) => return reply,
        };
        let (outlet, mut frames) = mpsc::channel::<Json>(ROOM);
        session.agent.listen(outlet);
        let (chunks, body) = mpsc::channel(ROOM);
        let closed = session.closed.clone();
        self.state.tasks.spawn(async move {
            loop {
                let frame = tokio::select! {
                    () = closed.cancelled() => return,
                    () = chunks.closed() => return,
                    frame = frames.recv() => frame,
                };
                let Some(frame) = frame else { return };
                if chunks.send(event(&frame)).await.is_err() {
                    return;
                }
            }
        });
        stream(body)
    }

    async fn end(self) -> Reply {
        match self.shown_session(Json::Null) {
            Ok(session) => {
                self.state.end_session(&session.id).await;
                Reply::status(204)
            }
            Err(reply) => reply,
        }
    }
}

/// What a client that never said `initialize` would have said.
fn stranger() -> Json {
    serde_json::json!({"capabilities": {}, "clientInfo": {"name": "unknown", "version": "0"}}).into()
}

/// Opens a session in the revision that the client offers, or in our newest.
pub(super) fn open(state: &State, granted: &Granted, mut hello: Json) -> Arc<Session> {
    let offered =
        hello.get("protocolVersion").and_then(Json::as_str).and_then(|text| text.parse::<Revision>().ok());
    let revision = offered.filter(|offered| offered.era() == Era::Legacy).unwrap_or(Revision::NEWEST_LEGACY);
    hello.as_object_mut().into_iter().for_each(|hello| hello.set("protocolVersion", revision.as_str()));
    state.open_session(granted.identity(), revision, hello)
}
