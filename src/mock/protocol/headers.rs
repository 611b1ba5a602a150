//! What a modern HTTP request says twice: in its headers, for those who do not read bodies, and in its body. Both must
//! agree.

use crate::mock::parameters::Parameters;
use crate::wire::{Json, era};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::HeaderMap;

/// Methods whose `Mcp-Name` repeats a member of the parameters.
const NAMED: [(&str, &str); 3] = [("tools/call", "name"), ("prompts/get", "name"), ("resources/read", "uri")];

/// Checks method and name, and the parameters that the tool wants repeated. The complaint is the error's message.
pub(in crate::mock) fn agree(
    headers: &HeaderMap,
    frame: &Json,
    parameters: Option<&Parameters>,
) -> Result<(), String> {
    let Some(method) = frame.get("method").and_then(Json::as_str) else { return Ok(()) };
    same(headers, era::header::METHOD, method)?;
    let params = frame.get("params");
    let named = NAMED.iter().find(|(known, _)| *known == method);
    if let Some(name) = named.and_then(|(_, member)| params?.get(member)).and_then(Json::as_str) {
        same(headers, era::header::NAME, name)?;
    }
    let arguments = params.and_then(|params| params.get("arguments"));
    for parameter in parameters.into_iter().flat_map(|parameters| &parameters.0) {
        let Some(header) = &parameter.header else { continue };
        let name = format!("mcp-param-{}", header.to_ascii_lowercase());
        match arguments.and_then(|arguments| arguments.get(&parameter.name)).and_then(text) {
            Some(value) => same_value(headers, &name, &value)?,
            None if headers.contains_key(&name) => {
                return Err(format!("Header mismatch: {name} has no argument in the body"));
            }
            None => {}
        }
    }
    Ok(())
}

/// The value as a header says it; none for null and for what no header can repeat.
fn text(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Bool(value) => Some(value.to_string()),
        Json::Number(number) => Some(number.spelling().to_owned()),
        _ => None,
    }
}

fn same(headers: &HeaderMap, name: &str, body: &str) -> Result<(), String> {
    let value = one(headers, name)?;
    if value == body { Ok(()) } else { Err(mismatch(name, &value, body)) }
}

/// Numbers agree by value.
fn same_value(headers: &HeaderMap, name: &str, body: &str) -> Result<(), String> {
    let value = one(headers, name)?;
    let number = |text: &str| crate::wire::Number::from_spelling(text).map(|number| number.canonical());
    let equal =
        value == body || matches!((number(&value), number(body)), (Some(left), Some(right)) if left == right);
    if equal { Ok(()) } else { Err(mismatch(name, &value, body)) }
}

fn mismatch(name: &str, value: &str, body: &str) -> String {
    format!("Header mismatch: {name} header value '{value}' does not match body value '{body}'")
}

/// The header's one value, decoded.
fn one(headers: &HeaderMap, name: &str) -> Result<String, String> {
    let mut values = headers.get_all(name).iter();
    let (Some(first), None) = (values.next(), values.next()) else {
        let count = headers.get_all(name).iter().count();
        return Err(format!("Header mismatch: {name} header is given {count} times"));
    };
    let text =
        first.to_str().map_err(|_| format!("Header mismatch: {name} header has invalid characters"))?;
    match text.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?=")) {
        None => Ok(text.to_owned()),
        Some(coded) => {
            let decoded = BASE64_STANDARD.decode(coded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            decoded.ok_or_else(|| format!("Header mismatch: {name} header has an invalid encoding"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::parse;
    use http::{HeaderName, HeaderValue};
    use serde_json::json;

    fn check(headers: &[(&str, &str)], arguments: &str) -> Result<(), String> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap());
        }
        let frame = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"é","arguments":{arguments}}}}}"#
        );
        let schema = json!({"properties": {"n": {"type": "integer", "x-mcp-header": "Count"}}});
        agree(&map, &parse(frame.as_bytes()).unwrap(), Some(&Parameters::of(&schema)))
    }

    const METHOD: (&str, &str) = ("mcp-method", "tools/call");
    const NAME: (&str, &str) = ("mcp-name", "=?base64?w6k=?=");

    #[test]
    fn headers_repeat_the_body() {
        assert_eq!(check(&[METHOD, NAME], "{}"), Ok(()));
        assert_eq!(check(&[METHOD, NAME, ("mcp-param-count", "5.0")], r#"{"n":5}"#), Ok(()));
        for (headers, arguments) in [
            (&[NAME][..], "{}"),
            (&[METHOD], "{}"),
            (&[METHOD, METHOD, NAME], "{}"),
            (&[("mcp-method", "tools/list"), NAME], "{}"),
            (&[METHOD, ("mcp-name", "e")], "{}"),
            (&[METHOD, ("mcp-name", "=?base64?!?=")], "{}"),
            (&[METHOD, NAME], r#"{"n":5}"#),
            (&[METHOD, NAME, ("mcp-param-count", "6")], r#"{"n":5}"#),
            (&[METHOD, NAME, ("mcp-param-count", "6")], "{}"),
        ] {
            assert!(
                check(headers, arguments).unwrap_err().starts_with("Header mismatch: mcp-"),
                "{headers:?}"
            );
        }
    }
}
