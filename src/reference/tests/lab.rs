//! A scripted server, a gateway in front of it, and agents.

use crate::declared::Declared;
use crate::policy::Policy;
use crate::reference::refusal::error_result;
use crate::reference::*;
use crate::transport::http_client::{HttpClient, Incoming, Outgoing};
use crate::transport::http_server::{self, Body, Chunk, Reply, Request};
use crate::wire::{Json, Message, RpcError, parse, parse_lenient, readings, rpc, sse};
use http::{HeaderMap, Method};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// One frame that reached the server.
#[derive(Clone, Debug)]
pub(super) struct Arrival {
    pub(super) headers: HeaderMap,
    pub(super) bytes: Vec<u8>,
}

/// A server that reads as carelessly as any, and notes what it got.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) url: String,
    pub(super) arrivals: watch::Sender<Vec<Arrival>>,
    pub(super) tools: Arc<Mutex<Vec<Json>>>,
    pub(super) page: Arc<Mutex<usize>>,
    /// While closed, no session is opened.
    pub(super) open: watch::Sender<bool>,
    pub(super) stop: CancellationToken,
}

pub(super) fn entry(name: &str, description: &str) -> Json {
    serde_json::json!({"name": name, "description": description, "inputSchema": {"type": "object"}, "x": [1]})
        .into()
}

