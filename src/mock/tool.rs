//! One tool of a mock: its entry as ready text, its parameters and answers, compiled when first asked for.

use super::answer::{Answer, Entry};
use super::body::Subject;
use super::convention::Convention;
use super::form::Form;
use super::parameters::Parameters;
use super::script::Script;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value as Plain};
use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

/// One tool. What is compiled is kept, so every server of a mock shares it.
pub(super) struct Tool {
    pub(super) name: Arc<str>,
    /// The entry in `tools/list`, as JSON text.
    pub(super) text: Bytes,
    facts: Facts,
    words: Words,
    /// Answers that are tried before its own.
    first: Vec<Answer>,
    entry: OnceLock<Plain>,
    parameters: OnceLock<Parameters>,
    script: OnceLock<Result<Script, String>>,
}

/// What the catalogue says of a tool beyond its entry.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Facts {
    risk: Option<String>,
    /// The class that the public catalogue of policies gives it, where it is known.
    label: Option<String>,
    wrapped: bool,
}

/// A tool's description and answers: as shipped text, or as read.
#[derive(Clone)]
pub(super) enum Words {
    Text(&'static str),
    Read(Arc<Entry>),
}

impl Tool {
    /// A tool that nobody has asked anything yet.
    pub(super) fn new(name: &str, text: impl Into<Bytes>, facts: Facts, words: Words) -> Self {
        Self {
            name: name.into(),
            text: text.into(),
            facts,
            words,
            first: Vec::new(),
            entry: OnceLock::new(),
            parameters: OnceLock::new(),
            script: OnceLock::new(),
        }
    }

    /// The same with answers that are tried first.
    pub(super) fn with_answers(&self, answers: Vec<Answer>) -> Self {
        let mut tool = Self::new(&self.name, self.text.clone(), self.facts.clone(), self.words.clone());
        tool.first = answers.into_iter().chain(self.first.iter().cloned()).collect();
        tool
    }

    /// The same with members of its entry replaced, or taken away where null.
    pub(super) fn with_fields(&self, fields: &Map<String, Plain>) -> Self {
        let mut entry = self.entry().clone();
        for (name, value) in fields {
            if let Some(members) = entry.as_object_mut() {
                match value {
                    Plain::Null => members.shift_remove(name),
                    value => members.insert(name.clone(), value.clone()),
                };
            }
        }
        let mut tool = Self::new(&self.name, entry.to_string(), self.facts.clone(), self.words.clone());
        tool.first.clone_from(&self.first);
        tool
    }

    /// The entry in `tools/list`.
    pub(super) fn entry(&self) -> &Plain {
        self.entry.get_or_init(|| serde_json::from_slice(&self.text).unwrap_or_default())
    }

    /// The parameters, off its schema.
    pub(super) fn parameters(&self) -> &Parameters {
        self.parameters
            .get_or_init(|| Parameters::of(self.entry().get("inputSchema").unwrap_or(&Plain::Null)))
    }

    /// How dangerous the catalogue calls it.
    pub(super) fn risk(&self) -> Option<&str> {
        self.facts.risk.as_deref()
    }

    /// The class that it is labelled with in public; its risk where it is not.
    pub(super) fn rating(&self) -> Option<&str> {
        self.facts.label.as_deref().or(self.risk())
    }

    /// The answers; the complaint is for whoever wrote them.
    pub(super) fn script(&self, convention: &Convention) -> Result<&Script, String> {
        self.script.get_or_init(|| self.compile(convention)).as_ref().map_err(Clone::clone)
    }

    fn compile(&self, convention: &Convention) -> Result<Script, String> {
        let entry: Cow<'_, Entry> = match &self.words {
            Words::Read(entry) => Cow::Borrowed(entry),
            // Without words it has no answers either, which is told when it is called.
            Words::Text("null") => Cow::Owned(Entry::default()),
            Words::Text(text) => Cow::Owned(serde_json::from_str(text).map_err(|error| error.to_string())?),
        };
        let demanded = self.entry().pointer("/outputSchema/properties/result/type").and_then(Plain::as_str);
        let subject =
            Subject { wrapped: self.facts.wrapped, demanded, ..Subject::of(&self.name, Form::Tool) };
        Script::compile(&entry, &self.first, convention, subject)
    }
}
