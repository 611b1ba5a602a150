//! `gauntlet check`: every mistake of every file, at once.

use super::vocabulary::{Vocabulary, beside, home_of};
use super::{Exit, Surroundings, files, print, say};
use crate::gateway::Profile;
use crate::known::Day;
use clap::Args;
use std::path::PathBuf;
use std::time::SystemTime;

/// Finds every mistake in scenarios, gateways' profiles, mocks and lists of known deviations.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  gauntlet check scenarios\n  gauntlet check known.yaml\n\nExit codes: 0 no mistakes, 2 mistakes, 4 no scenario there."
)]
pub struct Check {
    /// Scenarios, profiles (`profile.yaml`), mocks (`server.yaml` and `catalogue.json`), lists of known deviations
    /// (`known.yaml`), or folders of them; without any, the shipped scenarios
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}

/// Reads and checks; no mistakes means that the files can be run.
pub(super) fn check(arguments: &Check, surroundings: &Surroundings) -> Exit {
    checked(&arguments.paths, surroundings).unwrap_or_else(|exit| exit)
}

fn checked(paths: &[PathBuf], surroundings: &Surroundings) -> Result<Exit, Exit> {
    let (texts, named) = (files::texts(paths)?, files::lists(paths)?);
    let (profiles, servers) = (files::profiles(paths)?, files::mocks(paths)?);
    if texts.is_empty() && profiles.is_empty() && servers.is_empty() && named.is_empty() {
        say("no scenario is there\nhelp: name files or folders with `.yaml` scenarios in them");
        return Ok(Exit::Nothing);
    }
    // The list beside scenarios is read by a run of them.
    let beside = if texts.is_empty() { None } else { beside(paths) };
    let worst = [
        scenarios(texts, surroundings),
        gateways(&profiles),
        mocks(&servers),
        deviations(paths, (&named, beside), surroundings)?,
    ];
    Ok(if worst.contains(&Exit::Mistake) { Exit::Mistake } else { Exit::Clean })
}

/// The lists of known deviations under these paths, and the one that a run of them would read.
fn deviations(
    paths: &[PathBuf],
    (named, beside): (&[PathBuf], Option<PathBuf>),
    surroundings: &Surroundings,
) -> Result<Exit, Exit> {
    let real = |path: &PathBuf| std::fs::canonicalize(path).ok();
    let beside = beside.filter(|list| !named.iter().any(|one| real(one) == real(list)));
    let (mut sound, mut wrong) = (0, 0);
    for list in named.iter().chain(&beside) {
        let home = home_of(list);
        let mut words = Vocabulary::shipped();
        words.add_files(paths)?;
        words.add_gateways_of(&home);
        // One above the paths is about more than they are.
        if beside.as_ref() == Some(list) {
            words.scenarios.clear();
        } else {
            words.add_files(&[home])?;
        }
        match words.read(list, surroundings) {
            Ok(known) => {
                sound += 1;
                let past = known.past(Day::at(SystemTime::now()));
                if !past.list.is_empty() {
                    files::tell(&past, surroundings);
                }
            }
            Err(_) => wrong += 1,
        }
    }
    Ok(counted(LIST, sound, wrong))
}

fn scenarios(texts: Vec<(String, String)>, surroundings: &Surroundings) -> Exit {
    let mut reader = files::Reader::new();
    let (mut sound, mut wrong) = (0, 0);
    for (file, text) in texts {
        let found = reader.read(&text, &file).map_or_else(|mistakes| mistakes, |(_, odd)| odd);
        if !found.list.is_empty() {
            files::tell(&found, surroundings);
        }
        if found.has_mistakes() { wrong += 1 } else { sound += 1 }
    }
    counted(SCENARIO, sound, wrong)
}

fn gateways(folders: &[PathBuf]) -> Exit {
    let wrong = folders.iter().filter_map(|folder| Profile::rehearsed(folder).err());
    let wrong = wrong.inspect(|mistakes| say(&mistakes.to_string())).count();
    counted(PROFILE, folders.len() - wrong, wrong)
}

fn mocks(folders: &[PathBuf]) -> Exit {
    let wrong = folders.iter().filter(|folder| files::mock_in(folder).is_err()).count();
    counted(MOCK, folders.len() - wrong, wrong)
}

/// What one of a kind is called, and several.
type Noun = (&'static str, &'static str);

const SCENARIO: Noun = ("scenario", "scenarios");
const PROFILE: Noun = ("profile", "profiles");
const MOCK: Noun = ("mock", "mocks");
const LIST: Noun = ("list of known deviations", "lists of known deviations");

fn counted((one, several): Noun, sound: usize, wrong: usize) -> Exit {
    let noun = |count: usize| if count == 1 { one } else { several };
    match (sound, wrong) {
        (0, 0) => Exit::Clean,
        (_, 0) => {
            print(&format!("{sound} {} without mistakes\n", noun(sound)));
            Exit::Clean
        }
        _ => {
            say(&format!("{wrong} {} with mistakes, {sound} without", noun(wrong)));
            Exit::Mistake
        }
    }
}
