//! JSON-RPC 2.0: what a frame is, and the frames we make.

use super::json::{Json, Object};

/// Bytes that are no JSON (JSON-RPC 2.0 section 5.1).
pub const PARSE_ERROR: i64 = -32700;
/// JSON that is no request.
pub const INVALID_REQUEST: i64 = -32600;
/// A method that does not exist here.
pub const METHOD_NOT_FOUND: i64 = -32601;
/// Parameters of the wrong shape.
pub const INVALID_PARAMS: i64 = -32602;
/// Trouble of our own.
pub const INTERNAL_ERROR: i64 = -32603;

/// One frame, by what it asks or answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// Wants an answer.
    Request {
        /// As spelled: string, number, or (against the specification) anything else.
        id: Json,
        /// The method's name.
        method: String,
        /// `params` as sent; `None` where absent.
        params: Option<Json>,
    },
    /// Wants none.
    Notification {
        /// The method's name.
        method: String,
        /// `params` as sent; `None` where absent.
        params: Option<Json>,
    },
    /// Answers a request.
    Response {
        /// The request's id; `null` where it could not be read.
        id: Json,
        /// What came of it.
        outcome: Result<Json, RpcError>,
    },
    /// Nothing that JSON-RPC knows; the reason, a fragment.
    Invalid(&'static str),
}

/// The error of a response (JSON-RPC 2.0 section 5.1).
#[derive(Clone, Debug, PartialEq)]
pub struct RpcError {
    /// The number that says what kind.
    pub code: i64,
    /// Words for people.
    pub message: String,
    /// Anything more.
    pub data: Option<Json>,
}

impl RpcError {
    /// An error without data.
    pub fn new(code: i64, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: None }
    }

    /// The same with data.
    pub fn with(mut self, data: impl Into<Json>) -> Self {
        self.data = Some(data.into());
        self
    }
}

/// A request or a notification, taken apart without copying anything.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Asks<'a> {
    /// The id; `None` for a notification.
    pub id: Option<&'a Json>,
    /// The method.
    pub method: &'a str,
    /// The parameters, if there are any.
    pub params: Option<&'a Json>,
}

impl<'a> Asks<'a> {
    /// What a value asks for; `None` where it is neither a request nor a notification.
    pub fn of(value: &'a Json) -> Option<Self> {
        let frame = value.as_object()?;
        let method = frame.get("method")?.as_str()?;
        let sound = frame.get("jsonrpc").and_then(Json::as_str) == Some("2.0");
        sound.then(|| Self { id: frame.get("id"), method, params: frame.get("params") })
    }
}

impl Message {
    /// Says what a value is as a frame. A batch is `Invalid`: take its elements one by one.
    pub fn of(value: &Json) -> Self {
        value.clone().into()
    }

    fn response(mut frame: Object) -> Self {
        let id = frame.remove("id").unwrap_or_default();
        match (frame.remove("result"), frame.remove("error")) {
            (Some(result), None) => Self::Response { id, outcome: Ok(result) },
            (None, Some(error)) => match error.get("code").and_then(Json::as_i64) {
                Some(code) => {
                    let message = error.get("message").and_then(Json::as_str).unwrap_or_default().to_owned();
                    let data = error.get("data").cloned();
                    Self::Response { id, outcome: Err(RpcError { code, message, data }) }
                }
                None => Self::Invalid("an error without an integer `code`"),
            },
            (Some(_), Some(_)) => Self::Invalid("both `result` and `error`"),
            (None, None) => Self::Invalid("neither `method`, `result` nor `error`"),
        }
    }
}

impl From<Json> for Message {
    /// The same without a copy of what may be long.
    fn from(value: Json) -> Self {
        let Json::Object(mut frame) = value else { return Self::Invalid("not an object") };
        if frame.get("jsonrpc").and_then(Json::as_str) != Some("2.0") {
            return Self::Invalid("`jsonrpc` is not \"2.0\"");
        }
        match frame.remove("method") {
            Some(Json::String(method)) => {
                let params = frame.remove("params");
                match frame.remove("id") {
                    Some(id) => Self::Request { id, method, params },
                    None => Self::Notification { method, params },
                }
            }
            Some(_) => Self::Invalid("`method` is not a string"),
            None => Self::response(frame),
        }
    }
}

/// Whether a value is a response, looked at without copying what may be long.
pub fn is_response(value: &Json) -> bool {
    let Some(frame) = value.as_object() else { return false };
    let outcome = match (frame.get("result"), frame.get("error")) {
        (Some(_), None) => true,
        (None, Some(error)) => error.get("code").and_then(Json::as_i64).is_some(),
        _ => false,
    };
    outcome && frame.get("method").is_none() && frame.get("jsonrpc").and_then(Json::as_str) == Some("2.0")
}

/// `{"jsonrpc":"2.0", ...}` with these members.
fn frame<const N: usize>(members: [(&str, Json); N]) -> Json {
    std::iter::once(("jsonrpc".to_owned(), Json::from("2.0")))
        .chain(members.into_iter().map(|(name, value)| (name.to_owned(), value)))
        .collect()
}

/// A request.
pub fn request(id: impl Into<Json>, method: &str, params: Json) -> Json {
    frame([("id", id.into()), ("method", method.into()), ("params", params)])
}

/// A notification.
pub fn notification(method: &str, params: Json) -> Json {
    frame([("method", method.into()), ("params", params)])
}

/// A successful response.
pub fn result(id: Json, result: Json) -> Json {
    frame([("id", id), ("result", result)])
}

/// An error response.
pub fn error(id: Json, error: RpcError) -> Json {
    let mut body = Object::default();
    body.set("code", error.code);
    body.set("message", error.message);
    if let Some(data) = error.data {
        body.set("data", data);
    }
    frame([("id", id), ("error", Json::Object(body))])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::parse;

    fn of(text: &str) -> Message {
        let value = parse(text.as_bytes()).unwrap();
        let message = Message::of(&value);
        assert_eq!(is_response(&value), matches!(message, Message::Response { .. }), "{text}");
        message
    }

    #[test]
    fn a_frame_is_what_its_members_say() {
        assert!(matches!(of(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#), Message::Request { .. }));
        assert!(matches!(
            of(r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#),
            Message::Request { id: Json::Null, .. }
        ));
        assert!(matches!(of(r#"{"jsonrpc":"2.0","method":"x"}"#), Message::Notification { .. }));
        assert!(matches!(
            of(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#),
            Message::Response { outcome: Ok(_), .. }
        ));
        assert!(matches!(
            of(r#"{"jsonrpc":"2.0","id":1,"error":{"code":-1}}"#),
            Message::Response { outcome: Err(_), .. }
        ));
        for bad in [
            "[]",
            "{}",
            r#"{"jsonrpc":"2.0","id":1}"#,
            r#"{"jsonrpc":"2.0","method":4}"#,
            r#"{"jsonrpc":"2.0","id":1,"error":{}}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1}}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":{},"method":4}"#,
            r#"{"jsonrpc":"1.0","id":1,"result":{}}"#,
        ] {
            assert!(matches!(of(bad), Message::Invalid(_)), "{bad}");
        }
    }

    #[test]
    fn an_error_reads_back() {
        let sent = RpcError::new(-32602, "no").with(serde_json::json!({"a": 1}));
        let value = error(Json::from(7), sent.clone());
        assert_eq!(Message::of(&value), Message::Response { id: Json::from(7), outcome: Err(sent) });
    }
}
