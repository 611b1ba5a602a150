//! The same servers once more, with nothing in front of them.

use crate::mock::{Arrival, MockServer};
use crate::run::stage::{SetupError, mocks};
use crate::scenario::{self, Change, Scenario, Variables};
use crate::transcript::Exchange;
use crate::transport::lines::{LONGEST, LineReader, LineWriter};
use crate::wire::{Json, Revision};
use crate::witness::{Ask, ListOutcome, Opening, Session, Target};
use indexmap::IndexMap;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// How a twin is spoken to: as the gateway was.
#[derive(Clone, Debug)]
pub(super) struct Manner {
    /// The revision that was spoken with the gateway.
    pub(super) revision: Revision,
    /// Whether the agent spoke in lines rather than over HTTP.
    pub(super) lines: bool,
    /// Whether elicitation was offered.
    pub(super) elicitation: bool,
    /// Whether it was offered to open an address.
    pub(super) address: bool,
    /// How long an answer is waited for.
    pub(super) patience: Duration,
    /// The canaries that are planted in what the servers say.
    pub(super) minted: Variables,
}

/// The servers of a scenario without a gateway, and the connections to them.
pub(super) struct Twin {
    scenario: Arc<Scenario>,
    manner: Manner,
    servers: IndexMap<String, Arc<MockServer>>,
    sessions: HashMap<(String, String), Session>,
}

impl Twin {
    /// Fresh servers, as the scenario wants them.
    pub(super) async fn start(scenario: Arc<Scenario>, manner: Manner) -> Result<Self, SetupError> {
        let servers = mocks::start(&scenario, None, &manner.minted).await?;
        let servers = servers.into_iter().map(|(name, server)| (name, Arc::new(server))).collect();
        Ok(Self { scenario, manner, servers, sessions: HashMap::new() })
    }

    /// The names of its servers.
    pub(super) fn upstreams(&self) -> Vec<String> {
        self.servers.keys().cloned().collect()
    }

    /// Asks one server, on its own session of that name; gives what came back, and what arrived there. No credential
    /// goes along: it is for the gateway.
    pub(super) async fn ask(
        &mut self,
        upstream: &str,
        session: &str,
        ask: Ask,
    ) -> Option<(Exchange, Option<Arrival>)> {
        let open = self.session(upstream, session).await?;
        let server = self.servers.get(upstream)?;
        let before = server.ledger().last().map_or(0, |arrival| arrival.seq);
        let exchange = open.start(ask).wait(self.manner.patience).await;
        let arrived = server.ledger_since(before).into_iter().find(|arrival| !arrival.calls().is_empty());
        Some((exchange, arrived))
    }

    /// The whole list of one server.
    pub(super) async fn list(&mut self, upstream: &str, session: &str) -> Option<ListOutcome> {
        let open = self.session(upstream, session).await?;
        Some(open.list_tools(self.manner.patience).await)
    }

    /// Changes a list, as the scenario did.
    pub(super) async fn change(&self, change: &Change) {
        let server = match &change.upstream {
            Some(name) => self.servers.get(name),
            None => self.servers.values().next(),
        };
        if let Some(server) = server {
            // It worked for the same server a moment ago.
            let _ = server.change(mocks::change(change, &self.manner.minted)).await;
        }
    }

    /// Ends it.
    pub(super) async fn stop(self) {
        for session in self.sessions.into_values() {
            session.close().await;
        }
        for server in self.servers.into_values() {
            // A task that served lines may hold it for a moment; then it ends with that.
            if let Some(server) = Arc::into_inner(server) {
                server.stop().await;
            }
        }
    }

    /// The session of that name with one server, opened if it is not yet.
    pub(super) async fn session(&mut self, upstream: &str, name: &str) -> Option<Session> {
        let key = (upstream.to_owned(), name.to_owned());
        if let Some(session) = self.sessions.get(&key) {
            return Some(session.clone());
        }
        let own = self.scenario.sessions.get(name);
        let session = open(self.servers.get(upstream)?, &self.manner, own).await?;
        self.sessions.insert(key, session.clone());
        Some(session)
    }
}

/// A session with a server itself.
async fn open(server: &Arc<MockServer>, manner: &Manner, own: Option<&scenario::Session>) -> Option<Session> {
    let standard = Opening::default();
    let opening = Opening {
        revision: Some(manner.revision),
        elicitation: manner.elicitation,
        address: manner.address,
        offers: own.into_iter().flat_map(|own| own.offers.iter().map(|offer| offer.word())).collect(),
        notices: false,
        lists_first: false,
        patience: manner.patience,
        client_name: own.and_then(|own| own.client.clone()).unwrap_or(standard.client_name),
    };
    let target = if manner.lines {
        let (near, far) = tokio::io::duplex(1 << 16);
        let ((near_in, near_out), (far_in, far_out)) = (tokio::io::split(near), tokio::io::split(far));
        let server = Arc::clone(server);
        let (reader, writer) = (LineReader::new(far_in, LONGEST), LineWriter::new(far_out));
        tokio::spawn(async move { server.serve_lines(reader, writer).await });
        Target::Stdio { reader: LineReader::new(near_in, LONGEST), writer: LineWriter::new(near_out) }
    } else {
        Target::Http { url: server.url(), headers: Vec::new() }
    };
    Session::open(target, opening).await.ok()
}

/// A call as the agent made it, under the name that the server knows.
pub(super) fn same_call(tool: &str, arguments: &Json, sent: &Json, headers: &[(String, String)]) -> Ask {
    let mut ask = Ask::call(tool, arguments.clone());
    ask.id = sent.get("id").cloned();
    ask.meta = sent.pointer("/params/_meta").cloned();
    ask.headers = headers.to_vec();
    ask
}
