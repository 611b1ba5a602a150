//! Exactly these bytes.

use super::Trouble;
use super::steps::{Performance, rows};
use crate::gateway::{Told, Word};
use crate::mock;
use crate::run::judge::Asked;
use crate::run::stage::{Opened, Stage};
use crate::scenario::{Body, ENVELOPE, Send, Variables};
use crate::wire::{Called, Json, Message, parse, parse_lenient};
use crate::witness::{Ask, Raw};
use bytes::Bytes;
use http::Method;
use std::time::Instant;

/// Sends the bytes for each row, as often as the step says.
pub(super) async fn send(stage: &Stage, performance: &mut Performance, send: &Send) -> Result<(), Trouble> {
    for row in dressed_rows(stage, send, &performance.variables).await? {
        for _ in 0..send.times {
            let asked = send_once(stage, send, &row).await?;
            performance.keep_sent(send, asked);
        }
    }
    Ok(())
}

/// The rows, each with what the era of the step's session wants in a frame.
pub(super) async fn dressed_rows(
    stage: &Stage,
    send: &Send,
    variables: &Variables,
) -> Result<Vec<Variables>, Trouble> {
    let mut variables = variables.clone();
    let envelope = match stage.session(&stage.voice_name(&send.voice)).await {
        Opened::Open(session) => session.envelope(),
        Opened::Refused(_) => Json::object(),
    };
    variables.set(ENVELOPE, envelope);
    rows(&send.over, &variables)
}

/// Sends the bytes once.
pub(super) async fn send_once(stage: &Stage, send: &Send, row: &Variables) -> Result<Asked, Trouble> {
    let (bytes, plain) = match &send.body {
        Body::Text { text, encoding } => {
            let text = row.fill_string(text)?;
            let plain = Bytes::from(text.clone());
            (Bytes::from(encoding.bytes(text)), Some(plain))
        }
        Body::Bytes(bytes) => (Bytes::from(bytes.clone()), None),
    };
    let session = stage.voice_name(&send.voice);
    let opened = Instant::now();
    let stated = send.id.as_ref().map(|id| row.fill(id)).transpose()?;
    let id = stated.or_else(|| id_in(&bytes));
    let notification = id.is_none() && is_notification(&bytes);
    let reads = reads(stage, &bytes);
    let exchange = match stage.session(&session).await {
        Opened::Refused(exchange) => exchange,
        Opened::Open(open) => {
            let raw = Raw { bytes, plain, id: id.clone(), ..raw(stage, send, row)? };
            let mut flight = open.start_raw(raw);
            let patience = stage.patience_of(&send.voice);
            if id.is_some() || !stage.profile.speaks_lines() {
                flight.wait(patience).await
            } else {
                // Nothing on stdio answers a frame without an id: whatever comes of it comes before the next answer.
                open.start(Ask::new("ping", Json::object())).wait(patience).await;
                flight.so_far()
            }
        }
    };
    let told = told(stage, &exchange);
    // No answer ever ends a call that asks for none: what comes of it may come at any time.
    let open = notification || told.word == Word::Silence;
    let answered = super::call::closed(std::slice::from_ref(&exchange), false);
    Ok(Asked {
        tool: None,
        reads,
        upstream: None,
        arguments: Json::Null,
        headers: Vec::new(),
        session,
        closed: answered.filter(|_| !open),
        exchanges: vec![exchange],
        told,
        opened,
        notification,
        decided: None,
        known: true,
    })
}

/// What the step says about the HTTP around its bytes.
fn raw(stage: &Stage, send: &Send, row: &Variables) -> Result<Raw, Trouble> {
    let mut headers = stage.credential_of(&send.voice);
    let mut without = Vec::new();
    for (name, value) in &send.headers {
        match value {
            Some(value) => headers.push((name.clone(), row.fill_string(value)?)),
            None => without.push(name.clone()),
        }
    }
    let verb = send.method.as_ref().map(|verb| row.fill_string(verb)).transpose()?;
    let known = |verb: String| {
        let method = Method::from_bytes(verb.as_bytes());
        method.map_err(|_| Trouble::Other(format!("`{verb}` is no HTTP method")))
    };
    let method = verb.map(known).transpose()?;
    let path = send.path.as_ref().map(|path| row.fill_string(path)).transpose()?;
    Ok(Raw { headers, without, method, path, ..Raw::default() })
}

/// The calls in the bytes, by the names that the servers have for the tools.
fn reads(stage: &Stage, bytes: &[u8]) -> Vec<Called> {
    let mut calls = mock::calls(bytes);
    for call in &mut calls {
        if let Some((_, tool)) = stage.theatre.names.meant(&call.tool) {
            call.tool = tool.to_owned();
        }
    }
    calls
}

/// HTTP says 202 to a notification: that is no answer to a call.
fn told(stage: &Stage, exchange: &crate::transcript::Exchange) -> Told {
    let told = stage.profile.told(exchange);
    let accepted =
        exchange.http.as_ref().is_some_and(|head| head.status == 202) && exchange.response().is_none();
    if accepted { Told { word: Word::Silence, ..told } } else { told }
}

fn id_in(bytes: &[u8]) -> Option<Json> {
    let frame = parse(bytes).or_else(|_| parse_lenient(bytes)).ok()?;
    match &frame {
        Json::Array(frames) => frames.iter().find_map(|frame| frame.get("id").cloned()),
        frame => frame.get("id").cloned(),
    }
}

fn is_notification(bytes: &[u8]) -> bool {
    parse(bytes).is_ok_and(|frame| matches!(Message::from(frame), Message::Notification { .. }))
}
