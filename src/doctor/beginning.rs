//! What comes before every judgement: that the gateway can be spoken to, lists tools under names that are understood,
//! and lets an allowed call through.

use super::chart::{Chart, listed, method, sent_name};
use super::line::{Line, Mark};
use super::rendered::Cabinet;
use crate::diagnostic::{listed as enumerated, printable};
use crate::gateway::Profile;
use crate::run::outcome::{CallOutcome, StepOutcome};
use crate::run::telling::answer_line;
use crate::transcript::{Ended, Exchange};

/// Whether a session could be opened in an era, and gave a list of tools.
pub(super) fn opens(chart: &Chart, first: &str) -> bool {
    chart.step(first, "list").is_some_and(|list| listed(list).is_some())
}

/// Whether the allowed call reached the server in an era.
pub(super) fn gets_through(chart: &Chart, first: &str) -> bool {
    chart.call(first, "allowed").is_some_and(|call| call.reach > 0)
}

/// Whether a call was refused before the tools were listed, and the same one let through afterwards.
pub(super) fn refuses_unlisted(chart: &Chart, first: &str) -> bool {
    chart.call(first, "unlisted").is_some_and(|call| call.reach == 0) && gets_through(chart, first)
}

/// That calls are refused before the tools were listed.
pub(super) fn unlisted(chart: &Chart, first: &str) -> Option<Line> {
    let call = chart.call(first, "unlisted")?;
    let line =
        Line::new(Mark::Wrong, "call before a list", "refused until the tools were listed in its session");
    Some(line.sides(call).because(
        "agents list first: with `connect: {lists_first: true}` so does every session here; all that follows was looked at with that",
    ))
}

/// The list as one line; the tools by name where they help.
pub(super) fn list(chart: &Chart, first: &str, cabinet: &Cabinet<'_>) -> Line {
    let about = "list of tools";
    let Some(step) = chart.step(first, "list") else {
        return Line::new(Mark::Wrong, about, chart.why_not(first));
    };
    match listed(step) {
        Some(names) => Line::new(Mark::Well, about, format!("{} tools", names.len())),
        None => no_list(about, step, cabinet.profile.speaks_lines()).because_all(cabinet.policy("first")),
    }
}

/// No list came; `lines` says that the agent speaks with a process on stdio.
pub(super) fn no_list(about: &str, step: &StepOutcome, lines: bool) -> Line {
    let Some(exchange) = step.exchanges.last() else { return Line::new(Mark::Wrong, about, "none came") };
    let asked = method(exchange);
    let what = match asked.as_deref() {
        _ if matches!(exchange.ended, Ended::Lost(_)) => "it cannot be spoken to".to_owned(),
        Some("tools/list") if refuses(exchange) => "it runs, and refuses `tools/list`".to_owned(),
        Some("tools/list") => "it opens a session, and gives no list".to_owned(),
        Some(opening) => format!("it runs, and refuses `{opening}`"),
        None => "no connection could be made".to_owned(),
    };
    let status = exchange.http.as_ref().map(|head| head.status);
    let help = match status {
        Some(404 | 405) => "is the path in `connect.http` the one at which it speaks MCP?",
        Some(401 | 403) => "is the credential in `connect.headers` the one that its configuration has?",
        Some(400 | 406 | 415) => {
            "does it speak streamable HTTP at that address, rather than the older SSE transport?"
        }
        _ if lines => {
            "does it speak MCP on its standard output, a frame a line, and what did it print before it ended?"
        }
        _ => "is that the address at which it listens, and what does it log?",
    };
    let status = status.map(|status| format!("{status}  ")).unwrap_or_default();
    Line::new(Mark::Wrong, about, what)
        .because(format!("agent    {status}{}", answer_line(exchange)))
        .because(help)
}

/// Whether the answer is no page of a list but a refusal.
fn refuses(exchange: &Exchange) -> bool {
    exchange.http.as_ref().is_some_and(|head| head.status >= 400)
}

