//! `reference.yaml` as it is written: everything that the reference gateway can be told, in one file.
//!
//! ```yaml
//! listen: 127.0.0.1:8080              # or `stdio`, which it is where nothing is said
//! upstreams:
//!   lab: {mock: ludus}
//!   forensics: {url: "http://127.0.0.1:9000/mcp", headers: {Authorization: "Bearer ${FORENSICS_TOKEN}"}}
//!   files: {command: [file-server, --root, /srv], environment: {MODE: read-only}}
//! grants:
//!   - {identity: alice, token: "${ALICE_TOKEN}", policy: alice.json}
//!   - {identity: bob, token: "${BOB_TOKEN}", policy: {version: "1", default: deny, tools: {list_hosts: {}}}}
//! approvals: {channel: retried, listen: "127.0.0.1:8081", token: "${APPROVER_TOKEN}"}
//! audit: {file: audit.jsonl}
//! pins: {file: pins.jsonl}            # what `pin: true` compares with, kept beyond the process
//! upstream_timeout: 30s
//! ```
//!
//! `${NAME}` and `${NAME:-default}` stand for the environment in every text but those of a policy. Paths are seen from
//! the file's own folder. While the gateway runs, a change of the grants, here or in a policy's file, is taken over.

use crate::policy::Policy;
use crate::source::Placed;
use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;

/// The settings of the reference gateway.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Reference")]
pub(in crate::cli) struct Document {
    /// Where agents connect: an address such as `127.0.0.1:8080`, or `stdio`, the default.
    pub(super) listen: Option<Placed<String>>,
    /// The servers behind the gateway, by the names that policies use.
    #[schemars(with = "BTreeMap<String, Behind>")]
    pub(super) upstreams: IndexMap<String, Placed<Behind>>,
    /// Who may connect, and what each may call.
    pub(super) grants: Vec<Placed<Grant>>,
    /// How approvals are asked for and decided.
    #[serde(default)]
    pub(super) approvals: Approvals,
    /// Where a record of each decision goes.
    pub(super) audit: Option<Audit>,
    /// Where the entries of pinned tools are kept; where nothing is said, only for as long as it runs.
    pub(super) pins: Option<Pins>,
    /// For so long an upstream may keep a call waiting, such as `30s`, the default.
    pub(super) upstream_timeout: Option<Placed<String>>,
}

/// A server behind the gateway: exactly one of `mock`, `url` and `command`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Behind {
    /// A mock, by its name or its folder.
    pub(super) mock: Option<Placed<String>>,
    /// The address of its endpoint.
    pub(super) url: Option<Placed<String>>,
    /// Headers of each request to the address.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub(super) headers: IndexMap<String, Placed<String>>,
    /// The program to start, and its arguments.
    pub(super) command: Option<Vec<Placed<String>>>,
    /// Variables of the program's environment.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub(super) environment: IndexMap<String, Placed<String>>,
}

/// One who may connect.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Grant {
    /// Who.
    pub(super) identity: Placed<String>,
    /// The bearer token; without one it is whoever connects without a token.
    pub(super) token: Option<Placed<String>>,
    /// The policy: a file, or the document itself; without one nothing may be called.
    #[schemars(schema_with = "file_or_document")]
    pub(super) policy: Option<IgnoredAny>,
}

fn file_or_document(generator: &mut SchemaGenerator) -> Schema {
    let document = generator.subschema_for::<Policy>();
    json_schema!({ "anyOf": [{ "type": "string", "minLength": 1 }, document, { "type": "null" }] })
}

/// How approvals are asked for and decided.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Approvals {
    /// How the agent sees it.
    pub(super) channel: Channel,
    /// Where they are decided: an address of its own; a free port of the loopback where nothing is said.
    pub(super) listen: Option<Placed<String>>,
    /// The token of those who decide; where nothing is said one is made up, and printed.
    pub(super) token: Option<Placed<String>>,
}

/// How the agent sees that a call waits for an approval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Channel {
    /// The call is held open until it is decided.
    Held,
    /// The call is refused, to be repeated after the decision.
    #[default]
    Retried,
    /// The agent's own client is asked.
    Elicited,
}

/// Where records go.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Audit {
    /// The file that they are appended to, a JSON object a line.
    pub(super) file: Placed<String>,
}

/// Where the entries of pinned tools are kept.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Pins {
    /// The file that they are appended to, a JSON object a line; gateways that stand before the same servers may share it.
    pub(super) file: Placed<String>,
}
