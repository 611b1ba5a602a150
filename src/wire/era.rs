//! The dated revisions of the Model Context Protocol, and the two ways of talking that they fall into.

use std::fmt;
use std::str::FromStr;

/// Two ways of talking: sessions opened by `initialize`, or requests that each carry all that is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Era {
    /// 2024-11-05 to 2025-11-25.
    Legacy,
    /// 2026-07-28.
    Modern,
}

/// A dated revision of the specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Revision {
    /// The first.
    V2024_11_05,
    /// The one with batches.
    V2025_03_26,
    /// `MCP-Protocol-Version` from here on.
    V2025_06_18,
    /// The last with sessions.
    V2025_11_25,
    /// Without sessions.
    V2026_07_28,
}

impl Revision {
    /// Oldest first.
    pub const ALL: [Self; 5] =
        [Self::V2024_11_05, Self::V2025_03_26, Self::V2025_06_18, Self::V2025_11_25, Self::V2026_07_28];

    /// The newest of the legacy era.
    pub const NEWEST_LEGACY: Self = Self::V2025_11_25;

    /// The date, as on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V2024_11_05 => "2024-11-05",
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
            Self::V2026_07_28 => "2026-07-28",
        }
    }

    /// The way of talking it belongs to.
    pub fn era(self) -> Era {
        if self == Self::V2026_07_28 { Era::Modern } else { Era::Legacy }
    }

    /// Whether a client says the revision in a header of each request after `initialize`.
    pub fn has_version_header(self) -> bool {
        self >= Self::V2025_06_18
    }

    /// Whether a frame may be an array of frames.
    pub fn has_batches(self) -> bool {
        self == Self::V2025_03_26
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl FromStr for Revision {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|revision| revision.as_str() == text).ok_or(())
    }
}

impl fmt::Display for Era {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Legacy => "legacy",
            Self::Modern => "modern",
        })
    }
}

/// Names of headers, lower case as HTTP libraries keep them.
pub mod header {
    /// The session of the legacy era.
    pub const SESSION: &str = "mcp-session-id";
    /// The revision of a request.
    pub const VERSION: &str = "mcp-protocol-version";
    /// Modern: the method, again.
    pub const METHOD: &str = "mcp-method";
    /// Modern: the tool, prompt or resource, again.
    pub const NAME: &str = "mcp-name";
}

/// Members of a modern request's `_meta`.
pub mod meta {
    /// The revision of a request; must agree with the header.
    pub const VERSION: &str = "io.modelcontextprotocol/protocolVersion";
    /// What the client can do.
    pub const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
    /// The least grave log message that the client wants to hear; without it, none.
    pub const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";
    /// Who the client says it is.
    pub const CLIENT: &str = "io.modelcontextprotocol/clientInfo";
}

/// Error codes of the modern era.
pub mod code {
    /// Header and body disagree.
    pub const HEADER_MISMATCH: i64 = -32020;
    /// A capability that the client did not offer is needed.
    pub const MISSING_CAPABILITY: i64 = -32021;
    /// A revision that is not spoken here; `data.supported` lists those that are.
    pub const UNSUPPORTED_VERSION: i64 = -32022;
}
