//! Readings: every way in which a parser behind a gateway may take the same bytes.
//!
//! A gateway judges one reading of a frame; the server behind it may take another (CWE-436). So a ledger never asks
//! "what does this frame say" but "what could some server have read in it".

use super::json::{Json, Object};
use super::parse::{parse, parse_lenient};
use super::rpc::Asks;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// One way of taking a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// RFC 8259, one frame, no member repeated.
    Strict,
    /// The first of repeated members.
    First,
    /// The last of repeated members.
    Last,
    /// Member names without regard to case, the last one.
    CaseInsensitive,
    /// An array of frames, each for itself.
    Batch,
    /// Not JSON by the letter, but taken by a careless parser.
    Lenient,
}

/// A `tools/call` that some readings take from a frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Called {
    /// The readings that take it, in order.
    pub readings: BTreeSet<Reading>,
    /// The tool's name; where that is no text, as JSON, and empty where there is none.
    pub tool: String,
    /// Its arguments; `{}` where absent, and all of the parameters where they have no members.
    pub arguments: Json,
    /// The request's id; `None` for a call put as a notification.
    pub id: Option<Json>,
    /// `_meta` of the parameters.
    pub meta: Option<Json>,
}

/// All `tools/call` that some reading takes from these bytes.
pub fn readings(bytes: &[u8]) -> Vec<Called> {
    let (value, careless) = match parse(bytes) {
        Ok(value) => (value, false),
        Err(_) => match parse_lenient(bytes) {
            Ok(value) => (value, true),
            Err(_) => return Vec::new(),
        },
    };
    readings_of(&value, careless)
}

/// The same of bytes that were read already; `careless` where only a lenient parser took them.
pub fn readings_of(value: &Json, careless: bool) -> Vec<Called> {
    let (frames, batch): (&[Json], bool) = match value {
        Json::Array(frames) => (frames, true),
        single => (std::slice::from_ref(single), false),
    };
    let mut found = Vec::new();
    for frame in frames {
        for (reading, taken) in ways(frame, careless, batch) {
            note(&mut found, reading, &taken);
        }
    }
    found
}

/// The calls apart, those that are readings of one frame together: they share its id, and a batch has an id for each
/// element.
pub fn apart(calls: &[Called]) -> Vec<Vec<&Called>> {
    let mut apart: Vec<Vec<&Called>> = Vec::new();
    for call in calls {
        let one = |calls: &&mut Vec<&Called>| {
            calls[0].id == call.id && calls[0].readings.is_disjoint(&call.readings)
        };
        match apart.iter_mut().find(one) {
            Some(calls) => calls.push(call),
            None => apart.push(vec![call]),
        }
    }
    apart
}

/// The frame under each reading that applies to it. A plain frame has only one: this is the hot path.
fn ways(frame: &Json, careless: bool, batch: bool) -> Vec<(Reading, Cow<'_, Json>)> {
    let plain = match (careless, batch) {
        (true, _) => Some(Reading::Lenient),
        (_, true) => Some(Reading::Batch),
        _ => None,
    };
    let mut ways = Vec::new();
    if frame.repeats() {
        ways.push((plain.unwrap_or(Reading::First), Cow::Owned(project(frame, Pick::First))));
        ways.push((plain.unwrap_or(Reading::Last), Cow::Owned(project(frame, Pick::Last))));
    } else {
        ways.push((plain.unwrap_or(Reading::Strict), Cow::Borrowed(frame)));
    }
    if odd_case(frame) {
        ways.push((Reading::CaseInsensitive, Cow::Owned(fold(frame))));
    }
    ways
}

fn note(found: &mut Vec<Called>, reading: Reading, frame: &Json) {
    let Some(Asks { id, method: "tools/call", params }) = Asks::of(frame) else { return };
    let member = |name| params.and_then(|params| params.get(name)).cloned();
    // What names no tool has still been passed on: what a server makes of it is the server's to decide.
    let tool = match member("name") {
        Some(Json::String(name)) => name,
        Some(odd) => odd.to_string(),
        None => String::new(),
    };
    let odd = params.filter(|params| params.as_object().is_none()).cloned();
    let call = Called {
        readings: BTreeSet::from([reading]),
        tool,
        arguments: odd.or_else(|| member("arguments")).unwrap_or_else(Json::object),
        id: id.cloned(),
        meta: member("_meta"),
    };
    // Readings of one frame that agree are one call; two equal elements of a batch stay two.
    let twin = found.iter_mut().find(|other: &&mut Called| {
        !other.readings.contains(&reading)
            && (&other.tool, &other.arguments, &other.id) == (&call.tool, &call.arguments, &call.id)
    });
    match twin {
        Some(other) => {
            other.readings.insert(reading);
        }
        None => found.push(call),
    }
}

#[derive(Clone, Copy)]
enum Pick {
    First,
    Last,
}

/// The value with one member for each name, at every level.
fn project(value: &Json, pick: Pick) -> Json {
    match value {
        Json::Array(elements) => Json::Array(elements.iter().map(|element| project(element, pick)).collect()),
        Json::Object(object) => {
            let mut kept = Object::default();
            for (name, value) in object.iter() {
                if matches!(pick, Pick::Last) || kept.get(name).is_none() {
                    kept.set(name, project(value, pick));
                }
            }
            Json::Object(kept)
        }
        other => other.clone(),
    }
}

