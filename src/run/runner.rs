//! Runs a plan: packs of entries side by side, results in the plan's order. It cannot fail: what goes wrong is an outcome.

use super::against::{self, Tally};
use super::event::Event;
use super::introduced;
use super::outcome::{Excused, GatewayRow, Outcome, ScenarioOutcome, Status, Summary, VERSION};
use super::pack::{merged, packs};
use super::plan::{Contender, Entry, Fate};
use super::play::play;
use super::preflight::Probe;
use super::settle::expressible;
use super::stage::{Setting, SetupError, Theatre, is_broken};
use super::whole;
use crate::gateway::{Isolate, Start};
use crate::scenario::{Scenario, Upstream};
use futures_util::StreamExt as _;
use indexmap::IndexSet;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::{OnceCell, mpsc};
use tokio_util::task::AbortOnDropHandle;

/// How a plan is run.
#[derive(Clone, Debug)]
pub struct Pace {
    /// How many entries run at the same time; at least one.
    pub jobs: usize,
    /// Whether the first entry that does not pass is the last one begun; those that share its start still run.
    pub fail_fast: bool,
    /// What may share one start, instead of what each profile says.
    pub isolate: Option<Isolate>,
}

impl Pace {
    /// How many entries go well together: within this process they mostly wait, a process of its own works.
    pub fn jobs_for<'a>(contenders: impl IntoIterator<Item = &'a Contender>) -> usize {
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        let starts = |contender: &Contender| matches!(contender.profile.start, Some(Start::Command(_)));
        processors * if contenders.into_iter().any(starts) { 2 } else { 32 }
    }

    /// So many at the same time, to the end, and shared as each profile says.
    pub fn of(jobs: usize) -> Self {
        Self { jobs, fail_fast: false, isolate: None }
    }
}

/// What came of a run, and what of the world was wrong.
#[derive(Debug)]
pub struct Ran {
    /// The outcome.
    pub outcome: Outcome,
    /// Gateways that did not start, and other trouble of the world; empty in a good run.
    pub world: Vec<String>,
}

/// Runs every entry, those that share a start together, and tells what happens as it happens.
pub async fn run(plan: &[Entry], setting: &Setting, pace: &Pace, mut tell: impl FnMut(&Event)) -> Ran {
    let begun = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    let mut ran = Vec::new();
    let keep = |event| {
        tell(&event);
        if let Event::Ended { place, outcome } = event {
            ran.push((place, outcome));
        }
    };
    let world = each(plan, setting, pace, keep).await;
    ran.sort_by_key(|(place, _)| *place);
    let mut scenarios: Vec<_> = ran.into_iter().map(|(_, outcome)| *outcome).collect();
    let mut gateways = gateways(plan, &scenarios);
    if setting.beside.direct {
        for row in &mut gateways {
            row.comparison = against::conclude(&row.name, plan, &mut scenarios, setting).await;
        }
    }
    let outcome = Outcome {
        version: VERSION,
        gauntlet: env!("CARGO_PKG_VERSION"),
        begun,
        summary: Summary::of(&scenarios),
        gateways,
        scenarios,
        known: None,
    };
    Ran { outcome, world }
}

/// Runs every entry and hands over each outcome as it comes, out of order; nothing is kept of them. Gives what of the
/// world was wrong.
pub async fn each(
    plan: &[Entry],
    setting: &Setting,
    pace: &Pace,
    mut tell: impl FnMut(Event),
) -> Vec<String> {
    tell(Event::Planned { total: plan.len() });
    let (events, mut told) = mpsc::unbounded_channel();
    let run = Arc::new(Run {
        plan: plan.to_vec(),
        setting: setting.clone(),
        pace: pace.clone(),
        events,
        stopped: AtomicBool::new(false),
        broken: Mutex::default(),
        tried: Mutex::default(),
    });
    let begin = |pack: Vec<usize>| {
        let run = run.clone();
        AbortOnDropHandle::new(tokio::spawn(async move { run.pack(&pack).await }))
    };
    let packs = futures_util::stream::iter(packs(plan, pace.isolate, &expressible)).map(begin);
    let mut packs = packs.buffer_unordered(pace.jobs.max(1));
    let mut world = BTreeMap::new();
    loop {
        tokio::select! {
            biased;
            Some(event) = told.recv() => tell(event),
            pack = packs.next() => match pack {
                Some(Ok(done)) => for Done { place, outcome, trouble } in done {
                    world.extend(trouble.map(|trouble| (place, trouble)));
                    tell(Event::Ended { place, outcome: Box::new(outcome) });
                },
                Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
                None => break,
            },
        }
    }
    world.into_values().collect::<IndexSet<_>>().into_iter().collect()
}

/// What came of one entry.
struct Done {
    /// Its place in the plan.
    place: usize,
    outcome: ScenarioOutcome,
    /// What of the world was wrong.
    trouble: Option<String>,
}

/// Why nothing can be tried at a gateway that runs already.
const NO_PROBE: &str = "the scenario has no call that its policy lets pass without a limit: nothing shows whether calls \
                        come through the gateway\nhelp: name a second scenario beside it, about the same servers, and \
                        configure the gateway with what `gauntlet render --suite` prints for both";

