//! What a child says in words: the end of it is kept, and lines can be waited for.

use crate::diagnostic;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::Notify;

/// How many bytes of it are shown.
const SHOWN: usize = 4 << 10;

/// How many bytes of it are kept for lines that are waited for.
const KEPT: usize = 256 << 10;

/// A stream of words.
pub(super) type Stream = Box<dyn AsyncRead + Send + Unpin>;

/// The words of one child; clones share them.
#[derive(Clone, Default)]
pub(super) struct Words(Arc<Shared>);

#[derive(Default)]
struct Shared {
    said: Mutex<Said>,
    more: Notify,
}

#[derive(Default)]
struct Said {
    kept: VecDeque<u8>,
    /// How many bytes came before those that are kept.
    dropped: usize,
    /// Streams that may still say something.
    open: usize,
}

impl Words {
    /// Hears a stream out. The stream counts as open from the call on, not only once the future runs.
    pub(super) fn hear(self, mut stream: Stream) -> impl Future<Output = ()> + Send + 'static {
        self.said().open += 1;
        async move {
            let mut pending = Vec::with_capacity(SHOWN);
            while matches!(stream.read_buf(&mut pending).await, Ok(1..)) {
                // Only whole lines, so that two streams do not mix within one; but no line may grow without end.
                let complete = pending.iter().rposition(|byte| *byte == b'\n').map(|end| end + 1);
                let complete = complete.or((pending.len() > SHOWN).then_some(pending.len()));
                self.keep(pending.drain(..complete.unwrap_or(0)).as_slice());
            }
            self.keep(&pending);
            self.said().open -= 1;
            self.0.more.notify_waiters();
        }
    }

    /// The end of it, printable.
    pub(super) fn last(&self) -> String {
        let said = self.said();
        let start = said.kept.len().saturating_sub(SHOWN);
        let bytes: Vec<u8> = said.kept.iter().skip(start).copied().collect();
        diagnostic::printable_lines(String::from_utf8_lossy(&bytes).trim_end(), 2 * SHOWN)
    }

    /// Waits for a line that satisfies; `false` once nothing more can be said.
    pub(super) async fn wait_for(&self, satisfies: impl Fn(&str) -> bool) -> bool {
        let mut read = 0;
        loop {
            let mut more = std::pin::pin!(self.0.more.notified());
            // Enabled before looking: what is said between the look and the wait must wake us.
            more.as_mut().enable();
            let (lines, over) = self.said().lines_from(&mut read);
            if lines.iter().any(|line| satisfies(line)) {
                return true;
            }
            if over {
                return false;
            }
            more.await;
        }
    }

    fn keep(&self, lines: &[u8]) {
        if !lines.is_empty() {
            self.said().keep(lines);
            self.0.more.notify_waiters();
        }
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.0.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Said {
    /// Keeps lines, the last one ended by us where the stream did not.
    fn keep(&mut self, lines: &[u8]) {
        self.kept.extend(lines);
        if !lines.ends_with(b"\n") {
            self.kept.push_back(b'\n');
        }
        let beyond = self.kept.len().saturating_sub(KEPT);
        self.kept.drain(..beyond);
        self.dropped += beyond;
    }

    /// The lines since `read`, which is moved on; and whether all has been said.
    fn lines_from(&self, read: &mut usize) -> (Vec<String>, bool) {
        let start = read.saturating_sub(self.dropped);
        let fresh: Vec<u8> = self.kept.iter().skip(start).copied().collect();
        *read = self.dropped + self.kept.len();
        (String::from_utf8_lossy(&fresh).lines().map(str::to_owned).collect(), self.open == 0)
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Words({} bytes kept)", self.said().kept.len())
    }
}
