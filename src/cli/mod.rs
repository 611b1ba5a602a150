//! The command line: one file a verb. It reads arguments, calls the rooms, prints, and turns what came of it into an
//! exit code; it decides nothing about gateways.

mod arguments;
mod exit;
mod run;
mod surroundings;

pub use arguments::Arguments;
pub use exit::Exit;
pub use surroundings::Surroundings;

use arguments::Verb;

/// Does what the arguments say.
pub async fn main(arguments: Arguments, surroundings: &Surroundings) -> Exit {
    match arguments.verb {
        Verb::Run(run) => run::run(&run, surroundings).await,
    }
}
