//! The inside of a living server: everything that its connections share.

use super::change::{After, Change};
use super::frame::Dress;
use super::ledger::Ledger;
use super::listener::Listeners;
use super::listing::Listing;
use super::log::Log;
use super::notice::News;
use super::session::{Sessions, random};
use super::spec::{Mock, Spec};
use super::world::World;
use crate::transport::http_server::Chunk;
use crate::wire::{Era, Revision};
use serde_json::json;
use std::borrow::Cow;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, SystemTime};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How a server is set up, beyond its mock.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// The upstream that it plays.
    pub(super) name: String,
    /// The token that every HTTP request must bear.
    pub(super) bearer: Option<String>,
    /// Who bears which token: token and name.
    pub(super) identities: Vec<(String, String)>,
    /// Whether it reads as carelessly as some server somewhere does.
    pub(super) lenient: bool,
    /// Whether it stamps receipts into its answers.
    pub(super) receipts: bool,
    /// How many tools stand on a page of its list.
    pub(super) page: Option<usize>,
    /// Whether it answers with an event stream wherever the client takes one.
    pub(super) streams: bool,
    /// How long a modern client may keep a list, and whether for itself only.
    pub(super) keep: (Duration, bool),
    /// Hosts that may be named in `Host` and `Origin`, beside those of the loopback.
    pub(super) hosts: Vec<String>,
    /// How many arrivals its ledger keeps at least.
    pub(super) remember: usize,
    /// Whether answers tell the real time.
    pub(super) live: bool,
    /// Whether it listens on the loopback only, where no page of another site has any business.
    pub(super) at_home: bool,
    /// The revisions that it speaks.
    pub(super) revisions: Vec<Revision>,
}

/// Everything that the connections of one server share.
pub(super) struct Living {
    pub(super) settings: Settings,
    pub(super) spec: Arc<Spec>,
    pub(super) world: Mutex<World>,
    pub(super) sessions: Sessions,
    pub(super) listeners: Listeners,
    pub(super) ledger: Ledger,
    pub(super) log: Option<Log>,
    /// Ends when the server stops for good.
    pub(super) stop: CancellationToken,
    /// What runs beside the connections; all of it is waited for.
    pub(super) tasks: TaskTracker,
    /// Answers on their way: those that take time.
    pub(super) deliveries: TaskTracker,
    /// Streams that nothing will ever be said on.
    held: Mutex<Vec<mpsc::Sender<Chunk>>>,
    /// What seals the states that modern clients bring back.
    pub(super) secret: String,
    /// `"io.modelcontextprotocol/serverInfo": {...}`.
    pub(super) server: String,
    /// Behind the members of a modern list.
    pub(super) tail: String,
    listing: RwLock<Arc<Listing>>,
    waiting: Mutex<Vec<(After, Change)>>,
    lists: AtomicU32,
    calls: AtomicU32,
    complaints: Mutex<Vec<String>>,
}

impl Living {
    /// A server that nobody has talked to yet.
    pub(super) fn new(mock: &Mock, settings: Settings, log: Option<Log>) -> Self {
        let spec = Arc::clone(&mock.0);
        let info = json!({"name": spec.manner.name, "version": spec.manner.version});
        let (ttl, private) = settings.keep;
        let scope = if private { "private" } else { "public" };
        Self {
            world: Mutex::new(World::new(spec.world.keys())),
            listing: RwLock::new(Arc::new(Listing::new(spec.tools.clone(), settings.page))),
            server: format!("\"io.modelcontextprotocol/serverInfo\":{info}"),
            tail: format!(",\"ttlMs\":{},\"cacheScope\":\"{scope}\"", ttl.as_millis()),
            ledger: Ledger::new(settings.remember),
            settings,
            spec,
            sessions: Sessions::default(),
            listeners: Listeners::default(),
            log,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            deliveries: TaskTracker::new(),
            held: Mutex::default(),
            secret: random(),
            waiting: Mutex::default(),
            lists: AtomicU32::new(0),
            calls: AtomicU32::new(0),
            complaints: Mutex::default(),
        }
    }

    /// The list as it is now.
    pub(super) fn listing(&self) -> Arc<Listing> {
        Arc::clone(&self.listing.read().expect("no writer panics"))
    }

    /// Whether it speaks anything of that era.
    pub(super) fn speaks(&self, era: Era) -> bool {
        self.settings.revisions.iter().any(|revision| revision.era() == era)
    }

