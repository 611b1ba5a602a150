//! Servers that the gateway was told nothing of: whoever goes there was sent by an agent, or by another server.

use super::outcome::StepOutcome;
use crate::mock::Arrival;
use crate::scenario::Scenario;

/// Whether anything arrived at each of them, whatever it was, as a step of the line that names it.
pub(super) fn visits(scenario: &Scenario, arrivals: &[Arrival]) -> Vec<StepOutcome> {
    let visited = |name: &str| {
        let there: Vec<&Arrival> = arrivals.iter().filter(|arrival| arrival.upstream == name).collect();
        let first = there.first()?.request.as_deref().unwrap_or("a line");
        Some(match there.len() {
            1 => format!("`{first}`"),
            several => format!("{several} requests, the first `{first}`"),
        })
    };
    let each = scenario.decoys.iter().map(|decoy| {
        let seen = visited(&decoy.value);
        StepOutcome {
            line: decoy.spot.line as usize,
            name: format!("decoy {}", decoy.value),
            met: seen.is_none(),
            expected: format!("no request at `{}`, of which the gateway was told nothing", decoy.value),
            was: seen.unwrap_or_else(|| "none".to_owned()),
            ..StepOutcome::default()
        }
    });
    each.collect()
}
