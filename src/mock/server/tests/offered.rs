//! What a server offers beside tools, and what it says without being asked.

use super::*;
use crate::mock::News;
use reqwest::Method;

const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";

async fn server() -> MockServer {
    MockServer::start(Mock::conformance()).await
}

/// A stream of events that is read one by one.
struct Stream {
    answer: reqwest::Response,
    decoder: crate::wire::sse::Decoder,
    frames: std::collections::VecDeque<Value>,
}

impl Stream {
    async fn open(request: reqwest::RequestBuilder) -> Self {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        Self { answer, decoder: crate::wire::sse::Decoder::default(), frames: Default::default() }
    }

    async fn next(&mut self) -> Value {
        while self.frames.is_empty() {
            let chunk = tokio::time::timeout(SOON, self.answer.chunk()).await.unwrap().unwrap().unwrap();
            let events = self.decoder.push(&chunk);
            self.frames
                .extend(events.iter().map(|event| serde_json::from_str::<Value>(&event.data).unwrap()));
        }
        self.frames.pop_front().unwrap()
    }
}

#[tokio::test]
async fn lists_have_the_facts_and_our_words_in_both_eras() {
    let server = server().await;
    let client = Client::opened(&server, "2025-11-25").await;
    for (method, member, index, entry) in [
        (
            "prompts/list",
            "prompts",
            1,
            json!({"name": "test_prompt_with_arguments", "arguments": [{"name": "arg1", "required": true}, {"name": "arg2", "required": true}], "description": "A prompt that repeats what it was given."}),
        ),
        (
            "resources/list",
            "resources",
            0,
            json!({"uri": "test://static-text", "name": "static-text", "mimeType": "text/plain", "description": "A text that never changes."}),
        ),
        (
            "resources/templates/list",
            "resourceTemplates",
            0,
            json!({"uriTemplate": "test://template/{id}/data", "name": "template-data", "mimeType": "application/json", "description": "A record for each id."}),
        ),
    ] {
        let old = client.ask(method, json!({})).await.json()["result"].clone();
        assert_eq!(old[member][index], entry);
        assert_eq!(old.as_object().unwrap().len(), 1, "{old}");
        let new = Client::new(&server).modern(method, json!({})).await.json()["result"].clone();
        assert_eq!(
            (&new[member], &new["ttlMs"], &new["cacheScope"]),
            (&old[member], &json!(0), &json!("public"))
        );
        assert_eq!(client.ask(method, json!({"cursor": "page-1"})).await.code(), (200, -32602));
    }
}

#[tokio::test]
async fn prompts_are_filled_in() {
    let server = server().await;
    let client = Client::opened(&server, "2025-11-25").await;
    let get = async |name: &str, arguments: Value| {
        client.ask("prompts/get", json!({"name": name, "arguments": arguments})).await
    };
    let told = get("test_prompt_with_arguments", json!({"arg1": "a\"", "arg2": "b"})).await.json();
    let content = json!({"type": "text", "text": "Compare 'a\"' with 'b'."});
    assert_eq!(told["result"], json!({"messages": [{"role": "user", "content": content}]}));
    let image = get("test_prompt_with_image", json!(null)).await.json();
    assert_eq!(image["result"]["messages"][0]["content"]["mimeType"], "image/png");
    for (name, arguments, told) in [
        ("nobody", json!({}), "there is no prompt `nobody`"),
        ("test_prompt_with_arguments", json!({"arg1": "a"}), "the argument `arg2` is missing"),
        ("test_prompt_with_arguments", json!({"arg1": 1, "arg2": "b"}), "`arguments` are no texts by name"),
    ] {
        let refused = get(name, arguments).await;
        assert_eq!(refused.code(), (200, -32602));
        assert_eq!(refused.json()["error"]["message"], format!("Invalid params: {told}"));
    }
    assert_eq!(
        server.ledger().iter().map(|arrival| arrival.executed.len()).sum::<usize>(),
        0,
        "nothing was executed"
    );
    assert_eq!(server.complaints(), Vec::<String>::new());
}

