//! The suite proves itself: the honest gateway passes every scenario, a gateway that lies fails those that are about the
//! lie, and a gateway that is only different raises no alarm.
//!
//! It plans and reads outcomes. What a flaw is `reference` says, how a scenario is judged `run`.

mod contenders;
mod text;
mod verdict;

pub use text::{human, json};
use verdict::Met;
pub use verdict::{Alarm, Caught, Proof};

use crate::reference::{FLAWS, Flaw};
use crate::run::{Entry, Event, Pace, Setting, each};
use crate::scenario::Scenario;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is to be proved.
#[derive(Clone, Debug)]
pub struct Question {
    /// The scenarios; those that only observe cannot fail, and are left out.
    pub scenarios: Vec<Arc<Scenario>>,
    /// The flaws that they are held against.
    pub flaws: Vec<&'static Flaw>,
    /// Which scenarios each flaw meets.
    pub reach: Reach,
    /// Whether the honest variants are run as well.
    pub variants: bool,
}

impl Question {
    /// Everything: all flaws and all variants.
    pub fn of(scenarios: Vec<Arc<Scenario>>) -> Self {
        let scenarios = scenarios.into_iter().filter(|scenario| !scenario.observe).collect();
        Self { scenarios, flaws: FLAWS.iter().collect(), reach: Reach::Everything, variants: true }
    }
}

/// Which scenarios a flaw meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// All: what is too broad shows.
    Everything,
    /// Those of the groups that it breaks, and attacks.
    Related,
    /// Those of the requirements that it breaks; related ones only as far as nothing else has proved them. Of the honest
    /// variants each scenario meets one.
    Named,
}

/// Runs it all and draws the conclusion; the list is what of the world was wrong.
pub async fn prove(question: &Question, setting: &Setting, jobs: usize) -> (Proof, Vec<String>) {
    let pace = Pace::of(jobs);
    let mut seen = Vec::new();
    let mut world = meet(&contenders::entries(question), setting, &pace, &mut seen).await;
    let mut proof = Proof::of(question, &seen);
    if question.reach != Reach::Named {
        return (proof, world);
    }
    // Most are failed by the first flaw that is about something like them: the next is only asked where it has to be.
    for round in 0.. {
        let entries = contenders::next(question, &proof.open(), round);
        if entries.is_empty() {
            break;
        }
        world.extend(meet(&entries, setting, &pace, &mut seen).await);
        proof = Proof::of(question, &seen);
    }
    (proof, world)
}

/// Runs these; of thousands of outcomes only what a proof needs is kept.
async fn meet(entries: &[Entry], setting: &Setting, pace: &Pace, seen: &mut Vec<Met>) -> Vec<String> {
    let mut met = BTreeMap::new();
    let keep = |event| {
        if let Event::Ended { place, outcome } = event {
            met.insert(place, Met::of(&outcome));
        }
    };
    let world = each(entries, setting, pace, keep).await;
    seen.extend(met.into_values());
    world
}
