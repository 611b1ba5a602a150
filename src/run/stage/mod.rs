//! One scenario's stage in a theatre: its sessions, its names, what it does to the gateway and to time.

mod control;
mod embedded;
mod gateway;
pub(super) mod mocks;
mod sessions;
mod theatre;
mod trial;

pub(super) use gateway::{identities, is_broken, spoil, written};
pub(crate) use mocks::listed;
pub(super) use sessions::Opened;
pub(super) use theatre::Theatre;

use super::plan::{Contender, Entry};
use super::record::Kept;
use super::remote::Remote;
use crate::gateway::{Profile, StartError};
use crate::mock::{Arrival, MockServer};
use crate::reference::Clock;
use crate::scenario::{Change, Changed, ENDPOINT, Kind, Scenario, TOOLS, Variables, Voice, Within};
use crate::snapshot::Mark;
use crate::transcript::Exchange;
use crate::wire::{Json, Object, Revision};
use crate::witness::Session;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// What a run gives to every stage.
#[derive(Clone)]
pub struct Setting {
    /// How long an answer is waited for.
    pub patience: Duration,
    /// The path of this program: gateways start it as the pipe to a mock.
    pub program: String,
    /// What a child's environment has.
    pub environment: Vec<(String, String)>,
    /// The gateway that runs already, where it is not started here.
    pub remote: Option<Remote>,
    /// What is done beside the run, for reports: it decides nothing.
    pub beside: Beside,
}

/// What is done beside a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// Do again without the gateway what ran through it, and compare.
    pub direct: bool,
    /// Make the plain steps once more with an SDK's client, where this program has one.
    pub sdk: bool,
}

/// How much later than at its own time a gateway may tell that it has given up.
const A_LITTLE: Duration = Duration::from_secs(1);

/// One scenario's stage in a theatre.
pub(super) struct Stage {
    pub(super) scenario: Arc<Scenario>,
    pub(super) profile: Arc<Profile>,
    pub(super) patience: Duration,
    /// The variables that exist before the first step: canaries.
    pub(super) minted: Variables,
    pub(super) theatre: Arc<Theatre>,
    revision: Option<Revision>,
    sessions: Mutex<HashMap<String, sessions::Open>>,
    /// The approvals that were found already, by id.
    found: Mutex<HashSet<String>>,
    /// The questions that were taken by a call: the session's name and the id.
    asked: std::sync::Mutex<HashSet<(String, String)>>,
}

/// Why a stage could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The gateway's dialect cannot say what the scenario's policy says.
    #[error("it cannot express {0}")]
    Cannot(String),
    /// The gateway did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The same of one that agents start themselves, which was tried once for all.
    #[error("{0}")]
    Absent(String),
    /// Nothing comes through a gateway that runs already.
    #[error("{0}")]
    Unreached(String),
    /// A policy or a name of the scenario does not work with this gateway.
    #[error("{0}")]
    Scenario(String),
    /// The machine.
    #[error("{doing}: {error}")]
    Machine {
        /// What was being done, a fragment.
        doing: &'static str,
        /// What the system said.
        error: std::io::Error,
    },
}

impl SetupError {
    fn machine(doing: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |error| Self::Machine { doing, error }
    }
}

impl Stage {
    /// The stage of one entry of the plan in a theatre that was opened for it, and perhaps for others.
    pub(super) fn set_up(entry: &Entry, theatre: Arc<Theatre>) -> Self {
        Self {
            scenario: entry.scenario.clone(),
            profile: entry.contender.profile.clone(),
            patience: theatre.patience(),
            minted: minted_with_names(entry, &theatre),
            theatre,
            revision: entry.revision,
            sessions: Mutex::default(),
            found: Mutex::default(),
            asked: std::sync::Mutex::default(),
        }
    }

    /// How long the answer to one who speaks so is waited for.
    pub(super) fn patience_of(&self, voice: &Voice) -> Duration {
        self.within(voice).unwrap_or(self.patience)
    }

    /// How long a step says that the answer is waited for, where it says so.
    pub(super) fn within(&self, voice: &Voice) -> Option<Duration> {
        match voice.within? {
            Within::For(time) => Some(time),
            Within::GivesUp => Some(self.profile.declares.gives_up?.0 + A_LITTLE),
        }
    }

    /// The revision that the sessions speak, where one was opened.
    pub(super) async fn revision(&self) -> Option<Revision> {
        self.sessions.lock().await.values().find_map(|open| open.session().map(|session| session.revision()))
    }

    /// What was said while the sessions were opened.
    pub(super) async fn opening_exchanges(&self) -> Vec<Exchange> {
        let sessions = self.sessions.lock().await;
        sessions.values().filter_map(sessions::Open::session).flat_map(Session::opening_exchanges).collect()
    }

    /// What only this run knows: tokens, ports, sessions, the folder.
    pub(super) async fn marks(&self) -> Vec<(Mark, String)> {
        let mut marks = self.theatre.marks();
        let canaries = self.scenario.canaries.keys().filter_map(|name| self.minted.get(name)?.as_str());
        marks.extend(canaries.map(|canary| (Mark::Canary, canary.to_owned())));
        let sessions = self.sessions.lock().await;
        let ids = sessions.values().filter_map(|open| open.session()?.id());
        marks.extend(ids.map(|id| (Mark::Session, id)));
        marks
    }

