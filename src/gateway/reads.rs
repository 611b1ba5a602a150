//! What a gateway's answers look like: conditions over an exchange, and what their expressions catch.

use super::saying::{Captures, Members, Pattern, Saying, members};
use super::told::Word;
use super::view::{Kind, View};
use crate::source::Span;
use crate::transcript::Ended;
use crate::wire::RpcError;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

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
    error_result: Option<Saying>,
    /// The text of any other result.
    result: Option<Saying>,
    /// Members of a result's `structuredContent`.
    structured: Members,
    /// Members of a result's `_meta`, by name or JSON pointer (`/acme.dev~1verdict/rule` for what is within
    /// `acme.dev/verdict`).
    meta: Members,
    /// A JSON-RPC error.
    rpc_error: Option<RpcCondition>,
    /// The HTTP answer.
    http: Option<HttpCondition>,
    /// The message of an `elicitation/create` in mid-call.
    elicitation: Option<Saying>,
    /// The text of a result of the kind `input_required`.
    input_required: Option<Saying>,
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
    data: Members,
}

/// An HTTP answer.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct HttpCondition {
    status: Option<u16>,
    header: IndexMap<String, Pattern>,
    body: Option<Saying>,
}

/// No answer.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Silence {
    /// How long one waits before that is believed.
    pub(super) within: Span,
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
        let rpc = self.rpc_error.is_some() || self.http.is_some() || self.silence.is_some();
        !rpc && self.structured.is_empty() && self.meta.is_empty() && self.texts().all(Saying::is_empty)
    }

    /// The names that its expressions catch.
    pub(super) fn catches(&self) -> Vec<&str> {
        let mut patterns: Vec<&Pattern> = self.texts().flat_map(Saying::patterns).collect();
        patterns.extend(self.structured.values().chain(self.meta.values()));
        if let Some(rpc) = &self.rpc_error {
            patterns.extend(rpc.message.iter().chain(rpc.data.values()));
        }
        if let Some(http) = &self.http {
            patterns.extend(http.header.values());
            patterns.extend(http.body.iter().flat_map(Saying::patterns));
        }
        patterns.into_iter().flat_map(Pattern::names).collect()
    }

    fn texts(&self) -> impl Iterator<Item = &Saying> {
        [&self.error_result, &self.result, &self.elicitation, &self.input_required].into_iter().flatten()
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
        let texts = parts.filter_map(|(saying, text)| Some((saying.as_ref()?, text)));
        for (saying, text) in texts {
            saying.catch(text?, &mut caught)?;
        }
        if !self.structured.is_empty() {
            members(&self.structured, view.structured()?, &mut caught)?;
        }
        if !self.meta.is_empty() {
            members(&self.meta, view.meta()?, &mut caught)?;
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
        if self.data.is_empty() { Some(()) } else { members(&self.data, error.data.as_ref()?, caught) }
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
        if let Some(saying) = &self.body {
            saying.catch(&view.body(), caught)?;
        }
        Some(())
    }
}
