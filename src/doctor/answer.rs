//! What kind of answer came, and its words. It does not say what the answer means.

use crate::transcript::{Ended, Exchange};
use crate::wire::{Json, Message, RpcError};

/// An answer by its form: what a reading can be about.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    /// A result with `isError: true`, its text.
    ErrorResult(String),
    /// Any other result, its text.
    Result(String),
    /// A JSON-RPC error.
    Rpc(RpcError),
    /// An HTTP answer without a frame: status and body.
    Http(u16, String),
    /// A question to the agent's own client in mid-call.
    Elicitation(String),
    /// A result that asks for inputs.
    InputRequired,
    /// Nothing, and the connection lives.
    Silence,
    /// The connection or the process is gone.
    Lost(String),
}

impl Answer {
    /// What came in an exchange.
    pub(super) fn of(exchange: &Exchange) -> Self {
        if let Some(Message::Response { outcome, .. }) = exchange.response() {
            return match outcome {
                Err(error) => Self::Rpc(error.clone()),
                Ok(result) => Self::of_result(result),
            };
        }
        // What could not be read is answered without an id.
        let nameless = exchange.received.iter().find_map(|piece| match piece.frame()? {
            Message::Response { id: Json::Null, outcome: Err(error) } => Some(error.clone()),
            _ => None,
        });
        if let Some(error) = nameless {
            return Self::Rpc(error);
        }
        let asked = exchange.received.iter().find_map(|piece| match piece.frame()? {
            Message::Request { method, params, .. } if method == "elicitation/create" => {
                Some(params.as_ref()?.get("message").and_then(Json::as_str).unwrap_or_default().to_owned())
            }
            _ => None,
        });
        match (&exchange.ended, asked, &exchange.http) {
            (Ended::Lost(why), ..) => Self::Lost(why.clone()),
            (_, Some(asked), _) => Self::Elicitation(asked),
            (Ended::Answered, None, Some(head)) => {
                let bodies = exchange.received.iter().map(|piece| String::from_utf8_lossy(&piece.bytes));
                Self::Http(head.status, bodies.collect::<Vec<_>>().join("\n"))
            }
            _ => Self::Silence,
        }
    }

    fn of_result(result: &Json) -> Self {
        let blocks = result.get("content").and_then(Json::as_array).unwrap_or_default();
        let texts: Vec<&str> = blocks.iter().filter_map(|block| block.get("text")?.as_str()).collect();
        if result.get("isError").and_then(Json::as_bool) == Some(true) {
            Self::ErrorResult(texts.join("\n"))
        } else if result.get("resultType").and_then(Json::as_str) == Some("input_required") {
            Self::InputRequired
        } else {
            Self::Result(texts.join("\n"))
        }
    }
}
