//! Going through a scenario's steps: those that stand together one by one, and every text in them.

use crate::scenario::expect::{Detailed, EntryExpect, Expect};
use crate::scenario::pattern::Pattern;
use crate::scenario::step::{Agent, Body, Call, Column, Kind, Over, Send, Step, Voice};
use crate::source::Placed;
use crate::wire::Json;
use indexmap::IndexMap;

/// A step, and the expectation it is judged by: its own, or that of the group it stands in.
pub(super) struct Stop<'a> {
    pub(super) step: &'a Step,
    pub(super) expect: Option<&'a Expect>,
}

/// The steps in order, those that stand together one by one.
pub(super) fn steps(steps: &[Step]) -> Vec<Stop<'_>> {
    let mut stops = Vec::new();
    for step in steps {
        match &step.kind {
            Kind::Together(inner) | Kind::Agent(Agent { goal: inner, .. }) => {
                let group = step.expect.as_ref();
                stops.extend(inner.iter().map(|step| Stop { step, expect: step.expect.as_ref().or(group) }));
            }
            _ => stops.push(Stop { step, expect: step.expect.as_ref() }),
        }
    }
    stops
}

/// The steps in order, those that stand together one by one, the group itself left out.
pub(in crate::scenario) fn flat(steps: &[Step]) -> Vec<&Step> {
    self::steps(steps).into_iter().map(|stop| stop.step).collect()
}

impl Step {
    /// The name that later steps call it by.
    pub fn name(&self) -> Option<&Placed<String>> {
        match &self.kind {
            Kind::Call(call) => call.name.as_ref(),
            Kind::List(list) => list.name.as_ref(),
            Kind::Send(send) => send.name.as_ref(),
            Kind::Settle(settle) => settle.name.as_ref(),
            _ => None,
        }
    }

    /// Who speaks, where anybody does.
    pub fn voice(&self) -> Option<&Voice> {
        match &self.kind {
            Kind::Call(call) => Some(&call.voice),
            Kind::List(list) => Some(&list.voice),
            Kind::Send(send) => Some(&send.voice),
            Kind::Settle(settle) => Some(&settle.voice),
            Kind::Notice(notice) => Some(&notice.voice),
            _ => None,
        }
    }

    /// The variables that it saves.
    pub fn saves(&self) -> Option<&IndexMap<String, Placed<String>>> {
        match &self.kind {
            Kind::Call(call) => Some(&call.save),
            Kind::Send(send) => Some(&send.save),
            Kind::Settle(settle) => Some(&settle.save),
            _ => None,
        }
    }

    /// The table that it is repeated over.
    pub fn over(&self) -> Option<&Over> {
        match &self.kind {
            Kind::Call(call) => Some(&call.over),
            Kind::Send(send) => Some(&send.over),
            _ => None,
        }
    }
}

/// Every text of a step that may be a template.
pub(super) fn texts(step: &Step) -> Vec<String> {
    let mut found = Vec::new();
    match &step.kind {
        Kind::Call(call) => call_texts(call, &mut found),
        Kind::Send(send) => send_texts(send, &mut found),
        Kind::Together(inner) | Kind::Agent(Agent { goal: inner, .. }) => {
            found.extend(inner.iter().flat_map(texts));
        }
        _ => {}
    }
    match &step.expect {
        Some(Expect::Detailed(detailed)) => detailed_texts(detailed, &mut found),
        Some(Expect::Listing(listing)) => {
            for alternative in listing.entry.values().flatten() {
                if let EntryExpect::Like(pattern) = alternative {
                    pattern_texts(pattern, &mut found);
                }
            }
        }
        _ => {}
    }
    found
}

fn call_texts(call: &Call, found: &mut Vec<String>) {
    json_texts(&call.with, found);
    call.id.iter().for_each(|id| json_texts(id, found));
    call.meta.iter().flat_map(|meta| meta.iter()).for_each(|(_, value)| json_texts(value, found));
    found.push(call.tool.name.clone());
    found.extend(call.headers.iter().map(|(_, value)| value.clone()));
    over_texts(&call.over, found);
}

fn send_texts(send: &Send, found: &mut Vec<String>) {
    if let Body::Text { text, .. } = &send.body {
        found.push(text.clone());
    }
    found.extend(send.headers.iter().filter_map(|(_, value)| value.clone()));
    found.extend(send.path.clone());
    found.extend(send.method.clone());
    send.id.iter().for_each(|id| json_texts(id, found));
    over_texts(&send.over, found);
}

fn over_texts(over: &Over, found: &mut Vec<String>) {
    for column in over.0.values() {
        match column {
            Column::Template(template) => found.push(template.clone()),
            Column::Values(values) => values.iter().for_each(|value| json_texts(value, found)),
        }
    }
}

fn detailed_texts(detailed: &Detailed, found: &mut Vec<String>) {
    let own = [&detailed.reason, &detailed.answer, &detailed.error, &detailed.reply];
    let http = detailed.http.iter().flat_map(|http| http.headers.values().chain(&http.body));
    let arrived = detailed.upstream.iter();
    let arrived = arrived
        .flat_map(|upstream| upstream.headers.values().chain(&upstream.arguments).chain(&upstream.meta));
    own.into_iter().flatten().chain(http).chain(arrived).for_each(|pattern| pattern_texts(pattern, found));
}

fn pattern_texts(pattern: &Pattern, found: &mut Vec<String>) {
    match pattern {
        Pattern::Equals(value) | Pattern::Contains(value) => json_texts(value, found),
        Pattern::Members(members) => members.values().for_each(|pattern| pattern_texts(pattern, found)),
        Pattern::Elements(patterns) | Pattern::All(patterns) => {
            patterns.iter().for_each(|pattern| pattern_texts(pattern, found));
        }
        Pattern::Not(pattern) | Pattern::Element(pattern) => pattern_texts(pattern, found),
        Pattern::Matches(_) | Pattern::Absent | Pattern::Present => {}
    }
}

fn json_texts(value: &Json, found: &mut Vec<String>) {
    match value {
        Json::String(text) => found.push(text.clone()),
        Json::Array(elements) => elements.iter().for_each(|element| json_texts(element, found)),
        Json::Object(object) => object.iter().for_each(|(_, value)| json_texts(value, found)),
        _ => {}
    }
}
