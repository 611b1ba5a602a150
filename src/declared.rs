//! What a gateway says of itself where gateways may choose: the same values for profiles and for our own gateway.
//!
//! Plain data. Nothing here checks whether a word is kept; what is not declared is simply not known.

use crate::source::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The choices that a gateway declares; `None` where it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Declared {
    /// How a limit's window moves.
    pub window: Option<WindowKind>,
    /// What becomes of a batch.
    pub batch: Option<Batch>,
    /// What a rule about an argument makes of a call without it.
    pub missing_argument: Option<Leaning>,
    /// After which failures a reserved unit goes back; an empty list says never.
    pub refund: Option<Vec<Failure>>,
    /// What a limit counts.
    pub counts: Option<Counts>,
    /// The eras that it speaks with agents.
    pub eras: Option<Vec<Spoken>>,
    /// What becomes of names.
    pub names: Option<Naming>,
    /// Whether all connections of one identity share its limits, also where each is a process of its own.
    pub counters_shared: Option<bool>,
    /// Whether limits of one identity outlive a restart.
    pub counters_survive: Option<bool>,
    /// Whether denied tools stay in the list.
    pub denied_are_listed: Option<bool>,
    /// What happens to a tool whose entry changed.
    pub drift: Option<Drift>,
    /// Whether a batch, a notification or an odd frame leaves a record.
    pub records: Option<Records>,
    /// Whether the arguments of calls stand in its records as they were sent.
    pub records_arguments: Option<bool>,
    /// What becomes of calls that cannot be recorded.
    pub unrecorded: Option<Leaning>,
    /// How long it waits for a server's answer before it gives up.
    pub gives_up: Option<Span>,
    /// Whose sessions are over HTTP, in the era that has them.
    pub sessions: Option<Sessions>,
}

/// How a window moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WindowKind {
    /// From the full minute, hour or day, in UTC.
    Calendar,
    /// From the first admitted call.
    Fixed,
    /// Any span of that length.
    Sliding,
    /// A bucket that fills steadily.
    Bucket,
}

impl WindowKind {
    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Calendar => "calendar",
            Self::Fixed => "fixed",
            Self::Sliding => "sliding",
            Self::Bucket => "bucket",
        }
    }
}

/// What becomes of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Batch {
    /// Refused whole.
    Reject,
    /// Taken apart, each element on its own.
    Split,
}

/// To which side an unclear thing falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Leaning {
    /// It passes.
    Allow,
    /// It is refused.
    Deny,
}

/// How an admitted call can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// The upstream was not reached.
    Unreachable,
    /// It answered with a JSON-RPC error.
    RpcError,
    /// It answered with `isError: true`.
    ErrorResult,
    /// It did not answer in time.
    Timeout,
    /// It broke off.
    Dropped,
    /// The agent cancelled or went away.
    Cancelled,
}

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Counts {
    /// Calls of tools.
    Calls,
    /// Every message.
    Messages,
}

/// An era that is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Spoken {
    /// With `initialize`.
    Legacy,
    /// Without.
    Modern,
}

impl Spoken {
    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Modern => "modern",
        }
    }
}

/// What becomes of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Naming {
    /// As the upstream has them.
    Kept,
    /// Rewritten, all of them.
    Rewritten,
    /// Rewritten where there are several upstreams, or where two collide.
    WhenNeeded,
}

/// What happens to a tool whose entry changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Drift {
    /// Nothing.
    Ignored,
    /// The list that was read first is served on.
    Frozen,
    /// It is withheld and denied.
    Withheld,
    /// It is reported.
    Reported,
}

/// Whose sessions are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sessions {
    /// Nobody's: it gives none, and each request stands for itself.
    None,
    /// The gateway's: it gives them, and ends them when it likes.
    Kept,
    /// The agent's, which may end what it was given.
    Ended,
}

/// What leaves a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Records {
    /// Well-formed calls alone.
    Calls,
    /// Every attempt.
    Everything,
}
