//! What a profile says, read from YAML and checked whole. It starts nothing and renders nothing.

mod hash;
mod launch;
mod one_or_many;
mod parts;
mod read;
mod remote;

pub use launch::Start;
pub(super) use launch::{Cleanup, Ready, StartCommand};
pub(super) use one_or_many::OneOrMany;
pub(super) use parts::{
    Approval, AuditSource, Change, Connect, Errand, FileSpec, Hooks, HttpErrand, Move, Notice,
};
pub use parts::{Isolate, Mode, Reach, Recorded, Style, Verified};
pub use read::ProfileError;
pub(super) use read::sources;

use super::reads::Claim;
use super::running::FULL;
use super::template::Template;
use crate::declared::Declared;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// All that is known of one gateway.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Its name.
    pub gateway: String,
    /// One line about it.
    #[serde(default)]
    pub about: String,
    /// How a person installs it; told when its command is missing, never run.
    pub install: Option<String>,
    /// The release that this profile was driven with; absent where nobody has.
    pub verified: Option<Verified>,
    /// What it can stand in front of, best first.
    #[serde(default)]
    pub upstream: Vec<Reach>,
    /// What runs once in the fresh folder, before the files are written.
    #[serde(default)]
    pub(super) prepare: Vec<Errand>,
    /// How it is started; absent for one that runs already, or that is no process.
    pub start: Option<Start>,
    /// What is rendered for it; the first one holds the policy.
    #[serde(default)]
    pub(super) files: IndexMap<String, FileSpec>,
    /// Where an agent connects.
    pub(super) connect: Connect,
    /// How it renames a tool; absent where names are kept.
    pub(super) tools: Option<Template>,
    /// What its answers mean; the first that matches wins.
    #[serde(default)]
    pub(super) reads: Vec<Claim>,
    /// How its approvals are decided; absent where it has none.
    pub(super) approval: Option<Approval>,
    /// What else can be done to it while it runs.
    #[serde(default)]
    pub(super) hooks: Hooks,
    /// What it says of itself.
    #[serde(default)]
    pub declares: Declared,
    /// Where its own record of decisions is.
    pub(super) audit: Option<AuditSource>,
    /// What may share one start.
    #[serde(default)]
    pub isolate: Isolate,
    /// The texts of the files that `files` are made from, by the names that it calls them.
    #[serde(skip)]
    pub(super) templates: BTreeMap<String, String>,
    /// The profile's text with those, as the first 12 digits of a SHA-256: what changes when it is changed.
    #[serde(skip)]
    pub hash: String,
}

impl Profile {
    /// How its approvals are put, if it has any.
    pub fn approval_style(&self) -> Option<Style> {
        self.approval.as_ref().map(|approval| approval.style)
    }

    /// In which ways the agent's client offers that its user may be asked: only where approvals need it.
    pub fn offers(&self) -> &[Mode] {
        let Some(approval) = &self.approval else { return &[] };
        match (&approval.offers, approval.style) {
            (Some(offers), _) => offers,
            (None, Style::Elicitation | Style::InputRequired) => &[Mode::Form],
            (None, Style::Url) => &[Mode::Url],
            (None, Style::Retry | Style::Held) => &[],
        }
    }

    /// Whether its approver's side tells held calls apart, so that one shows before anything is answered.
    pub fn shows_what_waits(&self) -> bool {
        let Some(approval) = &self.approval else { return false };
        approval.find.0.iter().any(|errand| errand.id.is_some() || errand.save.contains_key("approval"))
    }

    /// Whether it says by a notification when a call may be repeated; within which time.
    pub fn announces(&self) -> Option<Duration> {
        let approval = self.approval.as_ref().filter(|approval| approval.announces)?;
        Some(approval.within.0)
    }

    /// The same gateway, its tools called by another template: for who tries a draft.
    pub fn renaming(mut self, template: &str) -> Self {
        self.tools = Some(Template(template.to_owned()));
        self
    }

    /// The command that starts it, where that is one to be found outside of this program.
    pub fn program(&self) -> Option<&str> {
        match &self.start {
            Some(Start::Command(start)) => {
                start.command.first().map(|word| word.0.as_str()).filter(|word| !word.contains("{{"))
            }
            _ => None,
        }
    }

    /// Whether it is told anything in files.
    pub fn has_files(&self) -> bool {
        !self.files.is_empty()
    }

    /// Whether that file of its is rendered, rather than taken as it is.
    pub fn renders(&self, file: &str) -> bool {
        self.files.get(file).is_some_and(|file| file.template.is_some())
    }

    /// Whether somebody else runs it.
    pub fn runs_elsewhere(&self) -> bool {
        self.start.is_none() && self.has_files()
    }

    /// Whether it lives in the harness itself.
    pub fn is_embedded(&self) -> bool {
        matches!(self.start, Some(Start::Embedded))
    }

    /// Whether a policy can be changed while it runs.
    pub fn reloads(&self) -> bool {
        self.hooks.reload.is_some()
    }

    /// Whether it can be restarted within a run.
    pub fn restarts(&self) -> bool {
        self.hooks.restart.is_some()
    }

    /// Whether one identity's credential can be taken away while it runs.
    pub fn revokes(&self) -> bool {
        self.hooks.revoke.is_some()
    }

    /// Whether its clock can be turned.
    pub fn turns(&self) -> bool {
        self.hooks.clock.is_some()
    }

    /// Whether its own record of decisions can be read.
    pub fn records(&self) -> bool {
        self.audit.is_some()
    }

    /// Whether its own record is in a file, and there is a device to stand for it that takes nothing.
    pub fn records_in_a_file(&self) -> bool {
        self.audit.as_ref().is_some_and(|source| source.file.is_some()) && std::path::Path::new(FULL).exists()
    }

    /// Where its own record is, as the profile says it.
    pub fn record_place(&self) -> String {
        self.audit.as_ref().map(AuditSource::place).unwrap_or_default()
    }

    /// Whether its records have that member.
    pub fn records_field(&self, name: &str) -> bool {
        self.audit.as_ref().is_some_and(|source| source.fields.contains_key(name))
    }

    /// Whether what is pending is looked for in a list, rather than told in the answer.
    pub fn searches_for_approvals(&self) -> bool {
        self.approval.as_ref().is_some_and(|approval| !approval.find.0.is_empty())
    }

    /// How long it may take until it can be spoken to.
    pub fn ready_within(&self) -> Duration {
        let ready = match &self.start {
            Some(Start::Command(start)) => start.ready.as_ref().map(|ready| ready.within.0),
            _ => None,
        };
        ready.unwrap_or(Duration::from_secs(30))
    }

    /// Whether its policy is a file, which can be broken: others are given theirs in words.
    pub fn reads_its_policy(&self) -> bool {
        self.is_embedded() || self.has_files()
    }

    /// Whether each session lists the tools before anything else.
    pub fn lists_first(&self) -> bool {
        self.connect.lists_first
    }

    /// The same gateway, its tools listed first in each session: for who tries a draft.
    pub fn listing_first(mut self) -> Self {
        self.connect.lists_first = true;
        self
    }

    /// Whether an agent talks to a process of its own on stdio, rather than to an address.
    pub fn speaks_lines(&self) -> bool {
        self.connect.stdio.is_some()
    }
}
