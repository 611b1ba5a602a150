//! Who wants to be told when the list changes: a session's GET stream, a connection of lines, a subscription.

use super::session::Outlet;
use crate::wire::{Json, Object, rpc};
use std::sync::Mutex;

/// The member of `_meta` that names a modern subscription.
const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

/// One who listens.
#[derive(Clone, Debug)]
pub(super) struct Listener {
    /// The session that it belongs to.
    pub(super) session: String,
    /// The id of the `subscriptions/listen` that opened it; `None` in the legacy era.
    pub(super) subscription: Option<Json>,
    pub(super) outlet: Outlet,
}

/// All who listen to one server.
#[derive(Debug, Default)]
pub(super) struct Listeners(Mutex<Vec<Listener>>);

impl Listeners {
    /// Adds one.
    pub(super) fn add(&self, listener: Listener) {
        let mut listeners = self.0.lock().expect("no writer panics");
        listeners
            .retain(|listener| !matches!(&listener.outlet, Outlet::Events(stream) if stream.is_closed()));
        listeners.push(listener);
    }

    /// Whether a legacy session has an open stream of notices.
    pub(super) fn has_stream(&self, session: &str) -> bool {
        let listeners = self.0.lock().expect("no writer panics");
        listeners.iter().any(|listener| {
            let open = matches!(&listener.outlet, Outlet::Events(stream) if !stream.is_closed());
            open && listener.subscription.is_none() && listener.session == session
        })
    }

    /// Removes those of a session, or only one of its subscriptions.
    pub(super) fn remove(&self, session: &str, subscription: Option<&Json>) {
        let gone = |listener: &Listener| {
            listener.session == session
                && (subscription.is_none() || listener.subscription.as_ref() == subscription)
        };
        self.0.lock().expect("no writer panics").retain(|listener| !gone(listener));
    }

    /// Removes all: their streams end.
    pub(super) fn clear(&self) {
        self.0.lock().expect("no writer panics").clear();
    }

    /// Tells everybody that the tool list changed.
    pub(super) async fn tell(&self) {
        let listeners = self.0.lock().expect("no writer panics").clone();
        for listener in listeners {
            let params = listener.subscription.as_ref().map(subscribed).unwrap_or_else(Json::object);
            listener
                .outlet
                .send(&rpc::notification("notifications/tools/list_changed", params).to_bytes())
                .await;
        }
    }
}

/// `{"_meta": {subscriptionId}}`.
pub(super) fn subscribed(subscription: &Json) -> Json {
    let mut meta = Object::default();
    meta.set(SUBSCRIPTION, subscription.clone());
    let mut params = Object::default();
    params.set("_meta", Json::Object(meta));
    Json::Object(params)
}
