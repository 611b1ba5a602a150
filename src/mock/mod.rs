//! A server from files: a catalogue, answers, faults, changing lists; sessions and eras; and the ledger of all that
//! reached it.
//!
//! It does not know that there are gateways, scenarios or verdicts. It says what arrived and what it did.

mod answer;
mod arguments;
mod asking;
mod assemble;
mod body;
mod builder;
mod call;
mod change;
mod choice;
mod condition;
mod convention;
mod delivery;
mod fault;
mod filters;
mod folder;
mod form;
mod frame;
mod http;
mod intake;
mod ledger;
mod lines;
mod listener;
mod listing;
mod living;
mod log;
mod notice;
mod offer;
mod offers;
mod parameters;
mod places;
mod protocol;
mod python;
mod quantity;
mod questions;
mod running;
mod script;
mod server;
mod session;
mod spec;
mod template;
mod tool;
mod value;
mod verify;
mod world;

pub use answer::{Answer, Ask, Elicit, Entry, InputRequired, Offered, RpcErrorText};
pub use builder::MockServerBuilder;
pub use change::{After, Change, Changed};
pub use fault::{Fault, HttpFault};
pub use folder::MockError;
pub use frame::RECEIPT;
pub use http::PATH;
pub use ledger::{Arrival, Execution, Headers, Transport};
pub use notice::{Level, LogMessage, News};
pub use quantity::{Size, Span};
pub use server::{MockServer, Unverified};
pub use spec::{Manner, Mock, WrongAnswers};
pub use verify::{Expect, Unmet};
