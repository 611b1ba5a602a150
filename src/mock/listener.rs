//! Who wants to be told when a list or a resource changes: a session's GET stream, a connection of lines, a
//! subscription.

use super::notice::News;
use super::session::Outlet;
use crate::wire::{Json, Object, rpc};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

/// The member of `_meta` that names a modern subscription.
const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

/// The URIs of the resources that somebody watches.
pub(super) type Watched = Arc<Mutex<BTreeSet<String>>>;

/// What somebody wants to hear of.
#[derive(Clone, Debug, Default)]
pub(super) struct Wants {
    /// The lists; a session of the legacy era hears of each that changes.
    pub(super) lists: Vec<News>,
    pub(super) watched: Watched,
}

impl Wants {
    /// Everything that the legacy era tells without being asked, and the resources that are watched.
    pub(super) fn legacy(watched: &Watched) -> Self {
        Self { lists: vec![News::Tools, News::Prompts, News::Resources], watched: Arc::clone(watched) }
    }

    /// Whether there will never be anything to hear.
    pub(super) fn nothing(&self) -> bool {
        self.lists.is_empty() && self.watched.lock().expect("no writer panics").is_empty()
    }

    fn hear(&self, news: &News) -> bool {
        match news {
            News::Updated(uri) => self.watched.lock().expect("no writer panics").contains(uri),
            list => self.lists.contains(list),
        }
    }
}

/// One who listens.
#[derive(Clone, Debug)]
pub(super) struct Listener {
    /// The session that it belongs to.
    pub(super) session: String,
    /// The id of the `subscriptions/listen` that opened it; `None` in the legacy era.
    pub(super) subscription: Option<Json>,
    pub(super) wants: Wants,
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

    /// Tells everybody who wants to hear of it.
    pub(super) async fn tell(&self, news: &News) {
        let listeners = self.0.lock().expect("no writer panics").clone();
        for listener in listeners.iter().filter(|listener| listener.wants.hear(news)) {
            let mut params = listener.subscription.as_ref().map(subscribed).unwrap_or_else(Json::object);
            if let (News::Updated(uri), Some(params)) = (news, params.as_object_mut()) {
                params.set("uri", uri.clone());
            }
            listener.outlet.send(&rpc::notification(news.method(), params).to_bytes()).await;
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
