//! What reached a server, line by line, and what it did about it.
//!
//! Everything is written down before anything is answered, whether it was understood, refused or run; every reading
//! that some parser could take of the bytes is kept beside what the server took.

use super::frame::Answered;
use super::intake;
use crate::wire::{Called, Json, parse};
use bytes::Bytes;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::Instant;
use tokio::sync::watch;

/// One thing that reached a server.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Its place in the server's ledger, from 1.
    pub seq: u64,
    /// When it was complete.
    pub at: Instant,
    /// The name of the upstream that it reached.
    pub upstream: String,
    /// The session that it named or came in.
    pub session: Option<String>,
    /// The way by which it came.
    pub transport: Transport,
    /// The HTTP method and target; `None` on lines.
    pub request: Option<String>,
    /// Its HTTP headers.
    pub headers: Headers,
    /// Exactly the bytes of its body or line.
    pub bytes: Bytes,
    /// The JSON-RPC method that the server read; `None` for responses, batches and what it could not read.
    pub method: Option<String>,
    /// Found when somebody asks: a busy server has no time for it.
    pub(crate) calls: OnceLock<Vec<Called>>,
    /// The tools that ran for it.
    pub executed: Vec<Execution>,
    /// Every receipt that was stamped into what was answered, also for calls that did not run.
    pub receipts: Vec<String>,
    /// Whether the client went away, or took the request back, before it was answered.
    pub abandoned: bool,
    /// Whether it came in a session that the server does not know, so that nothing of it was read: by the specification
    /// the client opens another one, and sends it again.
    pub turned_away: bool,
}

/// The way by which something came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// Streamable HTTP.
    Http,
    /// Lines: stdio, or the relay that stands for it.
    Lines,
}

/// A tool that ran.
#[derive(Clone, Debug)]
pub struct Execution {
    /// The tool's name.
    pub tool: String,
    /// Its arguments as they arrived.
    pub arguments: Json,
    /// Unique among all servers of a run that have different names.
    pub receipt: String,
    /// Who called, where the server knows.
    pub identity: Option<String>,
    /// The result (or the error) as it was put into the frame.
    pub(super) answer: Answered,
    /// Whether the answer is an error.
    pub is_error: bool,
}

impl Execution {
    /// The result as a value; null where a fault left none.
    pub fn answered(&self) -> Json {
        parse(&self.answer.whole()).unwrap_or_default()
    }
}

impl Arrival {
    /// Every `tools/call` that some reading takes from it.
    pub fn calls(&self) -> &[Called] {
        self.calls.get_or_init(|| intake::calls(&self.bytes))
    }
}

/// The headers of a request: names in lower case, in order, repeated ones included.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(String);

impl Headers {
    /// Name and value of each.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.lines().filter_map(|line| line.split_once(':'))
    }

    /// The first value of that name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }
}

impl From<&http::HeaderMap> for Headers {
    fn from(map: &http::HeaderMap) -> Self {
        let length =
            |(name, value): (&http::HeaderName, &http::HeaderValue)| name.as_str().len() + value.len() + 2;
        let mut text = String::with_capacity(map.iter().map(length).sum());
        for (name, value) in map {
            text.push_str(name.as_str());
            text.push(':');
            text.push_str(&String::from_utf8_lossy(value.as_bytes()));
            text.push('\n');
        }
        Self(text)
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_map().entries(self.iter()).finish()
    }
}

/// The arrivals of one server, in order.
#[derive(Debug)]
pub(super) struct Ledger {
    next: AtomicU64,
    /// How many arrivals are kept at least; the oldest go when there are twice as many.
    kept: usize,
    arrivals: Mutex<Vec<Arrival>>,
    changed: watch::Sender<u64>,
}

impl Ledger {
    /// An empty ledger that keeps the newest arrivals, at least so many.
    pub(super) fn new(kept: usize) -> Self {
        Self { next: AtomicU64::new(1), kept, arrivals: Mutex::default(), changed: watch::Sender::new(0) }
    }

