//! What differs from run to run without meaning anything, and the names that are stored in its place. Also secrets:
//! values that came from the environment are found wherever they stand, in any of their usual spellings.
//!
//! It knows texts and JSON values, not protocols; which exchange a value belongs to is the rendering's business.

use crate::wire::{Json, Object, Revision};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use regex::{Captures, Regex};
use std::borrow::Cow;
use std::sync::LazyLock;

/// A name that stands for what was redacted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mark {
    /// A value from the environment.
    Secret,
    /// A bearer token.
    Token,
    /// A session's id.
    Session,
    /// The id of an approval, or the state that stands for it.
    Approval,
    /// A mock's signature under an answer.
    Receipt,
    /// A port of this machine.
    Port,
    /// A folder that was made for the run.
    Folder,
    /// A marker that was minted for the run.
    Canary,
    /// A span of time.
    Elapsed,
    /// A point in time.
    Time,
    /// An id that somebody made up.
    Id,
}

/// Every mark as it is stored, and what it stands for.
pub const MARKS: [(Mark, &str, &str); 11] = [
    (Mark::Secret, "[SECRET]", "a value from the environment"),
    (Mark::Token, "[TOKEN]", "a bearer token"),
    (Mark::Session, "[SESSION]", "a session's id"),
    (Mark::Approval, "[APPROVAL]", "the id or the state of an approval"),
    (Mark::Receipt, "[RECEIPT]", "a mock's signature under an answer"),
    (Mark::Port, "[PORT]", "a port of this machine"),
    (Mark::Folder, "[FOLDER]", "a folder made for the run"),
    (Mark::Canary, "[CANARY]", "a marker minted for the run"),
    (Mark::Elapsed, "[ELAPSED]", "a span of time"),
    (Mark::Time, "[TIME]", "a point in time"),
    (Mark::Id, "[ID]", "an id that client, gateway or server made up"),
];

/// Members whose text or number is redacted whole; names without case and punctuation.
const MEMBERS: [(&str, Mark); 22] = [
    ("devgauntletreceipt", Mark::Receipt),
    ("approval", Mark::Approval),
    ("approvalid", Mark::Approval),
    ("recordid", Mark::Approval),
    ("requeststate", Mark::Approval),
    ("elicitationid", Mark::Approval),
    ("sessionid", Mark::Session),
    ("mcpsessionid", Mark::Session),
    ("token", Mark::Token),
    ("accesstoken", Mark::Token),
    ("retryafter", Mark::Elapsed),
    ("retryafterseconds", Mark::Elapsed),
    ("retryafterms", Mark::Elapsed),
    ("retryin", Mark::Elapsed),
    ("retryinseconds", Mark::Elapsed),
    ("resetin", Mark::Elapsed),
    ("elapsed", Mark::Elapsed),
    ("elapsedms", Mark::Elapsed),
    ("elapsedseconds", Mark::Elapsed),
    ("latencyms", Mark::Elapsed),
    ("progresstoken", Mark::Id),
    ("requestid", Mark::Id),
];

/// Shapes within a text; the first group is what gives way.
const SHAPES: [(Mark, &str); 9] = [
    // A digit is asked for, so that `Bearer realm=` and "a bearer token is missing" stay.
    (Mark::Token, r"(?i)\bBearer\s+([A-Za-z._~+/-]*[0-9][A-Za-z0-9._~+/-]*=*)"),
    (Mark::Time, r"\b(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[Zz]|\s?UTC|[+-]\d\d:?\d\d)?)"),
    (Mark::Time, r"\b((?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT)"),
    (Mark::Id, r"(?i)\b([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32,})\b"),
    (Mark::Time, r"\b(20\d\d-[01]\d-[0-3]\d)\b"),
    (Mark::Time, r"\b((?:1[7-9]|2\d)\d{8}(?:\d{3})?(?:\.\d+)?)\b"),
    (Mark::Port, r"(?i)(?:127\.0\.0\.1|localhost|\[::1\]|0\.0\.0\.0):(\d{2,5})\b"),
    (
        Mark::Elapsed,
        r"(?i)\bretry[-_ ]?after[^0-9\n]{0,24}?(\d+(?:\.\d+)?(?:\s?(?:ms|s|secs?|seconds?|m|min|minutes?|h|hours?)\b)?)",
    ),
    (
        Mark::Elapsed,
        r"(?i)\b(?:retry|again|wait|took|elapsed|remaining|resets?|expires?)\b[^0-9\n]{0,24}?(\d+(?:\.\d+)?\s?(?:ms|s|secs?|seconds?|m|min|minutes?|h|hours?)(?:\s?\d+(?:\.\d+)?\s?(?:ms|s|m))*)\b",
    ),
];

