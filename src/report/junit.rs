//! The outcome as JUnit XML, for continuous integration: a gateway is a suite, a scenario a case. A known failure is
//! skipped, with the reason: so nothing is red that does not fail the run. Entries of the list of known deviations that
//! no longer hold do fail it, and are a suite of their own.

use super::human;
use crate::diagnostic::printable;
use crate::run::outcome::{Complaint, KnownList, Outcome, ScenarioOutcome, Status};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use std::time::Duration;

/// The document. Foreign text in it is printable, and escaped by the library.
pub fn junit(outcome: &Outcome) -> String {
    let mut report = Report::new("gauntlet");
    for gateway in &outcome.gateways {
        let own: Vec<_> = outcome.scenarios.iter().filter(|one| one.gateway == gateway.name).collect();
        let mut suite = TestSuite::new(printable(&gateway.name));
        suite.add_test_cases(own.iter().map(|scenario| entry(scenario, &name(scenario, &own))));
        suite.set_time(own.iter().map(|scenario| Duration::from_millis(scenario.elapsed_ms)).sum());
        report.add_test_suite(suite);
    }
    if let Some(known) = outcome.known.as_ref().filter(|known| !known.complaints.is_empty()) {
        report.add_test_suite(listed(known));
    }
    report.to_string().expect("writing to a string does not fail")
}

/// A scenario's name among those of its gateway: where it was run in several eras, with the revision.
fn name(scenario: &ScenarioOutcome, others: &[&ScenarioOutcome]) -> String {
    let again = others.iter().filter(|other| other.id == scenario.id).count() > 1;
    let revision = scenario.revision.as_ref().filter(|_| again);
    let revision = revision.map(|revision| format!(" ({revision})")).unwrap_or_default();
    printable(&format!("{}{revision} {}", scenario.id, scenario.title))
}

fn entry(scenario: &ScenarioOutcome, name: &str) -> TestCase {
    let mut status = match scenario.status {
        Status::Passed => TestCaseStatus::success(),
        Status::Failed => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Status::Inconclusive => TestCaseStatus::non_success(NonSuccessKind::Error),
        Status::NotApplicable | Status::Skipped | Status::Known | Status::Observed => {
            TestCaseStatus::skipped()
        }
    };
    if scenario.status != Status::Passed {
        let word = scenario.status.word();
        status.set_message(match (&scenario.known, scenario.status) {
            (Some(known), _) => printable(&format!("{word} until {}: {}", known.until, known.because)),
            (None, Status::NotApplicable | Status::Observed) => {
                format!("{word}: {}", human::reason(scenario))
            }
            (None, _) => human::reason(scenario),
        });
        status.set_description(human::story(scenario).join("\n"));
    }
    let mut entry = TestCase::new(name, status);
    entry.set_classname(printable(&scenario.group));
    entry.set_time(Duration::from_millis(scenario.elapsed_ms));
    entry
}

fn listed(known: &KnownList) -> TestSuite {
    let mut suite = TestSuite::new(printable(&known.file));
    suite.add_test_cases(known.complaints.iter().map(|complaint| no_longer(complaint, &known.file)));
    suite
}

