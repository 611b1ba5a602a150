//! When to try again, in the many ways in which gateways say it. It does not know what was refused.

use super::saying::Captures;
use crate::transcript::Exchange;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// From this number on an instant is counted in milliseconds: as seconds it would be in the year 5138.
const IN_MILLISECONDS: f64 = 1e11;

/// The time to wait: what a reading caught as `retry_after` (seconds, or with a unit), `retry_after_ms`, or `retry_at`
/// (an instant: seconds or milliseconds since 1970, an HTTP date, or RFC 3339); then the header `Retry-After`.
pub(super) fn after(captures: &Captures, exchange: &Exchange) -> Option<Duration> {
    let caught = |name: &str| captures.get(name).map(String::as_str);
    let until = |text: &str| until(text, exchange);
    caught("retry_after")
        .and_then(seconds)
        .or_else(|| caught("retry_after_ms")?.trim().parse().ok().map(Duration::from_millis))
        .or_else(|| caught("retry_at").and_then(until))
        .or_else(|| {
            let header = exchange.header("retry-after")?;
            seconds(header).or_else(|| until(header))
        })
}

/// A time in seconds (`19.6`), or with a unit (`19.6s`, `2m`).
fn seconds(text: &str) -> Option<Duration> {
    let text = text.trim();
    let bare = text.strip_suffix('s').unwrap_or(text);
    let seconds = bare.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.or_else(|| humantime::parse_duration(text).ok())
}

/// The time until an instant, by the gateway's own clock where it says what time it is.
fn until(text: &str, exchange: &Exchange) -> Option<Duration> {
    let now = exchange.header("date").and_then(|date| httpdate::parse_http_date(date).ok());
    let now = now.unwrap_or_else(SystemTime::now);
    Some(instant(text.trim())?.duration_since(now).unwrap_or_default())
}

fn instant(text: &str) -> Option<SystemTime> {
    if let Ok(count) = text.parse::<f64>() {
        let seconds = if count >= IN_MILLISECONDS { count / 1e3 } else { count };
        return UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(seconds).ok()?);
    }
    let dated = humantime::parse_rfc3339_weak(text).ok();
    dated.or_else(|| httpdate::parse_http_date(text).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Ended, HttpHead, Sent};
    use std::time::Instant;

    fn told(caught: (&str, &str), headers: &[(&str, &str)]) -> Option<f64> {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let sent = Sent { at: Instant::now(), bytes: Default::default(), id: None };
        let http = Some(HttpHead { status: 429, headers });
        let exchange = Exchange { sent, http, received: Vec::new(), ended: Ended::Answered };
        let captures = Captures::from([(caught.0.to_owned(), caught.1.to_owned())]);
        after(&captures, &exchange).map(|time| time.as_secs_f64())
    }

    const NOW: (&str, &str) = ("date", "Wed, 25 Nov 2026 12:00:00 GMT");

    #[test]
    fn every_way_of_saying_when_comes_to_the_same() {
        for (name, text) in [
            ("retry_after", "30"),
            ("retry_after", "30.0s"),
            ("retry_after", "30 s"),
            ("retry_after_ms", "30000"),
            ("retry_at", "1795608030"),
            ("retry_at", "1795608030000"),
            ("retry_at", "2026-11-25T12:00:30Z"),
            ("retry_at", "Wed, 25 Nov 2026 12:00:30 GMT"),
        ] {
            assert_eq!(told((name, text), &[NOW]), Some(30.0), "{name} {text}");
        }
        for header in ["30", "Wed, 25 Nov 2026 12:00:30 GMT"] {
            assert_eq!(told(("x", ""), &[NOW, ("retry-after", header)]), Some(30.0), "{header}");
        }
    }

    #[test]
    fn what_is_past_is_now_and_what_is_no_time_is_none() {
        assert_eq!(told(("retry_at", "1795607000"), &[NOW]), Some(0.0));
        assert_eq!(told(("retry_after", "soon"), &[NOW]), None);
        assert_eq!(told(("retry_at", "-1e300"), &[NOW]), None);
    }
}
