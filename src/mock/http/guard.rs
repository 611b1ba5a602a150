//! Who may talk to the endpoint at all: the path, the host that is named, where the page came from, and the token.

use super::PATH;
use crate::mock::living::Settings;
use crate::mock::protocol::legacy::refusal;
use crate::transport::http_server::{Reply, Request};
use std::net::IpAddr;
use std::sync::Arc;

/// Lets a request in, and says who it is from where that is known.
pub(super) fn admit(settings: &Settings, request: &Request) -> Result<Arc<str>, Reply> {
    let path = request.target.split('?').next().unwrap_or_default();
    if path.trim_end_matches('/') != PATH {
        return Err(Reply::status(404));
    }
    let host = request.header("host").unwrap_or_default();
    // Beyond the loopback it is reached by names that it cannot know.
    if settings.at_home && !is_ours(settings, host) {
        return Err(forbidden("Host"));
    }
    if let Some(origin) = request.headers.get("origin") {
        let from = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
        let same = |from: &str| !settings.at_home && from == host;
        if !from.is_some_and(|from| is_ours(settings, from) || same(from)) {
            return Err(forbidden("Origin"));
        }
    }
    authorized(settings, request, host)
}

fn forbidden(header: &str) -> Reply {
    Reply::json(403, refusal(format!("Forbidden: invalid {header} header")).whole())
}

/// Whether a host with an optional port is the loopback, or one that was named. A page of another site that points its
/// name at 127.0.0.1 is neither.
fn is_ours(settings: &Settings, host: &str) -> bool {
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    let loopback = name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    loopback
        || name.eq_ignore_ascii_case("localhost")
        || settings.hosts.iter().any(|known| known == host || known == name)
}

fn authorized(settings: &Settings, request: &Request, host: &str) -> Result<Arc<str>, Reply> {
    let token = request.header("authorization").and_then(|value| value.split_once(' '));
    let token =
        token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
    let known = settings.identities.iter().find(|(known, _)| token == Some(known.as_str()));
    match known {
        Some((_, name)) => Ok(name.as_str().into()),
        None if settings.bearer.is_none() && settings.identities.is_empty() => Ok("".into()),
        None if settings.bearer.is_some() && token == settings.bearer.as_deref() => Ok("".into()),
        None => {
            let metadata = format!("http://{host}/.well-known/oauth-protected-resource{PATH}");
            let error = if token.is_some() { ", error=\"invalid_token\"" } else { "" };
            let challenge = format!("Bearer resource_metadata=\"{metadata}\"{error}");
            Err(Reply::json(401, refusal("Unauthorized").whole()).with("www-authenticate", challenge))
        }
    }
}

/// Whether a client takes that type, as far as its `Accept` says.
pub(super) fn accepts(request: &Request, wanted: &str) -> bool {
    let family = wanted.split('/').next().unwrap_or_default();
    request
        .headers
        .get_all("accept")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|range| {
            let range = range.split(';').next().unwrap_or_default().trim();
            range == wanted || range == "*/*" || range.strip_suffix("/*") == Some(family)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mock::living::tests::settings;
    use bytes::Bytes;
    use http::{HeaderMap, HeaderName, HeaderValue, Method};

    fn admitted(settings: &Settings, headers: &[(&str, &str)]) -> Result<String, u16> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap());
        }
        let peer = ([127, 0, 0, 1], 1).into();
        let request =
            Request { method: Method::POST, target: "/mcp".into(), headers: map, body: Bytes::new(), peer };
        admit(settings, &request).map(|name| name.to_string()).map_err(|reply| reply.status)
    }

    #[test]
    fn only_the_loopback_is_at_home() {
        let home = settings();
        for host in ["127.0.0.1:80", "localhost", "LOCALHOST:1", "[::1]:80", "127.9.9.9"] {
            assert_eq!(admitted(&home, &[("host", host)]), Ok(String::new()), "{host}");
        }
        for host in ["evil.test", "127.0.0.1.evil.test:80", "", "10.0.0.1"] {
            assert_eq!(admitted(&home, &[("host", host)]), Err(403), "{host}");
        }
        for (origin, expected) in [
            ("http://localhost:3000", Ok(String::new())),
            ("https://evil.test", Err(403)),
            ("null", Err(403)),
        ] {
            assert_eq!(admitted(&home, &[("host", "localhost"), ("origin", origin)]), expected, "{origin}");
        }
        let abroad = Settings { at_home: false, ..settings() };
        assert_eq!(
            admitted(&abroad, &[("host", "mock.test"), ("origin", "http://mock.test")]),
            Ok(String::new())
        );
        assert_eq!(admitted(&abroad, &[("host", "mock.test"), ("origin", "http://evil.test")]), Err(403));
        let named = Settings { hosts: vec!["mock.test".into()], ..settings() };
        assert_eq!(admitted(&named, &[("host", "mock.test:80")]), Ok(String::new()));
    }

    #[test]
    fn a_token_names_its_bearer() {
        let settings = Settings {
            bearer: Some("t".into()),
            identities: vec![("a".into(), "alice".into())],
            ..settings()
        };
        let with = |value: &str| admitted(&settings, &[("host", "localhost"), ("authorization", value)]);
        assert_eq!(with("Bearer t"), Ok(String::new()));
        assert_eq!(with("bearer a"), Ok("alice".to_owned()));
        assert_eq!((with("Bearer x"), with("Basic t"), with("t")), (Err(401), Err(401), Err(401)));
        assert_eq!(admitted(&settings, &[("host", "localhost")]), Err(401));
    }
}
