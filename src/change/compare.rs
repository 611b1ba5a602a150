//! Two outcomes side by side: the same scenario at the same gateway, step by step.

use super::document::{Document, Scenario, Step};
use super::weigh::{self, Direction};
use super::{Change, Changes, Crowd, Turn};

/// What changed from the old run to the new one. Where each has one gateway, those are compared, whatever their names.
pub fn compare(old: &Document, new: &Document) -> Changes {
    let mut changes = Changes::default();
    let of = |document: &'_ Document, gateway: &str| {
        document.scenarios.iter().filter(|one| one.gateway == gateway).cloned().collect::<Vec<_>>()
    };
    let pairs = match (&old.gateways[..], &new.gateways[..]) {
        ([one], [other]) => vec![(one.name.clone(), other.name.clone())],
        (_, gateways) => gateways.iter().map(|one| (one.name.clone(), one.name.clone())).collect(),
    };
    for (before, after) in &pairs {
        if old.gateways.iter().any(|one| one.name == *before) {
            gateway(&of(old, before), &of(new, after), &mut changes);
        } else {
            changes.new_gateways.push(crowd(after, &of(new, after)));
        }
    }
    for gone in old.gateways.iter().filter(|one| !pairs.iter().any(|(before, _)| *before == one.name)) {
        changes.gone_gateways.push(crowd(&gone.name, &of(old, &gone.name)));
    }
    changes.changes.sort_by_key(|change| {
        (change.direction, std::cmp::Reverse(leaks(change)), std::cmp::Reverse(change.severity))
    });
    changes
}

fn crowd(gateway: &str, scenarios: &[Scenario]) -> Crowd {
    Crowd { gateway: gateway.to_owned(), scenarios: scenarios.len() }
}

/// The worst finding there is comes first.
fn leaks(change: &Change) -> bool {
    change.turns.iter().any(|turn| turn.now.contains("leaked"))
}

fn gateway(old: &[Scenario], new: &[Scenario], changes: &mut Changes) {
    let mut left: Vec<&Scenario> = old.iter().collect();
    for now in new {
        let eras = new.iter().filter(|other| other.id == now.id).count();
        let alone = eras == 1 && left.iter().filter(|was| was.id == now.id).count() == 1;
        // The era that was agreed on may be another one than before; where there are several, each is its own.
        let place = left.iter().position(|was| was.id == now.id && (alone || was.revision == now.revision));
        let turns = match place.map(|place| left.swap_remove(place)) {
            Some(was) => turns(was, now),
            None => only(Direction::New, "", &weigh::ending(now)),
        };
        match turns.iter().map(|turn| turn.direction).min() {
            Some(direction) => changes.changes.push(change(direction, now, eras > 1, turns)),
            None => changes.same += 1,
        }
    }
    for was in left {
        let gateway = new.first().map_or(&was.gateway, |one| &one.gateway).clone();
        let turns = only(Direction::Gone, &weigh::ending(was), "");
        changes.changes.push(Change { gateway, ..change(Direction::Gone, was, false, turns) });
    }
}

fn change(direction: Direction, scenario: &Scenario, eras: bool, turns: Vec<Turn>) -> Change {
    let revision = scenario.revision.as_ref().filter(|_| eras);
    Change {
        direction,
        scenario: scenario.id.clone() + &revision.map(|one| format!(" ({one})")).unwrap_or_default(),
        title: scenario.title.clone(),
        gateway: scenario.gateway.clone(),
        severity: scenario.severity,
        turns,
    }
}

fn only(direction: Direction, was: &str, now: &str) -> Vec<Turn> {
    vec![Turn { direction, step: None, line: None, was: was.to_owned(), now: now.to_owned() }]
}

fn turns(was: &Scenario, now: &Scenario) -> Vec<Turn> {
    match (was.ran(), now.ran()) {
        (false, false) => return Vec::new(),
        (false, true) => return only(Direction::New, &weigh::ending(was), &weigh::ending(now)),
        (true, false) => return only(Direction::Gone, &weigh::ending(was), &weigh::ending(now)),
        (true, true) => {}
    }
    let mut turns: Vec<Turn> = paired(&was.steps, &now.steps);
    turns.extend(weigh::unexplained(was, now));
    turns.extend(weigh::whole(was, now, &turns));
    turns
}

