//! What happens during a run, for whoever shows progress or wants no more than a part of each outcome.

use super::outcome::ScenarioOutcome;

/// One thing that happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// The plan is made: so many scenarios, counted once for each gateway and era.
    Planned {
        /// How many will end, those that are not to be run among them.
        total: usize,
    },
    /// A scenario began.
    Started {
        /// Its id.
        id: String,
        /// The gateway.
        gateway: String,
    },
    /// A scenario ended, also one that was never to be run.
    Ended {
        /// Its place in the plan.
        place: usize,
        /// What came of it.
        outcome: Box<ScenarioOutcome>,
    },
}
