//! How the honest gateway decides, decision by decision.

use super::approvals::{Standing, Ticket, Verdict};
use super::conduct::{Conduct, Door, Ending, HONEST_ORDER, Seen};
use super::front;
use super::read;
use super::refusal;
use super::settings::Grant;
use crate::declared::{Declared, Failure, WindowKind};
use crate::policy::{Counters, Decision, Denied, Policy, fingerprint};
use crate::wire::canonical::same;
use crate::wire::{Json, Revision, RpcError, rpc};
use http::HeaderMap;
use std::time::Duration;
impl Default for Conduct {
    fn default() -> Self {
        Self {
            understands: |text| Policy::from_json(text).map_err(|error| error.to_string()),
            door: |path| if path.split('?').next() == Some("/mcp") { Door::Agents } else { Door::Closed },
            speaks: |version| version.parse::<Revision>().is_ok(),
            readable,
            read: read::strictly,
            local,
            who: by_token,
            adopts: |_, new| new,
            follows: || true,
            needs_records: || true,
            strange: |method| {
                let what = format!("method `{method}` is not known here");
                Err(RpcError::new(rpc::METHOD_NOT_FOUND, what))
            },
            sessionless: || false,
            agrees: front::era::check_headers,
            gives_up: || true,
            introduces: |_, _| None,
            owns: |owner, identity| owner == identity,
            passes_notice: |method| KNOWN_NOTICES.contains(&method),
            shows,
            shelf: |_| None,
            entry: |entry| entry,
            veils: |refusal| refusal,
            decide: |policy, call, _| policy.decide(call),
            recalls: || true,
            unruled: || {
                Decision::Denied(Denied { rule: String::new(), reason: "this grant has no policy".into() })
            },
            unchanged: same,
            settles_on: Json::clone,
            seal: |identity, call| fingerprint(identity, call.upstream, call.tool, call.arguments),
            decidable: |ticket, now| ticket.standing == Standing::Open && now < ticket.deadline(),
            usable,
            burns: |_| true,
            rearms: |ending| ending == Ending::Failed(Failure::Unreachable),
            looks_again: || true,
            may_decide,
            silence: || Verdict::Reject,
            moves,
            charges: |charges, _| charges,
            reserve: Counters::reserve,
            gives_back,
            release: Counters::release,
            keeps_counts: || true,
            pauses: |_| Duration::ZERO,
            remembers: |_, _| None,
            lands: |place, _| place,
            crosses: |_| Vec::new(),
            passes_unlisted: |_| false,
            sends: |params| params,
            waits: Some,
            sends_again: |_| false,
            answers: |asked, answered| answered.as_i64() == Some(asked),
            explains: |status, _| format!("no response to the request, status {status}"),
            relays: |_| true,
            unpacks: |_| true,
            wanders: |_| false,
            leads: |_| None,
            hears: |bytes| bytes,
            stands_in: |_| None,
            returns: |result| result,
            reports: |error| error,
            echoes: |id| id,
            packs: |_| false,
            streams: || false,
            puts: refusal::plainly,
            prints: |identity, call| fingerprint(identity, call.upstream, call.tool, call.arguments),
            calls_strangers: |_| None,
            records: Some,
            order: HONEST_ORDER,
        }
    }
}

/// Notifications of clients that servers know. `initialized` is not among them: each side says it for itself.
const KNOWN_NOTICES: [&str; 2] = ["notifications/progress", "notifications/roots/list_changed"];

/// A body in another type or encoding could be read in another way by somebody else.
fn readable(headers: &HeaderMap) -> bool {
    let kind = headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.to_ascii_lowercase();
    let mut parts = kind.split(';').map(str::trim);
    let plain = parts.next() == Some("application/json")
        && parts.all(|part| matches!(part, "charset=utf-8" | "charset=\"utf-8\"" | ""));
    plain && headers.get_all("content-encoding").iter().all(|encoding| encoding == "identity")
}

/// Whoever knows the deciders' token, and shows nothing beside it.
fn may_decide(headers: &HeaderMap, token: &str, _: &[Grant]) -> bool {
    let mut shown = headers.get_all(http::header::AUTHORIZATION).iter();
    let knows = shown.next().is_some_and(|value| value.as_bytes() == format!("Bearer {token}").as_bytes());
    knows && shown.next().is_none()
}

