//! What a server offers beside tools: prompts, resources, completions, and what a session of the legacy era wants to
//! hear. A mock that has none of it is not asked here.

use super::{Caller, Outcome};
use crate::mock::frame::{Dress, Frame};
use crate::mock::notice::Level;
use crate::mock::offer::Offer;
use crate::mock::offers::Shelf;
use crate::mock::running::{Running, Target};
use crate::mock::value::from_wire;
use crate::wire::{Era, Json, Object, RpcError, rpc};
use bytes::Bytes;
use minijinja::Value;
use serde_json::{Value as Plain, json};
use std::sync::Arc;

/// The legacy era's code for a resource that is not there; the modern era has none of its own.
const RESOURCE_NOT_FOUND: i64 = -32002;

/// How many completions are told at once.
const COMPLETIONS: usize = 100;

/// One request.
struct Asked<'a> {
    caller: &'a Caller,
    id: &'a Json,
    params: Option<&'a Json>,
    era: Era,
}

/// Answers a request for something that this server offers; `None` where it offers no such thing.
pub(super) fn offered(
    caller: &Caller,
    id: &Json,
    (method, params): (&str, Option<&Json>),
    era: Era,
) -> Option<Outcome> {
    let offers = &caller.living.spec.offers;
    let has = |capability: &str| caller.living.spec.manner.capabilities.get(capability);
    let asked = Asked { caller, id, params, era };
    let legacy = era == Era::Legacy;
    let watches =
        || has("resources").and_then(|has| has.get("subscribe")).and_then(Plain::as_bool) == Some(true);
    let answer = match method {
        "prompts/list" if !offers.prompts.all.is_empty() => asked.list(&offers.prompts, "prompts"),
        "prompts/get" if !offers.prompts.all.is_empty() => asked.prompt(),
        "resources/list" if offers.has_resources() => asked.list(&offers.resources, "resources"),
        "resources/templates/list" if offers.has_resources() => {
            asked.list(&offers.templates, "resourceTemplates")
        }
        "resources/read" if offers.has_resources() => asked.resource(),
        "completion/complete" if has("completions").is_some() => asked.complete(),
        "logging/setLevel" if legacy && has("logging").is_some() => asked.level(),
        "resources/subscribe" if legacy && watches() => asked.watch(true),
        "resources/unsubscribe" if legacy && watches() => asked.watch(false),
        _ => return None,
    };
    Some(answer.unwrap_or_else(|error| Outcome::error(id, error)))
}

fn invalid(why: &str) -> RpcError {
    RpcError::new(rpc::INVALID_PARAMS, format!("Invalid params: {why}"))
}

impl Asked<'_> {
    fn text(&self, pointer: &str) -> Result<&str, RpcError> {
        let found = self.params.and_then(|params| params.pointer(pointer)).and_then(Json::as_str);
        found.ok_or_else(|| invalid(&format!("`{}` is missing", pointer[1..].replace('/', "."))))
    }

    /// A result with these members; the modern era is told how long it may be kept, where it may.
    fn result(&self, members: &Bytes, may_be_kept: bool) -> Outcome {
        let living = &self.caller.living;
        let tail = if may_be_kept && self.era == Era::Modern { living.tail.as_str() } else { "" };
        let dress = Dress { tail, ..living.dress(self.era, None) };
        Outcome::Frame(Frame::result(self.id, members, dress))
    }

    fn list(&self, shelf: &Shelf, member: &str) -> Result<Outcome, RpcError> {
        // There is one page, so no cursor was ever given out.
        match self.params.and_then(|params| params.get("cursor")) {
            None | Some(Json::Null) => Ok(self.result(shelf.list(member), true)),
            Some(_) => Err(RpcError::new(rpc::INVALID_PARAMS, "Invalid cursor")),
        }
    }

    fn prompt(&self) -> Result<Outcome, RpcError> {
        let name = self.text("/name")?;
        let prompt = self.caller.living.spec.offers.prompts.get(name);
        let prompt = prompt.ok_or_else(|| invalid(&format!("there is no prompt `{name}`")))?;
        let given = match self.params.and_then(|params| params.get("arguments")) {
            None | Some(Json::Null) => Object::default(),
            Some(Json::Object(given)) if given.iter().all(|(_, value)| value.as_str().is_some()) => {
                given.clone()
            }
            Some(_) => return Err(invalid("`arguments` are no texts by name")),
        };
        if let Some(missing) = prompt.required().find(|name| given.get(name).is_none()) {
            return Err(invalid(&format!("the argument `{missing}` is missing")));
        }
        let given = Json::Object(given);
        Ok(self.run(prompt, from_wire(&given), given))
    }

    fn resource(&self) -> Result<Outcome, RpcError> {
        let uri = self.text("/uri")?;
        let Some((resource, places)) = self.caller.living.spec.offers.resource(uri) else {
            let code = if self.era == Era::Legacy { RESOURCE_NOT_FOUND } else { rpc::INVALID_PARAMS };
            return Err(RpcError::new(code, "Resource not found").with(json!({"uri": uri})));
        };
        let arguments = Value::from_pairs(places.into_iter().chain([("uri", uri)]));
        let mut given = Object::default();
        given.set("uri", uri);
        Ok(self.run(resource, arguments, Json::Object(given)))
    }

    fn run(&self, offer: &Arc<Offer>, arguments: Value, given: Json) -> Outcome {
        let target = Target::Offer(Arc::clone(offer));
        Running::new(self.caller, (self.id, self.era), self.params, (target, arguments, given))
            .answer(self.params)
    }

    fn complete(&self) -> Result<Outcome, RpcError> {
        let offers = &self.caller.living.spec.offers;
        let offer = match self.text("/ref/type")? {
            "ref/prompt" => offers.prompts.get(self.text("/ref/name")?),
            "ref/resource" => {
                let uri = self.text("/ref/uri")?;
                offers.templates.get(uri).or_else(|| offers.resources.get(uri))
            }
            _ => return Err(invalid("`ref.type` is neither `ref/prompt` nor `ref/resource`")),
        };
        let offer = offer.ok_or_else(|| invalid("there is nothing that `ref` names"))?;
        let values = offer.completed(self.text("/argument/name")?, self.text("/argument/value")?);
        let (total, more) = (values.len(), values.len() > COMPLETIONS);
        let told = &values[..total.min(COMPLETIONS)];
        let completion = json!({"values": told, "total": total, "hasMore": more});
        Ok(self.result(&format!("\"completion\":{completion}").into(), false))
    }

    fn level(&self) -> Result<Outcome, RpcError> {
        let level = self.params.and_then(|params| params.get("level")).and_then(Level::named);
        let level = level.ok_or_else(|| invalid("`level` is none of the levels"))?;
        if let Some(session) = &self.caller.session {
            session.hear_from(level);
        }
        Ok(self.result(&Bytes::new(), false))
    }

    fn watch(&self, begins: bool) -> Result<Outcome, RpcError> {
        let uri = self.text("/uri")?;
        if let Some(session) = &self.caller.session {
            let mut watched = session.watched.lock().expect("no writer panics");
            if begins {
                watched.insert(uri.to_owned());
            } else {
                watched.remove(uri);
            }
        }
        Ok(self.result(&Bytes::new(), false))
    }
}
