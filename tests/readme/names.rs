//! Whether a command that prose names would be understood: verbs, flags, and what is installed.

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use mcp_gauntlet::cli::Arguments;
use mcp_gauntlet::gateway;

/// Commands of other programs that the README may name.
const OTHERS: [&str; 4] =
    ["cargo test", "cargo install --path .", "python3 -m venv", "cargo run --release -- run"];

/// Complains where a piece of code in prose is a command or a flag that does not exist. Anything else is let be.
pub(crate) fn known(span: &str) -> Result<(), String> {
    let first = span.split(' ').next().unwrap_or_default();
    match first {
        "gauntlet" => understood(span),
        "cargo" | "python3" if OTHERS.contains(&span) => Ok(()),
        "pip" if installs().any(|install| install == span) => Ok(()),
        "cargo" | "python3" | "pip" => Err("nothing says that this is so".to_owned()),
        flag if flag.starts_with('-') => flag_of_some_verb(flag),
        _ => Ok(()),
    }
}

/// A command that is named without all it needs is understood; one with something unknown is not.
fn understood(span: &str) -> Result<(), String> {
    let words = span.split_whitespace().map(|word| word.trim_matches('\''));
    match Arguments::try_parse_from(words) {
        Err(error) if error.kind() == ErrorKind::MissingRequiredArgument => Ok(()),
        Err(error) if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => Ok(()),
        Err(error) => Err(error.to_string()),
        Ok(_) => Ok(()),
    }
}

fn flag_of_some_verb(flag: &str) -> Result<(), String> {
    let program = Arguments::command();
    let has = |verb: &clap::Command| {
        verb.get_arguments().any(|argument| {
            let long = argument.get_long().map(|long| format!("--{long}"));
            let short = argument.get_short().map(|short| format!("-{short}"));
            long.as_deref() == Some(flag) || short.as_deref() == Some(flag)
        })
    };
    if program.get_subcommands().any(has) { Ok(()) } else { Err("no verb has this flag".to_owned()) }
}

/// How the shipped gateways are installed.
fn installs() -> impl Iterator<Item = String> {
    gateway::shipped_names().filter_map(gateway::named).filter_map(|profile| profile.install)
}

#[test]
fn what_does_not_exist_is_noticed() {
    for wrong in
        ["gauntlet walk", "gauntlet run --nonsense", "--nonsense", "-z", "pip install x", "cargo frobnicate"]
    {
        assert!(known(wrong).is_err(), "{wrong}");
    }
    for right in
        ["gauntlet mock", "gauntlet list flaws", "--accept", "-u", "gauntlet", "policy", "cargo test"]
    {
        assert_eq!(known(right), Ok(()), "{right}");
    }
}
