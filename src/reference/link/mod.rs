//! One way to one upstream: requests out under ids of our own, and what comes back for each.
//!
//! It knows nothing of policies: whatever is put in goes out, once.

mod http;
mod lines;

pub(super) use http::HttpLink;
pub(super) use lines::LinesLink;

use super::agent::{Agent, Outlet};
use super::refusal::Put;
use crate::declared::Failure;
use crate::wire::{Json, Message, Revision, RpcError, rpc};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A way to an upstream.
#[derive(Debug)]
pub(super) enum Link {
    /// Over HTTP.
    Http(HttpLink),
    /// To a process, line by line.
    Lines(LinesLink),
}

/// What every link knows of the agent it works for.
#[derive(Clone, Debug)]
pub(super) struct Footing {
    /// The revision that the agent speaks: the link speaks it too.
    pub(super) revision: Revision,
    /// The parameters of its `initialize`; unused in the modern era.
    pub(super) hello: Json,
    /// The way back.
    pub(super) agent: Arc<Agent>,
    /// Everything that runs beside a request.
    pub(super) tasks: TaskTracker,
    /// Cancelled when the agent's session ends.
    pub(super) closed: CancellationToken,
    /// Whether a response answers the request of that id.
    pub(super) answers: fn(i64, &Json) -> bool,
    /// What is told of an upstream that gave none.
    pub(super) explains: fn(u16, Option<&str>) -> String,
    /// Whether a notice goes on to the agent.
    pub(super) relays: fn(&str) -> bool,
    /// Whether an answer in that encoding is unpacked.
    pub(super) unpacks: fn(&str) -> bool,
    /// What of an answer's bytes is taken for the frame.
    pub(super) hears: fn(&[u8]) -> &[u8],
    /// What is answered to a question in the place of the agent's client.
    pub(super) stands_in: fn(&str) -> Option<Put>,
}

/// A request for an upstream.
#[derive(Debug)]
pub(super) struct Ask<'a> {
    /// The method.
    pub(super) method: &'a str,
    /// Its parameters, as they are to arrive.
    pub(super) params: Option<Json>,
    /// Headers beyond those of the link.
    pub(super) headers: Vec<(String, String)>,
    /// Where interim frames go.
    pub(super) outlet: &'a Outlet,
    /// Cancelled when the agent takes the request back, or goes away.
    pub(super) gone: &'a CancellationToken,
    /// For so long an answer is waited for; `None` for requests that stay open.
    pub(super) patience: Option<Duration>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    /// Of which kind.
    pub(super) failure: Failure,
    /// In words, a fragment.
    pub(super) what: String,
}

impl Trouble {
    pub(super) fn new(failure: Failure, what: impl Into<String>) -> Self {
        Self { failure, what: what.into() }
    }
}

impl Link {
    /// Asks, and gives the response frame as it came, under the id of the link.
    pub(super) async fn ask(&self, ask: Ask<'_>) -> Result<Json, Trouble> {
        let patience = ask.patience;
        let (gone, method) = (ask.gone, ask.method);
        let answer = async {
            match self {
                Self::Http(link) => link.ask(ask).await,
                Self::Lines(link) => link.ask(ask).await,
            }
        };
        let limited = async {
            match patience {
                Some(patience) => tokio::time::timeout(patience, answer).await.unwrap_or_else(|_| {
                    Err(Trouble::new(
                        Failure::Timeout,
                        format!("`{method}` was not answered within {}s", patience.as_secs_f64()),
                    ))
                }),
                None => answer.await,
            }
        };
        // Dropping the request is what takes it back: see the guards of the links.
        tokio::select! {
            biased;
            () = gone.cancelled() => Err(Trouble::new(Failure::Cancelled, "request cancelled")),
            answer = limited => answer,
        }
    }

    /// Sends a frame that wants no answer.
    pub(super) async fn tell(&self, frame: Json) {
        match self {
            Self::Http(link) => link.tell(frame).await,
            Self::Lines(link) => link.tell(frame).await,
        }
    }

    /// Whether it can be used any more.
    pub(super) fn is_dead(&self) -> bool {
        match self {
            Self::Http(link) => link.is_dead(),
            Self::Lines(link) => link.is_dead(),
        }
    }

    /// Ends it in an orderly way.
    pub(super) async fn close(&self) {
        match self {
            Self::Http(link) => link.close().await,
            Self::Lines(link) => link.close().await,
        }
    }
}

/// A request frame, `params` left out where there are none.
pub(super) fn request(id: i64, method: &str, params: Option<Json>) -> Json {
    let mut frame = rpc::request(id, method, Json::Null);
    if let Some(frame) = frame.as_object_mut() {
        match params {
            Some(params) => frame.set("params", params),
            None => drop(frame.remove("params")),
        }
    }
    frame
}

/// Answers a request of the server: `ping` at once, everything else as the agent's client does. `None` where the
/// frame is no request, or is the agent's to see.
pub(super) async fn answer_server(footing: &Footing, frame: &Json, near: Option<&Outlet>) -> Option<Json> {
    let Message::Request { id, method, params } = Message::of(frame) else { return None };
    if method == "ping" {
        return Some(rpc::result(id, Json::object()));
    }
    match (footing.stands_in)(&method) {
        Some(Ok(result)) => return Some(rpc::result(id, result)),
        Some(Err(error)) => return Some(rpc::error(id, error)),
        None => {}
    }
    match footing.agent.ask(&method, params, near).await {
        Some(mut response) => {
            response.as_object_mut()?.set("id", id);
            Some(response)
        }
        None => Some(rpc::error(id, RpcError::new(rpc::METHOD_NOT_FOUND, "the client cannot be asked"))),
    }
}
