//! How a server puts things: what stands around a result, and how each kind of error reads. All of it comes from the
//! server's file; nothing here knows a server by name.

use super::answer::RpcErrorText;
use super::arguments::Rules;
use super::body::Subject;
use super::python::{dumps, repr};
use super::template::{Scope, Template, filled_text};
use super::value::{compact, quoted, to_plain};
use crate::wire::{Json, RpcError, rpc};
use bytes::Bytes;
use minijinja::Value;
use minijinja::value::ValueKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Plain};
use std::cell::LazyCell;

/// The conventions of a server, as they are written; what is not written is put plainly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Conventions {
    /// Members that every tool's entry has besides its own.
    entry: Map<String, Plain>,
    /// How a value becomes text.
    text: TextStyle,
    /// What `structuredContent` holds.
    structured: Structured,
    /// What a value is put into first, a template over `value`.
    envelope: Option<Plain>,
    /// An error that is dressed as a success, a template over `error`.
    soft_error: Option<Plain>,
    /// The text of an error, a template over `tool` and `error`.
    error: String,
    /// What is said instead of a wrapped value that is not what the tool's own schema demands, a template over `value`
    /// and `type`; by default nothing is checked.
    unfit: Option<String>,
    /// The text for a tool that does not exist, a template over `tool`.
    unknown_tool: String,
    /// How arguments are checked.
    arguments: Rules,
    /// What is said to parameters of the wrong shape, and to a call before `initialize`.
    invalid_params: RpcErrorText,
    /// What a request is answered that its client took back; by default nothing is.
    cancelled: Option<RpcErrorText>,
}

impl Default for Conventions {
    fn default() -> Self {
        Self {
            entry: Map::new(),
            text: TextStyle::Compact,
            structured: Structured::Value,
            envelope: None,
            soft_error: None,
            error: "{{ error }}".to_owned(),
            unfit: None,
            unknown_tool: "Unknown tool: {{ tool }}".to_owned(),
            arguments: Rules::default(),
            invalid_params: RpcErrorText {
                code: rpc::INVALID_PARAMS,
                message: "Invalid request parameters".to_owned(),
                more: None,
            },
            cancelled: None,
        }
    }
}

/// How a value becomes text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum TextStyle {
    /// JSON without spaces; a text stays bare, and an empty list has no block at all.
    Compact,
    /// JSON as Python writes it: spaces after commas and colons, nothing but ASCII.
    Python,
}

/// What `structuredContent` holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Structured {
    /// The value itself if it is an object; under `result` where the tool's results are wrapped.
    Value,
    /// The text, under `result`.
    Text,
}

/// The conventions, ready for use.
pub(super) struct Convention {
    written: Conventions,
    envelope: Option<Template>,
    soft_error: Option<Template>,
    error: Template,
    unfit: Option<Template>,
    unknown_tool: Template,
    model: Template,
    refusal: Template,
}

/// A result without its braces, from `"content"` on: what may stand before it differs from call to call.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rendered {
    pub(super) members: Bytes,
    /// What stands in its `_meta` besides what every result bears, without the braces.
    pub(super) meta: String,
    pub(super) is_error: bool,
}

impl Rendered {
    /// A result of these blocks, with this structure, both as JSON.
    pub(super) fn of(content: &str, structured: Option<&str>, is_error: bool) -> Self {
        let structured =
            structured.map(|value| format!("\"structuredContent\":{value},")).unwrap_or_default();
        let members = format!("\"content\":{content},{structured}\"isError\":{is_error}");
        Self { members: Bytes::from(members), meta: String::new(), is_error }
    }

    /// A result of one member, its value as JSON.
    pub(super) fn member(name: &str, value: &str) -> Self {
        Self { members: Bytes::from(format!("\"{name}\":{value}")), meta: String::new(), is_error: false }
    }

    /// The same with these members besides, their values as JSON.
    pub(super) fn with(mut self, also: &[(&str, String)]) -> Self {
        let mut members = self.members.to_vec();
        for (name, value) in also {
            match *name {
                "_meta" => self.meta = value[1..value.len() - 1].to_owned(),
                other => members.extend_from_slice(format!(",{}:{value}", quoted(other)).as_bytes()),
            }
        }
        Self { members: members.into(), ..self }
    }

    /// A result of one block of text.
    pub(super) fn text(text: &str, is_error: bool) -> Self {
        Self::of(&block(&quoted(text)), None, is_error)
    }
}

/// The one block of a text that is JSON already.
fn block(quoted: &str) -> String {
    format!("[{{\"type\":\"text\",\"text\":{quoted}}}]")
}

