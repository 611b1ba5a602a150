//! Finding what the user names: scenarios, profiles, flaws; every mistake in them told at once.

use super::{Exit, Surroundings, say};
use crate::diagnostic::{Diagnostics, did_you_mean, listed};
use crate::embedded;
use crate::gateway::{self, Profile};
use crate::known;
use crate::mock::{Mock, MockError};
use crate::pattern;
use crate::reference::FLAWS;
use crate::requirement;
use crate::scenario::{self, Known, Scenario, Shelf};
use std::path::{Path, PathBuf};

/// The scenarios under these paths; the shipped ones where there is none. All mistakes of all files are told, also
/// those beyond a file's form: what names nothing must not run as if it did.
pub(super) fn scenarios(paths: &[PathBuf], surroundings: &Surroundings) -> Result<Vec<Scenario>, Exit> {
    let mut reader = Reader::new();
    let mut read = Vec::new();
    let mut wrong = false;
    for (file, text) in texts(paths)? {
        match reader.read(&text, &file) {
            Ok((scenario, _)) => read.push(scenario),
            Err(mistakes) => {
                wrong = true;
                tell(&mistakes, surroundings);
            }
        }
    }
    if wrong { Err(Exit::Mistake) } else { Ok(read) }
}

/// Reads scenarios as far as anything can be told of them before they run.
pub(super) struct Reader {
    known: Known,
    shelf: Shelf,
}

impl Reader {
    pub(super) fn new() -> Self {
        let tools = |name: &str| {
            let mock = Mock::named(name)?;
            Some((name.to_owned(), mock.tools().into_iter().map(str::to_owned).collect()))
        };
        let mocks = Mock::names().into_iter().filter_map(tools).collect();
        Self { known: Known { mocks, ..Known::default() }, shelf: Shelf::default() }
    }

    /// A scenario, and what is merely odd about it; or its mistakes.
    pub(super) fn read(&mut self, text: &str, file: &str) -> Result<(Scenario, Diagnostics), Diagnostics> {
        let scenario = self.shelf.fill(scenario::read(text, file)?)?;
        let found = scenario::check(&scenario, &self.known);
        if found.has_mistakes() { Err(found) } else { Ok((scenario, found)) }
    }
}

/// Draws diagnostics on standard error.
pub(super) fn tell(diagnostics: &Diagnostics, surroundings: &Surroundings) {
    say(&diagnostics.render(surroundings.colour_of_errors()));
}

/// What may lie beside scenarios, and is none.
const BESIDE: [&str; 4] = [PROFILE, requirement::FILE, pattern::FILE, known::FILE];

/// The file that makes a folder a gateway's profile.
const PROFILE: &str = "profile.yaml";

fn is_scenario(path: &Path) -> bool {
    let called = |other: &str| path.file_name().is_some_and(|name| name == other);
    let of_a_mock = called(SERVER) && is_mock(&folder_of(path));
    !of_a_mock && !BESIDE.into_iter().any(called)
}

/// The first of the files that make a folder a mock.
const SERVER: &str = "server.yaml";

/// Whether a folder is a mock: what else lies in it is its own.
fn is_mock(folder: &Path) -> bool {
    let catalogue = ["catalogue.json", "catalogue.yaml"];
    folder.join(SERVER).is_file() && catalogue.iter().any(|name| folder.join(name).is_file())
}

/// The folders under these paths that hold a gateway's profile, in order.
pub(super) fn profiles(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Exit> {
    Ok(called(PROFILE, paths)?.iter().map(|file| folder_of(file)).collect())
}

/// The folders under these paths that hold a mock, in order.
pub(super) fn mocks(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Exit> {
    let mut folders: Vec<PathBuf> = called(SERVER, paths)?.iter().map(|file| folder_of(file)).collect();
    folders.retain(|folder| is_mock(folder));
    Ok(folders)
}

/// A shipped mock by its name, or one of the user's own by its folder.
pub(super) fn mock(name: &str) -> Result<Mock, Exit> {
    if let Some(mock) = Mock::named(name) {
        return Ok(mock);
    }
    let folder = Path::new(name);
    if folder.is_dir() {
        return mock_in(folder);
    }
    let near = did_you_mean(name, Mock::names()).map(|near| format!("\nhelp: did you mean `{near}`?"));
    say(&format!(
        "no mock `{name}`: neither a shipped one ({}) nor a folder{}",
        listed(Mock::names()),
        near.unwrap_or_default()
    ));
    Err(Exit::Mistake)
}

/// The mock in a folder; its mistakes are told.
pub(super) fn mock_in(folder: &Path) -> Result<Mock, Exit> {
    Mock::from_folder(folder).map_err(|mistakes: Vec<MockError>| {
        mistakes.iter().for_each(|mistake| say(&mistake.to_string()));
        Exit::Mistake
    })
}

fn folder_of(file: &Path) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).to_owned()
}

