//! What a gateway can be told, found out by rendering small policies through its templates: what they refuse by
//! `cannot` it has no words for. It knows what is said, not whether the gateway then does it: that takes a run.

use super::profile::Profile;
use super::render::{Facts, Identity, Inputs, Place, Upstream, render, render_told};
use super::template::RenderError;
use serde_json::{Value, json};
use std::path::PathBuf;

/// What a gateway can be told, and what not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expresses {
    /// The subjects of a policy that it has words for.
    pub can: Vec<Subject>,
    /// What its templates refuse, in their words.
    pub cannot: Vec<String>,
}

/// A subject of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Tools that may not be called.
    Deny,
    /// Tools that are not shown.
    Hide,
    /// Rules about arguments.
    Arguments,
    /// Limits.
    Limits,
    /// Calls that somebody decides about.
    Approvals,
    /// Tools whose entries may not change.
    Pins,
    /// Policies of several identities.
    Identities,
    /// Several servers behind one gateway.
    Upstreams,
}

impl Subject {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 8] = [
        Self::Deny,
        Self::Hide,
        Self::Arguments,
        Self::Limits,
        Self::Approvals,
        Self::Pins,
        Self::Identities,
        Self::Upstreams,
    ];

    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Hide => "hide",
            Self::Arguments => "arguments",
            Self::Limits => "limits",
            Self::Approvals => "approvals",
            Self::Pins => "pins",
            Self::Identities => "identities",
            Self::Upstreams => "several upstreams",
        }
    }

    /// Policies about it: the plainest first, which decides whether there are words for it at all.
    pub(super) fn probes(self) -> Vec<Value> {
        let tool =
            |entry: Value| json!({"version": "1", "default": "deny", "tools": {"one": entry, "other": {}}});
        let limit = |more: Value| {
            let mut limit = json!({"counter": "c", "window": "minute", "max": 5});
            more.as_object().into_iter().flatten().for_each(|(name, value)| limit[name] = value.clone());
            limit
        };
        match self {
            Self::Deny => vec![
                tool(json!({"action": "deny"})),
                json!({"version": "1", "default": "allow", "tools": {"one": {"action": "deny", "reason": "r"}}}),
            ],
            Self::Hide => ["one", "*"]
                .map(|name| json!({"version": "1", "default": "allow", "hide": [name], "tools": {}}))
                .to_vec(),
            Self::Arguments => predicates().map(|(side, rule)| tool(json!({side: [rule]}))).collect(),
            Self::Limits => {
                let limits = [
                    json!({}),
                    json!({"window": "hour"}),
                    json!({"window": "day"}),
                    json!({"window": 10}),
                    json!({"scope": "session"}),
                    json!({"scope": "global"}),
                    json!({"cost": 2}),
                    json!({"cost": "args.a"}),
                    json!({"max": 0}),
                ];
                let mut probes: Vec<Value> =
                    limits.map(|more| tool(json!({"limits": [limit(more)]}))).to_vec();
                let shared = json!({"limits": [limit(json!({}))]});
                probes.push(
                    json!({"version": "1", "default": "deny", "tools": {"one": shared, "other": shared}}),
                );
                probes.push(json!({"version": "1", "default": "allow", "tools": {}, "all_tools": shared}));
                probes
            }
            Self::Approvals => vec![tool(json!({"action": "require_approval", "approval": {"timeout": 60}}))],
            Self::Pins => vec![json!({"version": "1", "default": "allow", "pin": true, "tools": {}})],
            Self::Identities | Self::Upstreams => vec![tool(json!({}))],
        }
    }
}

/// A rule for each operator, as a demand and as a refusal.
fn predicates() -> impl Iterator<Item = (&'static str, Value)> {
    let operators = [
        ("eq", json!("x")),
        ("neq", json!("x")),
        ("lt", json!(5)),
        ("lte", json!(5)),
        ("gt", json!(5)),
        ("gte", json!(5)),
        ("in", json!(["x"])),
        ("not_in", json!(["x"])),
        ("exists", json!(true)),
        ("regex", json!("^x$")),
        ("contains", json!("x")),
    ];
    operators.into_iter().flat_map(|(op, value)| {
        let rule = json!({"arg": "args.a", "op": op, "value": value});
        ["require", "deny_if"].map(|side| (side, rule.clone()))
    })
}

