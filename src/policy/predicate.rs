//! One condition on one argument, and what it makes of values that are missing or of another type.

use super::path;
use crate::wire::Json;
use regex::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::sync::OnceLock;

/// A condition on an argument.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Predicate {
    /// `args.a.b`, or a JSON pointer into the arguments.
    pub arg: String,
    /// How the argument is compared.
    pub op: Op,
    /// What it is compared with.
    pub value: serde_json::Value,
    /// What the agent is told when this denies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_deny: Option<String>,
    #[serde(skip)]
    prepared: OnceLock<Prepared>,
}

/// How an argument is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// Equal: numbers by value, strings exactly, objects as sets of members.
    Eq,
    /// Not equal.
    Neq,
    /// Less than.
    Lt,
    /// At most.
    Lte,
    /// More than.
    Gt,
    /// At least.
    Gte,
    /// Equal to one of a list.
    In,
    /// Equal to none of a list.
    NotIn,
    /// There at all (`true`), or missing (`false`).
    Exists,
    /// The expression is found somewhere in the string.
    Regex,
    /// The string has this within it, or the array has this as an element.
    Contains,
}

/// What the comparison needs, made once.
#[derive(Clone, Debug)]
struct Prepared {
    tokens: Option<Vec<String>>,
    value: Json,
    regex: Option<Regex>,
}

/// What a condition finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Finding {
    Missing,
    /// A value of a type that the condition does not speak about.
    Retyped,
    Is(bool),
}

impl PartialEq for Predicate {
    fn eq(&self, other: &Self) -> bool {
        (&self.arg, self.op, &self.value, &self.on_deny)
            == (&other.arg, other.op, &other.value, &other.on_deny)
    }
}

impl Predicate {
    /// A condition without words of its own.
    pub fn new(arg: &str, op: Op, value: impl Into<serde_json::Value>) -> Self {
        let prepared = OnceLock::new();
        Self { arg: arg.to_owned(), op, value: value.into(), on_deny: None, prepared }
    }

    /// As a `require`: missing holds for nothing but `exists: false`, another type for nothing.
    pub fn holds(&self, arguments: &Json) -> bool {
        self.finding(arguments) == Finding::Is(true)
    }

    /// As a `deny_if`: missing matches nothing, another type matches always.
    pub fn matches(&self, arguments: &Json) -> bool {
        matches!(self.finding(arguments), Finding::Retyped | Finding::Is(true))
    }

    /// Why this can never work, a fragment.
    pub(super) fn mistake(&self, denies: bool) -> Option<String> {
        use serde_json::Value;
        if let Err(what) = path::tokens(&self.arg) {
            return Some(what);
        }
        match (self.op, &self.value) {
            (Op::Exists, Value::Bool(false)) if denies => Some(
                "`exists: false` under `deny_if` never matches: say `exists: true` under `require`".into(),
            ),
            (Op::Exists, Value::Bool(_)) | (Op::In | Op::NotIn, Value::Array(_)) => None,
            (Op::Exists, _) => Some("`exists` wants `true` or `false`".into()),
            (Op::In | Op::NotIn, _) => Some(format!("`{}` wants a list", self.op.word())),
            (_, Value::Null) => Some("null is missing: say `exists`".into()),
            (Op::Lt | Op::Lte | Op::Gt | Op::Gte, value) if !value.is_number() => {
                Some(format!("`{}` wants a number", self.op.word()))
            }
            (Op::Regex, Value::String(pattern)) => Regex::new(pattern).err().map(|error| {
                let reason = error.to_string();
                format!(
                    "the expression does not compile: {}",
                    reason.lines().last().unwrap_or_default().trim()
                )
            }),
            (Op::Regex, _) => Some("`regex` wants a string".into()),
            _ => None,
        }
    }

