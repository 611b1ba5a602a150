//! The list of known deviations, `known.yaml`: failures that a user has looked at and lives with until a day.
//!
//! It reads the list and reckons with it: which failures are excused, and which entries no longer hold. It does not
//! read the clock, and it does not know how a failure came about.

mod day;
mod read;
mod reckon;

pub use day::Day;
pub use read::{Vocabulary, read};
pub use reckon::{Reckoning, Seen};

use crate::source::{Placed, Spot};

/// The name of the file, beside the scenarios; it is none itself.
pub const FILE: &str = "known.yaml";

/// A list of known deviations, with the text that complaints about it point into.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// The file, as it is shown to people.
    pub file: String,
    /// The file's text.
    pub text: String,
    /// The entries, in order.
    pub deviations: Vec<Deviation>,
}

/// One known deviation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deviation {
    /// What fails.
    pub about: About,
    /// At which gateway.
    pub gateway: String,
    /// Why that is accepted for now.
    pub because: String,
    /// The last day on which it is accepted.
    pub until: Placed<Day>,
    /// Where the entry stands.
    pub spot: Spot,
}

/// What fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// One scenario, by its id.
    Scenario(String),
    /// Every scenario that proves this requirement.
    Requirement(String),
}

impl About {
    /// The scenario's id or the requirement's.
    pub fn name(&self) -> &str {
        match self {
            Self::Scenario(name) | Self::Requirement(name) => name,
        }
    }
}
