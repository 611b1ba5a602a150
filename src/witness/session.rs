//! A session: what it sends, what it heard, how it ends.

use super::ask::{Ask, Dress, Parcel, Raw, members, set};
use super::flight::{InFlight, Slot};
use super::hearing::Hearing;
use super::opening::{NOTICES_WITHIN, OpenError, Opening, Target, agree};
use super::over_lines::Out;
use super::{over_http, over_lines};
use crate::transcript::{Exchange, Received};
use crate::transport::HttpClient;
use crate::transport::http_client::Outgoing;
use crate::wire::{Json, Message, Revision, RpcError, rpc};
use http::Method;
use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::AbortOnDropHandle;

/// A client's session. Clones are the same session; it ends with the last one.
#[derive(Clone)]
pub struct Session(Arc<Inner>);

struct Inner {
    way: Way,
    hearing: Arc<Hearing>,
    dress: Mutex<Dress>,
    last_id: AtomicI64,
    opening: OnceLock<Vec<Exchange>>,
    patience: Duration,
    /// What listens for as long as the session lives.
    tasks: Mutex<Vec<AbortOnDropHandle<()>>>,
}

enum Way {
    Http { client: HttpClient, url: String, headers: Vec<(String, String)> },
    Lines(mpsc::UnboundedSender<Out>),
}

impl Session {
    /// Opens a session. Must be called within a runtime.
    pub async fn open(target: Target, opening: Opening) -> Result<Self, OpenError> {
        let (replies, to_reply) = mpsc::unbounded_channel();
        let hearing = Arc::new(Hearing::new(&opening, replies));
        let mut tasks = Vec::new();
        let way = match target {
            Target::Http { url, headers } => Way::Http { client: HttpClient::new(), url, headers },
            Target::Stdio { reader, writer } => {
                let (out, to_write) = mpsc::unbounded_channel();
                tasks.push(spawn(over_lines::write(writer, to_write, hearing.clone())));
                tasks.push(spawn(over_lines::hear(reader, hearing.clone())));
                Way::Lines(out)
            }
        };
        let (dress, last_id) = (Mutex::new(opening.dress()), AtomicI64::new(0));
        let (opened, patience, tasks) = (OnceLock::new(), opening.patience, Mutex::new(tasks));
        let session =
            Self(Arc::new(Inner { way, hearing, dress, last_id, opening: opened, patience, tasks }));
        session.keep(spawn(reply(Arc::downgrade(&session.0), to_reply)));
        let mut said = agree(&session, &opening).await?;
        if session.dress().is_modern() {
            session.0.hearing.answer_nothing();
        }
        if opening.notices {
            session.listen().await;
        }
        if opening.lists_first {
            // Whatever comes of it: what is asked later shows whether the session is of use.
            said.extend(session.list_tools(opening.patience).await.pages);
        }
        // Set once, here.
        let _ = session.0.opening.set(said);
        Ok(session)
    }

    /// The revision that is spoken.
    pub fn revision(&self) -> Revision {
        self.dress().revision.unwrap_or(Revision::NEWEST_LEGACY)
    }

    /// The `Mcp-Session-Id` that the server gave, if any.
    pub fn id(&self) -> Option<String> {
        self.dress().session.clone()
    }

    /// What the era wants in the `_meta` of each request: an object, empty in the legacy era.
    pub fn envelope(&self) -> Json {
        Json::Object(self.dress().envelope())
    }

    /// What was said while it was opened.
    pub fn opening_exchanges(&self) -> Vec<Exchange> {
        self.0.opening.get().cloned().unwrap_or_default()
    }

    /// Asks. The request is on its way when this returns; must be called within a runtime.
    pub fn start(&self, mut ask: Ask) -> InFlight {
        let count = || Json::from(self.0.last_id.fetch_add(1, Ordering::Relaxed) + 1);
        let id = ask.id.take().unwrap_or_else(count);
        let parcel = self.dress().ask(ask, Some(id));
        self.launch(parcel)
    }

    /// Notifies. On lines nothing ever ends the exchange.
    pub fn notify(&self, method: &str, params: Json) -> InFlight {
        let parcel = self.dress().ask(Ask::new(method, params), None);
        self.launch(parcel)
    }

    /// Sends bytes as they are.
    pub fn start_raw(&self, raw: Raw) -> InFlight {
        let parcel = self.dress().raw(raw);
        self.launch(parcel)
    }

    /// Answers a request of the server.
    pub async fn answer(&self, id: Json, outcome: Result<Json, RpcError>) -> Exchange {
        let frame = match outcome {
            Ok(result) => rpc::result(id, result),
            Err(error) => rpc::error(id, error),
        };
        let mut sending = self.start_raw(Raw { bytes: frame.to_bytes().into(), ..Raw::default() });
        if self.is_http() { sending.wait(self.0.patience).await } else { sending.so_far() }
    }

    /// Waits for a notification of that method (`notifications/` may be left out) that came at `since` or later.
    pub async fn notice(&self, method: &str, since: Instant, within: Duration) -> Option<Received> {
        let wanted = method.strip_prefix("notifications/").unwrap_or(method);
        let is_wanted = |method: &str, _: &Json| method.strip_prefix("notifications/") == Some(wanted);
        self.notice_of(since, within, is_wanted).await
    }

