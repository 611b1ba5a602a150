//! HTTP/1.1 served: whole requests in as bytes, replies out as given, broken ones too.
//!
//! When the client goes away, the future that answers (or the receiver of a stream) is dropped: that is how it is
//! told. It knows nothing of MCP, and adds no header but those that HTTP needs (`Date`, the body's length or chunks).

mod body;

pub use body::{Body, Chunk};

use body::Outgoing;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The longest body that is taken; a longer one is answered with 413.
pub const LONGEST_BODY: usize = 64 << 20;

/// One request, its body complete.
#[derive(Clone, Debug)]
pub struct Request {
    /// The verb.
    pub method: http::Method,
    /// Path and query as sent.
    pub target: String,
    /// The headers, repeated ones included.
    pub headers: http::HeaderMap,
    /// The body as it came, not decoded.
    pub body: Bytes,
    /// Who asks.
    pub peer: SocketAddr,
}

impl Request {
    /// A header's first value, where it is text; the name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// What is answered.
#[derive(Debug)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// Headers in order.
    pub headers: Vec<(String, String)>,
    /// The body, or how the connection breaks.
    pub body: Body,
}

impl Reply {
    /// A status without headers or body.
    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Body::Full(Bytes::new()) }
    }

    /// A whole body of that type.
    pub fn full(status: u16, content_type: &str, bytes: impl Into<Bytes>) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self { status, headers, body: Body::Full(bytes.into()) }
    }

    /// A body of `application/json`.
    pub fn json(status: u16, bytes: impl Into<Bytes>) -> Self {
        Self::full(status, "application/json", bytes)
    }

    /// The same with one more header.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// Serves until stopped; returns when every connection is closed. What is still being answered then is dropped.
pub async fn serve<F, Fut>(listener: TcpListener, respond: F, stop: CancellationToken)
where
    F: Fn(Request) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Reply> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    connections.spawn(connection(stream, peer, respond.clone()));
                }
                // Out of descriptors, most likely: one may be free soon, and spinning would not help.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
        }
    }
    drop(listener);
    connections.shutdown().await;
}

async fn connection<F, Fut>(stream: TcpStream, peer: SocketAddr, respond: F)
where
    F: Fn(Request) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Reply> + Send + 'static,
{
    // Nagle's algorithm holds back small events for 40 ms.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let answer = service_fn(|request: http::Request<Incoming>| {
        let (parts, body) = request.into_parts();
        let respond = &respond;
        async move {
            let target =
                parts.uri.path_and_query().map_or_else(|| parts.uri.to_string(), ToString::to_string);
            // Said in advance, it need not be waited for.
            if body.size_hint().lower() > LONGEST_BODY as u64 {
                return response(Reply::status(413));
            }
            let body = match Limited::new(body, LONGEST_BODY).collect().await {
                Ok(body) => body.to_bytes(),
                Err(error) if error.is::<LengthLimitError>() => return response(Reply::status(413)),
                Err(_) => return Err(Aborted),
            };
            response(
                respond(Request { method: parts.method, target, headers: parts.headers, body, peer }).await,
            )
        }
    });
    // How a connection ended is the client's to see; here nobody is left to be told.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
}

/// The connection is to be closed without an answer, or in the middle of one.
#[derive(Debug, thiserror::Error)]
#[error("aborted on purpose")]
struct Aborted;

fn response(reply: Reply) -> Result<Response<Outgoing>, Aborted> {
    let claimed = match &reply.body {
        Body::Abort => return Err(Aborted),
        Body::Truncated(_, claimed) => Some(*claimed),
        _ => None,
    };
    let mut response = Response::new(Outgoing::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).map_err(|_| Aborted)?;
    for (name, value) in reply.headers {
        // A header that HTTP cannot carry would be an answer other than the one that was meant.
        let name = HeaderName::try_from(name).map_err(|_| Aborted)?;
        response.headers_mut().append(name, HeaderValue::try_from(value).map_err(|_| Aborted)?);
    }
    if let Some(claimed) = claimed {
        response.headers_mut().insert(http::header::CONTENT_LENGTH, HeaderValue::from(claimed));
    }
    Ok(response)
}

#[cfg(test)]
mod tests;