impl Server {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let names = ["list", "destroy", "deploy", "secret"];
        let server = Self {
            url: format!("http://{}/mcp", listener.local_addr().unwrap()),
            arrivals: watch::Sender::default(),
            tools: Arc::new(Mutex::new(names.iter().map(|name| entry(name, "first")).collect())),
            page: Arc::new(Mutex::new(100)),
            open: watch::Sender::new(true),
            stop: CancellationToken::new(),
        };
        let answering = server.clone();
        let respond = move |request| answering.clone().answer(request);
        tokio::spawn(http_server::serve(listener, respond, server.stop.clone()));
        server
    }

    /// Every tool that some reading of what arrived would run, in order.
    pub(super) fn ran(&self) -> String {
        let arrivals = self.arrivals.borrow();
        let calls = arrivals.iter().flat_map(|arrival| readings(&arrival.bytes));
        calls.map(|call| call.tool).collect::<Vec<_>>().join(" ")
    }

    /// Waits until that many frames satisfy; gives the last.
    pub(super) async fn wait(&self, count: usize, satisfies: impl Fn(&str) -> bool) -> Arrival {
        let fits = |arrival: &&Arrival| satisfies(&String::from_utf8_lossy(&arrival.bytes));
        let mut arrivals = self.arrivals.subscribe();
        let enough = arrivals.wait_for(|all| all.iter().filter(fits).count() >= count).await.unwrap();
        enough.iter().rfind(fits).unwrap().clone()
    }

    async fn answer(self, request: Request) -> Reply {
        if request.method != Method::POST {
            return Reply::status(405);
        }
        let (headers, bytes) = (request.headers.clone(), request.body.to_vec());
        self.arrivals.send_modify(|all| all.push(Arrival { headers, bytes }));
        let Ok(frame) = parse(&request.body).or_else(|_| parse_lenient(&request.body)) else {
            return Reply::status(400);
        };
        match Message::of(&frame) {
            Message::Request { id, method, params } => {
                self.respond(id, &method, params.unwrap_or_default()).await
            }
            _ => Reply::status(202),
        }
    }

    async fn respond(&self, id: Json, method: &str, params: Json) -> Reply {
        let json = |frame: Json| Reply::json(200, frame.to_bytes());
        match method {
            "initialize" => {
                self.open.subscribe().wait_for(|open| *open).await.unwrap();
                let version = params.get("protocolVersion").cloned().unwrap_or_default();
                let result: Json = [("protocolVersion".to_owned(), version)].into_iter().collect();
                json(rpc::result(id, result)).with("mcp-session-id", "up")
            }
            "tools/list" => json(rpc::result(id, self.list(&params))),
            "tools/call" => self.call(id, &params).await,
            _ => json(rpc::error(id, RpcError::new(rpc::METHOD_NOT_FOUND, "?"))),
        }
    }

    fn list(&self, params: &Json) -> Json {
        let (tools, size) = (self.tools.lock().unwrap().clone(), *self.page.lock().unwrap());
        let start =
            params.get("cursor").and_then(Json::as_str).map_or(0, |cursor| cursor.parse::<usize>().unwrap());
        let end = (start + size).min(tools.len());
        let mut result = serde_json::json!({"_meta": {"kept": 1}});
        if end < tools.len() {
            result["nextCursor"] = end.to_string().into();
        }
        let mut result = Json::from(result);
        result.as_object_mut().unwrap().set("tools", Json::Array(tools[start..end].to_vec()));
        result
    }

    async fn call(&self, id: Json, params: &Json) -> Reply {
        let tool = params.get("name").and_then(Json::as_str).unwrap_or_default();
        let done = rpc::result(id.clone(), result(tool));
        match tool {
            "hangs" => std::future::pending().await,
            "garbage" => Reply::full(200, "text/html", "<html>"),
            "wrong_id" => Reply::json(200, rpc::result(Json::from("?"), Json::object()).to_bytes()),
            "drops" => Reply { status: 200, headers: Vec::new(), body: Body::Abort },
            "fails" => Reply::json(200, rpc::result(id, error_result("it failed")).to_bytes()),
            "errors" => {
                let error = RpcError::new(-32050, "odd").with(serde_json::json!({"a": [1]}));
                Reply::json(200, rpc::error(id, error).to_bytes())
            }
            "progress" => self.stream(done, params, None).await,
            "asks" => {
                let question =
                    rpc::request("s1", "elicitation/create", serde_json::json!({"message": "?"}).into());
                self.stream(done, params, Some(question)).await
            }
            _ => Reply::json(200, done.to_bytes()),
        }
    }

    /// Two notes of progress, perhaps a question and the wait for its answer, then the answer.
    async fn stream(&self, done: Json, params: &Json, question: Option<Json>) -> Reply {
        let (sender, body) = mpsc::channel(8);
        let token = params.pointer("/_meta/progressToken").cloned().unwrap_or_default();
        let server = self.clone();
        tokio::spawn(async move {
            let send = async |frame: &Json| {
                drop(sender.send(Chunk::Data(sse::event(&frame.to_string()).into())).await);
            };
            for progress in [1, 2] {
                let mut params = Json::from(serde_json::json!({"progress": progress}));
                params.as_object_mut().unwrap().set("progressToken", token.clone());
                send(&rpc::notification("notifications/progress", params)).await;
            }
            if let Some(question) = question {
                send(&question).await;
                server.wait(1, |frame| frame.contains("\"s1\"")).await;
            }
            send(&done).await;
        });
        let headers = vec![("content-type".to_owned(), "text/event-stream".to_owned())];
        Reply { status: 200, headers, body: Body::Stream(body) }
    }
}

/// What every well-behaved tool answers: spelled so that a careless gateway shows.
pub(super) fn result(tool: &str) -> Json {
    let text = format!(
        r#"{{"content":[{{"type":"text","text":"did {tool}"}}],"structuredContent":{{"n":1.0,"big":9007199254740993}},"isError":false,"odd":null}}"#
    );
    parse(text.as_bytes()).unwrap()
}

/// A gateway in front of scripted servers.
pub(super) struct Lab {
    pub(super) server: Server,
    pub(super) gateway: Reference,
    pub(super) clock: Clock,
    pub(super) url: String,
    pub(super) decisions: String,
    pub(super) stop: CancellationToken,
}

