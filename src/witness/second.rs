//! A second opinion: the same requests made by the client of the protocol's Rust SDK, as many agents are built on it.
//!
//! It answers for what such a client makes of an answer, and says it in the SDK's own words. It does not know what was
//! on the wire, nor which of the two is right.

use crate::transport::child::Command;
use crate::wire::{Era, Json, Revision};
use http::{HeaderName, HeaderValue};
use rmcp::model::{
    CallToolRequestParams, ClientCapabilities, ClientConfig, Implementation, JsonObject, MetaObject,
    ProtocolVersion, RequestMetaObject,
};
use rmcp::service::RunningService;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::transport::{IntoTransport, StreamableHttpClientTransport, TokioChildProcess};
use rmcp::{ClientLifecycleMode, ClientServiceExt as _, RoleClient};
use std::process::Stdio;
use std::time::Duration;

/// The SDK and its release, as reports name it.
pub const SDK: &str = "rmcp 3.9.0";

/// Where a client goes.
#[derive(Debug)]
pub enum Door {
    /// An endpoint of streamable HTTP, and the headers of every request.
    Http(String, Vec<(String, String)>),
    /// A process that talks in lines.
    Process(Command),
}

/// What a client saw: a result, its own words for an error, or nothing in time.
pub type Saw = Option<Result<Json, String>>;

/// A client of the SDK with an open session.
#[derive(Debug)]
pub struct SdkClient {
    service: RunningService<RoleClient, ClientConfig>,
    patience: Duration,
}

impl SdkClient {
    /// Opens a session in that revision; an error is the SDK's.
    pub async fn open(door: Door, revision: Revision, patience: Duration) -> Result<Self, String> {
        let service = match door {
            Door::Http(url, headers) => over_http(url, headers, revision, patience).await?,
            Door::Process(command) => {
                let process = spawn(&command).map_err(|error| error.to_string())?;
                serve(process, revision, patience).await?
            }
        };
        Ok(Self { service, patience })
    }

    /// Calls a tool.
    pub async fn call(&self, tool: &str, arguments: &Json, meta: Option<&Json>) -> Saw {
        let mut params = CallToolRequestParams::new(tool.to_owned()).with_arguments(plain(arguments));
        params.meta = meta.map(|meta| RequestMetaObject(MetaObject(plain(meta))));
        let called = self.service.call_tool(params);
        let ended = tokio::time::timeout(self.patience, called).await.ok()?;
        Some(ended.map_err(|error| error.to_string()).and_then(|result| value(&result)))
    }

    /// Lists the tools, all pages of them.
    pub async fn tools(&self) -> Saw {
        let ended = tokio::time::timeout(self.patience, self.service.list_all_tools()).await.ok()?;
        Some(ended.map_err(|error| error.to_string()).and_then(|tools| value(&tools)))
    }

    /// Ends the session.
    pub async fn close(mut self) {
        // However it ends, it is over.
        let _ = self.service.close_with_timeout(self.patience).await;
    }
}

async fn over_http(
    url: String,
    headers: Vec<(String, String)>,
    revision: Revision,
    patience: Duration,
) -> Result<RunningService<RoleClient, ClientConfig>, String> {
    if url.starts_with("https://") {
        // With it, whoever uses the library would have to choose a provider for each client of their own.
        return Err("no session: the SDK is built without TLS here".to_owned());
    }
    let mut config = StreamableHttpClientTransportConfig::with_uri(url);
    for (name, value) in headers {
        let name = name.parse::<HeaderName>().map_err(|error| error.to_string())?;
        let value = value.parse::<HeaderValue>().map_err(|error| error.to_string())?;
        config.custom_headers.insert(name, value);
    }
    serve(StreamableHttpClientTransport::from_config(config), revision, patience).await
}

fn spawn(command: &Command) -> std::io::Result<TokioChildProcess> {
    let mut process = tokio::process::Command::new(&command.program);
    process.args(&command.arguments).env_clear().envs(command.environment.iter().cloned());
    process.current_dir(&command.folder).kill_on_drop(true);
    let (process, _) = TokioChildProcess::builder(process).stderr(Stdio::null()).spawn()?;
    Ok(process)
}

async fn serve<T, E, A>(
    transport: T,
    revision: Revision,
    patience: Duration,
) -> Result<RunningService<RoleClient, ClientConfig>, String>
where
    T: IntoTransport<RoleClient, E, A>,
    E: std::error::Error + Send + Sync + 'static,
{
    let version: ProtocolVersion = serde_json::from_value(revision.as_str().into())
        .map_err(|error| format!("the SDK does not speak `{revision}`: {error}"))?;
    let lifecycle = match revision.era() {
        Era::Legacy => ClientLifecycleMode::Initialize,
        Era::Modern => ClientLifecycleMode::Discover { preferred_versions: vec![version.clone()] },
    };
    let who = Implementation::new("gauntlet", env!("CARGO_PKG_VERSION"));
    let config = ClientConfig::new(ClientCapabilities::default(), who).with_protocol_version(version);
    match tokio::time::timeout(patience, config.serve_with_lifecycle(transport, lifecycle)).await {
        Ok(opened) => opened.map_err(|error| format!("no session: {error}")),
        Err(_) => Err("no session in time".to_owned()),
    }
}

/// The members of an object as the SDK takes them.
fn plain(value: &Json) -> JsonObject {
    match serde_json::Value::from(value) {
        serde_json::Value::Object(members) => members,
        _ => JsonObject::new(),
    }
}

fn value(seen: &impl serde::Serialize) -> Result<Json, String> {
    serde_json::to_value(seen).map(Json::from).map_err(|error| error.to_string())
}
