//! How a mock is brought to life: every setting has a default that suits a run on one machine.

use super::living::{Living, Settings};
use super::log::Log;
use super::server::MockServer;
use super::spec::Mock;
use crate::wire::Revision;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A server that does not live yet.
#[derive(Clone, Debug)]
pub struct MockServerBuilder {
    mock: Mock,
    settings: Settings,
    listen: SocketAddr,
    ledger: Option<PathBuf>,
}

impl MockServerBuilder {
    /// A server of that mock, on a free port of the loopback.
    pub(super) fn new(mock: Mock) -> Self {
        let revisions: Vec<Revision> =
            mock.0.manner.revisions.iter().filter_map(|text| text.parse().ok()).collect();
        let settings = Settings {
            name: mock.name().to_owned(),
            bearer: None,
            identities: Vec::new(),
            lenient: false,
            receipts: false,
            page: None,
            streams: false,
            keep: (Duration::ZERO, false),
            hosts: Vec::new(),
            remember: usize::MAX,
            live: false,
            at_home: true,
            revisions: if revisions.is_empty() { Revision::ALL.to_vec() } else { revisions },
        };
        Self { mock, settings, listen: (Ipv4Addr::LOCALHOST, 0).into(), ledger: None }
    }

    /// The upstream that it plays; by default the mock's name. It stands in the ledger and in receipts.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.settings.name = name.into();
        self
    }

    /// Where it listens for HTTP.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// A token that every HTTP request must bear.
    pub fn bearer(mut self, token: impl Into<String>) -> Self {
        self.settings.bearer = Some(token.into());
        self
    }

    /// A token and whose it is: answers may depend on the name.
    pub fn identity(mut self, name: impl Into<String>, token: impl Into<String>) -> Self {
        self.settings.identities.push((token.into(), name.into()));
        self
    }

    /// A host that clients may name besides the loopback's.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.settings.hosts.push(host.into());
        self
    }

    /// Whether it reads as carelessly as some server somewhere does: batches, byte order marks, gzip, NaN, repeated
    /// members, members in another case, calls without an id, and every spelling that
    /// [`careless`](crate::wire::name::careless) readers take for the name of one of its tools.
    pub fn lenient(mut self, lenient: bool) -> Self {
        self.settings.lenient = lenient;
        self
    }

    /// Whether it stamps a [receipt](super::RECEIPT) into the answer of each call.
    pub fn receipts(mut self, receipts: bool) -> Self {
        self.settings.receipts = receipts;
        self
    }

    /// How many tools stand on a page of its list; by default all.
    pub fn page(mut self, size: usize) -> Self {
        self.settings.page = Some(size);
        self
    }

    /// Whether it answers with an event stream wherever the client takes one.
    pub fn streams(mut self, streams: bool) -> Self {
        self.settings.streams = streams;
        self
    }

    /// How long a modern client may keep its lists, and whether for itself only; by default not at all, for anybody.
    pub fn keep(mut self, ttl: Duration, private: bool) -> Self {
        self.settings.keep = (ttl, private);
        self
    }

    /// Whether answers tell the real time; by default it is always the same moment, so that two runs are equal.
    pub fn live(mut self, live: bool) -> Self {
        self.settings.live = live;
        self
    }

    /// The revisions that it speaks; by default all.
    pub fn revisions(mut self, revisions: &[Revision]) -> Self {
        self.settings.revisions = revisions.to_vec();
        self
    }

    /// How many arrivals the ledger keeps at least, the newest; by default all. For servers that live long.
    pub fn remember(mut self, arrivals: usize) -> Self {
        self.settings.remember = arrivals.max(1);
        self
    }

    /// A file that the ledger is written to as well, line by line.
    pub fn ledger_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.ledger = Some(path.into());
        self
    }

    /// Brings it to life; it is ready when this returns.
    pub async fn start(mut self) -> io::Result<MockServer> {
        self.settings.at_home = self.listen.ip().is_loopback();
        let log = self.ledger.as_deref().map(Log::create).transpose()?;
        let living = Arc::new(Living::new(&self.mock, self.settings, log));
        MockServer::listening(self.mock, living, self.listen).await
    }
}
