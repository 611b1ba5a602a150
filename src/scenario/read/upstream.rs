//! The servers behind the gateway, and changes of their lists.

use super::Told;
use super::members::Members;
use super::value::{elements, entries, expected, flag, name, positive, text, word};
use crate::diagnostic::Diagnostic;
use crate::scenario::upstream::{After, Change, Changed, Reads, Upstream};
use crate::source::{Node, Placed, Value};
use crate::wire::{Json, Object};
use indexmap::IndexMap;
use std::path::Path;

/// `upstreams`: a list of mocks by name, or a mapping of names to mocks.
pub(super) fn upstreams(node: &Node, told: &mut Told) -> IndexMap<String, Upstream> {
    match &node.value {
        Value::List(elements) => {
            elements.iter().filter_map(|element| listed(name(element, told)?, told)).collect()
        }
        Value::Map(entries) => entries
            .iter()
            .filter_map(|(key, node)| upstream(key, node, told).map(|read| (key.value.clone(), read)))
            .collect(),
        _ => expected("a list of mocks or a mapping of upstreams", node, told).unwrap_or_default(),
    }
}

/// A mock that gives the upstream its own name; a folder the one that it has itself.
fn listed(mock: Placed<String>, told: &mut Told) -> Option<(String, Upstream)> {
    let upstream = plain(mock);
    let written = &upstream.mock.value;
    if !upstream.names_a_folder() {
        return Some((written.clone(), upstream));
    }
    match Path::new(written).file_name().and_then(|name| name.to_str()) {
        Some(name) => Some((name.to_owned(), upstream)),
        None => {
            let complaint =
                Diagnostic::mistake(upstream.spot, format!("`{written}` gives the upstream no name"));
            told.push(complaint.help(format!("write `{{NAME: {written}}}`")));
            None
        }
    }
}

fn plain(mock: Placed<String>) -> Upstream {
    let (answers, changes) = (IndexMap::new(), Vec::new());
    Upstream { spot: mock.spot, mock, own: None, answers, reads: Reads::Strictly, page: None, changes }
}

fn upstream(key: &Placed<String>, node: &Node, told: &mut Told) -> Option<Upstream> {
    if let Value::Text(_) | Value::Null = node.value {
        let mock = if node.value == Value::Null { Some(key.clone()) } else { name(node, told) };
        return mock.map(plain);
    }
    let mut members = Members::of(node, "an upstream", told)?;
    let mock = members.take("mock").map_or_else(|| Some(key.clone()), |node| name(node, told));
    let mut read = Upstream { spot: key.spot, ..plain(mock?) };
    if let Some(node) = members.take("answers") {
        read.answers = answers(node, told);
    }
    if let Some(node) = members.take("reads") {
        let table = [("strictly", Reads::Strictly), ("leniently", Reads::Leniently)];
        read.reads = word(node, "way to read", &table, told).unwrap_or_default();
    }
    read.page = members.take("page").and_then(|node| positive(node, told)).map(|page| page as usize);
    if let Some(node) = members.take("change") {
        let written = node.list().unwrap_or(std::slice::from_ref(node));
        read.changes = written.iter().filter_map(|node| change(node, true, told)).collect();
    }
    members.end(told);
    Some(read)
}

/// A mapping of tools to answers, or a list of answers that name their tool.
fn answers(node: &Node, told: &mut Told) -> IndexMap<String, Vec<Placed<serde_json::Value>>> {
    let mut read: IndexMap<String, Vec<_>> = IndexMap::new();
    let mut add = |tool: &str, node: &Node| {
        let answer = Placed { value: serde_json::Value::from(node), spot: node.spot };
        read.entry(tool.to_owned()).or_default().push(answer);
    };
    if let Value::Map(entries) = &node.value {
        for (tool, node) in entries {
            node.list().unwrap_or(std::slice::from_ref(node)).iter().for_each(|node| add(&tool.value, node));
        }
        return read;
    }
    for answer in elements(node, "a list of answers", told) {
        let Value::Map(entries) = &answer.value else {
            expected::<()>("an answer", answer, told);
            continue;
        };
        let Some(tool) = answer.get("tool").and_then(Node::text) else {
            told.push(Diagnostic::mistake(answer.spot, "an answer needs `tool`"));
            continue;
        };
        let rest = entries.iter().filter(|(key, _)| key.value != "tool").cloned().collect();
        add(tool, &Node { value: Value::Map(rest), spot: answer.spot });
    }
    read
}

