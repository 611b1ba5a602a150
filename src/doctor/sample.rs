//! Answers whose meaning is known, because the probe and the ledger say so: what the readings of a profile are held
//! against, and learnt from.

use super::answer::Answer;
use super::chart::{Chart, Seen, method, sent_name};
use super::rule::leaves;
use super::tokens::{Known, Token};
use crate::gateway::{Told, Word};
use crate::run::outcome::StepOutcome;
use crate::scenario::Kind;
use crate::transcript::Exchange;
use crate::wire::{Json, parse};

/// What the probes' policies say to the agent.
const REASONS: [&str; 2] = ["machines are destroyed by people", "not the range of the administrator"];

/// An answer, and what it means.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    /// A word of `reads`.
    pub(super) word: &'static str,
    pub(super) exchange: Exchange,
    pub(super) answer: Answer,
    /// What in it comes from the call or from the policy.
    pub(super) known: Vec<Known>,
}

/// The steps whose answer means a word if nothing arrived.
const REFUSALS: [(&str, &str, &str); 13] = [
    ("first", "denied", "denied"),
    ("first", "unnamed", "denied"),
    ("unknown", "unknown", "unknown"),
    ("unknown", "denied", "denied"),
    ("arguments", "denied", "denied"),
    ("hidden", "hidden", "denied"),
    ("limit", "over", "limited"),
    ("counts", "calls", "limited"),
    ("approval", "asked", "pending"),
    ("approval", "again", "pending"),
    ("approval-decided", "rejected", "denied"),
    ("refund-unreachable", "unreachable", "failed"),
    ("refund-dropped", "dropped", "failed"),
];

/// Every answer whose meaning is known.
pub(super) fn samples(chart: &Chart) -> Vec<Sample> {
    let mut found = Vec::new();
    // Where no decision is known to be made, the last answer is still the one that asks for it.
    let decides = chart.step("approval-decided", "approved").is_some_and(|approved| approved.met);
    for (probe, step, word) in REFUSALS {
        if probe == "approval-decided" && !decides {
            continue;
        }
        let named = |name: &str| name == probe || name.starts_with(&format!("{probe}/"));
        for (_, seen) in chart.all().filter(|(name, seen)| named(name) && lets_something_through(seen)) {
            found.extend(seen.step(step).into_iter().flat_map(|outcome| of_step(seen, outcome, word)));
        }
    }
    find_approvals(&mut found);
    found
}

/// Where the allowed twin does not get through, a refusal means nothing.
fn lets_something_through(seen: &Seen) -> bool {
    let twins = [seen.step("allowed"), seen.step("within")];
    twins.into_iter().flatten().all(|step| step.calls.iter().any(|call| call.reach > 0))
}

/// The answers that no reading may take for a refusal: calls that got through.
pub(super) fn successes(chart: &Chart) -> Vec<Exchange> {
    let through = |step: &StepOutcome| {
        let calls: Vec<_> = step.calls.iter().zip(&step.exchanges).collect();
        let arrived = calls.into_iter().filter(|(call, _)| call.reach == 1 && call.told == "success");
        arrived.map(|(_, exchange)| exchange.clone()).collect::<Vec<_>>()
    };
    chart
        .all()
        .flat_map(|(_, seen)| seen.steps().flat_map(|(_, step)| through(step)).collect::<Vec<_>>())
        .collect()
}

fn of_step(seen: &Seen, outcome: &StepOutcome, word: &'static str) -> Vec<Sample> {
    let calls: Vec<_> = match outcome.calls.as_slice() {
        // A call that was repeated after a decision: what came last counts.
        [only] => outcome.exchanges.last().map(|last| (only, last)).into_iter().collect(),
        several => several.iter().zip(&outcome.exchanges).collect(),
    };
    let sample = |exchange: &Exchange| Sample {
        word,
        exchange: exchange.clone(),
        answer: Answer::of(exchange),
        known: known(seen, exchange),
    };
    let asked = calls
        .into_iter()
        .filter(|(_, exchange)| method(exchange).is_some_and(|method| method == "tools/call"));
    if word == "failed" {
        // The first call is the one whose server failed; it may have run.
        let first = asked.take(1).map(|(_, exchange)| sample(exchange));
        return first.filter(|sample| !matches!(sample.answer, Answer::Result(_))).collect();
    }
    asked.filter(|(call, _)| call.reach == 0).map(|(_, exchange)| sample(exchange)).collect()
}

