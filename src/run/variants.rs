//! Steps that hold for gateways that declare one thing or another. Of a gateway that declares nothing each variant is
//! tried, and the one that holds is what it does.

use super::outcome::StepOutcome;
use crate::declared::Declared;
use crate::scenario::Step;
use std::collections::{HashMap, HashSet};

/// Excuses the steps that do not hold of a choice that the gateway does not declare, where it keeps one word of that
/// choice: every step for gateways that give that word is met.
pub(super) fn settle(steps: &[Step], declared: &Declared, outcomes: &mut [StepOutcome]) {
    let declared = serde_json::to_value(declared).expect("declarations are plain data");
    let undeclared = |member: &&String| declared.get(member.as_str()).is_none_or(|said| said.is_null());
    let choice = |step: &Step| {
        step.given.0.iter().find(|(member, _)| undeclared(member)).map(|(member, _)| member.clone())
    };
    let variants: Vec<Option<Variant>> =
        steps.iter().map(|step| choice(step).map(|member| Variant::of(steps, step, member))).collect();
    let mut kept: HashMap<(&Question, &str), bool> = HashMap::new();
    for (variant, outcome) in variants.iter().zip(outcomes.iter()) {
        let Some(Variant { question, words }) = variant else { continue };
        for word in words {
            *kept.entry((question, word)).or_insert(true) &= outcome.met;
        }
    }
    // The words of a step that is not met are not kept: what excuses it is another one.
    let kept: HashSet<&Question> =
        kept.into_iter().filter(|(_, met)| *met).map(|((question, _), _)| question).collect();
    for (variant, outcome) in variants.iter().zip(outcomes) {
        let Some(Variant { question, .. }) = variant else { continue };
        if !outcome.met && kept.contains(question) {
            outcome.met = true;
            outcome.notes.push(format!("it does not declare `{}`, and another variant holds", question.0));
        }
    }
}

/// What a gateway leaves open: the member; of one that holds several words, also which of them.
type Question = (String, Option<String>);

/// A step for gateways that give one of these words.
struct Variant {
    question: Question,
    words: Vec<String>,
}

impl Variant {
    fn of(steps: &[Step], step: &Step, member: String) -> Self {
        let words = step.given.0[&member].clone();
        // Where one step is for a word and another for everything but it, that word is a question of its own.
        let denied = |word: &str| {
            let denial = format!("not {word}");
            steps.iter().any(|other| other.given.0.get(&member).is_some_and(|words| words.contains(&denial)))
        };
        let plain = words.iter().map(|word| word.strip_prefix("not ").unwrap_or(word));
        let about = plain.clone().find(|word| denied(word)).map(str::to_owned);
        Self { question: (member, about), words }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declared::Batch;
    use crate::scenario::read;

    fn settled<const N: usize>(declared: &Declared, given: [&str; N], met: [bool; N]) -> [bool; N] {
        let steps: String = given
            .iter()
            .map(|given| format!("  - {{send: a, given: {{{given}}}, expect: allowed}}\n"))
            .collect();
        let scenario = read(&format!("scenario: x\nupstreams: [ludus]\nsteps:\n{steps}"), "x.yaml").unwrap();
        let mut outcomes = met.map(|met| StepOutcome { met, ..StepOutcome::default() });
        settle(&scenario.steps, declared, &mut outcomes);
        outcomes.map(|outcome| outcome.met)
    }

    #[test]
    fn one_variant_that_holds_is_enough_for_who_declares_nothing() {
        let (silent, given) = (Declared::default(), ["", "batch: reject", "batch: split"]);
        assert_eq!(settled(&silent, given, [true, false, true]), [true, true, true]);
        assert_eq!(settled(&silent, given, [false, true, false]), [false, true, true]);
        assert_eq!(settled(&silent, given, [true, false, false]), [true, false, false]);
        let split = Declared { batch: Some(Batch::Split), ..Declared::default() };
        let kept = settled(&split, given, [true, true, false]);
        assert_eq!(kept, [true, true, false], "the word given has to be kept");
    }

    #[test]
    fn a_variant_that_holds_by_half_excuses_nothing() {
        let silent = Declared::default();
        let alone = ["window: [calendar, fixed]", "window: [fixed, calendar]"];
        assert_eq!(settled(&silent, alone, [true, false]), [true, false], "it does not excuse its own kind");
        let given = ["batch: reject", "batch: reject", "batch: split"];
        assert_eq!(settled(&silent, given, [true, false, false]), [true, false, false]);
        assert_eq!(settled(&silent, given, [true, true, false]), [true, true, true]);
        assert_eq!(settled(&silent, given, [true, false, true]), [true, true, true]);
    }

    #[test]
    fn one_word_has_to_be_kept_throughout() {
        let given =
            ["window: [calendar, fixed]", "window: sliding", "window: calendar", "window: [fixed, sliding]"];
        let silent = Declared::default();
        assert_eq!(settled(&silent, given, [true, false, true, false]), [true; 4], "as the calendar has it");
        assert_eq!(settled(&silent, given, [true, false, false, true]), [true; 4], "fixed");
        assert_eq!(settled(&silent, given, [false, true, true, false]), [false, true, true, false]);
    }

    #[test]
    fn of_several_words_each_is_a_question_of_its_own() {
        let given = ["refund: dropped", "refund: not dropped", "refund: timeout", "refund: not timeout"];
        let silent = Declared::default();
        assert_eq!(settled(&silent, given, [true, false, false, true]), [true; 4]);
        assert_eq!(settled(&silent, given, [true, false, false, false]), [true, true, false, false]);
    }
}
