//! Direct against through: what ran through a gateway is done again at the same servers without it, and both are
//! compared member by member.
//!
//! It reports what a gateway adds, drops, renames and changes, and how long it takes; it judges nothing. It does not
//! know what the gateway decided: only what ran is done again, so that the servers' state stays in step.

mod difference;
mod exchange;
mod headers;
mod latency;
mod listing;
mod replay;
mod twin;
mod value;

pub use difference::{Kind, Passage, Row, Side, Tally};
pub use latency::{Latency, Quantiles};
pub(super) use replay::Seen;
pub(super) use value::differences;

use super::outcome::ScenarioOutcome;
use super::plan::{Entry, Fate};
use super::stage::{Setting, Stage};
use crate::gateway::Mode;
use serde::Serialize;
use std::sync::Arc;
use twin::{Manner, Twin};

/// What a run says of one gateway beside its verdicts.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// How many calls were compared.
    pub calls: usize,
    /// How many lists were compared.
    pub lists: usize,
    /// Every difference, by side and place.
    pub rows: Vec<Row>,
    /// How many differences did not find room among them.
    pub beyond: usize,
    /// How long calls took.
    pub latency: Option<Latency>,
    /// Why that was not measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unmeasured: Option<String>,
}

/// How the stage was spoken to; `None` where it never was.
async fn manner(stage: &Stage) -> Option<Manner> {
    let offers = stage.profile.offers();
    Some(Manner {
        revision: stage.revision().await?,
        lines: stage.profile.speaks_lines(),
        elicitation: offers.contains(&Mode::Form),
        address: offers.contains(&Mode::Url),
        patience: stage.patience,
        minted: stage.minted.clone(),
    })
}

/// What is kept of a stage for the time when it is gone.
pub(super) struct Kept {
    manner: Manner,
    pub(super) names: crate::gateway::Names,
}

impl Kept {
    /// What is needed of it; `None` where nothing was said on it.
    pub(super) async fn of(stage: &Stage) -> Option<Self> {
        Some(Self { manner: manner(stage).await?, names: stage.theatre.names.clone() })
    }
}

/// Compares what one scenario saw with what is seen without the gateway.
pub(super) async fn compare(entry: &Entry, kept: &Kept, seen: &Seen<'_>) -> Tally {
    let scenario = Arc::clone(&entry.scenario);
    // Lists that change by themselves count who asks, and a gateway asks at other times than an agent.
    if scenario.upstreams.values().flat_map(|upstream| &upstream.changes).any(|change| change.after.is_some())
    {
        return Tally::default();
    }
    let Ok(mut twin) = Twin::start(Arc::clone(&scenario), kept.manner.clone()).await else {
        return Tally::default();
    };
    let tally = replay::replay(&scenario, seen, &mut twin).await;
    twin.stop().await;
    tally
}

/// What the scenarios of one gateway came to, and, now that nothing else runs, how long its calls take.
pub(super) async fn conclude(
    gateway: &str,
    plan: &[Entry],
    scenarios: &mut [ScenarioOutcome],
    setting: &Setting,
) -> Option<Comparison> {
    let entry = plan.iter().find(|entry| entry.contender.name == gateway && entry.fate == Fate::Run)?;
    let mut tally = Tally::default();
    for scenario in scenarios.iter_mut().filter(|scenario| scenario.gateway == gateway) {
        tally.join(std::mem::take(&mut scenario.compared));
    }
    let (calls, lists) = (tally.calls, tally.lists);
    let measured = match calls {
        0 => Err("no call got through".to_owned()),
        _ => latency::measure(entry, setting).await,
    };
    let (latency, unmeasured) = match measured {
        Ok(latency) => (Some(latency), None),
        Err(why) => (None, Some(why)),
    };
    let (rows, beyond) = tally.into_rows();
    Some(Comparison { calls, lists, rows, beyond, latency, unmeasured })
}
