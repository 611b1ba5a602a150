//! A request that was understood, on its way to an answer, in either era: a call, or a read of a prompt or a resource.

use super::body::Said;
use super::convention::{Convention, Rendered};
use super::delivery::{Delivery, Then};
use super::fault::Fault;
use super::form::Form;
use super::frame::{Answered, Dress, Frame, oversized};
use super::ledger::Execution;
use super::living::Living;
use super::notice::{Aside, Level};
use super::offer::Offer;
use super::protocol::{Caller, Outcome};
use super::script::{Call, Played, Script};
use super::session::Session;
use super::tool::Tool;
use super::value::from_wire;
use super::world::Asked;
use crate::wire::canonical::canonical;
use crate::wire::{Era, Json, RpcError, era, rpc};
use minijinja::Value;
use std::sync::Arc;
use std::time::Duration;

/// What is asked: it has a name, and answers.
pub(super) enum Target {
    /// `tools/call`.
    Tool(Arc<Tool>),
    /// `prompts/get`, `resources/read`.
    Offer(Arc<Offer>),
}

impl Target {
    /// A tool's or a prompt's name, or a URI.
    pub(super) fn name(&self) -> &Arc<str> {
        match self {
            Self::Tool(tool) => &tool.name,
            Self::Offer(offer) => &offer.name,
        }
    }

    /// Its answers; the complaint is for whoever wrote them.
    pub(super) fn script(&self, convention: &Convention) -> Result<&Script, String> {
        match self {
            Self::Tool(tool) => tool.script(convention),
            Self::Offer(offer) => offer.script(convention),
        }
    }

    /// Whether it is executed, and leaves a receipt.
    pub(super) fn is_tool(&self) -> bool {
        matches!(self, Self::Tool(_))
    }

    /// Whether a modern client may keep its results.
    fn is_cacheable(&self) -> bool {
        matches!(self, Self::Offer(offer) if offer.form == Form::Resource)
    }
}

/// A request whose arguments fit, up to its answer.
pub(super) struct Running {
    pub(super) living: Arc<Living>,
    pub(super) seq: u64,
    pub(super) id: Json,
    pub(super) era: Era,
    pub(super) session: Option<Arc<Session>>,
    /// What progress notices carry, if the client wants any.
    pub(super) token: Option<Json>,
    /// The least grave log message that the client hears, if it hears any.
    pub(super) least: Option<Level>,
    pub(super) target: Target,
    arguments: Value,
    pub(super) given: Json,
    pub(super) identity: Arc<str>,
    pub(super) receipt: String,
    /// What the client can do for those who ask it.
    can: Value,
}

/// What comes next of it, and how.
pub(super) struct Next {
    pub(super) then: Then,
    pub(super) delay: Duration,
    pub(super) aside: Aside,
    pub(super) fault: Option<Fault>,
}

impl Running {
    /// A request that was understood: who asks for what, and with which arguments, as they count and as they were given.
    pub(super) fn new(
        caller: &Caller,
        (id, era): (&Json, Era),
        params: Option<&Json>,
        (target, arguments, given): (Target, Value, Json),
    ) -> Self {
        let living = Arc::clone(&caller.living);
        let meta = params.and_then(|params| params.get("_meta"));
        let said = |name: &str| meta.and_then(|meta| meta.get(name));
        let least = match era {
            Era::Modern => said(era::meta::LOG_LEVEL).and_then(Level::named),
            Era::Legacy => caller.session.as_ref().map(|session| session.level()),
        };
        Self {
            seq: caller.seq,
            id: id.clone(),
            era,
            session: caller.session.clone(),
            token: said("progressToken").cloned(),
            least,
            target,
            arguments,
            given,
            identity: Arc::clone(&caller.identity),
            receipt: living.receipt(caller.seq, caller.place),
            can: Value::UNDEFINED,
            living,
        }
    }

