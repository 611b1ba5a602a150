//! When an answer fits: conditions on arguments, on the nth call, on who calls, or on anything an expression says.

use super::template::{Scope, Template};
use super::value::{from_plain, member, same, text};
use minijinja::value::ValueKind;
use minijinja::{Error, Value};
use regex::Regex;
use serde_json::Value as Plain;
use std::cmp::Ordering;
use std::fmt;

/// One condition and how it was written.
pub(super) struct Condition {
    subject: Subject,
    checks: Vec<Check>,
    written: String,
}

enum Subject {
    /// An argument of that name.
    Argument(Value),
    /// A name of the scope: `nth` or `identity`.
    Name(&'static str),
    /// The value of an expression.
    Expression(Template),
}

enum Check {
    Equal(Value),
    Unequal(Value),
    Among(Vec<Value>),
    Matches(Regex),
    Exists(bool),
    Ordered(fn(Ordering) -> bool, Value),
    True,
}

/// What may stand in a mapping of checks.
const OPERATORS: [&str; 9] = ["eq", "ne", "in", "matches", "exists", "gt", "gte", "lt", "lte"];

impl Condition {
    /// Reads one member of `when`; the complaint names it.
    pub(super) fn compile(name: &str, written: &Plain) -> Result<Self, String> {
        let subject = match name {
            "nth" => Subject::Name("nth"),
            "identity" => Subject::Name("identity"),
            "if" => {
                Subject::Expression(Template::compile(written).map_err(|wrong| format!("`if`: {wrong}"))?)
            }
            argument => Subject::Argument(Value::from(argument)),
        };
        let checks = match (&subject, written) {
            (Subject::Expression(_), _) => vec![Check::True],
            (_, Plain::Object(checks)) => checks
                .iter()
                .map(|(operator, operand)| {
                    check(operator, operand).map_err(|wrong| format!("`{name}`: {wrong}"))
                })
                .collect::<Result<_, _>>()?,
            (_, plain) => vec![Check::Equal(from_plain(plain))],
        };
        Ok(Self { subject, checks, written: format!("`{name}: {written}`") })
    }

    /// Whether it can be answered without the names that the tool defines.
    pub(super) fn is_plain(&self) -> bool {
        !matches!(self.subject, Subject::Expression(_))
    }

    /// Whether it holds for a call.
    pub(super) fn holds(&self, scope: &Scope) -> Result<bool, Error> {
        let value = match &self.subject {
            Subject::Argument(name) => scope.get("args").map(|args| member(args, name)).unwrap_or_default(),
            Subject::Name(name) => scope.get(name).cloned().unwrap_or_default(),
            Subject::Expression(expression) => expression.fill(scope)?,
        };
        Ok(self.checks.iter().all(|check| check.holds(&value)))
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.written)
    }
}

fn check(operator: &str, operand: &Plain) -> Result<Check, String> {
    let ordered = |holds: fn(Ordering) -> bool| Ok(Check::Ordered(holds, from_plain(operand)));
    match operator {
        "eq" => Ok(Check::Equal(from_plain(operand))),
        "ne" => Ok(Check::Unequal(from_plain(operand))),
        "in" => match operand.as_array() {
            Some(values) => Ok(Check::Among(values.iter().map(from_plain).collect())),
            None => Err("`in` needs a list".to_owned()),
        },
        "matches" => match operand.as_str().map(Regex::new) {
            Some(Ok(pattern)) => Ok(Check::Matches(pattern)),
            Some(Err(error)) => Err(format!(
                "`{operand}` is no regex: {}",
                error.to_string().lines().last().unwrap_or_default()
            )),
            None => Err("`matches` needs a regex".to_owned()),
        },
        "exists" => {
            operand.as_bool().map(Check::Exists).ok_or_else(|| "`exists` needs true or false".to_owned())
        }
        "gt" => ordered(Ordering::is_gt),
        "gte" => ordered(Ordering::is_ge),
        "lt" => ordered(Ordering::is_lt),
        "lte" => ordered(Ordering::is_le),
        unknown => Err(format!("`{unknown}` is unknown; known are `{}`", OPERATORS.join("`, `"))),
    }
}

impl Check {
    fn holds(&self, value: &Value) -> bool {
        let is_there = !value.is_undefined() && !value.is_none();
        match self {
            Self::Equal(wanted) => same(value, wanted),
            Self::Unequal(wanted) => !same(value, wanted),
            Self::Among(wanted) => wanted.iter().any(|wanted| same(value, wanted)),
            Self::Matches(pattern) => is_there && pattern.is_match(&text(value)),
            Self::Exists(wanted) => is_there == *wanted,
            Self::Ordered(holds, bound) => {
                let comparable = value.kind() == bound.kind()
                    && matches!(value.kind(), ValueKind::Number | ValueKind::String);
                comparable && holds(value.cmp(bound))
            }
            Self::True => value.is_true(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn holds(name: &str, written: &Plain) -> bool {
        let mut scope = Scope::default();
        scope.add("args", from_plain(&json!({"n": 5, "s": "Abc", "gone": null, "list": [1]})));
        scope.add("nth", 2);
        scope.add("identity", "alice");
        Condition::compile(name, written).unwrap().holds(&scope).unwrap()
    }

    #[test]
    fn conditions_hold_or_not() {
        for (name, written, expected) in [
            ("n", json!(5), true),
            ("n", json!(5.0), true),
            ("n", json!("5"), false),
            ("n", json!({"gt": 4, "lte": 5}), true),
            ("n", json!({"gt": "4"}), false),
            ("s", json!({"matches": "(?i)^abc$"}), true),
            ("s", json!({"in": ["x", "Abc"]}), true),
            ("s", json!({"ne": "Abc"}), false),
            ("gone", json!({"exists": false}), true),
            ("gone", json!({"matches": ".*"}), false),
            ("missing", json!({"exists": false}), true),
            ("missing", json!({"ne": 1}), true),
            ("list", json!({"eq": [1]}), true),
            ("nth", json!(2), true),
            ("nth", json!({"gte": 3}), false),
            ("identity", json!("alice"), true),
            ("if", json!("{{ args.n > 4 and nth == 2 }}"), true),
            ("if", json!("{{ args.missing }}"), false),
        ] {
            assert_eq!(holds(name, &written), expected, "{name}: {written}");
        }
    }

    #[test]
    fn mistakes_name_what_is_known() {
        let wrong = |name, written: Plain| Condition::compile(name, &written).err().unwrap();
        assert!(wrong("n", json!({"above": 1})).contains("`above` is unknown; known are `eq`"));
        assert!(wrong("n", json!({"matches": "("})).contains("no regex"));
        assert!(wrong("if", json!("{{ a ~ }}")).starts_with("`if`"));
    }
}
