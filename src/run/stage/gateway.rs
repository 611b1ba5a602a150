//! The gateway of a stage: none, the embedded reference, or a process that a profile starts.

use super::embedded::{self, Doors, Embedded};
use super::{SetupError, clock, listed, name_of, token};
use crate::gateway::{
    self, AuditRecord, Connection, Facts, Failure, Place, Profile, Recorded, RenderError, RunningGateway,
    StartError,
};
use crate::mock::MockServer;
use crate::policy::Policy;
use crate::reference::{self, AuditSink, Channel, Conduct, FLAWS, Grant, Settings, VARIANTS};
use crate::run::plan::Contender;
use crate::run::record::Kept;
use crate::scenario::{Identity, IdentityPolicy, PolicyText, Scenario, Spoil};
use crate::wire::Json;
use indexmap::IndexMap;
use serde_json::Value;
use std::path::Path;
use std::time::Duration;
use tokio::sync::RwLock;

/// What a gateway is started with.
pub(super) struct Inputs<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) mocks: &'a IndexMap<String, MockServer>,
    pub(super) setting: &'a super::Setting,
    pub(super) folder: &'a Path,
}

/// The gateway of a stage.
pub(in crate::run) struct Stand {
    /// How it is connected to, read, and decided; also where it is no process of its own.
    pub(super) gateway: RwLock<Option<RunningGateway>>,
    /// Who calls, with tokens and policies.
    identities: Vec<gateway::Identity>,
    /// What its templates saw.
    facts: Facts,
    /// The reference, where it lives in this process.
    pub(super) embedded: Option<Embedded>,
    /// Why it does not stand: a gateway that refuses a broken policy is right not to.
    refusal: Option<String>,
}

impl Stand {
    pub(super) async fn start(contender: &Contender, inputs: &Inputs<'_>) -> Result<Self, SetupError> {
        let identities = identities(inputs.scenario);
        let place = place(inputs);
        let profile = contender.profile.clone();
        let given = gateway::Inputs { upstreams: upstreams(inputs), identities: identities.clone() };
        if profile.is_embedded() {
            return Self::embed(contender, inputs, &given).await;
        }
        let ports = gateway::free_ports().map_err(SetupError::machine("finding free ports"))?;
        let facts = Facts::of(&profile, given, &place, ports);
        let mut rendered = match gateway::render(&profile, facts.clone()) {
            Ok(rendered) => rendered,
            Err(RenderError::Cannot(what)) => return Err(SetupError::Cannot(what)),
            Err(error) => {
                return Err(
                    StartError { gateway: profile.gateway.clone(), why: Failure::Render(error) }.into()
                );
            }
        };
        let spoiled = spoil(inputs.scenario);
        if let Some(how) = spoiled {
            rendered.spoil(how);
        }
        rendered.full = inputs.scenario.audit_is_full;
        let started = RunningGateway::start(profile, rendered, &place).await;
        let (gateway, refusal) = match started {
            Ok(gateway) => (Some(gateway), None),
            // A gateway that will not serve a broken policy, or without a record, has done right: nothing can pass it, also
            // where it never comes so far.
            Err(StartError {
                why: Failure::Ended { last_words, .. } | Failure::Late { last_words, .. },
                ..
            }) if is_broken(inputs.scenario) => (None, Some(last_words)),
            Err(error) => return Err(error.into()),
        };
        Ok(Self { gateway: RwLock::new(gateway), identities, facts, embedded: None, refusal })
    }

    async fn embed(
        contender: &Contender,
        inputs: &Inputs<'_>,
        given: &gateway::Inputs,
    ) -> Result<Self, SetupError> {
        let doors = Doors::open().await.map_err(SetupError::machine("listening on a loopback port"))?;
        let profile = contender.profile.clone();
        let place = place(inputs);
        let mut facts = Facts::of(&profile, given.clone(), &place, doors.ports());
        let conduct = conduct(contender)?;
        let settings = match settings(&conduct, &profile, inputs, given) {
            Ok(settings) => settings,
            Err(why) if spoil(inputs.scenario).is_some() => {
                let identities = given.identities.clone();
                return Ok(Self {
                    gateway: RwLock::new(None),
                    identities,
                    facts,
                    embedded: None,
                    refusal: Some(why),
                });
            }
            Err(why) => return Err(SetupError::Scenario(why)),
        };
        let embedded = Embedded::start(settings, conduct, clock(), doors)
            .map_err(SetupError::machine("starting the gateway"))?;
        facts.secret = embedded.reference().decision_token().to_owned();
        let gateway = RunningGateway::attached(profile, facts.clone(), &place)?;
        let identities = given.identities.clone();
        Ok(Self {
            gateway: RwLock::new(Some(gateway)),
            identities,
            facts,
            embedded: Some(embedded),
            refusal: None,
        })
    }

