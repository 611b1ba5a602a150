//! Newline-delimited frames over anything that reads or writes bytes.
//!
//! A line is every byte before the line feed, a carriage return included; what stands unfinished at the end is a line
//! too. Nothing is parsed, trimmed or dropped, except the rest of a line that is longer than the limit.

use bytes::{Bytes, BytesMut};
use std::fmt;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::Mutex;

/// The longest line that we take from anyone, in bytes.
pub const LONGEST: usize = 64 << 20;

/// How much room is made for each read: one read takes what most pipes hold.
const ROOM: usize = 64 << 10;

/// Takes lines from a source of bytes.
pub struct LineReader {
    source: Box<dyn AsyncRead + Send + Sync + Unpin>,
    pending: BytesMut,
    /// How far `pending` is known to hold no line feed: a long line is searched once, not once a read.
    searched: usize,
    limit: usize,
    /// The rest of a line that was too long is being passed over.
    skipping: bool,
    ended: bool,
}

impl LineReader {
    /// Reads lines of at most `limit` bytes.
    pub fn new(source: impl AsyncRead + Send + Sync + Unpin + 'static, limit: usize) -> Self {
        let pending = BytesMut::new();
        Self { source: Box::new(source), pending, searched: 0, limit, skipping: false, ended: false }
    }

    /// The same reader, what it holds included, under another limit.
    pub fn with_limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// The next line without its line feed; `None` at the end. A longer line than the limit is an error of kind
    /// `InvalidData`, once; the lines after it can be read. Dropping the future loses nothing.
    pub async fn next(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            if let Some(found) = self.take_line() {
                return found.map(Some);
            }
            if self.ended {
                return self.take_rest();
            }
            self.pending.reserve(ROOM);
            self.ended = self.source.read_buf(&mut self.pending).await? == 0;
        }
    }

    /// A line that is already complete, or the complaint that the one being read is too long.
    fn take_line(&mut self) -> Option<io::Result<Bytes>> {
        loop {
            let Some(found) = self.pending[self.searched..].iter().position(|byte| *byte == b'\n') else {
                self.searched = self.pending.len();
                return self.complain_if_too_long();
            };
            let end = self.searched + found;
            self.searched = 0;
            let line = self.pending.split_to(end + 1).freeze().slice(..end);
            if !std::mem::take(&mut self.skipping) {
                return Some(if line.len() > self.limit { Err(self.too_long()) } else { Ok(line) });
            }
        }
    }

    fn complain_if_too_long(&mut self) -> Option<io::Result<Bytes>> {
        let too_long = self.skipping || self.pending.len() > self.limit;
        if too_long {
            self.pending.clear();
            self.searched = 0;
        }
        (too_long && !std::mem::replace(&mut self.skipping, too_long)).then(|| Err(self.too_long()))
    }

    fn take_rest(&mut self) -> io::Result<Option<Bytes>> {
        self.searched = 0;
        let rest = self.pending.split().freeze();
        Ok((!rest.is_empty()).then_some(rest))
    }

    fn too_long(&self) -> io::Error {
        io::Error::new(ErrorKind::InvalidData, format!("a line of more than {} bytes", self.limit))
    }
}

impl fmt::Debug for LineReader {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "LineReader({} bytes pending)", self.pending.len())
    }
}

/// Gives lines to a sink of bytes; clones share the sink, and lines of two clones never mix.
#[derive(Clone)]
pub struct LineWriter(Arc<Mutex<Sink>>);

struct Sink {
    way: Way,
    /// What a cancelled `send` left unwritten: it goes out first, so that no line is ever cut in two.
    unwritten: BytesMut,
}

enum Way {
    Any(Box<dyn AsyncWrite + Send + Unpin>),
    Tcp(OwnedWriteHalf),
    Closed,
}

impl LineWriter {
    /// Writes to any sink.
    pub fn new(sink: impl AsyncWrite + Send + Unpin + 'static) -> Self {
        Self::over(Way::Any(Box::new(sink)))
    }

    /// Writes to a TCP connection, which can then be [severed](Self::sever).
    pub fn over_tcp(half: OwnedWriteHalf) -> Self {
        Self::over(Way::Tcp(half))
    }

    fn over(way: Way) -> Self {
        Self(Arc::new(Mutex::new(Sink { way, unwritten: BytesMut::new() })))
    }

    /// Writes one line and its line feed, and flushes.
    pub async fn send(&self, line: &[u8]) -> io::Result<()> {
        let mut sink = self.0.lock().await;
        sink.unwritten.reserve(line.len() + 1);
        sink.unwritten.extend_from_slice(line);
        sink.unwritten.extend_from_slice(b"\n");
        sink.write_out().await
    }

    /// Writes exactly these bytes, and flushes.
    pub async fn raw(&self, bytes: &[u8]) -> io::Result<()> {
        let mut sink = self.0.lock().await;
        sink.unwritten.extend_from_slice(bytes);
        sink.write_out().await
    }

    /// Ends the sink in an orderly way, for all clones; what is sent later is refused.
    pub async fn close(&self) -> io::Result<()> {
        let mut sink = self.0.lock().await;
        let written = sink.write_out().await;
        match std::mem::replace(&mut sink.way, Way::Closed) {
            Way::Any(mut any) => written.and(any.shutdown().await),
            Way::Tcp(mut half) => written.and(half.shutdown().await),
            Way::Closed => Ok(()),
        }
    }

