//! Whether the answers that a scenario gives to its mocks are answers: read and compiled as they will be, so that no run
//! finds out.

use super::Checking;
use crate::diagnostic::Diagnostic;
use crate::mock::{Answer, Mock};
use crate::source::{Node, Placed, Spot, Value as Written};
use serde_json::Value;

/// What stands in place of a canary's marker, which is made anew for each run.
const MARKER: &str = "canary";

pub(super) fn check(checking: &mut Checking<'_>) {
    let scenario = checking.scenario;
    for upstream in scenario.upstreams.values() {
        // A mock that nobody knows is complained of elsewhere, as a tool that it does not have is.
        let mock = upstream.player();
        for (tool, answers) in &upstream.answers {
            let known = mock.as_ref().filter(|mock| mock.entry(tool).is_some());
            let complaints: Vec<Diagnostic> =
                answers.iter().filter_map(|answer| complaint(checking, (known, tool), answer)).collect();
            checking.told.extend(complaints);
        }
    }
}

fn complaint(
    checking: &Checking<'_>,
    (mock, tool): (Option<&Mock>, &str),
    written: &Placed<Value>,
) -> Option<Diagnostic> {
    let answer: Answer = match serde_json::from_value(planted(&written.value, &|text| checking.marked(text)))
    {
        Ok(answer) => answer,
        Err(error) => {
            let message = error.to_string();
            let node = checking.root.as_ref().and_then(|root| at(root, written.spot));
            let spot = node.map_or(written.spot, |node| node.blamed(&message));
            return Some(Diagnostic::worded(spot, &message));
        }
    };
    let wrong = mock?.with_answers(tool, vec![answer]).err()?.to_string();
    // There is only one, and its place is shown.
    let wrong = wrong.replacen(&format!("`{tool}`: added answer 1: "), "", 1);
    Some(Diagnostic::mistake(written.spot, wrong))
}

impl Checking<'_> {
    /// A text with every canary in it; all other expressions are the mock's.
    fn marked(&self, text: &str) -> String {
        let names = self.scenario.canaries.keys();
        names.fold(text.to_owned(), |text, name| text.replace(&format!("{{{{ {name} }}}}"), MARKER))
    }
}

fn planted(value: &Value, marked: &impl Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(marked(text)),
        Value::Array(elements) => elements.iter().map(|each| planted(each, marked)).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (marked(name), planted(value, marked))).collect()
        }
        other => other.clone(),
    }
}

/// The node that stands there.
fn at(node: &Node, spot: Spot) -> Option<&Node> {
    if node.spot == spot {
        return Some(node);
    }
    match &node.value {
        Written::Map(entries) => entries.iter().find_map(|(_, node)| at(node, spot)),
        Written::List(elements) => elements.iter().find_map(|node| at(node, spot)),
        _ => None,
    }
}
