//! What passed held against what passed straight: the answer on the agent's side, the request on the server's.

use super::difference::{Difference, Kind};
use super::headers::headers;
use super::value::differences;
use crate::mock::Arrival;
use crate::run::judge::RECEIPT;
use crate::run::telling::answer_line;
use crate::transcript::{Exchange, Received};
use crate::wire::{Json, Message, parse};

/// What stands in place of a value that is minted for each run.
const MINTED: &str = "(minted)";

/// The head of the answer, and the frames before and after the response.
pub(super) fn around(direct: &Exchange, through: &Exchange) -> Vec<Difference> {
    let mut found = Vec::new();
    if let (Some(one), Some(other)) = (&direct.http, &through.http) {
        if one.status != other.status {
            found.push(Difference::of(Kind::Changed, "status", one.status, other.status));
        }
        found.extend(headers(pairs(&one.headers), pairs(&other.headers)));
    }
    found.extend(frames(&sequence(direct), &sequence(through)));
    found
}

/// The response: its result or error, member by member.
pub(super) fn response(direct: &Exchange, through: &Exchange) -> Vec<Difference> {
    let frame = |exchange: &Exchange| {
        let first = exchange.responses().next().and_then(|(piece, _)| parse(&piece.bytes).ok());
        first.map(without_minted)
    };
    let outcome = |frame: &Json| if frame.get("error").is_some() { "error" } else { "result" };
    match (frame(direct), frame(through)) {
        (Some(one), Some(other)) if outcome(&one) == outcome(&other) => differences("", &one, &other),
        (None, None) => Vec::new(),
        _ => vec![Difference::of(Kind::Changed, "outcome", answer_line(direct), answer_line(through))],
    }
}

/// What reached the server: its headers, and the parameters of the call.
pub(super) fn request(direct: &Arrival, through: &Arrival) -> Vec<Difference> {
    let mut found = Vec::new();
    if direct.request.is_some() && through.request.is_some() {
        found.extend(headers(direct.headers.iter(), through.headers.iter()));
    }
    match (parse(&direct.bytes), parse(&through.bytes)) {
        (Ok(one), Ok(other)) => {
            found.extend(differences("", &without_minted(one), &without_minted(other)));
        }
        (one, other) => {
            let shown =
                |frame: Result<Json, _>| frame.map_or_else(|_| "no JSON".to_owned(), |_| "JSON".to_owned());
            found.push(Difference::of(Kind::Changed, "frame", shown(one), shown(other)));
        }
    }
    found
}

fn pairs(headers: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_str()))
}

/// What came, in order: the method of each frame that is no response, and `(answer)` for the one that ends it.
fn sequence(exchange: &Exchange) -> Vec<(String, Json)> {
    let answer = exchange.responses().next().map(|(piece, _)| std::ptr::from_ref(piece));
    let name = |piece: &Received| {
        if Some(std::ptr::from_ref(piece)) == answer {
            return ("(answer)".to_owned(), Json::Null);
        }
        let text = || Json::from(String::from_utf8_lossy(&piece.bytes).into_owned());
        let frame = parse(&piece.bytes).unwrap_or_else(|_| text());
        match piece.frame() {
            Some(Message::Notification { method, .. } | Message::Request { method, .. }) => {
                (method.clone(), frame)
            }
            _ => ("(no response)".to_owned(), frame),
        }
    };
    // An event without data opens many streams and says nothing. That a list changed belongs to no exchange: on lines
    // it comes within whichever is under way.
    let pieces = exchange.received.iter().filter(|piece| !piece.bytes.is_empty()).map(name);
    pieces.filter(|(name, _)| !name.ends_with("/list_changed")).collect()
}

fn frames(direct: &[(String, Json)], through: &[(String, Json)]) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut kinds: Vec<&str> = direct.iter().chain(through).map(|(name, _)| name.as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    for kind in kinds.into_iter().filter(|kind| *kind != "(answer)") {
        let of = |all: &'_ [(String, Json)]| {
            all.iter().filter(|(name, _)| name == kind).map(|(_, frame)| frame.clone()).collect::<Vec<_>>()
        };
        let (before, after) = (of(direct), of(through));
        let place = format!("frame {kind}");
        for (one, other) in before.iter().zip(&after) {
            found.extend(differences(&place, &without_minted(one.clone()), &without_minted(other.clone())));
        }
        for lost in before.iter().skip(after.len()) {
            found.push(Difference::of(Kind::Dropped, &place, lost, ""));
        }
        for new in after.iter().skip(before.len()) {
            found.push(Difference::of(Kind::Added, &place, "", new));
        }
    }
    let order = |all: &[(String, Json)]| all.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let (before, after) = (order(direct), order(through));
    let sorted = |names: &[String]| {
        let mut names = names.to_vec();
        names.sort_unstable();
        names
    };
    if before != after && sorted(&before) == sorted(&after) {
        found.push(Difference::of(Kind::Reordered, "frames", before.join(", "), after.join(", ")));
    }
    found
}

