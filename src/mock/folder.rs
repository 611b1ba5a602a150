//! A mock out of a folder of the user's: every mistake at once, each with its place.

use super::answer::{Entry, Offered};
use super::assemble::{AssembledOffer, AssembledTool, Part, assemble, escaped};
use super::form::Form;
use super::offer::{Offer, OfferWords};
use super::offers::{Offers, each};
use super::places::unreadable;
use super::spec::{Manner, Mock, Spec};
use super::tool::{Tool, Words};
use crate::source::{self, Spot};
use serde::de::DeserializeOwned;
use serde_json::Value as Plain;
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One thing that is wrong with a mock's files.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}:{}: {message}", file.display(), spot.line)]
pub struct MockError {
    /// The file.
    pub file: PathBuf,
    /// Where in it; line 0 where the whole file is meant.
    pub spot: Spot,
    /// What is wrong, a fragment.
    pub message: String,
}

/// The files of a folder as they were read.
#[derive(Default)]
struct Files {
    folder: PathBuf,
    texts: HashMap<String, String>,
    /// The file in which the words for a thing stand, by its folder and name.
    places: HashMap<(&'static str, String), String>,
    wrong: Vec<MockError>,
}

impl Mock {
    /// The mock in that folder: `catalogue.json`, `server.yaml`, and the files of `world/`, `tools/`, `prompts/` and
    /// `resources/`.
    pub fn from_folder(folder: &Path) -> Result<Self, Vec<MockError>> {
        let mut files = Files { folder: folder.to_owned(), ..Files::default() };
        let parts = files.read();
        let (assembled, wrong) = assemble(parts);
        for wrong in wrong {
            files.complain(&wrong.file, &wrong.pointer, wrong.message);
        }
        let manner = files.typed::<Manner>("server.yaml", "", &assembled.server);
        let tools = assembled.tools.into_iter().filter_map(|tool| files.tool(tool)).collect();
        let offers = each(assembled.offers, |offers, form| {
            offers.into_iter().filter_map(|offer| files.offer(offer, form)).collect()
        });
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let spec = manner.map(|manner| Spec::of(&name, manner, (tools, Offers::of(offers)), assembled.world));
        match spec {
            Some(Ok(spec)) => {
                files.check(&spec);
                if files.wrong.is_empty() { Ok(Self(Arc::new(spec))) } else { Err(files.wrong) }
            }
            Some(Err(wrong)) => {
                files.complain("server.yaml", "/conventions", wrong);
                Err(files.wrong)
            }
            None => Err(files.wrong),
        }
    }
}

impl Files {
    fn read(&mut self) -> Vec<Part> {
        let mut parts = Vec::new();
        for name in ["server.yaml", "catalogue.json", "catalogue.yaml"] {
            if self.folder.join(name).exists() {
                parts.extend(self.part(name.to_owned()));
            }
        }
        for inner in ["world", "tools", "prompts", "resources"] {
            let mut names: Vec<String> = fs::read_dir(self.folder.join(inner))
                .into_iter()
                .flatten()
                .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
                .filter(|name| name.ends_with(".yaml") || name.ends_with(".json"))
                .collect();
            names.sort();
            parts.extend(names.into_iter().filter_map(|name| self.part(format!("{inner}/{name}"))));
        }
        parts
    }

    fn tool(&mut self, tool: AssembledTool) -> Option<Tool> {
        let AssembledTool { name, entry, facts, words, file } = tool;
        let words = self.words::<Entry>(&name, &words, (file, Form::Tool.folder()))?;
        let facts = serde_json::from_value(facts).unwrap_or_default();
        Some(Tool::new(&name, entry.to_string(), facts, Words::Read(Arc::new(words))))
    }

    /// A prompt, resource or template.
    fn offer(&mut self, offer: AssembledOffer, form: Form) -> Option<Arc<Offer>> {
        let AssembledOffer { name, entry, words, file } = offer;
        if let Some(wrong) = entry.get("uriTemplate").and_then(|_| unreadable(&name)) {
            self.complain("catalogue.json", "", format!("`{name}`: {wrong}"));
        }
        let words =
            OfferWords::Read(Arc::new(self.words::<Offered>(&name, &words, (file, form.folder()))?));
        Some(Arc::new(Offer::new(&name, form, entry.to_string(), words)))
    }

