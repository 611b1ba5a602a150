//! What changed between two runs, in each form that reports have.

use super::human::paint;
use super::json::escaped as escaped_json;
use super::markdown::escaped;
use crate::change::{Change, Changes, Direction, Turn};
use crate::diagnostic::printable_within;
use serde_json::json;
use std::fmt::Write as _;

/// Longer texts are cut to this many characters.
const LENGTH: usize = 160;

/// So many changes of each direction are told as Markdown; the other forms have them all.
const TOLD: usize = 40;

/// For people. `colour` asks for terminal colours.
pub fn human(changes: &Changes, colour: bool) -> String {
    let mut text = String::new();
    for (direction, members) in sections(changes) {
        let tint = match direction {
            Direction::Worse => "red",
            Direction::Better => "green",
            Direction::Different | Direction::New | Direction::Gone => "dim",
        };
        let _ = writeln!(text, "{}", paint(colour, tint).apply_to(direction.word()));
        for change in members {
            let (scenario, gateway) = (shown(&change.scenario), shown(&change.gateway));
            let _ = writeln!(text, "  {scenario} at {gateway}");
            for turn in &change.turns {
                let _ = writeln!(text, "    {}{}", place(turn), words(turn, shown));
            }
        }
    }
    for line in crowds(changes, shown) {
        let _ = writeln!(text, "{line}");
    }
    let _ = writeln!(text, "{}", total(changes));
    text
}

/// As Markdown.
pub fn markdown(changes: &Changes) -> String {
    let mark = if changes.got_worse() { "✗" } else { "✓" };
    let mut text = format!("### {mark} Since the run before: {}\n", total(changes));
    for (direction, members) in sections(changes) {
        let _ = writeln!(text, "\n**{}**\n", direction.word());
        for change in members.iter().take(TOLD) {
            let turns: Vec<String> = change
                .turns
                .iter()
                .map(|turn| format!("{}{}", escaped(&place(turn)), words(turn, escaped)))
                .collect();
            let (scenario, gateway) = (escaped(&change.scenario), escaped(&change.gateway));
            let _ = writeln!(text, "- **{scenario}** at {gateway}: {}", turns.join("; "));
        }
        if members.len() > TOLD {
            let _ = writeln!(text, "- and {} more", members.len() - TOLD);
        }
    }
    for line in crowds(changes, escaped) {
        let _ = writeln!(text, "\n{line}");
    }
    text
}

/// As JSON, version 1: `counts` by direction, and every change.
pub fn json(changes: &Changes) -> String {
    let counts: serde_json::Map<String, serde_json::Value> = Direction::ALL
        .into_iter()
        .map(|direction| (direction.word().to_owned(), changes.count(direction).into()))
        .collect();
    let Changes { changes, same, new_gateways, gone_gateways } = changes;
    escaped_json(&json!({
        "version": 1,
        "counts": counts,
        "same": same,
        "changes": changes,
        "new_gateways": new_gateways,
        "gone_gateways": gone_gateways,
    }))
}

/// The directions in which something changed, with what did.
fn sections(changes: &Changes) -> Vec<(Direction, Vec<&Change>)> {
    let of = |direction| changes.changes.iter().filter(move |change| change.direction == direction);
    Direction::ALL
        .into_iter()
        .map(|direction| (direction, of(direction).collect::<Vec<_>>()))
        .filter(|(_, members)| !members.is_empty())
        .collect()
}

/// Where it happened, as the head of a line.
fn place(turn: &Turn) -> String {
    let line = turn.line.filter(|line| *line > 0).map(|line| format!("line {line} ")).unwrap_or_default();
    turn.step.as_ref().map(|step| format!("{line}{}: ", shown(step))).unwrap_or_default()
}

fn words(turn: &Turn, shown: fn(&str) -> String) -> String {
    match (turn.was.as_str(), turn.now.as_str()) {
        ("", now) => shown(now),
        (was, "") => format!("was {}", shown(was)),
        (was, now) => format!("{} → {}", shown(was), shown(now)),
    }
}

fn crowds(changes: &Changes, shown: fn(&str) -> String) -> Vec<String> {
    let all = [(&changes.new_gateways, "new"), (&changes.gone_gateways, "gone")];
    let lines = all.iter().flat_map(|(crowds, word)| {
        crowds.iter().map(move |crowd| {
            let plural = if crowd.scenarios == 1 { "" } else { "s" };
            format!("gateway {} is {word}: {} scenario{plural}", shown(&crowd.gateway), crowd.scenarios)
        })
    });
    lines.collect()
}

