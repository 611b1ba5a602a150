//! What changed between two snapshots: first what the gateway does otherwise, then the frames.
//!
//! It compares stored texts, so that a snapshot can be reviewed without the run that made it.

use super::behaviour::{Behaviour, FRAMES, StepLine, tally};
use console::Style;
use similar::{Algorithm, DiffOp, TextDiff, capture_diff_slices};

/// A change between two snapshots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// The change of behaviour in a few sentences, the gravest first: `2 denials became allowed`.
    pub summary: Vec<String>,
    /// The steps that came to something else.
    pub steps: Vec<StepChange>,
    /// The rest of the change, as a unified diff; empty where nothing but behaviour changed.
    pub frames: String,
}

/// A step that came to something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepChange {
    /// The era, where the change is not that of the leading one.
    pub era: Option<String>,
    /// Its place in the scenario, from 1.
    pub number: usize,
    /// What the step does.
    pub name: String,
    /// What came of it before; `None` for a new step.
    pub was: Option<String>,
    /// What comes of it now; `None` for a step that is gone.
    pub now: Option<String>,
}

/// How a verdict is counted, one and many, and whether it is trouble by itself.
const VERDICTS: [(&str, &str, &str, bool); 17] = [
    ("allowed", "allowed call", "allowed calls", false),
    ("denied", "denial", "denials", false),
    ("rate_limited", "limited call", "limited calls", false),
    ("pending", "pending call", "pending calls", false),
    ("held", "held call", "held calls", false),
    ("unauthorized", "unauthorized call", "unauthorized calls", false),
    ("invalid", "invalid call", "invalid calls", false),
    ("unknown_tool", "unknown tool", "unknown tools", false),
    ("refused", "refusal", "refusals", false),
    ("failed", "failure", "failures", false),
    ("unanswered", "unanswered call", "unanswered calls", false),
    ("lost", "lost call", "lost calls", false),
    ("leaked", "leak", "leaks", true),
    ("altered", "altered call", "altered calls", true),
    ("swallowed", "swallowed call", "swallowed calls", true),
    ("unfounded", "unfounded answer", "unfounded answers", true),
    ("duplicated", "duplicated call", "duplicated calls", true),
];

/// What changed from one snapshot's contents to another's; empty contents are no snapshot at all.
pub fn difference(old: &str, new: &str) -> Difference {
    let (was, now) = (Behaviour::read(old), Behaviour::read(new));
    let mut steps = changes(&was.steps, &now.steps, None);
    let mut eras: Vec<&String> = was.only.iter().chain(&now.only).map(|(era, _)| era).collect();
    eras.dedup();
    for era in eras.into_iter().filter(|era| was.eras.contains(era) && now.eras.contains(era)) {
        let own = changes(&was.in_era(era), &now.in_era(era), Some(era));
        let told: Vec<_> = steps
            .iter()
            .map(|change: &StepChange| (change.number, change.was.clone(), change.now.clone()))
            .collect();
        steps.extend(
            own.into_iter()
                .filter(|change| !told.contains(&(change.number, change.was.clone(), change.now.clone()))),
        );
    }
    let mut summary = spoken(&was.eras, &now.eras);
    summary.splice(0..0, summarised(&steps));
    Difference { summary, frames: unified(frames(old), frames(new)), steps }
}

/// The contents from the first frame on.
fn frames(contents: &str) -> &str {
    contents.find(&format!("\n{FRAMES}")).map_or("", |at| &contents[at + 1..])
}

fn unified(old: &str, new: &str) -> String {
    if old == new {
        return String::new();
    }
    let ended = |text: &str| if text.is_empty() { String::new() } else { format!("{text}\n") };
    let (old, new) = (ended(old), ended(new));
    TextDiff::from_lines(&old, &new).unified_diff().context_radius(3).header("stored", "new").to_string()
}

/// Steps are matched by what they do, so that a new one in the middle changes nothing about the others.
fn changes(was: &[StepLine], now: &[StepLine], era: Option<&str>) -> Vec<StepChange> {
    let names = |steps: &[StepLine]| steps.iter().map(|step| step.name.clone()).collect::<Vec<_>>();
    let change = |step: &StepLine, was: Option<&StepLine>, now: Option<&StepLine>| StepChange {
        era: era.map(str::to_owned),
        number: step.number,
        name: step.name.clone(),
        was: was.map(|step| step.words.clone()),
        now: now.map(|step| step.words.clone()),
    };
    let mut found = Vec::new();
    for step in capture_diff_slices(Algorithm::Myers, &names(was), &names(now)) {
        if let DiffOp::Equal { .. } = step {
            let pairs = was[step.old_range()].iter().zip(&now[step.new_range()]);
            found.extend(
                pairs
                    .filter(|(old, new)| old.words != new.words)
                    .map(|(old, new)| change(new, Some(old), Some(new))),
            );
        } else {
            found.extend(was[step.old_range()].iter().map(|old| change(old, Some(old), None)));
            found.extend(now[step.new_range()].iter().map(|new| change(new, None, Some(new))));
        }
    }
    found
}

