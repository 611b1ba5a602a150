//! The JSON Schema of a scenario file, for editors: what can be told without knowing any name.
//!
//! A scenario has short forms that no type derives, so the shapes are written down here, as data; the words in them
//! come from the tables that the reader uses, and the policy's part from the policy's own types. Tests hold the two
//! together: every scenario of the project is valid, and what the reader refuses for its form is not.

mod expect;
mod step;

use super::document::Severity;
use super::read::{AUDITS, ERAS, GIVES_UP, SPOILS};
use crate::policy::Policy;
use crate::wire::Revision;
use schemars::Schema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// The schema of a scenario file.
pub fn schema() -> Schema {
    let mut definitions = policy();
    definitions.extend(common());
    definitions.extend(expect::definitions());
    definitions.extend(step::definitions());
    let root = object(
        "What an agent does, and what a gateway should make of it.",
        json!({
            "scenario": {"type": "string", "minLength": 1, "description": "One sentence: what should be true."},
            "requirement": described(reference("names"), "The requirements that it proves, such as `DENY-01`."),
            "attack": object("The documented attack that it replays.", json!({
                "pattern": reference("names"), "owasp": reference("names"),
                "atlas": reference("names"), "see": reference("names")
            }), &[]),
            "severity": {"enum": words(&Severity::ALL.map(|(word, _)| word)), "description": "How bad a failure is."},
            "why": {"type": "string", "description": "Why anybody should care."},
            "spec": {"type": "string", "description": "Where the rule is written down."},
            "tags": described(reference("names"), "Words to select by."),
            "era": {"enum": eras(), "description": "The protocol eras that it is run in."},
            "given": reference("given"),
            "observe": {"type": "boolean", "description": "Reported, never failing."},
            "upstreams": reference("upstreams"),
            "decoys": described(reference("names"), "Servers that the gateway is told nothing of: nothing may ever arrive there. Each speaks as the first upstream does; `{{ NAME }}` is its address."),
            "policy": reference("policy"),
            "identities": {
                "description": "Who has a credential: with a policy of their own, the scenario's, or (`policy: null`) none.",
                "type": "object",
                "additionalProperties": {"anyOf": [{"type": "null"}, object("An identity.", json!({
                    "policy": {"anyOf": [{"type": "null"}, reference("policy")]}
                }), &[])]}
            },
            "sessions": {
                "description": "The connections, each with the identity behind it.",
                "type": "object",
                "additionalProperties": {"anyOf": [{"type": ["string", "null"]}, object("A session.", json!({
                    "identity": {"type": "string"}, "client": {"type": "string"}, "offers": reference("names")
                }), &[])]}
            },
            "audit": {
                "enum": words(&AUDITS.map(|(word, _)| word)),
                "description": "The gateway's own record is on a full disk: nothing can be written to it, from the beginning."
            },
            "canaries": {
                "description": "Markers, minted for each run, and where they must never turn up: `client`, `audit`, or an upstream.",
                "type": "object",
                "additionalProperties": object("A canary.", json!({"never": reference("names")}), &["never"])
            },
            "steps": {"type": "array", "items": reference("step"), "description": "What is done, in order."}
        }),
        &["scenario", "steps"],
    );
    let mut whole =
        map(json!({"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Scenario"}));
    whole.append(&mut map(root));
    whole.insert("$defs".into(), Value::Object(definitions));
    Schema::from(whole)
}

/// The policy's own types, and `spoiled` beside its members.
fn policy() -> Map<String, Value> {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    generator.subschema_for::<Policy>();
    let mut definitions = generator.take_definitions(true);
    let spoiled = json!({"enum": words(&SPOILS.map(|(word, _)| word)), "description": "Breaks the rendered file on purpose."});
    let mut beside = definitions.get("Policy").cloned().unwrap_or_default();
    if let Some(properties) = beside.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert("spoiled".into(), spoiled.clone());
    }
    definitions.remove("Policy");
    let alone = object("Nothing but a broken file.", json!({"spoiled": spoiled}), &["spoiled"]);
    definitions.insert("policy".into(), json!({"anyOf": [beside, alone]}));
    definitions
}

/// A name as HTTP has them (RFC 9110, 5.6.2).
const TOKEN: &str = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";

/// Shapes that stand in many places.
fn common() -> Map<String, Value> {
    let value = json!({"anyOf": [filled(r"[^\x00-\x08\x0A-\x1F\x7F]*"), {"type": "null"}]});
    let headers = json!({"type": "object", "propertyNames": filled(TOKEN), "additionalProperties": value});
    let given = json!({
        "description": "What a gateway has to declare.",
        "type": "object",
        "additionalProperties": {"anyOf": [
            {"type": ["string", "boolean", "number"]},
            {"type": "array", "items": {"type": ["string", "boolean", "number"]}}
        ]}
    });
    map(json!({
        "name": {"type": "string", "minLength": 1},
        "names": {"anyOf": [reference("name"), {"type": "array", "items": reference("name")}]},
        "duration": {"type": "string", "description": "Such as `2s`, `500ms` or `1m 30s`.", "pattern": "^\\s*[0-9]"},
        "within": {"anyOf": [
            {"const": GIVES_UP, "description": "As long as the gateway declares that it waits for a server, and a second more."},
            reference("duration")
        ]},
        "count": {"type": "integer", "minimum": 0},
        "headers": headers,
        "given": given
    }))
}

fn eras() -> Vec<&'static str> {
    ERAS.iter().map(|(word, _)| *word).chain(Revision::ALL.map(Revision::as_str)).collect()
}

/// An object with these members and no others.
fn object(description: &str, properties: Value, required: &[&str]) -> Value {
    let mut object = Map::new();
    object.insert("type".into(), "object".into());
    object.insert("description".into(), description.into());
    object.insert("properties".into(), properties);
    object.insert("additionalProperties".into(), false.into());
    if !required.is_empty() {
        object.insert("required".into(), words(required));
    }
    Value::Object(object)
}

/// A text of that form, or a template.
fn filled(pattern: &str) -> Value {
    json!({"type": "string", "pattern": format!(r"^{pattern}$|\{{\{{")})
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/$defs/{name}")})
}

fn described(mut schema: Value, description: &str) -> Value {
    schema["description"] = description.into();
    schema
}

fn words(words: &[&str]) -> Value {
    words.iter().copied().map(Value::from).collect()
}

fn map(value: Value) -> Map<String, Value> {
    if let Value::Object(map) = value { map } else { Map::new() }
}