/// What of an answer is not the gateway's own wording.
fn known(seen: &Seen, exchange: &Exchange) -> Vec<Known> {
    let any = |text: &str| Known { text: text.to_owned(), token: Token::Any };
    let mut known: Vec<Known> = REASONS
        .iter()
        .map(|reason| Known { text: (*reason).to_owned(), token: Token::Caught("reason") })
        .collect();
    known.extend(seen.scenario.identities.keys().chain(seen.scenario.upstreams.keys()).map(|name| any(name)));
    known.extend(sent_name(exchange).iter().map(|name| any(name)));
    for step in &seen.scenario.steps {
        if let Kind::Call(call) = &step.kind {
            known.push(any(&call.tool.name));
        }
    }
    let arguments =
        parse(&exchange.sent.bytes).ok().and_then(|frame| frame.pointer("/params/arguments").cloned());
    for (place, value) in arguments.iter().flat_map(|arguments| leaves("", arguments)) {
        known.push(any(place.rsplit('/').next().unwrap_or_default()));
        known.extend(value.as_str().filter(|text| text.len() > 1).map(any));
    }
    known
}

/// What waits is known by what differs between two answers that are alike: something that was made for this call.
fn find_approvals(samples: &mut [Sample]) {
    let pending: Vec<usize> = (0..samples.len()).filter(|place| samples[*place].word == "pending").collect();
    let made = |sample: &Sample| {
        let text = text_of(&sample.answer);
        minted(&text)
            .into_iter()
            .filter(|word| sample.known.iter().all(|known| known.text != *word))
            .collect::<Vec<_>>()
    };
    let each: Vec<Vec<String>> = pending.iter().map(|place| made(&samples[*place])).collect();
    for (own, place) in pending.iter().enumerate() {
        let elsewhere = |word: &String| {
            each.iter().enumerate().any(|(other, words)| other != own && words.contains(word))
        };
        let alone: Vec<&String> = each[own].iter().filter(|word| !elsewhere(word)).collect();
        if let Some(id) = alone.first() {
            samples[*place].known.push(Known { text: (*id).clone(), token: Token::Caught("approval") });
        }
    }
}

fn text_of(answer: &Answer) -> String {
    match answer {
        Answer::ErrorResult(text)
        | Answer::Result(text)
        | Answer::Http(_, text)
        | Answer::Elicitation(text) => text.clone(),
        Answer::Rpc(error) => {
            let data = error.data.as_ref().map(Json::to_string).unwrap_or_default();
            format!("{data} {}", error.message)
        }
        Answer::InputRequired | Answer::Silence | Answer::Lost(_) => String::new(),
    }
}

/// Words that look as if they had been made for one answer.
fn minted(text: &str) -> Vec<String> {
    let parts =
        text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '-' || letter == '_'));
    let is_minted = |word: &&str| word.len() >= 4 && word.chars().any(|letter| letter.is_ascii_digit());
    parts.filter(is_minted).map(str::to_owned).collect()
}

impl Sample {
    /// Whether that reading of it is right.
    pub(super) fn is_read_by(&self, told: &Told) -> bool {
        match self.word {
            // A gateway may mask a denied tool as unknown.
            "denied" => matches!(told.word, Word::Denied | Word::Unknown),
            "limited" => told.word == Word::Limited,
            // A call that is held says nothing at all.
            "pending" => matches!(told.word, Word::Pending | Word::Silence),
            "unknown" => matches!(told.word, Word::Unknown | Word::Denied),
            _ => told.word == Word::Failed,
        }
    }
}
