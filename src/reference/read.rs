//! The front: bytes become frames that have one reading, or are refused.

use crate::declared::{Batch, Declared};
use crate::wire::{Json, Message, Reading as WireReading, RpcError, parse, parse_lenient, readings, rpc};

/// What the bytes of one message are taken for.
#[derive(Clone, Debug, PartialEq)]
pub enum Taken {
    /// One frame.
    One(Frame),
    /// An array of frames, each for itself.
    Batch(Vec<Frame>),
    /// Nothing that goes any further.
    Refused {
        /// The id of the request, where it can be told; otherwise null.
        id: Json,
        /// What is answered.
        error: RpcError,
    },
}

/// One frame: what is judged, and what goes on. The two are equal, unless somebody lies.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// What the policy sees.
    pub judged: Json,
    /// What the upstream gets.
    pub sent: Json,
    /// Whether the policy is asked at all.
    pub policed: bool,
}

impl Frame {
    /// A frame that is judged as it is sent.
    pub fn honest(frame: Json) -> Self {
        Self { judged: frame.clone(), sent: frame, policed: true }
    }
}

/// Strictly: RFC 8259, no repeated member anywhere, decisive members in their own case, and the shape that
/// JSON-RPC and `tools/call` demand.
pub fn strictly(bytes: &[u8], declared: &Declared) -> Taken {
    let value = match parse(bytes) {
        Ok(value) => value,
        Err(error) => {
            return refused(Json::Null, RpcError::new(rpc::PARSE_ERROR, format!("parse error: {error}")));
        }
    };
    if let Json::Array(frames) = value {
        return batch(bytes, frames, declared);
    }
    if let Err((id, error)) = sound(&value).and_then(|()| one_reading(bytes, &value)) {
        return refused(id, error);
    }
    Taken::One(Frame::honest(value))
}

fn batch(bytes: &[u8], frames: Vec<Json>, declared: &Declared) -> Taken {
    if declared.batch != Some(Batch::Split) {
        return refused(Json::Null, RpcError::new(rpc::INVALID_REQUEST, "batches are not accepted"));
    }
    if frames.is_empty() {
        return refused(Json::Null, RpcError::new(rpc::INVALID_REQUEST, "a batch without frames"));
    }
    for frame in &frames {
        if let Err((_, error)) = sound(frame) {
            return refused(Json::Null, error);
        }
    }
    let plain = |reading: &WireReading| *reading == WireReading::Batch;
    if readings(bytes).iter().any(|call| !call.readings.iter().all(plain)) {
        return refused(Json::Null, ambiguous());
    }
    Taken::Batch(frames.into_iter().map(Frame::honest).collect())
}

fn refused(id: Json, error: RpcError) -> Taken {
    Taken::Refused { id, error }
}

fn ambiguous() -> RpcError {
    RpcError::new(
        rpc::INVALID_REQUEST,
        "a member stands twice, or in another case: the frame could be read in two ways",
    )
}

fn one_reading(bytes: &[u8], frame: &Json) -> Result<(), (Json, RpcError)> {
    let strict = |reading: &WireReading| *reading == WireReading::Strict;
    let clear = readings(bytes).iter().all(|call| call.readings.iter().all(strict));
    if clear { Ok(()) } else { Err((told_id(frame), ambiguous())) }
}

/// The id to answer with, if it is one that a request may have.
fn told_id(frame: &Json) -> Json {
    match frame.get("id") {
        Some(id @ (Json::String(_) | Json::Number(_))) => id.clone(),
        _ => Json::Null,
    }
}

fn sound(frame: &Json) -> Result<(), (Json, RpcError)> {
    let invalid = |what: &str| {
        Err((Json::Null, RpcError::new(rpc::INVALID_REQUEST, format!("invalid request: {what}"))))
    };
    if frame.repeats() {
        return Err((Json::Null, ambiguous()));
    }
    let (id, method, params) = match Message::of(frame) {
        Message::Request { id: Json::String(_) | Json::Number(_), method, params } => {
            (told_id(frame), method, params)
        }
        Message::Request { .. } => return invalid("`id` must be a string or a number"),
        Message::Notification { method, params } => (Json::Null, method, params),
        Message::Response { .. } => return Ok(()),
        Message::Invalid(what) => return invalid(what),
    };
    let mistake = match &params {
        None if method == "tools/call" => Some("`params` is missing"),
        None => None,
        Some(params @ Json::Object(_)) if method == "tools/call" => mistake_of_call(params),
        Some(Json::Object(_)) => None,
        Some(_) => Some("`params` must be an object"),
    };
    match mistake {
        Some(what) => Err((id, RpcError::new(rpc::INVALID_PARAMS, format!("invalid params: {what}")))),
        None => Ok(()),
    }
}

