//! What a scenario does to the gateway and to time, beside making calls.

use super::Stage;
use super::gateway::{document, grant};
use super::mocks;
use crate::gateway::{self, Carried, Decided, Decision, HookError, Pending, RenderError, Told};
use crate::reference::{About, Verdict};
use crate::run::perform::Trouble;
use crate::run::plan::length;
use crate::scenario::{Boundary, Change, Reload};
use crate::transport::child::Departure;
use crate::wire::Json;
use std::sync::PoisonError;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What is known of a call whose approval has to be looked for, by the names that profiles use.
pub(in crate::run) type Hints = [(&'static str, String); 4];

impl Stage {
    /// Finds what an answer left waiting for a decision.
    pub(in crate::run) async fn find(&self, told: &Told, hints: &Hints) -> Result<Pending, String> {
        let hints = hints.each_ref().map(|(name, value)| (*name, value.as_str()));
        let gateway = self.theatre.stand.gateway.read().await;
        let gateway = gateway.as_ref().ok_or("the gateway is stopped")?;
        gateway.find(told, &hints).await.map_err(|error| self.discreet(&error))
    }

    /// Finds what waits for a decision and was not found before, or says why nothing shows in time.
    pub(in crate::run) async fn find_new(&self, told: &Told, hints: &Hints) -> Result<Pending, String> {
        let patience = tokio::time::Instant::now() + self.patience;
        loop {
            let found = self.find(told, hints).await?;
            let id = found.id().unwrap_or_default().to_owned();
            if self.found.lock().await.insert(id.clone()) {
                return Ok(found);
            }
            if tokio::time::Instant::now() >= patience {
                return Err(format!("only `{id}` waits for a decision, and that is another call's"));
            }
            // The approver's list is somebody else's: it can only be asked again.
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }

    /// Whether some call took that question already.
    pub(in crate::run) fn was_asked(&self, session: &str, id: &Json) -> bool {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.contains(&(session.to_owned(), id.to_string()))
    }

    /// Takes a question for a call; `false` where another one was faster.
    pub(in crate::run) fn claim_question(&self, session: &str, id: &Json) -> bool {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.insert((session.to_owned(), id.to_string()))
    }

    /// What the call that comes after a decision takes along.
    pub(in crate::run) async fn carried(&self, pending: &Pending) -> Result<Carried, String> {
        let gateway = self.theatre.stand.gateway.read().await;
        let gateway = gateway.as_ref().ok_or("the gateway is stopped")?;
        gateway.carried(pending).map_err(|error| self.discreet(&error))
    }

    /// Brings a decision to the gateway's approver.
    pub(in crate::run) async fn decide(&self, pending: &Pending, approve: bool) -> Result<Decided, String> {
        let decision = if approve { Decision::Approve } else { Decision::Reject };
        let gateway = self.theatre.stand.gateway.read().await;
        let gateway = gateway.as_ref().ok_or("the gateway is stopped")?;
        gateway.decide(pending, decision).await.map_err(|error| self.discreet(&error))
    }

    /// A complaint without what only this run may know: addresses and commands have it in them.
    fn discreet(&self, error: &impl ToString) -> String {
        let facts = self.theatre.stand.facts();
        let tokens = self.theatre.stand.identities().iter().map(|identity| identity.token.as_str());
        let secrets = tokens.chain([facts.secret.as_str()]).filter(|secret| !secret.is_empty());
        secrets.fold(error.to_string(), |text, secret| text.replace(secret, "[SECRET]"))
    }

    /// The same with an identity's own credential in the place of the approver's.
    pub(in crate::run) async fn decide_by(
        &self,
        pending: &Pending,
        approve: bool,
        identity: &str,
    ) -> Result<(), String> {
        let decision = if approve { Decision::Approve } else { Decision::Reject };
        let gateway = self.theatre.stand.gateway.read().await;
        let gateway = gateway.as_ref().ok_or("the gateway is stopped")?;
        gateway.decide_as(pending, decision, identity).await.map(drop).map_err(|error| self.discreet(&error))
    }

    /// Accepts the entry of a tool as it is now, as the people at the gateway would.
    pub(in crate::run) fn accept(&self, tool: &str) -> Result<(), String> {
        let embedded =
            self.theatre.stand.embedded.as_ref().ok_or("the gateway cannot be told to accept an entry")?;
        let reference = embedded.reference();
        let waiting = reference.undecided();
        let entry = waiting.iter().find(|ticket| ticket.about == About::Entry && ticket.tool == tool);
        let entry = entry.ok_or_else(|| format!("no changed entry of `{tool}` waits for anybody"))?;
        let decided = reference.decide(&entry.id, Verdict::Approve, "operator");
        decided.map(drop).ok_or_else(|| format!("the entry of `{tool}` cannot be accepted"))
    }

    /// Lets time pass: turns the gateway's clock where it has a hook, and waits where it has none.
    pub(in crate::run) async fn let_pass(&self, time: Duration) {
        if let Some(embedded) = &self.theatre.stand.embedded {
            embedded.clock.turn(time);
            return;
        }
        let turned = match &*self.theatre.stand.gateway.read().await {
            Some(gateway) if self.profile.turns() => gateway.turn_clock(time).await.is_ok(),
            _ => false,
        };
        if !turned {
            tokio::time::sleep(time).await;
        }
    }

    /// How long until the next calendar boundary (UTC) by the gateway's clock.
    pub(in crate::run) fn until(&self, boundary: Boundary) -> Duration {
        let now = match &self.theatre.stand.embedded {
            Some(embedded) => embedded.clock.now(),
            None => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
        };
        let length = length(boundary).as_secs();
        let next = (now.as_secs() / length + 1) * length;
        Duration::from_secs(next).saturating_sub(now)
    }

    /// Changes a mock's list.
    pub(in crate::run) async fn change(&self, change: &Change) -> Result<(), String> {
        let name = match &change.upstream {
            Some(name) => name.clone(),
            None => self.scenario.upstreams.keys().next().cloned().unwrap_or_default(),
        };
        self.mock(&name)?.change(mocks::change(change, &self.minted)).await
    }

    /// Gives the running gateway another policy, perhaps one that is broken on purpose.
    pub(in crate::run) async fn reload(&self, reload: &Reload) -> Result<(), Trouble> {
        let mut identities = self.theatre.stand.identities().to_vec();
        for identity in &mut identities {
            let meant = reload.identity.as_ref().is_none_or(|name| name.value == identity.name);
            if let Some(policy) = reload.policy.as_ref().filter(|_| meant && identity.policy.is_some()) {
                identity.policy = Some(document(&policy.policy));
            }
        }
        if let Some(embedded) = &self.theatre.stand.embedded {
            let grants = identities
                .iter()
                .map(|identity| grant(&embedded.conduct, identity, spoiled(reload)))
                .collect::<Result<Vec<_>, _>>();
            // A policy that does not read is not taken, and the old one stays: that is what is being looked at.
            if let Ok(grants) = grants {
                embedded.reload(grants).await;
            }
            return Ok(());
        }
        let mut gateway = self.theatre.stand.gateway.write().await;
        let gateway = gateway.as_mut().ok_or_else(|| Trouble::because("the gateway is stopped"))?;
        let within = match gateway.reload(identities, spoiled(reload)).await {
            Ok(within) => within,
            Err(HookError::Render(RenderError::Cannot(what))) => return Err(Trouble::Cannot(what)),
            Err(error) => return Err(Trouble::because(error)),
        };
        // The gateway says how long it may take; before that either policy is right.
        tokio::time::sleep(within).await;
        Ok(())
    }

    /// Takes an identity's credential away.
    pub(in crate::run) async fn revoke(&self, identity: &str) -> Result<(), String> {
        if let Some(embedded) = &self.theatre.stand.embedded {
            let left = self.theatre.stand.identities().iter().filter(|one| one.name != identity);
            let grants = left
                .map(|identity| grant(&embedded.conduct, identity, None))
                .collect::<Result<Vec<_>, _>>()?;
            embedded.reload(grants).await;
            return Ok(());
        }
        let mut gateway = self.theatre.stand.gateway.write().await;
        let within = gateway.as_mut().ok_or("the gateway is stopped")?.revoke(identity).await;
        tokio::time::sleep(within.map_err(|error| error.to_string())?).await;
        Ok(())
    }

    /// Stops the gateway and starts it again, with nothing in between; every connection is gone.
    pub(in crate::run) async fn restart_gateway(&self) -> Result<Option<Departure>, String> {
        self.forget_sessions().await;
        if let Some(embedded) = &self.theatre.stand.embedded {
            embedded.restart().await.map_err(|error| error.to_string())?;
            return Ok(None);
        }
        let mut gateway = self.theatre.stand.gateway.write().await;
        gateway.as_mut().ok_or("the gateway is stopped")?.restart().await.map_err(|error| error.to_string())
    }
}

fn spoiled(reload: &Reload) -> Option<gateway::Spoil> {
    reload.policy.as_ref()?.spoiled.map(super::gateway::how)
}
