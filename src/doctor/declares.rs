//! What a profile declares, held against what was measured; and a draft of what it should declare.

use super::chart::Chart;
use super::line::{Line, Mark};
use super::measure::{Measured, gives_back};
use crate::declared::{Declared, Failure};
use serde_json::{Value, json};

/// What is declared of that member, if anything.
fn declared(declares: &Declared, member: &str) -> Option<Value> {
    let all = serde_json::to_value(declares).unwrap_or_default();
    all.get(member).filter(|said| !said.is_null()).cloned()
}

/// One member: what was measured, held against what is declared.
pub(super) fn compared(chart: &Chart, declares: &Declared, measured: &Measured) -> Line {
    let about = format!("declares {}", measured.member);
    let found = match &measured.found {
        Ok(found) => found,
        Err(why) => return Line::new(Mark::Unmeasured, &about, why.as_str()),
    };
    let said = spelled(found);
    let Some(before) = declared(declares, measured.member) else {
        return Line::new(Mark::Note, &about, format!("{said}; the profile does not declare it"));
    };
    if !agree(chart, measured.member, &before, found) {
        return Line::new(Mark::Wrong, &about, format!("measured {said}, declared {}", spelled(&before)))
            .because("one of the two is wrong: the word in the profile, or the gateway");
    }
    let more = if before == *found { String::new() } else { format!(" (declared {})", spelled(&before)) };
    Line::new(Mark::Well, &about, format!("{said}{more}"))
}

/// Whether what was declared before can be so, as far as was measured.
fn agree(chart: &Chart, member: &str, before: &Value, found: &Value) -> bool {
    let words = |value: &Value| value.as_array().cloned().unwrap_or_default();
    match member {
        // It may speak more than it is to be driven in.
        "eras" => words(before).iter().all(|era| words(found).contains(era)),
        "refund" => {
            let measured = |kind: &Value| {
                let failure = serde_json::from_value(kind.clone()).ok()?;
                gives_back(chart, failure).ok()
            };
            words(before).iter().all(|kind| measured(kind) != Some(false))
                && words(found).iter().all(|kind| words(before).contains(kind))
        }
        // With one upstream alone nobody sees what becomes of names that collide.
        "names" if chart.done("several").is_none() => before == found || before == "when_needed",
        _ => before == found,
    }
}

/// A value as `declares` has it: a word, or a list of words.
pub(super) fn spelled(value: &Value) -> String {
    match value {
        Value::Array(several) => format!("[{}]", several.iter().map(spelled).collect::<Vec<_>>().join(", ")),
        Value::String(word) => word.clone(),
        other => other.to_string(),
    }
}

/// The whole of `declares` as a draft: what was measured, and what was said before of what was not.
pub(super) fn draft(chart: &Chart, declares: &Declared, measured: &[Measured]) -> String {
    let mut members = Vec::new();
    for Measured { member, found } in measured {
        let before = declared(declares, member);
        let value = match (*member, found) {
            ("refund", Ok(found)) => Some(with_unmeasured(chart, found, before.as_ref())),
            (_, Ok(found)) => Some(found.clone()),
            (_, Err(_)) => before,
        };
        members.extend(value.map(|value| format!("{member}: {}", spelled(&value))));
    }
    if members.is_empty() { String::new() } else { format!("declares: {{{}}}\n", members.join(", ")) }
}

/// Kinds of failure that nothing was measured of stay as they were declared.
fn with_unmeasured(chart: &Chart, found: &Value, before: Option<&Value>) -> Value {
    let mut kinds = found.as_array().cloned().unwrap_or_default();
    for kind in before.and_then(Value::as_array).into_iter().flatten() {
        let failure = serde_json::from_value::<Failure>(kind.clone());
        if failure.is_ok_and(|failure| gives_back(chart, failure).is_err()) && !kinds.contains(kind) {
            kinds.push(kind.clone());
        }
    }
    json!(kinds)
}
