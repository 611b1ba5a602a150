//! Calls, bytes, and what both have in common.

use super::Told;
use super::carried::{headers, method, path};
use super::members::Members;
use super::value::{duration, elements, entries, expected, name, positive, text, word};
use crate::diagnostic::Diagnostic;
use crate::scenario::encoding::Encoding;
use crate::scenario::step::{
    Approver, Body, Call, Column, Decision, Over, Send, Settle, ToolName, Voice, Within,
};
use crate::scenario::template;
use crate::source::{Node, Placed, Spot, Value};
use crate::wire::{Json, Object};
use indexmap::IndexMap;

/// `call` and its members.
pub(super) fn call(main: &Node, members: &mut Members<'_>, told: &mut Told) -> Option<Call> {
    let tool = tool(main, told);
    let with = members.take("with").and_then(|node| object(node, "the arguments", told)).unwrap_or_default();
    let meta = members.take("meta").and_then(|node| object(node, "the metadata", told));
    let headers = members.take("headers").map(|node| headers(node, told)).unwrap_or_default();
    let mut call = Call {
        tool: tool?,
        with: Json::Object(with),
        name: members.take("as").and_then(|node| name(node, told)),
        voice: voice(members, told),
        id: members.take("id").map(Json::from),
        meta,
        headers: headers.into_iter().filter_map(|(header, value)| Some((header, value?))).collect(),
        save: save(members, told),
        times: members.take("times").and_then(|node| positive(node, told)).unwrap_or(1),
        over: members.take("over").map(|node| over(node, told)).unwrap_or_default(),
        approver: members.take("approver").and_then(|node| approver(node, told)),
        later: members
            .take("answer")
            .is_some_and(|node| word(node, "answer", &[("later", ())], told).is_some()),
        carrying: members.take("carrying").and_then(|node| name(node, told)),
    };
    if call.later && (call.name.is_none() || call.times > 1 || !call.over.0.is_empty()) {
        let complaint =
            Diagnostic::mistake(main.spot, "a call whose answer comes later is one call, and has a name");
        told.push(complaint.help("name it with `as`, and `settle` it later"));
    }
    spread(&mut call);
    Some(call)
}

/// A column that no template of the call names is an argument of that name.
fn spread(call: &mut Call) {
    let written = [
        Some(call.with.to_string()),
        call.id.as_ref().map(Json::to_string),
        call.meta.clone().map(|meta| Json::Object(meta).to_string()),
        Some(call.tool.name.clone()),
        Some(call.headers.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(" ")),
    ];
    let used: Vec<String> =
        written.into_iter().flatten().flat_map(|text| template::mentioned(&text)).collect();
    let unused = call.over.0.keys().filter(|column| !used.contains(column));
    let unused: Vec<String> = unused.cloned().collect();
    if let Some(arguments) = call.with.as_object_mut() {
        for column in unused {
            arguments.set(&column, format!("{{{{ {column} }}}}"));
        }
    }
}

/// `TOOL`, `UPSTREAM/TOOL` or `{exact: NAME}`.
fn tool(node: &Node, told: &mut Told) -> Option<ToolName> {
    let exact = |name| ToolName { spot: node.spot, upstream: None, name, exact: true };
    if node.map().is_some() {
        let mut members = Members::of(node, "a tool's name", told)?;
        let name = members.need("exact", told).and_then(|node| text(node, told));
        members.end(told);
        return name.map(exact);
    }
    let written = name(node, told)?.value;
    let (upstream, name) = match written.split_once('/') {
        Some((upstream, name)) if !written.contains("{{") => (Some(upstream.to_owned()), name.to_owned()),
        _ => (None, written),
    };
    Some(ToolName { spot: node.spot, upstream, name, exact: false })
}

/// The word for as long as the gateway declares.
pub(in crate::scenario) const GIVES_UP: &str = "gives_up";

/// `session`, `by` and `within`.
pub(super) fn voice(members: &mut Members<'_>, told: &mut Told) -> Voice {
    Voice {
        session: members.take("session").and_then(|node| name(node, told)),
        by: members.take("by").and_then(|node| name(node, told)),
        within: members.take("within").and_then(|node| within(node, told)),
    }
}

