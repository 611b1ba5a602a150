//! A profile's text becomes a profile, or a list of all that is wrong with it.

mod approval;

use super::{Errand, OneOrMany, Profile, Start};
use crate::diagnostic::{Diagnostic, Diagnostics, listed};
use crate::gateway::template::{Engine, Template};
use crate::source::{self, Node};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

/// Why a folder gave no profile.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// A file of it.
    #[error("cannot read {path}: {error}")]
    Unreadable {
        /// Its path.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// What stands in it.
    #[error("{}", .0.render(false))]
    Wrong(Diagnostics),
}

impl Profile {
    /// Reads a profile with its templates (by file name) and checks it whole; `file` is its name for complaints.
    pub fn read(file: &str, text: &str, templates: BTreeMap<String, String>) -> Result<Self, Diagnostics> {
        let unreadable = |error| Diagnostics::unreadable(file, text, error);
        let node = source::read(text).map_err(unreadable)?;
        let mut profile: Self = source::typed(text).map_err(unreadable)?;
        profile.hash = super::hash::of(text, &templates);
        profile.templates = templates;
        let mistakes = Check { engine: Engine::new(), node: &node, mistakes: Vec::new() }.whole(&profile);
        if mistakes.is_empty() { Ok(profile) } else { Err(Diagnostics::new(file, text, mistakes)) }
    }

    /// Reads `profile.yaml` and the templates of a folder.
    pub fn from_folder(folder: &Path) -> Result<Self, ProfileError> {
        let path = folder.join("profile.yaml");
        let file = path.display().to_string();
        let unreadable = |error| ProfileError::Unreadable { path: file.clone(), error };
        let text = std::fs::read_to_string(&path).map_err(unreadable)?;
        let templates = templates_of(folder).map_err(unreadable)?;
        Self::read(&file, &text, templates).map_err(ProfileError::Wrong)
    }
}

fn templates_of(folder: &Path) -> std::io::Result<BTreeMap<String, String>> {
    let mut templates = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "j2") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            templates.insert(name, std::fs::read_to_string(&path)?);
        }
    }
    Ok(templates)
}

/// Gathers mistakes; places are JSON pointers into the profile.
struct Check<'a> {
    engine: Engine,
    node: &'a Node,
    mistakes: Vec<Diagnostic>,
}

