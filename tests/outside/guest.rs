//! A client that is not ours: the protocol's own Rust SDK, over each way and in each era.

use mcp_gauntlet::mock::MockServer;
use mcp_gauntlet::transport::lines::{LONGEST, LineReader, LineWriter};
use rmcp::model::{
    CallToolRequestParams, CallToolResult, ClientCapabilities, ClientConfig, GetPromptRequestParams,
    Implementation, JsonObject, ProtocolVersion, ReadResourceRequestParams,
};
use rmcp::service::RunningService;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ClientLifecycleMode, ClientServiceExt as _, RoleClient, ServiceError};
use serde_json::Value;
use std::sync::Arc;

/// How a session starts, and what each of its requests carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Era {
    Legacy,
    Modern,
}

/// Both eras.
pub(crate) const ERAS: [Era; 2] = [Era::Legacy, Era::Modern];

impl Era {
    /// The revision that the client asks for.
    pub(crate) fn revision(self) -> ProtocolVersion {
        match self {
            Self::Legacy => ProtocolVersion::V_2025_11_25,
            Self::Modern => ProtocolVersion::V_2026_07_28,
        }
    }

    fn lifecycle(self) -> ClientLifecycleMode {
        match self {
            Self::Legacy => ClientLifecycleMode::Initialize,
            Self::Modern => ClientLifecycleMode::Discover { preferred_versions: vec![self.revision()] },
        }
    }

    fn config(self) -> ClientConfig {
        let who = Implementation::new("guest", "1.0.0");
        ClientConfig::new(ClientCapabilities::default(), who).with_protocol_version(self.revision())
    }
}

/// A client with an open session.
pub(crate) struct Guest(RunningService<RoleClient, ClientConfig>);

impl Guest {
    /// Opens a session over a transport of the SDK.
    pub(crate) async fn over<T, E, A>(transport: T, era: Era) -> Self
    where
        T: rmcp::transport::IntoTransport<RoleClient, E, A>,
        E: std::error::Error + Send + Sync + 'static,
    {
        let opened = era.config().serve_with_lifecycle(transport, era.lifecycle()).await;
        Self(opened.unwrap_or_else(|error| panic!("no session, {era:?}: {error}")))
    }

    /// Opens a session over HTTP.
    pub(crate) async fn http(url: &str, token: Option<&str>, era: Era) -> Self {
        let mut config = StreamableHttpClientTransportConfig::with_uri(url);
        config.auth_header = token.map(str::to_owned);
        Self::over(StreamableHttpClientTransport::from_config(config), era).await
    }

    /// Opens a session on lines with a server in this process.
    pub(crate) async fn lines(server: &Arc<MockServer>, era: Era) -> Self {
        let (near, far) = tokio::io::duplex(1 << 16);
        let (read, write) = tokio::io::split(far);
        let server = Arc::clone(server);
        let (reader, writer) = (LineReader::new(read, LONGEST), LineWriter::new(write));
        tokio::spawn(async move { server.serve_lines(reader, writer).await });
        Self::over(near, era).await
    }

    /// What the server calls itself, and the revision that was agreed on.
    pub(crate) fn server(&self) -> (Option<(String, String)>, ProtocolVersion) {
        let peer = self.0.peer_info().expect("the session is open");
        let server = peer.server_info.as_ref().map(|server| (server.name.clone(), server.version.clone()));
        (server, peer.protocol_version.clone())
    }

    /// All tools, as the SDK understood them.
    pub(crate) async fn tools(&self) -> Vec<Value> {
        let tools = self.0.list_all_tools().await.expect("the list is understood");
        tools.iter().map(|tool| serde_json::to_value(tool).expect("a tool is JSON")).collect()
    }

    /// Calls a tool.
    pub(crate) async fn call(
        &self,
        tool: &str,
        arguments: JsonObject,
    ) -> Result<CallToolResult, ServiceError> {
        self.0.call_tool(CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments)).await
    }

    /// All prompts, as the SDK understood them.
    pub(crate) async fn prompts(&self) -> Vec<Value> {
        let prompts = self.0.list_all_prompts().await.expect("the list is understood");
        prompts.iter().map(|prompt| serde_json::to_value(prompt).expect("a prompt is JSON")).collect()
    }

    /// All resources, as the SDK understood them.
    pub(crate) async fn resources(&self) -> Vec<Value> {
        let resources = self.0.list_all_resources().await.expect("the list is understood");
        resources.iter().map(|resource| serde_json::to_value(resource).expect("a resource is JSON")).collect()
    }

    /// A prompt, filled in; or the error as it reads.
    pub(crate) async fn prompt(&self, name: &str, arguments: JsonObject) -> Result<Value, String> {
        let asked = GetPromptRequestParams::new(name).with_arguments(arguments);
        let prompt = self.0.get_prompt(asked).await.map_err(|error| error.to_string())?;
        Ok(serde_json::to_value(prompt).expect("a prompt is JSON"))
    }

    /// What is in a resource; or the error as it reads.
    pub(crate) async fn resource(&self, uri: &str) -> Result<Value, String> {
        let asked = ReadResourceRequestParams::new(uri);
        let read = self.0.read_resource(asked).await.map_err(|error| error.to_string())?;
        Ok(serde_json::to_value(read).expect("a resource is JSON"))
    }

    /// What an argument of a prompt may be completed to.
    pub(crate) async fn completed(&self, prompt: &str, argument: &str, begun: &str) -> Vec<String> {
        self.0.complete_prompt_simple(prompt, argument, begun).await.expect("there is such a prompt")
    }

    /// Ends the session.
    pub(crate) async fn leave(self) {
        self.0.cancel().await.expect("the session ends");
    }
}
