//! What is to be said of approvals: whether a call waits, how that is put, and whether a decision reaches it.

use super::answer::Answer;
use super::chart::Chart;
use super::line::{DRAFTED, Line, Mark};
use super::rendered::Cabinet;
use crate::gateway::Profile;
use crate::run::outcome::{CallOutcome, StepOutcome};

/// A line for the call that waits, and one for the decision.
pub(super) fn lines(chart: &Chart, profile: &Profile, cabinet: &Cabinet<'_>) -> Vec<Line> {
    let about = "approval";
    let Some(asked) = chart.step("approval", "asked") else {
        return vec![Line::new(Mark::Unmeasured, about, chart.why_not("approval"))];
    };
    let Some(call) = asked.calls.first() else {
        return vec![Line::new(Mark::Wrong, about, asked.was.as_str())];
    };
    if call.reach > 0 {
        let line = Line::new(Mark::Wrong, about, "the call ran before anybody had decided").sides(call);
        let line = match profile.approval_style() {
            None => line.because(
                "what the gateway cannot ask for, the template must say: {{ cannot(\"approvals\") }}",
            ),
            Some(_) => line,
        };
        return vec![line.because_all(cabinet.policy("approval"))];
    }
    match profile.approval_style() {
        None => vec![undescribed(asked, call)],
        Some(_) => {
            let waits = waits(call);
            let decision = match waits.mark {
                Mark::Wrong => {
                    Line::new(Mark::Unmeasured, "decision", "first it has to be known that a call waits")
                }
                _ => decision(chart),
            };
            vec![waits, decision]
        }
    }
}

/// A gateway that asks, and a profile that does not say how one answers.
fn undescribed(asked: &StepOutcome, call: &CallOutcome) -> Line {
    let style = style(asked);
    let said = format!(
        "the profile says nothing of approvals; the call did not run, and looks like style `{style}`"
    );
    let line = Line::new(Mark::Note, "approval", said).sides(call);
    match style {
        "elicitation" | "input_required" => line.because("the draft below has the whole of `approval`"),
        _ => line.because(
            "`approval` says how a decision is made: `approve` and `reject` are commands or requests",
        ),
    }
}

/// The style of approval that an answer looks like.
pub(super) fn style(asked: &StepOutcome) -> &'static str {
    match asked.exchanges.first().map(Answer::of) {
        Some(Answer::Elicitation(_)) => "elicitation",
        Some(Answer::InputRequired) => "input_required",
        Some(Answer::Silence) | None => "held",
        Some(_) => "retry",
    }
}

fn waits(call: &CallOutcome) -> Line {
    let wrong = |said: String| Line::new(Mark::Wrong, "approval", said).sides(call);
    match call.verdict {
        "pending" => Line::new(Mark::Well, "approval", "the call waits, and says so"),
        "held" => Line::new(Mark::Well, "approval", "the call is held open"),
        "denied" => wrong(
            "the call is refused, and nothing says that somebody could still decide".to_owned(),
        )
        .because(
            "a `denied` rule of `reads` claims this answer: put the `pending` rule of the draft before it",
        ),
        _ => wrong(format!(
            "the call did not run, and no rule of `reads` knows that it waits (read as `{}`)",
            call.told
        ))
        .because(DRAFTED),
    }
}

fn decision(chart: &Chart) -> Line {
    let about = "decision";
    let Some(approved) = chart.step("approval-decided", "approved") else {
        return Line::new(Mark::Unmeasured, about, chart.why_not("approval-decided"));
    };
    let wrong = |step: &StepOutcome, said: &str| {
        let line = Line::new(Mark::Wrong, about, said);
        step.calls
            .first()
            .map_or_else(|| line.clone().because(step.was.as_str()), |call| line.clone().sides(call))
    };
    let ran = approved.calls.iter().any(|call| call.reach > 0);
    if approved.calls.iter().any(|call| call.verdict == "leaked" && call.told == "pending") {
        return wrong(approved, "the call ran before it was approved");
    }
    if !ran {
        return wrong(approved, "an approved call did not run").because(
            "`approval.find` looks for what waits, `approval.approve` decides: can both be done by hand while a call waits?",
        );
    }
    if let Some(call) = approved.calls.iter().find(|call| call.verdict == "leaked") {
        return wrong(approved, &format!("an approved call ran, and its answer is read as `{}`", call.told));
    }
    match chart.step("approval-decided", "rejected") {
        Some(rejected) if rejected.met => {
            Line::new(Mark::Well, about, "an approved call runs, a rejected one does not")
        }
        Some(rejected) if rejected.calls.iter().any(|call| call.reach > 0) => {
            wrong(rejected, "a rejected call ran all the same")
        }
        Some(rejected) => wrong(rejected, "a rejected call did not run, and is not read as a denial")
            .because("how is a rejection told? a `denied` rule of `reads` should know it"),
        None => Line::new(Mark::Unmeasured, about, "nothing was rejected"),
    }
}
