//! Mocks of the user's own, read from the folders that scenarios name. Each folder is read once, whoever names it.

use super::document::Scenario;
use super::upstream::{Own, Upstream};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::mock::Mock;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// What was read so far, by folder; nothing where a mock has mistakes, which were told.
#[derive(Debug, Default)]
pub struct Shelf(HashMap<PathBuf, Option<Mock>>);

impl Shelf {
    /// The scenario with its own mocks behind it; every mistake in them is told where the scenario names them.
    pub fn fill(&mut self, mut scenario: Scenario) -> Result<Scenario, Diagnostics> {
        let home = Path::new(&scenario.file).parent().unwrap_or(Path::new("")).to_owned();
        let mut told = Vec::new();
        for upstream in scenario.upstreams.values_mut().filter(|upstream| upstream.names_a_folder()) {
            match self.read(&home, upstream) {
                Ok(own) => upstream.own = Some(own),
                Err(mistakes) => told.extend(mistakes),
            }
        }
        if told.is_empty() { Ok(scenario) } else { Err(scenario.diagnostics(told)) }
    }

    fn read(&mut self, home: &Path, upstream: &Upstream) -> Result<Own, Vec<Diagnostic>> {
        // `./` in the middle of a path is nothing that people want to read.
        let path: PathBuf = home.join(&upstream.mock.value).components().collect();
        let mistake = |message: String| Diagnostic::mistake(upstream.mock.spot, message);
        let folder = std::fs::canonicalize(&path).ok().filter(|folder| folder.is_dir()).ok_or_else(|| {
            let complaint = mistake(format!("there is no folder `{}`", path.display()));
            vec![complaint.help("name the folder of a mock from where this file lies")]
        })?;
        let mock = match self.0.get(&folder) {
            Some(Some(mock)) => mock.clone(),
            Some(None) => {
                return Err(vec![mistake(format!("the mock in `{}` has mistakes", path.display()))]);
            }
            None => {
                let read = Mock::from_folder(&path);
                self.0.insert(folder.clone(), read.as_ref().ok().cloned());
                read.map_err(|mistakes| {
                    mistakes.iter().map(|one| mistake(one.to_string())).collect::<Vec<_>>()
                })?
            }
        };
        Ok(Own { folder, mock })
    }
}
