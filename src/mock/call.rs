//! `tools/call`: from parameters to an answer, in either era.

use super::arguments::{check, told};
use super::body::{Put, Said};
use super::convention::Rendered;
use super::delivery::{Delivery, Then};
use super::fault::Fault;
use super::frame::{Answered, Dress, Frame, oversized};
use super::ledger::Execution;
use super::living::Living;
use super::protocol::legacy::{capability, needed};
use super::protocol::{Caller, Outcome};
use super::script::{Call, Played};
use super::session::Session;
use super::tool::Tool;
use super::value::from_wire;
use super::world::Asked;
use crate::wire::canonical::canonical;
use crate::wire::{Era, Json, Object, RpcError, era, rpc};
use minijinja::Value;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use std::time::Duration;

/// A call whose arguments fit, up to its answer.
pub(super) struct Running {
    pub(super) living: Arc<Living>,
    pub(super) seq: u64,
    pub(super) id: Json,
    pub(super) era: Era,
    pub(super) session: Option<Arc<Session>>,
    /// What progress notices carry, if the client wants any.
    pub(super) token: Option<Json>,
    tool: Arc<Tool>,
    arguments: Value,
    given: Json,
    identity: Arc<str>,
    receipt: String,
}

/// What comes next of a call, and how.
pub(super) struct Next {
    pub(super) then: Then,
    pub(super) delay: Duration,
    pub(super) progress: u32,
    pub(super) fault: Option<Fault>,
}

/// Answers a call.
pub(super) fn call(caller: &Caller, id: &Json, params: Option<&Json>, era: Era) -> Outcome {
    let living = &caller.living;
    living.called();
    let receipt = living.receipt(caller.seq, caller.place);
    let convention = &living.spec.convention;
    let Some((name, given)) = asked(params) else {
        return Outcome::error(id, convention.invalid_params());
    };
    // A careless server takes a name with spaces around it for the name.
    let name = if living.settings.lenient { name.trim() } else { name };
    let answer = |rendered: &Rendered| {
        note_receipt(living, caller.seq, &receipt);
        Outcome::Frame(frame(living, (id, era, &receipt), rendered))
    };
    let listing = living.listing();
    let Some(tool) = listing.tool(name) else {
        return convention
            .unknown_tool(name)
            .map_or_else(|error| failed(living, id, error.to_string()), |rendered| answer(&rendered));
    };
    let arguments = match check(tool.parameters(), &given, convention.rules()) {
        Ok(arguments) => arguments,
        Err(problems) => {
            let refusal = convention.refusal(name, |model| told(&problems, model, convention.rules()));
            return refusal
                .map_or_else(|error| failed(living, id, error.to_string()), |rendered| answer(&rendered));
        }
    };
    let script = match tool.script(convention) {
        Ok(script) => script,
        Err(wrong) => return failed(living, id, format!("`{name}`: {wrong}")),
    };
    let meta = params.and_then(|params| params.get("_meta"));
    let running = Running {
        living: Arc::clone(living),
        seq: caller.seq,
        id: id.clone(),
        era,
        session: caller.session.clone(),
        token: meta.and_then(|meta| meta.get("progressToken")).cloned(),
        tool: Arc::clone(tool),
        arguments,
        given: Json::Object(given),
        identity: Arc::clone(&caller.identity),
        receipt,
    };
    if let Some(rendered) = script.constant() {
        let frame = frame(living, (id, era, &running.receipt), rendered);
        running.execute(frame.answer(), rendered.is_error);
        return Outcome::Frame(frame);
    }
    let replies = if era == Era::Modern { running.brought_back(params) } else { Ok(None) };
    match replies.and_then(|replies| running.play(replies)).and_then(|played| running.conclude(played, meta))
    {
        Err(error) => Outcome::error(id, error),
        Ok(Next { then: Then::Frame(frame), delay: Duration::ZERO, progress: 0, fault: None }) => {
            Outcome::Frame(frame)
        }
        Ok(next) => Outcome::Delivery(Box::new(Delivery::new(running, next))),
    }
}

/// The tool's name and its arguments, if the parameters have the right shape.
fn asked(params: Option<&Json>) -> Option<(&str, Object)> {
    let params = params?.as_object()?;
    let name = params.get("name")?.as_str()?;
    match params.get("arguments") {
        None | Some(Json::Null) => Some((name, Object::default())),
        Some(Json::Object(given)) => Some((name, given.clone())),
        Some(_) => None,
    }
}

fn frame(living: &Living, (id, era, receipt): (&Json, Era, &str), rendered: &Rendered) -> Frame {
    let receipt = living.settings.receipts.then_some(receipt);
    Frame::result(id, &rendered.members, living.dress(era, receipt))
}

fn note_receipt(living: &Living, seq: u64, receipt: &str) {
    if living.settings.receipts {
        living.ledger.amend(seq, |arrival| arrival.receipts.push(receipt.to_owned()));
    }
}

/// The mock itself is wrong: loudly.
fn failed(living: &Living, id: &Json, complaint: String) -> Outcome {
    let error = RpcError::new(rpc::INTERNAL_ERROR, format!("mock: {complaint}"));
    living.complain(complaint);
    Outcome::error(id, error)
}

