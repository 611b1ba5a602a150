//! `tools/call`: which tool is called, whether its arguments fit, and what is said where they do not.

use super::arguments::{check, told};
use super::convention::Rendered;
use super::frame::Frame;
use super::living::Living;
use super::protocol::{Caller, Outcome};
use super::running::{Running, Target, failed};
use crate::wire::{Era, Json, Object};
use std::sync::Arc;

/// Answers a call.
pub(super) fn call(caller: &Caller, id: &Json, params: Option<&Json>, era: Era) -> Outcome {
    let living = &caller.living;
    living.called();
    let convention = &living.spec.convention;
    let Some((name, given)) = asked(params) else {
        return Outcome::error(id, convention.invalid_params());
    };
    let answer = |rendered: &Rendered| {
        let receipt = living.receipt(caller.seq, caller.place);
        note_receipt(living, caller.seq, &receipt);
        Outcome::Frame(frame(living, (id, era, &receipt), rendered))
    };
    let listing = living.listing();
    let meant = || listing.meant(name).filter(|_| living.settings.lenient);
    let Some(tool) = listing.tool(name).or_else(meant) else {
        return convention
            .unknown_tool(name)
            .map_or_else(|error| failed(living, id, error.to_string()), |rendered| answer(&rendered));
    };
    let arguments = match check(tool.parameters(), &given, convention.rules()) {
        Ok(arguments) => arguments,
        Err(problems) => {
            let refusal = convention.refusal(&tool.name, |model| told(&problems, model, convention.rules()));
            return refusal
                .map_or_else(|error| failed(living, id, error.to_string()), |rendered| answer(&rendered));
        }
    };
    let asked = (Target::Tool(Arc::clone(tool)), arguments, Json::Object(given));
    Running::new(caller, (id, era), params, asked).answer(params)
}

/// The tool's name and its arguments, if the parameters have the right shape.
fn asked(params: Option<&Json>) -> Option<(&str, Object)> {
    let params = params?.as_object()?;
    let name = params.get("name")?.as_str()?;
    match params.get("arguments") {
        None | Some(Json::Null) => Some((name, Object::default())),
        Some(Json::Object(given)) => Some((name, given.clone())),
        Some(_) => None,
    }
}

fn frame(living: &Living, (id, era, receipt): (&Json, Era, &str), rendered: &Rendered) -> Frame {
    let receipt = living.settings.receipts.then_some(receipt);
    Frame::result(id, &rendered.members, living.dress(era, receipt))
}

/// Writes down that an answer bears this receipt.
pub(super) fn note_receipt(living: &Living, seq: u64, receipt: &str) {
    if living.settings.receipts {
        living.ledger.amend(seq, |arrival| arrival.receipts.push(receipt.to_owned()));
    }
}
