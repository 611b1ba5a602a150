//! The outcome as Markdown: first how each gateway fared and what failed, then requirements × gateways. Short enough for
//! the summary of a pull request: all rows are folded away, and what failed is bounded.
//!
//! Foreign text stands in it as text: it is made printable, and whatever Markdown or HTML would take as its own is
//! escaped.

use super::human;
use super::matrix::{Cell, Column, Matrix, State};
use crate::diagnostic::printable_within;
use crate::run::outcome::{GatewayRow, Introduced, Outcome, ScenarioOutcome, Status, Summary};
use std::cmp::Reverse;
use std::fmt::Write as _;

/// So many of what failed are told; the JSON outcome has them all.
const TOLD: usize = 40;

/// Longer texts are cut to this many characters.
const LENGTH: usize = 200;

/// The document.
pub fn markdown(outcome: &Outcome) -> String {
    let matrix = Matrix::of(outcome);
    let mut text = format!("## {}\n\n", verdict(outcome));
    gateways(&mut text, outcome, &matrix);
    told(&mut text, outcome, "What failed", &[Status::Failed, Status::Inconclusive]);
    told(&mut text, outcome, "What is known to fail", &[Status::Known]);
    known(&mut text, outcome);
    let notes = rows(&mut text, &matrix);
    reasons(&mut text, &notes);
    text
}

/// The first line: what came of it all.
fn verdict(outcome: &Outcome) -> String {
    let Summary { passed, failed, inconclusive, known, observed, .. } = outcome.summary;
    let mut parts = vec![format!("{passed} passed"), format!("{failed} failed")];
    let more = [(inconclusive, "inconclusive"), (known, "known"), (observed, "observed")];
    parts.extend(more.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")));
    parts.extend(human::no_longer(outcome).map(|told| escaped(&told)));
    format!("{} Gauntlet: {}", if outcome.is_clean() { "✓" } else { "✗" }, parts.join(", "))
}

fn gateways(text: &mut String, outcome: &Outcome, matrix: &Matrix<'_>) {
    let words = Summary::default().counts().map(|(status, _)| status.word());
    let _ = writeln!(text, "| gateway | it calls itself | profile | {} |", words.join(" | "));
    let _ = writeln!(text, "|---|---|---|{}", "--:|".repeat(words.len()));
    for Column { gateway, summary } in &matrix.columns {
        let GatewayRow { name, introduced, profile, .. } = gateway;
        let counts = summary.counts().map(|(_, count)| count.to_string());
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} |",
            escaped(name),
            introduced.iter().map(itself).collect::<Vec<_>>().join("<br>"),
            escaped(profile),
            counts.join(" | "),
        );
    }
    for told in matrix.columns.iter().filter_map(Column::strays) {
        let _ = writeln!(text, "\n{}", escaped(&told));
    }
    let _ = writeln!(text, "\nRun by gauntlet {} on {}.", outcome.gauntlet, outcome.begun);
}

fn itself(introduced: &Introduced) -> String {
    escaped(format!("{} {}", introduced.name, introduced.version).trim_end())
}

/// A line for each scenario that ended so, the gravest first; no gateway crowds out the others.
fn told(text: &mut String, outcome: &Outcome, heading: &str, ended: &[Status]) {
    let so = |gateway: &GatewayRow| {
        let own = outcome.scenarios.iter().filter(|one| one.gateway == gateway.name);
        let mut so: Vec<&ScenarioOutcome> = own.filter(|one| ended.contains(&one.status)).collect();
        so.sort_by_key(|scenario| Reverse(scenario.severity));
        so
    };
    let all: Vec<_> = outcome.gateways.iter().map(|gateway| (gateway, so(gateway))).collect();
    if all.iter().all(|(_, scenarios)| scenarios.is_empty()) {
        return;
    }
    let _ = writeln!(text, "\n### {heading}\n");
    let each = (TOLD / all.len().max(1)).max(3);
    for (gateway, scenarios) in all {
        scenarios.iter().take(each).for_each(|scenario| line(text, scenario));
        if scenarios.len() > each {
            let _ = writeln!(text, "- and {} more at {}", scenarios.len() - each, escaped(&gateway.name));
        }
    }
}

