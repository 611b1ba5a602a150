//! Bytes in and out: lines on a pipe, HTTP served and asked (also over TLS), child processes, and the pipe back to our own listener.
//!
//! It moves bytes exactly as given and says how a connection ended; every wait ends when the other side is gone or the
//! caller stops. It does not know what a frame means: that is `wire`.

pub mod child;
#[cfg(unix)]
mod group;
#[cfg(unix)]
pub mod guard;
pub mod http_client;
pub mod http_server;
pub mod inflate;
pub mod lines;
pub mod relay;
pub mod trust;

pub use child::Child;
pub use http_client::HttpClient;
pub use lines::{LineReader, LineWriter};
