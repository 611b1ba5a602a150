//! What came of a run: the value that reports read, and the JSON document of `--json` (version 1).

use super::against::{Comparison, Tally};
use super::opinion::Opinion;
use crate::scenario::{Attack, Severity};
use crate::snapshot::Mark;
use crate::transcript::Exchange;
use crate::wire::canonical::Fidelity;
use serde::{Deserialize, Serialize};

/// The version of the JSON outcome; members are only added within it.
pub const VERSION: u32 = 1;

/// All that a run has to say.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// [`VERSION`].
    pub version: u32,
    /// The version of the program that ran it.
    pub gauntlet: &'static str,
    /// When the run began: RFC 3339, in UTC.
    pub begun: String,
    /// How many scenarios ended how.
    pub summary: Summary,
    /// The gateways that were driven.
    pub gateways: Vec<GatewayRow>,
    /// Scenario by scenario, in the order of the plan.
    pub scenarios: Vec<ScenarioOutcome>,
    /// The list of known deviations that it was held against, where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known: Option<KnownList>,
}

/// What came of a list of known deviations.
#[derive(Clone, Debug, Serialize)]
pub struct KnownList {
    /// The file as the user knows it.
    pub file: String,
    /// The entries that fail the run: they are past their day, or no longer true.
    pub complaints: Vec<Complaint>,
}

/// An entry of the list that no longer holds.
#[derive(Clone, Debug, Serialize)]
pub struct Complaint {
    /// The line in the file, from 1.
    pub line: u32,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// How many scenarios ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Every expectation was met.
    pub passed: usize,
    /// Those that only look: they fail nobody, and prove nothing.
    pub observed: usize,
    /// Some expectation was not.
    pub failed: usize,
    /// An allowed twin failed, so that a denial proves nothing.
    pub inconclusive: usize,
    /// The gateway cannot do, or does not declare, what it needs.
    pub not_applicable: usize,
    /// Slow, and `--slow` was not given; or the run ended before.
    pub skipped: usize,
    /// As failed or inconclusive as the list of known deviations says.
    pub known: usize,
}

/// One gateway of a run.
#[derive(Clone, Debug, Serialize)]
pub struct GatewayRow {
    /// The profile's name.
    pub name: String,
    /// The way in which the reference was told to lie.
    pub flaw: Option<String>,
    /// The profile with its templates, as the first 12 digits of a SHA-256.
    pub profile: String,
    /// The release that the profile was driven with, where it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified: Option<String>,
    /// What it called itself; several where it is not always the same. Bounded, and printable.
    pub introduced: Vec<Introduced>,
    /// How what came through differs from what comes straight, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
}

/// What a gateway called itself: the `serverInfo` of an answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Introduced {
    /// Its name.
    pub name: String,
    /// Its version; empty where it said none.
    pub version: String,
    /// Whether it said so when a session was opened; a list that says so may be a server's, handed on.
    #[serde(skip)]
    pub at_opening: bool,
}

/// How one scenario ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Every expectation was met.
    Passed,
    /// It only looks, and reports what it saw: nothing was proved.
    Observed,
    /// Some expectation was not.
    Failed,
    /// An allowed twin failed.
    Inconclusive,
    /// The gateway cannot do what it needs.
    NotApplicable,
    /// Not run.
    Skipped,
    /// Failed or inconclusive, as the list of known deviations says.
    Known,
}

impl Status {
    /// The word in reports; in JSON it has an underscore for each space.
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Observed => "observed",
            Self::Failed => "failed",
            Self::Inconclusive => "inconclusive",
            Self::NotApplicable => "not applicable",
            Self::Skipped => "skipped",
            Self::Known => "known",
        }
    }
}

/// What came of one scenario at one gateway.
#[derive(Clone, Debug, Serialize)]
pub struct ScenarioOutcome {
    /// Its id, unique in the suite.
    pub id: String,
    /// Its sentence.
    pub title: String,
    /// Its group: the folder it stands in.
    pub group: String,
    /// The requirements that it proves.
    pub requirements: Vec<String>,
    /// The documented attack that it replays, where it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attack: Option<Attack>,
    /// How bad it is if it does not hold.
    pub severity: Severity,
    /// Whether it is reported and never failing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub observed: bool,
    /// The file as the user knows it.
    pub file: String,
    /// The gateway.
    pub gateway: String,
    /// The servers behind it.
    pub upstreams: Vec<String>,
    /// The revision that was spoken, where one was.
    pub revision: Option<String>,
    /// How it ended.
    pub status: Status,
    /// Why, where the status is none of the steps' doing.
    pub why: Option<String>,
    /// Why its failure does not fail the run, where it is a known one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known: Option<Excused>,
    /// Step by step.
    pub steps: Vec<StepOutcome>,
    /// Arrivals that no call explains.
    pub unexplained: Vec<ArrivalSeen>,
    /// Wall time in milliseconds.
    pub elapsed_ms: u64,
    /// The command line that repeats it, where somebody knows one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub again: String,
    /// What the gateway called itself.
    #[serde(skip)]
    pub introduced: Vec<Introduced>,
    /// What only this run knows, and what a stored transcript says in its place.
    #[serde(skip)]
    pub marks: Vec<(Mark, String)>,
    /// How what came through differs from what comes straight.
    #[serde(skip)]
    pub compared: Tally,
}

