//! What a tool answers, as it is written: the conditions, the answer itself, and what goes wrong with it.
//!
//! These are the author's words, checked only for their shape; `script` turns them into something that runs.

use super::fault::Fault;
use super::notice::{LogMessage, News};
use crate::source::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// One tool of a mock: what it says of itself and what it answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// What the tool does, for the agent.
    pub description: String,
    /// Names for expressions that the answers share; each may use those before it.
    #[serde(default, rename = "let", skip_serializing_if = "Map::is_empty")]
    pub names: Map<String, Value>,
    /// Tried in order; the last one should fit any arguments.
    pub answers: Vec<Answer>,
}

/// One prompt or resource of a mock: what it says of itself and what it answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Offered {
    /// What it is for, for the agent.
    pub description: String,
    /// Names for expressions that the answers share; each may use those before it.
    #[serde(default, rename = "let", skip_serializing_if = "Map::is_empty")]
    pub names: Map<String, Value>,
    /// Tried in order; the last one should fit any arguments.
    pub answers: Vec<Answer>,
    /// What `completion/complete` proposes for an argument: those of these that begin as the client has begun.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub completes: BTreeMap<String, Vec<String>>,
}

/// One answer. Exactly one of `give`, `text`, `error`, `soft_error`, `rpc_error`, `content`, `messages`, `contents`,
/// `blob`, `ask` and `input_required` says what comes back; a `fault` may stand beside it, or alone: then it spoils what
/// the next fitting answer says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Answer {
    /// All must hold: arguments by name, or `nth`, `identity`, `if`.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub when: Map<String, Value>,
    /// A value, wrapped the way the server wraps results.
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub give: Option<Value>,
    /// One block of plain text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// A result with `isError: true`, put the way the server puts errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// An error that the server dresses as a success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub soft_error: Option<String>,
    /// A JSON-RPC error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpc_error: Option<RpcErrorText>,
    /// Content blocks, exactly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<Value>,
    /// The messages of a prompt, exactly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages: Option<Value>,
    /// The contents of a resource, exactly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contents: Option<Value>,
    /// The bytes of a resource, in Base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blob: Option<String>,
    /// A question to the client; the answers after this one see its reply as `reply`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ask: Option<Ask>,
    /// Several questions at once; the answers after this one see the replies as `inputs`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_required: Option<InputRequired>,
    /// Members of the result besides: unknown ones, and what stands in its `_meta`.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub also: Map<String, Value>,
    /// What goes wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// How long the server takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay: Option<Span>,
    /// How many progress notices come before the answer, if the client wants any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<u32>,
    /// Log messages that come before the answer, for clients that want to hear them; spread over the delay.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<LogMessage>,
    /// What whoever listens is told before the answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tells: Vec<News>,
    /// How often this answer may be used; then the next one that fits is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// World keys and their new values.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub set: Map<String, Value>,
}

/// A JSON-RPC error as it is written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RpcErrorText {
    /// The number that says what kind.
    pub code: i64,
    /// Words for people.
    pub message: String,
    /// Anything more.
    #[serde(default, rename = "data", deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub more: Option<Value>,
}

/// One question to the client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Ask {
    /// `elicitation/create`: a person fills in a form.
    Elicit(Elicit),
    /// `sampling/createMessage`: the client's model writes something. The parameters, exactly.
    Sample(Map<String, Value>),
    /// `roots/list`: which folders the client shows.
    Roots(Map<String, Value>),
}

/// A form for a person.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Elicit {
    /// What the person is asked.
    pub message: String,
    /// The form's schema; by default an empty one: yes or no.
    #[serde(default)]
    pub schema: Option<Value>,
}

/// `resultType: "input_required"` of the modern era; in the legacy era the questions are put one after the other.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InputRequired {
    /// Requests to the client, `{method, params}` by name.
    #[serde(default)]
    pub requests: Map<String, Value>,
    /// The state that the client must bring back; by default one that the server seals.
    #[serde(default)]
    pub state: Option<String>,
    /// Whether there is no such state: any call that brings all replies goes on from here.
    #[serde(default)]
    pub stateless: bool,
}

/// `give: null` gives null; only an absent `give` gives nothing.
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answer(value: Value) -> Result<Answer, serde_json::Error> {
        serde_json::from_value(value)
    }

    #[test]
    fn every_kind_of_answer_is_read() {
        for written in [
            json!({"give": {"a": 1}}),
            json!({"when": {"vm": {"exists": true}}, "error": "no", "delay": "2s", "times": 1}),
            json!({"give": 1, "also": {"_meta": {"example.test/a": 1}, "extra": null}}),
            json!({"fault": "hang"}),
            json!({"fault": {"oversize": "11MiB"}}),
            json!({"ask": {"elicit": {"message": "sure?"}}}),
            json!({"input_required": {"requests": {"a": {"method": "roots/list"}}}}),
            json!({"messages": [], "log": [{"level": "info", "data": {"a": 1}}], "tells": ["tools", {"updated": "a:b"}]}),
            json!({"input_required": {"stateless": true}}),
            json!({"rpc_error": {"code": -1, "message": "m", "data": null}}),
        ] {
            answer(written.clone()).unwrap_or_else(|error| panic!("{written}: {error}"));
        }
        assert!(answer(json!({"gives": 1})).is_err());
    }

    #[test]
    fn a_null_that_is_given_is_not_an_absent_one() {
        assert_eq!(answer(json!({"give": null})).unwrap().give, Some(Value::Null));
        assert_eq!(answer(json!({})).unwrap().give, None);
    }
}
