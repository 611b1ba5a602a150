//! What a gateway's answers look like: conditions over an exchange, and what their expressions catch.

use super::profile::Limit;
use super::told::Word;
use crate::transcript::{Ended, Exchange, Via};
use crate::wire::{Json, Message, RpcError, parse};
use indexmap::IndexMap;
use regex::Regex;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What named groups caught: `reason`, `retry_after`, `approval`, or anything an approval needs later.
pub(super) type Captures = BTreeMap<String, String>;

/// An expression, searched and not anchored.
#[derive(Clone, Debug)]
pub(crate) struct Pattern(pub(crate) Regex);

/// One reading: what was told, if the condition holds.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Claim {
    Success(Condition),
    Denied(Condition),
    Limited(Condition),
    Pending(Condition),
    Unauthorized(Condition),
    Unknown(Condition),
    Invalid(Condition),
    Failed(Condition),
    Refused(Condition),
}

/// What an exchange must look like; every member that is there must hold.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Condition {
    /// The text of a result with `isError: true`.
    error_result: Option<Pattern>,
    /// The text of any other result.
    result: Option<Pattern>,
    /// A JSON-RPC error.
    rpc_error: Option<RpcCondition>,
    /// The HTTP answer.
    http: Option<HttpCondition>,
    /// The message of an `elicitation/create` in mid-call.
    elicitation: Option<Pattern>,
    /// The text of a result of the kind `input_required`.
    input_required: Option<Pattern>,
    /// No answer for that long.
    pub(super) silence: Option<Silence>,
}

/// A JSON-RPC error.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct RpcCondition {
    code: Option<i64>,
    message: Option<Pattern>,
    /// By member name or JSON pointer; a value that is no text is matched as JSON.
    data: IndexMap<String, Pattern>,
}

/// An HTTP answer.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct HttpCondition {
    status: Option<u16>,
    header: IndexMap<String, Pattern>,
    body: Option<Pattern>,
}

/// No answer.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Silence {
    /// How long one waits before that is believed.
    pub(super) within: Limit,
}

impl Claim {
    /// What is claimed.
    pub(super) fn word(&self) -> Word {
        match self {
            Self::Success(_) => Word::Success,
            Self::Denied(_) => Word::Denied,
            Self::Limited(_) => Word::Limited,
            Self::Pending(_) => Word::Pending,
            Self::Unauthorized(_) => Word::Unauthorized,
            Self::Unknown(_) => Word::Unknown,
            Self::Invalid(_) => Word::Invalid,
            Self::Failed(_) => Word::Failed,
            Self::Refused(_) => Word::Refused,
        }
    }

    /// When it is claimed.
    pub(super) fn condition(&self) -> &Condition {
        match self {
            Self::Success(condition)
            | Self::Denied(condition)
            | Self::Limited(condition)
            | Self::Pending(condition)
            | Self::Unauthorized(condition)
            | Self::Unknown(condition)
            | Self::Invalid(condition)
            | Self::Failed(condition)
            | Self::Refused(condition) => condition,
        }
    }
}

impl Condition {
    /// Whether it says nothing, and so would hold of everything.
    pub(super) fn is_empty(&self) -> bool {
        matches!(
            self,
            Self {
                error_result: None,
                result: None,
                rpc_error: None,
                http: None,
                elicitation: None,
                input_required: None,
                silence: None,
            }
        )
    }

