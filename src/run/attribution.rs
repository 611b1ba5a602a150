//! Which arrival belongs to which call.
//!
//! A reply that bears a receipt owns its arrival. The rest is matched on tool and arguments to calls whose window is
//! open, never on ids or progress tokens, which gateways renumber; only whether there is an id at all speaks for one of
//! several calls that fit alike. What nothing explains is a finding. What comes out is the same in whatever order the
//! arrivals are looked at.

mod matching;
#[cfg(test)]
mod tests;

use crate::wire::{Json, canonical, name};
use std::time::Instant;

/// A call as a parser takes it: the tool, and its arguments.
pub type Take = (String, Json);

/// One call that is asked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The call under all its readings.
    pub takes: Vec<Take>,
    /// Whether it bears an id: it wants an answer then.
    pub bears_id: bool,
}

/// The time in which arrivals of one call are explained by it.
#[derive(Clone, Debug)]
pub struct Window {
    /// What was asked for, as the server knows it. Raw bytes may ask for several calls, or for nothing that can be read.
    pub asks: Vec<Wanted>,
    /// Raw bytes as text: a gateway may make a call of what no parser takes for one.
    pub text: Option<String>,
    /// Whether some upstream has a tool of that name.
    pub known: bool,
    /// The upstream it must land on; `None` where the scenario does not say.
    pub upstream: Option<String>,
    /// When the first byte left.
    pub opened: Instant,
    /// When the answer was complete; `None` where none came, or none can come.
    pub closed: Option<Instant>,
    /// The receipts in its replies.
    pub receipts: Vec<String>,
    /// What the agent was told of it.
    pub claim: Claim,
}

/// How much of an arrival a call may claim, by what the agent was told: of identical calls the first has more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Claim {
    /// It was answered with success, so something arrived.
    Owed,
    /// Nothing definite was told.
    Unsure,
    /// It is said not to have run.
    Refused,
}

/// One call in a ledger; careless readings of one frame may take it for several.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// Where.
    pub upstream: String,
    /// When.
    pub at: Instant,
    /// Which tool with what, by each reading that differs.
    pub takes: Vec<Take>,
    /// Whether its frame bears an id.
    pub bears_id: bool,
    /// The receipt that the mock put into its answer.
    pub receipt: Option<String>,
}

/// For each arrival, the window that explains it.
pub fn attribute(windows: &[Window], arrivals: &[Arrived]) -> Vec<Option<usize>> {
    let mut owners: Vec<Option<usize>> =
        arrivals.iter().map(|arrival| by_receipt(windows, arrival)).collect();
    let mut slots = slots(windows);
    // A receipt fills one place of its call.
    for owner in owners.iter().flatten() {
        if let Some(slot) = slots.iter_mut().find(|slot| slot.window == *owner && !slot.filled) {
            slot.filled = true;
        }
    }
    let passes: [fn(&Slot<'_>, &Arrived) -> bool; 5] =
        [exact, same_tool, similar_tool, mentioned, name_of_nothing];
    // Of calls that fit as well, first those that are also put like it.
    for (explains, alike) in passes.into_iter().flat_map(|pass| [(pass, true), (pass, false)]) {
        let mut free: Vec<usize> = (0..arrivals.len()).filter(|place| owners[*place].is_none()).collect();
        free.sort_by_key(|place| arrivals[*place].at);
        let fits = |slot: &Slot<'_>| {
            let fits = |place: &&usize| {
                let arrival = &arrivals[**place];
                let likely = !alike || put_alike(slot, arrival);
                likely && open(&windows[slot.window], arrival) && explains(slot, arrival)
            };
            free.iter().filter(fits).copied().collect::<Vec<_>>()
        };
        let fitting: Vec<Vec<usize>> = slots.iter().map(fits).collect();
        let mut wanting: Vec<&[usize]> = Vec::new();
        for (slot, fitting) in slots.iter().zip(&fitting) {
            wanting.push(if slot.filled { &[] } else { fitting });
        }
        let taken = matching::matching(&wanting, arrivals.len());
        for (place, slot) in taken.iter().enumerate().filter_map(|(place, slot)| Some((place, (*slot)?))) {
            owners[place] = Some(slots[slot].window);
            slots[slot].filled = true;
        }
        // What is more than the places is the best claimant's, once more. A gateway may make a request of a notification,
        // so that one request too many is not yet the call's that was put like it; a notification of a request none makes.
        for place in free.into_iter().filter(|place| !alike || !arrivals[*place].bears_id) {
            let claims = || fitting.iter().position(|fitting| fitting.contains(&place));
            owners[place] = owners[place].or_else(|| Some(slots[claims()?].window));
        }
    }
    owners
}

/// A place for one arrival: a call has one, a batch one for each call in it.
struct Slot<'a> {
    window: usize,
    claim: Claim,
    asks: &'a [Take],
    bears_id: Option<bool>,
    text: Option<&'a str>,
    known: bool,
    filled: bool,
}

