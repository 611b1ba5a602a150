//! Reading: from the text of a file to a scenario, or to all that is wrong with it at once.
//!
//! Each function takes a node and complains into a list; it gives back what could be read, so that one mistake hides
//! no other. Whether names exist is not asked here: that is the check's.

mod call;
mod carried;
mod expect;
mod members;
mod pattern;
mod people;
mod policy;
mod step;
mod upstream;
mod value;

use super::document::{Scenario, Severity};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{self, Node};
use members::Members;
use value::{flag, names, text, texts, word};

pub(super) use call::GIVES_UP;

/// What can be the matter with the gateway's own record, and whether nothing can be written to it.
pub(super) const AUDITS: [(&str, bool); 1] = [("full", true)];

pub(super) use pattern::CONDITIONS;
pub(super) use people::ERAS;
pub(super) use policy::SPOILS;
pub(super) use upstream::ENTRY;

/// Complaints so far.
type Told = Vec<Diagnostic>;

/// Reads the text of a scenario file. The file is named as it should be shown to people.
pub fn read(text: &str, file: &str) -> Result<Scenario, Diagnostics> {
    let root = source::read(text).map_err(|error| Diagnostics::unreadable(file, text, error))?;
    let mut told = Told::new();
    let scenario = document(&root, &mut told);
    match scenario {
        Some(scenario) if told.is_empty() => {
            let id = file.rsplit(['/', '\\']).next().unwrap_or(file);
            let id = id.strip_suffix(".yaml").or_else(|| id.strip_suffix(".yml")).unwrap_or(id);
            Ok(Scenario { id: id.to_owned(), file: file.to_owned(), text: text.into(), ..scenario })
        }
        _ => Err(Diagnostics::new(file, text, told)),
    }
}

fn document(node: &Node, told: &mut Told) -> Option<Scenario> {
    let mut members = Members::of(node, "a scenario", told)?;
    let title = members.need("scenario", told).and_then(|node| text(node, told));
    let identities = people::identities(members.take("identities"), told);
    let sessions = people::sessions(members.take("sessions"), &identities, told);
    let severities = Severity::ALL;
    let scenario = Scenario {
        id: String::new(),
        file: String::new(),
        text: "".into(),
        title: title.unwrap_or_default(),
        requirements: members.take("requirement").map(|node| names(node, told)).unwrap_or_default(),
        attack: members.take("attack").and_then(|node| people::attack(node, told)),
        severity: members
            .take("severity")
            .and_then(|node| word(node, "severity", &severities, told))
            .unwrap_or_default(),
        why: members.take("why").and_then(|node| text(node, told)),
        spec: members.take("spec").and_then(|node| text(node, told)),
        tags: members.take("tags").map(|node| texts(node, told)).unwrap_or_default(),
        era: members.take("era").and_then(|node| people::era(node, told)).unwrap_or_default(),
        given: people::given(members.take("given"), told),
        observe: members.take("observe").and_then(|node| flag(node, told)).unwrap_or(false),
        upstreams: members.take("upstreams").map(|node| upstream::upstreams(node, told)).unwrap_or_default(),
        decoys: members.take("decoys").map(|node| names(node, told)).unwrap_or_default(),
        identities,
        sessions,
        policy: members.take("policy").and_then(|node| policy::policy(node, told)),
        audit_is_full: members
            .take("audit")
            .and_then(|node| word(node, "state of the gateway's record", &AUDITS, told))
            .unwrap_or(false),
        canaries: members.take("canaries").map(|node| people::canaries(node, told)).unwrap_or_default(),
        steps: members.need("steps", told).map(|node| step::steps(node, told)).unwrap_or_default(),
    };
    members.end(told);
    Some(scenario)
}
