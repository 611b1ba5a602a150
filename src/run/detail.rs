//! The finer expectations: reasons, answers, heads, arguments, and lists of tools.

use super::alike;
use super::expectation;
use super::judge::{Asked, Judged};
use super::perform::{Listed, Performed};
use super::verify::{Evidence, Finding, fell};
use crate::mock::Arrival;
use crate::scenario::{
    Amount, Detailed, EntryExpect, HttpExpect, Listing, Pattern, UpstreamExpect, Variables,
};
use crate::source::Placed;
use crate::transcript::{Exchange, Received};
use crate::wire::{Called, Json, Message, canonical};
use std::time::Duration;

/// So many parts of what is not met are told.
const TOLD: usize = 3;

/// A verdict and what can be said beyond it; what is not so is told, of the first call of which something is not.
pub(super) fn detailed(evidence: &Evidence<'_>, detailed: &Detailed, calls: &[(&Asked, &Judged)]) -> Finding {
    let fell: Vec<_> = calls.iter().map(|(asked, judged)| fell(evidence, asked, judged)).collect();
    let words = match detailed.verdict.as_slice() {
        [] => "as described".to_owned(),
        verdicts => expectation::words(verdicts),
    };
    let verdict = Finding::of(true, words, expectation::describe(&fell));
    if calls.is_empty() {
        let expected = if detailed.verdict.is_empty() { "a call" } else { &verdict.expected };
        return Finding::of(false, expected, "none was made");
    }
    // Another verdict brings another answer with it: what else was expected of it says nothing more.
    if !detailed.verdict.is_empty() && !expectation::each(&fell, &detailed.verdict) {
        return Finding { met: false, ..verdict };
    }
    let mut parts = calls.iter().map(|(asked, judged)| unmet(evidence, detailed, asked, judged));
    match parts.find(|parts| !parts.is_empty()) {
        Some(parts) => together(&parts),
        None => verdict,
    }
}

/// Several findings as one, both sides in the same order.
fn together(parts: &[Finding]) -> Finding {
    let more = parts.len().saturating_sub(TOLD);
    let joined = |side: fn(&Finding) -> &str| {
        let told: Vec<&str> = parts.iter().take(TOLD).map(side).collect();
        told.join("; ")
    };
    let more = if more > 0 { format!("; and {more} more that are not so") } else { String::new() };
    let (expected, was) = (joined(|part| &part.expected), joined(|part| &part.was));
    Finding::of(false, expected, format!("{was}{more}"))
}

/// Everything beyond the verdict that is not so of one call.
pub(super) fn unmet(
    evidence: &Evidence<'_>,
    detailed: &Detailed,
    asked: &Asked,
    judged: &Judged,
) -> Vec<Finding> {
    let variables = &evidence.performance.variables;
    let Some(exchange) = asked.exchanges.last() else { return Vec::new() };
    let response = exchange.response();
    let result = match response {
        Some(Message::Response { outcome: Ok(result), .. }) => Some(result.clone()),
        _ => None,
    };
    let reason = asked.told.reason.clone().map(Json::String);
    let checks = [
        ("reason", &detailed.reason, reason),
        ("answer", &detailed.answer, result),
        ("error", &detailed.error, error_of(response)),
        ("reply", &detailed.reply, reply(exchange)),
    ];
    let said = checks
        .into_iter()
        .map(|(what, pattern, value)| unlike(variables, what, pattern.as_ref()?, value.as_ref()));
    let same = || unlike_step(evidence, detailed.same_as.as_ref()?, exchange);
    let http = || head(variables, detailed.http.as_ref()?, exchange);
    let arrivals: Vec<&Arrival> = judged.arrivals.iter().map(|place| &evidence.arrivals[*place]).collect();
    let there = || upstream(variables, detailed.upstream.as_ref()?, asked, &arrivals);
    let ran = || {
        let amount = detailed.executions.filter(|amount| !amount.meets(judged.ran as u64))?;
        Some(Finding::of(false, format!("{amount} executions"), judged.ran.to_string()))
    };
    let progress = || progress(detailed.progress?, exchange);
    let late = || late(detailed.within?, asked, exchange);
    said.chain([same(), http(), ran(), there(), progress(), late()]).flatten().collect()
}

/// An answer that came too late, or never.
fn late(within: Duration, asked: &Asked, exchange: &Exchange) -> Option<Finding> {
    let took = exchange.received.last().map(|piece| piece.at.duration_since(asked.opened));
    let was = took.map_or("no answer".to_owned(), |took| format!("{:.3} s", took.as_secs_f64()));
    let expected = format!("an answer within {}", humantime::format_duration(within));
    took.is_none_or(|took| took > within).then(|| Finding::of(false, expected, was))
}

