//! A tool's answers, compiled, and the choice between them.
//!
//! Pure but for the world that it is given: the same tool, arguments, count and state give the same answer.

use super::answer::{Answer, Entry};
use super::body::{Body, Said, Subject};
use super::choice::Choice;
use super::convention::{Convention, Rendered};
use super::fault::Fault;
use super::form::Form;
use super::notice::Aside;
use super::questions::State;
use super::template::{Scope, Template, reason};
use super::value::compact;
use super::world::World;
use crate::wire::Json;
use minijinja::{Error, Value};
use serde_json::Value as Plain;
use std::sync::Arc;
use std::time::Duration;

/// The answers of a tool, a prompt or a resource.
pub(super) struct Script {
    tool: Arc<str>,
    form: Form,
    wrapped: bool,
    demanded: Option<String>,
    mime: Option<String>,
    names: Vec<(Arc<str>, Template)>,
    choices: Vec<Choice>,
    /// Whether anything depends on how often a call came.
    counts: bool,
    /// Whether anything depends on what the client can do.
    looks: bool,
    /// Whether the same call in the same world is always answered alike.
    repeats: bool,
}

/// One call, as the answers see it.
pub(super) struct Call<'a> {
    /// The arguments, checked and completed.
    pub(super) arguments: Value,
    /// The same in canonical form: what counts as the same call.
    pub(super) canonical: &'a dyn Fn() -> String,
    /// Who calls, or nothing.
    pub(super) identity: &'a str,
    /// What the client can do for those who ask it.
    pub(super) can: &'a Value,
    /// The time, as answers may tell it.
    pub(super) now: &'a str,
    /// What the client replied to questions, and the first answer that may be given now.
    pub(super) replies: Option<(Value, usize)>,
}

/// What a call comes to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Played {
    pub(super) said: Said,
    pub(super) fault: Option<Fault>,
    pub(super) delay: Duration,
    pub(super) aside: Aside,
    /// The answer that was chosen; replies to its questions go on behind it.
    pub(super) choice: usize,
}

impl Played {
    /// A result that comes at once, and nothing else.
    pub(super) fn at_once(rendered: Rendered) -> Self {
        let said = Said::Result(rendered);
        Self { said, fault: None, delay: Duration::ZERO, aside: Aside::default(), choice: 0 }
    }
}

impl Script {
    /// Compiles a tool's entry, with answers that are tried before its own. The complaint names the answer.
    pub(super) fn compile(
        entry: &Entry,
        first: &[Answer],
        convention: &Convention,
        subject: Subject<'_>,
    ) -> Result<Self, String> {
        let name = |(name, written): (&String, &Plain)| {
            let template = Template::compile(written).map_err(|wrong| format!("`let.{name}`: {wrong}"))?;
            Ok((Arc::from(name.as_str()), template))
        };
        let choice = |(index, answer): (usize, &Answer)| {
            Choice::compile(answer, convention, subject).map_err(|wrong| {
                match index.checked_sub(first.len()) {
                    Some(own) => format!("answer {}: {wrong}", own + 1),
                    None => format!("added answer {}: {wrong}", index + 1),
                }
            })
        };
        let written = serde_json::to_string(&(first, entry)).unwrap_or_default();
        let (counts, looks) = (written.contains("nth"), written.contains("client_can"));
        let choices: Vec<Choice> =
            first.iter().chain(&entry.answers).enumerate().map(choice).collect::<Result<_, String>>()?;
        Ok(Self {
            tool: subject.tool.into(),
            form: subject.form,
            wrapped: subject.wrapped,
            mime: subject.mime.map(str::to_owned),
            demanded: subject.demanded.map(str::to_owned),
            names: entry.names.iter().map(name).collect::<Result<_, String>>()?,
            counts,
            looks,
            repeats: !counts && !looks && choices.iter().all(Choice::only_answers),
            choices,
        })
    }

    /// The result that every call gets, if there is one: then no world is needed.
    pub(super) fn constant(&self) -> Option<&Rendered> {
        let first = self.choices.first()?;
        match &first.body {
            Body::Fixed(rendered) if first.is_simple() => Some(rendered),
            _ => None,
        }
    }

    /// The answer that asks with this state of its author's.
    pub(super) fn choice_with_state(&self, state: &str) -> Option<usize> {
        let authored = State::Authored(state.to_owned());
        self.choices.iter().position(|choice| choice.questions().is_some_and(|asked| asked.state == authored))
    }

    /// The answer that asks without a state, and gets all its replies here.
    pub(super) fn choice_answered_by(&self, replies: &Json) -> Option<usize> {
        let answered = |choice: &Choice| {
            choice
                .questions()
                .is_some_and(|asked| asked.state == State::Absent && asked.are_answered_by(replies))
        };
        self.choices.iter().position(answered)
    }

    /// Whether the questions of that answer, if it is one that asks, have all their replies.
    pub(super) fn is_answered(&self, choice: usize, replies: &Json) -> bool {
        let asked = self.choices.get(choice).and_then(Choice::questions);
        asked.is_some_and(|asked| asked.are_answered_by(replies))
    }

