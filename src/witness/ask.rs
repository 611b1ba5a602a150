//! What is asked, and how an era dresses it: `_meta` in the frame, headers around it.

use crate::wire::era::{header, meta};
use crate::wire::{Era, Json, Object, Revision, parse, parse_lenient, rpc};
use base64::Engine as _;
use bytes::Bytes;
use http::Method;

/// A request in the session's era.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    /// The method's name.
    pub method: String,
    /// Its parameters.
    pub params: Json,
    /// Its id; the session counts where none is given.
    pub id: Option<Json>,
    /// Members for `_meta`; they win over those of the era.
    pub meta: Option<Json>,
    /// Headers that replace the session's own of that name, or come to them.
    pub headers: Vec<(String, String)>,
}

impl Ask {
    /// A request with these parameters.
    pub fn new(method: &str, params: Json) -> Self {
        Self { method: method.to_owned(), params, ..Self::default() }
    }

    /// A `tools/call`.
    pub fn call(tool: &str, arguments: Json) -> Self {
        Self::new("tools/call", members([("name", tool.into()), ("arguments", arguments)]))
    }
}

/// Bytes that go out as they are.
#[derive(Clone, Debug, Default)]
pub struct Raw {
    /// The body, or the line (a line feed is added where it ends in none).
    pub bytes: Bytes,
    /// What the bytes say before they were packed; headers repeat it. `None` where they are plain.
    pub plain: Option<Bytes>,
    /// Headers that replace the session's own of that name, or come to them.
    pub headers: Vec<(String, String)>,
    /// Names of the session's own headers that are left out.
    pub without: Vec<String>,
    /// The HTTP verb; `POST` where none is given.
    pub method: Option<Method>,
    /// Path and query in place of the target's own.
    pub path: Option<String>,
    /// The id that an answer would bear.
    pub id: Option<Json>,
}

/// What the session adds to what is asked.
#[derive(Clone, Debug)]
pub(super) struct Dress {
    /// `None` until it is known: `initialize` itself bears no revision outside its parameters.
    pub(super) revision: Option<Revision>,
    pub(super) session: Option<String>,
    pub(super) capabilities: Json,
    pub(super) client: Json,
}

/// What goes out, ready.
#[derive(Clone, Debug)]
pub(super) struct Parcel {
    pub(super) id: Option<Json>,
    pub(super) bytes: Bytes,
    pub(super) verb: Method,
    pub(super) path: Option<String>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) without: Vec<String>,
}

impl Dress {
    pub(super) fn is_modern(&self) -> bool {
        self.revision.is_some_and(|revision| revision.era() == Era::Modern)
    }

    /// A request or, without an id, a notification.
    pub(super) fn ask(&self, ask: Ask, id: Option<Json>) -> Parcel {
        let params = self.with_meta(ask.params, ask.meta.as_ref());
        let frame = match &id {
            Some(id) => rpc::request(id.clone(), &ask.method, params),
            None => rpc::notification(&ask.method, params),
        };
        let headers = set(self.headers(&frame), ask.headers);
        let (bytes, without) = (frame.to_bytes().into(), Vec::new());
        Parcel { id, bytes, verb: Method::POST, path: None, headers, without }
    }

    /// Bytes as they are, under the headers that a client would put on them.
    pub(super) fn raw(&self, raw: Raw) -> Parcel {
        let plain = raw.plain.as_ref().unwrap_or(&raw.bytes);
        // Whoever smuggles repeats what the frame is meant to say, also where it is no JSON by the letter.
        let frame = parse(plain).or_else(|_| parse_lenient(plain)).unwrap_or_default();
        let mut headers = self.headers(&frame);
        if raw.bytes.is_empty() {
            headers.retain(|(name, _)| name != "content-type");
        }
        let headers = set(headers, raw.headers);
        let verb = raw.method.unwrap_or(Method::POST);
        Parcel { id: raw.id, bytes: raw.bytes, verb, path: raw.path, headers, without: raw.without }
    }

