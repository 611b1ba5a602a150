//! The outcome as a JSON document, version [`crate::run::outcome::VERSION`].

use crate::run::outcome::Outcome;

/// The document, indented, with a line feed at its end.
pub fn json(outcome: &Outcome) -> String {
    let mut text = serde_json::to_string_pretty(outcome).expect("an outcome is plain data");
    text.push('\n');
    text
}
