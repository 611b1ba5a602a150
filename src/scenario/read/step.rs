//! Steps: which kind each is, and the small kinds whole.

use super::Told;
use super::call::{call, send, settle, voice};
use super::expect::{amount, expect_call, expect_list, expect_notice};
use super::members::Members;
use super::pattern::pattern;
use super::people::given;
use super::policy::policy;
use super::upstream::change;
use super::value::{duration, elements, entries, expected, name, positive, word};
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::scenario::expect::{Amount, Expect, NoticeExpect};
use crate::scenario::step::{
    Agent, Boundary, Decide, Decision, Kind, List, Notice, Part, Persona, Records, Reload, Step, Wait,
};
use crate::source::{Node, Value};

/// The words that begin a step, each the name of a kind.
const KINDS: [&str; 18] = [
    "call", "together", "agent", "list", "change", "notice", "send", "wait", "decide", "settle", "stop",
    "start", "restart", "reload", "revoke", "cancel", "records", "accept",
];

const DECISIONS: [(&str, Decision); 2] = [("approve", Decision::Approve), ("reject", Decision::Reject)];

/// What a record can be asked for: the fields of a profile's `audit`, and `whole` for all of it as a text.
const RECORDED: [&str; 12] = [
    "decision",
    "tool",
    "identity",
    "rule",
    "reason",
    "id",
    "time",
    "policy",
    "arguments",
    "approver",
    "outcome",
    "whole",
];

/// The steps of a list.
pub(super) fn steps(node: &Node, told: &mut Told) -> Vec<Step> {
    let written = elements(node, "a list of steps", told);
    written.iter().filter_map(|node| step(node, told)).collect()
}

/// One step.
fn step(node: &Node, told: &mut Told) -> Option<Step> {
    let word = kind_of(node, told)?;
    let mut members = Members::of(node, "a step", told)?;
    let main = members.take(word)?;
    let kind = kind(word, main, &mut members, told);
    let given = given(members.take("given"), told);
    let mut expect = None;
    let mut expect_spot = node.spot;
    if let Some(node) = expects(word).then(|| members.take("expect")).flatten() {
        expect_spot = node.spot;
        expect = expectation(word, node, told);
    }
    if word == "notice" && expect.is_none() {
        expect = Some(Expect::Notice(NoticeExpect::Arrives));
    }
    members.end(told);
    Some(Step { spot: node.spot, kind: kind?, given, expect, expect_spot })
}

/// The one kind that a step's keys name.
fn kind_of(node: &Node, told: &mut Told) -> Option<&'static str> {
    let Value::Map(entries) = &node.value else {
        told.push(Diagnostic::mistake(node.spot, format!("a step is a mapping, found {}", node.noun())));
        return None;
    };
    let named: Vec<_> = KINDS.into_iter().filter(|kind| node.get(kind).is_some()).collect();
    match named[..] {
        [kind] => Some(kind),
        // `restart` and friends take no others along; of two kinds the file has to choose.
        [first, second, ..] => {
            told.push(Diagnostic::mistake(node.spot, format!("a step is either `{first}` or `{second}`")));
            None
        }
        [] => {
            let meant = entries.iter().find_map(|(key, _)| Some((key, did_you_mean(&key.value, KINDS)?)));
            let spot = meant.map(|(key, _)| key.spot).or(entries.first().map(|(key, _)| key.spot));
            let complaint = Diagnostic::mistake(spot.unwrap_or(node.spot), "a step that does nothing");
            told.push(match meant {
                Some((key, meant)) => {
                    complaint.help(format!("did you mean `{meant}` instead of `{}`?", key.value))
                }
                None => complaint.help(format!("begin it with one of {}", crate::diagnostic::listed(KINDS))),
            });
            None
        }
    }
}

fn kind(word: &str, main: &Node, members: &mut Members<'_>, told: &mut Told) -> Option<Kind> {
    Some(match word {
        "call" => Kind::Call(Box::new(call(main, members, told)?)),
        "together" => Kind::Together(together(main, told)),
        "agent" => Kind::Agent(agent(main, told)?),
        "list" => {
            self::word(main, "thing to list", &[("tools", ())], told)?;
            Kind::List(List {
                name: members.take("as").and_then(|node| name(node, told)),
                voice: voice(members, told),
            })
        }
        "change" => Kind::Change(change(main, false, told)?),
        "notice" => Kind::Notice(Notice { method: method(main, told)?, voice: voice(members, told) }),
        "send" => Kind::Send(Box::new(send(main, members, told)?)),
        "wait" => Kind::Wait(wait(main, told)?),
        "decide" => {
            let written = entries(main, "a mapping of steps to decisions", told).iter();
            let mut one = |node| self::word(node, "decision", &DECISIONS, told);
            let decisions = written.filter_map(|(key, node)| Some((key.clone(), one(node)?))).collect();
            Kind::Decide(Decide { decisions, by: members.take("by").and_then(|node| name(node, told)) })
        }
        "settle" => Kind::Settle(settle(main, members, told)?),
        "stop" => Kind::Stop(part(main, told)?),
        "start" => Kind::Start(part(main, told)?),
        "restart" => Kind::Restart(part(main, told)?),
        "reload" => Kind::Reload(reload(main, told)?),
        "cancel" => Kind::Cancel(name(main, told)?),
        "accept" => Kind::Accept(name(main, told)?),
        "records" => Kind::Records(records(main, members, told)),
        _ => Kind::Revoke(name(main, told)?.value),
    })
}

