//! The tools and counts that a scenario touches: in its policies, its calls, its answers and its lists.

use super::Apart;
use super::alone::{Alone, policies};
use crate::mock::Mock;
use crate::policy::{Policy, Posture, ToolRule};
use crate::run::plan::flat;
use crate::scenario::{Call, EntryExpect, Expect, Kind, Listing, Scenario, Upstream, Variables};
use crate::wire::Json;
use crate::wire::name::folded;
use indexmap::IndexMap;
use std::collections::{BTreeMap, BTreeSet};

/// What a scenario touches: names as a careless reader sees them, and as they are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::run) struct Footprint {
    /// Tools that are its own.
    own: BTreeMap<String, String>,
    /// Tools that it only calls, and that its policies let pass without any condition: several scenarios may.
    open: BTreeMap<String, String>,
    /// Counters of its policies.
    counters: BTreeSet<String>,
}

impl Footprint {
    pub(super) fn of(scenario: &Scenario) -> Result<Self, Alone> {
        let mut own: BTreeMap<String, String> = BTreeMap::new();
        let (mut odd, mut counters) = (BTreeSet::new(), BTreeSet::new());
        for policy in policies(scenario) {
            own.extend(policy.hide.iter().chain(policy.tools.keys()).map(|name| pair(name)));
            counters.extend(policy.tools.iter().flat_map(|(name, rule)| counted(name, rule)));
        }
        own.extend(
            scenario.upstreams.values().flat_map(|upstream| upstream.answers.keys().map(|name| pair(name))),
        );
        for step in flat(&scenario.steps) {
            match (&step.kind, &step.expect) {
                (Kind::Call(call), _) => {
                    for name in names(call)? {
                        let touched = spelled(scenario, &name);
                        // A name that no server has is there to be refused.
                        odd.extend(touched.keys().filter(|_| !is_known(scenario, &name)).cloned());
                        own.extend(touched);
                    }
                }
                (_, Some(Expect::Listing(listing))) => own.extend(listed(listing)),
                _ => {}
            }
        }
        let (open, own) =
            own.into_iter().partition(|(tool, _)| !odd.contains(tool) && is_open(scenario, tool));
        Ok(Self { own, open, counters })
    }

    /// Why it cannot stand beside another one.
    pub(super) fn apart(&self, other: &Self) -> Option<Apart> {
        let tool = self.own.iter().find(|(tool, _)| other.touches(tool));
        let tool = tool.or_else(|| other.own.iter().find(|(tool, _)| self.touches(tool)));
        let counter = || self.counters.intersection(&other.counters).next();
        match tool {
            Some((_, tool)) => Some(Apart::Tool(tool.clone())),
            None => counter().map(|counter| Apart::Counter(counter.clone())),
        }
    }

    /// Whether a tool, by its folded name, is one of those.
    pub(super) fn touches(&self, tool: &str) -> bool {
        self.own.contains_key(tool) || self.open.contains_key(tool)
    }
}

/// A name of a policy without its upstream.
fn bare(name: &str) -> String {
    folded(name.rsplit('/').next().unwrap_or(name))
}

/// The same, and the name as it is written.
fn pair(name: &str) -> (String, String) {
    (bare(name), name.rsplit('/').next().unwrap_or(name).to_owned())
}

fn counted<'a>(name: &'a str, rule: &'a ToolRule) -> impl Iterator<Item = String> + 'a {
    let short = rule.rate_limit.iter().map(move |_| format!("{name}_rate"));
    rule.limits.iter().map(|limit| limit.counter.clone()).chain(short)
}

/// The names that a step calls.
fn names(call: &Call) -> Result<Vec<String>, Alone> {
    let each = |row: IndexMap<String, Json>| {
        let mut variables = Variables::default();
        row.into_iter().for_each(|(name, value)| variables.set(&name, value));
        variables.fill_string(&call.tool.name).map_err(|_| Alone::Names)
    };
    let names: Vec<String> = match call.tool.name.contains("{{") {
        true => {
            let rows = call.over.rows(&Variables::default()).map_err(|_| Alone::Names)?;
            rows.into_iter().map(each).collect::<Result<_, _>>()?
        }
        false => vec![call.tool.name.clone()],
    };
    if names.iter().all(|name| name.is_ascii()) { Ok(names) } else { Err(Alone::Spelling) }
}

fn is_known(scenario: &Scenario, name: &str) -> bool {
    mocks(scenario).any(|mock| mock.entry(name).is_some())
}

fn mocks(scenario: &Scenario) -> impl Iterator<Item = Mock> {
    scenario.upstreams.values().filter_map(Upstream::player)
}

/// `LUDUS-Destroy_VM ` may well reach `destroy_vm`: a name touches every tool that it holds.
fn spelled(scenario: &Scenario, name: &str) -> BTreeMap<String, String> {
    let whole = folded(name);
    let own = (whole.clone(), name.to_owned());
    if is_known(scenario, name) {
        return [own].into();
    }
    let tools = mocks(scenario).flat_map(|mock| mock.tools().into_iter().map(pair).collect::<Vec<_>>());
    [own].into_iter().chain(tools.filter(|(tool, _)| whole.contains(tool.as_str()))).collect()
}

fn listed(listing: &Listing) -> impl Iterator<Item = (String, String)> + '_ {
    let named = listing.includes.iter().chain(&listing.excludes).map(|name| pair(&name.value));
    named.chain(listing.entry.keys().map(|name| pair(name)))
}
/// Whether a call of a tool, by its own name, passes without any condition and counts for nothing.
pub(in crate::run) fn passes_freely(scenario: &Scenario, tool: &str) -> bool {
    is_known(scenario, tool)
        && is_open(scenario, &folded(tool))
        && policies(scenario).all(|policy| policy.all_tools.limits.is_empty())
}

/// Whether a tool passes under every policy of the scenario without any condition, and nothing else is said of it.
fn is_open(scenario: &Scenario, tool: &str) -> bool {
    let everybody_has_one = policies(scenario).count() == scenario.identities.len();
    let answered = |name: &String| folded(name) == tool;
    let has_answers = scenario.upstreams.values().any(|upstream| upstream.answers.keys().any(answered));
    everybody_has_one
        && !has_answers
        && !is_absent(scenario, tool)
        && policies(scenario).all(|policy| passes(policy, tool))
}

fn passes(policy: &Policy, tool: &str) -> bool {
    let hidden = policy.hide.iter().any(|name| bare(name) == tool);
    let mut rules = policy.tools.iter().filter(|(name, _)| bare(name) == tool).peekable();
    let by_rule = match rules.peek() {
        None => policy.default == Posture::Allow,
        // `lab/list_hosts` leaves the same tool of another server to the default.
        Some(_) => rules.all(|(name, rule)| !name.contains('/') && *rule == ToolRule::default()),
    };
    !hidden && by_rule
}

/// Whether some list is to be without the tool.
fn is_absent(scenario: &Scenario, tool: &str) -> bool {
    scenario.steps.iter().any(|step| match &step.expect {
        Some(Expect::Listing(listing)) => {
            let excluded = listing.excludes.iter().any(|name| bare(&name.value) == tool);
            let gone = |(name, entries): (&String, &Vec<EntryExpect>)| {
                bare(name) == tool && entries.iter().any(|entry| matches!(entry, EntryExpect::Absent))
            };
            excluded || listing.entry.iter().any(gone)
        }
        _ => false,
    })
}
