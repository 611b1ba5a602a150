//! What changed between two runs, told as behaviour: `denied → leaked`, step by step.
//!
//! It reads outcomes as they were written, also by an older or a newer program, and weighs what differs. It runs
//! nothing, and how a change is drawn is the reports'.

mod compare;
mod document;
mod weigh;

pub use compare::compare;
pub use document::{Document, Unread};
pub use weigh::Direction;

use crate::scenario::Severity;
use serde::Serialize;

/// All that changed, the worst first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// Scenario by scenario.
    pub changes: Vec<Change>,
    /// How many scenarios went as before.
    pub same: usize,
    /// Gateways that only the new run has.
    pub new_gateways: Vec<Crowd>,
    /// Gateways that only the old run has.
    pub gone_gateways: Vec<Crowd>,
}

/// A gateway that only one of the runs has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Crowd {
    /// Its name.
    pub gateway: String,
    /// How many scenarios that are.
    pub scenarios: usize,
}

/// What changed in one scenario at one gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// For the worse, for the better, or neither.
    pub direction: Direction,
    /// The scenario's id; with the revision where it was run in several eras.
    pub scenario: String,
    /// Its sentence.
    pub title: String,
    /// The gateway, as the new run calls it.
    pub gateway: String,
    /// How bad it is if the scenario does not hold, where the outcome says so.
    pub severity: Option<Severity>,
    /// What went otherwise; never empty.
    pub turns: Vec<Turn>,
}

/// One thing that went otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Turn {
    /// For the worse, for the better, or neither.
    pub direction: Direction,
    /// The step, where it is one's: `call destroy_vm`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The step's line in the newer file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// What was, in words.
    pub was: String,
    /// What is.
    pub now: String,
}

impl Changes {
    /// How many scenarios changed in that direction.
    pub fn count(&self, direction: Direction) -> usize {
        self.changes.iter().filter(|change| change.direction == direction).count()
    }

    /// Whether anything got worse.
    pub fn got_worse(&self) -> bool {
        self.count(Direction::Worse) > 0
    }
}
