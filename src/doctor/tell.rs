//! What is to be said at the end of a visit: a line for each thing, and the draft.

use super::declares::{self, compared};
use super::examine::{Examination, Visit};
use super::line::{Line, Mark};
use super::measure::{self, Beside, Measured};
use super::sample::{samples, successes};
use super::{approvals, beginning, calls, draft};
use crate::declared::Naming;

impl Visit<'_> {
    pub(super) fn not_started(&self, trouble: &str) -> Examination {
        let mut line = Line::of_lines(Mark::Wrong, "start", trouble);
        if trouble.contains("not ready within") {
            line = line.because("it runs, and the sign of `start.ready` never came: does it listen on `{{ port }}`, and does it print or answer what the profile waits for?");
        }
        let line = line.because_all(self.cabinet().policy("first"));
        Examination {
            gateway: self.patient.profile.gateway.clone(),
            lines: vec![line],
            draft: String::new(),
            world: true,
        }
    }

    pub(super) fn told(&self, first: &'static str) -> Examination {
        let (profile, cabinet) = (&self.patient.profile, self.cabinet());
        let mut lines = vec![beginning::list(&self.chart, first, &cabinet)];
        if beginning::opens(&self.chart, first) {
            lines.push(self.names_line());
            lines.push(beginning::allowed(&self.chart, first, &cabinet));
            lines.extend(beginning::unlisted(&self.chart, first).filter(|_| self.lists_first));
        }
        let mut draft = String::new();
        if self.lists_first {
            draft.push_str("connect: {lists_first: true} # beside the members that stand there\n");
        }
        if let Some(tools) = &self.tools {
            draft.push_str(&format!("tools: {}\n", super::rule::quoted(tools)));
        }
        if beginning::gets_through(&self.chart, first) {
            lines.extend(calls::Calls { chart: &self.chart, cabinet: &cabinet, first }.lines());
            lines.extend(approvals::lines(&self.chart, profile, &cabinet));
            let readings = draft::readings(profile, &samples(&self.chart), &successes(&self.chart));
            draft.push_str(&readings.yaml());
            draft.push_str(&self.approval_draft());
            lines.extend(readings.doubts.iter().map(|doubt| Line::new(Mark::Note, "reads", doubt.as_str())));
            let measured = self.measured();
            let compared: Vec<Line> =
                measured.iter().map(|one| compared(&self.chart, &profile.declares, one)).collect();
            if compared.iter().any(|line| matches!(line.mark, Mark::Wrong | Mark::Note)) {
                draft.push_str(&declares::draft(&self.chart, &profile.declares, &measured));
            }
            lines.extend(compared);
        } else {
            lines.push(Line::new(
                Mark::Unmeasured,
                "everything else",
                "mend this first: without an allowed call a denial says nothing",
            ));
        }
        Examination { gateway: profile.gateway.clone(), lines, draft, world: false }
    }

    fn names_line(&self) -> Line {
        let about = "names";
        match (&self.tools, self.naming) {
            (Some(tools), _) => Line::new(
                Mark::Wrong,
                about,
                "the profile makes other names of the tools than the gateway lists",
            )
            .because(format!(
                "what is listed is made by `tools: {}`; all that follows was looked at with that",
                super::rule::quoted(tools)
            )),
            (None, Some(Naming::Kept)) => Line::new(Mark::Well, about, "kept as the servers have them"),
            (None, Some(Naming::WhenNeeded)) => Line::new(
                Mark::Well,
                about,
                "rewritten with several servers, as the profile's `tools` has it",
            ),
            (None, Some(Naming::Rewritten)) => {
                Line::new(Mark::Well, about, "rewritten, as the profile's `tools` has it")
            }
            (None, None) => {
                Line::new(Mark::Unmeasured, about, "no simple template explains the names that are listed")
            }
        }
    }

    fn measured(&self) -> Vec<Measured> {
        let declared = self.patient.profile.declares.eras.is_some();
        let eras = if declared { self.spoken() } else { self.eras_to_speak() };
        let beside = Beside { eras, naming: self.naming, still: self.patient.profile.is_embedded() };
        measure::measure(&self.chart, &beside)
    }

    /// The whole of `approval`, where the agent's own client decides.
    fn approval_draft(&self) -> String {
        let asked =
            self.chart.step("approval", "asked").filter(|_| self.patient.profile.approval_style().is_none());
        match asked.map(approvals::style) {
            Some(style @ "elicitation") => approval(style, "nothing"),
            Some(style @ "input_required") => approval(style, "call"),
            _ => String::new(),
        }
    }
}

fn approval(style: &str, repeat: &str) -> String {
    format!(
        "approval: {{style: {style}, approve: {{answer: {{action: accept, content: {{}}}}}}, reject: {{answer: {{action: decline}}}}, repeat: {repeat}}}\n"
    )
}
