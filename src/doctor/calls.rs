//! What is to be said of each call that a probe made: where it is wrong, both sides of it and the way to mend it.

use super::chart::Chart;
use super::line::{DRAFTED, Line, Mark};
use super::probes::{FIRST, REST};
use super::rendered::Cabinet;
use super::{beginning, form};
use crate::run::outcome::{CallOutcome, StepOutcome};

/// The calls that should be refused: probe, step, and how people know it.
const REFUSED: [(&str, &str, &str); 4] = [
    ("first", "denied", "denied call"),
    ("first", "unnamed", "call without a rule"),
    ("arguments", "denied", "denied argument"),
    ("hidden", "hidden", "call of a hidden tool"),
];

/// What is to be said where the gateway does its work, and only its words are not known.
const BITES: &str =
    "nothing arrived, so the policy bites; the draft below has a rule for exactly this answer";

/// Everything that is needed to say it.
pub(super) struct Calls<'a> {
    pub(super) chart: &'a Chart,
    pub(super) cabinet: &'a Cabinet<'a>,
    /// The first probe in the era that is spoken.
    pub(super) first: &'a str,
}

impl Calls<'_> {
    /// A line for each.
    pub(super) fn lines(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        lines.extend(self.call("first", "upstream-error").map(|call| self.upstream_error(call)));
        for (probe, step, about) in REFUSED {
            if probe == "hidden" {
                lines.push(self.hidden_list());
            }
            lines.push(match self.call(probe, step) {
                Some(_) if !self.is_refused(probe, step) => self.cannot_be_told(probe, about),
                Some(call) => self.refused(probe, about, call),
                None => Line::new(Mark::Unmeasured, about, self.chart.why_not(self.place(probe))),
            });
        }
        // Where only a list of tools may be called, a name that is not on it is denied: that says nothing of unknown names.
        lines.extend(self.call("unknown", "unknown").or_else(|| self.call("first", "unknown")).map(unknown));
        lines.push(self.over_the_limit());
        lines
    }

    fn place<'a>(&'a self, probe: &'a str) -> &'a str {
        if probe == "first" { self.first } else { probe }
    }

    /// Whether the policy, in the form in which the gateway could be told it, refuses the call of a step at all.
    fn is_refused(&self, probe: &str, step: &str) -> bool {
        let Some(seen) = self.chart.done(self.place(probe)) else { return false };
        match (probe, step) {
            ("first", "unnamed") => form::is_closed(&seen.scenario),
            ("first", "denied") => form::names(&seen.scenario, "destroy_vm"),
            _ => true,
        }
    }

    fn cannot_be_told(&self, probe: &str, about: &str) -> Line {
        let probe = [&FIRST].into_iter().chain(&REST).find(|known| known.name == probe);
        let lacking = probe.and_then(|probe| form::lacks(self.cabinet.profile, &probe.scenario()));
        Line::new(Mark::Unmeasured, about, format!("it cannot express {}", lacking.unwrap_or_default()))
    }

    fn upstream_error(&self, call: &CallOutcome) -> Line {
        let about = "error of a server";
        match (call.reach, call.verdict) {
            (1, "allowed") => Line::new(Mark::Well, about, "handed on as it is"),
            (1, "altered") => beginning::altered(about, "it came back, and was changed on the way", call),
            (1, _) => {
                let step = self.chart.step(self.first, "upstream-error");
                beginning::unlike(about, call, beginning::claimed_by(self.cabinet.profile, step))
            }
            _ => Line::new(Mark::Note, about, "the call did not arrive").sides(call),
        }
    }

    fn call(&self, probe: &str, step: &str) -> Option<&CallOutcome> {
        self.chart.call(self.place(probe), step)
    }

    /// A call that the policy refuses.
    fn refused(&self, probe: &str, about: &str, call: &CallOutcome) -> Line {
        let wrong = |said: &str| Line::new(Mark::Wrong, about, said).sides(call);
        match (call.verdict, call.told) {
            ("denied", "unknown") => Line::new(Mark::Well, about, "blocked, and told as an unknown tool"),
            ("denied" | "unknown_tool", _) => Line::new(Mark::Well, about, "blocked, and told as a denial"),
            ("leaked", _) => wrong("it was refused, and ran all the same")
                .because("an agent that believes the refusal does not know what it has done: this is a defect of the gateway"),
            _ if call.reach > 0 => self.with_policy(wrong("it got through: the policy is not applied"), probe),
            ("rate_limited", _) => wrong("blocked, and read as a limit")
                .because("a `limited` rule of `reads` claims this answer: make it narrower, or put the `denied` rule before it"),
            ("pending" | "held", _) => wrong("blocked, and read as waiting for a decision")
                .because("a `pending` rule of `reads` claims this answer: make it narrower, or put the `denied` rule before it"),
            ("unfounded", _) => wrong("blocked, and told as a success")
                .because(BITES),
            ("unanswered" | "lost", _) => wrong("nothing arrived, and no answer came either")
                .because("an agent waits here until it gives up: see whether the gateway logs why"),
            _ => wrong(&format!("blocked, and no rule of `reads` knows the denial (read as `{}`)", call.told))
                .because(BITES),
        }
    }

    fn with_policy(&self, line: Line, probe: &str) -> Line {
        line.because_all(self.cabinet.policy(probe))
    }

    fn hidden_list(&self) -> Line {
        let about = "hidden tool";
        match self.chart.step("hidden", "list") {
            None => Line::new(Mark::Unmeasured, about, self.chart.why_not("hidden")),
            Some(list) if list.met => Line::new(Mark::Well, about, "not listed"),
            Some(list) => {
                let line =
                    Line::new(Mark::Wrong, about, format!("expected {}, was {}", list.expected, list.was));
                self.with_policy(line, "hidden")
            }
        }
    }

    fn over_the_limit(&self) -> Line {
        let about = "call over the limit";
        let (Some(within), Some(over)) =
            (self.chart.step("limit", "within"), self.chart.step("limit", "over"))
        else {
            return Line::new(Mark::Unmeasured, about, self.chart.why_not("limit"));
        };
        let passed = |step: &StepOutcome| step.calls.iter().filter(|call| call.reach > 0).count();
        let Some(call) = over.calls.first() else {
            return Line::new(Mark::Unmeasured, about, over.was.as_str());
        };
        let wrong = |said: String| Line::new(Mark::Wrong, about, said).sides(call);
        match (passed(within), passed(over), call.verdict) {
            (3, 0, "rate_limited") => Line::new(Mark::Well, about, "blocked after three, and told as a limit"),
            (3, 0, "denied" | "unknown_tool") => wrong("blocked, and read as a denial".to_owned())
                .because("a `denied` rule of `reads` claims this answer: put the `limited` rule of the draft before it"),
            (3, 0, _) => wrong(format!("blocked, and no rule of `reads` knows the limit (read as `{}`)", call.told))
                .because(DRAFTED),
            (3, over, _) => {
                self.with_policy(wrong(format!("{} calls got through a limit of 3", 3 + over)), "limit")
            }
            (few, ..) => {
                let line = wrong(format!("only {few} of 3 calls got through: something else uses the limit up"))
                    .because("two lists were asked for before: perhaps they count (`declares: {counts: messages}`)");
                self.with_policy(line, "limit")
            }
        }
    }
}

/// A call of a tool that nobody has.
fn unknown(call: &CallOutcome) -> Line {
    let about = "unknown tool";
    match (call.verdict, call.told) {
        ("unknown_tool", _) => Line::new(Mark::Well, about, "told as unknown"),
        ("denied", _) => Line::new(
            Mark::Note,
            about,
            "told as a denial: nobody can tell what is denied from what is not there",
        ),
        ("unfounded", _) => Line::new(Mark::Wrong, about, "answered as if it had run").sides(call),
        ("unanswered" | "lost", _) => Line::new(Mark::Wrong, about, "no answer came").sides(call),
        (_, told) => {
            let said = format!("no rule of `reads` knows the answer (read as `{told}`)");
            Line::new(Mark::Wrong, about, said).sides(call).because(DRAFTED)
        }
    }
}
