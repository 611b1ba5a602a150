//! The attacks of a run as Markdown: what was not stopped first, with its place; then the counts.

use super::{Fared, Finding, List, findings, rows, totals};
use crate::diagnostic::printable_within;
use crate::pattern;
use crate::run::outcome::Outcome;
use std::fmt::Write as _;

/// Foreign text is cut to this many characters.
const EXCERPT: usize = 200;

/// The report, a section for each gateway.
pub fn markdown(outcome: &Outcome) -> String {
    let mut text = String::from("# Attacks\n");
    for gateway in &outcome.gateways {
        let findings = findings(outcome, &gateway.name);
        let _ = write!(text, "\n## Gateway {}\n\n{}\n", cell(&gateway.name), counted(&findings));
        told(&mut text, &findings, Fared::NotStopped, "Not stopped");
        told(
            &mut text,
            &findings,
            Fared::TwinFailed,
            "Honest work did not get through, so nothing is proved",
        );
        told(
            &mut text,
            &findings,
            Fared::ObservedPassing,
            "Observed: passes, and no rule was meant to stop it",
        );
        told(&mut text, &findings, Fared::NotRun, "Not run");
        table(&mut text, &findings, List::Patterns, "By pattern");
        table(&mut text, &findings, List::Owasp, "By OWASP id");
        table(&mut text, &findings, List::Atlas, "By MITRE ATLAS id");
    }
    text
}

fn counted(findings: &[Finding<'_>]) -> String {
    let totals = Fared::ALL.into_iter().zip(totals(findings));
    let parts: Vec<String> = totals
        .filter(|(fared, count)| *count > 0 || matches!(fared, Fared::Stopped | Fared::NotStopped))
        .map(|(fared, count)| format!("{count} {}", fared.words()))
        .collect();
    let plural = if findings.len() == 1 { "" } else { "s" };
    format!("{} attack{plural}: {}.", findings.len(), parts.join(", "))
}

/// Those that fared so, each with its place; nothing where there is none.
fn told(text: &mut String, findings: &[Finding<'_>], fared: Fared, title: &str) {
    let mut members: Vec<_> = findings.iter().filter(|finding| finding.fared == fared).collect();
    if members.is_empty() {
        return;
    }
    members.sort_by_key(|finding| std::cmp::Reverse(finding.scenario.severity));
    let _ = write!(
        text,
        "\n### {title}\n\n| severity | pattern | attack | place | what was |\n|---|---|---|---|---|\n"
    );
    for finding in members {
        let scenario = finding.scenario;
        let place = format!("{}:{}", scenario.file, finding.line());
        let patterns: Vec<String> = finding.patterns().iter().map(|id| named(id)).collect();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} |",
            scenario.severity.word(),
            cell(&patterns.join(", ")),
            cell(&scenario.title),
            cell(&place),
            cell(&finding.story())
        );
    }
}

/// An id with its name, where it is known.
fn named(id: &str) -> String {
    pattern::shipped().patterns.get(id).map_or_else(|| id.to_owned(), |known| format!("{id} {}", known.name))
}

fn table(text: &mut String, findings: &[Finding<'_>], list: List, title: &str) {
    let rows = rows(findings, list);
    if rows.is_empty() {
        return;
    }
    let heads: Vec<&str> = Fared::ALL.into_iter().map(Fared::words).collect();
    let _ = writeln!(text, "\n### {title}\n\n| id | name | {} | twins passed |", heads.join(" | "));
    let _ = writeln!(text, "|---|---|{}---:|", "---:|".repeat(heads.len()));
    for row in rows {
        let counts = row.counts.map(|count| if count == 0 { String::new() } else { count.to_string() });
        let twins =
            if row.twins == 0 { String::new() } else { format!("{} of {}", row.twins_passed, row.twins) };
        let _ =
            writeln!(text, "| {} | {} | {} | {twins} |", cell(&row.id), cell(row.name), counts.join(" | "));
    }
}

/// Text as it stands in a cell: printable, on one line, and nothing in it is markup.
fn cell(text: &str) -> String {
    let mut escaped = String::new();
    for character in printable_within(text, EXCERPT).chars() {
        if "\\`*_[]<>|!#&~".contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::super::tests::outcome;
    use super::*;
    use crate::diagnostic::hides;

    #[test]
    fn what_was_not_stopped_stands_first_and_nothing_foreign_is_markup() {
        let text = markdown(&outcome());
        assert!(!text.chars().any(|character| character != '\n' && hides(character)), "{text}");
        assert!(text.contains("6 attacks: 1 stopped, 1 not stopped, 1 twin failed, 1 observed: passes, 1 observed: held, 1 not run."), "{text}");
        let line = text.lines().find(|line| line.contains("let-through.yaml:6")).unwrap();
        assert!(line.starts_with("| critical | K24 Destructive call | nothing is destroyed |"), "{line}");
        assert!(line.contains(r"\|\`\<b\>") && !line.contains("<b>"), "{line}");
        let row = text.lines().find(|line| line.starts_with("| ASI02 |")).unwrap();
        assert_eq!(row, "| ASI02 | Tool Misuse and Exploitation | 1 | 1 | 1 | 1 | 1 | 1 | 3 of 5 |");
        let order = ["### Not stopped", "### Observed", "### By pattern", "### By OWASP", "### By MITRE"];
        let places: Vec<_> = order.iter().map(|title| text.find(title).unwrap()).collect();
        assert!(places.is_sorted());
    }
}
