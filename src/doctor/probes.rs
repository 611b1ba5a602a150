//! The probes: small scenarios, each about one thing that a gateway may do or not. They are data like every other
//! scenario; the runner performs them, and what they came to is looked up by the names of their steps.

use crate::scenario::{self, Scenario};
use std::sync::Arc;

/// One probe.
#[derive(Debug)]
pub(super) struct Probe {
    /// Its name, that of its file.
    pub(super) name: &'static str,
    text: &'static str,
    /// Why it is done only with `--slow`, where it is.
    pub(super) slow: Option<&'static str>,
}

const fn probe(name: &'static str, text: &'static str) -> Probe {
    Probe { name, text, slow: None }
}

/// What comes before everything else: whether calls get through at all.
pub(super) static FIRST: Probe = probe("first", include_str!("probes/first.yaml"));

/// What may be done to a gateway that somebody else runs.
pub(super) static OUTSIDE: Probe = probe("outside", include_str!("probes/outside.yaml"));

/// All that follows, in no particular order; the longest begin first.
pub(super) static REST: [Probe; 19] = [
    probe("window-minute", include_str!("probes/window-minute.yaml")),
    Probe {
        name: "refund-timeout",
        text: include_str!("probes/refund-timeout.yaml"),
        slow: Some("as long as the gateway waits for a server, run with --slow"),
    },
    probe("window", include_str!("probes/window.yaml")),
    probe("approval", include_str!("probes/approval.yaml")),
    probe("approval-decided", include_str!("probes/approval-decided.yaml")),
    probe("refund-unreachable", include_str!("probes/refund-unreachable.yaml")),
    probe("refund-dropped", include_str!("probes/refund-dropped.yaml")),
    probe("restart", include_str!("probes/restart.yaml")),
    probe("several", include_str!("probes/several.yaml")),
    probe("unknown", include_str!("probes/unknown.yaml")),
    probe("hidden", include_str!("probes/hidden.yaml")),
    probe("limit", include_str!("probes/limit.yaml")),
    probe("counts", include_str!("probes/counts.yaml")),
    probe("refund", include_str!("probes/refund.yaml")),
    probe("arguments", include_str!("probes/arguments.yaml")),
    probe("batch", include_str!("probes/batch.yaml")),
    probe("drift", include_str!("probes/drift.yaml")),
    probe("drift-unpinned", include_str!("probes/drift-unpinned.yaml")),
    probe("records", include_str!("probes/records.yaml")),
];

impl Probe {
    /// The scenario that it is.
    pub(super) fn scenario(&self) -> Arc<Scenario> {
        let read = scenario::read(self.text, &format!("{}.yaml", self.name));
        Arc::new(read.unwrap_or_else(|mistakes| panic!("{}", mistakes.render(false))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mock::Mock;
    use crate::scenario::{Known, check};

    #[test]
    fn every_probe_is_a_sound_scenario() {
        let tools = |name: &str| {
            Mock::named(name).unwrap().tools().into_iter().map(str::to_owned).collect::<Vec<String>>()
        };
        let mocks = Mock::names().into_iter().map(|name| (name.to_owned(), tools(name)));
        let known = Known { mocks: mocks.collect(), ..Known::default() };
        for probe in REST.iter().chain([&FIRST, &OUTSIDE]) {
            let found = check(&probe.scenario(), &known);
            assert!(!found.has_mistakes(), "{}", found.render(false));
        }
    }
}
