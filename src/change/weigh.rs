//! Which of two behaviours is the worse one.

use super::Turn;
use super::document::{Scenario, Step};
use crate::run::outcome::Status;
use serde::Serialize;

/// Where a change leads; the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// An expectation is no longer met, or something got through that did not.
    Worse,
    /// The other way round.
    Better,
    /// Neither: another word for what is as good, or as bad.
    Different,
    /// It was not run before.
    New,
    /// It is no longer run.
    Gone,
}

impl Direction {
    /// Every direction, the worst first.
    pub const ALL: [Self; 5] = [Self::Worse, Self::Better, Self::Different, Self::New, Self::Gone];

    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Worse => "worse",
            Self::Better => "better",
            Self::Different => "different",
            Self::New => "new",
            Self::Gone => "gone",
        }
    }

    /// Towards more of what is bad, or less.
    fn of<T: Ord>(was: &T, now: &T) -> Self {
        match now.cmp(was) {
            std::cmp::Ordering::Greater => Self::Worse,
            std::cmp::Ordering::Less => Self::Better,
            std::cmp::Ordering::Equal => Self::Different,
        }
    }
}

/// What became of one step; nothing where it went as before.
pub(super) fn step(was: &Step, now: &Step) -> Option<Turn> {
    let (before, after) = (behaviour(was), behaviour(now));
    if before == after && was.met == now.met {
        return None;
    }
    let direction = match (was.met, now.met) {
        (true, false) => Direction::Worse,
        (false, true) => Direction::Better,
        _ => Direction::of(&danger(was), &danger(now)),
    };
    let said = |step: &Step, words: &str| match step.met {
        _ if before != after => words.to_owned(),
        true => "as expected".to_owned(),
        false => format!("expected {}, was {}", step.expected, step.was),
    };
    let (before, after) = (said(was, &before), said(now, &after));
    Some(Turn { direction, step: Some(now.name.clone()), line: Some(now.line), was: before, now: after })
}

/// What came of a scenario as a whole, where no step tells it.
pub(super) fn whole(was: &Scenario, now: &Scenario, turns: &[Turn]) -> Option<Turn> {
    let direction = Direction::of(&badness(was.ended()), &badness(now.ended()));
    let told = turns.iter().any(|turn| turn.direction == direction);
    (direction != Direction::Different && !told).then(|| Turn {
        direction,
        step: None,
        line: None,
        was: ending(was),
        now: ending(now),
    })
}

/// Arrivals that no call explains: there must not be any.
pub(super) fn unexplained(was: &Scenario, now: &Scenario) -> Option<Turn> {
    let (before, after) = (was.unexplained.len(), now.unexplained.len());
    let words = |count: usize| match count {
        0 => "every arrival explained".to_owned(),
        1 => "1 arrival that no call explains".to_owned(),
        count => format!("{count} arrivals that no call explains"),
    };
    let direction = Direction::of(&(before > 0), &(after > 0));
    (direction != Direction::Different).then(|| Turn {
        direction,
        step: None,
        line: None,
        was: words(before),
        now: words(after),
    })
}

/// How a scenario ended, and why where that is none of the steps' doing.
pub(super) fn ending(scenario: &Scenario) -> String {
    let word = scenario.ended().word();
    scenario.why.as_ref().map_or_else(|| word.to_owned(), |why| format!("{word}: {why}"))
}

fn badness(status: Status) -> u8 {
    match status {
        Status::Failed | Status::Known => 2,
        Status::Inconclusive => 1,
        Status::Passed | Status::Observed | Status::NotApplicable | Status::Skipped => 0,
    }
}

/// The verdicts of a step's calls, counted; where it has none, what was said of it.
fn behaviour(step: &Step) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for call in &step.calls {
        match counts.iter_mut().find(|(verdict, _)| *verdict == call.verdict) {
            Some((_, count)) => *count += 1,
            None => counts.push((&call.verdict, 1)),
        }
    }
    // Calls that are made at the same time come in any order.
    counts.sort_unstable();
    match counts.as_slice() {
        [] => step.was.clone(),
        [(verdict, 1)] => (*verdict).to_owned(),
        counts => {
            let words: Vec<String> =
                counts.iter().map(|(verdict, count)| format!("{count} {verdict}")).collect();
            words.join(", ")
        }
    }
}

/// How far the worst verdict of a step is from what a gateway may do.
fn danger(step: &Step) -> u8 {
    let of = |verdict: &str| match verdict {
        "leaked" => 3,
        "duplicated" | "swallowed" | "unfounded" | "altered" => 2,
        "failed" | "lost" | "unanswered" => 1,
        _ => 0,
    };
    step.calls.iter().map(|call| of(&call.verdict)).max().unwrap_or(0)
}