fn expects(word: &str) -> bool {
    matches!(word, "call" | "together" | "agent" | "list" | "notice" | "send" | "settle" | "restart")
}

fn expectation(word: &str, node: &Node, told: &mut Told) -> Option<Expect> {
    match word {
        "list" => expect_list(node, told),
        "notice" => expect_notice(node, told),
        "restart" => self::word(node, "way to end", &[("orderly", ())], told).map(|()| Expect::Orderly),
        _ => expect_call(node, told),
    }
}

/// What is done at the same time: calls and bytes.
fn together(node: &Node, told: &mut Told) -> Vec<Step> {
    let steps = steps(node, told);
    for step in &steps {
        if !matches!(step.kind, Kind::Call(_) | Kind::Send(_)) {
            let complaint = Diagnostic::mistake(step.spot, "only calls and sends are done together");
            told.push(complaint.help("make it a step of its own"));
        }
    }
    for step in steps.iter().filter(|step| step.expect.is_some()) {
        let complaint =
            Diagnostic::mistake(step.expect_spot, "one of those done together has no expectation of its own");
        told.push(complaint.help("put it under `together`: what came of them is looked at as a whole"));
    }
    if steps.is_empty() && node.list().is_some_and(<[Node]>::is_empty) {
        told.push(Diagnostic::mistake(node.spot, "nothing is done together"));
    }
    steps
}

/// `records`: what they say; `expect` is how many there are, at least one where it is left out.
fn records(main: &Node, members: &mut Members<'_>, told: &mut Told) -> Records {
    let mut like = indexmap::IndexMap::new();
    for (key, node) in entries(main, "what a record says", told) {
        if RECORDED.contains(&key.value.as_str()) {
            like.extend(pattern(node, told).map(|pattern| (key.value.clone(), pattern)));
        } else {
            told.push(Diagnostic::unknown(key.spot, "member of a record", &key.value, RECORDED));
        }
    }
    let some = Amount { at_least: Some(1), at_most: None };
    Records { like, count: members.take("expect").and_then(|node| amount(node, told)).unwrap_or(some) }
}

/// An agent without a model. It can run wild, so that its calls must have an end.
fn agent(node: &Node, told: &mut Told) -> Option<Agent> {
    let mut members = Members::of(node, "an agent", told)?;
    let persona = members.need("persona", told).and_then(|node| word(node, "persona", &Persona::ALL, told));
    let goal = members.need("goal", told).map(|node| steps(node, told)).unwrap_or_default();
    let at_most = members.need("at_most", told).and_then(|node| positive(node, told));
    members.end(told);
    for step in goal.iter().filter(|step| !matches!(step.kind, Kind::Call(_))) {
        let complaint = Diagnostic::mistake(step.spot, "the goal of an agent consists of calls");
        told.push(complaint.help("make it a step of its own"));
    }
    for step in goal.iter().filter(|step| step.expect.is_some()) {
        let complaint =
            Diagnostic::mistake(step.expect_spot, "a call of a goal has no expectation of its own");
        told.push(complaint.help("put counts under the agent: what comes between is its own choice"));
    }
    Some(Agent { persona: persona?, goal, at_most: at_most? })
}

fn method(node: &Node, told: &mut Told) -> Option<String> {
    let written = name(node, told)?.value;
    Some(if written.starts_with("notifications/") { written } else { format!("notifications/{written}") })
}

fn wait(node: &Node, told: &mut Told) -> Option<Wait> {
    if node.map().is_none() {
        return duration(node, told).map(Wait::For);
    }
    let boundaries =
        [("next minute", Boundary::Minute), ("next hour", Boundary::Hour), ("next day", Boundary::Day)];
    let mut members = Members::of(node, "a wait", told)?;
    let until = members.need("until", told).and_then(|node| word(node, "boundary", &boundaries, told));
    members.end(told);
    until.map(Wait::Until)
}

fn part(node: &Node, told: &mut Told) -> Option<Part> {
    let written = name(node, told)?.value;
    Some(if written == "gateway" { Part::Gateway } else { Part::Upstream(written) })
}

fn reload(node: &Node, told: &mut Told) -> Option<Reload> {
    match &node.value {
        Value::Null => return Some(Reload { policy: None, identity: None }),
        Value::Map(_) => {}
        // `reload: gateway` reads as naturally as `restart: gateway`, and means the same policy again.
        Value::Text(text) if text == "gateway" => return Some(Reload { policy: None, identity: None }),
        _ => return expected("a mapping with `policy`", node, told),
    }
    let mut members = Members::of(node, "a reload", told)?;
    let policy = members.take("policy").and_then(|node| policy(node, told));
    let identity = members.take("identity").and_then(|node| name(node, told));
    members.end(told);
    Some(Reload { policy, identity })
}
