//! An outcome as it was written into a file, as far as a comparison needs it.

use crate::run::Outcome;
use crate::run::outcome::{Status, VERSION};
use crate::scenario::Severity;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// An outcome that was read. Members that are not known are left aside: within a version they may be added.
#[derive(Clone, Debug, Deserialize)]
pub struct Document {
    pub(super) gateways: Vec<Gateway>,
    pub(super) scenarios: Vec<Scenario>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Gateway {
    pub(super) name: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Scenario {
    pub(super) id: String,
    #[serde(default)]
    pub(super) title: String,
    pub(super) gateway: String,
    pub(super) severity: Option<Severity>,
    pub(super) revision: Option<String>,
    pub(super) status: Status,
    pub(super) why: Option<String>,
    pub(super) known: Option<Known>,
    #[serde(default)]
    pub(super) steps: Vec<Step>,
    #[serde(default)]
    pub(super) unexplained: Vec<IgnoredAny>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Known {
    pub(super) was: Status,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Step {
    #[serde(default)]
    pub(super) line: usize,
    #[serde(default)]
    pub(super) name: String,
    pub(super) met: bool,
    #[serde(default)]
    pub(super) expected: String,
    #[serde(default)]
    pub(super) was: String,
    #[serde(default)]
    pub(super) calls: Vec<Call>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Call {
    pub(super) verdict: String,
}

/// Why a text is no outcome that can be compared.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    /// It is no JSON, or not that of an outcome.
    #[error("is no outcome: {0}\nhelp: make one by `gauntlet run --json FILE`")]
    Wrong(#[from] serde_json::Error),
    /// It is one of another version.
    #[error("is an outcome of version {0}, and this program reads version {VERSION}\nhelp: {1}")]
    Version(u64, &'static str),
}

/// What every version has.
#[derive(Deserialize)]
struct Head {
    version: u64,
}

impl Document {
    /// Reads the text of a file.
    pub fn read(text: &str) -> Result<Self, Unread> {
        let Head { version } = serde_json::from_str(text)?;
        match version.cmp(&u64::from(VERSION)) {
            std::cmp::Ordering::Equal => Ok(serde_json::from_str(text)?),
            std::cmp::Ordering::Less => Err(Unread::Version(version, "run the suite again")),
            std::cmp::Ordering::Greater => Err(Unread::Version(version, "use the program that wrote it")),
        }
    }

    /// The outcome of a run that has just ended, as if it had been written and read.
    pub fn of(outcome: &Outcome) -> Self {
        let written = serde_json::to_string(outcome).expect("an outcome is plain data");
        Self::read(&written).expect("what this program writes it reads")
    }
}

impl Scenario {
    /// How it ended, whatever a list of known deviations made of that.
    pub(super) fn ended(&self) -> Status {
        self.known.as_ref().map_or(self.status, |known| known.was)
    }

    /// Whether it was run to an end.
    pub(super) fn ran(&self) -> bool {
        !matches!(self.status, Status::Skipped | Status::NotApplicable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::testing::{outcome, scenario};

    #[test]
    fn what_is_written_is_read() {
        let ended =
            [Status::Passed, Status::Failed, Status::Inconclusive, Status::NotApplicable, Status::Known];
        let scenarios = ended.map(|status| scenario("DENY-01-a", "acme", status)).into();
        let read = Document::of(&outcome(&["acme"], scenarios));
        let told: Vec<_> = read.scenarios.iter().map(|one| (one.status, one.ended(), one.ran())).collect();
        assert_eq!(
            told,
            [
                (Status::Passed, Status::Passed, true),
                (Status::Failed, Status::Failed, true),
                (Status::Inconclusive, Status::Inconclusive, true),
                (Status::NotApplicable, Status::NotApplicable, false),
                (Status::Known, Status::Failed, true),
            ]
        );
        assert_eq!(read.scenarios[1].steps[1].calls[0].verdict, "leaked");
    }

    #[test]
    fn members_may_be_added_and_are_few() {
        let text = r#"{"version": 1, "gateways": [{"name": "acme", "colour": "red"}], "weather": [],
            "scenarios": [{"id": "a", "gateway": "acme", "status": "passed", "mood": 1}]}"#;
        assert_eq!(Document::read(text).unwrap().scenarios[0].id, "a");
    }

    #[test]
    fn what_is_no_outcome_is_refused_with_the_way_out() {
        for (text, told) in [
            (
                "",
                "is no outcome: EOF while parsing a value at line 1 column 0\nhelp: make one by `gauntlet run --json FILE`",
            ),
            ("[]", "is no outcome: "),
            ("{}", "is no outcome: missing field `version` at line 1 column 2\n"),
            (r#"{"version": "1"}"#, "is no outcome: invalid type: string \"1\", expected u64"),
            (
                r#"{"version": 1, "gateways": [], "scenarios": [{"id": "a"}]}"#,
                "is no outcome: missing field `gateway`",
            ),
            (
                r#"{"version": 1, "gateways": [], "scenarios": [{"id": "a", "gateway": "b", "status": "fine"}]}"#,
                "is no outcome: unknown variant `fine`",
            ),
            (
                r#"{"version": 2}"#,
                "is an outcome of version 2, and this program reads version 1\nhelp: use the program that wrote it",
            ),
            (
                r#"{"version": 0}"#,
                "is an outcome of version 0, and this program reads version 1\nhelp: run the suite again",
            ),
        ] {
            let error = Document::read(text).unwrap_err().to_string();
            assert!(error.starts_with(told), "{text}: {error}");
        }
    }
}
