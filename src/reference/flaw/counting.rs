//! Lies about what is counted.

use crate::declared::{Declared, Failure, WindowKind};
use crate::policy::{Amount, Charge, Counters, Holder, Limited, Reservation, Who};
use crate::reference::conduct::Ending;
use std::time::Duration;

pub(super) fn never(_: Ending, _: &Declared) -> bool {
    false
}

pub(super) fn one_more(
    counters: &mut Counters,
    charges: &[Charge],
    now: Duration,
) -> Result<Reservation, Limited> {
    let wider = |charge: &Charge| Charge { max: charge.max.plus(Amount::ONE), ..charge.clone() };
    counters.reserve(&charges.iter().map(wider).collect::<Vec<_>>(), now)
}

pub(super) fn by_session(mut charges: Vec<Charge>, who: &Who<'_>) -> Vec<Charge> {
    let session = who.session.unwrap_or_default();
    for charge in &mut charges {
        charge.key.holder = Holder::Session(who.identity.to_owned(), session.to_owned());
    }
    charges
}

/// Windows that begin a little early, so that around an edge more than one of them is open.
pub(super) fn early(
    counters: &mut Counters,
    charges: &[Charge],
    now: Duration,
) -> Result<Reservation, Limited> {
    counters.reserve(charges, now + Duration::from_secs(2))
}

/// One count after the other; what was taken before one refuses is gone.
pub(super) fn one_by_one(
    counters: &mut Counters,
    charges: &[Charge],
    now: Duration,
) -> Result<Reservation, Limited> {
    for charge in charges {
        let _ = counters.reserve(std::slice::from_ref(charge), now)?;
    }
    Ok(Reservation::default())
}

/// Gives back to whichever window runs now.
pub(super) fn into_this_window(counters: &mut Counters, reservation: Reservation, now: Duration) {
    for (key, cost) in reservation.into_parts() {
        counters.lower(&key, cost, now);
    }
}

/// Every failure is forgiven.
pub(super) fn every_failure(ending: Ending, _: &Declared) -> bool {
    ending != Ending::Answered
}

/// Nothing that left is given back, not even what never arrived.
pub(super) fn only_refusals(ending: Ending, _: &Declared) -> bool {
    ending == Ending::Refused || ending == Ending::Failed(Failure::Cancelled)
}

/// Everything costs one.
pub(super) fn one_each(mut charges: Vec<Charge>, _: &Who<'_>) -> Vec<Charge> {
    charges.iter_mut().for_each(|charge| charge.cost = Amount::ONE);
    charges
}

/// One count for all.
pub(super) fn for_everybody(mut charges: Vec<Charge>, _: &Who<'_>) -> Vec<Charge> {
    charges.iter_mut().for_each(|charge| charge.key.holder = Holder::Global);
    charges
}

/// A count for each tool of that name, wherever it is.
pub(super) fn by_bare_name(mut charges: Vec<Charge>, _: &Who<'_>) -> Vec<Charge> {
    for charge in &mut charges {
        charge.key.counter = charge.key.counter.rsplit('/').next().unwrap_or_default().to_owned();
    }
    charges
}

/// The first limit that is found is the one that binds.
pub(super) fn the_first_limit(mut charges: Vec<Charge>, _: &Who<'_>) -> Vec<Charge> {
    charges.truncate(1);
    charges
}

/// Windows that run from the first call, whatever the clock says.
pub(super) fn from_the_first_call(mut charges: Vec<Charge>, _: &Who<'_>) -> Vec<Charge> {
    for charge in &mut charges {
        charge.kind = WindowKind::Fixed;
    }
    charges
}

/// A count for each limit that is written down, whichever counter it names.
pub(super) fn by_rule(mut charges: Vec<Charge>, _: &Who<'_>) -> Vec<Charge> {
    for charge in &mut charges {
        charge.key.counter.clone_from(&charge.rule);
    }
    charges
}
