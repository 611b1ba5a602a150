//! A call on its way through the stages.

use super::agent::{Outlet, lock};
use super::approvals::Ticket;
use super::audit::Record;
use super::conduct::{Ending, Stage};
use super::link::{Ask, Trouble};
use super::refusal::{FAILED, Refusal};
use super::session::Session;
use super::settings::Channel;
use super::state::{Granted, State};
use crate::declared::Failure;
use crate::policy::{Call, Charge, Decision, Denied, Reservation, Who};
use crate::wire::{Json, RpcError, rpc};
use http::HeaderMap;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Everything that one request of an agent comes with.
#[derive(Clone, Debug)]
pub(super) struct Context {
    pub(super) state: Arc<State>,
    pub(super) session: Arc<Session>,
    pub(super) granted: Granted,
    /// Where frames go that belong to the request.
    pub(super) outlet: Outlet,
    /// Cancelled when it is taken back.
    pub(super) gone: CancellationToken,
    pub(super) headers: HeaderMap,
}

/// A call, with its name resolved.
#[derive(Clone, Debug)]
pub(super) struct Called {
    pub(super) id: Json,
    /// The upstream, by its place.
    pub(super) place: usize,
    pub(super) tool: String,
    /// The name that the agent knows.
    pub(super) shown: String,
    /// What the policy sees.
    pub(super) arguments: Json,
    /// What goes on.
    pub(super) params: Json,
    pub(super) order: &'static [Stage],
}