    /// What the expressions caught, if all of it holds.
    pub(super) fn holds(&self, view: &View<'_>) -> Option<Captures> {
        let mut caught = Captures::new();
        let said = view.result_text();
        let plain = view.kind() == Kind::Plain;
        let parts = [
            (&self.error_result, said.as_deref().filter(|_| view.kind() == Kind::Error)),
            (&self.result, said.as_deref().filter(|_| plain)),
            (&self.input_required, said.as_deref().filter(|_| view.kind() == Kind::InputRequired)),
        ];
        let asked = view.asked();
        let parts = parts.into_iter().chain([(&self.elicitation, asked.as_deref())]);
        let texts = parts.filter_map(|(pattern, text)| Some((pattern.as_ref()?, text)));
        for (pattern, text) in texts {
            pattern.catch(text?, &mut caught)?;
        }
        if let Some(condition) = &self.rpc_error {
            condition.holds(view.error()?, &mut caught)?;
        }
        if let Some(condition) = &self.http {
            condition.holds(view, &mut caught)?;
        }
        if self.silence.is_some() && view.exchange.ended != Ended::Quiet {
            return None;
        }
        Some(caught)
    }
}

impl RpcCondition {
    fn holds(&self, error: &RpcError, caught: &mut Captures) -> Option<()> {
        if self.code.is_some_and(|code| code != error.code) {
            return None;
        }
        if let Some(pattern) = &self.message {
            pattern.catch(&error.message, caught)?;
        }
        for (place, pattern) in &self.data {
            let data = error.data.as_ref()?;
            let found = if place.starts_with('/') { data.pointer(place) } else { data.get(place) }?;
            pattern.catch(&plain_text(found), caught)?;
        }
        Some(())
    }
}

impl HttpCondition {
    fn holds(&self, view: &View<'_>, caught: &mut Captures) -> Option<()> {
        let head = view.exchange.http.as_ref()?;
        if self.status.is_some_and(|status| status != head.status) {
            return None;
        }
        for (name, pattern) in &self.header {
            pattern.catch(view.exchange.header(&name.to_ascii_lowercase())?, caught)?;
        }
        if let Some(pattern) = &self.body {
            pattern.catch(&view.body(), caught)?;
        }
        Some(())
    }
}

/// An exchange with its answer already read.
pub(super) struct View<'a> {
    /// The exchange itself.
    pub(super) exchange: &'a Exchange,
    answer: Option<Result<Json, RpcError>>,
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
        self.answer.as_ref()?.as_ref().ok()
    }

    /// The JSON-RPC error, if one came.
    pub(super) fn error(&self) -> Option<&RpcError> {
        self.answer.as_ref()?.as_ref().err()
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
        self.exchange.received.iter().find_map(|piece| match Message::of(&parse(&piece.bytes).ok()?) {
            Message::Request { method, params, .. } if method == "elicitation/create" => {
                Some(params?.get("message").and_then(Json::as_str).unwrap_or_default().to_owned())
            }
            _ => None,
        })
    }

    /// The body of the HTTP answer as text.
    pub(super) fn body(&self) -> String {
        let pieces =
            self.exchange.received.iter().filter(|piece| matches!(piece.via, Via::Body | Via::Event));
        pieces.map(|piece| String::from_utf8_lossy(&piece.bytes)).collect::<Vec<_>>().join("\n")
    }
}

/// An error with `id: null`: JSON-RPC's answer to what could not be read.
fn nameless(exchange: &Exchange) -> Option<Message> {
    let frames = exchange.received.iter().filter(|piece| piece.via != Via::Notices);
    frames
        .filter_map(|piece| parse(&piece.bytes).ok())
        .map(|frame| Message::of(&frame))
        .find(|message| matches!(message, Message::Response { id: Json::Null, outcome: Err(_) }))
}

fn plain_text(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

impl Pattern {
    /// Adds what the named groups catch in `text`; `None` where the expression does not match.
    pub(super) fn catch(&self, text: &str, into: &mut Captures) -> Option<()> {
        let found = self.0.captures(text)?;
        for name in self.0.capture_names().flatten() {
            if let Some(group) = found.name(name) {
                into.insert(name.to_owned(), group.as_str().to_owned());
            }
        }
        Some(())
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Regex::new(&String::deserialize(deserializer)?).map(Self).map_err(de::Error::custom)
    }
}

impl JsonSchema for Pattern {
    fn schema_name() -> Cow<'static, str> {
        "Pattern".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "regex" })
    }
}
