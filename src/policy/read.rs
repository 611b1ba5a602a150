//! A document out of a text: every mistake at once, each with its place.

use super::document::Policy;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{self, Node, Spot, Value};
use crate::wire::Json;
use serde::de::IgnoredAny;

impl Policy {
    /// Reads the text of a policy file, named as it should be shown to people: JSON, or the same written as YAML.
    pub fn read(text: &str, file: &str) -> Result<Self, Diagnostics> {
        let told = |list| Diagnostics::new(file, text, list);
        if file.ends_with(".json")
            && let Err(error) = serde_json::from_str::<IgnoredAny>(text)
        {
            return Err(told(vec![Diagnostic::mistake(spot_of(&error, text), words_of(&error))]));
        }
        let node = match source::read(text) {
            Ok(node) => node,
            // JSON that no YAML reader takes, such as one indented with tabs: its mistakes have no better place.
            Err(_) if crate::wire::parse(text.as_bytes()).is_ok_and(|json| !json.repeats()) => {
                return Self::from_json(text)
                    .map_err(|error| told(vec![Diagnostic::mistake(Spot::default(), error.to_string())]));
            }
            Err(error) => return Err(Diagnostics::unreadable(file, text, error)),
        };
        let mut mistakes = Vec::new();
        let policy = Self::from_node(&node, &mut mistakes).filter(|_| mistakes.is_empty());
        policy.ok_or_else(|| told(mistakes))
    }

    /// Reads a document that stands within another file; what is wrong is complained about at its own place there.
    pub fn from_node(node: &Node, told: &mut Vec<Diagnostic>) -> Option<Self> {
        let mut written = Written::default();
        written.node(node);
        match serde_json::from_str::<Self>(&written.text) {
            Ok(policy) => {
                for error in policy.check() {
                    told.push(Diagnostic::mistake(node.nearest(&error.path).spot, error.what));
                }
                Some(policy)
            }
            Err(error) => {
                told.push(Diagnostic::worded(written.spot(error.column()), &words_of(&error)));
                None
            }
        }
    }
}

/// The reader's words without its place.
fn words_of(error: &serde_json::Error) -> String {
    let message = error.to_string();
    message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message).to_owned()
}

/// The reader's place, as a place in the file.
fn spot_of(error: &serde_json::Error, text: &str) -> Spot {
    let (line, column) = (error.line().max(1), error.column().max(1));
    let before: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let start = (before + column - 1).min(text.len());
    let narrow = |wide: usize| u32::try_from(wide).unwrap_or_default();
    Spot { line: narrow(line), column: narrow(column), start, end: start + 1 }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(text: &str) -> String {
        Policy::read(text, "policy.json").unwrap_err().render(false)
    }

    #[test]
    fn a_document_is_read_however_it_is_indented() {
        let text = "{\"version\": \"1\", \"default\": \"deny\", \"tools\": {\"\\ud83d\\ude00\\/\": {}}}";
        for text in [text.to_owned(), text.replace(", ", ",\n\t\t"), text.replace(": ", ":")] {
            assert_eq!(
                Policy::read(&text, "policy.json").unwrap().tools.keys().next().unwrap(),
                "😀/",
                "{text}"
            );
        }
        assert!(Policy::read("{version: '1', default: deny}", "policy.yaml").is_ok());
    }

    #[test]
    fn what_is_no_json_is_told_at_its_place() {
        insta::assert_snapshot!(mistakes("{\n  \"version\": \"1\",\n  \"default\": \"deny\",\n}\n"), @"
        error: key must be a string
         --> policy.json:4:1
          |
        4 | }
          | ^
        ");
    }

    #[test]
    fn every_mistake_of_meaning_is_told_at_once() {
        let text = "{\n  \"version\": \"2\",\n  \"default\": \"deny\",\n  \"tools\": {\n    \"a\": {\"deny_if\": [{\"arg\": \"args.x\", \"op\": \"regex\", \"value\": \"(\"}]},\n    \"b\": {\"approval\": {\"timeout\": 0}}\n  }\n}\n";
        insta::assert_snapshot!(mistakes(text), @r#"
        error: version `2` is not known: known is `1`
         --> policy.json:2:14
          |
        2 |   "version": "2",
          |              ^^^

        error: the expression does not compile: error: unclosed group
         --> policy.json:5:23
          |
        5 |     "a": {"deny_if": [{"arg": "args.x", "op": "regex", "value": "("}]},
          |                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

        error: nobody can decide within 0 seconds
         --> policy.json:6:35
          |
        6 |     "b": {"approval": {"timeout": 0}}
          |                                   ^
        "#);
    }

    #[test]
    fn a_member_that_is_not_known_is_told_with_the_nearest_one() {
        let text = "{\"version\": \"1\", \"default\": \"deny\",\n \"tools\": {\"a\": {\"acton\": \"deny\"}}}";
        insta::assert_snapshot!(mistakes(text), @r#"
        error: unknown member `acton`
         --> policy.json:2:18
          |
        2 |  "tools": {"a": {"acton": "deny"}}}
          |                  ^^^^^^^
          |
          = help: did you mean `action`?
        "#);
    }

    #[test]
    fn a_tool_that_stands_twice_is_refused() {
        let text = "{\"version\": \"1\", \"default\": \"deny\", \"tools\": {\"a\": {\"action\": \"deny\"}, \"a\": {}}}";
        assert!(mistakes(text).contains("`a` stands in this mapping a second time"));
    }
}
