//! Whether the tools exist that a scenario calls, lists, changes and makes rules for.

use super::walk;
use super::{Checking, Known, token};
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::policy::Policy;
use crate::scenario::document::IdentityPolicy;
use crate::scenario::expect::Expect;
use crate::scenario::step::{Kind, ToolName};
use crate::scenario::upstream::{Change, Changed, Upstream};
use crate::source::Spot;

pub(super) fn check(checking: &mut Checking<'_>) {
    let scenario = checking.scenario;
    if let Some(policy) = &scenario.policy {
        rules(checking, &policy.policy, "/policy");
    }
    for (name, identity) in &scenario.identities {
        if let IdentityPolicy::Own(policy) = &identity.policy {
            rules(checking, &policy.policy, &format!("/identities/{}/policy", token(name)));
        }
    }
    for (name, upstream) in &scenario.upstreams {
        for tool in upstream.answers.keys() {
            let spot = upstream.answers[tool].first().map_or(upstream.spot, |answer| answer.spot);
            listed(checking, spot, Some(name), tool);
        }
        upstream.changes.iter().for_each(|changed| change(checking, changed, Some(name)));
    }
    for stop in walk::steps(&scenario.steps) {
        match &stop.step.kind {
            Kind::Call(call) => called(checking, &call.tool),
            Kind::Change(changed) => change(checking, changed, changed.upstream.as_deref()),
            _ => {}
        }
        if let Some(Expect::Listing(listing)) = stop.expect {
            let exactly = listing.exactly.iter().flatten();
            for tool in listing.includes.iter().chain(&listing.excludes).chain(exactly) {
                split(checking, tool.spot, &tool.value);
            }
            for tool in listing.entry.keys() {
                split(checking, stop.step.expect_spot, tool);
            }
        }
    }
}

/// The tools of one upstream, or of all of them, those that appear later included.
pub(super) fn tools<'a>(checking: &Checking<'a>, upstream: Option<&str>) -> Vec<&'a str> {
    let (scenario, known) = (checking.scenario, checking.known);
    let mut tools: Vec<&str> = Vec::new();
    for (_, spec) in
        scenario.upstreams.iter().filter(|(name, _)| upstream.is_none_or(|wanted| wanted == *name))
    {
        tools.extend(of(known, spec));
        tools.extend(spec.changes.iter().filter_map(added));
    }
    for step in &scenario.steps {
        if let Kind::Change(change) = &step.kind {
            tools.extend(added(change));
        }
    }
    tools
}

/// The tools that its mock has.
fn of<'a>(known: &'a Known, upstream: &'a Upstream) -> Vec<&'a str> {
    match &upstream.own {
        Some(own) => own.mock.tools(),
        None => known.mocks.get(&upstream.mock.value).into_iter().flatten().map(String::as_str).collect(),
    }
}

fn added(change: &Change) -> Option<&str> {
    if let Changed::Add(name) = &change.what { Some(name) } else { None }
}

/// Rules of a policy: for a name without a tool they bind nothing.
fn rules(checking: &mut Checking<'_>, policy: &Policy, pointer: &str) {
    for tool in policy.tools.keys() {
        let spot = checking.key(&format!("{pointer}/tools/{}", token(tool)));
        split(checking, spot, tool);
    }
    for (index, tool) in policy.hide.iter().enumerate().filter(|(_, tool)| *tool != "*") {
        let pointer = format!("{pointer}/hide/{index}");
        let spot = checking.root.as_ref().map(|root| root.nearest(&pointer).spot).unwrap_or_default();
        split(checking, spot, tool);
    }
}

/// `TOOL` or `UPSTREAM/TOOL`.
fn split(checking: &mut Checking<'_>, spot: Spot, written: &str) {
    match written.split_once('/') {
        Some((upstream, tool)) => listed(checking, spot, Some(upstream), tool),
        None => listed(checking, spot, None, written),
    }
}

/// The tool that a template names.
pub(super) fn named(checking: &mut Checking<'_>, spot: Spot, tool: &str) {
    listed(checking, spot, None, tool);
}

fn listed(checking: &mut Checking<'_>, spot: Spot, upstream: Option<&str>, tool: &str) {
    if let Some(wanted) = upstream.filter(|wanted| !checking.scenario.upstreams.contains_key(*wanted)) {
        let known = checking.scenario.upstreams.keys().map(String::as_str);
        checking.told.push(Diagnostic::unknown(spot, "upstream", wanted, known));
        return;
    }
    let known = tools(checking, upstream);
    // With a mock that is not known, that is the complaint; its tools are anybody's guess.
    if !known.is_empty() && !known.contains(&tool) {
        checking.told.push(unknown(spot, tool, &known));
    }
}

fn unknown(spot: Spot, tool: &str, known: &[&str]) -> Diagnostic {
    let complaint = Diagnostic::mistake(spot, format!("unknown tool `{tool}`"));
    match did_you_mean(tool, known.iter().copied()) {
        Some(meant) => complaint.help(format!("did you mean `{meant}`?")),
        None => complaint.help(format!("the upstreams have {} tools, none of a name like it", known.len())),
    }
}

fn change(checking: &mut Checking<'_>, change: &Change, upstream: Option<&str>) {
    match &change.what {
        Changed::Tool(tool) | Changed::Remove(tool) => listed(checking, change.spot, upstream, tool),
        Changed::Add(_) => {}
    }
}

/// The tool of a call: it exists, and on one upstream alone; a name that should not exist is `exact`.
fn called(checking: &mut Checking<'_>, tool: &ToolName) {
    if tool.exact || tool.name.contains("{{") {
        return;
    }
    if tool.upstream.is_some() || tools(checking, None).contains(&tool.name.as_str()) {
        listed(checking, tool.spot, tool.upstream.as_deref(), &tool.name);
        return ambiguous(checking, tool);
    }
    let known = tools(checking, None);
    if known.is_empty() {
        return;
    }
    let complaint = unknown(tool.spot, &tool.name, &known);
    let help = complaint.help.clone().filter(|help| help.starts_with("did you mean"));
    let exact = format!("write `{{exact: {}}}` to call what does not exist", tool.name);
    checking.told.push(complaint.help(help.unwrap_or(exact)));
}

fn ambiguous(checking: &mut Checking<'_>, tool: &ToolName) {
    if tool.upstream.is_some() {
        return;
    }
    let upstreams = checking.scenario.upstreams.iter();
    let having: Vec<&str> = upstreams
        .filter(|(_, upstream)| of(checking.known, upstream).contains(&tool.name.as_str()))
        .map(|(name, _)| name.as_str())
        .collect();
    if let [first, second, ..] = having[..] {
        let message = format!("`{}` stands on `{first}` and on `{second}`", tool.name);
        let complaint = Diagnostic::mistake(tool.spot, message);
        checking.told.push(complaint.help(format!("write `{first}/{}`", tool.name)));
    }
}
