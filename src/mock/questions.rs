//! Questions to the client, compiled, and what has to come back for them.

use super::answer::{Ask, InputRequired};
use super::template::{Scope, Template};
use super::value::to_plain;
use crate::wire::Json;
use minijinja::Error;
use serde_json::{Map, Value as Plain, json};

/// Questions to the client, by name.
pub(super) struct Questions {
    list: Vec<Question>,
    /// What the modern era's clients have to bring back.
    pub(super) state: State,
}

/// What the modern era's clients bring back beside their replies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// What the server seals.
    Sealed,
    /// The author's own.
    Authored(String),
    /// Nothing: the names of the questions say enough.
    Absent,
}

struct Question {
    name: String,
    method: String,
    params: Template,
}

/// One question, filled in.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Put {
    /// Its name among those put at the same time.
    pub(super) name: String,
    /// The method of the request to the client.
    pub(super) method: String,
    /// The request's parameters.
    pub(super) params: Json,
}

impl Questions {
    /// The one question of `ask`.
    pub(super) fn one(ask: &Ask) -> Result<Self, String> {
        let (method, params) = match ask {
            Ask::Elicit(form) => {
                let schema =
                    form.schema.clone().unwrap_or_else(|| json!({"type": "object", "properties": {}}));
                (
                    "elicitation/create",
                    json!({"mode": "form", "message": form.message, "requestedSchema": schema}),
                )
            }
            Ask::Sample(params) => ("sampling/createMessage", Plain::Object(params.clone())),
            Ask::Roots(params) => ("roots/list", Plain::Object(params.clone())),
        };
        let params = Template::compile(&params).map_err(|wrong| format!("`ask`: {wrong}"))?;
        let question = Question { name: "ask".into(), method: method.into(), params };
        Ok(Self { list: vec![question], state: State::Sealed })
    }

    /// Those of `input_required`.
    pub(super) fn several(asked: &InputRequired) -> Result<Self, String> {
        let question = |(name, request): (&String, &Plain)| {
            let wrong = |wrong: &str| format!("`input_required`: `{name}`: {wrong}");
            let method =
                request.get("method").and_then(Plain::as_str).ok_or_else(|| wrong("has no `method`"))?;
            let params = request.get("params").cloned().unwrap_or_else(|| Plain::Object(Map::new()));
            let params = Template::compile(&params).map_err(|told| wrong(&told))?;
            Ok(Question { name: name.clone(), method: method.to_owned(), params })
        };
        let list = asked.requests.iter().map(question).collect::<Result<Vec<_>, String>>()?;
        let state = match (&asked.state, asked.stateless) {
            (Some(_), true) => return Err("`input_required`: `stateless` has no `state`".to_owned()),
            (Some(state), false) => State::Authored(state.clone()),
            (None, stateless) => {
                if stateless {
                    State::Absent
                } else {
                    State::Sealed
                }
            }
        };
        Ok(Self { list, state })
    }

    /// Whether there is a reply to each of them; a reply is always an object.
    pub(super) fn are_answered_by(&self, replies: &Json) -> bool {
        self.list
            .iter()
            .all(|question| replies.get(&question.name).is_some_and(|reply| reply.as_object().is_some()))
    }

    /// Fills them in for one call.
    pub(super) fn put(&self, scope: &Scope) -> Result<Vec<Put>, Error> {
        let put = |question: &Question| {
            let params = Json::from(to_plain(&question.params.fill(scope)?));
            Ok(Put { name: question.name.clone(), method: question.method.clone(), params })
        };
        self.list.iter().map(put).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_requests_by_name() {
        let ask: Ask =
            serde_json::from_value(json!({"elicit": {"message": "delete {{ args.vm }}?"}})).unwrap();
        let questions = Questions::one(&ask).unwrap();
        let mut scope = Scope::default();
        scope.add("args", crate::mock::value::from_plain(&json!({"vm": "dc"})));
        let put = questions.put(&scope).unwrap();
        assert_eq!((put[0].name.as_str(), put[0].method.as_str()), ("ask", "elicitation/create"));
        assert_eq!(put[0].params.get("message").and_then(Json::as_str), Some("delete dc?"));
    }

    #[test]
    fn a_reply_is_an_object_by_the_name_of_its_question() {
        let asked = json!({"requests": {"a": {"method": "roots/list"}, "b": {"method": "roots/list"}}, "stateless": true});
        let mut asked: InputRequired = serde_json::from_value(asked).unwrap();
        let questions = Questions::several(&asked).unwrap();
        assert_eq!(questions.state, State::Absent);
        let answered = |replies: Plain| questions.are_answered_by(&Json::from(replies));
        assert!(answered(json!({"a": {}, "b": {"roots": []}, "more": 1})));
        assert!(!answered(json!({"a": {}})) && !answered(json!({"a": {}, "b": 1})) && !answered(json!(null)));
        asked.state = Some("mine".into());
        assert!(Questions::several(&asked).err().unwrap().contains("`stateless` has no `state`"));
    }
}
