//! How a gateway is started, when it is ready, and what it leaves behind.

use super::OneOrMany;
use crate::gateway::saying::Pattern;
use crate::gateway::template::Template;
use crate::source::Span;
use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// How it is started.
#[derive(Clone, Debug)]
pub enum Start {
    /// It lives in the harness itself.
    Embedded,
    /// It is a process.
    Command(Box<StartCommand>),
}

/// A process to start.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StartCommand {
    /// Program and arguments.
    pub(crate) command: Vec<Template>,
    /// Variables of its environment, beside the few that every child gets.
    #[serde(default)]
    pub(crate) environment: IndexMap<String, Template>,
    /// When it may be spoken to; on stdio the answer to the first request says so.
    pub(crate) ready: Option<Ready>,
    /// What it leaves behind, and how that is ended.
    #[serde(default)]
    pub(crate) cleanup: OneOrMany<Cleanup>,
}

/// When a gateway may be spoken to.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ready {
    /// An address that answers anything at all.
    pub(crate) http: Option<Template>,
    /// A line on its standard output or standard error.
    pub(crate) line: Option<Pattern>,
    /// How long that may take.
    #[serde(default = "half_a_minute")]
    pub(crate) within: Span,
}

/// Something that a gateway leaves behind.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cleanup {
    /// The file that holds a process id.
    pub(crate) kill_pid_file: Template,
    /// Where in that file, if it is JSON.
    pub(crate) pid: Option<String>,
}

fn half_a_minute() -> Span {
    Span(Duration::from_secs(30))
}

impl<'de> Deserialize<'de> for Start {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StartVisitor)
    }
}

struct StartVisitor;

impl<'de> Visitor<'de> for StartVisitor {
    type Value = Start;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("`embedded`, or a mapping with `command`")
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<Start, E> {
        if word == "embedded" { Ok(Start::Embedded) } else { Err(E::unknown_variant(word, &["embedded"])) }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Start, A::Error> {
        StartCommand::deserialize(MapAccessDeserializer::new(map)).map(Box::new).map(Start::Command)
    }
}

impl JsonSchema for Start {
    fn schema_name() -> Cow<'static, str> {
        "Start".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let command = generator.subschema_for::<StartCommand>();
        json_schema!({ "oneOf": [{ "const": "embedded" }, command] })
    }
}
