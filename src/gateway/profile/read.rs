//! A profile's text becomes a profile, or a list of all that is wrong with it.

mod approval;

use super::{Errand, FileSpec, OneOrMany, Profile, Start};
use crate::diagnostic::{Diagnostic, Diagnostics, listed};
use crate::gateway::render::FACTS;
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
        Self::opened(folder).map(|(profile, ..)| profile)
    }

    /// The same, and what its templates give is tried too.
    pub fn rehearsed(folder: &Path) -> Result<Self, ProfileError> {
        let (profile, file, text) = Self::opened(folder)?;
        let node = source::read(&text)
            .map_err(|error| ProfileError::Wrong(Diagnostics::unreadable(&file, &text, error)))?;
        let amiss = profile.rehearse().into_iter();
        let mistakes: Vec<_> =
            amiss.map(|(place, what)| Diagnostic::mistake(node.nearest(&place).spot, what)).collect();
        match mistakes.is_empty() {
            true => Ok(profile),
            false => Err(ProfileError::Wrong(Diagnostics::new(&file, &text, mistakes))),
        }
    }

    /// A profile with its file's name and text.
    fn opened(folder: &Path) -> Result<(Self, String, String), ProfileError> {
        let path = folder.join("profile.yaml");
        let file = path.display().to_string();
        let unreadable = |error| ProfileError::Unreadable { path: file.clone(), error };
        let text = std::fs::read_to_string(&path).map_err(unreadable)?;
        let templates = sources(&text, |name| std::fs::read_to_string(folder.join(name)).ok());
        let profile = Self::read(&file, &text, templates).map_err(ProfileError::Wrong)?;
        Ok((profile, file, text))
    }
}

/// The files that a profile's text names, as far as they are there. A text that cannot be read names none: reading it
/// as a profile says why.
pub(in crate::gateway) fn sources(
    text: &str,
    find: impl Fn(&str) -> Option<String>,
) -> BTreeMap<String, String> {
    let Ok(profile) = source::typed::<Profile>(text) else { return BTreeMap::new() };
    let named = profile.files.values().filter_map(FileSpec::source);
    named.filter(|name| is_near(name)).filter_map(|name| Some((name.to_owned(), find(name)?))).collect()
}

/// Whether a name is one beside the profile, or in the folder of another one.
fn is_near(name: &str) -> bool {
    let own = name.strip_prefix("../").unwrap_or(name);
    !own.starts_with('/') && own.split('/').all(|part| !matches!(part, "" | "." | ".."))
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
        self.audit(profile);
        self.verified(profile);
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
            self.source(key, file, &profile.templates);
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

    fn source(&mut self, key: &str, file: &FileSpec, texts: &BTreeMap<String, String>) {
        let (member, name) = match (&file.template, &file.copy) {
            (Some(name), None) => ("template", name),
            (None, Some(name)) => ("copy", name),
            _ => return self.wrong(&format!("/files/{key}"), "exactly one of `template` and `copy`"),
        };
        let place = format!("/files/{key}/{member}");
        match texts.get(name) {
            Some(text) if member == "template" => self.template(&place, &Template(text.clone())),
            Some(_) => {}
            None => self.wrong(&place, format!("no file `{name}` beside the profile")),
        }
    }

    /// What is misspelt here would be found by nobody: where nothing is read, nothing speaks against a gateway.
    fn audit(&mut self, profile: &Profile) {
        let Some(audit) = &profile.audit else { return };
        if audit.file.is_some() != audit.run.is_empty() {
            self.wrong("/audit", "exactly one of `file` and `run` says where the record is");
        }
        for (place, text) in audit.texts() {
            self.template(&place, text);
            for name in self.engine.names(&text.0).iter().filter(|name| !FACTS.contains(&name.as_str())) {
                let spot = self.node.nearest(&place).spot;
                self.mistakes.push(Diagnostic::unknown(spot, "variable", name, FACTS));
            }
        }
    }

    fn verified(&mut self, profile: &Profile) {
        let Some(verified) = &profile.verified else { return };
        let day = regex::Regex::new(r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$").expect("an expression");
        if !day.is_match(&verified.on) {
            self.wrong("/verified/on", format!("`{}` is no day: write it as `2027-01-31`", verified.on));
        }
    }

    fn reads(&mut self, profile: &Profile) {
        for (index, claim) in profile.reads.iter().enumerate() {
            if claim.condition().is_empty() {
                self.wrong(
                    &format!("/reads/{index}"),
                    "a condition without members would claim every answer",
                );
            } else if claim.condition().claims_whatever_is_said() {
                let mistake = self.mistake(
                    &format!("/reads/{index}"),
                    "it claims whatever is said, so that nothing after it is ever read",
                );
                self.mistakes.push(
                    mistake.help("anchor it to the gateway's own words, as in `'^denied by policy: '`"),
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
            files:\n  config: {template: a.j2, name: ../a}\n  other: {name: b}\nhooks: {reload: {rewrite: confg}}\n\
            prepare:\n  - {save: {a: '('}}\ntools: '{{ x'\nreads:\n  - denied: {}\n\
            verified: {version: 1.0.0, on: 31.1.2027}\n";
        insta::assert_snapshot!(mistakes(text));
    }

    #[test]
    fn files_come_from_beside_the_profile_or_from_another_one() {
        let find = |name: &str| Some(format!("text of {name}"));
        let named = |name: &str| {
            let text =
                format!("{{gateway: g, connect: {{http: x}}, files: {{f: {{copy: '{name}', name: f}}}}}}");
            sources(&text, find).into_values().collect::<Vec<_>>()
        };
        assert_eq!(named("gate.py"), ["text of gate.py"]);
        assert_eq!(named("../other/gate.py"), ["text of ../other/gate.py"]);
        for far in ["/etc/passwd", "../../up", "a/../../up", "..", ""] {
            assert!(named(far).is_empty(), "{far}");
        }
        assert!(sources("gateway: [", find).is_empty());
    }

    #[test]
    fn a_record_that_could_not_be_found_is_a_mistake() {
        let audit = |audit: &str| mistakes(&format!("{{gateway: g, connect: {{http: x}}, audit: {audit}}}"));
        let told = audit("{file: '{{ foldr }}/a.jsonl'}");
        assert!(
            told.contains("unknown variable `foldr`") && told.contains("did you mean `folder`?"),
            "{told}"
        );
        assert!(audit("{run: [cat, '{{ flies.a }}']}").contains("did you mean `files`?"));
        for text in ["{}", "{file: a, run: [cat, a]}"] {
            assert!(audit(text).contains("exactly one of `file` and `run`"), "{text}");
        }
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