fn line(text: &mut String, scenario: &ScenarioOutcome) {
    let (id, gateway) = (escaped(&scenario.id), escaped(&scenario.gateway));
    let (title, reason) = (escaped(&scenario.title), escaped(&human::reason(scenario)));
    let _ = write!(text, "- **{id}** at {gateway}, {title}: {reason}");
    if let Some(known) = &scenario.known {
        let _ = write!(text, "; until {}: {}", known.until, escaped(&known.because));
    }
    text.push('\n');
}

/// The entries of the list that no longer hold.
fn known(text: &mut String, outcome: &Outcome) {
    let Some(known) = outcome.known.as_ref().filter(|known| !known.complaints.is_empty()) else { return };
    text.push_str("\n### Known deviations that no longer hold\n\n");
    for complaint in &known.complaints {
        let help = complaint.help.as_deref().map(|help| format!(": {}", escaped(help))).unwrap_or_default();
        let (file, message) = (escaped(&known.file), escaped(&complaint.message));
        let _ = writeln!(text, "- {file}:{}: {message}{help}", complaint.line);
    }
}

/// The matrix, a table for each group; gives what its small numbers mean.
fn rows(text: &mut String, matrix: &Matrix<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    text.push_str("\n<details><summary>Requirements and gateways</summary>\n");
    for (group, rows) in matrix.groups() {
        let names = matrix.columns.iter().map(|column| escaped(&column.gateway.name));
        let _ = writeln!(text, "\n#### {}\n", escaped(group));
        let _ = writeln!(text, "| | severity | {} |", names.collect::<Vec<_>>().join(" | "));
        let _ = writeln!(text, "|---|---|{}", "---|".repeat(matrix.columns.len()));
        for row in rows {
            let cells: Vec<String> = row.cells.iter().map(|one| cell(one, &mut notes)).collect();
            let (id, statement) = (escaped(&row.id), escaped(&row.statement));
            let _ =
                writeln!(text, "| **{id}** {statement} | {} | {} |", row.severity.word(), cells.join(" | "));
        }
    }
    if let Some((unasked, all)) = matrix.unasked().filter(|(unasked, _)| *unasked > 0) {
        let _ = writeln!(text, "\n{unasked} of {all} requirements have no scenario in this run.");
    }
    text.push_str("\n</details>\n");
    notes
}

/// A cell, with small numbers for the reasons why there is nothing to tell.
fn cell(cell: &Cell<'_>, notes: &mut Vec<String>) -> String {
    let state = cell.state();
    let word = match state {
        State::Failed => "✗ **failed**",
        State::Inconclusive => "? **inconclusive**",
        State::Known => "≈ known",
        State::Passed => "✓ passed",
        other => other.word(),
    };
    let share = cell.share().map(|share| format!(" {share}")).unwrap_or_default();
    let reasons =
        if matches!(state, State::NotApplicable | State::Skipped) { cell.reasons() } else { Vec::new() };
    let numbers: Vec<String> = reasons
        .into_iter()
        .map(|reason| {
            let place = notes.iter().position(|known| *known == reason);
            let place = place.unwrap_or_else(|| {
                notes.push(reason);
                notes.len() - 1
            });
            (place + 1).to_string()
        })
        .collect();
    let small = if numbers.is_empty() { String::new() } else { format!(" <sup>{}</sup>", numbers.join(" ")) };
    format!("{word}{share}{small}")
}

fn reasons(text: &mut String, notes: &[String]) {
    if notes.is_empty() {
        return;
    }
    text.push_str("\n<details><summary>Why not applicable, or skipped</summary>\n\n");
    for (place, note) in notes.iter().enumerate() {
        let _ = writeln!(text, "{}. {}", place + 1, escaped(note));
    }
    text.push_str("\n</details>\n");
}