fn spoken(was: &[String], now: &[String]) -> Vec<String> {
    let missing = |of: &[String], from: &[String]| {
        of.iter().filter(|era| !from.contains(era)).cloned().collect::<Vec<_>>()
    };
    let mut out = Vec::new();
    if !was.is_empty() {
        out.extend(missing(now, was).iter().map(|era| format!("{era} is spoken now")));
        out.extend(missing(was, now).iter().map(|era| format!("{era} is no longer spoken")));
    }
    out
}

/// How many calls went from which verdict to which, the gravest change first.
fn summarised(steps: &[StepChange]) -> Vec<String> {
    let mut turns: Vec<(usize, &str, &str)> = Vec::new();
    for change in steps {
        let (Some(was), Some(now)) = (&change.was, &change.now) else { continue };
        for (count, from, to) in turned(was, now) {
            match turns.iter_mut().find(|(_, known_from, known_to)| (*known_from, *known_to) == (from, to)) {
                Some((known, ..)) => *known += count,
                None => turns.push((count, from, to)),
            }
        }
    }
    turns.sort_by_key(|(_, from, to)| gravity(from, to));
    let mut out: Vec<String> = turns.into_iter().map(|(count, from, to)| sentence(count, from, to)).collect();
    for (gone, verb) in [(false, "new"), (true, "gone")] {
        let count = steps
            .iter()
            .filter(|change| if gone { change.now.is_none() } else { change.was.is_none() })
            .count();
        match count {
            0 => {}
            1 => out.push(format!("1 step is {verb}")),
            _ => out.push(format!("{count} steps are {verb}")),
        }
    }
    out
}

/// The calls that left one verdict, paired with those that another gained.
fn turned<'a>(was: &'a str, now: &'a str) -> Vec<(usize, &'a str, &'a str)> {
    let (was, now) = (tally(was), tally(now));
    let surplus = |of: &[(usize, &'a str)], over: &[(usize, &'a str)]| -> Vec<(usize, &'a str)> {
        let known = |word: &str| over.iter().find(|(_, other)| *other == word).map_or(0, |(count, _)| *count);
        let left = of.iter().map(|(count, word)| (count.saturating_sub(known(word)), *word));
        left.filter(|(count, word)| *count > 0 && verdict(word).is_some()).collect()
    };
    let (mut lost, mut gained) = (surplus(&was, &now), surplus(&now, &was));
    let mut out = Vec::new();
    while let (Some((left, from)), Some((came, to))) = (lost.first_mut(), gained.first_mut()) {
        let count = (*left).min(*came);
        out.push((count, *from, *to));
        *left -= count;
        *came -= count;
        lost.retain(|(count, _)| *count > 0);
        gained.retain(|(count, _)| *count > 0);
    }
    out
}

fn verdict(word: &str) -> Option<(&'static str, &'static str, bool)> {
    VERDICTS.iter().find(|(known, ..)| *known == word).map(|(_, one, many, trouble)| (*one, *many, *trouble))
}

/// Trouble first, then what is let through now, then the rest.
fn gravity(from: &str, to: &str) -> u8 {
    match verdict(to) {
        Some((.., true)) => 0,
        _ if to == "allowed" && from != "failed" => 1,
        _ => 2,
    }
}

fn sentence(count: usize, from: &str, to: &str) -> String {
    let (one, many, _) = verdict(from).unwrap_or(("call", "calls", false));
    format!("{count} {} became {to}", if count == 1 { one } else { many })
}

impl Difference {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.summary.is_empty() && self.steps.is_empty() && self.frames.is_empty()
    }

    /// Whether the gateway does the same as before, and only frames changed.
    pub fn behaves_the_same(&self) -> bool {
        self.summary.is_empty() && self.steps.is_empty()
    }

    /// As people read it: behaviour, then frames.
    pub fn render(&self, colour: bool) -> String {
        let style = |style: Style| style.force_styling(colour);
        let (strong, old, new) =
            (style(Style::new().bold()), style(Style::new().red()), style(Style::new().green()));
        let mut out = String::new();
        if self.behaves_the_same() && !self.frames.is_empty() {
            out.push_str("the verdicts are the same, the frames changed\n");
        }
        for sentence in &self.summary {
            out.push_str(&format!("{}\n", strong.apply_to(sentence)));
        }
        for step in &self.steps {
            out.push_str(&format!("  {}\n", step.told(&old, &new)));
        }
        if !self.frames.is_empty() {
            out.push('\n');
        }
        for line in self.frames.lines() {
            let drawn = match line.as_bytes().first() {
                Some(b'-') => old.apply_to(line).to_string(),
                Some(b'+') => new.apply_to(line).to_string(),
                _ => line.to_owned(),
            };
            out.push_str(&format!("{drawn}\n"));
        }
        out
    }
}

