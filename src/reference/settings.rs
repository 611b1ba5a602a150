//! What the gateway is told before it starts.

use crate::declared::{Batch, Counts, Declared, Drift, Failure, Leaning, Naming, Records, Sessions, Spoken};
use crate::policy::Policy;
use crate::transport::child;
use std::path::PathBuf;
use std::time::Duration;

/// Everything that is told at the start; the grants alone may change later.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The servers behind the gateway.
    pub upstreams: Vec<Upstream>,
    /// Who may do what.
    pub grants: Vec<Grant>,
    /// How a person is asked.
    pub channel: Channel,
    /// Where the records go.
    pub audit: AuditSink,
    /// Where the entries of pinned tools are kept.
    pub pins: PinStore,
    /// The choices that are the gateway's own, as it states them.
    pub declared: Declared,
    /// For so long an upstream may keep a call waiting.
    pub upstream_timeout: Duration,
}

/// One server behind the gateway.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// Its name, as policies use it.
    pub name: String,
    /// How it is reached.
    pub reach: Reach,
}

/// How a server is reached.
#[derive(Clone, Debug)]
pub enum Reach {
    /// Over HTTP.
    Http {
        /// The whole address of its endpoint.
        url: String,
        /// Headers of our own for each request, such as its credential.
        headers: Vec<(String, String)>,
    },
    /// As a child process, one for each session.
    Stdio {
        /// How it is started.
        command: child::Command,
    },
}

/// A credential, whom it belongs to, and what that one may do.
#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    /// Whom the credential belongs to.
    pub identity: String,
    /// The bearer token; `None` for whoever shows no credential at all (stdio, a single user).
    pub token: Option<String>,
    /// What may be called; without a policy, nothing.
    pub policy: Option<Policy>,
}

/// How a person is asked to approve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// The call is held open until somebody decides.
    Held,
    /// The agent is told to repeat the call once somebody has decided.
    Retried,
    /// The agent's own client is asked.
    Elicited,
}

/// Where the records go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditSink {
    /// Nowhere.
    Nowhere,
    /// Kept.
    Memory,
    /// Onto a full disk: each is lost.
    Full,
    /// One JSON object a line, appended.
    File(PathBuf),
}

/// Where entries are kept as they were first listed, for policies that pin them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PinStore {
    /// Kept for as long as the gateway runs.
    Memory,
    /// One JSON object a line, appended; several gateways may share the file.
    File(PathBuf),
}

/// What the gateway may say of itself without lying.
pub fn honest_word() -> Declared {
    Declared {
        // A policy names calendar windows and fixed ones alike.
        window: None,
        batch: Some(Batch::Reject),
        missing_argument: Some(Leaning::Allow),
        refund: Some(vec![Failure::Unreachable]),
        counts: Some(Counts::Calls),
        eras: Some(vec![Spoken::Legacy, Spoken::Modern]),
        names: Some(Naming::WhenNeeded),
        counters_shared: Some(true),
        counters_survive: Some(false),
        denied_are_listed: Some(true),
        drift: Some(Drift::Withheld),
        records: Some(Records::Everything),
        records_arguments: Some(false),
        unrecorded: Some(Leaning::Deny),
        // Its settings say so.
        gives_up: None,
        sessions: Some(Sessions::Ended),
    }
}
