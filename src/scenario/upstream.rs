//! A server behind the gateway, as a scenario wants it.

use crate::mock::Mock;
use crate::source::{Placed, Spot};
use crate::wire::Object;
use indexmap::IndexMap;
use std::path::PathBuf;

/// A server behind the gateway: a mock, and what this scenario changes about it.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// Where it stands in the file.
    pub spot: Spot,
    /// The mock that plays it: the name of one that ships, or the path of a folder from where the scenario lies.
    pub mock: Placed<String>,
    /// The mock in that folder, once it was read.
    pub own: Option<Own>,
    /// Answers that are tried before the mock's own, by tool, in the mock's own format.
    pub answers: IndexMap<String, Vec<Placed<serde_json::Value>>>,
    /// How forgiving its parser is.
    pub reads: Reads,
    /// How many tools it lists on one page.
    pub page: Option<usize>,
    /// Changes of its list that happen by themselves.
    pub changes: Vec<Change>,
}

/// A mock of the user's own.
#[derive(Clone, Debug)]
pub struct Own {
    /// Its folder, whole.
    pub folder: PathBuf,
    /// What is in it.
    pub mock: Mock,
}

impl Upstream {
    /// Whether its mock is named by a folder: no mock that ships has such a name.
    pub fn names_a_folder(&self) -> bool {
        self.mock.value.contains(['/', '\\']) || self.mock.value.starts_with('.')
    }

    /// The mock that plays it, if there is one.
    pub fn player(&self) -> Option<Mock> {
        match &self.own {
            Some(own) => Some(own.mock.clone()),
            None => Mock::named(&self.mock.value),
        }
    }

    /// Whether both are played by the same mock.
    pub fn is_played_as(&self, other: &Self) -> bool {
        match (&self.own, &other.own) {
            (Some(own), Some(others)) => own.folder == others.folder,
            (None, None) => self.mock.value == other.mock.value,
            _ => false,
        }
    }
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
