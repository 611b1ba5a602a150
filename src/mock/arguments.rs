//! Arguments against parameters, as leniently as pydantic, the checker of both real servers, and in its words.
//!
//! Measured on pydantic 2.14: `"5"` is an integer, `"yes"` a boolean, `123` no string.

use super::parameters::{Kind, Parameter, Parameters};
use super::python::{is_integer, repr, type_name};
use super::value::{from_wire, integer as long};
use crate::wire::{Json, Object, parse};
use minijinja::Value;
use serde::{Deserialize, Serialize};

/// How forgiving a server is with arguments, and how it says what is wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Rules {
    /// The name of what is checked, a template over `tool`.
    pub(super) model: String,
    /// What is said of a missing argument.
    pub(super) missing: Missing,
    /// What becomes of an argument that no parameter takes.
    pub(super) extra: Extra,
    /// Whether a text that is JSON stands for its value where the parameter is no text.
    pub(super) json_in_text: bool,
    /// Where each kind of mistake is explained; its name is added.
    pub(super) explained: String,
    /// The whole text of a refusal, a template over `tool` and `problems`.
    pub(super) refusal: String,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            model: "{{ tool }}".to_owned(),
            missing: Missing::MissingArgument,
            extra: Extra::Refuse,
            json_in_text: false,
            explained: "https://errors.pydantic.dev/2.14/v/".to_owned(),
            refusal: "{{ problems }}".to_owned(),
        }
    }
}

/// What is said of a missing argument: the checker has one kind for functions and one for models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Missing {
    /// The parameters are those of a function.
    MissingArgument,
    /// The parameters are the fields of a model.
    Missing,
}

/// What becomes of an argument that no parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Extra {
    /// It is a mistake.
    Refuse,
    /// It is left out.
    Ignore,
}

/// One mistake: where, which kind, and the value.
#[derive(Debug, PartialEq)]
pub(super) struct Problem {
    place: String,
    kind: &'static str,
    value: Json,
}

/// Kinds of mistakes and their words.
const WORDS: [(&str, &str); 16] = [
    ("missing_argument", "Missing required argument"),
    ("missing", "Field required"),
    ("unexpected_keyword_argument", "Unexpected keyword argument"),
    ("string_type", "Input should be a valid string"),
    ("int_type", "Input should be a valid integer"),
    ("int_parsing", "Input should be a valid integer, unable to parse string as an integer"),
    ("int_from_float", "Input should be a valid integer, got a number with a fractional part"),
    ("int_parsing_size", "Unable to parse input string as an integer, exceeded maximum size"),
    ("finite_number", "Input should be a finite number"),
    ("float_type", "Input should be a valid number"),
    ("float_parsing", "Input should be a valid number, unable to parse string as a number"),
    ("bool_type", "Input should be a valid boolean"),
    ("bool_parsing", "Input should be a valid boolean, unable to interpret input"),
    ("list_type", "Input should be a valid list"),
    ("dict_type", "Input should be a valid dictionary"),
    ("none_required", "Input should be None"),
];

/// The arguments as the tool sees them, defaults filled in, in the order of the parameters.
pub(super) fn check(parameters: &Parameters, given: &Object, rules: &Rules) -> Result<Value, Vec<Problem>> {
    let unpacked = if rules.json_in_text { unpack(parameters, given) } else { None };
    let given = unpacked.as_ref().unwrap_or(given);
    let mut problems = Vec::new();
    let mut taken = Vec::with_capacity(parameters.0.len());
    for parameter in &parameters.0 {
        match (given.get(&parameter.name), &parameter.default) {
            (Some(value), _) => match take(&parameter.kind, value, &parameter.name) {
                Ok(value) => taken.push((parameter.name.as_str(), value)),
                Err(wrong) => problems.extend(wrong),
            },
            (None, Some(default)) => taken.push((parameter.name.as_str(), default.clone())),
            (None, None) if parameter.required => problems.push(missing(parameter, given, rules)),
            (None, None) => {}
        }
    }
    if rules.extra == Extra::Refuse {
        let unexpected = given.iter().filter(|(name, _)| parameters.get(name).is_none());
        problems.extend(unexpected.map(|(name, value)| problem(name, "unexpected_keyword_argument", value)));
    }
    if problems.is_empty() { Ok(Value::from_pairs(taken)) } else { Err(problems) }
}

