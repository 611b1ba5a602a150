//! A witness before servers that behave, and before servers that do not.

mod http;
mod lines;

use super::*;
use crate::transcript::{Ended, Exchange, Via};
use crate::wire::{Json, Message, Revision, parse};
use std::time::Duration;

/// Long enough that reaching it is a failure.
const LONG: Duration = Duration::from_secs(30);

fn json(text: &str) -> Json {
    parse(text.as_bytes()).unwrap()
}

/// A response to whatever has an id, with that result.
fn response(frame: &Json, result: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{},"result":{result}}}"#, frame.get("id").unwrap())
}

fn method(frame: &Json) -> &str {
    frame.get("method").and_then(Json::as_str).unwrap_or_default()
}

fn opening(revision: Option<Revision>) -> Opening {
    Opening { revision, notices: false, patience: LONG, ..Opening::default() }
}

fn texts(exchange: &Exchange) -> Vec<(Via, String)> {
    exchange
        .received
        .iter()
        .map(|piece| (piece.via, String::from_utf8_lossy(&piece.bytes).into_owned()))
        .collect()
}

fn result(exchange: &Exchange) -> Json {
    match exchange.response() {
        Some(Message::Response { outcome: Ok(result), .. }) => result.clone(),
        other => panic!("no result but {other:?}"),
    }
}

fn call() -> Ask {
    Ask::call("list_hosts", Json::object())
}
