//! Headers against headers, whichever way they went.

use super::difference::{Difference, Kind};
use std::collections::BTreeMap;

/// Headers of one connection or one moment: they say nothing about what a gateway does.
const OF_THE_MOMENT: [&str; 13] = [
    "accept-encoding",
    "connection",
    "content-length",
    "date",
    "host",
    "keep-alive",
    "mcp-session-id",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Every header that only one side has, or that has another value.
pub(super) fn headers<'a>(
    direct: impl Iterator<Item = (&'a str, &'a str)>,
    through: impl Iterator<Item = (&'a str, &'a str)>,
) -> Vec<Difference> {
    let (before, after) = (by_name(direct), by_name(through));
    let mut found = Vec::new();
    for (name, value) in &before {
        let place = format!("header {name}");
        match after.get(name) {
            Some(now) if now == value => {}
            Some(now) => {
                found.push(Difference::of(Kind::Changed, &place, shown(name, value), shown(name, now)));
            }
            None => found.push(Difference::of(Kind::Dropped, &place, shown(name, value), "")),
        }
    }
    for (name, value) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
        found.push(Difference::of(Kind::Added, &format!("header {name}"), "", shown(name, value)));
    }
    found
}

/// A credential is named, never told.
fn shown(name: &str, value: &str) -> String {
    let secret = ["authorization", "cookie", "token", "secret", "key"].iter().any(|word| name.contains(word));
    if secret { "(a credential)".to_owned() } else { value.to_owned() }
}

fn by_name<'a>(headers: impl Iterator<Item = (&'a str, &'a str)>) -> BTreeMap<&'a str, String> {
    let mut found: BTreeMap<&str, String> = BTreeMap::new();
    for (name, value) in headers.filter(|(name, _)| !OF_THE_MOMENT.contains(name)) {
        let values = found.entry(name).or_default();
        if !values.is_empty() {
            values.push_str(", ");
        }
        values.push_str(value);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(direct: &[(&str, &str)], through: &[(&str, &str)]) -> Vec<String> {
        let found = headers(direct.iter().copied(), through.iter().copied());
        let line =
            |one: Difference| format!("{} {}: {} -> {}", one.kind.word(), one.place, one.direct, one.through);
        found.into_iter().map(line).collect()
    }

    #[test]
    fn a_credential_that_is_passed_on_is_named_and_not_told() {
        let told = told(&[], &[("authorization", "Bearer s3cret")]);
        assert_eq!(told, ["added header authorization:  -> (a credential)"]);
    }

    #[test]
    fn repeated_values_count_and_those_of_the_moment_do_not() {
        let direct = [("date", "now"), ("x-a", "1"), ("x-a", "2")];
        assert_eq!(told(&direct, &[("date", "later"), ("x-a", "1, 2")]), [""; 0]);
        assert_eq!(told(&direct, &[("x-a", "1")]), ["changed header x-a: 1, 2 -> 1"]);
    }
}
