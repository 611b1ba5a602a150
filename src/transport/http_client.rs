//! HTTP asked, as plainly as it goes, over TLS where the address says so: a path is sent as it is written, no redirect is
//! followed, no proxy used, nothing sent twice or decoded.
//!
//! One header is added where the caller names none: `accept: */*`. It knows nothing of MCP, and whom to trust is
//! `trust`'s to say.

use super::trust::{self, NO_TRUST};
use bytes::Bytes;
use http::header::{ACCEPT, HeaderName, HeaderValue};
use http::response::Parts;
use http::{Request, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::error::Error;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

/// How long a connection may take to be made.
const CONNECTING: Duration = Duration::from_secs(10);

/// How long an idle connection is used again. Many servers close theirs after 5 s; a request that meets that would be
/// lost for no fault of theirs.
const IDLE: Duration = Duration::from_secs(2);

/// Asks; clones share their connections.
#[derive(Clone, Debug)]
pub struct HttpClient(Arc<Client<HttpsConnector<HttpConnector>, Full<Bytes>>>);

/// One request.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The verb.
    pub method: http::Method,
    /// Where to.
    pub url: String,
    /// Headers in order; a name may stand more than once.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

/// The head of an answer, and its body as it comes.
#[derive(Debug)]
pub struct Incoming {
    /// The status code.
    pub status: u16,
    /// Names in lower case, values as text, in order.
    pub headers: Vec<(String, String)>,
    body: hyper::body::Incoming,
}

/// The connection is gone, or was never made; why, a fragment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Lost(pub String);

/// How a loss begins where no connection was made.
pub(super) const NO_CONNECTION: &str = "no connection";

/// How a loss begins where there was one.
const CONNECTION_LOST: &str = "connection lost";

/// How a loss begins where an answer came, and could not be read.
const UNREADABLE: &str = "not readable";

/// The beginnings of a loss that says itself at which stage it was.
pub const STAGES: [&str; 4] = [NO_CONNECTION, NO_TRUST, CONNECTION_LOST, UNREADABLE];

impl Lost {
    /// An answer that came, and cannot be unpacked; why, a fragment.
    pub fn unreadable(why: impl Display) -> Self {
        Self(format!("{UNREADABLE}: {why}"))
    }

    /// Whether there never was a connection: nothing was sent.
    pub fn is_unsent(&self) -> bool {
        [NO_CONNECTION, NO_TRUST].iter().any(|beginning| self.0.starts_with(beginning))
    }
}

/// Whether a loss, as it is told, is of an answer that came and could not be read.
pub fn is_unreadable(loss: &str) -> bool {
    loss.starts_with(UNREADABLE)
}

impl Default for HttpClient {
    fn default() -> Self {
        Self::new()
    }
}

impl HttpClient {
    /// A client with connections of its own.
    pub fn new() -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECTING));
        let mut builder = Client::builder(TokioExecutor::new());
        builder.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE);
        Self(Arc::new(builder.build(HttpsConnector::from((tcp, trust::config())))))
    }

    /// Sends once; gives the head of the answer as soon as it is there.
    pub async fn send(&self, outgoing: Outgoing) -> Result<Incoming, Lost> {
        let request = request(outgoing)?;
        let host = request.uri().host().unwrap_or_default().to_owned();
        let answer = self.0.request(request).await.map_err(|error| match trust::cause(&error) {
            Some(cause) => trust::lost(cause, &host),
            None => lost(error.is_connect(), &error),
        })?;
        let (Parts { status, headers, .. }, body) = answer.into_parts();
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        Ok(Incoming { status: status.as_u16(), headers, body })
    }
}

fn request(outgoing: Outgoing) -> Result<Request<Full<Bytes>>, Lost> {
    // The address is not told: it may hold a secret.
    let uri: Uri = outgoing.url.parse().map_err(|error| Lost(format!("no address: {error}")))?;
    if uri.authority().is_none_or(|authority| authority.as_str().contains('@')) {
        return Err(Lost(
            "no address: one host is named, and no user; `authorization` is a header".to_owned(),
        ));
    }
    let mut request = Request::new(Full::new(outgoing.body));
    *request.method_mut() = outgoing.method;
    *request.uri_mut() = uri;
    for (name, value) in outgoing.headers {
        let name =
            HeaderName::try_from(&name).map_err(|_| Lost(format!("header `{name}` cannot be sent")))?;
        let value = HeaderValue::try_from(value)
            .map_err(|_| Lost(format!("the value of `{name}` cannot be sent")))?;
        request.headers_mut().append(name, value);
    }
    request.headers_mut().entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
    Ok(request)
}

impl Incoming {
    /// A header's first value; the name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The next piece of the body; `None` at its orderly end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Lost> {
        while let Some(frame) = self.body.frame().await {
            // What is no data is a trailer, which nobody here reads.
            if let Ok(piece) = frame.map_err(|error| lost(false, &error))?.into_data() {
                return Ok(Some(piece));
            }
        }
        Ok(None)
    }

    /// The whole body, if it is no longer than the limit.
    pub async fn whole(mut self, limit: usize) -> Result<Bytes, Lost> {
        let mut body = Vec::new();
        while let Some(piece) = self.chunk().await? {
            if body.len() + piece.len() > limit {
                return Err(Lost(format!("a body of more than {limit} bytes")));
            }
            body.extend_from_slice(&piece);
        }
        Ok(body.into())
    }
}