    /// What each request of the era says in `_meta`: nothing in the legacy one.
    pub(super) fn envelope(&self) -> Object {
        let mut said = Object::default();
        if let (true, Some(revision)) = (self.is_modern(), self.revision) {
            said.set(meta::VERSION, revision.as_str());
            said.set(meta::CLIENT, self.client.clone());
            said.set(meta::CAPABILITIES, self.capabilities.clone());
        }
        said
    }

    fn with_meta(&self, params: Json, own: Option<&Json>) -> Json {
        let mut added = self.envelope();
        for (name, value) in own.and_then(Json::as_object).into_iter().flat_map(Object::iter) {
            added.set(name, value.clone());
        }
        let mut params = if params.is_null() { Json::object() } else { params };
        match params.as_object_mut() {
            Some(object) if !added.0.is_empty() => object.set("_meta", Json::Object(added)),
            _ => {}
        }
        params
    }

    fn headers(&self, frame: &Json) -> Vec<(String, String)> {
        let mut headers = vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("accept".to_owned(), "application/json, text/event-stream".to_owned()),
        ];
        let mut add = |name: &str, value: &str| headers.push((name.to_owned(), value.to_owned()));
        if let Some(session) = &self.session {
            add(header::SESSION, session);
        }
        if let Some(revision) = self.revision.filter(|revision| revision.has_version_header()) {
            add(header::VERSION, revision.as_str());
        }
        if self.is_modern()
            && let Some(method) = frame.get("method").and_then(Json::as_str)
        {
            add(header::METHOD, &as_header(method));
            if let Some(name) = named(method).and_then(|place| frame.pointer(place)).and_then(Json::as_str) {
                add(header::NAME, &as_header(name));
            }
        }
        headers
    }
}

/// Where a method names the thing that it is about.
fn named(method: &str) -> Option<&'static str> {
    match method {
        "tools/call" | "prompts/get" => Some("/params/name"),
        "resources/read" => Some("/params/uri"),
        _ => None,
    }
}

/// A value as the modern era puts it into a header: in base64 where it could not stand there unharmed.
fn as_header(value: &str) -> String {
    let plain = value.bytes().all(|byte| matches!(byte, b' '..=b'~')) && value.trim() == value;
    if plain && !value.starts_with("=?base64?") {
        return value.to_owned();
    }
    format!("=?base64?{}?=", base64::engine::general_purpose::STANDARD.encode(value))
}

/// The headers with others put in their place, or after them.
pub(super) fn set(
    mut headers: Vec<(String, String)>,
    others: Vec<(String, String)>,
) -> Vec<(String, String)> {
    headers.retain(|(name, _)| !others.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)));
    headers.extend(others);
    headers
}

