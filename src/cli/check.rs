//! `gauntlet check`: every mistake of every file, at once.

use super::arguments::Check;
use super::{Exit, Surroundings, files, print, say};
use crate::gateway::Profile;
use crate::mock::Mock;
use crate::scenario::{self, Known};
use std::path::PathBuf;

/// Reads and checks; no mistakes means that the files can be run.
pub(super) fn check(arguments: &Check, surroundings: &Surroundings) -> Exit {
    let there = files::texts(&arguments.paths)
        .and_then(|texts| files::profiles(&arguments.paths).map(|profiles| (texts, profiles)));
    let (texts, profiles) = match there {
        Ok((texts, profiles)) if texts.is_empty() && profiles.is_empty() => {
            say("no scenario is there\nhelp: name files or folders with `.yaml` scenarios in them");
            return Exit::Nothing;
        }
        Ok(there) => there,
        Err(exit) => return exit,
    };
    let worst = [scenarios(texts, surroundings), gateways(&profiles)];
    if worst.contains(&Exit::Mistake) { Exit::Mistake } else { Exit::Clean }
}

fn scenarios(texts: Vec<(String, String)>, surroundings: &Surroundings) -> Exit {
    let known = known();
    let (mut sound, mut wrong) = (0, 0);
    for (file, text) in texts {
        let found = match scenario::read(&text, &file) {
            Ok(scenario) => scenario::check(&scenario, &known),
            Err(mistakes) => mistakes,
        };
        if !found.list.is_empty() {
            files::tell(&found, surroundings);
        }
        if found.has_mistakes() { wrong += 1 } else { sound += 1 }
    }
    counted("scenario", sound, wrong)
}

fn gateways(folders: &[PathBuf]) -> Exit {
    let wrong = folders.iter().filter_map(|folder| Profile::from_folder(folder).err());
    let wrong = wrong.inspect(|mistakes| say(&mistakes.to_string())).count();
    counted("profile", folders.len() - wrong, wrong)
}

fn counted(noun: &str, sound: usize, wrong: usize) -> Exit {
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    match (sound, wrong) {
        (0, 0) => Exit::Clean,
        (_, 0) => {
            print(&format!("{sound} {noun}{} without mistakes\n", plural(sound)));
            Exit::Clean
        }
        _ => {
            say(&format!("{wrong} {noun}{} with mistakes, {sound} without", plural(wrong)));
            Exit::Mistake
        }
    }
}

/// What scenarios may name.
pub(super) fn known() -> Known {
    let tools = |name: &str| {
        let mock = Mock::named(name)?;
        Some((name.to_owned(), mock.tools().into_iter().map(str::to_owned).collect()))
    };
    Known { mocks: Mock::names().into_iter().filter_map(tools).collect(), ..Known::default() }
}