fn mistake_of_call(params: &Json) -> Option<&'static str> {
    let object = |name| params.get(name).is_none_or(|value| value.as_object().is_some());
    if params.get("name").and_then(Json::as_str).is_none() {
        Some("`name` must be a string")
    } else if !object("arguments") {
        Some("`arguments` must be an object")
    } else if !object("_meta") {
        Some("`_meta` must be an object")
    } else {
        None
    }
}

/// The calls that somebody tried to make with bytes that were refused: one for each frame, its tool where it has one.
pub(super) fn attempts(bytes: &[u8]) -> Vec<Option<String>> {
    let Ok(value) = parse_lenient(bytes) else { return Vec::new() };
    let frames = match value {
        Json::Array(frames) => frames,
        frame => vec![frame],
    };
    let calls = |frame: &&Json| {
        let methods = frame.as_object().into_iter().flat_map(|object| object.iter());
        methods
            .filter(|(name, _)| name.eq_ignore_ascii_case("method"))
            .any(|(_, value)| value.as_str() == Some("tools/call"))
    };
    let tool = |frame: &Json| frame.get("params")?.get("name")?.as_str().map(str::to_owned);
    frames.iter().filter(calls).map(tool).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &[u8]) -> Option<(i64, Json)> {
        match strictly(text, &Declared::default()) {
            Taken::Refused { id, error } => Some((error.code, id)),
            _ => None,
        }
    }

    #[test]
    fn what_is_not_strict_json_is_a_parse_error() {
        let call = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}}"#;
        let utf16: Vec<u8> = call.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let frames: Vec<Vec<u8>> = vec![
            format!("\u{feff}{call}").into(),
            format!("{call} trailing").into(),
            format!("{call}{call}").into(),
            format!("/* x */{call}").into(),
            call.replace('1', "NaN").into(),
            call.replace('1', "Infinity").into(),
            call.replace("\"a\"", "\"a\n\"").into(),
            utf16,
            format!(r#"{{"a":{}"#, "[".repeat(10_000)).into(),
            Vec::new(),
        ];
        for frame in frames {
            assert_eq!(
                code(&frame),
                Some((rpc::PARSE_ERROR, Json::Null)),
                "{}",
                String::from_utf8_lossy(&frame)
            );
        }
    }

    #[test]
    fn malformed_frames_are_refused_with_the_id_where_there_is_one() {
        let call = |params: &str| format!(r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call"{params}}}"#);
        for params in [
            "",
            r#","params":[]"#,
            r#","params":"a""#,
            r#","params":{}"#,
            r#","params":{"name":4}"#,
            r#","params":{"name":["a"]}"#,
            r#","params":{"name":"a","arguments":[]}"#,
            r#","params":{"name":"a","arguments":"{}"}"#,
            r#","params":{"name":"a","arguments":null}"#,
            r#","params":{"name":"a","_meta":1}"#,
        ] {
            assert_eq!(code(call(params).as_bytes()), Some((rpc::INVALID_PARAMS, Json::from(7))), "{params}");
        }
        for frame in [
            "{}",
            "4",
            "[]",
            r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#,
            r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#,
        ] {
            assert_eq!(code(frame.as_bytes()).map(|(code, _)| code), Some(rpc::INVALID_REQUEST), "{frame}");
        }
    }

    #[test]
    fn two_readings_are_one_too_many() {
        for frame in [
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call","params":{"name":"a"}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","name":"b"}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","n\u0061me":"b"}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","Name":"b"}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","Method":"tools/call","params":{"name":"a"}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"x":{"y":1,"y":2}}}}"#,
        ] {
            assert_eq!(code(frame.as_bytes()).map(|(code, _)| code), Some(rpc::INVALID_REQUEST), "{frame}");
        }
        let plain = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"Name":1,"name":2}}}"#;
        assert_eq!(code(plain.as_bytes()), None, "arguments are the tool's own");
    }

    #[test]
    fn a_batch_is_split_only_where_that_is_declared() {
        let declared = Declared { batch: Some(Batch::Split), ..Declared::default() };
        let one = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}}"#;
        let two = format!("[{one},{one}]");
        assert!(matches!(strictly(two.as_bytes(), &declared), Taken::Batch(frames) if frames.len() == 2));
        let twice = format!("[{one},{}]", one.replace("\"a\"", "\"a\",\"name\":\"b\""));
        assert!(matches!(strictly(twice.as_bytes(), &declared), Taken::Refused { .. }));
        assert!(matches!(strictly(b"[]", &declared), Taken::Refused { .. }));
        assert!(matches!(strictly(b"[[]]", &declared), Taken::Refused { .. }));
    }

    #[test]
    fn attempts_are_seen_in_what_was_refused() {
        let one = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}}"#;
        assert_eq!(attempts(format!("[{one},{one}]").as_bytes()).len(), 2);
        assert_eq!(attempts(format!("{one} x").as_bytes()), [Some("a".to_owned())]);
        assert_eq!(attempts(br#"{"method":"tools/call","params":[]}"#), [None]);
        assert!(attempts(b"nonsense").is_empty());
    }
}
