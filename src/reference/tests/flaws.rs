//! Every flaw shows: what an honest gateway and a lying one make of the same calls.

use super::lab::*;
use crate::reference::*;
use crate::wire::{Json, parse, rpc};
use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::time::Duration;

type Twist = fn(&mut Conduct);
type Probe = fn(Twist) -> Pin<Box<dyn Future<Output = String>>>;

const POLICY: &str = r#"{"version":"1","default":"deny","hide":["secret"],"tools":{
    "list":{}, "secret":{}, "destroy":{"action":"deny","reason":"by people"},
    "pay":{"require":[{"arg":"args.amount","op":"lte","value":500}]},
    "twice":{"rate_limit":{"max":2,"window":60}}, "fails":{"rate_limit":{"max":1,"window":60}},
    "deploy":{"action":"require_approval","approval":{"timeout":60}},
    "guarded":{"action":"deny","rate_limit":{"max":1,"window":60}}}}"#;

macro_rules! probe {
    ($function:ident) => {
        |twist| Box::pin($function(twist))
    };
}

/// Flaw, probe, what honesty shows, what the lie shows.
const ROWS: &[(&str, Probe, &str, &str)] = &[
    ("forwards-then-refuses", probe!(denied), "! by people ran:", "! by people ran:destroy"),
    ("denies-by-list-only", probe!(denied), "! by people ran:", "did destroy ran:destroy"),
    ("dresses-denials-as-success", probe!(denied), "! by people ran:", "by people ran:"),
    ("mutes-reasons", probe!(denied), "! by people ran:", "! ran:"),
    ("denies-the-first-calls-only", probe!(denied_often), "ran:", "ran:destroy"),
    ("lists-what-is-hidden", probe!(paged), "list destroy deploy", "list destroy deploy secret"),
    ("hides-on-the-first-page-only", probe!(paged), "list destroy deploy", "list deploy secret"),
    (
        "serves-the-list-of-another",
        probe!(two_lists),
        "list destroy deploy / list destroy deploy secret",
        "list destroy deploy / list destroy deploy",
    ),
    ("folds-names-after-judging", probe!(folded), "ran:", "ran:destroy"),
    ("passes-names-that-nobody-lists", probe!(folded), "ran:", "ran:Destroy "),
    ("judges-the-first-of-a-batch", probe!(batch), "ran:", "ran:list destroy"),
    ("forwards-calls-put-as-notifications", probe!(notification), "ran:", "ran:destroy"),
    ("judges-the-first-of-repeated-members", probe!(repeated), "ran:", "ran:list destroy"),
    ("reads-carelessly", probe!(careless), "ran:", "ran:list"),
    ("lets-retyped-arguments-pass", probe!(retyped), "ran:", "ran:pay pay"),
    ("lets-missing-arguments-pass", probe!(missing), "ran:", "ran:pay"),
    ("admits-one-more", probe!(three), "ran:twice twice", "ran:twice twice twice"),
    ("checks-then-increments", probe!(burst), "2 ran", "5 ran"),
    ("sends-twice", probe!(allowed), "ran:list", "ran:list list"),
    (
        "charges-refusals",
        probe!(refused_then_allowed),
        "! by people / did guarded",
        "! by people / ! rate limited",
    ),
    ("refunds-failures", probe!(failing), "ran:fails", "ran:fails fails"),
    ("counts-by-session", probe!(sessions), "ran:twice twice", "ran:twice twice twice"),
    ("words-limits-as-denials", probe!(limited), "! rate limited", "! denied by policy"),
    ("forwards-before-asking", probe!(pending), "pending ran:", "pending ran:deploy"),
    ("takes-late-approvals", probe!(late), "denied ran:", "denied ran:deploy"),
    ("takes-silence-for-consent", probe!(silence), "denied ran:", "did deploy ran:deploy"),
    ("seals-the-tool-only", probe!(changed), "pending ran:", "did deploy ran:deploy"),
    ("approves-for-ever", probe!(reused), "did deploy / pending", "did deploy / did deploy"),
    ("approves-for-anybody", probe!(borrowed), "pending ran:", "did deploy ran:deploy"),
    ("rounds-numbers", probe!(numbers), "1e3", "1000.0"),
    ("alters-results", probe!(results), "whole", "changed"),
    ("admits-strangers", probe!(stranger), "http 401", "http 200"),
    (
        "passes-the-bearer-on",
        probe!(bearer),
        "Bearer upstream-secret",
        "Bearer upstream-secret Bearer alice-token",
    ),
    ("shares-sessions", probe!(foreign), "http 404", "http 200"),
    ("believes-a-header", probe!(claimed), "ran:", "ran:pay"),
    ("serves-any-origin", probe!(origin), "http 403", "http 200"),
    ("omits-denials-from-the-audit", probe!(audited), "denied allowed", "allowed"),
    ("accepts-drift", probe!(drift), "destroy deploy secret", "list destroy deploy secret"),
];

