//! Every decision of the gateway, each as a function that can be replaced. The default is honest; nothing else asks
//! whether it lies.

use super::approvals::{Standing, Ticket, Verdict};
use super::audit::Record;
use super::read::{self, Taken};
use super::refusal::{self, Put, Refusal};
use super::settings::Grant;
use crate::declared::{Declared, Failure};
use crate::policy::{Call, Charge, Counters, Decision, Limited, Policy, Reservation, Who, fingerprint};
use crate::wire::Json;
use crate::wire::canonical::same;
use http::HeaderMap;
use std::time::Duration;

/// Every decision of the gateway.
#[derive(Clone, Debug)]
pub struct Conduct {
    /// What the bytes of a message are taken for.
    pub read: fn(&[u8], &Declared) -> Taken,
    /// Whether a request's `Host` and `Origin` are of this machine.
    pub local: fn(&HeaderMap) -> bool,
    /// Which grant a request has, by its place in the list.
    pub who: fn(&HeaderMap, &[Grant]) -> Option<usize>,
    /// Whether a session of the first identity may be used by the second.
    pub owns: fn(&str, &str) -> bool,
    /// Whether a frame that wants no answer goes on to the upstream.
    pub passes_notice: fn(&str) -> bool,
    /// Whether a tool is listed, on that page.
    pub shows: fn(&Seen<'_>) -> bool,
    /// On which shelf an identity's list is kept for later; `None`: it is asked for anew each time.
    pub shelf: fn(&str) -> Option<String>,
    /// What the policy says to a call; the number is that of the identity's earlier calls.
    pub decide: fn(&Policy, &Call<'_>, u64) -> Decision,
    /// Whether a tool's entry is still the one that was seen first.
    pub unchanged: fn(&Json, &Json) -> bool,
    /// What an approval is bound to.
    pub seal: fn(&str, &Call<'_>) -> String,
    /// Whether a ticket can still be decided.
    pub decidable: fn(&Ticket, Duration) -> bool,
    /// Whether a ticket lets a call pass now.
    pub usable: fn(&Ticket, Duration) -> bool,
    /// Whether a use takes the approval away.
    pub burns: fn(&Ticket) -> bool,
    /// What it means that nobody decided in time.
    pub silence: fn() -> Verdict,
    /// What is counted, and against whom.
    pub charges: fn(Vec<Charge>, &Who<'_>) -> Vec<Charge>,
    /// Takes what is charged, or refuses.
    pub reserve: fn(&mut Counters, &[Charge], Duration) -> Result<Reservation, Limited>,
    /// Whether what was charged goes back.
    pub gives_back: fn(Ending, &Declared) -> bool,
    /// Which of the agent's headers go on to the upstream.
    pub crosses: fn(&HeaderMap) -> Vec<(String, String)>,
    /// Whether a name that no upstream lists goes on to the only one there is.
    pub passes_unlisted: fn(&str) -> bool,
    /// The parameters that go on to the upstream.
    pub sends: fn(Json) -> Json,
    /// The result that goes back to the agent.
    pub returns: fn(Json) -> Json,
    /// How a refusal is put into words.
    pub puts: fn(&Refusal) -> Put,
    /// Whether a record is kept.
    pub records: fn(&Record) -> bool,
    /// In which order a call goes through its stages.
    pub order: &'static [Stage],
}

/// A stage of a call. The first that refuses ends the walk; `Record` is entered in any event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Is it hidden?
    Hide,
    /// Is it denied, by action, default or arguments?
    Decide,
    /// Is its entry still the one that was listed first?
    Pin,
    /// Has somebody approved?
    Approve,
    /// Would its limits admit it? Takes nothing: no honest order has this stage.
    Check,
    /// Takes from its limits without asking: no honest order has this stage.
    Count,
    /// Takes from its limits, or refuses.
    Reserve,
    /// Uses the approval up.
    Consume,
    /// To the upstream, and back.
    Forward,
    /// Leaves a record.
    Record,
}

/// Hidden, denied, approval asked for, limits reserved, approval consumed, forwarded.
pub const HONEST_ORDER: &[Stage] = &[
    Stage::Hide,
    Stage::Decide,
    Stage::Pin,
    Stage::Approve,
    Stage::Reserve,
    Stage::Consume,
    Stage::Forward,
    Stage::Record,
];

/// An entry of a list, and who looks at it.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The policy of the one who looks; without, nothing is listed.
    pub policy: Option<&'a Policy>,
    /// The upstream's name.
    pub upstream: &'a str,
    /// The tool's name there.
    pub tool: &'a str,
    /// Which page this is, from 0.
    pub page: usize,
    /// Whether tools that are always denied are listed all the same.
    pub denied_too: bool,
}

/// How a call that was charged came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Refused by a later stage; the upstream was never asked.
    Refused,
    /// The upstream was asked, and this came of it.
    Failed(Failure),
    /// It was answered.
    Answered,
}

impl Default for Conduct {
    fn default() -> Self {
        Self {
            read: read::strictly,
            local,
            who: by_token,
            owns: |owner, identity| owner == identity,
            passes_notice: |method| KNOWN_NOTICES.contains(&method),
            shows,
            shelf: |_| None,
            decide: |policy, call, _| policy.decide(call),
            unchanged: same,
            seal: |identity, call| fingerprint(identity, call.upstream, call.tool, call.arguments),
            decidable: |ticket, now| now < ticket.deadline(),
            usable,
            burns: |_| true,
            silence: || Verdict::Reject,
            charges: |charges, _| charges,
            reserve: Counters::reserve,
            gives_back,
            crosses: |_| Vec::new(),
            passes_unlisted: |_| false,
            sends: |params| params,
            returns: |result| result,
            puts: refusal::plainly,
            records: |_| true,
            order: HONEST_ORDER,
        }
    }
}

/// Notifications of clients that servers know. `initialized` is not among them: each side says it for itself.
const KNOWN_NOTICES: [&str; 2] = ["notifications/progress", "notifications/roots/list_changed"];

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
