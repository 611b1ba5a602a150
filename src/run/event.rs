//! What happens during a run, for whoever shows progress. Reports read the outcome, never these.

use super::outcome::ScenarioOutcome;

/// One thing that happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// The plan is made: so many scenarios, counted once for each gateway and era.
    Planned {
        /// How many will be run.
        total: usize,
    },
    /// A scenario began.
    Started {
        /// Its id.
        id: String,
        /// The gateway.
        gateway: String,
    },
    /// A scenario ended.
    Ended(Box<ScenarioOutcome>),
}
