//! What a run's transcripts are held against: the snapshots that were stored before.

use super::arguments::Run;
use super::{Exit, Surroundings, say};
use crate::run::Outcome;
use crate::run::outcome::{ScenarioOutcome, Status, StepOutcome};
use crate::snapshot::{Came, Redactions, Section, Standing, StepStory, Store, StoreError, Story, Writing};
use std::path::{Path, PathBuf};

/// Compares, or stores. What is new or changed is written beside as pending, except in continuous integration.
pub(super) fn settle(arguments: &Run, surroundings: &Surroundings, outcome: &Outcome) -> Exit {
    let Some(folder) = folder(arguments) else { return Exit::Clean };
    let store = Store::new(&folder);
    let writing = match (arguments.update, surroundings.is_ci()) {
        (true, _) => Writing::Accepted,
        (false, true) => Writing::Never,
        (false, false) => Writing::Pending,
    };
    match settle_all(&store, outcome, writing) {
        Err(error) => {
            say(&error.to_string());
            Exit::World
        }
        Ok(told) if told.is_empty() || arguments.update => Exit::Clean,
        Ok(told) => {
            for line in &told {
                say(line);
            }
            say(&format!("help: `gauntlet review {}` shows what changed", folder.display()));
            Exit::Unmet
        }
    }
}

/// The folder of the snapshots, if there is to be one.
fn folder(arguments: &Run) -> Option<PathBuf> {
    if let Some(folder) = &arguments.snapshots {
        return Some(folder.clone());
    }
    let first = arguments.paths.first()?;
    let beside =
        if first.is_dir() { first.clone() } else { first.parent().unwrap_or(Path::new(".")).to_owned() };
    let folder = beside.ancestors().map(|folder| folder.join("snapshots")).find(|folder| folder.is_dir());
    folder.or_else(|| arguments.update.then(|| beside.join("snapshots")))
}

/// A line for each snapshot that is not as it was.
fn settle_all(store: &Store, outcome: &Outcome, writing: Writing) -> Result<Vec<String>, StoreError> {
    let mut told = Vec::new();
    let ran: Vec<&ScenarioOutcome> = outcome
        .scenarios
        .iter()
        .filter(|one| matches!(how(one), Status::Passed | Status::Observed | Status::Failed))
        .collect();
    for (place, scenario) in ran.iter().enumerate() {
        let same = |other: &ScenarioOutcome| other.id == scenario.id && other.gateway == scenario.gateway;
        // The eras of one scenario are one story, told where its first stands.
        if ran[..place].iter().any(|other| same(other)) {
            continue;
        }
        let eras: Vec<&ScenarioOutcome> = ran.iter().copied().filter(|other| same(other)).collect();
        let standing = store.settle(&story(&eras), &redactions(&eras), writing)?;
        let name = format!("{} at {}", scenario.id, scenario.gateway);
        match standing {
            Standing::Same => {}
            Standing::New => told.push(format!("{name}: a new snapshot")),
            Standing::Changed(difference) => {
                let summary = difference.summary.join(", ");
                told.push(format!(
                    "{name}: the snapshot changed{}{summary}",
                    if summary.is_empty() { "" } else { ": " }
                ));
            }
        }
    }
    Ok(told)
}

/// How it ended; a known failure has a transcript like any other.
fn how(scenario: &ScenarioOutcome) -> Status {
    scenario.known.as_ref().map_or(scenario.status, |known| known.was)
}

fn story(eras: &[&ScenarioOutcome]) -> Story {
    let section = |scenario: &&ScenarioOutcome| Section {
        label: scenario.revision.clone().unwrap_or_default(),
        steps: scenario.steps.iter().map(step).collect(),
    };
    Story {
        scenario: eras[0].id.clone(),
        file: eras[0].file.clone(),
        gateway: eras[0].gateway.clone(),
        sections: eras.iter().map(section).collect(),
    }
}

fn step(step: &StepOutcome) -> StepStory {
    let verdicts = || step.calls.iter().map(|call| call.verdict.to_owned());
    let came = match step.at_once {
        true => Came::counted(verdicts()),
        false if step.calls.is_empty() => Came::default(),
        false => Came::InOrder(verdicts().collect()),
    };
    let exchanges = if step.at_once { Vec::new() } else { step.exchanges.clone() };
    StepStory { name: step.name.clone(), came, exchanges }
}

fn redactions(eras: &[&ScenarioOutcome]) -> Redactions {
    let mut redactions = Redactions::default();
    for (mark, value) in eras.iter().flat_map(|scenario| &scenario.marks) {
        redactions.learn(*mark, value);
    }
    redactions
}
