//! Gauntlet: what does an MCP gateway really let through?
//!
//! The map in prose comes with the rooms; see each module.

pub mod cli;
pub mod declared;
pub mod diagnostic;
pub mod embedded;
pub mod gateway;
pub mod mock;
pub mod policy;
pub mod reference;
pub mod report;
pub mod run;
pub mod scenario;
pub mod snapshot;
pub mod source;
pub mod transcript;
pub mod transport;
pub mod wire;
pub mod witness;