/// Steps by what they do, the first with the first: lines may have moved. What only one of the files asks is left to
/// how the scenario ended.
fn paired(was: &[Step], now: &[Step]) -> Vec<Turn> {
    let mut left: Vec<&Step> = was.iter().collect();
    let mut turns = Vec::new();
    for step in now {
        if let Some(place) = left.iter().position(|one| one.name == step.name) {
            turns.extend(weigh::step(left.remove(place), step));
        }
    }
    turns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::outcome::{ScenarioOutcome, Status};
    use crate::run::testing::{outcome, scenario, step};

    fn document(gateways: &[&str], scenarios: Vec<ScenarioOutcome>) -> Document {
        Document::of(&outcome(gateways, scenarios))
    }

    /// `DIRECTION SCENARIO GATEWAY: [STEP] WAS -> NOW` for each turn.
    fn told(old: Vec<ScenarioOutcome>, new: Vec<ScenarioOutcome>) -> Vec<String> {
        let changes = compare(&document(&["acme", "other"], old), &document(&["acme", "other"], new));
        let line = |change: &Change, turn: &Turn| {
            let (word, step) = (turn.direction.word(), turn.step.clone().unwrap_or_default());
            format!("{word} {} {}: [{step}] {} -> {}", change.scenario, change.gateway, turn.was, turn.now)
        };
        let lines = |change: &Change| change.turns.iter().map(|turn| line(change, turn)).collect::<Vec<_>>();
        changes.changes.iter().flat_map(lines).collect()
    }

    fn with(steps: Vec<crate::run::outcome::StepOutcome>, status: Status) -> ScenarioOutcome {
        ScenarioOutcome { steps, ..scenario("DENY-06-batch", "acme", status) }
    }

    #[test]
    fn a_change_is_told_as_behaviour_the_worst_first() {
        let one = |gateway, status| scenario("DENY-06-batch", gateway, status);
        let more = |id: &str| scenario(id, "acme", Status::Passed);
        let lines = told(
            vec![one("acme", Status::Passed), one("other", Status::Failed), more("a"), more("old")],
            vec![one("other", Status::Passed), one("acme", Status::Failed), more("a"), more("young")],
        );
        assert_eq!(
            lines,
            [
                "worse DENY-06-batch acme: [call destroy_vm] denied -> leaked",
                "better DENY-06-batch other: [call destroy_vm] leaked -> denied",
                "new young acme: []  -> passed",
                "gone old acme: [] passed -> ",
            ]
        );
    }

    #[test]
    fn steps_are_found_where_lines_moved_and_counts_are_told() {
        let mut many = step(8, "list_hosts", "allowed", "allowed");
        many.calls = vec![many.calls[0].clone(); 3];
        let mut fewer = many.clone();
        (fewer.line, fewer.met) = (12, false);
        fewer.calls[2].verdict = "rate_limited";
        assert_eq!(
            told(vec![with(vec![many], Status::Passed)], vec![with(vec![fewer], Status::Failed)]),
            ["worse DENY-06-batch acme: [call list_hosts] 3 allowed -> 2 allowed, 1 rate_limited"]
        );
    }

    #[test]
    fn the_same_verdict_with_another_reason_is_told_by_the_expectation() {
        let met = step(8, "destroy_vm", "denied", "denied");
        let mut unmet = met.clone();
        (unmet.met, unmet.expected, unmet.was) =
            (false, "reason to contain `people`".into(), "no reason".into());
        assert_eq!(
            told(vec![with(vec![met], Status::Passed)], vec![with(vec![unmet], Status::Failed)]),
            [
                "worse DENY-06-batch acme: [call destroy_vm] as expected -> expected reason to contain `people`, was no reason"
            ]
        );
    }

    #[test]
    fn what_was_unmet_before_can_still_get_worse() {
        let steps = |was: &'static str| vec![step(8, "destroy_vm", "denied", was)];
        let turn =
            |was, now| told(vec![with(steps(was), Status::Failed)], vec![with(steps(now), Status::Failed)]);
        assert_eq!(
            turn("allowed", "leaked"),
            ["worse DENY-06-batch acme: [call destroy_vm] allowed -> leaked"]
        );
        assert_eq!(
            turn("leaked", "allowed"),
            ["better DENY-06-batch acme: [call destroy_vm] leaked -> allowed"]
        );
        assert_eq!(
            turn("refused", "invalid"),
            ["different DENY-06-batch acme: [call destroy_vm] refused -> invalid"]
        );
    }

    #[test]
    fn what_a_list_says_of_a_failure_is_no_change() {
        assert!(
            told(vec![scenario("a", "acme", Status::Failed)], vec![scenario("a", "acme", Status::Known)])
                .is_empty()
        );
    }

    #[test]
    fn what_no_step_tells_the_scenario_does() {
        let mut late = scenario("a", "acme", Status::Failed);
        late.steps = scenario("a", "acme", Status::Passed).steps;
        late.unexplained = scenario("a", "acme", Status::Failed).steps[1].calls[0].arrivals.clone();
        assert_eq!(
            told(vec![scenario("a", "acme", Status::Passed)], vec![late]),
            ["worse a acme: [] every arrival explained -> 1 arrival that no call explains"]
        );
        let inconclusive = scenario("a", "acme", Status::Inconclusive);
        assert_eq!(
            told(vec![scenario("a", "acme", Status::Passed)], vec![inconclusive]),
            ["worse a acme: [] passed -> inconclusive: the mock has no answer"]
        );
        assert_eq!(
            told(
                vec![scenario("a", "acme", Status::NotApplicable)],
                vec![scenario("a", "acme", Status::Passed)]
            ),
            ["new a acme: [] not applicable: it has no approvals -> passed"]
        );
    }

    #[test]
    fn gateways_come_and_go_and_the_only_ones_are_compared() {
        let one = |gateway| vec![scenario("a", gateway, Status::Passed)];
        let both = || [one("acme"), one("other")].concat();
        let changes = compare(&document(&["acme", "other"], both()), &document(&["third"], one("third")));
        assert_eq!(changes.new_gateways, [Crowd { gateway: "third".to_owned(), scenarios: 1 }]);
        assert_eq!(changes.gone_gateways.len(), 2);
        let changes = compare(&document(&["acme"], one("acme")), &document(&["other"], one("other")));
        assert_eq!((changes.same, changes.changes.len(), changes.new_gateways.len()), (1, 0, 0));
    }

    #[test]
    fn each_era_is_held_against_its_own() {
        let era = |revision: &str, status| ScenarioOutcome {
            revision: Some(revision.to_owned()),
            ..scenario("a", "acme", status)
        };
        let old = vec![era("2025-11-25", Status::Passed), era("2026-07-28", Status::Passed)];
        let new = vec![era("2025-11-25", Status::Passed), era("2026-07-28", Status::Failed)];
        assert_eq!(told(old, new), ["worse a (2026-07-28) acme: [call destroy_vm] denied -> leaked"]);
        let agreed = told(vec![era("2025-11-25", Status::Passed)], vec![era("2026-07-28", Status::Passed)]);
        assert!(agreed.is_empty(), "{agreed:?}");
    }
}