/// Why a failure does not fail the run.
#[derive(Clone, Debug, Serialize)]
pub struct Excused {
    /// How it ended.
    pub was: Status,
    /// Why that is accepted for now.
    pub because: String,
    /// The last day on which it is, as `2027-01-31`.
    pub until: String,
}

/// What came of one step.
#[derive(Clone, Debug, Default, Serialize)]
pub struct StepOutcome {
    /// The line in the file, from 1.
    pub line: usize,
    /// What the step does, in a few words: `call destroy_vm`.
    pub name: String,
    /// Whether its expectation was met; steps that expect nothing are met.
    pub met: bool,
    /// What was expected, as written; empty where nothing was.
    pub expected: String,
    /// What was, in the same words.
    pub was: String,
    /// The first call's verdict, where the step has calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<&'static str>,
    /// The first call's reach.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reach: Option<usize>,
    /// What the first call's agent was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told: Option<&'static str>,
    /// Whether its calls were made at the same time: their order means nothing.
    #[serde(skip)]
    pub at_once: bool,
    /// Whether an unmet expectation here is the failure of an allowed twin.
    #[serde(skip)]
    pub twin: bool,
    /// Whether it is a benign twin: it expects that something gets through, and nothing else.
    #[serde(skip)]
    pub benign: bool,
    /// Remarks that do not decide: members that a gateway added.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Every call of the step.
    pub calls: Vec<CallOutcome>,
    /// What an SDK's client saw of the step, where one was asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub second: Vec<Opinion>,
    /// What passed on the agent's side, for snapshots and reports.
    #[serde(skip)]
    pub exchanges: Vec<Exchange>,
}

/// What came of one call.
#[derive(Clone, Debug, Serialize)]
pub struct CallOutcome {
    /// The tool as the server knows it.
    pub tool: String,
    /// The arguments as sent.
    pub arguments: serde_json::Value,
    /// Whose session made it.
    pub session: String,
    /// The verdict's word.
    pub verdict: &'static str,
    /// Whether it is a call for which the step's expectation is not met, where that can be said of one call.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unmet: bool,
    /// How many arrivals belong to it.
    pub reach: usize,
    /// What the agent was told, a word.
    pub told: &'static str,
    /// The reason that the gateway gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// In how many seconds the gateway says to try again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<f64>,
    /// What happened to the arguments, where it arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments_fidelity: Option<Fidelity>,
    /// What happened to the answer, where both are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer_fidelity: Option<Fidelity>,
    /// The first thing that changed on the way, where something did: its place, and both values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
    /// The raw bytes that were sent in place of a call, printable and bounded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame: Option<String>,
    /// The HTTP status, where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<u16>,
    /// The answer in one line, printable and bounded.
    pub answer: String,
    /// The arrivals.
    pub arrivals: Vec<ArrivalSeen>,
}

/// One arrival, as reports tell it.
#[derive(Clone, Debug, Serialize)]
pub struct ArrivalSeen {
    /// Which upstream.
    pub upstream: String,
    /// The tool that ran; where none did, the one that some reading takes.
    pub tool: String,
    /// With what.
    pub arguments: serde_json::Value,
    /// Whether the mock ran it.
    pub executed: bool,
    /// Milliseconds before the answer (negative: after it), where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before_answer_ms: Option<f64>,
}

impl Summary {
    /// Counts.
    pub fn of(scenarios: &[ScenarioOutcome]) -> Self {
        let count = |status| scenarios.iter().filter(|scenario| scenario.status == status).count();
        Self {
            passed: count(Status::Passed),
            observed: count(Status::Observed),
            failed: count(Status::Failed),
            inconclusive: count(Status::Inconclusive),
            not_applicable: count(Status::NotApplicable),
            skipped: count(Status::Skipped),
            known: count(Status::Known),
        }
    }

    /// How many ended how, in the order in which reports tell it.
    pub fn counts(&self) -> [(Status, usize); 7] {
        [
            (Status::Passed, self.passed),
            (Status::Failed, self.failed),
            (Status::Inconclusive, self.inconclusive),
            (Status::Known, self.known),
            (Status::Observed, self.observed),
            (Status::NotApplicable, self.not_applicable),
            (Status::Skipped, self.skipped),
        ]
    }

    /// How many were run to an end; where none was, nothing speaks for a gateway either.
    pub fn ran(&self) -> usize {
        self.passed + self.observed + self.failed + self.inconclusive + self.known
    }
}

impl Outcome {
    /// Whether nothing speaks against the gateways.
    pub fn is_clean(&self) -> bool {
        let listed = self.known.as_ref().is_none_or(|known| known.complaints.is_empty());
        self.summary.failed == 0 && self.summary.inconclusive == 0 && listed
    }
}
