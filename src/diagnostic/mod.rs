//! Complaints about places in files, how they are drawn, and foreign text made printable. The only room that names
//! the drawing crate.
//!
//! It does not know what is right: it is told what is wrong.

mod draw;
mod printable;
mod similar;

use crate::source::{Spot, Unreadable};

pub use printable::{hides, printable, printable_bytes, printable_lines, printable_within};
pub use similar::{did_you_mean, listed};

/// A complaint about a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Whether it stops anything.
    pub gravity: Gravity,
    /// Where; line 0 is the file as a whole.
    pub spot: Spot,
    /// What is wrong: a lowercase fragment, names in backticks.
    pub message: String,
    /// What to do: an imperative.
    pub help: Option<String>,
    /// Other places that matter, and why.
    pub also: Vec<(Spot, String)>,
}

/// Whether a complaint stops anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gravity {
    /// Worth a look.
    Warning,
    /// Has to be put right.
    Mistake,
}

impl Diagnostic {
    /// A mistake at that place.
    pub fn mistake(spot: Spot, message: impl Into<String>) -> Self {
        Self { gravity: Gravity::Mistake, spot, message: message.into(), help: None, also: Vec::new() }
    }

    /// A warning about that place.
    pub fn warning(spot: Spot, message: impl Into<String>) -> Self {
        Self { gravity: Gravity::Warning, ..Self::mistake(spot, message) }
    }

    /// With what to do about it.
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// With another place that matters.
    pub fn also(mut self, spot: Spot, why: impl Into<String>) -> Self {
        self.also.push((spot, why.into()));
        self
    }

    /// A word that is not known, with the nearest one that is, or all of them.
    pub fn unknown<'a>(spot: Spot, noun: &str, word: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        let complaint = Self::mistake(spot, format!("unknown {noun} `{word}`"));
        match did_you_mean(word, known.iter().copied()) {
            Some(meant) => complaint.help(format!("did you mean `{meant}`?")),
            None if known.is_empty() => complaint,
            None if known.len() == 1 => complaint.help(format!("the only one known is {}", listed(known))),
            None => complaint.help(format!("known are {}", listed(known))),
        }
    }

    /// A deserializer's complaint in our words: what is not known with what is, what is missing.
    pub fn worded(spot: Spot, message: &str) -> Self {
        let mut names = message.split('`').skip(1).step_by(2);
        let (noun, known) = match message {
            _ if message.starts_with("unknown field") => ("member", message.contains("expected")),
            _ if message.starts_with("unknown variant") => ("word", true),
            _ if message.starts_with("missing field") => {
                return Self::mistake(spot, format!("`{}` is missing", names.next().unwrap_or_default()));
            }
            _ => return Self::mistake(spot, message.to_owned()),
        };
        let unknown = names.next().unwrap_or_default();
        Self::unknown(spot, noun, unknown, names.filter(|_| known))
    }
}

/// All complaints about one file, with the text they point into.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics {
    /// The file, as it is shown to people.
    pub file: String,
    /// The file's text.
    pub text: String,
    /// The complaints, in the order of the file.
    pub list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// The complaints about a file, put in the order of the file.
    pub fn new(file: &str, text: &str, mut list: Vec<Diagnostic>) -> Self {
        list.sort_by_key(|diagnostic| diagnostic.spot.start);
        Self { file: file.to_owned(), text: text.to_owned(), list }
    }

    /// The one complaint about a file that is no YAML.
    pub fn unreadable(file: &str, text: &str, error: Unreadable) -> Self {
        let Unreadable { spot, message } = error;
        Self::new(file, text, vec![Diagnostic::worded(spot, &message)])
    }

    /// Whether any of them has to be put right.
    pub fn has_mistakes(&self) -> bool {
        self.list.iter().any(|diagnostic| diagnostic.gravity == Gravity::Mistake)
    }

    /// As people read them.
    pub fn render(&self, colour: bool) -> String {
        draw::draw(self, colour)
    }
}

impl std::fmt::Display for Diagnostics {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for diagnostic in &self.list {
            let Spot { line, column, .. } = diagnostic.spot;
            writeln!(out, "{}:{line}:{column}: {}", self.file, printable(&diagnostic.message))?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_points_into_the_file() {
        let text = "steps:\n  - call: destory_vm   # gone\n";
        let spot = Spot { line: 2, column: 11, start: 17, end: 27 };
        let complaint = Diagnostic::unknown(spot, "tool", "destory_vm", ["destroy_vm", "list_hosts"])
            .also(Spot { line: 1, column: 1, start: 0, end: 5 }, "of these");
        let told = Diagnostics::new("wrong.yaml", text, vec![complaint]);
        insta::assert_snapshot!(told.render(false), @r#"
        error: unknown tool `destory_vm`
         --> wrong.yaml:2:11
          |
        1 | steps:
          | ----- of these
        2 |   - call: destory_vm   # gone
          |           ^^^^^^^^^^
          |
          = help: did you mean `destroy_vm`?
        "#);
        assert_eq!(told.to_string(), "wrong.yaml:2:11: unknown tool `destory_vm`\n");
        assert!(told.render(true).contains("\u{1b}["));
    }

    #[test]
    fn any_place_can_be_drawn() {
        let text = "ä: \"\u{202e}\"\n";
        for start in 0..text.len() + 3 {
            for end in 0..text.len() + 3 {
                let told = Diagnostics::new(
                    "f",
                    text,
                    vec![Diagnostic::mistake(Spot { line: 1, column: 1, start, end }, "x\u{1b}")],
                );
                assert!(!told.render(false).contains(['\u{202e}', '\u{1b}']));
            }
        }
    }
}
