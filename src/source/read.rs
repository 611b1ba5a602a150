//! Reading YAML: into nodes, or into any type that serde knows.

use super::node::{Node, Value};
use super::spot::{Placed, Spot};
use crate::wire::Number;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;
use serde_saphyr::options::NonFiniteFloatPolicy;
use std::borrow::Cow;
use std::fmt;

/// A text that is no YAML, or not the YAML that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Unreadable {
    /// Where it stops making sense.
    pub spot: Spot,
    /// Why, as a lowercase fragment.
    pub message: String,
}

/// The one document of a text, every value with its place.
pub fn read(text: &str) -> Result<Node, Unreadable> {
    let loose: Loose = typed(text)?;
    Ok(loose.settle(text))
}

/// The one document of a text as a type of the reader's own; stops at the first mistake.
pub fn typed<T: DeserializeOwned>(text: &str) -> Result<T, Unreadable> {
    let options = serde_saphyr::options! {
        strict_booleans: true,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| Unreadable {
        spot: error.location().map(|location| located(location, text)).unwrap_or_default(),
        message: plain(&error),
    })
}

/// The crate's message in our words and without the place, which the drawing shows.
fn plain(error: &serde_saphyr::Error) -> String {
    let error = error.without_snippet();
    match error {
        serde_saphyr::Error::DuplicateMappingKey { key: Some(key), .. } => {
            return format!("`{key}` stands in this mapping a second time");
        }
        serde_saphyr::Error::MultipleDocuments { .. } => return "a second document begins here".to_owned(),
        // As the JSON reader says it, with what would have been right.
        serde_saphyr::Error::SerdeUnknownField { field, expected, .. } => {
            return format!("unknown field `{field}`, expected one of `{}`", expected.join("`, `"));
        }
        serde_saphyr::Error::SerdeUnknownVariant { variant, expected, .. } => {
            return format!("unknown variant `{variant}`, expected one of `{}`", expected.join("`, `"));
        }
        _ => {}
    }
    let message = error.render_with_formatter(&serde_saphyr::UserMessageFormatter);
    let message = message.lines().next().unwrap_or_default();
    let message = message.split_once(" at line ").map_or(message, |(message, _)| message);
    let mut letters = message.trim_end_matches('.').chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

fn spot(location: serde_saphyr::Location) -> Spot {
    let narrow = |wide: u64| usize::try_from(wide).unwrap_or_default();
    let span = location.span();
    let start = narrow(span.byte_offset().unwrap_or_default());
    Spot {
        line: u32::try_from(location.line()).unwrap_or_default(),
        column: u32::try_from(location.column()).unwrap_or_default(),
        start,
        end: start + narrow(span.byte_len().unwrap_or_default()),
    }
}

/// A place that may lack its bytes, as the parser's own complaints do: they are counted from line and column.
fn located(location: serde_saphyr::Location, text: &str) -> Spot {
    let place = spot(location);
    if location.span().byte_offset().is_some_and(|start| start > 0) || place.line == 0 {
        return place;
    }
    let (line, column) = (place.line as usize, place.column as usize);
    let before: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let within: usize = text[before..].chars().take(column.saturating_sub(1)).map(char::len_utf8).sum();
    Spot { start: before + within, end: before + within, ..place }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Placed<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<T>::deserialize(from)?;
        Ok(Self { value: spanned.value, spot: spot(spanned.referenced) })
    }
}

impl<T: Serialize> Serialize for Placed<T> {
    fn serialize<S: serde::Serializer>(&self, into: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(into)
    }
}

/// A place is none of the reader's business: the schema is the value's.
impl<T: JsonSchema> JsonSchema for Placed<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// A node before its numbers have their own spelling, which only the text knows.
struct Loose(Spanned<Content>);

enum Content {
    Null,
    Bool(bool),
    Number(f64, String),
    Text(String),
    List(Vec<Loose>),
    Map(Vec<(Placed<String>, Loose)>),
}

