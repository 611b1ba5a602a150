//! Ways not to be a gateway, one line each. Each names the requirements that it breaks.
//!
//! A flaw only replaces decisions of [`Conduct`]; what they are replaced with stands beside, by what it lies about.

mod counting;
mod judging;
mod people;
mod reading;
mod words;

use super::approvals::{Standing, Verdict};
use super::conduct::Stage::{
    self, Approve, Check, Consume, Count, Decide, Forward, Hide, Pin, Record, Reserve,
};
use super::conduct::{Conduct, Ending};
use super::variant;
use crate::declared::{Failure, WindowKind};
use crate::policy::{Call, Decision};
use crate::wire::Json;
use crate::wire::canonical::same;
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
    flaw("denies-by-list-only", &["DENY-01", "VIS-04"], |c| (c.order, c.shows) = (&[Forward, Record], judging::shows_allowed)),
    flaw("denies-the-first-calls-only", &["DENY-01"], |c| c.decide = judging::the_first_calls),
    flaw("lists-what-is-hidden", &["VIS-01", "VIS-07"], |c| c.shows = |_| true),
    flaw("hides-on-the-first-page-only", &["VIS-02"], |c| c.shows = |seen| seen.page > 0 || judging::shows_allowed(seen)),
    flaw("serves-the-list-of-another", &["VIS-06"], |c| c.shelf = |_| Some("everybody".into())),
    flaw("folds-names-after-judging", &["DENY-04"], |c| {
        c.passes_unlisted = |_| true;
        c.sends = words::folded;
    }),
    flaw("passes-names-that-nobody-lists", &["DENY-04"], |c| c.passes_unlisted = |_| true),
    flaw("judges-the-first-of-a-batch", &["DENY-06", "RATE-13"], |c| c.read = reading::first_of_batch),
    flaw("forwards-calls-put-as-notifications", &["DENY-07", "RATE-13"], |c| c.passes_notice = |_| true),
    flaw("judges-the-first-of-repeated-members", &["DENY-10", "ARG-07"], |c| c.read = reading::first_judged),
    flaw("reads-carelessly", &["DENY-11"], |c| c.read = reading::carelessly),
    flaw("hands-on-what-it-cannot-read", &["DENY-11"], |c| c.read = reading::as_it_came),
    flaw("mutes-reasons", &["DENY-15"], |c| c.puts = words::without_reason),
    flaw("dresses-denials-as-success", &["DENY-01"], |c| c.puts = words::as_success),
    flaw("lets-retyped-arguments-pass", &["ARG-04"], |c| c.decide = judging::on_plain_arguments),
    flaw("lets-missing-arguments-pass", &["ARG-02", "ARG-03"], |c| c.decide = judging::on_given_arguments),
    flaw("admits-one-more", &["RATE-01"], |c| c.reserve = counting::one_more),
    flaw("checks-then-increments", &["RATE-02"], |c| c.order = CHECKS_THEN_INCREMENTS),
    flaw("charges-refusals", &["RATE-06"], |c| (c.order, c.gives_back) = (CHARGES_FIRST, counting::never)),
    flaw("refunds-failures", &["RATE-07", "RATE-08", "RATE-09"], |c| c.gives_back = counting::every_failure),
    flaw("counts-by-session", &["RATE-12"], |c| c.charges = counting::by_session),
    flaw("words-limits-as-denials", &["RATE-16"], |c| c.puts = words::limits_as_denials),
    flaw("forwards-before-asking", &["APPR-01", "APPR-03"], |c| c.order = ASKS_AFTERWARDS),
    flaw("sends-twice", &["APPR-02", "RATE-01"], |c| c.order = SENDS_TWICE),
    flaw("takes-late-approvals", &["APPR-04"], |c| c.decidable = |ticket, _| ticket.standing == Standing::Open),
    flaw("takes-back-rejections", &["APPR-03"], |c| c.decidable = |ticket, now| now < ticket.deadline() && ticket.standing != Standing::Spent),
    flaw("takes-silence-for-consent", &["APPR-04"], |c| c.silence = || Verdict::Approve),
    flaw("seals-the-tool-only", &["APPR-05"], |c| c.seal = |who, call| people::sealed(who, call, &Json::Null)),
    flaw("seals-without-the-server", &["APPR-05"], |c| c.seal = |who, call| people::sealed(who, &Call { upstream: "", ..*call }, call.arguments)),
    flaw("seals-what-is-written", &["APPR-06"], |c| c.seal = |who, call| people::sealed(who, call, &call.arguments.to_string().into())),
    flaw("approves-for-ever", &["APPR-07", "APPR-08", "APPR-11"], |c| c.burns = |_| false),
    flaw("approves-for-anybody", &["APPR-09"], |c| c.seal = |_, call| people::sealed("", call, call.arguments)),
    flaw("rounds-to-doubles", &["TRANS-01", "ARG-05"], |c| c.sends = words::with_doubles),
    flaw("rounds-numbers", &["TRANS-01"], |c| c.sends = |params| serde_json::Value::from(&params).into()),
    flaw("trims-entries", &["VIS-05"], |c| c.entry = words::bare_entry),
    flaw("drops-meta-of-results", &["TRANS-02", "VIS-05"], |c| c.returns = words::without_own_meta),
    flaw("drops-what-it-does-not-know", &["TRANS-02"], |c| c.returns = words::known_members),
    flaw("alters-results", &["TRANS-02"], |c| c.returns = words::text_only),
    flaw("admits-strangers", &["ID-01"], |c| c.who = |_, grants| (!grants.is_empty()).then_some(0)),
    flaw("passes-the-bearer-on", &["ID-04"], |c| c.crosses = words::bearer),
    flaw("passes-cookies-on", &["ID-04"], |c| c.crosses = words::cookies),
    flaw("tells-what-servers-keep", &["ID-04"], |c| c.explains = |status, cookie| format!("status {status}, cookie {cookie:?}")),
    flaw("shares-sessions", &["ID-05"], |c| c.owns = |_, _| true),
    flaw("believes-a-header", &["ID-06"], |c| c.who = people::by_header),
    flaw("believes-what-clients-call-themselves", &["ID-06"], |c| c.introduces = people::by_client_name),
    flaw("serves-any-origin", &["ID-08"], |c| c.local = |_| true),
    flaw("omits-denials-from-the-audit", &["AUD-01"], |c| c.records = |record| (record.decision == "allowed").then_some(record)),
    flaw("omits-what-waits-from-the-audit", &["AUD-01"], |c| c.records = |record| (record.decision != "pending").then_some(record)),
    flaw("omits-odd-frames-from-the-audit", &["AUD-01"], |c| c.records = words::of_requests_alone),
    flaw("accepts-drift", &["SUP-01", "SUP-02", "SUP-04"], |c| c.unchanged = |_, _| true),
    flaw("forgets-pins-at-a-restart", &["SUP-01"], |c| c.recalls = || false),
    flaw("says-what-is-hidden", &["VIS-08"], |c| c.veils = words::hidden),
    flaw("shows-hidden-tools-to-odd-ids", &["VIS-03"], |c| c.shows = judging::shows_to_odd_ids),
    flaw("shows-hidden-tools-under-repeated-ids", &["VIS-03"], |c| c.shows = |seen| seen.again || judging::shows_allowed(seen)),
    flaw("packs-lists-before-it-looks", &["VIS-03"], |c| {
        c.packs = variant::unpacks_gzip;
        c.shows = |seen| seen.packed || judging::shows_allowed(seen);
    }),
    flaw("binds-sessions-to-their-first-policy", &["VIS-09", "LIFE-07"], |c| c.follows = || false),
    flaw("allows-what-is-not-mentioned", &["DENY-02", "SUP-04"], |c| c.decide = judging::on_mentioned_tools),
    flaw("serves-who-has-no-policy", &["DENY-02"], |c| c.unruled = || Decision::Allowed),
    flaw("rescues-by-all-tools", &["DENY-03"], |c| c.decide = judging::on_all_tools),
    flaw("asks-instead-of-denying", &["DENY-03"], |c| c.decide = judging::on_what_nobody_is_asked_about),
    flaw("lets-an-entry-beat-a-denial", &["DENY-03"], |c| c.decide = judging::on_the_entry_first),
    flaw("compares-names-as-spelled", &["DENY-05"], |c| c.read = reading::as_spelled),
    flaw("splits-what-it-says-it-rejects", &["DENY-06"], |c| c.read = reading::split),
    flaw("passes-malformed-calls", &["DENY-09"], |c| (c.read, c.passes_unlisted) = (reading::malformed_too, str::is_empty)),
    flaw("unpacks-and-does-not-look", &["DENY-12"], |c| {
        c.readable = |_| true;
        c.read = reading::unpacked;
    }),
    flaw("watches-one-path-only", &["DENY-13"], |c| c.door = reading::every_path),
    flaw("trusts-special-names", &["DENY-14"], |c| {
        c.passes_unlisted = |_| true;
        c.decide = judging::on_plain_names;
    }),
    flaw("confuses-the-boundary", &["ARG-01"], |c| c.decide = judging::on_shifted_boundaries),
    flaw("denies-what-it-says-it-allows", &["ARG-02"], |c| c.decide = variant::on_given_arguments),
    flaw("judges-what-is-small", &["ARG-12"], |c| c.decide = judging::on_small_arguments),
    flaw("lets-calls-without-arguments-pass", &["ARG-12"], |c| c.decide = judging::on_some_arguments),
    flaw("compares-doubles", &["ARG-05"], |c| c.decide = judging::on_rounded_arguments),
    flaw("looks-at-the-surface", &["ARG-06"], |c| c.decide = judging::on_the_surface),
    flaw("matches-beginnings", &["ARG-01", "ARG-08", "ARG-09", "ARG-10", "ARG-11"], |c| c.decide = judging::on_beginnings),
    flaw("tidies-before-judging", &["ARG-01", "ARG-09", "ARG-11"], |c| c.decide = judging::on_tidy_arguments),
    flaw("counts-from-the-first-call", &["RATE-03"], |c| c.charges = counting::from_the_first_call),
    flaw("slides-what-it-calls-fixed", &["RATE-03"], |c| c.moves = |_, _| WindowKind::Sliding),
    flaw("begins-no-new-window", &["RATE-03"], |c| c.reserve = |counters, charges, _| counters.reserve(charges, Duration::ZERO)),
    flaw("opens-windows-early", &["RATE-04"], |c| c.reserve = counting::early),
    flaw("refunds-into-the-next-window", &["RATE-05"], |c| {
        c.gives_back = counting::every_failure;
        c.release = counting::into_this_window;
    }),
    flaw("never-refunds", &["RATE-09"], |c| c.gives_back = counting::only_refusals),
    flaw("keeps-what-a-refusal-took", &["RATE-10"], |c| c.reserve = counting::one_by_one),
    flaw("counts-each-limit-for-itself", &["RATE-10"], |c| c.charges = counting::by_rule),
    flaw("counts-one-name-as-one", &["RATE-11"], |c| c.charges = counting::by_bare_name),
    flaw("counts-everybody-as-one", &["RATE-12"], |c| c.charges = counting::for_everybody),
    flaw("counts-calls-not-costs", &["RATE-14"], |c| c.charges = counting::one_each),
    flaw("binds-by-the-first-limit", &["RATE-15"], |c| c.charges = counting::the_first_limit),
    flaw("halves-the-wait", &["RATE-16"], |c| c.puts = words::half_the_wait),
    flaw("forgets-counts-on-reload", &["RATE-17"], |c| c.keeps_counts = || false),
    flaw("lets-agents-decide", &["APPR-10"], |c| c.may_decide = people::agents_too),
    flaw("decides-where-agents-come-in", &["APPR-10"], |c| (c.door, c.may_decide) = (reading::decisions_too, people::agents_too)),
    flaw("charges-what-waits", &["APPR-12"], |c| (c.order, c.gives_back) = (RESERVES_BEFORE_ASKING, counting::never)),
    flaw("rearms-after-any-failure", &["APPR-11"], |c| c.rearms = |ending| ending != Ending::Answered),
    flaw("uses-approvals-unseen", &["APPR-12"], |c| c.looks_again = || false),
    flaw("goes-on-with-what-was-taken-back", &["APPR-13", "TRANS-05"], |c| c.gives_up = || false),
    flaw("rewrites-errors", &["TRANS-03"], |c| c.reports = words::own_error),
    flaw("drops-meta", &["TRANS-04"], |c| c.sends = words::without_meta),
    flaw("begins-a-trace-of-its-own", &["TRANS-04"], |c| c.sends = words::untraced),
    flaw("keeps-progress-to-itself", &["TRANS-04"], |c| c.relays = |method| method != "notifications/progress"),
    flaw("answers-by-id-alone", &["TRANS-07"], |c| c.remembers = people::by_id),
    flaw("lets-one-call-wait-for-another", &["TRANS-06"], |c| c.pauses = |others| Duration::from_millis(if others > 0 { 2_500 } else { 0 })),
    flaw("turns-ids-into-text", &["TRANS-08"], |c| c.echoes = words::as_text),
    flaw("rounds-ids", &["TRANS-08", "DENY-08"], |c| c.echoes = words::as_double),
    flaw("cuts-long-arguments", &["TRANS-09"], |c| c.sends = words::shortened),
    flaw("cuts-long-answers", &["TRANS-09"], |c| c.returns = words::cut),
    flaw("takes-a-line-for-a-frame", &["TRANS-11"], |c| c.hears = reading::first_line),
    flaw("takes-packed-bytes-for-text", &["TRANS-11"], |c| c.unpacks = |_| false),
    flaw("answers-in-the-users-name", &["TRANS-10"], |c| c.stands_in = words::consent),
    flaw("asks-no-client-for-its-model", &["TRANS-10"], |c| c.stands_in = words::no_model),
    flaw("keeps-notices-to-itself", &["TRANS-10"], |c| c.relays = |method| method != "notifications/tools/list_changed"),
    flaw("never-takes-a-grant-away", &["ID-02", "APPR-12"], |c| c.adopts = people::added),
    flaw("ignores-which-upstream-is-meant", &["ID-03", "SUP-06"], |c| c.decide = judging::on_bare_names),
    flaw("answers-from-memory", &["ID-07"], |c| c.remembers = people::by_what_was_asked),
    flaw("dresses-failures-as-success", &["LIFE-01", "LIFE-02"], |c| c.puts = words::failures_as_success),
    flaw("sends-again-after-a-crash", &["LIFE-02"], |c| c.sends_again = |failure| failure == Failure::Dropped),
    flaw("waits-for-ever", &["LIFE-03"], |c| c.waits = |_| None),
    flaw("takes-any-answer", &["LIFE-04"], |c| c.answers = |asked, _| asked > 0),
    flaw("takes-a-broken-policy-for-an-open-one", &["LIFE-05", "LIFE-06", "LIFE-07"], |c| c.understands = people::broken_is_open),
    flaw("leaves-out-what-it-cannot-read", &["LIFE-06"], |c| c.understands = people::readable_conditions),
    flaw("mixes-the-old-policy-in", &["LIFE-08", "APPR-12"], |c| c.adopts = people::mixed),
    flaw("records-without-names-or-reasons", &["AUD-02"], |c| c.records = words::unsigned),
    flaw("omits-failures-from-the-audit", &["AUD-03"], |c| c.records = words::without_failures),
    flaw("writes-arguments-into-the-audit", &["AUD-04"], |c| c.prints = words::verbatim),
    flaw("calls-strangers-by-their-keys", &["AUD-04"], |c| c.calls_strangers = |headers| words::bearer(headers).pop().map(|(_, shown)| shown)),
    flaw("goes-on-without-a-record", &["LIFE-09"], |c| c.needs_records = || false),
    flaw("reads-lines-into-names", &["AUD-05"], |c| c.records = words::last_lines),
    flaw("omits-strangers-from-the-audit", &["AUD-06"], |c| c.records = words::calls_only),
    flaw("omits-approvers-from-the-audit", &["AUD-07"], |c| c.records = words::without_approvers),
    flaw("approves-every-later-entry", &["SUP-05"], |c| {
        c.settles_on = |_| Json::Null;
        c.unchanged = |first, entry| first.is_null() || same(first, entry);
    }),
    flaw("sends-everything-to-the-first", &["SUP-06"], |c| c.lands = |_, _| 0),
    flaw("goes-where-a-header-says", &["SUP-06"], |c| c.lands = people::by_upstream_header),
    flaw("goes-to-any-address", &["SUP-06"], |c| c.leads = people::by_address_header),
    flaw("goes-where-a-server-sends-it", &["SUP-06"], |c| c.wanders = |status| (300..400).contains(&status)),
    flaw("overlooks-headers-that-disagree", &["PROTO-01"], |c| c.agrees = |_, _| Ok(())),
    flaw("speaks-any-version", &["PROTO-01"], |c| c.speaks = |_| true),
    flaw("forgets-the-ids-of-errors", &["PROTO-04"], |c| c.read = reading::without_ids),
    flaw("reads-any-type", &["PROTO-06"], |c| c.readable = |_| true),
    flaw("takes-order-for-change", &["SUP-03"], |c| c.unchanged = |first, entry| first.to_bytes() == entry.to_bytes()),
    flaw("cries-wolf", &["SUP-08"], |c| c.returns = words::suspicious),
    flaw("strips-what-cannot-be-seen", &["SUP-07"], |c| c.returns = words::visible_only),
    flaw("doubles-content", &["TRANS-02"], |c| c.returns = words::doubled),
    flaw("answers-what-there-is-not", &["PROTO-03"], |c| c.strange = |_| Ok(Json::object())),
    flaw("serves-without-a-session", &["PROTO-05"], |c| c.sessionless = || true),
];

const FORWARDS_FIRST: &[Stage] = &[Forward, Hide, Decide, Pin, Approve, Reserve, Consume, Record];
const CHECKS_THEN_INCREMENTS: &[Stage] =
    &[Hide, Decide, Pin, Approve, Check, Consume, Forward, Count, Record];
const CHARGES_FIRST: &[Stage] = &[Reserve, Hide, Decide, Pin, Approve, Consume, Forward, Record];
const ASKS_AFTERWARDS: &[Stage] = &[Hide, Decide, Pin, Reserve, Forward, Approve, Consume, Record];
const RESERVES_BEFORE_ASKING: &[Stage] = &[Hide, Decide, Pin, Reserve, Approve, Consume, Forward, Record];
const SENDS_TWICE: &[Stage] = &[Hide, Decide, Pin, Approve, Reserve, Consume, Forward, Forward, Record];

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
