//! The lesser parts of a profile.

use super::OneOrMany;
use crate::gateway::template::Template;
use crate::source::Span;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;

/// What a gateway can stand in front of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// A server with an address.
    Http,
    /// A server that it starts itself.
    Stdio,
}

impl Reach {
    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Stdio => "stdio",
        }
    }
}

/// What may share one start of the gateway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Isolate {
    /// Nothing: a start for each scenario.
    #[default]
    Scenario,
    /// Scenarios whose policies touch different tools.
    Pack,
    /// All that fit together share the only start of a run; the others are not applicable.
    Run,
}

/// How a call that wants an approval is put to the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// Refused at once, and repeated after the decision.
    Retry,
    /// Held open until the decision.
    Held,
    /// The agent's user is asked, in the way of the era: by `elicitation/create` in mid-call, or as `input_required`.
    Elicitation,
    /// The answer is `input_required`, and the call is repeated with the inputs: how the modern era asks.
    InputRequired,
    /// The answer is error -32042 with an address to open (2025-11-25); the call is repeated after the visit.
    Url,
}

/// How the agent's user can be asked (2025-11-25, client features: elicitation).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// By a form.
    Form,
    /// By an address to open.
    Url,
}

/// Which release of a gateway the profile was driven with, for real.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verified {
    /// The release, as the gateway names it.
    pub version: String,
    /// The day, as `2027-01-31`.
    #[schemars(extend("format" = "date"))]
    pub on: String,
}

impl Style {
    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Held => "held",
            Self::Elicitation => "elicitation",
            Self::InputRequired => "input_required",
            Self::Url => "url",
        }
    }
}

/// A file that is written for the gateway: exactly one of `template` and `copy` says what is in it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileSpec {
    /// A file that is rendered: beside the profile, or in the folder of another one (`../other/policy.json.j2`).
    pub(crate) template: Option<String>,
    /// A file that is taken as it is, from the same places.
    pub(crate) copy: Option<String>,
    /// The file's name within the gateway's folder.
    pub(crate) name: String,
}

impl FileSpec {
    /// The file that it is made from.
    pub(crate) fn source(&self) -> Option<&str> {
        self.template.as_deref().or(self.copy.as_deref())
    }
}

/// Where an agent connects: an address, or a process of its own.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Connect {
    /// The address.
    pub(crate) http: Option<Template>,
    /// Headers of each request.
    #[serde(default)]
    pub(crate) headers: IndexMap<String, Template>,
    /// The start command is the process; a second identity is a second process with the same folder.
    pub(crate) stdio: Option<Lines>,
    /// Whether each session lists the tools before anything else: some gateways refuse a call of what they have not
    /// listed. That is no part of what is judged.
    #[serde(default)]
    pub(crate) lists_first: bool,
}

impl Connect {
    /// Whether a connection says who is calling.
    pub(crate) fn tells_who(&self) -> bool {
        let of_lines = self.stdio.iter().flat_map(|lines| lines.environment.values());
        let mut texts = self.http.iter().chain(self.headers.values()).chain(of_lines);
        texts.any(|text| text.0.contains("identity."))
    }
}

/// A connection on stdio.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lines {
    /// Variables of the environment that say who connects.
    #[serde(default)]
    pub(crate) environment: IndexMap<String, Template>,
}

/// How approvals are decided.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Approval {
    /// How the agent sees it.
    pub(crate) style: Style,
    /// Finds what is pending, where the answer does not say.
    #[serde(default)]
    pub(crate) find: OneOrMany<Errand>,
    /// Says yes.
    pub(crate) approve: OneOrMany<Errand>,
    /// Says no.
    pub(crate) reject: OneOrMany<Errand>,
    /// What the agent repeats after the decision; told by the style unless said.
    pub(crate) repeat: Option<Repeat>,
    /// What the repeated call takes along, where the gateway wants to be shown its approval.
    #[serde(default)]
    pub(crate) carry: Carry,
    /// How the agent's client offers to be asked: told by the style unless said.
    pub(crate) offers: Option<Vec<Mode>>,
    /// Whether the gateway says by `notifications/elicitation/complete` when the call may be repeated; that is waited
    /// for as long as `within`.
    #[serde(default)]
    pub(crate) announces: bool,
    /// How long a pending call may take to show where `find` looks.
    #[serde(default = "five_seconds")]
    pub(crate) within: Span,
}

/// What a repeated call takes along.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Carry {
    /// Members of `_meta`.
    pub(crate) meta: IndexMap<String, Template>,
    /// Further arguments of the tool; the gateway has to take them out again.
    pub(crate) arguments: IndexMap<String, Template>,
    /// HTTP headers.
    pub(crate) headers: IndexMap<String, Template>,
}

