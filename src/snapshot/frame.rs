//! One frame as it is stored: redacted, without the plumbing of its era, cut where it is long, and printable.
//!
//! What is cut leaves a digest, so that a change beyond the cut is still a change. It does not know whether a frame
//! was sent by a client or by a gateway.

use super::redaction::{Mark, Redactions};
use crate::diagnostic::{printable_bytes, printable_lines};
use crate::wire::{Json, Object, parse};
use sha2::{Digest as _, Sha256};

/// A line is broken where it would be longer, in characters.
const WIDTH: usize = 100;
/// The characters kept of a text.
const LONGEST_TEXT: usize = 400;
/// The elements kept of an array, and the members of an object.
const MOST_ELEMENTS: usize = 24;
/// The lines kept of a frame.
const MOST_LINES: usize = 120;
/// Members of the modern era that say nothing about a gateway's behaviour.
const PLUMBING: &str = "io.modelcontextprotocol/";

/// The frame as lines. `id` is the request's own, which is redacted: any other in an answer stays to be seen.
pub(super) fn lines(bytes: &[u8], id: Option<&Json>, redactions: &Redactions) -> Vec<String> {
    let Ok(frame) = parse(bytes) else {
        let text = redactions.text(&printable_bytes(bytes, usize::MAX));
        return vec![cut(&text, LONGEST_TEXT)];
    };
    let frame = elided(&redactions.value(&bare(frame, id)));
    let mut text = String::new();
    write(&mut text, &frame, 0);
    let text = printable_lines(&text, usize::MAX);
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if lines.len() > MOST_LINES {
        let rest = lines.split_off(MOST_LINES);
        lines.push(format!("… ({} more lines, {})", rest.len(), digest(rest.join("\n").as_bytes())));
    }
    lines
}

/// Without what differs between eras or runs by design.
fn bare(mut frame: Json, id: Option<&Json>) -> Json {
    let Some(members) = frame.as_object_mut() else { return frame };
    let asks = members.get("method").is_some();
    if members.get("id").is_some_and(|own| !own.is_null() && (Some(own) == id || asks)) {
        members.set("id", Mark::Id.as_str());
    }
    for (name, value) in &mut members.0 {
        if let ("params" | "result", Json::Object(inner)) = (name.as_str(), value) {
            without_plumbing(inner);
        }
    }
    frame
}

fn without_plumbing(inner: &mut Object) {
    if inner.get("resultType").and_then(Json::as_str) == Some("complete") {
        inner.remove("resultType");
    }
    inner.remove("ttlMs");
    inner.remove("cacheScope");
    let emptied = inner.0.iter_mut().find(|(name, _)| name == "_meta").is_some_and(|(_, meta)| {
        let Json::Object(meta) = meta else { return false };
        meta.0.retain(|(name, _)| !name.starts_with(PLUMBING));
        meta.0.is_empty()
    });
    if emptied {
        inner.remove("_meta");
    }
}

/// Long texts, arrays and objects cut; members sorted by name, because their order means nothing and some gateways
/// write them in another order each time. Repeated members keep theirs: which one wins depends on it.
fn elided(value: &Json) -> Json {
    match value {
        Json::String(text) => Json::String(cut(text, LONGEST_TEXT)),
        Json::Number(number) if number.spelling().len() > LONGEST_TEXT => {
            Json::String(cut(number.spelling(), LONGEST_TEXT))
        }
        Json::Array(elements) => {
            let mut kept: Vec<Json> = elements.iter().take(MOST_ELEMENTS).map(elided).collect();
            if let Some(rest) = elements.get(MOST_ELEMENTS..).filter(|rest| !rest.is_empty()) {
                kept.push(Json::String(more(
                    rest.len(),
                    "elements",
                    &Json::Array(rest.iter().map(sorted).collect()),
                )));
            }
            Json::Array(kept)
        }
        Json::Object(object) => {
            let mut members = in_order(object);
            let rest = members.split_off(members.len().min(MOST_ELEMENTS));
            let mut kept: Vec<(String, Json)> =
                members.iter().map(|(name, value)| (cut(name, LONGEST_TEXT), elided(value))).collect();
            if !rest.is_empty() {
                let count = rest.len();
                kept.push((
                    "…".to_owned(),
                    Json::String(more(count, "members", &sorted(&Json::Object(Object(rest))))),
                ));
            }
            Json::Object(Object(kept))
        }
        _ => value.clone(),
    }
}

/// The whole value with members in order: what a digest is taken of.
fn sorted(value: &Json) -> Json {
    match value {
        Json::Array(elements) => Json::Array(elements.iter().map(sorted).collect()),
        Json::Object(object) => Json::Object(Object(
            in_order(object).into_iter().map(|(name, value)| (name, sorted(&value))).collect(),
        )),
        _ => value.clone(),
    }
}

fn in_order(object: &Object) -> Vec<(String, Json)> {
    let mut members = object.0.clone();
    members.sort_by(|(left, _), (right, _)| left.cmp(right));
    members
}

fn more(count: usize, noun: &str, rest: &Json) -> String {
    format!("… ({count} more {noun}, {})", digest(&rest.to_bytes()))
}

/// The text, or its beginning with what is missing counted and its digest.
pub(super) fn cut(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => text.to_owned(),
        Some((at, _)) => {
            let rest = &text[at..];
            format!("{}… ({} more bytes, {})", &text[..at], rest.len(), digest(rest.as_bytes()))
        }
    }
}

fn digest(bytes: &[u8]) -> String {
    let sum = Sha256::digest(bytes);
    format!("sha256 {:02x}{:02x}{:02x}{:02x}", sum[0], sum[1], sum[2], sum[3])
}