    /// The names of all tools that the upstreams began with, and of those that they get.
    pub(super) fn tools(&self) -> Vec<String> {
        let added = |change: &Change| match &change.what {
            Changed::Add(name) => Some(name.clone()),
            _ => None,
        };
        let steps = self.scenario.steps.iter().filter_map(|step| match &step.kind {
            Kind::Change(change) => added(change),
            _ => None,
        });
        let later =
            self.scenario.upstreams.values().flat_map(|upstream| upstream.changes.iter().filter_map(added));
        let first = self
            .theatre
            .mocks()
            .values()
            .flat_map(|server| server.mock().tools().into_iter().map(str::to_owned));
        let mut all: Vec<String> = first.collect();
        all.extend(steps.chain(later));
        all
    }

    /// The upstream that has a tool of that name.
    pub(super) fn upstream_of(&self, tool: &str) -> Option<String> {
        let has = |server: &MockServer| server.mock().entry(tool).is_some();
        let known = self.theatre.mocks().iter().find(|(_, server)| has(server)).map(|(name, _)| name.clone());
        known.or_else(|| self.upstream_that_adds(tool))
    }

    /// The upstream that gets a tool of that name while the scenario goes on.
    fn upstream_that_adds(&self, tool: &str) -> Option<String> {
        let adds = |change: &Change| matches!(&change.what, Changed::Add(name) if name == tool);
        let later = self.scenario.upstreams.iter().find(|(_, upstream)| upstream.changes.iter().any(adds));
        let by_step = || {
            let changes = self.scenario.steps.iter().filter_map(|step| match &step.kind {
                Kind::Change(change) if adds(change) => Some(change),
                _ => None,
            });
            let first = self.theatre.mocks().keys().next()?;
            changes.map(|change| change.upstream.clone().unwrap_or_else(|| first.clone())).next()
        };
        later.map(|(name, _)| name.clone()).or_else(by_step)
    }

    /// How many calls of a tool have reached the servers.
    pub(super) fn arrivals(&self, tool: &str) -> usize {
        self.theatre.mocks().values().map(|server| server.look(|ledger| arrived(ledger, tool))).sum()
    }

    /// Comes back once more calls of a tool have reached the servers than that.
    pub(super) async fn arrived(&self, tool: &str, before: usize) {
        let each = self.theatre.mocks().values().map(|server| {
            let already = server.look(|ledger| arrived(ledger, tool));
            Box::pin(async move {
                server.wait_for(|ledger| arrived(ledger, tool) > already).await;
            })
        });
        let waits: Vec<_> = each.collect();
        if self.arrivals(tool) <= before && !waits.is_empty() {
            futures_util::future::select_all(waits).await;
        }
    }

    /// One upstream's server.
    pub(super) fn mock(&self, name: &str) -> Result<&MockServer, String> {
        self.theatre.mocks().get(name).ok_or_else(|| format!("there is no upstream `{name}`"))
    }

    /// The gateway's own record of what it decided, or why it cannot be read.
    pub(super) async fn audit(&self) -> Result<Kept, String> {
        self.theatre.stand.audit().await
    }

    /// The names of the sessions that are open.
    pub(super) async fn open_sessions(&self) -> Vec<String> {
        let sessions = self.sessions.lock().await;
        let mut names: Vec<String> = sessions
            .iter()
            .filter(|(_, open)| open.session().is_some())
            .map(|(name, _)| name.clone())
            .collect();
        names.sort();
        names
    }

    /// Leaves: every connection is closed.
    pub(super) async fn leave(self) {
        for (_, open) in self.sessions.into_inner() {
            open.close().await;
        }
    }
}

fn arrived(ledger: &[Arrival], tool: &str) -> usize {
    ledger.iter().filter(|arrival| arrival.calls().iter().any(|call| call.tool == tool)).count()
}

/// A marker for each canary: unlike anything that the mocks say by themselves.
fn minted(scenario: &Scenario) -> Variables {
    let mut variables = Variables::default();
    for name in scenario.canaries.keys() {
        variables.set(name, format!("canary-{name}-{}", token(6)));
    }
    variables
}

/// The same, with what raw bytes have to know of the gateway: what an agent calls each tool, and the path of its endpoint.
fn minted_with_names(entry: &Entry, theatre: &Theatre) -> Variables {
    let mut variables = theatre.minted.clone();
    // Few scenarios send raw bytes, and there are hundreds of tools.
    if entry.scenario.text.contains("tools.") {
        let mut shown = Object::default();
        for (upstream, server) in theatre.mocks().iter().rev() {
            for tool in server.mock().tools() {
                theatre.names.shown(upstream, tool).into_iter().for_each(|name| shown.set(tool, name));
            }
        }
        variables.set(TOOLS, Json::Object(shown));
    }
    theatre.stand.endpoint().into_iter().for_each(|path| variables.set(ENDPOINT, path));
    variables
}

/// So many random bytes in hex.
pub(super) fn token(bytes: usize) -> String {
    let mut random = vec![0; bytes];
    getrandom::fill(&mut random).expect("the system gives random bytes");
    random.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The clock of an embedded gateway is turned, not waited for.
pub(super) fn clock() -> Clock {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Clock::turned(now)
}

/// The contender's name in an error.
pub(super) fn name_of(contender: &Contender) -> &str {
    &contender.name
}
