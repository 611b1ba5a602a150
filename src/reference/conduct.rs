//! Every decision of the gateway, each as a function that can be replaced. The default is honest; nothing else asks
//! whether it lies.

use super::approvals::{Standing, Ticket, Verdict};
use super::audit::Record;
use super::front;
use super::read::{self, Taken};
use super::refusal::{self, Put, Refusal};
use super::settings::Grant;
use crate::declared::{Declared, Failure, WindowKind};
use crate::policy::{
    Call, Charge, Counters, Decision, Denied, Limited, Policy, Reservation, Who, fingerprint,
};
use crate::wire::canonical::same;
use crate::wire::{Json, Revision, RpcError, rpc};
use http::HeaderMap;
use std::time::Duration;

/// Every decision of the gateway.
#[derive(Clone, Debug)]
pub struct Conduct {
    /// What the text of a policy means, at the start and when it is read again.
    pub understands: fn(&str) -> Result<Policy, String>,
    /// What a request's path leads to.
    pub door: fn(&str) -> Door,
    /// Whether a version of the protocol is spoken.
    pub speaks: fn(&str) -> bool,
    /// Whether a body of that type and encoding is read at all.
    pub readable: fn(&HeaderMap) -> bool,
    /// What the bytes of a message are taken for.
    pub read: fn(&[u8], &Declared) -> Taken,
    /// Whether a request's `Host` and `Origin` are of this machine.
    pub local: fn(&HeaderMap) -> bool,
    /// Which grant a request has, by its place in the list.
    pub who: fn(&HeaderMap, &[Grant]) -> Option<usize>,
    /// Which grants hold after new ones were read: the old ones come first.
    pub adopts: fn(&[Grant], Vec<Grant>) -> Vec<Grant>,
    /// Whether a session that lives follows a policy that was changed.
    pub follows: fn() -> bool,
    /// Whether a call waits for a record that can be kept.
    pub needs_records: fn() -> bool,
    /// What is said to a method that there is not.
    pub strange: fn(&str) -> Result<Json, RpcError>,
    /// Whether a call without a session is served.
    pub sessionless: fn() -> bool,
    /// Whether the headers of a modern request say what its body says.
    pub agrees: fn(&Json, &HeaderMap) -> Result<(), RpcError>,
    /// Whether a request that the agent takes back, or does not wait for, is given up.
    pub gives_up: fn() -> bool,
    /// Which grant somebody has by what the client says of itself, by its place in the list; `None`: that counts for nothing.
    pub introduces: fn(&Json, &[Grant]) -> Option<usize>,
    /// Whether a session of the first identity may be used by the second.
    pub owns: fn(&str, &str) -> bool,
    /// Whether a frame that wants no answer goes on to the upstream.
    pub passes_notice: fn(&str) -> bool,
    /// Whether a tool is listed, on that page.
    pub shows: fn(&Seen<'_>) -> bool,
    /// On which shelf an identity's list is kept for later; `None`: it is asked for anew each time.
    pub shelf: fn(&str) -> Option<String>,
    /// What is told of a hidden tool, of what would be told of one that is not listed.
    pub veils: fn(Refusal) -> Refusal,
    /// What the policy says to a call; the number is that of the identity's earlier calls.
    pub decide: fn(&Policy, &Call<'_>, u64) -> Decision,
    /// Whether what was pinned before the start still counts.
    pub recalls: fn() -> bool,
    /// What is said to a call of somebody who has no policy.
    pub unruled: fn() -> Decision,
    /// Whether a tool's entry is still the one that was seen first.
    pub unchanged: fn(&Json, &Json) -> bool,
    /// What counts as seen first, once somebody has approved an entry.
    pub settles_on: fn(&Json) -> Json,
    /// What an approval is bound to.
    pub seal: fn(&str, &Call<'_>) -> String,
    /// Whether a ticket can be decided: still, or once more.
    pub decidable: fn(&Ticket, Duration) -> bool,
    /// Whether a ticket lets a call pass now.
    pub usable: fn(&Ticket, Duration) -> bool,
    /// Whether a use takes the approval away.
    pub burns: fn(&Ticket) -> bool,
    /// Whether an approval that was used comes back.
    pub rearms: fn(Ending) -> bool,
    /// Whether the policy is looked at once more before an approval is used.
    pub looks_again: fn() -> bool,
    /// Whether who shows these headers may decide; the text is the deciders' token.
    pub may_decide: fn(&HeaderMap, &str, &[Grant]) -> bool,
    /// What it means that nobody decided in time.
    pub silence: fn() -> Verdict,
    /// How a limit's window moves, of the way that its policy says.
    pub moves: fn(WindowKind, &Declared) -> WindowKind,
    /// What is counted, and against whom.
    pub charges: fn(Vec<Charge>, &Who<'_>) -> Vec<Charge>,
    /// Takes what is charged, or refuses.
    pub reserve: fn(&mut Counters, &[Charge], Duration) -> Result<Reservation, Limited>,
    /// Whether what was charged goes back.
    pub gives_back: fn(Ending, &Declared) -> bool,
    /// Gives it back, at that time.
    pub release: fn(&mut Counters, Reservation, Duration),
    /// Whether counts outlive new grants.
    pub keeps_counts: fn() -> bool,
    /// How long a call waits before anybody looks at it, while so many others of its session are under way.
    pub pauses: fn(usize) -> Duration,
    /// Under which name an answer is kept for later calls; `None`: each call is asked anew.
    pub remembers: fn(&Call<'_>, &Json) -> Option<String>,
    /// To which upstream a call goes that is meant for this one, by its place, and came with these headers.
    pub lands: fn(usize, &HeaderMap) -> usize,
    /// Which of the agent's headers go on to the upstream.
    pub crosses: fn(&HeaderMap) -> Vec<(String, String)>,
    /// Whether a name that no upstream lists goes on to the only one there is.
    pub passes_unlisted: fn(&str) -> bool,
    /// The parameters that go on to the upstream.
    pub sends: fn(Json) -> Json,
    /// How long an upstream may keep a call waiting, of the time that was set.
    pub waits: fn(Duration) -> Option<Duration>,
    /// Whether a call that failed so is sent once more.
    pub sends_again: fn(Failure) -> bool,
    /// Whether a response answers the request of the first id; the second is its own.
    pub answers: fn(i64, &Json) -> bool,
    /// What is told of an upstream that gave no response: only a status, and perhaps a cookie.
    pub explains: fn(u16, Option<&str>) -> String,
    /// Whether a notice of the upstream goes on to the agent.
    pub relays: fn(&str) -> bool,
    /// Whether an upstream's answer in that encoding is unpacked.
    pub unpacks: fn(&str) -> bool,
    /// What of the bytes of an upstream's answer is taken for the frame.
    pub hears: fn(&[u8]) -> &[u8],
    /// What is answered to a question of the upstream in the place of the agent's client; `None`: the client is asked.
    pub stands_in: fn(&str) -> Option<Put>,
    /// The result that goes back to the agent.
    pub returns: fn(Json) -> Json,
    /// The error that goes back to the agent.
    pub reports: fn(Json) -> Json,
    /// The id that an answer bears, of the request's.
    pub echoes: fn(Json) -> Json,
    /// Whether an answer comes as a stream, although nothing comes before it.
    pub streams: fn() -> bool,
    /// How a refusal is put into words.
    pub puts: fn(&Refusal) -> Put,
    /// What stands for the arguments in a record.
    pub prints: fn(&str, &Call<'_>) -> String,
    /// What is kept of a record, if anything.
    pub records: fn(Record) -> Option<Record>,
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

/// Where a path leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// To where agents come in.
    Agents,
    /// To the same place, past the policy: no honest gateway has such a door.
    Unwatched,
    /// To where people decide: no honest gateway has that behind the agents' door.
    Decisions,
    /// Nowhere.
    Closed,
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
    /// The id of the request for the list.
    pub id: &'a Json,
    /// Whether another request of that id is under way.
    pub again: bool,
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
            hears: |bytes| bytes,
            stands_in: |_| None,
            returns: |result| result,
            reports: |error| error,
            echoes: |id| id,
            streams: || false,
            puts: refusal::plainly,
            prints: |identity, call| fingerprint(identity, call.upstream, call.tool, call.arguments),
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
