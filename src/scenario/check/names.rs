//! Whether what a scenario names exists: mocks, identities, sessions, upstreams, steps, variables.

use super::walk::{self, Stop};
use super::{Checking, token, tools};
use crate::diagnostic::Diagnostic;
use crate::scenario::document::Haunt;
use crate::scenario::expect::{EntryExpect, Expect};
use crate::scenario::step::{Kind, Part};
use crate::scenario::template;
use crate::scenario::variables::{ENDPOINT, ENVELOPE, TOOLS};
use crate::source::{Placed, Spot};

pub(super) fn check(checking: &mut Checking<'_>) {
    people(checking);
    let mut seen = Seen { variables: vec![TOOLS.to_owned(), ENDPOINT.to_owned()], ..Seen::default() };
    seen.variables.extend(checking.scenario.canaries.keys().cloned());
    for step in &checking.scenario.steps {
        if let Kind::Together(_) | Kind::Agent(_) = step.kind {
            each(checking, step.expect.as_ref());
        }
    }
    for stop in walk::steps(&checking.scenario.steps) {
        one(checking, &stop, &mut seen);
    }
}

/// What the steps so far have named.
#[derive(Default)]
struct Seen {
    steps: Vec<Placed<String>>,
    variables: Vec<String>,
}

/// A word that stands for something, where it stands.
struct Mention<'a> {
    spot: Spot,
    noun: &'static str,
    word: &'a str,
}

impl<'a> Mention<'a> {
    fn placed(noun: &'static str, name: &'a Placed<String>) -> Self {
        Self { spot: name.spot, noun, word: &name.value }
    }
}

/// Complains where the word is none of those known.
fn among<'a>(checking: &mut Checking<'_>, mention: &Mention<'_>, known: impl Iterator<Item = &'a String>) {
    let known: Vec<&str> = known.map(String::as_str).collect();
    if !known.contains(&mention.word) {
        checking.told.push(Diagnostic::unknown(mention.spot, mention.noun, mention.word, known));
    }
}

fn identity(checking: &mut Checking<'_>, spot: Spot, word: &str) {
    let scenario = checking.scenario;
    among(checking, &Mention { spot, noun: "identity", word }, scenario.identities.keys());
}

fn upstream(checking: &mut Checking<'_>, spot: Spot, word: &str) {
    let scenario = checking.scenario;
    among(checking, &Mention { spot, noun: "upstream", word }, scenario.upstreams.keys());
}

fn mock(checking: &mut Checking<'_>, name: &Placed<String>) {
    let known = checking.known.mocks.keys();
    if known.clone().any(|known| *known == name.value) {
        return;
    }
    let complaint = Diagnostic::unknown(name.spot, "mock", &name.value, known.map(String::as_str));
    checking.told.push(match complaint.help.clone().filter(|help| !help.starts_with("did you mean")) {
        Some(help) => {
            let own = format!("; one of your own is named by the path of its folder: `./{}`", name.value);
            complaint.help(help + &own)
        }
        None => complaint,
    });
}

/// Everything that stands before the steps.
fn people(checking: &mut Checking<'_>) {
    let (scenario, known) = (checking.scenario, checking.known);
    for upstream in scenario.upstreams.values().filter(|upstream| upstream.own.is_none()) {
        mock(checking, &upstream.mock);
    }
    for session in scenario.sessions.values() {
        if let Some(named) = &session.identity {
            identity(checking, session.spot, named);
        }
    }
    for canary in scenario.canaries.values() {
        for haunt in &canary.never {
            if let Haunt::Upstream(named) = haunt {
                upstream(checking, canary.spot, named);
            }
        }
    }
    for requirement in scenario.requirements.iter().filter(|_| !known.requirements.is_empty()) {
        among(checking, &Mention::placed("requirement", requirement), known.requirements.iter());
    }
    for declared in scenario.given.0.keys().filter(|_| !known.declarations.is_empty()) {
        let spot = checking.key(&format!("/given/{}", token(declared)));
        among(checking, &Mention { spot, noun: "declaration", word: declared }, known.declarations.iter());
    }
}

/// Counts for each session or identity.
fn each(checking: &mut Checking<'_>, expect: Option<&Expect>) {
    let scenario = checking.scenario;
    let Some(Expect::Each(named)) = expect else { return };
    for (name, _) in named {
        let known = scenario.sessions.keys().chain(scenario.identities.keys());
        among(checking, &Mention::placed("session or identity", name), known);
    }
}

