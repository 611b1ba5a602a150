//! What a server says without being asked: progress and log messages on the way to an answer, and news for whoever
//! listens. Here they are what an author wrote, compiled and filled in; who hears them is `delivery`'s and `listener`'s.

use super::answer::Answer;
use super::template::{Scope, Template};
use super::value::to_plain;
use crate::wire::{Json, Object, rpc};
use minijinja::Error;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How grave a log message is; later ones are graver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// For whoever looks for a mistake.
    Debug,
    /// The usual.
    Info,
    /// Usual, but worth knowing.
    Notice,
    /// Something may go wrong.
    Warning,
    /// Something went wrong.
    Error,
    /// A part has failed.
    Critical,
    /// Somebody has to act at once.
    Alert,
    /// Nothing works.
    Emergency,
}

impl Level {
    /// The level of that name.
    pub(super) fn named(name: &Json) -> Option<Self> {
        serde_json::from_value(Value::from(name.as_str()?)).ok()
    }
}

/// A log message as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogMessage {
    /// How grave it is: a client hears what is at least as grave as it asked for.
    pub level: Level,
    /// Which part of the server says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logger: Option<String>,
    /// What it says: text, or any value.
    #[serde(rename = "data")]
    pub what: Value,
}

/// What whoever listens is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum News {
    /// The list of tools changed.
    Tools,
    /// The list of prompts changed.
    Prompts,
    /// The list of resources changed.
    Resources,
    /// The resource of this URI reads differently now.
    Updated(String),
}

impl News {
    /// The method of its notification.
    pub(super) fn method(&self) -> &'static str {
        match self {
            Self::Tools => "notifications/tools/list_changed",
            Self::Prompts => "notifications/prompts/list_changed",
            Self::Resources => "notifications/resources/list_changed",
            Self::Updated(_) => "notifications/resources/updated",
        }
    }
}

/// What is said beside an answer, compiled.
pub(super) struct Asides {
    progress: u32,
    log: Vec<(Level, Option<String>, Template)>,
    tells: Vec<News>,
}

/// What is said beside one answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Aside {
    /// How many progress notices there are, for those who want any.
    pub(super) progress: u32,
    /// LogMessage messages: how grave, and the notification's parameters.
    pub(super) log: Vec<(Level, Json)>,
    /// What listeners are told before the answer leaves.
    pub(super) tells: Vec<News>,
}

impl Asides {
    /// What an answer says beside itself; the complaint names the member.
    pub(super) fn compile(answer: &Answer) -> Result<Self, String> {
        let line = |log: &LogMessage| {
            let what = Template::compile(&log.what).map_err(|wrong| format!("`log`: {wrong}"))?;
            Ok((log.level, log.logger.clone(), what))
        };
        Ok(Self {
            progress: answer.progress.unwrap_or_default(),
            log: answer.log.iter().map(line).collect::<Result<_, String>>()?,
            tells: answer.tells.clone(),
        })
    }

    /// Whether nothing is.
    pub(super) fn is_empty(&self) -> bool {
        self.progress == 0 && self.log.is_empty() && self.tells.is_empty()
    }

    /// Whether it is the same for every call.
    pub(super) fn is_fixed(&self) -> bool {
        self.log.iter().all(|(_, _, what)| what.is_fixed())
    }

    /// Fills it in for one call.
    pub(super) fn fill(&self, scope: &Scope) -> Result<Aside, Error> {
        let line = |(level, logger, what): &(Level, Option<String>, Template)| {
            let mut params = Object::default();
            let named = serde_json::to_value(level).unwrap_or_default();
            params.set("level", Json::from(named));
            if let Some(logger) = logger {
                params.set("logger", logger.clone());
            }
            params.set("data", Json::from(to_plain(&what.fill(scope)?)));
            Ok((*level, Json::Object(params)))
        };
        let log = self.log.iter().map(line).collect::<Result<_, Error>>()?;
        Ok(Aside { progress: self.progress, log, tells: self.tells.clone() })
    }
}

impl Aside {
    /// Both, this one first.
    pub(super) fn and(mut self, later: Self) -> Self {
        self.log.extend(later.log);
        self.tells.extend(later.tells);
        Self { progress: self.progress.max(later.progress), ..self }
    }

    /// How many things are to be said at different moments.
    pub(super) fn moments(&self) -> u32 {
        self.progress.max(u32::try_from(self.log.len()).unwrap_or(u32::MAX))
    }

    /// The progress notice of that moment, counted from 1.
    pub(super) fn progress_at(&self, moment: u32, token: &Json) -> Option<Json> {
        let mut params = Object::default();
        params.set("progressToken", token.clone());
        params.set("progress", i64::from(moment));
        params.set("total", i64::from(self.progress));
        (moment <= self.progress).then(|| rpc::notification("notifications/progress", Json::Object(params)))
    }

    /// The log message of that moment, for whoever wants to hear what is at least so grave.
    pub(super) fn log_at(&self, moment: u32, least: Level) -> Option<Json> {
        let (level, params) = self.log.get(moment.checked_sub(1)? as usize)?;
        (*level >= least).then(|| rpc::notification("notifications/message", params.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn aside(written: Value) -> Aside {
        let answer: Answer = serde_json::from_value(written).unwrap();
        let mut scope = Scope::default();
        scope.add("nth", 3);
        Asides::compile(&answer).unwrap().fill(&scope).unwrap()
    }

    #[test]
    fn levels_are_ordered_and_named() {
        assert!(Level::Debug < Level::Info && Level::Error < Level::Emergency);
        assert_eq!(Level::named(&Json::from("warning")), Some(Level::Warning));
        assert_eq!((Level::named(&Json::from("loud")), Level::named(&Json::from(1))), (None, None));
    }

    #[test]
    fn what_is_logged_is_filled_in_and_heard_by_its_level() {
        let aside = aside(json!({"progress": 1, "log": [
            {"level": "info", "data": "call {{ nth }}"},
            {"level": "error", "logger": "disk", "data": {"free": 0}},
        ]}));
        assert_eq!(aside.moments(), 2);
        let heard = |moment, least| Some(aside.log_at(moment, least)?.get("params")?.to_string());
        assert_eq!(heard(1, Level::Info).as_deref(), Some(r#"{"level":"info","data":"call 3"}"#));
        assert_eq!(heard(1, Level::Notice), None);
        let grave = r#"{"level":"error","logger":"disk","data":{"free":0}}"#;
        assert_eq!(heard(2, Level::Notice).as_deref(), Some(grave));
        assert!(
            aside.progress_at(1, &Json::from("p")).is_some()
                && aside.progress_at(2, &Json::from("p")).is_none()
        );
    }

    #[test]
    fn what_a_spoiling_answer_says_comes_first() {
        let first = aside(json!({"progress": 3, "tells": ["tools"]}));
        let both = first.and(aside(json!({"progress": 1, "tells": [{"updated": "a:b"}]})));
        assert_eq!((both.progress, both.tells), (3, vec![News::Tools, News::Updated("a:b".into())]));
    }
}