fn within(node: &Node, told: &mut Told) -> Option<Within> {
    match &node.value {
        Value::Text(text) if text == GIVES_UP => Some(Within::GivesUp),
        _ => duration(node, told).map(Within::For),
    }
}

fn object(node: &Node, noun: &str, told: &mut Told) -> Option<Object> {
    match Json::from(node) {
        Json::Object(object) => Some(object),
        _ => expected(&format!("{noun} as a mapping"), node, told),
    }
}

/// `save`: variables, each with the pointer that it comes from.
fn save(members: &mut Members<'_>, told: &mut Told) -> IndexMap<String, Placed<String>> {
    let mut read = IndexMap::new();
    let Some(node) = members.take("save") else { return read };
    for (key, node) in entries(node, "a mapping of variables to pointers", told) {
        let Some(pointer) = text(node, told) else { continue };
        if !pointer.is_empty() && !pointer.starts_with('/') {
            let complaint = Diagnostic::mistake(node.spot, format!("`{pointer}` is no JSON pointer"));
            told.push(complaint.help(format!("write `/{}`", pointer.replace('.', "/"))));
        }
        read.insert(key.value.clone(), Placed { value: pointer, spot: key.spot });
    }
    read
}

/// `over`: columns by variable, or a list of rows.
fn over(node: &Node, told: &mut Told) -> Over {
    match &node.value {
        Value::Map(entries) => {
            let mut columns = IndexMap::new();
            for (key, node) in entries {
                columns.extend(column(node, told).map(|column| (key.value.clone(), column)));
            }
            same_length(&columns, node.spot, told);
            Over(columns)
        }
        Value::List(_) => rows(node, told),
        _ => expected("columns by variable, or a list of rows", node, told).unwrap_or_default(),
    }
}

fn column(node: &Node, told: &mut Told) -> Option<Column> {
    match &node.value {
        Value::List(values) => Some(Column::Values(values.iter().map(Json::from).collect())),
        Value::Text(template) if template.contains("{{") => Some(Column::Template(template.clone())),
        _ => expected("a list of values, or a template that gives one", node, told),
    }
}

fn same_length(columns: &IndexMap<String, Column>, spot: Spot, told: &mut Told) {
    let mut lengths = columns.iter().filter_map(|(name, column)| match column {
        Column::Values(values) => Some((name, values.len())),
        Column::Template(_) => None,
    });
    let Some((first, length)) = lengths.next() else { return };
    if let Some((other, wrong)) = lengths.find(|(_, wrong)| *wrong != length) {
        let message = format!("`{first}` has {length} values and `{other}` has {wrong}");
        told.push(
            Diagnostic::mistake(spot, message)
                .help("give each column as many values: a row takes one of each"),
        );
    } else if length == 0 {
        told.push(Diagnostic::mistake(spot, format!("`{first}` has no values")));
    }
}

fn rows(node: &Node, told: &mut Told) -> Over {
    let mut columns: IndexMap<String, Vec<Json>> = IndexMap::new();
    let rows = elements(node, "a list of rows", told);
    for (index, row) in rows.iter().enumerate() {
        for (key, node) in entries(row, "a row as a mapping", told) {
            columns.entry(key.value.clone()).or_default().push(Json::from(node));
        }
        if columns.values().any(|column| column.len() != index + 1) {
            told.push(Diagnostic::mistake(row.spot, "this row has not the same columns as the first"));
            break;
        }
    }
    if rows.is_empty() {
        told.push(Diagnostic::mistake(node.spot, "a table without rows"));
    }
    Over(columns.into_iter().map(|(name, values)| (name, Column::Values(values))).collect())
}

