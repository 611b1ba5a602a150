//! Every tool, called: over HTTP and on lines, in both eras.

use crate::facts::{Facts, SERVERS, ludus, name, velociraptor};
use crate::guest::{ERAS, Era, Guest};
use crate::shape::departures;
use futures_util::{StreamExt as _, stream};
use mcp_gauntlet::mock::{Mock, MockServer};
use rmcp::model::CallToolResult;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// What does not hold of a result; nothing where all is well.
pub(crate) fn faults(tool: &Value, result: &CallToolResult) -> Vec<String> {
    let said = serde_json::to_value(result).expect("a result is JSON");
    if said["isError"] == true {
        // An error has no structure that could fit.
        let bare = result.structured_content.is_none() && !result.content.is_empty();
        return if bare { Vec::new() } else { vec![format!("{}: an error with structure", name(tool))] };
    }
    let Some(structured) = &result.structured_content else {
        return vec![format!("{}: no structure", name(tool))];
    };
    let schema = jsonschema::validator_for(&tool["outputSchema"]).expect("a schema");
    schema.iter_errors(structured).map(|error| format!("{}: {error}", name(tool))).collect()
}

/// Calls every tool in the catalogue's order, in one session.
pub(crate) async fn call_all(facts: &Facts, guest: &Guest) -> Vec<String> {
    let mut found = Vec::new();
    for tool in &facts.tools {
        match guest.call(name(tool), facts.arguments(tool)).await {
            Ok(result) => found.extend(faults(tool, &result)),
            Err(error) => found.push(format!("{}: {error}", name(tool))),
        }
    }
    found
}

#[tokio::test]
async fn every_tool_answers_as_its_schema_says() {
    for facts in SERVERS.iter() {
        for era in ERAS {
            let server = Arc::new(MockServer::start(Mock::named(facts.mock).expect("it ships")).await);
            let guest = Guest::http(&server.url(), None, era).await;
            assert_eq!(call_all(facts, &guest).await, [""; 0], "{} over HTTP, {era:?}", facts.mock);
            guest.leave().await;
            let guest = Guest::lines(&server, era).await;
            assert_eq!(call_all(facts, &guest).await, [""; 0], "{} on lines, {era:?}", facts.mock);
            guest.leave().await;
            let ran = server.ledger().iter().map(|arrival| arrival.executed.len()).sum::<usize>();
            assert_eq!(ran, 2 * facts.tools.len(), "each call ran once");
        }
    }
}

/// Calls that only make sense after another: who is removed must have been added.
const AFTER: [(&str, &str); 9] = [
    ("remove_user", "add_user"),
    ("revoke_range_from_user", "assign_range_to_user"),
    ("delete_group", "create_group"),
    ("add_users_to_group", "create_group"),
    ("remove_users_from_group", "create_group"),
    ("list_group_members", "create_group"),
    ("add_ranges_to_group", "create_group"),
    ("remove_ranges_from_group", "create_group"),
    ("list_group_ranges", "create_group"),
];

/// Objects whose members are named after accounts, which the mock has of its own.
const BY_ACCOUNT: &str = "deploy_scenario/walkthrough/basic_info/credentials/";

/// Calls one tool of a server that nobody has called before.
async fn first_call(facts: &Facts, mock: Mock, tool: &Value) -> CallToolResult {
    let server = Arc::new(MockServer::start(mock).await);
    let guest = Guest::lines(&server, Era::Modern).await;
    let earlier = AFTER.iter().filter(|(later, _)| *later == name(tool)).map(|(_, earlier)| *earlier);
    let mut result = None;
    for called in earlier.chain([name(tool)]) {
        let called = facts.tools.iter().find(|tool| name(tool) == called).expect("a tool");
        result = Some(guest.call(name(called), facts.arguments(called)).await.expect("an answer"));
    }
    guest.leave().await;
    result.expect("the tool itself was called")
}

