//! Variables and the templates that use them.
//!
//! A text that is exactly one `{{ expression }}` becomes the expression's own value; any other text with `{{` in it
//! becomes text. A text that is exactly one variable becomes that variable *as it was written*, so that
//! `9007199254740993` and `5e2` survive.

use super::template::{self, environment, expression, native, plain};
use crate::wire::{Json, Object};
use indexmap::IndexMap;
use minijinja::Value;

/// The variable in which every tool has the name that the gateway shows: `{{ tools.destroy_vm }}`.
pub const TOOLS: &str = "tools";

/// The variable in which a frame finds what the session's era wants in `_meta`: `"_meta":{{ envelope }}`. In the legacy
/// era that is `{}`.
pub const ENVELOPE: &str = "envelope";

/// The variable that holds the path at which agents reach the gateway over HTTP: `/mcp`, at most gateways.
pub const ENDPOINT: &str = "endpoint";

/// A template that cannot be filled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{template}`: {why}")]
pub struct Unfilled {
    /// The template.
    pub template: String,
    /// Why, a fragment.
    pub why: String,
}

impl Unfilled {
    /// Whether the template uses a variable of that name.
    pub fn names(&self, name: &str) -> bool {
        let word = |text: char| text.is_alphanumeric() || text == '_';
        self.template.split(|text: char| !word(text)).any(|part| part == name)
    }
}

/// Named values, the later set winning.
#[derive(Clone, Debug, Default)]
pub struct Variables(IndexMap<String, Json>);

impl Variables {
    /// Sets one.
    pub fn set(&mut self, name: &str, value: impl Into<Json>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// The value of one.
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.0.get(name)
    }

    /// The names, in the order in which they were first set.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// A text filled in, its own value where it is one expression.
    pub fn fill_text(&self, text: &str) -> Result<Json, Unfilled> {
        if !text.contains("{{") {
            return Ok(text.into());
        }
        let unfilled = |why: String| Unfilled { template: text.to_owned(), why };
        match expression(text) {
            Some(name) if self.0.contains_key(name) => Ok(self.0[name].clone()),
            Some(source) => {
                let environment = environment();
                let compiled =
                    environment.compile_expression(source).map_err(|error| unfilled(plain(&error)))?;
                let value = compiled.eval(self.context()).map_err(|error| unfilled(plain(&error)))?;
                // An undefined value would silently become null, and a call without its argument.
                if value.is_undefined() {
                    return Err(unfilled("nothing of that name is known here".to_owned()));
                }
                Ok(template::json(&value))
            }
            None => self.fill_string(text).map(Json::String),
        }
    }

    /// A text filled in, as text whatever it is.
    pub fn fill_string(&self, text: &str) -> Result<String, Unfilled> {
        if !text.contains("{{") {
            return Ok(text.to_owned());
        }
        let unfilled = |error: minijinja::Error| Unfilled { template: text.to_owned(), why: plain(&error) };
        environment().render_str(text, self.context()).map_err(unfilled)
    }

    /// A value with every text in it filled in; names of members are no templates.
    pub fn fill(&self, value: &Json) -> Result<Json, Unfilled> {
        Ok(match value {
            Json::String(text) => self.fill_text(text)?,
            Json::Array(elements) => {
                Json::Array(elements.iter().map(|each| self.fill(each)).collect::<Result<_, _>>()?)
            }
            Json::Object(object) => Json::Object(self.fill_object(object)?),
            _ => value.clone(),
        })
    }

    /// An object with every text in it filled in.
    pub fn fill_object(&self, object: &Object) -> Result<Object, Unfilled> {
        let members = object.0.iter().map(|(name, value)| Ok((name.clone(), self.fill(value)?)));
        members.collect::<Result<_, _>>().map(Object)
    }

    fn context(&self) -> Value {
        Value::from_pairs(self.0.iter().map(|(name, value)| (name.clone(), native(value))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::template::{broken, mentioned};
    use crate::wire::parse;

    fn variables() -> Variables {
        let mut variables = Variables::default();
        variables.set("flow", "F.1");
        variables.set("big", parse(b"9007199254740993").unwrap());
        variables.set("odd", parse(b"5.00e2").unwrap());
        variables.set("vm", parse(br#"{"ID": 104, "tags": ["a", "b"]}"#).unwrap());
        variables.set("none", Json::Null);
        variables
    }

    #[test]
    fn one_expression_keeps_its_value_and_its_spelling() {
        for (template, value) in [
            ("{{ big }}", "9007199254740993"),
            ("{{ odd }}", "5.00e2"),
            ("{{big}}", "9007199254740993"),
            ("{{ none }}", "null"),
            ("{{ vm.ID }}", "104"),
            ("{{ vm.ID ~ '' }}", "\"104\""),
            ("{{ vm.tags }}", r#"["a","b"]"#),
            ("{{ vm }}", r#"{"ID":104,"tags":["a","b"]}"#),
            ("id {{ vm.ID }} of {{ flow }}", "\"id 104 of F.1\""),
            ("{{ vm }} ", r#""{\"ID\":104,\"tags\":[\"a\",\"b\"]} ""#),
            ("{{ dict(vm, ID=none, on=true) }};", r#""{\"ID\":null,\"tags\":[\"a\",\"b\"],\"on\":true};""#),
            ("{{ flow }}{{ flow }}", "\"F.1F.1\""),
            ("{{ 'long-' * 3 }}", "\"long-long-long-\""),
            ("{{ 2 > 1 }}", "true"),
            ("no template", "\"no template\""),
            ("{\"a\":{{ vm.ID }}}\n", "\"{\\\"a\\\":104}\\n\""),
        ] {
            assert_eq!(variables().fill_text(template).unwrap().to_string(), value, "{template}");
        }
        assert_eq!(
            variables().fill_text("{{ '9' * 1048576 }}").unwrap().as_str().map(str::len),
            Some(1_048_576)
        );
    }

    #[test]
    fn values_are_filled_to_the_bottom() {
        let value = parse(br#"{"a": ["{{ flow }}", {"b": "{{ big }}"}], "{{ flow }}": 1.0}"#).unwrap();
        let filled = variables().fill(&value).unwrap().to_string();
        assert_eq!(filled, r#"{"a":["F.1",{"b":9007199254740993}],"{{ flow }}":1.0}"#);
    }

    #[test]
    fn what_is_not_known_is_told() {
        for template in ["{{ flo }}", "x {{ flo }}", "{{ flow | nope }}", "{{ flow", "{{ vm.none.deeper }}"] {
            assert!(variables().fill_text(template).is_err(), "{template}");
        }
        assert_eq!(mentioned("{{ flow ~ vm.ID }} {{ 'x' * size }} {{ range(3) }}"), ["flow", "size", "vm"]);
        assert!(mentioned("{} {{").is_empty());
        assert!(broken("{{ flow").is_some() && broken("{{ flow }}").is_none() && broken("{").is_none());
    }
}
