//! The servers behind the gateway, as the scenario wants them, with its canaries planted in what they say.

use super::SetupError;
use crate::mock::{self, Answer, MockServer, MockServerBuilder};
use crate::run::remote::Places;
use crate::scenario::{After, Change, Changed, Reads, Scenario, Upstream, Variables};
use crate::wire::Json;
use indexmap::IndexMap;
use serde_json::{Map, Value};

/// Starts every upstream's mock, at its place where one is given.
pub(in crate::run) async fn start(
    scenario: &Scenario,
    places: Option<&Places>,
    minted: &Variables,
) -> Result<IndexMap<String, MockServer>, SetupError> {
    let mut servers = IndexMap::new();
    for (place, (name, upstream)) in scenario.upstreams.iter().enumerate() {
        let builder = builder(name, upstream, minted)?;
        let builder =
            places.map_or_else(|| builder.clone(), |places| placed(builder.clone(), places, (place, name)));
        let server = builder.start().await.map_err(SetupError::machine("starting a mock server"))?;
        for later in &upstream.changes {
            let changed = server.change(change(later, minted)).await;
            changed.map_err(|why| SetupError::Scenario(format!("upstream `{name}`: {why}")))?;
        }
        servers.insert(name.clone(), server);
    }
    Ok(servers)
}

/// Starts every server that the gateway is told nothing of. Where it stands is a variable, to be planted as canaries are.
pub(in crate::run) async fn decoys(
    scenario: &Scenario,
    minted: &mut Variables,
) -> Result<IndexMap<String, MockServer>, SetupError> {
    let first = scenario.upstreams.values().find_map(Upstream::player);
    let mock = first.unwrap_or_else(mock::Mock::office);
    let mut servers = IndexMap::new();
    for decoy in &scenario.decoys {
        let builder = MockServer::builder(mock.clone()).name(&decoy.value);
        let server = builder.start().await.map_err(SetupError::machine("starting a mock server"))?;
        minted.set(&decoy.value, server.url());
        servers.insert(decoy.value.clone(), server);
    }
    Ok(servers)
}

/// The names of the tools that an upstream lists before anything happens.
pub(crate) fn listed(upstream: &Upstream) -> Vec<String> {
    let mut tools: Vec<String> = upstream
        .player()
        .map(|mock| mock.tools().into_iter().map(str::to_owned).collect())
        .unwrap_or_default();
    for change in upstream.changes.iter().filter(|change| change.after.is_none()) {
        match &change.what {
            Changed::Add(tool) => tools.push(tool.clone()),
            Changed::Remove(tool) => tools.retain(|known| known != tool),
            Changed::Tool(_) => {}
        }
    }
    tools
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

fn builder(name: &str, upstream: &Upstream, minted: &Variables) -> Result<MockServerBuilder, SetupError> {
    let wrong = |why: String| SetupError::Scenario(format!("upstream `{name}`: {why}"));
    let mut mock = upstream.player().ok_or_else(|| wrong(format!("no mock `{}`", upstream.mock.value)))?;
    for (tool, answers) in &upstream.answers {
        let values: Result<Vec<Answer>, _> =
            answers.iter().map(|one| serde_json::from_value(planted(&one.value, minted))).collect();
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
pub(in crate::run) fn change(change: &Change, minted: &Variables) -> mock::Change {
    let field = |(name, value): (&str, &Json)| (name.to_owned(), planted(&value.into(), minted));
    let fields: Map<String, Value> = change.fields.iter().map(field).collect();
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

/// The same with each `{{ canary }}` in its texts and names replaced by its marker; every other expression is the mock's.
fn planted(value: &Value, minted: &Variables) -> Value {
    match value {
        Value::String(text) => Value::String(marked(text, minted)),
        Value::Array(elements) => elements.iter().map(|each| planted(each, minted)).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (marked(name, minted), planted(value, minted))).collect()
        }
        other => other.clone(),
    }
}

fn marked(text: &str, minted: &Variables) -> String {
    let markers = minted.names().filter_map(|name| Some((name, minted.get(name)?.as_str()?)));
    markers.fold(text.to_owned(), |text, (name, marker)| text.replace(&format!("{{{{ {name} }}}}"), marker))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn canaries_are_planted_and_other_expressions_are_left_alone() {
        let mut minted = Variables::default();
        minted.set("order", "canary-order-1");
        let written =
            json!({"text": "do {{ order }} with {{ args.path }}", "{{ order }}": [{"a": "{{ order }}"}, 1]});
        let planted = planted(&written, &minted);
        assert_eq!(planted["text"], "do canary-order-1 with {{ args.path }}");
        assert_eq!(planted["canary-order-1"], json!([{"a": "canary-order-1"}, 1]));
    }
}
