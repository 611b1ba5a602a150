//! What every gateway should do, as the shipped `scenarios/requirements.yaml` says it.
//!
//! It only reads. Which scenario proves a requirement the scenario says, and how a gateway fares a run tells.

use crate::embedded::{SCENARIOS, text};
use crate::scenario::Severity;
use crate::source;
use indexmap::IndexMap;
use serde::Deserialize;
use std::sync::LazyLock;

/// The name of the file, beside the scenarios; it is none itself.
pub const FILE: &str = "requirements.yaml";

/// One thing that every gateway should do.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// Its id, such as `DENY-01`.
    pub id: String,
    /// How bad it is if it does not hold.
    pub severity: Severity,
    /// Where the truth shows.
    pub seen: Vec<Witness>,
    /// What a gateway must offer before it can be asked; empty where nothing is needed.
    pub needs: Vec<Offer>,
    /// One sentence: what holds.
    pub statement: String,
    /// What has to be there before a scenario about it can be written.
    #[serde(default)]
    pub waits: Option<String>,
    /// What of the statement no scenario shows, although some show the rest.
    #[serde(default)]
    pub unseen: Option<String>,
    /// Its group: the key that it stands under.
    #[serde(skip)]
    pub group: String,
}

/// Where the truth shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Witness {
    /// What arrived at the servers.
    Servers,
    /// What the agent was told.
    Agent,
    /// How long it took.
    Time,
    /// The gateway's own record.
    Record,
}

/// What a gateway must offer before it can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Offer {
    /// A policy in its own dialect.
    Policy,
    /// Identities with credentials.
    Identities,
    /// A way to decide approvals.
    Approve,
    /// A way to change the policy while it runs.
    Reload,
    /// A way to be restarted.
    Restart,
    /// A record of its decisions that can be read.
    Record,
    /// A second instance of the same gateway.
    Replica,
    /// A store that can be taken away.
    Store,
}

impl Witness {
    /// The word in the file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Servers => "servers",
            Self::Agent => "agent",
            Self::Time => "time",
            Self::Record => "record",
        }
    }
}

impl Offer {
    /// The word in the file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Identities => "identities",
            Self::Approve => "approve",
            Self::Reload => "reload",
            Self::Restart => "restart",
            Self::Record => "record",
            Self::Replica => "replica",
            Self::Store => "store",
        }
    }
}

/// Every requirement, in the order of the file.
pub fn all() -> &'static [Requirement] {
    static ALL: LazyLock<Vec<Requirement>> = LazyLock::new(|| {
        let shipped = text(SCENARIOS, FILE).expect("the requirements ship");
        read(shipped).unwrap_or_else(|error| panic!("{FILE}:{}: {error}", error.spot.line))
    });
    &ALL
}

/// The requirement of that id.
pub fn named(id: &str) -> Option<&'static Requirement> {
    all().iter().find(|requirement| requirement.id == id)
}

fn read(text: &str) -> Result<Vec<Requirement>, source::Unreadable> {
    let groups: IndexMap<String, Vec<Requirement>> = source::typed(text)?;
    let within = |(group, members): (String, Vec<Requirement>)| {
        members.into_iter().map(move |one| Requirement { group: group.clone(), ..one })
    };
    Ok(groups.into_iter().flat_map(within).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_requirement_has_an_id_of_its_own_and_a_statement() {
        let ids: BTreeSet<&str> = all().iter().map(|one| one.id.as_str()).collect();
        assert_eq!(ids.len(), all().len());
        assert!(all().iter().all(|one| !one.statement.is_empty() && !one.seen.is_empty()));
        let batch = named("DENY-06").unwrap();
        assert_eq!((batch.severity, batch.group.as_str()), (Severity::Critical, "deny"));
        assert_eq!(batch.needs, [Offer::Policy]);
        assert_eq!(named("DENY-99"), None);
    }

    #[test]
    fn whatever_a_shipped_scenario_or_flaw_names_is_there() {
        let scenarios = SCENARIOS.iter().filter(|file| file.path.starts_with("conformance/"));
        for file in scenarios {
            let scenario = crate::scenario::read(file.text, file.path).unwrap();
            for requirement in &scenario.requirements {
                assert!(named(&requirement.value).is_some(), "{}: {}", file.path, requirement.value);
            }
        }
        for flaw in crate::reference::FLAWS {
            assert!(flaw.requirements.iter().all(|id| named(id).is_some()), "{}", flaw.name);
        }
    }

    #[test]
    fn every_requirement_has_a_scenario_or_says_what_it_waits_for() {
        let scenarios = SCENARIOS.iter().filter(|file| file.path.starts_with("conformance/"));
        let read = |file: &crate::embedded::File| crate::scenario::read(file.text, file.path).unwrap();
        let proved: BTreeSet<String> =
            scenarios.flat_map(|file| read(file).requirements).map(|requirement| requirement.value).collect();
        for one in all() {
            assert_ne!(proved.contains(&one.id), one.waits.is_some(), "{}", one.id);
            assert!(one.unseen.is_none() || one.waits.is_none(), "{}: all of it waits", one.id);
        }
    }

    #[test]
    fn what_is_bad_has_a_flaw_that_breaks_it() {
        let broken: BTreeSet<&str> =
            crate::reference::FLAWS.iter().flat_map(|flaw| flaw.requirements.iter().copied()).collect();
        for one in all().iter().filter(|one| one.severity >= Severity::High && one.waits.is_none()) {
            assert!(broken.contains(one.id.as_str()), "no flaw breaks {}", one.id);
        }
    }

    #[test]
    fn a_mistake_is_told_with_its_line() {
        let wrong = "deny:\n  - {id: DENY-01, severity: grave, seen: [agent], needs: [], statement: x}\n";
        let error = read(wrong).unwrap_err();
        assert_eq!(error.spot.line, 2);
        assert!(error.to_string().contains("grave"), "{error}");
    }
}
