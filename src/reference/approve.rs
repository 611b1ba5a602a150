//! Asking a person: holding the call, telling the agent to come back, or asking through the agent's own client.

use super::approvals::{About, Approvals, Standing, Ticket, Verdict};
use super::audit::Record;
use super::refusal::{Refusal, question};
use super::settings::Channel;
use super::state::{State, unguessable};
use super::walk::Walk;
use crate::policy::{Decision, Denied};
use crate::wire::{Era, Json};
use std::time::Duration;

/// A ticket of a call that is held open: gone with the call, unless it is kept for the stages that follow.
struct Held<'a> {
    approvals: &'a Approvals,
    id: String,
    kept: bool,
}

impl Held<'_> {
    fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if !self.kept {
            self.approvals.forget(&self.id);
        }
    }
}

impl Walk<'_> {
    /// Passes with an approval that stands; otherwise asks for one.
    pub(super) async fn approve(&mut self) -> Result<(), Refusal> {
        let Decision::NeedsApproval { timeout, rule } = self.decision.clone() else { return Ok(()) };
        self.record.rule = Some(rule.clone());
        let state = self.context.state.clone();
        let channel = state.settings.channel;
        let modern = self.context.session.revision.era() == Era::Modern;
        let answered = if channel == Channel::Elicited && modern { self.answered_question() } else { None };
        if let Some((id, approved)) = answered {
            let by = self.granted.identity().to_owned();
            let verdict = if approved { Verdict::Approve } else { Verdict::Reject };
            let _ = state.decide_approval(&id, verdict, &by);
        }
        let seal = self.seal();
        let usable = |ticket: &Ticket| (state.conduct.usable)(ticket, state.clock.now());
        if let Some(ticket) = state.approvals.find(&seal, usable) {
            self.ticket = Some(ticket);
            return Ok(());
        }
        match channel {
            Channel::Held => self.hold(timeout, &rule).await,
            Channel::Retried => self.pending(timeout, &rule),
            Channel::Elicited if modern => self.pending(timeout, &rule),
            Channel::Elicited => self.elicit(timeout, &rule).await,
        }
    }

    /// Another call was faster with the approval: this one needs its own.
    pub(super) fn ask_again(&mut self) -> Refusal {
        let Decision::NeedsApproval { timeout, .. } = self.decision else { return Refusal::Cancelled };
        let id = self.open_ticket(timeout);
        self.told_to_wait(id)
    }

    fn seal(&self) -> String {
        (self.context.state.conduct.seal)(self.granted.identity(), &self.call())
    }

    fn open_ticket(&self, patience: Duration) -> String {
        let (state, call) = (&self.context.state, self.call());
        let ticket = Ticket {
            id: unguessable(),
            about: About::Call,
            seal: self.seal(),
            identity: self.granted.identity().to_owned(),
            upstream: call.upstream.to_owned(),
            tool: call.tool.to_owned(),
            arguments: call.arguments.clone(),
            requested: state.clock.now(),
            patience,
            standing: Standing::Open,
        };
        let id = ticket.id.clone();
        state.approvals.open(ticket);
        id
    }

    async fn hold(&mut self, timeout: Duration, rule: &str) -> Result<(), Refusal> {
        let state = self.context.state.clone();
        let mut changes = state.approvals.changes();
        let held = Held { approvals: &state.approvals, id: self.open_ticket(timeout), kept: false };
        self.record.approval = Some(held.id.clone());
        let deadline = state.clock.now() + timeout;
        loop {
            match state.approvals.get(&held.id) {
                Some(ticket) if (state.conduct.usable)(&ticket, state.clock.now()) => {
                    self.ticket = Some(ticket);
                    held.keep();
                    return Ok(());
                }
                Some(Ticket { standing: Standing::Rejected { by }, .. }) => return Err(rejected(rule, &by)),
                // A call with the same seal was faster; this one is asked about anew.
                None | Some(Ticket { standing: Standing::Spent, .. }) => return Err(self.ask_again()),
                Some(_) => {}
            }
            tokio::select! {
                () = self.context.gone.cancelled() => return Err(Refusal::Cancelled),
                _ = changes.changed() => {}
                () = state.clock.until(deadline) => match (state.conduct.silence)() {
                    Verdict::Reject => return Err(too_late(rule, timeout)),
                    Verdict::Approve => {
                        self.ticket = state.approvals.get(&held.id).map(|ticket| state.approve_unasked(ticket));
                        held.keep();
                        return Ok(());
                    }
                },
            }
        }
    }

    /// Told once that it was rejected, or that nobody decided; until then, to wait.
    fn pending(&mut self, timeout: Duration, rule: &str) -> Result<(), Refusal> {
        let (state, seal) = (self.context.state.clone(), self.seal());
        let now = state.clock.now();
        let of_call =
            |ticket: &Ticket| !matches!(ticket.standing, Standing::Spent | Standing::Approved { .. });
        let Some(ticket) = state.approvals.find(&seal, of_call) else {
            let id = self.open_ticket(timeout);
            return Err(self.told_to_wait(id));
        };
        if let Standing::Rejected { by } = &ticket.standing {
            state.approvals.forget(&ticket.id);
            return Err(rejected(rule, by));
        }
        if now < ticket.deadline() {
            return Err(self.told_to_wait(ticket.id));
        }
        match (state.conduct.silence)() {
            Verdict::Reject => {
                // Who decides late must not decide about the next call.
                if !(state.conduct.decidable)(&ticket, now) {
                    state.approvals.forget(&ticket.id);
                }
                Err(too_late(rule, timeout))
            }
            Verdict::Approve => {
                self.ticket = Some(state.approve_unasked(ticket));
                Ok(())
            }
        }
    }

    fn told_to_wait(&self, approval: String) -> Refusal {
        let elicited = self.context.state.settings.channel == Channel::Elicited;
        if elicited {
            Refusal::Asked { approval, message: self.message() }
        } else {
            Refusal::Pending { approval }
        }
    }

    /// Whose client is asked is the agent's own: it must be able to.
    async fn elicit(&mut self, timeout: Duration, rule: &str) -> Result<(), Refusal> {
        let state = self.context.state.clone();
        if self.context.session.hello.pointer("/capabilities/elicitation").is_none() {
            let reason = "an approval is needed, and the client cannot ask for one".into();
            return Err(Refusal::Denied(Denied { rule: rule.to_owned(), reason }));
        }
        let held = Held { approvals: &state.approvals, id: self.open_ticket(timeout), kept: false };
        self.record.approval = Some(held.id.clone());
        let params = Json::from(question(&self.message()));
        let answer = tokio::select! {
            () = self.context.gone.cancelled() => return Err(Refusal::Cancelled),
            () = state.clock.until(state.clock.now() + timeout) => return Err(too_late(rule, timeout)),
            answer = self.context.session.agent.ask("elicitation/create", Some(params), Some(&self.context.outlet)) => answer,
        };
        let accepts =
            answer.as_ref().and_then(|answer| answer.pointer("/result/action")).and_then(Json::as_str);
        let by = self.granted.identity().to_owned();
        let verdict = if accepts == Some("accept") { Verdict::Approve } else { Verdict::Reject };
        let decided = state.decide_approval(&held.id, verdict, &by);
        match decided {
            Some(ticket) if verdict == Verdict::Approve => {
                self.ticket = Some(ticket);
                held.keep();
                Ok(())
            }
            _ => Err(rejected(rule, &by)),
        }
    }

    /// The answer to our own question that a repeated call brings along; it goes no further.
    fn answered_question(&mut self) -> Option<(String, bool)> {
        let seal = self.seal();
        let params = self.called.params.as_object_mut()?;
        let id = params.get("requestState")?.as_str()?.to_owned();
        self.context.state.approvals.get(&id).filter(|ticket| ticket.seal == seal)?;
        params.remove("requestState");
        let responses = params.remove("inputResponses")?;
        let action = responses.pointer("/approval/action").and_then(Json::as_str);
        action.map(|action| (id, action == "accept"))
    }

    fn message(&self) -> String {
        format!("allow `{}` on `{}` with {}?", self.call().tool, self.call().upstream, self.call().arguments)
    }
}

