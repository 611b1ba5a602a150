//! The answer to one request over HTTP: a plain body, or a stream where something comes before it.

use super::era;
use crate::reference::agent::ROOM;
use crate::reference::session::UnderWay;
use crate::reference::state::State;
use crate::transport::http_server::{Body, Chunk, Reply};
use crate::wire::{Era, Json, sse};
use tokio::sync::{mpsc, oneshot};

/// A request on its way, and what comes for it.
pub(super) struct Streamed {
    pub(super) interim: mpsc::Receiver<Json>,
    pub(super) answer: oneshot::Receiver<Json>,
    /// Dropped with the reply: when the agent goes away, its request is taken back.
    pub(super) _under_way: UnderWay,
}

impl Streamed {
    /// A plain body, unless something comes before the answer.
    pub(super) async fn reply(mut self, streams: bool, era: Era, state: &State) -> Reply {
        loop {
            tokio::select! {
                biased;
                Some(frame) = self.interim.recv() => {
                    if streams {
                        return self.stream(frame, state);
                    }
                }
                answer = &mut self.answer => {
                    let answer = answer.unwrap_or_default();
                    return match self.interim.try_recv() {
                        Ok(frame) if streams => self.stream_all(vec![frame], &answer),
                        _ if streams && (state.conduct.streams)() => self.stream_all(Vec::new(), &answer),
                        _ => Reply::json(era::status_of(&answer, era), answer.to_bytes()),
                    };
                }
            }
        }
    }

    /// Everything is there already.
    fn stream_all(mut self, mut frames: Vec<Json>, answer: &Json) -> Reply {
        while let Ok(frame) = self.interim.try_recv() {
            frames.push(frame);
        }
        frames.push(answer.clone());
        let bytes: Vec<u8> = frames.iter().flat_map(|frame| sse::event(&frame.to_string())).collect();
        Reply::full(200, "text/event-stream", bytes)
    }

    fn stream(self, first: Json, state: &State) -> Reply {
        let (chunks, body) = mpsc::channel(ROOM);
        state.tasks.spawn(self.pump(first, chunks));
        stream(body)
    }

    /// Every frame as it comes, the answer last. Ends early when the agent goes away.
    async fn pump(mut self, first: Json, chunks: mpsc::Sender<Chunk>) {
        let mut next = Some(first);
        while let Some(frame) = next {
            if chunks.send(event(&frame)).await.is_err() {
                return;
            }
            next = tokio::select! {
                biased;
                () = chunks.closed() => return,
                Some(frame) = self.interim.recv() => Some(frame),
                answer = &mut self.answer => {
                    while let Ok(frame) = self.interim.try_recv() {
                        let _ = chunks.send(event(&frame)).await;
                    }
                    let _ = chunks.send(event(&answer.unwrap_or_default())).await;
                    None
                }
            };
        }
    }
}

/// A frame as an event.
pub(super) fn event(frame: &Json) -> Chunk {
    Chunk::Data(sse::event(&frame.to_string()).into())
}

/// A reply that grows.
pub(super) fn stream(body: mpsc::Receiver<Chunk>) -> Reply {
    let headers = vec![
        ("content-type".to_owned(), "text/event-stream".to_owned()),
        ("cache-control".to_owned(), "no-cache".to_owned()),
    ];
    Reply { status: 200, headers, body: Body::Stream(body) }
}
