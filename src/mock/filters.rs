//! What our templates can do beyond minijinja's own: questions to tables of rows, and digests.

use super::value::{from_plain, member, same, text};
use minijinja::value::{Kwargs, Rest, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Value};
use regex::{Regex, RegexBuilder};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

/// The one environment of all mocks: what an expression may use never depends on the mock.
pub(super) static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(environment);

/// A fresh environment that knows everything.
pub(super) fn environment() -> Environment<'static> {
    let mut known = Environment::new();
    known.add_filter("where", |rows: Value, fields: Kwargs| keep(&rows, &fields, true));
    known.add_filter("without", |rows: Value, fields: Kwargs| keep(&rows, &fields, false));
    known.add_filter("among", |rows: Value, field: Value, list: Value| among(&rows, &field, &list, true));
    known
        .add_filter("not_among", |rows: Value, field: Value, list: Value| among(&rows, &field, &list, false));
    known.add_filter("patch", |rows: Value, changes: Value, fields: Kwargs| patch(&rows, &changes, &fields));
    known.add_filter("plus", |rows: Value, row: Value| {
        Ok::<_, Error>(list(elements(&rows)?.into_iter().chain([row])))
    });
    known.add_filter("merge", |left: Value, right: Value| merge(&left, &right));
    known.add_filter("grep", |rows: Value, columns: Kwargs| grep(&rows, &columns));
    known.add_filter("columns", |rows: Value, names: String| columns(&rows, &names));
    known.add_filter("matches", |subject: Value, pattern: String| matches(&subject, &pattern));
    known.add_function("digest", |length: usize, parts: Rest<Value>| hex(&hash(&parts), length));
    known.add_function("base32hex", |length: usize, parts: Rest<Value>| base32hex(&hash(&parts), length));
    known
}

fn elements(rows: &Value) -> Result<Vec<Value>, Error> {
    match rows.kind() {
        ValueKind::Seq | ValueKind::Iterable => Ok(rows.try_iter()?.collect()),
        kind => {
            Err(Error::new(ErrorKind::InvalidOperation, format!("a list of rows was expected, not {kind}")))
        }
    }
}

fn list(rows: impl IntoIterator<Item = Value>) -> Value {
    Value::from(rows.into_iter().collect::<Vec<_>>())
}

/// The keyword arguments, all of them used.
fn fields(given: &Kwargs) -> Result<Vec<(Value, Value)>, Error> {
    let names: Vec<&str> = given.args().collect();
    names.into_iter().map(|name| Ok((Value::from(name), given.get::<Value>(name)?))).collect()
}

fn fits(row: &Value, wanted: &[(Value, Value)]) -> bool {
    wanted.iter().all(|(name, value)| same(&member(row, name), value))
}

fn keep(rows: &Value, wanted: &Kwargs, fitting: bool) -> Result<Value, Error> {
    let wanted = fields(wanted)?;
    Ok(list(elements(rows)?.into_iter().filter(|row| fits(row, &wanted) == fitting)))
}

fn among(rows: &Value, field: &Value, allowed: &Value, within: bool) -> Result<Value, Error> {
    let allowed = elements(allowed)?;
    let is_within = |row: &Value| allowed.iter().any(|value| same(value, &member(row, field)));
    Ok(list(elements(rows)?.into_iter().filter(|row| is_within(row) == within)))
}

fn patch(rows: &Value, changes: &Value, wanted: &Kwargs) -> Result<Value, Error> {
    let wanted = fields(wanted)?;
    let patched = elements(rows)?.into_iter().map(|row| match fits(&row, &wanted) {
        true => merge(&row, changes),
        false => Ok(row),
    });
    Ok(list(patched.collect::<Result<Vec<_>, _>>()?))
}

fn merge(left: &Value, right: &Value) -> Result<Value, Error> {
    let mut merged: Vec<(Value, Value)> = Vec::new();
    for mapping in [left, right] {
        if mapping.kind() != ValueKind::Map {
            let kind = mapping.kind();
            return Err(Error::new(
                ErrorKind::InvalidOperation,
                format!("a mapping was expected, not {kind}"),
            ));
        }
        for name in mapping.try_iter()? {
            let value = member(mapping, &name);
            match merged.iter_mut().find(|(known, _)| *known == name) {
                Some((_, old)) => *old = value,
                None => merged.push((name, value)),
            }
        }
    }
    Ok(Value::from_pairs(merged))
}

/// Patterns that were compiled, by their text and whether case counts. Compiling costs more than all else in a call.
static PATTERNS: LazyLock<Mutex<Patterns>> = LazyLock::new(Mutex::default);

type Patterns = HashMap<(String, bool), Result<Regex, regex::Error>>;

/// How many patterns are kept: those of the answers, and some of the arguments.
const KEPT: usize = 512;

fn compiled(text: &str, ignore_case: bool) -> Result<Regex, regex::Error> {
    let mut patterns = PATTERNS.lock().expect("no writer panics");
    if patterns.len() >= KEPT {
        patterns.clear();
    }
    let compile = || RegexBuilder::new(text).case_insensitive(ignore_case).build();
    patterns.entry((text.to_owned(), ignore_case)).or_insert_with(compile).clone()
}

/// The pattern without regard to case; `None` stands for one that matches everything, as `.` does in the real query
/// language, even where there is no text at all.
fn pattern(text: &str) -> Result<Option<Regex>, regex::Error> {
    match text {
        "" | "." | ".*" => Ok(None),
        text => compiled(text, true).map(Some),
    }
}

