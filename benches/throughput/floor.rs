//! The floor: a service that reads a request as JSON and answers with its id and text that is ready.

use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::post;
use axum::serve::ListenerExt as _;
use serde_json::Value;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// Starts it with the result of an answer, so that both sides send the same bytes.
pub(crate) async fn start(answer: &str) -> SocketAddr {
    let result: Value = serde_json::from_str(answer).expect("an answer is JSON");
    let result = Bytes::from(result["result"].to_string());
    let respond = move |body: Bytes| async move {
        let request: Value = serde_json::from_slice(&body).expect("a request is JSON");
        let mut text = format!("{{\"jsonrpc\":\"2.0\",\"id\":{},\"result\":", request["id"]).into_bytes();
        text.extend_from_slice(&result);
        text.push(b'}');
        ([(CONTENT_TYPE, "application/json")], text).into_response()
    };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).expect("a connection"));
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/mcp", post(respond))).await });
    address
}
