//! `gauntlet check`: every mistake of every file, at once.

use super::arguments::Check;
use super::{Exit, Surroundings, files, print, say};
use crate::mock::Mock;
use crate::scenario::{self, Known};

/// Reads and checks; no mistakes means that the files can be run.
pub(super) fn check(arguments: &Check, surroundings: &Surroundings) -> Exit {
    let texts = match files::texts(&arguments.paths) {
        Ok(texts) if texts.is_empty() => {
            say("no scenario is there\nhelp: name files or folders with `.yaml` scenarios in them");
            return Exit::Nothing;
        }
        Ok(texts) => texts,
        Err(exit) => return exit,
    };
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
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    if wrong > 0 {
        say(&format!("{wrong} scenario{} with mistakes, {sound} without", plural(wrong)));
        return Exit::Mistake;
    }
    print(&format!("{sound} scenario{} without mistakes\n", plural(sound)));
    Exit::Clean
}

/// What scenarios may name.
pub(super) fn known() -> Known {
    let tools = |name: &str| {
        let mock = Mock::named(name)?;
        Some((name.to_owned(), mock.tools().into_iter().map(str::to_owned).collect()))
    };
    Known { mocks: Mock::names().into_iter().filter_map(tools).collect(), ..Known::default() }
}
