//! A proof in words.

use super::verdict::Proof;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// For people: the table of flaws, then everything that does not hold.
pub fn human(proof: &Proof) -> String {
    let mut text = String::from("each flaw, what it breaks, and the scenarios that catch it\n");
    for caught in &proof.flaws {
        let marks: Vec<String> = caught
            .breaks
            .iter()
            .map(|id| if caught.missed.contains(id) { format!("{id} (missed)") } else { (*id).to_owned() })
            .collect();
        let _ = writeln!(text, "\n{}   {}", caught.flaw, marks.join(" "));
        lines(&mut text, caught.by.iter());
    }
    let uncaught = proof.flaws.iter().filter(|caught| caught.by.is_empty());
    section(&mut text, "flaws that nothing catches", uncaught.map(|caught| caught.flaw.to_owned()));
    section(&mut text, "scenarios that nothing fails: unproved", proof.unproved.iter().cloned());
    section(&mut text, "scenarios that no gateway of this process can do", proof.not_run.iter().cloned());
    let only = proof.only_without_gateway.iter().cloned();
    section(&mut text, "scenarios that only the absence of a gateway fails", only);
    let broad = proof.broad.iter().map(|(scenario, flaws)| format!("{scenario}: {}", flaws.join(" ")));
    section(&mut text, "scenarios that fail for flaws of other groups", broad);
    let alarms = proof
        .alarms
        .iter()
        .map(|alarm| format!("{} at {}\n    {}", alarm.scenario, alarm.gateway, alarm.story.join("\n    ")));
    section(&mut text, "false alarms: honest gateways that a scenario fails", alarms);
    let missed = proof.flaws.iter().filter(|caught| !caught.missed.is_empty()).count();
    let names: BTreeSet<&String> = proof.flaws.iter().flat_map(|caught| &caught.by).collect();
    let _ = writeln!(
        text,
        "\n{} flaws, {missed} of them missed by a requirement that they break; {} scenarios catch some, {} are unproved; {} false alarms",
        proof.flaws.len(),
        names.len(),
        proof.unproved.len(),
        proof.alarms.len(),
    );
    text
}

/// For programs.
pub fn json(proof: &Proof) -> String {
    let text = serde_json::to_string_pretty(proof).expect("a proof is plain data");
    format!("{text}\n")
}

fn section(text: &mut String, title: &str, rows: impl Iterator<Item = String>) {
    let _ = writeln!(text, "\n{title}");
    let rows: Vec<String> = rows.collect();
    lines(text, rows.iter());
}

fn lines<'a>(text: &mut String, rows: impl Iterator<Item = &'a String>) {
    let before = text.len();
    for row in rows {
        let _ = writeln!(text, "  {row}");
    }
    if text.len() == before {
        text.push_str("  (none)\n");
    }
}
