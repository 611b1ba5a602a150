//! Answers as bytes: a frame is put together from pieces that were rendered before, never from a tree.

use super::convention::Rendered;
use crate::wire::{Era, Json, RpcError, rpc};
use bytes::{BufMut as _, Bytes, BytesMut};
use std::ops::Range;

/// The member of `_meta` that ties an answer to its arrival.
pub const RECEIPT: &str = "dev.gauntlet/receipt";

/// A whole frame, and where in it the result or the error stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Frame {
    pub(super) bytes: Bytes,
    inner: Range<usize>,
    /// The code, if it is an error.
    pub(super) code: Option<i64>,
}

/// What stands in a result besides its own members; it differs by era and call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dress<'a> {
    pub(super) era: Era,
    /// `"io.modelcontextprotocol/serverInfo":{...}`, for the modern era.
    pub(super) server: &'a str,
    pub(super) receipt: Option<&'a str>,
    /// The modern era's `resultType`.
    pub(super) kind: &'a str,
    /// Members behind the result's own, each with a comma before it.
    pub(super) tail: &'a str,
}

impl Frame {
    /// A response whose result has these members.
    pub(super) fn result(id: &Json, members: &[u8], dress: Dress<'_>) -> Self {
        let id = id.to_string();
        let mut bytes =
            BytesMut::with_capacity(members.len() + id.len() + dress.server.len() + dress.tail.len() + 160);
        bytes.put_slice(b"{\"jsonrpc\":\"2.0\",\"id\":");
        bytes.put_slice(id.as_bytes());
        bytes.put_slice(b",\"result\":");
        let start = bytes.len();
        bytes.put_u8(b'{');
        dress.put_head(&mut bytes);
        bytes.put_slice(members);
        if bytes.ends_with(b",") && members.is_empty() {
            bytes.truncate(bytes.len() - 1);
        }
        bytes.put_slice(dress.tail.as_bytes());
        bytes.put_u8(b'}');
        let inner = start..bytes.len();
        bytes.put_u8(b'}');
        Self { bytes: bytes.freeze(), inner, code: None }
    }

    /// An error response.
    pub(super) fn error(id: &Json, error: RpcError) -> Self {
        let code = error.code;
        let frame = rpc::error(id.clone(), error);
        let inner = frame.get("error").map(|inner| inner.to_string().len()).unwrap_or_default();
        let bytes = Bytes::from(frame.to_bytes());
        let end = bytes.len() - 1;
        Self { bytes, inner: end - inner..end, code: Some(code) }
    }

    /// The result or the error alone.
    pub(super) fn answer(&self) -> Bytes {
        self.bytes.slice(self.inner.clone())
    }

    /// The same answer to another request.
    pub(super) fn with_id(&self, id: &Json) -> Bytes {
        let member = if self.code.is_some() { "error" } else { "result" };
        let mut bytes = format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"{member}\":").into_bytes();
        bytes.extend_from_slice(&self.answer());
        bytes.push(b'}');
        bytes.into()
    }
}

impl Dress<'_> {
    fn put_head(&self, bytes: &mut BytesMut) {
        let server = if self.era == Era::Modern { self.server } else { "" };
        if !server.is_empty() || self.receipt.is_some() {
            bytes.put_slice(b"\"_meta\":{");
            bytes.put_slice(server.as_bytes());
            if let Some(receipt) = self.receipt {
                let comma = if server.is_empty() { "" } else { "," };
                bytes.put_slice(format!("{comma}\"{RECEIPT}\":\"{receipt}\"").as_bytes());
            }
            bytes.put_slice(b"},");
        }
        if self.era == Era::Modern {
            bytes.put_slice(b"\"resultType\":\"");
            bytes.put_slice(self.kind.as_bytes());
            bytes.put_slice(b"\",");
        }
    }
}

/// The same result, blown up to about that many bytes by one more block of text.
pub(super) fn oversized(rendered: &Rendered, size: usize) -> Rendered {
    const START: &[u8] = b"\"content\":[";
    let members = &rendered.members;
    let padding = "x".repeat(size.saturating_sub(members.len()));
    let rest = members.strip_prefix(START).unwrap_or(members);
    let comma = if rest.starts_with(b"]") { "" } else { "," };
    let mut blown = START.to_vec();
    blown.extend_from_slice(format!("{{\"type\":\"text\",\"text\":\"{padding}\"}}{comma}").as_bytes());
    blown.extend_from_slice(rest);
    Rendered { members: blown.into(), is_error: rendered.is_error }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::parse;
    use serde_json::json;

    fn dress(era: Era, receipt: Option<&str>) -> Dress<'_> {
        Dress { era, server: "\"s\":{}", receipt, kind: "complete", tail: "" }
    }

    fn text(frame: &Frame) -> &str {
        std::str::from_utf8(&frame.bytes).unwrap()
    }

    #[test]
    fn a_result_is_dressed_for_its_era() {
        let id = Json::from("a\"b");
        let plain = Frame::result(&id, b"\"isError\":false", dress(Era::Legacy, None));
        assert_eq!(text(&plain), r#"{"jsonrpc":"2.0","id":"a\"b","result":{"isError":false}}"#);
        assert_eq!(plain.answer(), r#"{"isError":false}"#);
        let stamped = Frame::result(&id, b"\"isError\":false", dress(Era::Legacy, Some("r-1")));
        assert_eq!(stamped.answer(), r#"{"_meta":{"dev.gauntlet/receipt":"r-1"},"isError":false}"#);
        let modern = Frame::result(
            &id,
            b"\"isError\":false",
            Dress { tail: ",\"ttlMs\":0", ..dress(Era::Modern, Some("r-1")) },
        );
        assert_eq!(
            modern.answer(),
            r#"{"_meta":{"s":{},"dev.gauntlet/receipt":"r-1"},"resultType":"complete","isError":false,"ttlMs":0}"#
        );
        assert_eq!(
            Frame::result(&id, b"", dress(Era::Modern, None)).answer(),
            r#"{"_meta":{"s":{}},"resultType":"complete"}"#
        );
        assert_eq!(Frame::result(&id, b"", dress(Era::Legacy, None)).answer(), "{}");
    }

    #[test]
    fn an_error_knows_its_place_and_code() {
        let frame = Frame::error(&Json::from(7), RpcError::new(-32602, "no").with(json!({"a": 1})));
        assert_eq!(frame.answer(), r#"{"code":-32602,"message":"no","data":{"a":1}}"#);
        assert_eq!(frame.code, Some(-32602));
        assert_eq!(
            frame.with_id(&Json::from(8)),
            r#"{"jsonrpc":"2.0","id":8,"error":{"code":-32602,"message":"no","data":{"a":1}}}"#
        );
    }

    #[test]
    fn an_oversized_result_is_still_a_result() {
        for content in [json!([]), json!([{"type": "text", "text": "a"}])] {
            let blown = oversized(&Rendered::of(&content.to_string(), None, false), 5000);
            let whole =
                parse(format!("{{{}}}", std::str::from_utf8(&blown.members).unwrap()).as_bytes()).unwrap();
            assert!(blown.members.len() >= 5000);
            assert_eq!(
                whole.get("content").unwrap().as_array().unwrap().len(),
                content.as_array().unwrap().len() + 1
            );
        }
    }
}
