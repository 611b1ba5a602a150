//! Whose arrival it was, where several scenarios shared the ledgers.

use super::footprint::Footprint;
use crate::mock::Arrival;
use crate::wire::name::folded;
use std::time::Instant;

/// One scenario's part of a shared run.
pub(in crate::run) struct Part {
    /// When it began.
    pub(in crate::run) begun: Instant,
    /// The tools that it touches.
    pub(in crate::run) footprint: Footprint,
}

/// For each arrival the place of its scenario. It belongs to the one that was being performed, unless an earlier one
/// alone touches its tool: then it is late, and a finding there.
pub(in crate::run) fn owners(parts: &[Part], arrivals: &[Arrival]) -> Vec<usize> {
    arrivals.iter().map(|arrival| owner(parts, arrival)).collect()
}

fn owner(parts: &[Part], arrival: &Arrival) -> usize {
    let current = parts.iter().rposition(|part| part.begun <= arrival.at).unwrap_or(0);
    let touches =
        |part: &Part| arrival.calls().iter().any(|call| part.footprint.touches(&folded(&call.tool)));
    if arrival.calls().is_empty() || parts.get(current).is_none_or(touches) {
        return current;
    }
    // Of several that may all call it, the last did.
    parts[..current].iter().rposition(touches).unwrap_or(current)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::pack::footprint;
    use crate::run::testing;
    use std::time::Duration;

    fn part(begun: Instant, tool: &str) -> Part {
        let policy =
            format!("{{version: \"1\", default: deny, tools: {{{tool}: {{action: deny}}, whoami: {{}}}}}}");
        let text = format!("scenario: s\nupstreams: [ludus]\npolicy: {policy}\nsteps:\n  - call: {tool}\n");
        let scenario = std::sync::Arc::new(crate::scenario::read(&text, "s.yaml").unwrap());
        let profile = std::sync::Arc::new(crate::gateway::named("reference").unwrap());
        let contender = crate::run::plan::Contender { name: "reference".into(), profile, flaw: None };
        let entries = crate::run::plan(&[scenario], &[contender.into()], &crate::run::Wishes::default());
        Part { begun, footprint: footprint(&entries[0]).unwrap() }
    }

    fn arrival(at: Instant, tool: &str) -> Arrival {
        let bytes =
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{tool}"}}}}"#);
        testing::arrival(at, bytes)
    }

    #[test]
    fn an_arrival_is_of_the_scenario_that_goes_on_or_late_for_the_one_that_touches_its_tool() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let parts = [part(at(10), "destroy_vm"), part(at(20), "git_sync"), part(at(30), "get_range")];
        for (when, tool, owner) in [
            (5, "destroy_vm", 0),
            (11, "destroy_vm", 0),
            (21, "destroy_vm", 0),
            (99, "Destroy_VM ", 0),
            (31, "git_sync", 1),
            (15, "git_sync", 0),
            (25, "list_users", 1),
            (25, "whoami", 1),
            (99, "whoami", 2),
        ] {
            assert_eq!(owners(&parts, &[arrival(at(when), tool)]), [owner], "{tool} after {when} ms");
        }
    }
}
