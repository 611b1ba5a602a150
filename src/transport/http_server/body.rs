//! The body of a reply: whole, in chunks, or broken off on purpose.

use super::Aborted;
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::sync::mpsc;

/// What follows the head of a reply.
#[derive(Debug)]
pub enum Body {
    /// All of it, with its length.
    Full(Bytes),
    /// All of it in pieces that follow one another, with its length.
    Pieces(Box<[Bytes; 3]>),
    /// Chunks as they come, each flushed; it ends when the sender is dropped.
    Stream(mpsc::Receiver<Chunk>),
    /// Nothing, not even a head: the connection is closed.
    Abort,
    /// These bytes under a claim of that length; then the connection is closed.
    Truncated(Bytes, usize),
}

/// A piece of a streamed body.
#[derive(Debug)]
pub enum Chunk {
    /// Bytes.
    Data(Bytes),
    /// The connection is closed here, in mid-body.
    Abort,
}

/// A body as hyper asks for it.
pub(super) enum Outgoing {
    Pieces([Bytes; 3]),
    Stream(mpsc::Receiver<Chunk>),
    Truncated(Bytes),
    /// Hyper forgets what it has buffered when a body fails: it is given one turn to write that out first.
    Failing,
    Failed,
}

impl From<Body> for Outgoing {
    fn from(body: Body) -> Self {
        match body {
            Body::Full(bytes) => Self::Pieces([bytes, Bytes::new(), Bytes::new()]),
            Body::Pieces(pieces) => Self::Pieces(*pieces),
            Body::Stream(chunks) => Self::Stream(chunks),
            Body::Truncated(bytes, _) => Self::Truncated(bytes),
            Body::Abort => Self::Failed,
        }
    }
}

impl hyper::body::Body for Outgoing {
    type Data = Bytes;
    type Error = Aborted;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Aborted>>> {
        let data = |bytes| Poll::Ready(Some(Ok(Frame::data(bytes))));
        match &mut *self {
            Self::Pieces(pieces) => match pieces.iter_mut().find(|piece| !piece.is_empty()) {
                Some(piece) => data(std::mem::take(piece)),
                None => Poll::Ready(None),
            },
            Self::Stream(chunks) => match ready!(chunks.poll_recv(context)) {
                Some(Chunk::Data(bytes)) => data(bytes),
                None => Poll::Ready(None),
                Some(Chunk::Abort) => {
                    *self = Self::Failing;
                    self.poll_frame(context)
                }
            },
            Self::Truncated(bytes) => {
                let bytes = std::mem::take(bytes);
                *self = Self::Failing;
                data(bytes)
            }
            Self::Failing => {
                *self = Self::Failed;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Self::Failed => Poll::Ready(Some(Err(Aborted))),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Pieces(pieces) if pieces.iter().all(Bytes::is_empty))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Pieces(pieces) => SizeHint::with_exact(pieces.iter().map(|piece| piece.len() as u64).sum()),
            _ => SizeHint::default(),
        }
    }
}