fn total(changes: &Changes) -> String {
    let told = |direction: &Direction| changes.count(*direction) > 0 || *direction == Direction::Worse;
    let counts = Direction::ALL.into_iter().filter(told);
    let mut parts: Vec<String> =
        counts.map(|direction| format!("{} {}", changes.count(direction), direction.word())).collect();
    parts.push(format!("{} as before", changes.same));
    parts.join(", ")
}

fn shown(foreign: &str) -> String {
    printable_within(foreign, LENGTH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::{Document, compare};
    use crate::run::outcome::Status;
    use crate::run::testing::{HOSTILE, outcome, scenario};

    fn changes() -> Changes {
        use Status::{Failed, NotApplicable, Passed};
        let old = vec![
            scenario("DENY-06-batch", "acme", Passed),
            scenario("RATE-01-burst", "acme", Failed),
            scenario("APPR-01-a", "acme", NotApplicable),
            scenario("VIS-01-a", "acme", Passed),
            scenario("VIS-02-a", "acme", Passed),
        ];
        let new = vec![
            scenario("DENY-06-batch", "acme", Failed),
            scenario("RATE-01-burst", "acme", Passed),
            scenario("APPR-01-a", "acme", Passed),
            scenario("VIS-01-a", "acme", Passed),
            scenario("VIS-01-a", "other", Passed),
        ];
        let (old, new) = (outcome(&["acme"], old), outcome(&["acme", "other"], new));
        compare(&Document::of(&old), &Document::of(&new))
    }

    #[test]
    fn people_read_the_worst_first() {
        insta::assert_snapshot!(human(&changes(), false), @"
        worse
          DENY-06-batch at acme
            line 9 call destroy_vm: denied → leaked
        better
          RATE-01-burst at acme
            line 9 call destroy_vm: leaked → denied
        new
          APPR-01-a at acme
            not applicable: it has no approvals → passed
        gone
          VIS-02-a at acme
            was passed
        gateway other is new: 1 scenario
        1 worse, 1 better, 1 new, 1 gone, 1 as before
        ");
        assert!(human(&changes(), true).contains("\u{1b}[31mworse"));
    }

    #[test]
    fn markdown_says_the_same() {
        insta::assert_snapshot!(markdown(&changes()), @r#"
        ### ✗ Since the run before: 1 worse, 1 better, 1 new, 1 gone, 1 as before

        **worse**

        - **DENY-06-batch** at acme: line 9 call destroy\_vm: denied → leaked

        **better**

        - **RATE-01-burst** at acme: line 9 call destroy\_vm: leaked → denied

        **new**

        - **APPR-01-a** at acme: not applicable: it has no approvals → passed

        **gone**

        - **VIS-02-a** at acme: was passed

        gateway other is new: 1 scenario
        "#);
    }

    #[test]
    fn json_has_every_change() {
        let read: serde_json::Value = serde_json::from_str(&json(&changes())).unwrap();
        assert_eq!(
            read["counts"],
            serde_json::json!({"worse": 1, "better": 1, "different": 0, "new": 1, "gone": 1})
        );
        insta::assert_snapshot!(serde_json::to_string_pretty(&read["changes"][0]).unwrap(), @r#"
        {
          "direction": "worse",
          "scenario": "DENY-06-batch",
          "title": "the sentence of DENY-06-batch",
          "gateway": "acme",
          "severity": "medium",
          "turns": [
            {
              "direction": "worse",
              "step": "call destroy_vm",
              "line": 9,
              "was": "denied",
              "now": "leaked"
            }
          ]
        }
        "#);
    }

    #[test]
    fn hostile_text_breaks_no_form() {
        let hostile = |status| {
            let mut one = scenario("a", "acme", status);
            (one.id, one.gateway) = (HOSTILE.to_owned(), HOSTILE.to_owned());
            one.steps[1].name = HOSTILE.repeat(20);
            outcome(&[HOSTILE, "acme"], vec![one])
        };
        let (old, new) = (hostile(Status::Passed), hostile(Status::Failed));
        let changes = compare(&Document::of(&old), &Document::of(&new));
        assert!(changes.got_worse());
        for text in [human(&changes, false), markdown(&changes), json(&changes)] {
            assert!(text.chars().all(|one| one == '\n' || !crate::diagnostic::hides(one)), "{text}");
        }
        assert!(!markdown(&changes).contains("<script"));
    }
}
