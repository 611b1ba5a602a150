//! Templates of a profile: one syntax, strict about what is undefined, and one way to say that a gateway cannot do a
//! thing. It does not know what is rendered, nor with what.

use super::undefined;
use minijinja::value::{Serde, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value};
use regex::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// A text with `{{ ... }}` in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Template(pub String);

/// What was found out on the way: an approval's id, a session's cookie.
pub(super) type Variables = BTreeMap<String, String>;

/// Why a template gave no text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// The template itself says that the gateway lacks what is asked for: not applicable, not a mistake.
    #[error("the gateway cannot express {0}")]
    Cannot(String),
    /// A mistake in the template.
    #[error("{0}")]
    Template(String),
}

/// What `cannot("...")` throws; carried through the engine as the error's source.
#[derive(Debug, thiserror::Error)]
#[error("cannot: {0}")]
struct Cannot(String);

/// The template engine with our few additions.
#[derive(Clone, Debug)]
pub(super) struct Engine(Environment<'static>);

impl Engine {
    /// The one way to build it.
    pub(super) fn new() -> Self {
        let mut environment = Environment::new();
        // Then it says what is undefined.
        environment.set_debug(true);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.add_function("cannot", |words: String| -> Result<Value, Error> {
            Err(Error::new(ErrorKind::InvalidOperation, "not applicable").with_source(Cannot(words)))
        });
        environment.add_filter("flagged", flagged);
        environment.add_filter("sha256", |text: String| -> String { hex(&Sha256::digest(text.as_bytes())) });
        Self(environment)
    }

    /// Whether a template can be read at all.
    pub(super) fn check(&self, text: &str) -> Result<(), RenderError> {
        self.0.template_from_str(text).map(drop).map_err(|error| told(&error, text, &Value::UNDEFINED))
    }

    /// The names that a template looks up and does not set itself.
    pub(super) fn names(&self, text: &str) -> Vec<String> {
        let looked_up = |text: &str| {
            let template = self.0.template_from_str(text);
            template.map(|template| template.undeclared_variables(false)).unwrap_or_default()
        };
        // The engine overlooks what is cut: of `key[1:]` it has nothing to say.
        let uncut = Regex::new(r"\[[^\[\]]*:[^\[\]]*\]").expect("an expression").replace_all(text, "");
        let mut names: Vec<String> = looked_up(text).union(&looked_up(&uncut)).cloned().collect();
        names.retain(|name| !self.0.globals().any(|(known, _)| known == name));
        names.sort();
        names
    }

    /// The text that a template gives with `context` and, over it, `variables`.
    pub(super) fn render(
        &self,
        text: &str,
        context: &Value,
        variables: &Variables,
    ) -> Result<String, RenderError> {
        self.render_over(text, context, over(variables))
    }

    /// The same with values of any kind.
    pub(super) fn render_over(
        &self,
        text: &str,
        context: &Value,
        over: BTreeMap<&str, Value>,
    ) -> Result<String, RenderError> {
        let scope = scope(context, over);
        self.0.render_str(text, &scope).map_err(|error| told(&error, text, &scope))
    }

    /// The same of a template that is read once and used for each of many.
    pub(super) fn render_each<'a>(
        &self,
        text: &str,
        context: &Value,
        each: impl Iterator<Item = BTreeMap<&'a str, Value>>,
    ) -> Result<Vec<String>, RenderError> {
        let template = self.0.template_from_str(text).map_err(|error| told(&error, text, context))?;
        let rendered = |over| {
            let scope = scope(context, over);
            template.render(&scope).map_err(|error| told(&error, text, &scope))
        };
        each.map(rendered).collect()
    }

    /// The words of a command: one for each text, or as many as a text that is a single expression lists.
    pub(super) fn words(
        &self,
        text: &str,
        context: &Value,
        variables: &Variables,
    ) -> Result<Vec<String>, RenderError> {
        if let Some(expression) = lone_expression(text) {
            let scope = scope(context, over(variables));
            let told = |error| told(&error, expression, &scope);
            let value = self.0.compile_expression(expression).and_then(|known| known.eval(&scope));
            let value = value.map_err(told)?;
            if matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) {
                let word = |word: Value| word.as_str().map_or_else(|| word.to_string(), str::to_owned);
                return Ok(value.try_iter().into_iter().flatten().map(word).collect());
            }
        }
        Ok(vec![self.render(text, context, variables)?])
    }
}

/// Each of a list with a flag before it: as words, `--block a --block b`.
fn flagged(names: &Value, flag: &str) -> Result<Vec<Value>, Error> {
    Ok(names.try_iter()?.flat_map(|name| [Value::from(flag), name]).collect())
}

/// Variables as values that stand before the facts.
fn over(variables: &Variables) -> BTreeMap<&str, Value> {
    variables.iter().map(|(name, value)| (name.as_str(), Value::from(value.as_str()))).collect()
}

/// What stands before the facts, and the facts.
pub(super) fn scope(context: &Value, over: BTreeMap<&str, Value>) -> Value {
    minijinja::context! { ..Value::from(over), ..context.clone() }
}

