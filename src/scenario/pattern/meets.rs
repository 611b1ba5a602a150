//! Whether a value is as a pattern says: it is, it is not, or the pattern cannot be asked of such a value at all.
//!
//! The third kind matters below a `not`: that a list has no member of some name, or that nothing contains no word, is true
//! and proves nothing.

use super::{Pattern, SHOWN, Unmet, shown};
use crate::scenario::pointer;
use crate::wire::canonical::same;
use crate::wire::{Json, parse};
use indexmap::IndexMap;

/// Nothing, or why not.
type Met = Result<(), Unmet>;

impl Pattern {
    /// Whether a value is as it should be; `None` is a value that is not there.
    pub fn meets(&self, value: Option<&Json>) -> Met {
        let there = value.filter(|value| !value.is_null());
        let met = match (self, value) {
            (Self::Absent, _) => there.is_none(),
            (Self::Present, _) => there.is_some(),
            (Self::Not(pattern), _) => match pattern.meets(value) {
                Err(unmet) if unmet.idle => {
                    return Err(Unmet { expected: format!("anything but {}", unmet.expected), ..unmet });
                }
                met => met.is_err(),
            },
            (Self::All(patterns), _) => return all(patterns.iter().map(|pattern| pattern.meets(value))),
            (Self::Members(members), Some(value)) => return self.meets_members(members, value),
            (Self::Elements(patterns), Some(value)) => return self.meets_elements(patterns, value),
            (Self::Element(pattern), Some(value)) => return self.meets_element(pattern, value),
            (Self::Equals(wanted), Some(value)) => same(wanted, value),
            (Self::Contains(wanted), Some(value)) if holds(value, wanted) => contains(value, wanted),
            (Self::Matches(regex), Some(value)) if has_texts(value) => {
                any_text(value, &|text| regex.is_match(text))
            }
            // What was to be searched is not there, or cannot be searched.
            (Self::Contains(_) | Self::Matches(_) | Self::Element(_), _) => return Err(self.idle(value)),
            (Self::Equals(_) | Self::Members(_) | Self::Elements(_), None) => false,
        };
        if met { Ok(()) } else { Err(self.unmet(value)) }
    }

    fn unmet(&self, value: Option<&Json>) -> Unmet {
        let found = value.map_or_else(|| "nothing".to_owned(), |value| shown(value, SHOWN));
        Unmet { at: String::new(), expected: self.to_string(), found, idle: false }
    }

    /// The same of a value of which it cannot be said, nor its contrary.
    fn idle(&self, value: Option<&Json>) -> Unmet {
        let unmet = self.unmet(value);
        let noun = match value {
            None | Some(Json::Null) => return Unmet { idle: true, ..unmet },
            Some(Json::Bool(_)) => "a boolean",
            Some(Json::Number(_)) => "a number",
            Some(Json::String(_)) => "a text",
            Some(Json::Array(_)) => "a list",
            Some(Json::Object(_)) => "an object",
        };
        Unmet { found: format!("{noun}: {}", unmet.found), idle: true, ..unmet }
    }

    fn meets_members(&self, members: &IndexMap<String, Self>, value: &Json) -> Met {
        // A server that wraps its answer as text still answers with members.
        let unwrapped = unwrapped(value);
        let value = unwrapped.as_ref().unwrap_or(value);
        let by_name = members.keys().any(|name| !name.starts_with('/'));
        if by_name && value.as_object().is_none() {
            return Err(self.idle(Some(value)));
        }
        all(members.iter().map(|(name, pattern)| {
            let pointer = if name.starts_with('/') { name.clone() } else { format!("/{}", escaped(name)) };
            let member =
                if name.starts_with('/') { pointer::at(value, name) } else { value.get(name).cloned() };
            pattern.meets(member.as_ref()).map_err(|unmet| unmet.below(&pointer))
        }))
    }

    fn meets_elements(&self, patterns: &[Self], value: &Json) -> Met {
        let Some(elements) = value.as_array() else { return Err(self.idle(Some(value))) };
        if patterns.len() != elements.len() {
            return Err(self.unmet(Some(value)));
        }
        let pairs = patterns.iter().zip(elements).enumerate();
        all(pairs.map(|(index, (pattern, element))| {
            pattern.meets(Some(element)).map_err(|unmet| unmet.below(&format!("/{index}")))
        }))
    }

    /// One element is enough. Where it can be asked of none, it cannot be asked of the list.
    fn meets_element(&self, pattern: &Self, value: &Json) -> Met {
        let unwrapped = unwrapped(value);
        let value = unwrapped.as_ref().unwrap_or(value);
        let Some(elements) = value.as_array() else { return Err(self.idle(Some(value))) };
        let mut idle = !elements.is_empty();
        for element in elements {
            match pattern.meets(Some(element)) {
                Ok(()) => return Ok(()),
                Err(unmet) => idle &= unmet.idle,
            }
        }
        Err(if idle { self.idle(Some(value)) } else { self.unmet(Some(value)) })
    }
}

/// All of them: what is certainly not so is told before what cannot be said.
fn all(mets: impl Iterator<Item = Met>) -> Met {
    let mut idle = Ok(());
    for met in mets {
        match met {
            Err(unmet) if unmet.idle => idle = idle.and(Err(unmet)),
            met => met?,
        }
    }
    idle
}

fn unwrapped(value: &Json) -> Option<Json> {
    value.as_str().and_then(|text| parse(text.as_bytes()).ok())
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

impl Unmet {
    fn below(self, pointer: &str) -> Self {
        Self { at: format!("{pointer}{}", self.at), ..self }
    }
}

/// Whether something can be sought in a value: a text wherever there are texts, anything else in a list.
fn holds(value: &Json, wanted: &Json) -> bool {
    value.as_array().is_some() || (wanted.as_str().is_some() && has_texts(value))
}

fn has_texts(value: &Json) -> bool {
    !matches!(value, Json::Null | Json::Bool(_))
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
