//! The outcome as a JSON document, version [`crate::run::outcome::VERSION`].

use crate::diagnostic::hides;
use crate::run::outcome::Outcome;
use serde::Serialize;
use std::fmt::Write as _;

/// The document, indented, with a line feed at its end.
pub fn json(outcome: &Outcome) -> String {
    escaped(outcome)
}

/// Plain data as JSON, indented, in which nothing hides.
pub(super) fn escaped(value: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(value).expect("plain data");
    let mut escaped = String::with_capacity(text.len() + 1);
    // Strings of servers and gateways stand here whole; on a terminal they must not do more than be read. Outside of
    // strings there is nothing to escape.
    for character in text.chars() {
        if character == '\n' || !hides(character) {
            escaped.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            let _ = write!(escaped, "\\u{unit:04x}");
        }
    }
    escaped.push('\n');
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::testing::outcome;

    #[test]
    fn what_hides_is_escaped_and_means_the_same() {
        let name = "\u{1b}[2J \u{9b}31m \u{202e} \u{e0041} \"é\"";
        let text = json(&outcome(&[name], Vec::new()));
        assert!(!text.chars().any(|character| character != '\n' && hides(character)), "{text}");
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["gateways"][0]["name"], name);
    }
}
