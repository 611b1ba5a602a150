//! Calls whose answer comes later: begun, left alone once they have arrived, taken back, or waited for.

use super::Trouble;
use super::call;
use super::steps::{Performance, saved};
use crate::run::judge::Asked;
use crate::run::stage::{Opened, Stage};
use crate::scenario::{Call, Settle, Variables};
use crate::witness::InFlight;
use std::time::Instant;

/// A call that is under way.
#[derive(Debug)]
pub(in crate::run) struct Open {
    asked: Asked,
    flight: InFlight,
}

/// Begins a call, and comes back once a server has it, or the gateway has answered.
pub(super) async fn begin(stage: &Stage, call: &Call, row: &Variables) -> Result<Begun, Trouble> {
    let begun = call::prepare(stage, call, row, None)?;
    let (mut asked, ask) = begun;
    match stage.session(&asked.session).await {
        Opened::Refused(exchange) => {
            asked.told = stage.profile.told(&exchange);
            asked.exchanges = vec![exchange];
            Ok(Begun::Over(Box::new(asked)))
        }
        Opened::Open(session) => {
            let before = stage.arrivals(asked.tool.as_deref().unwrap_or_default());
            let mut flight = session.start(ask);
            tokio::select! {
                biased;
                () = stage.arrived(asked.tool.as_deref().unwrap_or_default(), before) => {}
                _ = flight.wait(stage.patience) => {}
            }
            Ok(Begun::Open(Box::new(Open { asked, flight })))
        }
    }
}

/// What became of a beginning.
#[derive(Debug)]
pub(super) enum Begun {
    /// It goes on.
    Open(Box<Open>),
    /// It could not even be sent.
    Over(Box<Asked>),
}

impl Open {
    /// Takes it back.
    pub(super) async fn cancel(&mut self) {
        self.flight.cancel().await;
    }

    /// What has come of it by now: for a call that nobody waits for any more.
    pub(super) fn left(self, stage: &Stage) -> Asked {
        self.ended(stage)
    }

    fn ended(self, stage: &Stage) -> Asked {
        let exchanges = vec![self.flight.so_far()];
        let told = stage.profile.told(&exchanges[0]);
        let closed = call::closed(&exchanges, false);
        Asked { exchanges, told, closed, ..self.asked }
    }
}

/// Waits for the answer of a call that was left open.
pub(super) async fn settle(stage: &Stage, performance: &mut Performance, settle: &Settle, mut open: Open) {
    let patience = stage.patience_of(&settle.voice);
    open.flight.wait(patience).await;
    let asked = open.ended(stage);
    for (name, pointer) in &settle.save {
        if let Some(value) = asked.exchanges.first().and_then(|exchange| saved(exchange, &pointer.value)) {
            performance.variables.set(name, value);
        }
    }
    performance.asked.push(asked);
}

/// A call as it is before anything was sent.
pub(super) fn unsent(target: call::Target, arguments: crate::wire::Json, session: String) -> Asked {
    Asked {
        known: target.known,
        tool: Some(target.tool),
        reads: Vec::new(),
        upstream: target.upstream,
        arguments,
        headers: Vec::new(),
        session,
        exchanges: Vec::new(),
        told: crate::gateway::Told::silence(),
        opened: Instant::now(),
        closed: None,
        decided: None,
        notification: false,
    }
}
