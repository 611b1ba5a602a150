//! Spans of time and sizes as people write them: `2s`, `500ms`, `11MiB`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A span of time, written like `1.5s` or `2m 30s`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Span(pub Duration);

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let known = humantime::parse_duration(&text);
        known.map(Self).map_err(|error| format!("`{text}` is no span of time: {error}"))
    }
}

impl From<Span> for String {
    fn from(span: Span) -> Self {
        humantime::format_duration(span.0).to_string()
    }
}

/// A number of bytes, written like `11MiB`, `64kB` or `100`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Size(pub usize);

/// The longest first: `B` ends all of them.
const UNITS: [(&str, usize); 7] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1000),
    ("B", 1),
];

impl TryFrom<String> for Size {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (number, unit) = UNITS
            .into_iter()
            .find_map(|(unit, bytes)| text.strip_suffix(unit).map(|number| (number, bytes)))
            .unwrap_or((&text, 1));
        let wrong =
            || format!("`{text}` is no size; units are `B`, `kB`, `MB`, `GB`, `KiB`, `MiB` and `GiB`");
        let number: usize = number.trim().parse().map_err(|_| wrong())?;
        number.checked_mul(unit).map(Self).ok_or_else(wrong)
    }
}

impl From<Size> for String {
    fn from(size: Size) -> Self {
        format!("{}B", size.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_spans_are_read() {
        let size = |text: &str| Size::try_from(text.to_owned()).map(|size| size.0);
        assert_eq!(size("11MiB"), Ok(11 << 20));
        assert_eq!(size("64 kB"), Ok(64_000));
        assert_eq!(size("100"), Ok(100));
        assert!(size("many").is_err() && size("-1B").is_err());
        assert_eq!(Span::try_from("1s 500ms".to_owned()).unwrap().0, Duration::from_millis(1500));
        assert!(Span::try_from("soon".to_owned()).is_err());
    }
}
