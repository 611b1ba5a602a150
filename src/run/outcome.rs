//! What came of a run: the value that reports read, and the JSON document of `--json` (version 1).

use crate::scenario::{Attack, Severity};
use crate::snapshot::Mark;
use crate::transcript::Exchange;
use crate::wire::canonical::Fidelity;
use serde::Serialize;

/// The version of the JSON outcome; members are only added within it.
pub const VERSION: u32 = 1;

/// All that a run has to say.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// [`VERSION`].
    pub version: u32,
    /// How many scenarios ended how.
    pub summary: Summary,
    /// The gateways that were driven.
    pub gateways: Vec<GatewayRow>,
    /// Scenario by scenario, in the order of the plan.
    pub scenarios: Vec<ScenarioOutcome>,
}

/// How many scenarios ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Every expectation was met.
    pub passed: usize,
    /// Some expectation was not.
    pub failed: usize,
    /// An allowed twin failed, so that a denial proves nothing.
    pub inconclusive: usize,
    /// The gateway cannot do, or does not declare, what it needs.
    pub not_applicable: usize,
    /// Slow, and `--slow` was not given; or the run ended before.
    pub skipped: usize,
}

/// One gateway of a run.
#[derive(Clone, Debug, Serialize)]
pub struct GatewayRow {
    /// The profile's name.
    pub name: String,
    /// The way in which the reference was told to lie.
    pub flaw: Option<String>,
}

/// How one scenario ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Every expectation was met.
    Passed,
    /// Some expectation was not.
    Failed,
    /// An allowed twin failed.
    Inconclusive,
    /// The gateway cannot do what it needs.
    NotApplicable,
    /// Not run.
    Skipped,
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
    /// The file as the user knows it.
    pub file: String,
    /// How bad it is if it does not hold.
    pub severity: Severity,
    /// The documented attack that it replays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attack: Option<Attack>,
    /// Whether it is only observed: what its steps come to decides nothing.
    pub observed: bool,
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
    /// Step by step.
    pub steps: Vec<StepOutcome>,
    /// Arrivals that no call explains.
    pub unexplained: Vec<ArrivalSeen>,
    /// Wall time in milliseconds.
    pub elapsed_ms: u64,
    /// The command line that repeats it, where somebody knows one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub again: String,
    /// What only this run knows, and what a stored transcript says in its place.
    #[serde(skip)]
    pub marks: Vec<(Mark, String)>,
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
    /// How many arrivals belong to it.
    pub reach: usize,
    /// What the agent was told, a word.
    pub told: &'static str,
    /// The reason that the gateway gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What happened to the arguments, where it arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments_fidelity: Option<Fidelity>,
    /// What happened to the answer, where both are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer_fidelity: Option<Fidelity>,
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
    /// Which tool some reading takes.
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
            failed: count(Status::Failed),
            inconclusive: count(Status::Inconclusive),
            not_applicable: count(Status::NotApplicable),
            skipped: count(Status::Skipped),
        }
    }

    /// How many were run to an end; where none was, nothing speaks for a gateway either.
    pub fn ran(&self) -> usize {
        self.passed + self.failed + self.inconclusive
    }
}

impl Outcome {
    /// Whether nothing speaks against the gateways.
    pub fn is_clean(&self) -> bool {
        self.summary.failed == 0 && self.summary.inconclusive == 0
    }
}
