//! What an answer says, compiled: rendered once where nothing in it depends on the call, filled in otherwise.

use super::answer::{Answer, RpcErrorText};
use super::convention::{Convention, Rendered};
use super::form::{Form, contents};
use super::questions::{Put, Questions, State};
use super::template::{Scope, Template, filled_text};
use super::value::{compact, to_plain};
use crate::wire::{Json, RpcError};
use minijinja::Error;
use serde_json::Value as Plain;

/// What an answer says.
pub(super) enum Body {
    /// The same for every call.
    Fixed(Rendered),
    /// A value.
    Give(Template),
    /// A block of text.
    Text(Template),
    /// A result with `isError: true`.
    Error(Template),
    /// An error that looks like a success.
    SoftError(Template),
    /// Content blocks.
    Content(Template),
    /// The messages of a prompt.
    Messages(Template),
    /// The contents of a resource.
    Contents(Template),
    /// The bytes of a resource.
    Blob(Template),
    /// A JSON-RPC error.
    RpcError { code: i64, message: Template, more: Option<Template> },
    /// Questions to the client.
    Questions(Questions),
    /// Nothing of its own: a fault stands alone.
    Nothing,
}

/// What a body comes to for one call.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Said {
    /// A result.
    Result(Rendered),
    /// A JSON-RPC error.
    RpcError(RpcError),
    /// Questions that come first, and what is brought back with the replies.
    Questions(Vec<Put>, State),
    /// Nothing.
    Nothing,
}

impl Said {
    /// A result with these members besides, their values as JSON; everything else as it is.
    pub(super) fn with(self, also: &[(&str, String)]) -> Self {
        match self {
            Self::Result(rendered) if !also.is_empty() => Self::Result(rendered.with(also)),
            other => other,
        }
    }
}

/// The facts about a tool, a prompt or a resource that decide how its results are put.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) tool: &'a str,
    pub(super) form: Form,
    pub(super) wrapped: bool,
    /// The type that its schema demands of a wrapped value, where it names one.
    pub(super) demanded: Option<&'a str>,
    /// The type of a resource's contents.
    pub(super) mime: Option<&'a str>,
}

impl<'a> Subject<'a> {
    /// One of which only its name and its form are known.
    pub(super) fn of(tool: &'a str, form: Form) -> Self {
        Self { tool, form, wrapped: false, demanded: None, mime: None }
    }
}

impl Body {
    /// Compiles the one thing that an answer says.
    pub(super) fn compile(
        answer: &Answer,
        convention: &Convention,
        subject: Subject<'_>,
    ) -> Result<Self, String> {
        let body = Self::only(answer, subject.form)?;
        if matches!(body, Self::SoftError(_)) && !convention.has_soft_errors() {
            return Err(
                "`soft_error`: this server has none; use `error`, or `give` what it says instead".to_owned()
            );
        }
        if !body.is_fixed() || !subject.form.is_constant() {
            return Ok(body);
        }
        match body.fill(&Scope::default(), convention, subject).map_err(|error| error.to_string())? {
            Said::Result(rendered) => Ok(Self::Fixed(rendered)),
            _ => Ok(body),
        }
    }

    fn only(answer: &Answer, form: Form) -> Result<Self, String> {
        let compile = |name: &str, written: &Plain| {
            Template::compile(written).map_err(|wrong| format!("`{name}`: {wrong}"))
        };
        let text = |name: &str, written: &String| {
            Template::text(written).map_err(|wrong| format!("`{name}`: {wrong}"))
        };
        let mut bodies: Vec<(&str, Self)> = Vec::new();
        if let Some(value) = &answer.give {
            bodies.push(("give", Self::Give(compile("give", value)?)));
        }
        if let Some(written) = &answer.text {
            bodies.push(("text", Self::Text(text("text", written)?)));
        }
        if let Some(written) = &answer.error {
            bodies.push(("error", Self::Error(text("error", written)?)));
        }
        if let Some(written) = &answer.soft_error {
            bodies.push(("soft_error", Self::SoftError(text("soft_error", written)?)));
        }
        if let Some(value) = &answer.content {
            bodies.push(("content", Self::Content(compile("content", value)?)));
        }
        if let Some(value) = &answer.messages {
            bodies.push(("messages", Self::Messages(compile("messages", value)?)));
        }
        if let Some(value) = &answer.contents {
            bodies.push(("contents", Self::Contents(compile("contents", value)?)));
        }
        if let Some(written) = &answer.blob {
            bodies.push(("blob", Self::Blob(text("blob", written)?)));
        }
        if let Some(RpcErrorText { code, message, more }) = &answer.rpc_error {
            let more = more.as_ref().map(|more| compile("rpc_error", more)).transpose()?;
            bodies.push((
                "rpc_error",
                Self::RpcError { code: *code, message: text("rpc_error", message)?, more },
            ));
        }
        if let Some(ask) = &answer.ask {
            bodies.push(("ask", Self::Questions(Questions::one(ask)?)));
        }
        if let Some(asked) = &answer.input_required {
            bodies.push(("input_required", Self::Questions(Questions::several(asked)?)));
        }
        for (name, _) in &bodies {
            form.takes(name)?;
        }
        match (bodies.len(), &answer.fault) {
            (1, _) => Ok(bodies.remove(0).1),
            (0, Some(_)) => Ok(Self::Nothing),
            (0, None) => Err("says nothing; give it one of `give`, `text`, `error`, `soft_error`, `rpc_error`, `content`, `ask`, `input_required` or `fault`".to_owned()),
            _ => Err(format!("says more than one thing: `{}`", bodies.iter().map(|(name, _)| *name).collect::<Vec<_>>().join("`, `"))),
        }
    }

