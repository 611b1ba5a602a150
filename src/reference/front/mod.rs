//! Where agents and people come in: HTTP, lines, and the page of decisions.

pub(super) mod decisions;
pub(super) mod era;
pub(super) mod http;
pub(super) mod lines;
mod stream;