    /// Whether anything depends on what the client can do.
    pub(super) fn looks(&self) -> bool {
        self.looks
    }

    /// Whether the same call in the same world is always answered alike, so that an answer may be kept.
    pub(super) fn repeats(&self) -> bool {
        self.repeats
    }

    /// Chooses and fills in; the world changes as the answer says. The complaint is for whoever wrote the answers.
    pub(super) fn play(
        &self,
        call: &Call<'_>,
        world: &mut World,
        convention: &Convention,
    ) -> Result<Played, String> {
        let mut scope = self.scope(call, world);
        let mut spoilt: Option<Played> = None;
        let mut named = false;
        let start = call.replies.as_ref().map_or(0, |(_, start)| *start);
        for (index, choice) in self.choices.iter().enumerate().skip(start) {
            if !named && !choice.is_plain {
                self.define(&mut scope)?;
                named = true;
            }
            let failed =
                |error: Error| format!("answer {} of `{}` failed: {}", index + 1, self.tool, reason(&error));
            if !choice.fits(&scope).map_err(failed)? || !choice.affordable(world, (&self.tool, index)) {
                continue;
            }
            let subject = self.subject();
            let said = choice.body.fill(&scope, convention, subject).map_err(failed)?;
            let also =
                choice.also.iter().map(|(name, value)| Ok((name.as_str(), compact(&value.fill(&scope)?))));
            let said = said.with(&also.collect::<Result<Vec<_>, Error>>().map_err(failed)?);
            let changes = choice.set.iter().map(|(key, value)| Ok((key.clone(), value.fill(&scope)?)));
            world.set(changes.collect::<Result<_, Error>>().map_err(failed)?);
            let fault =
                spoilt.as_ref().and_then(|earlier| earlier.fault.clone()).or_else(|| choice.fault.clone());
            let earlier = spoilt.take();
            let delay = earlier.as_ref().map_or(Duration::ZERO, |earlier| earlier.delay) + choice.delay;
            let aside = choice.asides.fill(&scope).map_err(failed)?;
            let aside = earlier.map_or_else(Aside::default, |earlier| earlier.aside).and(aside);
            let played = Played { said, fault, delay, aside, choice: index };
            // A fault that stands alone spoils what the next fitting answer says.
            if played.said == Said::Nothing && played.fault.as_ref().is_some_and(Fault::spoils) {
                spoilt = Some(played);
                continue;
            }
            return Ok(played);
        }
        Err(self.nearest(&mut scope, start))
    }

    fn scope(&self, call: &Call<'_>, world: &mut World) -> Scope {
        let nth = match (self.counts, &call.replies) {
            (false, _) => 1,
            (true, None) => world.count(&format!("{}\n{}", self.tool, (call.canonical)())),
            // A call that goes on after a question is still the same call.
            (true, Some(_)) => world.counted(&format!("{}\n{}", self.tool, (call.canonical)())),
        };
        let mut scope = Scope::default();
        scope.add("args", call.arguments.clone());
        scope.add("state", world.state());
        scope.add("nth", nth);
        scope.add("identity", call.identity);
        scope.add("tool", &*self.tool);
        scope.add("now", call.now);
        if self.looks {
            scope.add("client_can", call.can.clone());
        }
        if let Some((replies, _)) = &call.replies {
            scope.add("inputs", replies.clone());
            scope.add("reply", replies.get_attr("ask").unwrap_or_default());
        }
        scope
    }

    fn subject(&self) -> Subject<'_> {
        Subject {
            tool: &self.tool,
            form: self.form,
            wrapped: self.wrapped,
            demanded: self.demanded.as_deref(),
            mime: self.mime.as_deref(),
        }
    }

    fn define(&self, scope: &mut Scope) -> Result<(), String> {
        for (name, template) in &self.names {
            let told = |error: Error| format!("`let.{name}` of `{}` failed: {}", self.tool, reason(&error));
            let value = template.fill(scope).map_err(told)?;
            scope.add(Arc::clone(name), value);
        }
        Ok(())
    }

    /// Says that nothing fits, and what came closest.
    fn nearest(&self, scope: &mut Scope, start: usize) -> String {
        let unmet = |choice: &Choice| -> Vec<String> {
            choice
                .when
                .iter()
                .filter(|condition| !condition.holds(scope).unwrap_or(false))
                .map(ToString::to_string)
                .collect()
        };
        let misses =
            self.choices.iter().enumerate().skip(start).map(|(index, choice)| (index, unmet(choice)));
        match misses.min_by_key(|(_, unmet)| unmet.len()) {
            Some((index, unmet)) if unmet.is_empty() => {
                format!(
                    "no answer of `{}` fits this call; the nearest is answer {}, which is used up",
                    self.tool,
                    index + 1
                )
            }
            Some((index, unmet)) => format!(
                "no answer of `{}` fits this call; the nearest is answer {}, which wants {}",
                self.tool,
                index + 1,
                unmet.join(" and ")
            ),
            None => format!("`{}` has no answers", self.tool),
        }
    }
}

#[cfg(test)]
mod tests;