    /// The time, as answers tell it: always the same, unless the server is to be live.
    pub(super) fn now(&self) -> Cow<'static, str> {
        if self.settings.live {
            return humantime::format_rfc3339_seconds(SystemTime::now()).to_string().into();
        }
        "2026-05-01T12:00:00Z".into()
    }

    /// How its results are dressed.
    pub(super) fn dress<'a>(&'a self, era: Era, receipt: Option<&'a str>) -> Dress<'a> {
        Dress { era, server: &self.server, receipt, meta: "", kind: "complete", tail: "" }
    }

    /// The receipt of an arrival's answer; a batch has several.
    pub(super) fn receipt(&self, seq: u64, place: usize) -> String {
        let more = if place > 0 { format!("-{place}") } else { String::new() };
        format!("r-{}-{seq}{more}", self.settings.name)
    }

    /// An arrival has been dealt with, as far as that needs no waiting: it goes to the ledger's file.
    pub(super) fn dealt_with(&self, seq: u64) {
        if let Some(log) = &self.log {
            self.ledger.look_at(seq, |arrival| log.write(arrival));
        }
    }

    /// Keeps a stream open.
    pub(super) fn hold(&self, stream: mpsc::Sender<Chunk>) {
        let mut held = self.held.lock().expect("no writer panics");
        held.retain(|stream| !stream.is_closed());
        held.push(stream);
    }

    /// Lets go of every open stream.
    pub(super) fn release(&self) {
        self.listeners.clear();
        self.held.lock().expect("no writer panics").clear();
    }

    /// Notes something that is the mock's fault, not the client's.
    pub(super) fn complain(&self, complaint: String) {
        self.complaints.lock().expect("no writer panics").push(complaint);
    }

    /// What was the mock's fault so far.
    pub(super) fn complaints(&self) -> Vec<String> {
        self.complaints.lock().expect("no writer panics").clone()
    }

    /// Forgets what calls have done to its world, and what it complained of.
    pub(super) fn begin_anew(&self) {
        *self.world.lock().expect("no writer panics") = World::new(self.spec.world.keys());
        self.complaints.lock().expect("no writer panics").clear();
    }

    /// Makes a change now, or keeps it until its time has come; whether clients should be told now.
    pub(super) fn change(&self, change: Change) -> Result<bool, String> {
        match change.after {
            Some(after) => {
                self.waiting.lock().expect("no writer panics").push((after, change));
                Ok(false)
            }
            None => {
                let mut listing = self.listing.write().expect("no writer panics");
                let changed = listing.changed(&change.what).ok_or("there is no such tool")?;
                *listing = Arc::new(changed);
                Ok(change.notify)
            }
        }
    }

    /// Counts a complete list that is handed out.
    pub(super) fn listed(self: &Arc<Self>) {
        self.reached(After::Lists(self.lists.fetch_add(1, Ordering::Relaxed) + 1));
    }

    /// Counts a call.
    pub(super) fn called(self: &Arc<Self>) {
        self.reached(After::Calls(self.calls.fetch_add(1, Ordering::Relaxed) + 1));
    }

    /// Makes the changes whose time has come.
    pub(super) fn reached(self: &Arc<Self>, now: After) {
        let mut waiting = self.waiting.lock().expect("no writer panics");
        if waiting.is_empty() {
            return;
        }
        let due: Vec<Change> =
            waiting.extract_if(.., |(after, _)| *after == now).map(|(_, change)| change).collect();
        drop(waiting);
        for change in due {
            match self.change(Change { after: None, ..change }) {
                Ok(true) => {
                    let living = Arc::clone(self);
                    self.tasks.spawn(async move { living.listeners.tell(&News::Tools).await });
                }
                Ok(false) => {}
                Err(wrong) => self.complain(format!("a change could not be made: {wrong}")),
            }
        }
    }

    /// Dies and is there again, as after a crash: no session is known any more.
    pub(super) fn crash(&self) {
        self.sessions.forget();
        self.release();
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::mock::Changed;

    pub(in crate::mock) fn settings() -> Settings {
        Settings {
            name: "ludus".into(),
            bearer: None,
            identities: Vec::new(),
            lenient: false,
            receipts: false,
            page: None,
            streams: false,
            keep: (Duration::ZERO, false),
            hosts: Vec::new(),
            remember: usize::MAX,
            live: false,
            at_home: true,
            revisions: Revision::ALL.to_vec(),
        }
    }

    #[tokio::test]
    async fn a_change_waits_for_its_time() {
        let living = Arc::new(Living::new(&Mock::ludus(), settings(), None));
        let change =
            Change { after: Some(After::Lists(2)), ..Change::silent(Changed::Remove("destroy_vm".into())) };
        assert_eq!(living.change(change), Ok(false));
        living.listed();
        assert!(living.listing().tool("destroy_vm").is_some());
        living.listed();
        assert!(living.listing().tool("destroy_vm").is_none());
        assert!(living.change(Change::told(Changed::Remove("destroy_vm".into()))).is_err());
        assert_eq!(living.change(Change::told(Changed::Remove("list_hosts".into()))), Ok(true));
    }
}