#[tokio::test]
async fn resources_are_read_by_uri_and_by_template() {
    let server = server().await;
    let (old, new) = (Client::opened(&server, "2025-11-25").await, Client::new(&server));
    let read = async |uri: &str| old.ask("resources/read", json!({"uri": uri})).await;
    let text = read("test://static-text").await.json()["result"].clone();
    let content = json!({"uri": "test://static-text", "mimeType": "text/plain", "text": "A text that is always the same."});
    assert_eq!(text, json!({"contents": [content]}));
    let kept =
        new.modern("resources/read", json!({"uri": "test://static-text"})).await.json()["result"].clone();
    assert_eq!((&kept["contents"], &kept["ttlMs"]), (&text["contents"], &json!(0)));
    let blob = &read("test://static-binary").await.json()["result"]["contents"][0];
    assert!(blob["blob"].as_str().unwrap().starts_with("iVBORw0KGgo") && blob.get("text").is_none());
    let made = &read("test://template/7/data").await.json()["result"]["contents"][0];
    assert_eq!(
        (&made["uri"], &made["mimeType"]),
        (&json!("test://template/7/data"), &json!("application/json"))
    );
    assert_eq!(made["text"], r#"{"id":"7","found":true,"says":"the record 7"}"#);
    for (told, code) in [
        (read("test://template/7/8/data").await, -32002),
        (new.modern("resources/read", json!({"uri": "test://template/7/8/data"})).await, -32602),
    ] {
        assert_eq!(told.code(), (200, code));
        assert_eq!(told.json()["error"]["data"], json!({"uri": "test://template/7/8/data"}));
    }
    assert_eq!(old.ask("resources/read", json!({})).await.code(), (200, -32602));
}

#[tokio::test]
async fn arguments_are_completed_as_they_begin() {
    let server = server().await;
    let client = Client::opened(&server, "2025-11-25").await;
    let complete = async |reference: Value, name: &str, value: &str| {
        client
            .ask("completion/complete", json!({"ref": reference, "argument": {"name": name, "value": value}}))
            .await
    };
    let prompt = json!({"type": "ref/prompt", "name": "test_prompt_with_arguments"});
    let told = complete(prompt.clone(), "arg1", "test").await.json();
    let completion = json!({"values": ["testing", "tested", "tester"], "total": 3, "hasMore": false});
    assert_eq!(told["result"], json!({"completion": completion}));
    let none = complete(prompt, "arg9", "").await.json();
    assert_eq!(none["result"]["completion"]["values"], json!([]));
    let template = json!({"type": "ref/resource", "uri": "test://template/{id}/data"});
    assert_eq!(complete(template, "id", "12").await.json()["result"]["completion"]["total"], 2);
    for reference in [json!({"type": "ref/prompt", "name": "nobody"}), json!({"type": "ref/tool"}), json!({})]
    {
        assert_eq!(complete(reference, "a", "").await.code(), (200, -32602));
    }
}

#[tokio::test]
async fn log_messages_are_for_those_who_want_them() {
    let server = server().await;
    let client = Client::opened(&server, "2025-11-25").await;
    let levels = |told: Told| -> Vec<Value> {
        told.events()
            .iter()
            .map(|frame| frame["params"]["data"].clone())
            .filter(|what| !what.is_null())
            .collect()
    };
    let all = levels(client.call("test_tool_with_logging", json!({})).await);
    assert_eq!(all, ["the work begins", "half of the work is done", "the work ends"]);
    assert_eq!(client.ask("logging/setLevel", json!({"level": "info"})).await.json()["result"], json!({}));
    assert_eq!(levels(client.call("test_logging_tool", json!({})).await), [json!({"calls": 1})]);
    client.ask("logging/setLevel", json!({"level": "warning"})).await;
    assert_eq!(client.call("test_logging_tool", json!({})).await.text(), "logged");
    assert_eq!(client.ask("logging/setLevel", json!({"level": "loud"})).await.code(), (200, -32602));
    let modern = Client::new(&server);
    let call = |meta: Value| json!({"name": "test_logging_tool", "arguments": {}, "_meta": meta});
    let heard = modern.modern("tools/call", call(json!({"io.modelcontextprotocol/logLevel": "debug"}))).await;
    assert_eq!(heard.events()[0]["params"]["logger"], "clerk");
    assert_eq!(modern.modern("tools/call", call(json!({}))).await.text(), "logged");
}

#[tokio::test]
async fn a_session_hears_of_lists_and_of_what_it_watches() {
    let server = server().await;
    let client = Client::opened(&server, "2025-11-25").await;
    let mut stream = Stream::open(client.send(Method::GET, "")).await;
    let watched = json!({"uri": "test://watched-resource"});
    // Nobody watches it yet: what comes next is of the list.
    client.call("test_touch_resource", json!({})).await;
    client.call("test_trigger_prompt_change", json!({})).await;
    assert_eq!(stream.next().await["method"], "notifications/prompts/list_changed");
    assert_eq!(client.ask("resources/subscribe", watched.clone()).await.json()["result"], json!({}));
    client.call("test_touch_resource", json!({})).await;
    assert_eq!(
        stream.next().await,
        json!({"jsonrpc": "2.0", "method": "notifications/resources/updated", "params": watched})
    );
    let read = client.ask("resources/read", watched.clone()).await.json();
    assert_eq!(read["result"]["contents"][0]["text"], "changed 2 times");
    client.ask("resources/unsubscribe", watched).await;
    client.call("test_touch_resource", json!({})).await;
    client.call("test_trigger_tool_change", json!({})).await;
    assert_eq!(stream.next().await["method"], "notifications/tools/list_changed");
}

#[tokio::test]
async fn a_subscription_hears_of_what_it_asked_for_alone() {
    let server = server().await;
    let client = Client::new(&server);
    let listening =
        client.with("mcp-protocol-version", "2026-07-28").with("mcp-method", "subscriptions/listen");
    let agreed = json!({"promptsListChanged": true, "resourceSubscriptions": ["test://watched-resource"]});
    let frame = json!({"jsonrpc": "2.0", "id": 5, "method": "subscriptions/listen", "params": {
        "_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28", CAPABILITIES: {}}, "notifications": agreed}});
    let mut stream = Stream::open(listening.send(Method::POST, frame.to_string())).await;
    assert_eq!(stream.next().await["params"]["notifications"], agreed);
    for tool in ["test_trigger_tool_change", "test_touch_resource", "test_trigger_prompt_change"] {
        client.modern("tools/call", json!({"name": tool})).await;
    }
    let touched = stream.next().await;
    assert_eq!(
        (&touched["method"], &touched["params"]["uri"]),
        (&json!("notifications/resources/updated"), &json!("test://watched-resource"))
    );
    assert_eq!(touched["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], 5);
    assert_eq!(stream.next().await["method"], "notifications/prompts/list_changed");
    assert_eq!(News::Tools.method(), "notifications/tools/list_changed");
}

#[tokio::test]
async fn a_prompt_may_ask_first_in_both_eras() {
    let server = server().await;
    let (modern, meta) = (Client::new(&server), json!({CAPABILITIES: {"elicitation": {}}}));
    let get = |more: Value| {
        let mut params = json!({"name": "test_input_required_result_prompt", "_meta": meta});
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        params
    };
    let asked = modern.modern("prompts/get", get(json!({}))).await.json()["result"].clone();
    assert_eq!(asked["inputRequests"]["user_context"]["method"], "elicitation/create");
    let replies = json!({"user_context": {"action": "accept", "content": {"context": "tides"}}});
    let done = modern
        .modern("prompts/get", get(json!({"requestState": asked["requestState"], "inputResponses": replies})))
        .await;
    assert_eq!(done.json()["result"]["messages"][0]["content"]["text"], "Tell me about tides.");
    let unable = modern.modern("prompts/get", json!({"name": "test_input_required_result_prompt"})).await;
    assert_eq!(unable.code(), (400, -32021));
    assert_eq!(unable.json()["error"]["data"]["requiredCapabilities"], json!({"elicitation": {}}));

    let old = Client::opened(&server, "2025-11-25").await;
    let frame = json!({"jsonrpc": "2.0", "id": 3, "method": "prompts/get", "params": {"name": "test_input_required_result_prompt"}});
    let mut stream = Stream::open(old.send(Method::POST, frame.to_string())).await;
    let question = stream.next().await;
    assert_eq!(question["method"], "elicitation/create");
    old.post(json!({"jsonrpc": "2.0", "id": question["id"], "result": replies["user_context"]})).await;
    assert_eq!(stream.next().await["result"]["messages"][0]["content"]["text"], "Tell me about tides.");
}

#[tokio::test]
async fn what_is_brought_back_is_looked_at() {
    let server = server().await;
    let client = Client::new(&server);
    let all = json!({CAPABILITIES: {"elicitation": {}, "sampling": {}, "roots": {}}});
    let call = async |tool: &str, more: Value| {
        let mut params =
            json!({"name": format!("test_input_required_result_{tool}"), "arguments": {}, "_meta": all});
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        client.modern("tools/call", params).await
    };
    let form = |content: Value| json!({"action": "accept", "content": content});
    // Without a state, the names of the questions say enough, and other names say nothing.
    let asked = call("elicitation", json!({})).await.json()["result"].clone();
    assert!(asked["inputRequests"]["user_name"].is_object() && asked.get("requestState").is_none());
    let named = json!({"inputResponses": {"user_name": form(json!({"name": "Ada"})), "more": {}}});
    assert_eq!(call("elicitation", named).await.text(), "Good day, Ada.");
    for wrong in [json!({"other": form(json!({}))}), json!({"user_name": 12345})] {
        let told = call("elicitation", json!({"inputResponses": wrong})).await;
        assert_eq!(told.json()["result"]["resultType"], "input_required");
    }
    assert_eq!(call("elicitation", json!({"inputResponses": null})).await.code(), (200, -32602));
    // A state leads to the round that it was sealed for, also where the reply is missing.
    let first = call("multi_round", json!({})).await.json()["result"]["requestState"].clone();
    let name = json!({"step1": form(json!({"name": "Ada"}))});
    let second =
        call("multi_round", json!({"requestState": first, "inputResponses": name})).await.json()["result"]
            .clone();
    assert!(second["inputRequests"]["step2"].is_object() && second["requestState"] != first);
    let state = second["requestState"].clone();
    let again = call("multi_round", json!({"requestState": state, "inputResponses": name})).await.json();
    assert_eq!(again["result"], second);
    let colour = json!({"step2": form(json!({"color": "teal"}))});
    let done = call("multi_round", json!({"requestState": state, "inputResponses": colour})).await;
    assert_eq!(done.text(), "so it is teal");
    let spoilt = format!("{}-spoilt", state.as_str().unwrap());
    let told = call("multi_round", json!({"requestState": spoilt, "inputResponses": colour})).await;
    assert_eq!(told.code(), (200, -32602));
}

#[tokio::test]
async fn an_answer_may_depend_on_what_the_client_can() {
    let server = server().await;
    let client = Client::new(&server);
    let asked = async |can: Value| {
        let params = json!({"name": "test_input_required_result_capabilities", "arguments": {}, "_meta": {CAPABILITIES: can}});
        client.modern("tools/call", params).await.json()["result"].clone()
    };
    let method = |result: &Value, name: &str| result["inputRequests"][name]["method"].clone();
    assert_eq!(method(&asked(json!({"elicitation": {}})).await, "user_name"), "elicitation/create");
    assert_eq!(method(&asked(json!({"sampling": {}})).await, "word"), "sampling/createMessage");
    assert_eq!(asked(json!({})).await["content"][0]["text"], "there was nobody to ask");
    // Sessions say it once, when they begin; this one can be asked by forms.
    let old = Client::opened(&server, "2025-11-25").await;
    let frame = json!({"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": {"name": "test_input_required_result_capabilities"}});
    let mut stream = Stream::open(old.send(Method::POST, frame.to_string())).await;
    assert_eq!(stream.next().await["method"], "elicitation/create");
}

#[tokio::test]
async fn the_modern_era_has_no_initialize_and_no_levels() {
    let server = server().await;
    let client = Client::new(&server);
    for method in ["initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"] {
        assert_eq!(client.modern(method, json!({})).await.code(), (404, -32601), "{method}");
    }
    let opened = client.with("mcp-protocol-version", "2026-07-28").with("mcp-method", "initialize");
    let told = opened.ask("initialize", json!({"protocolVersion": "2026-07-28", "capabilities": {}})).await;
    assert_eq!(
        told.json()["result"]["protocolVersion"],
        "2025-11-25",
        "whoever only names it wants a session"
    );
}

#[tokio::test]
async fn whoever_offers_nothing_of_it_says_so() {
    let server = MockServer::start(Mock::ludus()).await;
    let client = Client::opened(&server, "2025-11-25").await;
    assert_eq!(client.ask("prompts/list", json!({})).await.json()["result"], json!({"prompts": []}));
    for method in
        ["prompts/get", "resources/read", "resources/subscribe", "completion/complete", "logging/setLevel"]
    {
        assert_eq!(
            client.ask(method, json!({"name": "a", "uri": "a:b", "level": "info"})).await.code(),
            (200, -32601),
            "{method}"
        );
    }
}