/// What stands between the braces of a text that is one expression and nothing else.
fn lone_expression(text: &str) -> Option<&str> {
    let inside = text.strip_prefix("{{")?.strip_suffix("}}")?;
    (!inside.contains("{{") && !inside.contains("}}")).then_some(inside)
}

/// Any serialisable value as one that templates see.
pub(super) fn value(of: impl Serialize) -> Value {
    Value::from(Serde(of))
}

fn told(error: &Error, text: &str, scope: &Value) -> RenderError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(link) = cause {
        if let Some(Cannot(words)) = link.downcast_ref::<Cannot>() {
            return RenderError::Cannot(words.clone());
        }
        cause = link.source();
    }
    RenderError::Template(undefined::told(error, text, scope))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(text: &str) -> Result<String, RenderError> {
        let context = value(serde_json::json!({"port": 80, "upstreams": [{"name": "lab"}]}));
        Engine::new().render(text, &context, &Variables::from([("approval".to_owned(), "a-1".to_owned())]))
    }

    #[test]
    fn variables_stand_before_facts_and_both_are_seen() {
        assert_eq!(rendered("{{ upstreams[0].name }}:{{ port }}/{{ approval }}").unwrap(), "lab:80/a-1");
        assert_eq!(rendered("{{ 'a' | sha256 }}").unwrap()[..8], *"ca978112");
    }

    #[test]
    fn the_names_that_a_template_looks_up_are_known_also_where_they_are_cut() {
        let names = |text: &str| Engine::new().names(text);
        assert_eq!(
            names("{{ a.b }}{% for c in d %}{{ c[1:] }}{% endfor %}{{ cannot(e[:f]) }}"),
            ["a", "d", "e", "f"]
        );
    }

    #[test]
    fn a_word_that_lists_is_as_many_words() {
        let context = value(serde_json::json!({"command": ["gate", "a b"], "port": 80}));
        let words = |text: &str| Engine::new().words(text, &context, &Variables::new());
        assert_eq!(words("{{ command }}").unwrap(), ["gate", "a b"]);
        assert_eq!(words("{{ command[1:] if port == 80 else [] }}").unwrap(), ["a b"]);
        assert_eq!(words("{{ [] }}").unwrap(), [""; 0]);
        assert_eq!(words("{{ command | flagged('-b') }}").unwrap(), ["-b", "gate", "-b", "a b"]);
        assert_eq!(words("{{ [] | flagged('-b') }}").unwrap(), [""; 0]);
        assert_eq!(words("{{ command[1] }}").unwrap(), ["a b"], "one word stays one");
        assert_eq!(words("--port={{ port }}").unwrap(), ["--port=80"]);
        assert_eq!(words("{{ cannot('pipes') }}"), Err(RenderError::Cannot("pipes".to_owned())));
        assert!(matches!(words("{{ comand }}"), Err(RenderError::Template(_))));
    }

    #[test]
    fn what_is_undefined_is_told_by_name_with_what_there_is() {
        let wrong = |text: &str| rendered(text).unwrap_err().to_string();
        let of = |text: &str| {
            let context = value(serde_json::json!({"port": 80, "files": {"policy": "p", "mint": "m"}}));
            let error = Engine::new().words(text, &context, &Variables::new()).unwrap_err();
            error.to_string()
        };
        let known = "known here: `approval`, `port`, `upstreams`";
        assert_eq!(wrong("{{ identity.name }}"), format!("`identity` is undefined; {known}"));
        assert_eq!(wrong("http://{{ prot }}"), format!("`prot` is undefined; did you mean `port`? {known}"));
        assert_eq!(
            wrong("\n{% for u in upstreams %}\n{{ u.adress }}{% endfor %}"),
            "`u.adress` is undefined in line 3"
        );
        assert_eq!(wrong("{{ upstreams[3].name }}"), "`upstreams[3]` is undefined");
        assert_eq!(
            wrong("{% macro of(entry) %}{{ entry.limts | length }}{% endmacro %}{{ of(upstreams[0]) }}"),
            "`entry.limts` is undefined"
        );
        assert_eq!(
            of("{{ files.polcy }}"),
            "`files.polcy` is undefined; did you mean `policy`? `files` has: `policy`, `mint`"
        );
        assert_eq!(of("{{ nobody.name }}"), "`nobody` is undefined; known here: `files`, `port`");
        assert_eq!(of("{{ port | sha255 }}"), "unknown filter: filter sha255 is unknown");
    }

    #[test]
    fn what_is_undefined_is_a_mistake_and_what_a_gateway_cannot_is_none() {
        assert!(matches!(rendered("{{ prot }}"), Err(RenderError::Template(_))));
        assert_eq!(rendered("{{ cannot('refunds') }}"), Err(RenderError::Cannot("refunds".to_owned())));
        let nested = "{% macro inner() %}{{ cannot('x') }}{% endmacro %}{% for u in upstreams %}{{ inner() }}{% endfor %}";
        assert_eq!(rendered(nested), Err(RenderError::Cannot("x".to_owned())));
    }
}
