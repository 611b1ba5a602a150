//! What HTTP can carry of a frame: a method, a path, headers. What a template says is known only when it is filled.

use super::Told;
use super::value::{entries, text};
use crate::diagnostic::Diagnostic;
use crate::source::{Node, Spot, Value};
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, Method};

/// HTTP headers by name; `null` takes one away.
pub(super) fn headers(node: &Node, told: &mut Told) -> Vec<(String, Option<String>)> {
    let mut read = Vec::new();
    for (key, node) in entries(node, "a mapping of headers", told) {
        let can = HeaderName::from_bytes(key.value.as_bytes()).is_ok();
        let noun = ("header name", "a name has letters, digits and `-`");
        told.extend(uncarried((&key.value, key.spot), can, noun));
        let value = if let Value::Null = node.value { None } else { text(node, told) };
        if let Some(value) = &value {
            let noun = ("header value", "HTTP has one line for it, without control characters");
            told.extend(uncarried((value, node.spot), HeaderValue::try_from(value).is_ok(), noun));
        }
        read.push((key.value.clone(), value));
    }
    read
}

/// The method of a request.
pub(super) fn method(node: &Node, told: &mut Told) -> Option<String> {
    let method = text(node, told)?;
    let can = Method::from_bytes(method.as_bytes()).is_ok();
    told.extend(uncarried((&method, node.spot), can, ("method", "write it like `PUT`, without spaces")));
    Some(method)
}

/// The path of a request, and perhaps a query.
pub(super) fn path(node: &Node, told: &mut Told) -> Option<String> {
    let path = text(node, told)?;
    let can = path.starts_with('/') && path.parse::<PathAndQuery>().is_ok_and(|whole| whole == *path);
    let help = "it begins with `/`, and has neither spaces nor `#`: `%20` and `%23` stand for them";
    told.extend(uncarried((&path, node.spot), can, ("path", help)));
    Some(path)
}

fn uncarried(
    (text, spot): (&str, Spot),
    can: bool,
    (noun, help): (&str, &'static str),
) -> Option<Diagnostic> {
    let complaint =
        || Diagnostic::mistake(spot, format!("`{text}` is no {noun} that HTTP can carry")).help(help);
    (!can && !text.contains("{{")).then(complaint)
}
