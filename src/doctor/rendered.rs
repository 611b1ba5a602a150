//! The files that a gateway was given for a probe, written once more to a place where a person can read them: the
//! gateway's own folder is gone when the probe ends.

use super::form;
use super::probes::{FIRST, REST};
use crate::diagnostic::printable_lines;
use crate::gateway::{self, CommandLine, Facts, Place, Profile};
use crate::run::{Setting, listed};
use crate::scenario::{IdentityPolicy, PolicyText, Scenario, Upstream};
use std::path::{Path, PathBuf};

/// How much of a file is shown.
const EXCERPT: usize = 1_200;

/// Where rendered files are kept.
pub(super) struct Cabinet<'a> {
    pub(super) profile: &'a Profile,
    pub(super) setting: &'a Setting,
    pub(super) folder: PathBuf,
}

impl Cabinet<'_> {
    /// The lines that lead a person to the policy as this gateway got it for a probe.
    pub(super) fn policy(&self, probe: &str) -> Vec<String> {
        if self.setting.remote.is_some() {
            return vec!["does it run with what `gauntlet render doctor --for ...` prints?".to_owned()];
        }
        let Some(probe) = REST.iter().chain([&FIRST]).find(|known| known.name == probe) else {
            return Vec::new();
        };
        let (scenario, folder) = (form::fitting(probe, self.profile), self.folder.join(probe.name));
        let place = Place {
            folder: folder.clone(),
            gauntlet: self.setting.program.clone(),
            environment: self.setting.environment.clone(),
        };
        let facts = Facts::of(self.profile, inputs(&scenario), &place, (8_080, 8_081));
        let Ok(rendered) = gateway::render(self.profile, facts) else { return Vec::new() };
        let mut lines = Vec::new();
        if let Some(words) = self.started_with(&rendered.facts) {
            lines.push("it was started so".to_owned());
            lines.extend(printable_lines(&words, EXCERPT).lines().map(|line| format!("  | {line}")));
        } else if rendered.files.is_empty() {
            lines.push("the profile has no `files`: nothing tells the gateway what the policy is".to_owned());
        }
        let told = rendered.files.iter().filter(|(key, _)| self.profile.renders(key));
        for (name, text) in told.filter_map(|(_, (name, text))| Some((name, text.as_ref()?))) {
            let path = folder.join(name);
            let kept = write(&path, text).map(|()| path.display().to_string());
            lines.push(format!("it was told this ({})", kept.unwrap_or_else(|_| name.clone())));
            lines.extend(printable_lines(text.trim(), EXCERPT).lines().map(|line| format!("  | {line}")));
        }
        lines
    }

    /// The words of its command, where those say the policy.
    fn started_with(&self, facts: &Facts) -> Option<String> {
        let line = CommandLine::of(self.profile, facts).ok()??;
        self.profile.is_started_with_policy().then(|| line.words.join(" "))
    }
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
    std::fs::write(path, text)
}

/// What the probe's gateway was given, with addresses and tokens that say what they stand for.
pub(super) fn inputs(scenario: &Scenario) -> gateway::Inputs {
    let upstream = |(name, upstream): (&String, &Upstream)| gateway::Upstream {
        name: name.clone(),
        url: format!("http://127.0.0.1:9/{name}"),
        command: vec!["gauntlet".to_owned(), "relay".to_owned(), format!("ADDRESS-OF-{name}")],
        tools: listed(upstream),
    };
    let shared = scenario.policy.as_ref();
    let document = |text: &PolicyText| serde_json::to_value(&text.policy).unwrap_or_default();
    let identity = |(name, identity): (&String, &crate::scenario::Identity)| gateway::Identity {
        name: name.clone(),
        token: format!("TOKEN-OF-{name}"),
        policy: match &identity.policy {
            IdentityPolicy::Shared => shared.map(document),
            IdentityPolicy::None => None,
            IdentityPolicy::Own(text) => Some(document(text)),
        },
    };
    gateway::Inputs {
        upstreams: scenario.upstreams.iter().map(upstream).collect(),
        identities: scenario.identities.iter().map(identity).collect(),
    }
}
