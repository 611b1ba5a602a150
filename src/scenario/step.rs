//! What a scenario does: its steps.

use super::document::Given;
use super::encoding::Encoding;
use super::expect::{Amount, Expect};
use super::pattern::Pattern;
use super::policy::PolicyText;
use super::upstream::Change;
use super::variables::{Unfilled, Variables};
use crate::source::{Placed, Spot};
use crate::wire::{Json, Object};
use indexmap::IndexMap;
use std::fmt;
use std::time::Duration;

/// One step, and what it should come to.
#[derive(Clone, Debug)]
pub struct Step {
    /// Where it stands in the file.
    pub spot: Spot,
    /// What is done.
    pub kind: Kind,
    /// Done only for gateways that declare this.
    pub given: Given,
    /// What it should come to; `None` expects nothing.
    pub expect: Option<Expect>,
    /// Where `expect` stands in the file; the step's own place where there is none.
    pub expect_spot: Spot,
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Calls a tool, once or in a row.
    Call(Box<Call>),
    /// Does several calls and sends at the same time.
    Together(Vec<Step>),
    /// Lets an agent without a model go after a goal.
    Agent(Agent),
    /// Asks for the list of tools.
    List(List),
    /// Changes a mock's list now.
    Change(Change),
    /// Waits for a notification.
    Notice(Notice),
    /// Sends exactly these bytes.
    Send(Box<Send>),
    /// Lets time pass.
    Wait(Wait),
    /// Decides approvals by hand: the step's name, and what becomes of it.
    Decide(Decide),
    /// Brings a pending call to its end.
    Settle(Settle),
    /// Makes an upstream, or the gateway, unreachable.
    Stop(Part),
    /// Brings it back.
    Start(Part),
    /// Stops it and starts it again.
    Restart(Part),
    /// Gives the gateway another policy while it runs.
    Reload(Reload),
    /// Takes an identity's credential away.
    Revoke(String),
    /// Takes a call back that is under way.
    Cancel(Placed<String>),
    /// Somebody accepts the entry of a tool that changed, as it is now.
    Accept(Placed<String>),
    /// Looks into the gateway's own record.
    Records(Records),
}

/// Which records are looked for, once everything is over.
#[derive(Clone, Debug)]
pub struct Records {
    /// What a record says, member by member, in the words of profiles: `decision`, `tool`, `identity`, ...
    pub like: IndexMap<String, Pattern>,
    /// How many of them there should be.
    pub count: Amount,
}

/// Decisions by hand.
#[derive(Clone, Debug)]
pub struct Decide {
    /// The step's name, and what becomes of it.
    pub decisions: Vec<(Placed<String>, Decision)>,
    /// The identity whose credential decides, in the place of the approver's: it must not be able to.
    pub by: Option<Placed<String>>,
}

/// Who speaks, on which connection, and for how long the answer is waited for.
#[derive(Clone, Debug, Default)]
pub struct Voice {
    /// The session; `None` is the scenario's first.
    pub session: Option<Placed<String>>,
    /// Another identity's credential on that session.
    pub by: Option<Placed<String>>,
    /// How long the answer is waited for.
    pub within: Option<Within>,
}

/// How long an answer is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Within {
    /// So long.
    For(Duration),
    /// For as long as the gateway declares that it waits for a server (`gives_up`), and a second more.
    GivesUp,
}

/// A call of a tool. Strings in `with`, `id`, `meta` and `headers` may be templates.
#[derive(Clone, Debug)]
pub struct Call {
    /// The tool.
    pub tool: ToolName,
    /// The arguments, always an object.
    pub with: Json,
    /// The name of the step, for later ones.
    pub name: Option<Placed<String>>,
    /// Who speaks.
    pub voice: Voice,
    /// The request's id, exactly so.
    pub id: Option<Json>,
    /// Members of `_meta`.
    pub meta: Option<Object>,
    /// Further HTTP headers.
    pub headers: Vec<(String, String)>,
    /// Variables, each from a JSON pointer into the result.
    pub save: IndexMap<String, Placed<String>>,
    /// How often, one after the other (for each row of `over`).
    pub times: u32,
    /// Rows of variables: the call is made for each.
    pub over: Over,
    /// What the approver does about it.
    pub approver: Option<Approver>,
    /// Whether its answer is left for the step that settles it: then this one is over once the call has arrived.
    pub later: bool,
    /// The pending step whose approval it takes along.
    pub carrying: Option<Placed<String>>,
}

/// The name of a tool in a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolName {
    /// Where it stands in the file.
    pub spot: Spot,
    /// The upstream, where the scenario says `lab/list_hosts`.
    pub upstream: Option<String>,
    /// The name; a template where it holds `{{`.
    pub name: String,
    /// Whether it goes out exactly so, past the gateway's renaming.
    pub exact: bool,
}

impl fmt::Display for ToolName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.upstream {
            Some(upstream) => write!(out, "{upstream}/{}", self.name),
            None => out.write_str(&self.name),
        }
    }
}

/// A table of variables: columns of the same length, or a template that gives the list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Over(pub IndexMap<String, Column>);

