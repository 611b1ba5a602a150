//! The servers behind the gateway, as the scenario wants them.

use super::SetupError;
use crate::mock::{self, Answer, Mock, MockServer, MockServerBuilder};
use crate::run::remote::Places;
use crate::scenario::{After, Change, Changed, Reads, Scenario, Upstream};
use indexmap::IndexMap;
use serde_json::{Map, Value};

/// Starts every upstream's mock, at its place where one is given.
pub(in crate::run) async fn start(
    scenario: &Scenario,
    places: Option<&Places>,
) -> Result<IndexMap<String, MockServer>, SetupError> {
    let mut servers = IndexMap::new();
    for (place, (name, upstream)) in scenario.upstreams.iter().enumerate() {
        let builder = builder(name, upstream)?;
        let builder =
            places.map_or_else(|| builder.clone(), |places| placed(builder.clone(), places, (place, name)));
        let server = builder.start().await.map_err(SetupError::machine("starting a mock server"))?;
        for later in &upstream.changes {
            let changed = server.change(change(later)).await;
            changed.map_err(|why| SetupError::Scenario(format!("upstream `{name}`: {why}")))?;
        }
        servers.insert(name.clone(), server);
    }
    Ok(servers)
}

fn placed(
    mut builder: MockServerBuilder,
    places: &Places,
    (place, name): (usize, &str),
) -> MockServerBuilder {
    builder = builder.listen(places.address(place));
    if let Some(host) = places.host(name) {
        builder = builder.host(host);
    }
    match &places.bearer {
        Some(bearer) => builder.bearer(bearer),
        None => builder,
    }
}

fn builder(name: &str, upstream: &Upstream) -> Result<MockServerBuilder, SetupError> {
    let wrong = |why: String| SetupError::Scenario(format!("upstream `{name}`: {why}"));
    let mut mock = Mock::named(&upstream.mock.value)
        .ok_or_else(|| wrong(format!("no mock `{}`", upstream.mock.value)))?;
    for (tool, answers) in &upstream.answers {
        let values: Result<Vec<Answer>, _> =
            answers.iter().map(|one| serde_json::from_value(one.value.clone())).collect();
        let values = values.map_err(|error| wrong(format!("an answer of `{tool}`: {error}")))?;
        mock = mock.with_answers(tool, values).map_err(|error| wrong(error.to_string()))?;
    }
    let builder =
        MockServer::builder(mock).name(name).receipts(true).lenient(upstream.reads == Reads::Leniently);
    Ok(match upstream.page {
        Some(page) => builder.page(page),
        None => builder,
    })
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