fn missing(parameter: &Parameter, given: &Object, rules: &Rules) -> Problem {
    let kind = match rules.missing {
        Missing::MissingArgument => "missing_argument",
        Missing::Missing => "missing",
    };
    Problem { place: parameter.name.clone(), kind, value: Json::Object(given.clone()) }
}

/// Texts that hold JSON lists or objects, where the parameter is no text; `None` where there are none.
fn unpack(parameters: &Parameters, given: &Object) -> Option<Object> {
    let inner = |name: &str, value: &Json| {
        let wants_text = parameters.get(name).is_none_or(|parameter| parameter.kind == Kind::Text);
        let inner = value.as_str().filter(|_| !wants_text).and_then(|text| parse(text.as_bytes()).ok())?;
        matches!(inner, Json::Null | Json::Array(_) | Json::Object(_)).then_some(inner)
    };
    let unpacked: Vec<_> =
        given.iter().filter_map(|(name, value)| Some((name.to_owned(), inner(name, value)?))).collect();
    if unpacked.is_empty() {
        return None;
    }
    let mut whole = given.clone();
    for (name, value) in unpacked {
        whole.set(&name, value);
    }
    Some(whole)
}

fn problem(place: &str, kind: &'static str, value: &Json) -> Problem {
    Problem { place: place.to_owned(), kind, value: value.clone() }
}

fn take(kind: &Kind, value: &Json, place: &str) -> Result<Value, Vec<Problem>> {
    let wrong = |kind| Err(vec![problem(place, kind, value)]);
    match (kind, value) {
        (Kind::Any, _) | (Kind::Text, Json::String(_)) | (Kind::Null, Json::Null) => Ok(from_wire(value)),
        (Kind::Text, _) => wrong("string_type"),
        (Kind::Null, _) => wrong("none_required"),
        (Kind::Integer, _) => integer(value).or_else(wrong),
        (Kind::Number, _) => number(value).or_else(wrong),
        (Kind::Boolean, _) => boolean(value).or_else(wrong),
        (Kind::List(inner), Json::Array(elements)) => {
            let each = elements
                .iter()
                .enumerate()
                .map(|(index, element)| take(inner, element, &format!("{place}.{index}")));
            all(each).map(Value::from)
        }
        (Kind::List(_), _) => wrong("list_type"),
        (Kind::Map(inner), Json::Object(object)) => {
            let each = object.iter().map(|(name, value)| {
                take(inner, value, &format!("{place}.{name}")).map(|value| (name.to_owned(), value))
            });
            all(each).map(Value::from_pairs)
        }
        (Kind::Map(_), _) => wrong("dict_type"),
        (Kind::Either(kinds), _) => either(kinds, value, place),
    }
}

/// All of them, or all their mistakes.
fn all<T>(each: impl Iterator<Item = Result<T, Vec<Problem>>>) -> Result<Vec<T>, Vec<Problem>> {
    let (mut taken, mut problems) = (Vec::new(), Vec::new());
    for one in each {
        match one {
            Ok(value) => taken.push(value),
            Err(wrong) => problems.extend(wrong),
        }
    }
    if problems.is_empty() { Ok(taken) } else { Err(problems) }
}

/// `T | None` complains as `T` does; a wider union complains for each of its members, and prefers an exact match.
fn either(kinds: &[Kind], value: &Json, place: &str) -> Result<Value, Vec<Problem>> {
    let real: Vec<&Kind> = kinds.iter().filter(|kind| **kind != Kind::Null).collect();
    if value.is_null() && real.len() < kinds.len() {
        return Ok(from_wire(value));
    }
    if let [only] = real[..] {
        return take(only, value, place);
    }
    if real.iter().any(|kind| is_exactly(kind, value)) {
        return Ok(from_wire(value));
    }
    let mut problems = Vec::new();
    for kind in real {
        match take(kind, value, &format!("{place}.{}", kind.python())) {
            Ok(value) => return Ok(value),
            Err(wrong) => problems.extend(wrong),
        }
    }
    Err(problems)
}