/// Foreign text as text: bounded, on one line, and without meaning to Markdown or HTML.
pub(super) fn escaped(foreign: &str) -> String {
    let mut text = String::new();
    let printable = printable_within(foreign, LENGTH);
    for (place, character) in printable.char_indices() {
        match character {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            // In a table a backslash before a pipe would end the cell all the same in some readers.
            '|' => text.push_str("&#124;"),
            // A mention or an issue's number would reach people.
            '@' => text.push_str("&#64;"),
            '#' => text.push_str("&#35;"),
            // No link by itself, either.
            ':' if printable[place..].starts_with("://") => text.push_str("&#58;"),
            '.' if printable[..place].to_ascii_lowercase().ends_with("www") => text.push_str("&#46;"),
            '\\' | '`' | '*' | '_' | '~' | '[' | ']' | '!' | '$' => text.extend(['\\', character]),
            _ => text.push(character),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::outcome::{Complaint, KnownList};
    use crate::run::testing::{HOSTILE, outcome, scenario};

    #[test]
    fn two_gateways_and_what_failed() {
        use Status::{Failed, Known, NotApplicable, Passed};
        let scenarios = vec![
            scenario("DENY-01-a", "direct", Failed),
            scenario("APPR-01-a", "direct", NotApplicable),
            scenario("DENY-01-a", "acme", Passed),
            scenario("APPR-01-a", "acme", Known),
        ];
        let mut outcome = outcome(&["direct", "acme"], scenarios);
        let complaints = vec![Complaint {
            line: 3,
            message: "`DENY-02` passes at `acme`, but is listed as known to fail".to_owned(),
            help: Some("remove the entry".to_owned()),
        }];
        outcome.known = Some(KnownList { file: "known.yaml".to_owned(), complaints });
        insta::assert_snapshot!(markdown(&outcome), @r#"
        ## ✗ Gauntlet: 1 passed, 1 failed, 1 known, 1 entry of known.yaml no longer holds

        | gateway | it calls itself | profile | passed | failed | inconclusive | known | observed | not applicable | skipped |
        |---|---|---|--:|--:|--:|--:|--:|--:|--:|
        | direct | direct-server 1.2.3 | 0123456789ab | 0 | 1 | 0 | 0 | 0 | 1 | 0 |
        | acme | acme-server 1.2.3 | 0123456789ab | 1 | 0 | 0 | 1 | 0 | 0 | 0 |

        Run by gauntlet 0.1.0 on 2027-01-31T12:00:00Z.

        ### What failed

        - **DENY-01-a** at direct, the sentence of DENY-01-a: line 9: expected denied, was leaked

        ### What is known to fail

        - **APPR-01-a** at acme, the sentence of APPR-01-a: line 9: expected denied, was leaked; until 2027-03-31: reported to its authors

        ### Known deviations that no longer hold

        - known.yaml:3: \`DENY-02\` passes at \`acme\`, but is listed as known to fail: remove the entry

        <details><summary>Requirements and gateways</summary>

        #### deny

        | | severity | direct | acme |
        |---|---|---|---|
        | **DENY-01** Denied tool: zero upstream executions, one well-formed reply with the request's id | critical | ✗ **failed** | ✓ passed |

        #### approval

        | | severity | direct | acme |
        |---|---|---|---|
        | **APPR-01** Nothing executes before a decision; agent sees pending (async) or no reply yet (hold) | critical | not applicable <sup>1</sup> | ≈ known |

        118 of 120 requirements have no scenario in this run.

        </details>

        <details><summary>Why not applicable, or skipped</summary>

        1. it has no approvals

        </details>
        "#);
    }

    #[test]
    fn what_failed_is_bounded() {
        let many = (0..100).map(|nth| scenario(&format!("DENY-01-{nth}"), "acme", Status::Failed)).collect();
        let text = markdown(&outcome(&["acme"], many));
        assert!(text.contains("- and 60 more at acme\n"), "{text}");
    }

    #[test]
    fn hostile_text_stays_text() {
        let mut one = scenario(HOSTILE, HOSTILE, Status::Failed);
        one.title = HOSTILE.to_owned();
        one.group = HOSTILE.to_owned();
        one.requirements = vec![HOSTILE.to_owned()];
        one.steps[1].was = HOSTILE.to_owned();
        let outcome = outcome(&[HOSTILE, "acme"], vec![one]);
        let text = markdown(&outcome);
        assert!(text.chars().all(|one| one == '\n' || !crate::diagnostic::hides(one)), "{text}");
        assert!(!text.contains("<script") && !text.contains("[a](") && !text.contains(" `x`"), "{text}");
        let tables = text.lines().filter(|line| line.starts_with('|'));
        let columns: Vec<usize> = tables.map(|line| line.matches('|').count() - 1).collect();
        assert_eq!(columns, [10, 10, 10, 10, 4, 4, 4], "{text}");
        assert_eq!(
            escaped("a|b `c` @team #1 https://x.test www.x.test <b> \\"),
            "a&#124;b \\`c\\` &#64;team &#35;1 https&#58;//x.test www&#46;x.test &lt;b&gt; \\\\"
        );
    }
}
