//! Which exchange a piece belongs to, and what a server that asks is told.

use super::ask::members;
use super::flight::Slot;
use super::opening::Opening;
use crate::diagnostic::printable_bytes;
use crate::transcript::{Ended, Received};
use crate::wire::{Json, Message, RpcError, rpc};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::sync::{mpsc, watch};

/// What stands before the lines that were no frames, where it is told how a connection ended.
pub const PRINTED: &str = "; it had printed: ";
/// What stands between two of them.
pub const BETWEEN: &str = " | ";
/// So many lines that were no frames are told when the connection ends.
const LAST_WORDS: usize = 5;
/// So many bytes of each.
const LONGEST_WORD: usize = 200;

/// Everything that a session hears; shared by the tasks that listen.
#[derive(Debug)]
pub(super) struct Hearing {
    heard: Mutex<Heard>,
    pub(super) changed: watch::Sender<()>,
    /// Frames that answer the server's own requests.
    replies: mpsc::UnboundedSender<Json>,
    /// Requests of this method are the runner's to answer.
    left_to_runner: Option<&'static str>,
    /// What was offered, by the names of capabilities, and is declined when it is asked for.
    offers: Vec<&'static str>,
}

#[derive(Debug, Default)]
struct Heard {
    /// Exchanges whose request is still held by someone, oldest first.
    slots: Vec<Weak<Slot>>,
    notices: Vec<Received>,
    lost: Option<String>,
    /// Whether the server may ask at all, and so is answered: not in the modern era.
    answers: bool,
}

impl Hearing {
    /// Hears for a session that is opened so; elicitation is the runner's to answer where it was offered to it.
    pub(super) fn new(opening: &Opening, replies: mpsc::UnboundedSender<Json>) -> Self {
        let left_to_runner = (opening.elicitation || opening.address).then_some("elicitation/create");
        let offers = opening.offers.clone();
        let heard = Mutex::new(Heard { answers: true, ..Heard::default() });
        Self { heard, changed: watch::Sender::new(()), replies, left_to_runner, offers }
    }

    pub(super) fn answer_nothing(&self) {
        self.heard().answers = false;
    }

    /// Takes a new exchange in. On a connection that is gone it is lost at once.
    pub(super) fn open(&self, slot: &Arc<Slot>) {
        let mut heard = self.heard();
        heard.slots.retain(|known| known.strong_count() > 0);
        heard.slots.push(Arc::downgrade(slot));
        if let Some(why) = &heard.lost {
            slot.end(Ended::Lost(why.clone()));
        }
    }

    pub(super) fn notices(&self) -> Vec<Received> {
        self.heard().notices.clone()
    }

    /// A piece from an exchange's own answer. Whether it is the response to it.
    pub(super) fn in_answer(&self, slot: &Slot, piece: &Received) -> bool {
        let messages = piece.frames();
        // A change of a list concerns the session, whichever way it came.
        if messages.iter().any(is_about_the_session) {
            self.note(piece.clone());
        }
        slot.push(piece.clone());
        messages.iter().for_each(|message| self.consider(message));
        slot.id.is_some() && messages.iter().any(|message| response_id(message) == slot.id.as_ref())
    }

    /// A piece that came on a way which all exchanges share.
    pub(super) fn in_common(&self, piece: &Received) {
        let messages = piece.frames();
        let slots = self.slots();
        let mut owned = false;
        for id in messages.iter().filter_map(response_id) {
            if let Some(slot) = awaiting(&slots, id) {
                slot.push(piece.clone());
                slot.end(Ended::Answered);
                owned = true;
            }
        }
        if !owned {
            slots.iter().filter(|slot| slot.is_open()).for_each(|slot| slot.push(piece.clone()));
            self.note(piece.clone());
        }
        messages.iter().for_each(|message| self.consider(message));
    }

    /// The common way brought something that cannot be kept: whoever waits for an answer may have lost it.
    pub(super) fn unreadable(&self, why: &str) {
        self.slots().iter().for_each(|slot| slot.end(Ended::Lost(why.to_owned())));
    }

    /// The common way has ended: what it brought that was no frame mostly says why.
    pub(super) fn ended(&self, why: &str) {
        let heard = self.heard();
        let strange =
            heard.notices.iter().filter(|piece| piece.frames().is_empty() && !piece.bytes.is_empty());
        let mut words: Vec<String> = strange
            .rev()
            .take(LAST_WORDS)
            .map(|piece| printable_bytes(piece.bytes.trim_ascii(), LONGEST_WORD))
            .collect();
        drop(heard);
        words.reverse();
        let printed =
            if words.is_empty() { String::new() } else { format!("{PRINTED}{}", words.join(BETWEEN)) };
        self.lost(&format!("{why}{printed}"));
    }

    /// Waits until the common way is gone.
    pub(super) async fn over(&self) {
        let mut changed = self.changed.subscribe();
        while self.heard().lost.is_none() && changed.changed().await.is_ok() {}
    }

    /// The common way is gone.
    pub(super) fn lost(&self, why: &str) {
        self.heard().lost.get_or_insert_with(|| why.to_owned());
        self.unreadable(why);
        self.changed.send_replace(());
    }

    fn note(&self, piece: Received) {
        self.heard().notices.push(piece);
        self.changed.send_replace(());
    }

    fn consider(&self, message: &Message) {
        let Message::Request { id, method, .. } = message else { return };
        if self.left_to_runner == Some(method) || !self.heard().answers {
            return;
        }
        let offered = self.offers.iter().any(|name| method.split('/').next() == Some(name));
        let reply = match method.as_str() {
            "ping" => rpc::result(id.clone(), Json::object()),
            "elicitation/create" if offered => {
                rpc::result(id.clone(), members([("action", "decline".into())]))
            }
            "roots/list" if offered => rpc::result(id.clone(), members([("roots", Json::Array(Vec::new()))])),
            // MCP 2025-11-25, client features: sampling that the user rejected.
            _ if offered => rpc::error(id.clone(), RpcError::new(-1, format!("`{method}` is declined"))),
            _ => rpc::error(
                id.clone(),
                RpcError::new(rpc::METHOD_NOT_FOUND, format!("`{method}` was not offered")),
            ),
        };
        // Nobody replies once the session is closed.
        let _ = self.replies.send(reply);
    }

    fn slots(&self) -> Vec<Arc<Slot>> {
        self.heard().slots.iter().filter_map(Weak::upgrade).collect()
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The exchange that a response belongs to: the first that waits under that id, or the last that waited. A response
/// without an id (JSON-RPC 2.0, section 5: the request's could not be read) belongs to the first that waits without
/// one, or to the only one that waits.
fn awaiting<'a>(slots: &'a [Arc<Slot>], id: &Json) -> Option<&'a Arc<Slot>> {
    let fits = |slot: &&Arc<Slot>| slot.id.as_ref() == (!id.is_null()).then_some(id);
    let waiting = slots.iter().filter(fits).find(|slot| slot.is_open());
    if !id.is_null() {
        return waiting.or_else(|| slots.iter().rev().find(fits));
    }
    waiting.or_else(|| {
        let mut open = slots.iter().filter(|slot| slot.is_open());
        open.next().filter(|_| open.next().is_none())
    })
}

fn response_id(message: &Message) -> Option<&Json> {
    if let Message::Response { id, .. } = message { Some(id) } else { None }
}

fn is_about_the_session(message: &Message) -> bool {
    matches!(message, Message::Notification { method, .. } if method.ends_with("_changed") || method.ends_with("/updated"))
}
