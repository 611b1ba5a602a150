//! Gauntlet: what does an MCP gateway really let through?
//!
//! The map in prose comes with the rooms; see each module.

pub mod source;
pub mod diagnostic;
pub mod wire;
pub mod transport;
pub mod transcript;
pub mod declared;
pub mod policy;
pub mod mock;
pub mod reference;
pub mod gateway;
pub mod witness;
pub mod scenario;
pub mod snapshot;
pub mod run;
pub mod report;
pub mod cli;
