//! All files at once: the mistakes as they are drawn, and the project's own scenarios.

use super::*;
use crate::scenario::{read, schema};
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
    Known { mocks: ["ludus", "office", "velociraptor"].map(tools).into(), ..Known::default() }
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

fn shipped() -> Vec<PathBuf> {
    ["scenarios/attacks", "scenarios/conformance"].iter().flat_map(|folder| files(&project(folder))).collect()
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
    for path in shipped() {
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

fn validator() -> jsonschema::Validator {
    jsonschema::validator_for(schema().as_value()).unwrap()
}

fn complaint(validator: &jsonschema::Validator, text: &str) -> Option<String> {
    let value = serde_json::Value::from(&source::read(text).ok()?);
    validator.validate(&value).err().map(|error| format!("{error} at {}", error.instance_path()))
}

#[test]
fn the_schema_takes_every_scenario_of_the_project() {
    let validator = validator();
    for path in shipped() {
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(complaint(&validator, &text), None, "{}", path.display());
    }
}

/// What the reader refuses for its form the schema refuses too; what it takes, the schema takes.
#[test]
fn the_schema_and_the_reader_agree_about_mistakes() {
    // Beyond the reach of a schema: expressions, equal lengths, units of time, text that is no YAML.
    let beyond = [
        "columns-of-unequal-length",
        "expression-in-an-expectation",
        "expression-in-the-policy",
        "counters-that-disagree",
        "not-yaml",
        "duplicate-key",
        "together-with-a-wait",
        "together-with-its-own-expectation",
    ];
    let validator = validator();
    for path in files(&project("tests/mistakes")) {
        let text = std::fs::read_to_string(&path).unwrap();
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let refused = read(&text, stem).is_err() && !beyond.contains(&stem);
        assert_eq!(
            complaint(&validator, &text).is_some(),
            refused,
            "{stem}: {:?}",
            complaint(&validator, &text)
        );
    }
}

proptest::proptest! {
    /// Whatever is done to a file, it is read or complained about, and the complaint can be drawn.
    #[test]
    fn no_file_is_too_broken_to_complain_about(at in 0usize..2000, gone in 0usize..40, put in "[ -~\\n\u{e9}\u{202e}]{0,8}") {
        let text = std::fs::read_to_string(project("tests/mistakes/several-at-once.yaml")).unwrap();
        let start = at % text.len();
        let mut broken = text.clone().into_bytes();
        broken.splice(start..(start + gone).min(text.len()), put.bytes());
        let broken = String::from_utf8_lossy(&broken);
        match read(&broken, "broken.yaml") {
            Ok(scenario) => drop(check(&scenario, &Known::default()).render(false)),
            Err(told) => assert!(!told.render(false).is_empty()),
        }
    }
}

#[test]
fn every_form_is_read_and_the_schema_knows_it() {
    let text = std::fs::read_to_string(project("tests/forms/every-form.yaml")).unwrap();
    assert_eq!(complaint(&validator(), &text), None);
    let scenario = read(&text, "every-form.yaml").unwrap_or_else(|told| panic!("{}", told.render(false)));
    insta::with_settings!({
        snapshot_path => project("tests/forms"), prepend_module_to_snapshot => false, omit_expression => true
    }, {
        insta::assert_snapshot!("every-form-check", check(&scenario, &known()).render(false));
        let places = regex::Regex::new(r"(, )?\w+: Spot \{[^}]*\}").unwrap();
        let steps = scenario.steps.iter().map(|step| format!("{step:?}"));
        let upstreams = scenario.upstreams.iter().map(|(name, upstream)| format!("{name}: {upstream:?}"));
        let lines: Vec<String> = upstreams.chain(steps).chain([format!("{:?}", scenario.needs())]).collect();
        insta::assert_snapshot!("every-form", places.replace_all(&lines.join("\n"), ""));
    });
    assert!(scenario.is_slow());
}
