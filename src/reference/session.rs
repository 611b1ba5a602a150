//! One agent's session: its era, its ways to the upstreams, and what it has under way.

use super::agent::{Agent, lock};
use super::link::{Footing, HttpLink, LinesLink, Link, Trouble};
use super::settings::{Reach, Upstream};
use super::state::{Granted, State};
use crate::declared::Failure;
use crate::transport::http_client::HttpClient;
use crate::wire::canonical::same;
use crate::wire::{Json, Revision};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use tokio_util::sync::CancellationToken;

/// One agent's session. In the modern era, everything that one identity does is one.
#[derive(Debug)]
pub(super) struct Session {
    /// The id that the agent shows; empty in the modern era.
    pub(super) id: String,
    /// Whose it is.
    pub(super) identity: String,
    /// What it speaks.
    pub(super) revision: Revision,
    /// The parameters of its `initialize`.
    pub(super) hello: Json,
    /// The way back to the agent.
    pub(super) agent: Arc<Agent>,
    /// Cancelled when it ends.
    pub(super) closed: CancellationToken,
    /// The grant of its first request.
    pub(super) granted: OnceLock<Granted>,
    links: Vec<tokio::sync::Mutex<Option<Arc<Link>>>>,
    under_way: Mutex<Vec<(Json, CancellationToken)>>,
    /// How many calls it has made.
    pub(super) calls: AtomicU64,
}

/// A request that is under way; forgotten, and taken back, when dropped.
#[derive(Debug)]
pub(super) struct UnderWay {
    session: Arc<Session>,
    token: CancellationToken,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.token.cancel();
        lock(&self.session.under_way).retain(|(_, token)| !token.is_cancelled());
    }
}

impl Session {
    /// How many requests are under way beside the one that asks.
    pub(super) fn others_under_way(&self) -> usize {
        lock(&self.under_way).len().saturating_sub(1)
    }

    /// A session that has opened nothing yet.
    pub(super) fn new(id: String, identity: &str, revision: Revision, upstreams: usize) -> Self {
        Self {
            id,
            identity: identity.to_owned(),
            revision,
            hello: Json::object(),
            agent: Arc::default(),
            closed: CancellationToken::new(),
            granted: OnceLock::new(),
            links: (0..upstreams).map(|_| tokio::sync::Mutex::default()).collect(),
            under_way: Mutex::default(),
            calls: AtomicU64::new(0),
        }
    }

    /// The way to an upstream, opened if there is none that lives.
    pub(super) async fn link(&self, place: usize, state: &State) -> Result<Arc<Link>, Trouble> {
        let mut link = self.links[place].lock().await;
        if let Some(link) = link.as_ref().filter(|link| !link.is_dead()) {
            return Ok(link.clone());
        }
        let footing = Footing {
            revision: self.revision,
            hello: self.hello.clone(),
            agent: self.agent.clone(),
            tasks: state.tasks.clone(),
            closed: self.closed.clone(),
            answers: state.conduct.answers,
            explains: state.conduct.explains,
            relays: state.conduct.relays,
            unpacks: state.conduct.unpacks,
            hears: state.conduct.hears,
            stands_in: state.conduct.stands_in,
        };
        let opening = tokio::time::timeout(
            state.settings.upstream_timeout,
            open(&state.settings.upstreams[place], footing),
        )
        .await;
        // The call itself was not sent: whatever went wrong, the upstream was not reached by it.
        let opened = opening.map_err(|_| "the upstream did not open a session in time".to_owned());
        let opened = opened.and_then(|opened| opened.map_err(|trouble| trouble.what));
        let opened = Arc::new(opened.map_err(|what| Trouble::new(Failure::Unreachable, what))?);
        Ok(link.insert(opened).clone())
    }

    /// The ways that are open.
    pub(super) async fn open_links(&self) -> Vec<Arc<Link>> {
        let mut open = Vec::new();
        for link in &self.links {
            open.extend(link.lock().await.clone());
        }
        open
    }

    /// Notes a request, so that it can be taken back.
    pub(super) fn begin(self: &Arc<Self>, id: &Json) -> UnderWay {
        let token = self.closed.child_token();
        lock(&self.under_way).push((id.clone(), token.clone()));
        UnderWay { session: self.clone(), token }
    }

    /// Whether several requests of that id are under way.
    pub(super) fn asks_again(&self, id: &Json) -> bool {
        lock(&self.under_way).iter().filter(|(known, _)| same(known, id)).nth(1).is_some()
    }

    /// Takes back every request of that id.
    pub(super) fn take_back(&self, id: &Json) {
        for (known, token) in lock(&self.under_way).iter() {
            if same(known, id) {
                token.cancel();
            }
        }
    }

    /// Counts a call; gives the number of those before it.
    pub(super) fn count_call(&self) -> u64 {
        self.calls.fetch_add(1, Ordering::Relaxed)
    }

    /// Ends everything that is open.
    pub(super) async fn close(&self) {
        self.closed.cancel();
        self.agent.stop_listening();
        for link in self.open_links().await {
            link.close().await;
        }
    }
}

impl UnderWay {
    /// Cancelled when the request is taken back.
    pub(super) fn token(&self) -> &CancellationToken {
        &self.token
    }
}

async fn open(upstream: &Upstream, footing: Footing) -> Result<Link, Trouble> {
    match &upstream.reach {
        // A client of its own for each way: no connection is shared between identities.
        Reach::Http { url, headers } => {
            HttpLink::open(HttpClient::new(), url, headers, footing).await.map(Link::Http)
        }
        Reach::Stdio { command } => LinesLink::start(command, footing).await.map(Link::Lines),
    }
}
