//! What the agent was told, read from one exchange: the profile's own matchers first, then rules that hold of any
//! gateway. Those never guess between a denial and a limit: what nothing claims is `Refused`. It does not know what
//! really happened; that is in the ledger.

use super::profile::Profile;
use super::retry;
use super::saying::Captures;
use super::view::{ADDRESS_TO_OPEN, Kind, View};
use crate::transcript::{Ended, Exchange};
use crate::wire::{Json, RpcError, rpc};
use std::time::Duration;

/// The member of a result's `_meta` by which a mock signs its answers.
const RECEIPT: &str = "dev.gauntlet/receipt";

/// What was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// In a word.
    pub word: Word,
    /// The gateway's own reason.
    pub reason: Option<String>,
    /// When to try again, if it said so.
    pub retry_after: Option<Duration>,
    /// The id of what waits for a decision, if it said so.
    pub approval: Option<String>,
    /// Which of the profile's readings claimed it; `None` where a general rule did.
    pub claimed_by: Option<usize>,
    /// Everything that the reading caught.
    pub captures: Captures,
}

impl Told {
    /// Nothing was told.
    pub fn silence() -> Self {
        let (reason, retry_after, approval, claimed_by) = (None, None, None, None);
        Self { word: Word::Silence, reason, retry_after, approval, claimed_by, captures: Captures::default() }
    }
}

/// What was told, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Word {
    /// An answer.
    Success,
    /// Not allowed.
    Denied,
    /// Not now.
    Limited,
    /// Somebody decides first.
    Pending,
    /// Not you.
    Unauthorized,
    /// No such tool.
    Unknown,
    /// Not like that.
    Invalid,
    /// Trouble at the upstream, or of the gateway's own.
    Failed,
    /// An error that nothing claims.
    Refused,
    /// Nothing in time; the connection lives.
    Silence,
    /// The connection or the process is gone.
    Lost,
}

impl Profile {
    /// What an exchange told the agent.
    pub fn told(&self, exchange: &Exchange) -> Told {
        let view = View::of(exchange);
        let claimed = self
            .reads
            .iter()
            .enumerate()
            .find_map(|(index, claim)| Some((index, claim.word(), claim.condition().holds(&view)?)));
        match claimed {
            Some((index, word, captures)) => {
                Told { claimed_by: Some(index), ..Told::of(word, captures, &view) }
            }
            None => Told::of(general(&view), Captures::new(), &view),
        }
    }

    /// How long an unanswered call must stay so until this gateway is taken to hold it.
    pub fn holds_after(&self) -> Option<Duration> {
        self.reads.iter().find_map(|claim| claim.condition().silence.as_ref().map(|silence| silence.within.0))
    }
}

impl Told {
    fn of(word: Word, mut captures: Captures, view: &View<'_>) -> Self {
        if let Some((url, id)) = view.address().filter(|_| word == Word::Pending) {
            captures.entry("url".to_owned()).or_insert(url);
            captures.entry("approval".to_owned()).or_insert(id);
        }
        Self {
            word,
            reason: captures.get("reason").cloned().or_else(|| said(view)),
            retry_after: retry::after(&captures, view.exchange),
            approval: captures.get("approval").cloned(),
            claimed_by: None,
            captures,
        }
    }
}

/// The rules that hold of any gateway.
fn general(view: &View<'_>) -> Word {
    match &view.exchange.ended {
        Ended::Lost(_) => return Word::Lost,
        Ended::Quiet if view.asked().is_some() => return Word::Pending,
        Ended::Quiet => return Word::Silence,
        Ended::Answered => {}
    }
    let status = view.exchange.http.as_ref().map(|head| head.status);
    match status {
        Some(401) => return Word::Unauthorized,
        Some(403) if view.exchange.header("www-authenticate").is_some() => return Word::Unauthorized,
        Some(429) => return Word::Limited,
        _ => {}
    }
    match (view.kind(), view.error()) {
        (Kind::Plain, _) => Word::Success,
        (Kind::InputRequired, _) => Word::Pending,
        // Also where the upstream says so: nothing ran.
        (Kind::Error, _) if names_no_tool(&view.result_text().unwrap_or_default()) => Word::Unknown,
        (Kind::Error, _) if signed(view) => Word::Success,
        (Kind::Error, _) => Word::Refused,
        (Kind::Absent, Some(error)) => of_error(error),
        (Kind::Absent, None) => of_status(status, view),
    }
}

fn of_error(error: &RpcError) -> Word {
    match error.code {
        rpc::INVALID_PARAMS | rpc::METHOD_NOT_FOUND if names_no_tool(&error.message) => Word::Unknown,
        rpc::PARSE_ERROR | rpc::INVALID_REQUEST | rpc::INVALID_PARAMS | rpc::METHOD_NOT_FOUND => {
            Word::Invalid
        }
        rpc::INTERNAL_ERROR => Word::Failed,
        ADDRESS_TO_OPEN => Word::Pending,
        _ => Word::Refused,
    }
}

