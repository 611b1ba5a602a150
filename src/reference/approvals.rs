//! What waits for a person's decision, and what became of it.

use crate::wire::Json;
use indexmap::IndexMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// One thing that somebody has to decide.
#[derive(Clone, Debug, PartialEq)]
pub struct Ticket {
    /// Unguessable.
    pub id: String,
    /// What it is about.
    pub about: About,
    /// What the approval is bound to.
    pub seal: String,
    /// Who asked.
    pub identity: String,
    /// The upstream's name.
    pub upstream: String,
    /// The tool's name there.
    pub tool: String,
    /// The arguments that would run, or the entry that would be listed.
    pub arguments: Json,
    /// When it was asked for.
    pub requested: Duration,
    /// For so long it can be decided, and an approval used.
    pub patience: Duration,
    /// How it stands.
    pub standing: Standing,
}

/// What a decision is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// One call.
    Call,
    /// A tool's entry that changed.
    Entry,
}

/// How a ticket stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nobody has decided.
    Open,
    /// Somebody has approved, and it was not used yet.
    Approved {
        /// Who.
        by: String,
        /// When.
        at: Duration,
    },
    /// Somebody has rejected, and the agent was not told yet.
    Rejected {
        /// Who.
        by: String,
    },
    /// Used by a call that is under way.
    Spent,
}

/// What somebody says to a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Let it pass, once.
    Approve,
    /// Do not.
    Reject,
}

/// Why a decision has no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undecidable {
    /// There is no such ticket.
    Unknown,
    /// It was decided, or it is too late.
    Closed,
}

/// All tickets.
#[derive(Debug, Default)]
pub(super) struct Approvals {
    tickets: Mutex<IndexMap<String, Ticket>>,
    changes: watch::Sender<u64>,
}

impl Ticket {
    /// Until when it can be decided.
    pub fn deadline(&self) -> Duration {
        self.requested + self.patience
    }
}

impl Approvals {
    /// Adds a ticket, and forgets what nobody can want any more.
    pub(super) fn open(&self, ticket: Ticket) {
        let now = ticket.requested;
        let mut tickets = self.tickets();
        // Long enough to tell an agent that comes back late that it was rejected.
        tickets.retain(|_, old| now < old.deadline() + 2 * old.patience || old.about == About::Entry);
        tickets.insert(ticket.id.clone(), ticket);
    }

    /// The ticket of that id.
    pub(super) fn get(&self, id: &str) -> Option<Ticket> {
        self.tickets().get(id).cloned()
    }

    /// The first ticket of that seal that pleases.
    pub(super) fn find(&self, seal: &str, pleases: impl Fn(&Ticket) -> bool) -> Option<Ticket> {
        self.tickets().values().find(|ticket| ticket.seal == seal && pleases(ticket)).cloned()
    }

    /// All tickets that can be decided.
    pub(super) fn undecided(&self, decidable: impl Fn(&Ticket) -> bool) -> Vec<Ticket> {
        self.tickets()
            .values()
            .filter(|ticket| ticket.standing == Standing::Open && decidable(ticket))
            .cloned()
            .collect()
    }

    /// Decides; gives the ticket as it stands then.
    pub(super) fn decide(
        &self,
        id: &str,
        standing: Standing,
        decidable: impl Fn(&Ticket) -> bool,
    ) -> Result<Ticket, Undecidable> {
        let decided = {
            let mut tickets = self.tickets();
            let ticket = tickets.get_mut(id).ok_or(Undecidable::Unknown)?;
            if !decidable(ticket) {
                return Err(Undecidable::Closed);
            }
            ticket.standing = standing;
            ticket.clone()
        };
        self.changes.send_modify(|count| *count += 1);
        Ok(decided)
    }

    /// Uses an approval up. Of several that try at once, one succeeds.
    pub(super) fn spend(&self, id: &str, usable: impl Fn(&Ticket) -> bool) -> bool {
        let mut tickets = self.tickets();
        let Some(ticket) = tickets.get_mut(id).filter(|ticket| usable(ticket)) else { return false };
        ticket.standing = Standing::Spent;
        true
    }

    /// Gives a used approval back: the upstream was not reached.
    pub(super) fn restore(&self, before: Ticket) {
        self.tickets().insert(before.id.clone(), before);
    }

    /// Forgets a ticket: used, told, or taken back.
    pub(super) fn forget(&self, id: &str) {
        self.tickets().shift_remove(id);
    }

    /// Wakes at every decision from now on.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn tickets(&self) -> MutexGuard<'_, IndexMap<String, Ticket>> {
        self.tickets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticket(id: &str, requested: u64) -> Ticket {
        let (text, requested) = (|text: &str| text.to_owned(), Duration::from_secs(requested));
        Ticket {
            id: text(id),
            about: About::Call,
            seal: text("seal"),
            identity: text("alice"),
            upstream: text("lab"),
            tool: text("deploy"),
            arguments: Json::object(),
            requested,
            patience: Duration::from_secs(60),
            standing: Standing::Open,
        }
    }

    fn approved() -> Standing {
        Standing::Approved { by: "bob".into(), at: Duration::from_secs(1) }
    }

    #[test]
    fn a_ticket_is_decided_once_and_spent_once() {
        let approvals = Approvals::default();
        approvals.open(ticket("a", 0));
        assert_eq!(approvals.decide("b", approved(), |_| true), Err(Undecidable::Unknown));
        assert_eq!(approvals.decide("a", approved(), |_| false), Err(Undecidable::Closed));
        let open = |ticket: &Ticket| ticket.standing == Standing::Open;
        assert!(approvals.decide("a", approved(), open).is_ok());
        assert_eq!(approvals.decide("a", approved(), open), Err(Undecidable::Closed));
        let usable = |ticket: &Ticket| ticket.standing == approved();
        let before = approvals.get("a").unwrap();
        assert!(approvals.spend("a", usable));
        assert!(!approvals.spend("a", usable));
        approvals.restore(before);
        assert!(approvals.spend("a", usable));
        approvals.forget("a");
        assert_eq!(approvals.get("a"), None);
    }

    #[test]
    fn what_is_long_past_is_forgotten() {
        let approvals = Approvals::default();
        for (index, at) in [0, 10, 179, 200].into_iter().enumerate() {
            approvals.open(ticket(&index.to_string(), at));
        }
        assert_eq!(approvals.undecided(|_| true).len(), 2);
    }
}
