//! Where something stands in a file, and a value that remembers it.

/// A stretch of a file: where it begins as a person counts (both from 1), and which bytes it covers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Spot {
    /// The line, from 1; 0 where the place is not known.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// The first byte.
    pub start: usize,
    /// The byte behind the last.
    pub end: usize,
}

impl Spot {
    /// The stretch from the beginning of this one to the end of that one.
    pub fn to(self, last: Self) -> Self {
        Self { end: self.end.max(last.end), ..self }
    }
}

/// A value and where it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placed<T> {
    /// What was written.
    pub value: T,
    /// Where.
    pub spot: Spot,
}