impl Profile {
    /// What this gateway can be told.
    pub fn expresses(&self) -> Expresses {
        let mut expresses = Expresses::default();
        for subject in Subject::ALL {
            let told: Vec<_> =
                subject.probes().into_iter().map(|policy| self.told_of(subject, &policy)).collect();
            if matches!(told.first(), Some(Ok(()))) && self.has(subject) {
                expresses.can.push(subject);
            }
            for why in told.into_iter().filter_map(Result::err) {
                if let RenderError::Cannot(words) = why
                    && !expresses.cannot.contains(&words)
                {
                    expresses.cannot.push(words);
                }
            }
        }
        expresses
    }

    /// What the templates say to one policy.
    fn told_of(&self, subject: Subject, policy: &Value) -> Result<(), RenderError> {
        let facts = self.supposed(subject, policy);
        match subject {
            // Where it is reached is another question than what it is told.
            Subject::Upstreams => render(self, facts).map(drop),
            _ => render_told(self, &facts),
        }
    }

    /// What templates would see if a run were about that policy.
    pub(super) fn supposed(&self, subject: Subject, policy: &Value) -> Facts {
        let identity = |name: &str| Identity {
            name: name.to_owned(),
            token: format!("token-{name}"),
            policy: Some(policy.clone()),
        };
        let server = |name: &str| Upstream {
            name: name.to_owned(),
            url: format!("http://127.0.0.1:1/{name}"),
            command: vec!["server".to_owned()],
            tools: vec!["one".to_owned(), "other".to_owned(), "another".to_owned()],
        };
        let take = |several: bool| if several { 2 } else { 1 };
        let inputs = Inputs {
            upstreams: ["lab", "office"][..take(subject == Subject::Upstreams)]
                .iter()
                .map(|name| server(name))
                .collect(),
            identities: ["alice", "bob"][..take(subject == Subject::Identities)]
                .iter()
                .map(|name| identity(name))
                .collect(),
        };
        let place =
            Place { folder: PathBuf::from("/"), gauntlet: "gauntlet".to_owned(), environment: Vec::new() };
        Facts::of(self, inputs, &place, (1, 2))
    }

    /// Whether the profile has what a subject needs beside words for it.
    fn has(&self, subject: Subject) -> bool {
        let takes_policies = self.is_embedded() || self.has_files() || self.is_started_with_policy();
        match subject {
            Subject::Upstreams => true,
            Subject::Approvals => takes_policies && self.approval.is_some(),
            Subject::Identities => takes_policies && self.connect.tells_who(),
            _ => takes_policies,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::shipped;

    fn told(name: &str) -> (Vec<&'static str>, Vec<String>) {
        let Expresses { can, cannot } = shipped::named(name).unwrap().expresses();
        (can.into_iter().map(Subject::word).collect(), cannot)
    }

    #[test]
    fn what_a_dialect_has_words_for_is_found_by_asking_it() {
        let (can, cannot) = told("agentveil-mcp-proxy");
        assert_eq!(can, ["deny", "approvals"]);
        let lacks = [
            "hidden tools",
            "argument rules",
            "rate limits",
            "pinned tools",
            "several identities",
            "several upstreams",
        ];
        assert_eq!(cannot, lacks);
        let (can, cannot) = told("mcp-policy-gateway");
        assert_eq!(can, ["deny", "hide", "arguments", "limits", "identities", "several upstreams"]);
        assert!(cannot.contains(&"cost-scaled limits".to_owned()), "{cannot:?}");
        let (can, cannot) = told("reference");
        assert_eq!((can.len(), cannot.len()), (Subject::ALL.len(), 0));
    }

    #[test]
    fn a_gateway_that_takes_no_policy_can_be_told_nothing() {
        assert_eq!(told("direct"), (vec![], vec!["several upstreams".to_owned()]));
        assert_eq!(told("mcp-proxy"), (vec![], vec!["several upstreams".to_owned()]));
    }

    #[test]
    fn every_template_that_ships_renders_every_probe_or_says_what_it_lacks() {
        for name in shipped::names() {
            let profile = shipped::named(name).unwrap();
            for subject in Subject::ALL {
                for policy in subject.probes() {
                    let told = profile.told_of(subject, &policy);
                    assert!(!matches!(told, Err(RenderError::Template(_))), "{name}: {policy}: {told:?}");
                }
            }
        }
    }
}