/// A frame whose ids, tokens, receipts and cursors are all alike: they are minted for each run, and gateways may
/// renumber them.
fn without_minted(mut frame: Json) -> Json {
    let minted = [
        &["id"][..],
        &["params", "requestId"],
        &["params", "progressToken"],
        &["params", "_meta", "progressToken"],
        &["params", "cursor"],
        &["result", "nextCursor"],
        &["result", "_meta", RECEIPT],
    ];
    for path in minted {
        let (last, way) = path.split_last().expect("a path has a last member");
        let parent = way.iter().try_fold(&mut frame, |value, name| {
            let object = value.as_object_mut()?;
            object.0.iter_mut().find(|(known, _)| known == name).map(|(_, value)| value)
        });
        if let Some(object) = parent.and_then(Json::as_object_mut) {
            object
                .0
                .iter_mut()
                .filter(|(name, _)| name == last)
                .for_each(|(_, value)| *value = MINTED.into());
        }
    }
    frame
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Ended, HttpHead, Sent, Via};
    use bytes::Bytes;
    use std::time::Instant;

    fn exchange(status: u16, header: (&str, &str), frames: &[&'static str]) -> Exchange {
        let at = Instant::now();
        let piece = |text: &&'static str| Received::now(Via::Event, *text);
        Exchange {
            sent: Sent { at, bytes: Bytes::new(), id: Some(Json::from(1)) },
            http: Some(HttpHead { status, headers: vec![(header.0.to_owned(), header.1.to_owned())] }),
            received: frames.iter().map(piece).collect(),
            ended: Ended::Answered,
        }
    }

    fn told(found: Vec<Difference>) -> Vec<String> {
        let line =
            |one: Difference| format!("{} {}: {} -> {}", one.kind.word(), one.place, one.direct, one.through);
        found.into_iter().map(line).collect()
    }

    const PROGRESS: &str =
        r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"t","progress":1}}"#;
    const RESULT: &str =
        r#"{"jsonrpc":"2.0","id":1,"result":{"content":[],"_meta":{"dev.gauntlet/receipt":"a-1"}}}"#;

    #[test]
    fn heads_and_frames_around_the_response() {
        let direct = exchange(200, ("x-a", "1"), &["", PROGRESS, RESULT]);
        let same = exchange(200, ("x-a", "1"), &[PROGRESS, RESULT]);
        assert_eq!(told(around(&direct, &same)), [""; 0]);
        let late = exchange(502, ("x-b", "1"), &[RESULT, PROGRESS]);
        assert_eq!(
            told(around(&direct, &late)),
            [
                "changed status: 200 -> 502",
                "dropped header x-a: 1 -> ",
                "added header x-b:  -> 1",
                "reordered frames: notifications/progress, (answer) -> (answer), notifications/progress"
            ]
        );
        let none = exchange(200, ("x-a", "1"), &[RESULT]);
        assert!(told(around(&direct, &none))[0].starts_with("dropped frame notifications/progress: "));
    }

    #[test]
    fn what_is_minted_is_no_difference_but_its_loss_is() {
        let direct = exchange(200, ("x-a", "1"), &[RESULT]);
        let other =
            r#"{"jsonrpc":"2.0","id":1,"result":{"content":[],"_meta":{"dev.gauntlet/receipt":"b-7"}}}"#;
        assert_eq!(told(response(&direct, &exchange(200, ("x-a", "1"), &[other]))), [""; 0]);
        let bare = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[]}}"#;
        let lost = told(response(&direct, &exchange(200, ("x-a", "1"), &[bare])));
        assert_eq!(lost, [r#"dropped /result/_meta: {"dev.gauntlet/receipt":"(minted)"} -> "#]);
    }

    #[test]
    fn a_result_that_became_an_error_is_one_difference() {
        let direct = exchange(200, ("x-a", "1"), &[RESULT]);
        let error = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"no"}}"#;
        let told = told(response(&direct, &exchange(200, ("x-a", "1"), &[error])));
        assert_eq!(told, [r#"changed outcome: result  "" -> error -32000  "no""#]);
    }
}
