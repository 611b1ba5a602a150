//! Mistakes in a document: what serde cannot see.

use super::document::{Cost, Limit, Policy, Scope, ToolRule};
use super::path;
use super::predicate::Predicate;
use super::window::Window;
use std::collections::HashMap;

/// A mistake, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} (at `{path}`)")]
pub struct PolicyError {
    /// A JSON pointer into the document; for text that could not be read, `line L column C`.
    pub path: String,
    /// What is wrong, a fragment.
    pub what: String,
}

impl Policy {
    /// Reads a document and checks it whole; the first mistake, if there is one.
    pub fn from_json(text: &str) -> Result<Self, PolicyError> {
        let unread = |what: String, path: String| PolicyError { path, what };
        let policy: Self = serde_json::from_str(text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let what = error.to_string();
            let what = what.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&what);
            unread(what.to_owned(), format!("line {line} column {column}"))
        })?;
        // A tool that stands twice would silently lose its first rule.
        if crate::wire::parse(text.as_bytes()).is_ok_and(|json| json.repeats()) {
            return Err(unread("a member stands twice in one object".into(), String::new()));
        }
        policy.check().into_iter().next().map_or(Ok(policy), Err)
    }

    /// All mistakes of meaning: in expressions, paths, counters that disagree.
    pub fn check(&self) -> Vec<PolicyError> {
        let mut mistakes = Mistakes::default();
        if self.version != "1" {
            mistakes.say("/version", format!("version `{}` is not known: known is `1`", self.version));
        }
        for (index, limit) in self.all_tools.limits.iter().enumerate() {
            mistakes.limit(&format!("/all_tools/limits/{index}"), limit);
        }
        for (name, rule) in &self.tools {
            let place = format!("/tools/{}", path::escape(name));
            if name == "*" {
                mistakes.say(&place, "`*` is no tool: say `default`, `all_tools` or `hide`".into());
            }
            mistakes.tool(&place, name, rule);
        }
        mistakes.found
    }
}

#[derive(Default)]
struct Mistakes {
    found: Vec<PolicyError>,
    counters: HashMap<String, (Window, Scope, String)>,
}

impl Mistakes {
    fn say(&mut self, path: &str, what: String) {
        self.found.push(PolicyError { path: path.to_owned(), what });
    }

    fn tool(&mut self, place: &str, name: &str, rule: &ToolRule) {
        self.predicates(&format!("{place}/require"), &rule.require, false);
        self.predicates(&format!("{place}/deny_if"), &rule.deny_if, true);
        for (index, limit) in rule.limits.iter().enumerate() {
            self.limit(&format!("{place}/limits/{index}"), limit);
        }
        if let Some(rate) = &rule.rate_limit {
            let place = format!("{place}/rate_limit");
            if rate.window == 0 {
                self.say(&place, "a window lasts at least a second".into());
            }
            self.limit(&place, &rate.as_limit(name));
        }
        if rule.approval.as_ref().is_some_and(|approval| approval.timeout == 0) {
            self.say(&format!("{place}/approval/timeout"), "nobody can decide within 0 seconds".into());
        }
    }

    fn predicates(&mut self, place: &str, predicates: &[Predicate], denies: bool) {
        for (index, predicate) in predicates.iter().enumerate() {
            if let Some(what) = predicate.mistake(denies) {
                self.say(&format!("{place}/{index}"), what);
            }
        }
    }

