//! The agent's side of a scenario: its steps, done in order. What is done here is only recorded; verdicts come when
//! the ledgers are closed.

mod approval;
mod call;
mod faults;
mod heard;
mod listing;
mod open;
mod persona;
mod raw;
mod reply;
mod steps;
mod together;

#[cfg(feature = "rmcp")]
pub(super) use call::target;
#[cfg(feature = "rmcp")]
pub(super) use faults::control;
pub(super) use listing::Listed;
#[cfg(feature = "rmcp")]
pub(super) use steps::rows;
pub(super) use steps::{Performance, Performed, perform};

use super::judge::Asked;
use super::stage::Stage;
use crate::scenario::{Call, Unfilled, Variables};

/// Why a step could not be done at all: a finding of its own, told beside the step.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// The gateway's dialect has no words for a policy that it should be given: not applicable, no finding.
    #[error("it cannot express {0}")]
    Cannot(String),
    /// A template that could not be filled in.
    #[error(transparent)]
    Unfilled(#[from] Unfilled),
    /// Anything else, a fragment for people.
    #[error("{0}")]
    Other(String),
}

impl Trouble {
    pub(super) fn because(why: impl std::fmt::Display) -> Self {
        Self::Other(why.to_string())
    }
}

/// Makes one call that is no part of a scenario.
pub(super) async fn once(stage: &Stage, call: &Call) -> Result<Asked, Trouble> {
    call::make(stage, call, &Variables::default(), None).await.map(|made| made.asked)
}
