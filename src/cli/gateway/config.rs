//! The gateway as a file describes it: checked whole, every mistake at its place.

use super::document::{Behind as BehindText, Channel as ChannelText, Document, Grant as GrantText};
use super::sources::Sources;
use super::upstream::{command_of, mock_of, url_of};
use super::wanted::{
    ANYWHERE, Behind, MIXED, PATIENCE, Standing, Wanted, address, policy, unfit, unreadable,
};
use crate::cli::expand::expand;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::policy::Policy;
use crate::reference::{Channel, Grant};
use crate::source::{self, Node, Placed, Spot, Value};
use indexmap::IndexMap;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What the file asks for; all that is wrong with it, and with the policies it names, otherwise.
pub(super) fn read(
    path: &Path,
    environment: &BTreeMap<String, String>,
    sources: &mut Sources,
) -> Result<Wanted, Vec<Diagnostics>> {
    let file = path.display().to_string();
    let text = sources.read(path).map_err(|error| vec![unreadable(&file, &error)])?;
    let mistaken = |error| vec![Diagnostics::unreadable(&file, &text, error)];
    let node = source::read(&text).map_err(mistaken)?;
    let document: Document = source::typed(&text).map_err(mistaken)?;
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    let (mistakes, elsewhere) = (Vec::new(), Vec::new());
    let mut reader = Reader { node, folder, environment, sources, mistakes, elsewhere };
    let wanted = reader.wanted(&document);
    let Reader { mistakes, mut elsewhere, .. } = reader;
    if !mistakes.is_empty() {
        elsewhere.insert(0, Diagnostics::new(&file, &text, mistakes));
    }
    if elsewhere.is_empty() { Ok(wanted) } else { Err(elsewhere) }
}

fn span(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| format!("`{text}` is no span of time such as `30s`"))
}

struct Reader<'a> {
    node: Node,
    folder: PathBuf,
    environment: &'a BTreeMap<String, String>,
    sources: &'a mut Sources,
    mistakes: Vec<Diagnostic>,
    /// What is wrong with the files of policies.
    elsewhere: Vec<Diagnostics>,
}

