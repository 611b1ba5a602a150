//! Requirements × gateways: what the reports about several gateways show, before it is drawn.
//!
//! A cell holds every scenario of its row at its gateway, and is as bad as the worst of them. What was only observed,
//! was skipped, or does not apply speaks for nothing: it shows where nothing else is.

use super::human;
use crate::diagnostic::printable_within;
use crate::mock::Mock;
use crate::requirement;
use crate::run::outcome::{GatewayRow, Outcome, ScenarioOutcome, Status, Summary};
use crate::scenario::Severity;
use serde::Serialize;

/// Titles and reasons are cut to this many characters.
const LENGTH: usize = 240;

/// A version is cut to this many characters.
const VERSION: usize = 40;

/// The group of the rows that are attacks.
pub(super) const ATTACKS: &str = "attacks";

/// Requirements × gateways.
#[derive(Clone, Debug)]
pub(super) struct Matrix<'a> {
    /// The gateways, in the order of the run.
    pub(super) columns: Vec<Column<'a>>,
    /// The rows, by group and id.
    pub(super) rows: Vec<Row<'a>>,
}

/// One gateway.
#[derive(Clone, Debug)]
pub(super) struct Column<'a> {
    /// What the outcome says of it.
    pub(super) gateway: &'a GatewayRow,
    /// How its scenarios ended.
    pub(super) summary: Summary,
}

impl Column<'_> {
    /// What is to be said where the release that ran is not the one that the profile was driven with. One that tells no
    /// version, or hands on what the mock behind it says, says nothing about it.
    pub(super) fn strays(&self) -> Option<String> {
        let verified = self.gateway.verified.as_deref()?;
        let mocks: Vec<Mock> = Mock::names().into_iter().filter_map(Mock::named).collect();
        let own = self
            .gateway
            .introduced
            .iter()
            .filter(|one| mocks.iter().all(|mock| mock.introduction() != one.name));
        let said: Vec<&str> = own.map(|one| one.version.as_str()).collect();
        let other = said.iter().find(|version| !version.is_empty())?;
        let so = said.iter().any(|version| version.trim_start_matches('v') == verified);
        (!so).then(|| {
            let (name, other) = (&self.gateway.name, printable_within(other, VERSION));
            format!("{name}: verified with {}, calls itself {other}", printable_within(verified, VERSION))
        })
    }
}

/// A requirement, an attack, or a scenario that names neither.
#[derive(Clone, Debug)]
pub(super) struct Row<'a> {
    /// Its id, printable.
    pub(super) id: String,
    /// Its group, printable.
    pub(super) group: String,
    /// How bad it is if it does not hold.
    pub(super) severity: Severity,
    /// One sentence, printable and bounded.
    pub(super) statement: String,
    /// A cell for each column.
    pub(super) cells: Vec<Cell<'a>>,
}

/// One row at one gateway.
#[derive(Clone, Debug, Default)]
pub(super) struct Cell<'a> {
    /// What came of it, in the order of the plan.
    pub(super) scenarios: Vec<&'a ScenarioOutcome>,
}

/// What a cell shows; the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    Failed,
    Inconclusive,
    Known,
    Passed,
    Observed,
    Skipped,
    NotApplicable,
    /// There is no scenario of that row at that gateway.
    Absent,
}

impl State {
    pub(super) fn of(scenario: &ScenarioOutcome) -> Self {
        match scenario.status {
            Status::Passed => Self::Passed,
            Status::Observed => Self::Observed,
            Status::Failed => Self::Failed,
            Status::Inconclusive => Self::Inconclusive,
            Status::NotApplicable => Self::NotApplicable,
            Status::Skipped => Self::Skipped,
            Status::Known => Self::Known,
        }
    }

    /// The word in reports.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Inconclusive => "inconclusive",
            Self::Known => "known",
            Self::Passed => "passed",
            Self::Observed => "observed",
            Self::Skipped => "skipped",
            Self::NotApplicable => "not applicable",
            Self::Absent => "",
        }
    }
}