/// `approves`, `rejects`, `ignores`, or a decision that takes its time.
fn approver(node: &Node, told: &mut Told) -> Option<Approver> {
    let does =
        [("approves", Some(Decision::Approve)), ("rejects", Some(Decision::Reject)), ("ignores", None)];
    let Value::Map(_) = node.value else {
        let decision = word(node, "approver", &does, told)?;
        return Some(Approver { decision, after: None });
    };
    let mut members = Members::of(node, "an approver", told)?;
    let chosen = does.map(|(word, decision)| (members.take(word), decision));
    members.end(told);
    let (node, decision) = chosen.into_iter().find_map(|(node, decision)| Some((node?, decision)))?;
    let mut members = Members::of(node, "a decision", told)?;
    let after = members.take("after").and_then(|node| duration(node, told));
    members.end(told);
    Some(Approver { decision, after })
}

/// `send` and its members.
pub(super) fn send(main: &Node, members: &mut Members<'_>, told: &mut Told) -> Option<Send> {
    let mut bytes = match &main.value {
        Value::Text(text) => Some(raw(Body::Text { text: text.clone(), encoding: Encoding::default() })),
        Value::Map(_) => bytes(main, told),
        _ => expected("a text, or a mapping with `text` or `bytes_hex`", main, told),
    };
    let name = members.take("as").and_then(|node| self::name(node, told));
    let voice = voice(members, told);
    let id = members.take("id").map(Json::from);
    let save = save(members, told);
    let times = members.take("times").and_then(|node| positive(node, told)).unwrap_or(1);
    let over = members.take("over").map(|node| over(node, told)).unwrap_or_default();
    bytes.take().map(|send| Send { name, voice, id, save, times, over, ..send })
}

fn raw(body: Body) -> Send {
    let (voice, save, over) = (Voice::default(), IndexMap::new(), Over::default());
    Send {
        body,
        headers: Vec::new(),
        method: None,
        path: None,
        id: None,
        name: None,
        voice,
        save,
        times: 1,
        over,
    }
}

fn bytes(node: &Node, told: &mut Told) -> Option<Send> {
    let mut members = Members::of(node, "a send", told)?;
    let hex = members.take("bytes_hex").map(|node| self::hex(node, told));
    let encoding = members.take("encoding").map(|node| (node, word(node, "encoding", &Encoding::ALL, told)));
    let text = members.take("text").map(|node| {
        let encoding = encoding.and_then(|(_, word)| word).unwrap_or_default();
        self::text(node, told).map(|text| Body::Text { text, encoding })
    });
    if let (Some((node, _)), None) = (encoding, &text) {
        let complaint = Diagnostic::mistake(node.spot, "bytes have no encoding: it says what a text becomes");
        told.push(complaint.help("write the `text`, or leave the `encoding` out"));
    }
    let headers = members.take("headers").map(|node| self::headers(node, told)).unwrap_or_default();
    let method = members.take("method").and_then(|node| method(node, told));
    let path = members.take("path").and_then(|node| path(node, told));
    let spot = members.spot();
    members.end(told);
    let body = match (hex, text) {
        (Some(_), Some(_)) => {
            told.push(Diagnostic::mistake(spot, "a send has either `bytes_hex` or `text`"));
            None
        }
        (Some(body), None) | (None, Some(body)) => body,
        (None, None) => Some(Body::Bytes(Vec::new())),
    };
    body.map(|body| Send { headers, method, path, ..raw(body) })
}

fn hex(node: &Node, told: &mut Told) -> Option<Body> {
    let digits: String = text(node, told)?.chars().filter(|character| !character.is_whitespace()).collect();
    let byte = |at: usize| digits.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let bytes: Option<Vec<u8>> = (0..digits.len()).step_by(2).map(byte).collect();
    if bytes.is_none() {
        told.push(Diagnostic::mistake(node.spot, "expected pairs of hexadecimal digits"));
    }
    bytes.map(Body::Bytes)
}

/// `settle` and its members.
pub(super) fn settle(main: &Node, members: &mut Members<'_>, told: &mut Told) -> Option<Settle> {
    let step = name(main, told);
    let name = members.take("as").and_then(|node| name(node, told));
    let (voice, save) = (voice(members, told), save(members, told));
    step.map(|step| Settle { step, name, voice, save })
}
