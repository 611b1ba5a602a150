use super::*;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::{Notify, mpsc};

/// A server for one answer, and a way to stop it.
struct Running {
    address: SocketAddr,
    stop: CancellationToken,
    serving: tokio::task::JoinHandle<()>,
}

async fn start<F, Fut>(respond: F) -> Running
where
    F: Fn(Request) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Reply> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let serving = tokio::spawn(serve(listener, respond, stop.clone()));
    Running { address, stop, serving }
}

impl Running {
    async fn open(&self, text: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    }

    /// Everything that comes until the server closes.
    async fn ask(&self, text: &str) -> String {
        let mut answer = String::new();
        self.open(text).await.read_to_string(&mut answer).await.unwrap();
        answer
    }

    async fn end(self) {
        self.stop.cancel();
        self.serving.await.unwrap();
    }
}

const GET: &str = "GET /mcp?a=%20b HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn a_request_is_whole_and_a_reply_is_as_given() {
    let server = start(|request: Request| async move {
        let told = format!(
            "{} {} {:?} {}",
            request.method,
            request.target,
            request.header("x-a"),
            request.body.len()
        );
        Reply::json(207, told).with("x-b", "1").with("x-b", "2")
    })
    .await;
    let answer = server.ask("POST /mcp?a=%20b HTTP/1.1\r\nhost: x\r\nx-a: y\r\nconnection: close\r\ncontent-length: 3\r\n\r\n{ }").await;
    assert!(answer.starts_with("HTTP/1.1 207 "), "{answer}");
    assert!(answer.contains("x-b: 1\r\nx-b: 2\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nPOST /mcp?a=%20b Some(\"y\") 3"), "{answer}");
    server.end().await;
}

#[tokio::test]
async fn broken_replies_break_where_they_should() {
    let server = start(|request: Request| async move {
        let body = match request.target.as_str() {
            "/abort" => Body::Abort,
            "/truncated" => Body::Truncated(Bytes::from("half"), 8),
            _ => {
                let (sender, chunks) = mpsc::channel(4);
                sender.send(Chunk::Data(Bytes::from("first"))).await.unwrap();
                sender.send(Chunk::Abort).await.unwrap();
                Body::Stream(chunks)
            }
        };
        Reply { status: 200, headers: Vec::new(), body }
    })
    .await;
    assert_eq!(server.ask("GET /abort HTTP/1.1\r\nhost: x\r\n\r\n").await, "");
    let truncated = server.ask("GET /truncated HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(
        truncated.contains("content-length: 8\r\n") && truncated.ends_with("\r\n\r\nhalf"),
        "{truncated}"
    );
    let cut = server.ask("GET /stream HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(cut.ends_with("5\r\nfirst\r\n"), "the last chunk must be missing: {cut}");
    server.end().await;
}

#[tokio::test]
async fn a_stream_is_sent_as_it_grows_and_ends_when_its_sender_does() {
    let (sender, chunks) = mpsc::channel(1);
    let chunks = Arc::new(std::sync::Mutex::new(Some(chunks)));
    let server = start(move |_| {
        let body = Body::Stream(chunks.lock().unwrap().take().unwrap());
        async move { Reply { status: 200, headers: Vec::new(), body } }
    })
    .await;
    let mut stream = server.open(GET).await;
    sender.send(Chunk::Data(Bytes::from("one"))).await.unwrap();
    let mut seen = Vec::new();
    while !seen.ends_with(b"3\r\none\r\n") {
        assert_ne!(
            stream.read_buf(&mut seen).await.unwrap(),
            0,
            "the first chunk must not wait for the second"
        );
    }
    drop(sender);
    stream.read_to_end(&mut seen).await.unwrap();
    assert!(seen.ends_with(b"0\r\n\r\n"));
    server.end().await;
}

/// Tells when it is dropped.
struct Told(Arc<Notify>);

impl Drop for Told {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

#[tokio::test]
async fn a_client_that_goes_away_drops_the_answer_and_a_stop_does_too() {
    let (asked, dropped) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let notes = (asked.clone(), dropped.clone());
    let server = start(move |_| {
        let (asked, told) = (notes.0.clone(), Told(notes.1.clone()));
        async move {
            let _told = told;
            asked.notify_one();
            std::future::pending().await
        }
    })
    .await;
    let stream = server.open(GET).await;
    asked.notified().await;
    drop(stream);
    dropped.notified().await;
    let mut held = server.open(GET).await;
    asked.notified().await;
    server.end().await;
    dropped.notified().await;
    assert_eq!(held.read(&mut [0; 8]).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn a_receiver_is_dropped_when_its_client_goes_away() {
    let (sender, chunks) = mpsc::channel(1);
    let chunks = Arc::new(std::sync::Mutex::new(Some(chunks)));
    let server = start(move |_| {
        let body = Body::Stream(chunks.lock().unwrap().take().unwrap());
        async move { Reply { status: 200, headers: Vec::new(), body } }
    })
    .await;
    let mut stream = server.open(GET).await;
    assert_ne!(stream.read(&mut [0; 8]).await.unwrap(), 0);
    drop(stream);
    sender.closed().await;
    server.end().await;
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_and_a_cut_one_is_not_answered() {
    let server = start(|_| async { Reply::status(200) }).await;
    let long = format!("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", LONGEST_BODY + 1);
    let mut stream = server.open(&long).await;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
    let mut cut = server.open("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nab").await;
    cut.shutdown().await.unwrap();
    let mut nothing = Vec::new();
    let _ = cut.read_to_end(&mut nothing).await;
    assert!(!nothing.starts_with(b"HTTP/1.1 200"));
    server.end().await;
}
