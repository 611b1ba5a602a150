//! Every shape in which gateways deny, limit, and turn away (`tests/gateways/{denied,limited,unauthorized}`): each has its
//! verdict where nothing was forwarded, and is `leaked` where the same was said and the call was forwarded.

use crate::gateway::Lie;
use crate::play::{Play, last_call, story};
use crate::script::{Script, Way, scripts};
use futures_util::StreamExt as _;
use mcp_gauntlet::run::outcome::Status;
use std::fmt::Write as _;
use std::path::Path;

const DENIED: &str = "scenario: a denied tool is told so and does not arrive
upstreams: [ludus]
policy: {version: '1', default: deny, tools: {list_hosts: {}, destroy_vm: {action: deny}}}
steps:
  - {call: list_hosts, expect: allowed}
  - {call: destroy_vm, with: {vm_id: '104'}, expect: VERDICT}
";

const HIDDEN: &str = "scenario: a hidden tool is not listed, and not run either
upstreams: [ludus]
policy: {version: '1', default: allow, hide: [destroy_vm], tools: {}}
steps:
  - {list: tools, expect: {includes: [list_hosts], excludes: [destroy_vm]}}
  - {call: list_hosts, expect: allowed}
  - {call: destroy_vm, with: {vm_id: '104'}, expect: VERDICT}
";

const LIMITED: &str = "scenario: beyond the maximum a call is told so and does not arrive
upstreams: [ludus]
policy: {version: '1', default: deny, tools: {list_hosts: {rate_limit: {max: 2, window: 60}}}}
steps:
  - {call: list_hosts, times: 2, expect: allowed}
  - {call: list_hosts, expect: VERDICT}
";

const UNAUTHORIZED: &str = "scenario: without a credential nothing is called
upstreams: [ludus]
policy: {version: '1', default: allow, tools: {}}
identities: {alice: {}}
sessions: {own: alice, nobody: null}
steps:
  - {call: list_hosts, session: own, expect: allowed}
  - {call: list_hosts, session: nobody, expect: VERDICT}
";

/// How a script came out in one way, honest and lying.
struct Row {
    name: String,
    way: Way,
    honest: String,
    lying: String,
}

async fn row(name: &str, path: &Path, way: Way, scenario: &str) -> Row {
    let script = Script::read(path, "http://127.0.0.1:1");
    let scenario = if script.hides { HIDDEN } else { scenario };
    let scenario = scenario.replace("VERDICT", &script.expect.verdict);
    let play = Play::of(path, way, &scenario);
    let told = play.outcome().await;
    assert_eq!(told.status, Status::Passed, "{name} {way:?}: {}", story(&told));
    let call = last_call(&told);
    assert_eq!(call.verdict, script.expect.verdict, "{name} {way:?}: {call:#?}");
    assert_eq!((call.reach, call.arrivals.len()), (0, 0), "{name} {way:?}");
    if let Some(reason) = &script.expect.reason {
        assert_eq!(call.reason.as_ref(), Some(reason), "{name} {way:?}");
    }
    if let Some(expected) = script.expect.retry_after {
        assert!(is_near(call.retry_after, expected), "{name} {way:?}: {:?}", call.retry_after);
    }
    let mut honest = format!("{} ({})", call.verdict, call.told);
    if let Some(after) = script.expect.retry_after {
        let _ = write!(honest, ", again in {after} s");
    }
    let lying = if script.closed {
        // Nothing can be forwarded where no session was opened.
        "-".to_owned()
    } else {
        let told = play.lying(Lie::ForwardsAtOnce).outcome().await;
        let expected = script.expect.lying.as_deref().unwrap_or("leaked");
        let call = last_call(&told);
        assert_eq!((call.reach, call.verdict), (1, expected), "{name} {way:?}, lying: {}", story(&told));
        // Trouble of the gateway's own is told as such, whatever it did before.
        let caught = if expected == script.expect.verdict { Status::Passed } else { Status::Failed };
        assert_eq!(told.status, caught, "{name} {way:?}, lying: {}", story(&told));
        last_call(&told).verdict.to_owned()
    };
    Row { name: name.to_owned(), way, honest, lying }
}

/// An instant is told in whole seconds, and one of them may have begun.
fn is_near(after: Option<f64>, expected: u64) -> bool {
    after.is_some_and(|after| (after - expected as f64).abs() <= 1.0)
}

/// All scripts of a folder, a few at a time.
async fn table(folder: &str, scenario: &str) -> String {
    let scripts = scripts(folder);
    let each = scripts.iter().flat_map(|(name, path)| {
        let ways = Script::read(path, "http://127.0.0.1:1").ways();
        ways.into_iter().map(move |way| row(name, path, way, scenario))
    });
    let rows: Vec<Row> = futures_util::stream::iter(each.collect::<Vec<_>>()).buffered(8).collect().await;
    let line = |row: &Row| {
        let way = if row.way == Way::Http { "http" } else { "stdio" };
        format!("{:<34} {way:<6} {:<44} {}\n", row.name, row.honest, row.lying)
    };
    rows.iter().map(line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_shape_of_a_denial_is_read_and_none_hides_a_leak() {
    insta::assert_snapshot!(table("denied", DENIED).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_shape_of_a_limit_is_read_and_none_hides_a_leak() {
    insta::assert_snapshot!(table("limited", LIMITED).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_shape_of_being_turned_away_is_read_and_none_hides_a_leak() {
    insta::assert_snapshot!(table("unauthorized", UNAUTHORIZED).await);
}