    /// The same for a notification whose method and parameters are those wanted.
    pub async fn notice_of(
        &self,
        since: Instant,
        within: Duration,
        is_wanted: impl Fn(&str, &Json) -> bool,
    ) -> Option<Received> {
        let fits = |piece: &Received| match piece.frame() {
            Some(Message::Notification { method, params }) => {
                is_wanted(method, params.as_ref().unwrap_or(&Json::Null))
            }
            _ => false,
        };
        let mut changes = self.0.hearing.changed.subscribe();
        let heard = async {
            loop {
                changes.mark_unchanged();
                let found = self.notices().into_iter().find(|piece| piece.at >= since && fits(piece));
                if found.is_some() || changes.changed().await.is_err() {
                    return found;
                }
            }
        };
        tokio::time::timeout(within, heard).await.ok().flatten()
    }

    /// Everything that belonged to no exchange, and every change of a list.
    pub fn notices(&self) -> Vec<Received> {
        self.0.hearing.notices()
    }

    /// Ends it: a legacy HTTP session is deleted (the exchange is given), lines are closed.
    pub async fn close(self) -> Option<Exchange> {
        match &self.0.way {
            Way::Http { .. } => {
                self.id()?;
                let delete = Raw { method: Some(Method::DELETE), ..Raw::default() };
                Some(self.start_raw(delete).wait(self.0.patience).await)
            }
            Way::Lines(out) => {
                let (done, closed) = oneshot::channel();
                let _ = out.send(Out::Close(done));
                // A far side that does not read keeps what is unwritten; it must not keep us.
                let _ = tokio::time::timeout(self.0.patience, closed).await;
                None
            }
        }
    }

    pub(super) fn is_http(&self) -> bool {
        matches!(self.0.way, Way::Http { .. })
    }

    pub(super) fn cancels_by_closing(&self) -> bool {
        self.is_http() && self.dress().is_modern()
    }

    pub(super) async fn tell_cancelled(&self, id: Json) {
        let mut told = self.notify("notifications/cancelled", members([("requestId", id)]));
        if self.is_http() {
            told.wait(self.0.patience).await;
        }
    }

    pub(super) fn change_dress(&self, change: impl FnOnce(&mut Dress)) {
        change(&mut self.dress());
    }

    fn dress(&self) -> MutexGuard<'_, Dress> {
        self.0.dress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn launch(&self, parcel: Parcel) -> InFlight {
        let slot = Arc::new(Slot::new(parcel.id.clone(), parcel.bytes.clone()));
        self.0.hearing.open(&slot);
        let task = match &self.0.way {
            Way::Http { client, .. } => {
                let (client, hearing) = (client.clone(), self.0.hearing.clone());
                Some(spawn(over_http::exchange(client, self.outgoing(parcel), slot.clone(), hearing)))
            }
            Way::Lines(out) => {
                // The writing task lives as long as the session.
                let _ = out.send(Out::Frame(parcel.bytes, Some(slot.clone())));
                None
            }
        };
        InFlight { slot, task, session: self.clone() }
    }

    fn outgoing(&self, parcel: Parcel) -> Outgoing {
        let (url, own) = match &self.0.way {
            Way::Http { url, headers, .. } => (url.as_str(), headers.clone()),
            Way::Lines(_) => ("", Vec::new()),
        };
        let mut headers = set(own, parcel.headers);
        headers.retain(|(name, _)| !parcel.without.iter().any(|left| left.eq_ignore_ascii_case(name)));
        let url = parcel.path.map_or_else(|| url.to_owned(), |path| format!("{}{path}", origin(url)));
        Outgoing { method: parcel.verb, url, headers, body: parcel.bytes }
    }

    /// Asks for notices, in the way of the era.
    async fn listen(&self) {
        if self.dress().is_modern() {
            let wanted = members([("notifications", members([("toolsListChanged", true.into())]))]);
            let mut flight = self.start(Ask::new("subscriptions/listen", wanted));
            flight.wait_until(|exchange| !exchange.received.is_empty(), NOTICES_WITHIN).await;
            let InFlight { slot, task, .. } = flight;
            self.keep(spawn(hold(slot, task)));
        } else if let Way::Http { client, .. } = &self.0.way {
            let mut parcel = self.dress().raw(Raw { method: Some(Method::GET), ..Raw::default() });
            parcel.headers = set(parcel.headers, vec![("accept".into(), "text/event-stream".into())]);
            let (ready, head) = oneshot::channel();
            let (client, outgoing) = (client.clone(), self.outgoing(parcel));
            self.keep(spawn(over_http::notices(client, outgoing, ready, self.0.hearing.clone())));
            let _ = tokio::time::timeout(NOTICES_WITHIN, head).await;
        }
    }

    fn keep(&self, task: AbortOnDropHandle<()>) {
        self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner).push(task);
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Session({}, {:?})", self.revision(), self.id())
    }
}

fn spawn(task: impl Future<Output = ()> + Send + 'static) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(task))
}

/// Keeps an exchange alive beside the session that owns it, without owning the session.
async fn hold(slot: Arc<Slot>, task: Option<AbortOnDropHandle<()>>) {
    let _held = (slot, task);
    std::future::pending::<()>().await;
}

/// Sends what answers the server's own requests. It must not keep the session alive.
async fn reply(session: Weak<Inner>, mut replies: mpsc::UnboundedReceiver<Json>) {
    while let Some(frame) = replies.recv().await {
        let Some(inner) = session.upgrade() else { return };
        let session = Session(inner);
        let mut sending = session.start_raw(Raw { bytes: frame.to_bytes().into(), ..Raw::default() });
        if session.is_http() {
            sending.wait(session.0.patience).await;
        }
    }
}

/// Scheme and authority of a URL.
fn origin(url: &str) -> &str {
    let authority = url.find("://").map_or(0, |place| place + 3);
    url[authority..].find('/').map_or(url, |path| &url[..authority + path])
}
