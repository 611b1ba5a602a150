//! Questions to the client on the way to an answer: the modern era's result that asks, and what a repeated request
//! brings back.

use super::call::note_receipt;
use super::convention::Rendered;
use super::frame::{Dress, Frame};
use super::protocol::legacy::{capability, needed};
use super::questions::{Put, State};
use super::running::Running;
use super::value::from_wire;
use crate::wire::canonical::canonical;
use crate::wire::{Json, Object, RpcError, era, rpc};
use minijinja::Value;
use sha2::{Digest as _, Sha256};

impl Running {
    /// The answer of one that cannot ask its client anything.
    pub(super) fn cannot_ask(&self, method: &str) -> Frame {
        let error = format!("the client offers no `{}`", capability(method));
        if !self.target.is_tool() {
            return Frame::error(&self.id, RpcError::new(rpc::INVALID_REQUEST, error));
        }
        let rendered = self
            .living
            .spec
            .convention
            .error(self.target.name(), &error)
            .unwrap_or_else(|_| Rendered::text(&error, true));
        let frame = self.frame(&rendered);
        self.execute(frame.answer(), true);
        frame
    }

    /// The modern era's way to ask: a result that the client repeats the request for.
    pub(super) fn input_required(
        &self,
        put: &[Put],
        (state, choice): (State, usize),
        meta: Option<&Json>,
    ) -> Result<Frame, RpcError> {
        let offered = meta.and_then(|meta| meta.get(era::meta::CAPABILITIES));
        let lacks = |question: &&Put| {
            offered.is_none_or(|offered| offered.get(capability(&question.method)).is_none())
        };
        if let Some(question) = put.iter().find(lacks) {
            let capability = capability(&question.method);
            let mut more = Object::default();
            more.set("requiredCapabilities", needed(capability));
            let message = format!("the client offers no `{capability}`");
            return Err(RpcError::new(era::code::MISSING_CAPABILITY, message).with(Json::Object(more)));
        }
        let mut requests = Object::default();
        for question in put {
            let mut request = Object::default();
            request.set("method", question.method.clone());
            request.set("params", question.params.clone());
            requests.set(&question.name, Json::Object(request));
        }
        let state = match state {
            State::Sealed => Some(self.sealed(choice)),
            State::Authored(state) => Some(state),
            State::Absent => None,
        };
        let state = state.map(|state| format!(",\"requestState\":{}", Json::from(state))).unwrap_or_default();
        let members = format!("\"inputRequests\":{}{state}", Json::Object(requests));
        if let Some(receipt) = self.stamp() {
            note_receipt(&self.living, self.seq, receipt);
        }
        let dress = Dress { kind: "input_required", ..self.living.dress(self.era, self.stamp()) };
        Ok(Frame::result(&self.id, &members.into(), dress))
    }

    /// Where the choice goes on, bound to the request and to who makes it.
    fn sealed(&self, choice: usize) -> String {
        let parts = [
            self.living.secret.as_str(),
            self.target.name(),
            &canonical(&self.given),
            &self.identity,
            &choice.to_string(),
        ];
        let seal: String =
            Sha256::digest(parts.join("\u{1f}")).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        format!("{choice}.{seal}")
    }

    /// What a repeated request brings back: the replies, and where the choice goes on.
    pub(super) fn brought_back(&self, params: Option<&Json>) -> Result<Option<(Value, usize)>, RpcError> {
        let member = |name: &str| params.and_then(|params| params.get(name));
        let invalid = |why: &str| RpcError::new(rpc::INVALID_PARAMS, format!("Invalid params: {why}"));
        let replies = member("inputResponses");
        if replies.is_some_and(|replies| replies.as_object().is_none()) {
            return Err(invalid("`inputResponses` is no object"));
        }
        let script = self.target.script(&self.living.spec.convention).map_err(|wrong| self.failed(wrong))?;
        let Some(state) = member("requestState") else {
            let found =
                replies.and_then(|replies| Some((from_wire(replies), script.choice_answered_by(replies)?)));
            return Ok(found.map(|(replies, choice)| (replies, choice + 1)));
        };
        let state = state.as_str().ok_or_else(|| invalid("`requestState` is no text"))?;
        let sealed = state
            .split_once('.')
            .and_then(|(choice, _)| choice.parse().ok())
            .filter(|choice| self.sealed(*choice) == state);
        let choice = sealed
            .or_else(|| script.choice_with_state(state))
            .ok_or_else(|| invalid("`requestState` is not one of ours"))?;
        // Where a reply is missing, the same question is simply put again.
        Ok(Some(match replies.filter(|replies| script.is_answered(choice, replies)) {
            Some(replies) => (from_wire(replies), choice + 1),
            None => (Value::UNDEFINED, choice),
        }))
    }
}
