//! What may go wrong with an answer on its way out, on purpose.
//!
//! A fault says only *what* goes wrong; how that looks on HTTP and on lines is `delivery`'s and `http`'s.

use crate::source::Size;
use flate2::Compression;
use flate2::write::GzEncoder;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write as _;

/// One way of answering badly. The tool has run all the same, except for `http`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// No answer, and the connection stays open.
    Hang,
    /// The connection closes without an answer.
    Drop,
    /// The server dies: the connection breaks and every session is forgotten.
    Crash,
    /// Bytes that are no JSON.
    Garbage,
    /// Half of the answer, then the connection breaks.
    Truncate,
    /// The answer to a request that nobody made.
    WrongId,
    /// The answer, two times.
    Twice,
    /// The answer, blown up to this size.
    Oversize(Size),
    /// The answer in several lines, as no transport may have it that sends one line for each frame.
    Lines,
    /// The answer packed with gzip, where the client says that it takes that.
    Packed,
    /// An HTTP answer that is none of MCP's.
    Http(HttpFault),
}

/// An HTTP answer, exactly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpFault {
    /// The status code.
    pub status: u16,
    /// Its headers.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub headers: IndexMap<String, String>,
    /// Its body.
    #[serde(default)]
    pub body: String,
}

impl Fault {
    /// Whether it needs an answer that it can spoil.
    pub(super) fn spoils(&self) -> bool {
        !matches!(self, Self::Hang | Self::Drop | Self::Crash | Self::Garbage | Self::Http(_))
    }

    /// Whether the tool runs before it goes wrong.
    pub(super) fn runs(&self) -> bool {
        !matches!(self, Self::Http(_))
    }
}

/// The same JSON in several lines, ended as some systems end them.
pub(super) fn spread(frame: &[u8]) -> Vec<u8> {
    let (mut lines, mut within, mut escaped) = (Vec::with_capacity(frame.len() * 2), false, false);
    for byte in frame {
        lines.push(*byte);
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = within,
            b'"' => within = !within,
            b'{' | b'[' | b',' | b':' if !within => lines.extend_from_slice(b"\r\n  "),
            _ => {}
        }
    }
    lines
}

/// The bytes as gzip has them.
pub(super) fn packed(frame: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(frame).and_then(|()| packer.finish()).expect("memory takes every byte")
}

/// Bytes that no JSON reader takes, however careless.
pub(super) const GARBAGE: &[u8] = b"}{ this is not json \x01\xff";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::parse;

    #[test]
    fn several_lines_are_the_same_frame() {
        let frame = br#"{"a":"x, {\"y\": [1]\\","b":[1,{"c":null}]}"#;
        let lines = spread(frame);
        assert!(lines.windows(2).filter(|pair| pair == b"\r\n").count() > 5);
        assert_eq!(parse(&lines).unwrap(), parse(frame).unwrap());
    }
}