/// A call on its way, and what it has gathered.
pub(super) struct Walk<'a> {
    pub(super) context: &'a Context,
    pub(super) called: Called,
    pub(super) granted: Granted,
    pub(super) decision: Decision,
    /// The approval that lets it pass, as it stood before it was used.
    pub(super) ticket: Option<Ticket>,
    pub(super) record: Record,
    /// How an upstream that was asked failed.
    pub(super) failure: Option<Failure>,
    nth: u64,
    reservation: Option<Reservation>,
    answer: Option<Json>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(context: &'a Context, called: Called) -> Self {
        let nth = context.session.count_call();
        let granted = context.granted.clone();
        let record = Record { about: "call", decision: "allowed", ..Record::default() };
        let (ticket, reservation, answer, failure) = (None, None, None, None);
        let mut walk = Self {
            context,
            called,
            granted,
            decision: Decision::Hidden,
            ticket,
            record,
            nth,
            reservation,
            answer,
            failure,
        };
        walk.decision = walk.decided();
        walk
    }

    /// The call as the policy sees it.
    pub(super) fn call(&self) -> Call<'_> {
        let upstream = &self.context.state.settings.upstreams[self.called.place].name;
        Call { upstream, tool: &self.called.tool, arguments: &self.called.arguments }
    }

    /// Walks to the end; the response frame.
    pub(super) async fn run(mut self) -> Json {
        let state = &self.context.state;
        let pause = (state.conduct.pauses)(self.context.session.others_under_way());
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        let memory = (state.conduct.remembers)(&self.call(), &self.called.id);
        let kept = memory.as_ref().and_then(|name| lock(&state.shelves).get(name).cloned());
        if let Some(kept) = kept {
            return under(kept, self.called.id);
        }
        let mut refusal = None;
        for stage in self.called.order {
            if refusal.is_none() || *stage == Stage::Record {
                refusal = self.enter(*stage, refusal).await;
            }
        }
        self.settle(refusal.is_some());
        let id = self.called.id;
        match (refusal, self.answer) {
            (Some(refusal), _) => self.context.put(id, &refusal),
            (None, Some(answer)) => {
                if let Some(name) = memory {
                    lock(&self.context.state.shelves).insert(name, answer.clone());
                }
                under(answer, id)
            }
            (None, None) => rpc::error(id, RpcError::new(rpc::INTERNAL_ERROR, "the call was not forwarded")),
        }
    }

    async fn enter(&mut self, stage: Stage, refusal: Option<Refusal>) -> Option<Refusal> {
        let entered = match stage {
            Stage::Hide => self.hide(),
            Stage::Decide => self.decide(),
            Stage::Pin => self.pin().await,
            Stage::Approve => self.approve().await,
            Stage::Check => self.check(),
            Stage::Count => self.count(),
            Stage::Reserve => self.reserve(),
            Stage::Consume => self.consume(),
            Stage::Forward => self.forward().await,
            Stage::Record => {
                self.leave_record(refusal.as_ref());
                return refusal;
            }
        };
        entered.err()
    }

    fn decided(&self) -> Decision {
        match self.granted.policy() {
            Some(policy) => (self.context.state.conduct.decide)(policy, &self.call(), self.nth),
            None => (self.context.state.conduct.unruled)(),
        }
    }

    /// Under a default that denies, a hidden tool must look like any tool that is not listed.
    fn hide(&mut self) -> Result<(), Refusal> {
        if self.decision != Decision::Hidden {
            return Ok(());
        }
        (self.record.decision, self.record.rule) = ("hidden", Some("/hide".into()));
        let unlisted = Call { tool: "\0", ..self.call() };
        let policy = self.granted.policy().map(|policy| crate::policy::Policy::with_default(policy.default));
        Err((self.context.state.conduct.veils)(match policy.map(|policy| policy.decide(&unlisted)) {
            Some(Decision::Denied(denied)) => Refusal::Denied(denied),
            _ => Refusal::Unknown(self.called.shown.clone()),
        }))
    }

    fn decide(&mut self) -> Result<(), Refusal> {
        match &self.decision {
            Decision::Denied(denied) => Err(Refusal::Denied(denied.clone())),
            _ => Ok(()),
        }
    }

    async fn pin(&mut self) -> Result<(), Refusal> {
        if !self.granted.policy().is_some_and(|policy| policy.pin) {
            return Ok(());
        }
        // A change that nobody announced is one all the same: the entry is looked at before each call.
        self.context.look_at_pinned(self.called.place).await?;
        if !self.context.entry_is_withheld(&self.call()) {
            return Ok(());
        }
        let reason = "the tool changed since it was first listed".into();
        Err(Refusal::Denied(Denied { rule: "/pin".into(), reason }))
    }

    fn charges(&self) -> Result<Vec<Charge>, Refusal> {
        let Some(policy) = self.granted.policy() else { return Ok(Vec::new()) };
        let session = Some(self.context.session.id.as_str()).filter(|id| !id.is_empty());
        let who = Who { identity: self.granted.identity(), session };
        let mut charges = policy.charges(&self.call(), &who).map_err(Refusal::Denied)?;
        let state = &self.context.state;
        for charge in &mut charges {
            charge.kind = (state.conduct.moves)(charge.kind, &state.settings.declared);
        }
        Ok((state.conduct.charges)(charges, &who))
    }

    fn reserve(&mut self) -> Result<(), Refusal> {
        let (state, charges) = (&self.context.state, self.charges()?);
        let reserved = (state.conduct.reserve)(&mut lock(&state.counters), &charges, state.clock.now());
        self.reservation = Some(reserved.map_err(Refusal::Limited)?);
        Ok(())
    }

    fn check(&mut self) -> Result<(), Refusal> {
        self.reserve()?;
        if let Some(reservation) = self.reservation.take() {
            let state = &self.context.state;
            lock(&state.counters).release(reservation, state.clock.now());
        }
        Ok(())
    }

    fn count(&mut self) -> Result<(), Refusal> {
        let (state, mut charges) = (&self.context.state, self.charges()?);
        charges.iter_mut().for_each(|charge| charge.max = crate::policy::Amount::LARGEST);
        let counted = lock(&state.counters).reserve(&charges, state.clock.now());
        self.reservation = Some(counted.map_err(Refusal::Limited)?);
        Ok(())
    }

    /// Between the first look at the policy and now somebody may have tightened it: deny wins.
    fn consume(&mut self) -> Result<(), Refusal> {
        let state = &self.context.state;
        let now = (state.conduct.looks_again)().then(|| state.granted_now(&self.granted));
        let now = now.unwrap_or_else(|| Some(self.granted.clone())).ok_or_else(|| {
            Refusal::Denied(Denied { rule: String::new(), reason: "this grant was revoked".into() })
        })?;
        if !now.is_as_of(&self.granted) {
            self.granted = now;
            self.decision = self.decided();
            self.hide()?;
            self.decide()?;
        }
        let Some(ticket) = &self.ticket else { return Ok(()) };
        let usable = |ticket: &Ticket| (state.conduct.usable)(ticket, state.clock.now());
        if (state.conduct.burns)(ticket) && !state.approvals.spend(&ticket.id, usable) {
            self.ticket = None;
            return Err(self.ask_again());
        }
        Ok(())
    }

    async fn forward(&mut self) -> Result<(), Refusal> {
        let state = &self.context.state;
        if (state.conduct.needs_records)() && !state.audit.is_sound() {
            return Err(Refusal::Failed(RpcError::new(rpc::INTERNAL_ERROR, "records cannot be kept")));
        }
        let params = (state.conduct.sends)(self.called.params.clone());
        // Only a liar could name one that is not there.
        let last = state.settings.upstreams.len() - 1;
        let place = (state.conduct.lands)(self.called.place, &self.context.headers).min(last);
        let mut asked = self.context.ask(place, "tools/call", Some(params.clone())).await;
        if asked.as_ref().is_err_and(|trouble| (state.conduct.sends_again)(trouble.failure)) {
            asked = self.context.ask(place, "tools/call", Some(params)).await;
        }
        match asked {
            Ok(mut answer) => {
                let ways = [("result", state.conduct.returns), ("error", state.conduct.reports)];
                for (member, way) in ways {
                    if let Some(frame) = answer.as_object_mut()
                        && let Some(value) = frame.remove(member)
                    {
                        frame.set(member, way(value));
                    }
                }
                self.failure = failure_of(&answer);
                self.answer = Some(answer);
                Ok(())
            }
            Err(trouble) => {
                self.failure = Some(trouble.failure);
                Err(match trouble.failure {
                    Failure::Cancelled => Refusal::Cancelled,
                    _ => Refusal::Failed(RpcError::new(FAILED, trouble.what)),
                })
            }
        }
    }

    /// What was taken goes back, or is gone for good.
    fn settle(&mut self, refused: bool) {
        let state = &self.context.state;
        let ending = match self.failure {
            Some(failure) => Ending::Failed(failure),
            None if refused => Ending::Refused,
            None => Ending::Answered,
        };
        if let Some(reservation) = self.reservation.take()
            && (state.conduct.gives_back)(ending, &state.settings.declared)
        {
            (state.conduct.release)(&mut lock(&state.counters), reservation, state.clock.now());
        }
        let Some(ticket) = self.ticket.take().filter(|ticket| (state.conduct.burns)(ticket)) else { return };
        match ending {
            // Told to come back, the agent still has its approval; a held call that ended has none.
            Ending::Refused if state.settings.channel == Channel::Retried => {}
            ending if (state.conduct.rearms)(ending) => state.approvals.restore(ticket),
            _ => state.approvals.forget(&ticket.id),
        }
    }
}

