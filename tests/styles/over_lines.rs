//! A scripted gateway on stdio: the process is this program's own pipe, and the gateway stands at its far end.

use crate::gateway::{Agent, Gateway, Place, Said};
use mcp_gauntlet::transport::{LineWriter, relay};
use serde_json::Value;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Serves until stopped.
pub(crate) async fn serve_lines(listener: TcpListener, gateway: Arc<Gateway>, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => {
                connections.spawn(connection(accepted.unwrap().0, gateway.clone()));
            }
        }
    }
    connections.shutdown().await;
}

async fn connection(stream: TcpStream, gateway: Arc<Gateway>) {
    let (hello, mut reader, writer) = relay::accept(stream).await.unwrap();
    let place = Place { upstream: hello.upstream, folder: hello.token.into(), has_credential: true };
    let mut calls = JoinSet::new();
    let mut notices = gateway.notices.subscribe();
    loop {
        let line = tokio::select! {
            line = reader.next() => line,
            Ok(notice) = notices.recv() => {
                write(&writer, &notice).await;
                continue;
            }
        };
        let Ok(Some(line)) = line else { return };
        let frame: Value = serde_json::from_slice(&line).unwrap();
        let (gateway, place, writer) = (gateway.clone(), place.clone(), writer.clone());
        if frame["method"] == "tools/call" {
            calls.spawn(async move { call(&gateway, &frame, &place, &writer).await });
        } else if let Some(said) = gateway.answer(&frame, &place).await {
            say(&gateway, said, &frame, &writer).await;
        }
    }
}

async fn call(gateway: &Gateway, frame: &Value, place: &Place, writer: &LineWriter) {
    let (frames, mut asked) = mpsc::unbounded_channel();
    let agent = Agent { frames };
    let call = gateway.call(frame, place, &agent);
    tokio::pin!(call);
    loop {
        tokio::select! {
            biased;
            Some(question) = asked.recv() => write(writer, &question).await,
            said = &mut call => return say(gateway, said, frame, writer).await,
        }
    }
}

async fn say(gateway: &Gateway, said: Said, frame: &Value, writer: &LineWriter) {
    let said = match said {
        Said::Frame(said) => Some(said),
        Said::Scripted(answer, ticket) => {
            answer.frame(&frame["id"], &|text| gateway.filled(text, ticket.as_ref(), frame))
        }
    };
    if let Some(said) = said {
        write(writer, &said).await;
    }
}

async fn write(writer: &LineWriter, frame: &Value) {
    // Whoever has left hears nothing.
    let _ = writer.send(frame.to_string().as_bytes()).await;
}
