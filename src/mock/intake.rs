//! What a server makes of bytes: strictly what the protocol allows, or as carelessly as some server somewhere does.
//! And every reading of them that some server could take.

use crate::wire::{Called, Json, RpcError, parse, parse_lenient, readings, readings_of, rpc, without_case};
use flate2::read::{GzDecoder, ZlibDecoder};
use std::borrow::Cow;
use std::io::Read;

/// The longest text that a compressed body may become.
const LONGEST: u64 = 64 << 20;

/// What the server reads in a body or a line; the error is what it answers instead.
pub(super) fn take(bytes: &[u8], lenient: bool) -> Result<Json, RpcError> {
    let text = unpacked(bytes);
    let packed = matches!(text, Cow::Owned(_));
    let refused = |why: &str| RpcError::new(rpc::PARSE_ERROR, format!("Parse error: {why}"));
    match parse(&text) {
        Err(error) if !lenient => Err(refused(&error.to_string())),
        Err(error) => match lines(&text).map_or_else(|| parse_lenient(&text), Ok) {
            Ok(value) => Ok(without_case(&value).unwrap_or(value)),
            Err(_) => Err(refused(&error.to_string())),
        },
        Ok(value) if lenient => Ok(without_case(&value).unwrap_or(value)),
        Ok(_) if packed => Err(refused("the body is not plain UTF-8")),
        Ok(value) if value.repeats() => Err(refused("a member is repeated")),
        Ok(value) => Ok(value),
    }
}

/// Every `tools/call` that some reading takes from a body or a line.
pub fn calls(bytes: &[u8]) -> Vec<Called> {
    match unpacked(bytes) {
        Cow::Borrowed(text) => match lines(text) {
            Some(frames) => readings_of(&frames, true),
            None => readings(text),
        },
        // Who unpacks what is not to be packed is careless, whatever is in it.
        Cow::Owned(text) => {
            let value = parse(&text).or_else(|_| parse_lenient(&text));
            value.map(|value| readings_of(&value, true)).unwrap_or_default()
        }
    }
}

/// Frames that stand in lines of their own, as stdio has them: to some servers every body is read so.
fn lines(text: &[u8]) -> Option<Json> {
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let frames: Vec<Json> = lines.map(|line| parse(line).ok()).collect::<Option<_>>()?;
    (frames.len() > 1).then_some(Json::Array(frames))
}

/// The text inside gzip, zlib, a stored block of Brotli or UTF-16, which some servers look for themselves; other bytes as they are. No JSON begins
/// so.
fn unpacked(bytes: &[u8]) -> Cow<'_, [u8]> {
    let inside = match bytes {
        [0x1f, 0x8b, ..] => inflated(GzDecoder::new(bytes)),
        [b'x', ..] => inflated(ZlibDecoder::new(bytes)),
        [_, 0, ..] => narrow(bytes),
        _ => None,
    };
    let inside = inside.or_else(|| stored(bytes).map(<[u8]>::to_vec));
    inside.map_or(Cow::Borrowed(bytes), Cow::Owned)
}

fn inflated(packed: impl Read) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    packed.take(LONGEST).read_to_end(&mut text).ok()?;
    Some(text)
}

/// The one block of a Brotli stream (RFC 7932, section 9) that is stored as it is.
fn stored(bytes: &[u8]) -> Option<&[u8]> {
    let [first, second, third, block @ .., 0b11] = bytes else { return None };
    let header = u32::from_le_bytes([*first, *second, *third, 0]);
    let length = (header >> 4 & 0xffff) as usize + 1;
    (header & !(0xffff << 4) == 1 << 20 && length == block.len()).then_some(block)
}

/// UTF-16, little end first.
fn narrow(wide: &[u8]) -> Option<Vec<u8>> {
    let (pairs, rest) = wide.as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
    String::from_utf16(&units).ok().filter(|_| rest.is_empty()).map(String::into_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}}"#;

    /// As gzip, zlib, UTF-16 and Brotli have it.
    fn packed(text: &str) -> [Vec<u8>; 4] {
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        zlib.write_all(text.as_bytes()).unwrap();
        let wide = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let length = u8::try_from(text.len() - 1).unwrap();
        let stored = [&[length << 4, length >> 4, 1 << 4], text.as_bytes(), &[0b11]].concat();
        [super::super::fault::packed(text.as_bytes()), zlib.finish().unwrap(), wide, stored]
    }

    #[test]
    fn careless_texts_are_refused_strictly_and_seen_always() {
        let twice = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"b","name":"a"}}"#;
        let cased = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","Params":{"Name":"a"}}"#;
        let nan =
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"n":NaN}}}"#;
        let texts = [format!("\u{feff}{CALL}").into_bytes(), nan.into(), twice.into()];
        for bytes in texts.into_iter().chain(packed(CALL)) {
            let (strict, lenient) = (take(&bytes, false), take(&bytes, true));
            assert_eq!(strict.unwrap_err().code, rpc::PARSE_ERROR);
            assert!(!calls(&bytes).is_empty());
            assert_eq!(lenient.unwrap().pointer("/params/name").and_then(Json::as_str), Some("a"));
        }
        let behind = format!("{{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"ping\"}}\n{CALL}\n");
        assert!(take(behind.as_bytes(), false).is_err());
        assert_eq!(take(behind.as_bytes(), true).unwrap().as_array().map(<[Json]>::len), Some(2));
        assert_eq!(calls(behind.as_bytes())[0].readings, [crate::wire::Reading::Lenient].into());
        assert!(take(cased.as_bytes(), false).unwrap().get("params").is_none());
        assert_eq!(
            take(cased.as_bytes(), true).unwrap().pointer("/params/name").and_then(Json::as_str),
            Some("a")
        );
        assert!(take(b"nonsense", true).is_err());
        assert_eq!(calls(CALL.as_bytes()).len(), 1);
        for bytes in packed(CALL) {
            assert_eq!(calls(&bytes)[0].readings, [crate::wire::Reading::Lenient].into());
            assert!(calls(&bytes[..bytes.len() - 3]).is_empty(), "what is cut off is no text");
        }
    }
}
