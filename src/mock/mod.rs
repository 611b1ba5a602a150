//! A server from files: a catalogue, answers, faults, changing lists; sessions and eras; and the ledger of all that
//! reached it.
//!
//! It does not know that there are gateways, scenarios or verdicts. It says what arrived and what it did.

mod answer;
mod arguments;
mod assemble;
mod body;
mod change;
mod condition;
mod convention;
mod fault;
mod filters;
mod folder;
mod ledger;
mod parameters;
mod python;
mod quantity;
mod script;
mod spec;
mod template;
mod tool;
mod value;
mod world;

pub use answer::{Answer, Ask, Elicit, Entry, InputRequired, RpcErrorText};
pub use change::{After, Change, Changed};
pub use fault::{Fault, HttpFault};
pub use folder::MockError;
pub use ledger::{Arrival, Execution, Transport};
pub use quantity::{Size, Span};
pub use spec::{Manner, Mock, WrongAnswers};
