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
    /// Whether each flaw meets every scenario, or those alone that are about something like it.
    pub everywhere: bool,
    /// Whether the honest variants are run as well.
    pub variants: bool,
}

impl Question {
    /// Everything: all flaws and all variants.
    pub fn of(scenarios: Vec<Arc<Scenario>>) -> Self {
        let scenarios = scenarios.into_iter().filter(|scenario| !scenario.observe).collect();
        Self { scenarios, flaws: FLAWS.iter().collect(), everywhere: true, variants: true }
    }
}

/// Runs it all and draws the conclusion; the list is what of the world was wrong.
pub async fn prove(question: &Question, setting: &Setting, jobs: usize) -> (Proof, Vec<String>) {
    let entries = contenders::entries(question);
    let ran = run(&entries, setting, &Pace { jobs, fail_fast: false }, |_| {}).await;
    (Proof::of(question, &ran.outcome.scenarios), ran.world)
}
