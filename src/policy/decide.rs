//! What should happen to one call, before its limits are asked.

use super::document::{Action, Policy, Posture, ToolRule};
use super::path::escape;
use super::predicate::Predicate;
use crate::wire::Json;
use std::time::Duration;

/// Undecided for so long, a call is rejected where the policy names no time.
const PATIENCE: Duration = Duration::from_secs(300);

/// One call, as the upstream would get it.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The upstream's name.
    pub upstream: &'a str,
    /// The tool's name there.
    pub tool: &'a str,
    /// The arguments; `{}` where absent.
    pub arguments: &'a Json,
}

/// What should happen to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The agent must not learn that the tool exists.
    Hidden,
    /// It must not be forwarded.
    Denied(Denied),
    /// A person has to approve of it first.
    NeedsApproval {
        /// Undecided for so long it is rejected.
        timeout: Duration,
        /// Where the policy says so, a JSON pointer.
        rule: String,
    },
    /// It may be forwarded if its limits admit it.
    Allowed,
}

/// A refusal, with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// Where the policy says so, a JSON pointer.
    pub rule: String,
    /// What the agent is told.
    pub reason: String,
}

impl Denied {
    pub(super) fn new(rule: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { rule: rule.into(), reason: reason.into() }
    }
}

impl Policy {
    /// Whether a tool is left out of lists.
    pub fn hides(&self, upstream: &str, tool: &str) -> bool {
        self.hide.iter().any(|name| name == "*" || name == tool || names_one(name, upstream, tool))
    }

    /// Whether every call of a tool is denied, whatever its arguments.
    pub fn always_denies(&self, upstream: &str, tool: &str) -> bool {
        let entries = self.entries(upstream, tool);
        let unlisted = entries.is_empty() && self.default == Posture::Deny;
        unlisted || entries.iter().any(|(_, rule)| rule.action == Action::Deny)
    }

    /// Decides: hidden, denied by action or by default, `require`, `deny_if`, approval. Deny beats everything.
    pub fn decide(&self, call: &Call<'_>) -> Decision {
        if self.hides(call.upstream, call.tool) {
            return Decision::Hidden;
        }
        match self.denial(call) {
            Some(denied) => Decision::Denied(denied),
            None => self.approval(call).unwrap_or(Decision::Allowed),
        }
    }

    /// Every entry that names the tool, with its place: one for all upstreams, one for this upstream.
    pub fn entries(&self, upstream: &str, tool: &str) -> Vec<(&str, &ToolRule)> {
        let named = |(name, _): &(&String, &ToolRule)| *name == tool || names_one(name, upstream, tool);
        self.tools.iter().filter(named).map(|(name, rule)| (name.as_str(), rule)).collect()
    }

    fn denial(&self, call: &Call<'_>) -> Option<Denied> {
        let entries = self.entries(call.upstream, call.tool);
        if entries.is_empty() && self.default == Posture::Deny {
            return Some(Denied::new("/default", "tools that are not listed are denied"));
        }
        let by_action = entries.iter().find(|(_, rule)| rule.action == Action::Deny).map(|(name, rule)| {
            let reason = rule.reason.clone().unwrap_or_else(|| "this tool is denied".into());
            Denied::new(format!("{}/action", place(name)), reason)
        });
        by_action
            .or_else(|| entries.iter().find_map(|(name, rule)| unmet(name, &rule.require, call)))
            .or_else(|| entries.iter().find_map(|(name, rule)| matched(name, &rule.deny_if, call)))
    }

    /// Of two entries that ask, the one with less patience.
    fn approval(&self, call: &Call<'_>) -> Option<Decision> {
        let asking = self
            .entries(call.upstream, call.tool)
            .into_iter()
            .filter(|(_, rule)| rule.action == Action::RequireApproval);
        let with_time = asking.map(|(name, rule)| {
            let stated = rule.approval.as_ref().map(|approval| Duration::from_secs(approval.timeout));
            (stated.unwrap_or(PATIENCE), format!("{}/action", place(name)))
        });
        with_time.min().map(|(timeout, rule)| Decision::NeedsApproval { timeout, rule })
    }
}

/// Whether `lab/list_hosts` names this tool on this upstream.
fn names_one(name: &str, upstream: &str, tool: &str) -> bool {
    name.strip_prefix(upstream).and_then(|rest| rest.strip_prefix('/')) == Some(tool)
}

/// Where the rules of a tool stand.
pub(super) fn place(name: &str) -> String {
    format!("/tools/{}", escape(name))
}

fn unmet(name: &str, require: &[Predicate], call: &Call<'_>) -> Option<Denied> {
    let index = require.iter().position(|predicate| !predicate.holds(call.arguments))?;
    Some(by_predicate(&require[index], "is required to be", format!("{}/require/{index}", place(name))))
}

