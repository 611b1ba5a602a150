//! From a story to the text that is stored: what came of each step first, then the redacted frames.
//!
//! The text is the same each time the gateway behaves the same: no times, no ids, headers of an allow-list alone,
//! nothing that may arrive at any time.

use super::behaviour::{Behaviour, FRAMES, NOT_RUN, StepLine, words};
use super::frame::{cut, lines};
use super::redaction::{Mark, Redactions};
use super::stored::Stored;
use super::story::{Came, Section, StepStory, Story};
use crate::diagnostic::printable;
use crate::transcript::{Ended, Exchange, Received, Via};
use crate::wire::Message;
use crate::wire::era::header;

/// The headers of an answer that are stored: those that tell an agent something.
const HEADERS: [&str; 5] = ["allow", "content-type", "location", "retry-after", "www-authenticate"];
/// Notifications that belong to no request and may come at any time.
const AT_ANY_TIME: [&str; 6] = [
    "notifications/message",
    "notifications/tools/list_changed",
    "notifications/prompts/list_changed",
    "notifications/resources/list_changed",
    "notifications/resources/updated",
    "notifications/roots/list_changed",
];
/// The exchanges of one step that are stored; equal ones that follow each other count once.
const MOST_EXCHANGES: usize = 12;
/// The characters kept of a step's name, a verdict or a header.
const LONGEST_LINE: usize = 200;

/// The story as it is stored.
pub fn render(story: &Story, redactions: &Redactions) -> Stored {
    let redactions = with_sessions(story, redactions);
    let line = |text: &str| cut(&printable(&redactions.text(text)), LONGEST_LINE);
    let steps = |section: &Section| -> Vec<StepLine> {
        let step = |(index, step): (usize, &StepStory)| {
            StepLine::new(index + 1, &line(&step.name), &line(&words(&step.came)))
        };
        section.steps.iter().enumerate().map(step).collect()
    };
    let frames =
        |section: &Section| section.steps.iter().map(|step| frames(step, &redactions)).collect::<Vec<_>>();
    let Some((first, others)) = story.sections.split_first() else { return headed(story, "") };

    let mut behaviour = Behaviour {
        eras: story.sections.iter().map(|section| line(&section.label)).collect(),
        steps: steps(first),
        only: Vec::new(),
    };
    let leading = frames(first);
    let mut passed = Vec::new();
    for (step, frames) in behaviour.steps.iter().zip(&leading) {
        passed.push((step.number, titled(step, None, frames)));
    }
    for other in others {
        let era = line(&other.label);
        let differing = differing(&behaviour.steps, steps(other));
        if !differing.is_empty() {
            behaviour.only.push((era.clone(), differing));
        }
        for (step, frames) in steps(other).iter().zip(frames(other)) {
            if leading.get(step.number - 1) != Some(&frames) {
                passed.push((step.number, titled(step, Some(&era), &frames)));
            }
        }
    }
    // Stable: a step's frames in the leading era stand before those of the others.
    passed.sort_by_key(|(number, _)| *number);
    let passed: String = passed.into_iter().map(|(_, text)| text).collect();
    headed(story, &(behaviour.write() + &passed))
}

fn headed(story: &Story, contents: &str) -> Stored {
    let expression = format!("{} through {}", story.scenario, story.gateway);
    Stored { source: story.file.clone(), expression, contents: contents.trim_end().to_owned() }
}

/// The steps that did not come to the same, and those that one of the two does not have.
fn differing(leading: &[StepLine], own: Vec<StepLine>) -> Vec<StepLine> {
    let missing =
        leading.iter().skip(own.len()).map(|step| StepLine { words: NOT_RUN.to_owned(), ..step.clone() });
    let missing: Vec<StepLine> = missing.collect();
    own.into_iter().filter(|step| leading.get(step.number - 1) != Some(step)).chain(missing).collect()
}

fn titled(step: &StepLine, era: Option<&str>, frames: &str) -> String {
    if frames.is_empty() && era.is_none() {
        return String::new();
    }
    let era = era.map(|era| format!(", {era}")).unwrap_or_default();
    format!("\n{FRAMES}{}. {}{era}\n{frames}", step.number, step.name)
}

/// Sessions are named by a header; the same id may stand in any frame or message.
fn with_sessions(story: &Story, redactions: &Redactions) -> Redactions {
    let mut redactions = redactions.clone();
    let steps = story.sections.iter().flat_map(|section| &section.steps);
    for session in
        steps.flat_map(|step| &step.exchanges).filter_map(|exchange| exchange.header(header::SESSION))
    {
        redactions.learn(Mark::Session, session);
    }
    redactions
}

/// What passed in one step; nothing for a group, whose order means nothing.
fn frames(step: &StepStory, redactions: &Redactions) -> String {
    if matches!(step.came, Came::Counted(_)) {
        return String::new();
    }
    let mut runs: Vec<(usize, String)> = Vec::new();
    for exchange in &step.exchanges {
        let text = passed(exchange, redactions);
        match runs.last_mut().filter(|(_, last)| *last == text) {
            Some((count, _)) => *count += 1,
            None => runs.push((1, text)),
        }
    }
    let mut out = String::new();
    for (count, text) in runs.iter().take(MOST_EXCHANGES) {
        if *count > 1 {
            out.push_str(&format!("{count} times:\n"));
        }
        out.push_str(text);
    }
    let rest: Vec<&str> = runs.iter().skip(MOST_EXCHANGES).map(|(_, text)| text.as_str()).collect();
    if !rest.is_empty() {
        out.push_str(&format!("{} more:\n{}\n", rest.len(), cut(&rest.concat(), 0)));
    }
    out
}

fn passed(exchange: &Exchange, redactions: &Redactions) -> String {
    let id = exchange.sent.id.as_ref();
    let mut out = String::new();
    let mut put = |way: &str, lines: Vec<String>| {
        for line in lines {
            out.push_str(&format!("{way} {line}\n"));
        }
    };
    put(">", lines(&exchange.sent.bytes, id, redactions));
    if let Some(head) = &exchange.http {
        put("<", vec![format!("HTTP {}{}", head.status, headers(&head.headers, redactions))]);
    }
    for piece in exchange.received.iter().filter(|piece| is_of_the_request(piece)) {
        put("<", lines(&piece.bytes, id, redactions));
    }
    match exchange.ended {
        Ended::Answered => {}
        Ended::Quiet => put("<", vec!["(no answer in time)".to_owned()]),
        // Why is told in the words of the system, which differ from machine to machine.
        Ended::Lost(_) => put("<", vec!["(connection lost)".to_owned()]),
    }
    out
}

fn headers(headers: &[(String, String)], redactions: &Redactions) -> String {
    let mut kept: Vec<String> = headers
        .iter()
        .filter(|(name, _)| HEADERS.contains(&name.as_str()))
        .map(|(name, value)| cut(&printable(&redactions.text(&format!("{name}: {value}"))), LONGEST_LINE))
        .collect();
    kept.sort();
    kept.into_iter().map(|header| format!("; {header}")).collect()
}

fn is_of_the_request(piece: &Received) -> bool {
    if piece.bytes.is_empty() || piece.via == Via::Notices {
        return false;
    }
    let at_any_time = |message: &Message| matches!(message, Message::Notification { method, .. } if AT_ANY_TIME.contains(&method.as_str()));
    !piece.frame().is_some_and(at_any_time)
}

#[cfg(test)]
mod tests;
