//! The command line: one file a verb. It reads arguments, calls the rooms, prints, and turns what came of it into an
//! exit code; it decides nothing about gateways.

mod arguments;
mod exit;
mod files;
mod run;
mod surroundings;

pub use arguments::Arguments;
pub use exit::Exit;
pub use surroundings::Surroundings;

use arguments::Verb;
use std::io::Write as _;

/// Does what the arguments say.
pub async fn main(arguments: Arguments, surroundings: &Surroundings) -> Exit {
    match arguments.verb {
        Verb::Run(run) => run::run(&run, surroundings).await,
    }
}

/// A line for people, on standard error.
fn say(text: &str) {
    // Nobody is left to hear that standard error is closed.
    let _ = writeln!(std::io::stderr(), "{}", text.trim_end());
}
