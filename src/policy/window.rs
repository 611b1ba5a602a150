//! The stretch of time that a limit counts in.

use crate::declared::WindowKind;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// When a count begins anew. Times are since the Unix epoch, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Window {
    /// The minute of the clock.
    Minute,
    /// The hour of the clock.
    Hour,
    /// The day of the calendar.
    Day,
    /// So many seconds from the first call that was admitted.
    Seconds(u64),
}

impl Window {
    /// How long it lasts.
    pub fn length(self) -> Duration {
        Duration::from_secs(match self {
            Self::Minute => 60,
            Self::Hour => 3_600,
            Self::Day => 86_400,
            Self::Seconds(seconds) => seconds,
        })
    }

    /// How it moves where nobody has chosen otherwise.
    pub fn kind(self) -> WindowKind {
        match self {
            Self::Seconds(_) => WindowKind::Fixed,
            _ => WindowKind::Calendar,
        }
    }

    /// When the stretch of the clock that `now` falls into began.
    pub fn start_by_the_clock(self, now: Duration) -> Duration {
        Duration::from_secs(now.as_secs() - now.as_secs() % self.length().as_secs())
    }
}

impl fmt::Display for Window {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Minute => out.write_str("minute"),
            Self::Hour => out.write_str("hour"),
            Self::Day => out.write_str("day"),
            Self::Seconds(seconds) => write!(out, "{seconds} s"),
        }
    }
}

impl Serialize for Window {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Seconds(seconds) => out.serialize_u64(*seconds),
            named => out.collect_str(named),
        }
    }
}

struct WindowVisitor;

impl de::Visitor<'_> for WindowVisitor {
    type Value = Window;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("`minute`, `hour`, `day` or a whole number of seconds above 0")
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<Window, E> {
        match word {
            "minute" => Ok(Window::Minute),
            "hour" => Ok(Window::Hour),
            "day" => Ok(Window::Day),
            other => Err(E::invalid_value(de::Unexpected::Str(other), &self)),
        }
    }

    fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Window, E> {
        // A century and more: beyond it, sums of times would no longer fit.
        if (1..=4_000_000_000).contains(&seconds) {
            Ok(Window::Seconds(seconds))
        } else {
            Err(E::invalid_value(de::Unexpected::Unsigned(seconds), &self))
        }
    }

    fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Window, E> {
        let unexpected = de::Unexpected::Signed(seconds);
        u64::try_from(seconds)
            .map_err(|_| E::invalid_value(unexpected, &self))
            .and_then(|some| self.visit_u64(some))
    }
}

impl<'de> Deserialize<'de> for Window {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(WindowVisitor)
    }
}

impl JsonSchema for Window {
    fn schema_name() -> Cow<'static, str> {
        "Window".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A stretch of the calendar (UTC), or seconds from the first admitted call.",
            "oneOf": [{"enum": ["minute", "hour", "day"]}, {"type": "integer", "minimum": 1}]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calendar_windows_begin_on_the_clock_and_fixed_ones_with_the_call() {
        let now = Duration::from_millis(90_061_500); // the second day, 01:01:01.5
        let start = |window: Window| (window.kind(), window.start_by_the_clock(now));
        assert_eq!(start(Window::Minute), (WindowKind::Calendar, Duration::from_secs(90_060)));
        assert_eq!(start(Window::Hour), (WindowKind::Calendar, Duration::from_secs(90_000)));
        assert_eq!(start(Window::Day), (WindowKind::Calendar, Duration::from_secs(86_400)));
        assert_eq!(start(Window::Seconds(7)), (WindowKind::Fixed, Duration::from_secs(90_055)));
    }

    #[test]
    fn words_and_seconds_read_back() {
        for text in ["\"minute\"", "\"hour\"", "\"day\"", "61"] {
            let window: Window = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&window).unwrap(), text);
        }
        for text in ["0", "-1", "\"week\"", "1.5", "null", "\"60\""] {
            assert!(serde_json::from_str::<Window>(text).is_err(), "{text}");
        }
    }
}
