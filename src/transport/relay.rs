//! A byte pipe from a gateway's child process back to our own listener.
//!
//! A gateway that wants a stdio server is given `gauntlet relay`: it says who it is in one line and then passes bytes
//! both ways, so that the mock stays in the runner's process. It does not know what the bytes mean.

use super::lines::{LONGEST, LineReader, LineWriter};
use serde::{Deserialize, Serialize};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The longest hello, in bytes.
const LONGEST_HELLO: usize = 1 << 20;

/// How long the hello may take: it is the first thing that a relay writes.
const HELLO_WITHIN: Duration = Duration::from_secs(10);

/// The first line: who is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// What shows that it was started on our behalf.
    pub token: String,
    /// The upstream that it stands for.
    pub upstream: String,
    /// The relay's process.
    pub pid: u32,
    /// The names, never the values, of the environment that the gateway gave it.
    pub environment_names: Vec<String>,
}

/// Connects, says hello, and passes bytes both ways until one side ends. The exit code: 0 after an orderly end, 1 after
/// a reset or where no connection was made.
pub async fn connect_and_pipe(
    address: SocketAddr,
    hello: &Hello,
    stdin: impl AsyncRead + Unpin,
    stdout: impl AsyncWrite + Unpin,
) -> u8 {
    let Ok(stream) = greet(address, hello).await else { return 1 };
    let (from_far, to_far) = stream.into_split();
    let inward = pass(from_far, stdout);
    let outward = pass(stdin, to_far);
    tokio::pin!(inward, outward);
    // When our input ends the far side is told and may still answer; when the far side ends all is over.
    tokio::select! {
        ended = &mut inward => u8::from(ended.is_err()),
        ended = &mut outward => u8::from(ended.is_err() | inward.await.is_err()),
    }
}

async fn greet(address: SocketAddr, hello: &Hello) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut line = serde_json::to_vec(hello)?;
    line.push(b'\n');
    stream.write_all(&line).await?;
    Ok(stream)
}

/// Passes bytes on as they come, and the end of them too.
async fn pass(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) -> io::Result<()> {
    let mut piece = bytes::BytesMut::with_capacity(64 << 10);
    while from.read_buf(&mut piece).await? > 0 {
        to.write_all(&piece).await?;
        to.flush().await?;
        piece.clear();
    }
    to.shutdown().await
}

/// Takes the hello of a relay that connected; then its lines, and a way to answer. Dropping both ends it in an orderly
/// way; [`LineWriter::sever`] first makes it a reset.
pub async fn accept(stream: TcpStream) -> io::Result<(Hello, LineReader, LineWriter)> {
    stream.set_nodelay(true)?;
    let (from_far, to_far) = stream.into_split();
    let mut first = LineReader::new(from_far, LONGEST_HELLO);
    let line = tokio::time::timeout(HELLO_WITHIN, first.next()).await??.ok_or(ErrorKind::UnexpectedEof)?;
    let hello =
        serde_json::from_slice(&line).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
    Ok((hello, first.with_limit(LONGEST), LineWriter::over_tcp(to_far)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{DuplexStream, duplex};
    use tokio::net::TcpListener;

    struct Pipe {
        stdin: DuplexStream,
        stdout: DuplexStream,
        exit: tokio::task::JoinHandle<u8>,
    }

    fn hello() -> Hello {
        Hello { token: "t".into(), upstream: "ludus".into(), pid: 7, environment_names: vec!["PATH".into()] }
    }

    async fn connected() -> (Pipe, (Hello, LineReader, LineWriter)) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let ((stdin, near_in), (stdout, near_out)) = (duplex(1 << 16), duplex(1 << 16));
        let exit = tokio::spawn(async move { connect_and_pipe(address, &hello(), near_in, near_out).await });
        let accepted = accept(listener.accept().await.unwrap().0).await.unwrap();
        (Pipe { stdin, stdout, exit }, accepted)
    }

    #[tokio::test]
    async fn bytes_pass_both_ways_and_the_input_may_end_before_the_answer() {
        let (mut pipe, (said, mut reader, writer)) = connected().await;
        assert_eq!(said, hello());
        pipe.stdin.write_all(b"{\"id\":1}\nhalf").await.unwrap();
        drop(pipe.stdin);
        assert_eq!(reader.next().await.unwrap().unwrap(), "{\"id\":1}");
        assert_eq!(reader.next().await.unwrap().unwrap(), "half");
        assert!(reader.next().await.unwrap().is_none());
        writer.send(b"answer").await.unwrap();
        writer.close().await.unwrap();
        let mut out = String::new();
        pipe.stdout.read_to_string(&mut out).await.unwrap();
        assert_eq!((out.as_str(), pipe.exit.await.unwrap()), ("answer\n", 0));
    }

    #[tokio::test]
    async fn an_orderly_end_is_0_and_a_reset_is_1() {
        let (pipe, (_, reader, writer)) = connected().await;
        drop((reader, writer));
        assert_eq!(pipe.exit.await.unwrap(), 0);
        let (pipe, (_, reader, writer)) = connected().await;
        writer.sever().await;
        drop((reader, writer));
        assert_eq!(pipe.exit.await.unwrap(), 1);
    }

    #[tokio::test]
    async fn nobody_there_is_1_and_a_stranger_is_refused() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stranger = async {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
            stream
        };
        let (_stream, accepted) =
            tokio::join!(stranger, async { accept(listener.accept().await.unwrap().0).await });
        assert_eq!(accepted.unwrap_err().kind(), ErrorKind::InvalidData);
        drop(listener);
        assert_eq!(connect_and_pipe(address, &hello(), tokio::io::empty(), tokio::io::sink()).await, 1);
    }
}
