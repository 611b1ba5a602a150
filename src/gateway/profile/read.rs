//! A profile's text becomes a profile, or a list of all that is wrong with it.

use super::{Errand, Profile, Start, Style};
use crate::gateway::template::{Engine, Template};
use std::collections::BTreeMap;
use std::path::Path;

/// What is wrong with a profile, all at once.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the profile {file} cannot be used:\n  {}", mistakes.join("\n  "))]
pub struct ProfileError {
    /// The file, as it was named.
    pub file: String,
    /// Fragments, each with its place.
    pub mistakes: Vec<String>,
}

impl Profile {
    /// Reads a profile with its templates (by file name) and checks it whole.
    pub fn read(text: &str, templates: BTreeMap<String, String>) -> Result<Self, Vec<String>> {
        let options = serde_saphyr::options! { strict_booleans: true };
        let mut profile: Self =
            serde_saphyr::from_str_with_options(text, options).map_err(|error| vec![error.to_string()])?;
        profile.templates = templates;
        let mistakes = Check::default().whole(&profile);
        if mistakes.is_empty() { Ok(profile) } else { Err(mistakes) }
    }

    /// Reads `profile.yaml` and the templates of a folder.
    pub fn from_folder(folder: &Path) -> Result<Self, ProfileError> {
        let path = folder.join("profile.yaml");
        let fail = |mistakes| ProfileError { file: path.display().to_string(), mistakes };
        let text = std::fs::read_to_string(&path).map_err(|error| fail(vec![error.to_string()]))?;
        let templates = templates_of(folder).map_err(|error| fail(vec![error.to_string()]))?;
        Self::read(&text, templates).map_err(fail)
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

/// Gathers mistakes.
struct Check {
    engine: Engine,
    mistakes: Vec<String>,
}

impl Default for Check {
    fn default() -> Self {
        Self { engine: Engine::new(), mistakes: Vec::new() }
    }
}

impl Check {
    fn whole(mut self, profile: &Profile) -> Vec<String> {
        self.connect(profile);
        self.start(profile);
        self.files(profile);
        self.deeds(profile);
        if let Some(spelling) = &profile.tools {
            self.template("tools", spelling);
        }
        self.mistakes
    }

    fn connect(&mut self, profile: &Profile) {
        let connect = &profile.connect;
        match (&connect.http, &connect.stdio) {
            (Some(url), None) => self.template("connect.http", url),
            (None, Some(lines)) => {
                lines.environment.values().for_each(|text| self.template("connect.stdio", text))
            }
            _ => self.wrong("connect: exactly one of `http` and `stdio` says where an agent connects"),
        }
        connect.headers.values().for_each(|text| self.template("connect.headers", text));
        if connect.stdio.is_some() && !matches!(profile.start, Some(Start::Command(_))) {
            self.wrong("connect.stdio: an agent on stdio talks to the process of `start.command`");
        }
    }

    fn start(&mut self, profile: &Profile) {
        let Some(Start::Command(start)) = &profile.start else { return };
        if start.command.is_empty() {
            self.wrong("start.command: names no program");
        }
        start.command.iter().chain(start.environment.values()).for_each(|text| self.template("start", text));
        start.cleanup.0.iter().for_each(|cleanup| self.template("start.cleanup", &cleanup.kill_pid_file));
        match &start.ready {
            Some(ready) if ready.http.is_some() == ready.line.is_some() => {
                self.wrong("start.ready: exactly one of `http` and `line` says when it is ready");
            }
            Some(ready) => ready.http.iter().for_each(|url| self.template("start.ready.http", url)),
            None if profile.connect.http.is_some() => {
                self.wrong("start.ready: a gateway with an address needs a sign that it is ready");
            }
            None => {}
        }
    }

    fn files(&mut self, profile: &Profile) {
        for (key, file) in &profile.files {
            match profile.templates.get(&file.template) {
                Some(text) => {
                    self.template(&format!("files.{key}: {}", file.template), &Template(text.clone()))
                }
                None => {
                    self.wrong(format!("files.{key}: no template `{}` beside the profile", file.template))
                }
            }
            if file.name.starts_with('/') || file.name.split('/').any(|part| part == "..") {
                self.wrong(format!("files.{key}: `{}` is not within the gateway's folder", file.name));
            }
        }
        let changes = [("reload", &profile.hooks.reload), ("revoke", &profile.hooks.revoke)];
        for (hook, change) in changes.into_iter().filter_map(|(hook, change)| Some((hook, change.as_ref()?)))
        {
            if let Some(file) = change.rewrite.as_ref().filter(|file| !profile.files.contains_key(*file)) {
                let known =
                    profile.files.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
                self.wrong(format!("hooks.{hook}.rewrite: no file `{file}`; known: {known}"));
            }
        }
    }

    fn deeds(&mut self, profile: &Profile) {
        profile.prepare.iter().for_each(|errand| self.errand("prepare", errand));
        if let Some(approval) = &profile.approval {
            let asked = matches!(approval.style, Style::Elicitation | Style::InputRequired);
            for (place, errands) in
                [("find", &approval.find), ("approve", &approval.approve), ("reject", &approval.reject)]
            {
                let place = format!("approval.{place}");
                errands.0.iter().for_each(|errand| self.errand(&place, errand));
                if asked && errands.0.iter().any(|errand| errand.answer.is_none()) {
                    self.wrong(format!("{place}: the agent's side decides here, by `answer`"));
                }
            }
        }
        let hooks = &profile.hooks;
        let changes = [&hooks.reload, &hooks.revoke].into_iter().flatten().map(|change| &change.then);
        for errands in changes.chain(&hooks.mint).chain(&hooks.clock) {
            errands.0.iter().for_each(|errand| self.errand("hooks", errand));
        }
    }

    fn errand(&mut self, place: &str, errand: &Errand) {
        let deeds = usize::from(!errand.run.is_empty())
            + usize::from(errand.http.is_some())
            + usize::from(errand.read.is_some())
            + usize::from(errand.answer.is_some());
        if deeds != 1 {
            self.wrong(format!("{place}: exactly one of `run`, `http`, `read` and `answer`"));
        }
        errand.run.iter().chain(&errand.read).for_each(|text| self.template(place, text));
        if let Some(http) = &errand.http {
            let texts = http.headers.values().chain(&http.body).chain([&http.url]);
            texts.for_each(|text| self.template(place, text));
        }
        for (name, sought) in errand.save.iter().filter(|(_, sought)| !sought.starts_with('/')) {
            if let Err(error) = regex::Regex::new(sought) {
                self.wrong(format!("{place}.save.{name}: {error}"));
            }
        }
    }

    fn template(&mut self, place: &str, text: &Template) {
        if let Err(error) = self.engine.check(&text.0) {
            self.wrong(format!("{place}: {error}"));
        }
    }

    fn wrong(&mut self, what: impl Into<String>) {
        self.mistakes.push(what.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(text: &str) -> String {
        Profile::read(text, BTreeMap::new()).unwrap_err().join("\n")
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        insta::assert_snapshot!(mistakes(
            "{gateway: g, connect: {}, start: {command: []}, files: {config: {template: a.j2, name: ../a}}, \
             hooks: {reload: {rewrite: confg}}, prepare: [{save: {a: '('}}], tools: '{{ x'}"
        ), @r"
        connect: exactly one of `http` and `stdio` says where an agent connects
        start.command: names no program
        files.config: no template `a.j2` beside the profile
        files.config: `../a` is not within the gateway's folder
        hooks.reload.rewrite: no file `confg`; known: `config`
        prepare: exactly one of `run`, `http`, `read` and `answer`
        prepare.save.a: regex parse error:
            (
            ^
        error: unclosed group
        tools: syntax error: unexpected end of input, expected end of variable block (in <string>:1)
        ");
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
