//! The shapes of steps and upstreams.

use super::{TOKEN, described, filled, map, object, reference};
use crate::scenario::encoding::Encoding;
use crate::scenario::read::ENTRY;
use crate::scenario::step::Persona;
use serde_json::{Map, Value, json};

pub(super) fn definitions() -> Map<String, Value> {
    map(json!({
        "step": {"oneOf": steps()},
        "tool": {"anyOf": [
            reference("name"),
            object("A name that goes out exactly so.", json!({"exact": {"type": "string"}}), &["exact"])
        ]},
        "save": {
            "description": "Variables, each from a JSON pointer into the result.",
            "type": "object",
            "additionalProperties": {"type": "string", "pattern": "^(/.*)?$"}
        },
        "over": {
            "description": "Columns of variables, or rows of them: repeated for each row.",
            "anyOf": [
                {"type": "object", "additionalProperties": {"anyOf": [
                    {"type": "array", "minItems": 1}, {"type": "string", "pattern": "\\{\\{"}
                ]}},
                {"type": "array", "items": {"type": "object"}, "minItems": 1}
            ]
        },
        "approver": approver(),
        "change": change(false),
        "upstreams": upstreams()
    }))
}

/// Each kind of step: its own members, those it shares, and the expectation it takes.
fn steps() -> Vec<Value> {
    let voice =
        || map(json!({"session": reference("name"), "by": reference("name"), "within": reference("within")}));
    let named = || map(json!({"as": reference("name")}));
    let repeated = || {
        map(json!({
            "times": {"type": "integer", "minimum": 1}, "over": reference("over"), "save": reference("save"),
            "id": described(json!({}), "The request's id, exactly so.")
        }))
    };
    let expect = |name: &str| map(json!({"expect": reference(name)}));
    let call = map(json!({
        "call": reference("tool"), "with": {"type": "object"}, "meta": {"type": "object"},
        "headers": reference("headers"), "approver": reference("approver"), "carrying": reference("name"),
        "answer": described(json!({"enum": ["later"]}), "Leaves the answer for the step that settles the call.")
    }));
    let mut raw = object(
        "Bytes, and how they are sent.",
        json!({
            "text": {"type": "string"},
            "encoding": described(json!({"enum": Encoding::ALL.map(|(word, _)| word)}), "What the bytes of the text are; UTF-8 unless said otherwise."),
            "bytes_hex": {"type": "string", "pattern": "^(\\s*[0-9a-fA-F]\\s*[0-9a-fA-F])*\\s*$"},
            "headers": reference("headers"), "method": filled(TOKEN), "path": described(filled(r"/[^\s#]*"), "The path and query; the gateway's own path is `{{ endpoint }}`.")
        }),
        &[],
    );
    raw["dependentRequired"] = json!({"encoding": ["text"]});
    let until = object(
        "Until a calendar boundary (UTC).",
        json!({
            "until": {"enum": ["next minute", "next hour", "next day"]}
        }),
        &["until"],
    );
    let decisions = json!({"type": "object", "additionalProperties": {"enum": ["approve", "reject"]}});
    let reload =
        object("Another policy.", json!({"policy": reference("policy"), "identity": reference("name")}), &[]);
    let one = |name: &str, schema: Value| map(json!({ name: schema }));
    vec![
        step("call", "Calls a tool.", vec![call, voice(), named(), repeated(), expect("expectCall")]),
        step(
            "together",
            "Does all of these calls and sends at the same time.",
            vec![
                one("together", json!({"type": "array", "items": reference("step"), "minItems": 1})),
                expect("expectCall"),
            ],
        ),
        step(
            "agent",
            "Lets an agent without a model go after a goal.",
            vec![one("agent", agent()), expect("expectCall")],
        ),
        step(
            "list",
            "Asks for the list of tools.",
            vec![one("list", json!({"enum": ["tools"]})), voice(), named(), expect("expectList")],
        ),
        step("change", "Changes a mock's list now.", vec![one("change", reference("change"))]),
        step(
            "notice",
            "Waits for a notification.",
            vec![one("notice", reference("name")), voice(), expect("expectNotice")],
        ),
        step(
            "send",
            "Sends exactly these bytes. In a text, `{{ tools.NAME }}` is the tool's name at the gateway, and `{{ envelope }}` the object that the session's era wants in `_meta`: `{}` in the legacy era, version, capabilities and client in the modern one, whose headers are set too unless the step sets them.",
            vec![
                one("send", json!({"anyOf": [{"type": "string"}, raw]})),
                voice(),
                named(),
                repeated(),
                expect("expectCall"),
            ],
        ),
        step("wait", "Lets time pass.", vec![one("wait", json!({"anyOf": [reference("duration"), until]}))]),
        step(
            "decide",
            "Decides approvals by hand.",
            vec![one("decide", decisions), one("by", reference("name"))],
        ),
        step(
            "settle",
            "Brings a pending call to its end.",
            vec![
                one("settle", reference("name")),
                voice(),
                named(),
                one("save", reference("save")),
                expect("expectCall"),
            ],
        ),
        step(
            "stop",
            "Makes an upstream, or the `gateway`, unreachable.",
            vec![one("stop", reference("name"))],
        ),
        step("start", "Brings it back.", vec![one("start", reference("name"))]),
        step(
            "restart",
            "Stops it and starts it again.",
            vec![one("restart", reference("name")), one("expect", json!({"enum": ["orderly"]}))],
        ),
        step(
            "reload",
            "Gives the running gateway another policy.",
            vec![one("reload", json!({"anyOf": [{"type": "null"}, {"enum": ["gateway"]}, reload]}))],
        ),
        step(
            "accept",
            "Somebody accepts the entry of a tool that changed, as it is now.",
            vec![one("accept", reference("name"))],
        ),
        step("cancel", "Takes a call back that is under way.", vec![one("cancel", reference("name"))]),
        step(
            "records",
            "Looks into the gateway's own record, once everything is over.",
            vec![one("records", json!({"type": "object"})), one("expect", reference("amount"))],
        ),
        step("revoke", "Takes an identity's credential away.", vec![one("revoke", reference("name"))]),
    ]
}

