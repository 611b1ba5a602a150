//! Gateways that are written down: each way in which gateways refuse, limit, ask and answer is a script under
//! `tests/gateways/`, played in front of a mock and judged by the runner. What tells an honest gateway from one that says
//! the same and forwards the call is the ledger alone, so every script is played in both ways.

mod approvals;
mod asking;
mod broken;
mod gateway;
mod over_http;
mod over_lines;
mod play;
mod questions;
mod script;
mod shapes;