/// How a lab is set up.
pub(super) struct Plan {
    pub(super) policy: &'static str,
    pub(super) channel: Channel,
    pub(super) declared: Declared,
    pub(super) pins: PinStore,
    pub(super) twist: fn(&mut Conduct),
    pub(super) servers: Vec<(&'static str, Server)>,
}

pub(super) fn honest(_: &mut Conduct) {}

pub(super) fn grant(identity: &str, policy: &str) -> Grant {
    Grant {
        identity: identity.to_owned(),
        token: Some(format!("{identity}-token")),
        policy: Some(Policy::from_json(policy).unwrap()),
    }
}

pub(super) fn settings(upstreams: Vec<Upstream>, grants: Vec<Grant>, channel: Channel) -> Settings {
    let upstream_timeout = Duration::from_secs(20);
    Settings {
        upstreams,
        grants,
        channel,
        audit: AuditSink::Memory,
        pins: PinStore::Memory,
        declared: Declared::default(),
        upstream_timeout,
    }
}

impl Plan {
    pub(super) fn new(policy: &'static str, twist: fn(&mut Conduct)) -> Self {
        let (declared, pins) = (Declared::default(), PinStore::Memory);
        Self { policy, channel: Channel::Retried, declared, pins, twist, servers: Vec::new() }
    }

    pub(super) async fn start(mut self) -> Lab {
        if self.servers.is_empty() {
            self.servers.push(("lab", Server::start().await));
        }
        let upstream = |(name, server): &(&str, Server)| {
            let headers = vec![("authorization".to_owned(), "Bearer upstream-secret".to_owned())];
            Upstream { name: (*name).to_owned(), reach: Reach::Http { url: server.url.clone(), headers } }
        };
        let upstreams = self.servers.iter().map(upstream).collect();
        let grants = vec![grant("alice", self.policy), grant("bob", self.policy)];
        let mut conduct = Conduct::default();
        (self.twist)(&mut conduct);
        let clock = Clock::turned(Duration::from_secs(1_800_000_000));
        let (declared, pins) = (self.declared, self.pins);
        let settings = Settings { declared, pins, ..settings(upstreams, grants, self.channel) };
        let gateway = Reference::new(settings, conduct, clock.clone()).unwrap();
        let stop = CancellationToken::new();
        let bind = async || {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            (listener, url)
        };
        let ((agents, url), (people, decisions)) = (bind().await, bind().await);
        let (serving, deciding) = (gateway.clone(), gateway.clone());
        let (one, two) = (stop.clone(), stop.clone());
        tokio::spawn(async move { serving.serve_http(agents, one).await });
        tokio::spawn(async move { deciding.serve_decisions(people, two).await });
        let server = self.servers.remove(0).1;
        Lab { server, gateway, clock, url: format!("{url}/mcp"), decisions, stop }
    }
}

impl Lab {
    pub(super) async fn new(policy: &'static str, twist: fn(&mut Conduct)) -> Self {
        Plan::new(policy, twist).start().await
    }

    pub(super) async fn agent(&self, identity: &str) -> Agent {
        Agent::new(&self.url, identity).open("2025-11-25").await
    }

