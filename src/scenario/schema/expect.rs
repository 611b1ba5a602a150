//! The shapes of expectations.

use super::{map, object, reference, words};
use crate::scenario::expect::Verdict;
use crate::scenario::read::CONDITIONS;
use serde_json::{Map, Value, json};

pub(super) fn definitions() -> Map<String, Value> {
    let verdicts = Verdict::ALL.map(Verdict::word);
    let counts: Map<String, Value> =
        verdicts.iter().map(|word| ((*word).to_owned(), reference("amount"))).collect();
    let mut counts = object("How many calls came to which verdict.", Value::Object(counts), &[]);
    counts["minProperties"] = 1.into();
    map(json!({
        "verdict": {"enum": words(&verdicts)},
        "verdicts": {"anyOf": [reference("verdict"), {"type": "array", "items": reference("verdict"), "minItems": 1}]},
        "amount": {"anyOf": [reference("count"), object("So many.", json!({
            "at_least": reference("count"), "at_most": reference("count")
        }), &[])]},
        "counts": counts,
        "condition": condition(),
        "pattern": {
            "description": "A condition, or a value of which what is written must hold.",
            "anyOf": [
                reference("condition"),
                {
                    "type": "object",
                    "propertyNames": {"not": {"enum": words(&CONDITIONS)}},
                    "additionalProperties": reference("pattern")
                },
                {"type": "array", "items": reference("pattern")},
                {"type": ["string", "number", "boolean", "null"]}
            ]
        },
        "textPattern": {"anyOf": [reference("condition"), {"type": ["string", "number", "boolean", "null"]}]},
        "headerPatterns": {"type": "object", "additionalProperties": reference("textPattern")},
        "expectCall": {
            "description": "A verdict, one of several, runs in order, counts, counts for each session, or details.",
            "anyOf": [
                reference("verdicts"),
                {"type": "array", "items": reference("counts"), "minItems": 1},
                reference("counts"),
                {"type": "object", "additionalProperties": reference("counts"), "minProperties": 1},
                reference("details")
            ]
        },
        "details": details(),
        "expectList": {"anyOf": [reference("verdicts"), listing()]},
        "expectNotice": {"enum": ["arrives", "absent"]}
    }))
}

fn condition() -> Value {
    let each = |word: &str| match word {
        "matches" => json!({"type": "string", "format": "regex"}),
        "absent" | "present" => json!({"type": "boolean"}),
        "not" | "contains" => reference("pattern"),
        _ => json!(true),
    };
    let members: Map<String, Value> =
        CONDITIONS.map(|word| (word.to_owned(), each(word))).into_iter().collect();
    let mut condition = object("All of these conditions.", Value::Object(members), &[]);
    condition["minProperties"] = 1.into();
    condition
}

fn details() -> Value {
    let status = json!({"type": "integer", "minimum": 100, "maximum": 599});
    let statuses = json!({"anyOf": [status, {"type": "array", "items": status}]});
    let http = object(
        "The head of the HTTP response.",
        json!({
            "status": statuses, "headers": reference("headerPatterns"),
            "header_absent": reference("names"), "body": reference("textPattern")
        }),
        &[],
    );
    let arrived = object(
        "What arrived.",
        json!({
            "name": reference("name"), "arguments": reference("pattern"), "meta": reference("pattern"),
            "headers": reference("headerPatterns"), "header_absent": reference("names"),
            "arrivals": reference("amount"), "abandoned": {"type": "boolean"}
        }),
        &[],
    );
    object(
        "A verdict and what can be said beyond it.",
        json!({
            "verdict": reference("verdicts"),
            "reason": reference("textPattern"),
            "answer": reference("pattern"),
            "error": reference("pattern"),
            "reply": reference("pattern"),
            "same_as": reference("name"),
            "http": {"anyOf": [statuses, http]},
            "upstream": arrived,
            "executions": reference("amount"),
            "progress": reference("amount"),
            "retry_after": hint(),
            "within": reference("duration")
        }),
        &[],
    )
}

fn hint() -> Value {
    let members = json!({"at_least": reference("duration"), "at_most": reference("duration")});
    let mut hint = object("In what time the agent is told to try again, if it is told.", members, &[]);
    hint["minProperties"] = 1.into();
    hint
}

fn listing() -> Value {
    let entry = json!({"anyOf": [
        {"type": "string", "pattern": "^(absent|same_as .+)$"},
        {"type": "object"}
    ]});
    object(
        "What the list of tools should look like.",
        json!({
            "includes": reference("names"),
            "excludes": reference("names"),
            "exactly": reference("names"),
            "same_as": reference("name"),
            "verdict": reference("verdicts"),
            "entry": {
                "type": "object",
                "additionalProperties": {"anyOf": [entry, {"type": "array", "items": entry}]}
            }
        }),
        &[],
    )
}
