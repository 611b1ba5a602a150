//! Expectations: words, counts, runs and details.

use super::Told;
use super::members::Members;
use super::pattern::{absent_headers, headers, pattern, text_pattern};
use super::value::{count, duration, entries, expected, name, text, word};
use crate::diagnostic::Diagnostic;
use crate::scenario::expect::{
    Amount, Detailed, EntryExpect, Expect, Hint, HttpExpect, Listing, NoticeExpect, Tally, UpstreamExpect,
    Verdict,
};
use crate::source::{Node, Value};

/// The members of a detailed expectation: any of them makes a mapping one.
const DETAILS: [&str; 12] = [
    "verdict",
    "reason",
    "answer",
    "error",
    "reply",
    "same_as",
    "http",
    "upstream",
    "executions",
    "progress",
    "retry_after",
    "within",
];

fn verdict(node: &Node, told: &mut Told) -> Option<Verdict> {
    word(node, "verdict", &Verdict::ALL.map(|verdict| (verdict.word(), verdict)), told)
}

fn verdicts(node: &Node, told: &mut Told) -> Vec<Verdict> {
    node.list().unwrap_or(std::slice::from_ref(node)).iter().filter_map(|node| verdict(node, told)).collect()
}

/// What a call, bytes, or several of them should come to.
pub(super) fn expect_call(node: &Node, told: &mut Told) -> Option<Expect> {
    match &node.value {
        Value::Text(_) => verdict(node, told).map(|verdict| Expect::Verdict(vec![verdict])),
        Value::List(elements) if elements.is_empty() => {
            told.push(Diagnostic::mistake(node.spot, "an empty list expects nothing"));
            None
        }
        Value::List(elements) if elements.iter().all(|element| element.map().is_some()) => {
            Some(Expect::Runs(elements.iter().flat_map(|run| tallies(run, told)).collect()))
        }
        Value::List(_) => Some(Expect::Verdict(verdicts(node, told))),
        Value::Map(entries) => {
            let known = |words: &[&str]| entries.iter().any(|(key, _)| words.contains(&key.value.as_str()));
            let nested = !entries.is_empty() && entries.iter().all(|(_, node)| counts_within(node));
            if !known(&DETAILS) && !known(&Verdict::ALL.map(Verdict::word)) && nested {
                let each = entries.iter().map(|(key, node)| (key.clone(), tallies(node, told)));
                return Some(Expect::Each(each.collect()));
            }
            if !known(&DETAILS) && known(&Verdict::ALL.map(Verdict::word)) {
                return Some(Expect::Counts(tallies(node, told)));
            }
            detailed(node, told).map(|detailed| Expect::Detailed(Box::new(detailed)))
        }
        _ => expected("a verdict, a list of them, counts or details", node, told),
    }
}

fn counts_within(node: &Node) -> bool {
    node.map().is_some_and(|entries| entries.iter().any(|(key, _)| Verdict::of(&key.value).is_some()))
}

fn tallies(node: &Node, told: &mut Told) -> Vec<Tally> {
    let mut read = Vec::new();
    for (key, node) in entries(node, "counts by verdict", told) {
        let verdict = Verdict::of(&key.value);
        if verdict.is_none() {
            told.push(Diagnostic::unknown(key.spot, "verdict", &key.value, Verdict::ALL.map(Verdict::word)));
        }
        let count = amount(node, told);
        read.extend(verdict.zip(count).map(|(verdict, count)| Tally { verdict, count }));
    }
    read
}

/// `10`, `{at_most: 10}`, `{at_least: 1, at_most: 3}`.
pub(super) fn amount(node: &Node, told: &mut Told) -> Option<Amount> {
    if node.map().is_none() {
        return count(node, told).map(Amount::exactly);
    }
    let mut members = Members::of(node, "a count", told)?;
    let at_least = members.take("at_least").and_then(|node| count(node, told));
    let at_most = members.take("at_most").and_then(|node| count(node, told));
    let spot = members.spot();
    members.end(told);
    if at_least.zip(at_most).is_some_and(|(least, most)| least > most) {
        told.push(Diagnostic::mistake(spot, "no number is that many and that few"));
    }
    Some(Amount { at_least, at_most })
}

fn detailed(node: &Node, told: &mut Told) -> Option<Detailed> {
    let mut members = Members::of(node, "an expectation", told)?;
    let read = Detailed {
        verdict: members.take("verdict").map(|node| verdicts(node, told)).unwrap_or_default(),
        reason: members.take("reason").and_then(|node| text_pattern(node, told)),
        answer: members.take("answer").and_then(|node| pattern(node, told)),
        error: members.take("error").and_then(|node| pattern(node, told)),
        reply: members.take("reply").and_then(|node| pattern(node, told)),
        same_as: members.take("same_as").and_then(|node| name(node, told)),
        http: members.take("http").and_then(|node| http(node, told)),
        upstream: members.take("upstream").and_then(|node| upstream(node, told)),
        executions: members.take("executions").and_then(|node| amount(node, told)),
        progress: members.take("progress").and_then(|node| amount(node, told)),
        retry_after: members.take("retry_after").and_then(|node| hint(node, told)),
        within: members.take("within").and_then(|node| duration(node, told)),
    };
    members.end(told);
    Some(read)
}

