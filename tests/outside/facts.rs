//! What the catalogues say of the two servers, and arguments that make sense for each tool.

use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// One server's catalogue.
pub(crate) struct Facts {
    /// The mock's name.
    pub(crate) mock: &'static str,
    /// What the server calls itself.
    pub(crate) server: (String, String),
    /// Its tools, in order.
    pub(crate) tools: Vec<Value>,
    /// What stands at the end of each entry besides the catalogue's own members.
    pub(crate) appendix: Map<String, Value>,
}

/// Both servers.
pub(crate) static SERVERS: LazyLock<[Facts; 2]> = LazyLock::new(|| {
    let tags = json!({"_meta": {"_fastmcp": {"tags": []}}});
    [
        Facts::read("ludus", include_str!("../../mocks/ludus/catalogue.json"), &tags),
        Facts::read("velociraptor", include_str!("../../mocks/velociraptor/catalogue.json"), &json!({})),
    ]
});

/// The catalogue of Ludus.
pub(crate) fn ludus() -> &'static Facts {
    &SERVERS[0]
}

/// The catalogue of Velociraptor.
pub(crate) fn velociraptor() -> &'static Facts {
    &SERVERS[1]
}

impl Facts {
    fn read(mock: &'static str, text: &str, appendix: &Value) -> Self {
        let catalogue: Value = serde_json::from_str(text).expect("a catalogue is JSON");
        let said = |member: &str| catalogue["serverInfo"][member].as_str().expect("a text").to_owned();
        Self {
            mock,
            server: (said("name"), said("version")),
            tools: catalogue["tools"].as_array().expect("a list").clone(),
            appendix: appendix.as_object().expect("an object").clone(),
        }
    }

    /// The entry of a tool as it should stand in `tools/list`, with the description that it came with.
    pub(crate) fn entry(&self, tool: &Value, description: &Value) -> Value {
        let mut entry = Map::new();
        for member in ["name", "description", "inputSchema", "outputSchema"] {
            let value = if member == "description" { description } else { &tool[member] };
            entry.insert(member.to_owned(), value.clone());
        }
        entry.extend(self.appendix.clone());
        Value::Object(entry)
    }

    /// Arguments that make sense for a tool.
    pub(crate) fn arguments(&self, tool: &Value) -> Map<String, Value> {
        match tool.get("sample_call") {
            Some(sample) => sample.as_object().expect("arguments are an object").clone(),
            None => plausible(tool),
        }
    }
}

/// A tool's name.
pub(crate) fn name(tool: &Value) -> &str {
    tool["name"].as_str().expect("a tool has a name")
}

/// What an investigator would say for each required parameter of Velociraptor's tools.
fn plausible(tool: &Value) -> Map<String, Value> {
    let linux = name(tool).starts_with("linux");
    let required = tool["inputSchema"]["required"].as_array().cloned().unwrap_or_default();
    let value = |parameter: &str| match parameter {
        "client_id" if linux => "C.21e95fb8c7406da3",
        "client_id" => "C.8d03b7e15a2c4f96",
        "hostname" => "WS01",
        "flow_id" => "F.D1K7M2QV9A4TE",
        "artifact" => "Windows.Forensics.Prefetch",
        unknown => panic!("nothing sensible is known for `{unknown}`"),
    };
    required
        .iter()
        .map(|parameter| parameter.as_str().expect("a name"))
        .map(|parameter| (parameter.to_owned(), value(parameter).into()))
        .collect()
}