/// `Host` must name this machine, and so must `Origin`, where there is one: otherwise a page in a browser asks.
fn local(headers: &HeaderMap) -> bool {
    let every = |name: &str, is_local: fn(&str) -> bool| {
        headers.get_all(name).iter().all(|value| value.to_str().is_ok_and(is_local))
    };
    let host = |text: &str| {
        let name = text.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
        matches!(name.map_or(text, |(name, _)| name), "localhost" | "127.0.0.1" | "[::1]")
    };
    let origin = |text: &str| {
        let name = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://")).unwrap_or_default();
        let bare = name.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
        matches!(bare.map_or(name, |(bare, _)| bare), "localhost" | "127.0.0.1" | "[::1]")
    };
    every("host", host) && every("origin", origin)
}

/// By the bearer token alone. Whoever shows something is never taken for somebody who shows nothing.
fn by_token(headers: &HeaderMap, grants: &[Grant]) -> Option<usize> {
    let mut shown = headers.get_all(http::header::AUTHORIZATION).iter();
    let Some(first) = shown.next() else { return grants.iter().position(|grant| grant.token.is_none()) };
    let (scheme, token) = first.to_str().ok()?.split_once(' ')?;
    if shown.next().is_some() || !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
        return None;
    }
    grants.iter().position(|grant| grant.token.as_deref() == Some(token))
}

fn shows(seen: &Seen<'_>) -> bool {
    let Some(policy) = seen.policy else { return false };
    let listed = !policy.hides(seen.upstream, seen.tool);
    listed && (seen.denied_too || !policy.always_denies(seen.upstream, seen.tool))
}

/// As the policy says, or all in one way. A fixed window is what a number of seconds means anyway, and the words of the
/// calendar mean the calendar.
fn moves(written: WindowKind, declared: &Declared) -> WindowKind {
    match declared.window {
        None | Some(WindowKind::Fixed) => written,
        Some(other) => other,
    }
}

/// An approval lasts as long again as there was time to decide.
fn usable(ticket: &Ticket, now: Duration) -> bool {
    matches!(ticket.standing, Standing::Approved { at, .. } if now < at + ticket.patience)
}

fn gives_back(ending: Ending, declared: &Declared) -> bool {
    match ending {
        Ending::Refused => true,
        Ending::Answered => false,
        Ending::Failed(failure) => {
            declared.refund.as_deref().unwrap_or(&[Failure::Unreachable]).contains(&failure)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (http::HeaderName::from_static(name), http::HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn only_this_machine_is_local() {
        for (pairs, expected) in [
            (&[("host", "127.0.0.1:80")][..], true),
            (&[("host", "localhost:8000"), ("origin", "http://localhost:3000")], true),
            (&[("host", "[::1]:80"), ("origin", "https://[::1]")], true),
            (&[("host", "evil.test")], false),
            (&[("host", "127.0.0.1.evil.test")], false),
            (&[("host", "127.0.0.1"), ("origin", "http://evil.test")], false),
            (&[("host", "127.0.0.1"), ("origin", "null")], false),
            (&[("host", "127.0.0.1"), ("origin", "http://localhost@evil.test")], false),
            (&[("host", "127.0.0.1"), ("host", "evil.test")], false),
        ] {
            assert_eq!(local(&headers(pairs)), expected, "{pairs:?}");
        }
    }

    #[test]
    fn the_token_alone_says_who() {
        let grant = |identity: &str, token: Option<&str>| Grant {
            identity: identity.into(),
            token: token.map(str::to_owned),
            policy: None,
        };
        let grants = [grant("alice", Some("a-token")), grant("anyone", None)];
        let who =
            |pairs: &[(&'static str, &'static str)], grants: &[Grant]| by_token(&headers(pairs), grants);
        for (pairs, expected) in [
            (&[("authorization", "Bearer a-token")][..], Some(0)),
            (&[("authorization", "bearer a-token")], Some(0)),
            (&[], Some(1)),
            (&[("authorization", "Bearer A-token")], None),
            (&[("authorization", "Bearer ")], None),
            (&[("authorization", "Basic a-token")], None),
            (&[("authorization", "Bearer a-token x")], None),
            (&[("authorization", "Bearer a-token"), ("authorization", "Bearer a-token")], None),
            (&[("x-identity", "alice")], Some(1)),
        ] {
            assert_eq!(who(pairs, &grants), expected, "{pairs:?}");
        }
        assert_eq!(who(&[], &grants[..1]), None);
    }
}
