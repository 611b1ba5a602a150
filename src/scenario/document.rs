//! A scenario as a whole: what it is about, who takes part, and the steps.

use super::policy::PolicyText;
use super::step::Step;
use super::upstream::Upstream;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{Placed, Spot};
use crate::wire::Revision;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One scenario file, read and found sound in itself.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name in reports: the file's name without the ending.
    pub id: String,
    /// The file it was read from, as it is shown to people.
    pub file: String,
    /// Its text, for pointing into.
    pub text: Arc<str>,
    /// One sentence: what should be true.
    pub title: String,
    /// The requirements that it proves, such as `DENY-01`.
    pub requirements: Vec<Placed<String>>,
    /// The documented attack that it replays.
    pub attack: Option<Attack>,
    /// How bad it is if it does not hold.
    pub severity: Severity,
    /// Why anybody should care, in prose.
    pub why: Option<String>,
    /// Where the rule is written down.
    pub spec: Option<String>,
    /// Words to select by.
    pub tags: Vec<String>,
    /// The protocol eras that it is run in.
    pub era: EraChoice,
    /// Holds only for gateways that declare this.
    pub given: Given,
    /// Reported, never failing.
    pub observe: bool,
    /// The servers behind the gateway, by name. Never empty unless every step is about the gateway alone.
    pub upstreams: IndexMap<String, Upstream>,
    /// Servers that the gateway is told nothing of, by name: nothing may ever arrive there. Each speaks as the first
    /// upstream does, and its address is the variable of its name.
    pub decoys: Vec<Placed<String>>,
    /// Who has a credential, by name. Never empty: a scenario that names nobody has one, `agent`.
    pub identities: IndexMap<String, Identity>,
    /// The connections, by name. Never empty: without `sessions`, each identity has one of its own name.
    pub sessions: IndexMap<String, Session>,
    /// What the gateway is asked to enforce on every identity that has no policy of its own.
    pub policy: Option<PolicyText>,
    /// Whether the gateway's own record is on a full disk: nothing can be written to it, from the beginning.
    pub audit_is_full: bool,
    /// Markers, minted for each run, and where they must never turn up.
    pub canaries: IndexMap<String, Canary>,
    /// What is done, in order.
    pub steps: Vec<Step>,
}

impl Severity {
    /// Every word, the mildest first.
    pub const ALL: [(&str, Self); 4] =
        [("low", Self::Low), ("medium", Self::Medium), ("high", Self::High), ("critical", Self::Critical)];

    /// The word in files and reports.
    pub fn word(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, severity)| *severity == self).map_or("", |(word, _)| word)
    }
}

impl Scenario {
    /// Complaints about this scenario, ready to be drawn.
    pub fn diagnostics(&self, list: Vec<Diagnostic>) -> Diagnostics {
        Diagnostics::new(&self.file, &self.text, list)
    }
}

/// The documented attack that a scenario replays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Attack {
    /// The catalogue's numbers, such as `K24`.
    pub patterns: Vec<String>,
    /// OWASP numbers, such as `ASI02`.
    pub owasp: Vec<String>,
    /// MITRE ATLAS numbers, such as `AML.T0101`.
    pub atlas: Vec<String>,
    /// Addresses to read on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub see: Vec<String>,
}

/// How bad a failure is; ordered, the worst last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// A blemish.
    Low,
    /// Worth a fix.
    #[default]
    Medium,
    /// A hole under circumstances.
    High,
    /// A hole.
    Critical,
}

/// The protocol eras that a scenario is run in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EraChoice {
    /// The newest that both sides speak.
    #[default]
    Newest,
    /// The newest revision with sessions.
    Legacy,
    /// The stateless revision.
    Modern,
    /// Once for each revision that the gateway speaks.
    Every,
    /// Exactly this one.
    Revision(Revision),
}

/// What a gateway has to declare: each member with the words that are good enough.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given(pub IndexMap<String, Vec<String>>);

/// Somebody with a credential of their own.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    /// Where it stands in the file.
    pub spot: Spot,
    /// What binds it.
    pub policy: IdentityPolicy,
}

/// What binds an identity.
#[derive(Clone, Debug, Default)]
pub enum IdentityPolicy {
    /// The scenario's own policy.
    #[default]
    Shared,
    /// None at all: a grant without a policy may call nothing.
    None,
    /// One of its own.
    Own(PolicyText),
}

/// One connection of one identity.
#[derive(Clone, Debug, Default)]
pub struct Session {
    /// Where it stands in the file.
    pub spot: Spot,
    /// Whose credential it carries; `None` is a connection without any.
    pub identity: Option<String>,
    /// What the client calls itself.
    pub client: Option<String>,
    /// What the client lets servers ask for; it declines all of it.
    pub offers: Vec<Offer>,
}

/// Something that a client lets servers ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// That its user fills in a form.
    Elicitation,
    /// That its model writes something.
    Sampling,
    /// Which folders it shows.
    Roots,
}

impl Offer {
    /// Every word.
    pub const ALL: [(&str, Self); 3] =
        [("elicitation", Self::Elicitation), ("sampling", Self::Sampling), ("roots", Self::Roots)];

    /// The name of the capability.
    pub fn word(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, offer)| *offer == self).map_or("", |(word, _)| word)
    }
}

/// A marker that must not cross a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canary {
    /// Where it stands in the file.
    pub spot: Spot,
    /// Where it must not turn up, in whatever encoding.
    pub never: Vec<Haunt>,
}

/// A place where a canary can turn up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Haunt {
    /// Anything that the agent receives.
    Client,
    /// The gateway's audit log.
    Audit,
    /// Anything that arrives at this upstream.
    Upstream(String),
}
