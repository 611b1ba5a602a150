//! What a value should look like: partially, never more than was said.

use super::pointer;
use super::variables::{Unfilled, Variables};
use crate::diagnostic::printable_within;
use crate::wire::canonical::same;
use crate::wire::{Json, parse};
use indexmap::IndexMap;
use regex::Regex;
use std::fmt;

/// What a value should look like. Strings in it may be templates until [`Pattern::filled`].
#[derive(Clone, Debug)]
pub enum Pattern {
    /// Exactly this: members as sets, numbers by value.
    Equals(Json),
    /// The text, or any text within the value, contains this; a list contains an element like this.
    Contains(Json),
    /// The text, or any text within the value, matches.
    Matches(Regex),
    /// There is nothing, or `null`.
    Absent,
    /// There is something.
    Present,
    /// An object with these members (a name that begins with `/` is a pointer), others besides.
    Members(IndexMap<String, Pattern>),
    /// A list of exactly these.
    Elements(Vec<Pattern>),
    /// Not like this.
    Not(Box<Pattern>),
    /// All of these.
    All(Vec<Pattern>),
}

/// Where a value is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Unmet {
    /// A JSON pointer into the value.
    pub at: String,
    /// What should have been there.
    pub expected: String,
    /// What was, printable and cut.
    pub found: String,
}

impl fmt::Display for Unmet {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.at.is_empty() {
            write!(out, "at `{}`: ", self.at)?;
        }
        write!(out, "expected {}, found {}", self.expected, self.found)
    }
}

/// How much of a found value a complaint shows.
const SHOWN: usize = 200;

impl Pattern {
    /// The pattern with every template in it filled in. Regular expressions are no templates.
    pub fn filled(&self, variables: &Variables) -> Result<Self, Unfilled> {
        let each = |patterns: &[Self]| {
            patterns.iter().map(|pattern| pattern.filled(variables)).collect::<Result<Vec<_>, _>>()
        };
        Ok(match self {
            Self::Equals(value) => Self::Equals(variables.fill(value)?),
            Self::Contains(value) => Self::Contains(variables.fill(value)?),
            Self::Members(members) => {
                let member =
                    |(name, pattern): (&String, &Self)| Ok((name.clone(), pattern.filled(variables)?));
                Self::Members(members.iter().map(member).collect::<Result<_, Unfilled>>()?)
            }
            Self::Elements(patterns) => Self::Elements(each(patterns)?),
            Self::Not(pattern) => Self::Not(Box::new(pattern.filled(variables)?)),
            Self::All(patterns) => Self::All(each(patterns)?),
            Self::Matches(_) | Self::Absent | Self::Present => self.clone(),
        })
    }

    /// Whether a value is as it should be; `None` is a value that is not there.
    pub fn meets(&self, value: Option<&Json>) -> Result<(), Unmet> {
        let wrong = |expected: String| {
            let found = value.map_or_else(|| "nothing".to_owned(), |value| shown(value, SHOWN));
            Err(Unmet { at: String::new(), expected, found })
        };
        let there = value.filter(|value| !value.is_null());
        let met = match (self, value) {
            (Self::Absent, _) => there.is_none(),
            (Self::Present, _) => there.is_some(),
            (Self::Not(pattern), _) => pattern.meets(value).is_err(),
            (Self::All(patterns), _) => return patterns.iter().try_for_each(|pattern| pattern.meets(value)),
            (Self::Members(members), Some(value)) => return meets_members(members, value),
            (Self::Elements(patterns), Some(Json::Array(elements))) if patterns.len() == elements.len() => {
                let mut pairs = patterns.iter().zip(elements).enumerate();
                return pairs.try_for_each(|(index, (pattern, element))| {
                    pattern.meets(Some(element)).map_err(|unmet| unmet.below(&format!("/{index}")))
                });
            }
            (Self::Equals(wanted), Some(value)) => same(wanted, value),
            (Self::Contains(wanted), Some(value)) => contains(value, wanted),
            (Self::Matches(regex), Some(value)) => any_text(value, &|text| regex.is_match(text)),
            (_, None) | (Self::Elements(_), Some(_)) => false,
        };
        if met { Ok(()) } else { wrong(self.to_string()) }
    }
}

