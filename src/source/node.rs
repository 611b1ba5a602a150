//! YAML as a tree in which every value and every key knows its place.

use super::spot::{Placed, Spot};
use crate::wire::{Json, Number, Object};

/// A value and where it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// What was written.
    pub value: Value,
    /// Where.
    pub spot: Spot,
}

/// What can be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `null`, `~`, or nothing at all.
    Null,
    /// `true` or `false`, and no other word.
    Bool(bool),
    /// A number, in its own spelling where JSON has that spelling too.
    Number(Number),
    /// A text.
    Text(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, its entries in order.
    Map(Vec<(Placed<String>, Node)>),
}

impl Node {
    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        if let Value::Text(text) = &self.value { Some(text) } else { None }
    }

    /// The elements, if it is a sequence.
    pub fn list(&self) -> Option<&[Node]> {
        if let Value::List(elements) = &self.value { Some(elements) } else { None }
    }

    /// The entries, if it is a mapping.
    pub fn map(&self) -> Option<&[(Placed<String>, Node)]> {
        if let Value::Map(entries) = &self.value { Some(entries) } else { None }
    }

    /// The value under that key, if it is a mapping that has one.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.map()?.iter().find(|(name, _)| name.value == key).map(|(_, node)| node)
    }

    /// The place that a deserializer's complaint about this node means: the member that it does not know, wherever that
    /// stands; else all of it.
    pub fn blamed(&self, complaint: &str) -> Spot {
        let name = complaint.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next());
        name.and_then(|name| self.member(name)).unwrap_or(self.spot)
    }

    /// Where a member of that name stands, here or below.
    fn member(&self, name: &str) -> Option<Spot> {
        let below = match &self.value {
            Value::Map(entries) => {
                let own = entries.iter().find(|(key, _)| key.value == name).map(|(key, _)| key.spot);
                return own.or_else(|| entries.iter().find_map(|(_, node)| node.member(name)));
            }
            Value::List(elements) => elements,
            _ => return None,
        };
        below.iter().find_map(|node| node.member(name))
    }

    /// The node at a JSON pointer, or the nearest one above it: where a complaint about that pointer belongs.
    pub fn nearest(&self, pointer: &str) -> &Node {
        let tokens = pointer.strip_prefix('/').map(|rest| rest.split('/')).into_iter().flatten();
        let mut nearest = self;
        for token in tokens {
            let token = token.replace("~1", "/").replace("~0", "~");
            let below = match &nearest.value {
                Value::List(elements) => token.parse::<usize>().ok().and_then(|index| elements.get(index)),
                _ => nearest.get(&token),
            };
            match below {
                Some(node) => nearest = node,
                None => break,
            }
        }
        nearest
    }

    /// Where the key at a JSON pointer stands; where there is none, the node nearest to it.
    pub fn key(&self, pointer: &str) -> Spot {
        let (above, name) = pointer.rsplit_once('/').unwrap_or((pointer, ""));
        let name = name.replace("~1", "/").replace("~0", "~");
        let entries = self.nearest(above).map().unwrap_or_default();
        entries
            .iter()
            .find(|(key, _)| key.value == name)
            .map_or(self.nearest(pointer).spot, |(key, _)| key.spot)
    }

    /// The words a person uses for what this is, for complaints.
    pub fn noun(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }
}

impl From<&Node> for Json {
    fn from(node: &Node) -> Self {
        match &node.value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => Self::Number(number.clone()),
            Value::Text(text) => Self::String(text.clone()),
            Value::List(elements) => Self::Array(elements.iter().map(Self::from).collect()),
            Value::Map(entries) => Self::Object(Object(
                entries.iter().map(|(name, node)| (name.value.clone(), Self::from(node))).collect(),
            )),
        }
    }
}

impl From<&Node> for serde_json::Value {
    fn from(node: &Node) -> Self {
        Self::from(&Json::from(node))
    }
}
