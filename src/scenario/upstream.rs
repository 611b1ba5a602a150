//! A server behind the gateway, as a scenario wants it.

use crate::source::{Placed, Spot};
use crate::wire::Object;
use indexmap::IndexMap;

/// A server behind the gateway: a mock, and what this scenario changes about it.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// Where it stands in the file.
    pub spot: Spot,
    /// The mock that plays it.
    pub mock: Placed<String>,
    /// Answers that are tried before the mock's own, by tool, in the mock's own format.
    pub answers: IndexMap<String, Vec<Placed<serde_json::Value>>>,
    /// How forgiving its parser is.
    pub reads: Reads,
    /// How many tools it lists on one page.
    pub page: Option<usize>,
    /// Changes of its list that happen by themselves.
    pub changes: Vec<Change>,
}

/// How forgiving a server's parser is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reads {
    /// As the protocol demands.
    #[default]
    Strictly,
    /// Batches, other cases, spaces around names: everything that some server somewhere takes.
    Leniently,
}

/// A change of a server's tool list.
#[derive(Clone, Debug)]
pub struct Change {
    /// Where it stands in the file.
    pub spot: Spot,
    /// The upstream; `None` where the scenario has only one, and under `upstreams`.
    pub upstream: Option<String>,
    /// What becomes of which tool.
    pub what: Changed,
    /// Members of the tool's entry that are replaced; for an added tool, its whole entry.
    pub fields: Object,
    /// Whether the server tells its clients.
    pub notify: bool,
    /// When it happens; `None` is at once.
    pub after: Option<After>,
}

/// What becomes of which tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// Its entry reads differently.
    Tool(String),
    /// It appears.
    Add(String),
    /// It is gone.
    Remove(String),
}

/// What a server has seen before it changes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// That many complete lists were handed out.
    Lists(u32),
    /// That many calls arrived.
    Calls(u32),
    /// That many sessions were opened.
    Sessions(u32),
}
