//! What stands for one scenario, or for several that share a start: mocks, and the gateway in front of them.

use super::gateway::{self, Stand};
use super::mocks;
use super::{Beside, Setting, SetupError, minted};
use crate::gateway::{Facts, Names, Profile};
use crate::mock::{Arrival, MockServer};
use crate::run::plan::Contender;
use crate::run::remote::Places;
use crate::scenario::{Scenario, Variables};
use crate::snapshot::Mark;
use indexmap::IndexMap;
use std::collections::HashSet;
use std::time::Duration;
use tempfile::TempDir;

/// How long nothing must arrive before a shared ledger is closed, and how long that is waited for.
const QUIET: Duration = Duration::from_millis(300);
const PATIENCE: Duration = Duration::from_secs(10);

/// Who has been at a server.
pub(in crate::run) struct Visits {
    name: String,
    url: String,
    /// How many requests arrived.
    pub(in crate::run) requests: usize,
    /// How many of them without the token that it demands.
    pub(in crate::run) strangers: usize,
}

impl std::fmt::Display for Visits {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, url, requests, strangers } = self;
        let what = match requests {
            0 => "nothing".to_owned(),
            1 => "1 request".to_owned(),
            several => format!("{several} requests"),
        };
        write!(out, "{what} arrived at `{name}` ({url})")?;
        if *strangers > 0 {
            write!(out, ", {strangers} without the token that it demands (401)")?;
        }
        Ok(())
    }
}

/// Mocks and the gateway in front of them.
pub(in crate::run) struct Theatre {
    pub(in crate::run) names: Names,
    pub(super) stand: Stand,
    /// The variables that exist before the first step: canaries, which are planted in what the servers say.
    pub(in crate::run) minted: Variables,
    /// What is done beside the run.
    pub(in crate::run) beside: Beside,
    mocks: IndexMap<String, MockServer>,
    /// Servers that the gateway is told nothing of.
    decoys: IndexMap<String, MockServer>,
    patience: Duration,
    /// The gateway's folder; gone with the theatre.
    _folder: TempDir,
}

impl Theatre {
    /// Starts the mocks and the gateway for a scenario, or for several in one.
    pub(in crate::run) async fn open(
        contender: &Contender,
        scenario: &Scenario,
        setting: &Setting,
    ) -> Result<Self, SetupError> {
        let mut minted = minted(scenario);
        let decoys = mocks::decoys(scenario, &mut minted).await?;
        let places = setting.remote.as_ref().map(|remote| &remote.places);
        let mocks = mocks::start(scenario, places, &minted).await?;
        let folder = tempfile::Builder::new().prefix("gauntlet-").tempdir();
        let folder = folder.map_err(SetupError::machine("making a folder for the gateway"))?;
        let inputs = gateway::Inputs { scenario, mocks: &mocks, setting, folder: folder.path() };
        let stand = Stand::start(contender, &inputs).await?;
        let names = names(&contender.profile, stand.facts(), &mocks)?;
        let (patience, beside) = (setting.patience, setting.beside);
        Ok(Self { names, stand, minted, beside, mocks, decoys, patience, _folder: folder })
    }

    /// The servers behind the gateway.
    pub(super) fn mocks(&self) -> &IndexMap<String, MockServer> {
        &self.mocks
    }

    /// How long an answer is waited for.
    pub(super) fn patience(&self) -> Duration {
        self.patience
    }

    /// The mocks' worlds are as at first: what one scenario destroyed is there again for the next.
    pub(in crate::run) fn begin_anew(&self) {
        self.mocks.values().for_each(MockServer::begin_anew);
    }

    /// What the mocks had no answer for since they began anew.
    pub(in crate::run) fn complaints(&self) -> Vec<String> {
        self.mocks.values().flat_map(MockServer::complaints).collect()
    }

    /// Whether the gateway is still there, as far as can be known without speaking to it.
    pub(in crate::run) async fn lives(&self) -> bool {
        self.stand.gateway.write().await.as_mut().is_none_or(crate::gateway::RunningGateway::lives)
    }