    /// Answers it, at once or on the way.
    pub(super) fn answer(mut self, params: Option<&Json>) -> Outcome {
        let id = self.id.clone();
        let script = match self.target.script(&self.living.spec.convention) {
            Ok(script) => script,
            Err(wrong) => return failed(&self.living, &id, format!("`{}`: {wrong}", self.target.name())),
        };
        if let Some(rendered) = script.constant() {
            let frame = self.frame(rendered);
            self.execute(frame.answer(), rendered.is_error);
            return Outcome::Frame(frame);
        }
        let meta = params.and_then(|params| params.get("_meta"));
        if script.looks() {
            self.can = self.offered(meta);
        }
        let replies = if self.era == Era::Modern { self.brought_back(params) } else { Ok(None) };
        match replies.and_then(|replies| self.play(replies)).and_then(|played| self.conclude(played, meta)) {
            Err(error) => Outcome::error(&id, error),
            Ok(Next { then: Then::Frame(frame), delay: Duration::ZERO, aside, fault: None })
                if aside == Aside::default() =>
            {
                Outcome::Frame(frame)
            }
            Ok(next) => Outcome::Delivery(Box::new(Delivery::new(self, next))),
        }
    }

    /// What the client can do for those who ask it.
    fn offered(&self, meta: Option<&Json>) -> Value {
        match self.era {
            Era::Modern => meta.and_then(|meta| meta.get(era::meta::CAPABILITIES)).map(from_wire),
            Era::Legacy => {
                let opened = self.session.as_ref().and_then(|session| session.opened());
                opened.map(|opened| from_wire(&opened.capabilities))
            }
        }
        .unwrap_or_default()
    }

    /// The receipt that its answers bear, if they bear any: only calls have some.
    pub(super) fn stamp(&self) -> Option<&str> {
        (self.target.is_tool() && self.living.settings.receipts).then_some(self.receipt.as_str())
    }

    /// A result of it as a frame.
    pub(super) fn frame(&self, rendered: &Rendered) -> Frame {
        let tail = if self.era == Era::Modern && self.target.is_cacheable() {
            self.living.tail.as_str()
        } else {
            ""
        };
        let dress = Dress { tail, meta: &rendered.meta, ..self.living.dress(self.era, self.stamp()) };
        Frame::result(&self.id, &rendered.members, dress)
    }

    /// Chooses an answer; what the client replied decides where the choice goes on.
    pub(super) fn play(&self, replies: Option<(Value, usize)>) -> Result<Played, RpcError> {
        let convention = &self.living.spec.convention;
        let canonical = || canonical(&self.given);
        let now = self.living.now();
        let call = Call {
            arguments: self.arguments.clone(),
            canonical: &canonical,
            identity: &self.identity,
            can: &self.can,
            now: &now,
            replies,
        };
        let script = self.target.script(convention).map_err(|wrong| self.failed(wrong))?;
        // Where the clock is real, no two calls are alike.
        let asked: Option<Asked> = (script.repeats() && self.target.is_tool() && !self.living.settings.live)
            .then(|| (Arc::clone(self.target.name()), self.given.to_string(), Arc::clone(&self.identity)));
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
        let Played { said, fault, delay, aside, choice } = played;
        let runs = fault.as_ref().is_none_or(Fault::runs);
        let then = match said {
            Said::Result(rendered) => {
                let rendered = match &fault {
                    Some(Fault::Oversize(size)) => oversized(&rendered, size.0),
                    _ => rendered,
                };
                let frame = self.frame(&rendered);
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
        Ok(Next { then, delay, aside, fault })
    }

    /// What the mock itself got wrong, as an answer.
    pub(super) fn failed(&self, complaint: String) -> RpcError {
        let error = RpcError::new(rpc::INTERNAL_ERROR, format!("mock: {complaint}"));
        self.living.complain(complaint);
        error
    }

    /// Writes an execution down; only tools are executed.
    pub(super) fn execute(&self, answer: Answered, is_error: bool) {
        let Target::Tool(tool) = &self.target else { return };
        let identity = (!self.identity.is_empty()).then(|| self.identity.to_string());
        let execution = Execution {
            tool: tool.name.to_string(),
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
}

/// The mock itself is wrong: loudly.
pub(super) fn failed(living: &Living, id: &Json, complaint: String) -> Outcome {
    let error = RpcError::new(rpc::INTERNAL_ERROR, format!("mock: {complaint}"));
    living.complain(complaint);
    Outcome::error(id, error)
}
