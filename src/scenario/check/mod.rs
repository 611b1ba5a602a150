//! What reading alone cannot tell: whether names exist, whether a denial has an allowed twin, whether anything was
//! named in vain.

mod names;
mod tools;
mod twin;
mod used;
mod walk;

use super::document::Scenario;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{self, Node};
use indexmap::IndexMap;

/// What exists outside of the file.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The mocks, each with its tools.
    pub mocks: IndexMap<String, Vec<String>>,
    /// The requirements; empty leaves them unchecked.
    pub requirements: Vec<String>,
    /// The names of what gateways can declare; empty leaves them unchecked.
    pub declarations: Vec<String>,
}

/// Everything that is wrong with a scenario beyond its form, and what is merely odd. No mistakes: it can be run.
pub fn check(scenario: &Scenario, known: &Known) -> Diagnostics {
    let mut checking = Checking {
        scenario,
        known,
        // The text was read before, or there would be no scenario.
        root: source::read(&scenario.text).ok(),
        told: Vec::new(),
    };
    names::check(&mut checking);
    tools::check(&mut checking);
    twin::check(&mut checking);
    used::check(&mut checking);
    scenario.diagnostics(checking.told)
}

/// A check under way.
struct Checking<'a> {
    scenario: &'a Scenario,
    known: &'a Known,
    root: Option<Node>,
    told: Vec<Diagnostic>,
}

impl Checking<'_> {
    /// Where the key at that pointer into the file stands.
    fn key(&self, pointer: &str) -> source::Spot {
        self.root.as_ref().map(|root| root.key(pointer)).unwrap_or_default()
    }
}

/// A name as a token of a JSON pointer.
fn token(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::read;
    use std::path::{Path, PathBuf};

    fn project(path: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
    }

    fn known() -> Known {
        let tools = |mock: &str| {
            let text = std::fs::read_to_string(project(&format!("mocks/{mock}/catalogue.json"))).unwrap();
            let catalogue: serde_json::Value = serde_json::from_str(&text).unwrap();
            let tools = catalogue.as_array().or(catalogue["tools"].as_array()).unwrap().clone();
            (mock.to_owned(), tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect())
        };
        Known { mocks: ["ludus", "velociraptor"].map(tools).into(), ..Known::default() }
    }

    /// Every YAML file below a folder, in order.
    fn files(folder: &Path) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => found.extend(files(&path)),
                false if path.extension().is_some_and(|ending| ending == "yaml") => found.push(path),
                false => {}
            }
        }
        found.sort();
        found
    }

    #[test]
    fn every_mistake_is_drawn_as_the_user_sees_it() {
        let known = known();
        for path in files(&project("tests/mistakes")) {
            let text = std::fs::read_to_string(&path).unwrap();
            let name = path.file_name().unwrap().to_str().unwrap();
            let told = match read(&text, name) {
                Ok(scenario) => check(&scenario, &known),
                Err(told) => told,
            };
            assert!(!told.list.is_empty(), "{name} has no mistake");
            let stem = name.strip_suffix(".yaml").unwrap();
            insta::with_settings!({
                snapshot_path => project("tests/mistakes"), prepend_module_to_snapshot => false, omit_expression => true
            }, { insta::assert_snapshot!(stem, told.render(false)) });
        }
    }

    #[test]
    fn every_scenario_of_the_project_is_sound() {
        let known = known();
        let mut ids = std::collections::BTreeSet::new();
        for path in files(&project("scenarios")) {
            let text = std::fs::read_to_string(&path).unwrap();
            let told = match read(&text, path.to_str().unwrap()) {
                Ok(scenario) => {
                    assert!(ids.insert(scenario.id.clone()), "two scenarios are called {}", scenario.id);
                    check(&scenario, &known)
                }
                Err(told) => told,
            };
            assert!(!told.has_mistakes(), "{}", told.render(false));
        }
        assert!(!ids.is_empty());
    }
}