impl Convention {
    /// Compiles what a server's file says; the complaint names the member.
    pub(super) fn compile(written: Conventions) -> Result<Self, String> {
        let named = |name: &'static str| move |wrong| format!("`{name}`: {wrong}");
        let value = |name, value: &Option<Plain>| {
            value.as_ref().map(Template::compile).transpose().map_err(named(name))
        };
        let text = |name, text: &str| Template::text(text).map_err(named(name));
        Ok(Self {
            envelope: value("envelope", &written.envelope)?,
            soft_error: value("soft_error", &written.soft_error)?,
            error: text("error", &written.error)?,
            unfit: written.unfit.as_deref().map(|unfit| text("unfit", unfit)).transpose()?,
            unknown_tool: text("unknown_tool", &written.unknown_tool)?,
            model: text("arguments.model", &written.arguments.model)?,
            refusal: text("arguments.refusal", &written.arguments.refusal)?,
            written,
        })
    }

    /// How arguments are checked.
    pub(super) fn rules(&self) -> &Rules {
        &self.written.arguments
    }

    /// Whether the server has errors that look like successes.
    pub(super) fn has_soft_errors(&self) -> bool {
        self.soft_error.is_some()
    }

    /// What is said to parameters of the wrong shape.
    pub(super) fn invalid_params(&self) -> RpcError {
        rpc_error(&self.written.invalid_params)
    }

    /// What a request is answered that its client took back.
    pub(super) fn cancelled(&self) -> Option<RpcError> {
        self.written.cancelled.as_ref().map(rpc_error)
    }

    /// A value, wrapped.
    pub(super) fn give(&self, value: &Value, subject: Subject<'_>) -> Result<Rendered, minijinja::Error> {
        if let (Some(unfit), true, Some(demanded)) = (&self.unfit, subject.wrapped, subject.demanded)
            && !is_of(demanded, value)
        {
            let mut names = scope("value", repr(&Json::from(to_plain(value))));
            names.add("type", demanded);
            return Ok(Rendered::text(&filled_text(unfit, &names)?, true));
        }
        let put = match &self.envelope {
            Some(envelope) => envelope.fill(&scope("value", value.clone()))?,
            None => value.clone(),
        };
        Ok(self.put(&put, subject.wrapped))
    }

    /// An error that is dressed as a success.
    pub(super) fn soft_error(&self, error: &str, wrapped: bool) -> Result<Rendered, minijinja::Error> {
        let value = match &self.soft_error {
            Some(soft) => soft.fill(&scope("error", error))?,
            None => Value::from_pairs([("error", error)]),
        };
        Ok(self.put(&value, wrapped))
    }

    fn put(&self, value: &Value, wrapped: bool) -> Rendered {
        // Written once, it stands in the text and in the structure.
        let json = LazyCell::new(|| compact(value));
        let text = match self.written.text {
            TextStyle::Compact if is_list(value) && *json == "[]" => None,
            TextStyle::Compact => Some(value.as_str().map_or_else(|| quoted(&json), quoted)),
            TextStyle::Python => Some(quoted(&dumps(&to_plain(value)))),
        };
        let structured = match self.written.structured {
            Structured::Value if wrapped => Some(format!("{{\"result\":{}}}", *json)),
            Structured::Value => (value.kind() == ValueKind::Map).then(|| (*json).clone()),
            Structured::Text => Some(format!("{{\"result\":{}}}", text.as_deref().unwrap_or("null"))),
        };
        let content = text.as_deref().map_or_else(|| "[]".to_owned(), block);
        Rendered::of(&content, structured.as_deref(), false)
    }

    /// An error that a tool ran into.
    pub(super) fn error(&self, tool: &str, error: &str) -> Result<Rendered, minijinja::Error> {
        let mut names = scope("error", error);
        names.add("tool", tool);
        Ok(Rendered::text(&filled_text(&self.error, &names)?, true))
    }

    /// The answer for a tool that does not exist.
    pub(super) fn unknown_tool(&self, tool: &str) -> Result<Rendered, minijinja::Error> {
        let names = scope("tool", tool);
        Ok(Rendered::text(&filled_text(&self.unknown_tool, &names)?, true))
    }

    /// The answer for arguments that do not fit; `told` makes the checker's text out of its subject's name.
    pub(super) fn refusal(
        &self,
        tool: &str,
        told: impl FnOnce(&str) -> String,
    ) -> Result<Rendered, minijinja::Error> {
        let mut names = scope("tool", tool);
        let problems = told(&filled_text(&self.model, &names)?);
        names.add("problems", problems);
        Ok(Rendered::text(&filled_text(&self.refusal, &names)?, true))
    }
}

/// Whether a value is of a type that a JSON Schema names.
fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "array" => is_list(value),
        "object" => value.kind() == ValueKind::Map,
        "string" => value.kind() == ValueKind::String,
        "boolean" => value.kind() == ValueKind::Bool,
        "integer" => value.is_integer(),
        "number" => value.is_number(),
        "null" => matches!(value.kind(), ValueKind::None | ValueKind::Undefined),
        _ => true,
    }
}

