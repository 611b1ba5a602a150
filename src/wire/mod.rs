//! Frames as bytes and as values: JSON that hides nothing, JSON-RPC, the eras of the protocol, and server-sent events.
//!
//! Pure: nothing here reads a socket or a clock. It does not know what a frame is *for*; it knows everything that
//! could be read out of its bytes, by a strict parser or by a careless one.

pub mod canonical;
pub mod era;
pub mod json;
pub mod name;
pub mod number;
mod parse;
pub mod reading;
pub mod rpc;
pub mod sse;

pub use era::{Era, Revision};
pub use json::{Json, Object};
pub use number::Number;
pub use parse::{Leniency, ParseError, parse, parse_lenient};
pub use reading::{Called, Reading, apart, readings, readings_of, without_case};
pub use rpc::{Message, RpcError};
