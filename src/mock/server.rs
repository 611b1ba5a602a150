//! A living mock server: its addresses, its ledger, and what can be done to it while it runs.

use super::builder::MockServerBuilder;
use super::change::Change;
use super::door::Door;
use super::ledger::Arrival;
use super::living::Living;
use super::notice::News;
use super::session::random;
use super::spec::Mock;
use super::value::to_plain;
use super::verify::{Expect, Unmet};
use super::{http, lines};
use crate::transport::http_server;
use crate::transport::lines::{LineReader, LineWriter};
use crate::transport::relay::Hello;
use serde_json::Value as Plain;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A mock that lives: it answers over HTTP, through relays and on lines, and keeps the ledger. It is gone when it is
/// dropped; [`stop`](Self::stop) also waits until it is.
///
/// ```
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// use mcp_gauntlet::mock::{Expect, Mock, MockServer};
/// use serde_json::json;
///
/// let server = MockServer::start(Mock::ludus()).await;
/// server.expect(Expect::call("list_hosts").once());
/// server.expect(Expect::call("destroy_vm").never());
///
/// // Whatever speaks MCP may talk to it now; here a bare HTTP client does.
/// let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "list_hosts", "_meta": {
///     "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}}});
/// reqwest::Client::new()
///     .post(server.url())
///     .header("accept", "application/json, text/event-stream")
///     .header("content-type", "application/json")
///     .header("mcp-protocol-version", "2026-07-28")
///     .header("mcp-method", "tools/call")
///     .header("mcp-name", "list_hosts")
///     .body(call.to_string())
///     .send()
///     .await?;
///
/// assert_eq!(server.ledger()[0].calls()[0].tool, "list_hosts");
/// server.verify()?;
/// server.stop().await;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct MockServer {
    mock: Mock,
    living: Arc<Living>,
    http: SocketAddr,
    relays: SocketAddr,
    token: String,
    hellos: Arc<Mutex<Vec<Hello>>>,
    serving: Mutex<Option<Serving>>,
    /// The sockets that keep the addresses of a server that is paused.
    kept: Mutex<Vec<TcpSocket>>,
    expected: Mutex<Vec<Expect>>,
}

/// What serves while the server is not paused.
struct Serving {
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

/// Expectations that were not met, all of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Unverified(pub Vec<Unmet>);

impl fmt::Display for Unverified {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        out.write_str(&told.join("; "))
    }
}

impl std::error::Error for Unverified {}

impl MockServer {
    /// A server of that mock with nothing special about it, on a free port of the loopback.
    ///
    /// # Panics
    ///
    /// Where the loopback has no free port; [`builder`](Self::builder) gives that as an error.
    pub async fn start(mock: Mock) -> Self {
        Self::builder(mock).start().await.expect("the loopback has a free port")
    }

    /// A server of that mock that is still to be set up.
    pub fn builder(mock: Mock) -> MockServerBuilder {
        MockServerBuilder::new(mock)
    }

    pub(super) async fn listening(mock: Mock, living: Arc<Living>, address: SocketAddr) -> io::Result<Self> {
        let http = TcpListener::bind(address).await?;
        let relays = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let server = Self {
            mock,
            living,
            http: http.local_addr()?,
            relays: relays.local_addr()?,
            token: random(),
            hellos: Arc::default(),
            serving: Mutex::default(),
            kept: Mutex::default(),
            expected: Mutex::default(),
        };
        server.serve(http, relays);
        Ok(server)
    }

    fn serve(&self, http: TcpListener, relays: TcpListener) {
        let stop = self.living.stop.child_token();
        let living = Arc::clone(&self.living);
        let respond = move |request| http::respond(Arc::clone(&living), request);
        let door = Door {
            living: Arc::clone(&self.living),
            token: self.token.clone(),
            hellos: Arc::clone(&self.hellos),
            stop: stop.clone(),
        };
        let tasks = vec![
            tokio::spawn(http_server::serve(http, respond, stop.clone())),
            tokio::spawn(door.accept(relays)),
        ];
        *self.serving.lock().expect("no writer panics") = Some(Serving { stop, tasks });
    }

    /// The mock that it plays.
    pub fn mock(&self) -> &Mock {
        &self.mock
    }

    /// The upstream that it plays.
    pub fn name(&self) -> &str {
        &self.living.settings.name
    }

