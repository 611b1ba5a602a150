//! The command line: one file a verb. It reads arguments, calls the rooms, prints, and turns what came of it into an
//! exit code; it decides nothing about gateways.

mod again;
mod arguments;
mod attacks;
mod check;
mod compare;
mod doctor;
mod eject;
mod exit;
mod expand;
mod files;
mod gateway;
mod guard;
mod init;
mod known;
mod list;
mod mock;
mod planned;
mod policy;
mod prove;
mod relay;
mod remote;
mod render;
mod reports;
mod review;
mod run;
mod schema;
mod signals;
mod snapshots;
mod surroundings;
mod vocabulary;

pub use arguments::Arguments;
pub use exit::Exit;
pub use surroundings::Surroundings;

use arguments::Verb;
use std::io::Write as _;

/// Does what the arguments say.
pub async fn main(arguments: Arguments, surroundings: &Surroundings) -> Exit {
    match arguments.verb {
        Verb::Render(arguments) => render::render(&arguments, surroundings),
        Verb::Run(run) => run::run(&run, surroundings).await,
        Verb::Doctor(doctor) => doctor::doctor(&doctor, surroundings).await,
        Verb::Init(arguments) => init::init(&arguments),
        Verb::Check(check) => check::check(&check, surroundings),
        Verb::List(list) => list::list(&list, surroundings),
        Verb::Schema(schema) => schema::schema(&schema),
        Verb::Eject(eject) => eject::eject(&eject),
        Verb::Prove(arguments) => prove::prove(&arguments, surroundings).await,
        Verb::Review(arguments) => review::review(&arguments, surroundings),
        Verb::Compare(arguments) => compare::compare(&arguments, surroundings),
        Verb::Mock(mock) => mock::mock(&mock).await,
        Verb::Gateway(gateway) => gateway::gateway(&gateway, surroundings).await,
        Verb::Policy(arguments) => policy::policy(&arguments),
        Verb::Guard => guard::guard(),
        Verb::Relay(relay) => relay::relay(&relay, surroundings).await,
    }
}

/// A line for people, on standard error.
fn say(text: &str) {
    // Nobody is left to hear that standard error is closed.
    let _ = writeln!(std::io::stderr(), "{}", text.trim_end());
}

/// Text on standard output. A closed pipe (`| head`) is no reason to complain.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}