impl<'a> Matrix<'a> {
    pub(super) fn of(outcome: &'a Outcome) -> Self {
        let column = |gateway: &'a GatewayRow| {
            let own = outcome.scenarios.iter().filter(|one| one.gateway == gateway.name).cloned();
            Column { gateway, summary: Summary::of(&own.collect::<Vec<_>>()) }
        };
        let mut rows: Vec<Row<'a>> = Vec::new();
        for scenario in &outcome.scenarios {
            let Some(place) = outcome.gateways.iter().position(|one| one.name == scenario.gateway) else {
                continue;
            };
            for heading in Heading::of(scenario) {
                heading.row(&mut rows, scenario, outcome.gateways.len()).cells[place]
                    .scenarios
                    .push(scenario);
            }
        }
        rows.sort_by_key(|row| (rank(&row.group), row.group.clone(), row.id.clone()));
        Self { columns: outcome.gateways.iter().map(column).collect(), rows }
    }

    /// The groups in order, each with its rows.
    pub(super) fn groups(&self) -> Vec<(&str, &[Row<'a>])> {
        self.rows
            .chunk_by(|one, next| one.group == next.group)
            .map(|rows| (rows[0].group.as_str(), rows))
            .collect()
    }

    /// How many of the shipped requirements no scenario of the run is about, and how many there are; nothing where the
    /// run is about none of them.
    pub(super) fn unasked(&self) -> Option<(usize, usize)> {
        let all = requirement::all();
        let asked = all.iter().filter(|one| self.rows.iter().any(|row| row.id == one.id)).count();
        (asked > 0).then(|| (all.len() - asked, all.len()))
    }
}

/// What a scenario counts under.
enum Heading<'a> {
    Requirement(&'a str),
    Attack,
    Scenario,
}

impl<'a> Heading<'a> {
    fn of(scenario: &'a ScenarioOutcome) -> Vec<Self> {
        let mut headings: Vec<Self> =
            scenario.requirements.iter().map(|one| Self::Requirement(one)).collect();
        headings.extend(scenario.attack.as_ref().map(|_| Self::Attack));
        if headings.is_empty() {
            headings.push(Self::Scenario);
        }
        headings
    }

    /// The row, made where there is none yet.
    fn row<'r, 's>(
        &self,
        rows: &'r mut Vec<Row<'s>>,
        scenario: &ScenarioOutcome,
        columns: usize,
    ) -> &'r mut Row<'s> {
        let known = match self {
            Self::Requirement(id) => requirement::named(id),
            Self::Attack | Self::Scenario => None,
        };
        let (id, group) = match self {
            Self::Requirement(id) => (*id, known.map_or(scenario.group.as_str(), |one| &one.group)),
            Self::Attack => (scenario.id.as_str(), ATTACKS),
            Self::Scenario => (scenario.id.as_str(), scenario.group.as_str()),
        };
        let (id, group) = (printable_within(id, LENGTH), printable_within(group, LENGTH));
        let place = rows.iter().position(|row| row.id == id && row.group == group);
        let place = place.unwrap_or_else(|| {
            let statement = known.map_or(scenario.title.as_str(), |one| &one.statement);
            let severity = known.map_or(scenario.severity, |one| one.severity);
            let (statement, cells) = (printable_within(statement, LENGTH), vec![Cell::default(); columns]);
            rows.push(Row { id, group, severity, statement, cells });
            rows.len() - 1
        });
        // A requirement of the user's own is as grave as the gravest of its scenarios.
        if known.is_none() {
            rows[place].severity = rows[place].severity.max(scenario.severity);
        }
        &mut rows[place]
    }
}

/// The order of the groups: that of the requirements, then the attacks, then the user's own.
fn rank(group: &str) -> usize {
    let all = requirement::all();
    let place = all.iter().position(|one| one.group == group);
    place.unwrap_or(all.len() + usize::from(group != ATTACKS))
}

