//! The template engine, set up for frames: `{{ }}` alone means something, and no text is escaped or trimmed.

use crate::wire::{Json, Number, Object};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, escape_formatter};

/// The names that the templates in a text take from outside.
pub(super) fn mentioned(text: &str) -> Vec<String> {
    taken(text, false)
}

/// What the templates in a text take from within one of them.
pub(super) fn members(text: &str, of: &str) -> Vec<String> {
    let inner = |name: String| Some(name.strip_prefix(of)?.strip_prefix('.')?.to_owned());
    taken(text, true).into_iter().filter_map(inner).collect()
}

fn taken(text: &str, nested: bool) -> Vec<String> {
    if !text.contains("{{") {
        return Vec::new();
    }
    let environment = environment();
    let Ok(template) = environment.template_from_str(text) else { return Vec::new() };
    let names = template.undeclared_variables(nested).into_iter();
    let mut names: Vec<String> =
        names.filter(|name| !environment.globals().any(|(global, _)| global == name)).collect();
    names.sort();
    names
}

/// Why a text is no template, if it is none.
pub(super) fn broken(text: &str) -> Option<String> {
    let environment = environment();
    text.contains("{{").then(|| environment.template_from_str(text).err().map(|error| plain(&error)))?
}

/// The inside of a text that is one expression and nothing else.
pub(super) fn expression(text: &str) -> Option<&str> {
    let inside = text.strip_prefix("{{")?.strip_suffix("}}")?;
    (!inside.contains("{{") && !inside.contains("}}")).then(|| inside.trim())
}

/// The engine.
pub(super) fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    // Within a text, too, a list or an object is what a frame can hold.
    environment.set_formatter(|out, state, value| match value.kind() {
        ValueKind::Map | ValueKind::Seq | ValueKind::Iterable => Ok(write!(out, "{}", json(value))?),
        _ => escape_formatter(out, state, value),
    });
    // Frames are full of braces: only `{{` may mean anything, so tags and comments get marks that no frame holds.
    let syntax = SyntaxConfig::builder()
        .block_delimiters("\u{1}{%", "%}\u{1}")
        .comment_delimiters("\u{1}{#", "#}\u{1}")
        .keep_trailing_newline(true)
        .build();
    if let Ok(syntax) = syntax {
        environment.set_syntax(syntax);
    }
    environment
}

/// A value as the engine knows it.
pub(super) fn native(value: &Json) -> Value {
    match value {
        Json::Null => Value::from(()),
        Json::Bool(value) => Value::from(*value),
        Json::Number(number) => native_number(number),
        Json::String(text) => Value::from(text),
        Json::Array(elements) => elements.iter().map(native).collect(),
        Json::Object(object) => {
            Value::from_pairs(object.iter().map(|(name, value)| (name.to_owned(), native(value))))
        }
    }
}

fn native_number(number: &Number) -> Value {
    let spelling = number.spelling();
    spelling
        .parse::<i128>()
        .map(Value::from)
        .or_else(|_| spelling.parse::<f64>().map(Value::from))
        .unwrap_or_else(|_| Value::from(spelling))
}

/// The engine's value as ours.
pub(super) fn json(value: &Value) -> Json {
    let within = || value.try_iter().into_iter().flatten();
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => Json::Null,
        ValueKind::Bool => Json::Bool(value.is_true()),
        ValueKind::Number => match Number::from_spelling(&value.to_string()) {
            Some(number) => Json::Number(number),
            None => Json::String(value.to_string()),
        },
        ValueKind::Seq | ValueKind::Iterable => Json::Array(within().map(|element| json(&element)).collect()),
        ValueKind::Map => {
            let member = |key: Value| {
                let below = value.get_item(&key).map(|below| json(&below)).unwrap_or_default();
                (key.to_string(), below)
            };
            Json::Object(Object(within().map(member).collect()))
        }
        _ => Json::String(value.to_string()),
    }
}

/// The engine's words, without the name of a template that has none.
pub(super) fn plain(error: &minijinja::Error) -> String {
    error.detail().map_or_else(|| error.kind().to_string(), str::to_owned)
}
