//! How long a call takes through the gateway and without it: one call after the other, each both ways, when nothing
//! else runs.

use super::manner;
use super::twin::Twin;
use crate::diagnostic::printable_within;
use crate::run::plan::{Entry, Fate};
use crate::run::stage::{Opened, Setting, SetupError, Stage, Theatre};
use crate::run::telling::answer_line;
use crate::scenario;
use crate::transcript::Exchange;
use crate::wire::Json;
use crate::witness::{Ask, Session};
use serde::Serialize;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The policy that every gateway can express, and the call that it allows.
const MEASURED: &str = include_str!("latency.yaml");

/// The tool that is called: it reads, and its answer is of a usual size.
const TOOL: &str = "list_hosts";

/// Pairs of calls that warm everything up.
const WARM_UP: usize = 20;

/// Pairs of calls that are measured.
const PAIRS: usize = 200;

/// A slow gateway is measured so long, with fewer pairs.
const LONGEST: Duration = Duration::from_secs(10);

/// With fewer calls than this one in a hundred is nobody.
const ENOUGH_FOR_P99: usize = 100;

/// How long calls took, in milliseconds.
#[derive(Clone, Debug, Serialize)]
pub struct Latency {
    /// The tool that was called.
    pub tool: &'static str,
    /// How many calls were made each way, alternately, one after the other.
    pub calls: usize,
    /// Straight to the server.
    pub direct: Quantiles,
    /// Through the gateway.
    pub through: Quantiles,
    /// Through minus direct, pair by pair.
    pub added: Quantiles,
    /// Processors of the machine.
    pub cores: usize,
    /// Its operating system and architecture.
    pub machine: String,
    /// Whether this program was built for speed: a debug build adds its own slowness to both ways.
    pub optimised: bool,
}

/// The middle, and what one call in a hundred exceeds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Quantiles {
    /// Half of the calls took at most so long.
    pub p50_ms: f64,
    /// Ninety-nine of a hundred took at most so long; `None` where there were too few to say.
    pub p99_ms: Option<f64>,
}

impl Quantiles {
    /// Of these times in milliseconds, by nearest rank.
    fn of(mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        let rank = |percent: usize| times[(times.len() * percent).div_ceil(100).max(1) - 1];
        Self { p50_ms: rank(50), p99_ms: (times.len() >= ENOUGH_FOR_P99).then(|| rank(99)) }
    }
}

/// Measures on a stage of its own, so that no verdict is touched; an error is why it could not be done.
pub(super) async fn measure(entry: &Entry, setting: &Setting) -> Result<Latency, String> {
    let scenario = scenario::read(MEASURED, "latency.yaml").map_err(|wrong| wrong.to_string())?;
    let entry = Entry { scenario: Arc::new(scenario), fate: Fate::Run, ..entry.clone() };
    let theatre = Theatre::open(&entry.contender, &entry.scenario, setting).await;
    let theatre = Arc::new(theatre.map_err(|error| first_line(&error))?);
    let stage = Stage::set_up(&entry, Arc::clone(&theatre));
    let measured = on(&stage).await;
    stage.leave().await;
    Arc::into_inner(theatre).expect("the stage has been left").close().await;
    measured
}

/// Errors of the world go on with what helps, which is told elsewhere.
fn first_line(error: &SetupError) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

async fn on(stage: &Stage) -> Result<Latency, String> {
    let scenario = &stage.scenario;
    let name = scenario.sessions.keys().next().cloned().unwrap_or_default();
    let through = match stage.session(&name).await {
        Opened::Open(session) => session,
        Opened::Refused(exchange) => return Err(format!("no session: {}", answer_line(&exchange))),
    };
    let upstream = scenario.upstreams.keys().next().cloned().unwrap_or_default();
    let shown = stage.theatre.names.spelled(&upstream, TOOL).map_err(|error| error.to_string())?;
    let manner = manner(stage).await.ok_or("no session was opened")?;
    let mut twin =
        Twin::start(Arc::clone(&stage.scenario), manner).await.map_err(|error| error.to_string())?;
    let direct = twin.session(&upstream, &name).await.ok_or("the server itself could not be reached")?;
    let ways =
        Ways { direct: (direct, TOOL.to_owned()), through: (through, shown), patience: stage.patience };
    let first = ways.ask(&ways.through).await;
    if !stage.mock(&upstream)?.ledger().iter().any(|arrival| !arrival.executed.is_empty()) {
        return Err(format!("`{TOOL}` did not run: {}", printable_within(&answer_line(&first), 200)));
    }
    let alternated = ways.alternate().await;
    drop(ways);
    twin.stop().await;
    let (direct, through) = alternated?;
    let added = direct.iter().zip(&through).map(|(direct, through)| through - direct).collect();
    Ok(Latency {
        tool: TOOL,
        calls: direct.len(),
        direct: Quantiles::of(direct),
        through: Quantiles::of(through),
        added: Quantiles::of(added),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        machine: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        optimised: !cfg!(debug_assertions),
    })
}

/// Both ways, each with the name that the tool has there.
struct Ways {
    direct: (Session, String),
    through: (Session, String),
    patience: Duration,
}

impl Ways {
    /// Times of both ways, pair by pair. Which way goes first changes with each pair: so neither is always the one that
    /// finds everything warm.
    async fn alternate(&self) -> Result<(Vec<f64>, Vec<f64>), String> {
        let (mut direct, mut through) = (Vec::new(), Vec::new());
        let begin = Instant::now();
        for pair in 0..WARM_UP + PAIRS {
            let (one, other) = if pair % 2 == 0 {
                let one = self.time(&self.direct).await?;
                (one, self.time(&self.through).await?)
            } else {
                let other = self.time(&self.through).await?;
                (self.time(&self.direct).await?, other)
            };
            if pair >= WARM_UP || begin.elapsed() > LONGEST {
                direct.push(one);
                through.push(other);
            }
            if begin.elapsed() > LONGEST {
                break;
            }
        }
        Ok((direct, through))
    }

    async fn time(&self, way: &(Session, String)) -> Result<f64, String> {
        let exchange = self.ask(way).await;
        let answered = exchange.responses().next().map(|(piece, _)| piece.at);
        match answered {
            Some(at) => Ok(at.duration_since(exchange.sent.at).as_secs_f64() * 1e3),
            None => {
                Err(format!("a call was not answered: {}", printable_within(&answer_line(&exchange), 200)))
            }
        }
    }

    /// The response is enough: a stream may stay open behind it.
    async fn ask(&self, (session, tool): &(Session, String)) -> Exchange {
        let mut flight = session.start(Ask::call(tool, Json::object()));
        flight.wait_until(|exchange| exchange.response().is_some(), self.patience).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_by_nearest_rank_and_need_enough_calls() {
        let times = |count: usize| (1..=count).rev().map(|time| time as f64).collect::<Vec<_>>();
        assert_eq!(Quantiles::of(times(1)), Quantiles { p50_ms: 1.0, p99_ms: None });
        assert_eq!(Quantiles::of(times(99)), Quantiles { p50_ms: 50.0, p99_ms: None });
        assert_eq!(Quantiles::of(times(200)), Quantiles { p50_ms: 100.0, p99_ms: Some(198.0) });
    }

    #[test]
    fn what_is_measured_reads() {
        let scenario = scenario::read(MEASURED, "latency.yaml").unwrap();
        assert_eq!(scenario.upstreams.len(), 1);
    }
}
