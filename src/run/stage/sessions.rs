//! The connections of a scenario, opened when they are first used.

use super::Stage;
use crate::gateway::{Connection, Mode, Style};
use crate::scenario::{Haunt, Kind, Offer, Voice};
use crate::transcript::{Ended, Exchange, Received, Sent};
use crate::transport::child::{Child, Talk};
use crate::witness::{OpenError, Opening, Session, Target};
use std::time::{Duration, Instant};

/// How long a process has to end after its input is closed.
pub(super) const GRACE: Duration = Duration::from_secs(2);

/// A connection, and the process behind it where it has one of its own.
pub(super) enum Open {
    Session { session: Session, child: Option<Box<Child>> },
    Refused(Box<Exchange>),
}

/// What using a session comes to.
pub(in crate::run) enum Opened {
    /// It can be used.
    Open(Session),
    /// The gateway did not let it be opened: so nothing on it can run.
    Refused(Exchange),
}

impl Open {
    pub(super) fn session(&self) -> Option<&Session> {
        match self {
            Self::Session { session, .. } => Some(session),
            Self::Refused(_) => None,
        }
    }

    pub(super) async fn close(self) {
        if let Self::Session { session, child } = self {
            session.close().await;
            // Its input is closed. What it has been told last it may still act upon, and that has to be seen.
            if let Some(mut child) = child
                && tokio::time::timeout(GRACE, child.exited()).await.is_err()
            {
                child.stop(GRACE).await;
            }
        }
    }
}

impl Stage {
    /// The name of the session that a voice speaks on; the first where it says none.
    pub(in crate::run) fn voice_name(&self, voice: &Voice) -> String {
        let first = || self.scenario.sessions.keys().next().cloned().unwrap_or_default();
        voice.session.as_ref().map_or_else(first, |session| session.value.clone())
    }

    /// Headers that put another identity's credential on a session.
    pub(in crate::run) fn credential_of(&self, voice: &Voice) -> Vec<(String, String)> {
        let Some(identity) = &voice.by else { return Vec::new() };
        match self.theatre.stand.connection(&identity.value) {
            Ok(Connection::Http { headers, .. }) => headers,
            _ => Vec::new(),
        }
    }

    /// The session of that name, opened if it is not yet.
    pub(in crate::run) async fn session(&self, name: &str) -> Opened {
        let mut sessions = self.sessions.lock().await;
        if !sessions.contains_key(name) {
            let open = self.open(name).await;
            sessions.insert(name.to_owned(), open);
        }
        match &sessions[name] {
            Open::Session { session, .. } => Opened::Open(session.clone()),
            Open::Refused(exchange) => Opened::Refused((**exchange).clone()),
        }
    }

    /// Everything that the sessions heard outside of their exchanges.
    pub(in crate::run) async fn notices(&self) -> Vec<Received> {
        let sessions = self.sessions.lock().await;
        sessions.values().filter_map(Open::session).flat_map(Session::notices).collect()
    }

    /// Forgets every session: what they were connected to is gone.
    pub(super) async fn forget_sessions(&self) {
        let forgotten = std::mem::take(&mut *self.sessions.lock().await);
        for (_, open) in forgotten {
            open.close().await;
        }
    }

    /// Whether notices matter: where none is waited for, and none could betray anything, a stream for them is only in the
    /// way.
    fn listens(&self) -> bool {
        let waits = self.scenario.steps.iter().any(|step| matches!(step.kind, Kind::Notice(_)));
        waits
            || self.scenario.canaries.values().any(|canary| canary.never.contains(&Haunt::Client))
            || self.profile.approval_style() == Some(Style::Elicitation)
            || self.profile.announces().is_some()
    }

    /// Whether the client of that session declines whatever its user is asked: then no question is the gateway's own.
    pub(in crate::run) fn declines(&self, name: &str) -> bool {
        let session = self.scenario.sessions.get(name);
        session.is_some_and(|session| session.offers.contains(&Offer::Elicitation))
    }

    /// How the session of that name connects.
    pub(in crate::run) fn way(&self, name: &str) -> Result<Connection, String> {
        match self.scenario.sessions.get(name).and_then(|session| session.identity.as_ref()) {
            Some(identity) => self.theatre.stand.connection(identity),
            None => self.theatre.stand.anonymous(),
        }
    }

    /// How the session of that name is opened.
    pub(super) fn opening(&self, name: &str) -> Opening {
        let session = self.scenario.sessions.get(name);
        let offers = if self.declines(name) { &[] } else { self.profile.offers() };
        Opening {
            revision: self.revision,
            offers: session.into_iter().flat_map(|one| one.offers.iter().map(|offer| offer.word())).collect(),
            elicitation: offers.contains(&Mode::Form),
            address: offers.contains(&Mode::Url),
            notices: self.listens(),
            lists_first: self.profile.lists_first(),
            patience: self.patience,
            client_name: session
                .and_then(|session| session.client.clone())
                .unwrap_or_else(|| "gauntlet".to_owned()),
        }
    }

    async fn open(&self, name: &str) -> Open {
        let (target, child) = match self.way(name) {
            Ok(Connection::Http { url, headers }) => (Target::Http { url, headers }, None),
            Ok(Connection::Stdio(command)) => match Child::spawn(&command, Talk::Frames) {
                Ok(mut child) => match (child.stdout.take(), child.stdin.take()) {
                    (Some(reader), Some(writer)) => (Target::Stdio { reader, writer }, Some(Box::new(child))),
                    _ => return Open::refused("the gateway's process has no pipes"),
                },
                Err(error) => return Open::refused(&error.to_string()),
            },
            Err(why) => return Open::refused(&why),
        };
        match Session::open(target, self.opening(name)).await {
            Ok(session) => Open::Session { session, child },
            Err(OpenError { what, mut exchanges }) => match exchanges.pop() {
                Some(mut last) => {
                    if let (Ended::Lost(why), Some(child)) = (&mut last.ended, child) {
                        why.push_str(&last_words(*child).await);
                    }
                    Open::Refused(Box::new(last))
                }
                None => Open::refused(&what),
            },
        }
    }
}

/// What a process that is gone had to say: mostly why.
async fn last_words(mut child: Child) -> String {
    // It has ended its output; that it ends itself is waited for, but not for ever.
    let _ = tokio::time::timeout(GRACE, child.exited()).await;
    let _ = tokio::time::timeout(GRACE, child.says(|_| false)).await;
    match child.last_words() {
        words if words.is_empty() => String::new(),
        // It ends up within one line of a report.
        words => format!("; its last words: {}", words.lines().collect::<Vec<_>>().join(" | ")),
    }
}

impl Open {
    /// No connection at all: nothing was sent, and nothing can come back.
    fn refused(why: &str) -> Self {
        let sent = Sent { at: Instant::now(), bytes: bytes::Bytes::new(), id: None };
        let ended = Ended::Lost(why.to_owned());
        Self::Refused(Box::new(Exchange { sent, http: None, received: Vec::new(), ended }))
    }
}
