//! What a step should come to.

use super::pattern::Pattern;
use crate::source::Placed;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What a step should come to.
#[derive(Clone, Debug)]
pub enum Expect {
    /// Every call has one of these verdicts: a word, or a list of them.
    Verdict(Vec<Verdict>),
    /// The calls, in order, are runs of these: `[{allowed: 10}, {rate_limited: 1}]`.
    Runs(Vec<Tally>),
    /// The calls, in whatever order, count up to these: `{allowed: 10, rate_limited: 30}`.
    Counts(Vec<Tally>),
    /// The same for each session, or each identity, by name.
    Each(Vec<(Placed<String>, Vec<Tally>)>),
    /// A verdict and what can be said beyond it.
    Detailed(Box<Detailed>),
    /// What a list of tools should look like.
    Listing(Box<Listing>),
    /// Whether a notification comes.
    Notice(NoticeExpect),
    /// The gateway ends when it is asked to, with a sound status, and leaves nothing behind.
    Orderly,
}

/// The word for what happened to a call, judged from both sides; `Blocked` is a word for expectations alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Arrived once, answered, nothing changed.
    Allowed,
    /// Arrived once, answered, something changed on the way.
    Altered,
    /// Told `denied`, and nothing arrived.
    Denied,
    /// Told `limited`, and nothing arrived.
    RateLimited,
    /// Told `pending`, and nothing arrived.
    Pending,
    /// Told `unauthorized`, and nothing arrived.
    Unauthorized,
    /// Told `invalid`, and nothing arrived.
    Invalid,
    /// Told that no such tool exists, and none does.
    UnknownTool,
    /// An error that nothing claims, and nothing arrived.
    Refused,
    /// Trouble of the upstream or the gateway.
    Failed,
    /// Kept waiting for an approval.
    Held,
    /// No answer in time, and nothing arrived.
    Unanswered,
    /// The connection or the process is gone, and nothing arrived.
    Lost,
    /// Told no, and it arrived all the same.
    Leaked,
    /// It arrived, and the answer never came back.
    Swallowed,
    /// Told success, and nothing arrived.
    Unfounded,
    /// It arrived more than once.
    Duplicated,
    /// Nothing arrived, whatever was told: met by every refusal.
    Blocked,
}

impl Verdict {
    /// Every word, in the order of the table.
    pub const ALL: [Self; 18] = [
        Self::Allowed,
        Self::Altered,
        Self::Denied,
        Self::RateLimited,
        Self::Pending,
        Self::Unauthorized,
        Self::Invalid,
        Self::UnknownTool,
        Self::Refused,
        Self::Failed,
        Self::Held,
        Self::Unanswered,
        Self::Lost,
        Self::Leaked,
        Self::Swallowed,
        Self::Unfounded,
        Self::Duplicated,
        Self::Blocked,
    ];

    /// The word in files and reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Altered => "altered",
            Self::Denied => "denied",
            Self::RateLimited => "rate_limited",
            Self::Pending => "pending",
            Self::Unauthorized => "unauthorized",
            Self::Invalid => "invalid",
            Self::UnknownTool => "unknown_tool",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Held => "held",
            Self::Unanswered => "unanswered",
            Self::Lost => "lost",
            Self::Leaked => "leaked",
            Self::Swallowed => "swallowed",
            Self::Unfounded => "unfounded",
            Self::Duplicated => "duplicated",
            Self::Blocked => "blocked",
        }
    }

    /// The verdict of that word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.word() == word)
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.word())
    }
}

/// So many calls with this verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// The verdict.
    pub verdict: Verdict,
    /// How many.
    pub count: Amount,
}

/// How many: `10` is both at least and at most ten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount {
    /// No fewer.
    pub at_least: Option<u64>,
    /// No more.
    pub at_most: Option<u64>,
}

impl Amount {
    /// Exactly that many.
    pub fn exactly(count: u64) -> Self {
        Self { at_least: Some(count), at_most: Some(count) }
    }

    /// Whether that many is right.
    pub fn meets(self, count: u64) -> bool {
        self.at_least.is_none_or(|least| count >= least) && self.at_most.is_none_or(|most| count <= most)
    }
}