/// An object of these members.
pub(super) fn members<const N: usize>(members: [(&str, Json); N]) -> Json {
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dress(revision: Option<Revision>) -> Dress {
        let client = members([("name", "c".into())]);
        Dress { revision, session: Some("s".into()), capabilities: Json::object(), client }
    }

    fn header<'a>(parcel: &'a Parcel, name: &str) -> Option<&'a str> {
        parcel.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    #[test]
    fn legacy_frames_are_bare_and_say_the_revision_where_it_is_said() {
        let asked = |revision| dress(Some(revision)).ask(Ask::call("a", Json::object()), Some(Json::from(7)));
        let parcel = asked(Revision::V2025_06_18);
        let plain = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a","arguments":{}}}"#;
        assert_eq!(parcel.bytes, plain);
        assert_eq!(
            (header(&parcel, "mcp-protocol-version"), header(&parcel, "mcp-session-id")),
            (Some("2025-06-18"), Some("s"))
        );
        assert_eq!(
            (header(&parcel, "mcp-method"), header(&asked(Revision::V2025_03_26), "mcp-protocol-version")),
            (None, None)
        );
    }

    #[test]
    fn modern_frames_carry_all_that_is_needed_and_own_meta_wins() {
        let mut ask = Ask::call("a b", Json::object());
        ask.meta = Some(members([("progressToken", 1.into()), (meta::VERSION, "1999-01-01".into())]));
        ask.headers = vec![("Mcp-Name".into(), "other".into())];
        let parcel = dress(Some(Revision::V2026_07_28)).ask(ask, Some(Json::from("x")));
        let frame = parse(&parcel.bytes).unwrap();
        let own = frame.pointer("/params/_meta").unwrap();
        assert_eq!(own.get(meta::VERSION).unwrap().as_str(), Some("1999-01-01"));
        assert!(
            own.get(meta::CAPABILITIES).is_some()
                && own.get(meta::CLIENT).is_some()
                && own.get("progressToken").is_some()
        );
        assert_eq!(
            (header(&parcel, "mcp-method"), header(&parcel, "Mcp-Name")),
            (Some("tools/call"), Some("other"))
        );
        assert_eq!(header(&parcel, "mcp-name"), None);
    }

    #[test]
    fn names_that_no_header_can_hold_are_wrapped() {
        for (name, held) in [
            ("a b", "a b"),
            ("a ", "=?base64?YSA=?="),
            ("ä", "=?base64?w6Q=?="),
            ("=?base64?x", "=?base64?PT9iYXNlNjQ/eA==?="),
        ] {
            assert_eq!(as_header(name), held);
        }
    }

    #[test]
    fn the_envelope_of_raw_bytes_is_that_of_what_is_asked() {
        let modern = dress(Some(Revision::V2026_07_28));
        let parcel = modern.ask(Ask::call("a", Json::object()), Some(Json::from(1)));
        let asked = parse(&parcel.bytes).unwrap().pointer("/params/_meta").cloned();
        assert_eq!(asked, Some(Json::Object(modern.envelope())));
        for legacy in [None, Some(Revision::V2025_11_25)] {
            assert_eq!(dress(legacy).envelope(), Object::default());
        }
    }

    #[test]
    fn headers_of_modern_bytes_repeat_what_they_say_packed_or_careless() {
        let modern = dress(Some(Revision::V2026_07_28));
        let said = |raw: Raw| {
            let parcel = modern.raw(raw);
            [header::VERSION, header::METHOD, header::NAME]
                .map(|name| self::header(&parcel, name).map(str::to_owned))
        };
        let whole = ["2026-07-28", "tools/call", "b"].map(|value| Some(value.to_owned()));
        let twice = Bytes::from(r#"{"method":"tools/call","params":{"name":"a","name":"b"}}"#);
        let careless = Bytes::from(r#"{"method":"tools/call",/**/"params":{"name":"b",},}"#);
        assert_eq!(said(Raw { bytes: twice.clone(), ..Raw::default() }), whole);
        assert_eq!(said(Raw { bytes: careless, ..Raw::default() }), whole);
        let packed = Raw { bytes: Bytes::from_static(&[31, 139]), ..Raw::default() };
        assert_eq!(said(Raw { plain: Some(twice.clone()), ..packed.clone() }), whole);
        assert_eq!(said(packed)[1..], [None, None]);
        let own = vec![("Mcp-Name".to_owned(), "a".to_owned())];
        assert_eq!(said(Raw { bytes: twice, headers: own, ..Raw::default() })[2], None);
    }

    #[test]
    fn raw_bytes_stay_as_they_are_and_headers_can_be_replaced() {
        let raw = Raw {
            bytes: Bytes::from("{\"a\":1,}"),
            headers: vec![("Accept".into(), "*/*".into())],
            ..Raw::default()
        };
        let parcel = dress(Some(Revision::V2025_11_25)).raw(raw);
        assert_eq!((&parcel.bytes[..], parcel.verb.as_str()), (&b"{\"a\":1,}"[..], "POST"));
        assert_eq!((header(&parcel, "accept"), header(&parcel, "Accept")), (None, Some("*/*")));
        let empty = dress(None).raw(Raw { method: Some(Method::GET), ..Raw::default() });
        assert_eq!((header(&empty, "content-type"), header(&empty, "mcp-protocol-version")), (None, None));
    }
}