    /// How an identity connects.
    pub(super) fn connection(&self, identity: &str) -> Result<Connection, String> {
        let gateway = self.gateway.try_read().map_err(|_| "the gateway is being changed".to_owned())?;
        let Some(gateway) = &*gateway else {
            return Err(self.refusal.clone().unwrap_or_else(|| "the gateway is stopped".to_owned()));
        };
        let connection = gateway.connection(identity).map_err(|error| error.to_string())?;
        connection.ok_or_else(|| format!("the profile does not say how `{identity}` connects"))
    }

    /// The same place without any credential.
    pub(super) fn anonymous(&self) -> Result<Connection, String> {
        let first = self.identities.first().map_or("", |identity| identity.name.as_str());
        Ok(match self.connection(first)? {
            Connection::Http { url, .. } => Connection::Http { url, headers: Vec::new() },
            lines => lines,
        })
    }

    /// The path at which agents come in; nothing where they do not come by HTTP.
    pub(super) fn endpoint(&self) -> Option<String> {
        let Ok(Connection::Http { url, .. }) = self.anonymous() else { return None };
        url.parse::<http::Uri>().ok().map(|url| url.path().to_owned())
    }

    /// What its templates saw.
    pub(super) fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The identities with their tokens and policies.
    pub(super) fn identities(&self) -> &[gateway::Identity] {
        &self.identities
    }

    /// The gateway's own record, or why it cannot be read.
    pub(super) async fn audit(&self) -> Result<Kept, String> {
        if let Some(embedded) = &self.embedded {
            let lines = embedded.records();
            let calls = lines.iter().filter(|line| line["about"] == "call");
            let decisions =
                calls.map(|line| recorded(line["decision"].as_str().unwrap_or_default())).collect();
            let text = lines.iter().map(|line| format!("{line}\n")).collect();
            return Ok(Kept { text, decisions, entries: lines.iter().map(entry).collect() });
        }
        let gateway = self.gateway.read().await;
        let gateway = gateway.as_ref().ok_or("the gateway is stopped")?;
        let records = gateway.audit().await.map_err(|error| error.to_string())?;
        let records = records.ok_or("the profile does not say where it is")?;
        let text = records.iter().map(|record| format!("{}\n", record.whole)).collect();
        let decisions = records.iter().map(|record| record.decision).collect();
        Ok(Kept { text, decisions, entries: records.iter().map(fields).collect() })
    }

    pub(super) async fn stop(self) {
        if let Some(embedded) = self.embedded {
            embedded.stop().await;
        }
        if let Some(gateway) = self.gateway.into_inner() {
            gateway.stop().await;
        }
    }
}

/// A record of the reference, member by member.
fn entry(line: &Value) -> IndexMap<String, Json> {
    let members = line.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    let name = |name: &str| if name == "request_id" { "id".to_owned() } else { name.to_owned() };
    let mut entry: IndexMap<String, Json> =
        members.map(|(member, value)| (name(member), Json::from(value.clone()))).collect();
    let said = line["decision"].as_str().unwrap_or_default();
    if let Some(word) = recorded(said) {
        entry.insert("decision".to_owned(), Json::from(word.word()));
    }
    entry.insert("whole".to_owned(), Json::from(line.to_string()));
    entry
}

/// A record that a profile describes, member by member.
fn fields(record: &AuditRecord) -> IndexMap<String, Json> {
    let mut entry: IndexMap<String, Json> =
        record.fields.iter().map(|(member, value)| (member.clone(), Json::from(value.clone()))).collect();
    if let Some(word) = record.decision {
        entry.insert("decision".to_owned(), Json::from(word.word()));
    }
    entry.insert("whole".to_owned(), Json::from(record.whole.to_string()));
    entry
}

/// The reference's words for its decisions.
fn recorded(decision: &str) -> Option<Recorded> {
    match decision {
        "allowed" | "approved" => Some(Recorded::Allow),
        "denied" | "hidden" | "malformed" | "rejected" | "unauthorized" => Some(Recorded::Deny),
        "limited" => Some(Recorded::Limit),
        "pending" => Some(Recorded::Pending),
        _ => None,
    }
}

fn place(inputs: &Inputs<'_>) -> Place {
    Place {
        folder: inputs.folder.to_owned(),
        gauntlet: inputs.setting.program.clone(),
        environment: inputs.setting.environment.clone(),
    }
}

/// How a scenario breaks its policy, in the gateway's words.
pub(in crate::run) fn spoil(scenario: &Scenario) -> Option<gateway::Spoil> {
    scenario.policy.as_ref()?.spoiled.map(how)
}

/// Whether something is the matter with a gateway from the beginning, for which it may refuse to start.
pub(in crate::run) fn is_broken(scenario: &Scenario) -> bool {
    spoil(scenario).is_some() || scenario.audit_is_full
}

