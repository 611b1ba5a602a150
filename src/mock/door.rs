//! Where the relays of a run come in: each is a client on lines, once it has shown that it belongs to the run.

use super::lines;
use super::living::Living;
use crate::transport::relay::{self, Hello};
use std::sync::{Arc, Mutex};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Where relays come in.
pub(super) struct Door {
    pub(super) living: Arc<Living>,
    pub(super) token: String,
    pub(super) hellos: Arc<Mutex<Vec<Hello>>>,
    pub(super) stop: CancellationToken,
}

impl Door {
    /// Lets relays in until it is told to stop.
    pub(super) async fn accept(self, listener: TcpListener) {
        let door = Arc::new(self);
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = door.stop.cancelled() => break,
                Some(_) = connections.join_next() => {}
                accepted = listener.accept() => {
                    if let Ok((stream, _)) = accepted {
                        let door = Arc::clone(&door);
                        connections.spawn(async move { door.let_in(stream).await });
                    }
                }
            }
        }
        drop(listener);
        connections.shutdown().await;
    }

    /// Whoever does not know the token is not one of our relays, and is not answered.
    async fn let_in(&self, stream: TcpStream) {
        let Ok((hello, reader, writer)) = relay::accept(stream).await else { return };
        if hello.token != self.token {
            return;
        }
        self.hellos.lock().expect("no writer panics").push(hello);
        lines::serve(Arc::clone(&self.living), reader, writer, self.stop.clone()).await;
    }
}
