//! A gateway as data: how it answers, how it asks, and the profile that reads it.

use mcp_gauntlet::source;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One gateway.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Script {
    /// The shape, in a few words.
    pub(crate) about: String,
    /// The ways in which an agent can talk to it; both unless said.
    over: Vec<Way>,
    /// How `destroy_vm` is answered; in a limit, `list_hosts` beyond the maximum.
    pub(crate) answer: Answer,
    /// How many calls of `list_hosts` pass; without a limit all do.
    pub(crate) max: Option<usize>,
    /// Whether `destroy_vm` is left out of the list.
    pub(crate) hides: bool,
    /// Whether a session without a credential is not opened; otherwise its calls are answered.
    pub(crate) closed: bool,
    /// How it asks for an approval.
    pub(crate) asks: Option<Asks>,
    /// The parameters of its question.
    pub(crate) question: Value,
    /// How often it asks the same.
    pub(crate) rounds: usize,
    /// How a call is answered that was rejected, or that nobody decided in time.
    pub(crate) rejected: Answer,
    /// How many milliseconds a held call is held at most.
    pub(crate) holds: Option<u64>,
    /// Whether it asks a client that did not offer to be asked.
    pub(crate) uninvited: bool,
    /// What a repeated call must have at this JSON pointer of its parameters: the approval's id.
    pub(crate) shows: Option<String>,
    /// The profile's readings.
    reads: Value,
    /// How the profile says that approvals are decided.
    approval: Value,
    /// What the profile declares; the legacy era unless said.
    declares: Value,
    /// What has to come of it.
    pub(crate) expect: Expected,
}

/// What has to come of a call.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Expected {
    pub(crate) verdict: String,
    /// The verdict where the call was forwarded all the same: `leaked` unless said.
    pub(crate) lying: Option<String>,
    pub(crate) reason: Option<String>,
    /// In seconds, rounded.
    pub(crate) retry_after: Option<u64>,
}

/// How an agent talks to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Way {
    Http,
    Stdio,
}

/// How it asks for an approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Asks {
    /// By the answer; the call comes again.
    Retry,
    /// By no answer.
    Held,
    /// By a question in mid-call.
    Elicitation,
    /// By `input_required`.
    InputRequired,
}

/// One answer: a frame, or what stands in the place of one.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Answer {
    pub(crate) result: Option<Value>,
    pub(crate) error: Option<Value>,
    /// The HTTP status; 200 unless said.
    pub(crate) status: Option<u16>,
    pub(crate) headers: BTreeMap<String, String>,
    /// A body that is no frame: a text as it stands, anything else as JSON.
    pub(crate) body: Option<Value>,
    /// No answer at all.
    pub(crate) nothing: bool,
}

impl Answer {
    /// The frame, its texts filled in.
    pub(crate) fn frame(&self, id: &Value, fill: &dyn Fn(&str) -> String) -> Option<Value> {
        let (member, value) = match (&self.result, &self.error) {
            (Some(result), _) => ("result", result),
            (None, Some(error)) => ("error", error),
            (None, None) => return None,
        };
        let value: Value = serde_json::from_str(&fill(&value.to_string())).unwrap();
        Some(json!({"jsonrpc": "2.0", "id": id, member: value}))
    }
}

impl Script {
    /// Reads a script; `DOOR` in it is the address of whoever decides.
    pub(crate) fn read(path: &Path, door: &str) -> Self {
        let text = std::fs::read_to_string(path).unwrap().replace("DOOR", door);
        let script: Self = source::typed(&text).unwrap_or_else(|wrong| {
            panic!("{}:{}: {}", path.display(), wrong.spot.line, wrong.message);
        });
        assert!(!script.about.is_empty(), "{} says nothing about itself", path.display());
        script
    }

    /// The ways in which an agent can talk to it.
    pub(crate) fn ways(&self) -> Vec<Way> {
        if self.over.is_empty() { vec![Way::Http, Way::Stdio] } else { self.over.clone() }
    }

    /// Looks for what is held where it never shows.
    pub(crate) fn held_unlisted(&mut self) {
        self.approval["find"] = json!({"run": ["echo", "[]"], "id": "/0/id"});
        self.approval["within"] = json!("100ms");
    }

    /// Puts another value into the part of the profile that is about approvals; `null` takes all of it away.
    pub(crate) fn with_approval(mut self, member: &str, value: Value) -> Self {
        self.approval[member] = value;
        self
    }

    /// Says nothing of approvals in the profile: so the client offers nothing.
    pub(crate) fn without_approval(mut self) -> Self {
        self.approval = Value::Null;
        self
    }

    /// The profile's text: how to reach the gateway at that address, and what the script says.
    pub(crate) fn profile(&self, way: Way, address: &str) -> String {
        let declares =
            if self.declares.is_null() { json!({"eras": ["legacy"]}) } else { self.declares.clone() };
        let mut profile = json!({"gateway": "scripted", "declares": declares});
        match way {
            // What a gateway has to know of the run comes along with each request.
            Way::Http => {
                profile["connect"] = json!({"http": format!("http://{address}/mcp"), "headers": {
                    "Authorization": "Bearer {{ identity.token }}",
                    "X-Upstream": "{{ upstreams[0].url }}",
                    "X-Folder": "{{ folder }}",
                }});
            }
            Way::Stdio => {
                profile["connect"] = json!({"stdio": {}});
                profile["start"] = json!({"command": ["{{ gauntlet }}", "relay", address,
                    "--upstream", "{{ upstreams[0].url }}", "--token", "{{ folder }}"]});
            }
        }
        for (name, value) in [("reads", &self.reads), ("approval", &self.approval)] {
            if !value.is_null() {
                profile[name] = value.clone();
            }
        }
        profile.to_string()
    }
}

/// Every script of a folder under `tests/gateways/`, in the order of their names.
pub(crate) fn scripts(folder: &str) -> Vec<(String, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gateways").join(folder);
    let entries = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let mut scripts: Vec<_> = entries
        .filter(|path| path.extension().is_some_and(|kind| kind == "yaml"))
        .map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), path))
        .collect();
    scripts.sort();
    assert!(!scripts.is_empty(), "no scripts in {}", folder.display());
    scripts
}
