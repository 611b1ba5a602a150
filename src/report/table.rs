//! The matrix on a terminal: a line for each requirement, a narrow column for each gateway.

use super::human::paint;
use super::matrix::{Cell, Column, Matrix, State};
use crate::diagnostic::printable_within;
use crate::scenario::Severity;
use std::fmt::Write as _;

/// An id is cut to this many characters, so that five gateways fit beside it into 100 columns.
const ID: usize = 30;

/// A gateway's name above its column is cut to this many characters.
const NAME: usize = 48;

/// The table. `colour` asks for terminal colours.
pub(super) fn table(matrix: &Matrix<'_>, colour: bool) -> String {
    let cells: Vec<Vec<String>> =
        matrix.rows.iter().map(|row| row.cells.iter().map(words).collect()).collect();
    let ids: Vec<String> = matrix.rows.iter().map(|row| cut(&row.id, ID)).collect();
    let width = ids.iter().map(|id| id.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..matrix.columns.len())
        .map(|column| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
        .collect();
    let mut text = heads(matrix, width, &widths);
    let mut rows = matrix.rows.iter().zip(ids.iter().zip(&cells));
    for (group, members) in matrix.groups() {
        let _ = writeln!(text, "  {}", cut(group, NAME));
        for (row, (id, words)) in rows.by_ref().take(members.len()) {
            let _ = write!(text, "    {id:<width$}  {:<4}", short(row.severity));
            for ((cell, word), width) in row.cells.iter().zip(words).zip(&widths) {
                let word = format!("{word:<width$}");
                let _ = write!(text, "  {}", paint(colour, tint(cell.state())).apply_to(word));
            }
            text.truncate(text.trim_end_matches(' ').len());
            text.push('\n');
        }
    }
    text.push_str(&footing(matrix));
    text
}

/// The names above the columns, each on a line of its own that leads down to it: so no name needs a wide column.
fn heads(matrix: &Matrix<'_>, width: usize, widths: &[usize]) -> String {
    // Four spaces, the id, two spaces, the severity, two spaces.
    let first = 4 + width + 2 + 4 + 2;
    let starts = widths.iter().scan(first, |next, width| {
        let start = *next;
        *next += width + 2;
        Some(start)
    });
    let starts: Vec<usize> = starts.collect();
    let mut text = String::new();
    for (column, start) in matrix.columns.iter().zip(&starts).rev() {
        let name = format!("{} ─┐", cut(&column.gateway.name, NAME.min(start - 2)));
        let _ = write!(text, "{name:>width$}", width = start + 1);
        let mut at = start + 1;
        for other in starts.iter().filter(|other| *other > start) {
            let _ = write!(text, "{:>width$}", '│', width = other + 1 - at);
            at = other + 1;
        }
        text.push('\n');
    }
    text
}

fn footing(matrix: &Matrix<'_>) -> String {
    let shown = |state| matrix.rows.iter().flat_map(|row| &row.cells).any(|cell| cell.state() == state);
    let mut lines: Vec<String> = matrix.columns.iter().filter_map(Column::strays).collect();
    if matrix.rows.iter().flat_map(|row| &row.cells).any(|cell| cell.share().is_some()) {
        lines.push("1/3: one of three scenarios ended so, and none worse".to_owned());
    }
    if shown(State::NotApplicable) {
        lines.push("n/a: not applicable".to_owned());
    }
    if let Some((unasked, all)) = matrix.unasked().filter(|(unasked, _)| *unasked > 0) {
        lines.push(format!("{unasked} of {all} requirements have no scenario in this run"));
    }
    lines.iter().map(|line| format!("  {line}\n")).collect()
}

fn words(cell: &Cell<'_>) -> String {
    let word = match cell.state() {
        State::Failed => "FAILED",
        State::Inconclusive => "INCONCL.",
        State::NotApplicable => "n/a",
        other => other.word(),
    };
    cell.share().map_or_else(|| word.to_owned(), |share| format!("{word} {share}"))
}

fn tint(state: State) -> &'static str {
    match state {
        State::Failed => "red",
        State::Inconclusive | State::Known => "yellow",
        State::Passed => "green",
        State::Observed | State::Skipped | State::NotApplicable | State::Absent => "dim",
    }
}

fn short(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "crit",
        Severity::High => "high",
        Severity::Medium => "med",
        Severity::Low => "low",
    }
}

/// Printable, on one line, and never longer than that.
fn cut(text: &str, limit: usize) -> String {
    let text = printable_within(text, limit * 2);
    match text.char_indices().nth(limit) {
        Some(_) => text.chars().take(limit - 1).chain(['…']).collect(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::outcome::Status;
    use crate::run::testing::{HOSTILE, attack, outcome, scenario};

    #[test]
    fn five_gateways_stand_side_by_side() {
        let gateways = [
            "direct",
            "reference",
            "mcp-policy-gateway",
            "agentveil-mcp-proxy",
            "reference+forwards-then-refuses",
        ];
        use Status::{Failed, Inconclusive, Known, NotApplicable, Passed, Skipped};
        let mut scenarios = Vec::new();
        for (id, ended) in [
            ("DENY-01-a", [Failed, Passed, Known, NotApplicable, Failed]),
            ("DENY-01-b", [Failed, Passed, Passed, Passed, Passed]),
            ("RATE-01-a", [Inconclusive, Passed, Passed, Passed, Skipped]),
            ("destructive-loop-under-a-very-low-limit", [Failed, Passed, Passed, Passed, Passed]),
        ] {
            for (gateway, status) in gateways.iter().zip(ended) {
                let mut one = scenario(id, gateway, status);
                one.attack = id.starts_with('d').then(attack);
                scenarios.push(one);
            }
        }
        let outcome = outcome(&gateways, scenarios);
        let text = table(&Matrix::of(&outcome), false);
        insta::assert_snapshot!(text, @"
                                                        reference+forwards-then-refuses ─┐
                                                        agentveil-mcp-proxy ─┐           │
                                              mcp-policy-gateway ─┐          │           │
                                               reference ─┐       │          │           │
                                        direct ─┐         │       │          │           │
        deny
          DENY-01                         crit  FAILED    passed  known 1/2  passed 1/2  FAILED 1/2
        limits
          RATE-01                         crit  INCONCL.  passed  passed     passed      skipped
        attacks
          destructive-loop-under-a-very…  med   FAILED    passed  passed     passed      passed
        1/3: one of three scenarios ended so, and none worse
        118 of 120 requirements have no scenario in this run
        ");
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        assert!(table(&Matrix::of(&outcome), true).contains("\u{1b}[31mFAILED"));
    }

    #[test]
    fn hostile_names_break_no_line() {
        let mut one = scenario(HOSTILE, HOSTILE, Status::Failed);
        one.requirements = vec![HOSTILE.to_owned(), HOSTILE.repeat(50)];
        one.group = HOSTILE.to_owned();
        let outcome = outcome(&[HOSTILE, "acme"], vec![one]);
        let text = table(&Matrix::of(&outcome), false);
        assert!(!text.chars().any(|one| one != '\n' && crate::diagnostic::hides(one)), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    }
}
