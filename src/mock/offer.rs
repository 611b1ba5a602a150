//! A prompt, a resource or a template of resources: its entry as ready text, and its answers, compiled when first asked
//! for.

use super::answer::{Entry, Offered};
use super::body::Subject;
use super::convention::Convention;
use super::form::Form;
use super::script::Script;
use bytes::Bytes;
use serde_json::Value as Plain;
use std::sync::{Arc, OnceLock};

/// One prompt, resource or template. What is compiled is kept, so every server of a mock shares it.
pub(super) struct Offer {
    /// A prompt's name, a resource's URI, or a template of URIs.
    pub(super) name: Arc<str>,
    pub(super) form: Form,
    /// The entry in its list, as JSON text.
    pub(super) text: Bytes,
    words: OfferWords,
    entry: OnceLock<Plain>,
    read: OnceLock<Result<Arc<Offered>, String>>,
    script: OnceLock<Result<Script, String>>,
}

/// Its description and answers: as shipped text, or as read.
#[derive(Clone)]
pub(super) enum OfferWords {
    Text(&'static str),
    Read(Arc<Offered>),
}

impl Offer {
    /// One that nobody has asked anything yet.
    pub(super) fn new(name: &str, form: Form, text: impl Into<Bytes>, words: OfferWords) -> Self {
        Self {
            name: name.into(),
            form,
            text: text.into(),
            words,
            entry: OnceLock::new(),
            read: OnceLock::new(),
            script: OnceLock::new(),
        }
    }

    /// The entry in its list.
    pub(super) fn entry(&self) -> &Plain {
        self.entry.get_or_init(|| serde_json::from_slice(&self.text).unwrap_or_default())
    }

    /// What the author wrote; the complaint is for the author.
    fn words(&self) -> Result<&Offered, String> {
        let read = self.read.get_or_init(|| match &self.words {
            OfferWords::Read(words) => Ok(Arc::clone(words)),
            OfferWords::Text(text) => {
                serde_json::from_str(text).map(Arc::new).map_err(|error| error.to_string())
            }
        });
        read.as_deref().map_err(Clone::clone)
    }

    /// The arguments that a prompt has to be given.
    pub(super) fn required(&self) -> impl Iterator<Item = &str> {
        let arguments = self.entry().get("arguments").and_then(Plain::as_array);
        let required = |argument: &&Plain| argument.get("required").and_then(Plain::as_bool) == Some(true);
        arguments
            .into_iter()
            .flatten()
            .filter(required)
            .filter_map(|argument| argument.get("name").and_then(Plain::as_str))
    }

    /// Whether anything of it is completed.
    pub(super) fn completes(&self) -> bool {
        self.words().is_ok_and(|words| !words.completes.is_empty())
    }

    /// What an argument may be completed to that begins so.
    pub(super) fn completed(&self, argument: &str, begun: &str) -> Vec<&str> {
        let known = self.words().ok().and_then(|words| words.completes.get(argument)).into_iter().flatten();
        known.map(String::as_str).filter(|value| value.starts_with(begun)).collect()
    }

    /// The answers; the complaint is for whoever wrote them.
    pub(super) fn script(&self, convention: &Convention) -> Result<&Script, String> {
        self.script.get_or_init(|| self.compile(convention)).as_ref().map_err(Clone::clone)
    }

    fn compile(&self, convention: &Convention) -> Result<Script, String> {
        let words = self.words()?;
        let entry = Entry {
            description: words.description.clone(),
            names: words.names.clone(),
            answers: words.answers.clone(),
        };
        // A prompt may have the name of a tool; what is counted of both must not be mixed up.
        let name = format!("{}/{}", self.form.folder(), self.name);
        let mime = self.entry().get("mimeType").and_then(Plain::as_str);
        let subject = Subject { mime, ..Subject::of(&name, self.form) };
        Script::compile(&entry, &[], convention, subject)
    }
}
