//! A session over HTTP: one request for each parcel, its answer heard as a body or as a stream, and the stream of
//! notices.

use super::flight::Slot;
use super::hearing::Hearing;
use crate::transcript::{Ended, HttpHead, Received, Via};
use crate::transport::HttpClient;
use crate::transport::http_client::{Incoming, Lost, Outgoing};
use crate::transport::inflate::Inflate;
use crate::wire::sse::Decoder;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// How long a stream is heard on after the response: a second one would follow at once.
const AFTERWARDS: Duration = Duration::from_millis(100);

/// The longest body, or event, that is kept.
const LONGEST: usize = 64 << 20;

/// Sends and hears the answer to its end.
pub(super) async fn exchange(client: HttpClient, outgoing: Outgoing, slot: Arc<Slot>, hearing: Arc<Hearing>) {
    let ended = match client.send(outgoing).await {
        Ok(answer) => {
            slot.head(HttpHead { status: answer.status, headers: answer.headers.clone() });
            let heard = if is_stream(&answer) {
                stream(answer, &slot, &hearing).await
            } else {
                body(answer, &slot).await
            };
            heard.map_or_else(|Lost(why)| Ended::Lost(why), |()| Ended::Answered)
        }
        Err(Lost(why)) => Ended::Lost(why),
    };
    slot.end(ended);
}

/// Hears the stream of notices; tells when its head is there. A server need not have one.
pub(super) async fn notices(
    client: HttpClient,
    outgoing: Outgoing,
    ready: oneshot::Sender<()>,
    hearing: Arc<Hearing>,
) {
    let answer = client.send(outgoing).await;
    // Nobody waits any more if it took too long.
    let _ = ready.send(());
    let Ok(mut answer) = answer else { return };
    if !is_stream(&answer) {
        return;
    }
    let (mut inflate, mut events) = (unpacking(&answer), Events::default());
    while let Ok(Some(piece)) = answer.chunk().await {
        let Ok(piece) = inflate.push(&piece) else { return };
        let Ok(pieces) = events.take(&piece, Via::Notices) else { return };
        pieces.iter().for_each(|piece| hearing.in_common(piece));
    }
}

fn is_stream(answer: &Incoming) -> bool {
    let kind = answer.header("content-type").unwrap_or_default();
    kind.trim_start().to_ascii_lowercase().starts_with("text/event-stream")
}

/// The body as it was before it was packed; one that cannot be unpacked is kept as it came.
async fn body(mut answer: Incoming, slot: &Slot) -> Result<(), Lost> {
    let (mut inflate, mut unreadable) = (unpacking(&answer), None);
    while let Some(piece) = answer.chunk().await? {
        let plain = if unreadable.is_some() { Ok(piece.to_vec()) } else { inflate.push(&piece) };
        let plain = plain.unwrap_or_else(|why| {
            unreadable = Some(Lost::unreadable(why));
            piece.to_vec()
        });
        if slot.grow(&plain) > LONGEST {
            return Err(unreadable.unwrap_or_else(|| Lost(format!("a body of more than {LONGEST} bytes"))));
        }
    }
    match unreadable {
        Some(lost) => Err(lost),
        None => inflate.end().map_err(Lost::unreadable),
    }
}

fn unpacking(answer: &Incoming) -> Inflate {
    Inflate::of(answer.header("content-encoding"), LONGEST)
}

async fn stream(mut answer: Incoming, slot: &Slot, hearing: &Hearing) -> Result<(), Lost> {
    let (mut inflate, mut events) = (unpacking(&answer), Events::default());
    let mut until: Option<tokio::time::Instant> = None;
    let ended = loop {
        let next = match until {
            None => answer.chunk().await,
            Some(until) => match tokio::time::timeout_at(until, answer.chunk()).await {
                Ok(next) => next,
                Err(_) => break Ok(()),
            },
        };
        let piece = match next {
            Ok(Some(piece)) => piece,
            Ok(None) => break Ok(()),
            Err(lost) => break Err(lost),
        };
        let piece = inflate.push(&piece).map_err(Lost::unreadable)?;
        for piece in events.take(&piece, Via::Event)? {
            if hearing.in_answer(slot, &piece) {
                until = until.or_else(|| Some(tokio::time::Instant::now() + AFTERWARDS));
            }
        }
    };
    slot.grow(events.decoder.rest());
    // With the response there, how the stream ended changes nothing.
    if until.is_some() { Ok(()) } else { ended }
}

/// Events as pieces, bounded.
#[derive(Default)]
struct Events {
    decoder: Decoder,
    /// Bytes since the last complete event.
    since: usize,
}

impl Events {
    fn take(&mut self, piece: &[u8], via: Via) -> Result<Vec<Received>, Lost> {
        let events = self.decoder.push(piece);
        self.since = if events.is_empty() { self.since + piece.len() } else { 0 };
        if self.since > LONGEST {
            return Err(Lost(format!("an event of more than {LONGEST} bytes")));
        }
        let received = |event: crate::wire::sse::Event| Received::now(via, event.data);
        Ok(events.into_iter().map(received).collect())
    }
}
