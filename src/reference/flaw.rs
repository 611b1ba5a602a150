//! Ways not to be a gateway, one line each. Each names the requirements that it breaks.

use super::approvals::Verdict;
use super::conduct::Stage::{
    self, Approve, Check, Consume, Count, Decide, Forward, Hide, Pin, Record, Reserve,
};
use super::conduct::{Conduct, Ending, Seen};
use super::read::{Frame, Taken, strictly};
use super::refusal::{Put, Refusal, error_result, plainly};
use super::settings::Grant;
use crate::declared::Declared;
use crate::policy::{Amount, Charge, Counters, Holder, Limited, Reservation, Who};
use crate::policy::{Call, Decision, Denied, Op, Policy, Predicate, fingerprint};
use crate::wire::{Json, Number, Object, parse, parse_lenient};
use http::HeaderMap;
use std::time::Duration;

/// One way to lie.
#[derive(Clone, Copy, Debug)]
pub struct Flaw {
    /// What it is called: what the gateway does, as a phrase.
    pub name: &'static str,
    /// The requirements that it breaks, by their ids.
    pub requirements: &'static [&'static str],
    /// Makes a conduct lie.
    pub twist: fn(&mut Conduct),
}

const fn flaw(name: &'static str, requirements: &'static [&'static str], twist: fn(&mut Conduct)) -> Flaw {
    Flaw { name, requirements, twist }
}

/// All flaws.
#[rustfmt::skip] // A flaw is a line.
pub static FLAWS: &[Flaw] = &[
    flaw("forwards-then-refuses", &["DENY-01", "VIS-04", "ARG-01"], |c| c.order = FORWARDS_FIRST),
    flaw("denies-by-list-only", &["DENY-01", "VIS-04"], |c| (c.order, c.shows) = (&[Forward, Record], shows_allowed)),
    flaw("denies-the-first-calls-only", &["DENY-01"], |c| c.decide = the_first_calls),
    flaw("lists-what-is-hidden", &["VIS-01", "VIS-07"], |c| c.shows = |_| true),
    flaw("hides-on-the-first-page-only", &["VIS-02"], |c| c.shows = |seen| seen.page > 0 || shows_allowed(seen)),
    flaw("serves-the-list-of-another", &["VIS-06"], |c| c.shelf = |_| Some("everybody".into())),
    flaw("folds-names-after-judging", &["DENY-04"], |c| {
        c.passes_unlisted = |_| true;
        c.sends = folded;
    }),
    flaw("passes-names-that-nobody-lists", &["DENY-04"], |c| c.passes_unlisted = |_| true),
    flaw("judges-the-first-of-a-batch", &["DENY-06", "RATE-13"], |c| c.read = first_of_batch),
    flaw("forwards-calls-put-as-notifications", &["DENY-07"], |c| c.passes_notice = |_| true),
    flaw("judges-the-first-of-repeated-members", &["DENY-10", "ARG-07"], |c| c.read = first_judged),
    flaw("reads-carelessly", &["DENY-11"], |c| c.read = carelessly),
    flaw("mutes-reasons", &["DENY-15"], |c| c.puts = without_reason),
    flaw("dresses-denials-as-success", &["DENY-01"], |c| c.puts = as_success),
    flaw("lets-retyped-arguments-pass", &["ARG-04"], |c| c.decide = on_plain_arguments),
    flaw("lets-missing-arguments-pass", &["ARG-02", "ARG-03"], |c| c.decide = on_given_arguments),
    flaw("admits-one-more", &["RATE-01"], |c| c.reserve = one_more),
    flaw("checks-then-increments", &["RATE-02"], |c| c.order = CHECKS_THEN_INCREMENTS),
    flaw("charges-refusals", &["RATE-06"], |c| (c.order, c.gives_back) = (CHARGES_FIRST, never)),
    flaw("refunds-failures", &["RATE-07", "RATE-08"], |c| c.gives_back = |ending, _| ending != Ending::Answered),
    flaw("counts-by-session", &["RATE-12"], |c| c.charges = by_session),
    flaw("words-limits-as-denials", &["RATE-16"], |c| c.puts = limits_as_denials),
    flaw("forwards-before-asking", &["APPR-01", "APPR-03"], |c| c.order = ASKS_AFTERWARDS),
    flaw("sends-twice", &["APPR-02", "RATE-01"], |c| c.order = SENDS_TWICE),
    flaw("takes-late-approvals", &["APPR-04"], |c| c.decidable = |_, _| true),
    flaw("takes-silence-for-consent", &["APPR-04"], |c| c.silence = || Verdict::Approve),
    flaw("seals-the-tool-only", &["APPR-05"], |c| c.seal = |who, call| sealed(who, call, &Json::Null)),
    flaw("approves-for-ever", &["APPR-07"], |c| c.burns = |_| false),
    flaw("approves-for-anybody", &["APPR-09"], |c| c.seal = |_, call| sealed("", call, call.arguments)),
    flaw("rounds-numbers", &["TRANS-01"], |c| c.sends = |params| serde_json::Value::from(&params).into()),
    flaw("alters-results", &["TRANS-02"], |c| c.returns = text_only),
    flaw("admits-strangers", &["ID-01"], |c| c.who = |_, grants| (!grants.is_empty()).then_some(0)),
    flaw("passes-the-bearer-on", &["ID-04"], |c| c.crosses = bearer),
    flaw("shares-sessions", &["ID-05"], |c| c.owns = |_, _| true),
    flaw("believes-a-header", &["ID-06"], |c| c.who = by_header),
    flaw("serves-any-origin", &["ID-08"], |c| c.local = |_| true),
    flaw("omits-denials-from-the-audit", &["AUD-01"], |c| c.records = |record| record.decision == "allowed"),
    flaw("accepts-drift", &["SUP-01", "SUP-02"], |c| c.unchanged = |_, _| true),
];

const FORWARDS_FIRST: &[Stage] = &[Forward, Hide, Decide, Pin, Approve, Reserve, Consume, Record];
const CHECKS_THEN_INCREMENTS: &[Stage] =
    &[Hide, Decide, Pin, Approve, Check, Consume, Forward, Count, Record];
const CHARGES_FIRST: &[Stage] = &[Reserve, Hide, Decide, Pin, Approve, Consume, Forward, Record];
const ASKS_AFTERWARDS: &[Stage] = &[Hide, Decide, Pin, Reserve, Forward, Approve, Consume, Record];
const SENDS_TWICE: &[Stage] = &[Hide, Decide, Pin, Approve, Reserve, Consume, Forward, Forward, Record];

fn shows_allowed(seen: &Seen<'_>) -> bool {
    let refused = |policy: &Policy| {
        policy.hides(seen.upstream, seen.tool) || policy.always_denies(seen.upstream, seen.tool)
    };
    seen.policy.is_some_and(|policy| !refused(policy))
}

fn the_first_calls(policy: &Policy, call: &Call<'_>, nth: u64) -> Decision {
    if nth < 3 { policy.decide(call) } else { Decision::Allowed }
}

/// As a server that trims and does not mind case would take it.
fn folded(mut params: Json) -> Json {
    let name = params.get("name").and_then(Json::as_str).map(|name| name.trim().to_lowercase());
    if let (Some(params), Some(name)) = (params.as_object_mut(), name) {
        params.set("name", name);
    }
    params
}

fn first_of_batch(bytes: &[u8], declared: &Declared) -> Taken {
    match parse(bytes) {
        Ok(Json::Array(frames)) => {
            let mut frames: Vec<Frame> = frames.into_iter().map(Frame::honest).collect();
            frames.iter_mut().skip(1).for_each(|frame| frame.policed = false);
            Taken::Batch(frames)
        }
        _ => strictly(bytes, declared),
    }
}

fn first_judged(bytes: &[u8], declared: &Declared) -> Taken {
    match parse(bytes) {
        Ok(frame) if frame.repeats() => {
            Taken::One(Frame { judged: firsts(&frame), sent: frame, policed: true })
        }
        _ => strictly(bytes, declared),
    }
}

/// The first of each repeated member.
fn firsts(value: &Json) -> Json {
    match value {
        Json::Array(elements) => Json::Array(elements.iter().map(firsts).collect()),
        Json::Object(object) => {
            let mut kept = Object::default();
            for (name, value) in object.iter() {
                if kept.get(name).is_none() {
                    kept.set(name, firsts(value));
                }
            }
            Json::Object(kept)
        }
        other => other.clone(),
    }
}

fn carelessly(bytes: &[u8], declared: &Declared) -> Taken {
    match parse_lenient(bytes) {
        Ok(frame) => strictly(&frame.to_bytes(), declared),
        Err(_) => strictly(bytes, declared),
    }
}

fn without_reason(refusal: &Refusal) -> Put {
    match refusal {
        Refusal::Denied(_) => Ok(error_result("denied by policy")),
        other => plainly(other),
    }
}

fn as_success(refusal: &Refusal) -> Put {
    let mut put = plainly(refusal);
    if let (Refusal::Denied(_), Ok(result)) = (refusal, &mut put) {
        result.as_object_mut().into_iter().for_each(|result| result.set("isError", false));
    }
    put
}

fn limits_as_denials(refusal: &Refusal) -> Put {
    match refusal {
        Refusal::Limited(limited) => {
            plainly(&Refusal::Denied(Denied { rule: limited.rule.clone(), reason: "not now".into() }))
        }
        other => plainly(other),
    }
}

/// Judges without the arguments that are wrapped: lists, objects, and strings that hold a number.
fn on_plain_arguments(policy: &Policy, call: &Call<'_>, _: u64) -> Decision {
    let plain = |value: &Json| match value {
        Json::Array(_) | Json::Object(_) => false,
        Json::String(text) => Number::from_spelling(text).is_none(),
        _ => true,
    };
    let members = call.arguments.as_object().into_iter().flat_map(Object::iter);
    let arguments: Json = members
        .filter(|(_, value)| plain(value))
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .collect();
    let mut policy = policy.clone();
    for rule in policy.tools.values_mut() {
        rule.require.retain(|condition| given(condition, &arguments) || !given(condition, call.arguments));
    }
    policy.decide(&Call { arguments: &arguments, ..*call })
}

/// Judges only by arguments that are there.
fn on_given_arguments(policy: &Policy, call: &Call<'_>, _: u64) -> Decision {
    let mut policy = policy.clone();
    for rule in policy.tools.values_mut() {
        rule.require.retain(|condition| given(condition, call.arguments));
    }
    policy.decide(call)
}

fn never(_: Ending, _: &Declared) -> bool {
    false
}

fn given(condition: &Predicate, arguments: &Json) -> bool {
    Predicate::new(&condition.arg, Op::Exists, true).holds(arguments)
}

fn one_more(counters: &mut Counters, charges: &[Charge], now: Duration) -> Result<Reservation, Limited> {
    let wider = |charge: &Charge| Charge { max: charge.max.plus(Amount::ONE), ..charge.clone() };
    counters.reserve(&charges.iter().map(wider).collect::<Vec<_>>(), now)
}

fn by_session(mut charges: Vec<Charge>, who: &Who<'_>) -> Vec<Charge> {
    let session = who.session.unwrap_or_default();
    for charge in &mut charges {
        charge.key.holder = Holder::Session(who.identity.to_owned(), session.to_owned());
    }
    charges
}

fn sealed(identity: &str, call: &Call<'_>, arguments: &Json) -> String {
    fingerprint(identity, call.upstream, call.tool, arguments)
}

/// What a gateway makes of a result that only knows texts.
fn text_only(mut result: Json) -> Json {
    let Some(members) = result.as_object_mut() else { return result };
    members.remove("structuredContent");
    let is_text = |block: &&Json| block.get("type").and_then(Json::as_str) == Some("text");
    if let Some(blocks) = members.get("content").and_then(Json::as_array) {
        let texts: Vec<Json> = blocks.iter().filter(is_text).cloned().collect();
        members.set("content", Json::Array(texts));
    }
    result
}

fn bearer(headers: &HeaderMap) -> Vec<(String, String)> {
    let shown = headers.get("authorization").and_then(|value| value.to_str().ok());
    shown.map(|value| ("authorization".to_owned(), value.to_owned())).into_iter().collect()
}

fn by_header(headers: &HeaderMap, grants: &[Grant]) -> Option<usize> {
    let claimed = headers.get("x-identity").and_then(|value| value.to_str().ok());
    let believed = grants.iter().position(|grant| Some(grant.identity.as_str()) == claimed);
    believed.or_else(|| (Conduct::default().who)(headers, grants))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_flaw_has_a_name_of_its_own_and_says_what_it_breaks() {
        let names: BTreeSet<_> = FLAWS.iter().map(|flaw| flaw.name).collect();
        assert_eq!(names.len(), FLAWS.len());
        for flaw in FLAWS {
            assert!(flaw.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", flaw.name);
            assert!(!flaw.requirements.is_empty(), "{}", flaw.name);
            let sound = |id: &&str| {
                id.split_once('-').is_some_and(|(group, number)| {
                    group.bytes().all(|byte| byte.is_ascii_uppercase()) && number.len() == 2
                })
            };
            assert!(flaw.requirements.iter().all(sound), "{}", flaw.name);
        }
    }
}