impl Reader<'_> {
    fn wanted(&mut self, document: &Document) -> Wanted {
        let patience = document.upstream_timeout.as_ref().map(|text| self.parsed(text, span));
        let listen = document.listen.as_ref().filter(|text| text.value != "stdio");
        let approvals = &document.approvals;
        let standing = Standing {
            listen: listen.and_then(|text| self.address(text)),
            upstreams: document
                .upstreams
                .iter()
                .filter_map(|(name, behind)| self.upstream(name, behind))
                .collect(),
            channel: match approvals.channel {
                ChannelText::Held => Channel::Held,
                ChannelText::Retried => Channel::Retried,
                ChannelText::Elicited => Channel::Elicited,
            },
            decisions: approvals.listen.as_ref().and_then(|text| self.address(text)).unwrap_or(ANYWHERE),
            token: approvals.token.as_ref().map(|token| self.secret(token)),
            audit: document.audit.as_ref().and_then(|audit| self.file(&audit.file)),
            pins: document.pins.as_ref().and_then(|pins| self.file(&pins.file)),
            patience: patience.flatten().unwrap_or(PATIENCE),
        };
        if document.upstreams.is_empty() {
            self.wrong(self.node.key("/upstreams"), "nothing stands behind the gateway");
        }
        if let Some(pins) = document.pins.as_ref().filter(|_| standing.mixes_files()) {
            self.wrong(pins.file.spot, MIXED);
        }
        let grants = document.grants.iter().enumerate();
        let grants: Vec<Grant> = grants.map(|(index, grant)| self.grant(index, &grant.value)).collect();
        self.tell_apart(&grants, document);
        Wanted { standing, grants }
    }

    fn upstream(&mut self, name: &str, behind: &Placed<BehindText>) -> Option<(String, Behind)> {
        if let Some(wrong) = unfit(name) {
            self.wrong(self.node.key("/upstreams").to(behind.spot), wrong);
        }
        let BehindText { mock, url, headers, command, environment } = &behind.value;
        let read = match (mock, url, command) {
            (Some(mock), None, None) => mock_of(&self.text(mock)?, mock.spot),
            (None, Some(url), None) => {
                let headers = self.pairs(headers);
                url_of(self.text(url)?, headers, url.spot)
            }
            (None, None, Some(command)) => {
                let words = command.iter().map(|word| self.text(word)).collect::<Option<_>>()?;
                command_of(words, self.pairs(environment), behind.spot)
            }
            _ => Err(Diagnostic::mistake(
                behind.spot,
                "exactly one of `mock`, `url` and `command` says what it is",
            )),
        };
        let out_of_place =
            [(headers, url.is_some(), "headers"), (environment, command.is_some(), "environment")];
        for (pairs, fits, member) in out_of_place {
            if let Some((_, first)) = pairs.first().filter(|_| !fits) {
                self.wrong(first.spot, format!("`{member}` means nothing here"));
            }
        }
        read.map(|behind| (name.to_owned(), behind)).map_err(|wrong| self.mistakes.push(wrong)).ok()
    }

    fn grant(&mut self, index: usize, grant: &GrantText) -> Grant {
        let identity = self.text(&grant.identity).unwrap_or_default();
        let token = grant.token.as_ref().map(|token| self.secret(token));
        // The document itself knows no places: it is read from the nodes.
        let written = |_| self.node.get("grants")?.list()?.get(index)?.get("policy").cloned();
        let written = grant.policy.as_ref().and_then(written);
        Grant { identity, token, policy: written.and_then(|written| self.policy(&written)) }
    }

    fn policy(&mut self, written: &Node) -> Option<Policy> {
        match &written.value {
            Value::Text(path) => {
                let path = self.text(&Placed { value: path.clone(), spot: written.spot })?;
                policy(&self.folder.join(path), self.sources).map_err(|wrong| self.elsewhere.push(wrong)).ok()
            }
            Value::Map(_) => Policy::from_node(written, &mut self.mistakes),
            _ => {
                let complaint = format!("a policy is a file or a mapping, found {}", written.noun());
                self.wrong(written.spot, complaint);
                None
            }
        }
    }

    /// A token must say of one identity alone whose it is.
    fn tell_apart(&mut self, grants: &[Grant], document: &Document) {
        for (index, grant) in grants.iter().enumerate() {
            let spot = document.grants[index].spot;
            // A token that was not found is no token; that is a mistake already.
            let known = grant.token.as_deref() != Some("");
            if let Some(before) = grants[..index].iter().find(|before| known && before.token == grant.token) {
                let complaint = match &grant.token {
                    Some(_) => format!("`{}` and `{}` have the same token", before.identity, grant.identity),
                    None => format!("`{}` and `{}` have no token", before.identity, grant.identity),
                };
                self.wrong(spot, complaint);
            }
        }
    }

    /// The text with the environment in it; what is missing there is noted.
    fn text(&mut self, text: &Placed<String>) -> Option<String> {
        expand(text, self.environment).map_err(|wrong| self.mistakes.push(wrong)).ok()
    }

    /// A file, seen from the folder of this one.
    fn file(&mut self, text: &Placed<String>) -> Option<PathBuf> {
        self.text(text).map(|file| self.folder.join(file))
    }

    fn secret(&mut self, text: &Placed<String>) -> String {
        let secret = self.text(text);
        if secret.as_deref() == Some("") {
            self.wrong(text.spot, "an empty token protects nothing");
        }
        secret.unwrap_or_default()
    }

    fn pairs(&mut self, pairs: &IndexMap<String, Placed<String>>) -> Vec<(String, String)> {
        pairs.iter().filter_map(|(name, text)| Some((name.clone(), self.text(text)?))).collect()
    }

    fn address(&mut self, text: &Placed<String>) -> Option<SocketAddr> {
        self.parsed(text, address)
    }

    fn parsed<T>(&mut self, text: &Placed<String>, parse: fn(&str) -> Result<T, String>) -> Option<T> {
        let expanded = self.text(text)?;
        parse(&expanded).map_err(|error| self.wrong(text.spot, error)).ok()
    }

    fn wrong(&mut self, spot: Spot, what: impl Into<String>) {
        self.mistakes.push(Diagnostic::mistake(spot, what));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example that stands above the document, and what it names.
    fn example() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let text: String = include_str!("document.rs")
            .lines()
            .filter_map(|line| line.strip_prefix("//! "))
            .map(|line| format!("{line}\n"))
            .collect();
        let yaml = text.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
        std::fs::write(folder.path().join("alice.json"), r#"{"version": "1", "default": "allow"}"#).unwrap();
        let path = folder.path().join("reference.yaml");
        std::fs::write(&path, yaml).unwrap();
        (folder, path)
    }

    #[test]
    fn the_documented_example_is_read() {
        let (folder, path) = example();
        let names = ["FORENSICS_TOKEN", "ALICE_TOKEN", "BOB_TOKEN", "APPROVER_TOKEN"];
        let environment = names.map(|name| (name.to_owned(), name.to_lowercase())).into();
        let mut sources = Sources::default();
        let Wanted { standing, grants } = read(&path, &environment, &mut sources).unwrap();
        assert_eq!(standing.listen.unwrap().to_string(), "127.0.0.1:8080");
        assert_eq!(standing.upstreams.len(), 3);
        let headers = vec![("Authorization".to_owned(), "Bearer forensics_token".to_owned())];
        let url = "http://127.0.0.1:9000/mcp".to_owned();
        assert_eq!(standing.upstreams[1], ("forensics".to_owned(), Behind::Url { url, headers }));
        assert_eq!((standing.channel, standing.token.as_deref()), (Channel::Retried, Some("approver_token")));
        assert_eq!(standing.audit, Some(folder.path().join("audit.jsonl")), "paths are seen from the file");
        assert_eq!(standing.pins, Some(folder.path().join("pins.jsonl")));
        let grants: Vec<_> =
            grants.iter().map(|grant| (grant.identity.as_str(), grant.token.as_deref())).collect();
        assert_eq!(grants, [("alice", Some("alice_token")), ("bob", Some("bob_token"))]);
        assert!(!sources.changed());
        std::fs::write(folder.path().join("alice.json"), "{}").unwrap();
        assert!(sources.changed(), "the policies are watched too");
    }

    #[test]
    fn nobody_may_be_left() {
        let (_folder, path) = example();
        std::fs::write(&path, "upstreams: {lab: {mock: ludus}}\ngrants: []\n").unwrap();
        let wanted = read(&path, &BTreeMap::new(), &mut Sources::default()).unwrap();
        assert_eq!((wanted.grants, wanted.standing.listen), (Vec::new(), None));
    }
}