impl Cell<'_> {
    /// The worst of its scenarios.
    pub(super) fn state(&self) -> State {
        self.scenarios.iter().map(|one| State::of(one)).min().unwrap_or(State::Absent)
    }

    /// `1/3` where not all of the scenarios ended in the way that the cell shows; else nothing.
    pub(super) fn share(&self) -> Option<String> {
        let (state, all) = (self.state(), self.scenarios.len());
        let so = self.scenarios.iter().filter(|one| State::of(one) == state).count();
        (so < all).then(|| format!("{so}/{all}"))
    }

    /// Why it is not simply passed, each reason once: printable and bounded.
    pub(super) fn reasons(&self) -> Vec<String> {
        let state = self.state();
        let mut reasons: Vec<String> = Vec::new();
        for scenario in self.scenarios.iter().filter(|one| State::of(one) == state) {
            let reason = match (&scenario.known, state) {
                (_, State::Passed | State::Absent) => continue,
                (Some(known), _) => format!("{} (until {})", known.because, known.until),
                (None, _) => human::reason(scenario),
            };
            let reason = printable_within(&reason, LENGTH);
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        reasons
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::testing::{outcome, scenario};

    #[test]
    fn a_cell_is_as_bad_as_its_worst_scenario_and_says_how_many() {
        use Status::{Failed, Inconclusive, Known, NotApplicable, Passed, Skipped};
        for (ended, state, share) in [
            (&[Passed, Passed][..], State::Passed, None),
            (&[Passed, Failed, NotApplicable], State::Failed, Some("1/3")),
            (&[Inconclusive, Failed, Failed], State::Failed, Some("2/3")),
            (&[Inconclusive, Known], State::Inconclusive, Some("1/2")),
            (&[Passed, Known], State::Known, Some("1/2")),
            (&[Passed, Skipped, NotApplicable], State::Passed, Some("1/3")),
            (&[Skipped, NotApplicable], State::Skipped, Some("1/2")),
            (&[NotApplicable, NotApplicable], State::NotApplicable, None),
        ] {
            let scenarios: Vec<_> =
                ended.iter().map(|status| scenario("DENY-01-a", "acme", *status)).collect();
            let outcome = outcome(&["acme"], scenarios);
            let matrix = Matrix::of(&outcome);
            let cell = &matrix.rows[0].cells[0];
            assert_eq!((cell.state(), cell.share().as_deref()), (state, share), "{ended:?}");
        }
    }

    #[test]
    fn a_release_that_the_profile_was_not_driven_with_is_told() {
        for (verified, said, told) in [
            (None, "1.2.3", None),
            (Some("1.2.3"), "1.2.3", None),
            (Some("1.2.3"), "v1.2.3", None),
            (Some("1.2.3"), "", None),
            (Some("1.2.2"), "1.2.3", Some("acme: verified with 1.2.2, calls itself 1.2.3")),
        ] {
            let mut outcome = outcome(&["acme"], vec![scenario("DENY-01-a", "acme", Status::Passed)]);
            outcome.gateways[0].verified = verified.map(str::to_owned);
            outcome.gateways[0].introduced[0].version = said.to_owned();
            assert_eq!(Matrix::of(&outcome).columns[0].strays().as_deref(), told);
        }
        let mut outcome = outcome(&["acme"], vec![scenario("DENY-01-a", "acme", Status::Passed)]);
        outcome.gateways[0].verified = Some("1".to_owned());
        outcome.gateways[0].introduced[0].name = Mock::ludus().introduction().to_owned();
        assert_eq!(Matrix::of(&outcome).columns[0].strays(), None, "the server's own words");
        outcome.gateways[0].introduced[0].name = "acme".to_owned();
        outcome.gateways[0].introduced[0].version = "9".repeat(500);
        assert!(Matrix::of(&outcome).columns[0].strays().unwrap().chars().count() < 100);
    }

    #[test]
    fn rows_stand_by_group_and_id() {
        let mut attack = scenario("slow-burn", "acme", Status::Passed);
        attack.attack = Some(crate::run::testing::attack());
        let mut own = scenario("mine", "acme", Status::Passed);
        own.group = "zoo".to_owned();
        let mut two = scenario("RATE-02-burst", "acme", Status::Passed);
        two.requirements.push("VIS-01".to_owned());
        let scenarios = vec![own, attack, two, scenario("RATE-01-a", "other", Status::Failed)];
        let outcome = outcome(&["acme", "other"], scenarios);
        let matrix = Matrix::of(&outcome);
        let ids: Vec<(&str, &str)> =
            matrix.rows.iter().map(|row| (row.group.as_str(), row.id.as_str())).collect();
        assert_eq!(
            ids,
            [
                ("visibility", "VIS-01"),
                ("limits", "RATE-01"),
                ("limits", "RATE-02"),
                ("attacks", "slow-burn"),
                ("zoo", "mine")
            ]
        );
        assert_eq!(
            matrix.rows[1].cells.iter().map(Cell::state).collect::<Vec<_>>(),
            [State::Absent, State::Failed]
        );
        assert_eq!(matrix.rows[2].severity, Severity::Critical, "the requirement's own");
        assert_eq!(matrix.unasked(), Some((117, 120)));
        assert_eq!(matrix.columns[1].summary.failed, 1);
    }
}