impl StepChange {
    fn told(&self, old: &Style, new: &Style) -> String {
        let era = self.era.as_ref().map(|era| format!(" ({era})")).unwrap_or_default();
        let step = format!("{}. {}{era}", self.number, self.name);
        match (&self.was, &self.now) {
            (Some(was), Some(now)) => format!("{step}: {} -> {}", old.apply_to(was), new.apply_to(now)),
            (None, Some(now)) => format!("{step}: new, {}", new.apply_to(now)),
            (Some(was), None) => format!("{step}: gone, was {}", old.apply_to(was)),
            (None, None) => step,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(eras: &str, steps: &str, frames: &str) -> String {
        format!("eras: {eras}\n\n{steps}\n\n== 1. call a\n{frames}")
    }

    fn plain(steps: &str) -> String {
        contents("legacy", steps, "> {}")
    }

    #[test]
    fn behaviour_comes_before_frames() {
        let old = contents(
            "legacy",
            "1. call a => allowed\n2. call b => denied\n3. call c => denied\n4. call d => denied",
            "> {}\n< \"no\"",
        );
        let new = contents(
            "legacy",
            "1. call a => allowed\n2. call b => allowed\n3. call c => allowed\n4. call d => leaked",
            "> {}\n< \"yes\"",
        );
        insta::assert_snapshot!(difference(&old, &new).render(false), @r#"
        1 denial became leaked
        2 denials became allowed
          2. call b: denied -> allowed
          3. call c: denied -> allowed
          4. call d: denied -> leaked

        --- stored
        +++ new
        @@ -1,3 +1,3 @@
         == 1. call a
         > {}
        -< "no"
        +< "yes"
        "#);
    }

    #[test]
    fn equal_contents_differ_in_nothing() {
        let same = plain("1. call a => allowed");
        assert!(difference(&same, &same).is_empty());
        let frames = difference(&same, &same.replace("> {}", "> []"));
        assert!(frames.behaves_the_same() && !frames.is_empty());
        assert!(
            frames.render(false).starts_with("the verdicts are the same, the frames changed\n\n--- stored\n")
        );
    }

    #[test]
    fn runs_and_groups_are_counted_call_by_call() {
        let old =
            plain("1. call a => 10 allowed, then 1 rate_limited\n2. together => 3 allowed, 7 rate_limited");
        let new = plain("1. call a => 11 allowed\n2. together => 5 allowed, 4 rate_limited, 1 leaked");
        assert_eq!(
            difference(&old, &new).summary,
            ["1 limited call became leaked", "3 limited calls became allowed"]
        );
    }

    #[test]
    fn a_new_step_does_not_change_the_others() {
        let old = plain("1. call a => allowed\n2. call b => denied");
        let new = plain("1. call a => allowed\n2. call x => denied\n3. call b => denied");
        let found = difference(&old, &new);
        assert_eq!(found.summary, ["1 step is new"]);
        assert_eq!(found.steps.len(), 1);
        assert_eq!((found.steps[0].number, found.steps[0].name.as_str()), (2, "call x"));
        assert!(found.render(false).contains("  2. call x: new, denied\n"));
        assert!(difference(&new, &old).render(false).contains("  2. call x: gone, was denied\n"));
    }

    #[test]
    fn the_change_of_one_era_is_told_as_that() {
        let eras = "legacy, modern";
        let old = contents(eras, "1. call a => denied", "> {}");
        let new = contents(eras, "1. call a => denied\n\nonly in modern:\n1. call a => leaked", "> {}");
        let found = difference(&old, &new);
        assert_eq!(found.summary, ["1 denial became leaked"]);
        assert!(found.render(false).contains("1. call a (modern): denied -> leaked"));
        let both = difference(&old, &contents(eras, "1. call a => leaked", "> {}"));
        assert_eq!(both.steps.len(), 1, "told once");
        assert_eq!(
            difference(&contents("legacy", "1. call a => denied", "> {}"), &old).summary,
            ["modern is spoken now"]
        );
    }

    #[test]
    fn words_that_are_no_verdicts_are_told_by_step_alone() {
        let found = difference(&plain("1. list tools => 12 tools"), &plain("1. list tools => 13 tools"));
        assert_eq!(found.summary, [""; 0]);
        assert!(found.render(false).contains("1. list tools: 12 tools -> 13 tools"));
        assert!(!found.behaves_the_same());
    }

    #[test]
    fn colour_is_only_added_where_it_is_asked_for() {
        let found = difference(&plain("1. call a => denied"), &plain("1. call a => leaked"));
        assert!(found.render(true).contains('\u{1b}') && !found.render(false).contains('\u{1b}'));
    }
}
