//! Answers as bytes: a frame is put together from pieces that were rendered before, never from a tree. Long ones are
//! shared by all frames that have them: neither an answer on its way out nor the ledger copies them.

use super::convention::Rendered;
use crate::wire::{Era, Json, RpcError, rpc};
use bytes::{BufMut as _, Bytes, BytesMut};

/// The member of `_meta` that ties an answer to its arrival.
pub const RECEIPT: &str = "dev.gauntlet/receipt";

/// Members up to this length are copied into their frame: one buffer is sooner sent than three.
const SHORT: usize = 512;

/// A whole frame in three pieces, and where in it the result or the error stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Frame {
    /// In order; all but the first may be empty. The middle one is shared with whoever else says the same.
    pieces: [Bytes; 3],
    /// Where in the first piece the result or the error begins; it ends before the last byte of all.
    start: usize,
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
    /// What stands in its `_meta` besides, without the braces.
    pub(super) meta: &'a str,
    /// The modern era's `resultType`.
    pub(super) kind: &'a str,
    /// Members behind the result's own, each with a comma before it.
    pub(super) tail: &'a str,
}

impl Frame {
    /// A response whose result has these members.
    pub(super) fn result(id: &Json, members: &Bytes, dress: Dress<'_>) -> Self {
        let id = id.to_string();
        let copied = if members.len() <= SHORT { members.len() } else { 0 };
        let mut bytes =
            BytesMut::with_capacity(copied + id.len() + dress.server.len() + dress.tail.len() + 160);
        bytes.put_slice(b"{\"jsonrpc\":\"2.0\",\"id\":");
        bytes.put_slice(id.as_bytes());
        bytes.put_slice(b",\"result\":");
        let start = bytes.len();
        bytes.put_u8(b'{');
        dress.put_head(&mut bytes);
        bytes.put_slice(&members[..copied]);
        if bytes.ends_with(b",") && members.is_empty() {
            bytes.truncate(bytes.len() - 1);
        }
        let head = bytes.len();
        bytes.put_slice(dress.tail.as_bytes());
        bytes.put_slice(b"}}");
        let mut bytes = bytes.freeze();
        let pieces = if copied == members.len() {
            [bytes, Bytes::new(), Bytes::new()]
        } else {
            [bytes.split_to(head), members.clone(), bytes]
        };
        Self { pieces, start, code: None }
    }

    /// An error response.
    pub(super) fn error(id: &Json, error: RpcError) -> Self {
        let code = error.code;
        let frame = rpc::error(id.clone(), error);
        let inner = frame.get("error").map(|inner| inner.to_string().len()).unwrap_or_default();
        let bytes = Bytes::from(frame.to_bytes());
        let start = bytes.len() - 1 - inner;
        Self { pieces: [bytes, Bytes::new(), Bytes::new()], start, code: Some(code) }
    }

    /// All of it.
    pub(super) fn whole(&self) -> Bytes {
        whole(&self.pieces)
    }

    /// All of it, as pieces that follow one another.
    pub(super) fn into_pieces(self) -> [Bytes; 3] {
        self.pieces
    }

    /// The result or the error alone.
    pub(super) fn answer(&self) -> Answered {
        let mut pieces = self.pieces.clone();
        pieces[0] = pieces[0].slice(self.start..);
        if let Some(last) = pieces.iter_mut().rfind(|piece| !piece.is_empty()) {
            last.truncate(last.len() - 1);
        }
        Answered(pieces)
    }

    /// The same answer to another request.
    pub(super) fn with_id(&self, id: &Json) -> Bytes {
        let member = if self.code.is_some() { "error" } else { "result" };
        let mut bytes = format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"{member}\":").into_bytes();
        bytes.extend_from_slice(&self.answer().whole());
        bytes.push(b'}');
        bytes.into()
    }
}

/// What a call was answered: a result or an error, in pieces; nothing at all where a fault left nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Answered([Bytes; 3]);

impl Answered {
    /// All of it.
    pub(super) fn whole(&self) -> Bytes {
        whole(&self.0)
    }
}

/// The members of an object, as they stand between its braces.
pub(super) fn members(object: &serde_json::Value) -> Bytes {
    let text = Bytes::from(object.to_string());
    text.slice(1..text.len() - 1)
}

fn whole(pieces: &[Bytes; 3]) -> Bytes {
    match pieces {
        [only, middle, last] if middle.is_empty() && last.is_empty() => only.clone(),
        pieces => pieces.concat().into(),
    }
}

impl Dress<'_> {
    fn put_head(&self, bytes: &mut BytesMut) {
        let server = if self.era == Era::Modern { self.server } else { "" };
        if !server.is_empty() || self.receipt.is_some() || !self.meta.is_empty() {
            bytes.put_slice(b"\"_meta\":{");
            bytes.put_slice(server.as_bytes());
            if let Some(receipt) = self.receipt {
                let comma = if server.is_empty() { "" } else { "," };
                bytes.put_slice(format!("{comma}\"{RECEIPT}\":\"{receipt}\"").as_bytes());
            }
            if !self.meta.is_empty() && !bytes.ends_with(b"{") {
                bytes.put_u8(b',');
            }
            bytes.put_slice(self.meta.as_bytes());
            bytes.put_slice(b"},");
        }
        if self.era == Era::Modern {
            bytes.put_slice(b"\"resultType\":\"");
            bytes.put_slice(self.kind.as_bytes());
            bytes.put_slice(b"\",");
        }
    }
}

