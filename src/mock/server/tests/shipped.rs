//! Every tool of the shipped mocks, called as its catalogue shows.

use super::*;

/// The arguments that the catalogue shows, or plausible ones for what is required.
fn arguments(fact: &Value) -> Value {
    if let Some(sample) = fact.get("sample_call").filter(|sample| sample.is_object()) {
        return sample.clone();
    }
    let properties = &fact["inputSchema"]["properties"];
    let required = fact["inputSchema"]["required"].as_array().cloned().unwrap_or_default();
    let value = |name: &str| match properties[name]["type"].as_str() {
        Some("integer") => json!(1),
        Some("boolean") => json!(true),
        _ => json!("x"),
    };
    required.iter().filter_map(Value::as_str).map(|name| (name.to_owned(), value(name))).collect()
}

async fn all(name: &str) {
    let server = MockServer::start(Mock::named(name).unwrap()).await;
    let client = Client::opened(&server, "2025-11-25").await;
    let catalogue =
        crate::embedded::text(crate::embedded::MOCK_FILES, &format!("{name}/catalogue.json")).unwrap();
    let catalogue: Value = serde_json::from_str(catalogue).unwrap();
    let mut wrong = Vec::new();
    let silent = server
        .mock()
        .tools()
        .into_iter()
        .filter(|tool| server.mock().entry(tool).unwrap()["description"].is_null());
    assert_eq!(silent.count(), 0, "every tool has a description and answers");
    for fact in catalogue["tools"].as_array().unwrap() {
        let tool = fact["name"].as_str().unwrap();
        let told = client.call(tool, arguments(fact)).await;
        let result = &told.json()["result"];
        let schema = jsonschema::validator_for(&fact["outputSchema"]).unwrap();
        let structured = &result["structuredContent"];
        if result.is_null() || result["isError"] == json!(false) && !schema.is_valid(structured) {
            wrong.push(format!("{tool}: {}", told.body));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(server.complaints(), Vec::<String>::new());
}

#[tokio::test]
async fn every_tool_of_ludus_answers_its_sample_call() {
    all("ludus").await;
}

#[tokio::test]
async fn every_tool_of_velociraptor_answers() {
    all("velociraptor").await;
}

#[tokio::test]
async fn everything_that_the_mock_for_the_conformance_suite_lists_answers() {
    let server = MockServer::start(Mock::conformance()).await;
    let client = Client::new(&server);
    let modern = async |method: &str, mut params: Value| {
        params["_meta"] = json!({"io.modelcontextprotocol/clientCapabilities": {"elicitation": {}, "sampling": {}, "roots": {}}});
        client.modern(method, params).await.json()
    };
    let list = async |method: &str, member: &str| {
        modern(method, json!({})).await["result"][member].as_array().unwrap().clone()
    };
    let mut wrong = Vec::new();
    let mut note = |entry: &Value, told: Value| {
        if entry["description"].is_null() || told["result"].is_null() {
            wrong.push(format!("{entry}: {told}"));
        }
    };
    for tool in list("tools/list", "tools").await {
        let given = json!({"name": tool["name"], "arguments": arguments(&tool)});
        note(&tool, modern("tools/call", given).await);
    }
    for prompt in list("prompts/list", "prompts").await {
        let needed = prompt["arguments"].as_array().cloned().unwrap_or_default();
        let given: serde_json::Map<String, Value> =
            needed.iter().map(|one| (one["name"].as_str().unwrap().to_owned(), json!("x"))).collect();
        note(&prompt, modern("prompts/get", json!({"name": prompt["name"], "arguments": given})).await);
    }
    for resource in list("resources/list", "resources").await {
        note(&resource, modern("resources/read", json!({"uri": resource["uri"]})).await);
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(server.complaints(), Vec::<String>::new());
}
