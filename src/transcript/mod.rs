//! What passed between a client and a gateway: exchanges in order, as plain values.
//!
//! It records bytes, times and how an exchange ended. It does not know what an answer *means*: that is read by the
//! gateway's profile, and judged together with the ledger.

pub mod exchange;

pub use exchange::{Ended, Exchange, HttpHead, Received, Sent, Via};