/// On one line where it fits, otherwise an element a line.
fn write(out: &mut String, value: &Json, indent: usize) {
    let compact = value.to_string();
    let parts: Vec<(String, &Json)> = match value {
        Json::Array(elements) => elements.iter().map(|element| (String::new(), element)).collect(),
        Json::Object(object) => {
            object.iter().map(|(name, value)| (format!("{}: ", Json::from(name)), value)).collect()
        }
        _ => Vec::new(),
    };
    if parts.is_empty() || indent + compact.chars().count() <= WIDTH {
        out.push_str(&compact);
        return;
    }
    let (open, close) = if value.as_array().is_some() { ('[', ']') } else { ('{', '}') };
    out.push(open);
    for (index, (name, part)) in parts.iter().enumerate() {
        out.push_str(if index == 0 { "\n" } else { ",\n" });
        out.push_str(&" ".repeat(indent + 2));
        out.push_str(name);
        write(out, part, indent + 2);
    }
    out.push('\n');
    out.push_str(&" ".repeat(indent));
    out.push(close);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stored(frame: &str, id: i64) -> String {
        lines(frame.as_bytes(), Some(&Json::from(id)), &Redactions::default()).join("\n")
    }

    #[test]
    fn the_own_id_gives_way_and_a_wrong_one_stays() {
        assert_eq!(
            stored(r#"{"jsonrpc":"2.0","id":7,"result":{}}"#, 7),
            r#"{"id":"[ID]","jsonrpc":"2.0","result":{}}"#
        );
        assert!(stored(r#"{"jsonrpc":"2.0","id":8,"result":{}}"#, 7).contains(r#""id":8"#));
        assert!(stored(r#"{"jsonrpc":"2.0","id":"7","result":{}}"#, 7).contains(r#""id":"7""#));
        assert!(stored(r#"{"id":null,"error":{}}"#, 7).contains(r#""id":null"#));
        assert!(stored(r#"{"id":"e-1","method":"elicitation/create"}"#, 7).contains(r#""id":"[ID]""#));
    }

    #[test]
    fn eras_look_alike_where_they_behave_alike() {
        let legacy = r#"{"id":1,"result":{"content":[],"isError":true}}"#;
        let modern = r#"{"id":1,"result":{"resultType":"complete","isError":true,"content":[],"ttlMs":0,
            "_meta":{"io.modelcontextprotocol/serverInfo":{"name":"x"}}}}"#;
        assert_eq!(stored(legacy, 1), stored(modern, 1));
        assert_ne!(stored(legacy, 1), stored(&modern.replace("complete", "input_required"), 1));
        assert_ne!(stored(legacy, 1), stored(&modern.replace("\"io.", "\"oi."), 1));
    }

    #[test]
    fn the_order_of_members_means_nothing_unless_they_repeat() {
        assert_eq!(stored(r#"{"b":{"d":1,"c":2},"a":3}"#, 1), stored(r#"{"a":3,"b":{"c":2,"d":1}}"#, 1));
        assert_ne!(stored(r#"{"a":1,"a":2}"#, 1), stored(r#"{"a":2,"a":1}"#, 1));
        assert_ne!(stored(r#"{"a":1.0}"#, 1), stored(r#"{"a":1}"#, 1));
    }

    #[test]
    fn what_is_long_is_cut_and_a_change_beyond_the_cut_is_seen() {
        let text = |last: &str| format!("{{\"text\":\"{}{last}\"}}", "x".repeat(5000));
        assert!(stored(&text("a"), 1).len() < 600);
        assert_ne!(stored(&text("a"), 1), stored(&text("b"), 1));
        let list = |last: usize| format!("[{}{last}]", "1,".repeat(9000));
        assert!(stored(&list(1), 1).contains("… (8977 more elements, sha256 "));
        assert_ne!(stored(&list(1), 1), stored(&list(2), 1));
        let tool = format!("{{\"description\":\"{}\",\"name\":\"n\"}}", "y".repeat(90));
        let many = format!("[{}]", vec![format!("[{tool},{tool},{tool}]"); 24].join(","));
        assert_eq!(stored(&many, 1).lines().count(), MOST_LINES + 1);
    }

    #[test]
    fn what_is_no_json_is_shown_as_bytes_and_redacted_before_it_is_cut() {
        let redactions = Redactions::new(["open-sesame"]);
        let bytes = [b"<html>\n\xff open-sesame ".as_slice(), &b"z".repeat(2000)].concat();
        let shown = lines(&bytes, None, &redactions);
        assert_eq!(shown.len(), 1);
        assert!(
            shown[0].starts_with("<html>\\n\\xff [SECRET] zzz") && shown[0].contains("more bytes, sha256")
        );
        let straddling = format!("{}open-sesame", "z".repeat(LONGEST_TEXT - 4));
        assert!(!lines(straddling.as_bytes(), None, &redactions)[0].contains("open"));
    }

    #[test]
    fn a_frame_reads_well() {
        let frame = r#"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"destroy_vm","arguments":{"vm_id":"104","confirm":true,"note":"a note that makes it long"}}}"#;
        insta::assert_snapshot!(stored(frame, 3), @r#"
        {
          "id": "[ID]",
          "jsonrpc": "2.0",
          "method": "tools/call",
          "params": {
            "arguments": {"confirm":true,"note":"a note that makes it long","vm_id":"104"},
            "name": "destroy_vm"
          }
        }
        "#);
    }

    proptest! {
        #[test]
        fn hostile_text_is_printable(text in any::<String>()) {
            let frame = Json::from_iter([(text.clone(), Json::from(text))]);
            for line in lines(&frame.to_bytes(), None, &Redactions::default()) {
                let hides = |letter: char| letter.is_control() || ('\u{202a}'..='\u{202e}').contains(&letter);
                prop_assert!(!line.chars().any(hides), "{}", line);
            }
        }
    }
}