/// What an agent repeats after a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Repeat {
    /// The same call.
    Call,
    /// Nothing: the first call gets its answer.
    Nothing,
}

/// One small deed: exactly one of `run`, `http`, `read`, `list`, `move`, `answer`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Errand {
    /// A command; it must end with 0.
    #[serde(default)]
    pub(crate) run: Vec<Template>,
    /// A request; it must be answered with a status below 400.
    pub(crate) http: Option<HttpErrand>,
    /// A file.
    pub(crate) read: Option<Template>,
    /// A folder: the names in it, one a line, the newest last.
    pub(crate) list: Option<Template>,
    /// A file that is put in another place: how some gateways are told of a decision.
    #[serde(rename = "move")]
    pub(crate) moved: Option<Move>,
    /// The result of an elicitation, or of an input request: the agent's side gives it. Texts in it are templates, and
    /// members that the question requires are filled in.
    pub(crate) answer: Option<serde_json::Value>,
    /// What is kept of the outcome: a JSON pointer into it, or an expression that is searched in it and whose first
    /// group is kept. Of an HTTP answer the header lines come first, then an empty line, then the body.
    #[serde(default)]
    pub(crate) save: IndexMap<String, String>,
    /// Short for `save: {approval: POINTER}`.
    pub(crate) id: Option<String>,
}

/// A file that is moved; the folder that it goes to is made where it is missing.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Move {
    /// Where it lies.
    pub(crate) from: Template,
    /// Where it goes.
    pub(crate) to: Template,
}

/// A request to the gateway's own side door.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HttpErrand {
    /// `GET` unless said.
    pub(crate) method: Option<String>,
    /// The address.
    pub(crate) url: Template,
    /// Headers.
    #[serde(default)]
    pub(crate) headers: IndexMap<String, Template>,
    /// The body.
    pub(crate) body: Option<Template>,
}

/// What can be done to a gateway while it runs.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hooks {
    /// Gives it another policy.
    pub(crate) reload: Option<Change>,
    /// Ends it and starts it again in the same folder.
    pub(crate) restart: Option<Restart>,
    /// Makes an identity's credential, once it is ready, for each `identity`; `save: {token: ...}` keeps it.
    pub(crate) mint: Option<OneOrMany<Errand>>,
    /// Takes away the credential of `identity`.
    pub(crate) revoke: Option<Change>,
    /// Turns its clock on by `seconds`.
    pub(crate) clock: Option<OneOrMany<Errand>>,
}

/// A change while it runs.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    /// The file that is rendered anew and put in the place of the old one.
    pub(crate) rewrite: Option<String>,
    /// The signal that its process gets then.
    pub(crate) signal: Option<Notice>,
    /// What is done then.
    #[serde(default)]
    pub(crate) then: OneOrMany<Errand>,
    /// When it must have taken effect.
    #[serde(default)]
    pub(crate) within: Span,
}

/// Signals by which processes are told to look again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Notice {
    /// SIGHUP.
    Hup,
    /// SIGUSR1.
    Usr1,
    /// SIGUSR2.
    Usr2,
}

/// A restart needs nothing said.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Restart {}

/// Where a gateway's own record of decisions is.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuditSource {
    /// A file of JSON lines.
    pub(crate) file: Option<Template>,
    /// A command that prints JSON, or JSON lines.
    #[serde(default)]
    pub(crate) run: Vec<Template>,
    /// Where the records are in what is printed, if it is one document.
    pub(crate) list: Option<String>,
    /// JSON pointers into a record. Scenarios ask for `decision`, `tool`, `identity`, `rule`, `reason`, `id`, `time`,
    /// `policy`, `arguments`, `approver` and `outcome`; what has no pointer is not looked for.
    #[serde(default)]
    pub(crate) fields: IndexMap<String, String>,
    /// Its words for each of ours.
    #[serde(default)]
    pub(crate) words: IndexMap<Recorded, OneOrMany<String>>,
}

/// What a record says was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Recorded {
    /// It was let through.
    Allow,
    /// It was denied.
    Deny,
    /// A limit refused it.
    Limit,
    /// It waits for a decision.
    Pending,
    /// It failed.
    Error,
}

impl Recorded {
    /// The word in profiles and scenarios.
    pub fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Limit => "limit",
            Self::Pending => "pending",
            Self::Error => "error",
        }
    }
}

fn five_seconds() -> Span {
    Span(Duration::from_secs(5))
}
