//! `gauntlet gateway`: the reference gateway on its own, told by flags or by one file.
//!
//! Everything is read and checked before anything starts. While it runs, the files are watched: a change of who may do
//! what is taken over, and one that is wrong is told and changes nothing.

mod config;
mod document;
mod flags;
mod house;
mod reload;
mod sources;
mod upstream;
mod wanted;

pub(super) use document::Document;
pub(super) use wanted::address;

use super::arguments::Gateway;
use super::signals::Signals;
use super::{Exit, Surroundings, say};
use crate::diagnostic::Diagnostics;
use crate::reference::Grant;
use house::House;
use sources::Sources;
use wanted::Wanted;

/// The variable that says who speaks on stdio, where no header can.
const TOKEN: &str = "GAUNTLET_TOKEN";

/// Serves until the agent on stdio is gone, or until it is told to end.
pub(super) async fn gateway(arguments: &Gateway, surroundings: &Surroundings) -> Exit {
    // First of all, so that nothing that comes early is lost.
    let mut signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => {
            say(&format!("signals cannot be heard: {error}"));
            return Exit::World;
        }
    };
    let (wanted, sources) = read(arguments, surroundings);
    let wanted = match wanted {
        Ok(wanted) => wanted,
        Err(wrong) => {
            say(&drawn(&wrong, surroundings.colour_of_errors()));
            return Exit::Mistake;
        }
    };
    let mut house = match House::open(&wanted, surroundings).await {
        Ok(house) => house,
        Err(exit) => return exit,
    };
    let again = || read(arguments, surroundings);
    let exit = tokio::select! {
        // It ends without an error, or has panicked: over it is, in either case.
        _ = &mut house.front => Exit::Clean,
        exit = signals.end.come() => exit,
        never = reload::follow(&house.reference, (wanted, sources), &mut signals.again, again) => match never {},
    };
    house.close().await;
    exit
}

/// What is wanted, and which files said so.
fn read(arguments: &Gateway, surroundings: &Surroundings) -> (Result<Wanted, Vec<Diagnostics>>, Sources) {
    let mut sources = Sources::default();
    let mut wanted = match &arguments.config {
        Some(path) => config::read(path, &surroundings.environment, &mut sources),
        None => flags::read(arguments, surroundings, &mut sources),
    };
    if let Ok(Wanted { standing, grants }) = &mut wanted
        && standing.listen.is_none()
    {
        *grants = on_lines(std::mem::take(grants), surroundings.environment.get(TOKEN).map(String::as_str));
    }
    (wanted, sources)
}

/// Complaints about several files, one after the other.
fn drawn(wrong: &[Diagnostics], colour: bool) -> String {
    wrong.iter().map(|wrong| wrong.render(colour)).collect()
}

/// On stdio there is one agent: it is whoever the token says, and without one whoever needs none.
fn on_lines(grants: Vec<Grant>, token: Option<&str>) -> Vec<Grant> {
    let here = grants.into_iter().filter(|grant| grant.token.as_deref() == token);
    here.map(|grant| Grant { token: None, ..grant }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_stdio_the_token_says_who() {
        let grant = |identity: &str, token: Option<&str>| Grant {
            identity: identity.into(),
            token: token.map(str::to_owned),
            policy: None,
        };
        let grants = vec![grant("alice", Some("a")), grant("anybody", None)];
        let who = |token| on_lines(grants.clone(), token);
        assert_eq!(who(Some("a")), [grant("alice", None)]);
        assert_eq!(who(None), [grant("anybody", None)]);
        assert_eq!(who(Some("b")), []);
    }
}
