//! The report for people: what failed first, each with its place, both sides and the line that repeats it; then a
//! line for each group.

use super::matrix::Matrix;
use super::table::table;
use super::{causes, comparison, second};
use crate::diagnostic::printable;
use crate::run::outcome::{ArrivalSeen, CallOutcome, Outcome, ScenarioOutcome, Status, StepOutcome};
use console::Style;
use std::fmt::Write as _;

/// Arguments and answers are cut to this many characters in a report; the JSON outcome has them longer.
const EXCERPT: usize = 110;

/// The report. `colour` asks for terminal colours.
pub fn human(outcome: &Outcome, colour: bool) -> String {
    let mut text = String::new();
    for gateway in &outcome.gateways {
        let scenarios: Vec<_> = outcome.scenarios.iter().filter(|one| one.gateway == gateway.name).collect();
        section(&mut text, &gateway.name, &scenarios, colour);
        for line in second::lines(&scenarios) {
            let _ = writeln!(text, "  {line}");
        }
        for line in gateway.comparison.iter().flat_map(comparison::lines) {
            let _ = writeln!(text, "  {line}");
        }
    }
    if outcome.gateways.len() > 1 {
        let _ = writeln!(text, "requirements and gateways");
        text.push_str(&table(&Matrix::of(outcome), colour));
    }
    let _ = writeln!(text, "{}", total(outcome, colour));
    text
}

fn section(text: &mut String, gateway: &str, scenarios: &[&ScenarioOutcome], colour: bool) {
    let mut upstreams: Vec<_> =
        scenarios.iter().flat_map(|one| one.upstreams.iter().map(String::as_str)).collect();
    upstreams.sort_unstable();
    upstreams.dedup();
    let count = scenarios.len();
    let plural = if count == 1 { "" } else { "s" };
    let _ =
        writeln!(text, "gateway {gateway}   upstreams {}   {count} scenario{plural}", upstreams.join(", "));
    for scenario in scenarios.iter().filter(|one| matches!(one.status, Status::Failed | Status::Inconclusive))
    {
        let word = paint(colour, if scenario.status == Status::Failed { "red" } else { "yellow" });
        let label = if scenario.status == Status::Failed { "FAILED" } else { "INCONCLUSIVE" };
        let _ =
            writeln!(text, "  {}  {}     {}", scenario.id, printable(&scenario.title), word.apply_to(label));
        for line in story(scenario) {
            let _ = writeln!(text, "    {line}");
        }
    }
    for (scenario, known) in scenarios.iter().filter_map(|one| Some((one, one.known.as_ref()?))) {
        let word = paint(colour, "yellow").apply_to("known");
        let because = printable(&known.because);
        let title = printable(&scenario.title);
        let _ = writeln!(text, "  {}  {title}     {word}", scenario.id);
        let _ = writeln!(text, "    {}", reason(scenario));
        let _ = writeln!(text, "    until {}: {because}", known.until);
    }
    for line in causes::lines(scenarios) {
        let _ = writeln!(text, "  {line}");
    }
    for (group, members) in groups(scenarios) {
        let _ = writeln!(text, "  {group:<14}  {}", tally(&members, colour).join("   "));
    }
}

/// Groups in the order of their first scenario.
fn groups<'a>(scenarios: &[&'a ScenarioOutcome]) -> Vec<(&'a str, Vec<&'a ScenarioOutcome>)> {
    let mut groups: Vec<(&str, Vec<&ScenarioOutcome>)> = Vec::new();
    for scenario in scenarios {
        match groups.iter_mut().find(|(group, _)| *group == scenario.group) {
            Some((_, members)) => members.push(scenario),
            None => groups.push((&scenario.group, vec![scenario])),
        }
    }
    groups
}

fn tally(members: &[&ScenarioOutcome], colour: bool) -> Vec<String> {
    let count = |status| members.iter().filter(|one| one.status == status).count();
    let mut parts = Vec::new();
    for (status, word, tint) in [
        (Status::Passed, "passed", "green"),
        (Status::Observed, "observed", "dim"),
        (Status::Failed, "failed", "red"),
        (Status::Inconclusive, "inconclusive", "yellow"),
        (Status::Known, "known", "yellow"),
    ] {
        if count(status) > 0 {
            parts.push(paint(colour, tint).apply_to(format!("{} {word}", count(status))).to_string());
        }
    }
    let dim = paint(colour, "dim");
    let not_applicable = reasons(members, Status::NotApplicable);
    parts.extend(
        not_applicable
            .iter()
            .map(|(why, count)| dim.apply_to(format!("{count} not applicable ({why})")).to_string()),
    );
    parts.extend(reasons(members, Status::Skipped).iter().map(|(why, count)| format!("{count} {why}")));
    parts
}

/// Each reason among those that ended so, and how often it was given.
fn reasons<'a>(members: &[&'a ScenarioOutcome], status: Status) -> Vec<(&'a str, usize)> {
    let mut reasons: Vec<(&str, usize)> = Vec::new();
    for scenario in members.iter().filter(|one| one.status == status) {
        let why = scenario.why.as_deref().unwrap_or("no reason was recorded");
        match reasons.iter_mut().find(|(reason, _)| *reason == why) {
            Some((_, count)) => *count += 1,
            None => reasons.push((why, 1)),
        }
    }
    reasons
}

fn total(outcome: &Outcome, colour: bool) -> String {
    let always = [Status::Passed, Status::Failed];
    let counts = outcome.summary.counts().into_iter();
    let told = counts.filter(|(status, count)| *count > 0 || always.contains(status));
    let mut parts: Vec<String> = told.map(|(status, count)| format!("{count} {}", status.word())).collect();
    parts.extend(no_longer(outcome));
    let tint = paint(colour, if outcome.is_clean() { "green" } else { "red" });
    tint.apply_to(parts.join(", ")).to_string()
}

