//! A scripted gateway at an address.

use crate::gateway::{Agent, Gateway, Place, Said};
use mcp_gauntlet::transport::http_server::{Body, Chunk, Reply, Request, serve};
use serde_json::Value;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Serves until stopped.
pub(crate) async fn serve_http(listener: TcpListener, gateway: Arc<Gateway>, stop: CancellationToken) {
    let respond = move |request: Request| {
        let gateway = gateway.clone();
        async move { respond(gateway, request).await }
    };
    serve(listener, respond, stop).await;
}

async fn respond(gateway: Arc<Gateway>, request: Request) -> Reply {
    if request.method == "GET" {
        return notices(&gateway);
    }
    let text = |name: &str| request.header(name).unwrap_or_default().to_owned();
    let has_credential = request.header("authorization").is_some();
    // Whoever has no credential is told nothing of the run by the profile either.
    let place = Place { upstream: text("x-upstream"), folder: text("x-folder").into(), has_credential };
    let Ok(frame) = serde_json::from_slice::<Value>(&request.body) else { return Reply::status(202) };
    if frame["method"] != "tools/call" {
        return match gateway.answer(&frame, &place).await {
            Some(said) => reply(&gateway, said, &frame).await,
            None => Reply::status(202),
        };
    }
    let (frames, mut asked) = mpsc::unbounded_channel();
    let (gateway_of_call, frame_of_call) = (gateway.clone(), frame.clone());
    let mut call = Box::pin(async move {
        let agent = Agent { frames };
        gateway_of_call.call(&frame_of_call, &place, &agent).await
    });
    let first = tokio::select! {
        biased;
        Some(question) = asked.recv() => question,
        said = &mut call => return reply(&gateway, said, &frame).await,
    };
    let (chunks, stream) = mpsc::channel(8);
    tokio::spawn(async move {
        let event = |frame: &Value| Chunk::Data(format!("event: message\ndata: {frame}\n\n").into());
        let rest = async {
            chunks.send(event(&first)).await.ok()?;
            loop {
                tokio::select! {
                    biased;
                    Some(question) = asked.recv() => chunks.send(event(&question)).await.ok()?,
                    said = &mut call => {
                        return chunks.send(event(&framed(&gateway, said, &frame)?)).await.ok();
                    }
                }
            }
        };
        tokio::select! {
            _ = rest => {}
            () = chunks.closed() => {}
        }
    });
    streamed(stream)
}

fn framed(gateway: &Gateway, said: Said, frame: &Value) -> Option<Value> {
    match said {
        Said::Frame(said) => Some(said),
        Said::Scripted(answer, ticket) => {
            answer.frame(&frame["id"], &|text| gateway.filled(text, ticket.as_ref(), frame))
        }
    }
}

async fn reply(gateway: &Gateway, said: Said, frame: &Value) -> Reply {
    let (answer, ticket) = match said {
        Said::Frame(said) => return Reply::json(200, said.to_string()),
        Said::Scripted(answer, ticket) => (answer, ticket),
    };
    if answer.nothing {
        return std::future::pending().await;
    }
    let fill = |text: &str| gateway.filled(text, ticket.as_ref(), frame);
    let status = answer.status.unwrap_or(200);
    let mut reply = match (answer.frame(&frame["id"], &fill), &answer.body) {
        (Some(frame), _) => Reply::json(status, frame.to_string()),
        (None, Some(Value::String(text))) => Reply::full(status, "text/plain", fill(text)),
        (None, Some(body)) => Reply::json(status, fill(&body.to_string())),
        (None, None) => Reply::status(status),
    };
    for (name, value) in &answer.headers {
        reply = reply.with(name, fill(value));
    }
    reply
}

/// What is said outside of every call.
fn notices(gateway: &Gateway) -> Reply {
    let mut heard = gateway.notices.subscribe();
    let (chunks, stream) = mpsc::channel(8);
    tokio::spawn(async move {
        let _ = chunks.send(Chunk::Data(": listening\n\n".into())).await;
        loop {
            let frame = tokio::select! {
                heard = heard.recv() => heard,
                () = chunks.closed() => return,
            };
            let Ok(frame) = frame else { return };
            if chunks.send(Chunk::Data(format!("data: {frame}\n\n").into())).await.is_err() {
                return;
            }
        }
    });
    streamed(stream)
}

fn streamed(stream: mpsc::Receiver<Chunk>) -> Reply {
    Reply { body: Body::Stream(stream), ..Reply::full(200, "text/event-stream", "") }
}