#[tokio::test]
async fn every_flaw_shows() {
    let rows: BTreeSet<&str> = ROWS.iter().map(|(name, ..)| *name).collect();
    let flaws: BTreeSet<&str> = FLAWS.iter().map(|flaw| flaw.name).collect();
    // The suite proves the others: `gauntlet prove`.
    assert!(rows.is_subset(&flaws));
    for (name, probe, honestly, lying) in ROWS {
        let flaw = FLAWS.iter().find(|flaw| flaw.name == *name).unwrap();
        assert_eq!(probe(honest).await, *honestly, "honest, against {name}");
        assert_eq!(probe(flaw.twist).await, *lying, "{name}");
    }
}

/// Ends the lab; what ran.
async fn ran(lab: Lab) -> String {
    let ran = format!("ran:{}", lab.server.ran());
    lab.end().await;
    ran
}

fn short(said: &str) -> String {
    let said = said.replace("denied by policy: ", "").replace("denied by policy", "");
    said.split(" (").next().unwrap_or_default().trim().to_owned()
}

async fn denied(twist: Twist) -> String {
    let lab = Lab::new(POLICY, twist).await;
    let said = short(&lab.agent("alice").await.call("destroy", "{}").await);
    format!("{said} {}", ran(lab).await)
}

async fn denied_often(twist: Twist) -> String {
    let lab = Lab::new(POLICY, twist).await;
    let alice = lab.agent("alice").await;
    for _ in 0..4 {
        alice.call("destroy", "{}").await;
    }
    ran(lab).await
}

async fn paged(twist: Twist) -> String {
    let lab = Lab::new(POLICY, twist).await;
    *lab.server.page.lock().unwrap() = 2;
    let listed = lab.agent("alice").await.list().await;
    lab.end().await;
    listed
}

async fn two_lists(twist: Twist) -> String {
    let lab = Lab::new(POLICY, twist).await;
    let open = r#"{"version":"1","default":"allow"}"#;
    lab.gateway.reload(vec![grant("alice", POLICY), grant("bob", open)]).await;
    let (alice, bob) = (lab.agent("alice").await.list().await, lab.agent("bob").await.list().await);
    lab.end().await;
    format!("{alice} / {bob}")
}

async fn folded(twist: Twist) -> String {
    let policy = r#"{"version":"1","default":"allow","tools":{"destroy":{"action":"deny"}}}"#;
    let lab = Lab::new(policy, twist).await;
    lab.agent("alice").await.call("Destroy ", "{}").await;
    ran(lab).await
}

async fn batch(twist: Twist) -> String {
    let lab = Lab::new(POLICY, twist).await;
    let alice = Agent::new(&lab.url, "alice").open("2025-03-26").await;
    alice.says(format!("[{},{}]", call("list", "{}"), call("destroy", "{}"))).await;
    ran(lab).await
}

async fn notification(twist: Twist) -> String {
    let lab = Lab::new(POLICY, twist).await;
    lab.agent("alice").await.says(call("destroy", "{}").replace("\"id\":7,", "")).await;
    ran(lab).await
}

async fn repeated(twist: Twist) -> String {
    let lab = Lab::new(POLICY, twist).await;
    lab.agent("alice")
        .await
        .says(call("list", "{}").replace("\"list\"", "\"list\",\"name\":\"destroy\""))
        .await;
    ran(lab).await
}

async fn careless(twist: Twist) -> String {
    let lab = Lab::new(POLICY, twist).await;
    lab.agent("alice").await.says(format!("\u{feff}{} trailing", call("list", "{}"))).await;
    ran(lab).await
}