/// How many entries of the list of known deviations no longer hold, if any.
pub(super) fn no_longer(outcome: &Outcome) -> Option<String> {
    let known = outcome.known.as_ref()?;
    let file = printable(&known.file);
    match known.complaints.len() {
        0 => None,
        1 => Some(format!("1 entry of {file} no longer holds")),
        count => Some(format!("{count} entries of {file} no longer hold")),
    }
}

/// Why a scenario did not pass, in one line.
pub fn reason(scenario: &ScenarioOutcome) -> String {
    let unmet = scenario.steps.iter().find(|step| !step.met);
    let reason = match (unmet, &scenario.why) {
        (Some(step), _) => format!("line {}: {}", step.line, complaint(step)),
        (None, Some(why)) => why.lines().collect::<Vec<_>>().join(" "),
        (None, None) if !scenario.unexplained.is_empty() => "arrivals that no call explains".to_owned(),
        (None, None) => "no reason was recorded".to_owned(),
    };
    printable(&reason)
}

/// The whole story of a scenario that did not pass, line by line.
pub fn story(scenario: &ScenarioOutcome) -> Vec<String> {
    let mut lines = Vec::new();
    for step in scenario.steps.iter().filter(|step| !step.met) {
        lines.push(format!("{}:{}  {}", scenario.file, step.line, complaint(step)));
        let unmet = telling(step);
        lines.extend(unmet.into_iter().flat_map(|call| sides(call, step)));
        lines.extend(step.notes.iter().map(|note| format!("note     {note}")));
    }
    for arrival in &scenario.unexplained {
        lines.push(format!("{:<8} {}, which no call explains", arrival.upstream, arrived(1, arrival)));
    }
    if let Some(why) = &scenario.why {
        lines.extend(why.lines().map(str::to_owned));
    }
    if !scenario.again.is_empty() {
        lines.push(format!("again    {}", scenario.again));
    }
    // Names and texts of servers and gateways get into complaints by many ways; none of them gets out raw.
    lines.iter().map(|line| printable(line)).collect()
}

fn complaint(step: &StepOutcome) -> String {
    format!("expected {}, was {}", step.expected, step.was)
}

/// The calls worth telling: those for which the step's expectation is not met, where that is known of single calls; of
/// each verdict the worst one, at most three.
fn telling(step: &StepOutcome) -> Vec<&CallOutcome> {
    let known = step.calls.iter().any(|call| call.unmet);
    let mut calls: Vec<&CallOutcome> = step.calls.iter().filter(|call| call.unmet || !known).collect();
    // What ran says more than what some parser might have run.
    calls.sort_by_key(|call| !call.arrivals.iter().any(|arrival| arrival.executed));
    let mut told: Vec<&CallOutcome> = Vec::new();
    for call in calls {
        if !told.iter().any(|other| other.verdict == call.verdict) {
            told.push(call);
        }
    }
    told.sort_by_key(|call| call.verdict != "leaked");
    told.truncate(3);
    told
}

fn sides(call: &CallOutcome, step: &StepOutcome) -> Vec<String> {
    let status = call.http.map(|status| format!("{status}  ")).unwrap_or_default();
    let mut sides = Vec::new();
    sides.extend(call.frame.iter().map(|frame| ("sent", format!("{}{}", place(call, step), cut(frame)))));
    sides.push(("agent", format!("{status}{}", cut(&call.answer))));
    if call.arrivals.is_empty() {
        sides.push(("server", format!("no execution of {}", call.tool)));
    }
    let mut seen: Vec<&str> = Vec::new();
    let (ran, came): (Vec<_>, Vec<_>) = call.arrivals.iter().partition(|arrival| arrival.executed);
    for arrival in ran.into_iter().chain(came) {
        if seen.contains(&arrival.upstream.as_str()) {
            continue;
        }
        seen.push(&arrival.upstream);
        let count = call.arrivals.iter().filter(|one| one.upstream == arrival.upstream).count();
        let time = arrival.before_answer_ms.map(|millis| between(millis, call)).unwrap_or_default();
        sides.push((&arrival.upstream, format!("{}{time}", arrived(count, arrival))));
    }
    let altered = call.change.iter().filter(|_| call.verdict == "altered");
    sides.extend(altered.map(|change| ("changed", cut(change))));
    let width = sides.iter().map(|(who, _)| who.chars().count()).max().unwrap_or(0).max(8);
    sides.into_iter().map(|(who, what)| format!("{who:<width$} {what}")).collect()
}

/// Which of several it was.
fn place(call: &CallOutcome, step: &StepOutcome) -> String {
    let nth = step.calls.iter().position(|other| std::ptr::eq(call, other)).unwrap_or_default() + 1;
    match step.calls.len() {
        0 | 1 => String::new(),
        count => format!("{nth} of {count}  "),
    }
}

fn arrived(count: usize, arrival: &ArrivalSeen) -> String {
    let what = if arrival.executed { "execution" } else { "arrival" };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural} of {} {}", arrival.tool, cut(&arrival.arguments.to_string()))
}

fn between(millis: f64, call: &CallOutcome) -> String {
    let answer = if call.told == "success" { "answer" } else { "refusal" };
    let side = if millis >= 0.0 { "before" } else { "after" };
    format!(", {:.0} ms {side} the {answer}", millis.abs())
}

pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

pub(super) fn paint(colour: bool, tint: &str) -> Style {
    Style::from_dotted_str(tint).force_styling(colour)
}