impl Check<'_> {
    fn whole(mut self, profile: &Profile) -> Vec<Diagnostic> {
        self.connect(profile);
        self.start(profile);
        self.files(profile);
        self.reads(profile);
        self.deeds(profile);
        if let Some(spelling) = &profile.tools {
            self.template("/tools", spelling);
        }
        self.mistakes
    }

    fn connect(&mut self, profile: &Profile) {
        let connect = &profile.connect;
        match (&connect.http, &connect.stdio) {
            (Some(url), None) => self.template("/connect/http", url),
            (None, Some(lines)) => {
                for (name, text) in &lines.environment {
                    self.template(&format!("/connect/stdio/environment/{name}"), text);
                }
            }
            _ => self.wrong("/connect", "exactly one of `http` and `stdio` says where an agent connects"),
        }
        for (name, text) in &connect.headers {
            self.template(&format!("/connect/headers/{name}"), text);
        }
        if connect.stdio.is_some() && !matches!(profile.start, Some(Start::Command(_))) {
            self.wrong(
                "/connect/stdio",
                "an agent on stdio talks to the process of `start.command`, and there is none",
            );
        }
    }

    fn start(&mut self, profile: &Profile) {
        let Some(Start::Command(start)) = &profile.start else { return };
        if start.command.is_empty() {
            self.wrong("/start/command", "names no program");
        }
        for (index, text) in start.command.iter().enumerate() {
            self.template(&format!("/start/command/{index}"), text);
        }
        for (name, text) in &start.environment {
            self.template(&format!("/start/environment/{name}"), text);
        }
        start.cleanup.0.iter().for_each(|cleanup| self.template("/start/cleanup", &cleanup.kill_pid_file));
        match &start.ready {
            Some(ready) if ready.http.is_some() == ready.line.is_some() => {
                self.wrong("/start/ready", "exactly one of `http` and `line` says when it is ready");
            }
            Some(ready) => ready.http.iter().for_each(|url| self.template("/start/ready/http", url)),
            None if profile.connect.http.is_some() => {
                self.wrong(
                    "/start",
                    "a gateway with an address needs `ready`: a sign that it may be spoken to",
                );
            }
            None => {}
        }
    }

    fn files(&mut self, profile: &Profile) {
        for (key, file) in &profile.files {
            let place = format!("/files/{key}/template");
            match profile.templates.get(&file.template) {
                Some(text) => self.template(&place, &Template(text.clone())),
                None => self.wrong(&place, format!("no template `{}` beside the profile", file.template)),
            }
            if file.name.starts_with('/') || file.name.split('/').any(|part| part == "..") {
                let what = format!("`{}` is not within the gateway's folder", file.name);
                self.wrong(&format!("/files/{key}/name"), what);
            }
        }
        let changes = [("reload", &profile.hooks.reload), ("revoke", &profile.hooks.revoke)];
        for (hook, change) in changes.into_iter().filter_map(|(hook, change)| Some((hook, change.as_ref()?)))
        {
            if let Some(file) = change.rewrite.as_ref().filter(|file| !profile.files.contains_key(*file)) {
                let known = listed(profile.files.keys().map(String::as_str));
                self.wrong(&format!("/hooks/{hook}/rewrite"), format!("no file `{file}`; known: {known}"));
            }
        }
    }

    fn reads(&mut self, profile: &Profile) {
        for (index, claim) in profile.reads.iter().enumerate() {
            if claim.condition().is_empty() {
                self.wrong(
                    &format!("/reads/{index}"),
                    "a condition without members would claim every answer",
                );
            }
        }
    }

    fn deeds(&mut self, profile: &Profile) {
        for (index, errand) in profile.prepare.iter().enumerate() {
            self.errand(&format!("/prepare/{index}"), errand);
        }
        self.approval(profile);
        let hooks = &profile.hooks;
        for (hook, change) in [("reload", &hooks.reload), ("revoke", &hooks.revoke)] {
            change.iter().for_each(|change| self.errands(&format!("/hooks/{hook}/then"), &change.then));
        }
        hooks.mint.iter().for_each(|errands| self.errands("/hooks/mint", errands));
        hooks.clock.iter().for_each(|errands| self.errands("/hooks/clock", errands));
    }

    fn errands(&mut self, place: &str, errands: &OneOrMany<Errand>) {
        errands.0.iter().for_each(|errand| self.errand(place, errand));
    }

    fn errand(&mut self, place: &str, errand: &Errand) {
        let deeds = usize::from(!errand.run.is_empty())
            + usize::from(errand.http.is_some())
            + usize::from(errand.read.is_some())
            + usize::from(errand.list.is_some())
            + usize::from(errand.moved.is_some())
            + usize::from(errand.answer.is_some());
        if deeds != 1 {
            self.wrong(place, "exactly one of `run`, `http`, `read`, `list`, `move` and `answer`");
        }
        let moved = errand.moved.iter().flat_map(|moved| [&moved.from, &moved.to]);
        let texts = errand.run.iter().chain(&errand.read).chain(&errand.list).chain(moved);
        texts.for_each(|text| self.template(place, text));
        if let Some(http) = &errand.http {
            let texts = http.headers.values().chain(&http.body).chain([&http.url]);
            texts.for_each(|text| self.template(place, text));
        }
        // One that is itself a template is an expression only later.
        let expressions =
            errand.save.iter().filter(|(_, sought)| !sought.starts_with('/') && !sought.contains("{{"));
        for (name, sought) in expressions {
            if let Err(error) = regex::Regex::new(sought) {
                let why = error.to_string();
                let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ");
                self.wrong(&format!("{place}/save/{name}"), format!("no expression: {why}"));
            }
        }
    }

    fn template(&mut self, place: &str, text: &Template) {
        if let Err(error) = self.engine.check(&text.0) {
            self.wrong(place, format!("no template: {error}"));
        }
    }

    fn wrong(&mut self, place: &str, what: impl Into<String>) {
        self.mistakes.push(self.mistake(place, what));
    }

    fn mistake(&self, place: &str, what: impl Into<String>) -> Diagnostic {
        Diagnostic::mistake(self.node.nearest(place).spot, what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(text: &str) -> String {
        Profile::read("profile.yaml", text, BTreeMap::new()).unwrap_err().render(false)
    }

    #[test]
    fn every_mistake_is_told_at_once_at_its_place() {
        let text = "gateway: g\nconnect: {}\nstart: {command: []}\n\
            files:\n  config: {template: a.j2, name: ../a}\nhooks: {reload: {rewrite: confg}}\n\
            prepare:\n  - {save: {a: '('}}\ntools: '{{ x'\nreads:\n  - denied: {}\n";
        insta::assert_snapshot!(mistakes(text));
    }

    #[test]
    fn an_unknown_member_is_refused() {
        assert!(mistakes("{gateway: g, connect: {http: x}, gatway: y}").contains("gatway"));
        assert!(mistakes("{gateway: g, connect: {http: x}, start: embeded}").contains("embedded"));
    }

    #[test]
    fn an_agent_on_stdio_needs_a_process() {
        assert!(mistakes("{gateway: g, connect: {stdio: {}}}").contains("talks to the process"));
    }
}
