//! The first thing that is no longer what it was on its way through, in words: where it stands, and both values around
//! the place where they part.

use crate::diagnostic::printable_within;
use crate::wire::{Json, canonical};

/// Each value is told to this many characters.
const EXCERPT: usize = 60;
/// So much of what two texts have in common is shown before they part.
const LEAD: usize = 12;

/// The first difference, members that were only added aside: `/note 1 → 2`. `None` where there is none.
pub(super) fn first(before: &Json, after: &Json) -> Option<String> {
    let (place, one, other) = walk(String::new(), Some(before), Some(after))?;
    let (one, other) = shown(one, other);
    Some(format!("{} {one} → {other}", if place.is_empty() { "all of it" } else { &place }))
}

type Found<'a> = (String, Option<&'a Json>, Option<&'a Json>);

fn walk<'a>(place: String, one: Option<&'a Json>, other: Option<&'a Json>) -> Option<Found<'a>> {
    match (one?, other) {
        (Json::Object(members), Some(Json::Object(there))) => {
            members.iter().find_map(|(name, value)| walk(below(&place, name), Some(value), there.get(name)))
        }
        (Json::Array(elements), Some(Json::Array(there))) => {
            let within = |(index, value)| walk(format!("{place}/{index}"), Some(value), there.get(index));
            let more = || {
                let new = there.get(elements.len())?;
                Some((format!("{place}/{}", elements.len()), None, Some(new)))
            };
            elements.iter().enumerate().find_map(within).or_else(more)
        }
        (value, Some(there)) if canonical::same(value, there) => None,
        (value, there) => Some((place, Some(value), there)),
    }
}

/// A member's pointer (RFC 6901), printable.
fn below(place: &str, name: &str) -> String {
    printable_within(&format!("{place}/{}", name.replace('~', "~0").replace('/', "~1")), 2 * EXCERPT)
}

/// Both values, short; of two texts what comes just before they part, and what follows.
fn shown(one: Option<&Json>, other: Option<&Json>) -> (String, String) {
    let text = |value: Option<&Json>| value.map_or("nothing".to_owned(), Json::to_string);
    let (one, other) = (text(one), text(other));
    let common = one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    let skipped = if one.chars().count().max(other.chars().count()) > EXCERPT {
        common.saturating_sub(LEAD)
    } else {
        0
    };
    let cut = |text: &str| {
        let rest: String = text.chars().skip(skipped).collect();
        format!("{}{}", if skipped > 0 { "…" } else { "" }, printable_within(&rest, EXCERPT))
    };
    (cut(&one), cut(&other))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::parse;

    fn told(before: &str, after: &str) -> String {
        first(&parse(before.as_bytes()).unwrap(), &parse(after.as_bytes()).unwrap()).unwrap_or_default()
    }

    #[test]
    fn the_first_thing_that_changed_is_named_with_both_values() {
        assert_eq!(told(r#"{"isError":true}"#, r#"{"isError":false}"#), "/isError true → false");
        assert_eq!(told(r#"{"a":{"b/c":[1,2]}}"#, r#"{"a":{"b/c":[1,3]}}"#), "/a/b~1c/1 2 → 3");
        assert_eq!(told(r#"{"a":1,"b":2}"#, r#"{"b":2}"#), "/a 1 → nothing");
        assert_eq!(told("[1]", "[1,2]"), "/1 nothing → 2");
        assert_eq!(told("1", r#""1""#), r#"all of it 1 → "1""#);
        assert_eq!(told(r#"{"a":1.0}"#, r#"{"a":1,"b":2}"#), "", "the same number, and an added member");
    }

    #[test]
    fn long_and_hostile_values_are_shown_where_they_part() {
        let text = |end: &str| format!(r#"{{"t":"{}{end}"}}"#, "x".repeat(500));
        assert_eq!(told(&text("one"), &text("two")), r#"/t …xxxxxxxxxxxxone" → …xxxxxxxxxxxxtwo""#);
        let hostile = told(r#"{"a":"\u001b[2J"}"#, r#"{"a":"b"}"#);
        assert!(!hostile.contains('\u{1b}'), "{hostile}");
        let wide = told(&format!(r#"["{}"]"#, "y".repeat(10_000)), "[0]");
        assert!(wide.len() < 200, "{wide}");
    }
}
