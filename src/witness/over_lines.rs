//! A session over lines: one task that writes in order, one that hears.

use super::flight::Slot;
use super::hearing::Hearing;
use crate::transcript::{Ended, Received, Via};
use crate::transport::{LineReader, LineWriter};
use bytes::Bytes;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// How long the far side has to end its output after it reads no more.
const LAST_WORDS_WITHIN: Duration = Duration::from_secs(1);

/// What the writing task is given.
#[derive(Debug)]
pub(super) enum Out {
    /// A frame, with the exchange that is lost if it cannot be sent.
    Frame(Bytes, Option<Arc<Slot>>),
    /// The orderly end; told when it is done.
    Close(oneshot::Sender<()>),
}

/// Writes what it is given, in order, until the session is dropped.
pub(super) async fn write(writer: LineWriter, mut out: mpsc::UnboundedReceiver<Out>, hearing: Arc<Hearing>) {
    while let Some(next) = out.recv().await {
        match next {
            Out::Frame(bytes, slot) => {
                let written =
                    if bytes.ends_with(b"\n") { writer.raw(&bytes).await } else { writer.send(&bytes).await };
                if let (Err(error), Some(slot)) = (written, slot) {
                    // Who reads no more has mostly ended, and why is on the other pipe.
                    let _ = tokio::time::timeout(LAST_WORDS_WITHIN, hearing.over()).await;
                    slot.end(Ended::Lost(format!("cannot be sent: {error}")));
                }
            }
            Out::Close(done) => {
                // The far side may be gone already; it is closed either way, and nobody may wait any more.
                let _ = writer.close().await;
                let _ = done.send(());
            }
        }
    }
}

/// Hears every line, to the end.
pub(super) async fn hear(mut reader: LineReader, hearing: Arc<Hearing>) {
    loop {
        match reader.next().await {
            Ok(Some(bytes)) => hearing.in_common(&Received::now(Via::Line, bytes)),
            Ok(None) => return hearing.ended("the output ended"),
            Err(error) if error.kind() == ErrorKind::InvalidData => hearing.unreadable(&error.to_string()),
            Err(error) => return hearing.lost(&format!("the output broke: {error}")),
        }
    }
}
