//! A JSON value that keeps what was written: order, repeated members, and how each number was spelled.

use super::number::Number;
use std::fmt::{self, Write as _};

/// A JSON value as it stood in a frame. Equality is exact: same order, same spellings; see [`super::canonical`] for
/// equality of meaning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Json {
    /// `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, in its own spelling.
    Number(Number),
    /// A string, its escapes resolved.
    String(String),
    /// An array.
    Array(Vec<Json>),
    /// An object, its members in order, repeated ones included.
    Object(Object),
}

/// The members of an object in the order of the frame; a name may stand more than once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object(pub Vec<(String, Json)>);

impl Object {
    /// The last member of that name: what most parsers take.
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// Replaces every member of that name by one, or appends it.
    pub fn set(&mut self, name: &str, value: impl Into<Json>) {
        let first = self.0.iter().position(|(key, _)| key == name);
        let mut index = 0;
        self.0.retain(|(key, _)| {
            index += 1;
            key != name || Some(index - 1) == first
        });
        match first {
            Some(place) => self.0[place].1 = value.into(),
            None => self.0.push((name.to_owned(), value.into())),
        }
    }

    /// Removes every member of that name and returns the last.
    pub fn remove(&mut self, name: &str) -> Option<Json> {
        let mut removed = None;
        while let Some(place) = self.0.iter().position(|(key, _)| key == name) {
            removed = Some(self.0.remove(place).1);
        }
        removed
    }

    /// The members in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Whether a name stands more than once at this level.
    pub fn repeats(&self) -> bool {
        self.0
            .iter()
            .enumerate()
            .any(|(index, (name, _))| self.0[..index].iter().any(|(other, _)| other == name))
    }
}

impl Json {
    /// An empty object.
    pub fn object() -> Self {
        Self::Object(Object::default())
    }

    /// The last member of that name, if this is an object that has one.
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.as_object()?.get(name)
    }

    /// The value at a JSON pointer (RFC 6901); the empty pointer is the value itself.
    pub fn pointer(&self, pointer: &str) -> Option<&Json> {
        if pointer.is_empty() {
            return Some(self);
        }
        pointer.strip_prefix('/')?.split('/').try_fold(self, |value, token| {
            let token = token.replace("~1", "/").replace("~0", "~");
            match value {
                Self::Object(object) => object.get(&token),
                Self::Array(elements) => elements.get(token.parse::<usize>().ok()?),
                _ => None,
            }
        })
    }

    /// The string, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// The boolean, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// The integer, if it is a number with an integral value that fits.
    pub fn as_i64(&self) -> Option<i64> {
        if let Self::Number(number) = self { number.as_i64() } else { None }
    }

    /// The nearest double, if it is a number.
    pub fn as_f64(&self) -> Option<f64> {
        if let Self::Number(number) = self { number.as_f64() } else { None }
    }

    /// The object, if it is one.
    pub fn as_object(&self) -> Option<&Object> {
        if let Self::Object(object) = self { Some(object) } else { None }
    }

    /// The object for change, if it is one.
    pub fn as_object_mut(&mut self) -> Option<&mut Object> {
        if let Self::Object(object) = self { Some(object) } else { None }
    }

    /// The elements, if it is an array.
    pub fn as_array(&self) -> Option<&[Json]> {
        if let Self::Array(elements) = self { Some(elements) } else { None }
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether any object within repeats a member name: a frame that two parsers may read in two ways.
    pub fn repeats(&self) -> bool {
        match self {
            Self::Object(object) => object.repeats() || object.0.iter().any(|(_, value)| value.repeats()),
            Self::Array(elements) => elements.iter().any(Self::repeats),
            _ => false,
        }
    }

    /// Compact JSON text: members in order, numbers in their own spelling, strings with the escapes JSON demands.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.to_string().into_bytes()
    }
}

impl fmt::Display for Json {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => out.write_str("null"),
            Self::Bool(value) => write!(out, "{value}"),
            Self::Number(number) => out.write_str(number.spelling()),
            Self::String(text) => write_string(out, text),
            Self::Array(elements) => {
                out.write_char('[')?;
                for (index, element) in elements.iter().enumerate() {
                    if index > 0 {
                        out.write_char(',')?;
                    }
                    write!(out, "{element}")?;
                }
                out.write_char(']')
            }
            Self::Object(object) => {
                out.write_char('{')?;
                for (index, (name, value)) in object.0.iter().enumerate() {
                    if index > 0 {
                        out.write_char(',')?;
                    }
                    write_string(out, name)?;
                    write!(out, ":{value}")?;
                }
                out.write_char('}')
            }
        }
    }
}

/// Runs of plain characters are written at once: long texts are what large frames are made of.
fn write_string(out: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    out.write_char('"')?;
    let mut plain = 0;
    for (index, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0x00..=0x1f => "",
            _ => continue,
        };
        out.write_str(&text[plain..index])?;
        if escape.is_empty() {
            write!(out, "\\u{byte:04x}")?;
        } else {
            out.write_str(escape)?;
        }
        plain = index + 1;
    }
    out.write_str(&text[plain..])?;
    out.write_char('"')
}

impl From<serde_json::Value> for Json {
    fn from(value: serde_json::Value) -> Self {
        use serde_json::Value;
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Number(number) => {
                Self::Number(Number::from_spelling(&number.to_string()).unwrap_or_default())
            }
            Value::String(text) => Self::String(text),
            Value::Array(elements) => Self::Array(elements.into_iter().map(Self::from).collect()),
            Value::Object(members) => {
                Self::Object(Object(members.into_iter().map(|(name, value)| (name, value.into())).collect()))
            }
        }
    }
}

impl From<&Json> for serde_json::Value {
    /// Loses what `serde_json` cannot hold: repeated members (the last wins) and number spellings beyond a double.
    fn from(value: &Json) -> Self {
        match value {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(number) => serde_json::from_str(number.spelling())
                .or_else(|_| serde_json::to_value(number.as_f64()))
                .unwrap_or(Self::Null),
            Json::String(text) => Self::String(text.clone()),
            Json::Array(elements) => Self::Array(elements.iter().map(Self::from).collect()),
            Json::Object(object) => {
                Self::Object(object.iter().map(|(name, value)| (name.to_owned(), value.into())).collect())
            }
        }
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Json {
    fn from(value: i64) -> Self {
        Self::Number(Number::from(value))
    }
}

impl FromIterator<(String, Json)> for Json {
    fn from_iter<T: IntoIterator<Item = (String, Json)>>(members: T) -> Self {
        Self::Object(Object(members.into_iter().collect()))
    }
}