static COMPILED: LazyLock<Vec<(Mark, Regex)>> = LazyLock::new(|| {
    SHAPES.iter().map(|(mark, shape)| (*mark, Regex::new(shape).expect("the shapes are constant"))).collect()
});

/// A shorter value is not looked for within texts: it would turn every text into marks.
const SHORTEST: usize = 4;

/// What is redacted: the shapes that are always looked for, and values known of this run.
#[derive(Clone, Debug, Default)]
pub struct Redactions {
    /// Longest first, so that a value within another one does not leave the rest behind.
    known: Vec<(String, Mark)>,
}

impl Mark {
    /// As it is stored: `[PORT]`.
    pub fn as_str(self) -> &'static str {
        MARKS.iter().find(|(mark, ..)| *mark == self).map_or("[REDACTED]", |(_, name, _)| name)
    }
}

impl Redactions {
    /// The shapes, and those values of the environment.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut redactions = Self::default();
        for secret in secrets {
            redactions.learn(Mark::Secret, secret);
        }
        redactions
    }

    /// Redacts that value too, as it is and escaped, URL-encoded or in base64. What is shorter than four bytes is left.
    pub fn learn(&mut self, mark: Mark, value: &str) {
        if value.len() < SHORTEST {
            return;
        }
        let escaped = Json::from(value).to_string();
        let spellings = [
            value.to_owned(),
            escaped[1..escaped.len() - 1].to_owned(),
            percent_encoded(value),
            STANDARD_NO_PAD.encode(value),
            URL_SAFE_NO_PAD.encode(value),
        ];
        for spelling in spellings {
            if !self.known.iter().any(|(known, _)| *known == spelling) {
                self.known.push((spelling, mark));
            }
        }
        // A secret that is also a token is a secret: equal lengths keep the order in which they were learnt.
        self.known.sort_by_key(|(known, _)| std::cmp::Reverse(known.len()));
    }

    /// The text with only the known values replaced.
    pub fn known_in<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut text = Cow::Borrowed(text);
        for (known, mark) in &self.known {
            if text.contains(known.as_str()) {
                text = Cow::Owned(without(&text, known, *mark));
            }
        }
        text
    }

    /// The text with everything replaced that differs from run to run.
    pub fn text(&self, text: &str) -> String {
        let mut text = self.known_in(text);
        for (mark, shape) in COMPILED.iter() {
            if let Cow::Owned(changed) = shape.replace_all(&text, |found: &Captures<'_>| marked(found, *mark))
            {
                text = Cow::Owned(changed);
            }
        }
        text.into_owned()
    }

    /// The value with every text, number and member name in it redacted.
    pub fn value(&self, value: &Json) -> Json {
        match value {
            Json::String(text) => Json::String(self.text(text)),
            Json::Number(number) => {
                let redacted = self.text(number.spelling());
                if redacted == number.spelling() { value.clone() } else { Json::String(redacted) }
            }
            Json::Array(elements) => {
                Json::Array(elements.iter().map(|element| self.value(element)).collect())
            }
            Json::Object(object) => {
                Json::Object(Object(object.iter().map(|(name, value)| self.member(name, value)).collect()))
            }
            _ => value.clone(),
        }
    }

    fn member(&self, name: &str, value: &Json) -> (String, Json) {
        let folded: String = name
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|letter| letter.to_ascii_lowercase())
            .collect();
        let whole = MEMBERS.iter().find(|(known, _)| *known == folded);
        let value = match (whole, value) {
            (Some((_, mark)), Json::String(_) | Json::Number(_)) => Json::from(mark.as_str()),
            _ => self.value(value),
        };
        (self.text(name), value)
    }
}

/// The match with its first group replaced; a revision of the protocol is no date.
fn marked(found: &Captures<'_>, mark: Mark) -> String {
    let whole = found.get_match();
    let Some(piece) = found.get(1).filter(|piece| piece.as_str().parse::<Revision>().is_err()) else {
        return whole.as_str().to_owned();
    };
    let (before, after) = (piece.start() - whole.start(), piece.end() - whole.start());
    format!("{}{}{}", &whole.as_str()[..before], mark.as_str(), &whole.as_str()[after..])
}

/// A port is a number among others: it counts only where it stands alone. Anything else is found within words too.
fn without(text: &str, known: &str, mark: Mark) -> String {
    if mark != Mark::Port {
        return text.replace(known, mark.as_str());
    }
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (at, _) in text.match_indices(known) {
        let end = at + known.len();
        let joined = |neighbour: Option<char>| {
            neighbour.is_some_and(|letter| letter.is_alphanumeric() || letter == '.')
        };
        if at < done || joined(text[..at].chars().next_back()) || joined(text[end..].chars().next()) {
            continue;
        }
        out.push_str(&text[done..at]);
        out.push_str(mark.as_str());
        done = end;
    }
    out.push_str(&text[done..]);
    out
}

