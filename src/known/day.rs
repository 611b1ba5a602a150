//! A day of the calendar, in UTC.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day {
    year: u32,
    month: u32,
    day: u32,
}

const SECONDS: u64 = 24 * 60 * 60;

impl Day {
    /// That day, if the calendar has it.
    pub fn new(year: u32, month: u32, day: u32) -> Option<Self> {
        let known = (1..=12).contains(&month) && (1..=length(year, month)).contains(&day);
        known.then_some(Self { year, month, day })
    }

    /// The day on which that moment falls, in UTC; nothing was before 1970.
    pub fn at(moment: SystemTime) -> Self {
        let since = moment.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let mut left = u32::try_from(since.as_secs() / SECONDS).unwrap_or(u32::MAX);
        let (mut year, mut month) = (1970, 1);
        while left >= if leap(year) { 366 } else { 365 } {
            left -= if leap(year) { 366 } else { 365 };
            year += 1;
        }
        while left >= length(year, month) {
            left -= length(year, month);
            month += 1;
        }
        Self { year, month, day: left + 1 }
    }
}

fn leap(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn length(year: u32, month: u32) -> u32 {
    match month {
        2 if leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl FromStr for Day {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split('-').map(|part| {
            let digits = part.bytes().all(|byte| byte.is_ascii_digit());
            if digits { part.parse().map_err(|_| ()) } else { Err(()) }
        });
        let mut next = || parts.next().unwrap_or(Err(()));
        let (year, month, day) = (next()?, next()?, next()?);
        let written = Self::new(year, month, day).ok_or(())?;
        // The spelling of ISO 8601 and no other: `2027-1-3` may be read in two ways.
        if written.to_string() == text { Ok(written) } else { Err(()) }
    }
}

impl fmt::Display for Day {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_is_kept() {
        for (seconds, day) in [
            (0, "1970-01-01"),
            (SECONDS - 1, "1970-01-01"),
            (SECONDS, "1970-01-02"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_798_761_599, "2026-12-31"),
            (1_798_761_600, "2027-01-01"),
            (4_107_542_400, "2100-03-01"),
        ] {
            let moment = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!(Day::at(moment).to_string(), day);
            assert_eq!(day.parse(), Ok(Day::at(moment)));
        }
        assert!(Day::new(2027, 1, 31) < Day::new(2027, 2, 1));
    }

    #[test]
    fn days_that_are_none_are_refused() {
        for text in [
            "2027-02-29",
            "2100-02-29",
            "2027-13-01",
            "2027-00-10",
            "2027-1-3",
            "27-01-03",
            "2027-01-03T00:00",
            "soon",
            "",
            "+2027-01-03",
        ] {
            assert_eq!(text.parse::<Day>(), Err(()), "{text}");
        }
    }
}
