//! What kind of thing answers: a tool, a prompt or a resource. Each says what an answer to it may consist of, and what
//! stands around a text.

use super::convention::Rendered;
use super::template::Scope;
use super::value::{member, quoted, text};
use minijinja::Value;

/// What kind of thing answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `tools/call`: content blocks.
    Tool,
    /// `prompts/get`: messages.
    Prompt,
    /// `resources/read`: contents.
    Resource,
}

impl Form {
    /// What an answer may say, beside faults, errors of the protocol and questions.
    fn bodies(self) -> &'static [&'static str] {
        match self {
            Self::Tool => &["give", "text", "error", "soft_error", "content"],
            Self::Prompt => &["text", "messages"],
            Self::Resource => &["give", "text", "blob", "contents"],
        }
    }

    /// Whether an answer may say it in that way; the complaint tells how it may.
    pub(super) fn takes(self, body: &str) -> Result<(), String> {
        let bodies = self.bodies();
        if bodies.contains(&body) || ["rpc_error", "ask", "input_required"].contains(&body) {
            return Ok(());
        }
        let name = match self {
            Self::Tool => "a tool",
            Self::Prompt => "a prompt",
            Self::Resource => "a resource",
        };
        Err(format!("`{body}`: {name} cannot answer so; use one of `{}`", bodies.join("`, `")))
    }

    /// The folder of a mock in which its words stand.
    pub(super) fn folder(self) -> &'static str {
        match self {
            Self::Tool => "tools",
            Self::Prompt => "prompts",
            Self::Resource => "resources",
        }
    }

    /// Whether what is said is the same for every call if the text is: contents name the URI that was asked for.
    pub(super) fn is_constant(self) -> bool {
        !matches!(self, Self::Resource)
    }

    /// The result that says only this text.
    pub(super) fn said(self, said: &str, mime: Option<&str>, scope: &Scope) -> Rendered {
        match self {
            Self::Tool => Rendered::text(said, false),
            Self::Prompt => Rendered::member(
                "messages",
                &format!(
                    "[{{\"role\":\"user\",\"content\":{{\"type\":\"text\",\"text\":{}}}}}]",
                    quoted(said)
                ),
            ),
            Self::Resource => contents(("text", said), mime, scope),
        }
    }
}

/// The contents of a resource that consists of one piece, of that kind.
pub(super) fn contents((kind, said): (&str, &str), mime: Option<&str>, scope: &Scope) -> Rendered {
    let uri = scope.get("args").map(|args| text(&member(args, &Value::from("uri")))).unwrap_or_default();
    let mime = mime.map(|mime| format!("\"mimeType\":{},", quoted(mime))).unwrap_or_default();
    let contents = format!("[{{\"uri\":{},{mime}\"{kind}\":{}}}]", quoted(&uri), quoted(said));
    Rendered::member("contents", &contents)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mock::value::from_plain;
    use serde_json::json;

    #[test]
    fn each_kind_says_what_it_takes() {
        assert!(Form::Tool.takes("content").is_ok() && Form::Prompt.takes("ask").is_ok());
        assert_eq!(
            Form::Prompt.takes("give").unwrap_err(),
            "`give`: a prompt cannot answer so; use one of `text`, `messages`"
        );
        assert!(Form::Tool.takes("messages").is_err() && Form::Resource.takes("error").is_err());
    }

    #[test]
    fn a_text_stands_in_what_its_kind_wants() {
        let mut scope = Scope::default();
        scope.add("args", from_plain(&json!({"uri": "a:b"})));
        let shown =
            |form: Form, mime| String::from_utf8(form.said("t\"", mime, &scope).members.to_vec()).unwrap();
        assert_eq!(
            shown(Form::Prompt, None),
            r#""messages":[{"role":"user","content":{"type":"text","text":"t\""}}]"#
        );
        assert_eq!(
            shown(Form::Resource, Some("text/plain")),
            r#""contents":[{"uri":"a:b","mimeType":"text/plain","text":"t\""}]"#
        );
        assert_eq!(shown(Form::Resource, None), r#""contents":[{"uri":"a:b","text":"t\""}]"#);
        assert!(shown(Form::Tool, None).starts_with(r#""content":[{"type":"text""#));
    }
}
