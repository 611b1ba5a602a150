//! A mock as a specification: what it lists, what it answers, how it puts things. Any number of servers may play it.

use super::answer::{Answer, RpcErrorText};
use super::convention::{Convention, Conventions};
use super::offers::Offers;
use super::tool::{Tool, Words};
use super::world::{Keys, keys};
use crate::embedded::{MOCKS, MockText};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Plain};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// `server.yaml`: how a server talks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manner {
    /// What it calls itself.
    pub(super) name: String,
    /// The version it claims.
    pub(super) version: String,
    /// What it tells the agent about its use.
    #[serde(default)]
    pub(super) instructions: Option<String>,
    /// What it says it can do; by default that it has tools, and tells when their list changes.
    #[serde(default = "tools_alone")]
    pub(super) capabilities: Map<String, Plain>,
    /// The revisions that it speaks; by default all of them.
    #[serde(default)]
    pub(super) revisions: Vec<String>,
    /// Lists that are always empty: the method, and the member that holds the list.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub(super) empty_lists: IndexMap<String, String>,
    /// How it puts results and errors.
    #[serde(default)]
    conventions: Conventions,
}

fn tools_alone() -> Map<String, Plain> {
    let tools = serde_json::json!({"listChanged": true});
    Map::from_iter([("tools".to_owned(), tools)])
}

/// What a mock consists of; its parts are shared by all that is made of it.
#[derive(Clone)]
pub(super) struct Spec {
    pub(super) name: Arc<str>,
    pub(super) manner: Arc<Manner>,
    pub(super) convention: Arc<Convention>,
    pub(super) tools: IndexMap<Arc<str>, Arc<Tool>>,
    pub(super) offers: Arc<Offers>,
    pub(super) world: Arc<Beginning>,
}

/// The world as it begins, as it is written.
pub(super) enum Written {
    /// Shipped.
    Text(&'static str),
    /// As somebody read it.
    Read(Map<String, Plain>),
}

/// The world as it begins; its values are made when the first server needs them.
pub(super) struct Beginning {
    written: Written,
    keys: OnceLock<Keys>,
}

impl Beginning {
    fn of(written: Written) -> Arc<Self> {
        Arc::new(Self { written, keys: OnceLock::new() })
    }

    /// The keys and their values.
    pub(super) fn keys(&self) -> &Keys {
        self.keys.get_or_init(|| match &self.written {
            Written::Text(text) => keys(&serde_json::from_str(text).unwrap_or_default()),
            Written::Read(written) => keys(written),
        })
    }
}

/// A mock: a server as a specification. Cheap to clone; a [`MockServer`](super::MockServer) brings it to life.
///
/// ```
/// use mcp_gauntlet::mock::{Answer, Mock};
/// use serde_json::json;
///
/// let mock = Mock::ludus();
/// assert_eq!(mock.risk("destroy_vm"), Some("destructive"));
///
/// // A scenario's own answers are tried before the mock's.
/// let answer: Answer = serde_json::from_value(json!({"error": "the hypervisor is on fire"}))?;
/// let mock = mock.with_answers("list_hosts", vec![answer])?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Mock(pub(super) Arc<Spec>);

/// Answers that make no sense, or a tool that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct WrongAnswers(pub String);

impl Mock {
    /// The range operator's server with 201 tools.
    pub fn ludus() -> Self {
        Self::named("ludus").expect("it ships")
    }

    /// The responder's server with 28 tools.
    pub fn velociraptor() -> Self {
        Self::named("velociraptor").expect("it ships")
    }

    /// The server of a small office with 28 tools: mail, files, a data base, the web, memory, money.
    pub fn office() -> Self {
        Self::named("office").expect("it ships")
    }

    /// A server with one of everything that the protocol has, as the official conformance suite wants to find it.
    pub fn conformance() -> Self {
        Self::named("conformance").expect("it ships")
    }

    /// The shipped mock of that name.
    pub fn named(name: &str) -> Option<Self> {
        // Each is read once, when it is first asked for.
        static READ: [OnceLock<Mock>; MOCKS.len()] = [const { OnceLock::new() }; MOCKS.len()];
        let place = MOCKS.iter().position(|mock| mock.name == name)?;
        Some(READ[place].get_or_init(|| shipped(&MOCKS[place])).clone())
    }

    /// The names of the shipped mocks.
    pub fn names() -> Vec<&'static str> {
        MOCKS.iter().map(|mock| mock.name).collect()
    }

