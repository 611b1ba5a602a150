//! How Python shows values: `repr`, type names, and the spacing of its JSON. Both real servers are written in it, and
//! their error texts and results carry these spellings.

use crate::wire::Json;
use serde_json::Value as Plain;
use std::fmt::Write as _;

/// `repr(value)` of what Python's JSON reader makes of a value.
pub(super) fn repr(value: &Json) -> String {
    match value {
        Json::Null => "None".to_owned(),
        Json::Bool(value) => if *value { "True" } else { "False" }.to_owned(),
        Json::Number(number) if is_integer(number.spelling()) => number.spelling().to_owned(),
        Json::Number(number) => match number.as_f64() {
            Some(value) => float(value),
            None => number.spelling().to_lowercase().replace("infinity", "inf"),
        },
        Json::String(text) => repr_text(text),
        Json::Array(elements) => format!("[{}]", elements.iter().map(repr).collect::<Vec<_>>().join(", ")),
        Json::Object(object) => {
            let members = object.iter().map(|(name, value)| format!("{}: {}", repr_text(name), repr(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Whether a number's spelling is that of a Python `int`.
pub(super) fn is_integer(spelling: &str) -> bool {
    spelling.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
}

/// `type(value).__name__`.
pub(super) fn type_name(value: &Json) -> &'static str {
    match value {
        Json::Null => "NoneType",
        Json::Bool(_) => "bool",
        Json::Number(number) if is_integer(number.spelling()) => "int",
        Json::Number(_) => "float",
        Json::String(_) => "str",
        Json::Array(_) => "list",
        Json::Object(_) => "dict",
    }
}

/// `repr` of a double: the shortest digits, with an exponent from 1e16 on and below 1e-4.
fn float(value: f64) -> String {
    if !value.is_finite() {
        return format!("{value}").to_lowercase();
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let power: i32 = exponent.parse().unwrap_or_default();
    if (-4..16).contains(&power) {
        return format!("{value:?}");
    }
    format!("{mantissa}e{}{:02}", if power < 0 { '-' } else { '+' }, power.abs())
}

fn repr_text(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut shown = String::from(quote);
    for letter in text.chars() {
        match letter {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            '\\' => shown.push_str("\\\\"),
            _ if letter == quote => shown.extend(['\\', quote]),
            _ if !letter.is_control() && (letter == ' ' || !letter.is_whitespace()) => shown.push(letter),
            _ => {
                let code = u32::from(letter);
                let _ = if code < 0x100 {
                    write!(shown, "\\x{code:02x}")
                } else {
                    write!(shown, "\\u{code:04x}")
                };
            }
        }
    }
    shown.push(quote);
    shown
}

/// `json.dumps(value)`: spaces after commas and colons, nothing but ASCII.
pub(super) fn dumps(value: &Plain) -> String {
    let mut text = String::new();
    dump(&mut text, value);
    text
}

fn dump(text: &mut String, value: &Plain) {
    match value {
        Plain::Number(number) if number.is_f64() => {
            text.push_str(&float(number.as_f64().unwrap_or_default()));
        }
        Plain::String(inner) => dump_text(text, inner),
        Plain::Array(elements) => {
            text.push('[');
            for (index, element) in elements.iter().enumerate() {
                text.push_str(if index > 0 { ", " } else { "" });
                dump(text, element);
            }
            text.push(']');
        }
        Plain::Object(members) => {
            text.push('{');
            for (index, (name, value)) in members.iter().enumerate() {
                text.push_str(if index > 0 { ", " } else { "" });
                dump_text(text, name);
                text.push_str(": ");
                dump(text, value);
            }
            text.push('}');
        }
        other => {
            let _ = write!(text, "{other}");
        }
    }
}

fn dump_text(text: &mut String, inner: &str) {
    let escaped = Plain::from(inner).to_string();
    for letter in escaped.chars() {
        if letter.is_ascii() && letter != '\u{7f}' {
            text.push(letter);
            continue;
        }
        let mut units = [0; 2];
        for unit in letter.encode_utf16(&mut units) {
            let _ = write!(text, "\\u{unit:04x}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::parse;
    use serde_json::json;

    #[test]
    fn values_are_shown_as_python_shows_them() {
        for (written, shown) in [
            (r#"{"zz":{"a":[1,2.5,null,true,"it's"]}}"#, r#"{'zz': {'a': [1, 2.5, None, True, "it's"]}}"#),
            (r#"{"k":"é\"\n'","j":"a\"b"}"#, r#"{'k': 'é"\n\'', 'j': 'a"b'}"#),
            ("12345678901234567890123", "12345678901234567890123"),
            ("1e22", "1e+22"),
            ("1e15", "1000000000000000.0"),
            ("0.0001", "0.0001"),
            ("0.00001", "1e-05"),
            ("-0.0", "-0.0"),
            ("1.5e300", "1.5e+300"),
            (r#""\u0000\u2028""#, r"'\x00\u2028'"),
        ] {
            assert_eq!(repr(&parse(written.as_bytes()).unwrap()), shown);
        }
    }

    #[test]
    fn json_is_spaced_and_ascii() {
        assert_eq!(
            dumps(&json!({"ok": true, "data": [{"a": "é😀", "b": 1e16}, null]})),
            r#"{"ok": true, "data": [{"a": "\u00e9\ud83d\ude00", "b": 1e+16}, null]}"#
        );
        assert_eq!(dumps(&json!([])), "[]");
    }
}
