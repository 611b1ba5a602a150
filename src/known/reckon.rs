//! What a list of known deviations makes of a run.

use super::{About, Day, Deviation, Known};
use crate::diagnostic::{Diagnostic, Diagnostics};

/// How one scenario went at one gateway. What was not run, or does not apply, is not told here.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The scenario's id.
    pub scenario: &'a str,
    /// The requirements that it proves.
    pub requirements: &'a [&'a str],
    /// The gateway's name.
    pub gateway: &'a str,
    /// Whether it passed.
    pub passed: bool,
}

/// What the list makes of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reckoning {
    /// For each thing seen, in order, why its failure does not fail the run; `None` where nothing excuses it.
    pub excused: Vec<Option<String>>,
    /// The entries that fail the run: past their date, or no longer true. Empty where all of them hold.
    pub complaints: Diagnostics,
}

impl Reckoning {
    /// Whether the run is clean: each failure excused, and nothing to complain of.
    pub fn is_clean(&self, seen: &[Seen<'_>]) -> bool {
        self.complaints.list.is_empty()
            && seen.iter().zip(&self.excused).all(|(seen, excused)| seen.passed || excused.is_some())
    }
}

impl Known {
    /// Reckons with what was seen. An entry about nothing that was seen is left alone: it may hold elsewhere.
    pub fn reckon(&self, seen: &[Seen<'_>], today: Day) -> Reckoning {
        let holds = |deviation: &&Deviation| deviation.until.value >= today;
        let excuse = |seen: &Seen<'_>| {
            let about = |deviation: &&Deviation| !seen.passed && deviation.is_about(seen);
            let found = self.deviations.iter().filter(holds).find(about)?;
            Some(found.because.clone())
        };
        let complaints =
            self.deviations.iter().filter_map(|deviation| deviation.complaint(seen, today)).collect();
        Reckoning {
            excused: seen.iter().map(excuse).collect(),
            complaints: Diagnostics::new(&self.file, &self.text, complaints),
        }
    }
}

impl Deviation {
    /// Whether it is about that scenario at that gateway.
    pub fn is_about(&self, seen: &Seen<'_>) -> bool {
        let named = match &self.about {
            About::Scenario(scenario) => scenario == seen.scenario,
            About::Requirement(requirement) => seen.requirements.contains(&requirement.as_str()),
        };
        named && self.gateway == seen.gateway
    }

    /// Why the entry fails the run. One that passes is told first: its date no longer matters.
    fn complaint(&self, seen: &[Seen<'_>], today: Day) -> Option<Diagnostic> {
        let mut own = seen.iter().filter(|seen| self.is_about(seen)).peekable();
        own.peek()?;
        let (name, gateway) = (self.about.name(), &self.gateway);
        if own.all(|seen| seen.passed) {
            let told = Diagnostic::mistake(
                self.spot,
                format!("`{name}` passes at `{gateway}`, but is listed as known to fail"),
            );
            return Some(told.help("remove the entry"));
        }
        (self.until.value < today).then(|| {
            let until = self.until.value;
            let told = Diagnostic::mistake(
                self.until.spot,
                format!("`{name}` was known to fail at `{gateway}` until {until}, which is past"),
            );
            told.help("look at it again: fix it, or give it a later day")
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

    fn seen(scenario: &'static str, gateway: &'static str, passed: bool) -> Seen<'static> {
        let requirements: &[&str] =
            if scenario.starts_with("RATE") { &["RATE-01", "RATE-02"] } else { &["DENY-01"] };
        Seen { scenario, requirements, gateway, passed }
    }

    fn today() -> Day {
        Day::new(2026, 11, 21).unwrap()
    }

    #[test]
    fn a_known_failure_is_excused_and_no_other_is() {
        let all = [
            seen("DENY-01-a", "acme", false),
            seen("DENY-01-b", "acme", false),
            seen("DENY-01-a", "other", false),
            seen("RATE-01-x", "acme", false),
            seen("RATE-01-y", "acme", true),
        ];
        let reckoning = known("2026-11-21").reckon(&all, today());
        let excused: Vec<_> = reckoning.excused.iter().map(Option::as_deref).collect();
        assert_eq!(excused, [Some("a scenario"), None, None, Some("a requirement"), None]);
        assert_eq!(reckoning.complaints.list, []);
        assert!(!reckoning.is_clean(&all));
        let kept = [all[0], all[3], all[4]];
        assert!(known("2026-11-21").reckon(&kept, today()).is_clean(&kept), "the last day still counts");
    }

    #[test]
    fn a_failure_past_its_day_fails_the_run() {
        let all = [seen("DENY-01-a", "acme", false)];
        let reckoning = known("2026-11-20").reckon(&all, today());
        assert_eq!(reckoning.excused, [None]);
        assert!(!reckoning.is_clean(&all));
        insta::assert_snapshot!(reckoning.complaints.render(false), @r#"
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
            seen("DENY-01-a", "acme", true),
            seen("RATE-01-x", "acme", true),
            seen("RATE-01-y", "acme", true),
        ];
        let reckoning = known("2026-11-20").reckon(&all, today());
        let told: Vec<_> =
            reckoning.complaints.list.iter().map(|complaint| complaint.message.as_str()).collect();
        assert_eq!(
            told,
            [
                "`DENY-01-a` passes at `acme`, but is listed as known to fail",
                "`RATE-01` passes at `acme`, but is listed as known to fail",
            ]
        );
        assert!(!reckoning.is_clean(&all), "although everything passed");
    }

    #[test]
    fn what_was_not_run_is_left_alone() {
        let all = [seen("DENY-01-a", "other", true), seen("DENY-01-b", "acme", true)];
        assert!(known("2020-01-01").reckon(&all, today()).is_clean(&all));
        assert!(Known::default().reckon(&all, today()).is_clean(&all));
    }
}