    fn limit(&mut self, place: &str, limit: &Limit) {
        if limit.counter.is_empty() {
            self.say(place, "a counter needs a name".into());
        }
        if let Cost::Argument(argument) = &limit.cost
            && let Err(what) = path::tokens(argument)
        {
            self.say(&format!("{place}/cost"), what);
        }
        let known = (limit.window, limit.scope, place.to_owned());
        let (window, scope, first) = self.counters.entry(limit.counter.clone()).or_insert(known).clone();
        if (window, scope) != (limit.window, limit.scope) {
            let what = format!("counter `{}` has another window or scope at `{first}`", limit.counter);
            self.say(place, what);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"{ "version": "1", "default": "deny", "hide": ["delete_range"], "pin": false,
      "all_tools": { "limits": [ { "counter": "all", "window": "minute", "max": 60, "scope": "grant" } ] },
      "tools": {
        "capture_network_traffic": {},
        "list_hosts":   { "rate_limit": { "max": 10, "window": 60 } },
        "destroy_vm":   { "action": "deny", "reason": "machines are destroyed by people" },
        "deploy_range": { "action": "require_approval", "approval": { "timeout": 60 } },
        "power_off_range": {
          "require": [ { "arg": "args.user_id", "op": "exists", "value": true } ],
          "deny_if": [ { "arg": "args.user_id", "op": "eq", "value": "admin", "on_deny": "not the administrator's range" } ],
          "limits":  [ { "counter": "power", "window": "hour", "max": 3, "scope": "grant", "cost": 1 } ] } } }"#;

    #[test]
    fn a_document_is_read_and_written_and_read_again() {
        let policy = Policy::from_json(WHOLE).unwrap();
        let again = serde_json::to_string(&policy).unwrap();
        assert_eq!(Policy::from_json(&again).unwrap(), policy);
        assert_eq!(policy.tools.len(), 5);
    }

    #[test]
    fn its_schema_names_every_member() {
        let schema = schemars::schema_for!(Policy).to_value().to_string();
        for member in
            ["version", "hide", "pin", "deny_if", "on_deny", "rate_limit", "require_approval", "not_in"]
        {
            assert!(schema.contains(&format!("\"{member}\"")), "{member}");
        }
        assert!(!schema.contains("prepared"));
    }

    #[test]
    fn every_mistake_is_said_with_its_place() {
        let tool = |rule: &str| format!(r#"{{"version":"1","default":"deny","tools":{{"a/b":{rule}}}}}"#);
        let power = r#"{"counter":"p","window":"hour","max":1}"#;
        for (text, place, what) in [
            ("{".into(), "line 1 column 1", "EOF while parsing an object"),
            (r#"{"version":"1"}"#.into(), "line 1 column 15", "missing field `default`"),
            (r#"{"version":"2","default":"deny"}"#.into(), "/version", "version `2` is not known"),
            (
                r#"{"version":"1","default":"deny","tools":{"a":{"action":"deny"},"a":{}}}"#.into(),
                "",
                "a member stands twice",
            ),
            (
                tool(r#"{"acton":"deny"}"#),
                "line 1 column 55",
                "unknown field `acton`, expected one of `action`",
            ),
            (
                tool(r#"{"require":[{"arg":"user","op":"eq","value":1}]}"#),
                "/tools/a~1b/require/0",
                "`user` is no path",
            ),
            (
                tool(r#"{"deny_if":[{"arg":"args.a","op":"regex","value":"("}]}"#),
                "/tools/a~1b/deny_if/0",
                "the expression does not compile",
            ),
            (
                tool(r#"{"limits":[{"counter":"","window":60,"max":1}]}"#),
                "/tools/a~1b/limits/0",
                "a counter needs a name",
            ),
            (
                tool(r#"{"limits":[{"counter":"c","window":60,"max":1,"cost":"x"}]}"#),
                "/tools/a~1b/limits/0/cost",
                "`x` is no path",
            ),
            (
                tool(&format!(r#"{{"limits":[{power},{}]}}"#, power.replace("hour", "day"))),
                "/tools/a~1b/limits/1",
                "counter `p` has another window or scope",
            ),
            (tool(r#"{"rate_limit":{"max":1,"window":0}}"#), "/tools/a~1b/rate_limit", "a window lasts"),
            (tool(r#"{"approval":{"timeout":0}}"#), "/tools/a~1b/approval/timeout", "nobody can decide"),
            (tool("{}").replace("a/b", "*"), "/tools/*", "`*` is no tool"),
        ] {
            let error = Policy::from_json(&text).expect_err(&text);
            assert_eq!(error.path, place, "{text}: {error}");
            assert!(error.what.starts_with(what), "{text}: {error}");
        }
    }

    #[test]
    fn all_mistakes_are_found_at_once() {
        let mut policy = Policy::from_json(WHOLE).unwrap();
        policy.version = "3".into();
        policy.tools["power_off_range"].require[0].arg = "nonsense".into();
        assert_eq!(policy.check().len(), 2);
    }
}