fn step(word: &str, description: &str, members: Vec<Map<String, Value>>) -> Value {
    let mut all: Map<String, Value> = members.into_iter().flatten().collect();
    all.insert("given".into(), reference("given"));
    object(description, Value::Object(all), &[word])
}

fn agent() -> Value {
    object(
        "It makes the calls of its goal, and those that its character adds: `naive` makes whatever reads like a call, in a description or a result; `impatient` tries again at once what did not work.",
        json!({
            "persona": {"enum": Persona::ALL.map(|(word, _)| word)},
            "goal": {"type": "array", "items": reference("step"), "minItems": 1},
            "at_most": {"type": "integer", "minimum": 1}
        }),
        &["persona", "goal", "at_most"],
    )
}

fn approver() -> Value {
    let after = object("A decision that takes its time.", json!({"after": reference("duration")}), &[]);
    let mut choice =
        object("One of these.", json!({"approves": after, "rejects": after, "ignores": after}), &[]);
    (choice["minProperties"], choice["maxProperties"]) = (1.into(), 1.into());
    json!({"anyOf": [{"enum": ["approves", "rejects", "ignores"]}, choice]})
}

/// The members of a tool's entry.
fn entry() -> Map<String, Value> {
    let members = ENTRY.iter().map(|member| match *member {
        "title" | "description" => ((*member).to_owned(), json!({"type": "string"})),
        _ => ((*member).to_owned(), json!({})),
    });
    let known: Vec<&str> = ENTRY.into_iter().chain(["name"]).collect();
    let also = json!({
        "type": "object", "description": "Members that the protocol does not know.",
        "propertyNames": {"not": {"enum": known}}
    });
    members.chain([("also".to_owned(), also)]).collect()
}

fn change(standing: bool) -> Value {
    let mut whole = entry();
    whole.insert("name".into(), reference("name"));
    let added = object("The entry of a new tool.", Value::Object(whole), &["name"]);
    let mut members = entry();
    members.append(&mut map(json!({
        "tool": reference("name"), "remove": reference("name"), "add": {"anyOf": [reference("name"), added]},
        "notify": {"type": "boolean", "description": "Whether the server tells its clients."}
    })));
    if standing {
        members
            .insert("after".into(), json!({"type": "string", "pattern": "^[0-9]+ (list|call|session)s?$"}));
    } else {
        members.insert("upstream".into(), reference("name"));
    }
    let mut change = object("A change of one tool in a mock's list.", Value::Object(members), &[]);
    change["oneOf"] = json!([{"required": ["tool"]}, {"required": ["add"]}, {"required": ["remove"]}]);
    change
}

const MOCK: &str =
    "The mock that plays it: one that ships, or the path from this file to a folder with one of your own.";

fn upstreams() -> Value {
    let standing = change(true);
    let answers = json!({"anyOf": [
        {"type": "object"},
        {"type": "array", "items": {"type": "object", "required": ["tool"]}}
    ]});
    let upstream = object(
        "A mock, and what this scenario changes about it.",
        json!({
            "mock": described(reference("name"), MOCK),
            "answers": described(answers, "Answers that are tried before the mock's own."),
            "reads": {"enum": ["strictly", "leniently"], "description": "How forgiving its parser is."},
            "page": {"type": "integer", "minimum": 1, "description": "How many tools it lists on one page."},
            "change": {"anyOf": [standing, {"type": "array", "items": standing}]}
        }),
        &[],
    );
    json!({
        "description": "The servers behind the gateway. Each is played by a mock: one that ships, or one out of a folder of your own, named by its path from this file (`./my-mock`).",
        "anyOf": [
            {"type": "array", "items": reference("name")},
            {"type": "object", "additionalProperties": {"anyOf": [{"type": ["string", "null"]}, upstream]}}
        ]
    })
}
