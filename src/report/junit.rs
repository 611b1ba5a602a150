//! The outcome as JUnit XML, for continuous integration: a gateway is a suite, a scenario a case.

use super::human;
use crate::diagnostic::printable;
use crate::run::outcome::{Outcome, ScenarioOutcome, Status};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use std::time::Duration;

/// The document. Foreign text in it is printable, and escaped by the library.
pub fn junit(outcome: &Outcome) -> String {
    let mut report = Report::new("gauntlet");
    for gateway in &outcome.gateways {
        let mut suite = TestSuite::new(gateway.name.as_str());
        let of_gateway = outcome.scenarios.iter().filter(|scenario| scenario.gateway == gateway.name);
        suite.add_test_cases(of_gateway.map(entry));
        report.add_test_suite(suite);
    }
    report.to_string().expect("writing to a string does not fail")
}

fn entry(scenario: &ScenarioOutcome) -> TestCase {
    let mut status = match scenario.status {
        Status::Passed => TestCaseStatus::success(),
        Status::Failed => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Status::Inconclusive => TestCaseStatus::non_success(NonSuccessKind::Error),
        Status::NotApplicable | Status::Skipped => TestCaseStatus::skipped(),
    };
    if scenario.status != Status::Passed {
        status.set_message(human::reason(scenario));
        status.set_description(human::story(scenario).join("\n"));
    }
    let mut entry = TestCase::new(printable(&format!("{} {}", scenario.id, scenario.title)), status);
    entry.set_classname(scenario.group.as_str());
    entry.set_time(Duration::from_millis(scenario.elapsed_ms));
    entry
}