fn grep(rows: &Value, wanted: &Kwargs) -> Result<Value, Error> {
    let mut patterns = Vec::new();
    for (name, value) in fields(wanted)? {
        match pattern(&text(&value)) {
            Ok(Some(pattern)) => patterns.push((name, pattern)),
            Ok(None) => {}
            Err(_) => return Ok(list([])),
        }
    }
    let fits =
        |row: &Value| patterns.iter().all(|(name, pattern)| pattern.is_match(&text(&member(row, name))));
    Ok(list(elements(rows)?.into_iter().filter(fits)))
}

fn columns(rows: &Value, names: &str) -> Result<Value, Error> {
    if names.trim() == "*" {
        return Ok(rows.clone());
    }
    let names: Vec<Value> = names.split(',').map(|name| Value::from(name.trim())).collect();
    let cell = |row: &Value, name: &Value| match member(row, name) {
        value if value.is_undefined() => from_plain(&serde_json::Value::Null),
        value => value,
    };
    let narrow = |row: Value| Value::from_pairs(names.iter().map(|name| (name.clone(), cell(&row, name))));
    Ok(list(elements(rows)?.into_iter().map(narrow)))
}

fn matches(subject: &Value, pattern: &str) -> Result<bool, Error> {
    let wrong = |error| {
        Error::new(ErrorKind::InvalidOperation, format!("`{pattern}` is no regex")).with_source(error)
    };
    Ok(compiled(pattern, false).map_err(wrong)?.is_match(&text(subject)))
}

/// SHA-256 over the texts of the parts, with a mark between them that no text has.
fn hash(parts: &[Value]) -> Vec<u8> {
    let texts: Vec<String> = parts.iter().map(text).collect();
    Sha256::digest(texts.join("\u{1f}")).to_vec()
}

fn hex(hash: &[u8], length: usize) -> String {
    hash.iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from_digit(digit.into(), 16).unwrap_or('0'))
        .take(length)
        .collect()
}

fn base32hex(hash: &[u8], length: usize) -> String {
    let bit = |index: usize| usize::from(hash[index / 8 % hash.len()] >> (7 - index % 8) & 1);
    let digit = |place: usize| (0..5).fold(0, |value, offset| value * 2 + bit(place * 5 + offset));
    (0..length).map(|place| char::from(b"0123456789ABCDEFGHIJKLMNOPQRSTUV"[digit(place)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mock::value::to_plain;
    use serde_json::json;

    fn evaluate(expression: &str) -> Result<serde_json::Value, Error> {
        let rows = json!([
            {"id": 1, "name": "dc", "port": 53, "on": true, "more": {"a": 1}, "gone": null},
            {"id": 2, "name": "kali", "port": 22, "on": false, "more": {"a": 2}, "gone": "x"}
        ]);
        let names = Value::from_pairs([("rows", from_plain(&rows))]);
        ENVIRONMENT.compile_expression(expression).unwrap().eval(names).map(|value| to_plain(&value))
    }

    #[test]
    fn rows_are_asked_by_their_fields() {
        for (expression, expected) in [
            ("rows | where(id=2.0) | map(attribute='name') | list", json!(["kali"])),
            ("rows | where(id='2')", json!([])),
            ("rows | where(on=true, id=1) | length", json!(1)),
            ("rows | without(id=1) | map(attribute='id') | list", json!([2])),
            ("rows | among('name', ['dc', 'x']) | length", json!(1)),
            ("(rows | not_among('name', ['dc']) | first).name", json!("kali")),
            ("rows | patch({'on': true}, id=2) | map(attribute='on') | list", json!([true, true])),
            ("[1] | plus(2)", json!([1, 2])),
            ("{'a': 1, 'b': 1} | merge({'b': 2, 'c': 3})", json!({"a": 1, "b": 2, "c": 3})),
            ("rows | columns('name, nope') | first", json!({"name": "dc", "nope": null})),
            ("'kali-1' | matches('^kali')", json!(true)),
        ] {
            assert_eq!(evaluate(expression).unwrap(), expected, "{expression}");
        }
    }

    #[test]
    fn grep_is_careless_of_case_and_gives_nothing_for_a_bad_regex() {
        for (expression, expected) in [
            ("rows | grep(name='KAL') | length", json!(1)),
            ("rows | grep(port='2$') | length", json!(1)),
            ("rows | grep(more='.a.:2') | length", json!(1)),
            ("rows | grep(gone='.') | length", json!(2)),
            ("rows | grep(gone='x|') | length", json!(2)),
            ("rows | grep(name='(') | length", json!(0)),
        ] {
            assert_eq!(evaluate(expression).unwrap(), expected, "{expression}");
        }
    }

    #[test]
    fn digests_are_stable_and_tell_their_parts_apart() {
        let digest = evaluate("digest(16, 'a', 1)").unwrap();
        assert_eq!(digest.as_str().unwrap().len(), 16);
        assert_eq!(digest, evaluate("digest(16, 'a', '1')").unwrap());
        assert_ne!(digest, evaluate("digest(16, 'a1', '')").unwrap());
        let flow = evaluate("base32hex(13, 'a')").unwrap();
        assert!(Regex::new("^[0-9A-V]{13}$").unwrap().is_match(flow.as_str().unwrap()));
    }

    #[test]
    fn what_is_no_table_is_refused() {
        assert!(evaluate("rows[0].name | where(id=1)").is_err());
        assert!(evaluate("nothing | where(id=1)").is_err());
        assert!(evaluate("'a' | merge({})").is_err());
    }
}
