//! Two JSON values held against each other, member by member. Pure: it does not know what the values are for.

use super::difference::{Difference, Kind};
use crate::wire::{Json, Object, canonical, parse};
use std::cmp::Ordering;
use std::collections::HashMap;

/// One pair of values has no more differences than this that are worth keeping.
const MOST: usize = 500;

/// Where more members than this are new, none of them is taken for an old one with a new name.
const MOST_RENAMED: usize = 50;

/// Every difference, at places below `place`.
pub(in crate::run) fn differences(place: &str, direct: &Json, through: &Json) -> Vec<Difference> {
    let mut walk = Walk::default();
    walk.value(place, direct, through);
    walk.found
}

#[derive(Default)]
struct Walk {
    found: Vec<Difference>,
    /// One library that sorts members sorts them everywhere: that is said once.
    members_moved: bool,
}

impl Walk {
    fn value(&mut self, place: &str, direct: &Json, through: &Json) {
        match (direct, through) {
            (Json::Object(direct), Json::Object(through)) => self.members(place, direct, through),
            (Json::Array(direct), Json::Array(through)) => self.elements(place, direct, through),
            (one, other) if one == other => {}
            (Json::Number(one), Json::Number(other)) if one.compare(other) == Some(Ordering::Equal) => {
                self.push(Difference::of(Kind::Respelled, place, direct, through));
            }
            (Json::String(one), Json::String(other)) if says_the_same(one, other) => {
                self.push(Difference::of(Kind::Respelled, place, direct, through));
            }
            _ => self.push(Difference::of(Kind::Changed, place, direct, through)),
        }
    }

    fn members(&mut self, place: &str, direct: &Object, through: &Object) {
        let (before, after) = (occurrences(direct), occurrences(through));
        let places: HashMap<(&str, usize), usize> =
            after.iter().enumerate().map(|(place, (name, _))| (*name, place)).collect();
        let (mut kept, mut dropped, mut is_new) = (Vec::new(), Vec::new(), vec![true; after.len()]);
        for (name, value) in &before {
            match places.get(name) {
                Some(partner) => {
                    kept.push(*partner);
                    is_new[*partner] = false;
                    self.value(&below(place, name.0), value, after[*partner].1);
                }
                None => dropped.push((name.0, *value)),
            }
        }
        let new = after.iter().zip(is_new).filter(|(_, is_new)| *is_new);
        let mut added: Vec<(&str, &Json)> = new.map(|(((name, _), value), _)| (*name, *value)).collect();
        let may_be_renamed = added.len() <= MOST_RENAMED;
        for (name, value) in dropped {
            let alike = |(_, other): &(&str, &Json)| canonical::same(value, other);
            let partner =
                (may_be_renamed && is_telling(value)).then(|| added.iter().position(alike)).flatten();
            match partner {
                Some(partner) => {
                    let (now, _) = added.remove(partner);
                    self.push(Difference::of(
                        Kind::Renamed,
                        &below(place, name),
                        Json::from(name),
                        Json::from(now),
                    ));
                }
                None => self.push(Difference::of(Kind::Dropped, &below(place, name), value, "")),
            }
        }
        for (name, value) in added {
            self.push(Difference::of(Kind::Added, &below(place, name), "", value));
        }
        if !kept.is_sorted() && !self.members_moved {
            self.members_moved = true;
            let names = |object: &Object| object.iter().map(|(name, _)| name).collect::<Vec<_>>().join(", ");
            let moved = Difference::of(Kind::Reordered, "members of objects", names(direct), names(through));
            self.push(moved);
        }
    }

    /// Equal elements belong together, wherever they stand; the others in their order.
    fn elements(&mut self, place: &str, direct: &[Json], through: &[Json]) {
        let place_of_each = format!("{place}/*");
        let mut by_meaning: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, value) in through.iter().enumerate().rev() {
            by_meaning.entry(canonical::canonical(value)).or_default().push(index);
        }
        let mut pairs = Vec::new();
        let mut left = Vec::new();
        for (index, value) in direct.iter().enumerate() {
            match by_meaning.get_mut(&canonical::canonical(value)).and_then(Vec::pop) {
                Some(partner) => pairs.push((index, partner)),
                None => left.push(index),
            }
        }
        let mut new: Vec<usize> = by_meaning.into_values().flatten().collect();
        new.sort_unstable();
        let paired = left.len().min(new.len());
        pairs.extend(left.iter().copied().zip(new.iter().copied()));
        pairs.sort_unstable();
        for (index, partner) in &pairs {
            self.value(&place_of_each, &direct[*index], &through[*partner]);
        }
        // What has nothing in common with its partner was replaced, not moved.
        pairs.retain(|(index, partner)| have_something_in_common(&direct[*index], &through[*partner]));
        if !pairs.iter().map(|(_, partner)| partner).is_sorted() {
            let (one, other) = (Json::Array(direct.to_vec()), Json::Array(through.to_vec()));
            self.push(Difference::of(Kind::Reordered, place, one, other));
        }
        for index in &left[paired..] {
            self.push(Difference::of(Kind::Dropped, &place_of_each, &direct[*index], ""));
        }
        for partner in &new[paired..] {
            self.push(Difference::of(Kind::Added, &place_of_each, "", &through[*partner]));
        }
    }

    fn push(&mut self, difference: Difference) {
        if self.found.len() < MOST {
            self.found.push(difference);
        }
    }
}

