//! Everything that stands while one scenario is performed: mocks, the gateway in front of them, and the connections.

mod control;
mod gateway;
mod mocks;
mod sessions;

pub(super) use gateway::Stand;
pub(super) use sessions::Opened;

use super::plan::{Contender, Entry};
use super::record::Kept;
use crate::gateway::{Facts, Names, Profile, StartError};
use crate::mock::{Arrival, MockServer};
use crate::reference::Clock;
use crate::scenario::{Change, Changed, Kind, Scenario, Variables};
use crate::snapshot::Mark;
use crate::wire::Revision;
use indexmap::IndexMap;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::Mutex;

/// What a run gives to every stage.
#[derive(Clone, Debug)]
pub struct Setting {
    /// How long an answer is waited for.
    pub patience: Duration,
    /// The path of this program: gateways start it as the pipe to a mock.
    pub program: String,
    /// What a child's environment has.
    pub environment: Vec<(String, String)>,
}

/// Everything that stands while one scenario is performed.
pub(super) struct Stage {
    pub(super) scenario: Arc<Scenario>,
    pub(super) profile: Arc<Profile>,
    pub(super) names: Names,
    pub(super) patience: Duration,
    /// The variables that exist before the first step: canaries.
    pub(super) minted: Variables,
    revision: Option<Revision>,
    mocks: IndexMap<String, MockServer>,
    stand: Stand,
    sessions: Mutex<HashMap<String, sessions::Open>>,
    /// The approvals that were found already, by id.
    found: Mutex<HashSet<String>>,
    /// The gateway's folder; gone with the stage.
    _folder: TempDir,
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
    /// Starts the mocks and the gateway of one entry of the plan.
    pub(super) async fn set_up(entry: &Entry, setting: &Setting) -> Result<Self, SetupError> {
        let (scenario, contender) = (&entry.scenario, &entry.contender);
        let minted = minted(scenario);
        let mocks = mocks::start(scenario, &minted).await?;
        let folder = tempfile::Builder::new().prefix("gauntlet-").tempdir();
        let folder = folder.map_err(SetupError::machine("making a folder for the gateway"))?;
        let inputs = gateway::Inputs { scenario, mocks: &mocks, setting, folder: folder.path() };
        let stand = Stand::start(contender, &inputs).await?;
        let names = names(&contender.profile, stand.facts(), &mocks)?;
        Ok(Self {
            scenario: scenario.clone(),
            profile: contender.profile.clone(),
            names,
            patience: setting.patience,
            minted,
            revision: entry.revision,
            mocks,
            stand,
            sessions: Mutex::default(),
            found: Mutex::default(),
            _folder: folder,
        })
    }

    /// The revision that the sessions speak, where one was opened.
    pub(super) async fn revision(&self) -> Option<Revision> {
        self.sessions.lock().await.values().find_map(|open| open.session().map(|session| session.revision()))
    }

    /// What only this run knows: tokens, ports, sessions, the folder.
    pub(super) async fn marks(&self) -> Vec<(Mark, String)> {
        let facts = self.stand.facts();
        let mut marks = vec![
            (Mark::Token, facts.secret.clone()),
            (Mark::Folder, facts.folder.clone()),
            (Mark::Port, facts.port.to_string()),
            (Mark::Port, facts.side_port.to_string()),
        ];
        marks.extend(facts.identities.iter().map(|identity| (Mark::Token, identity.token.clone())));
        marks.extend(self.mocks.values().map(|server| (Mark::Port, server.address().port().to_string())));
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
        let first =
            self.mocks.values().flat_map(|server| server.mock().tools().into_iter().map(str::to_owned));
        let mut all: Vec<String> = first.collect();
        all.extend(steps.chain(later));
        all
    }

    /// The upstream that has a tool of that name.
    pub(super) fn upstream_of(&self, tool: &str) -> Option<String> {
        let has = |server: &MockServer| server.mock().entry(tool).is_some();
        let known = self.mocks.iter().find(|(_, server)| has(server)).map(|(name, _)| name.clone());
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
            let first = self.mocks.keys().next()?;
            changes.map(|change| change.upstream.clone().unwrap_or_else(|| first.clone())).next()
        };
        later.map(|(name, _)| name.clone()).or_else(by_step)
    }

    /// One upstream's server.
    pub(super) fn mock(&self, name: &str) -> Result<&MockServer, String> {
        self.mocks.get(name).ok_or_else(|| format!("there is no upstream `{name}`"))
    }

    /// The gateway's own record of what it decided, as text, where it keeps one.
    pub(super) async fn audit(&self) -> Option<Kept> {
        self.stand.audit().await
    }

    /// Ends it all in the order that closes the ledgers: connections, gateway, mocks; then what arrived, and
    /// what the mocks had no answer for.
    pub(super) async fn tear_down(self) -> (Vec<Arrival>, Vec<String>) {
        for (_, open) in self.sessions.into_inner() {
            open.close().await;
        }
        self.stand.stop().await;
        let mut arrivals: Vec<Arrival> = self.mocks.values().flat_map(MockServer::ledger).collect();
        arrivals.sort_by_key(|arrival| arrival.at);
        let complaints = self.mocks.values().flat_map(MockServer::complaints).collect();
        for (_, server) in self.mocks {
            server.stop().await;
        }
        (arrivals, complaints)
    }
}

/// The names of all tools as the gateway shows them.
fn names(
    profile: &Profile,
    facts: &Facts,
    mocks: &IndexMap<String, MockServer>,
) -> Result<Names, SetupError> {
    let tools: Vec<(String, Vec<String>)> = mocks
        .iter()
        .map(|(name, server)| (name.clone(), server.mock().tools().into_iter().map(str::to_owned).collect()))
        .collect();
    let pairs = tools
        .iter()
        .flat_map(|(upstream, names)| names.iter().map(move |tool| (upstream.as_str(), tool.as_str())));
    Names::of(profile, facts, pairs).map_err(|error| SetupError::Scenario(error.to_string()))
}

/// A marker for each canary: unlike anything that the mocks say by themselves.
fn minted(scenario: &Scenario) -> Variables {
    let mut variables = Variables::default();
    for name in scenario.canaries.keys() {
        variables.set(name, format!("canary-{name}-{}", token(6)));
    }
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