fn percent_encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::parse;
    use proptest::prelude::*;

    #[test]
    fn every_mark_is_listed_once() {
        for (mark, name, _) in MARKS {
            assert_eq!(mark.as_str(), name);
            assert_eq!(
                MARKS.iter().filter(|(other, other_name, _)| *other == mark || *other_name == name).count(),
                1
            );
        }
    }

    #[test]
    fn what_differs_from_run_to_run_gives_way() {
        let none = Redactions::default();
        for (text, stored) in [
            ("http://127.0.0.1:43211/mcp", "http://127.0.0.1:[PORT]/mcp"),
            ("http://[::1]:80/", "http://[::1]:[PORT]/"),
            ("rate limited: retry in 12.3s (/tools/x)", "rate limited: retry in [ELAPSED] (/tools/x)"),
            ("try again in about 2 minutes", "try again in about [ELAPSED]"),
            ("retry-after: 17", "retry-after: [ELAPSED]"),
            (r#"{\"retry_after\": 3.25}"#, r#"{\"retry_after\": [ELAPSED]}"#),
            ("at 2026-11-21T03:04:05.678Z, once", "at [TIME], once"),
            ("Sat, 21 Nov 2026 03:04:05 GMT", "[TIME]"),
            ("resets on 2026-11-22", "resets on [TIME]"),
            ("x-reset: 1795230245", "x-reset: [TIME]"),
            ("Authorization: Bearer abc-123.def=", "Authorization: Bearer [TOKEN]"),
            ("id 0b5f1c9e-51d3-4a2b-9c44-0242ac120002", "id [ID]"),
        ] {
            assert_eq!(none.text(text), stored);
            assert_eq!(none.text(stored), stored, "twice");
        }
    }

    #[test]
    fn what_means_something_stays() {
        let none = Redactions::default();
        for text in [
            "machines are destroyed by people",
            "spoken since 2025-11-25",
            "at most 10 calls in 60 seconds",
            "9007199254740993",
            "Bearer realm=\"x\", error=\"invalid_token\"",
            "a bearer token is missing",
            "10.20.30.40:3389 is open",
            "again and again",
        ] {
            assert_eq!(none.text(text), text);
        }
    }

    #[test]
    fn a_secret_is_found_in_every_spelling() {
        let secret = "s3cret/\"ü+";
        let redactions = Redactions::new([secret, "abc"]);
        let spellings = [
            secret.to_owned(),
            Json::from(secret).to_string(),
            percent_encoded(secret),
            STANDARD_NO_PAD.encode(secret),
            URL_SAFE_NO_PAD.encode(secret),
        ];
        for spelling in spellings {
            let stored = redactions.text(&format!("x{spelling}y"));
            assert!(stored.contains("[SECRET]") && !stored.contains(&spelling), "{stored}");
        }
        assert_eq!(redactions.text("abc"), "abc", "too short to be a secret");
    }

    #[test]
    fn the_longest_value_goes_first() {
        let mut redactions = Redactions::new(["token-of-all"]);
        redactions.learn(Mark::Token, "token-of-all-and-more");
        redactions.learn(Mark::Session, "token-of-all");
        assert_eq!(redactions.text("token-of-all-and-more, token-of-all"), "[TOKEN], [SECRET]");
    }

    #[test]
    fn a_known_port_counts_only_where_it_stands_alone() {
        let mut redactions = Redactions::default();
        redactions.learn(Mark::Port, "41234");
        assert_eq!(
            redactions.text("port 41234, not 412345 or 1.41234"),
            "port [PORT], not 412345 or 1.41234"
        );
    }

    #[test]
    fn members_are_known_by_name() {
        let frame = br#"{"_meta":{"dev.gauntlet/receipt":"r-7"},"approval_id":12,"approval":{"timeout":60},"Retry-After":3,"n":1.0}"#;
        assert_eq!(
            Redactions::default().value(&parse(frame).unwrap()).to_string(),
            r#"{"_meta":{"dev.gauntlet/receipt":"[RECEIPT]"},"approval_id":"[APPROVAL]","approval":{"timeout":60},"Retry-After":"[ELAPSED]","n":1.0}"#
        );
    }

    proptest! {
        #[test]
        fn no_secret_survives(before in "\\PC*", secret in "[a-zA-Z0-9/+ü\"]{4,12}", after in "\\PC*") {
            // Marks are made of letters too.
            prop_assume!(!MARKS.iter().any(|(_, name, _)| name.contains(&secret)));
            let redactions = Redactions::new([secret.as_str()]);
            let stored = redactions.value(&Json::from(format!("{before}{secret}{after}"))).to_string();
            prop_assert!(!stored.contains(&secret), "{}", stored);
        }
    }
}
