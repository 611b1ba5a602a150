//! The policy within a scenario: read by the policy room, complained about in the scenario's own places.

use super::Told;
use super::value::word;
use crate::diagnostic::Diagnostic;
use crate::policy::Policy;
use crate::scenario::policy::{PolicyText, Spoil};
use crate::source::{Node, Spot, Value};
use crate::wire::Json;

/// The ways to spoil a policy.
pub(in crate::scenario) const SPOILS: [(&str, Spoil); 3] =
    [("unknown_member", Spoil::UnknownMember), ("truncated", Spoil::Truncated), ("missing", Spoil::Missing)];

/// A policy document, perhaps with `spoiled` beside its own members.
pub(super) fn policy(node: &Node, told: &mut Told) -> Option<PolicyText> {
    let Value::Map(entries) = &node.value else {
        told.push(Diagnostic::mistake(node.spot, format!("a policy is a mapping, found {}", node.noun())));
        return None;
    };
    let spoiled = node.get("spoiled").map(|node| word(node, "way to spoil a policy", &SPOILS, told));
    let rest: Vec<_> = entries.iter().filter(|(key, _)| key.value != "spoiled").cloned().collect();
    // Nothing but a spoiled file: under a default of allow, whatever gets through got through because of it.
    let document = if rest.is_empty() && spoiled.is_some() {
        Policy::with_default(crate::policy::Posture::Allow)
    } else {
        document(&Node { value: Value::Map(rest), spot: node.spot }, told)?
    };
    Some(PolicyText { spot: node.spot, policy: document, spoiled: spoiled.flatten() })
}

fn document(node: &Node, told: &mut Told) -> Option<Policy> {
    let mut written = Written::default();
    written.node(node);
    match serde_json::from_str::<Policy>(&written.text) {
        Ok(policy) => {
            for error in policy.check() {
                told.push(Diagnostic::mistake(node.nearest(&error.path).spot, error.what));
            }
            Some(policy)
        }
        Err(error) => {
            told.push(worded(&error.to_string(), written.spot(error.column())));
            None
        }
    }
}

/// The deserializer's words in ours; its place is one in a text that nobody wrote.
fn worded(message: &str, spot: Spot) -> Diagnostic {
    let message = message.rsplit_once(" at line ").map_or(message, |(message, _)| message);
    let mut names = message.split('`').skip(1).step_by(2);
    let (noun, known) = match message {
        _ if message.starts_with("unknown field") => ("member", message.contains("expected")),
        _ if message.starts_with("unknown variant") => ("word", true),
        _ if message.starts_with("missing field") => {
            return Diagnostic::mistake(spot, format!("`{}` is missing", names.next().unwrap_or_default()));
        }
        _ => return Diagnostic::mistake(spot, message.to_owned()),
    };
    let unknown = names.next().unwrap_or_default();
    Diagnostic::unknown(spot, noun, unknown, names.filter(|_| known))
}

/// JSON on one line, and which stretch of it came from where.
#[derive(Default)]
struct Written {
    text: String,
    places: Vec<(usize, usize, Spot)>,
}

impl Written {
    /// Where that column (from 1) came from: the smallest stretch around it.
    fn spot(&self, column: usize) -> Spot {
        let at = column.saturating_sub(1);
        let around = self.places.iter().filter(|(start, end, _)| *start <= at && at <= *end);
        around.min_by_key(|(start, end, _)| end - start).map(|(_, _, spot)| *spot).unwrap_or_default()
    }

    fn put(&mut self, spot: Spot, write: impl FnOnce(&mut Self)) {
        let start = self.text.len();
        write(self);
        self.places.push((start, self.text.len(), spot));
    }

    fn node(&mut self, node: &Node) {
        self.put(node.spot, |this| match &node.value {
            Value::List(elements) => {
                this.text.push('[');
                for (index, element) in elements.iter().enumerate() {
                    this.text.push_str(if index > 0 { ", " } else { "" });
                    this.node(element);
                }
                this.text.push(']');
            }
            Value::Map(entries) => {
                this.text.push('{');
                for (index, (key, value)) in entries.iter().enumerate() {
                    this.text.push_str(if index > 0 { ", " } else { "" });
                    this.put(key.spot, |this| {
                        this.text.push_str(&Json::from(key.value.as_str()).to_string());
                    });
                    this.text.push_str(" : ");
                    this.node(value);
                }
                this.text.push_str(" }");
            }
            _ => this.text.push_str(&Json::from(node).to_string()),
        });
    }
}
