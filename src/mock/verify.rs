//! What is expected to reach a server, and what did: a verification is a value.

use super::ledger::Arrival;
use crate::wire::canonical::Fidelity;
use crate::wire::canonical::fidelity;
use crate::wire::{Called, Json};
use serde_json::Value as Plain;
use std::fmt;
use std::ops::RangeInclusive;

/// An expectation of calls that reach a server. Every call counts that some reading takes from what arrived: a call
/// that the server refused, or could not read, has still reached it.
///
/// ```
/// use mcp_gauntlet::mock::Expect;
/// use serde_json::json;
///
/// Expect::call("destroy_vm").never();
/// Expect::call("list_hosts").once();
/// Expect::call("power_off_range").with(json!({"user_id": "alice"})).times(3);
/// Expect::call("get_range").within(1..=2);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Expect {
    tool: String,
    arguments: Option<Plain>,
    times: RangeInclusive<usize>,
}

/// An expectation that was not met.
#[derive(Clone, Debug, PartialEq)]
pub struct Unmet {
    /// What was expected.
    pub expected: Expect,
    /// How many such calls arrived.
    pub count: usize,
    /// The places of those arrivals in the ledger.
    pub arrivals: Vec<u64>,
}

impl Expect {
    /// Calls of a tool; at least one, unless told otherwise.
    pub fn call(tool: impl Into<String>) -> Self {
        Self { tool: tool.into(), arguments: None, times: 1..=usize::MAX }
    }

    /// Only calls that have at least these arguments.
    pub fn with(mut self, arguments: Plain) -> Self {
        self.arguments = Some(arguments);
        self
    }

    /// None at all.
    pub fn never(self) -> Self {
        self.within(0..=0)
    }

    /// Exactly one.
    pub fn once(self) -> Self {
        self.within(1..=1)
    }

    /// Exactly that many.
    pub fn times(self, count: usize) -> Self {
        self.within(count..=count)
    }

    /// As many as that.
    pub fn within(mut self, times: RangeInclusive<usize>) -> Self {
        self.times = times;
        self
    }

    /// Compares with what arrived.
    pub(super) fn unmet(&self, arrivals: &[Arrival]) -> Option<Unmet> {
        let counted = arrivals.iter().flat_map(|arrival| {
            let fitting = arrival.calls().iter().filter(|call| self.fits(call)).count();
            std::iter::repeat_n(arrival.seq, fitting)
        });
        let arrivals: Vec<u64> = counted.collect();
        if self.times.contains(&arrivals.len()) {
            return None;
        }
        Some(Unmet { expected: self.clone(), count: arrivals.len(), arrivals })
    }

    fn fits(&self, call: &Called) -> bool {
        let has = |arguments: &Plain| {
            fidelity(&Json::from(arguments.clone()), &call.arguments) != Fidelity::Changed
        };
        call.tool == self.tool && self.arguments.as_ref().is_none_or(has)
    }
}

impl fmt::Display for Unmet {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Expect { tool, arguments, times } = &self.expected;
        write!(out, "expected ")?;
        match (times.start(), times.end()) {
            (0, 0) => write!(out, "no call")?,
            (least, &usize::MAX) => write!(out, "at least {}", calls(*least))?,
            (least, most) if least == most => write!(out, "exactly {}", calls(*least))?,
            (least, most) => write!(out, "{least} to {}", calls(*most))?,
        }
        write!(out, " of `{tool}`")?;
        if let Some(arguments) = arguments {
            write!(out, " with {arguments}")?;
        }
        write!(out, ", and {} arrived", self.count)
    }
}

fn calls(count: usize) -> String {
    format!("{count} call{}", if count == 1 { "" } else { "s" })
}

impl std::error::Error for Unmet {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mock::ledger::tests::arrival;
    use serde_json::json;

    const CALL: &str =
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"n":1.0,"m":2}}}"#;

    #[test]
    fn calls_are_counted_by_tool_and_arguments() {
        let arrivals = [arrival(CALL), arrival(CALL), arrival("nonsense")];
        assert_eq!(Expect::call("a").unmet(&arrivals), None);
        assert_eq!(Expect::call("a").with(json!({"n": 1})).times(2).unmet(&arrivals), None);
        assert_eq!(Expect::call("b").never().unmet(&arrivals), None);
        let told = |expect: Expect| expect.unmet(&arrivals).unwrap().to_string();
        assert_eq!(told(Expect::call("a").never()), "expected no call of `a`, and 2 arrived");
        assert_eq!(told(Expect::call("b")), "expected at least 1 call of `b`, and 0 arrived");
        assert_eq!(
            told(Expect::call("a").with(json!({"n": 2})).once()),
            "expected exactly 1 call of `a` with {\"n\":2}, and 0 arrived"
        );
        assert_eq!(told(Expect::call("a").within(3..=4)), "expected 3 to 4 calls of `a`, and 2 arrived");
    }
}