    fn finding(&self, arguments: &Json) -> Finding {
        let prepared = self.prepared.get_or_init(|| self.prepare());
        // A path that is none was never checked: nothing passes by it.
        let Some(tokens) = &prepared.tokens else { return Finding::Retyped };
        let found = path::resolve(arguments, tokens);
        match (self.op, found) {
            (Op::Exists, found) => Finding::Is(prepared.value.as_bool() == Some(found.is_some())),
            (_, None) => Finding::Missing,
            (op, Some(found)) => compare(op, found, prepared),
        }
    }

    fn prepare(&self) -> Prepared {
        let regex = match self.op {
            Op::Regex => self.value.as_str().and_then(|pattern| Regex::new(pattern).ok()),
            _ => None,
        };
        Prepared { tokens: path::tokens(&self.arg).ok(), value: self.value.clone().into(), regex }
    }
}

impl Op {
    /// The word of the document.
    pub fn word(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Neq => "neq",
            Self::Lt => "lt",
            Self::Lte => "lte",
            Self::Gt => "gt",
            Self::Gte => "gte",
            Self::In => "in",
            Self::NotIn => "not_in",
            Self::Exists => "exists",
            Self::Regex => "regex",
            Self::Contains => "contains",
        }
    }
}

fn compare(op: Op, found: &Json, prepared: &Prepared) -> Finding {
    let wanted = &prepared.value;
    match op {
        Op::Eq => equal(found, wanted),
        Op::Neq => negated(equal(found, wanted)),
        Op::Lt => ordered(found, wanted, Ordering::is_lt),
        Op::Lte => ordered(found, wanted, Ordering::is_le),
        Op::Gt => ordered(found, wanted, Ordering::is_gt),
        Op::Gte => ordered(found, wanted, Ordering::is_ge),
        Op::In => among(found, wanted),
        Op::NotIn => negated(among(found, wanted)),
        Op::Contains => contains(found, wanted),
        Op::Regex => match (found.as_str(), &prepared.regex) {
            (Some(text), Some(regex)) => Finding::Is(regex.is_match(text)),
            _ => Finding::Retyped,
        },
        Op::Exists => Finding::Is(true),
    }
}

fn negated(finding: Finding) -> Finding {
    if let Finding::Is(yes) = finding { Finding::Is(!yes) } else { finding }
}

fn equal(found: &Json, wanted: &Json) -> Finding {
    if std::mem::discriminant(found) != std::mem::discriminant(wanted) {
        return Finding::Retyped;
    }
    Finding::Is(crate::wire::canonical::same(found, wanted))
}

fn ordered(found: &Json, wanted: &Json, accepts: fn(Ordering) -> bool) -> Finding {
    match (found, wanted) {
        (Json::Number(found), Json::Number(wanted)) => {
            found.compare(wanted).map_or(Finding::Retyped, |order| Finding::Is(accepts(order)))
        }
        _ => Finding::Retyped,
    }
}

/// Of another type only if it is of another type than every element.
fn among(found: &Json, wanted: &Json) -> Finding {
    let Some(elements) = wanted.as_array() else { return Finding::Retyped };
    let findings: Vec<Finding> = elements.iter().map(|element| equal(found, element)).collect();
    match findings.iter().all(|finding| *finding == Finding::Retyped) && !findings.is_empty() {
        true => Finding::Retyped,
        false => Finding::Is(findings.contains(&Finding::Is(true))),
    }
}

fn contains(found: &Json, wanted: &Json) -> Finding {
    match (found, wanted) {
        (Json::String(text), Json::String(part)) => Finding::Is(text.contains(part.as_str())),
        (Json::Array(elements), wanted) => {
            let findings: Vec<Finding> = elements.iter().map(|element| equal(element, wanted)).collect();
            // `[["main"]]` must not slip past what `["main"]` runs into.
            match (findings.contains(&Finding::Is(true)), findings.contains(&Finding::Retyped)) {
                (true, _) => Finding::Is(true),
                (false, true) => Finding::Retyped,
                (false, false) => Finding::Is(false),
            }
        }
        _ => Finding::Retyped,
    }
}

#[cfg(test)]
mod tests;
