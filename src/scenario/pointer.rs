//! JSON pointers that may go down into JSON held in a text, as servers like to answer.

use crate::wire::{Json, parse};

/// The value at the pointer; where a text stands in the way, what it holds as JSON is gone into.
pub fn at(value: &Json, pointer: &str) -> Option<Json> {
    if pointer.is_empty() {
        return Some(value.clone());
    }
    if let Some(found) = value.pointer(pointer) {
        return Some(found.clone());
    }
    let (token, rest) = split(pointer)?;
    match value {
        Json::String(text) => at(&parse(text.as_bytes()).ok()?, pointer),
        _ => at(value.pointer(token)?, rest),
    }
}

/// The first token with its slash, and the rest.
fn split(pointer: &str) -> Option<(&str, &str)> {
    let inner = pointer.strip_prefix('/')?;
    let end = inner.find('/').map_or(pointer.len(), |at| at + 1);
    Some(pointer.split_at(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_go_down_into_texts() {
        let value = parse(
            br#"{"content":[{"text":"{\"data\": {\"flow_id\": \"F.1\", \"more\": \"[1, 2]\"}}"}],"a/b":7}"#,
        );
        let value = value.unwrap();
        for (pointer, found) in [
            ("/content/0/text/data/flow_id", Some("\"F.1\"")),
            ("/content/0/text/data/more/1", Some("2")),
            ("/a~1b", Some("7")),
            ("/content/0/text/none", None),
            ("/content/1", None),
            ("content", None),
        ] {
            assert_eq!(at(&value, pointer).map(|found| found.to_string()).as_deref(), found, "{pointer}");
        }
        assert_eq!(at(&value, ""), Some(value));
    }
}
