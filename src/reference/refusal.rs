//! A refusal, and how it is put into words on the wire.

use crate::policy::{Denied, Limited};
use crate::wire::{Json, RpcError};
use serde_json::json;
use std::time::Duration;

/// The error code of a call that waits for an approval.
pub const PENDING: i64 = -32011;

/// The error code of a call that could not be brought to its upstream, or back.
pub const FAILED: i64 = -32000;

/// Why a call was not brought to its end.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// The agent is to believe that there is no such tool.
    Unknown(String),
    /// The policy does not let it pass.
    Denied(Denied),
    /// A limit does not admit it.
    Limited(Limited),
    /// Somebody has to decide first; the call is to be repeated.
    Pending {
        /// The approval's id.
        approval: String,
    },
    /// Somebody has to decide first, and it is the agent's own client that is asked.
    Asked {
        /// The approval's id.
        approval: String,
        /// What the person reads.
        message: String,
    },
    /// The upstream, or the gateway itself, is in trouble.
    Failed(RpcError),
    /// The agent took the call back.
    Cancelled,
}

/// How a refusal is put: as a result, or as an error.
pub type Put = Result<Json, RpcError>;

/// In plain words: a result with `isError`, an error where the call is to be repeated or nothing could be done.
pub fn plainly(refusal: &Refusal) -> Put {
    match refusal {
        Refusal::Unknown(tool) => Ok(error_result(&format!("Unknown tool: {tool}"))),
        Refusal::Denied(denied) => {
            Ok(error_result(&format!("denied by policy: {} ({})", denied.reason, denied.rule)))
        }
        Refusal::Limited(limited) => Ok(error_result(&words_of(limited))),
        Refusal::Pending { approval } => {
            let told = json!({"status": "approval_required", "approval": approval});
            Err(RpcError::new(PENDING, "approval required: repeat the call once it is approved").with(told))
        }
        Refusal::Asked { approval, message } => Ok(Json::from(json!({
            "resultType": "input_required",
            "inputRequests": {"approval": {"method": "elicitation/create", "params": question(message)}},
            "requestState": approval,
        }))),
        Refusal::Failed(error) => Err(error.clone()),
        Refusal::Cancelled => Err(RpcError::new(FAILED, "request cancelled")),
    }
}

/// What a client's person is asked.
pub(super) fn question(message: &str) -> serde_json::Value {
    json!({"message": message, "requestedSchema": {"type": "object", "properties": {}}})
}

/// A result that says in one text that it is an error.
pub(super) fn error_result(text: &str) -> Json {
    Json::from(json!({"content": [{"type": "text", "text": text}], "isError": true}))
}

fn words_of(limited: &Limited) -> String {
    match limited.retry_after {
        Some(wait) => format!("rate limited: retry in {}s ({})", in_tenths(wait), limited.rule),
        None => format!("rate limited: the call costs more than the limit holds ({})", limited.rule),
    }
}

/// Rounded up: who waits as told must not be refused again.
fn in_tenths(wait: Duration) -> String {
    let tenths = wait.as_millis().div_ceil(100);
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_apart() {
        let text = |refusal: &Refusal| {
            let result = plainly(refusal).unwrap();
            assert_eq!(result.get("isError"), Some(&Json::Bool(true)));
            result.pointer("/content/0/text").and_then(Json::as_str).unwrap().to_owned()
        };
        let denied = Denied { rule: "/tools/a/action".into(), reason: "by people".into() };
        assert_eq!(text(&Refusal::Denied(denied)), "denied by policy: by people (/tools/a/action)");
        let mut limited = Limited {
            rule: "/r".into(),
            counter: "c".into(),
            retry_after: Some(Duration::from_millis(12_210)),
        };
        assert_eq!(text(&Refusal::Limited(limited.clone())), "rate limited: retry in 12.3s (/r)");
        limited.retry_after = None;
        assert_eq!(
            text(&Refusal::Limited(limited)),
            "rate limited: the call costs more than the limit holds (/r)"
        );
        assert_eq!(text(&Refusal::Unknown("x".into())), "Unknown tool: x");
        let pending = plainly(&Refusal::Pending { approval: "p1".into() }).unwrap_err();
        assert_eq!(pending.code, PENDING);
        assert_eq!(pending.data, Some(Json::from(json!({"status": "approval_required", "approval": "p1"}))));
    }
}
