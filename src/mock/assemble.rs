//! The files of one mock, put together: the catalogue's facts, the world, and our words for each tool.
//!
//! The build script puts the shipped mocks together with this very file, so it names nothing of the crate: values in,
//! values and complaints out.

use serde_json::{Map, Value, json};

/// The parts of one file: its path within the mock's folder, and what it says.
pub(crate) type Part = (String, Value);

/// A mock, put together.
pub(crate) struct Assembled {
    /// `server.yaml`.
    pub(crate) server: Value,
    /// Everything under `world/`, merged.
    pub(crate) world: Map<String, Value>,
    /// The tools in the order of the catalogue.
    pub(crate) tools: Vec<AssembledTool>,
    /// Prompts, resources, and templates of resources, each in the order of the catalogue.
    pub(crate) offers: [Vec<AssembledOffer>; 3],
}

/// One prompt, resource or template of an assembled mock.
pub(crate) struct AssembledOffer {
    /// Its name or URI.
    pub(crate) name: String,
    /// Its entry in its list.
    pub(crate) entry: Value,
    /// Its description and answers, as written; null where no file names it.
    pub(crate) words: Value,
    /// Where the words stand.
    pub(crate) file: String,
}

/// The lists of the catalogue beside its tools: the member, what names an entry, and the folder of the words.
const OFFERS: [(&str, &str, &str); 3] = [
    ("prompts", "name", "prompts"),
    ("resources", "uri", "resources"),
    ("resourceTemplates", "uriTemplate", "resources"),
];

/// One tool of an assembled mock.
pub(crate) struct AssembledTool {
    /// Its name.
    pub(crate) name: String,
    /// Its entry in `tools/list`.
    pub(crate) entry: Value,
    /// `{risk, label, wrapped}`.
    pub(crate) facts: Value,
    /// Its description and answers, as written; null where no file names it.
    pub(crate) words: Value,
    /// Where the words stand: the file, and the place in it.
    pub(crate) file: String,
}

/// Something wrong: in which file, at which JSON pointer, and what.
#[derive(Debug, PartialEq)]
pub(crate) struct Wrong {
    /// The path within the mock's folder.
    pub(crate) file: String,
    /// Where in the file.
    pub(crate) pointer: String,
    /// A fragment.
    pub(crate) message: String,
}

/// Puts the files together. Tools without words are no mistake here: whoever asks may see it otherwise.
pub(crate) fn assemble(parts: Vec<Part>) -> (Assembled, Vec<Wrong>) {
    let mut wrong = Vec::new();
    let (mut server, mut catalogue, mut world) = (Value::Null, Value::Null, Vec::new());
    let (mut words, mut prompts, mut resources) = (Vec::new(), Vec::new(), Vec::new());
    for (file, value) in parts {
        match file.split('/').next().unwrap_or_default() {
            "server.yaml" => server = value,
            "catalogue.json" | "catalogue.yaml" => catalogue = value,
            "world" => world.push((file, value)),
            "tools" => words.push((file, value)),
            "prompts" => prompts.push((file, value)),
            "resources" => resources.push((file, value)),
            _ => {}
        }
    }
    for (file, value) in [("server.yaml", &server), ("catalogue.json", &catalogue)] {
        if value.is_null() {
            wrong.push(Wrong {
                file: file.to_owned(),
                pointer: String::new(),
                message: "is missing".to_owned(),
            });
        }
    }
    let world = merge(world, &mut wrong).into_iter().map(|(name, (value, _))| (name, value)).collect();
    let mut words = merge(words, &mut wrong);
    let more = server.pointer("/conventions/entry").cloned().unwrap_or_default();
    let listed = catalogue.get("tools").and_then(Value::as_array).cloned().unwrap_or_default();
    let tools = listed.iter().map(|fact| tool(fact, &mut words, &more)).collect();
    let (mut prompts, mut resources) = (merge(prompts, &mut wrong), merge(resources, &mut wrong));
    let offers = OFFERS.map(|(member, named, folder)| {
        let words = if folder == "prompts" { &mut prompts } else { &mut resources };
        let listed = catalogue.get(member).and_then(Value::as_array).cloned().unwrap_or_default();
        listed.iter().map(|fact| offer(fact, named, words)).collect()
    });
    for (name, (_, file)) in words.into_iter().chain(prompts).chain(resources) {
        let message = format!("`{name}` is not in the catalogue");
        wrong.push(Wrong { file, pointer: format!("/{}", escaped(&name)), message });
    }
    (Assembled { server, world, tools, offers }, wrong)
}

/// All mappings as one, each member with its file.
fn merge(parts: Vec<Part>, wrong: &mut Vec<Wrong>) -> Vec<(String, (Value, String))> {
    let mut merged: Vec<(String, (Value, String))> = Vec::new();
    for (file, value) in parts {
        let Value::Object(members) = value else {
            wrong.push(Wrong { file, pointer: String::new(), message: "is no mapping".to_owned() });
            continue;
        };
        for (name, value) in members {
            match merged.iter().find(|(known, _)| *known == name) {
                Some((_, (_, other))) => {
                    let message = format!("`{name}` stands in `{other}` too");
                    wrong.push(Wrong {
                        file: file.clone(),
                        pointer: format!("/{}", escaped(&name)),
                        message,
                    });
                }
                None => merged.push((name, (value, file.clone()))),
            }
        }
    }
    merged
}

fn tool(fact: &Value, words: &mut Vec<(String, (Value, String))>, more: &Value) -> AssembledTool {
    let name = fact.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let found = words.iter().position(|(known, _)| *known == name).map(|place| words.remove(place).1);
    let (words, file) = found.unwrap_or_default();
    let mut entry = Map::new();
    entry.insert("name".to_owned(), json!(name));
    if let Some(description) = words.get("description") {
        entry.insert("description".to_owned(), description.clone());
    }
    let schema =
        fact.get("inputSchema").cloned().unwrap_or_else(|| json!({"type": "object", "properties": {}}));
    entry.insert("inputSchema".to_owned(), schema);
    for member in ["outputSchema", "annotations"] {
        entry.extend(fact.get(member).map(|value| (member.to_owned(), value.clone())));
    }
    entry.extend(more.as_object().cloned().unwrap_or_default());
    let label = fact.pointer("/policylayer/category");
    let facts = json!({"risk": fact.get("risk"), "label": label, "wrapped": fact.get("wrapped").and_then(Value::as_bool).unwrap_or_default()});
    AssembledTool { name, entry: Value::Object(entry), facts, words, file }
}

/// The catalogue's facts as they are, with our description.
fn offer(fact: &Value, named: &str, words: &mut Vec<(String, (Value, String))>) -> AssembledOffer {
    let name = fact.get(named).and_then(Value::as_str).unwrap_or_default().to_owned();
    let found = words.iter().position(|(known, _)| *known == name).map(|place| words.remove(place).1);
    let (words, file) = found.unwrap_or_default();
    let mut entry = fact.as_object().cloned().unwrap_or_default();
    entry.extend(words.get("description").map(|description| ("description".to_owned(), description.clone())));
    AssembledOffer { name, entry: Value::Object(entry), words, file }
}

/// A name as it stands in a JSON pointer.
pub(crate) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
