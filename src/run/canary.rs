//! Markers that must not cross a line, looked for in heads and bodies, as they are, escaped, in base64 and URL-encoded.

use super::outcome::StepOutcome;
use super::perform::Performance;
use crate::diagnostic::printable;
use crate::mock::Arrival;
use crate::scenario::{Haunt, Scenario};
use crate::transcript::{Exchange, Received};
use crate::wire::Json;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// Where the agent's side could have met a marker besides what its steps brought.
#[derive(Clone, Copy)]
pub(super) struct Beside<'a> {
    /// What was said while its sessions were opened.
    pub(super) opened: &'a [Exchange],
    /// What its sessions were told besides answers.
    pub(super) notices: &'a [Received],
    /// The gateway's own record, where it was read.
    pub(super) audit: Option<&'a str>,
}

/// Every canary that was seen where it must never be, each as an unmet step of the line that forbids it.
pub(super) fn sightings(
    scenario: &Scenario,
    performance: &Performance,
    arrivals: &[Arrival],
    beside: Beside<'_>,
) -> Vec<StepOutcome> {
    let mut found = Vec::new();
    for (name, canary) in &scenario.canaries {
        let Some(marker) = performance.variables.get(name).and_then(Json::as_str) else { continue };
        let marker = Marker::of(marker);
        // A record that was not read is searched by nobody.
        let searched = canary.never.iter().filter(|haunt| beside.audit.is_some() || **haunt != Haunt::Audit);
        for haunt in searched {
            let (place, seen) = match haunt {
                Haunt::Client => ("the agent", reaches_the_agent(&marker, performance, beside)),
                Haunt::Audit => {
                    ("the audit log", beside.audit.is_some_and(|text| marker.is_in(text.as_bytes())))
                }
                Haunt::Upstream(upstream) => {
                    let mut there = arrivals.iter().filter(|arrival| arrival.upstream == *upstream);
                    (upstream.as_str(), there.any(|arrival| marker.arrives(arrival)))
                }
            };
            // What cannot be read may hold it all the same.
            let unread = unread(performance, beside).filter(|_| !seen && *haunt == Haunt::Client);
            let was = match unread {
                Some(why) => format!("an answer that is {}", printable(why)),
                None if seen => format!("`{name}` seen at {place}"),
                None => "not seen".to_owned(),
            };
            found.push(StepOutcome {
                line: canary.spot.line as usize,
                name: format!("canary {name}"),
                met: !seen && unread.is_none(),
                expected: format!("`{name}` never at {place}"),
                was,
                ..StepOutcome::default()
            });
        }
    }
    found
}

/// Whether some canary must never be in the gateway's own record.
pub(super) fn reads_the_audit(scenario: &Scenario) -> bool {
    scenario.canaries.values().any(|canary| canary.never.contains(&Haunt::Audit))
}

/// Whether the agent's side got it: in the head or the body of an answer, in a notice, or while a session was opened.
fn reaches_the_agent(marker: &Marker, performance: &Performance, beside: Beside<'_>) -> bool {
    exchanges(performance, beside).any(|exchange| marker.comes_back(exchange))
        || beside.notices.iter().any(|piece| marker.is_in(&piece.bytes))
}

/// Why some answer could not be searched.
fn unread<'a>(performance: &'a Performance, beside: Beside<'a>) -> Option<&'a str> {
    exchanges(performance, beside).find_map(Exchange::unreadable)
}

fn exchanges<'a>(performance: &'a Performance, beside: Beside<'a>) -> impl Iterator<Item = &'a Exchange> {
    let calls = performance.asked.iter().flat_map(|asked| &asked.exchanges);
    let lists =
        performance.steps.iter().filter_map(|step| step.listed.as_ref()).flat_map(|listed| &listed.pages);
    calls.chain(lists).chain(beside.opened)
}

/// A marker, in every guise that a thief would use.
struct Marker(Vec<String>);

impl Marker {
    fn of(marker: &str) -> Self {
        Self(guises(marker))
    }

    fn is_in(&self, bytes: &[u8]) -> bool {
        let holds = |guise: &String| bytes.windows(guise.len()).any(|window| window == guise.as_bytes());
        self.0.iter().any(holds)
    }

    /// In the target, the headers or the body of what reached a server. Names of headers are looked at too.
    fn arrives(&self, arrival: &Arrival) -> bool {
        let header =
            |(name, value): (&str, &str)| self.is_in(name.as_bytes()) || self.is_in(value.as_bytes());
        self.is_in(&arrival.bytes)
            || arrival.request.as_ref().is_some_and(|request| self.is_in(request.as_bytes()))
            || arrival.headers.iter().any(header)
    }

    /// In the headers or in any piece of what came back.
    fn comes_back(&self, exchange: &Exchange) -> bool {
        let headers = exchange.http.iter().flat_map(|head| &head.headers);
        let mut headers = headers.flat_map(|(name, value)| [name, value]);
        headers.any(|text| self.is_in(text.as_bytes()))
            || exchange.received.iter().any(|piece| self.is_in(&piece.bytes))
    }
}

