//! What the gateway holds while it runs.

use super::agent::lock;
use super::approvals::Approvals;
use super::audit::{Audit, Record};
use super::clock::Clock;
use super::conduct::Conduct;
use super::names::Table;
use super::pins::{Pins, PinsError};
use super::session::Session;
use super::settings::{Grant, PinStore, Settings};
use crate::policy::{Counters, Policy};
use crate::wire::{Json, Revision, rpc};
use http::HeaderMap;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};
use tokio_util::task::TaskTracker;

/// What the gateway holds while it runs.
#[derive(Debug)]
pub(super) struct State {
    pub(super) settings: Settings,
    pub(super) conduct: Conduct,
    pub(super) clock: Clock,
    pub(super) counters: Mutex<Counters>,
    pub(super) approvals: Approvals,
    pub(super) audit: Audit,
    /// Entries as they were first listed.
    pub(super) pins: Arc<Pins>,
    /// Lists that are kept for later: only a liar has any.
    pub(super) shelves: Mutex<HashMap<String, Json>>,
    /// Where names lead, by the lists that were seen last.
    pub(super) table: Mutex<Option<Arc<Table>>>,
    pub(super) tasks: TaskTracker,
    pub(super) decision_token: String,
    grants: Mutex<Arc<Vec<Grant>>>,
    sessions: Mutex<HashMap<String, Arc<Session>>>,
    stateless: Mutex<HashMap<String, Arc<Session>>>,
}

/// Why a gateway cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Records cannot be kept.
    #[error("records cannot be kept: {0}")]
    Audit(#[source] io::Error),
    /// Pins cannot be looked up, or kept.
    #[error(transparent)]
    Pins(#[from] PinsError),
}

/// A grant, as of one moment: a call is judged wholly by one.
#[derive(Clone, Debug)]
pub(super) struct Granted {
    all: Arc<Vec<Grant>>,
    place: usize,
}

impl Granted {
    pub(super) fn identity(&self) -> &str {
        &self.all[self.place].identity
    }

    pub(super) fn policy(&self) -> Option<&Policy> {
        self.all[self.place].policy.as_ref()
    }

    /// Which version of the policy this is.
    pub(super) fn policy_print(&self) -> Option<String> {
        let text = serde_json::to_string(self.policy()?).ok()?;
        Some(Sha256::digest(text).iter().take(6).map(|byte| format!("{byte:02x}")).collect())
    }

    /// Whether this is of the same moment.
    pub(super) fn is_as_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.all, &other.all)
    }
}

impl State {
    /// Opens what is kept in files; nothing is served yet.
    pub(super) fn open(mut settings: Settings, conduct: Conduct, clock: Clock) -> Result<Self, OpenError> {
        let audit = Audit::open(&settings.audit).map_err(OpenError::Audit)?;
        let store = if (conduct.recalls)() { &settings.pins } else { &PinStore::Memory };
        let pins = Arc::new(Pins::open(store)?);
        let grants = Mutex::new(Arc::new(std::mem::take(&mut settings.grants)));
        Ok(Self {
            settings,
            conduct,
            clock,
            counters: Mutex::default(),
            approvals: Approvals::default(),
            audit,
            pins,
            shelves: Mutex::default(),
            table: Mutex::default(),
            tasks: TaskTracker::new(),
            decision_token: unguessable(),
            grants,
            sessions: Mutex::default(),
            stateless: Mutex::default(),
        })
    }

    /// The grant that a request has.
    pub(super) fn granted(&self, headers: &HeaderMap) -> Option<Granted> {
        let all = lock(&self.grants).clone();
        let place = (self.conduct.who)(headers, &all)?;
        Some(Granted { all, place })
    }

    /// The same grant as of now; nothing if it was revoked.
    pub(super) fn granted_now(&self, before: &Granted) -> Option<Granted> {
        let all = lock(&self.grants).clone();
        let old = &before.all[before.place];
        let place =
            all.iter().position(|grant| grant.identity == old.identity && grant.token == old.token)?;
        Some(Granted { all, place })
    }

