//! What a scenario saved, and the templates that use it.
//!
//! A string that is exactly one `{{ expression }}` becomes the expression's value; any other string stays text.

use crate::wire::{Json, Object, parse};
use minijinja::{Environment, UndefinedBehavior, Value};
use std::collections::BTreeMap;

/// The variables of one scenario, by name.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    known: BTreeMap<String, serde_json::Value>,
}

/// A template that could not be filled; a fragment for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{template}` cannot be filled in: {why}")]
pub struct Unfilled {
    /// The template as written.
    pub template: String,
    /// Why not.
    pub why: String,
}

impl Variables {
    /// Remembers a value; a later one of that name replaces it.
    pub fn set(&mut self, name: &str, value: &Json) {
        self.known.insert(name.to_owned(), value.into());
    }

    /// The same variables and these besides.
    pub fn with<'a>(&self, more: impl IntoIterator<Item = (&'a str, &'a Json)>) -> Self {
        let mut joined = self.clone();
        more.into_iter().for_each(|(name, value)| joined.set(name, value));
        joined
    }

    /// The value with every template in it filled in; names of members stay as they are.
    pub fn fill(&self, value: &Json) -> Result<Json, Unfilled> {
        Ok(match value {
            Json::String(text) if text.contains("{{") => self.fill_text(text)?,
            Json::Array(elements) => {
                Json::Array(elements.iter().map(|element| self.fill(element)).collect::<Result<_, _>>()?)
            }
            Json::Object(object) => {
                let members = object.iter().map(|(name, value)| Ok((name.to_owned(), self.fill(value)?)));
                Json::Object(Object(members.collect::<Result<_, Unfilled>>()?))
            }
            other => other.clone(),
        })
    }

    /// One string: the value of the only expression in it, or the text around its values.
    pub fn fill_text(&self, text: &str) -> Result<Json, Unfilled> {
        let environment = environment();
        let failed = |error: minijinja::Error| Unfilled { template: text.to_owned(), why: error.to_string() };
        let context = Value::from_serialize(&self.known);
        match only_expression(text) {
            Some(expression) => {
                let value = environment.compile_expression(expression).and_then(|one| one.eval(context)).map_err(failed)?;
                if value.is_undefined() {
                    return Err(Unfilled { template: text.to_owned(), why: "it is not defined".to_owned() });
                }
                Ok(serde_json::to_value(&value).unwrap_or_default().into())
            }
            None => environment.render_str(text, context).map(Json::String).map_err(failed),
        }
    }

    /// One string that stays one.
    pub fn text(&self, text: &str) -> Result<String, Unfilled> {
        if !text.contains("{{") {
            return Ok(text.to_owned());
        }
        Ok(match self.fill_text(text)? {
            Json::String(text) => text,
            other => other.to_string(),
        })
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_keep_trailing_newline(true);
    environment
}

/// The expression, if the text is nothing but one.
fn only_expression(text: &str) -> Option<&str> {
    let inner = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    (!inner.contains("{{") && !inner.contains("}}")).then_some(inner)
}

/// The value at a pointer, which may go on into JSON that is held in a string: `/content/0/text/data/flow_id`.
pub fn reach(value: &Json, pointer: &str) -> Option<Json> {
    let mut current = value.clone();
    for token in pointer.strip_prefix('/')?.split('/') {
        if let Json::String(text) = &current {
            current = parse(text.as_bytes()).ok()?;
        }
        current = current.pointer(&format!("/{token}"))?.clone();
    }
    Some(current)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Json {
        parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn one_expression_keeps_its_type_and_text_stays_text() {
        let mut variables = Variables::default();
        variables.set("id", &value("104"));
        let filled = variables.fill(&value(r#"{"a":"{{ id }}","b":["vm {{ id }}"],"c":5.0}"#)).unwrap();
        assert_eq!(filled.to_string(), r#"{"a":104,"b":["vm 104"],"c":5.0}"#);
    }

    #[test]
    fn what_was_never_saved_is_an_error_with_its_name() {
        let error = Variables::default().fill(&value(r#"["{{ flow }}"]"#)).unwrap_err();
        assert_eq!(error.template, "{{ flow }}");
        assert!(Variables::default().text("x {{ flow }}").is_err());
    }

    #[test]
    fn a_pointer_goes_on_into_json_within_a_string() {
        let result = value(r#"{"structuredContent":{"result":"{\"ok\": true, \"data\": {\"flow_id\": \"F.1\"}}"}}"#);
        assert_eq!(reach(&result, "/structuredContent/result/data/flow_id"), Some(Json::from("F.1")));
        assert_eq!(reach(&result, "/structuredContent/result/data/none"), None);
    }
}
