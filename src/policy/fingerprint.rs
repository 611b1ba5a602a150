//! What an approval is bound to.

use crate::wire::Json;
use crate::wire::canonical::canonical;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// One text for one meaning of (identity, upstream, tool, arguments); any change of meaning is another.
pub fn fingerprint(identity: &str, upstream: &str, tool: &str, arguments: &Json) -> String {
    let whole = Json::Array(vec![identity.into(), upstream.into(), tool.into(), arguments.clone()]);
    Sha256::digest(canonical(&whole)).iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::parse;

    fn of(text: &str) -> String {
        fingerprint("alice", "lab", "deploy", &parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn writing_it_differently_is_the_same_call_and_any_change_another() {
        let first = of(r#"{"a":5,"b":{"c":"x"}}"#);
        assert_eq!(first.len(), 64);
        assert_eq!(first, of(r#"{ "b" : {"\u0063":"\u0078"}, "a" : 5.0 }"#));
        for changed in [
            r#"{"a":6,"b":{"c":"x"}}"#,
            r#"{"a":"5","b":{"c":"x"}}"#,
            r#"{"a":5,"b":{"c":"y"}}"#,
            r#"{"a":5,"b":{"c":"x"},"d":null}"#,
            r#"{"a":5}"#,
            r#"{"a":[5],"b":{"c":"x"}}"#,
        ] {
            assert_ne!(first, of(changed), "{changed}");
        }
        let arguments = Json::object();
        let plain = fingerprint("alice", "lab", "deploy", &arguments);
        assert_ne!(plain, fingerprint("bob", "lab", "deploy", &arguments));
        assert_ne!(plain, fingerprint("alice", "labd", "eploy", &arguments));
    }
}