fn meets_members(members: &IndexMap<String, Pattern>, value: &Json) -> Result<(), Unmet> {
    // A server that wraps its answer as text still answers with members.
    let unwrapped = value.as_str().and_then(|text| parse(text.as_bytes()).ok());
    let value = unwrapped.as_ref().unwrap_or(value);
    members.iter().try_for_each(|(name, pattern)| {
        let pointer = if name.starts_with('/') { name.clone() } else { format!("/{}", escaped(name)) };
        let member = if name.starts_with('/') { pointer::at(value, name) } else { value.get(name).cloned() };
        pattern.meets(member.as_ref()).map_err(|unmet| unmet.below(&pointer))
    })
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

impl Unmet {
    fn below(self, pointer: &str) -> Self {
        Self { at: format!("{pointer}{}", self.at), ..self }
    }
}

fn contains(value: &Json, wanted: &Json) -> bool {
    let element =
        value.as_array().is_some_and(|elements| elements.iter().any(|element| same(element, wanted)));
    element || wanted.as_str().is_some_and(|wanted| any_text(value, &|text| text.contains(wanted)))
}

/// Whether any text within a value, not the names of its members, is as wanted.
fn any_text(value: &Json, wanted: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Json::String(text) => wanted(text),
        Json::Number(number) => wanted(number.spelling()),
        Json::Array(elements) => elements.iter().any(|element| any_text(element, wanted)),
        Json::Object(object) => object.iter().any(|(_, member)| any_text(member, wanted)),
        Json::Null | Json::Bool(_) => false,
    }
}

fn shown(value: &Json, limit: usize) -> String {
    printable_within(&value.to_string(), limit)
}

impl fmt::Display for Pattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equals(value) => write!(out, "{}", shown(value, SHOWN)),
            Self::Contains(value) => write!(out, "something that contains {}", shown(value, SHOWN)),
            Self::Matches(regex) => write!(out, "a match of `{}`", printable_within(regex.as_str(), SHOWN)),
            Self::Absent => out.write_str("nothing"),
            Self::Present => out.write_str("something"),
            Self::Members(members) => {
                let names: Vec<String> = members.keys().map(|name| format!("`{name}`")).collect();
                write!(out, "an object with {}", names.join(", "))
            }
            Self::Elements(patterns) => write!(out, "a list of {}", patterns.len()),
            Self::Not(pattern) => write!(out, "anything but {pattern}"),
            Self::All(patterns) => {
                let all: Vec<String> = patterns.iter().map(ToString::to_string).collect();
                out.write_str(&all.join(" and "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Pattern {
        Pattern::Contains(Json::from(text))
    }

    fn members(members: Vec<(&str, Pattern)>) -> Pattern {
        Pattern::Members(members.into_iter().map(|(name, pattern)| (name.to_owned(), pattern)).collect())
    }

    fn answer() -> Json {
        parse(
            br#"{"content": [{"type": "text", "text": "{\"flow\": \"F.1\"}"}], "isError": false, "n": 5.0}"#,
        )
        .unwrap()
    }

    #[test]
    fn what_was_said_holds_and_the_rest_is_not_looked_at() {
        let regex = |text| Pattern::Matches(Regex::new(text).unwrap());
        for pattern in [
            Pattern::Equals(answer()),
            text("F.1"),
            regex("F\\.[0-9]"),
            members(vec![("isError", Pattern::Equals(false.into())), ("n", Pattern::Equals(Json::from(5)))]),
            members(vec![("/content/0/text/flow", Pattern::Equals("F.1".into()))]),
            members(vec![(
                "content",
                Pattern::Elements(vec![members(vec![("text", members(vec![("flow", Pattern::Present)]))])]),
            )]),
            members(vec![("error", Pattern::Absent)]),
            Pattern::Not(Box::new(text("F.2"))),
            Pattern::All(vec![text("F"), text("text")]),
        ] {
            assert_eq!(pattern.meets(Some(&answer())), Ok(()), "{pattern}");
        }
        assert!(Pattern::Absent.meets(None).is_ok() && Pattern::Absent.meets(Some(&Json::Null)).is_ok());
    }

    #[test]
    fn what_does_not_hold_is_told_with_its_place() {
        let told = |pattern: Pattern| pattern.meets(Some(&answer())).unwrap_err().to_string();
        insta::assert_snapshot!(told(members(vec![("n", Pattern::Equals(Json::from(6)))])), @"at `/n`: expected 6, found 5.0");
        insta::assert_snapshot!(told(members(vec![("/content/0/text/flow", text("F.2"))])), @r#"at `/content/0/text/flow`: expected something that contains "F.2", found "F.1""#);
        insta::assert_snapshot!(told(members(vec![("content", Pattern::Elements(Vec::new()))])), @r#"at `/content`: expected a list of 0, found [{"type":"text","text":"{\"flow\": \"F.1\"}"}]"#);
        insta::assert_snapshot!(told(Pattern::Not(Box::new(Pattern::Present))), @r#"expected anything but something, found {"content":[{"type":"text","text":"{\"flow\": \"F.1\"}"}],"isError":false,"n":5.0}"#);
        insta::assert_snapshot!(Pattern::Present.meets(None).unwrap_err(), @"expected something, found nothing");
    }

    #[test]
    fn templates_in_patterns_are_filled() {
        let mut variables = Variables::default();
        variables.set("flow", "F.1");
        let pattern = members(vec![("/content/0/text/flow", Pattern::Equals("{{ flow }}".into()))]);
        assert!(pattern.meets(Some(&answer())).is_err());
        assert_eq!(pattern.filled(&variables).unwrap().meets(Some(&answer())), Ok(()));
        assert!(text("{{ none_such }}").filled(&variables).is_err());
    }
}
