//! The document as it is written.

use super::amount::Amount;
use super::predicate::Predicate;
use super::window::Window;
use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// What may be called, under which conditions, how often, and what a person has to approve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The version of this format: `"1"`.
    pub version: String,
    /// For tools that are not under `tools`.
    pub default: Posture,
    /// Tools left out of tools/list and denied when called; `*` hides all.
    #[serde(default, skip_serializing_if = "is_default")]
    pub hide: Vec<String>,
    /// Whether a tool whose entry changed since it was first listed is withheld until it is approved again.
    #[serde(default, skip_serializing_if = "is_default")]
    pub pin: bool,
    /// What binds every tool.
    #[serde(default, skip_serializing_if = "is_default")]
    pub all_tools: AllTools,
    /// Rules by tool: `list_hosts` on every upstream, `lab/list_hosts` on one. Where both are given, both bind.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(with = "BTreeMap<String, ToolRule>")]
    pub tools: IndexMap<String, ToolRule>,
}

/// What happens to tools that are not listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Posture {
    /// They may be called.
    Allow,
    /// They may not.
    Deny,
}

/// What binds every tool.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AllTools {
    /// Limits that every call counts against.
    #[serde(default, skip_serializing_if = "is_default")]
    pub limits: Vec<Limit>,
}

/// The rules of one tool; `{}` allows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ToolRule {
    /// What happens to a call that the conditions let pass.
    #[serde(default, skip_serializing_if = "is_default")]
    pub action: Action,
    /// What the agent is told when `action` denies.
    #[serde(default, skip_serializing_if = "is_default")]
    pub reason: Option<String>,
    /// All of these must hold.
    #[serde(default, skip_serializing_if = "is_default")]
    pub require: Vec<Predicate>,
    /// None of these may match.
    #[serde(default, skip_serializing_if = "is_default")]
    pub deny_if: Vec<Predicate>,
    /// How often, or how much.
    #[serde(default, skip_serializing_if = "is_default")]
    pub limits: Vec<Limit>,
    /// Short for one limit of its own.
    #[serde(default, skip_serializing_if = "is_default")]
    pub rate_limit: Option<RateLimit>,
    /// How an approval is asked for.
    #[serde(default, skip_serializing_if = "is_default")]
    pub approval: Option<Approval>,
}

/// What happens to a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It passes.
    #[default]
    Allow,
    /// It does not.
    Deny,
    /// It passes once a person has approved of it.
    RequireApproval,
}

/// So much of something within a window. Limits that name the same counter share it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// The counter's name within the policy.
    pub counter: String,
    /// When the count begins anew.
    pub window: Window,
    /// The most that a window holds.
    pub max: Amount,
    /// Who shares the count.
    #[serde(default, skip_serializing_if = "is_default")]
    pub scope: Scope,
    /// What one call counts for.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cost: Cost,
}

/// Who shares a count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All that one identity does, in whatever session.
    #[default]
    Grant,
    /// One session.
    Session,
    /// Everybody.
    Global,
}

/// What one call counts for: a number, or the argument that says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cost {
    /// Always this much.
    Fixed(Amount),
    /// As much as the argument at this path says.
    Argument(String),
}

/// So many calls in so many seconds, from the first admitted call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// The most that a window holds.
    pub max: Amount,
    /// Its length in seconds.
    #[schemars(range(min = 1))]
    pub window: u64,
}

/// How an approval is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// After so many seconds without a decision the call counts as rejected.
    #[schemars(range(min = 1))]
    pub timeout: u64,
}

impl Policy {
    /// A document that names no tool.
    pub fn with_default(default: Posture) -> Self {
        let (hide, all_tools, tools) = (Vec::new(), AllTools::default(), IndexMap::new());
        Self { version: "1".into(), default, hide, pin: false, all_tools, tools }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Default for Cost {
    fn default() -> Self {
        Self::Fixed(Amount::ONE)
    }
}

impl Serialize for Cost {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Fixed(amount) => amount.serialize(out),
            Self::Argument(path) => out.serialize_str(path),
        }
    }
}

struct CostVisitor;

impl de::Visitor<'_> for CostVisitor {
    type Value = Cost;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a non-negative number or the path of an argument")
    }

    fn visit_str<E: de::Error>(self, path: &str) -> Result<Cost, E> {
        Ok(Cost::Argument(path.to_owned()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Cost, E> {
        Amount::deserialize(de::value::U64Deserializer::new(value)).map(Cost::Fixed)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Cost, E> {
        Amount::deserialize(de::value::I64Deserializer::new(value)).map(Cost::Fixed)
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Cost, E> {
        Amount::deserialize(de::value::F64Deserializer::new(value)).map(Cost::Fixed)
    }
}

impl<'de> Deserialize<'de> for Cost {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(CostVisitor)
    }
}

impl JsonSchema for Cost {
    fn schema_name() -> Cow<'static, str> {
        "Cost".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A number, or the path of the argument that says it.",
            "oneOf": [{"type": "number", "minimum": 0}, {"type": "string"}]
        })
    }
}
