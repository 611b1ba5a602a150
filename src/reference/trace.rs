//! The record that a call leaves.

use super::refusal::Refusal;
use super::walk::Walk;
use crate::policy::Denied;

impl Walk<'_> {
    /// Says what was decided, and what came of it.
    pub(super) fn leave_record(&mut self, refusal: Option<&Refusal>) {
        let told = |denied: &Denied| (Some(denied.rule.clone()), Some(denied.reason.clone()));
        let hidden = self.record.decision == "hidden";
        match refusal {
            None | Some(Refusal::Failed(_) | Refusal::Unknown(_)) => {}
            Some(Refusal::Denied(denied)) if !hidden => {
                self.record.decision = "denied";
                (self.record.rule, self.record.reason) = told(denied);
            }
            Some(Refusal::Denied(_)) => {}
            Some(Refusal::Limited(limited)) => {
                (self.record.decision, self.record.rule) = ("limited", Some(limited.rule.clone()));
            }
            Some(Refusal::Pending { approval } | Refusal::Asked { approval, .. }) => {
                (self.record.decision, self.record.approval) = ("pending", Some(approval.clone()));
            }
            // Taken back before it was forwarded: it was still pending.
            Some(Refusal::Cancelled) if self.failure.is_none() => self.record.decision = "pending",
            Some(Refusal::Cancelled) => {}
        }
        if self.record.decision == "allowed" {
            let outcome = self.failure.map_or(Ok("success".into()), serde_json::to_value);
            self.record.outcome = outcome.ok().and_then(|value| value.as_str().map(str::to_owned));
        }
        self.sign_record();
    }

    fn sign_record(&mut self) {
        let print = (self.context.state.conduct.prints)(self.granted.identity(), &self.call());
        let mut record = std::mem::take(&mut self.record);
        record.identity = Some(self.granted.identity().to_owned());
        record.upstream = Some(self.call().upstream.to_owned());
        record.tool = Some(self.called.tool.clone());
        record.request_id = Some((&self.called.id).into());
        record.policy = self.granted.policy_print();
        record.arguments = Some(print);
        record.approval = record.approval.or_else(|| self.ticket.as_ref().map(|ticket| ticket.id.clone()));
        self.context.state.record(record);
    }
}