    /// Whether any call has arrived anywhere.
    pub(in crate::run) fn has_been_called(&self) -> bool {
        let called = |ledger: &[Arrival]| ledger.iter().any(|arrival| !arrival.executed.is_empty());
        self.mocks.values().any(|server| server.look(called))
    }

    /// Who has been at each server, for whoever looks for a fault.
    pub(in crate::run) fn visits(&self, places: &Places) -> Vec<Visits> {
        let each = |(place, (name, server)): (usize, (&String, &MockServer))| {
            let ledger = server.ledger();
            let bears = |arrival: &&Arrival| {
                let token = arrival.headers.get("authorization").and_then(|value| value.split_once(' '));
                let token = token.map(|(_, token)| token.trim());
                places.bearer.is_none() || token == places.bearer.as_deref()
            };
            let known = ledger.iter().filter(bears).count();
            let (requests, strangers) = (ledger.len(), ledger.len() - known);
            Visits { name: name.clone(), url: places.url(place, name), requests, strangers }
        };
        self.mocks.iter().enumerate().map(each).collect()
    }

    /// Waits until nothing has arrived for a while: what a gateway does behind its answers is still on its way.
    pub(in crate::run) async fn calm(&self) {
        let arrived = || self.mocks.values().map(|server| *server.arrivals().borrow()).sum::<u64>();
        let end = tokio::time::Instant::now() + PATIENCE;
        let mut before = arrived();
        loop {
            tokio::time::sleep(QUIET).await;
            let now = arrived();
            if now == before || tokio::time::Instant::now() >= end {
                return;
            }
            before = now;
        }
    }

    /// Waits until every answer of the mocks was given or given up, as long as answers are waited for at all.
    pub(in crate::run) async fn idle(&self) {
        let all = futures_util::future::join_all(self.mocks.values().map(MockServer::idle));
        // What goes on for longer was not taken back.
        let _ = tokio::time::timeout(self.patience, all).await;
    }

    /// What only this run knows of the gateway and the mocks: tokens, ports, the folder.
    pub(super) fn marks(&self) -> Vec<(Mark, String)> {
        let facts = self.stand.facts();
        let mut marks = vec![
            (Mark::Token, facts.secret.clone()),
            (Mark::Folder, facts.folder.clone()),
            (Mark::Port, facts.port.to_string()),
            (Mark::Port, facts.side_port.to_string()),
        ];
        marks.extend(facts.identities.iter().map(|identity| (Mark::Token, identity.token.clone())));
        let servers = self.mocks.values().chain(self.decoys.values());
        marks.extend(servers.map(|server| (Mark::Port, server.address().port().to_string())));
        marks
    }

    /// The arrivals that are abandoned by now: their servers, and their places there.
    fn abandoned(&self) -> HashSet<(String, u64)> {
        let mut abandoned = HashSet::new();
        for server in self.mocks.values() {
            server.look(|ledger| {
                let all = ledger.iter().filter(|arrival| arrival.abandoned);
                abandoned.extend(all.map(|arrival| (arrival.upstream.clone(), arrival.seq)));
            });
        }
        abandoned
    }

    /// Ends it in the order that closes the ledgers: the gateway, then the mocks. Gives what arrived, in order of
    /// time, and what the mocks had no answer for since they last began anew.
    pub(in crate::run) async fn close(self) -> (Vec<Arrival>, Vec<String>) {
        let taken_back = self.abandoned();
        self.stand.stop().await;
        let servers = self.mocks.values().chain(self.decoys.values());
        let mut arrivals: Vec<Arrival> = servers.flat_map(MockServer::ledger).collect();
        // A gateway that stops lets go of all its connections; nobody has taken anything back by that.
        for arrival in arrivals.iter_mut().filter(|arrival| arrival.abandoned) {
            arrival.abandoned = taken_back.contains(&(arrival.upstream.clone(), arrival.seq));
        }
        arrivals.sort_by_key(|arrival| arrival.at);
        let complaints = self.mocks.values().flat_map(MockServer::complaints).collect();
        for (_, server) in self.mocks.into_iter().chain(self.decoys) {
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
