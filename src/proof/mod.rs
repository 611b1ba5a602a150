//! The suite proves itself: the honest gateway passes every scenario, a gateway that lies fails those that are about the
//! lie, and a gateway that is only different raises no alarm.
//!
//! It plans and reads outcomes. What a flaw is `reference` says, how a scenario is judged `run`.

mod contenders;
mod text;
mod verdict;

pub use text::{human, json};
pub use verdict::{Alarm, Caught, Proof};

use crate::reference::{FLAWS, Flaw};
use crate::run::{Pace, Setting, run};
use crate::scenario::Scenario;
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
    let ran = run(&contenders::entries(question), setting, &pace, |_| {}).await;
    let (mut outcomes, mut world) = (ran.outcome.scenarios, ran.world);
    let mut proof = Proof::of(question, &outcomes);
    if question.reach != Reach::Named {
        return (proof, world);
    }
    // Most are failed by the first flaw that is about something like them: the next is only asked where it has to be.
    for round in 0.. {
        let entries = contenders::next(question, &proof.open(), round);
        if entries.is_empty() {
            break;
        }
        let ran = run(&entries, setting, &pace, |_| {}).await;
        outcomes.extend(ran.outcome.scenarios);
        world.extend(ran.world);
        proof = Proof::of(question, &outcomes);
    }
    (proof, world)
}
