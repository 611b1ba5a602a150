//! The list of known deviations of a run: found, read whole before anything starts, and held against what came.

use super::arguments::Run;
use super::vocabulary::{Vocabulary, beside, home_of, is_about_more};
use super::{Exit, Surroundings, files};
use crate::diagnostic::Diagnostic;
use crate::known::{Came, Day, Deviation, Known, Seen};
use crate::run::Contender;
use crate::run::outcome::{Complaint, KnownList, Outcome, Status};
use crate::scenario::Scenario;
use std::path::Path;
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
    let known = vocabulary(arguments, whole, &path).read(&path, surroundings)?;
    Ok(Some(Listed { known, today: Day::at(SystemTime::now()) }))
}

/// What the list may name: all that is run, all that ships, and whatever profiles lie beside a gateway that was named or
/// beside the list. Other runs may be about them.
fn vocabulary(arguments: &Run, whole: &Whole, list: &Path) -> Vocabulary {
    let mut words = Vocabulary::shipped();
    words.scenarios.extend(whole.scenarios.iter().map(|scenario| scenario.id.clone()));
    if is_about_more(list, &arguments.paths) {
        words.scenarios.clear();
    }
    let requirements = whole.scenarios.iter().flat_map(|scenario| &scenario.requirements);
    words.requirements.extend(requirements.map(|one| one.value.clone()));
    words.gateways.extend(whole.contenders.iter().map(|contender| contender.name.clone()));
    let named = arguments.gateways.iter().map(Path::new).filter(|gateway| gateway.is_dir());
    let near = named.filter_map(Path::parent).flat_map(files::gateways_in);
    words.gateways.extend(near);
    words.add_gateways_of(&home_of(list));
    words
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
            Status::Passed | Status::Observed => Some(Came::Passed),
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
