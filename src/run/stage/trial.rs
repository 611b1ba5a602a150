//! A gateway that agents start themselves, started once before anything is judged by its silence.
//!
//! It says whether the gateway comes to its first answer, whatever that is. It does not know what the answer is worth.

use super::sessions::GRACE;
use super::{SetupError, Stage};
use crate::gateway::{Connection, Failure};
use crate::transcript::Ended;
use crate::transport::child::{Child, Talk};
use crate::wire::Json;
use crate::witness::{Ask, BETWEEN, Opening, PRINTED, Session, Target};

impl Stage {
    /// Starts it as its first agent does and lets it go again; an error is why it cannot be spoken to.
    pub(in crate::run) async fn tries(&self) -> Result<(), SetupError> {
        let Some(name) = self.scenario.sessions.keys().next() else { return Ok(()) };
        let Ok(Connection::Stdio(command)) = self.way(name) else { return Ok(()) };
        let gateway = self.theatre.stand.gateway.read().await;
        let Some(gateway) = &*gateway else { return Ok(()) };
        let within = self.patience.max(self.profile.ready_within());
        let opening = Opening { patience: within, ..self.opening(name) };
        let failed = |why| Err(gateway.failed(why).into());
        let mut child = match Child::spawn(&command, Talk::Frames) {
            Ok(child) => child,
            Err(error) => return failed(error.into()),
        };
        let why = match first_answer(&mut child, opening).await {
            Ended::Lost(how) => Some(gone(&mut child, &how).await),
            Ended::Quiet => Some(Failure::Late { within, last_words: child.last_words() }),
            Ended::Answered => None,
        };
        child.stop(GRACE).await;
        why.map_or(Ok(()), failed)
    }
}

/// How the first request ended: the last of a session's opening, or, where an era opens with none, one that asks who is
/// there.
async fn first_answer(child: &mut Child, opening: Opening) -> Ended {
    let (Some(reader), Some(writer)) = (child.stdout.take(), child.stdin.take()) else {
        return Ended::Lost("no pipes".to_owned());
    };
    let patience = opening.patience;
    match Session::open(Target::Stdio { reader, writer }, opening).await {
        Ok(session) if session.opening_exchanges().is_empty() => {
            let asked = session.start(Ask::new("server/discover", Json::object())).wait(patience).await;
            session.close().await;
            asked.ended
        }
        Ok(session) => {
            session.close().await;
            Ended::Answered
        }
        Err(error) => error.exchanges.into_iter().next_back().map_or(Ended::Answered, |last| last.ended),
    }
}

/// A process that has ended its output; that it ends itself is waited for, but not for ever.
async fn gone(child: &mut Child, how: &str) -> Failure {
    let status = tokio::time::timeout(GRACE, child.exited()).await.ok().flatten();
    // Its words are read by somebody else; also a daemon of its own may hold their stream open.
    let _ = tokio::time::timeout(GRACE, child.says(|_| false)).await;
    let status = status.map_or_else(|| "its output closed".to_owned(), |status| status.to_string());
    // Where its output is for frames, what it printed there beside them was heard by the session.
    let printed = how.split_once(PRINTED).map(|(_, words)| words.replace(BETWEEN, "\n"));
    let words: Vec<String> =
        printed.into_iter().chain([child.last_words()]).filter(|words| !words.is_empty()).collect();
    Failure::Ended { status, last_words: words.join("\n") }
}
