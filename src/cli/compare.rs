//! `gauntlet compare`: what changed between two runs.

use super::{Exit, Surroundings, print, say};
use crate::change::{Changes, Document, compare as changes};
use crate::report::changes as report;
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  gauntlet run --json new.json
  gauntlet compare old.json new.json                     what got worse, what better
  gauntlet compare old.json new.json --format markdown   for the summary of a pull request
  gauntlet run --since old.json                          both at once

The old outcome may be of another gateway: where each run has one, those two are compared.

Exit codes: 0 nothing got worse, 1 something did, 2 a file is no outcome.";

/// Shows what changed between two runs, as behaviour.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Compare {
    /// The outcome of the run before: what `gauntlet run --json` wrote
    #[arg(value_name = "OLD")]
    pub old: PathBuf,
    /// The outcome of the run after
    #[arg(value_name = "NEW")]
    pub new: PathBuf,
    /// What is printed
    #[arg(long, value_enum, default_value = "human")]
    pub format: Form,
}

/// The form of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// For people
    Human,
    /// As JSON
    Json,
    /// As Markdown
    Markdown,
}

/// Compares, prints, and says how it went.
pub(super) fn compare(arguments: &Compare, surroundings: &Surroundings) -> Exit {
    let documents = read(&arguments.old).and_then(|old| Ok((old, read(&arguments.new)?)));
    let changes = match documents {
        Ok((old, new)) => changes(&old, &new),
        Err(exit) => return exit,
    };
    print(&match arguments.format {
        Form::Human => report::human(&changes, surroundings.colour()),
        Form::Json => report::json(&changes),
        Form::Markdown => report::markdown(&changes),
    });
    exit(&changes)
}

/// Reads an outcome.
pub(super) fn read(file: &Path) -> Result<Document, Exit> {
    let complain = |why: String| {
        say(&format!("`{}` {why}", file.display()));
        Exit::Mistake
    };
    let text = std::fs::read_to_string(file).map_err(|error| complain(format!("cannot be read: {error}")))?;
    Document::read(&text).map_err(|error| complain(error.to_string()))
}

/// What a change comes to.
pub(super) fn exit(changes: &Changes) -> Exit {
    if changes.got_worse() { Exit::Unmet } else { Exit::Clean }
}