    /// Where it answers over HTTP.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.http, http::PATH)
    }

    /// The address that it listens on for HTTP.
    pub fn address(&self) -> SocketAddr {
        self.http
    }

    /// Where `gauntlet relay` reaches it.
    pub fn relay_address(&self) -> SocketAddr {
        self.relays
    }

    /// What a relay has to say to be let in.
    pub fn relay_token(&self) -> &str {
        &self.token
    }

    /// What each relay that was let in said of itself, in order.
    pub fn relays(&self) -> Vec<Hello> {
        self.hellos.lock().expect("no writer panics").clone()
    }

    /// Serves one client on lines, until its input ends.
    pub async fn serve_lines(&self, reader: LineReader, writer: LineWriter) {
        lines::serve(Arc::clone(&self.living), reader, writer, CancellationToken::new()).await;
    }

    /// Everything that arrived, in order.
    pub fn ledger(&self) -> Vec<Arrival> {
        self.living.ledger.since(0)
    }

    /// What arrived after that place.
    pub fn ledger_since(&self, seq: u64) -> Vec<Arrival> {
        self.living.ledger.since(seq)
    }

    /// Asks something of all that arrived, without copying it.
    pub fn look<T>(&self, look: impl FnOnce(&[Arrival]) -> T) -> T {
        self.living.ledger.look(look)
    }

    /// Changes whenever something arrives, or something becomes of what did; the value is its place.
    pub fn arrivals(&self) -> watch::Receiver<u64> {
        self.living.ledger.changes()
    }

    /// Waits until the ledger is as wanted; gives it then.
    pub async fn wait_for(&self, wanted: impl Fn(&[Arrival]) -> bool) -> Vec<Arrival> {
        let mut changes = self.arrivals();
        while !self.living.ledger.look(&wanted) {
            // The sender lives as long as the server does.
            let _ = changes.changed().await;
        }
        self.ledger()
    }

    /// Waits until no answer is on its way any more: each was given, or is abandoned.
    pub async fn idle(&self) {
        let deliveries = &self.living.deliveries;
        deliveries.close();
        deliveries.wait().await;
        deliveries.reopen();
    }

    /// Changes the tool list, now or when its time has come; whoever is to be told of it now has been when this returns.
    pub async fn change(&self, change: Change) -> Result<(), String> {
        if self.living.change(change)? {
            self.living.listeners.tell(&News::Tools).await;
        }
        Ok(())
    }

    /// The world as it is now.
    pub fn state(&self) -> Plain {
        to_plain(&self.living.world.lock().expect("no writer panics").state())
    }

    /// Calls that the mock could not answer, through a fault of its own: nothing fitted, or an expression failed.
    pub fn complaints(&self) -> Vec<String> {
        self.living.complaints()
    }

    /// The world is as at the beginning, and nothing has been called or complained of yet; the ledger stays.
    pub fn begin_anew(&self) {
        self.living.begin_anew();
    }

    /// Stops serving for now: connections are refused, those that are open break, and sessions are forgotten.
    pub async fn pause(&self) {
        let serving = self.serving.lock().expect("no writer panics").take();
        if let Some(Serving { stop, tasks }) = serving {
            stop.cancel();
            for task in tasks {
                let _ = task.await;
            }
            // Bound, and not listening: nobody else gets the port meanwhile, and whoever connects is refused.
            let kept = [self.http, self.relays].into_iter().filter_map(|address| bound(address).ok());
            *self.kept.lock().expect("no writer panics") = kept.collect();
            self.living.crash();
        }
    }

    /// Serves again, at the same addresses.
    pub async fn resume(&self) -> io::Result<()> {
        if self.serving.lock().expect("no writer panics").is_none() {
            let kept = std::mem::take(&mut *self.kept.lock().expect("no writer panics"));
            let listening = match <[TcpSocket; 2]>::try_from(kept) {
                Ok([http, relays]) => (http.listen(BACKLOG)?, relays.listen(BACKLOG)?),
                Err(_) => (TcpListener::bind(self.http).await?, TcpListener::bind(self.relays).await?),
            };
            self.serve(listening.0, listening.1);
        }
        Ok(())
    }

    /// Adds an expectation that [`verify`](Self::verify) will ask for.
    pub fn expect(&self, expected: Expect) {
        self.expected.lock().expect("no writer panics").push(expected);
    }

    /// Whether every expectation is met by what arrived so far.
    pub fn verify(&self) -> Result<(), Unverified> {
        let expected = self.expected.lock().expect("no writer panics");
        let unmet = self.living.ledger.look(|arrivals| {
            expected.iter().filter_map(|expected| expected.unmet(arrivals)).collect::<Vec<_>>()
        });
        if unmet.is_empty() { Ok(()) } else { Err(Unverified(unmet)) }
    }

    /// Stops for good, and waits until everything has.
    pub async fn stop(self) {
        self.living.stop.cancel();
        self.pause().await;
        self.living.release();
        self.living.tasks.close();
        self.living.tasks.wait().await;
    }
}

impl Drop for MockServer {
    fn drop(&mut self) {
        self.living.stop.cancel();
    }
}

impl fmt::Debug for MockServer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "MockServer({} at {})", self.name(), self.http)
    }
}

/// So many connections may wait for being taken.
const BACKLOG: u32 = 1024;

/// A socket at that address.
fn bound(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Connections of before are still being closed there.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

#[cfg(test)]
mod tests;
