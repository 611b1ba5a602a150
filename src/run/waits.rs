//! Whether silence can mean that a person is being asked: only about a call for which some policy asks one.

use super::judge::Asked;
use super::pack::policies;
use crate::policy::{Action, Policy};
use crate::scenario::{Kind, Scenario};
use crate::wire::name::folded;

/// Whether a policy of the scenario has somebody asked about this call, as far as it can be told what it calls.
pub(super) fn may_wait(scenario: &Scenario, asked: &Asked) -> bool {
    let later = scenario.steps.iter().filter_map(|step| match &step.kind {
        Kind::Reload(reload) => reload.policy.as_ref().map(|text| &text.policy),
        _ => None,
    });
    let about: Vec<String> = policies(scenario).chain(later).flat_map(asks_about).collect();
    let called = asked.tool.iter().chain(asked.reads.iter().map(|call| &call.tool)).map(|name| folded(name));
    // Bytes that no parser takes for a call may name it all the same.
    let bytes = asked.exchanges.first().filter(|_| asked.tool.is_none()).map(|exchange| &exchange.sent.bytes);
    let text = bytes.map(|bytes| folded(&String::from_utf8_lossy(bytes)));
    called.chain(text).any(|words| about.iter().any(|tool| words.contains(tool.as_str())))
}

/// The tools about which a policy asks, as a careless reader sees their names.
fn asks_about(policy: &Policy) -> impl Iterator<Item = String> {
    let asked = policy.tools.iter().filter(|(_, rule)| rule.action == Action::RequireApproval);
    asked.map(|(name, _)| folded(name.rsplit('/').next().unwrap_or(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::Told;
    use crate::transcript::{Ended, Exchange, Sent};
    use crate::wire::Json;
    use std::time::Instant;

    fn asked(tool: Option<&str>, bytes: &'static str) -> Asked {
        let opened = Instant::now();
        let sent = Sent { at: opened, bytes: bytes.into(), id: None };
        Asked {
            tool: tool.map(str::to_owned),
            reads: crate::mock::calls(bytes.as_bytes()),
            upstream: None,
            arguments: Json::object(),
            headers: Vec::new(),
            session: "agent".into(),
            exchanges: vec![Exchange { sent, http: None, received: Vec::new(), ended: Ended::Quiet }],
            told: Told::silence(),
            opened,
            closed: None,
            decided: None,
            notification: false,
            known: true,
        }
    }

    #[test]
    fn only_a_call_that_somebody_is_asked_about_can_wait() {
        let text = "scenario: s\nupstreams: [ludus]\n\
                    policy: {version: \"1\", default: deny, tools: {whoami: {}, destroy_vm: {action: require_approval}}}\n\
                    steps: [{call: whoami, expect: allowed}]\n";
        let scenario = crate::scenario::read(text, "s.yaml").unwrap();
        for (tool, bytes, waits) in [
            (Some("destroy_vm"), "", true),
            (Some("lab-Destroy_VM"), "", true),
            (Some("whoami"), "", false),
            (None, r#"{"method":"tools/call","params":{"name":"destroy_vm"}}"#, true),
            (None, r#"{"method":"tools/call","params":["destroy_vm""#, true),
            (None, r#"{"jsonrpc":"2.0","id":"raw-1","method":"tools/call","params":"#, false),
            (None, r#"{"jsonrpc":"2.0","method":"notifications/nobody-knows-this"}"#, false),
        ] {
            assert_eq!(may_wait(&scenario, &asked(tool, bytes)), waits, "{tool:?} {bytes}");
        }
    }
}
