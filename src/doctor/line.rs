//! What the doctor says: one line for each thing that was looked at, and where it is wrong, why, and what mends it.

use crate::diagnostic::printable_within;
use crate::run::outcome::CallOutcome;

/// How much of one side is told.
const EXCERPT: usize = 300;

/// The way to mend a reading that the profile lacks.
pub(super) const DRAFTED: &str = "the draft below has a rule for exactly this answer";

/// How a thing was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// As it should be.
    Well,
    /// Not as it should be: the profile, its template, or the gateway.
    Wrong,
    /// Worth knowing, and no fault.
    Note,
    /// Not looked at; the line says why.
    Unmeasured,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// How it was found.
    pub mark: Mark,
    /// What was looked at, in a word or two.
    pub about: String,
    /// What was seen.
    pub said: String,
    /// Both sides of it, and the way to mend it.
    pub because: Vec<String>,
}

impl Line {
    pub(super) fn new(mark: Mark, about: &str, said: impl Into<String>) -> Self {
        Self { mark, about: about.to_owned(), said: said.into(), because: Vec::new() }
    }

    /// Of several lines: the first is what was seen, the others say why.
    pub(super) fn of_lines(mark: Mark, about: &str, text: &str) -> Self {
        let mut lines = text.lines();
        let first = Self::new(mark, about, lines.next().unwrap_or_default());
        first.because_all(lines)
    }

    pub(super) fn because(mut self, why: impl Into<String>) -> Self {
        self.because.push(why.into());
        self
    }

    pub(super) fn because_all(self, whys: impl IntoIterator<Item = impl Into<String>>) -> Self {
        whys.into_iter().fold(self, Self::because)
    }

    /// With what the agent got, and what the ledger has of it.
    pub(super) fn sides(mut self, call: &CallOutcome) -> Self {
        let status = call.http.map(|status| format!("{status}  ")).unwrap_or_default();
        self.because.push(format!("agent    {status}{}", printable_within(&call.answer, EXCERPT)));
        let Some(first) = call.arrivals.first() else {
            self.because.push(format!("server   nothing arrived of {}", call.tool));
            return self;
        };
        let what = if first.executed { "execution" } else { "arrival" };
        let plural = if call.arrivals.len() == 1 { "" } else { "s" };
        let arguments = printable_within(&first.arguments.to_string(), EXCERPT);
        self.because.push(format!(
            "{:<8} {} {what}{plural} of {} {arguments}",
            first.upstream,
            call.arrivals.len(),
            first.tool
        ));
        self
    }
}