/// The same result, blown up to about that many bytes by one more block of text, or one more member.
pub(super) fn oversized(rendered: &Rendered, size: usize) -> Rendered {
    const START: &[u8] = b"\"content\":[";
    let members = &rendered.members;
    if !members.starts_with(START) {
        let padding = "x".repeat(size.saturating_sub(members.len()));
        let blown = [format!("\"padding\":\"{padding}\",").as_bytes(), members].concat();
        return Rendered { members: blown.into(), ..rendered.clone() };
    }
    let padding = "x".repeat(size.saturating_sub(members.len()));
    let rest = members.strip_prefix(START).unwrap_or(members);
    let comma = if rest.starts_with(b"]") { "" } else { "," };
    let mut blown = START.to_vec();
    blown.extend_from_slice(format!("{{\"type\":\"text\",\"text\":\"{padding}\"}}{comma}").as_bytes());
    blown.extend_from_slice(rest);
    Rendered { members: blown.into(), ..rendered.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::parse;
    use serde_json::json;

    fn dress(era: Era, receipt: Option<&str>) -> Dress<'_> {
        Dress { era, server: "\"s\":{}", receipt, meta: "", kind: "complete", tail: "" }
    }

    fn result(id: &Json, members: &'static str, dress: Dress<'_>) -> Frame {
        Frame::result(id, &Bytes::from_static(members.as_bytes()), dress)
    }

    #[test]
    fn a_result_is_dressed_for_its_era() {
        let id = Json::from("a\"b");
        let plain = result(&id, r#""isError":false"#, dress(Era::Legacy, None));
        assert_eq!(plain.whole(), r#"{"jsonrpc":"2.0","id":"a\"b","result":{"isError":false}}"#);
        assert_eq!(plain.answer().whole(), r#"{"isError":false}"#);
        let stamped = result(&id, r#""isError":false"#, dress(Era::Legacy, Some("r-1")));
        assert_eq!(stamped.answer().whole(), r#"{"_meta":{"dev.gauntlet/receipt":"r-1"},"isError":false}"#);
        let tailed = Dress { tail: ",\"ttlMs\":0", ..dress(Era::Modern, Some("r-1")) };
        assert_eq!(
            result(&id, r#""isError":false"#, tailed).answer().whole(),
            r#"{"_meta":{"s":{},"dev.gauntlet/receipt":"r-1"},"resultType":"complete","isError":false,"ttlMs":0}"#
        );
        assert_eq!(
            result(&id, "", dress(Era::Modern, None)).answer().whole(),
            r#"{"_meta":{"s":{}},"resultType":"complete"}"#
        );
        assert_eq!(result(&id, "", dress(Era::Legacy, None)).answer().whole(), "{}");
        for (receipt, meta) in [(None, r#""a":1"#), (Some("r-1"), r#""dev.gauntlet/receipt":"r-1","a":1"#)] {
            let noted = Dress { meta: "\"a\":1", ..dress(Era::Legacy, receipt) };
            assert_eq!(
                result(&id, "\"b\":2", noted).answer().whole(),
                format!(r#"{{"_meta":{{{meta}}},"b":2}}"#)
            );
        }
    }

    #[test]
    fn what_is_long_is_shared_and_reads_the_same() {
        let id = Json::from(1);
        let members = |text: &str| Bytes::from(format!("\"a\":\"{text}\""));
        let framed = |members: &Bytes| {
            Frame::result(&id, members, Dress { tail: ",\"b\":1", ..dress(Era::Legacy, Some("r-1")) })
        };
        let (short, long) = (members("x"), members(&"x".repeat(SHORT)));
        for members in [&short, &long] {
            let text = std::str::from_utf8(members).unwrap();
            let answer = format!(r#"{{"_meta":{{"dev.gauntlet/receipt":"r-1"}},{text},"b":1}}"#);
            assert_eq!(framed(members).answer().whole(), answer);
            let whole = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{answer}}}"#);
            assert_eq!(framed(members).whole(), whole);
            assert_eq!(framed(members).into_pieces().concat(), whole.as_bytes());
        }
        assert_eq!(framed(&long).into_pieces()[1].as_ptr(), long.as_ptr());
        let other = framed(&long).with_id(&Json::from(2));
        assert_eq!(other[..24], *b"{\"jsonrpc\":\"2.0\",\"id\":2,");
        assert_eq!(other[24..], framed(&long).whole()[24..]);
    }

    #[test]
    fn an_error_knows_its_place_and_code() {
        let frame = Frame::error(&Json::from(7), RpcError::new(-32602, "no").with(json!({"a": 1})));
        assert_eq!(frame.answer().whole(), r#"{"code":-32602,"message":"no","data":{"a":1}}"#);
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
        let blown = oversized(&Rendered::member("messages", "[]"), 5000);
        let whole = format!("{{{}}}", std::str::from_utf8(&blown.members).unwrap());
        assert!(whole.len() >= 5000);
        assert_eq!(parse(whole.as_bytes()).unwrap().get("messages").unwrap().to_string(), "[]");
    }
}
