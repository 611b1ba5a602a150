//! Whether an agent is told the same of two calls, the names of their tools aside.

use super::telling::answer_line;
use crate::transcript::Exchange;
use crate::wire::parse;

/// What was told, in one line each, where it differs.
pub(super) fn difference(one: &Exchange, other: &Exchange) -> Option<(String, String)> {
    (told(one) != told(other)).then(|| (line(one), line(other)))
}

/// Everything that an agent sees of an answer, without what is the request's own.
fn told(exchange: &Exchange) -> (Option<u16>, String) {
    let status = exchange.http.as_ref().map(|head| head.status);
    let Some((piece, _)) = exchange.responses().next() else { return (status, answer_line(exchange)) };
    let mut frame = parse(&piece.bytes).unwrap_or_default();
    if let Some(frame) = frame.as_object_mut() {
        frame.remove("id");
        if let Some((_, result)) = frame.0.iter_mut().find(|(name, _)| name == "result") {
            result.as_object_mut().into_iter().for_each(|result| drop(result.remove("_meta")));
        }
    }
    (status, nameless(exchange, &frame.to_string()))
}

fn line(exchange: &Exchange) -> String {
    let status = exchange.http.as_ref().map(|head| format!("{} ", head.status)).unwrap_or_default();
    format!("{status}{}", answer_line(exchange))
}

/// The text without the name that was called.
fn nameless(exchange: &Exchange, text: &str) -> String {
    let sent = parse(&exchange.sent.bytes).ok();
    let name = sent.as_ref().and_then(|frame| frame.pointer("/params/name")?.as_str()).unwrap_or_default();
    if name.is_empty() { text.to_owned() } else { text.replace(name, "\u{0}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Ended, HttpHead, Received, Sent, Via};
    use crate::wire::Json;
    use std::time::Instant;

    fn exchange(name: &str, status: u16, answer: &str) -> Exchange {
        let at = Instant::now();
        let sent =
            format!(r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{{"name":"{name}"}}}}"#);
        let frame = format!(r#"{{"jsonrpc":"2.0","id":7,{answer}}}"#);
        Exchange {
            sent: Sent { at, bytes: sent.into(), id: Some(Json::from(7)) },
            http: Some(HttpHead { status, headers: Vec::new() }),
            received: vec![Received::now(Via::Body, frame)],
            ended: Ended::Answered,
        }
    }

    fn is_same(one: (u16, &str), other: (u16, &str)) -> bool {
        difference(&exchange("a_tool", one.0, one.1), &exchange("b_tool", other.0, other.1)).is_none()
    }

    #[test]
    fn the_names_alone_may_differ() {
        let error = |text: &str| format!(r#""error":{{"code":-32602,"message":"{text}"}}"#);
        let result = |text: &str| {
            format!(r#""result":{{"isError":true,"content":[{{"type":"text","text":"{text}"}}]}}"#)
        };
        assert!(is_same((200, &error("unknown: a_tool")), (200, &error("unknown: b_tool"))));
        assert!(is_same((200, &result("no a_tool")), (200, &result("no b_tool"))));
        assert!(!is_same((200, &error("unknown")), (404, &error("unknown"))));
        assert!(!is_same((200, &error("unknown")), (200, &error("hidden"))));
        assert!(!is_same((200, &error("unknown")), (200, &result("unknown"))));
    }
}