    /// The words for one thing of the catalogue, which stand in that file of that folder.
    fn words<T: DeserializeOwned>(
        &mut self,
        name: &str,
        words: &Plain,
        (file, folder): (String, &'static str),
    ) -> Option<T> {
        if words.is_null() {
            self.complain("catalogue.json", "", format!("`{name}` has no entry in any file of `{folder}/`"));
            return None;
        }
        let typed = self.typed(&file, &format!("/{}", escaped(name)), words);
        self.places.insert((folder, name.to_owned()), file);
        typed
    }

    /// What only shows when the answers are compiled.
    fn check(&mut self, spec: &Spec) {
        let tools = spec
            .tools
            .values()
            .map(|tool| (Form::Tool.folder(), &tool.name, tool.script(&spec.convention).err()));
        let offers = spec
            .offers
            .all()
            .map(|offer| (offer.form.folder(), &offer.name, offer.script(&spec.convention).err()));
        for (folder, name, wrong) in tools.chain(offers) {
            if let (Some(file), Some(wrong)) = (self.places.get(&(folder, name.to_string())).cloned(), wrong)
            {
                self.complain(&file, &format!("/{}", escaped(name)), wrong);
            }
        }
        if let Some(name) = spec.offers.undeclared(&spec.manner.capabilities) {
            let wrong = format!(
                "`capabilities` lacks `{name}`, which the catalogue or its words have; add `{name}: {{}}`"
            );
            self.complain("server.yaml", "/capabilities", wrong);
        }
    }

    fn part(&mut self, file: String) -> Option<Part> {
        let text = match fs::read_to_string(self.folder.join(&file)) {
            Ok(text) => text,
            Err(error) => {
                let message = match error.kind() {
                    io::ErrorKind::InvalidData => "is not UTF-8".to_owned(),
                    _ => error.to_string(),
                };
                self.wrong.push(MockError { file: self.folder.join(&file), spot: Spot::default(), message });
                return None;
            }
        };
        let value = source::typed::<Plain>(&text);
        self.texts.insert(file.clone(), text);
        match value {
            Ok(value) => Some((file, value)),
            Err(unreadable) => {
                let (spot, message) = (unreadable.spot, unreadable.message);
                self.wrong.push(MockError { file: self.folder.join(&file), spot, message });
                None
            }
        }
    }

    fn typed<T: DeserializeOwned>(&mut self, file: &str, pointer: &str, value: &Plain) -> Option<T> {
        if value.is_null() {
            return None;
        }
        match serde_json::from_value(value.clone()) {
            Ok(typed) => Some(typed),
            Err(error) => {
                let message = error.to_string();
                let node = self.texts.get(file).and_then(|text| source::read(text).ok());
                let spot = node.map(|node| node.nearest(pointer).blamed(&message)).unwrap_or_default();
                self.wrong.push(MockError { file: self.folder.join(file), spot, message });
                None
            }
        }
    }

    fn complain(&mut self, file: &str, pointer: &str, message: String) {
        let node = self.texts.get(file).and_then(|text| source::read(text).ok());
        let spot = node.map(|node| node.nearest(pointer).spot).unwrap_or_default();
        self.wrong.push(MockError { file: self.folder.join(file), spot, message });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: &str = include_str!("../../mocks/ludus/server.yaml");
    const CATALOGUE: &str = r#"{"tools": [{"name": "a", "risk": "read"}, {"name": "b"}]}"#;

    fn folder(files: &[(&str, &str)]) -> (tempfile::TempDir, Result<Mock, Vec<MockError>>) {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let mock = Mock::from_folder(folder.path());
        (folder, mock)
    }

    #[test]
    fn a_folder_is_a_mock() {
        let tools =
            "a: {description: A., answers: [{give: {x: 1}}]}\nb: {description: B., answers: [{give: {}}]}\n";
        let (_folder, mock) = folder(&[
            ("server.yaml", SERVER),
            ("catalogue.json", CATALOGUE),
            ("tools/all.yaml", tools),
            ("world/w.yaml", "k: [1]\n"),
        ]);
        let mock = mock.unwrap();
        assert_eq!(mock.tools(), ["a", "b"]);
        assert_eq!((mock.risk("a"), mock.risk("b")), (Some("read"), None));
        assert_eq!(mock.entry("a").unwrap()["description"], "A.");
    }

    #[test]
    fn prompts_and_resources_stand_in_folders_of_their_own() {
        let catalogue = r#"{"tools": [], "prompts": [{"name": "p"}, {"name": "q"}], "resources": [{"uri": "a://b"}],
            "resourceTemplates": [{"uriTemplate": "a://{id}"}, {"uriTemplate": "a://{?id}"}]}"#;
        let resources = "a://b: {description: B., answers: [{text: b}]}\na://{id}: {description: I., answers: [{error: no}]}\na://{?id}: {description: Q., answers: [{text: q}]}\n";
        let files = [
            ("server.yaml", SERVER),
            ("catalogue.json", catalogue),
            ("prompts/p.yaml", "p:\n  description: P.\n  answer: []\nr: {description: R., answers: []}\n"),
            ("resources/r.yaml", resources),
        ];
        let (_folder, mock) = folder(&files);
        let told: Vec<String> = mock
            .unwrap_err()
            .into_iter()
            .map(|error| format!("{}: {}", error.spot.line, error.message))
            .collect();
        assert_eq!(
            told,
            [
                "4: `r` is not in the catalogue",
                "3: unknown field `answer`, expected one of `description`, `let`, `answers`, `completes`",
                "1: `q` has no entry in any file of `prompts/`",
                "1: `a://{?id}`: `{?id}` is no place that is known here; use `{name}` or `{+name}`",
                "2: answer 1: `error`: a resource cannot answer so; use one of `give`, `text`, `blob`, `contents`",
            ]
        );
        let sound = "p: {description: P., answers: [{text: hello}]}\nq: {description: Q., answers: [{messages: []}]}\n";
        let resources = "a://b: {description: B., answers: [{text: b}]}\na://{id}: {description: I., answers: [{give: {}}]}\n";
        let (_folder, mock) = folder(&[
            ("server.yaml", SERVER),
            ("catalogue.json", &catalogue.replace(", {\"uriTemplate\": \"a://{?id}\"}", "")),
            ("prompts/p.yaml", sound),
            ("resources/r.yaml", resources),
        ]);
        assert_eq!(mock.unwrap().0.offers.templates.all.len(), 1);
        let completes = "p: {description: P., answers: [{text: hello}], completes: {a: [b]}}\n";
        let (_folder, mock) = folder(&[
            ("server.yaml", SERVER),
            ("catalogue.json", r#"{"tools": [], "prompts": [{"name": "p"}]}"#),
            ("prompts/p.yaml", completes),
        ]);
        let wrong = &mock.unwrap_err()[0];
        assert_eq!(
            wrong.message,
            "`capabilities` lacks `completions`, which the catalogue or its words have; add `completions: {}`"
        );
        assert!(wrong.file.ends_with("server.yaml") && wrong.spot.line > 1);
    }

    #[test]
    fn all_mistakes_are_told_at_once_with_their_places() {
        let tools =
            "a:\n  description: A.\n  answers:\n    - give: \"{{ x\"\nc: {description: C., answers: []}\n";
        let (_folder, mock) = folder(&[
            ("server.yaml", SERVER),
            ("catalogue.json", CATALOGUE),
            ("tools/all.yaml", tools),
            ("world/w.yaml", "- 1\n"),
        ]);
        let told: Vec<String> = mock
            .unwrap_err()
            .into_iter()
            .map(|error| {
                format!(
                    "{}:{} {}",
                    error.file.file_name().unwrap().to_string_lossy(),
                    error.spot.line,
                    error.message
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                "w.yaml:1 is no mapping",
                "all.yaml:5 `c` is not in the catalogue",
                "catalogue.json:1 `b` has no entry in any file of `tools/`",
                "all.yaml:2 answer 1: `give`: `{{` is never closed by `}}`",
            ]
        );
    }
}