impl Over {
    /// The rows, their templates filled in; without a table, one row without variables.
    pub fn rows(&self, variables: &Variables) -> Result<Vec<IndexMap<String, Json>>, Unfilled> {
        let mut columns = Vec::new();
        for (name, column) in &self.0 {
            columns.push((name, column.values(variables)?));
        }
        let Some(length) = columns.iter().map(|(_, values)| values.len()).min() else {
            return Ok(vec![IndexMap::new()]);
        };
        if let Some((name, values)) = columns.iter().find(|(_, values)| values.len() != length) {
            let why = format!("{} values where another column has {length}", values.len());
            return Err(Unfilled { template: (*name).clone(), why });
        }
        let row = |index: usize| {
            columns.iter().map(|(name, values)| ((*name).clone(), values[index].clone())).collect()
        };
        Ok((0..length).map(row).collect())
    }
}

impl Column {
    fn values(&self, variables: &Variables) -> Result<Vec<Json>, Unfilled> {
        match self {
            Self::Values(values) => values.iter().map(|value| variables.fill(value)).collect(),
            Self::Template(template) => match variables.fill_text(template)? {
                Json::Array(values) => Ok(values),
                other => Err(Unfilled {
                    template: template.clone(),
                    why: format!("a list was expected, not {other}"),
                }),
            },
        }
    }
}

/// The values of one variable.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// These.
    Values(Vec<Json>),
    /// Whatever list the template gives when the step is reached.
    Template(String),
}

/// What the approver does about a call that asks for approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Approver {
    /// The decision; `None` lets it lie.
    pub decision: Option<Decision>,
    /// How long it takes.
    pub after: Option<Duration>,
}

/// A decision about an approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Yes.
    Approve,
    /// No.
    Reject,
}

/// An agent without a model: it makes the calls of its goal, and those that its character adds.
#[derive(Clone, Debug)]
pub struct Agent {
    /// Its character.
    pub persona: Persona,
    /// The calls that it was asked to make, in order.
    pub goal: Vec<Step>,
    /// How many calls it makes, then it gives up.
    pub at_most: u32,
}

/// How an agent without a model takes what it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persona {
    /// Whatever reads like a call, in a description or a result, it makes.
    Naive,
    /// What did not work it tries again at once.
    Impatient,
}

impl Persona {
    /// Every word.
    pub const ALL: [(&str, Self); 2] = [("naive", Self::Naive), ("impatient", Self::Impatient)];

    /// The word in files and reports.
    pub fn word(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, persona)| *persona == self).map_or("", |(word, _)| word)
    }
}

/// A request for the list of tools, all pages of it.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// The name of the step, for later ones.
    pub name: Option<Placed<String>>,
    /// Who speaks.
    pub voice: Voice,
}

/// A notification to wait for.
#[derive(Clone, Debug)]
pub struct Notice {
    /// The whole method, such as `notifications/tools/list_changed`.
    pub method: String,
    /// On whose connection, and for how long.
    pub voice: Voice,
}

/// Bytes to send as they are.
#[derive(Clone, Debug)]
pub struct Send {
    /// The body. A text may be a template.
    pub body: Body,
    /// HTTP headers that replace or join the usual ones; `None` takes one away.
    pub headers: Vec<(String, Option<String>)>,
    /// The HTTP verb.
    pub method: Option<String>,
    /// The path and query instead of the gateway's own.
    pub path: Option<String>,
    /// The id whose answer is waited for, where the bytes do not tell.
    pub id: Option<Json>,
    /// The name of the step, for later ones.
    pub name: Option<Placed<String>>,
    /// Who speaks.
    pub voice: Voice,
    /// Variables, each from a JSON pointer into the reply.
    pub save: IndexMap<String, Placed<String>>,
    /// How often.
    pub times: u32,
    /// Rows of variables: the bytes are sent for each.
    pub over: Over,
}

/// The body of a `send`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// A text, its `{{ }}` filled in; `{{ envelope }}` is what the era wants in `_meta`.
    Text {
        /// The template.
        text: String,
        /// What its bytes are.
        encoding: Encoding,
    },
    /// These bytes.
    Bytes(Vec<u8>),
}

/// Time that passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// That long.
    For(Duration),
    /// Until the next calendar boundary (UTC).
    Until(Boundary),
}

/// A calendar boundary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boundary {
    /// The next full minute.
    Minute,
    /// The next full hour.
    Hour,
    /// Midnight.
    Day,
}

/// A pending call that is brought to its end.
#[derive(Clone, Debug)]
pub struct Settle {
    /// The step that is pending.
    pub step: Placed<String>,
    /// The name of this step, for later ones.
    pub name: Option<Placed<String>>,
    /// Who speaks; the pending call's session and credential unless said otherwise.
    pub voice: Voice,
    /// Variables, each from a JSON pointer into the result.
    pub save: IndexMap<String, Placed<String>>,
}

/// A part of the set-up that can be stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The gateway.
    Gateway,
    /// This upstream.
    Upstream(String),
}

/// Another policy for the running gateway.
#[derive(Clone, Debug)]
pub struct Reload {
    /// The policy; `None` reads the same again.
    pub policy: Option<PolicyText>,
    /// The one identity that it is for; `None` is everyone who shares the scenario's.
    pub identity: Option<Placed<String>>,
}