    /// The decisions of the audit, in order.
    pub(super) fn audit(&self) -> String {
        let lines = self.gateway.audit_lines();
        lines.iter().map(|line| line["decision"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    }

    pub(super) async fn end(self) {
        self.stop.cancel();
        self.gateway.end().await;
        self.server.stop.cancel();
    }
}

/// A client that sends what it is told.
#[derive(Clone)]
pub(super) struct Agent {
    pub(super) client: HttpClient,
    pub(super) url: String,
    pub(super) headers: Vec<(String, String)>,
}

impl Agent {
    pub(super) fn new(url: &str, identity: &str) -> Self {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let headers = vec![
            pair("authorization", &format!("Bearer {identity}-token")),
            pair("content-type", "application/json"),
            pair("accept", "application/json, text/event-stream"),
        ];
        Self { client: HttpClient::new(), url: url.to_owned(), headers }
    }

    pub(super) fn with(&self, name: &str, value: &str) -> Self {
        let mut agent = self.clone();
        agent.headers.retain(|(known, _)| known != name);
        agent.headers.push((name.to_owned(), value.to_owned()));
        agent
    }

    pub(super) async fn open(self, version: &str) -> Self {
        let hello = serde_json::json!({
            "protocolVersion": version, "capabilities": {"elicitation": {}},
            "clientInfo": {"name": "lab", "version": "1"}
        });
        let answer = self.send(rpc::request(0, "initialize", hello.into()).to_bytes()).await;
        let session = answer.header("mcp-session-id").unwrap().to_owned();
        self.with("mcp-session-id", &session).with("mcp-protocol-version", version)
    }

    pub(super) async fn send(&self, bytes: impl Into<Vec<u8>>) -> Incoming {
        self.ask(Method::POST, bytes).await
    }

    pub(super) async fn ask(&self, method: Method, bytes: impl Into<Vec<u8>>) -> Incoming {
        let (url, headers) = (self.url.clone(), self.headers.clone());
        self.client.send(Outgoing { method, url, headers, body: bytes.into().into() }).await.unwrap()
    }

    /// Status, and the last frame of what came.
    pub(super) async fn frames(&self, bytes: impl Into<Vec<u8>>) -> (u16, Vec<Json>) {
        let answer = self.send(bytes).await;
        let (status, events) = (answer.status, answer.header("content-type") == Some("text/event-stream"));
        let body = answer.whole(1 << 24).await.unwrap();
        let frames = match events {
            true => sse::Decoder::default()
                .push(&body)
                .iter()
                .map(|one| parse(one.data.as_bytes()).unwrap())
                .collect(),
            false => parse(&body).into_iter().collect(),
        };
        (status, frames)
    }

    /// What became of some bytes, in a word or two.
    pub(super) async fn says(&self, bytes: impl Into<Vec<u8>>) -> String {
        let (status, frames) = self.frames(bytes).await;
        let told = frames.last().map_or(String::new(), told);
        if status == 200 { told } else { format!("http {status} {told}").trim().to_owned() }
    }

    pub(super) async fn call(&self, tool: &str, arguments: &str) -> String {
        self.says(call(tool, arguments)).await
    }

    /// The names that are listed, all pages, and how many pages there were.
    pub(super) async fn list(&self) -> String {
        let (mut names, mut cursor) = (Vec::new(), None);
        loop {
            let params = cursor.map_or_else(Json::object, |cursor: Json| {
                [("cursor".to_owned(), cursor)].into_iter().collect()
            });
            let (_, frames) = self.frames(rpc::request(5, "tools/list", params).to_bytes()).await;
            let tools = frames[0].pointer("/result/tools").and_then(Json::as_array).unwrap_or_default();
            names
                .extend(tools.iter().map(|tool| tool.get("name").and_then(Json::as_str).unwrap().to_owned()));
            cursor = frames[0].pointer("/result/nextCursor").cloned();
            if cursor.is_none() {
                return names.join(" ");
            }
        }
    }
}

pub(super) fn call(tool: &str, arguments: &str) -> String {
    let tool = Json::from(tool);
    format!(
        r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{{"name":{tool},"arguments":{arguments}}}}}"#
    )
}

/// A response in a word or two.
pub(super) fn told(frame: &Json) -> String {
    if let Json::Array(frames) = frame {
        return frames.iter().map(told).collect::<Vec<_>>().join(" | ");
    }
    let text = frame.pointer("/result/content/0/text").and_then(Json::as_str);
    let error = frame.pointer("/error/code").and_then(Json::as_i64);
    let failed = frame.pointer("/result/isError").and_then(Json::as_bool) == Some(true);
    match (error, text) {
        (Some(PENDING), _) => "pending".into(),
        (Some(code), _) => format!("error {code}"),
        (None, Some(text)) if failed => format!("! {text}"),
        (None, text) => text.unwrap_or("answered").to_owned(),
    }
}
