//! `gauntlet policy`: policies that are made, not written.

use super::{Exit, files, print, say};
use crate::diagnostic::listed;
use crate::policy::{Class, Posture, recommend};
use clap::{Args, Subcommand, ValueEnum};

const EXAMPLES: &str = "\
Examples:
  gauntlet policy recommend --for ludus > policy.json
  gauntlet policy recommend --for ./my-mock --default allow

What reads may be called, what writes 30 times a minute, what runs something 10 times a minute, and what
destroys is hidden. The class is the one that the public catalogue of policies gives the tool, or where it
gives none, the mock's own; `gauntlet run --tag advice` shows what such a policy stops and what it does not.

Exit codes: 0 printed, 2 no such mock, or one with mistakes.";

/// Makes policies.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct PolicyArguments {
    /// What to make.
    #[command(subcommand)]
    pub what: Made,
}

/// What to make.
#[derive(Debug, Subcommand)]
pub enum Made {
    /// The policy that a catalogue recommends for its tools, by the risk of each
    Recommend(Recommend),
}

/// Prints the policy that is recommended for a server's tools, by the risk of each.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Recommend {
    /// `ludus`, `velociraptor`, `office`, `conformance`, or a folder with a mock of your own
    #[arg(long = "for", value_name = "MOCK")]
    pub mock: String,
    /// What happens to tools that the policy does not name
    #[arg(long, value_enum, default_value = "deny")]
    pub default: Unnamed,
}

/// What happens to tools that a policy does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Unnamed {
    /// They may be called
    Allow,
    /// They may not
    Deny,
}

/// Makes a policy and prints it.
pub(super) fn policy(arguments: &PolicyArguments) -> Exit {
    let Made::Recommend(Recommend { mock, default }) = &arguments.what;
    let mock = match files::mock(mock) {
        Ok(mock) => mock,
        Err(exit) => return exit,
    };
    let default = match default {
        Unnamed::Allow => Posture::Allow,
        Unnamed::Deny => Posture::Deny,
    };
    let (classed, others): (Vec<_>, Vec<_>) = mock
        .tools()
        .into_iter()
        .map(|tool| (tool, mock.rating(tool).and_then(Class::of)))
        .partition(|(_, class)| class.is_some());
    if !others.is_empty() {
        let names = listed(others.into_iter().map(|(tool, _)| tool));
        say(&format!("the catalogue gives no known risk for {names}: left to the default"));
    }
    let classed = classed.into_iter().filter_map(|(tool, class)| Some((tool, class?)));
    let text = serde_json::to_string_pretty(&recommend(classed, default)).expect("a policy is plain data");
    print(&format!("{text}\n"));
    Exit::Clean
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::SCENARIOS;
    use crate::mock::Mock;
    use crate::policy::Policy;
    use crate::scenario;

    fn recommended(mock: &str) -> Policy {
        let mock = Mock::named(mock).unwrap();
        let tools = mock.tools();
        let classed = tools.iter().filter_map(|tool| Some((*tool, Class::of(mock.rating(tool)?)?)));
        recommend(classed, Posture::Deny)
    }

    #[test]
    fn every_tool_has_its_advice_and_the_policy_is_sound() {
        for name in Mock::names() {
            let policy = recommended(name);
            assert_eq!(policy.check(), [], "{name}");
            let mut named: Vec<&str> =
                policy.hide.iter().chain(policy.tools.keys()).map(String::as_str).collect();
            let mock = Mock::named(name).unwrap();
            let mut tools = mock.tools();
            named.sort_unstable();
            tools.sort_unstable();
            assert_eq!(named, tools, "{name}");
        }
    }

    #[test]
    fn scenarios_about_the_advice_have_it_word_for_word() {
        let mut seen = 0;
        for file in SCENARIOS.iter().filter(|file| file.path.starts_with("attacks/advice-")) {
            let scenario = scenario::read(file.text, file.path).unwrap();
            let advice = recommended(&scenario.upstreams.values().next().unwrap().mock.value);
            let policy = &scenario.policy.as_ref().unwrap().policy;
            assert!(policy.hide.is_empty() || policy.hide == advice.hide, "{}", file.path);
            for (tool, rule) in &policy.tools {
                assert_eq!(Some(rule), advice.tools.get(tool), "{}: {tool}", file.path);
            }
            seen += 1;
        }
        assert!(seen >= 5, "{seen}");
    }
}