/// What the agent was told, where it is not what it was told in that step.
fn unlike_step(evidence: &Evidence<'_>, step: &Placed<String>, exchange: &Exchange) -> Option<Finding> {
    let performance = evidence.performance;
    let calls = performance.named.get(&step.value).cloned().unwrap_or_default();
    let earlier = performance.asked.get(calls).and_then(|calls| calls.last()?.exchanges.last());
    let expected = format!("the same as in `{}`", step.value);
    match earlier {
        None => Some(Finding::of(false, expected, "no answer there")),
        Some(earlier) => alike::difference(earlier, exchange)
            .map(|(one, other)| Finding::of(false, format!("{expected}: {one}"), other)),
    }
}

/// Notices of progress that came before the answer, each further than the one before.
fn progress(amount: Amount, exchange: &Exchange) -> Option<Finding> {
    let messages: Vec<&Message> = exchange.received.iter().filter_map(Received::frame).collect();
    let answered = messages.iter().position(|message| matches!(message, Message::Response { .. }));
    let far = |message: &&Message| match message {
        Message::Notification { method, params: Some(params) } if method == "notifications/progress" => {
            params.get("progress").and_then(Json::as_i64)
        }
        _ => None,
    };
    let before = &messages[..answered.unwrap_or(messages.len())];
    let steps: Vec<i64> = before.iter().filter_map(far).collect();
    let rising = steps.windows(2).all(|pair| pair[0] < pair[1]);
    let met = rising && amount.meets(steps.len() as u64);
    let was = format!("{}{}", steps.len(), if rising { "" } else { ", not in order" });
    (!met).then(|| Finding::of(false, format!("{amount} notices of progress before the answer"), was))
}

/// The error object, or the text of a result that is one.
fn error_of(response: Option<&Message>) -> Option<Json> {
    match response? {
        Message::Response { outcome: Err(error), .. } => {
            let frame = crate::wire::rpc::error(Json::Null, error.clone());
            frame.get("error").cloned()
        }
        Message::Response { outcome: Ok(result), .. }
            if result.get("isError").and_then(Json::as_bool) == Some(true) =>
        {
            let blocks = result.get("content").and_then(Json::as_array).unwrap_or_default();
            let texts: Vec<&str> = blocks.iter().filter_map(|block| block.get("text")?.as_str()).collect();
            Some(Json::from(texts.join("\n")))
        }
        _ => None,
    }
}

/// The whole reply: the frame that bears the id, alone or among the answers to a batch, or the last that came.
fn reply(exchange: &Exchange) -> Option<Json> {
    let bytes = match exchange.responses().next() {
        Some((piece, _)) => &piece.bytes,
        None => &exchange.received.last()?.bytes,
    };
    let text = || Json::from(String::from_utf8_lossy(bytes).into_owned());
    let whole = (!bytes.is_empty()).then(|| crate::wire::parse(bytes).unwrap_or_else(|_| text()))?;
    let bears = |frame: &&Json| exchange.sent.id.is_some() && frame.get("id") == exchange.sent.id.as_ref();
    let among = whole.as_array().and_then(|frames| frames.iter().find(bears)).cloned();
    Some(among.unwrap_or(whole))
}

fn unlike(variables: &Variables, what: &str, pattern: &Pattern, value: Option<&Json>) -> Option<Finding> {
    let pattern = match pattern.filled(variables) {
        Ok(pattern) => pattern,
        Err(unfilled) => return Some(Finding::of(false, what, unfilled.to_string())),
    };
    let unmet = pattern.meets(value).err()?;
    let place = if unmet.at.is_empty() { String::new() } else { format!(" at `{}`", unmet.at) };
    Some(Finding::of(false, format!("{what}{place} {}", unmet.expected), unmet.found))
}

fn head(variables: &Variables, expected: &HttpExpect, exchange: &Exchange) -> Option<Finding> {
    let Some(http) = &exchange.http else { return Some(Finding::of(false, "an HTTP response", "none")) };
    if !expected.status.is_empty() && !expected.status.contains(&http.status) {
        let words: Vec<String> = expected.status.iter().map(u16::to_string).collect();
        return Some(Finding::of(false, format!("status {}", words.join(" or ")), http.status.to_string()));
    }
    for (name, pattern) in &expected.headers {
        let value = exchange.header(name).map(Json::from);
        if let Some(finding) = unlike(variables, &format!("header {name}"), pattern, value.as_ref()) {
            return Some(finding);
        }
    }
    let body =
        exchange.received.iter().map(|piece| String::from_utf8_lossy(&piece.bytes)).collect::<String>();
    unlike(variables, "body", expected.body.as_ref()?, Some(&Json::from(body)))
}

