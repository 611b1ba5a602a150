//! `gauntlet schema`: what editors have to know of the files that users write. Each schema is made from the types that
//! read the file; `schemas/` holds the same texts.

use super::gateway::Document;
use super::{Exit, print};
use crate::gateway::Profile;
use crate::mock::{Entry, Manner, Offered};
use crate::policy::Policy;
use crate::scenario;
use clap::{Args, ValueEnum};
use schemars::{JsonSchema, schema_for};
use std::collections::BTreeMap;

/// Prints a JSON Schema.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  gauntlet schema scenario > scenario.schema.json\n\nEditors take it by a first line such as `# yaml-language-server: $schema=scenario.schema.json`."
)]
pub struct Schema {
    /// The file's kind
    #[arg(value_enum)]
    pub of: SchemaOf,
}

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// A scenario
    Scenario,
    /// A policy
    Policy,
    /// A gateway's profile
    Profile,
    /// A mock's tools: descriptions and answers
    Mock,
    /// A mock's prompts and resources: descriptions, answers and completions
    MockOffers,
    /// A mock's `server.yaml`
    MockServer,
    /// The settings of `gauntlet gateway --config`
    Reference,
}

/// Prints a schema.
pub(super) fn schema(arguments: &Schema) -> Exit {
    print(&text(arguments.of));
    Exit::Clean
}

fn text(of: SchemaOf) -> String {
    let schema: schemars::Schema = match of {
        SchemaOf::Scenario => scenario::schema(),
        SchemaOf::Policy => schema_for!(Policy),
        SchemaOf::Profile => schema_for!(Profile),
        SchemaOf::Mock => by_name::<Entry>("Tools", "Tools of a mock, by name."),
        SchemaOf::MockOffers => by_name::<Offered>(
            "Prompts or resources",
            "Prompts of a mock, by name, or its resources, by URI or template.",
        ),
        SchemaOf::MockServer => schema_for!(Manner),
        SchemaOf::Reference => schema_for!(Document),
    };
    // A schema puts its keywords in their usual order when it is written, and as a value it does not.
    serde_json::to_string_pretty(&schema).expect("a schema is JSON") + "\n"
}

/// What one file under a mock's `tools/`, `prompts/` or `resources/` holds, by name.
fn by_name<T: JsonSchema>(title: &str, description: &str) -> schemars::Schema {
    let mut schema = schema_for!(BTreeMap<String, T>);
    schema.insert("title".into(), title.into());
    schema.insert("description".into(), description.into());
    schema
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::{File, GATEWAYS, MOCK_FILES, SCENARIOS};
    use crate::source;

    /// A kind of file, where the shipped ones are, and which of those they are.
    type Table = (SchemaOf, &'static [File], fn(&str) -> bool);

    /// A stale file is made anew here, and has to be committed.
    #[test]
    fn the_checked_in_schemas_are_those_of_the_code() {
        let mut stale = Vec::new();
        for of in SchemaOf::value_variants() {
            let name = of.to_possible_value().unwrap().get_name().to_owned();
            let path = format!("{}/schemas/{name}.schema.json", env!("CARGO_MANIFEST_DIR"));
            let made = text(*of);
            if std::fs::read_to_string(&path).ok().as_ref() != Some(&made) {
                std::fs::write(&path, made).unwrap();
                stale.push(name);
            }
        }
        assert!(stale.is_empty(), "{stale:?} were stale and are made anew: commit them");
    }

    #[test]
    fn every_shipped_file_fits_its_schema() {
        let server = |path: &str| path.ends_with("/server.yaml") && path.split('/').count() == 2;
        let tools = |path: &str| path.contains("/tools/");
        let profile = |path: &str| path.ends_with("/profile.yaml");
        let scenario = |path: &str| path.ends_with(".yaml") && path.contains('/');
        let offers = |path: &str| path.contains("/prompts/") || path.contains("/resources/");
        let tables: [Table; 5] = [
            (SchemaOf::MockServer, MOCK_FILES, server),
            (SchemaOf::Mock, MOCK_FILES, tools),
            (SchemaOf::MockOffers, MOCK_FILES, offers),
            (SchemaOf::Profile, GATEWAYS, profile),
            (SchemaOf::Scenario, SCENARIOS, scenario),
        ];
        for (of, files, wanted) in tables {
            let schema = serde_json::from_str(&text(of)).unwrap();
            let validator = jsonschema::validator_for(&schema).unwrap();
            let files: Vec<_> = files.iter().filter(|file| wanted(file.path)).collect();
            assert!(!files.is_empty());
            for file in files {
                let value = serde_json::Value::from(&source::read(file.text).unwrap());
                let wrong: Vec<_> = validator
                    .iter_errors(&value)
                    .map(|wrong| format!("{wrong} at {}", wrong.instance_path()))
                    .collect();
                assert!(wrong.is_empty(), "{}: {wrong:#?}", file.path);
            }
        }
    }
}
