//! The client that looks on: exact bytes out, exact bytes in, in the order and at the time they came.
//!
//! A [`Session`] speaks an era well enough that a gateway takes it for an agent, or sends whatever bytes it is given.
//! It never sends anything twice, follows, renumbers, filters or drops; every wait has a limit, and reaching it is an
//! [`Exchange`](crate::transcript::Exchange) like any other. By itself it answers only what a server asks of it: `ping`,
//! and with a refusal what it never offered. It does not know what an answer means, nor that there is a gateway.

mod ask;
mod flight;
mod hearing;
mod listing;
mod opening;
mod over_http;
mod over_lines;
#[cfg(feature = "rmcp")]
pub mod second;
mod session;

pub use ask::{Ask, Raw};
pub use flight::InFlight;
pub use hearing::{BETWEEN, PRINTED};
pub use listing::ListOutcome;
pub use opening::{OpenError, Opening, Target};
pub use session::Session;

#[cfg(test)]
mod tests;
