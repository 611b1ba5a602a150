//! What a value should look like: partially, never more than was said.

mod meets;

use super::variables::{Unfilled, Variables};
use crate::diagnostic::printable_within;
use crate::wire::Json;
use indexmap::IndexMap;
use regex::Regex;
use std::fmt;

/// What a value should look like. Strings in it may be templates until [`Pattern::filled`].
#[derive(Clone, Debug)]
pub enum Pattern {
    /// Exactly this: members as sets, numbers by value.
    Equals(Json),
    /// The text, or any text within the value, contains this; a list contains exactly this.
    Contains(Json),
    /// A list with an element like this.
    Element(Box<Pattern>),
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
    /// Whether it is a condition that cannot even be asked of what was there: then neither it nor its contrary is met.
    pub idle: bool,
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
            Self::Element(pattern) => Self::Element(Box::new(pattern.filled(variables)?)),
            Self::All(patterns) => Self::All(each(patterns)?),
            Self::Matches(_) | Self::Absent | Self::Present => self.clone(),
        })
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
            Self::Element(pattern) => write!(out, "a list with {pattern} in it"),
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
    use crate::wire::parse;

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
    fn a_list_has_an_element_like_this() {
        let tools = parse(br#"[{"name": "list_hosts", "n": 1}, {"name": "delete_range"}]"#).unwrap();
        let element =
            |name: &str| Pattern::Element(Box::new(members(vec![("name", Pattern::Equals(name.into()))])));
        assert_eq!(element("delete_range").meets(Some(&tools)), Ok(()));
        assert_eq!(element("delete_range").meets(Some(&Json::from(tools.to_string()))), Ok(()), "in a text");
        let not = |pattern| Pattern::Not(Box::new(pattern));
        assert_eq!(not(element("destroy_vm")).meets(Some(&tools)), Ok(()));
        assert_eq!(not(element("destroy_vm")).meets(Some(&Json::Array(Vec::new()))), Ok(()));
        insta::assert_snapshot!(not(element("delete_range")).meets(Some(&tools)).unwrap_err(), @r#"expected anything but a list with an object with `name` in it, found [{"name":"list_hosts","n":1},{"name":"delete_range"}]"#);
    }

    #[test]
    fn what_cannot_be_asked_of_a_value_is_not_met_and_its_contrary_neither() {
        let list = parse(br#"[{"name": "delete_range"}]"#).unwrap();
        let texts = parse(br#"["a"]"#).unwrap();
        let name = || members(vec![("name", Pattern::Equals("delete_range".into()))]);
        let object = parse(br#"{"tools": "none"}"#).unwrap();
        let within = |pattern| members(vec![("tools", pattern)]);
        for (pattern, value) in [
            (name(), Some(&list)),
            (text("x"), None),
            (text("x"), Some(&Json::Bool(true))),
            (Pattern::Contains(Json::from(5)), Some(&object)),
            (Pattern::Element(Box::new(name())), Some(&object)),
            (Pattern::Element(Box::new(name())), Some(&texts)),
            (Pattern::Elements(Vec::new()), Some(&object)),
            (within(Pattern::Element(Box::new(name()))), Some(&object)),
            (Pattern::All(vec![text("delete"), name()]), Some(&list)),
        ] {
            assert!(pattern.meets(value).is_err(), "{pattern} of {value:?}");
            let contrary = Pattern::Not(Box::new(pattern));
            assert!(contrary.meets(value).is_err(), "{contrary} of {value:?}");
        }
        // What is not there is certainly nothing of that value.
        let isolated = members(vec![("isError", Pattern::Equals(true.into()))]);
        assert_eq!(Pattern::Not(Box::new(isolated)).meets(Some(&object)), Ok(()));
        let told =
            |pattern: Pattern| Pattern::Not(Box::new(pattern)).meets(Some(&list)).unwrap_err().to_string();
        insta::assert_snapshot!(told(name()), @r#"expected anything but an object with `name`, found a list: [{"name":"delete_range"}]"#);
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
