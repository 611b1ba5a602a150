//! What may go wrong with an answer on its way out, on purpose.
//!
//! A fault says only *what* goes wrong; how that looks on HTTP and on lines is `delivery`'s and `http`'s.

use super::quantity::Size;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
        matches!(self, Self::Truncate | Self::WrongId | Self::Twice | Self::Oversize(_))
    }

    /// Whether the tool runs before it goes wrong.
    pub(super) fn runs(&self) -> bool {
        !matches!(self, Self::Http(_))
    }
}

/// Bytes that no JSON reader takes, however careless.
pub(super) const GARBAGE: &[u8] = b"}{ this is not json \x01\xff";