    /// What binds a request of a session: the policy of now.
    pub(super) fn binding(&self, session: &Session, granted: Granted) -> Granted {
        let first = session.granted.get_or_init(|| granted.clone()).clone();
        let granted = if (self.conduct.follows)() { granted } else { first };
        match (self.conduct.introduces)(&session.hello, &granted.all) {
            Some(place) => Granted { place, ..granted },
            None => granted,
        }
    }

    /// Whether who shows these headers may decide.
    pub(super) fn may_decide(&self, headers: &HeaderMap) -> bool {
        let grants = lock(&self.grants).clone();
        (self.conduct.may_decide)(headers, &self.decision_token, &grants)
    }

    /// Replaces the grants; sessions of identities that have none any more end, the others hear of it.
    pub(super) async fn reload(&self, grants: Vec<Grant>) {
        let grants = (self.conduct.adopts)(&lock(&self.grants).clone(), grants);
        if !(self.conduct.keeps_counts)() {
            *lock(&self.counters) = Counters::default();
        }
        let known = |session: &Arc<Session>| grants.iter().any(|grant| grant.identity == session.identity);
        let mut ended: Vec<Arc<Session>> = Vec::new();
        for sessions in [&self.sessions, &self.stateless] {
            let mut sessions = lock(sessions);
            ended.extend(sessions.values().filter(|session| !known(session)).cloned());
            sessions.retain(|_, session| known(session));
        }
        *lock(&self.grants) = Arc::new(grants);
        for session in ended {
            session.close().await;
        }
        let sessions: Vec<Arc<Session>> = lock(&self.sessions).values().cloned().collect();
        for session in sessions {
            session.agent.tell(rpc::notification("notifications/tools/list_changed", Json::object()));
        }
    }

    /// Opens a session of the legacy era.
    pub(super) fn open_session(&self, identity: &str, revision: Revision, hello: Json) -> Arc<Session> {
        let mut session = Session::new(unguessable(), identity, revision, self.settings.upstreams.len());
        session.hello = hello;
        let session = Arc::new(session);
        lock(&self.sessions).insert(session.id.clone(), session.clone());
        session
    }

    /// The session of that id, if the identity may use it.
    pub(super) fn session(&self, id: &str, identity: &str) -> Option<Arc<Session>> {
        let session = lock(&self.sessions).get(id).cloned()?;
        (self.conduct.owns)(&session.identity, identity).then_some(session)
    }

    /// The one session of an identity in the modern era.
    pub(super) fn stateless(&self, identity: &str) -> Arc<Session> {
        let mut sessions = lock(&self.stateless);
        sessions.entry(identity.to_owned()).or_insert_with(|| self.new_stateless(identity)).clone()
    }

    /// What stands for a session in the modern era.
    pub(super) fn new_stateless(&self, identity: &str) -> Arc<Session> {
        let upstreams = self.settings.upstreams.len();
        Arc::new(Session::new(String::new(), identity, Revision::V2026_07_28, upstreams))
    }

    /// Ends a session.
    pub(super) async fn end_session(&self, id: &str) {
        let session = lock(&self.sessions).remove(id);
        if let Some(session) = session {
            session.close().await;
        }
    }

    /// Ends everything, and waits for it.
    pub(super) async fn end(&self) {
        let mut all: Vec<Arc<Session>> = lock(&self.sessions).drain().map(|(_, session)| session).collect();
        all.extend(lock(&self.stateless).drain().map(|(_, session)| session));
        for session in all {
            session.close().await;
        }
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Keeps a record, if the conduct does.
    pub(super) fn record(&self, record: Record) {
        if let Some(record) = (self.conduct.records)(record) {
            self.audit.write(record, self.clock.now());
        }
    }

    /// The upstreams' names in order.
    pub(super) fn upstream_names(&self) -> Vec<&str> {
        self.settings.upstreams.iter().map(|upstream| upstream.name.as_str()).collect()
    }
}

/// 128 bits that nobody can guess.
pub(super) fn unguessable() -> String {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes).expect("the system has random bytes");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
