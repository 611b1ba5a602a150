//! Who takes part: identities, sessions, canaries; and what the scenario is about.

use super::Told;
use super::members::Members;
use super::policy::policy;
use super::value::{entries, name, names, text, texts, word};
use crate::diagnostic::Diagnostic;
use crate::scenario::document::{
    Attack, Canary, EraChoice, Given, Haunt, Identity, IdentityPolicy, Offer, Session,
};
use crate::source::{Node, Value};
use crate::wire::Revision;
use indexmap::IndexMap;

/// The one identity, and the one session, of a scenario that names nobody.
const NOBODY_NAMED: &str = "agent";

/// The words for eras; besides them, a revision by its date.
pub(in crate::scenario) const ERAS: [(&str, EraChoice); 4] = [
    ("newest", EraChoice::Newest),
    ("legacy", EraChoice::Legacy),
    ("modern", EraChoice::Modern),
    ("every", EraChoice::Every),
];

/// `identities`: each name with its own policy, the scenario's, or (with `policy: null`) none.
pub(super) fn identities(node: Option<&Node>, told: &mut Told) -> IndexMap<String, Identity> {
    let Some(node) = node else {
        return IndexMap::from([(NOBODY_NAMED.to_owned(), Identity::default())]);
    };
    let named = entries(node, "a mapping of identities", told);
    named.iter().map(|(key, node)| (key.value.clone(), identity(node, told))).collect()
}

fn identity(node: &Node, told: &mut Told) -> Identity {
    let mut read = Identity { spot: node.spot, policy: IdentityPolicy::Shared };
    if node.value == Value::Null {
        return read;
    }
    let Some(mut members) = Members::of(node, "an identity", told) else { return read };
    match members.take("policy") {
        Some(Node { value: Value::Null, .. }) => read.policy = IdentityPolicy::None,
        Some(own) => read.policy = policy(own, told).map_or(IdentityPolicy::None, IdentityPolicy::Own),
        None => {}
    }
    members.end(told);
    read
}

/// `sessions`: each name with the identity behind it; without any, each identity has one of its own name.
pub(super) fn sessions(
    node: Option<&Node>,
    identities: &IndexMap<String, Identity>,
    told: &mut Told,
) -> IndexMap<String, Session> {
    let Some(node) = node else {
        let own = |(name, identity): (&String, &Identity)| {
            let session = Session { spot: identity.spot, identity: Some(name.clone()), ..Session::default() };
            (name.clone(), session)
        };
        return identities.iter().map(own).collect();
    };
    let named = entries(node, "a mapping of sessions", told);
    named.iter().map(|(key, node)| (key.value.clone(), session(node, told))).collect()
}

fn session(node: &Node, told: &mut Told) -> Session {
    let mut read = Session { spot: node.spot, ..Session::default() };
    match &node.value {
        Value::Text(identity) => read.identity = Some(identity.clone()),
        Value::Null => {}
        _ => {
            let Some(mut members) = Members::of(node, "a session", told) else { return read };
            read.identity = members.take("identity").and_then(|node| text(node, told));
            read.client = members.take("client").and_then(|node| text(node, told));
            let offers = members.take("offers");
            let offers =
                offers.into_iter().flat_map(|node| node.list().unwrap_or(std::slice::from_ref(node)));
            read.offers = offers.filter_map(|node| word(node, "offer", &Offer::ALL, told)).collect();
            members.end(told);
        }
    }
    read
}

/// `canaries`: each name with the places where it must never turn up.
pub(super) fn canaries(node: &Node, told: &mut Told) -> IndexMap<String, Canary> {
    let mut read = IndexMap::new();
    for (key, node) in entries(node, "a mapping of canaries", told) {
        let Some(mut members) = Members::of(node, "a canary", told) else { continue };
        let never = members.need("never", told).map(|node| names(node, told)).unwrap_or_default();
        members.end(told);
        let never = never.into_iter().map(|place| match place.value.as_str() {
            "client" => Haunt::Client,
            "audit" => Haunt::Audit,
            _ => Haunt::Upstream(place.value),
        });
        read.insert(key.value.clone(), Canary { spot: key.spot, never: never.collect() });
    }
    read
}

/// `given`: what a gateway has to declare.
pub(super) fn given(node: Option<&Node>, told: &mut Told) -> Given {
    let Some(node) = node else { return Given::default() };
    let declared = entries(node, "a mapping of declarations", told);
    Given(declared.iter().map(|(key, node)| (key.value.clone(), words(node, told))).collect())
}

/// Declarations may be booleans and numbers; they are compared as words.
fn words(node: &Node, told: &mut Told) -> Vec<String> {
    match &node.value {
        Value::List(elements) => elements.iter().flat_map(|element| words(element, told)).collect(),
        Value::Bool(value) => vec![value.to_string()],
        Value::Number(number) => vec![number.spelling().to_owned()],
        _ => texts(node, told),
    }
}

/// `attack`: the catalogues' numbers.
pub(super) fn attack(node: &Node, told: &mut Told) -> Option<Attack> {
    let mut members = Members::of(node, "an attack", told)?;
    let mut list = |name| members.take(name).map(|node| texts(node, told)).unwrap_or_default();
    let attack =
        Attack { patterns: list("pattern"), owasp: list("owasp"), atlas: list("atlas"), see: list("see") };
    members.end(told);
    Some(attack)
}

/// `era`: a word, or a revision by its date.
pub(super) fn era(node: &Node, told: &mut Told) -> Option<EraChoice> {
    let written = name(node, told)?.value;
    let revisions = Revision::ALL.map(|revision| (revision.as_str(), EraChoice::Revision(revision)));
    let table: Vec<_> = ERAS.into_iter().chain(revisions).collect();
    let found = table.iter().find(|(word, _)| *word == written).map(|(_, era)| *era);
    if found.is_none() {
        told.push(Diagnostic::unknown(node.spot, "era", &written, table.iter().map(|(word, _)| *word)));
    }
    found
}