/// `{at_least: 39s, at_most: 41s}`: nobody knows to the millisecond how long something will take.
fn hint(node: &Node, told: &mut Told) -> Option<Hint> {
    let mut members = Members::of(node, "a time to wait", told)?;
    let at_least = members.take("at_least").and_then(|node| duration(node, told));
    let at_most = members.take("at_most").and_then(|node| duration(node, told));
    let spot = members.spot();
    members.end(told);
    match (at_least, at_most) {
        (None, None) => {
            let complaint = Diagnostic::mistake(spot, "any time would do");
            told.push(
                complaint.help("write `at_least`, `at_most` or both, like `{at_least: 39s, at_most: 41s}`"),
            );
        }
        (Some(least), Some(most)) if least > most => {
            told.push(Diagnostic::mistake(spot, "no time is that long and that short"));
        }
        _ => {}
    }
    Some(Hint { at_least, at_most })
}

/// `http: 401` or `{status, headers, header_absent, body}`.
fn http(node: &Node, told: &mut Told) -> Option<HttpExpect> {
    if node.map().is_none() {
        return Some(HttpExpect { status: statuses(node, told), ..HttpExpect::default() });
    }
    let mut members = Members::of(node, "an HTTP response", told)?;
    let status = members.take("status").map(|node| statuses(node, told)).unwrap_or_default();
    let mut expected = members.take("headers").map(|node| headers(node, told)).unwrap_or_default();
    expected.extend(members.take("header_absent").map(|node| absent_headers(node, told)).unwrap_or_default());
    let body = members.take("body").and_then(|node| text_pattern(node, told));
    members.end(told);
    Some(HttpExpect { status, headers: expected.into_iter().collect(), body })
}

fn statuses(node: &Node, told: &mut Told) -> Vec<u16> {
    let mut read = Vec::new();
    for node in node.list().unwrap_or(std::slice::from_ref(node)) {
        match count(node, told).map(u16::try_from) {
            Some(Ok(status)) if (100..600).contains(&status) => read.push(status),
            Some(_) => told.push(Diagnostic::mistake(node.spot, "no HTTP status")),
            None => {}
        }
    }
    read
}

fn upstream(node: &Node, told: &mut Told) -> Option<UpstreamExpect> {
    let mut members = Members::of(node, "what arrived", told)?;
    let mut expected = members.take("headers").map(|node| headers(node, told)).unwrap_or_default();
    expected.extend(members.take("header_absent").map(|node| absent_headers(node, told)).unwrap_or_default());
    let read = UpstreamExpect {
        name: members.take("name").and_then(|node| name(node, told)),
        arguments: members.take("arguments").and_then(|node| pattern(node, told)),
        meta: members.take("meta").and_then(|node| pattern(node, told)),
        headers: expected.into_iter().collect(),
        arrivals: members.take("arrivals").and_then(|node| amount(node, told)),
        abandoned: members.take("abandoned").and_then(|node| super::value::flag(node, told)),
    };
    members.end(told);
    Some(read)
}

/// What a list of tools should look like: a mapping, or the verdict on being allowed to ask.
pub(super) fn expect_list(node: &Node, told: &mut Told) -> Option<Expect> {
    if node.map().is_none() {
        return Some(Expect::Verdict(verdicts(node, told)));
    }
    let mut members = Members::of(node, "a list's expectation", told)?;
    let mut names = |name| members.take(name).map(|node| super::value::names(node, told));
    let (includes, excludes, exactly) = (names("includes"), names("excludes"), names("exactly"));
    let listing = Listing {
        includes: includes.unwrap_or_default(),
        excludes: excludes.unwrap_or_default(),
        exactly,
        verdict: members.take("verdict").map(|node| verdicts(node, told)).unwrap_or_default(),
        same_as: members.take("same_as").and_then(|node| name(node, told)),
        entry: members.take("entry").map(|node| entry(node, told)).unwrap_or_default(),
    };
    members.end(told);
    Some(Expect::Listing(Box::new(listing)))
}

fn entry(node: &Node, told: &mut Told) -> indexmap::IndexMap<String, Vec<EntryExpect>> {
    let tools = entries(node, "a mapping of tools", told);
    let one_of = |(key, node): &(crate::source::Placed<String>, Node), told: &mut Told| {
        let alternatives = node.list().unwrap_or(std::slice::from_ref(node));
        (key.value.clone(), alternatives.iter().filter_map(|node| alternative(node, told)).collect())
    };
    tools.iter().map(|tool| one_of(tool, told)).collect()
}

/// `absent`, `same_as STEP`, `{same_as: STEP}`, or what the entry should look like.
fn alternative(node: &Node, told: &mut Told) -> Option<EntryExpect> {
    if let Some(same_as) = node.get("same_as") {
        return name(same_as, told).map(EntryExpect::SameAs);
    }
    if node.map().is_some() {
        return pattern(node, told).map(EntryExpect::Like);
    }
    let written = text(node, told)?;
    match written.split_once(' ') {
        None if written == "absent" => Some(EntryExpect::Absent),
        Some(("same_as", step)) => Some(EntryExpect::SameAs(crate::source::Placed {
            value: step.trim().to_owned(),
            spot: node.spot,
        })),
        _ => {
            let complaint =
                Diagnostic::mistake(node.spot, format!("unknown expectation `{written}` of an entry"));
            told.push(complaint.help("write `absent`, `same_as STEP`, or a mapping of what it should hold"));
            None
        }
    }
}

/// `arrives` or `absent`.
pub(super) fn expect_notice(node: &Node, told: &mut Told) -> Option<Expect> {
    let table = [("arrives", NoticeExpect::Arrives), ("absent", NoticeExpect::Absent)];
    word(node, "expectation of a notice", &table, told).map(Expect::Notice)
}
