//! What an agent built on an SDK would have experienced, where that differs from what the wire said.

use crate::diagnostic::printable;
use crate::run::opinion::{Class, Opinion};
use crate::run::outcome::{ScenarioOutcome, StepOutcome};
use std::collections::BTreeMap;

/// Line by line; none where nobody was asked.
pub(super) fn lines(scenarios: &[&ScenarioOutcome]) -> Vec<String> {
    let all: Vec<(&ScenarioOutcome, &StepOutcome, &Opinion)> = scenarios
        .iter()
        .flat_map(|scenario| scenario.steps.iter().map(move |step| (*scenario, step)))
        .flat_map(|(scenario, step)| step.second.iter().map(move |opinion| (scenario, step, opinion)))
        .collect();
    if all.is_empty() {
        return Vec::new();
    }
    let mut counts: BTreeMap<Class, usize> = BTreeMap::new();
    for (_, _, opinion) in &all {
        *counts.entry(opinion.class).or_default() += opinion.count;
    }
    let counts: Vec<String> =
        counts.iter().map(|(class, count)| format!("{count} {}", class.words())).collect();
    let mut lines = vec![format!("second opinion, an rmcp client: {}", counts.join(", "))];
    let told = all.iter().filter(|(_, _, opinion)| !matches!(opinion.class, Class::Same | Class::NotMade));
    for (scenario, step, Opinion { class, saw, count }) in told {
        let times = if *count > 1 { format!(" ×{count}") } else { String::new() };
        lines.push(format!("  {}:{}  {}", scenario.file, step.line, step.name));
        lines.push(format!("    {}{times}: an rmcp client saw: {saw}", class.words()));
    }
    lines.iter().map(|line| printable(line)).collect()
}