/// Members by name and by how often the name stood there before.
fn occurrences(object: &Object) -> Vec<((&str, usize), &Json)> {
    let mut times: HashMap<&str, usize> = HashMap::new();
    let mut count = |name| {
        let nth = times.entry(name).or_default();
        *nth += 1;
        *nth
    };
    object.iter().map(|(name, value)| ((name, count(name)), value)).collect()
}

/// A member's pointer (RFC 6901).
pub(super) fn below(place: &str, name: &str) -> String {
    format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// Whether a value is like no other: two members that are both `true` have nothing in common by that.
fn is_telling(value: &Json) -> bool {
    match value {
        Json::Null | Json::Bool(_) => false,
        Json::Number(number) => number.spelling().len() > 3,
        Json::String(text) => text.len() > 3,
        Json::Array(elements) => !elements.is_empty(),
        Json::Object(object) => !object.0.is_empty(),
    }
}

/// Whether two values are the same, or objects that share a telling member.
fn have_something_in_common(one: &Json, other: &Json) -> bool {
    match (one, other) {
        (Json::Object(one), Json::Object(other)) => {
            let shared = |(name, value): (&str, &Json)| {
                is_telling(value) && other.get(name).is_some_and(|there| canonical::same(value, there))
            };
            one.iter().any(shared) || one == other
        }
        (one, other) => canonical::same(one, other),
    }
}

/// Whether two texts are the same JSON, written in two ways.
fn says_the_same(one: &str, other: &str) -> bool {
    let structure = |text: &str| {
        let value = text.trim_start().starts_with(['{', '[']).then(|| parse(text.as_bytes()).ok());
        value.flatten()
    };
    match (structure(one), structure(other)) {
        (Some(one), Some(other)) => canonical::same(&one, &other),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(direct: &str, through: &str) -> String {
        let value = |text: &str| parse(text.as_bytes()).unwrap();
        let found = differences("", &value(direct), &value(through));
        let line =
            |one: Difference| format!("{} {}: {} -> {}", one.kind.word(), one.place, one.direct, one.through);
        found.into_iter().map(line).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn what_is_the_same_is_no_difference() {
        assert_eq!(told(r#"{"a":[1,{"b":null}]}"#, r#"{"a":[1,{"b":null}]}"#), "");
    }

    #[test]
    fn members_are_added_dropped_changed_and_renamed() {
        assert_eq!(told(r#"{"a":1}"#, r#"{"a":1,"x/y":2}"#), "added /x~1y:  -> 2");
        assert_eq!(
            told(r#"{"a":1,"b":true}"#, r#"{"a":1,"c":true}"#),
            "dropped /b: true -> ; added /c:  -> true"
        );
        assert_eq!(told(r#"{"a":{"b":"1"}}"#, r#"{"a":{"b":1}}"#), "changed /a/b: \"1\" -> 1");
        assert_eq!(
            told(r#"{"isIt":{"q":1}}"#, r#"{"is_it":{"q":1}}"#),
            "renamed /isIt: \"isIt\" -> \"is_it\""
        );
        assert_eq!(told(r#"{"a":1,"a":2}"#, r#"{"a":2}"#), "changed /a: 1 -> 2; dropped /a: 2 -> ");
    }

    #[test]
    fn spellings_are_told_from_values() {
        assert_eq!(told("[1.0]", "[1]"), "respelled /*: 1.0 -> 1");
        assert_eq!(
            told("[9007199254740993]", "[9007199254740992]"),
            "changed /*: 9007199254740993 -> 9007199254740992"
        );
        assert_eq!(told(r#""{\"a\": 1}""#, r#""{\"a\":1}""#), r#"respelled : "{\"a\": 1}" -> "{\"a\":1}""#);
        assert_eq!(told(r#""a""#, r#""b""#), r#"changed : "a" -> "b""#);
    }

    #[test]
    fn order_counts_and_is_told_once() {
        assert_eq!(told("[[1,2,3]]", "[[3,1,2]]"), "reordered /*: [1,2,3] -> [3,1,2]");
        assert_eq!(told("[1,2,3]", "[1,3]"), "dropped /*: 2 -> ");
        assert_eq!(told("[1]", "[1,4]"), "added /*:  -> 4");
        assert_eq!(told(r#"[{"t":"a"},1]"#, r#"[{"t":"b"},1]"#), "changed /*/t: \"a\" -> \"b\"");
        let moved = told(r#"[{"t":"first"},{"t":"last","x":1}]"#, r#"[{"t":"last"},{"t":"first"}]"#);
        assert!(moved.starts_with("dropped /*/x: 1 -> ; reordered : "), "{moved}");
        let sorted = told(r#"{"b":{"d":1,"c":2},"a":1}"#, r#"{"a":1,"b":{"c":2,"d":1}}"#);
        assert_eq!(sorted, "reordered members of objects: d, c -> c, d");
    }

    #[test]
    fn a_hostile_answer_is_compared_within_bounds() {
        let many: Json = (0..5_000).map(|index| (format!("m{index}"), Json::Null)).collect();
        assert_eq!(differences("", &Json::object(), &many).len(), MOST);
    }
}
