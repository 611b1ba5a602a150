//! Values of the environment taken out of an outcome: a gateway may well answer with the credential that it was shown.

use super::outcome::{ArrivalSeen, CallOutcome, ScenarioOutcome, StepOutcome};
use super::runner::Ran;
use crate::snapshot::{Mark, Redactions};
use serde_json::Value;
use std::borrow::Cow;

impl Ran {
    /// Replaces these values wherever they stand, and has them replaced in stored transcripts too.
    pub fn conceal(&mut self, secrets: &[String]) {
        let known = Redactions::new(secrets.iter().map(String::as_str));
        self.world.iter_mut().for_each(|trouble| text(trouble, &known));
        for scenario in &mut self.outcome.scenarios {
            in_scenario(scenario, &known);
            scenario.marks.extend(secrets.iter().map(|secret| (Mark::Secret, secret.clone())));
        }
    }
}

fn in_scenario(scenario: &mut ScenarioOutcome, known: &Redactions) {
    scenario.why.iter_mut().for_each(|why| text(why, known));
    scenario.unexplained.iter_mut().for_each(|arrival| in_arrival(arrival, known));
    for StepOutcome { expected, was, notes, calls, .. } in &mut scenario.steps {
        [expected, was].into_iter().chain(notes).for_each(|words| text(words, known));
        calls.iter_mut().for_each(|call| in_call(call, known));
    }
}

fn in_call(call: &mut CallOutcome, known: &Redactions) {
    text(&mut call.tool, known);
    text(&mut call.answer, known);
    let told = call.reason.iter_mut().chain(&mut call.change).chain(&mut call.frame);
    told.for_each(|words| text(words, known));
    value(&mut call.arguments, known);
    call.arrivals.iter_mut().for_each(|arrival| in_arrival(arrival, known));
}

fn in_arrival(arrival: &mut ArrivalSeen, known: &Redactions) {
    text(&mut arrival.tool, known);
    value(&mut arrival.arguments, known);
}

fn text(words: &mut String, known: &Redactions) {
    if let Cow::Owned(changed) = known.known_in(words) {
        *words = changed;
    }
}

fn value(of: &mut Value, known: &Redactions) {
    match of {
        Value::String(words) => text(words, known),
        Value::Array(elements) => elements.iter_mut().for_each(|element| value(element, known)),
        Value::Object(members) => {
            let renamed = std::mem::take(members).into_iter().map(|(mut name, mut inner)| {
                text(&mut name, known);
                value(&mut inner, known);
                (name, inner)
            });
            *members = renamed.collect();
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