fn matched(name: &str, deny_if: &[Predicate], call: &Call<'_>) -> Option<Denied> {
    let index = deny_if.iter().position(|predicate| predicate.matches(call.arguments))?;
    Some(by_predicate(&deny_if[index], "must not be", format!("{}/deny_if/{index}", place(name))))
}

fn by_predicate(predicate: &Predicate, relation: &str, rule: String) -> Denied {
    let spelled = || format!("`{}` {relation} `{} {}`", predicate.arg, predicate.op.word(), predicate.value);
    Denied::new(rule, predicate.on_deny.clone().unwrap_or_else(spelled))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::parse;
    use proptest::prelude::*;

    fn policy(text: &str) -> Policy {
        Policy::from_json(text).unwrap()
    }

    fn decide(policy: &Policy, tool: &str, arguments: &str) -> String {
        let arguments = parse(arguments.as_bytes()).unwrap();
        match policy.decide(&Call { upstream: "lab", tool, arguments: &arguments }) {
            Decision::Hidden => "hidden".into(),
            Decision::Denied(Denied { rule, reason }) => format!("{rule}: {reason}"),
            Decision::NeedsApproval { timeout, rule } => format!("{rule}: asks for {}s", timeout.as_secs()),
            Decision::Allowed => "allowed".into(),
        }
    }

    #[test]
    fn the_order_is_hidden_denied_require_deny_if_approval() {
        let policy = policy(
            r#"{"version":"1","default":"deny","hide":["gone"],"tools":{
                "gone": {}, "plain": {}, "no": {"action":"deny","reason":"by people"}, "mute": {"action":"deny"},
                "asks": {"action":"require_approval","approval":{"timeout":60},
                         "require":[{"arg":"args.user","op":"exists","value":true}],
                         "deny_if":[{"arg":"args.user","op":"eq","value":"admin","on_deny":"not the administrator"}]},
                "refused": {"action":"deny","require":[{"arg":"args.user","op":"exists","value":true}]}}}"#,
        );
        for (tool, arguments, expected) in [
            ("gone", "{}", "hidden"),
            ("plain", "{}", "allowed"),
            ("no", "{}", "/tools/no/action: by people"),
            ("mute", "{}", "/tools/mute/action: this tool is denied"),
            ("other", "{}", "/default: tools that are not listed are denied"),
            ("refused", "{}", "/tools/refused/action: this tool is denied"),
            ("asks", "{}", "/tools/asks/require/0: `args.user` is required to be `exists true`"),
            (
                "asks",
                r#"{"user":null}"#,
                "/tools/asks/require/0: `args.user` is required to be `exists true`",
            ),
            ("asks", r#"{"user":"admin"}"#, "/tools/asks/deny_if/0: not the administrator"),
            ("asks", r#"{"user":["admin"]}"#, "/tools/asks/deny_if/0: not the administrator"),
            ("asks", r#"{"user":"alice"}"#, "/tools/asks/action: asks for 60s"),
        ] {
            assert_eq!(decide(&policy, tool, arguments), expected, "{tool} {arguments}");
        }
    }

    #[test]
    fn one_upstream_can_be_named_and_both_entries_bind() {
        let policy = policy(
            r#"{"version":"1","default":"deny","hide":["lab/secret"],"tools":{
                "lab/one": {}, "shop/two": {}, "both": {}, "lab/both": {"action":"deny"},
                "lab/gentle": {}, "gentle": {"action":"require_approval"}, "secret": {}}}"#,
        );
        for (tool, expected) in [
            ("one", "allowed"),
            ("two", "/default: tools that are not listed are denied"),
            ("both", "/tools/lab~1both/action: this tool is denied"),
            ("gentle", "/tools/gentle/action: asks for 300s"),
            ("secret", "hidden"),
        ] {
            assert_eq!(decide(&policy, tool, "{}"), expected, "{tool}");
        }
    }

    #[test]
    fn hiding_all_and_allowing_by_default() {
        let all = policy(r#"{"version":"1","default":"allow","hide":["*"],"tools":{"a":{}}}"#);
        assert_eq!(decide(&all, "a", "{}"), "hidden");
        let open = policy(r#"{"version":"1","default":"allow","tools":{"a":{"action":"deny"}}}"#);
        assert_eq!(decide(&open, "b", "{}"), "allowed");
        assert_eq!(decide(&open, "a", "{}"), "/tools/a/action: this tool is denied");
        assert_eq!(decide(&open, "A", "{}"), "allowed");
        assert!(
            open.always_denies("lab", "a")
                && !open.always_denies("lab", "b")
                && !all.always_denies("lab", "b")
        );
    }

    proptest! {
        #[test]
        fn only_the_listed_spelling_is_listed(tool in "\\PC{0,12}") {
            let policy = policy(r#"{"version":"1","default":"deny","tools":{"list_hosts":{}}}"#);
            prop_assume!(tool != "list_hosts");
            let said = decide(&policy, &tool, "{}");
            prop_assert!(said.starts_with("/default"));
        }
    }
}
