//! Expressions over texts and over JSON, and what their named groups catch. It does not know where a text comes from.

use crate::wire::{Json, parse};
use indexmap::IndexMap;
use regex::Regex;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// What named groups caught: `reason`, `retry_after`, `approval`, or anything an approval needs later.
pub(super) type Captures = BTreeMap<String, String>;

/// An expression, searched and not anchored.
#[derive(Clone, Debug)]
pub(crate) struct Pattern(pub(crate) Regex);

/// What a text is like: an expression alone, or also what the JSON in it holds.
#[derive(Clone, Debug)]
pub(super) enum Saying {
    /// An expression.
    Text(Pattern),
    /// JSON, which may stand among other words.
    Parts(Parts),
}

/// The parts of a text.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Parts {
    /// The whole text.
    matches: Option<Pattern>,
    /// The JSON in the text, which may stand among other words: by member name or JSON pointer; a value that is no
    /// text is matched as JSON.
    json: Members,
}

/// Members of a JSON value, by name or JSON pointer, and what each must match.
pub(super) type Members = IndexMap<String, Pattern>;

impl Saying {
    /// Whether it says nothing, and so would hold of every text.
    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Parts(Parts { matches: None, json }) if json.is_empty())
    }

    /// The expressions in it.
    pub(super) fn patterns(&self) -> Vec<&Pattern> {
        match self {
            Self::Text(pattern) => vec![pattern],
            Self::Parts(parts) => parts.matches.iter().chain(parts.json.values()).collect(),
        }
    }

    /// Adds what is caught in `text`; `None` where it is not like that.
    pub(super) fn catch(&self, text: &str, into: &mut Captures) -> Option<()> {
        match self {
            Self::Text(pattern) => pattern.catch(text, into),
            Self::Parts(parts) => {
                if let Some(pattern) = &parts.matches {
                    pattern.catch(text, into)?;
                }
                if parts.json.is_empty() { Some(()) } else { members(&parts.json, &json_in(text)?, into) }
            }
        }
    }
}

/// Adds what is caught in members of a value; `None` where one is absent or does not match.
pub(super) fn members(wanted: &Members, value: &Json, into: &mut Captures) -> Option<()> {
    for (place, pattern) in wanted {
        let found = if place.starts_with('/') { value.pointer(place) } else { value.get(place) }?;
        pattern.catch(&plain_text(found), into)?;
    }
    Some(())
}

/// The JSON that a text is, or that stands in it behind a few words.
fn json_in(text: &str) -> Option<Json> {
    let whole = parse(text.trim().as_bytes());
    whole.ok().or_else(|| {
        let (begin, end) = (text.find(['{', '['])?, text.rfind(['}', ']'])?);
        parse(text.get(begin..=end)?.as_bytes()).ok()
    })
}

fn plain_text(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

impl Pattern {
    /// Adds what the named groups catch in `text`; `None` where the expression does not match.
    pub(super) fn catch(&self, text: &str, into: &mut Captures) -> Option<()> {
        let found = self.0.captures(text)?;
        for name in self.names() {
            if let Some(group) = found.name(name) {
                into.insert(name.to_owned(), group.as_str().to_owned());
            }
        }
        Some(())
    }

    /// The names of its groups.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.capture_names().flatten()
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Regex::new(&String::deserialize(deserializer)?).map(Self).map_err(de::Error::custom)
    }
}

impl JsonSchema for Pattern {
    fn schema_name() -> Cow<'static, str> {
        "Pattern".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "regex" })
    }
}

impl<'de> Deserialize<'de> for Saying {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Shape)
    }
}

struct Shape;

impl<'de> Visitor<'de> for Shape {
    type Value = Saying;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an expression, or a mapping of `matches` and `json`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Saying, E> {
        Regex::new(text).map(|regex| Saying::Text(Pattern(regex))).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Saying, A::Error> {
        Parts::deserialize(MapAccessDeserializer::new(map)).map(Saying::Parts)
    }
}

impl JsonSchema for Saying {
    fn schema_name() -> Cow<'static, str> {
        "Saying".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let pattern = generator.subschema_for::<Pattern>();
        let parts = generator.subschema_for::<Parts>();
        json_schema!({ "oneOf": [pattern, parts] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caught(saying: &str, text: &str) -> Option<Captures> {
        let saying: Saying = crate::source::typed(saying).unwrap();
        let mut captures = Captures::new();
        saying.catch(text, &mut captures).map(|()| captures)
    }

    #[test]
    fn json_is_found_alone_and_among_words() {
        let saying = r"{json: {/error/code: '^denied$', reason: '(?<reason>.+)'}}";
        for text in [
            r#"{"error": {"code": "denied"}, "reason": "\"so\" it is"}"#,
            "Error calling tool: {\"reason\": \"\\\"so\\\" it is\", \"error\": {\"code\": \"denied\"}}\n(2 ms)",
        ] {
            assert_eq!(caught(saying, text).unwrap()["reason"], "\"so\" it is");
        }
        for text in ["denied", r#"{"error": "denied", "reason": "x"}"#, r#"{"error": {"code": "denied"}}"#] {
            assert_eq!(caught(saying, text), None, "{text}");
        }
    }

    #[test]
    fn an_expression_alone_is_the_short_form() {
        assert_eq!(caught("'^no (?<reason>.*)'", "no way").unwrap()["reason"], "way");
        assert_eq!(caught("{matches: '^no', json: {/a: '^1$'}}", "no {\"a\": 1}"), Some(Captures::new()));
        assert_eq!(caught("{matches: '^no', json: {/a: '^1$'}}", "so {\"a\": 1}"), None);
    }
}