fn is_list(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable)
}

fn scope(name: &str, value: impl Into<Value>) -> Scope {
    let mut scope = Scope::default();
    scope.add(name, value);
    scope
}

fn rpc_error(written: &RpcErrorText) -> RpcError {
    let error = RpcError::new(written.code, written.message.clone());
    match &written.more {
        Some(more) => error.with(Json::from(more.clone())),
        None => error,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::mock::form::Form;
    use crate::mock::value::from_plain;
    use serde_json::json;

    /// The conventions of the two servers that ship, as their files say.
    pub(in crate::mock) fn shipped(name: &str) -> Convention {
        #[derive(Deserialize)]
        struct Server {
            conventions: Conventions,
        }
        let text = match name {
            "ludus" => include_str!("../../mocks/ludus/server.yaml"),
            _ => include_str!("../../mocks/velociraptor/server.yaml"),
        };
        Convention::compile(crate::source::typed::<Server>(text).unwrap().conventions).unwrap()
    }

    fn tool() -> Subject<'static> {
        Subject::of("t", Form::Tool)
    }

    fn shown(rendered: &Rendered) -> String {
        format!("{{{}}}", std::str::from_utf8(&rendered.members).unwrap())
    }

    #[test]
    fn ludus_puts_values_as_the_real_server_does() {
        let ludus = shipped("ludus");
        let give = |value: Plain, wrapped| {
            shown(&ludus.give(&from_plain(&value), Subject { wrapped, ..tool() }).unwrap())
        };
        assert_eq!(
            give(json!({"a": 1}), false),
            r#"{"content":[{"text":"{\"a\":1}","type":"text"}],"structuredContent":{"a":1},"isError":false}"#
                .replace(r#"{"text":"{\"a\":1}","type":"text"}"#, r#"{"type":"text","text":"{\"a\":1}"}"#)
        );
        assert_eq!(
            give(json!([1]), true),
            r#"{"content":[{"type":"text","text":"[1]"}],"structuredContent":{"result":[1]},"isError":false}"#
        );
        assert_eq!(
            give(json!([]), true),
            r#"{"content":[],"structuredContent":{"result":[]},"isError":false}"#
        );
        assert_eq!(
            give(json!("raw"), true),
            r#"{"content":[{"type":"text","text":"raw"}],"structuredContent":{"result":"raw"},"isError":false}"#
        );
        assert_eq!(
            shown(&ludus.error("destroy_vm", "no such VM").unwrap()),
            r#"{"content":[{"type":"text","text":"Error calling tool 'destroy_vm': no such VM"}],"isError":true}"#
        );
        assert_eq!(
            shown(&ludus.unknown_tool("nope").unwrap()),
            r#"{"content":[{"type":"text","text":"Unknown tool: nope"}],"isError":true}"#
        );
        assert_eq!(
            shown(&ludus.refusal("x", |model| format!("1 for {model}")).unwrap()),
            r#"{"content":[{"type":"text","text":"1 for call[x]"}],"isError":true}"#
        );
        assert!(!ludus.has_soft_errors());
    }

    #[test]
    fn what_defies_its_own_schema_is_not_passed_on() {
        let ludus = shipped("ludus");
        let give = |value: Plain, demanded| {
            shown(&ludus.give(&from_plain(&value), Subject { wrapped: true, demanded, ..tool() }).unwrap())
        };
        assert!(give(json!([{}]), Some("array")).contains("\"isError\":false"));
        assert!(give(json!({}), None).contains("\"isError\":false"));
        assert_eq!(
            give(json!({"status": "success", "note": null, "whose": "it's"}), Some("array")),
            r#"{"content":[{"type":"text","text":"Output validation error: {'status': 'success', 'note': None, 'whose': \"it's\"} is not of type 'array'"}],"isError":true}"#
        );
    }

    #[test]
    fn velociraptor_puts_everything_into_one_text() {
        let server = shipped("velociraptor");
        let text = r#""{\"ok\": true, \"data\": [{\"a\": \"\\u00e9\"}]}""#;
        assert_eq!(
            shown(&server.give(&from_plain(&json!([{"a": "é"}])), tool()).unwrap()),
            format!(
                r#"{{"content":[{{"type":"text","text":{text}}}],"structuredContent":{{"result":{text}}},"isError":false}}"#
            )
        );
        assert!(
            shown(&server.soft_error("Client not found: H", false).unwrap())
                .contains(r#"{\"ok\": false, \"error\": \"Client not found: H\"}"#)
        );
        assert!(
            shown(&server.refusal("x", |model| format!("1 for {model}")).unwrap())
                .contains("Error executing tool x: 1 for xArguments")
        );
    }
}
