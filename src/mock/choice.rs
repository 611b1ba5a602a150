//! One answer of a script, compiled: when it fits, what it says, what goes wrong and what becomes of the world.

use super::answer::Answer;
use super::body::{Body, Subject};
use super::condition::Condition;
use super::convention::Convention;
use super::fault::Fault;
use super::notice::Asides;
use super::questions::Questions;
use super::template::{Scope, Template};
use super::world::World;
use minijinja::Error;
use serde_json::{Map, Value as Plain};
use std::sync::Arc;
use std::time::Duration;

/// One answer.
pub(super) struct Choice {
    pub(super) when: Vec<Condition>,
    pub(super) body: Body,
    pub(super) fault: Option<Fault>,
    pub(super) delay: Duration,
    pub(super) asides: Asides,
    times: Option<u64>,
    pub(super) set: Vec<(String, Template)>,
    /// Members of the result besides its own.
    pub(super) also: Vec<(String, Template)>,
    /// Whether it needs nothing of what the tool defines under `let`.
    pub(super) is_plain: bool,
}

impl Choice {
    /// Compiles an answer; the complaint names the member.
    pub(super) fn compile(
        answer: &Answer,
        convention: &Convention,
        subject: Subject<'_>,
    ) -> Result<Self, String> {
        let condition = |(name, written): (&String, &Plain)| {
            Condition::compile(name, written).map_err(|wrong| format!("`when`: {wrong}"))
        };
        let when: Vec<Condition> = answer.when.iter().map(condition).collect::<Result<_, String>>()?;
        let set = named("set", &answer.set)?;
        let body = Body::compile(answer, convention, subject)?;
        let also = also(&answer.also, &body)?;
        let asides = Asides::compile(answer)?;
        let is_plain = when.iter().all(Condition::is_plain)
            && body.is_fixed()
            && asides.is_fixed()
            && set.iter().chain(&also).all(|(_, value)| value.is_fixed());
        Ok(Self {
            when,
            body,
            fault: answer.fault.clone(),
            delay: answer.delay.unwrap_or_default().0,
            asides,
            times: answer.times,
            set,
            also,
            is_plain,
        })
    }

    /// Whether it does nothing but answer, at once and as often as it fits.
    pub(super) fn only_answers(&self) -> bool {
        let calm = self.fault.is_none() && self.delay.is_zero() && self.asides.is_empty();
        calm && self.times.is_none() && self.set.is_empty() && !matches!(self.body, Body::Questions(_))
    }

    /// What it asks, if it asks.
    pub(super) fn questions(&self) -> Option<&Questions> {
        if let Body::Questions(questions) = &self.body { Some(questions) } else { None }
    }

    /// Whether it fits every call, always, and does nothing but answer.
    pub(super) fn is_simple(&self) -> bool {
        self.only_answers() && self.when.is_empty() && self.also.is_empty()
    }

    /// Whether all its conditions hold.
    pub(super) fn fits(&self, scope: &Scope) -> Result<bool, Error> {
        for condition in &self.when {
            if !condition.holds(scope)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether it may be used once more; it is then.
    pub(super) fn affordable(&self, world: &mut World, (tool, index): (&Arc<str>, usize)) -> bool {
        self.times.is_none_or(|times| world.spend(tool, index, times))
    }
}

fn named(member: &str, written: &Map<String, Plain>) -> Result<Vec<(String, Template)>, String> {
    let compile = |(key, value): (&String, &Plain)| {
        Ok((key.clone(), Template::compile(value).map_err(|wrong| format!("`{member}.{key}`: {wrong}"))?))
    };
    written.iter().map(compile).collect()
}

/// The members that a server puts into any result itself.
const OWN: [&str; 7] =
    ["content", "structuredContent", "isError", "messages", "contents", "resultType", "description"];

fn also(written: &Map<String, Plain>, body: &Body) -> Result<Vec<(String, Template)>, String> {
    if !written.is_empty() && matches!(body, Body::RpcError { .. } | Body::Questions(_) | Body::Nothing) {
        return Err("`also`: it stands beside a result, and this answer has none".to_owned());
    }
    if let Some(own) = written.keys().find(|name| OWN.contains(&name.as_str())) {
        return Err(format!("`also`: `{own}` is the answer's own; say it with `content` or `give`"));
    }
    if written.get("_meta").is_some_and(|meta| !meta.is_object()) {
        return Err("`also._meta`: it must be a mapping".to_owned());
    }
    named("also", written)
}
