//! The servers behind the gateway, as the scenario wants them.

use super::SetupError;
use crate::mock::{self, Answer, Mock, MockServer};
use crate::scenario::{After, Change, Changed, Reads, Scenario, Upstream};
use indexmap::IndexMap;
use serde_json::{Map, Value};

/// Starts every upstream's mock.
pub(in crate::run) async fn start(scenario: &Scenario) -> Result<IndexMap<String, MockServer>, SetupError> {
    let mut servers = IndexMap::new();
    for (name, upstream) in &scenario.upstreams {
        servers.insert(name.clone(), start_one(name, upstream).await?);
    }
    Ok(servers)
}

async fn start_one(name: &str, upstream: &Upstream) -> Result<MockServer, SetupError> {
    let wrong = |why: String| SetupError::Scenario(format!("upstream `{name}`: {why}"));
    let mut mock = Mock::named(&upstream.mock.value)
        .ok_or_else(|| wrong(format!("no mock `{}`", upstream.mock.value)))?;
    for (tool, answers) in &upstream.answers {
        let values: Result<Vec<Answer>, _> =
            answers.iter().map(|one| serde_json::from_value(one.value.clone())).collect();
        let values = values.map_err(|error| wrong(format!("an answer of `{tool}`: {error}")))?;
        mock = mock.with_answers(tool, values).map_err(|error| wrong(error.to_string()))?;
    }
    let mut builder =
        MockServer::builder(mock).name(name).receipts(true).lenient(upstream.reads == Reads::Leniently);
    if let Some(page) = upstream.page {
        builder = builder.page(page);
    }
    let server = builder.start().await.map_err(SetupError::machine("starting a mock server"))?;
    for later in &upstream.changes {
        server.change(change(later)).await.map_err(wrong)?;
    }
    Ok(server)
}

/// What a tool answers that appears while a scenario goes on.
fn done() -> Answer {
    serde_json::from_value(serde_json::json!({"text": "done"})).expect("an answer of the mock's own format")
}

/// A change of a list, in the mock's own words.
pub(in crate::run) fn change(change: &Change) -> mock::Change {
    let fields: Map<String, Value> =
        change.fields.iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    mock::Change {
        what: match &change.what {
            Changed::Tool(tool) => mock::Changed::Tool(tool.clone(), fields),
            Changed::Add(tool) => mock::Changed::Add(tool.clone(), fields, vec![done()]),
            Changed::Remove(tool) => mock::Changed::Remove(tool.clone()),
        },
        notify: change.notify,
        after: change.after.map(|after| match after {
            After::Lists(count) => mock::After::Lists(count),
            After::Calls(count) => mock::After::Calls(count),
            After::Sessions(count) => mock::After::Sessions(count),
        }),
    }
}
