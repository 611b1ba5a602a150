//! That the mock speaks the protocol right is not for its own client to say: here the Rust SDK's client talks to it, in
//! both eras, over HTTP and over lines.

use mcp_gauntlet::mock::{Answer, Change, Changed, Expect, Mock, MockServer};
use mcp_gauntlet::transport::lines::{LineReader, LineWriter};
use rmcp::model::{CallToolRequestParams, ProtocolVersion};
use rmcp::service::{ClientLifecycleMode, RoleClient, RunningService, serve_client_with_lifecycle};
use rmcp::transport::StreamableHttpClientTransport;
use serde_json::{Value, json};
use std::sync::Arc;

type Agent = RunningService<RoleClient, ()>;

fn modes() -> Vec<ClientLifecycleMode> {
    let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
    vec![
        ClientLifecycleMode::Initialize,
        ClientLifecycleMode::Discover { preferred_versions: preferred_versions.clone() },
        ClientLifecycleMode::Auto { preferred_versions, legacy_version: None },
    ]
}

async fn over_http(server: &MockServer, mode: ClientLifecycleMode) -> Agent {
    let transport = StreamableHttpClientTransport::from_uri(server.url());
    serve_client_with_lifecycle((), transport, mode).await.unwrap()
}

async fn over_lines(server: &Arc<MockServer>, mode: ClientLifecycleMode) -> Agent {
    let ((near_in, far_out), (far_in, near_out)) = (tokio::io::duplex(1 << 20), tokio::io::duplex(1 << 20));
    let server = Arc::clone(server);
    tokio::spawn(async move {
        server.serve_lines(LineReader::new(far_in, 1 << 26), LineWriter::new(far_out)).await;
    });
    serve_client_with_lifecycle((), (near_in, near_out), mode).await.unwrap()
}

async fn use_it(agent: &Agent) {
    assert_eq!(agent.list_all_tools().await.unwrap().len(), 201);
    let call = |name: &'static str, arguments: Value| {
        let arguments = arguments.as_object().unwrap().clone();
        agent.call_tool(CallToolRequestParams::new(name).with_arguments(arguments))
    };
    let given = call("get_range", json!({})).await.unwrap();
    assert_eq!(given.structured_content, Some(json!({"hosts": 3})));
    assert_eq!(call("no_such_tool", json!({})).await.unwrap().is_error, Some(true));
    assert_eq!(call("destroy_vm", json!({})).await.unwrap().is_error, Some(true));
}

fn mock() -> Mock {
    let answers: Vec<Answer> = serde_json::from_value(json!([{"give": {"hosts": 3}}])).unwrap();
    Mock::ludus().with_answers("get_range", answers).unwrap()
}

#[tokio::test]
async fn an_sdk_finds_a_server_that_it_knows() {
    let server = Arc::new(MockServer::builder(mock()).page(90).receipts(true).start().await.unwrap());
    for mode in modes() {
        let agent = over_http(&server, mode.clone()).await;
        use_it(&agent).await;
        agent.cancel().await.unwrap();
        let agent = over_lines(&server, mode).await;
        use_it(&agent).await;
        agent.cancel().await.unwrap();
    }
    server.expect(Expect::call("get_range").times(6));
    server.verify().unwrap();
    assert_eq!(server.complaints(), Vec::<String>::new());
}

#[tokio::test]
async fn an_sdk_that_falls_back_finds_the_legacy_era() {
    let legacy = [mcp_gauntlet::wire::Revision::V2025_11_25];
    let server = Arc::new(MockServer::builder(mock()).revisions(&legacy).start().await.unwrap());
    let auto = modes().remove(2);
    use_it(&over_http(&server, auto.clone()).await).await;
    use_it(&over_lines(&server, auto).await).await;
}

#[tokio::test]
async fn a_change_reaches_an_sdk() {
    let server = Arc::new(MockServer::start(mock()).await);
    for mode in modes().into_iter().take(2) {
        let agent = over_lines(&server, mode).await;
        let before = agent.list_all_tools().await.unwrap().len();
        let name = server.mock().tools()[before % 7].to_owned();
        server.change(Change::told(Changed::Remove(name))).await.unwrap();
        assert_eq!(agent.list_all_tools().await.unwrap().len(), before - 1);
    }
}
