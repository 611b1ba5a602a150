//! Prompts, resources and completions, as a client understands them that is not ours: over HTTP and on lines, in both
//! eras.

use crate::guest::{ERAS, Guest};
use mcp_gauntlet::mock::{Mock, MockServer};
use serde_json::json;
use std::sync::Arc;

async fn look_around(guest: &Guest, way: &str) {
    let prompts = guest.prompts().await;
    assert_eq!(prompts.len(), 5, "{way}");
    assert_eq!(prompts[1]["arguments"][1], json!({"name": "arg2", "required": true}), "{way}");
    let given = json!({"arg1": "ebb", "arg2": "flow"});
    let prompt =
        guest.prompt("test_prompt_with_arguments", given.as_object().expect("it is one").clone()).await;
    let prompt = prompt.expect("it has both arguments");
    assert_eq!(prompt["messages"][0]["content"]["text"], "Compare 'ebb' with 'flow'.", "{way}");
    let refused = guest.prompt("test_prompt_with_arguments", Default::default()).await;
    assert!(refused.expect_err("it has no arguments").contains("`arg1` is missing"), "{way}");
    assert_eq!(guest.completed("test_prompt_with_arguments", "arg2", "n").await, ["noon", "night"], "{way}");

    let resources = guest.resources().await;
    let uris: Vec<_> = resources.iter().map(|resource| resource["uri"].clone()).collect();
    assert_eq!(uris, ["test://static-text", "test://static-binary", "test://watched-resource"], "{way}");
    for uri in ["test://static-text", "test://static-binary", "test://template/7/data"] {
        let read = guest.resource(uri).await.unwrap_or_else(|error| panic!("{uri}, {way}: {error}"));
        assert_eq!(read["contents"][0]["uri"], uri, "{way}");
    }
    let refused = guest.resource("test://nowhere").await;
    assert!(refused.expect_err("there is none").contains("Resource not found"), "{way}");
}

#[tokio::test]
async fn prompts_and_resources_are_understood() {
    for era in ERAS {
        let server = Arc::new(MockServer::start(Mock::conformance()).await);
        let guest = Guest::http(&server.url(), None, era).await;
        look_around(&guest, &format!("over HTTP, {era:?}")).await;
        guest.leave().await;
        let guest = Guest::lines(&server, era).await;
        look_around(&guest, &format!("on lines, {era:?}")).await;
        guest.leave().await;
        assert_eq!(server.complaints(), [""; 0]);
    }
}