/// The same way to spoil, in the gateway's words.
pub(super) fn how(spoil: Spoil) -> gateway::Spoil {
    match spoil {
        Spoil::UnknownMember => gateway::Spoil::UnknownMember,
        Spoil::UnknownMemberOfARule => gateway::Spoil::UnknownMemberOfARule,
        Spoil::Truncated => gateway::Spoil::Truncated,
        Spoil::Missing => gateway::Spoil::Missing,
    }
}

/// A policy as the document that it was.
pub(super) fn document(policy: &Policy) -> Value {
    serde_json::to_value(policy).expect("a policy is plain data")
}

/// Every identity with a fresh token.
pub(in crate::run) fn identities(scenario: &Scenario) -> Vec<gateway::Identity> {
    let shared = scenario.policy.as_ref().map(|text| document(&text.policy));
    let policy = |identity: &Identity| match &identity.policy {
        IdentityPolicy::Shared => shared.clone(),
        IdentityPolicy::None => None,
        IdentityPolicy::Own(PolicyText { policy, .. }) => Some(document(policy)),
    };
    let one = |(name, identity): (&String, &Identity)| gateway::Identity {
        name: name.clone(),
        token: token(16),
        policy: policy(identity),
    };
    scenario.identities.iter().map(one).collect()
}

fn upstreams(inputs: &Inputs<'_>) -> Vec<gateway::Upstream> {
    let relay = |name: &str, server: &MockServer| {
        let address = server.relay_address().to_string();
        let words =
            [&inputs.setting.program, "relay", &address, "--upstream", name, "--token", server.relay_token()];
        words.map(str::to_owned).to_vec()
    };
    let lists = |name: &str| inputs.scenario.upstreams.get(name).map(listed).unwrap_or_default();
    let one = |(name, server): (&String, &MockServer)| gateway::Upstream {
        name: name.clone(),
        url: server.url(),
        command: relay(name, server),
        tools: lists(name),
    };
    inputs.mocks.iter().map(one).collect()
}

/// The reference's settings; an error is why it refuses a policy.
fn settings(
    conduct: &Conduct,
    profile: &Profile,
    inputs: &Inputs<'_>,
    given: &gateway::Inputs,
) -> Result<Settings, String> {
    let spoiled = spoil(inputs.scenario);
    let grants = given
        .identities
        .iter()
        .map(|identity| grant(conduct, identity, spoiled))
        .collect::<Result<_, _>>()?;
    let upstream = |(name, server): (&String, &MockServer)| reference::Upstream {
        name: name.clone(),
        reach: reference::Reach::Http { url: server.url(), headers: Vec::new() },
    };
    Ok(Settings {
        upstreams: inputs.mocks.iter().map(upstream).collect(),
        grants,
        channel: match profile.approval_style() {
            Some(gateway::Style::Held) => Channel::Held,
            Some(gateway::Style::Elicitation | gateway::Style::InputRequired) => Channel::Elicited,
            Some(gateway::Style::Retry | gateway::Style::Url) | None => Channel::Retried,
        },
        audit: if inputs.scenario.audit_is_full { AuditSink::Full } else { AuditSink::Memory },
        pins: embedded::pins(inputs.folder),
        declared: profile.declares.clone(),
        upstream_timeout: Duration::from_secs(3),
    })
}

/// An identity as the reference knows it.
pub(super) fn grant(
    conduct: &Conduct,
    identity: &gateway::Identity,
    spoiled: Option<gateway::Spoil>,
) -> Result<Grant, String> {
    let policy = match &identity.policy {
        Some(document) => Some((conduct.understands)(&written(document, spoiled))?),
        None => None,
    };
    Ok(Grant { identity: identity.name.clone(), token: Some(identity.token.clone()), policy })
}

/// The text of a policy, broken on purpose where the scenario wants it.
pub(in crate::run) fn written(document: &Value, spoiled: Option<gateway::Spoil>) -> String {
    let mut text = document.to_string();
    match spoiled {
        Some(gateway::Spoil::Truncated) => text.truncate(text.len() / 2),
        Some(gateway::Spoil::UnknownMemberOfARule) => text = gateway::with_an_unknown_rule(&text, document),
        Some(gateway::Spoil::UnknownMember) => text.insert_str(1, "\"x_unknown\":true,"),
        Some(gateway::Spoil::Missing) => text.clear(),
        None => {}
    }
    text
}

fn conduct(contender: &Contender) -> Result<Conduct, SetupError> {
    let mut conduct = Conduct::default();
    if let Some(name) = &contender.flaw {
        let flaw = FLAWS.iter().find(|flaw| flaw.name == name).map(|flaw| flaw.twist);
        let variant = || VARIANTS.iter().find(|variant| variant.name == name).map(|variant| variant.twist);
        let twist = flaw
            .or_else(variant)
            .ok_or_else(|| SetupError::Scenario(format!("`{}`: no flaw `{name}`", name_of(contender))))?;
        twist(&mut conduct);
    }
    Ok(conduct)
}
