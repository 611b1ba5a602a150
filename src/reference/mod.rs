//! The embedded gateway: it enforces policy.json honestly, or lies in named ways.
//!
//! Every decision is a function in [`Conduct`]; a [`Flaw`] replaces one of them. The rest moves frames and never asks
//! whether a decision was honest. It does not know who tests it: the mocks, the witness and the scenarios are not
//! seen from here.

mod agent;
mod approvals;
mod approve;
mod audit;
mod clock;
mod conduct;
mod flaw;
mod front;
mod honest;
mod link;
mod list;
mod names;
mod pins;
mod read;
mod refusal;
mod route;
mod session;
mod settings;
mod state;
mod trace;
mod variant;
mod walk;

pub use approvals::{About, Standing, Ticket, Undecidable, Verdict};
pub use audit::Record;
pub use clock::Clock;
pub use conduct::{Conduct, Door, Ending, HONEST_ORDER, Seen, Stage};
pub use flaw::{FLAWS, Flaw};
pub use pins::PinsError;
pub use read::{Frame, Taken, strictly};
pub use refusal::{FAILED, PENDING, Put, Refusal, plainly};
pub use settings::{AuditSink, Channel, Grant, PinStore, Reach, Settings, Upstream, honest_word};
pub use state::OpenError;
pub use variant::{VARIANTS, Variant};

use crate::transport::http_server;
use crate::transport::lines::{LineReader, LineWriter};
use state::State;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// The embedded gateway; clones are the same gateway.
#[derive(Clone, Debug)]
pub struct Reference(Arc<State>);

impl Reference {
    /// A gateway that serves nothing yet; fails where the files of the audit or of the pins cannot be used.
    pub fn new(settings: Settings, conduct: Conduct, clock: Clock) -> Result<Self, OpenError> {
        Ok(Self(Arc::new(State::open(settings, conduct, clock)?)))
    }

    /// The same, with a credential for those who decide that was agreed on before.
    pub fn with_decision_token(
        settings: Settings,
        conduct: Conduct,
        clock: Clock,
        token: String,
    ) -> Result<Self, OpenError> {
        let mut state = State::open(settings, conduct, clock)?;
        state.decision_token = token;
        Ok(Self(Arc::new(state)))
    }

    /// Serves agents over HTTP, at `/mcp`, until stopped.
    pub async fn serve_http(&self, listener: TcpListener, stop: CancellationToken) {
        let loopback = listener.local_addr().is_ok_and(|address| address.ip().is_loopback());
        let state = self.0.clone();
        let respond = move |request| front::http::answer(state.clone(), request, loopback);
        http_server::serve(listener, respond, stop).await;
    }

    /// Serves one agent on lines, as whoever shows no credential, until it closes its end or is stopped.
    pub async fn serve_lines(&self, reader: LineReader, writer: LineWriter, stop: CancellationToken) {
        front::lines::serve(self.0.clone(), reader, writer, stop).await;
    }

    /// Serves the people who decide on approvals, until stopped.
    pub async fn serve_decisions(&self, listener: TcpListener, stop: CancellationToken) {
        let state = self.0.clone();
        http_server::serve(listener, move |request| front::decisions::answer(state.clone(), request), stop)
            .await;
    }

    /// The credential of those who decide.
    pub fn decision_token(&self) -> &str {
        &self.0.decision_token
    }

    /// Decides on an approval in process; the ticket as it stands then, or nothing where there is nothing to decide.
    pub fn decide(&self, id: &str, verdict: Verdict, by: &str) -> Option<Ticket> {
        self.0.decide_approval(id, verdict, by)
    }

    /// What waits for a decision.
    pub fn undecided(&self) -> Vec<Ticket> {
        let now = self.0.clock.now();
        self.0.approvals.undecided(|ticket| self.0.is_decidable(ticket, now))
    }

    /// Replaces all grants at once; counters, approvals and living sessions stay.
    pub async fn reload(&self, grants: Vec<Grant>) {
        self.0.reload(grants).await;
    }

    /// All records so far.
    pub fn audit_lines(&self) -> Vec<serde_json::Value> {
        self.0.audit.lines()
    }

    /// Ends every session and everything that runs beside; serve no more after it.
    pub async fn end(&self) {
        self.0.end().await;
    }
}

#[cfg(test)]
mod tests;