fn upstream(
    variables: &Variables,
    expected: &UpstreamExpect,
    asked: &Asked,
    arrivals: &[&Arrival],
) -> Option<Finding> {
    let there: Vec<&&Arrival> = arrivals
        .iter()
        .filter(|arrival| expected.name.as_ref().is_none_or(|name| name.value == arrival.upstream))
        .collect();
    if let Some(amount) = expected.arrivals
        && !amount.meets(there.len() as u64)
    {
        return Some(Finding::of(false, format!("{amount} arrivals"), there.len().to_string()));
    }
    if let Some(abandoned) = expected.abandoned
        && !there.iter().any(|arrival| arrival.abandoned == abandoned)
    {
        let words = |told: bool| if told { "the server told to stop" } else { "the server left to it" };
        return Some(Finding::of(false, words(abandoned), words(!abandoned)));
    }
    // Where none may be, the rest is said of those that are.
    if there.is_empty()
        && !expected.arrivals.is_some_and(|amount| amount.meets(0))
        && (expected.arguments.is_some() || expected.meta.is_some() || !expected.headers.is_empty())
    {
        return Some(Finding::of(false, "an arrival", "none"));
    }
    // Whatever some parser takes from it.
    let calls = there.iter().flat_map(|arrival| arrival.calls().iter().map(move |call| (arrival, call)));
    let own = |call: &Called| asked.tool.as_ref().is_none_or(|tool| *tool == call.tool);
    calls.filter(|(_, call)| own(call)).find_map(|(arrival, call)| {
        let arguments = expected
            .arguments
            .as_ref()
            .and_then(|one| unlike(variables, "arguments", one, Some(&call.arguments)));
        let meta =
            || expected.meta.as_ref().and_then(|one| unlike(variables, "_meta", one, call.meta.as_ref()));
        let headers = || {
            expected.headers.iter().find_map(|(name, pattern)| {
                let value = arrival.headers.get(name).map(Json::from);
                unlike(variables, &format!("header {name}"), pattern, value.as_ref())
            })
        };
        arguments.or_else(meta).or_else(headers)
    })
}

/// What a list of tools should look like; everything that is not so, in one line.
pub(super) fn listing(evidence: &Evidence<'_>, expected: &Listing, performed: &Performed) -> Finding {
    let Some(listed) = &performed.listed else { return Finding::of(false, "a list", "none") };
    if !listed.whole {
        let answer = listed.pages.last().map(super::telling::answer_line).unwrap_or_default();
        // A list that may be refused says so by a verdict of its own.
        return Finding::of(!expected.verdict.is_empty(), "a whole list", answer);
    }
    let mut wrong = Vec::new();
    let names = |placed: &[Placed<String>]| placed.iter().map(|name| name.value.clone()).collect::<Vec<_>>();
    for name in names(&expected.includes).iter().filter(|name| !listed.tools.contains_key(*name)) {
        wrong.push(format!("`{name}` is missing"));
    }
    for name in names(&expected.excludes).iter().filter(|name| listed.tools.contains_key(*name)) {
        wrong.push(format!("`{name}` is listed"));
    }
    if let Some(exactly) = expected.exactly.as_deref().map(names) {
        wrong.extend(
            exactly
                .iter()
                .filter(|name| !listed.tools.contains_key(*name))
                .map(|name| format!("`{name}` is missing")),
        );
        wrong.extend(
            listed
                .tools
                .keys()
                .filter(|name| !exactly.contains(name))
                .map(|name| format!("`{name}` is listed")),
        );
    }
    if let Some(earlier) = expected.same_as.as_ref() {
        match evidence.performance.lists.get(&earlier.value) {
            Some(before) => wrong.extend(differences(before, listed)),
            None => wrong.push(format!("no list is named `{}`", earlier.value)),
        }
    }
    for (tool, choices) in &expected.entry {
        if !choices.iter().any(|choice| is_entry(evidence, choice, tool, listed)) {
            wrong.push(format!("the entry of `{tool}` is not as expected"));
        }
    }
    let was = if wrong.is_empty() { format!("{} tools", listed.tools.len()) } else { wrong.join(", ") };
    Finding::of(wrong.is_empty(), "the list as described", was)
}

fn differences(before: &Listed, now: &Listed) -> Vec<String> {
    let mut found = Vec::new();
    for (name, entry) in &before.tools {
        match now.tools.get(name) {
            None => found.push(format!("`{name}` is gone")),
            Some(other) if !canonical::same(entry, other) => {
                found.push(format!("`{name}` reads differently"));
            }
            Some(_) => {}
        }
    }
    found.extend(
        now.tools
            .keys()
            .filter(|name| !before.tools.contains_key(*name))
            .map(|name| format!("`{name}` is new")),
    );
    found
}

fn is_entry(evidence: &Evidence<'_>, choice: &EntryExpect, tool: &str, listed: &Listed) -> bool {
    let entry = listed.tools.get(tool);
    match choice {
        EntryExpect::Absent => entry.is_none(),
        EntryExpect::SameAs(earlier) => {
            let before = evidence.performance.lists.get(&earlier.value).and_then(|list| list.tools.get(tool));
            before.zip(entry).is_some_and(|(before, now)| canonical::same(before, now))
        }
        EntryExpect::Like(pattern) => entry.is_some_and(|entry| pattern.meets(Some(entry)).is_ok()),
    }
}