/// The lists of known deviations under these paths, in order.
pub(super) fn lists(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Exit> {
    called(known::FILE, paths)
}

/// The files of that name under these paths, in order.
fn called(name: &str, paths: &[PathBuf]) -> Result<Vec<PathBuf>, Exit> {
    let mut files = Vec::new();
    for path in paths {
        collect(path, &mut files)?;
    }
    files.retain(|path| path.file_name().is_some_and(|own| own == name));
    files.sort();
    files.dedup();
    Ok(files)
}

/// The names of the gateways whose profiles lie in the folders of this one; what cannot be read has none.
pub(super) fn gateways_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.filter_map(|path| gateway_in(&path)).collect()
}

/// The name of the gateway whose profile lies there.
pub(super) fn gateway_in(folder: &Path) -> Option<String> {
    let there = folder.join(PROFILE).is_file();
    there.then(|| Profile::from_folder(folder).ok()).flatten().map(|profile| profile.gateway)
}

/// Name and text of each scenario file, in order.
pub(super) fn texts(paths: &[PathBuf]) -> Result<Vec<(String, String)>, Exit> {
    if paths.is_empty() {
        let shipped = embedded::scenarios();
        return Ok(shipped.map(|file| (format!("scenarios/{}", file.path), file.text.to_owned())).collect());
    }
    let mut files = Vec::new();
    for path in paths {
        let before = files.len();
        collect(path, &mut files)?;
        files[before..].sort();
    }
    let read = |path: PathBuf| match std::fs::read_to_string(&path) {
        Ok(text) => Ok((path.display().to_string(), text)),
        Err(error) => {
            say(&format!("`{}` cannot be read: {error}", path.display()));
            Err(Exit::Mistake)
        }
    };
    files.into_iter().filter(|path| is_scenario(path)).map(read).collect()
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Exit> {
    let unreadable = |error: std::io::Error| {
        say(&format!("`{}` cannot be read: {error}", path.display()));
        Exit::Mistake
    };
    if !std::fs::metadata(path).map_err(unreadable)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    if is_mock(path) {
        files.push(path.join(SERVER));
        return Ok(());
    }
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?.path();
        let is_yaml = entry.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
        // Folders of snapshots, and hidden ones such as `.github`, lie among scenarios and hold none.
        let aside = |name: &str| name == "snapshots" || name.starts_with('.');
        let named = entry.file_name().and_then(|name| name.to_str());
        if is_yaml || (entry.is_dir() && !named.is_some_and(aside)) {
            collect(&entry, files)?;
        }
    }
    Ok(())
}

/// The profile of that name, or in that folder.
pub(super) fn profile(name: &str) -> Result<Profile, Exit> {
    if let Some(profile) = gateway::named(name) {
        return Ok(profile);
    }
    let folder = Path::new(name);
    if folder.is_dir() {
        return Profile::from_folder(folder).map_err(|error| {
            say(&error.to_string());
            Exit::Mistake
        });
    }
    let hint =
        did_you_mean(name, gateway::shipped_names()).map(|near| format!("\nhelp: did you mean `{near}`?"));
    let known = listed(gateway::shipped_names());
    say(&format!(
        "no gateway `{name}`: neither a shipped profile ({known}) nor a folder{}",
        hint.unwrap_or_default()
    ));
    Err(Exit::Mistake)
}

/// Whether a profile can be told to lie in that way.
pub(super) fn flaw(name: &str, profile: &Profile) -> Result<(), Exit> {
    if !profile.is_embedded() {
        say(&format!("`--flaw` is for the embedded reference gateway, not for `{}`", profile.gateway));
        return Err(Exit::Mistake);
    }
    let names = || FLAWS.iter().map(|flaw| flaw.name);
    if names().any(|known| known == name) {
        return Ok(());
    }
    let hint = did_you_mean(name, names()).map(|near| format!("did you mean `{near}`?"));
    say(&format!(
        "no flaw `{name}`\nhelp: {}",
        hint.unwrap_or_else(|| format!("known are {}", listed(names())))
    ));
    Err(Exit::Mistake)
}
