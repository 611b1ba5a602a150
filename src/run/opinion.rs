//! What an agent built on an SDK experiences where the wire says more, or other, than the SDK lets through. It is
//! reported beside a verdict and never decides one.

use super::against::{Kind, differences};
use super::judge::RECEIPT;
use crate::diagnostic::printable_within;
use crate::transcript::{Ended, Exchange};
use crate::wire::{Json, Message};
use serde::Serialize;

/// What an SDK's client saw is told to this many characters.
const EXCERPT: usize = 400;

/// How an SDK's view relates to the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// All that the wire said.
    Same,
    /// Members of the answer are missing, or changed.
    MembersLost,
    /// An error without the words that the gateway gave for it.
    BodyLost,
    /// An error without the HTTP status that told what kind.
    StatusLost,
    /// An error although there was a result, or the other way round.
    OtherOutcome,
    /// The call reached the server more often than the agent made it.
    SentTwice,
    /// Nothing, although there was an answer.
    Hung,
    /// It was not made: an SDK gives no way to, or what came before it was not made.
    NotMade,
}

/// What an SDK's client saw in one step; equal ones are counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Opinion {
    /// How that relates to the wire.
    pub class: Class,
    /// What it saw, in its own words.
    pub saw: String,
    /// How often.
    pub count: usize,
}

/// Both views of one request.
pub struct Views<'a> {
    /// What was on the wire, page by page where it was a list.
    pub wire: &'a [Exchange],
    /// How often the request ran when it was made on the wire.
    pub wire_reach: usize,
    /// What the SDK's client saw: a result, its words for an error, or nothing in time.
    pub saw: Option<&'a Result<Json, String>>,
    /// How often the request ran when the SDK's client made it.
    pub reach: usize,
}

impl Class {
    /// The words for it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Same => "the same",
            Self::MembersLost => "members lost",
            Self::BodyLost => "body lost",
            Self::StatusLost => "status lost",
            Self::OtherOutcome => "another outcome",
            Self::SentTwice => "sent twice",
            Self::Hung => "hung",
            Self::NotMade => "not made",
        }
    }
}

impl Opinion {
    /// That a step was not made, and why.
    pub fn not_made(why: &str) -> Self {
        Self { class: Class::NotMade, saw: why.to_owned(), count: 1 }
    }

    /// What comes of both views.
    pub fn of(views: &Views<'_>) -> Self {
        let (class, saw) = views.compare();
        Self { class, saw: printable_within(&saw, EXCERPT), count: 1 }
    }
}

impl Views<'_> {
    fn compare(&self) -> (Class, String) {
        let Some(saw) = self.saw else {
            let answered = self.wire.last().is_some_and(|exchange| exchange.ended == Ended::Answered);
            return (if answered { Class::Hung } else { Class::Same }, "nothing in time".to_owned());
        };
        if self.reach > self.wire_reach && self.reach > 1 {
            return (Class::SentTwice, format!("{}, after {} arrivals", brief(saw), self.reach));
        }
        match (self.result(), saw) {
            (Some(result), Ok(seen)) => members(&result, seen, self.wire_reach > 0),
            (None, Err(text)) => (self.error(text), text.clone()),
            (_, saw) => (Class::OtherOutcome, brief(saw)),
        }
    }

    /// The result that was on the wire; of a list, the tools of all pages.
    fn result(&self) -> Option<Json> {
        let result = |exchange: &Exchange| match exchange.response()? {
            Message::Response { outcome: Ok(result), .. } => Some(result.clone()),
            _ => None,
        };
        let results: Vec<Json> = self.wire.iter().map(result).collect::<Option<_>>()?;
        match results.as_slice() {
            [] => None,
            [only] if only.get("tools").is_none() => Some(only.clone()),
            pages => {
                let tools =
                    |page: &Json| page.get("tools").and_then(Json::as_array).unwrap_or_default().to_vec();
                Some(Json::Array(pages.iter().flat_map(tools).collect()))
            }
        }
    }

    /// What an error text kept of the error on the wire.
    fn error(&self, text: &str) -> Class {
        let Some(exchange) = self.wire.last() else { return Class::Same };
        if let Some(Message::Response { outcome: Err(error), .. }) = exchange.response() {
            return if holds(text, &error.message) { Class::Same } else { Class::BodyLost };
        }
        let body = exchange.received.last().map(|piece| String::from_utf8_lossy(&piece.bytes).into_owned());
        // An SDK may cut a long body; its beginning is enough.
        let words: String = body.unwrap_or_default().trim().chars().take(40).collect();
        if !words.is_empty() && !holds(text, &words) {
            return Class::BodyLost;
        }
        match &exchange.http {
            Some(head) if !text.contains(&head.status.to_string()) => Class::StatusLost,
            _ => Class::Same,
        }
    }
}

