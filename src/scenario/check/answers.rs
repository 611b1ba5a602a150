//! Whether the answers that a scenario gives to its mocks are answers: read and compiled as they will be, so that no run
//! finds out.

use super::Checking;
use crate::diagnostic::{Diagnostic, did_you_mean, listed};
use crate::mock::{Answer, Mock};
use crate::source::{Node, Placed, Spot, Value as Written};
use serde_json::Value;

/// What `when` knows beside the arguments.
const BESIDE_ARGUMENTS: [&str; 3] = ["nth", "identity", "if"];

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
                answers.iter().flat_map(|answer| complaints(checking, (known, tool), answer)).collect();
            checking.told.extend(complaints);
        }
    }
}

fn complaints(
    checking: &Checking<'_>,
    (mock, tool): (Option<&Mock>, &str),
    written: &Placed<Value>,
) -> Vec<Diagnostic> {
    let answer: Answer = match serde_json::from_value(planted(&written.value, &|text| checking.marked(text)))
    {
        Ok(answer) => answer,
        Err(error) => {
            let message = error.to_string();
            let node = checking.root.as_ref().and_then(|root| at(root, written.spot));
            let spot = node.map_or(written.spot, |node| node.blamed(&message));
            return vec![Diagnostic::worded(spot, &message)];
        }
    };
    let Some(mock) = mock else { return Vec::new() };
    let mut told = strange_arguments(&answer, mock.entry(tool), written.spot);
    if let Err(wrong) = mock.with_answers(tool, vec![answer]) {
        // There is only one, and its place is shown.
        let wrong = wrong.to_string().replacen(&format!("`{tool}`: added answer 1: "), "", 1);
        told.push(Diagnostic::mistake(written.spot, wrong));
    }
    told
}

/// Conditions on arguments that the tool does not have: no honest call meets them.
fn strange_arguments(answer: &Answer, entry: Option<&Value>, spot: Spot) -> Vec<Diagnostic> {
    let properties = entry.and_then(|entry| entry.pointer("/inputSchema/properties")?.as_object());
    let known: Vec<&str> = properties.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    let asked = answer.when.keys().filter(|name| !BESIDE_ARGUMENTS.contains(&name.as_str()));
    let strange = asked.filter(|name| !known.contains(&name.as_str()));
    let complaint = |name: &String| {
        let what = format!(
            "the tool has no argument `{name}`: this answer is given to nobody who calls it as it is"
        );
        let help = match did_you_mean(name, known.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!(
                "known are {}; what is not an argument is asked for with `if: \"{{{{ ... }}}}\"`",
                listed(known.iter().copied().chain(BESIDE_ARGUMENTS))
            ),
        };
        Diagnostic::warning(spot, what).help(help)
    };
    strange.map(complaint).collect()
}

impl Checking<'_> {
    /// A text with every canary and every decoy's address in it; all other expressions are the mock's.
    fn marked(&self, text: &str) -> String {
        let decoys = self.scenario.decoys.iter().map(|decoy| &decoy.value);
        let names = self.scenario.canaries.keys().chain(decoys);
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