/// The allowed call, without which nothing else says anything.
pub(super) fn allowed(chart: &Chart, first: &str, cabinet: &Cabinet<'_>) -> Line {
    let about = "allowed call";
    let Some(call) = chart.call(first, "allowed") else {
        return Line::new(Mark::Wrong, about, chart.why_not(first));
    };
    let line = |mark, said: &str| Line::new(mark, about, said).sides(call);
    match (call.verdict, call.reach) {
        ("allowed", _) => Line::new(Mark::Well, about, "arrived once, and its answer came back as it was"),
        ("altered", _) => altered(about, "arrived, and was changed on the way", call),
        ("duplicated", _) => line(Mark::Wrong, "arrived more than once"),
        (_, 1..) => unlike(about, call, claimed_by(cabinet.profile, chart.step(first, "allowed"))),
        _ => line(Mark::Wrong, "never arrived at the server")
            .because(why_it_did_not_arrive(chart, first, call))
            .because_all(cabinet.policy("first")),
    }
}

/// A call that came through, and not as it was.
pub(super) fn altered(about: &str, said: &str, call: &CallOutcome) -> Line {
    let line = Line::new(Mark::Wrong, about, said).sides(call);
    let line = call.change.iter().fold(line, |line, change| line.because(format!("changed  {change}")));
    line.because("`gauntlet run --against direct` shows all that the gateway adds, drops and changes")
}

/// The rule of `reads` that claims the answer of a step, from 1.
pub(super) fn claimed_by(profile: &Profile, step: Option<&StepOutcome>) -> Option<usize> {
    profile.told(step?.exchanges.last()?).claimed_by.map(|index| index + 1)
}

/// A call that ran, and was not answered with what the server said.
pub(super) fn unlike(about: &str, call: &CallOutcome, claimed_by: Option<usize>) -> Line {
    let line = |said: String| Line::new(Mark::Wrong, about, said).sides(call);
    match (call.told, claimed_by) {
        ("silence" | "lost", _) => line("it ran, and no answer came back".to_owned()),
        (told, Some(rule)) => line(format!("it ran, and rule {rule} of `reads` takes the answer for `{told}`")).because(
            "if these are a server's words, anchor the rule to the gateway's own; if they are the gateway's, the server's answer is lost on its way",
        ),
        ("refused", None) => line("it ran, and the agent got an error that no rule of `reads` claims".to_owned()).because(
            "the server said something else, so these are the gateway's own words: the server's answer is lost on its way",
        ),
        (told, None) => line(format!("it ran, and its answer is read as `{told}`, though no rule of `reads` claims it")),
    }
}

fn why_it_did_not_arrive(chart: &Chart, first: &str, call: &CallOutcome) -> String {
    let step = chart.step(first, "allowed");
    let name = step.and_then(|step| sent_name(step.exchanges.first()?));
    let names = chart.step(first, "list").and_then(listed).unwrap_or_default();
    if let Some(name) = name.filter(|name| !names.is_empty() && !names.contains(name)) {
        let few: Vec<String> = names.iter().take(8).map(|name| printable(name)).collect();
        return format!(
            "it was called `{}`, and is not listed; listed are {}",
            printable(&name),
            enumerated(few.iter().map(String::as_str))
        );
    }
    let why = match call.told {
        "success" => "the gateway answers without asking the server: is it a cache, or an echo?",
        "failed" | "lost" => {
            "the gateway does not reach the server: is `upstreams[0].url` (or `.command`) in its configuration where it looks for it?"
        }
        "unauthorized" => "is the credential in `connect.headers` the one that its configuration has?",
        "silence" => "no answer came in time; the server behind it was not asked",
        _ => {
            "the policy allows this tool and nothing else: does the template render that, and under the name that the gateway uses?"
        }
    };
    why.to_owned()
}