/// A run that goes on.
struct Run {
    plan: Vec<Entry>,
    setting: Setting,
    pace: Pace,
    events: mpsc::UnboundedSender<Event>,
    /// Set when nothing more is to be begun.
    stopped: AtomicBool,
    /// Gateways that did not start: they are not tried again, the others are.
    broken: Mutex<HashSet<String>>,
    /// Those that agents start themselves, and why they do not start; empty where that is not known yet.
    tried: Mutex<HashMap<String, Arc<OnceCell<Option<String>>>>>,
}

impl Run {
    /// Runs the entries at these places with one start of their gateway, or with a few where one is not enough.
    async fn pack(&self, places: &[usize]) -> Vec<Done> {
        if let Some(done) = self.not_run(places) {
            return done;
        }
        let entries: Vec<&Entry> = places.iter().map(|place| &self.plan[*place]).collect();
        let begin = Instant::now();
        match self.open(&entries).await {
            Ok((theatre, fence)) => {
                let outcomes = play(&entries, theatre, fence.as_ref(), |entry| self.begins(entry)).await;
                #[cfg(feature = "rmcp")]
                let outcomes = self.seen_by_an_sdk(&entries, outcomes).await;
                let mut done: Vec<Done> = places
                    .iter()
                    .zip(outcomes)
                    .map(|(place, outcome)| self.end(*place, outcome, None))
                    .collect();
                // The gateway was gone before all had had their turn: the others get a start of their own.
                if let Some(rest) = places.get(done.len()..).filter(|rest| !rest.is_empty()) {
                    done.extend(Box::pin(self.pack(rest)).await);
                }
                done
            }
            // Together they do not work: that is nobody's fault yet.
            Err(_) if places.len() > 1 && self.setting.remote.is_none() => {
                let (first, second) = places.split_at(places.len() / 2);
                let mut done = Box::pin(self.pack(first)).await;
                done.extend(Box::pin(self.pack(second)).await);
                done
            }
            Err(error) => {
                self.begins(entries[0]);
                let (outcome, trouble) = unstarted(entries[0], error, begin.elapsed());
                let mut done = vec![self.end(places[0], outcome, trouble)];
                done.extend(places[1..].iter().map(|place| {
                    self.end(*place, skipped(&self.plan[*place], Status::Skipped, "not begun"), None)
                }));
                done
            }
        }
    }

    /// The same once more with an SDK's client, where that was asked for.
    #[cfg(feature = "rmcp")]
    async fn seen_by_an_sdk(
        &self,
        entries: &[&Entry],
        mut outcomes: Vec<ScenarioOutcome>,
    ) -> Vec<ScenarioOutcome> {
        if self.setting.beside.sdk {
            for (entry, outcome) in entries.iter().zip(&mut outcomes) {
                super::second::look(entry, &self.setting, outcome).await;
            }
        }
        outcomes
    }

    /// What is to be said without running anything.
    fn not_run(&self, places: &[usize]) -> Option<Vec<Done>> {
        let stopped = self.stopped.load(Ordering::Relaxed);
        let why = |place: &usize| {
            let entry = &self.plan[*place];
            let stopped = stopped || self.broken().contains(&entry.contender.name);
            let outcome = match &entry.fate {
                Fate::Run if stopped => skipped(entry, Status::Skipped, "not begun"),
                Fate::Run => return None,
                Fate::NotApplicable(why) => skipped(entry, Status::NotApplicable, why),
                Fate::Slow(time) => {
                    let why = format!("slow ({}, run with --slow)", humantime::format_duration(*time));
                    skipped(entry, Status::Skipped, &why)
                }
            };
            Some(Done { place: *place, outcome, trouble: None })
        };
        places.iter().map(why).collect()
    }

    /// Makes sure, once in a run, that a gateway that agents start themselves starts at all: what is not there refuses
    /// everything. That it does not is everybody's trouble; any other error is this entry's own.
    async fn tried(&self, entry: &Entry) -> Result<(), SetupError> {
        let contender = &entry.contender;
        if self.setting.remote.is_some() || !contender.profile.speaks_lines() {
            return Ok(());
        }
        let tried = self
            .tried
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(contender.name.clone())
            .or_default()
            .clone();
        let told = tried.get_or_try_init(|| whole::does_not_start(entry, &self.setting));
        told.await?.clone().map_or(Ok(()), |why| Err(SetupError::Absent(why)))
    }

    /// Opens a theatre for the entries; at a gateway that runs already a first call has come through then, and is the
    /// fence behind each scenario.
    async fn open(&self, entries: &[&Entry]) -> Result<(Arc<Theatre>, Option<Probe>), SetupError> {
        let contender = &entries[0].contender;
        self.tried(entries[0]).await?;
        if let [broken] = entries
            && is_broken(&broken.scenario)
        {
            whole::is_served_whole(broken, &self.setting).await?;
        }
        let scenarios: Vec<&Scenario> = entries.iter().map(|entry| &*entry.scenario).collect();
        let theatre = Arc::new(Theatre::open(contender, &merged(&scenarios), &self.setting).await?);
        let Some(remote) = &self.setting.remote else { return Ok((theatre, None)) };
        let probe = remote.probe.as_ref().ok_or_else(|| SetupError::Unreached(NO_PROBE.to_owned()))?;
        probe.fly(&theatre, remote).await.map_err(SetupError::Unreached)?;
        Ok((theatre, Some(probe.clone())))
    }