/// A base64 text depends on what stands before: three shifts, without the characters that neighbours change.
fn guises(marker: &str) -> Vec<String> {
    let mut guises = vec![marker.to_owned(), marker.bytes().map(|byte| format!("%{byte:02X}")).collect()];
    guises.push(marker.chars().map(|one| format!("\\u{:04x}", one as u32)).collect());
    guises.push(marker.bytes().map(|byte| format!("{byte:02x}")).collect());
    for shift in 0..3 {
        let shifted = format!("{}{marker}", "\0".repeat(shift));
        for engine in [&STANDARD, &URL_SAFE] {
            let text = engine.encode(&shifted);
            let text = text.trim_end_matches('=');
            let (skip, last) = (if shift == 0 { 0 } else { 4 }, if shifted.len() % 3 == 0 { 0 } else { 1 });
            guises.push(text[skip..text.len() - last].to_owned());
        }
    }
    guises
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mock::{Headers, Transport};
    use crate::scenario::Variables;
    use crate::transcript::{Ended, HttpHead, Sent, Via};
    use std::sync::OnceLock;
    use std::time::Instant;

    #[test]
    fn a_marker_is_found_in_every_guise() {
        let marker = Marker::of(MARKER);
        for before in ["", "x", "xy", "xyz"] {
            let text = format!("{before}{MARKER} and more");
            assert!(marker.is_in(text.as_bytes()));
            assert!(marker.is_in(STANDARD.encode(&text).as_bytes()), "base64 behind {before:?}");
        }
        assert!(marker.is_in(b"%63%61%6E%61%72%79%2D%6F%72%64%65%72%2D%30%61%31%62%32%63"));
        assert!(!marker.is_in(b"canary-order-0a1b2d"));
        assert!(!marker.is_in(STANDARD.encode("canary-order-0a1b2d").as_bytes()));
    }

    const MARKER: &str = "canary-order-0a1b2c";

    fn exchange(head: &str, body: &str) -> Exchange {
        let sent = Sent { at: Instant::now(), bytes: "{}".into(), id: None };
        let http = Some(HttpHead { status: 401, headers: vec![("x-note".into(), head.to_owned())] });
        let received = vec![Received::now(Via::Body, body.to_owned())];
        Exchange { sent, http, received, ended: Ended::Answered }
    }

    fn arrival(request: &str, header: &str, bytes: &'static str) -> Arrival {
        let pair = (http::HeaderName::from_static("cookie"), header.parse().unwrap());
        Arrival {
            seq: 1,
            at: Instant::now(),
            upstream: "ludus".into(),
            session: None,
            transport: Transport::Http,
            request: Some(request.to_owned()),
            headers: Headers::from(&http::HeaderMap::from_iter([pair])),
            calls: OnceLock::new(),
            bytes: bytes.into(),
            method: None,
            executed: Vec::new(),
            receipts: Vec::new(),
            abandoned: false,
            turned_away: false,
        }
    }

    #[test]
    fn a_marker_is_found_in_every_part_of_what_reaches_a_server() {
        let marker = Marker::of(MARKER);
        let cookie = format!("sid={}", STANDARD.encode(MARKER));
        assert!(marker.arrives(&arrival("POST /mcp", "a", "canary-order-0a1b2c")));
        assert!(marker.arrives(&arrival("POST /mcp", &cookie, "{}")));
        assert!(marker.arrives(&arrival("POST /mcp?a=canary-order-0a1b2c", "a", "{}")));
        assert!(!marker.arrives(&arrival("POST /mcp", "sid=canary-order-0a1b2d", "{}")));
    }

    #[test]
    fn a_marker_is_found_in_whatever_the_agent_is_told() {
        let (clean, marker) = (exchange("a", "{}"), Marker::of(MARKER));
        assert!(!marker.comes_back(&clean));
        assert!(marker.comes_back(&exchange(MARKER, "{}")) && marker.comes_back(&exchange("a", MARKER)));
        let notice = [Received::now(Via::Notices, MARKER)];
        let met = |opened: &[Exchange], notices: &[Received], never: &str| {
            let text = format!(
                "scenario: s\ncanaries: {{order: {{never: [{never}]}}}}\nupstreams: [ludus]\nsteps:\n  - {{call: whoami}}\n"
            );
            let scenario = crate::scenario::read(&text, "s.yaml").unwrap();
            let mut variables = Variables::default();
            variables.set("order", MARKER);
            let performance = Performance::beginning(variables);
            let seen = sightings(&scenario, &performance, &[], Beside { opened, notices, audit: None });
            seen.iter().all(|step| step.met)
        };
        assert!(met(std::slice::from_ref(&clean), &[], "client"));
        assert!(!met(&[clean, exchange(MARKER, "{}")], &[], "client"), "while a session was opened");
        assert!(!met(&[], &notice, "client"), "on the stream of notices");
        assert!(met(&[], &notice, "ludus"), "that is another direction");
        let packed = Exchange {
            ended: Ended::Lost("not readable: it is packed as `br`".into()),
            ..exchange("a", "?")
        };
        assert!(!met(&[packed], &[], "client"), "what cannot be read may hold it");
    }
}