impl Running {
    /// Chooses an answer; what the client replied decides where the choice goes on.
    pub(super) fn play(&self, replies: Option<(Value, usize)>) -> Result<Played, RpcError> {
        let convention = &self.living.spec.convention;
        let canonical = || canonical(&self.given);
        let now = self.living.now();
        let call = Call {
            arguments: self.arguments.clone(),
            canonical: &canonical,
            identity: &self.identity,
            now: &now,
            replies,
        };
        let script = self.tool.script(convention).map_err(|wrong| self.failed(wrong))?;
        // Where the clock is real, no two calls are alike.
        let asked: Option<Asked> = (script.repeats() && !self.living.settings.live)
            .then(|| (Arc::clone(&self.tool.name), self.given.to_string(), Arc::clone(&self.identity)));
        let mut world = self.living.world.lock().expect("no writer panics");
        if let Some(rendered) = asked.as_ref().and_then(|asked| world.recall(asked)) {
            return Ok(Played::at_once(rendered));
        }
        let played = script.play(&call, &mut world, convention).map_err(|wrong| self.failed(wrong))?;
        if let (Some(asked), Said::Result(rendered)) = (asked, &played.said) {
            world.keep(asked, rendered);
        }
        Ok(played)
    }

    /// Makes frames of what was chosen, and writes the execution down.
    pub(super) fn conclude(&self, played: Played, meta: Option<&Json>) -> Result<Next, RpcError> {
        let Played { said, fault, delay, progress, choice } = played;
        let runs = fault.as_ref().is_none_or(Fault::runs);
        let then = match said {
            Said::Result(rendered) => {
                let rendered = match &fault {
                    Some(Fault::Oversize(size)) => oversized(&rendered, size.0),
                    _ => rendered,
                };
                let frame = frame(&self.living, (&self.id, self.era, &self.receipt), &rendered);
                if runs {
                    self.execute(frame.answer(), rendered.is_error);
                }
                Then::Frame(frame)
            }
            Said::RpcError(error) => {
                let frame = Frame::error(&self.id, error);
                if runs {
                    self.execute(frame.answer(), true);
                }
                Then::Frame(frame)
            }
            Said::Questions(put, state) if self.era == Era::Modern => {
                Then::Frame(self.input_required(&put, (state, choice), meta)?)
            }
            Said::Questions(put, _) => Then::Questions(put, choice),
            Said::Nothing => {
                if runs {
                    self.execute(Answered::default(), false);
                }
                Then::Nothing
            }
        };
        Ok(Next { then, delay, progress, fault })
    }

    /// The answer of a tool that cannot ask its client anything.
    pub(super) fn cannot_ask(&self, method: &str) -> Frame {
        let error = format!("the client offers no `{}`", capability(method));
        let rendered = self
            .living
            .spec
            .convention
            .error(&self.tool.name, &error)
            .unwrap_or_else(|_| Rendered::text(&error, true));
        let frame = frame(&self.living, (&self.id, self.era, &self.receipt), &rendered);
        self.execute(frame.answer(), true);
        frame
    }

    /// What the mock itself got wrong, as an answer.
    pub(super) fn failed(&self, complaint: String) -> RpcError {
        let error = RpcError::new(rpc::INTERNAL_ERROR, format!("mock: {complaint}"));
        self.living.complain(complaint);
        error
    }

    fn execute(&self, answer: Answered, is_error: bool) {
        let identity = (!self.identity.is_empty()).then(|| self.identity.to_string());
        let execution = Execution {
            tool: self.tool.name.to_string(),
            arguments: self.given.clone(),
            receipt: self.receipt.clone(),
            identity,
            answer,
            is_error,
        };
        let stamped = self.living.settings.receipts.then(|| self.receipt.clone());
        self.living.ledger.amend(self.seq, |arrival| {
            arrival.executed.push(execution);
            arrival.receipts.extend(stamped);
        });
    }

    /// The modern era's way to ask: a result that the client repeats the call for.
    fn input_required(
        &self,
        put: &[Put],
        (state, choice): (Option<String>, usize),
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
        let state = state.unwrap_or_else(|| self.sealed(choice));
        let members =
            format!("\"inputRequests\":{},\"requestState\":{}", Json::Object(requests), Json::from(state));
        note_receipt(&self.living, self.seq, &self.receipt);
        let receipt = self.living.settings.receipts.then_some(self.receipt.as_str());
        let dress = Dress { kind: "input_required", ..self.living.dress(self.era, receipt) };
        Ok(Frame::result(&self.id, &members.into(), dress))
    }

    /// Where the choice goes on, bound to the call and to who makes it.
    fn sealed(&self, choice: usize) -> String {
        let parts = [
            &self.living.secret,
            &*self.tool.name,
            &canonical(&self.given),
            &self.identity,
            &choice.to_string(),
        ];
        let seal: String =
            Sha256::digest(parts.join("\u{1f}")).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        format!("{choice}.{seal}")
    }

    /// What a repeated call brings back: the replies, and where the choice goes on.
    fn brought_back(&self, params: Option<&Json>) -> Result<Option<(Value, usize)>, RpcError> {
        let member = |name: &str| params.and_then(|params| params.get(name));
        let Some(state) = member("requestState") else { return Ok(None) };
        let invalid =
            || RpcError::new(rpc::INVALID_PARAMS, "Invalid params: `requestState` is not one of ours");
        let state = state.as_str().ok_or_else(invalid)?;
        let sealed = state
            .split_once('.')
            .and_then(|(choice, _)| choice.parse().ok())
            .filter(|choice| self.sealed(*choice) == state);
        let authored = || self.tool.script(&self.living.spec.convention).ok()?.choice_with_state(state);
        let choice = sealed.or_else(authored).ok_or_else(invalid)?;
        // Without replies the question is simply put again.
        let Some(replies) = member("inputResponses") else { return Ok(None) };
        Ok(Some((from_wire(replies), choice + 1)))
    }
}
