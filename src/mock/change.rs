//! A change of a server's tool list while it runs: an entry that reads differently, a tool that appears or goes.

use super::answer::Answer;
use serde_json::{Map, Value};

/// What becomes of the list, when, and whether anybody is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// What becomes of which tool.
    pub what: Changed,
    /// Whether clients get `notifications/tools/list_changed`.
    pub notify: bool,
    /// What the server has to see first; `None` is at once.
    pub after: Option<After>,
}

/// What becomes of which tool.
#[derive(Clone, Debug, PartialEq)]
pub enum Changed {
    /// These members of its entry are replaced; a member that is null goes.
    Tool(String, Map<String, Value>),
    /// It appears, with this entry (`inputSchema` defaults to one without parameters) and these answers.
    Add(String, Map<String, Value>, Vec<Answer>),
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

impl Change {
    /// A change that happens at once and that nobody is told of.
    pub fn silent(what: Changed) -> Self {
        Self { what, notify: false, after: None }
    }

    /// A change that happens at once and that clients are told of.
    pub fn told(what: Changed) -> Self {
        Self { what, notify: true, after: None }
    }
}
