//! What a gateway adds, drops and changes, and how long it takes, as a table for people.

use crate::diagnostic::printable;
use crate::run::against::{Comparison, Latency, Passage, Quantiles, Row, Side};

/// Columns are at most so wide; what is longer pushes its own line only.
const WIDEST: usize = 64;

/// The table and the latency, line by line.
pub(super) fn lines(comparison: &Comparison) -> Vec<String> {
    let Comparison { calls, lists, rows, beyond, .. } = comparison;
    let mut lines = vec![format!(
        "direct against through: {} and {} compared",
        count(*calls, "call"),
        count(*lists, "list")
    )];
    if rows.is_empty() && calls + lists > 0 {
        lines.push("  nothing was added, dropped or changed".to_owned());
    }
    for (side, words) in [(Side::Agent, "what the agent gets"), (Side::Server, "what the server gets")] {
        let of_side: Vec<&Row> = rows.iter().filter(|row| row.side == side).collect();
        if !of_side.is_empty() {
            lines.push(format!("  {words}"));
            lines.extend(table(&of_side));
        }
    }
    if *beyond > 0 {
        lines.push(format!("  and {beyond} more, at other places"));
    }
    match (&comparison.latency, &comparison.unmeasured) {
        (Some(latency), _) => lines.extend(latency_lines(latency)),
        (None, Some(why)) => lines.push(format!("  latency was not measured: {why}")),
        (None, None) => {}
    }
    lines.iter().map(|line| printable(line)).collect()
}

fn table(rows: &[&Row]) -> Vec<String> {
    let how_often = |row: &Row| match row.passage {
        Passage::Call => count(row.count, "call"),
        Passage::List => count(row.count, "list"),
    };
    let widest = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0).min(WIDEST);
    let place = widest(&mut rows.iter().map(|row| row.place.chars().count()));
    let often = widest(&mut rows.iter().map(|row| how_often(row).chars().count()));
    let line = |row: &&Row| {
        let example = match (row.direct.as_str(), row.through.as_str()) {
            ("", through) => through.to_owned(),
            (direct, "") => direct.to_owned(),
            (direct, through) => format!("{direct} → {through}"),
        };
        format!("    {:<9}  {:<place$}  {:<often$}  {example}", row.kind.word(), row.place, how_often(row))
    };
    rows.iter().map(line).collect()
}

fn latency_lines(latency: &Latency) -> Vec<String> {
    let build = if latency.optimised { "" } else { ", a debug build" };
    let mut lines = vec![format!(
        "  latency of {}: {} each way, alternately, on {} of {}{build}",
        latency.tool,
        count(latency.calls, "call"),
        count(latency.cores, "core"),
        latency.machine,
    )];
    for (way, times) in [("direct", latency.direct), ("through", latency.through), ("added", latency.added)] {
        lines.push(format!("    {way:<7}  {}", quantiles(times)));
    }
    lines
}

fn quantiles(times: Quantiles) -> String {
    let p99 = times.p99_ms.map_or("too few calls for a p99".to_owned(), |p99| format!("p99 {p99:.2} ms"));
    format!("p50 {:.2} ms   {p99}", times.p50_ms)
}

fn count(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
