//! The names that a list of known deviations may use, and the list read with them. It does not know whether an entry
//! still holds.

use super::{Exit, Surroundings, files, say};
use crate::known::{self, FILE, Known};
use crate::scenario;
use crate::{embedded, gateway, requirement};
use std::path::{Path, PathBuf};

/// A gateway that was only named by its address.
pub(super) const REMOTE: &str = "remote";

/// Names by what they stand for. Where there is none of a kind, any is good.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    /// Ids of scenarios.
    pub(super) scenarios: Vec<String>,
    /// Ids of requirements.
    pub(super) requirements: Vec<String>,
    /// Names of gateways.
    pub(super) gateways: Vec<String>,
}

impl Vocabulary {
    /// What ships.
    pub(super) fn shipped() -> Self {
        let stems = embedded::scenarios().filter_map(|file| stem(Path::new(file.path)));
        Self {
            scenarios: stems.collect(),
            requirements: requirement::all().iter().map(|one| one.id.clone()).collect(),
            gateways: gateway::shipped_names().chain([REMOTE]).map(str::to_owned).collect(),
        }
    }

    /// What lies under these paths too: a scenario with mistakes of its own is still one.
    pub(super) fn add_files(&mut self, paths: &[PathBuf]) -> Result<(), Exit> {
        if paths.is_empty() {
            return Ok(());
        }
        for (file, text) in files::texts(paths)? {
            self.scenarios.extend(stem(Path::new(&file)));
            let read = scenario::read(&text, &file).ok();
            let named = read.into_iter().flat_map(|scenario| scenario.requirements);
            self.requirements.extend(named.map(|one| one.value));
        }
        let profiles = files::profiles(paths)?;
        self.gateways.extend(profiles.iter().filter_map(|folder| files::gateway_in(folder)));
        Ok(())
    }

    /// The gateways whose profiles lie beside a list.
    pub(super) fn add_gateways_of(&mut self, home: &Path) {
        self.gateways.extend(files::gateway_in(home));
        self.gateways.extend(files::gateways_in(&home.join("gateways")));
    }

    /// Reads a list whole, and tells its mistakes.
    pub(super) fn read(&self, path: &Path, surroundings: &Surroundings) -> Result<Known, Exit> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            say(&format!("`{}` cannot be read: {error}", path.display()));
            Exit::Mistake
        })?;
        let [scenarios, requirements, gateways] = [&self.scenarios, &self.requirements, &self.gateways]
            .map(|names| names.iter().map(String::as_str).collect::<Vec<_>>());
        let words =
            known::Vocabulary { scenarios: &scenarios, requirements: &requirements, gateways: &gateways };
        known::read(&text, &path.display().to_string(), &words).map_err(|mistakes| {
            files::tell(&mistakes, surroundings);
            Exit::Mistake
        })
    }
}

/// The list in the folder of the first path, or in one above it: as snapshots are found.
pub(super) fn beside(paths: &[PathBuf]) -> Option<PathBuf> {
    let first = paths.first()?;
    let folder = if first.is_dir() { first } else { first.parent()? };
    folder.ancestors().map(|folder| folder.join(FILE)).find(|file| file.is_file())
}

/// The folder in which a list lies.
pub(super) fn home_of(list: &Path) -> PathBuf {
    match list.parent() {
        Some(folder) if folder.as_os_str().is_empty() => PathBuf::from("."),
        Some(folder) => folder.to_owned(),
        None => PathBuf::from("/"),
    }
}

/// Whether every path lies below the list: then it is about more than they are.
pub(super) fn is_about_more(list: &Path, paths: &[PathBuf]) -> bool {
    let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let home = real(&home_of(list));
    let below = |path: &PathBuf| real(path) != home && real(path).starts_with(&home);
    !paths.is_empty() && paths.iter().all(below)
}

fn stem(path: &Path) -> Option<String> {
    Some(path.file_stem()?.to_string_lossy().into_owned())
}
