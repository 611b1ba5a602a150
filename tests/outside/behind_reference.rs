//! The reference gateway between the SDK's client and a mock: what it lets through is as it was, what it does not never
//! arrives.

use crate::facts::{Facts, SERVERS, ludus};
use crate::guest::{ERAS, Era, Guest};
use crate::tools::call_all;
use mcp_gauntlet::mock::{Expect, Mock, MockServer};
use mcp_gauntlet::policy::Policy;
use mcp_gauntlet::reference::{
    AuditSink, Channel, Clock, Conduct, Grant, PinStore, Reach, Reference, Settings, Upstream, honest_word,
};
use mcp_gauntlet::transport::lines::{LONGEST, LineReader, LineWriter};
use rmcp::model::JsonObject;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// A gateway with a mock behind it.
struct Stage {
    server: MockServer,
    gateway: Reference,
    url: String,
    stop: CancellationToken,
}

impl Stage {
    async fn new(facts: &Facts, policy: &Value) -> Self {
        let server = MockServer::start(Mock::named(facts.mock).expect("it ships")).await;
        let policy = Policy::from_json(&policy.to_string()).expect("a policy");
        let grant = |token: Option<&str>| Grant {
            identity: "alice".to_owned(),
            token: token.map(str::to_owned),
            policy: Some(policy.clone()),
        };
        let settings = Settings {
            upstreams: vec![Upstream {
                name: facts.mock.to_owned(),
                reach: Reach::Http { url: server.url(), headers: Vec::new() },
            }],
            grants: vec![grant(Some("t0ken")), grant(None)],
            channel: Channel::Retried,
            audit: AuditSink::Memory,
            pins: PinStore::Memory,
            declared: honest_word(),
            upstream_timeout: Duration::from_secs(10),
        };
        let gateway = Reference::new(settings, Conduct::default(), Clock::real()).expect("a gateway");
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let url = format!("http://{}/mcp", listener.local_addr().expect("it is bound"));
        let stop = CancellationToken::new();
        let (serving, stopped) = (gateway.clone(), stop.clone());
        tokio::spawn(async move { serving.serve_http(listener, stopped).await });
        Self { server, gateway, url, stop }
    }

    async fn over_http(&self, era: Era) -> Guest {
        Guest::http(&self.url, Some("t0ken"), era).await
    }

    async fn on_lines(&self, era: Era) -> Guest {
        let (near, far) = tokio::io::duplex(1 << 16);
        let (read, write) = tokio::io::split(far);
        let (gateway, stop) = (self.gateway.clone(), self.stop.clone());
        let (reader, writer) = (LineReader::new(read, LONGEST), LineWriter::new(write));
        tokio::spawn(async move { gateway.serve_lines(reader, writer, stop).await });
        Guest::over(near, era).await
    }

    async fn end(self) {
        self.stop.cancel();
        self.gateway.end().await;
        self.server.stop().await;
    }
}

#[tokio::test]
async fn an_open_gateway_changes_nothing() {
    let open = json!({"version": "1", "default": "allow"});
    for facts in SERVERS.iter() {
        for era in ERAS {
            let stage = Stage::new(facts, &open).await;
            for guest in [stage.over_http(era).await, stage.on_lines(era).await] {
                let listed = guest.tools().await;
                for (tool, entry) in facts.tools.iter().zip(&listed) {
                    assert_eq!(*entry, facts.entry(tool, &entry["description"]), "{era:?}");
                }
                assert_eq!(listed.len(), facts.tools.len());
                assert_eq!(call_all(facts, &guest).await, [""; 0], "{} {era:?}", facts.mock);
                guest.leave().await;
            }
            stage.end().await;
        }
    }
}

#[tokio::test]
async fn what_is_denied_never_arrives_and_its_twin_does() {
    let strict = json!({"version": "1", "default": "deny", "tools": {
        "list_hosts": {},
        "destroy_vm": {"action": "deny", "reason": "nobody deletes machines here"},
    }});
    for era in ERAS {
        let stage = Stage::new(ludus(), &strict).await;
        stage.server.expect(Expect::call("destroy_vm").never());
        stage.server.expect(Expect::call("power_off_range").never());
        stage.server.expect(Expect::call("list_hosts").times(2));
        for guest in [stage.over_http(era).await, stage.on_lines(era).await] {
            let call = async |tool: &str, arguments: Value| {
                let arguments: JsonObject = arguments.as_object().expect("an object").clone();
                let result = guest.call(tool, arguments).await.expect("an answer");
                serde_json::to_value(result).expect("a result is JSON")
            };
            assert_eq!(call("list_hosts", json!({})).await["isError"], false);
            let denied = call("destroy_vm", json!({"vm_id": "102"})).await;
            let text = denied["content"][0]["text"].as_str().unwrap_or_default();
            assert_eq!(denied["isError"], true);
            assert!(text.contains("denied by policy: nobody deletes machines here"), "{text}");
            assert_eq!(call("power_off_range", json!({})).await["isError"], true);
            guest.leave().await;
        }
        stage.server.verify().expect("only what may pass passed");
        stage.end().await;
    }
}