impl State {
    /// Whether somebody can decide on it now. An entry waits for as long as it takes.
    pub(super) fn is_decidable(&self, ticket: &Ticket, now: Duration) -> bool {
        let entry = ticket.about == About::Entry && ticket.standing == Standing::Open;
        entry || (self.conduct.decidable)(ticket, now)
    }

    /// Decides on a ticket, and leaves a record of who did; nothing where it cannot be decided.
    pub(super) fn decide_approval(&self, id: &str, verdict: Verdict, by: &str) -> Option<Ticket> {
        let now = self.clock.now();
        let (standing, decision) = match verdict {
            Verdict::Approve => (Standing::Approved { by: by.to_owned(), at: now }, "approved"),
            Verdict::Reject => (Standing::Rejected { by: by.to_owned() }, "rejected"),
        };
        let ticket = self.approvals.decide(id, standing, |ticket| self.is_decidable(ticket, now)).ok()?;
        if ticket.about == About::Entry && self.decide_entry(&ticket, verdict).is_err() {
            self.approvals.restore(Ticket { standing: Standing::Open, ..ticket });
            return None;
        }
        let about = if ticket.about == About::Entry { "entry" } else { "approval" };
        self.record(Record {
            about,
            decision,
            identity: Some(ticket.identity.clone()),
            upstream: Some(ticket.upstream.clone()),
            tool: Some(ticket.tool.clone()),
            arguments: Some(ticket.seal.clone()),
            approval: Some(ticket.id.clone()),
            approver: Some(by.to_owned()),
            ..Record::default()
        });
        Some(ticket)
    }

    /// Makes an approval of a silence: only a liar does.
    fn approve_unasked(&self, ticket: Ticket) -> Ticket {
        let standing = Standing::Approved { by: "nobody".into(), at: self.clock.now() };
        let ticket = Ticket { standing, ..ticket };
        self.approvals.restore(ticket.clone());
        ticket
    }
}

fn rejected(rule: &str, by: &str) -> Refusal {
    Refusal::Denied(Denied { rule: rule.to_owned(), reason: format!("rejected by {by}") })
}

fn too_late(rule: &str, timeout: Duration) -> Refusal {
    let reason = format!("nobody approved within {}s", timeout.as_secs());
    Refusal::Denied(Denied { rule: rule.to_owned(), reason })
}
