//! Whether a frame of a scenario's own has what the modern era wants in it. Without, it is refused for that alone, and
//! tests nothing.

use super::Checking;
use super::names::template_spot;
use super::walk;
use crate::diagnostic::Diagnostic;
use crate::scenario::document::EraChoice;
use crate::scenario::step::{Body, Column, Kind, Send};
use crate::wire::Era;
use regex::Regex;
use std::sync::LazyLock;

/// A frame that asks for a list, or for something of a tool in parameters that `_meta` could stand in.
static ASKS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"\{[\s\S]*tools\\?/(?:list|[\s\S]*params["']?\s*:\s*\{[^{])"#)
        .expect("the expression is sound")
});

pub(super) fn check(checking: &mut Checking<'_>) {
    let modern = match checking.scenario.era {
        EraChoice::Newest | EraChoice::Modern | EraChoice::Every => true,
        EraChoice::Legacy => false,
        EraChoice::Revision(revision) => revision.era() == Era::Modern,
    };
    for stop in walk::steps(&checking.scenario.steps).into_iter().filter(|_| modern) {
        let Kind::Send(send) = &stop.step.kind else { continue };
        for text in frames(send).filter(|text| ASKS.is_match(text) && !text.contains("_meta")) {
            let spot = template_spot(checking, stop.step.spot, text);
            let message = "without an envelope, this frame is refused in the modern era whatever it says";
            let help =
                r#"write `"_meta":{{ envelope }}` into its `params`, or `era: legacy` above the steps"#;
            checking.told.push(Diagnostic::warning(spot, message).help(help));
        }
    }
}

/// The texts that go out as frames, or that frames are made of.
fn frames(send: &Send) -> impl Iterator<Item = &str> {
    let body = match &send.body {
        Body::Text { text, .. } => Some(text.as_str()),
        Body::Bytes(_) => None,
    };
    let columns = send.over.0.values().flat_map(|column| match column {
        Column::Values(values) => values.as_slice(),
        Column::Template(_) => &[],
    });
    body.into_iter().chain(columns.filter_map(|value| value.as_str()))
}
