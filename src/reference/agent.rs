//! The way back to an agent: notices, and questions that its client has to answer.

use crate::wire::{Json, rpc};
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::{mpsc, oneshot};

/// Where frames for an agent go: the stream of one of its requests, or that of its notices.
pub(super) type Outlet = mpsc::Sender<Json>;

/// How many frames an outlet holds before whoever fills it has to wait.
pub(super) const ROOM: usize = 64;

/// One agent, as far as it can be spoken to.
#[derive(Debug, Default)]
pub(super) struct Agent {
    notices: Mutex<Option<Outlet>>,
    asked: Mutex<HashMap<i64, oneshot::Sender<Json>>>,
    next: AtomicI64,
}

/// Forgets a question when nobody waits for its answer any more.
struct Asking<'a>(&'a Agent, i64);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        lock(&self.0.asked).remove(&self.1);
    }
}

impl Agent {
    /// From now on notices go there; who was there before is told no more.
    pub(super) fn listen(&self, outlet: Outlet) {
        *lock(&self.notices) = Some(outlet);
    }

    /// Ends the stream of notices.
    pub(super) fn stop_listening(&self) {
        *lock(&self.notices) = None;
    }

    /// Sends a frame that belongs to no request. Without a listener, or with one that does not read, it is lost.
    pub(super) fn tell(&self, frame: Json) {
        let outlet = lock(&self.notices).clone();
        if let Some(outlet) = outlet {
            let _ = outlet.try_send(frame);
        }
    }

    /// Asks the agent's client, in the stream of a request or among the notices; the response as it came, or nothing
    /// where the client cannot be reached.
    pub(super) async fn ask(
        &self,
        method: &str,
        params: Option<Json>,
        near: Option<&Outlet>,
    ) -> Option<Json> {
        let outlet = near.cloned().or_else(|| lock(&self.notices).clone())?;
        let id = self.next.fetch_add(1, Ordering::Relaxed) + 1;
        let (sender, answer) = oneshot::channel();
        lock(&self.asked).insert(id, sender);
        let _asking = Asking(self, id);
        let mut frame = rpc::request(id, method, Json::Null);
        if let Some(frame) = frame.as_object_mut() {
            match params {
                Some(params) => frame.set("params", params),
                None => drop(frame.remove("params")),
            }
        }
        outlet.send(frame).await.ok()?;
        answer.await.ok()
    }

    /// Takes a response of the client; `false` where nobody asked.
    pub(super) fn answered(&self, response: Json) -> bool {
        let id = response.get("id").and_then(Json::as_i64);
        let asker = id.and_then(|id| lock(&self.asked).remove(&id));
        asker.is_some_and(|asker| asker.send(response).is_ok())
    }
}

/// A lock that outlives a panic of another task.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_finds_who_asked_and_nobody_else_is_heard() {
        let agent = std::sync::Arc::new(Agent::default());
        assert_eq!(agent.ask("roots/list", None, None).await, None);
        let (outlet, mut frames) = mpsc::channel(4);
        agent.listen(outlet);
        let asking = tokio::spawn({
            let agent = agent.clone();
            async move { agent.ask("elicitation/create", Some(Json::object()), None).await }
        });
        let question = frames.recv().await.unwrap();
        assert!(!agent.answered(rpc::result(Json::from(99), Json::object())));
        let answer = rpc::result(question.get("id").unwrap().clone(), Json::from("yes"));
        assert!(agent.answered(answer.clone()));
        assert_eq!(asking.await.unwrap(), Some(answer.clone()));
        assert!(!agent.answered(answer), "answered already");
    }
}