fn one(checking: &mut Checking<'_>, stop: &Stop<'_>, seen: &mut Seen) {
    let (scenario, step) = (checking.scenario, stop.step);
    if let Some(voice) = step.voice() {
        if let Some(session) = &voice.session {
            among(checking, &Mention::placed("session", session), scenario.sessions.keys());
        }
        if let Some(by) = &voice.by {
            identity(checking, by.spot, &by.value);
        }
    }
    each(checking, step.expect.as_ref());
    references(checking, stop, seen);
    variables(checking, stop, seen);
    if let Some(name) = step.name() {
        if let Some(first) = seen.steps.iter().find(|first| first.value == name.value) {
            let complaint =
                Diagnostic::mistake(name.spot, format!("a second step is called `{}`", name.value));
            checking.told.push(complaint.also(first.spot, "the first"));
        }
        seen.steps.push(name.clone());
    }
    seen.variables.extend(step.saves().into_iter().flat_map(|saves| saves.keys().cloned()));
    for declared in step.given.0.keys().filter(|_| !checking.known.declarations.is_empty()) {
        among(
            checking,
            &Mention { spot: step.spot, noun: "declaration", word: declared },
            checking.known.declarations.iter(),
        );
    }
}

/// Earlier steps, upstreams and identities that a step names.
fn references(checking: &mut Checking<'_>, stop: &Stop<'_>, seen: &Seen) {
    let earlier = |checking: &mut Checking<'_>, name: &Placed<String>| {
        let known = seen.steps.iter().map(|step| &step.value);
        among(checking, &Mention::placed("earlier step", name), known);
    };
    let step = stop.step;
    match &step.kind {
        Kind::Call(call) => call.carrying.iter().for_each(|name| earlier(checking, name)),
        Kind::Settle(settle) => earlier(checking, &settle.step),
        Kind::Decide(decide) => {
            decide.decisions.iter().for_each(|(name, _)| earlier(checking, name));
            decide.by.iter().for_each(|name| identity(checking, name.spot, &name.value));
        }
        Kind::Cancel(name) => earlier(checking, name),
        Kind::Stop(Part::Upstream(named))
        | Kind::Start(Part::Upstream(named))
        | Kind::Restart(Part::Upstream(named)) => {
            upstream(checking, step.spot, named);
        }
        Kind::Revoke(named) => identity(checking, step.spot, named),
        Kind::Reload(reload) => {
            reload.identity.iter().for_each(|name| identity(checking, name.spot, &name.value));
        }
        Kind::Change(change) => match &change.upstream {
            Some(named) => upstream(checking, change.spot, named),
            None if checking.scenario.upstreams.len() > 1 => {
                let complaint = Diagnostic::mistake(change.spot, "which upstream changes?");
                checking.told.push(complaint.help("name it with `upstream`"));
            }
            None => {}
        },
        _ => {}
    }
    match &step.expect {
        Some(Expect::Listing(listing)) => {
            let within = listing.entry.values().flatten().filter_map(|alternative| match alternative {
                EntryExpect::SameAs(step) => Some(step),
                _ => None,
            });
            listing.same_as.iter().chain(within).for_each(|name| earlier(checking, name));
        }
        Some(Expect::Detailed(detailed)) => {
            let named = detailed.upstream.as_ref().and_then(|arrived| arrived.name.as_ref());
            named.into_iter().for_each(|name| upstream(checking, name.spot, &name.value));
            detailed.same_as.iter().for_each(|name| earlier(checking, name));
        }
        _ => {}
    }
}

/// Templates: whole, and about variables that are set by then.
fn variables(checking: &mut Checking<'_>, stop: &Stop<'_>, seen: &Seen) {
    let own = stop.step.over().into_iter().flat_map(|over| over.0.keys());
    let envelope = ENVELOPE.to_owned();
    let raw = matches!(stop.step.kind, Kind::Send(_)).then_some(&envelope);
    let known: Vec<&String> = seen.variables.iter().chain(own).chain(raw).collect();
    for text in walk::texts(stop.step) {
        let spot = template_spot(checking, stop.step.spot, &text);
        if let Some(why) = template::broken(&text) {
            checking.told.push(Diagnostic::mistake(spot, format!("broken template: {why}")));
        }
        for name in template::mentioned(&text) {
            among(checking, &Mention { spot, noun: "variable", word: &name }, known.iter().copied());
        }
        for tool in template::members(&text, TOOLS) {
            tools::named(checking, spot, &tool);
        }
    }
}

/// The text's own place where the file has it as it is; otherwise the step's.
pub(super) fn template_spot(checking: &Checking<'_>, step: Spot, text: &str) -> Spot {
    let within = checking.scenario.text.get(step.start..).unwrap_or_default();
    let Some(at) = within.find(text).filter(|_| !text.is_empty()) else { return step };
    let start = step.start + at;
    let before = &checking.scenario.text[..start];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
    let narrow = |wide: usize| u32::try_from(wide).unwrap_or_default();
    Spot { line: narrow(line), column: narrow(column), start, end: start + text.len() }
}
