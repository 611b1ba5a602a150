//! A way to an upstream over HTTP.

use super::{Ask, Footing, Trouble, answer_server, request};
use crate::declared::Failure;
use crate::reference::agent::Outlet;
use crate::reference::inflate::Inflate;
use crate::transport::http_client::{HttpClient, Incoming, Lost, Outgoing};
use crate::wire::era::header;
use crate::wire::rpc::Asks;
use crate::wire::{Era, Json, Message, parse, rpc, sse};
use base64::Engine as _;
use bytes::Bytes;
use http::Method;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

/// The longest answer that is taken.
const LONGEST: usize = 64 << 20;

/// A way over HTTP; in the legacy era, one session.
#[derive(Clone, Debug)]
pub(in crate::reference) struct HttpLink(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    client: HttpClient,
    url: String,
    headers: Vec<(String, String)>,
    footing: Footing,
    /// The upstream's session, and the revision it settled on.
    session: Option<String>,
    version: String,
    next: AtomicI64,
    dead: AtomicBool,
}

/// Tells the upstream that a request is taken back, unless it was answered.
struct TakeBack {
    link: HttpLink,
    id: Option<i64>,
}

impl Drop for TakeBack {
    fn drop(&mut self) {
        let Some(id) = self.id else { return };
        // In the modern era, the closed stream says it.
        if self.link.0.footing.revision.era() == Era::Legacy {
            let params = serde_json::json!({"requestId": id, "reason": "taken back by the agent"});
            let frame = rpc::notification("notifications/cancelled", params.into());
            let link = self.link.clone();
            self.link.0.footing.tasks.spawn(async move { link.tell(frame).await });
        }
    }
}

impl HttpLink {
    /// Opens the way: in the legacy era with a session of its own, in the modern without a word.
    pub(in crate::reference) async fn open(
        client: HttpClient,
        url: &str,
        headers: &[(String, String)],
        footing: Footing,
    ) -> Result<Self, Trouble> {
        let version = footing.revision.to_string();
        let inner = |session, version, footing| {
            let (url, headers, next) = (url.to_owned(), headers.to_vec(), AtomicI64::new(0));
            Self(Arc::new(Inner {
                client: client.clone(),
                url,
                headers,
                footing,
                session,
                version,
                next,
                dead: AtomicBool::new(false),
            }))
        };
        let link = inner(None, version, footing.clone());
        if footing.revision.era() == Era::Modern {
            return Ok(link);
        }
        let frame = request(0, "initialize", Some(footing.hello.clone()));
        let incoming = link.post(&frame, Vec::new()).await?;
        let session = incoming.header(header::SESSION).map(str::to_owned);
        let answer = link.answer(incoming, 0, None).await?;
        let Message::Response { outcome: Ok(result), .. } = Message::of(&answer) else {
            return Err(Trouble::new(Failure::Unreachable, "the upstream refused to open a session"));
        };
        let version =
            result.get("protocolVersion").and_then(Json::as_str).unwrap_or(&link.0.version).to_owned();
        let link = inner(session, version, footing);
        link.tell(rpc::notification("notifications/initialized", Json::object())).await;
        link.hear_notices();
        Ok(link)
    }

    /// Asks; gives the response frame under the id of the link.
    pub(super) async fn ask(&self, ask: Ask<'_>) -> Result<Json, Trouble> {
        let id = self.0.next.fetch_add(1, Ordering::Relaxed) + 1;
        let mut headers = ask.headers;
        if self.0.footing.revision.era() == Era::Modern {
            headers.extend(mirrored(ask.method, ask.params.as_ref()));
        }
        let frame = request(id, ask.method, ask.params);
        let mut guard = TakeBack { link: self.clone(), id: Some(id) };
        let answer =
            async { self.answer(self.post(&frame, headers).await?, id, Some(ask.outlet)).await }.await;
        guard.id = None;
        answer
    }

    /// Sends a frame that wants no answer; whether it arrived is not told.
    pub(super) async fn tell(&self, frame: Json) {
        let modern = self.0.footing.revision.era() == Era::Modern;
        let asks = Asks::of(&frame).filter(|_| modern);
        let headers = asks.map(|asks| mirrored(asks.method, asks.params)).unwrap_or_default();
        if let Ok(incoming) = self.post(&frame, headers).await {
            let _ = incoming.whole(LONGEST).await;
        }
    }

    pub(super) fn is_dead(&self) -> bool {
        self.0.dead.load(Ordering::Relaxed)
    }

    /// Ends the upstream's session, where there is one.
    pub(super) async fn close(&self) {
        if self.0.session.is_some() && !self.is_dead() {
            let _ = self.0.client.send(self.outgoing(Method::DELETE, Bytes::new(), Vec::new())).await;
        }
    }

    async fn post(&self, frame: &Json, headers: Vec<(String, String)>) -> Result<Incoming, Trouble> {
        let outgoing = self.outgoing(Method::POST, frame.to_bytes().into(), headers);
        self.0.client.send(outgoing).await.map_err(|lost| trouble(&lost))
    }