    /// What it calls itself to those who connect.
    pub fn introduction(&self) -> &str {
        &self.0.manner.name
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The names of its tools, in the order of its list.
    pub fn tools(&self) -> Vec<&str> {
        self.0.tools.keys().map(|name| &**name).collect()
    }

    /// A tool's entry in `tools/list`.
    pub fn entry(&self, tool: &str) -> Option<&Plain> {
        self.0.tools.get(tool).map(|tool| tool.entry())
    }

    /// How dangerous the catalogue calls a tool: `read`, `write`, `execute`, `destructive`, ...
    pub fn risk(&self, tool: &str) -> Option<&str> {
        self.0.tools.get(tool)?.risk()
    }

    /// The class that the public catalogue of policies gives a tool, such as `Read`; its risk where it gives none.
    pub fn rating(&self, tool: &str) -> Option<&str> {
        self.0.tools.get(tool)?.rating()
    }

    /// The same mock with answers of that tool that are tried before its own.
    pub fn with_answers(&self, tool: &str, answers: Vec<Answer>) -> Result<Self, WrongAnswers> {
        let known = self.0.tools.get(tool);
        let known = known.ok_or_else(|| WrongAnswers(format!("`{}` has no tool `{tool}`", self.0.name)))?;
        let changed = known.with_answers(answers);
        changed.script(&self.0.convention).map_err(|wrong| WrongAnswers(format!("`{tool}`: {wrong}")))?;
        let mut spec = (*self.0).clone();
        spec.tools.insert(Arc::clone(&known.name), Arc::new(changed));
        Ok(Self(Arc::new(spec)))
    }

    /// Everything that is wrong with its answers, by tool, prompt or resource: compiles what is otherwise compiled when it is called.
    pub fn mistakes(&self) -> Vec<(String, String)> {
        let wrong = |tool: &Arc<Tool>| Some((tool.name.to_string(), tool.script(&self.0.convention).err()?));
        let undeclared = self.0.offers.undeclared(&self.0.manner.capabilities);
        let undeclared =
            undeclared.map(|name| ("server.yaml".to_owned(), format!("`capabilities` lacks `{name}`")));
        let offers = self.0.offers.mistakes(&self.0.convention).into_iter().chain(undeclared);
        self.0.tools.values().filter_map(wrong).chain(offers).collect()
    }

    /// The errors that its server puts its own way, for whoever explains them.
    pub fn invalid_params(&self) -> RpcErrorText {
        let error = self.0.convention.invalid_params();
        RpcErrorText { code: error.code, message: error.message, more: error.data.as_ref().map(Plain::from) }
    }
}

impl fmt::Debug for Mock {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Mock({}, {} tools)", self.0.name, self.0.tools.len())
    }
}

fn shipped(mock: &MockText) -> Mock {
    // A test reads every shipped text, so that no start can fail.
    let manner: Manner = serde_json::from_str(mock.server).expect("`server.yaml` is checked");
    let convention = Convention::compile(manner.conventions.clone()).expect("`server.yaml` is checked");
    let tools = mock.tools.iter().map(|tool| {
        let facts = serde_json::from_str(tool.facts).unwrap_or_default();
        let tool = Tool::new(tool.name, tool.entry, facts, Words::Text(tool.words));
        (Arc::clone(&tool.name), Arc::new(tool))
    });
    Mock(Arc::new(Spec {
        name: mock.name.into(),
        manner: Arc::new(manner),
        convention: Arc::new(convention),
        tools: tools.collect(),
        offers: Arc::new(Offers::shipped(mock.offers)),
        world: Beginning::of(Written::Text(mock.world)),
    }))
}

impl Spec {
    /// A spec of parts that were read.
    pub(super) fn of(
        name: &str,
        manner: Manner,
        (tools, offers): (Vec<Tool>, Offers),
        world: Map<String, Plain>,
    ) -> Result<Self, String> {
        let convention = Convention::compile(manner.conventions.clone())?;
        Ok(Self {
            name: name.into(),
            manner: Arc::new(manner),
            convention: Arc::new(convention),
            tools: tools.into_iter().map(|tool| (Arc::clone(&tool.name), Arc::new(tool))).collect(),
            offers: Arc::new(offers),
            world: Beginning::of(Written::Read(world)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_shipped_mocks_have_their_catalogues() {
        assert_eq!(Mock::names(), ["conformance", "ludus", "office", "velociraptor"]);
        let ludus = Mock::ludus();
        assert_eq!((ludus.tools().len(), ludus.tools()[0]), (201, "get_range"));
        let entry = ludus.entry("destroy_vm").unwrap();
        assert_eq!(entry["_meta"], json!({"_fastmcp": {"tags": []}}));
        assert_eq!(entry["inputSchema"]["required"], json!(["vm_id"]));
        let velociraptor = Mock::velociraptor();
        assert_eq!(velociraptor.tools().len(), 28);
        assert!(velociraptor.entry("client_info").unwrap().get("_meta").is_none());
        assert!(Mock::named("nobody").is_none());
        let rated = |tool| (ludus.risk(tool).unwrap(), ludus.rating(tool).unwrap());
        assert_eq!(rated("capture_network_traffic"), ("execute", "Read"));
        assert_eq!(rated("list_hosts"), ("read", "read"));
    }

    #[test]
    fn every_shipped_answer_compiles() {
        for name in Mock::names() {
            assert_eq!(Mock::named(name).unwrap().mistakes(), [], "{name}");
        }
    }

    #[test]
    fn wrong_answers_are_refused() {
        let answer = |value| serde_json::from_value::<Answer>(value).unwrap();
        let ludus = Mock::ludus();
        assert!(ludus.with_answers("nope", Vec::new()).is_err());
        let wrong = ludus.with_answers("list_hosts", vec![answer(json!({"give": "{{ a"}))]);
        assert_eq!(
            wrong.unwrap_err().0,
            "`list_hosts`: added answer 1: `give`: `{{` is never closed by `}}`"
        );
    }
}
