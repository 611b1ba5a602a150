//! The policy in the gateway's own dialect: facts of the run go in, files come out, or the word that the gateway
//! cannot express it. Pure; nothing is written here.

use super::command_line::CommandLine;
use super::profile::Profile;
use super::template::{self, Engine, RenderError, Variables};
use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// How long an approval waits where the policy does not say.
const PATIENCE: u64 = 300;

/// A server that stands behind the gateway.
#[derive(Clone, Debug, Serialize)]
pub struct Upstream {
    /// Its name.
    pub name: String,
    /// Its address.
    pub url: String,
    /// The command that is a byte pipe to it, for gateways that start their servers.
    pub command: Vec<String>,
    /// The names of the tools that it lists from the start: what a dialect that only blocks has to name.
    pub tools: Vec<String>,
}

/// Somebody who calls tools.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The name.
    pub name: String,
    /// The bearer token.
    pub token: String,
    /// The policy document; without one nothing may be called.
    pub policy: Option<Value>,
}

/// An identity as templates see it.
#[derive(Clone, Debug, Serialize)]
pub struct Caller {
    /// The name.
    pub name: String,
    /// The bearer token.
    pub token: String,
    /// The policy with every default written out.
    pub policy: Option<Value>,
    /// The policy as it was written.
    pub document: Option<Value>,
}

/// What a run gives to a gateway.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// The servers behind it; at least one.
    pub upstreams: Vec<Upstream>,
    /// Who calls; at least one.
    pub identities: Vec<Identity>,
}

/// Where a gateway lives while it runs.
#[derive(Clone, Debug)]
pub struct Place {
    /// A fresh folder, its home.
    pub folder: PathBuf,
    /// The path of this very program.
    pub gauntlet: String,
    /// What every child's environment has, `PATH` above all.
    pub environment: Vec<(String, String)>,
}

/// Everything that templates see.
#[derive(Clone, Debug, Serialize)]
pub struct Facts {
    /// The servers behind the gateway.
    pub upstreams: Vec<Upstream>,
    /// Who calls.
    pub identities: Vec<Caller>,
    /// The first identity's policy.
    pub policy: Option<Value>,
    /// A free port, for agents.
    pub port: u16,
    /// Another one, for approvals or an interface of its own.
    pub side_port: u16,
    /// Something unguessable, for the gateway's own secrets.
    pub secret: String,
    /// The token that the servers demand of the gateway, if they demand one.
    pub bearer: Option<String>,
    /// Its folder.
    pub folder: String,
    /// The paths of its files.
    pub files: BTreeMap<String, String>,
    /// The path of this very program.
    pub gauntlet: String,
}

/// The names of all that every template sees.
pub(super) const FACTS: [&str; 10] = [
    "upstreams",
    "identities",
    "policy",
    "port",
    "side_port",
    "secret",
    "bearer",
    "folder",
    "files",
    "gauntlet",
];

/// The files of a gateway, not yet written.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// What templates saw.
    pub facts: Facts,
    /// The first holds the policy.
    pub files: Files,
    /// Whether the file of its own record is one that takes nothing, as on a full disk.
    pub full: bool,
}

/// Key, path within the folder, and text. `None`: a file that must be missing.
pub(super) type Files = IndexMap<String, (String, Option<String>)>;

/// Renders all that a profile asks for. Ports and secrets are taken from `facts`, which a plan may invent.
pub fn render(profile: &Profile, facts: Facts) -> Result<Rendered, RenderError> {
    let files = render_files(profile, &facts)?;
    let engine = Engine::new();
    CommandLine::of(profile, &facts)?;
    connectable(profile, &engine, &facts)?;
    Ok(Rendered { facts, files, full: false })
}

/// The files alone: what a gateway is told, wherever it is.
pub(super) fn render_files(profile: &Profile, facts: &Facts) -> Result<Files, RenderError> {
    let (engine, context) = (Engine::new(), template::value(facts));
    let mut files = Files::new();
    for (key, file) in &profile.files {
        let source = file.source().unwrap_or_default();
        let mut text = profile.templates.get(source).cloned().unwrap_or_default();
        if file.template.is_some() {
            text = engine.render(&text, &context, &Variables::new()).map_err(|error| named(source, error))?;
        }
        files.insert(key.clone(), (file.name.clone(), Some(text)));
    }
    Ok(files)
}

/// What it is told in its files and where it is started; where it is reached is left aside.
pub(super) fn render_told(profile: &Profile, facts: &Facts) -> Result<(), RenderError> {
    render_files(profile, facts)?;
    CommandLine::of(profile, facts).map(drop)
}

