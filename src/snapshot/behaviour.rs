//! The first part of a snapshot: one line per step with what came of it, written and read back.
//!
//! An era that went like the leading one is named and nothing more; otherwise the steps in which it differs follow.

use super::story::Came;

/// Between a step and what came of it; kept out of both.
const ARROW: &str = " => ";
/// Before the steps of an era that differ.
const ONLY: &str = "only in ";
/// Before the frames of a step, which no longer are behaviour.
pub(super) const FRAMES: &str = "== ";
/// What is said of a step that an era does not have.
pub(super) const NOT_RUN: &str = "not run";

/// What came of each step, in each era.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Behaviour {
    /// The eras that were spoken, the leading one first.
    pub(super) eras: Vec<String>,
    /// The steps in the leading era.
    pub(super) steps: Vec<StepLine>,
    /// The steps of other eras, where they differ.
    pub(super) only: Vec<(String, Vec<StepLine>)>,
}

/// One step and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StepLine {
    /// Its place in the scenario, from 1.
    pub(super) number: usize,
    /// What it does.
    pub(super) name: String,
    /// What came of it, in words.
    pub(super) words: String,
}

impl StepLine {
    /// A step's line; neither text can be mistaken for the other.
    pub(super) fn new(number: usize, name: &str, words: &str) -> Self {
        let plain = |text: &str| text.replace(ARROW, " = > ");
        Self { number, name: plain(name), words: plain(words) }
    }

    fn read(line: &str) -> Option<Self> {
        let (step, words) = line.rsplit_once(ARROW)?;
        let (number, name) = step.split_once(". ")?;
        Some(Self { number: number.parse().ok()?, name: name.to_owned(), words: words.to_owned() })
    }

    fn write(&self) -> String {
        format!("{}. {}{ARROW}{}\n", self.number, self.name, self.words)
    }
}

impl Behaviour {
    /// As it stands in a snapshot.
    pub(super) fn write(&self) -> String {
        let mut out = format!("eras: {}\n\n", self.eras.join(", "));
        out.extend(self.steps.iter().map(StepLine::write));
        for (era, steps) in &self.only {
            out.push_str(&format!("\n{ONLY}{era}:\n"));
            out.extend(steps.iter().map(StepLine::write));
        }
        out
    }

    /// What a snapshot's contents say; lines that are no step's are passed over.
    pub(super) fn read(contents: &str) -> Self {
        let mut read = Self::default();
        for line in contents.lines().take_while(|line| !line.starts_with(FRAMES)) {
            if let Some(eras) = line.strip_prefix("eras: ") {
                read.eras = eras.split(", ").map(str::to_owned).collect();
            } else if let Some(era) = line.strip_prefix(ONLY).and_then(|rest| rest.strip_suffix(':')) {
                read.only.push((era.to_owned(), Vec::new()));
            } else if let Some(step) = StepLine::read(line) {
                match read.only.last_mut() {
                    Some((_, steps)) => steps.push(step),
                    None => read.steps.push(step),
                }
            }
        }
        read
    }

    /// All steps as they went in that era.
    pub(super) fn in_era(&self, era: &str) -> Vec<StepLine> {
        let mut steps = self.steps.clone();
        let own = self.only.iter().filter(|(label, _)| label == era).flat_map(|(_, steps)| steps);
        for step in own {
            match steps.iter_mut().find(|known| known.number == step.number) {
                Some(known) => known.clone_from(step),
                None => steps.push(step.clone()),
            }
        }
        steps
    }
}

/// What came of a step, in words: `allowed`, `10 allowed, then 1 rate_limited`, and without order `3 allowed, 1 denied`.
pub(super) fn words(came: &Came) -> String {
    let told = |(count, word): &(usize, String)| format!("{count} {word}");
    match came {
        Came::InOrder(words) => {
            let mut runs: Vec<(usize, String)> = Vec::new();
            for word in words {
                match runs.last_mut().filter(|(_, last)| last == word) {
                    Some((count, _)) => *count += 1,
                    None => runs.push((1, word.clone())),
                }
            }
            match runs.as_slice() {
                [] => "done".to_owned(),
                [(1, word)] => word.clone(),
                _ => runs.iter().map(told).collect::<Vec<_>>().join(", then "),
            }
        }
        Came::Counted(counts) => {
            let runs = counts.iter().map(|(word, count)| told(&(*count, word.clone())));
            runs.collect::<Vec<_>>().join(", ")
        }
    }
}

/// The words of a step with how often each stands, in whatever order.
pub(super) fn tally(words: &str) -> Vec<(usize, &str)> {
    let mut tally: Vec<(usize, &str)> = Vec::new();
    for run in words.split(", ") {
        let run = run.strip_prefix("then ").unwrap_or(run);
        let counted = run.split_once(' ').and_then(|(count, word)| Some((count.parse().ok()?, word)));
        let (count, word) = counted.unwrap_or((1, run));
        match tally.iter_mut().find(|(_, known)| *known == word) {
            Some((known, _)) => *known += count,
            None => tally.push((count, word)),
        }
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(number: usize, words: &str) -> StepLine {
        StepLine::new(number, &format!("call tool_{number} => x"), words)
    }

    #[test]
    fn what_was_written_reads_back() {
        let behaviour = Behaviour {
            eras: vec!["legacy 2025-11-25".to_owned(), "modern 2026-07-28".to_owned()],
            steps: vec![step(1, "allowed"), step(2, "denied")],
            only: vec![("modern 2026-07-28".to_owned(), vec![step(2, "leaked")])],
        };
        let text = behaviour.write();
        assert_eq!(Behaviour::read(&format!("{text}\n== 1. call\n3. call more => allowed\n")), behaviour);
        let words = |era| behaviour.in_era(era).into_iter().map(|step| step.words).collect::<Vec<_>>();
        assert_eq!(words("modern 2026-07-28"), ["allowed", "leaked"]);
        assert_eq!(words("legacy 2025-11-25"), ["allowed", "denied"]);
    }

    #[test]
    fn groups_have_counts_and_rows_have_runs() {
        let row =
            |words: &[&str]| super::words(&Came::InOrder(words.iter().map(ToString::to_string).collect()));
        assert_eq!(row(&[]), "done");
        assert_eq!(row(&["denied"]), "denied");
        assert_eq!(
            row(&["allowed", "allowed", "rate_limited", "allowed"]),
            "2 allowed, then 1 rate_limited, then 1 allowed"
        );
        let group = ["rate_limited", "allowed", "rate_limited"];
        assert_eq!(super::words(&Came::counted(group)), "1 allowed, 2 rate_limited");
        assert_eq!(super::words(&Came::counted(group.iter().rev().copied())), "1 allowed, 2 rate_limited");
        assert_eq!(tally("2 allowed, then 1 denied, then 1 allowed"), [(3, "allowed"), (1, "denied")]);
        assert_eq!(tally("leaked"), [(1, "leaked")]);
    }
}
