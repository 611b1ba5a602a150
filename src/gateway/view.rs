//! An exchange with its answer already read: what kind it is, its texts, and what it asks of the agent's user.

use crate::transcript::{Exchange, Received, Via};
use crate::wire::{Json, Message, RpcError};

/// "The user must open this address first" (2025-11-25, elicitation in URL mode).
pub(super) const ADDRESS_TO_OPEN: i64 = -32042;

/// An exchange with its answer already read.
pub(super) struct View<'a> {
    /// The exchange itself.
    pub(super) exchange: &'a Exchange,
    answer: Option<&'a Result<Json, RpcError>>,
}

/// What kind of result came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// None.
    Absent,
    /// `isError: true`.
    Error,
    /// `resultType: "input_required"`.
    InputRequired,
    /// Any other.
    Plain,
}

impl<'a> View<'a> {
    /// Reads the answer: the response with the request's id, or an error that could not name it.
    pub(super) fn of(exchange: &'a Exchange) -> Self {
        let answer = exchange.response().or_else(|| nameless(exchange));
        let answer = match answer {
            Some(Message::Response { outcome, .. }) => Some(outcome),
            _ => None,
        };
        Self { exchange, answer }
    }

    /// The result, if one came.
    pub(super) fn result(&self) -> Option<&Json> {
        self.answer?.as_ref().ok()
    }

    /// The JSON-RPC error, if one came.
    pub(super) fn error(&self) -> Option<&RpcError> {
        self.answer?.as_ref().err()
    }

    /// What kind of result came.
    pub(super) fn kind(&self) -> Kind {
        let Some(result) = self.result() else { return Kind::Absent };
        if result.get("isError").and_then(Json::as_bool) == Some(true) {
            Kind::Error
        } else if result.get("resultType").and_then(Json::as_str) == Some("input_required") {
            Kind::InputRequired
        } else {
            Kind::Plain
        }
    }

    /// The text blocks of the result; the whole result as JSON where it asks for inputs.
    pub(super) fn result_text(&self) -> Option<String> {
        let result = self.result()?;
        if self.kind() == Kind::InputRequired {
            return Some(result.to_string());
        }
        let blocks = result.get("content").and_then(Json::as_array).unwrap_or_default();
        let texts = blocks.iter().filter_map(|block| block.get("text").and_then(Json::as_str));
        Some(texts.collect::<Vec<_>>().join("\n"))
    }

    /// The message of the elicitation that came in mid-call.
    pub(super) fn asked(&self) -> Option<String> {
        let params = self.question()?;
        Some(params.get("message").and_then(Json::as_str).unwrap_or_default().to_owned())
    }

    /// The address that the user is sent to and the elicitation's id, whichever way that is said.
    pub(super) fn address(&self) -> Option<(String, String)> {
        let refused = self.error().filter(|error| error.code == ADDRESS_TO_OPEN);
        let refused = refused.and_then(|error| error.data.as_ref()?.pointer("/elicitations/0").cloned());
        let wanted = || {
            let requests = self.result()?.get("inputRequests")?.as_object()?;
            requests
                .iter()
                .find_map(|(_, request)| request.get("params").filter(|one| is_address(one)).cloned())
        };
        let asked = || self.question().filter(|one| is_address(one)).cloned();
        let said = refused.or_else(asked).or_else(wanted)?;
        let text = |name| said.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
        Some((text("url"), text("elicitationId")))
    }

    /// The parameters of the elicitation that came in mid-call; of several the last.
    fn question(&self) -> Option<&'a Json> {
        self.exchange.received.iter().rev().find_map(|piece| match piece.frame()? {
            Message::Request { method, params, .. } if method == "elicitation/create" => {
                Some(params.as_ref().unwrap_or(&Json::Null))
            }
            _ => None,
        })
    }

    /// The structured content of the result.
    pub(super) fn structured(&self) -> Option<&Json> {
        self.result()?.get("structuredContent")
    }

    /// What is beside the content of the result.
    pub(super) fn meta(&self) -> Option<&Json> {
        self.result()?.get("_meta")
    }

    /// The body of the HTTP answer as text.
    pub(super) fn body(&self) -> String {
        let pieces =
            self.exchange.received.iter().filter(|piece| matches!(piece.via, Via::Body | Via::Event));
        pieces.map(|piece| String::from_utf8_lossy(&piece.bytes)).collect::<Vec<_>>().join("\n")
    }
}

/// An error with `id: null`: JSON-RPC's answer to what could not be read.
fn nameless(exchange: &Exchange) -> Option<&Message> {
    let frames = exchange.received.iter().filter(|piece| piece.via != Via::Notices);
    frames
        .filter_map(Received::frame)
        .find(|message| matches!(message, Message::Response { id: Json::Null, outcome: Err(_) }))
}

fn is_address(params: &Json) -> bool {
    params.get("mode").and_then(Json::as_str) == Some("url")
}
