//! From scenarios and gateways to an outcome: the plan, the runner, and the judgement of both sides.
//!
//! Here alone the mocks, the gateway and the witness meet. Running a valid plan cannot fail: a gateway that hangs,
//! lies or dies is what the outcome tells.

pub mod against;
mod alike;
mod altered;
pub mod attribution;
mod canary;
mod conceal;
mod decoy;
mod detail;
pub mod event;
pub mod expectation;
mod introduced;
pub mod judge;
pub mod opinion;
pub mod outcome;
pub mod pack;
mod perform;
pub mod plan;
mod play;
mod preflight;
pub mod preview;
mod questions;
mod record;
pub mod remote;
pub mod runner;
#[cfg(feature = "rmcp")]
mod second;
mod settle;
mod stage;
pub mod telling;
#[cfg(test)]
pub(crate) mod testing;
mod variants;
pub mod verdict;
mod verify;
mod waits;
mod whole;

pub use event::Event;
pub use outcome::Outcome;
pub use pack::{OneStart, one_start};
pub use plan::{Contender, Entry, Fate, Wishes, plan};
pub use preflight::Probe;
pub use preview::preview;
pub use remote::{Places, Remote};
pub use runner::{Pace, Ran, each, run};
pub use settle::{Settled, Sharing, settle};
pub(crate) use stage::listed;
pub use stage::{Beside, Setting, SetupError};
