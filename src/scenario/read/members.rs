//! The members of a mapping, taken one by one; what nobody took is a mistake.

use super::Told;
use crate::diagnostic::Diagnostic;
use crate::source::{Node, Placed, Spot, Value};

/// A mapping that is being read.
pub(super) struct Members<'a> {
    noun: &'static str,
    spot: Spot,
    entries: &'a [(Placed<String>, Node)],
    known: Vec<&'static str>,
}

impl<'a> Members<'a> {
    /// The members of a mapping, or a complaint that it is none. The noun goes with an article: `a call`.
    pub(super) fn of(node: &'a Node, noun: &'static str, told: &mut Told) -> Option<Self> {
        match &node.value {
            Value::Map(entries) => Some(Self { noun, spot: node.spot, entries, known: Vec::new() }),
            _ => {
                told.push(Diagnostic::mistake(
                    node.spot,
                    format!("{noun} is a mapping, found {}", node.noun()),
                ));
                None
            }
        }
    }

    /// Where the mapping stands.
    pub(super) fn spot(&self) -> Spot {
        self.spot
    }

    /// The member of that name, from now on a known one.
    pub(super) fn take(&mut self, name: &'static str) -> Option<&'a Node> {
        self.known.push(name);
        self.entries.iter().find(|(key, _)| key.value == name).map(|(_, node)| node)
    }

    /// The member of that name, or a complaint that it is missing.
    pub(super) fn need(&mut self, name: &'static str, told: &mut Told) -> Option<&'a Node> {
        let node = self.take(name);
        if node.is_none() {
            told.push(Diagnostic::mistake(self.head(), format!("{} needs `{name}`", self.noun)));
        }
        node
    }

    /// Complains about every member that nobody took.
    pub(super) fn end(self, told: &mut Told) {
        for (key, _) in self.entries {
            if !self.known.contains(&key.value.as_str()) {
                let mut complaint =
                    Diagnostic::unknown(key.spot, "member", &key.value, self.known.iter().copied());
                complaint.message.push_str(&format!(" of {}", self.noun));
                told.push(complaint);
            }
        }
    }

    /// The first key: what a complaint about the whole points at.
    fn head(&self) -> Spot {
        self.entries.first().map_or(self.spot, |(key, _)| key.spot)
    }
}
