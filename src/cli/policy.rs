//! `gauntlet policy`: policies that are made, not written.

use super::mock::find;
use super::{Exit, print, say};
use crate::policy::{Class, Posture, recommend};
use clap::{Args, Subcommand, ValueEnum};

const EXAMPLES: &str = "\
Examples:
  gauntlet policy recommend --for ludus > policy.json
  gauntlet policy recommend --for ./my-mock --default allow

What reads may be called, what writes 30 times a minute, what runs something 10 times a minute, and what
destroys is hidden. The class is the one that the public catalogue of policies gives the tool, or where it
gives none, the mock's own; `gauntlet run --tag advice` shows what such a policy stops and what it does not.

Exit codes: 0 printed, 2 no such mock, or one with mistakes.";

/// Makes policies.
#[derive(Args, Debug)]
pub struct PolicyArguments {
    /// What to make.
    #[command(subcommand)]
    pub what: Made,
}

/// What to make.
#[derive(Debug, Subcommand)]
pub enum Made {
    /// The policy that a catalogue recommends for its tools, by the risk of each
    Recommend(Recommend),
}

/// Prints the policy that is recommended for a server's tools, by the risk of each.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Recommend {
    /// `ludus`, `velociraptor`, `office`, or a folder with a mock of your own
    #[arg(long = "for", value_name = "MOCK")]
    pub mock: String,
    /// What happens to tools that the policy does not name
    #[arg(long, value_enum, default_value = "deny")]
    pub default: Unnamed,
}

/// What happens to tools that a policy does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Unnamed {
    /// They may be called
    Allow,
    /// They may not
    Deny,
}

/// Makes a policy and prints it.
pub(super) fn policy(arguments: &PolicyArguments) -> Exit {
    let Made::Recommend(Recommend { mock, default }) = &arguments.what;
    let mock = match find(mock) {
        Ok(mock) => mock,
        Err(exit) => return exit,
    };
    let default = match default {
        Unnamed::Allow => Posture::Allow,
        Unnamed::Deny => Posture::Deny,
    };
    let tools = mock.tools();
    let classed: Vec<(&str, Class)> =
        tools.iter().filter_map(|tool| Some((*tool, Class::of(mock.rating(tool)?)?))).collect();
    if classed.len() < tools.len() {
        let left = tools.len() - classed.len();
        say(&format!("{left} tools have no risk in the catalogue and are left to the default"));
    }
    let text = serde_json::to_string_pretty(&recommend(classed, default)).expect("a policy is plain data");
    print(&format!("{text}\n"));
    Exit::Clean
}