impl Loose {
    fn settle(self, text: &str) -> Node {
        let defined = spot(self.0.defined);
        let value = match self.0.value {
            Content::Null => Value::Null,
            Content::Bool(value) => Value::Bool(value),
            Content::Text(text) => Value::Text(text),
            Content::Number(value, digits) => {
                let written = text.get(defined.start..defined.end).unwrap_or_default().trim();
                match Number::from_spelling(written).or_else(|| Number::from_spelling(&digits)) {
                    Some(number) => Value::Number(number),
                    None => Value::Text(if value.is_nan() { ".nan".to_owned() } else { written.to_owned() }),
                }
            }
            Content::List(elements) => {
                Value::List(elements.into_iter().map(|node| node.settle(text)).collect())
            }
            Content::Map(entries) => {
                Value::Map(entries.into_iter().map(|(name, node)| (name, node.settle(text))).collect())
            }
        };
        let mut place = spot(self.0.referenced);
        // A collection's event covers its first character only: it ends where its last value does.
        let last = match &value {
            Value::List(elements) => elements.last().map(|node| node.spot),
            Value::Map(entries) => entries.last().map(|(name, node)| name.spot.to(node.spot)),
            _ => None,
        };
        if let Some(last) = last {
            place = place.to(last);
        }
        Node { value, spot: place }
    }
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Spanned::deserialize(from).map(Self)
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Contents)
    }
}

struct Contents;

impl<'de> Visitor<'de> for Contents {
    type Value = Content;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Content, E> {
        Ok(Content::Null)
    }

    fn visit_none<E>(self) -> Result<Content, E> {
        Ok(Content::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Content, E> {
        Ok(Content::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Content, E> {
        Ok(Content::Number(value as f64, value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Content, E> {
        Ok(Content::Number(value as f64, value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Content, E> {
        Ok(Content::Number(value, value.to_string()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Content, E> {
        Ok(Content::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Content, E> {
        Ok(Content::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Content, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = sequence.next_element()? {
            elements.push(element);
        }
        Ok(Content::List(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut mapping: A) -> Result<Content, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = mapping.next_entry()? {
            entries.push(entry);
        }
        Ok(Content::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_the_file() {
        let text = "steps:\n  - call: list_hosts\n    with: {vm_id: \"104\", n: 1.0}\n";
        let node = read(text).unwrap();
        let step = &node.get("steps").unwrap().list().unwrap()[0];
        assert_eq!((step.spot.line, step.spot.column), (2, 5));
        let id = step.get("with").unwrap().get("vm_id").unwrap();
        assert_eq!((id.spot.line, id.spot.column), (3, 19));
        assert_eq!(&text[id.spot.start..id.spot.end], "\"104\"");
        let (key, _) = &step.map().unwrap()[0];
        assert_eq!(&text[key.spot.start..key.spot.end], "call");
        assert_eq!(node.nearest("/steps/0/with/size").spot, step.get("with").unwrap().spot);
    }

    #[test]
    fn numbers_keep_their_spelling() {
        for spelling in ["500.0000000000000001", "-0", "1e309", "12345678901234567890123", "1E3", "5.00"] {
            let node = read(&format!("n: {spelling}\n")).unwrap();
            assert_eq!(
                serde_json::to_string(&crate::wire::Json::from(&node).to_string()).unwrap(),
                format!("\"{{\\\"n\\\":{spelling}}}\"")
            );
        }
        assert_eq!(crate::wire::Json::from(&read("n: 0x10").unwrap()).to_string(), r#"{"n":16}"#);
    }

    #[test]
    fn words_are_no_booleans_and_aliases_stand_where_they_are_used() {
        let node = read("a: yes\nb: &there {n: 2.50}\nc: *there\nd: true\n").unwrap();
        assert_eq!(node.get("a").unwrap().text(), Some("yes"));
        assert_eq!(node.get("d").unwrap().value, Value::Bool(true));
        assert_eq!(node.get("c").unwrap().spot.line, 3);
        assert_eq!(crate::wire::Json::from(node.get("c").unwrap()).to_string(), r#"{"n":2.50}"#);
    }

    #[test]
    fn what_is_no_yaml_is_told_with_its_place() {
        let told = |text: &str| {
            let error = read(text).unwrap_err();
            format!("{}:{} {}", error.spot.line, error.spot.column, error.message)
        };
        insta::assert_snapshot!(told("a: 1\na: 2\n"), @"2:1 `a` stands in this mapping a second time");
        insta::assert_snapshot!(told("a: [1, 2\nb: 3\n"), @"2:2 illegal placement of ':' indicator");
        insta::assert_snapshot!(told("a: 1\n---\nb: 2\n"), @"3:1 a second document begins here");
        insta::assert_snapshot!(told("a: \"x\n"), @"2:1 invalid indentation in multiline quoted scalar");
        insta::assert_snapshot!(told("a: *b\n"), @"1:4 reference to unknown value");
    }
}