/// The frame as a parser reads it that does not regard case; `None` where that makes no difference.
pub fn without_case(frame: &Json) -> Option<Json> {
    odd_case(frame).then(|| fold(frame))
}

/// The members that decide which tool is called with what.
const DECISIVE: [&str; 6] = ["jsonrpc", "id", "method", "params", "name", "arguments"];

/// Whether a decisive member stands in another case than the specification's.
fn odd_case(frame: &Json) -> bool {
    let odd = |object: &Object| {
        object
            .iter()
            .any(|(name, _)| DECISIVE.iter().any(|known| name != *known && name.eq_ignore_ascii_case(known)))
    };
    let Some(object) = frame.as_object() else { return false };
    odd(object) || object.iter().any(|(_, value)| value.as_object().is_some_and(odd))
}

/// Decisive member names in lower case, at the two levels where they stand; the last one wins.
fn fold(frame: &Json) -> Json {
    let lower = |object: &Object, inner: bool| {
        let mut folded = Object::default();
        for (name, value) in object.iter() {
            let decisive = DECISIVE.iter().find(|known| name.eq_ignore_ascii_case(known));
            let value = match value {
                Json::Object(_) if inner && decisive == Some(&"params") => fold_flat(value),
                other => other.clone(),
            };
            folded.set(decisive.unwrap_or(&name), value);
        }
        Json::Object(folded)
    };
    frame.as_object().map_or_else(|| frame.clone(), |object| lower(object, true))
}

fn fold_flat(params: &Json) -> Json {
    let mut folded = Object::default();
    for (name, value) in params.as_object().into_iter().flat_map(Object::iter) {
        let decisive = DECISIVE.iter().find(|known| name.eq_ignore_ascii_case(known));
        folded.set(decisive.unwrap_or(&name), value.clone());
    }
    Json::Object(folded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tools(text: &str) -> Vec<(String, Vec<Reading>)> {
        readings(text.as_bytes())
            .into_iter()
            .map(|call| (call.tool, call.readings.into_iter().collect()))
            .collect()
    }

    #[test]
    fn a_plain_frame_has_one_reading() {
        let calls =
            tools(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{}}}"#);
        assert_eq!(calls, [("a".to_owned(), vec![Reading::Strict])]);
        assert!(tools(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#).is_empty());
        assert!(tools("nonsense").is_empty());
    }

    #[test]
    fn repeated_members_are_read_both_ways() {
        let calls =
            tools(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","name":"b"}}"#);
        assert_eq!(calls, [("a".to_owned(), vec![Reading::First]), ("b".to_owned(), vec![Reading::Last])]);
        let hidden = tools(
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call","params":{"name":"a"}}"#,
        );
        assert_eq!(hidden, [("a".to_owned(), vec![Reading::Last])]);
        let escaped =
            tools(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","n\u0061me":"b"}}"#);
        assert_eq!(escaped.len(), 2);
    }

    #[test]
    fn case_batch_and_careless_readings_are_seen() {
        let cased =
            tools(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","Name":"b"}}"#);
        assert_eq!(
            cased,
            [("a".to_owned(), vec![Reading::Strict]), ("b".to_owned(), vec![Reading::CaseInsensitive])]
        );
        let one = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}}"#;
        assert_eq!(tools(&format!("[{one},{one}]")).len(), 2);
        assert_eq!(tools(&format!("\u{feff}{one}")), [("a".to_owned(), vec![Reading::Lenient])]);
        assert_eq!(tools(&format!("{one} trailing")), [("a".to_owned(), vec![Reading::Lenient])]);
    }

    #[test]
    fn a_call_of_nothing_that_has_a_name_is_a_call() {
        let call = |params: &str| {
            let frame = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call"{params}}}"#);
            let [call] = readings(frame.as_bytes()).try_into().unwrap();
            (call.tool, call.arguments.to_string())
        };
        for (params, tool, arguments) in [
            ("", "", "{}"),
            (r#","params":null"#, "", "null"),
            (r#","params":["a",{"n":1}]"#, "", r#"["a",{"n":1}]"#),
            (r#","params":"a""#, "", r#""a""#),
            (r#","params":{"arguments":{"n":1}}"#, "", r#"{"n":1}"#),
            (r#","params":{"name":["a"]}"#, r#"["a"]"#, "{}"),
            (r#","params":{"name":104,"arguments":["n"]}"#, "104", r#"["n"]"#),
        ] {
            assert_eq!(call(params), (tool.to_owned(), arguments.to_owned()), "{params}");
        }
        let both = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","name":["b"]}}"#;
        assert_eq!(
            tools(both),
            [("a".to_owned(), vec![Reading::First]), (r#"["b"]"#.to_owned(), vec![Reading::Last])]
        );
    }

    #[test]
    fn a_call_put_as_a_notification_is_a_call() {
        let calls = readings(br#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"a"}}"#);
        assert_eq!(calls[0].id, None);
        assert_eq!(calls[0].arguments, Json::object());
    }
}
