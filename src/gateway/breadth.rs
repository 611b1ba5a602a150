//! How much a reading claims: one that takes whatever is said hides what it should find.

use super::reads::Condition;
use super::view::View;
use crate::transcript::{Ended, Exchange, HttpHead, Received, Sent, Via};
use crate::wire::Json;
use serde_json::json;
use std::time::Instant;

/// Texts that have nothing in common: what claims all of them claims anything.
const UNLIKE: [&str; 6] = [
    "",
    "-",
    "denied by policy: it is late (/tools/one)",
    "{\"one\": [1, 2]}",
    "wait 59.9s\nor longer",
    "ÅÄÖ",
];

impl Condition {
    /// Whether it holds of every answer of a form, whatever that says. A question to the agent's user is known by its
    /// form alone, so that there anything may be claimed.
    pub(super) fn claims_whatever_is_said(&self) -> bool {
        let claims_all = |form: fn(usize, &str) -> Exchange| {
            let mut all = UNLIKE.iter().enumerate().map(|(place, text)| form(place, text));
            all.all(|exchange| self.holds(&View::of(&exchange)).is_some())
        };
        [error_result, result, rpc_error, page].into_iter().any(claims_all)
    }
}

fn error_result(_: usize, text: &str) -> Exchange {
    let result = json!({"isError": true, "content": [{"type": "text", "text": text}]});
    answered(None, json!({"jsonrpc": "2.0", "id": 1, "result": result}).to_string())
}

fn result(_: usize, text: &str) -> Exchange {
    let result = json!({"content": [{"type": "text", "text": text}]});
    answered(None, json!({"jsonrpc": "2.0", "id": 1, "result": result}).to_string())
}

fn rpc_error(place: usize, text: &str) -> Exchange {
    let error = json!({"code": -32_000 - i64::try_from(place).unwrap_or_default(), "message": text});
    answered(None, json!({"jsonrpc": "2.0", "id": 1, "error": error}).to_string())
}

/// An HTTP answer without a frame.
fn page(place: usize, text: &str) -> Exchange {
    answered(Some(400 + u16::try_from(place).unwrap_or_default()), text.to_owned())
}

fn answered(status: Option<u16>, body: String) -> Exchange {
    Exchange {
        sent: Sent { at: Instant::now(), bytes: bytes::Bytes::new(), id: Some(Json::from(1)) },
        http: status.map(|status| HttpHead { status, headers: Vec::new() }),
        received: vec![Received::now(Via::Body, body.into_bytes())],
        ended: Ended::Answered,
    }
}

#[cfg(test)]
mod tests {
    use crate::gateway::Profile;
    use std::collections::BTreeMap;

    fn mistakes(reading: &str) -> String {
        let text = format!("gateway: g\nconnect: {{http: 'http://x'}}\nreads:\n  - {reading}\n");
        let read = Profile::read("profile.yaml", &text, BTreeMap::new());
        read.err().map(|mistakes| mistakes.render(false)).unwrap_or_default()
    }

    #[test]
    fn what_claims_whatever_is_said_is_a_mistake() {
        for reading in [
            "denied: {error_result: '.*'}",
            "denied: {error_result: '(?s)^.*$'}",
            "denied: {error_result: {matches: '(?<reason>)'}}",
            "failed: {result: 'x*'}",
            "limited: {rpc_error: {message: '.*'}}",
            "limited: {rpc_error: {}}",
            "unauthorized: {http: {body: '.*'}}",
        ] {
            let told = mistakes(reading);
            assert!(
                told.contains("it claims whatever is said") && told.contains("profile.yaml:4"),
                "{reading}: {told}"
            );
        }
    }

    #[test]
    fn what_is_known_by_anything_else_is_none() {
        for reading in [
            "denied: {error_result: '^denied: .*'}",
            "denied: {error_result: '.+', meta: {acme.dev/verdict: deny}}",
            "limited: {rpc_error: {code: -32005, message: '.*'}}",
            "unauthorized: {http: {status: 401, body: '.*'}}",
            "pending: {elicitation: '.*'}",
            "pending: {input_required: '.*'}",
            "pending: {silence: {within: 2s}}",
        ] {
            assert_eq!(mistakes(reading), "", "{reading}");
        }
    }
}