    /// Makes the end of a TCP connection a reset: it happens when both halves are dropped. Elsewhere the sink is
    /// dropped without a word.
    pub async fn sever(&self) {
        let mut sink = self.0.lock().await;
        sink.unwritten.clear();
        if let Way::Tcp(half) = std::mem::replace(&mut sink.way, Way::Closed) {
            // A connection that refuses the option is gone already.
            let _ = half.as_ref().set_zero_linger();
            half.forget();
        }
    }
}

impl fmt::Debug for LineWriter {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("LineWriter")
    }
}

impl Sink {
    /// Cancel-safe: only what was written leaves `unwritten`.
    async fn write_out(&mut self) -> io::Result<()> {
        let way: &mut (dyn AsyncWrite + Send + Unpin) = match &mut self.way {
            Way::Any(any) => any,
            Way::Tcp(half) => half,
            Way::Closed => return Err(io::Error::new(ErrorKind::BrokenPipe, "closed by this side")),
        };
        while !self.unwritten.is_empty() {
            match way.write(&self.unwritten).await? {
                0 => return Err(ErrorKind::WriteZero.into()),
                written => drop(self.unwritten.split_to(written)),
            }
        }
        way.flush().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;
    use proptest::prelude::*;
    use tokio::io::duplex;

    async fn all(mut reader: LineReader) -> Vec<Result<Bytes, ErrorKind>> {
        let mut lines = Vec::new();
        while let Some(line) = reader.next().await.map_err(|error| error.kind()).transpose() {
            lines.push(line);
        }
        lines
    }

    /// A source that gives the bytes in the given cuts, one a read.
    fn in_cuts(bytes: &[u8], cuts: &[usize]) -> impl AsyncRead + Send + Unpin + use<> {
        let mut source: Box<dyn AsyncRead + Send + Sync + Unpin> = Box::new(tokio::io::empty());
        let mut end = bytes.len();
        for cut in cuts.iter().rev() {
            let cut = (*cut).min(end);
            source = Box::new(std::io::Cursor::new(bytes[cut..end].to_vec()).chain(source));
            end = cut;
        }
        std::io::Cursor::new(bytes[..end].to_vec()).chain(source)
    }

    #[tokio::test]
    async fn lines_are_exact_and_an_unfinished_one_is_a_line() {
        let lines = all(LineReader::new(&b"a\r\n\n{\"b\":1}\nrest"[..], 100)).await;
        assert_eq!(lines, ["a\r", "", "{\"b\":1}", "rest"].map(|line| Ok(Bytes::from(line))));
    }

    #[tokio::test]
    async fn a_line_of_the_limit_passes_and_a_longer_one_is_an_error_once() {
        let lines = all(LineReader::new(&b"1234\n12345\nok\n"[..], 4)).await;
        assert_eq!(lines, [Ok(Bytes::from("1234")), Err(ErrorKind::InvalidData), Ok(Bytes::from("ok"))]);
        let long = vec![b'x'; 10 << 20];
        let source = std::io::Cursor::new(long.clone()).chain(&b"\nok"[..]);
        assert_eq!(
            all(LineReader::new(source, 1 << 20)).await,
            [Err(ErrorKind::InvalidData), Ok(Bytes::from("ok"))]
        );
        assert_eq!(
            all(LineReader::new(std::io::Cursor::new(long), 10 << 20)).await[0].as_ref().unwrap().len(),
            10 << 20
        );
    }

    #[tokio::test]
    async fn a_dropped_read_loses_nothing() {
        let (mut far, near) = duplex(64);
        let mut reader = LineReader::new(near, 100);
        far.write_all(b"hal").await.unwrap();
        assert!(reader.next().now_or_never().is_none());
        far.write_all(b"f\n").await.unwrap();
        assert_eq!(reader.next().await.unwrap().unwrap(), "half");
    }

    #[tokio::test]
    async fn a_dropped_send_cuts_no_line() {
        let (far, near) = duplex(4);
        let writer = LineWriter::new(near);
        assert!(writer.send(b"123456789").now_or_never().is_none());
        let second = writer.clone();
        let sending = tokio::spawn(async move {
            second.send(b"next").await.unwrap();
            second.close().await.unwrap();
        });
        assert_eq!(
            all(LineReader::new(far, 100)).await,
            ["123456789", "next"].map(|line| Ok(Bytes::from(line)))
        );
        sending.await.unwrap();
        assert_eq!(writer.send(b"late").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
    }

    proptest! {
        #[test]
        fn any_cuts_give_the_same_lines(
            lines in proptest::collection::vec("[a-c\r]{0,12}", 0..8),
            mut cuts in proptest::collection::vec(0usize..90, 0..12),
            limit in 0usize..13,
        ) {
            cuts.sort_unstable();
            let body: String = lines.iter().map(|line| format!("{line}\n")).collect();
            let expected: Vec<_> = lines.iter().map(|line| {
                if line.len() > limit { Err(ErrorKind::InvalidData) } else { Ok(Bytes::from(line.clone())) }
            }).collect();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let read = runtime.block_on(all(LineReader::new(in_cuts(body.as_bytes(), &cuts), limit)));
            prop_assert_eq!(read, expected);
        }
    }
}