impl std::fmt::Display for Amount {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.at_least, self.at_most) {
            (Some(least), Some(most)) if least == most => write!(out, "{least}"),
            (Some(least), Some(most)) => write!(out, "{least} to {most}"),
            (Some(least), None) => write!(out, "at least {least}"),
            (None, Some(most)) => write!(out, "at most {most}"),
            (None, None) => out.write_str("any number"),
        }
    }
}

/// A verdict and what can be said beyond it; what is absent is not looked at.
#[derive(Clone, Debug, Default)]
pub struct Detailed {
    /// One of these; empty looks at no verdict.
    pub verdict: Vec<Verdict>,
    /// The reason that the agent was told.
    pub reason: Option<Pattern>,
    /// The result: `content`, `structuredContent`, `isError`, `_meta`.
    pub answer: Option<Pattern>,
    /// The JSON-RPC error object; for a result with `isError`, its text.
    pub error: Option<Pattern>,
    /// The whole reply frame; [`Pattern::Absent`] where there must be none.
    pub reply: Option<Pattern>,
    /// The step whose agent was told the same, the tools' names aside.
    pub same_as: Option<Placed<String>>,
    /// The head of the HTTP response.
    pub http: Option<HttpExpect>,
    /// What arrived.
    pub upstream: Option<UpstreamExpect>,
    /// How many executions, in all upstreams.
    pub executions: Option<Amount>,
    /// How many notices of progress came before the answer, each further than the one before.
    pub progress: Option<Amount>,
    /// In what time the agent is told to try again, if it is told.
    pub retry_after: Option<Hint>,
    /// Answered no later than this.
    pub within: Option<Duration>,
}

/// The time that a hint may name; without a hint there is nothing to be true.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hint {
    /// No less.
    pub at_least: Option<Duration>,
    /// No more.
    pub at_most: Option<Duration>,
}

impl Hint {
    /// Whether that is a time that it may name.
    pub fn meets(self, hint: Duration) -> bool {
        self.at_least.is_none_or(|least| hint >= least) && self.at_most.is_none_or(|most| hint <= most)
    }
}

impl std::fmt::Display for Hint {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words = [("at least", self.at_least), ("at most", self.at_most)];
        let words = words.map(|(word, time)| Some(format!("{word} {}", humantime::format_duration(time?))));
        out.write_str(&words.into_iter().flatten().collect::<Vec<_>>().join(" and "))
    }
}

/// What an HTTP response should look like.
#[derive(Clone, Debug, Default)]
pub struct HttpExpect {
    /// One of these; empty looks at no status.
    pub status: Vec<u16>,
    /// Headers by lowercase name; [`Pattern::Absent`] where there must be none.
    pub headers: IndexMap<String, Pattern>,
    /// The body as text.
    pub body: Option<Pattern>,
}

/// What should have arrived at an upstream.
#[derive(Clone, Debug, Default)]
pub struct UpstreamExpect {
    /// The upstream; `None` is whichever the call arrived at.
    pub name: Option<Placed<String>>,
    /// The arguments.
    pub arguments: Option<Pattern>,
    /// The request's `_meta`.
    pub meta: Option<Pattern>,
    /// HTTP headers by lowercase name; [`Pattern::Absent`] for `header_absent`.
    pub headers: IndexMap<String, Pattern>,
    /// How many arrivals.
    pub arrivals: Option<Amount>,
    /// Whether the server was told that nobody waits any more.
    pub abandoned: Option<bool>,
}

/// What a list of tools should look like.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// One of these, where the list itself may be refused; empty means that it must come.
    pub verdict: Vec<Verdict>,
    /// These are in it.
    pub includes: Vec<Placed<String>>,
    /// These are not.
    pub excludes: Vec<Placed<String>>,
    /// Exactly these, in whatever order.
    pub exactly: Option<Vec<Placed<String>>>,
    /// Equal to the list of that earlier step.
    pub same_as: Option<Placed<String>>,
    /// For each tool, what its entry may be: one of these.
    pub entry: IndexMap<String, Vec<EntryExpect>>,
}

/// What the entry of a tool may be.
#[derive(Clone, Debug)]
pub enum EntryExpect {
    /// As in the list of that earlier step.
    SameAs(Placed<String>),
    /// Not there.
    Absent,
    /// Like this.
    Like(Pattern),
}

/// Whether a notification comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeExpect {
    /// It comes.
    Arrives,
    /// It does not.
    Absent,
}