/// An answer without a response in it.
fn of_status(status: Option<u16>, view: &View<'_>) -> Word {
    match status {
        Some(500..) => Word::Failed,
        Some(403) => Word::Refused,
        Some(400..) => Word::Invalid,
        _ if view.exchange.received.is_empty() => Word::Silence,
        _ => Word::Failed,
    }
}

/// Whether the upstream itself gave this answer: its errors are answers too.
fn signed(view: &View<'_>) -> bool {
    view.result().and_then(|result| result.get("_meta")?.get(RECEIPT)).is_some()
}

fn names_no_tool(text: &str) -> bool {
    let text = text.to_lowercase();
    ["unknown tool", "tool not found", "no such tool"].iter().any(|words| text.contains(words))
        || (text.starts_with("tool ") && (text.ends_with("not found") || text.ends_with("does not exist")))
}

/// What the gateway said, whatever its form; nothing of a success.
fn said(view: &View<'_>) -> Option<String> {
    let text = match (view.kind(), view.error()) {
        (Kind::Plain, _) => return None,
        (Kind::Absent, Some(error)) => error.message.clone(),
        (Kind::Absent, None) => view.body(),
        _ => view.result_text()?,
    };
    let of_data = view.error().and_then(|error| error.data.as_ref()?.get("reason")).and_then(Json::as_str);
    Some(of_data.map_or(text, ToOwned::to_owned)).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{HttpHead, Received, Sent, Via};
    use std::collections::BTreeMap;
    use std::time::Instant;

    fn exchange(ended: Ended, frames: &[&str]) -> Exchange {
        let at = Instant::now();
        let received = frames.iter().map(|text| Received::now(Via::Line, text.as_bytes().to_vec()));
        let sent = Sent { at, bytes: Default::default(), id: Some(Json::from(1)) };
        Exchange { sent, http: None, received: received.collect(), ended }
    }

    fn over_http(status: u16, header: (&str, &str), body: &str) -> Exchange {
        let headers = vec![(header.0.to_owned(), header.1.to_owned())];
        let mut exchange = exchange(Ended::Answered, &[body]);
        exchange.received[0].via = Via::Body;
        exchange.received.retain(|piece| !piece.bytes.is_empty());
        exchange.http = Some(HttpHead { status, headers });
        exchange
    }

    fn profile(reads: &str) -> Profile {
        Profile::read(
            "profile.yaml",
            &format!("gateway: g\nconnect: {{http: 'http://x'}}\nreads:\n{reads}"),
            BTreeMap::new(),
        )
        .unwrap()
    }

    fn silent() -> Profile {
        Profile::read("profile.yaml", "{gateway: g, connect: {http: 'http://x'}}", BTreeMap::new()).unwrap()
    }

    #[test]
    fn the_first_reading_that_matches_wins_and_catches() {
        let profile = profile(
            "  - limited: {error_result: '^Rate limited by policy: .*retry in (?<retry_after>[0-9.]+)s'}\n  \
               - denied: {error_result: '^Denied .*\\((?<reason>.*)\\)'}\n  \
               - unknown: {rpc_error: {code: -32010, data: {reason_code: '^unknown_tool$'}}}\n  \
               - pending: {rpc_error: {code: -32011, data: {/record/id: '(?<approval>.+)'}}}\n  \
               - denied: {http: {status: 403, header: {X-Why: '(?<reason>.+)'}, body: blocked}}\n",
        );
        let error = |text: &str| {
            let frame = format!(
                r#"{{"jsonrpc":"2.0","id":1,"result":{{"isError":true,"content":[{{"type":"text","text":"{text}"}}]}}}}"#
            );
            profile.told(&exchange(Ended::Answered, &[&frame]))
        };
        let limited = error("Rate limited by policy: rate limit 'three' exhausted; retry in 19.6s");
        assert_eq!((limited.word, limited.retry_after), (Word::Limited, Some(Duration::from_millis(19_600))));
        let denied = error("Denied by policy (out of scope)");
        assert_eq!(
            (denied.word, denied.reason.as_deref(), denied.claimed_by),
            (Word::Denied, Some("out of scope"), Some(1))
        );
        assert_eq!(error("nobody knows").word, Word::Refused);

        let data = |code: i64, data: &str| {
            let frame = format!(
                r#"{{"jsonrpc":"2.0","id":1,"error":{{"code":{code},"message":"m","data":{data}}}}}"#
            );
            profile.told(&exchange(Ended::Answered, &[&frame]))
        };
        assert_eq!(data(-32010, r#"{"reason_code":"unknown_tool"}"#).word, Word::Unknown);
        let pending = data(-32011, r#"{"record":{"id":7}}"#);
        assert_eq!((pending.word, pending.approval.as_deref()), (Word::Pending, Some("7")));
        assert_eq!(data(-32010, r#"{"reason":"because"}"#).reason.as_deref(), Some("because"));

        let blocked = profile.told(&over_http(403, ("x-why", "the rule"), "it is blocked"));
        assert_eq!((blocked.word, blocked.reason.as_deref()), (Word::Denied, Some("the rule")));
    }

    #[test]
    fn what_stands_beside_the_content_can_be_read() {
        let profile = profile(
            "  - limited: {error_result: '^no$', meta: {/acme.dev~1verdict/rule: '^limit[.](?<reason>.+)$'}}\n  \
               - denied: {meta: {acme.dev/verdict: '\"denied\":true', why: '(?<reason>.+)'}}\n",
        );
        let told = |error: bool, meta: &str| {
            let frame = format!(
                r#"{{"jsonrpc":"2.0","id":1,"result":{{"isError":{error},"content":[{{"type":"text","text":"no"}}],"_meta":{meta}}}}}"#
            );
            let told = profile.told(&exchange(Ended::Answered, &[&frame]));
            (told.word, told.reason)
        };
        let limit = r#"{"acme.dev/verdict":{"rule":"limit.tool"}}"#;
        assert_eq!(told(true, limit), (Word::Limited, Some("tool".to_owned())));
        assert_eq!(told(false, limit), (Word::Success, None), "every member of a condition has to hold");
        let denied = r#"{"acme.dev/verdict":{"denied":true},"why":"it is late"}"#;
        assert_eq!(told(false, denied), (Word::Denied, Some("it is late".to_owned())));
        assert_eq!(told(true, "{}").0, Word::Refused);
    }

    #[test]
    fn the_general_rules_never_guess_between_denied_and_limited() {
        let told = |frame: &str| silent().told(&exchange(Ended::Answered, &[frame])).word;
        let error = |code: i64, words: &str| {
            told(&format!(r#"{{"jsonrpc":"2.0","id":1,"error":{{"code":{code},"message":"{words}"}}}}"#))
        };
        assert_eq!(error(-32001, "rate limit exceeded"), Word::Refused);
        assert_eq!(error(-32000, "denied by policy"), Word::Refused);
        assert_eq!(error(-32602, "Unknown tool: x"), Word::Unknown);
        assert_eq!(error(-32602, "Invalid request parameters"), Word::Invalid);
        assert_eq!(error(-32603, "oops"), Word::Failed);
        assert_eq!(error(-32042, "open this"), Word::Pending);
        let result = |members: &str| told(&format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{{members}}}}}"#));
        assert_eq!(result(r#""content":[]"#), Word::Success);
        assert_eq!(result(r#""resultType":"input_required","inputRequests":{}"#), Word::Pending);
        assert_eq!(
            result(r#""isError":true,"content":[{"type":"text","text":"Unknown tool: x"}]"#),
            Word::Unknown
        );
        let signed = r#""isError":true,"content":[],"_meta":{"dev.gauntlet/receipt":"r-1"}"#;
        assert_eq!(result(signed), Word::Success, "an upstream's own error is its answer");
        assert_eq!(told(r#"{"jsonrpc":"2.0","id":2,"result":{}}"#), Word::Failed, "somebody else's answer");
        assert_eq!(
            told(r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"m"}}"#),
            Word::Invalid
        );
    }

    #[test]
    fn the_status_speaks_where_no_frame_does() {
        let told = |status, header, body| silent().told(&over_http(status, header, body));
        assert_eq!(
            told(401, ("www-authenticate", "Bearer"), r#"{"error":"unauthorized"}"#).word,
            Word::Unauthorized
        );
        assert_eq!(told(403, ("www-authenticate", "Bearer"), "").word, Word::Unauthorized);
        assert_eq!(told(403, ("x", "y"), "no").word, Word::Refused);
        let limited = told(429, ("retry-after", "7"), "slow down");
        assert_eq!((limited.word, limited.retry_after), (Word::Limited, Some(Duration::from_secs(7))));
        assert_eq!(limited.reason.as_deref(), Some("slow down"));
        assert_eq!(told(404, ("x", "y"), "").word, Word::Invalid);
        assert_eq!(told(502, ("x", "y"), "<html>").word, Word::Failed);
        assert_eq!(told(202, ("x", "y"), "").word, Word::Silence);
    }

    #[test]
    fn no_answer_is_silence_unless_somebody_was_asked_or_the_gateway_holds() {
        let quiet = exchange(Ended::Quiet, &[]);
        assert_eq!(silent().told(&quiet).word, Word::Silence);
        let ask = r#"{"jsonrpc":"2.0","id":"e1","method":"elicitation/create","params":{"message":"approve a-9?"}}"#;
        assert_eq!(silent().told(&exchange(Ended::Quiet, &[ask])).word, Word::Pending);
        assert_eq!(silent().told(&exchange(Ended::Lost("eof".to_owned()), &[])).word, Word::Lost);
        let holding = profile(
            "  - pending: {elicitation: 'approve (?<approval>.*)[?]'}\n  - pending: {silence: {within: 2s}}\n",
        );
        assert_eq!(holding.told(&exchange(Ended::Quiet, &[ask])).approval.as_deref(), Some("a-9"));
        assert_eq!(holding.told(&quiet).word, Word::Pending);
        assert_eq!(holding.holds_after(), Some(Duration::from_secs(2)));
    }
}
