//! Who talks to a server: the sessions of the legacy era, and one for each connection of lines.
//!
//! A session knows what its client offered, which of its requests are still running, which questions to it are open,
//! and what it wants to hear.

use super::listener::Watched;
use super::notice::Level;
use crate::transport::http_server::Chunk;
use crate::transport::lines::LineWriter;
use crate::wire::canonical::canonical;
use crate::wire::{Json, Revision, RpcError, sse};
use bytes::Bytes;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// What a client replied to a question.
pub(super) type Reply = Result<Json, RpcError>;

/// One client's session.
#[derive(Default)]
pub(super) struct Session {
    pub(super) id: String,
    opened: Mutex<Option<Opened>>,
    running: Mutex<HashMap<String, CancellationToken>>,
    questions: Mutex<HashMap<String, oneshot::Sender<Reply>>>,
    asked: AtomicU64,
    /// The least grave log message that it wants to hear.
    level: Mutex<Option<Level>>,
    /// The resources that it watches.
    pub(super) watched: Watched,
}

/// What `initialize` settled.
#[derive(Clone)]
pub(super) struct Opened {
    pub(super) revision: Revision,
    pub(super) capabilities: Json,
}

/// A request that runs; it ends with this value.
pub(super) struct Running {
    session: Arc<Session>,
    key: String,
    pub(super) cancelled: CancellationToken,
}

impl Session {
    /// A session under a name that nobody can guess.
    pub(super) fn new() -> Self {
        Self { id: random(), ..Self::default() }
    }

    /// Settles what `initialize` agreed on.
    pub(super) fn open(&self, opened: Opened) {
        *self.opened.lock().expect("no writer panics") = Some(opened);
    }

    /// What `initialize` settled, once it has.
    pub(super) fn opened(&self) -> Option<Opened> {
        self.opened.lock().expect("no writer panics").clone()
    }

    /// Settles which log messages it hears from now on.
    pub(super) fn hear_from(&self, level: Level) {
        *self.level.lock().expect("no writer panics") = Some(level);
    }

    /// The least grave log message that it hears: all of them, until it says otherwise.
    pub(super) fn level(&self) -> Level {
        self.level.lock().expect("no writer panics").unwrap_or(Level::Debug)
    }

    /// Notes that a request runs, so that it can be taken back.
    pub(super) fn run(self: &Arc<Self>, id: &Json) -> Running {
        let (key, cancelled) = (canonical(id), CancellationToken::new());
        self.running.lock().expect("no writer panics").insert(key.clone(), cancelled.clone());
        Running { session: Arc::clone(self), key, cancelled }
    }

    /// Takes a running request back.
    pub(super) fn cancel(&self, id: &Json) {
        if let Some(cancelled) = self.running.lock().expect("no writer panics").get(&canonical(id)) {
            cancelled.cancel();
        }
    }

    /// A new question's id, and where its reply will come.
    pub(super) fn ask(&self) -> (Json, oneshot::Receiver<Reply>) {
        let id = Json::from(format!("ask-{}", self.asked.fetch_add(1, Ordering::Relaxed) + 1));
        let (sender, receiver) = oneshot::channel();
        self.questions.lock().expect("no writer panics").insert(canonical(&id), sender);
        (id, receiver)
    }

    /// Takes a reply; whether there was a question for it.
    pub(super) fn reply(&self, id: &Json, reply: Reply) -> bool {
        let question = self.questions.lock().expect("no writer panics").remove(&canonical(id));
        question.is_some_and(|question| question.send(reply).is_ok())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.session.running.lock().expect("no writer panics").remove(&self.key);
    }
}

/// The sessions of one server.
#[derive(Default)]
pub(super) struct Sessions {
    known: Mutex<HashMap<String, Arc<Session>>>,
    count: AtomicU32,
}

impl Sessions {
    /// Opens one that is found by its id; gives how many were opened so far.
    pub(super) fn add(&self, session: &Arc<Session>) -> u32 {
        self.known.lock().expect("no writer panics").insert(session.id.clone(), Arc::clone(session));
        self.note()
    }

    /// Counts a session that is not found by its id: a connection of lines.
    pub(super) fn note(&self) -> u32 {
        self.count.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The session of that id.
    pub(super) fn get(&self, id: &str) -> Option<Arc<Session>> {
        self.known.lock().expect("no writer panics").get(id).cloned()
    }

    /// Ends one; whether there was one.
    pub(super) fn end(&self, id: &str) -> bool {
        self.known.lock().expect("no writer panics").remove(id).is_some()
    }

    /// Forgets all: the server died.
    pub(super) fn forget(&self) {
        self.known.lock().expect("no writer panics").clear();
    }
}

/// A way to a client: an event stream, or a line.
#[derive(Clone, Debug)]
pub(super) enum Outlet {
    Events(mpsc::Sender<Chunk>),
    Lines(LineWriter),
}

impl Outlet {
    /// Sends a frame; whether anybody may have got it.
    pub(super) async fn send(&self, frame: &[u8]) -> bool {
        match self {
            Self::Events(stream) => stream.send(Chunk::Data(event(frame))).await.is_ok(),
            Self::Lines(writer) => writer.send(frame).await.is_ok(),
        }
    }

    /// Ends when the client has gone, as far as that can be known.
    pub(super) async fn closed(&self) {
        match self {
            Self::Events(stream) => stream.closed().await,
            Self::Lines(_) => std::future::pending().await,
        }
    }
}

/// A frame as an event of a stream.
pub(super) fn event(frame: &[u8]) -> Bytes {
    sse::event(&String::from_utf8_lossy(frame)).into()
}

/// 32 hex characters that nobody can guess.
pub(super) fn random() -> String {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).expect("the system has randomness");
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_reply_reaches_its_question_once() {
        let session = Session::new();
        let (id, reply) = session.ask();
        assert!(!session.reply(&Json::from("ask-9"), Ok(Json::Null)));
        assert!(session.reply(&id, Ok(Json::from(true))));
        assert!(!session.reply(&id, Ok(Json::Null)));
        assert_eq!(reply.await.unwrap(), Ok(Json::from(true)));
    }

    #[test]
    fn a_request_can_be_taken_back_while_it_runs() {
        let session = Arc::new(Session::new());
        let running = session.run(&Json::from(7));
        session.cancel(&Json::from("7"));
        assert!(!running.cancelled.is_cancelled());
        session.cancel(&crate::wire::parse(b"7.0").unwrap());
        assert!(running.cancelled.is_cancelled());
        drop(running);
        assert!(session.running.lock().unwrap().is_empty());
    }

    #[test]
    fn sessions_are_found_until_they_end() {
        let sessions = Sessions::default();
        let session = Arc::new(Session::new());
        assert_eq!(session.id.len(), 32);
        assert_eq!((sessions.add(&session), sessions.note()), (1, 2));
        assert!(sessions.get(&session.id).is_some() && sessions.get("x").is_none());
        assert!(sessions.end(&session.id) && !sessions.end(&session.id));
    }
}
