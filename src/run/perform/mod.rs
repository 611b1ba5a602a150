//! The agent's side of a scenario: its steps, done in order. What is done here is only recorded; verdicts come when
//! the ledgers are closed.

mod approval;
mod call;
mod faults;
mod listing;
mod persona;
mod raw;
mod steps;

pub(super) use listing::Listed;
pub(super) use steps::{Performance, Performed, perform};

use crate::scenario::Unfilled;

/// Why a step could not be done at all: a finding of its own, told beside the step.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// A template that could not be filled in.
    #[error(transparent)]
    Unfilled(#[from] Unfilled),
    /// Anything else, a fragment for people.
    #[error("{0}")]
    Other(String),
}

impl Trouble {
    fn because(why: impl std::fmt::Display) -> Self {
        Self::Other(why.to_string())
    }
}
