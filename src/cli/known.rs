//! The list of known deviations of a run: found, read whole before anything starts, and held against what came.

use super::arguments::Run;
use super::{Exit, Surroundings, files, say};
use crate::diagnostic::Diagnostic;
use crate::embedded;
use crate::known::{self, Came, Day, Deviation, FILE, Known, Seen, Vocabulary};
use crate::run::Contender;
use crate::run::outcome::{Complaint, KnownList, Outcome, Status};
use crate::scenario::Scenario;
use crate::{gateway, requirement};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// What a run could be about, also where `--only` leaves it out.
pub(super) struct Whole {
    /// Every scenario under the paths.
    pub(super) scenarios: Vec<Arc<Scenario>>,
    /// Every gateway.
    pub(super) contenders: Vec<Arc<Contender>>,
}

/// The list, and the day on which it is read.
pub(super) struct Listed {
    known: Known,
    today: Day,
}

/// Reads the list that the user names, or that lies where the scenarios are; `None` where there is none.
pub(super) fn read(
    arguments: &Run,
    whole: &Whole,
    surroundings: &Surroundings,
) -> Result<Option<Listed>, Exit> {
    let Some(path) = arguments.known.clone().or_else(|| beside(&arguments.paths)) else { return Ok(None) };
    let text = std::fs::read_to_string(&path).map_err(|error| {
        say(&format!("`{}` cannot be read: {error}", path.display()));
        Exit::Mistake
    })?;
    let (scenarios, requirements) = (scenarios(arguments, whole, &path), requirements(whole));
    let gateways = gateways(arguments, whole, &path);
    let [scenarios, requirements, gateways] = [&scenarios, &requirements, &gateways]
        .map(|names| names.iter().map(String::as_str).collect::<Vec<_>>());
    let words = Vocabulary { scenarios: &scenarios, requirements: &requirements, gateways: &gateways };
    match known::read(&text, &path.display().to_string(), &words) {
        Ok(known) => Ok(Some(Listed { known, today: Day::at(SystemTime::now()) })),
        Err(mistakes) => {
            files::tell(&mistakes, surroundings);
            Err(Exit::Mistake)
        }
    }
}

/// The list in the folder of the first path, or in one above it: as snapshots are found.
fn beside(paths: &[PathBuf]) -> Option<PathBuf> {
    let first = paths.first()?;
    let folder = if first.is_dir() { first } else { first.parent()? };
    folder.ancestors().map(|folder| folder.join(FILE)).find(|file| file.is_file())
}

/// The scenarios that the list may name; none at all where every path lies below the list: then it is about more than
/// they are, and what it names may be there or not.
fn scenarios(arguments: &Run, whole: &Whole, list: &Path) -> Vec<String> {
    let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let list = real(list);
    let home = list.parent().unwrap_or(Path::new("/"));
    let below = |path: &PathBuf| real(path) != home && real(path).starts_with(home);
    if !arguments.paths.is_empty() && arguments.paths.iter().all(below) {
        return Vec::new();
    }
    let shipped = embedded::scenarios().filter_map(|file| Path::new(file.path).file_stem());
    let own = whole.scenarios.iter().map(|scenario| scenario.id.clone());
    own.chain(shipped.map(|name| name.to_string_lossy().into_owned())).collect()
}

fn requirements(whole: &Whole) -> Vec<String> {
    let own = whole.scenarios.iter().flat_map(|scenario| &scenario.requirements);
    own.map(|one| one.value.clone()).chain(requirement::all().iter().map(|one| one.id.clone())).collect()
}

/// The gateways that the list may name: those of the run, those that ship, and whatever profiles lie beside one that
/// was named or beside the list. Other runs may be about them.
fn gateways(arguments: &Run, whole: &Whole, list: &Path) -> Vec<String> {
    let run = whole.contenders.iter().map(|contender| contender.name.clone());
    let named = arguments.gateways.iter().map(Path::new).filter(|gateway| gateway.is_dir());
    let near = named.filter_map(Path::parent).map(Path::to_owned);
    let near = near.chain(list.parent().map(|home| home.join("gateways")));
    run.chain(gateway::shipped_names().map(str::to_owned))
        .chain(near.flat_map(|folder| files::gateways_in(&folder)))
        .collect()
}

impl Listed {
    /// The entries that excuse a failure today.
    pub(super) fn holding(&self) -> Vec<Deviation> {
        self.known.holding(self.today)
    }

    /// Notes in the outcome which entries no longer hold, and draws them.
    pub(super) fn settle(&self, whole: &Whole, outcome: &mut Outcome, surroundings: &Surroundings) {
        let proved: Vec<(Arc<Scenario>, Vec<String>)> =
            whole.scenarios.iter().map(|scenario| (scenario.clone(), proves(scenario))).collect();
        let mut seen = Vec::new();
        for contender in &whole.contenders {
            for (scenario, requirements) in &proved {
                let (scenario, gateway) = (scenario.id.as_str(), contender.name.as_str());
                let came = came(outcome, scenario, gateway);
                seen.extend(came.into_iter().map(|came| Seen { scenario, requirements, gateway, came }));
            }
        }
        let complaints = self.known.complaints(&seen, self.today);
        if !complaints.list.is_empty() {
            files::tell(&complaints, surroundings);
        }
        let complaints = complaints.list.iter().map(complaint).collect();
        outcome.known = Some(KnownList { file: self.known.file.clone(), complaints });
    }
}

fn proves(scenario: &Scenario) -> Vec<String> {
    scenario.requirements.iter().map(|one| one.value.clone()).collect()
}

/// What came of a scenario at a gateway, era by era; one that was not selected was not run.
fn came(outcome: &Outcome, scenario: &str, gateway: &str) -> Vec<Came> {
    let own = outcome.scenarios.iter().filter(|one| one.id == scenario && one.gateway == gateway);
    let came: Vec<Option<Came>> = own
        .map(|one| match one.status {
            Status::Passed => Some(Came::Passed),
            Status::Failed | Status::Inconclusive | Status::Known => Some(Came::Failed),
            Status::Skipped => Some(Came::NotRun),
            Status::NotApplicable => None,
        })
        .collect();
    if came.is_empty() { vec![Came::NotRun] } else { came.into_iter().flatten().collect() }
}

fn complaint(diagnostic: &Diagnostic) -> Complaint {
    let Diagnostic { spot, message, help, .. } = diagnostic.clone();
    Complaint { line: spot.line, message, help }
}
