//! What a scenario file says: who takes part, the steps, and what each should come to.
//!
//! It reads, and tells every mistake at once with its place; it checks names and twins. It does not know how anything
//! is done, nor what came of it: that is the runner's.

mod check;
mod document;
mod encoding;
mod expect;
mod needs;
mod pattern;
pub mod pointer;
mod policy;
mod read;
mod schema;
mod shelf;
mod step;
mod template;
mod upstream;
mod variables;

pub use check::{Known, check};
pub use document::{
    Attack, Canary, EraChoice, Given, Haunt, Identity, IdentityPolicy, Offer, Scenario, Session, Severity,
};
pub use encoding::Encoding;
pub use expect::{
    Amount, Detailed, EntryExpect, Expect, HttpExpect, Listing, NoticeExpect, Tally, UpstreamExpect, Verdict,
};
pub use needs::Need;
pub use pattern::{Pattern, Unmet};
pub use policy::{PolicyText, Spoil};
pub use read::read;
pub use schema::schema;
pub use shelf::Shelf;
pub use step::{
    Agent, Approver, Body, Boundary, Call, Column, Decide, Decision, Kind, List, Notice, Over, Part, Persona,
    Records, Reload, Send, Settle, Step, ToolName, Voice, Wait, Within,
};
pub use upstream::{After, Change, Changed, Own, Reads, Upstream};
pub use variables::{ENDPOINT, ENVELOPE, TOOLS, Unfilled, Variables};
