//! The reference gateway within this process: started, and started again as a process would be, at the same address and
//! with no more of its past than it keeps in files.

use crate::reference::{Clock, Conduct, Grant, OpenError, PinStore, Reference, Settings};
use serde_json::Value;
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The name of the file for its pins.
const PINS: &str = "pins.jsonl";

/// The reference gateway within this process.
pub(super) struct Embedded {
    pub(super) clock: Clock,
    pub(super) conduct: Conduct,
    /// What it is told at a start; the grants are those of now.
    settings: Mutex<Settings>,
    doors: Doors,
    living: Mutex<Living>,
    serving: tokio::sync::Mutex<Serving>,
}

/// Where agents and deciders come in: open as long as the stage is, so that nobody else takes the ports meanwhile.
pub(super) struct Doors {
    front: std::net::TcpListener,
    side: std::net::TcpListener,
}

struct Living {
    reference: Reference,
    /// What was recorded before it was started again.
    earlier: Vec<Value>,
}

struct Serving {
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

/// Where the pins of a gateway with that folder are kept.
pub(super) fn pins(folder: &Path) -> PinStore {
    PinStore::File(folder.join(PINS))
}

impl Doors {
    /// Two free ports of the loopback.
    pub(super) async fn open() -> io::Result<Self> {
        let (front, side) =
            (TcpListener::bind("127.0.0.1:0").await?, TcpListener::bind("127.0.0.1:0").await?);
        Ok(Self { front: front.into_std()?, side: side.into_std()? })
    }

    /// The ports, that of the agents first.
    pub(super) fn ports(&self) -> (u16, u16) {
        let port = |door: &std::net::TcpListener| door.local_addr().map_or(0, |address| address.port());
        (port(&self.front), port(&self.side))
    }

    fn serve(&self, reference: &Reference) -> io::Result<Serving> {
        let listener = |door: &std::net::TcpListener| TcpListener::from_std(door.try_clone()?);
        let (front, side) = (listener(&self.front)?, listener(&self.side)?);
        let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
        let (agents, until) = (reference.clone(), stop.clone());
        tasks.spawn(async move { agents.serve_http(front, until).await });
        let (deciders, until) = (reference.clone(), stop.clone());
        tasks.spawn(async move { deciders.serve_decisions(side, until).await });
        Ok(Serving { stop, tasks })
    }
}

impl Embedded {
    /// Starts it.
    pub(super) fn start(
        settings: Settings,
        conduct: Conduct,
        clock: Clock,
        doors: Doors,
    ) -> io::Result<Self> {
        let reference = Reference::new(settings.clone(), conduct.clone(), clock.clone()).map_err(told)?;
        let serving = tokio::sync::Mutex::new(doors.serve(&reference)?);
        let living = Mutex::new(Living { reference, earlier: Vec::new() });
        Ok(Self { clock, conduct, settings: Mutex::new(settings), doors, living, serving })
    }

    /// The gateway as it lives now.
    pub(super) fn reference(&self) -> Reference {
        lock(&self.living).reference.clone()
    }

    /// All that it recorded since the stage was set up: a process would have appended to one file.
    pub(super) fn records(&self) -> Vec<Value> {
        let living = lock(&self.living);
        living.earlier.iter().cloned().chain(living.reference.audit_lines()).collect()
    }

    /// Gives it other grants.
    pub(super) async fn reload(&self, grants: Vec<Grant>) {
        lock(&self.settings).grants.clone_from(&grants);
        self.reference().reload(grants).await;
    }

    /// Ends it and starts it again; every session is gone.
    pub(super) async fn restart(&self) -> io::Result<()> {
        let mut serving = self.serving.lock().await;
        let before = self.reference();
        end(&before, &mut serving).await;
        let (settings, token) = (lock(&self.settings).clone(), before.decision_token().to_owned());
        let (conduct, clock) = (self.conduct.clone(), self.clock.clone());
        let reference = Reference::with_decision_token(settings, conduct, clock, token).map_err(told)?;
        *serving = self.doors.serve(&reference)?;
        let mut living = lock(&self.living);
        living.earlier.extend(before.audit_lines());
        living.reference = reference;
        Ok(())
    }

    /// Ends it.
    pub(super) async fn stop(self) {
        end(&self.reference(), &mut *self.serving.lock().await).await;
    }
}

async fn end(reference: &Reference, serving: &mut Serving) {
    reference.end().await;
    serving.stop.cancel();
    std::mem::take(&mut serving.tasks).join_all().await;
}

fn told(error: OpenError) -> io::Error {
    io::Error::other(error)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
