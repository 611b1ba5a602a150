//! What a gateway called itself: the `serverInfo` of the answers that it composes on its own.

use super::outcome::Introduced;
use crate::diagnostic::printable_within;
use crate::transcript::Exchange;
use crate::wire::{Json, Message, parse};

/// Where the modern era says it, in every result.
const MODERN: &str = "io.modelcontextprotocol/serverInfo";

/// A gateway answers these on its own. Other answers may be a server's, handed on whole.
const OPENING: [&str; 2] = ["initialize", "server/discover"];

/// Most gateways compose it, some hand it on: it is asked where nothing better is.
const LIST: &str = "tools/list";

/// A name or version is cut to this many characters.
const LENGTH: usize = 60;

/// So many different ones are kept of one gateway.
const KEPT: usize = 8;

/// What these exchanges say.
pub(super) fn by<'a>(exchanges: impl Iterator<Item = &'a Exchange>) -> Vec<Introduced> {
    let said: Vec<Introduced> = exchanges.filter_map(said).collect();
    together(said.iter())
}

/// Each once, in order; where it introduced itself at an opening, only what it said there.
pub(super) fn together<'a>(said: impl Iterator<Item = &'a Introduced>) -> Vec<Introduced> {
    let mut all: Vec<Introduced> = said.cloned().collect();
    let opened = all.iter().any(|one| one.at_opening);
    all.retain(|one| one.at_opening == opened);
    all.sort();
    all.dedup();
    all.truncate(KEPT);
    all
}

fn said(exchange: &Exchange) -> Option<Introduced> {
    let asked = parse(&exchange.sent.bytes).ok()?;
    let Message::Request { method, .. } = Message::from(asked) else { return None };
    let at_opening = OPENING.contains(&method.as_str());
    if !at_opening && method != LIST {
        return None;
    }
    let Some(Message::Response { outcome: Ok(result), .. }) = exchange.response() else { return None };
    let own = || result.get("_meta")?.get(MODERN);
    let server = result.get("serverInfo").or_else(own)?;
    let text = |name: &str| {
        let text = server.get(name).and_then(Json::as_str).unwrap_or_default();
        printable_within(text, LENGTH)
    };
    Some(Introduced { name: text("name"), version: text("version"), at_opening })
        .filter(|one| !one.name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Ended, Received, Sent, Via};
    use std::time::Instant;

    fn exchange(asked: &str, answered: &str) -> Exchange {
        let at = Instant::now();
        let sent = Sent { at, bytes: asked.to_owned().into(), id: Some(Json::from(1)) };
        let answer = Received::now(Via::Body, answered.to_owned());
        Exchange { sent, http: None, received: vec![answer], ended: Ended::Answered }
    }

    fn asked(method: &str) -> String {
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}"}}"#)
    }

    #[test]
    fn both_eras_say_it_and_a_forwarded_answer_does_not() {
        let legacy = r#"{"jsonrpc":"2.0","id":1,"result":{"serverInfo":{"name":"acme","version":"2.1"}}}"#;
        let modern = r#"{"jsonrpc":"2.0","id":1,"result":{"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"acme"}}}}"#;
        let exchanges = [
            exchange(&asked("initialize"), legacy),
            exchange(&asked("initialize"), legacy),
            exchange(&asked("server/discover"), modern),
            exchange(&asked("tools/list"), &modern.replace("acme", "perhaps the server")),
            exchange(&asked("tools/call"), &modern.replace("acme", "the server")),
            exchange("no frame", legacy),
        ];
        let told = |exchanges: &[Exchange]| -> Vec<String> {
            by(exchanges.iter()).into_iter().map(|one| format!("{} {}", one.name, one.version)).collect()
        };
        assert_eq!(told(&exchanges), ["acme ", "acme 2.1"]);
        assert_eq!(told(&exchanges[3..]), ["perhaps the server "]);
        assert!(told(&exchanges[4..]).is_empty());
    }

    #[test]
    fn what_is_hostile_is_printable_and_bounded() {
        let exchanges: Vec<Exchange> = (0..20)
            .map(|nth| {
                let name = format!("{nth}\\u001b[31m{}", "x".repeat(9_000));
                let answer = format!(
                    r#"{{"jsonrpc":"2.0","id":1,"result":{{"serverInfo":{{"name":"{name}","version":[]}}}}}}"#
                );
                exchange(&asked("initialize"), &answer)
            })
            .collect();
        let told = by(exchanges.iter());
        assert_eq!(told.len(), KEPT);
        assert!(told.iter().all(|one| one.name.len() < 120 && !one.name.contains('\u{1b}')));
    }
}