    /// Writes an arrival down and gives its place.
    pub(super) fn record(&self, mut arrival: Arrival) -> u64 {
        // What came is a piece of the buffer that it was read into, and would keep all of it.
        arrival.bytes = Bytes::copy_from_slice(&arrival.bytes);
        let mut arrivals = self.arrivals.lock().expect("no writer panics");
        // The number is drawn under the lock, so that the ledger is in the order of its numbers.
        arrival.seq = self.next.fetch_add(1, Ordering::Relaxed);
        let seq = arrival.seq;
        arrivals.push(arrival);
        // Half at a time: dropping one by one would move all the others each time.
        if arrivals.len() / 2 >= self.kept {
            arrivals.drain(..self.kept);
        }
        drop(arrivals);
        self.tell(seq);
        seq
    }

    /// Adds to an arrival what has become of it since.
    pub(super) fn amend(&self, seq: u64, amend: impl FnOnce(&mut Arrival)) {
        let mut arrivals = self.arrivals.lock().expect("no writer panics");
        if let Ok(place) = arrivals.binary_search_by_key(&seq, |arrival| arrival.seq) {
            amend(&mut arrivals[place]);
        }
        drop(arrivals);
        self.tell(seq);
    }

    /// The arrivals after that place.
    pub(super) fn since(&self, seq: u64) -> Vec<Arrival> {
        let arrivals = self.arrivals.lock().expect("no writer panics");
        let start = arrivals.partition_point(|arrival| arrival.seq <= seq);
        arrivals[start..].to_vec()
    }

    /// Looks at one arrival without copying it.
    pub(super) fn look_at(&self, seq: u64, look: impl FnOnce(&Arrival)) {
        let arrivals = self.arrivals.lock().expect("no writer panics");
        if let Ok(place) = arrivals.binary_search_by_key(&seq, |arrival| arrival.seq) {
            look(&arrivals[place]);
        }
    }

    /// Asks something of all arrivals without copying them.
    pub(super) fn look<T>(&self, look: impl FnOnce(&[Arrival]) -> T) -> T {
        look(&self.arrivals.lock().expect("no writer panics"))
    }

    /// Changes whenever something was written; the value is the newest place that was touched.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn tell(&self, seq: u64) {
        // Without a listener there is nothing to tell, and this is the hot path.
        if self.changed.receiver_count() > 0 {
            self.changed.send_replace(seq);
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::mock) fn arrival(bytes: &'static str) -> Arrival {
        Arrival {
            seq: 0,
            at: Instant::now(),
            upstream: "ludus".into(),
            session: None,
            transport: Transport::Http,
            request: None,
            headers: Headers::default(),
            bytes: Bytes::from_static(bytes.as_bytes()),
            method: None,
            calls: OnceLock::new(),
            executed: Vec::new(),
            receipts: Vec::new(),
            abandoned: false,
            turned_away: false,
        }
    }

    #[test]
    fn arrivals_are_numbered_from_one_and_can_be_amended() {
        let ledger = Ledger::new(usize::MAX);
        assert_eq!((ledger.record(arrival("a")), ledger.record(arrival("b"))), (1, 2));
        ledger.amend(2, |arrival| arrival.abandoned = true);
        let later = ledger.since(1);
        assert_eq!(later.len(), 1);
        assert!(later[0].abandoned);
        assert_eq!(ledger.since(0).len(), 2);
    }

    #[test]
    fn only_the_newest_are_kept_where_that_is_wanted() {
        let ledger = Ledger::new(2);
        for _ in 0..5 {
            ledger.record(arrival("a"));
        }
        assert_eq!(ledger.since(0).iter().map(|arrival| arrival.seq).collect::<Vec<_>>(), [3, 4, 5]);
        ledger.amend(1, |arrival| arrival.abandoned = true);
        ledger.amend(4, |arrival| arrival.abandoned = true);
        assert!(ledger.since(3)[0].abandoned);
    }

    #[tokio::test]
    async fn whoever_waits_is_told() {
        let ledger = Ledger::new(usize::MAX);
        let mut changes = ledger.changes();
        ledger.record(arrival("a"));
        changes.changed().await.unwrap();
        assert_eq!(*changes.borrow_and_update(), 1);
    }
}