fn no_longer(complaint: &Complaint, file: &str) -> TestCase {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message(printable(&complaint.message));
    let help = complaint.help.as_ref().map(|help| format!("\nhelp: {}", printable(help)));
    status.set_description(format!("{}:{}{}", printable(file), complaint.line, help.unwrap_or_default()));
    let mut entry = TestCase::new(format!("line {}", complaint.line), status);
    entry.set_classname("known deviations");
    entry
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::testing::{HOSTILE, outcome, scenario};

    fn said(case: &TestCase) -> (NonSuccessKind, String) {
        match &case.status {
            TestCaseStatus::NonSuccess { kind, message, .. } => {
                (*kind, message.as_ref().map(|one| one.as_str().to_owned()).unwrap_or_default())
            }
            TestCaseStatus::Skipped { message, .. } => {
                panic!("skipped: {message:?}")
            }
            TestCaseStatus::Success { .. } => panic!("passed"),
        }
    }

    #[test]
    fn each_gateway_is_a_suite_and_a_known_failure_is_skipped() {
        use Status::{Failed, Inconclusive, Known, NotApplicable, Passed, Skipped};
        let ended = [Passed, Failed, Inconclusive, NotApplicable, Skipped, Known];
        let of = |gateway: &'static str| {
            ended
                .iter()
                .enumerate()
                .map(move |(nth, status)| scenario(&format!("DENY-0{nth}-a"), gateway, *status))
        };
        let outcome = outcome(&["acme", "other"], of("acme").chain(of("other")).collect());
        let report = Report::deserialize_from_str(&junit(&outcome)).unwrap();
        let suites: Vec<_> = report.test_suites.iter().map(|suite| suite.name.as_str()).collect();
        assert_eq!(suites, ["acme", "other"]);
        for suite in &report.test_suites {
            assert_eq!((suite.tests, suite.failures, suite.errors), (6, 1, 1));
            let messages: Vec<String> = suite
                .test_cases
                .iter()
                .filter_map(|case| match &case.status {
                    TestCaseStatus::Skipped { message, .. } => Some(message.as_ref()?.as_str().to_owned()),
                    _ => None,
                })
                .collect();
            assert_eq!(
                messages,
                [
                    "not applicable: it has no approvals",
                    "slow (1m, run with --slow)",
                    "known until 2027-03-31: reported to its authors"
                ]
            );
        }
    }

    #[test]
    fn entries_that_no_longer_hold_fail_and_say_why() {
        let mut outcome = outcome(&["acme"], vec![scenario("DENY-01-a", "acme", Status::Passed)]);
        let message = "`DENY-01-a` passes at `acme`, but is listed as known to fail".to_owned();
        let complaints =
            vec![Complaint { line: 3, message: message.clone(), help: Some("remove the entry".to_owned()) }];
        outcome.known = Some(KnownList { file: "known.yaml".to_owned(), complaints });
        let report = Report::deserialize_from_str(&junit(&outcome)).unwrap();
        let [acme, known] = &report.test_suites[..] else { panic!() };
        assert_eq!((acme.failures, known.name.as_str(), known.failures), (0, "known.yaml", 1));
        assert_eq!(said(&known.test_cases[0]), (NonSuccessKind::Failure, message));
    }

    #[test]
    fn the_eras_of_a_scenario_are_told_apart() {
        let mut legacy = scenario("DENY-01-a", "acme", Status::Passed);
        legacy.revision = Some("2025-11-25".to_owned());
        let outcome = outcome(&["acme"], vec![legacy, scenario("DENY-01-a", "acme", Status::Passed)]);
        let report = Report::deserialize_from_str(&junit(&outcome)).unwrap();
        let names: Vec<_> = report.test_suites[0].test_cases.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "DENY-01-a (2025-11-25) the sentence of DENY-01-a",
                "DENY-01-a (2026-07-28) the sentence of DENY-01-a"
            ]
        );
    }

    #[test]
    fn hostile_text_leaves_the_document_well_formed() {
        let mut one = scenario(HOSTILE, HOSTILE, Status::Failed);
        one.title = HOSTILE.to_owned();
        one.group = HOSTILE.to_owned();
        one.steps[1].was = HOSTILE.to_owned();
        let text = junit(&outcome(&[HOSTILE], vec![one]));
        assert!(text.chars().all(|one| one == '\n' || !crate::diagnostic::hides(one)), "{text}");
        let report = Report::deserialize_from_str(&text).unwrap();
        assert_eq!(
            report.test_suites[0].test_cases[0].classname.as_ref().unwrap().as_str(),
            printable(HOSTILE)
        );
    }
}
