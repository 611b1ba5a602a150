//! What a list of known deviations makes of a run.

use super::{About, Day, Deviation, Known};
use crate::diagnostic::{Diagnostic, Diagnostics};

/// What is to be done about an entry that is past its day.
const LOOK_AGAIN: &str = "look at it again: fix it, or give it a later day";

/// How one scenario went at one gateway. What does not apply is not told here.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The scenario's id.
    pub scenario: &'a str,
    /// The requirements that it proves.
    pub requirements: &'a [String],
    /// The gateway's name.
    pub gateway: &'a str,
    /// What came of it.
    pub came: Came,
}

/// What came of a scenario, as far as the list is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// It passed.
    Passed,
    /// It did not, for whatever reason.
    Failed,
    /// It could have been run, and was not.
    NotRun,
}

impl Known {
    /// The entries that are not past their day.
    pub fn holding(&self, today: Day) -> Vec<Deviation> {
        self.deviations.iter().filter(|deviation| deviation.until.value >= today).cloned().collect()
    }

    /// The entries that fail the run: past their day, or no longer true. One about nothing that was seen is left
    /// alone: it may hold elsewhere.
    pub fn complaints(&self, seen: &[Seen<'_>], today: Day) -> Diagnostics {
        let complaint = |deviation: &Deviation| deviation.complaint(seen, today);
        Diagnostics::new(&self.file, &self.text, self.deviations.iter().filter_map(complaint).collect())
    }

    /// A warning for each entry that is past its day: whether what it is about still fails, only a run shows.
    pub fn past(&self, today: Day) -> Diagnostics {
        let past = self.deviations.iter().filter(|deviation| deviation.until.value < today);
        let warning = |deviation: &Deviation| {
            let (name, until) = (deviation.about.name(), deviation.until.value);
            let told = format!("`{name}` is known to fail until {until}, which is past");
            Diagnostic::warning(deviation.until.spot, told).help(LOOK_AGAIN)
        };
        Diagnostics::new(&self.file, &self.text, past.map(warning).collect())
    }
}

impl Deviation {
    /// Whether it is about that scenario, which proves those requirements, at that gateway.
    pub fn is_about(&self, scenario: &str, requirements: &[String], gateway: &str) -> bool {
        let named = match &self.about {
            About::Scenario(own) => own == scenario,
            About::Requirement(own) => requirements.contains(own),
        };
        named && self.gateway == gateway
    }

    /// Why the entry fails the run. One that passes is told first: its day no longer matters.
    fn complaint(&self, seen: &[Seen<'_>], today: Day) -> Option<Diagnostic> {
        let own = seen.iter().filter(|seen| self.is_about(seen.scenario, seen.requirements, seen.gateway));
        let came: Vec<Came> = own.map(|seen| seen.came).collect();
        let (name, gateway) = (self.about.name(), &self.gateway);
        if came.contains(&Came::Failed) {
            return (self.until.value < today).then(|| {
                let until = self.until.value;
                let told = Diagnostic::mistake(
                    self.until.spot,
                    format!("`{name}` was known to fail at `{gateway}` until {until}, which is past"),
                );
                told.help(LOOK_AGAIN)
            });
        }
        // One scenario of a requirement that was left out may be the one that fails.
        (!came.is_empty() && !came.contains(&Came::NotRun)).then(|| {
            let told = format!("`{name}` passes at `{gateway}`, but is listed as known to fail");
            Diagnostic::mistake(self.spot, told).help("remove the entry")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Vocabulary, read};
    use super::*;

    fn known(until: &str) -> Known {
        let text = format!(
            "- {{scenario: DENY-01-a, gateway: acme, because: a scenario, until: {until}}}\n- {{requirement: RATE-01, gateway: acme, because: a requirement, until: {until}}}\n"
        );
        read(&text, "known.yaml", &Vocabulary::default()).unwrap()
    }

    fn requirements(scenario: &str) -> Vec<String> {
        let ids: &[&str] = if scenario.starts_with("RATE") { &["RATE-01", "RATE-02"] } else { &["DENY-01"] };
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    fn complaints(until: &str, seen: &[(&str, &str, Came)]) -> Diagnostics {
        let proved: Vec<Vec<String>> = seen.iter().map(|(scenario, ..)| requirements(scenario)).collect();
        let seen: Vec<Seen<'_>> = seen
            .iter()
            .zip(&proved)
            .map(|((scenario, gateway, came), requirements)| Seen {
                scenario,
                requirements,
                gateway,
                came: *came,
            })
            .collect();
        known(until).complaints(&seen, today())
    }

    fn told(diagnostics: &Diagnostics) -> Vec<&str> {
        diagnostics.list.iter().map(|complaint| complaint.message.as_str()).collect()
    }

    fn today() -> Day {
        Day::new(2026, 11, 21).unwrap()
    }

    #[test]
    fn a_known_failure_is_excused_and_no_other_is() {
        let holding = known("2026-11-21").holding(today());
        assert_eq!(holding.len(), 2, "the last day still counts");
        assert_eq!(known("2026-11-20").holding(today()), []);
        let excuse = |scenario: &str, gateway: &str| {
            let about = |one: &&Deviation| one.is_about(scenario, &requirements(scenario), gateway);
            holding.iter().find(about).map(|one| one.because.clone())
        };
        assert_eq!(excuse("DENY-01-a", "acme").as_deref(), Some("a scenario"));
        assert_eq!(excuse("DENY-01-b", "acme"), None);
        assert_eq!(excuse("DENY-01-a", "other"), None);
        assert_eq!(excuse("RATE-01-x", "acme").as_deref(), Some("a requirement"));
        let all = [("DENY-01-a", "acme", Came::Failed), ("RATE-01-x", "acme", Came::Failed)];
        assert_eq!(complaints("2026-11-21", &all).list, []);
    }

    #[test]
    fn a_failure_past_its_day_fails_the_run() {
        let told = complaints("2026-11-20", &[("DENY-01-a", "acme", Came::Failed)]);
        insta::assert_snapshot!(told.render(false), @r#"
        error: `DENY-01-a` was known to fail at `acme` until 2026-11-20, which is past
         --> known.yaml:1:68
          |
        1 | - {scenario: DENY-01-a, gateway: acme, because: a scenario, until: 2026-11-20}
          |                                                                    ^^^^^^^^^^
          |
          = help: look at it again: fix it, or give it a later day
        "#);
    }

    #[test]
    fn what_passes_must_leave_the_list() {
        let all = [
            ("DENY-01-a", "acme", Came::Passed),
            ("RATE-01-x", "acme", Came::Passed),
            ("RATE-01-y", "acme", Came::Passed),
        ];
        for until in ["2026-11-20", "2027-11-20"] {
            assert_eq!(
                told(&complaints(until, &all)),
                [
                    "`DENY-01-a` passes at `acme`, but is listed as known to fail",
                    "`RATE-01` passes at `acme`, but is listed as known to fail",
                ]
            );
        }
    }

    #[test]
    fn what_was_not_run_is_left_alone() {
        let elsewhere = [("DENY-01-a", "other", Came::Passed), ("DENY-01-b", "acme", Came::Passed)];
        assert_eq!(complaints("2020-01-01", &elsewhere).list, []);
        let partly = [("RATE-01-x", "acme", Came::Passed), ("RATE-01-y", "acme", Came::NotRun)];
        assert_eq!(complaints("2027-01-01", &partly).list, [], "the one left out may be the one that fails");
        assert_eq!(complaints("2020-01-01", &[]).list, []);
    }
}