/// A profile without files says what it cannot do where an agent connects.
fn connectable(profile: &Profile, engine: &Engine, facts: &Facts) -> Result<(), RenderError> {
    for identity in &facts.identities {
        for text in profile.connect.http.iter().chain(profile.connect.headers.values()) {
            let over = BTreeMap::from([("identity", template::value(identity))]);
            engine.render_over(&text.0, &template::value(facts), over)?;
        }
    }
    Ok(())
}

fn named(file: &str, error: RenderError) -> RenderError {
    match error {
        RenderError::Template(what) => RenderError::Template(format!("`{file}`: {what}")),
        cannot @ RenderError::Cannot(_) => cannot,
    }
}

impl Facts {
    /// The facts of a run at a place, with the ports that were found free.
    pub fn of(profile: &Profile, inputs: Inputs, place: &Place, ports: (u16, u16)) -> Self {
        let folder = place.folder.display().to_string();
        let files = profile.files.iter().map(|(key, file)| (key.clone(), format!("{folder}/{}", file.name)));
        let identities: Vec<_> = inputs.identities.into_iter().map(Caller::from).collect();
        Self {
            files: files.collect(),
            upstreams: inputs.upstreams,
            policy: identities.first().and_then(|identity| identity.policy.clone()),
            identities,
            port: ports.0,
            side_port: ports.1,
            secret: secret(),
            bearer: None,
            folder,
            gauntlet: place.gauntlet.clone(),
        }
    }
}

impl From<Identity> for Caller {
    fn from(identity: Identity) -> Self {
        let Identity { name, token, policy: document } = identity;
        Self { name, token, policy: document.as_ref().map(full), document }
    }
}

fn secret() -> String {
    let mut bytes = [0_u8; 16];
    // Without a source of randomness no process could open a TLS connection either; there is nothing to fall back to.
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A policy document with every default written out, `rate_limit` folded into `limits`, and each window in `seconds`
/// too: what a template may rely on.
fn full(document: &Value) -> Value {
    let limits = |of: &Value| -> Vec<Value> { array(of, "limits").iter().map(full_limit).collect() };
    let tools = document.get("tools").and_then(Value::as_object).into_iter().flatten();
    let tools: Map<String, Value> =
        tools.map(|(name, entry)| (name.clone(), full_entry(name, entry))).collect();
    json!({
        "version": "1",
        "default": document.get("default").cloned().unwrap_or_else(|| json!("deny")),
        "hide": array(document, "hide"),
        "pin": document.get("pin").and_then(Value::as_bool).unwrap_or(false),
        "all_tools": { "limits": document.get("all_tools").map(limits).unwrap_or_default() },
        "tools": tools,
    })
}

fn full_entry(name: &str, entry: &Value) -> Value {
    let predicates =
        |member: &str| -> Vec<Value> { array(entry, member).iter().map(full_predicate).collect() };
    let mut limits: Vec<Value> = array(entry, "limits").iter().map(full_limit).collect();
    if let Some(short) = entry.get("rate_limit") {
        let counter = format!("{name}_rate");
        limits.push(full_limit(&json!({"counter": counter, "window": short["window"], "max": short["max"]})));
    }
    let patience = entry.pointer("/approval/timeout").cloned().unwrap_or_else(|| json!(PATIENCE));
    json!({
        "action": entry.get("action").cloned().unwrap_or_else(|| json!("allow")),
        "reason": entry.get("reason"),
        "require": predicates("require"),
        "deny_if": predicates("deny_if"),
        "limits": limits,
        "approval": { "timeout": patience },
    })
}

fn full_predicate(predicate: &Value) -> Value {
    let member = |name: &str| predicate.get(name).cloned();
    json!({"arg": member("arg"), "op": member("op"), "value": member("value"), "on_deny": member("on_deny")})
}

fn full_limit(limit: &Value) -> Value {
    let window = limit.get("window").cloned().unwrap_or(Value::Null);
    let seconds = match window.as_str() {
        Some("minute") => json!(60),
        Some("hour") => json!(3600),
        Some("day") => json!(86_400),
        _ => window.clone(),
    };
    json!({
        "counter": limit.get("counter"),
        "window": window,
        "seconds": seconds,
        "max": limit.get("max"),
        "scope": limit.get("scope").cloned().unwrap_or_else(|| json!("grant")),
        "cost": limit.get("cost").cloned().unwrap_or_else(|| json!(1)),
    })
}

fn array(of: &Value, member: &str) -> Vec<Value> {
    of.get(member).and_then(Value::as_array).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests;
