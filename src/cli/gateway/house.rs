//! The gateway with all that stands around it: mocks, listeners, the page of decisions; opened and closed as one.

use super::wanted::{Behind, Standing, Wanted};
use crate::cli::{Exit, Surroundings, files, say};
use crate::declared::Declared;
use crate::gateway;
use crate::mock::MockServer;
use crate::reference::{
    AuditSink, Clock, Conduct, OpenError, PinStore, PinsError, Reach, Reference, Settings, Upstream,
};
use crate::transport::child::Command;
use crate::transport::lines::{LONGEST, LineReader, LineWriter};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long everything together may take to end.
const GRACE: Duration = Duration::from_secs(5);

/// A gateway that serves.
pub(super) struct House {
    /// The gateway itself.
    pub(super) reference: Reference,
    mocks: Vec<MockServer>,
    stop: CancellationToken,
    /// Where agents come in; on stdio it ends when the agent is gone.
    pub(super) front: JoinHandle<()>,
    /// Where people decide.
    side: JoinHandle<()>,
}

impl House {
    /// Starts everything; what does not work is told.
    pub(super) async fn open(wanted: &Wanted, surroundings: &Surroundings) -> Result<Self, Exit> {
        let standing = &wanted.standing;
        let front = match standing.listen {
            Some(address) => Some(listen(address).await?),
            None => None,
        };
        let side = listen(standing.decisions).await?;
        let (mut mocks, mut upstreams) = (Vec::new(), Vec::new());
        for (name, behind) in &standing.upstreams {
            upstreams
                .push(Upstream { name: name.clone(), reach: reach(behind, surroundings, &mut mocks).await? });
        }
        let reference = reference(wanted, upstreams)?;
        announce(
            standing,
            &reference,
            (&front, &side),
            wanted.grants.iter().any(|grant| grant.token.is_none()),
        );
        let stop = CancellationToken::new();
        let side = tokio::spawn({
            let (reference, stop) = (reference.clone(), stop.clone());
            async move { reference.serve_decisions(side, stop).await }
        });
        let front = tokio::spawn({
            let (reference, stop) = (reference.clone(), stop.clone());
            async move {
                match front {
                    Some(front) => reference.serve_http(front, stop).await,
                    None => {
                        let reader = LineReader::new(tokio::io::stdin(), LONGEST);
                        reference.serve_lines(reader, LineWriter::new(tokio::io::stdout()), stop).await;
                    }
                }
            }
        });
        Ok(Self { reference, mocks, stop, front, side })
    }

    /// Ends everything, children too.
    pub(super) async fn close(self) {
        self.stop.cancel();
        let ended = async {
            if !self.front.is_finished() {
                let _ = self.front.await;
            }
            let _ = self.side.await;
            self.reference.end().await;
            for mock in self.mocks {
                mock.stop().await;
            }
        };
        if tokio::time::timeout(GRACE, ended).await.is_err() {
            say("not everything ended in time");
        }
        #[cfg(unix)]
        crate::transport::child::end_all();
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Exit> {
    TcpListener::bind(address).await.map_err(|error| {
        say(&format!(
            "{address} cannot be listened on: {error}\nhelp: name another address, or port 0 for a free one"
        ));
        Exit::World
    })
}

/// How a server behind the gateway is reached; a mock is started for that.
async fn reach(
    behind: &Behind,
    surroundings: &Surroundings,
    mocks: &mut Vec<MockServer>,
) -> Result<Reach, Exit> {
    Ok(match behind {
        Behind::Mock(name) => {
            let server = MockServer::builder(files::mock(name)?).start().await.map_err(|error| {
                say(&format!("the mock `{name}` cannot be served: {error}"));
                Exit::World
            })?;
            let url = server.url();
            mocks.push(server);
            Reach::Http { url, headers: Vec::new() }
        }
        Behind::Url { url, headers } => Reach::Http { url: url.clone(), headers: headers.clone() },
        Behind::Command { words, environment } => {
            let mut every = surroundings.for_children();
            every.extend(surroundings.environment.get("HOME").map(|home| ("HOME".to_owned(), home.clone())));
            every.retain(|(name, _)| !environment.iter().any(|(own, _)| own == name));
            every.extend(environment.iter().cloned());
            let mut words = words.iter().cloned();
            let program = words.next().unwrap_or_default();
            Reach::Stdio {
                command: Command {
                    program,
                    arguments: words.collect(),
                    environment: every,
                    folder: ".".into(),
                },
            }
        }
    })
}

fn reference(wanted: &Wanted, upstreams: Vec<Upstream>) -> Result<Reference, Exit> {
    let standing = &wanted.standing;
    let settings = Settings {
        upstreams,
        grants: wanted.grants.clone(),
        channel: standing.channel,
        audit: standing.audit.clone().map_or(AuditSink::Nowhere, AuditSink::File),
        pins: standing.pins.clone().map_or(PinStore::Memory, PinStore::File),
        declared: declared(),
        upstream_timeout: standing.patience,
    };
    let opened = match standing.token.clone() {
        Some(token) => Reference::with_decision_token(settings, Conduct::default(), Clock::real(), token),
        None => Reference::new(settings, Conduct::default(), Clock::real()),
    };
    opened.map_err(|error| unopened(standing, error))
}

/// Says which file cannot be used, why, and what to do about it.
fn unopened(standing: &Standing, error: OpenError) -> Exit {
    let shown = |path: &Option<PathBuf>| path.as_deref().unwrap_or(Path::new("")).display().to_string();
    let (audit, pins) = (shown(&standing.audit), shown(&standing.pins));
    let (complaint, exit) = match error {
        OpenError::Audit(error) => (format!("`{audit}` cannot be written: {error}"), Exit::World),
        OpenError::Pins(PinsError::File(error)) => {
            (format!("`{pins}` cannot be read and written: {error}"), Exit::World)
        }
        OpenError::Pins(PinsError::Line { line, what, found }) => {
            let help =
                "name another file, or delete the line: its tool is pinned anew when it is listed again";
            (format!("`{pins}:{line}` is no pin, {what}: `{found}`\nhelp: {help}"), Exit::Mistake)
        }
        OpenError::Pins(error @ PinsError::Cut) => (format!("`{pins}`: {error}"), Exit::World),
    };
    say(&complaint);
    exit
}

/// What the gateway declares within a run it also does on its own.
fn declared() -> Declared {
    gateway::named("reference").map(|profile| profile.declares).unwrap_or_default()
}

/// Says where everything is. Where agents come in comes last: after it, all the rest is there too.
fn announce(
    standing: &Standing,
    reference: &Reference,
    (front, side): (&Option<TcpListener>, &TcpListener),
    open: bool,
) {
    let at =
        |listener: &TcpListener| listener.local_addr().map(|address| address.to_string()).unwrap_or_default();
    // A token out of the user's own settings is a secret, and no news.
    let token = match &standing.token {
        Some(_) => "with the token of the settings".to_owned(),
        None => format!("with the token {}", reference.decision_token()),
    };
    say(&format!("approvals are decided at http://{}/approvals, {token}", at(side)));
    match front {
        Some(front) => {
            let public = front.local_addr().is_ok_and(|address| !address.ip().is_loopback());
            if public && open {
                say("warning: whoever reaches this address may call tools without a token");
            }
            say(&format!("listening on http://{}/mcp", at(front)));
        }
        None => say("serving on stdio"),
    }
}
