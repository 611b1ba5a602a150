//! What the agent's user says to an elicitation: the profile's answer, with what the question requires filled in.

use crate::scenario::Decision;
use crate::wire::{Json, Object};

/// The answer to an elicitation (2025-06-18, client features: elicitation). What the profile says stands; members of
/// the form that it does not know of are filled in, as the decision is.
pub(super) fn reply_to(params: &Json, answer: &Json, decision: Decision) -> Json {
    let mut reply = answer.as_object().cloned().unwrap_or_default();
    let form = params.pointer("/requestedSchema/properties").and_then(Json::as_object);
    let accepts = reply.get("action").and_then(Json::as_str) == Some("accept");
    // An address to open has no form, and a refusal no content.
    if let (true, Some(form)) = (accepts, form) {
        let mut content = reply.get("content").and_then(Json::as_object).cloned().unwrap_or_default();
        for (name, property) in form
            .iter()
            .filter(|(name, _)| answer.pointer("/content").is_none_or(|said| said.get(name).is_none()))
        {
            content.set(name, value_for(property, decision));
        }
        reply.set("content", Json::Object(content));
    }
    Json::Object(reply)
}

/// A value that says yes or no in the type that is asked for; of a choice the first says yes and the last no.
fn value_for(property: &Json, decision: Decision) -> Json {
    let yes = decision == Decision::Approve;
    let choices: Vec<&Json> = ["enum", "oneOf", "anyOf"]
        .iter()
        .filter_map(|name| property.get(name)?.as_array())
        .flatten()
        .filter_map(|choice| choice.get("const").or(Some(choice)))
        .collect();
    if let Some(choice) = if yes { choices.first() } else { choices.last() } {
        return (*choice).clone();
    }
    match property.get("type").and_then(Json::as_str) {
        Some("boolean") => Json::Bool(yes),
        Some("integer" | "number") => Json::from(i64::from(yes)),
        Some("array") => Json::Array(Vec::new()),
        Some("object") => Json::Object(Object::default()),
        _ => Json::from(if yes { "approve" } else { "reject" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::parse;

    fn reply(form: &str, answer: &str, decision: Decision) -> String {
        let params = parse(format!(r#"{{"requestedSchema": {{"properties": {form}}}}}"#).as_bytes()).unwrap();
        reply_to(&params, &parse(answer.as_bytes()).unwrap(), decision).to_string()
    }

    const FORM: &str = r#"{"sure": {"type": "boolean"}, "how": {"enum": ["yes", "no"]}, "why": {"type": "string"},
        "who": {"oneOf": [{"const": "me", "title": "I"}, {"const": "nobody", "title": "Nobody"}]}}"#;

    #[test]
    fn a_form_is_filled_in_as_it_was_decided() {
        assert_eq!(
            reply(FORM, r#"{"action":"accept"}"#, Decision::Approve),
            r#"{"action":"accept","content":{"sure":true,"how":"yes","why":"approve","who":"me"}}"#
        );
        assert_eq!(
            reply(FORM, r#"{"action":"accept","content":{"why":"too risky"}}"#, Decision::Reject),
            r#"{"action":"accept","content":{"why":"too risky","sure":false,"how":"no","who":"nobody"}}"#
        );
    }

    #[test]
    fn a_refusal_has_no_content_and_an_address_no_form() {
        assert_eq!(reply(FORM, r#"{"action":"decline"}"#, Decision::Reject), r#"{"action":"decline"}"#);
        let address = parse(br#"{"mode": "url", "url": "http://x"}"#).unwrap();
        let accept = parse(br#"{"action":"accept"}"#).unwrap();
        assert_eq!(reply_to(&address, &accept, Decision::Approve), accept);
    }
}