/// The places of all windows, those with the better claim first.
fn slots<'a>(windows: &'a [Window]) -> Vec<Slot<'a>> {
    let mut slots = Vec::new();
    for (place, window) in windows.iter().enumerate() {
        let slot = |wanted: Option<&'a Wanted>| Slot {
            window: place,
            claim: window.claim,
            asks: wanted.map_or(&[], |wanted| wanted.takes.as_slice()),
            bears_id: wanted.map(|wanted| wanted.bears_id),
            text: window.text.as_deref(),
            known: window.known,
            filled: false,
        };
        slots.extend(window.asks.iter().map(|wanted| slot(Some(wanted))));
        if window.asks.is_empty() {
            slots.push(slot(None));
        }
    }
    slots.sort_by_key(|slot| slot.claim);
    slots
}

fn by_receipt(windows: &[Window], arrival: &Arrived) -> Option<usize> {
    let receipt = arrival.receipt.as_ref()?;
    windows.iter().position(|window| window.receipts.contains(receipt))
}

fn open(window: &Window, arrival: &Arrived) -> bool {
    window.opened <= arrival.at
        && window.closed.is_none_or(|closed| arrival.at <= closed)
        && window.upstream.as_ref().is_none_or(|upstream| *upstream == arrival.upstream)
}

/// Whether a call was put as the arrival is: both with an id, or both without one. A request that is said not to have run
/// has no better claim to another request than a notification, of which nothing is said.
fn put_alike(slot: &Slot<'_>, arrival: &Arrived) -> bool {
    slot.bears_id == Some(arrival.bears_id) && (slot.claim != Claim::Refused || !arrival.bears_id)
}

fn exact(slot: &Slot<'_>, arrival: &Arrived) -> bool {
    let same =
        |(name, arguments): &Take, (tool, asked): &Take| name == tool && canonical::same(asked, arguments);
    arrival.takes.iter().any(|take| slot.asks.iter().any(|ask| same(take, ask)))
}

fn same_tool(slot: &Slot<'_>, arrival: &Arrived) -> bool {
    arrival.takes.iter().any(|(name, _)| slot.asks.iter().any(|(tool, _)| name == tool))
}

/// A gateway that trims or folds a name before it forwards has still forwarded this call.
fn similar_tool(slot: &Slot<'_>, arrival: &Arrived) -> bool {
    arrival.takes.iter().any(|(name, _)| slot.asks.iter().any(|(tool, _)| name::alike(name, tool)))
}

/// Raw bytes in which the name stands somewhere, where no parser would look for it.
fn mentioned(slot: &Slot<'_>, arrival: &Arrived) -> bool {
    let Some(text) = slot.text.map(name::folded) else { return false };
    arrival.takes.iter().any(|(name, _)| {
        let name = name::folded(name);
        !name.is_empty() && text.contains(&name)
    })
}

/// A name that no upstream has may have become any that one has.
fn name_of_nothing(slot: &Slot<'_>, _: &Arrived) -> bool {
    !slot.known && !slot.asks.is_empty()
}
