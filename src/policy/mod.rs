//! policy.json: the document, the decision about one call, and the limits.
//!
//! Pure: time comes in as an argument, and nothing is read or written. It does not know what a gateway is, how a
//! refusal is put into words on the wire, or who a token belongs to; it says what should happen to a call.

mod amount;
mod charge;
mod check;
mod count;
mod decide;
mod document;
mod fingerprint;
pub mod limits;
mod path;
mod predicate;
mod read;
mod recommend;
mod window;

pub use amount::Amount;
pub use charge::{Charge, Holder, Key, Who};
pub use check::PolicyError;
pub use decide::{Call, Decision, Denied};
pub use document::{Action, AllTools, Approval, Cost, Limit, Policy, Posture, RateLimit, Scope, ToolRule};
pub use fingerprint::fingerprint;
pub use limits::{Counters, Limited, Reservation};
pub use predicate::{Op, Predicate};
pub use recommend::{Class, recommend};
pub use window::Window;