/// Whether a text says these words. Each call has times and ids of its own, so numbers do not count.
fn holds(text: &str, words: &str) -> bool {
    let timeless = |text: &str| {
        let word = |word: &str| {
            if word.contains(|one: char| one.is_ascii_digit()) { "#".into() } else { word.to_owned() }
        };
        text.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
    };
    text.contains(words) || timeless(text).contains(&timeless(words))
}

/// What is lost of a result. An SDK may add what is the default. `ran` is whether the server answered, which says the
/// same each time; the words of a gateway hold times and ids.
fn members(wire: &Json, seen: &Json, ran: bool) -> (Class, String) {
    let mut lost = differences("", &unminted(wire), &unminted(seen));
    lost.retain(|one| !matches!(one.kind, Kind::Added | Kind::Reordered | Kind::Respelled));
    // What says of which kind a result is, an SDK turns into a type.
    lost.retain(|one| one.place != "/resultType");
    let is_text = |value: &str| value.starts_with('"');
    lost.retain(|one| ran || one.kind != Kind::Changed || !is_text(&one.direct) || !is_text(&one.through));
    match lost.first() {
        None => (Class::Same, "the same result".to_owned()),
        Some(first) => {
            let more = if lost.len() > 1 { format!(" and {} more", lost.len() - 1) } else { String::new() };
            let now =
                if first.through.is_empty() { String::new() } else { format!(" → {}", first.through) };
            let what = format!("{} {} ({}{now}){more}", first.kind.word(), first.place, first.direct);
            (Class::MembersLost, format!("a result with {what}"))
        }
    }
}

/// Two calls have two receipts.
fn unminted(result: &Json) -> Json {
    let mut result = result.clone();
    let members = result
        .as_object_mut()
        .and_then(|members| members.0.iter_mut().find(|(name, _)| name == "_meta").map(|(_, value)| value));
    if let Some(meta) = members.and_then(Json::as_object_mut)
        && meta.get(RECEIPT).is_some()
    {
        meta.set(RECEIPT, "(minted)");
    }
    result
}

fn brief(saw: &Result<Json, String>) -> String {
    match saw {
        Ok(result) => format!("a result {result}"),
        Err(text) => text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{HttpHead, Received, Sent, Via};
    use bytes::Bytes;
    use std::time::Instant;

    fn exchange(status: u16, body: &str) -> Exchange {
        let at = Instant::now();
        Exchange {
            sent: Sent { at, bytes: Bytes::new(), id: Some(Json::from(1)) },
            http: Some(HttpHead { status, headers: Vec::new() }),
            received: vec![Received::now(Via::Body, body.to_owned())],
            ended: Ended::Answered,
        }
    }

    fn class(wire: &Exchange, saw: Option<Result<&str, &str>>, reach: usize) -> Class {
        let json = |text: &str| crate::wire::parse(text.as_bytes()).unwrap();
        let saw = saw.map(|saw| saw.map(json).map_err(str::to_owned));
        let wire = std::slice::from_ref(wire);
        Opinion::of(&Views { wire, wire_reach: 1, saw: saw.as_ref(), reach }).class
    }

    #[test]
    fn a_result_is_the_same_or_lost_members() {
        let wire = exchange(
            200,
            r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","content":[{"a":1,"x":2}],"_meta":{"dev.gauntlet/receipt":"r1"}}}"#,
        );
        let same = r#"{"content":[{"a":1,"x":2}],"isError":false,"_meta":{"dev.gauntlet/receipt":"r2"}}"#;
        assert_eq!(class(&wire, Some(Ok(same)), 1), Class::Same);
        let bare = r#"{"content":[{"a":1}],"_meta":{"dev.gauntlet/receipt":"r2"}}"#;
        assert_eq!(class(&wire, Some(Ok(bare)), 1), Class::MembersLost);
        assert_eq!(class(&wire, Some(Ok(same)), 2), Class::SentTwice);
        assert_eq!(class(&wire, Some(Err("Transport closed")), 1), Class::OtherOutcome);
        assert_eq!(class(&wire, None, 1), Class::Hung);
    }

    #[test]
    fn an_error_keeps_its_words_and_its_status_or_not() {
        let limited =
            exchange(429, r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"retry in 60 s"}}"#);
        assert_eq!(class(&limited, Some(Err("Mcp error: -32000: retry in 60 s")), 1), Class::Same);
        assert_eq!(class(&limited, Some(Err("Mcp error: -32000: retry in 59.7 s")), 1), Class::Same);
        assert_eq!(class(&limited, Some(Err("HTTP 429")), 1), Class::BodyLost);
        let page = exchange(403, "denied by policy");
        assert_eq!(class(&page, Some(Err("HTTP 403: denied by policy")), 1), Class::Same);
        assert_eq!(class(&page, Some(Err("denied by policy")), 1), Class::StatusLost);
        assert_eq!(class(&page, Some(Err("Transport closed")), 1), Class::BodyLost);
        let quiet = Exchange { ended: Ended::Quiet, received: Vec::new(), ..page };
        assert_eq!(class(&quiet, None, 1), Class::Same);
    }
}
