//! `gauntlet mock`: one of the mocks on its own, for people and other tools.

use super::gateway::address;
use super::signals::End;
use super::{Exit, files, say};
use crate::mock::MockServer;
use crate::transport::lines::{LONGEST, LineReader, LineWriter};
use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Serves one mock on its own.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  gauntlet mock ludus\n  gauntlet mock velociraptor --http 0 --ledger ledger.jsonl"
)]
pub struct Mock {
    /// `ludus`, `velociraptor`, `office`, `conformance`, or a folder with a mock of your own
    pub name: String,
    /// Serve streamable HTTP there instead of stdio: an address, or a port of this machine; 0 takes a free one
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub http: Option<SocketAddr>,
    /// Write every arrival there, a JSON object a line
    #[arg(long, value_name = "FILE")]
    pub ledger: Option<PathBuf>,
    /// Read frames as carelessly as some servers do
    #[arg(long)]
    pub lenient: bool,
}

/// How many arrivals are kept where no file wants them.
const UNSEEN: usize = 64;

/// Serves until the input ends, or until it is told to end.
pub(super) async fn mock(arguments: &Mock) -> Exit {
    // First of all, so that nothing that comes early is lost.
    let mut end = match End::listen() {
        Ok(end) => end,
        Err(error) => {
            say(&format!("signals cannot be heard: {error}"));
            return Exit::World;
        }
    };
    let mock = match files::mock(&arguments.name) {
        Ok(mock) => mock,
        Err(exit) => return exit,
    };
    let mut builder = MockServer::builder(mock).lenient(arguments.lenient);
    if let Some(address) = arguments.http {
        builder = builder.listen(address);
    }
    builder = match &arguments.ledger {
        Some(file) => builder.ledger_file(file.clone()),
        // Nobody will ever look at it.
        None => builder.remember(UNSEEN),
    };
    let server = match builder.start().await {
        Ok(server) => server,
        Err(error) => {
            let address = arguments.http.map(|address| format!(" on {address}")).unwrap_or_default();
            say(&format!("the mock cannot be served{address}: {error}"));
            return Exit::World;
        }
    };
    let exit = if arguments.http.is_some() {
        say(&format!("listening on {}", server.url()));
        end.come().await
    } else {
        let reader = LineReader::new(tokio::io::stdin(), LONGEST);
        tokio::select! {
            () = server.serve_lines(reader, LineWriter::new(tokio::io::stdout())) => Exit::Clean,
            exit = end.come() => exit,
        }
    };
    server.stop().await;
    exit
}
