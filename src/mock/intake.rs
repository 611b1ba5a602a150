//! What a server makes of bytes: strictly what the protocol allows, or as carelessly as some server somewhere does.
//! Every reading of them is found either way.

use crate::wire::{Called, Json, RpcError, parse, parse_lenient, readings_of, rpc, without_case};
use flate2::read::GzDecoder;
use std::borrow::Cow;
use std::io::Read as _;

/// The longest text that a compressed body may become.
const LONGEST: u64 = 64 << 20;

/// Bytes, taken.
pub(super) struct Taken {
    /// What the server reads; the error is what it answers instead.
    pub(super) frame: Result<Json, RpcError>,
    /// Every `tools/call` that some reading takes.
    pub(super) calls: Vec<Called>,
}

/// Takes a body or a line.
pub(super) fn take(bytes: &[u8], lenient: bool) -> Taken {
    let text = unpacked(bytes);
    let packed = matches!(text, Cow::Owned(_));
    let strict = parse(&text);
    let careless = packed || strict.is_err();
    let value = match strict {
        Ok(value) => Ok(value),
        Err(error) => parse_lenient(&text).map_err(|_| error),
    };
    let calls = value.as_ref().map(|value| readings_of(value, careless)).unwrap_or_default();
    let refused = |why: String| RpcError::new(rpc::PARSE_ERROR, format!("Parse error: {why}"));
    let frame = match value {
        Err(error) => Err(refused(error.to_string())),
        Ok(value) if lenient => Ok(without_case(&value).unwrap_or(value)),
        Ok(_) if packed => Err(refused("the body is compressed".to_owned())),
        Ok(_) if careless => {
            Err(refused(parse(&text).err().map(|error| error.to_string()).unwrap_or_default()))
        }
        Ok(value) if value.repeats() => Err(refused("a member is repeated".to_owned())),
        Ok(value) => Ok(value),
    };
    Taken { frame, calls }
}

/// The text inside gzip; the bytes themselves where they are none.
fn unpacked(bytes: &[u8]) -> Cow<'_, [u8]> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Cow::Borrowed(bytes);
    }
    let mut text = Vec::new();
    match GzDecoder::new(bytes).take(LONGEST).read_to_end(&mut text) {
        Ok(_) => Cow::Owned(text),
        Err(_) => Cow::Borrowed(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}}"#;

    fn packed(text: &str) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(text.as_bytes()).unwrap();
        packer.finish().unwrap()
    }

    #[test]
    fn careless_texts_are_refused_strictly_and_seen_always() {
        let twice = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"b","name":"a"}}"#;
        let cased = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","Params":{"Name":"a"}}"#;
        let nan =
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"n":NaN}}}"#;
        for bytes in [format!("\u{feff}{CALL}").into_bytes(), packed(CALL), nan.into(), twice.into()] {
            let (strict, lenient) = (take(&bytes, false), take(&bytes, true));
            assert_eq!(strict.frame.unwrap_err().code, rpc::PARSE_ERROR);
            assert!(!strict.calls.is_empty());
            assert_eq!(lenient.frame.unwrap().pointer("/params/name").and_then(Json::as_str), Some("a"));
        }
        assert!(take(cased.as_bytes(), false).frame.unwrap().get("params").is_none());
        assert_eq!(
            take(cased.as_bytes(), true).frame.unwrap().pointer("/params/name").and_then(Json::as_str),
            Some("a")
        );
        assert!(take(b"nonsense", true).frame.is_err());
        assert_eq!(take(CALL.as_bytes(), false).calls.len(), 1);
    }
}