async fn retyped(twist: Twist) -> String {
    let lab = Lab::new(POLICY, twist).await;
    let alice = lab.agent("alice").await;
    for amount in ["900", "\"900\"", "[900]"] {
        alice.call("pay", &format!(r#"{{"amount":{amount}}}"#)).await;
    }
    ran(lab).await
}

async fn missing(twist: Twist) -> String {
    let lab = Lab::new(POLICY, twist).await;
    lab.agent("alice").await.call("pay", "{}").await;
    ran(lab).await
}

async fn three(twist: Twist) -> String {
    let lab = Lab::new(POLICY, twist).await;
    let alice = lab.agent("alice").await;
    for _ in 0..4 {
        alice.call("twice", "{}").await;
    }
    ran(lab).await
}

/// All calls have met the limit before the upstream takes the first one: on one thread, a call that has been counted
/// has gone on as far as it can.
async fn burst(twist: Twist) -> String {
    let lab = Lab::new(POLICY, twist).await;
    lab.server.open.send_replace(false);
    let alice = lab.agent("alice").await;
    let id = &alice.headers.iter().find(|(name, _)| name == "mcp-session-id").unwrap().1;
    let session = lab.gateway.0.session(id, "alice").unwrap();
    let counted = async {
        while session.calls.load(Ordering::Relaxed) < 5 {
            tokio::task::yield_now().await;
        }
        lab.server.open.send_replace(true);
    };
    let calls = futures_util::future::join_all((0..5).map(|_| alice.call("twice", "{}")));
    let (said, ()) = tokio::join!(calls, counted);
    lab.end().await;
    format!("{} ran", said.iter().filter(|said| *said == "did twice").count())
}

async fn allowed(twist: Twist) -> String {
    let lab = Lab::new(POLICY, twist).await;
    lab.agent("alice").await.call("list", "{}").await;
    ran(lab).await
}

async fn refused_then_allowed(twist: Twist) -> String {
    const LIMITED: &str = r#"{"version":"1","default":"deny","tools":{"guarded":{
        "deny_if":[{"arg":"args.x","op":"eq","value":1,"on_deny":"by people"}],"rate_limit":{"max":1,"window":60}}}}"#;
    let lab = Lab::new(LIMITED, twist).await;
    let alice = lab.agent("alice").await;
    let (first, second) = (alice.call("guarded", r#"{"x":1}"#).await, alice.call("guarded", "{}").await);
    lab.end().await;
    format!("{} / {}", short(&first), second.split(':').next().unwrap())
}

async fn failing(twist: Twist) -> String {
    let lab = Lab::new(POLICY, twist).await;
    let alice = lab.agent("alice").await;
    alice.call("fails", "{}").await;
    alice.call("fails", "{}").await;
    ran(lab).await
}

async fn sessions(twist: Twist) -> String {
    let lab = Lab::new(POLICY, twist).await;
    for _ in 0..3 {
        lab.agent("alice").await.call("twice", "{}").await;
    }
    ran(lab).await
}

async fn limited(twist: Twist) -> String {
    let lab = Lab::new(POLICY, twist).await;
    let alice = lab.agent("alice").await;
    let mut said = String::new();
    for _ in 0..3 {
        said = alice.call("twice", "{}").await;
    }
    lab.end().await;
    said.split(':').next().unwrap().to_owned()
}

async fn pending(twist: Twist) -> String {
    let lab = Lab::new(POLICY, twist).await;
    let said = lab.agent("alice").await.call("deploy", "{}").await;
    format!("{said} {}", ran(lab).await)
}

async fn late(twist: Twist) -> String {
    let lab = Lab::new(POLICY, twist).await;
    let alice = lab.agent("alice").await;
    alice.call("deploy", "{}").await;
    let ticket = lab.gateway.undecided().remove(0);
    lab.clock.turn(Duration::from_secs(61));
    let told = alice.call("deploy", "{}").await;
    lab.gateway.decide(&ticket.id, Verdict::Approve, "carol");
    alice.call("deploy", "{}").await;
    let told = if told.contains("nobody approved") { "denied" } else { "?" };
    format!("{told} {}", ran(lab).await)
}

async fn silence(twist: Twist) -> String {
    let lab = Lab::new(POLICY, twist).await;
    let alice = lab.agent("alice").await;
    alice.call("deploy", "{}").await;
    lab.clock.turn(Duration::from_secs(61));
    let told = alice.call("deploy", "{}").await;
    let told = if told.contains("nobody approved") { "denied".to_owned() } else { told };
    format!("{told} {}", ran(lab).await)
}

/// Alice's call is approved; what becomes of the next one?
async fn after_approval(lab: &Lab) -> Agent {
    let alice = lab.agent("alice").await;
    alice.call("deploy", r#"{"a":1}"#).await;
    lab.gateway.decide(&lab.gateway.undecided()[0].id, Verdict::Approve, "carol").unwrap();
    alice
}

async fn changed(twist: Twist) -> String {
    let lab = Lab::new(POLICY, twist).await;
    let said = after_approval(&lab).await.call("deploy", r#"{"a":2}"#).await;
    format!("{said} {}", ran(lab).await)
}

async fn reused(twist: Twist) -> String {
    let lab = Lab::new(POLICY, twist).await;
    let alice = after_approval(&lab).await;
    let (first, second) =
        (alice.call("deploy", r#"{"a":1}"#).await, alice.call("deploy", r#"{"a":1}"#).await);
    lab.end().await;
    format!("{first} / {second}")
}

async fn borrowed(twist: Twist) -> String {
    let lab = Lab::new(POLICY, twist).await;
    after_approval(&lab).await;
    let said = lab.agent("bob").await.call("deploy", r#"{"a":1}"#).await;
    format!("{said} {}", ran(lab).await)
}

async fn numbers(twist: Twist) -> String {
    let lab = Lab::new(POLICY, twist).await;
    lab.agent("alice").await.call("list", r#"{"n":1e3}"#).await;
    let arrival = lab.server.wait(1, |frame| frame.contains("tools/call")).await;
    lab.end().await;
    parse(&arrival.bytes).unwrap().pointer("/params/arguments/n").unwrap().to_string()
}

async fn results(twist: Twist) -> String {
    let lab = Lab::new(POLICY, twist).await;
    let (_, frames) = lab.agent("alice").await.frames(call("list", "{}")).await;
    lab.end().await;
    if frames[0].get("result") == Some(&result("list")) { "whole".into() } else { "changed".into() }
}

async fn status(agent: Agent, lab: Lab) -> String {
    let status = agent.send(rpc::request(1, "ping", Json::object()).to_bytes()).await.status;
    lab.end().await;
    format!("http {status}")
}

async fn stranger(twist: Twist) -> String {
    let lab = Lab::new(POLICY, twist).await;
    let agent = lab.agent("alice").await.with("authorization", "Bearer nobody");
    status(agent, lab).await
}

async fn bearer(twist: Twist) -> String {
    let lab = Lab::new(POLICY, twist).await;
    lab.agent("alice").await.call("list", "{}").await;
    let arrival = lab.server.wait(1, |frame| frame.contains("tools/call")).await;
    lab.end().await;
    let shown = arrival.headers.get_all("authorization").iter();
    shown.map(|value| value.to_str().unwrap()).collect::<Vec<_>>().join(" ")
}

async fn foreign(twist: Twist) -> String {
    let lab = Lab::new(POLICY, twist).await;
    let agent = lab.agent("alice").await.with("authorization", "Bearer bob-token");
    status(agent, lab).await
}

async fn claimed(twist: Twist) -> String {
    let lab = Lab::new(POLICY, twist).await;
    let open = r#"{"version":"1","default":"deny","tools":{"pay":{}}}"#;
    lab.gateway.reload(vec![grant("alice", POLICY), grant("admin", open)]).await;
    let agent = Agent::new(&lab.url, "alice").with("x-identity", "admin").open("2025-11-25").await;
    agent.call("pay", "{}").await;
    ran(lab).await
}

async fn origin(twist: Twist) -> String {
    let lab = Lab::new(POLICY, twist).await;
    let agent = lab.agent("alice").await.with("origin", "http://evil.test");
    status(agent, lab).await
}

async fn audited(twist: Twist) -> String {
    let lab = Lab::new(POLICY, twist).await;
    let alice = lab.agent("alice").await;
    alice.call("destroy", "{}").await;
    alice.call("list", "{}").await;
    let audit = lab.audit();
    lab.end().await;
    audit
}

async fn drift(twist: Twist) -> String {
    let lab = Lab::new(r#"{"version":"1","default":"allow","pin":true}"#, twist).await;
    let alice = lab.agent("alice").await;
    alice.list().await;
    lab.server.tools.lock().unwrap()[0] = entry("list", "changed");
    let listed = alice.list().await;
    lab.end().await;
    listed
}
