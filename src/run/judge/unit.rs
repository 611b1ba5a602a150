//! One call of an arrival: what each parser takes it for, whether it ran, and what was answered. It does not know whose
//! it is.

use crate::mock::Arrival;
use crate::run::attribution::{Arrived, Take};
use crate::wire::{Called, Json, Reading, apart, name};

/// One call within an arrival: an element of a batch, or the whole frame under all its readings.
pub(super) struct Unit<'a> {
    /// The arrival's place among all.
    pub(super) place: usize,
    pub(super) arrival: &'a Arrival,
    pub(super) calls: Vec<&'a Called>,
    pub(super) receipt: Option<String>,
    pub(super) executed: bool,
}

impl<'a> Unit<'a> {
    pub(super) fn of(place: usize, arrival: &'a Arrival) -> Vec<Self> {
        let unit = |calls| Self { place, arrival, calls, receipt: None, executed: false };
        let mut units: Vec<Self> = apart(arrival.calls()).into_iter().map(unit).collect();
        for (index, unit) in units.iter_mut().enumerate() {
            unit.receipt = arrival.receipts.get(index).cloned();
        }
        for execution in &arrival.executed {
            // A lenient server runs `destroy_vm` when `Destroy_VM ` is called.
            let ran = |unit: &Self, is: fn(&str, &str) -> bool| {
                !unit.executed && unit.calls.iter().any(|call| is(&call.tool, &execution.tool))
            };
            let exact = units.iter().position(|unit| ran(unit, |one, other| one == other));
            let place = exact.or_else(|| units.iter().position(|unit| ran(unit, name::alike)));
            if let Some(place) = place {
                units[place].executed = true;
                units[place].receipt = Some(execution.receipt.clone());
            }
        }
        units
    }

    /// Whether every parser takes the same call from it.
    pub(super) fn is_unanimous(&self) -> bool {
        let [call] = self.calls.as_slice() else { return false };
        let has = |reading| call.readings.contains(&reading);
        has(Reading::Strict) || has(Reading::Batch) || (has(Reading::First) && has(Reading::Last))
    }

    pub(super) fn arrived(&self) -> Arrived {
        Arrived {
            upstream: self.arrival.upstream.clone(),
            at: self.arrival.at,
            takes: self.calls.iter().map(|call| take(call)).collect(),
            bears_id: bear_an_id(&self.calls),
            receipt: self.receipt.clone(),
        }
    }

    /// What the mock answered, where it ran.
    pub(super) fn answered(&self) -> Option<Json> {
        let receipt = self.receipt.as_ref()?;
        let execution = self.arrival.executed.iter().find(|execution| execution.receipt == *receipt)?;
        Some(execution.answered())
    }
}

/// A call as one parser takes it.
pub(super) fn take(call: &Called) -> Take {
    (call.tool.clone(), call.arguments.clone())
}

/// Whether a frame bears an id, by some reading of it.
pub(super) fn bear_an_id(calls: &[&Called]) -> bool {
    calls.iter().any(|call| call.id.is_some())
}