/// The innermost cause says most.
fn lost(connecting: bool, error: &(dyn Error + 'static)) -> Lost {
    let why = trust::causes(error).last().map(ToString::to_string).unwrap_or_default();
    let stage = if connecting { NO_CONNECTION } else { CONNECTION_LOST };
    Lost(format!("{stage}: {}", why.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::http_server::{Body, Chunk, Reply, Request, serve};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::net::TcpListener;
    use tokio::sync::mpsc;
    use tokio_util::sync::CancellationToken;

    /// A server that answers by path and counts what it was asked.
    async fn start() -> (String, Arc<AtomicUsize>, CancellationToken) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (asked, stop) = (Arc::new(AtomicUsize::new(0)), CancellationToken::new());
        let count = asked.clone();
        let respond = move |request: Request| {
            count.fetch_add(1, Ordering::SeqCst);
            async move { answer(request).await }
        };
        tokio::spawn(serve(listener, respond, stop.clone()));
        (url, asked, stop)
    }

    async fn answer(request: Request) -> Reply {
        let bytes = Bytes::from("half");
        match request.target.as_str() {
            "/x/../a/./b" => Reply::full(200, "text/plain", "as written".to_owned()),
            "/moved" => Reply::status(302).with("location", "/elsewhere"),
            "/abort" => Reply { status: 200, headers: Vec::new(), body: Body::Abort },
            "/truncated" => Reply { status: 200, headers: Vec::new(), body: Body::Truncated(bytes, 9) },
            "/cut" => {
                let (sender, chunks) = mpsc::channel(2);
                sender.send(Chunk::Data(bytes)).await.unwrap();
                sender.send(Chunk::Abort).await.unwrap();
                Reply { status: 200, headers: Vec::new(), body: Body::Stream(chunks) }
            }
            _ => {
                let named = |name: &str| {
                    request
                        .headers
                        .get_all(name)
                        .iter()
                        .map(|value| value.to_str().unwrap())
                        .collect::<Vec<_>>()
                        .join("+")
                };
                let told = format!(
                    "{} {} {} {:?}",
                    request.method,
                    named("x-a"),
                    named("accept-encoding"),
                    request.body
                );
                Reply::full(429, "text/plain", told).with("retry-after", "7")
            }
        }
    }

    fn outgoing(url: &str, path: &str) -> Outgoing {
        let headers = vec![("X-A".to_owned(), "1".to_owned()), ("x-a".to_owned(), "2".to_owned())];
        Outgoing {
            method: http::Method::POST,
            url: format!("{url}{path}"),
            headers,
            body: Bytes::from_static(b"{ }"),
        }
    }

    #[tokio::test]
    async fn an_answer_is_given_as_it_came() {
        let (url, asked, _stop) = start().await;
        let client = HttpClient::new();
        let answer = client.send(outgoing(&url, "/echo")).await.unwrap();
        assert_eq!((answer.status, answer.header("retry-after")), (429, Some("7")));
        assert_eq!(answer.whole(100).await.unwrap(), "POST 1+2  b\"{ }\"");
        let moved = client.send(outgoing(&url, "/moved")).await.unwrap();
        assert_eq!((moved.status, moved.header("location")), (302, Some("/elsewhere")));
        // Where a path leads is the other side's to say: this is how one is led past a policy.
        let odd = client.send(outgoing(&url, "/x/../a/./b")).await.unwrap();
        assert_eq!(odd.whole(100).await.unwrap(), "as written");
        assert_eq!(asked.load(Ordering::SeqCst), 3);
        let long = client.send(outgoing(&url, "/echo")).await.unwrap().whole(3).await;
        assert_eq!(long, Err(Lost("a body of more than 3 bytes".into())));
    }

    #[tokio::test]
    async fn a_broken_answer_is_lost_and_asked_for_once() {
        let (url, asked, _stop) = start().await;
        let client = HttpClient::new();
        // A connection that was used before is where clients are tempted to send again.
        client.send(outgoing(&url, "/echo")).await.unwrap().whole(100).await.unwrap();
        let lost = client.send(outgoing(&url, "/abort")).await.unwrap_err();
        assert!(lost.0.starts_with("connection lost: "), "{lost}");
        for path in ["/truncated", "/cut"] {
            let mut answer = client.send(outgoing(&url, path)).await.unwrap();
            assert_eq!(answer.chunk().await.unwrap().unwrap(), "half");
            assert!(answer.chunk().await.is_err(), "{path}");
        }
        assert_eq!(asked.load(Ordering::SeqCst), 4);
    }

    #[tokio::test]
    async fn nobody_there_is_no_connection_and_the_url_is_not_told() {
        let unbound = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let lost =
            HttpClient::new().send(outgoing(&format!("http://{unbound}"), "/secret")).await.unwrap_err();
        assert!(lost.0.starts_with("no connection: connection refused"), "{lost}");
        assert!(!lost.0.contains("secret"));
        let mut bad = outgoing("http://127.0.0.1:1", "/");
        for url in ["/mcp", "http://a b/", "https://me:secret@127.0.0.1:1/"] {
            let told =
                HttpClient::new().send(Outgoing { url: url.to_owned(), ..bad.clone() }).await.unwrap_err();
            assert!(told.0.starts_with("no address: ") && !told.0.contains("secret"), "{told}");
        }
        bad.headers.push(("a b".into(), "x".into()));
        assert_eq!(HttpClient::new().send(bad).await.unwrap_err().0, "header `a b` cannot be sent");
    }
}
