//! Steps that hold for gateways that declare one thing or another. Of a gateway that declares nothing each variant is
//! tried, and the one that holds is what it does.

use super::outcome::StepOutcome;
use crate::declared::Declared;
use crate::scenario::Step;

/// Excuses the variants that do not hold, where another one of the same undeclared choice does.
pub(super) fn settle(steps: &[Step], declared: &Declared, outcomes: &mut [StepOutcome]) {
    let declared = serde_json::to_value(declared).expect("declarations are plain data");
    let choice = |step: &Step| {
        let mut members = step.given.0.keys();
        members.find(|member| declared.get(member.as_str()).is_none_or(|said| said.is_null())).cloned()
    };
    let choices: Vec<Option<String>> = steps.iter().map(choice).collect();
    let holds = |choice: &str, outcomes: &[StepOutcome]| {
        choices.iter().zip(outcomes).any(|(other, outcome)| other.as_deref() == Some(choice) && outcome.met)
    };
    for (place, choice) in choices.iter().enumerate() {
        let Some(choice) = choice else { continue };
        if holds(choice, outcomes) && !outcomes[place].met {
            outcomes[place].met = true;
            let note = format!("it does not declare `{choice}`, and another variant holds");
            outcomes[place].notes.push(note);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declared::Batch;
    use crate::scenario::read;

    fn settled(declared: &Declared, met: [bool; 3]) -> [bool; 3] {
        let text = "scenario: x\nupstreams: [ludus]\nsteps:\n  - {call: whoami, expect: allowed}\n\
            \x20 - {send: a, given: {batch: reject}, expect: {executions: 0}}\n\
            \x20 - {send: b, given: {batch: split}, expect: {executions: 1}}\n";
        let scenario = read(text, "x.yaml").unwrap();
        let mut outcomes = met.map(|met| StepOutcome { met, ..StepOutcome::default() });
        settle(&scenario.steps, declared, &mut outcomes);
        outcomes.map(|outcome| outcome.met)
    }

    #[test]
    fn one_variant_that_holds_is_enough_for_who_declares_nothing() {
        let silent = Declared::default();
        assert_eq!(settled(&silent, [true, false, true]), [true, true, true]);
        assert_eq!(settled(&silent, [false, true, false]), [false, true, true]);
        assert_eq!(settled(&silent, [true, false, false]), [true, false, false]);
        let split = Declared { batch: Some(Batch::Split), ..Declared::default() };
        assert_eq!(
            settled(&split, [true, true, false]),
            [true, true, false],
            "the word given has to be kept"
        );
    }
}
