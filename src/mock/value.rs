//! Values on their way between JSON and the template engine.

use crate::wire::Json;
use minijinja::Value;
use minijinja::value::ValueKind;
use serde_json::Value as Plain;
use std::borrow::Cow;

/// For the template engine, from what an author wrote.
pub(super) fn from_plain(value: &Plain) -> Value {
    match value {
        Plain::Null => Value::from(()),
        Plain::Bool(value) => Value::from(*value),
        Plain::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Value::from(number),
            (None, Some(number)) => Value::from(number),
            (None, None) => Value::from(number.as_f64().unwrap_or(f64::NAN)),
        },
        Plain::String(text) => Value::from(text),
        Plain::Array(elements) => Value::from(elements.iter().map(from_plain).collect::<Vec<_>>()),
        Plain::Object(members) => {
            Value::from_pairs(members.iter().map(|(name, value)| (name, from_plain(value))))
        }
    }
}

/// For the template engine, from a frame. Integers beyond 128 bits become the nearest double.
pub(super) fn from_wire(value: &Json) -> Value {
    match value {
        Json::Null => Value::from(()),
        Json::Bool(value) => Value::from(*value),
        Json::Number(number) => {
            integer(number.spelling()).unwrap_or_else(|| Value::from(number.as_f64().unwrap_or(f64::NAN)))
        }
        Json::String(text) => Value::from(text),
        Json::Array(elements) => Value::from(elements.iter().map(from_wire).collect::<Vec<_>>()),
        Json::Object(object) => {
            Value::from_pairs(object.iter().map(|(name, value)| (name, from_wire(value))))
        }
    }
}

/// An integer of at most 128 bits.
pub(super) fn integer(digits: &str) -> Option<Value> {
    digits.parse::<i64>().map(Value::from).or_else(|_| digits.parse::<i128>().map(Value::from)).ok()
}

/// From the template engine. What is undefined is null, as it is for the real servers.
pub(super) fn to_plain(value: &Value) -> Plain {
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => Plain::Null,
        ValueKind::Bool => Plain::Bool(value.is_true()),
        ValueKind::Number => number(value),
        ValueKind::Seq | ValueKind::Iterable => {
            Plain::Array(value.try_iter().into_iter().flatten().map(|element| to_plain(&element)).collect())
        }
        ValueKind::Map => {
            let members = value.try_iter().into_iter().flatten();
            Plain::Object(members.map(|name| (text(&name), to_plain(&member(value, &name)))).collect())
        }
        _ => Plain::String(text(value)),
    }
}

/// The JSON text of a value, without spaces: what `to_plain` would be written as, without making it.
pub(super) fn compact(value: &Value) -> String {
    let mut text = Vec::new();
    write(&mut text, value);
    String::from_utf8(text).expect("JSON is text")
}

/// A text as JSON.
pub(super) fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a text is always JSON")
}

fn write(out: &mut Vec<u8>, value: &Value) {
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => out.extend_from_slice(b"null"),
        ValueKind::Bool => out.extend_from_slice(if value.is_true() { b"true" } else { b"false" }),
        ValueKind::Number => out.extend_from_slice(number(value).to_string().as_bytes()),
        ValueKind::Seq | ValueKind::Iterable => {
            out.push(b'[');
            for (place, element) in value.try_iter().into_iter().flatten().enumerate() {
                out.extend_from_slice(if place > 0 { b"," } else { b"" });
                write(out, &element);
            }
            out.push(b']');
        }
        ValueKind::Map => {
            out.push(b'{');
            for (place, name) in value.try_iter().into_iter().flatten().enumerate() {
                out.extend_from_slice(if place > 0 { b"," } else { b"" });
                write_text(out, &name);
                out.push(b':');
                write(out, &member(value, &name));
            }
            out.push(b'}');
        }
        _ => write_text(out, value),
    }
}

fn write_text(out: &mut Vec<u8>, value: &Value) {
    let text = value.as_str().map_or_else(|| Cow::Owned(text(value)), Cow::Borrowed);
    serde_json::to_writer(out, &*text).expect("memory takes everything");
}

fn number(value: &Value) -> Plain {
    if value.is_integer() {
        if let Some(number) = value.as_i64() {
            return Plain::from(number);
        }
        if let Ok(number) = u64::try_from(value.clone()) {
            return Plain::from(number);
        }
    }
    f64::try_from(value.clone()).map_or(Plain::Null, Plain::from)
}

/// The member of a mapping; undefined where there is none, or no mapping.
pub(super) fn member(value: &Value, name: &Value) -> Value {
    value.get_item(name).unwrap_or_default()
}

/// A value as text: strings as they are, nothing for null, JSON for what is nested.
pub(super) fn text(value: &Value) -> String {
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => String::new(),
        ValueKind::String => value.as_str().unwrap_or_default().to_owned(),
        ValueKind::Bool => value.is_true().to_string(),
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map => to_plain(value).to_string(),
        _ => value.to_string(),
    }
}

/// Equality as authors mean it: numbers by value, everything else exactly; no kind equals another.
pub(super) fn same(left: &Value, right: &Value) -> bool {
    left.kind() == right.kind() && left == right
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_survive_the_way_there_and_back() {
        for value in
            [json!(null), json!({"b": [1, 2.5, "x", true], "a": {}}), json!(u64::MAX), json!(-3), json!("é")]
        {
            assert_eq!(to_plain(&from_plain(&value)), value);
            assert_eq!(compact(&from_plain(&value)), value.to_string());
            assert_eq!(to_plain(&from_wire(&Json::from(value.clone()))), value);
        }
        let long = crate::wire::parse(b"100000000000000000000").unwrap();
        assert_eq!(text(&from_wire(&long)), "100000000000000000000");
        let members = json!({"z": 1, "a": 2});
        assert_eq!(to_plain(&from_plain(&members)).to_string(), members.to_string(), "order is kept");
    }

    #[test]
    fn equality_is_by_value_within_a_kind() {
        assert!(same(&Value::from(5), &Value::from(5.0)));
        assert!(!same(&Value::from(1), &Value::from(true)));
        assert!(!same(&Value::from("5"), &Value::from(5)));
        assert!(!same(&Value::from(()), &Value::UNDEFINED));
    }
}
