//! What a value should look like: partially, never more than was said.

use crate::wire::Json;
use indexmap::IndexMap;
use regex::Regex;

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
    /// None of these.
    Not(Box<Pattern>),
    /// All of these.
    All(Vec<Pattern>),
}