/// What a Ludus result gives, out of its wrapping. The text says the same.
fn given(tool: &Value, result: &CallToolResult) -> Value {
    let said = serde_json::to_value(result).expect("a result is JSON");
    let structured = said["structuredContent"].clone();
    let value = if tool["wrapped"] == true { structured["result"].clone() } else { structured };
    let text = match &value {
        Value::Array(none) if none.is_empty() => Value::Null,
        Value::String(text) => text.as_str().into(),
        value => value.to_string().into(),
    };
    assert_eq!(said["content"][0]["text"], text, "{}", name(tool));
    value
}

#[tokio::test]
async fn ludus_answers_have_the_shapes_of_the_real_ones() {
    let mock = Mock::ludus();
    let shaped =
        ludus().tools.iter().filter(|tool| !tool["output_shape"].is_null() && !defies_its_schema(tool));
    let found: Vec<String> = stream::iter(shaped)
        .map(|tool| {
            let mock = mock.clone();
            async move {
                let result = first_call(ludus(), mock, tool).await;
                let found = departures(&tool["output_shape"], &given(tool, &result));
                found.into_iter().map(|found| format!("{}{found}", name(tool))).collect::<Vec<_>>()
            }
        })
        .buffered(8)
        .concat()
        .await;
    let found: Vec<String> = found.into_iter().filter(|found| !found.starts_with(BY_ACCOUNT)).collect();
    assert_eq!(found, [""; 0]);
}

/// Whether the real tool gives something else than its own schema demands: its server then refuses to pass it on.
fn defies_its_schema(tool: &Value) -> bool {
    let demanded = &tool["outputSchema"]["properties"]["result"]["type"];
    tool["wrapped"] == true && *demanded == "array" && tool["output_shape"].is_object()
}

#[tokio::test]
async fn a_result_that_defies_its_schema_is_refused_by_its_own_server() {
    let mock = Mock::ludus();
    let defiant: Vec<&Value> = ludus().tools.iter().filter(|tool| defies_its_schema(tool)).collect();
    assert_eq!(defiant.len(), 4);
    for tool in defiant {
        let result = first_call(ludus(), mock.clone(), tool).await;
        let said = serde_json::to_value(&result).expect("a result is JSON");
        let text = said["content"][0]["text"].as_str().unwrap_or_default();
        assert_eq!((&said["isError"], said.get("structuredContent")), (&json!(true), None), "{}", name(tool));
        assert!(text.starts_with("Output validation error: {'status': 'success', "), "{text}");
        assert!(text.ends_with("} is not of type 'array'"), "{text}");
    }
}

#[tokio::test]
async fn velociraptor_answers_are_one_text_twice() {
    let mock = Mock::velociraptor();
    for tool in &velociraptor().tools {
        let result = first_call(velociraptor(), mock.clone(), tool).await;
        let said = serde_json::to_value(&result).expect("a result is JSON");
        assert_eq!(said["content"][0]["text"], said["structuredContent"]["result"], "{}", name(tool));
        let text = said["content"][0]["text"].as_str().expect("a text");
        let answer: Value = serde_json::from_str(text).expect("the text is JSON");
        assert_eq!(answer["ok"], true, "{}: {text}", name(tool));
        let rows = answer["data"].as_array().cloned().unwrap_or_default();
        let columns = tool["artifact_columns"].as_object().map(columns_of).unwrap_or_default();
        let unknown = rows.iter().flat_map(columns_in).find(|column| !columns.contains(column));
        if tool["artifact_columns"].is_object() {
            assert!(!rows.is_empty(), "{} has rows to show", name(tool));
            let missing = tool["default_null_columns"].as_array().cloned().unwrap_or_default();
            assert!(
                unknown
                    .as_ref()
                    .is_none_or(|column| selected(tool, column) || missing.contains(&json!(column))),
                "{}: {unknown:?}",
                name(tool)
            );
        }
    }
}

fn columns_of(columns: &Map<String, Value>) -> Vec<String> {
    columns.keys().cloned().collect()
}

fn columns_in(row: &Value) -> Vec<String> {
    row.as_object().map(columns_of).unwrap_or_default()
}

/// Whether the tool selects that column without being asked.
fn selected(tool: &Value, column: &str) -> bool {
    let fields = tool["inputSchema"]["properties"]["Fields"]["default"].as_str().unwrap_or_default();
    fields.split(',').any(|field| field.trim() == column)
}