    /// Whether it says the same to every call.
    pub(super) fn is_fixed(&self) -> bool {
        match self {
            Self::Fixed(_) | Self::Nothing => true,
            Self::Give(template)
            | Self::Text(template)
            | Self::Error(template)
            | Self::SoftError(template)
            | Self::Content(template)
            | Self::Messages(template)
            | Self::Contents(template)
            | Self::Blob(template) => template.is_fixed(),
            Self::RpcError { .. } | Self::Questions(_) => false,
        }
    }

    /// Fills it in for one call.
    pub(super) fn fill(
        &self,
        scope: &Scope,
        convention: &Convention,
        subject: Subject<'_>,
    ) -> Result<Said, Error> {
        let Subject { tool, wrapped, form, mime, .. } = subject;
        let rendered = match self {
            Self::Fixed(rendered) => rendered.clone(),
            Self::Give(value) if form == Form::Tool => convention.give(&value.fill(scope)?, subject)?,
            Self::Give(value) => form.said(&compact(&value.fill(scope)?), mime, scope),
            Self::Text(text) => form.said(&filled_text(text, scope)?, mime, scope),
            Self::Error(text) => convention.error(tool, &filled_text(text, scope)?)?,
            Self::SoftError(text) => convention.soft_error(&filled_text(text, scope)?, wrapped)?,
            Self::Content(blocks) => Rendered::of(&compact(&blocks.fill(scope)?), None, false),
            Self::Messages(list) => Rendered::member("messages", &compact(&list.fill(scope)?)),
            Self::Contents(list) => Rendered::member("contents", &compact(&list.fill(scope)?)),
            Self::Blob(text) => contents(("blob", &filled_text(text, scope)?), mime, scope),
            Self::RpcError { code, message, more } => {
                let error = RpcError::new(*code, filled_text(message, scope)?);
                let more = more.as_ref().map(|more| more.fill(scope)).transpose()?;
                return Ok(Said::RpcError(match more {
                    Some(more) => error.with(Json::from(to_plain(&more))),
                    None => error,
                }));
            }
            Self::Questions(questions) => {
                return Ok(Said::Questions(questions.put(scope)?, questions.state.clone()));
            }
            Self::Nothing => return Ok(Said::Nothing),
        };
        Ok(Said::Result(rendered))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mock::convention::tests::shipped;
    use serde_json::json;

    fn compile(written: Plain) -> Result<Body, String> {
        let answer: Answer = serde_json::from_value(written).unwrap();
        Body::compile(&answer, &shipped("ludus"), Subject::of("t", Form::Tool))
    }

    #[test]
    fn what_depends_on_nothing_is_rendered_when_it_is_read() {
        assert!(matches!(compile(json!({"give": {"a": [1, "x"]}})), Ok(Body::Fixed(_))));
        assert!(matches!(compile(json!({"error": "no"})), Ok(Body::Fixed(_))));
        assert!(matches!(compile(json!({"give": {"a": "{{ args.x }}"}})), Ok(Body::Give(_))));
    }

    #[test]
    fn an_answer_says_one_thing() {
        assert!(compile(json!({})).err().unwrap().contains("says nothing"));
        assert!(compile(json!({"give": 1, "text": "x"})).err().unwrap().contains("`give`, `text`"));
        assert!(matches!(compile(json!({"fault": "hang"})), Ok(Body::Nothing)));
        assert!(matches!(compile(json!({"fault": "twice", "give": 1})), Ok(Body::Fixed(_))));
        assert!(compile(json!({"soft_error": "x"})).err().unwrap().contains("use `error`"));
    }
}
