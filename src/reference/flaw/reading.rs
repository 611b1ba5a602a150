//! Lies about what bytes are taken for.

use crate::declared::{Batch, Declared};
use crate::reference::conduct::{Conduct, Door};
use crate::reference::read::{Frame, Taken, strictly};
use crate::wire::{Json, Message, Object, parse, parse_lenient, rpc};
use flate2::write::GzDecoder;
use std::io::Write as _;

/// Judges nothing that it could not make out.
fn unwatched(frame: Json) -> Taken {
    Taken::One(Frame { policed: false, ..Frame::honest(frame) })
}

pub(super) fn first_of_batch(bytes: &[u8], declared: &Declared) -> Taken {
    match parse(bytes) {
        Ok(Json::Array(frames)) => {
            let mut frames: Vec<Frame> = frames.into_iter().map(Frame::honest).collect();
            frames.iter_mut().skip(1).for_each(|frame| frame.policed = false);
            Taken::Batch(frames)
        }
        _ => strictly(bytes, declared),
    }
}

pub(super) fn first_judged(bytes: &[u8], declared: &Declared) -> Taken {
    match parse(bytes) {
        Ok(frame) if frame.repeats() => {
            Taken::One(Frame { judged: firsts(&frame), sent: frame, policed: true })
        }
        _ => strictly(bytes, declared),
    }
}

/// The first of each repeated member.
pub(super) fn firsts(value: &Json) -> Json {
    match value {
        Json::Array(elements) => Json::Array(elements.iter().map(firsts).collect()),
        Json::Object(object) => {
            let mut kept = Object::default();
            for (name, value) in object.iter() {
                if kept.get(name).is_none() {
                    kept.set(name, firsts(value));
                }
            }
            Json::Object(kept)
        }
        other => other.clone(),
    }
}

pub(super) fn carelessly(bytes: &[u8], declared: &Declared) -> Taken {
    match parse_lenient(bytes) {
        Ok(frame) => strictly(&frame.to_bytes(), declared),
        Err(_) => strictly(bytes, declared),
    }
}

/// Hands on what it cannot read, as it came, line by line: the server will know what to make of it.
pub(super) fn as_it_came(bytes: &[u8], declared: &Declared) -> Taken {
    let marked = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let lines: Result<Vec<Json>, _> = marked.split(|byte| *byte == b'\n').map(parse).collect();
    match (parse(bytes), lines) {
        (Err(_), Ok(frames)) => Taken::Batch(
            frames.into_iter().map(|frame| Frame { policed: false, ..Frame::honest(frame) }).collect(),
        ),
        _ => strictly(bytes, declared),
    }
}

/// Takes batches apart, whatever was declared.
pub(super) fn split(bytes: &[u8], declared: &Declared) -> Taken {
    strictly(bytes, &Declared { batch: Some(Batch::Split), ..declared.clone() })
}

/// Compares names as they are spelled: one with an escape is none that it knows.
pub(super) fn as_spelled(bytes: &[u8], declared: &Declared) -> Taken {
    match strictly(bytes, declared) {
        Taken::One(frame) if bytes.windows(2).any(|pair| pair == b"\\u") => unwatched(frame.judged),
        taken => taken,
    }
}

/// Lets the server find out what is wrong with the parameters of a call.
pub(super) fn malformed_too(bytes: &[u8], declared: &Declared) -> Taken {
    match (strictly(bytes, declared), parse(bytes)) {
        (Taken::Refused { error, .. }, Ok(frame))
            if error.code == rpc::INVALID_PARAMS
                && matches!(Message::of(&frame), Message::Request { .. }) =>
        {
            unwatched(frame)
        }
        (taken, _) => taken,
    }
}

/// Unpacks what came packed, and asks nobody about it.
pub(super) fn unpacked(bytes: &[u8], declared: &Declared) -> Taken {
    let mut decoder = GzDecoder::new(Vec::new());
    let plain = decoder.write_all(bytes).and_then(|()| decoder.finish());
    match plain.ok().and_then(|plain| parse(&plain).ok()) {
        Some(frame) => unwatched(frame),
        None => strictly(bytes, declared),
    }
}

/// Serves every path that ends well, and asks the policy on one of them.
pub(super) fn every_path(path: &str) -> Door {
    let plain = path.split('?').next().unwrap_or_default();
    match plain {
        "/mcp" => Door::Agents,
        other if other.trim_end_matches('/').ends_with("mcp") => Door::Unwatched,
        _ => Door::Closed,
    }
}

/// What comes after the first line is something else.
pub(super) fn first_line(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == b'\n').next().unwrap_or_default()
}

/// Does not look for the id in what it refuses.
pub(super) fn without_ids(bytes: &[u8], declared: &Declared) -> Taken {
    match strictly(bytes, declared) {
        Taken::Refused { error, .. } => Taken::Refused { id: Json::Null, error },
        taken => taken,
    }
}

/// The page of decisions is behind the agents' door.
pub(super) fn decisions_too(path: &str) -> Door {
    if path.starts_with("/approvals") { Door::Decisions } else { (Conduct::default().door)(path) }
}
