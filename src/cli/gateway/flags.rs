//! The gateway as flags describe it.

use super::sources::Sources;
use super::upstream;
use super::wanted::{MIXED, Standing, Wanted, policy};
use crate::cli::Surroundings;
use crate::cli::arguments::{Approval, Gateway};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::reference::{Channel, Grant};
use crate::source::Spot;
use std::path::Path;

/// The identity of whoever connects without a token.
const ANYBODY: &str = "anybody";

/// What the flags ask for; all that is wrong with them otherwise.
pub(super) fn read(
    arguments: &Gateway,
    surroundings: &Surroundings,
    sources: &mut Sources,
) -> Result<Wanted, Vec<Diagnostics>> {
    let mut wrong = Vec::new();
    let upstreams = upstreams(arguments, &mut wrong);
    let grants = grants(arguments, surroundings, sources, &mut wrong);
    let standing = Standing {
        listen: arguments.http,
        upstreams,
        channel: channel(arguments.approval),
        decisions: arguments.decisions,
        token: None,
        audit: arguments.audit.clone(),
        pins: arguments.pins.clone(),
        patience: arguments.upstream_timeout,
    };
    if standing.mixes_files() {
        let file = standing.pins.as_deref().unwrap_or(Path::new("")).display().to_string();
        let whole = Spot { line: 1, column: 1, start: 0, end: file.len() };
        wrong.push(Diagnostics::new("--pins", &file, vec![Diagnostic::mistake(whole, MIXED)]));
    }
    if wrong.is_empty() { Ok(Wanted { standing, grants }) } else { Err(wrong) }
}

fn upstreams(arguments: &Gateway, wrong: &mut Vec<Diagnostics>) -> Vec<(String, super::wanted::Behind)> {
    let mut read: Vec<(String, _)> = Vec::new();
    for argument in &arguments.upstreams {
        let complain = |complaint| Diagnostics::new("--upstream", argument, vec![complaint]);
        match upstream::read(argument) {
            Ok((name, _)) if read.iter().any(|(known, _)| *known == name) => {
                let whole = Spot { line: 1, column: 1, start: 0, end: name.len() };
                wrong.push(complain(Diagnostic::mistake(
                    whole,
                    format!("a second upstream is called `{name}`"),
                )));
            }
            Ok(one) => read.push(one),
            Err(complaint) => wrong.push(complain(complaint)),
        }
    }
    if arguments.upstreams.is_empty() {
        let complaint = Diagnostic::mistake(Spot::default(), "nothing stands behind the gateway");
        wrong.push(Diagnostics::new(
            "--upstream",
            "",
            vec![complaint.help("add `--upstream lab=mock:ludus`")],
        ));
    }
    read
}

fn grants(
    arguments: &Gateway,
    surroundings: &Surroundings,
    sources: &mut Sources,
    wrong: &mut Vec<Diagnostics>,
) -> Vec<Grant> {
    let mut grants = Vec::new();
    if let Some(path) = &arguments.policy {
        match policy(path, sources) {
            Ok(policy) => grants.push(Grant { identity: ANYBODY.into(), token: None, policy: Some(policy) }),
            Err(complaint) => wrong.push(complaint),
        }
    }
    for argument in &arguments.grants {
        match grant(argument, surroundings, sources) {
            Ok(grant) => grants.push(grant),
            Err(complaint) => wrong.push(complaint),
        }
    }
    if arguments.policy.is_none() && arguments.grants.is_empty() {
        let complaint =
            Diagnostic::mistake(Spot::default(), "there is no policy, and without one nothing may be called");
        wrong.push(Diagnostics::new(
            "--policy",
            "",
            vec![complaint.help("name one with `--policy policy.json`")],
        ));
    }
    grants
}

fn grant(argument: &str, surroundings: &Surroundings, sources: &mut Sources) -> Result<Grant, Diagnostics> {
    let complain = |complaint: Diagnostic| Diagnostics::new("--grant", argument, vec![complaint]);
    let whole = Spot { line: 1, column: 1, start: 0, end: argument.len() };
    let (identity, path) = argument
        .split_once('=')
        .filter(|(identity, path)| !identity.is_empty() && !path.is_empty())
        .ok_or_else(|| {
            complain(
                Diagnostic::mistake(whole, "a grant needs an identity and a policy")
                    .help("write `IDENTITY=POLICY.json`"),
            )
        })?;
    let variable = variable(identity);
    let token = surroundings.environment.get(&variable).filter(|token| !token.is_empty());
    let token = token.cloned().ok_or_else(|| {
        let complaint = format!("the token of `{identity}` is not in the environment");
        complain(Diagnostic::mistake(whole, complaint).help(format!("set `{variable}`")))
    })?;
    let policy = policy(Path::new(path), sources)?;
    Ok(Grant { identity: identity.to_owned(), token: Some(token), policy: Some(policy) })
}

/// The variable that holds an identity's token.
fn variable(identity: &str) -> String {
    let letters = identity
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_uppercase() } else { '_' });
    format!("GAUNTLET_TOKEN_{}", letters.collect::<String>())
}

/// The channel that an approval's word stands for.
fn channel(approval: Approval) -> Channel {
    match approval {
        Approval::Held => Channel::Held,
        Approval::Retried => Channel::Retried,
        Approval::Elicited => Channel::Elicited,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_stands_in_a_variable_of_its_own() {
        assert_eq!(variable("alice"), "GAUNTLET_TOKEN_ALICE");
        assert_eq!(variable("blue-team.1"), "GAUNTLET_TOKEN_BLUE_TEAM_1");
    }
}