    fn broken(&self) -> MutexGuard<'_, HashSet<String>> {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begins(&self, entry: &Entry) {
        let (id, gateway) = (entry.scenario.id.clone(), entry.contender.name.clone());
        self.tell(Event::Started { id, gateway });
    }

    fn end(&self, place: usize, mut outcome: ScenarioOutcome, trouble: Option<String>) -> Done {
        if trouble.is_none() {
            excuse(&mut outcome, &self.plan[place]);
        }
        // A known failure is none that a run stops for.
        let unwell = matches!(outcome.status, Status::Failed | Status::Inconclusive);
        if self.pace.fail_fast && unwell {
            self.stopped.store(true, Ordering::Relaxed);
        }
        if trouble.is_some() {
            self.broken().insert(self.plan[place].contender.name.clone());
        }
        Done { place, outcome, trouble }
    }

    fn tell(&self, event: Event) {
        // Who listens outlives every task.
        let _ = self.events.send(event);
    }
}

/// What is said of an entry whose gateway could not be started for it.
fn unstarted(entry: &Entry, error: SetupError, elapsed: Duration) -> (ScenarioOutcome, Option<String>) {
    let (mut outcome, trouble) = match error {
        SetupError::Cannot(what) => {
            (skipped(entry, Status::NotApplicable, &format!("it cannot express {what}")), None)
        }
        SetupError::Scenario(why) => (skipped(entry, Status::Inconclusive, &why), None),
        // What to look at is told once, for all that were to be run.
        SetupError::Unreached(told) => {
            let why = told.lines().next().unwrap_or_default();
            (skipped(entry, Status::Inconclusive, why), Some(told))
        }
        error => (skipped(entry, Status::Inconclusive, &error.to_string()), Some(error.to_string())),
    };
    outcome.elapsed_ms = millis(elapsed);
    (outcome, trouble)
}

/// A failure that the list of known deviations names is told as such. A gateway that does not even start is none.
fn excuse(outcome: &mut ScenarioOutcome, entry: &Entry) {
    let unwell = matches!(outcome.status, Status::Failed | Status::Inconclusive);
    if let Some(known) = entry.known.as_ref().filter(|_| unwell) {
        let (because, until) = (known.because.clone(), known.until.value.to_string());
        outcome.known = Some(Excused { was: outcome.status, because, until });
        outcome.status = Status::Known;
    }
}

fn gateways(plan: &[Entry], scenarios: &[ScenarioOutcome]) -> Vec<GatewayRow> {
    let mut rows: Vec<GatewayRow> = Vec::new();
    for entry in plan {
        let Contender { name, profile, flaw } = &*entry.contender;
        if !rows.iter().any(|row| row.name == *name) {
            let own = scenarios.iter().filter(|scenario| scenario.gateway == *name);
            let introduced = introduced::together(own.flat_map(|scenario| &scenario.introduced));
            let (name, flaw) = (name.clone(), flaw.clone());
            let profile = profile.hash.clone();
            let verified = entry.contender.profile.verified.as_ref().map(|one| one.version.clone());
            rows.push(GatewayRow { name, flaw, profile, verified, introduced, comparison: None });
        }
    }
    rows
}

pub(super) fn skipped(entry: &Entry, status: Status, why: &str) -> ScenarioOutcome {
    ScenarioOutcome { status, why: Some(why.to_owned()), ..blank(entry) }
}

pub(super) fn blank(entry: &Entry) -> ScenarioOutcome {
    let scenario = &entry.scenario;
    let played = |upstream: &Upstream| match &upstream.own {
        Some(own) => own.mock.name().to_owned(),
        None => upstream.mock.value.clone(),
    };
    let upstreams: IndexSet<String> = scenario.upstreams.values().map(played).collect();
    ScenarioOutcome {
        id: scenario.id.clone(),
        title: scenario.title.clone(),
        group: group(&scenario.file),
        requirements: scenario.requirements.iter().map(|one| one.value.clone()).collect(),
        attack: scenario.attack.clone(),
        severity: scenario.severity,
        observed: scenario.observe,
        file: scenario.file.clone(),
        gateway: entry.contender.name.clone(),
        upstreams: upstreams.into_iter().collect(),
        revision: entry.revision.map(|revision| revision.to_string()),
        status: Status::Skipped,
        why: None,
        known: None,
        steps: Vec::new(),
        unexplained: Vec::new(),
        elapsed_ms: 0,
        again: String::new(),
        introduced: Vec::new(),
        marks: Vec::new(),
        compared: Tally::default(),
    }
}

/// The folder that a scenario stands in.
fn group(file: &str) -> String {
    let mut parts = file.rsplit('/').skip(1);
    parts.next().filter(|part| !part.is_empty() && *part != ".").unwrap_or("scenarios").to_owned()
}

pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
