//! One thing that a client sent, and all that came back for it.

use crate::transport::http_client::is_unreadable;
use crate::wire::{Json, Message, parse};
use bytes::Bytes;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

/// One request (or raw frame) and what followed.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What was sent.
    pub sent: Sent,
    /// Status and headers of the HTTP answer; `None` on stdio, or where none came.
    pub http: Option<HttpHead>,
    /// What came back for it, in order: interim notifications, requests of the server, the answer.
    pub received: Vec<Received>,
    /// How it stands.
    pub ended: Ended,
}

/// What left the client.
#[derive(Clone, Debug)]
pub struct Sent {
    /// When the last byte was handed over.
    pub at: Instant,
    /// Exactly the bytes of the frame.
    pub bytes: Bytes,
    /// The request's id as a value; `None` for notifications and raw bytes without one.
    pub id: Option<Json>,
}

/// The head of an HTTP answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpHead {
    /// The status code.
    pub status: u16,
    /// Names in lower case, values as text, in order.
    pub headers: Vec<(String, String)>,
}

/// One piece that came back: a frame, or a body that holds none.
#[derive(Clone, Debug)]
pub struct Received {
    /// When it was complete.
    pub at: Instant,
    /// Which way it came.
    pub via: Via,
    /// Exactly its bytes (of an event: its data), unpacked where they came packed.
    pub bytes: Bytes,
    /// Its frames, once somebody asked for them; copies share them.
    frames: Arc<OnceLock<Frames>>,
}

/// What the bytes of a piece are.
#[derive(Debug)]
enum Frames {
    One(Message),
    Batch(Vec<Message>),
    /// No JSON.
    None,
}

/// The way by which something came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Via {
    /// The whole body of an HTTP answer.
    Body,
    /// An event in the answer's own stream.
    Event,
    /// A line on stdio.
    Line,
    /// An event of the session's GET stream.
    Notices,
}

/// How an exchange stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// An answer came: a response with the request's id, or the end of an HTTP answer.
    Answered,
    /// Nothing that ends it came in time; the connection lives.
    Quiet,
    /// The connection or the process is gone; why, as far as known.
    Lost(String),
}

impl Received {
    /// A piece that is complete now.
    pub fn now(via: Via, bytes: impl Into<Bytes>) -> Self {
        Self { at: Instant::now(), via, bytes: bytes.into(), frames: Arc::default() }
    }

    /// The frame that it is; `None` for a batch, and for what is no JSON.
    pub fn frame(&self) -> Option<&Message> {
        if let Frames::One(message) = self.read() { Some(message) } else { None }
    }

    /// Its frames: one, the elements of a batch, or none.
    pub fn frames(&self) -> &[Message] {
        match self.read() {
            Frames::One(message) => std::slice::from_ref(message),
            Frames::Batch(messages) => messages,
            Frames::None => &[],
        }
    }

    /// Lists are long, and many ask: they are read once.
    fn read(&self) -> &Frames {
        self.frames.get_or_init(|| match parse(&self.bytes) {
            Ok(Json::Array(frames)) => Frames::Batch(frames.into_iter().map(Message::from).collect()),
            Ok(frame) => Frames::One(frame.into()),
            Err(_) => Frames::None,
        })
    }
}

impl Exchange {
    /// The responses that bear the request's id: one, if all is well.
    pub fn responses(&self) -> impl Iterator<Item = (&Received, &Message)> {
        let answers = |message: &Message| matches!(message, Message::Response { id, .. } if Some(id) == self.sent.id.as_ref());
        self.received.iter().filter_map(move |piece| Some((piece, piece.frame().filter(|one| answers(one))?)))
    }

    /// The first response that bears the request's id.
    pub fn response(&self) -> Option<&Message> {
        self.responses().next().map(|(_, message)| message)
    }

    /// Why the answer that came cannot be read: what is not in its bytes may be in it all the same.
    pub fn unreadable(&self) -> Option<&str> {
        match &self.ended {
            Ended::Lost(why) if is_unreadable(why) => Some(why),
            _ => None,
        }
    }

    /// A header of the HTTP answer; the name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let head = self.http.as_ref()?;
        head.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}