fn is_exactly(kind: &Kind, value: &Json) -> bool {
    match (kind, value) {
        (Kind::Any, _) | (Kind::Text, Json::String(_)) | (Kind::Boolean, Json::Bool(_)) => true,
        (Kind::Integer, Json::Number(number)) => is_integer(number.spelling()),
        (Kind::Number, Json::Number(number)) => !is_integer(number.spelling()),
        _ => false,
    }
}

fn integer(value: &Json) -> Result<Value, &'static str> {
    match value {
        Json::Bool(value) => Ok(Value::from(i64::from(*value))),
        Json::Number(number) if is_integer(number.spelling()) => Ok(from_wire(value)),
        Json::Number(number) => match number.as_f64() {
            None => Err("finite_number"),
            Some(double) if double.fract() != 0.0 => Err("int_from_float"),
            Some(double) if double.abs() >= 9.2e18 => Err("int_parsing_size"),
            Some(double) => Ok(Value::from(double as i64)),
        },
        Json::String(text) if digits_of(text) > MOST_DIGITS => Err("int_parsing_size"),
        Json::String(text) => integer_text(text).ok_or("int_parsing"),
        _ => Err("int_type"),
    }
}

/// Python makes no integer of a text with more digits.
const MOST_DIGITS: usize = 4_300;

/// How many digits a text has, where it has nothing else.
fn digits_of(text: &str) -> usize {
    let digits = text.trim().trim_start_matches(['+', '-']).trim_start_matches('0');
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.len() } else { 0 }
}

/// A sign, digits with single underscores between them, and a fraction of zeros only; spaces around.
fn integer_text(text: &str) -> Option<Value> {
    let text = text.trim();
    let whole = match text.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0') => whole,
        Some(_) => return None,
        None => text,
    };
    let digits = whole.strip_prefix(['+', '-']).unwrap_or(whole);
    let sound = !digits.is_empty()
        && digits.split('_').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    let plain = whole.replace('_', "");
    sound.then(|| long(&plain).or_else(|| plain.parse::<f64>().map(Value::from).ok()))?
}

fn number(value: &Json) -> Result<Value, &'static str> {
    match value {
        Json::Bool(value) => Ok(Value::from(f64::from(u8::from(*value)))),
        Json::Number(_) => Ok(from_wire(value)),
        Json::String(text) => text.trim().parse::<f64>().map(Value::from).map_err(|_| "float_parsing"),
        _ => Err("float_type"),
    }
}

fn boolean(value: &Json) -> Result<Value, &'static str> {
    let word = |text: &str| match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "t" | "yes" | "y" | "on" => Ok(true),
        "0" | "false" | "f" | "no" | "n" | "off" => Ok(false),
        _ => Err("bool_parsing"),
    };
    match value {
        Json::Bool(value) => Ok(*value),
        Json::String(text) => word(text),
        Json::Number(number) => match number.as_f64() {
            Some(0.0) => Ok(false),
            Some(1.0) => Ok(true),
            // Only what fits into 64 bits is ever taken for a word.
            Some(double) if double.fract() == 0.0 && double.abs() < 9.2e18 => Err("bool_parsing"),
            _ => Err("bool_type"),
        },
        _ => Err("bool_type"),
    }
    .map(Value::from)
}

/// The checker's whole text: how many mistakes, then each with its place, its words and a link.
pub(super) fn told(problems: &[Problem], model: &str, rules: &Rules) -> String {
    let plural = if problems.len() == 1 { "" } else { "s" };
    let mut text = format!("{} validation error{plural} for {model}", problems.len());
    for Problem { place, kind, value } in problems {
        let words = WORDS.iter().find(|(known, _)| known == kind).map_or(*kind, |(_, words)| words);
        let (shown, name) = (shortened(&repr(value)), type_name(value));
        text.push_str(&format!(
            "\n{place}\n  {words} [type={kind}, input_value={shown}, input_type={name}]\n    For further information visit {}{kind}",
            rules.explained
        ));
    }
    text
}

/// More than fifty bytes are cut down to the first 25 and the last 24.
fn shortened(text: &str) -> String {
    if text.len() <= 50 {
        return text.to_owned();
    }
    let head = (0..=25).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    let tail = (text.len() - 24..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    format!("{}...{}", &text[..head], &text[tail..])
}

#[cfg(test)]
mod tests;
