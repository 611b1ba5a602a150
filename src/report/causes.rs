//! What many scenarios of one gateway have in common: one defect can touch a hundred of them.

use super::human::cut;
use crate::run::outcome::{CallOutcome, ScenarioOutcome, Status};
use crate::scenario::Verdict;
use indexmap::IndexMap;

/// What befell so many scenarios in the same way is told once more, together.
const MANY: usize = 3;

/// Lines about one gateway; none where nothing repeats itself.
pub(super) fn lines(scenarios: &[&ScenarioOutcome]) -> Vec<String> {
    let mut fates: IndexMap<(&str, &str), usize> = IndexMap::new();
    for call in scenarios.iter().filter_map(|scenario| spoiler(scenario)) {
        *fates.entry((call.verdict, &call.answer)).or_default() += 1;
    }
    fates.retain(|_, count| *count >= MANY);
    fates.sort_by(|_, one, _, other| other.cmp(one));
    let told = fates.iter().map(|((verdict, answer), count)| {
        format!(
            "the same in {count} scenarios: an honest call ended as {verdict}, answered by {}",
            cut(answer)
        )
    });
    let mut lines: Vec<String> = told.collect();
    let changed = scenarios.iter().filter(|scenario| is_passed_with_changes(scenario)).count();
    if changed > 0 {
        let plural = if changed == 1 { "scenario" } else { "scenarios" };
        lines.push(format!(
            "{changed} {plural} passed though answers were changed on the way: `--against direct` shows how"
        ));
    }
    lines
}

/// The honest call that did not get through as it should have, where that is the first thing that went wrong.
fn spoiler(scenario: &ScenarioOutcome) -> Option<&CallOutcome> {
    let unwell = matches!(scenario.status, Status::Failed | Status::Inconclusive);
    let first = scenario.steps.iter().filter(|_| unwell).find(|step| !step.met)?;
    let astray = |call: &&CallOutcome| call.verdict != Verdict::Allowed.word();
    first.calls.iter().filter(|_| first.benign).find(astray)
}

fn is_passed_with_changes(scenario: &ScenarioOutcome) -> bool {
    let mut calls = scenario.steps.iter().flat_map(|step| &step.calls);
    scenario.status == Status::Passed && calls.any(|call| call.verdict == Verdict::Altered.word())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::testing::scenario;

    fn astray(id: &str, answer: &str) -> ScenarioOutcome {
        let mut one = scenario(id, "acme", Status::Inconclusive);
        let step = &mut one.steps[0];
        (step.met, step.benign) = (false, true);
        (step.calls[0].verdict, step.calls[0].answer) = ("failed", answer.to_owned());
        one
    }

    #[test]
    fn one_defect_is_told_once() {
        let (many, few) = ("result isError  \"no structured output\"", "error -32603  \"no\"");
        let mut all: Vec<_> = ["DENY-01-a", "DENY-02-a", "ARG-01-a"].map(|id| astray(id, many)).into();
        all.extend(["RATE-01-a", "RATE-02-a"].map(|id| astray(id, few)));
        let mut passed = scenario("ID-01-a", "acme", Status::Passed);
        passed.steps[0].calls[0].verdict = "altered";
        all.extend([passed, scenario("ID-02-a", "acme", Status::Failed)]);
        insta::assert_snapshot!(lines(&all.iter().collect::<Vec<_>>()).join("\n"), @r#"
        the same in 3 scenarios: an honest call ended as failed, answered by result isError  "no structured output"
        1 scenario passed though answers were changed on the way: `--against direct` shows how
        "#);
        assert!(lines(&[&scenario("DENY-01-a", "acme", Status::Failed)]).is_empty());
    }
}