/// The members of a tool's entry that a change may replace.
pub(in crate::scenario) const ENTRY: [&str; 8] =
    ["title", "description", "inputSchema", "outputSchema", "annotations", "execution", "icons", "_meta"];

/// `change`: what becomes of which tool. Under `upstreams` it names no upstream, and may wait for `after`.
pub(super) fn change(node: &Node, standing: bool, told: &mut Told) -> Option<Change> {
    let mut members = Members::of(node, "a change", told)?;
    let upstream = if standing { None } else { members.take("upstream").and_then(|node| text(node, told)) };
    let mut fields = Object::default();
    let mut what = Vec::new();
    if let Some(node) = members.take("tool") {
        what.extend(text(node, told).map(Changed::Tool));
    }
    if let Some(node) = members.take("add") {
        what.extend(added(node, &mut fields, told).map(Changed::Add));
    }
    if let Some(node) = members.take("remove") {
        what.extend(text(node, told).map(Changed::Remove));
    }
    entry(&mut members, &mut fields, told);
    let notify = members.take("notify").and_then(|node| flag(node, told)).unwrap_or(false);
    let after = if standing { members.take("after").and_then(|node| after(node, told)) } else { None };
    let spot = members.spot();
    members.end(told);
    if what.len() != 1 {
        let complaint = Diagnostic::mistake(spot, "a change names one tool");
        told.push(complaint.help("write exactly one of `tool`, `add` and `remove`"));
    }
    Some(Change { spot, upstream, what: what.pop()?, fields, notify, after })
}

/// The name of an added tool; a whole entry brings its members along.
fn added(node: &Node, fields: &mut Object, told: &mut Told) -> Option<String> {
    if let Value::Text(name) = &node.value {
        return Some(name.clone());
    }
    let mut members = Members::of(node, "an added tool", told)?;
    let name = members.need("name", told).and_then(|node| text(node, told));
    entry(&mut members, fields, told);
    members.end(told);
    name
}

/// The members of an entry: those that the protocol knows, and under `also` any others.
fn entry(members: &mut Members<'_>, fields: &mut Object, told: &mut Told) {
    for member in ENTRY {
        if let Some(node) = members.take(member) {
            fields.set(member, Json::from(node));
        }
    }
    let Some(also) = members.take("also") else { return };
    for (key, node) in entries(also, "a mapping of members", told) {
        if key.value == "name" || ENTRY.contains(&key.value.as_str()) {
            let complaint = Diagnostic::mistake(key.spot, format!("`{}` is no unknown member", key.value));
            told.push(complaint.help("write it beside `also`"));
        } else {
            fields.set(&key.value, Json::from(node));
        }
    }
}

/// `1 list`, `3 calls`, `2 sessions`.
fn after(node: &Node, told: &mut Told) -> Option<After> {
    let written = text(node, told)?;
    let read = written.split_once(' ').and_then(|(number, noun)| {
        let number = number.parse().ok()?;
        match noun.trim_end_matches('s') {
            "list" => Some(After::Lists(number)),
            "call" => Some(After::Calls(number)),
            "session" => Some(After::Sessions(number)),
            _ => None,
        }
    });
    if read.is_none() {
        let complaint = Diagnostic::mistake(node.spot, format!("`{written}` is no moment"));
        told.push(complaint.help("write it like `1 list`, `3 calls` or `2 sessions`"));
    }
    read
}