impl Context {
    /// Asks an upstream, opening the way to it if need be.
    pub(super) async fn ask(
        &self,
        place: usize,
        method: &str,
        params: Option<Json>,
    ) -> Result<Json, Trouble> {
        let opening = self.session.link(place, &self.state);
        let link = tokio::select! {
            () = self.gone.cancelled() => return Err(Trouble::new(Failure::Cancelled, "request cancelled")),
            link = opening => link?,
        };
        let headers = (self.state.conduct.crosses)(&self.headers);
        let patience = (self.state.conduct.waits)(self.state.settings.upstream_timeout);
        let patience = patience.filter(|_| method != "subscriptions/listen");
        link.ask(Ask { method, params, headers, outlet: &self.outlet, gone: &self.gone, patience }).await
    }

    /// A refusal as a response frame.
    pub(super) fn put(&self, id: Json, refusal: &Refusal) -> Json {
        match (self.state.conduct.puts)(refusal) {
            Ok(result) => rpc::result(id, super::route::authored(result, self.session.revision)),
            Err(error) => rpc::error(id, error),
        }
    }
}

/// A response under the id of whoever asked.
fn under(mut answer: Json, id: Json) -> Json {
    if let Some(frame) = answer.as_object_mut() {
        frame.set("id", id);
    }
    answer
}

/// How an answer that came says that the call failed.
fn failure_of(answer: &Json) -> Option<Failure> {
    if answer.get("error").is_some() {
        Some(Failure::RpcError)
    } else {
        let is_error = answer.pointer("/result/isError").and_then(Json::as_bool) == Some(true);
        is_error.then_some(Failure::ErrorResult)
    }
}
