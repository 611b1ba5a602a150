//! `gauntlet relay`: what a gateway starts in place of a stdio server; a byte pipe to the runner's mock.

use super::{Exit, Surroundings, say};
use crate::transport::relay::{self, Hello};
use clap::Args;
use std::net::SocketAddr;

/// Pipes stdio to a mock of a run.
#[derive(Args, Debug)]
pub struct Relay {
    /// The runner's listener
    pub address: SocketAddr,
    /// The upstream's name
    #[arg(long)]
    pub upstream: String,
    /// What proves that this pipe belongs to the run
    #[arg(long)]
    pub token: String,
}

/// Pipes until either side ends.
pub(super) async fn relay(arguments: &Relay, surroundings: &Surroundings) -> Exit {
    let hello = Hello {
        token: arguments.token.clone(),
        upstream: arguments.upstream.clone(),
        pid: std::process::id(),
        environment_names: surroundings.environment.keys().cloned().collect(),
    };
    let code =
        relay::connect_and_pipe(arguments.address, &hello, tokio::io::stdin(), tokio::io::stdout()).await;
    if code == 0 {
        return Exit::Clean;
    }
    say(&format!("the mock at {} ended the connection", arguments.address));
    Exit::Unmet
}
