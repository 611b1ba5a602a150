//! An examination as people read it.

use super::examine::Examination;
use super::line::{Line, Mark};
use crate::diagnostic::printable;
use console::Style;

/// The line that parts the report from the draft.
const DRAFT: &str = "draft for the profile:";

/// Every line with its mark, then the draft.
pub fn report(examination: &Examination, colour: bool) -> String {
    let mut text = format!("gateway {}\n", printable(&examination.gateway));
    let width = examination.lines.iter().map(|line| line.about.chars().count()).max().unwrap_or(0);
    for line in &examination.lines {
        text.push_str(&drawn(line, width, colour));
    }
    let wrong = examination.lines.iter().filter(|line| line.mark == Mark::Wrong).count();
    let told = if wrong == 0 { "all is well".to_owned() } else { format!("{wrong} wrong") };
    let tint = Style::from_dotted_str(if wrong == 0 { "green" } else { "red" }).force_styling(colour);
    text.push_str(&format!("{}\n", tint.apply_to(told)));
    if !examination.draft.is_empty() {
        text.push_str(&format!("\n{DRAFT}\n\n{}", examination.draft));
    }
    text
}

fn drawn(line: &Line, width: usize, colour: bool) -> String {
    let (word, tint) = match line.mark {
        Mark::Well => ("ok", "green"),
        Mark::Wrong => ("WRONG", "red.bold"),
        Mark::Note => ("note", "yellow"),
        Mark::Unmeasured => ("-", "dim"),
    };
    let mark = Style::from_dotted_str(tint).force_styling(colour).apply_to(format!("{word:<5}"));
    let said = if line.mark == Mark::Unmeasured {
        format!("not measured: {}", line.said)
    } else {
        line.said.clone()
    };
    let mut text = format!("  {mark}  {:<width$}  {}\n", line.about, printable(&said));
    for why in &line.because {
        text.push_str(&format!("         {}\n", printable(why)));
    }
    text
}
