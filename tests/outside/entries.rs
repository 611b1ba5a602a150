//! The entries of `tools/list`, as their bytes stand on the wire and as the SDK understands them.

use crate::facts::{Facts, SERVERS};
use crate::guest::{ERAS, Era, Guest};
use crate::plain;
use mcp_gauntlet::mock::{Mock, MockServer};
use serde_json::Value;
use std::sync::Arc;

/// Member for member and in order: as text, not as values.
fn assert_entries(facts: &Facts, listed: &[Value], how: &str) {
    assert_eq!(listed.len(), facts.tools.len(), "{how}");
    for (tool, entry) in facts.tools.iter().zip(listed) {
        let description = &entry["description"];
        assert!(description.as_str().is_some_and(|text| !text.trim().is_empty()), "{how}: {}", tool["name"]);
        assert_eq!(entry.to_string(), facts.entry(tool, description).to_string(), "{how}");
    }
}

async fn started(facts: &Facts) -> Arc<MockServer> {
    Arc::new(MockServer::start(Mock::named(facts.mock).expect("it ships")).await)
}

#[tokio::test]
async fn entries_on_the_wire_are_the_catalogues() {
    for facts in SERVERS.iter() {
        let server = started(facts).await;
        for era in ERAS {
            let listed = plain::list_over_http(&server.url(), era).await;
            assert_entries(facts, &listed, &format!("{} over HTTP, {era:?}", facts.mock));
            let listed = plain::list_on_lines(&server, era).await;
            assert_entries(facts, &listed, &format!("{} on lines, {era:?}", facts.mock));
        }
    }
}

#[tokio::test]
async fn an_sdk_understands_every_entry_whole() {
    for facts in SERVERS.iter() {
        let server = started(facts).await;
        for era in ERAS {
            for guest in [Guest::http(&server.url(), None, era).await, Guest::lines(&server, era).await] {
                let listed = guest.tools().await;
                assert_eq!(listed.len(), facts.tools.len());
                for (tool, entry) in facts.tools.iter().zip(&listed) {
                    // The SDK writes members in an order of its own; as values nothing is lost.
                    assert_eq!(*entry, facts.entry(tool, &entry["description"]), "{era:?}");
                }
                guest.leave().await;
            }
        }
    }
}

#[tokio::test]
async fn the_servers_name_themselves() {
    for facts in SERVERS.iter() {
        let server = started(facts).await;
        for era in ERAS {
            for guest in [Guest::http(&server.url(), None, era).await, Guest::lines(&server, era).await] {
                let (named, revision) = guest.server();
                assert_eq!(
                    (named.as_ref(), revision),
                    (Some(&facts.server), era.revision()),
                    "{}",
                    facts.mock
                );
                guest.leave().await;
            }
        }
    }
}

#[tokio::test]
async fn a_session_may_ask_for_an_older_revision() {
    let server = started(&SERVERS[0]).await;
    let guest = Guest::http(&server.url(), None, Era::Legacy).await;
    assert_eq!(guest.server().1.as_str(), "2025-11-25");
    guest.leave().await;
}
