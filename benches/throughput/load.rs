//! A load: connections that stay open, each asking for one thing again and again.

use bytes::Bytes;
use serde_json::Value;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Somebody who is asked for something.
#[derive(Clone)]
pub(crate) struct Asked {
    address: SocketAddr,
    request: Bytes,
}

/// How many ask at a time, and how long.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    pub(crate) connections: usize,
    pub(crate) turn: Duration,
}

impl Asked {
    /// The server at that address, asked for this in a POST.
    pub(crate) fn of(address: SocketAddr, body: &Value) -> Self {
        let method = body["method"].as_str().expect("a method");
        let name =
            body["params"]["name"].as_str().map(|name| format!("mcp-name: {name}\r\n")).unwrap_or_default();
        let body = body.to_string();
        let request = format!(
            "POST /mcp HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
             accept: application/json, text/event-stream\r\nmcp-protocol-version: 2026-07-28\r\n\
             mcp-method: {method}\r\n{name}content-length: {}\r\n\r\n{body}",
            body.len()
        );
        Self { address, request: request.into() }
    }
}

impl Load {
    /// Answers a second.
    pub(crate) async fn rate(&self, asked: &Asked) -> f64 {
        let mut connections = JoinSet::new();
        let began = Instant::now();
        let end = began + self.turn;
        for _ in 0..self.connections {
            let asked = asked.clone();
            connections.spawn(async move { ask_until(&asked, end).await });
        }
        let answers: usize = connections.join_all().await.into_iter().sum();
        answers as f64 / began.elapsed().as_secs_f64()
    }
}

/// The body of one answer.
pub(crate) async fn once(asked: &Asked) -> String {
    let mut connection = Connection::open(asked.address).await;
    let body = connection.ask(&asked.request).await;
    String::from_utf8(connection.received[body..].to_vec()).expect("UTF-8")
}

async fn ask_until(asked: &Asked, end: Instant) -> usize {
    let mut connection = Connection::open(asked.address).await;
    let mut answers = 0;
    while Instant::now() < end {
        connection.ask(&asked.request).await;
        answers += 1;
    }
    answers
}

/// One connection, with the answer that was received last.
struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Connection {
    async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("somebody listens");
        stream.set_nodelay(true).expect("a connection");
        Self { stream, received: Vec::with_capacity(1 << 18) }
    }

    /// Sends the request and takes the whole answer; gives where its body begins.
    async fn ask(&mut self, request: &[u8]) -> usize {
        self.stream.write_all(request).await.expect("sent");
        self.received.clear();
        let mut whole = None;
        loop {
            let taken = self.stream.read_buf(&mut self.received).await.expect("an answer");
            assert!(taken > 0, "the server went away");
            whole = whole.or_else(|| extent(&self.received));
            if let Some((body, end)) = whole.filter(|(_, end)| self.received.len() >= *end) {
                assert_eq!(self.received.len(), end, "more than was asked for");
                return body;
            }
        }
    }
}

/// Where the body of an answer begins and ends, once its head is there.
fn extent(received: &[u8]) -> Option<(usize, usize)> {
    let end = received.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&received[..end]).expect("a head is text");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>())
    });
    Some((end, end + length.expect("the answer has a length").expect("a number")))
}
