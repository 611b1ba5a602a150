//! What a process is started with, as words: for gateways whose policy stands on the command line, that is the policy. It
//! starts nothing.

use super::profile::{Profile, Start, StartCommand};
use super::render::{Facts, Identity, Inputs, Place, Upstream};
use super::template::{Engine, RenderError, Variables, value};
use serde_json::{Value, json};

/// A command and the variables that the profile adds to its environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    /// Program and arguments.
    pub words: Vec<String>,
    /// Names and values.
    pub environment: Vec<(String, String)>,
}

impl CommandLine {
    /// What it is started with; `None` for one that is no process of its own.
    pub fn of(profile: &Profile, facts: &Facts) -> Result<Option<Self>, RenderError> {
        let Some(Start::Command(start)) = &profile.start else { return Ok(None) };
        Self::rendered(start, facts).map(Some)
    }

    fn rendered(start: &StartCommand, facts: &Facts) -> Result<Self, RenderError> {
        let (engine, context) = (Engine::new(), value(facts));
        let words = |text: &str| engine.words(text, &context, &Variables::new());
        let command = start.command.iter().map(|word| words(&word.0)).collect::<Result<Vec<_>, _>>()?;
        let environment = start
            .environment
            .iter()
            .map(|(name, text)| Ok((name.clone(), engine.render(&text.0, &context, &Variables::new())?)));
        Ok(Self { words: command.concat(), environment: environment.collect::<Result<_, _>>()? })
    }
}

impl Profile {
    /// Whether the command or its environment depend on the policy.
    pub fn is_started_with_policy(&self) -> bool {
        let with = |policy| CommandLine::of(self, &facts(self, policy));
        let open = json!({"version": "1", "default": "allow", "tools": {}});
        let tools = json!({"one": {"action": "deny", "reason": "r"}});
        with(open) != with(json!({"version": "1", "default": "allow", "tools": tools}))
    }
}

/// One server with one tool, and one identity with that policy.
fn facts(profile: &Profile, policy: Value) -> Facts {
    let upstream = Upstream {
        name: "lab".to_owned(),
        url: "http://127.0.0.1:1/lab".to_owned(),
        command: vec!["server".to_owned()],
        tools: vec!["one".to_owned()],
    };
    let identity = Identity { name: "alice".to_owned(), token: "token".to_owned(), policy: Some(policy) };
    let inputs = Inputs { upstreams: vec![upstream], identities: vec![identity] };
    let place = Place { folder: "/".into(), gauntlet: "gauntlet".to_owned(), environment: Vec::new() };
    // A secret that is made anew would tell two equal commands apart.
    Facts { secret: String::new(), ..Facts::of(profile, inputs, &place, (1, 2)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn profile(start: &str) -> Profile {
        let text = format!("gateway: g\nconnect: {{stdio: {{}}}}\nstart: {start}\n");
        Profile::read("profile.yaml", &text, BTreeMap::new()).unwrap()
    }

    const BLOCKS: &str = r#"{command: [gate, "{{ secret }}", "{{ policy.tools | items | selectattr('1.action', 'eq', 'deny') | map('first') | list }}"]}"#;

    #[test]
    fn a_policy_on_the_command_line_is_words_of_it() {
        let gate = profile(BLOCKS);
        let policy =
            json!({"default": "allow", "tools": {"one": {"action": "deny"}, "a b": {"action": "deny"}}});
        let line = CommandLine::of(&gate, &facts(&gate, policy)).unwrap().unwrap();
        assert_eq!(line.words, ["gate", "", "one", "a b"]);
        let home = profile("{command: [gate], environment: {HOME: '{{ folder }}'}}");
        let line = CommandLine::of(&home, &facts(&home, json!({}))).unwrap().unwrap();
        assert_eq!(line.environment, [("HOME".to_owned(), "/".to_owned())]);
    }

    #[test]
    fn only_a_command_that_changes_with_the_policy_says_it() {
        assert!(profile(BLOCKS).is_started_with_policy());
        assert!(
            profile("{command: [gate], environment: {RULES: '{{ policy.tools | tojson }}'}}")
                .is_started_with_policy()
        );
        assert!(
            !profile("{command: [gate, '{{ secret }}', '{{ upstreams[0].url }}']}").is_started_with_policy()
        );
    }
}