    fn outgoing(&self, method: Method, body: Bytes, more: Vec<(String, String)>) -> Outgoing {
        let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut headers = vec![own(
            "accept",
            if method == Method::GET { "text/event-stream" } else { "application/json, text/event-stream" },
        )];
        if method == Method::POST {
            headers.push(own("content-type", "application/json"));
        }
        headers.push(own("accept-encoding", "gzip, deflate"));
        headers.extend(self.0.session.as_deref().map(|session| own(header::SESSION, session)));
        if self.0.session.is_some() || self.0.footing.revision.era() == Era::Modern {
            headers.push(own(header::VERSION, &self.0.version));
        }
        headers.extend(self.0.headers.iter().cloned());
        headers.extend(more);
        Outgoing { method, url: self.0.url.clone(), headers, body }
    }

    /// Reads the answer to a request out of a body or a stream.
    async fn answer(
        &self,
        mut incoming: Incoming,
        id: i64,
        outlet: Option<&Outlet>,
    ) -> Result<Json, Trouble> {
        if incoming.status == 404 && self.0.session.is_some() {
            self.0.dead.store(true, Ordering::Relaxed);
            return Err(Trouble::new(Failure::Dropped, "the upstream's session is lost"));
        }
        let unpacked = |name: &&str| (self.0.footing.unpacks)(name);
        let mut inflate = Inflate::of(incoming.header("content-encoding").filter(unpacked));
        let is_stream =
            incoming.header("content-type").is_some_and(|kind| kind.starts_with("text/event-stream"));
        let mut decoder = sse::Decoder::default();
        let mut body = Vec::new();
        while let Some(piece) =
            incoming.chunk().await.map_err(|lost| Trouble::new(Failure::Dropped, lost.0))?
        {
            let piece = inflate.push(&piece).map_err(|_| garbage("its encoding"))?;
            if !is_stream {
                body.extend_from_slice(&piece);
                if body.len() > LONGEST {
                    return Err(garbage("its length"));
                }
                continue;
            }
            for event in decoder.push(&piece) {
                if let Some(answer) = self.take(event.data.as_bytes(), id, outlet).await {
                    return Ok(answer);
                }
            }
        }
        let answer = if is_stream { None } else { self.take(&body, id, outlet).await };
        let explained = || (self.0.footing.explains)(incoming.status, incoming.header("set-cookie"));
        answer.ok_or_else(|| garbage(&explained()))
    }

    /// The response to the request, if that is what the bytes are; everything else goes where it belongs.
    async fn take(&self, bytes: &[u8], id: i64, outlet: Option<&Outlet>) -> Option<Json> {
        let frame = parse((self.0.footing.hears)(bytes)).ok()?;
        match Asks::of(&frame) {
            None if !rpc::is_response(&frame) => None,
            None => (self.0.footing.answers)(id, frame.get("id").unwrap_or(&Json::Null)).then_some(frame),
            Some(asks) if !(self.0.footing.relays)(asks.method) => None,
            Some(Asks { id: Some(_), .. }) => {
                self.answer_beside(frame, outlet.cloned());
                None
            }
            Some(Asks { id: None, .. }) => {
                match outlet {
                    Some(outlet) => drop(outlet.send(frame).await),
                    None => self.0.footing.agent.tell(frame),
                }
                None
            }
        }
    }

    fn answer_beside(&self, frame: Json, near: Option<Outlet>) {
        let (link, footing) = (self.clone(), self.0.footing.clone());
        self.0.footing.tasks.spawn(async move {
            let answer = tokio::select! {
                () = footing.closed.cancelled() => None,
                answer = answer_server(&footing, &frame, near.as_ref()) => answer,
            };
            if let Some(answer) = answer {
                link.tell(answer).await;
            }
        });
    }

    /// Hears what belongs to no request, until the session ends. A server without such a stream says 405.
    fn hear_notices(&self) {
        let (link, closed) = (self.clone(), self.0.footing.closed.clone());
        self.0.footing.tasks.spawn(async move {
            let heard = async {
                let outgoing = link.outgoing(Method::GET, Bytes::new(), Vec::new());
                let Ok(incoming) = link.0.client.send(outgoing).await else { return };
                if incoming.status == 200 {
                    // No request has this id: the stream is read to its end.
                    let _ = link.answer(incoming, -1, None).await;
                }
            };
            tokio::select! {
                () = closed.cancelled() => {}
                () = heard => {}
            }
        });
    }
}

fn garbage(what: &str) -> Trouble {
    Trouble::new(Failure::Dropped, format!("the upstream's answer cannot be used: {what}"))
}

fn trouble(lost: &Lost) -> Trouble {
    let failure = if lost.is_unsent() { Failure::Unreachable } else { Failure::Dropped };
    Trouble::new(failure, format!("the upstream cannot be reached: {}", lost.0))
}

/// The headers that repeat what the body says.
fn mirrored(method: &str, params: Option<&Json>) -> Vec<(String, String)> {
    let member = match method {
        "tools/call" | "prompts/get" => "name",
        "resources/read" => "uri",
        _ => "",
    };
    let name = params.and_then(|params| params.get(member)).and_then(Json::as_str).map(header_text);
    let name = name.map(|name| (header::NAME.to_owned(), name));
    std::iter::once((header::METHOD.to_owned(), method.to_owned())).chain(name).collect()
}

/// Text that a header cannot carry is wrapped, as the specification says.
fn header_text(text: &str) -> String {
    let plain = text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        && text.trim() == text
        && !text.starts_with("=?");
    if plain {
        text.to_owned()
    } else {
        format!("=?base64?{}?=", base64::engine::general_purpose::STANDARD.encode(text))
    }
}
