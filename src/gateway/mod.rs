//! The gateway under test: what its profile says, and the living thing that was started by it.
//!
//! It answers for everything in which gateways differ: how one is started and ended, how a policy reads in its
//! dialect, how tools are called behind it, what its answers mean, how its approvals are decided. All of that is data,
//! a [`Profile`]; a new gateway needs no line of Rust. It deliberately knows nothing of scenarios, of mock servers or
//! of clients: it is given addresses and gives back an address, it is shown an exchange and says what was told.

mod approval;
mod audit;
mod breadth;
mod command_line;
mod connection;
mod errand;
mod express;
mod failure;
mod files;
mod hooks;
mod launch;
mod names;
mod profile;
mod reads;
mod rehearsal;
mod render;
mod retry;
mod running;
mod saying;
mod shipped;
mod spoil;
mod stranger;
mod template;
#[cfg(test)]
mod testing;
mod told;
mod undefined;
mod view;

pub use approval::{ApprovalError, Carried, Decided, Decision, Pending};
pub use audit::AuditRecord;
pub use command_line::CommandLine;
pub use connection::Connection;
pub use errand::ErrandError;
pub use express::{Expresses, Subject};
pub use failure::{Failure, StartError};
pub use hooks::HookError;
pub use launch::free_ports;
pub use names::{Collision, Names};
pub use profile::{Isolate, Mode, Profile, ProfileError, Reach, Recorded, Start, Style, Verified};
pub use render::{Caller, Facts, Identity, Inputs, Place, Rendered, Upstream, render};
pub use running::RunningGateway;
pub use shipped::{named, names as shipped_names};
pub use spoil::{Spoil, with_an_unknown_rule};
pub use template::{RenderError, Template};
pub use told::{Told, Word};
