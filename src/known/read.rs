//! Reading `known.yaml`: every mistake at once, each with its place.

use super::{About, Day, Deviation, Known};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{self, Node, Placed, Spot};

/// The members of an entry.
const MEMBERS: [&str; 5] = ["scenario", "requirement", "gateway", "because", "until"];

/// The names that an entry may use. Where a list is empty, any name is good.
#[derive(Clone, Copy, Debug, Default)]
pub struct Vocabulary<'a> {
    /// Ids of scenarios.
    pub scenarios: &'a [&'a str],
    /// Ids of requirements.
    pub requirements: &'a [&'a str],
    /// Names of gateways.
    pub gateways: &'a [&'a str],
}

/// Reads the text of such a file. The file is named as it should be shown to people.
pub fn read(text: &str, file: &str, vocabulary: &Vocabulary<'_>) -> Result<Known, Diagnostics> {
    let root = source::read(text).map_err(|error| Diagnostics::unreadable(file, text, error))?;
    let mut told = Vec::new();
    let deviations = match (root.list(), root.noun()) {
        (Some(entries), _) => {
            entries.iter().filter_map(|entry| deviation(entry, vocabulary, &mut told)).collect()
        }
        // A file of comments alone: nothing is known yet.
        (None, "nothing") => Vec::new(),
        (None, noun) => {
            let complaint = format!("known deviations are a list, found {noun}");
            told.push(Diagnostic::mistake(root.spot, complaint).help("begin each deviation with `- `"));
            Vec::new()
        }
    };
    if told.is_empty() {
        Ok(Known { file: file.to_owned(), text: text.to_owned(), deviations })
    } else {
        Err(Diagnostics::new(file, text, told))
    }
}

fn deviation(entry: &Node, vocabulary: &Vocabulary<'_>, told: &mut Vec<Diagnostic>) -> Option<Deviation> {
    let Some(members) = entry.map() else {
        told.push(Diagnostic::mistake(
            entry.spot,
            format!("a known deviation is a mapping, found {}", entry.noun()),
        ));
        return None;
    };
    for (key, _) in members.iter().filter(|(key, _)| !MEMBERS.contains(&key.value.as_str())) {
        told.push(Diagnostic::unknown(key.spot, "member of a known deviation", &key.value, MEMBERS));
    }
    let gateway = text(entry, "gateway", told);
    let because = text(entry, "because", told);
    let until = until(entry, told);
    let about = about(entry, vocabulary, told);
    if let Some(gateway) = &gateway {
        is_known(gateway, "gateway", vocabulary.gateways, told);
    }
    Some(Deviation {
        about: about?,
        gateway: gateway?.value,
        because: because?.value,
        until: until?,
        spot: head(entry),
    })
}

/// Exactly one of the two: an entry about both would leave open when it no longer holds.
fn about(entry: &Node, vocabulary: &Vocabulary<'_>, told: &mut Vec<Diagnostic>) -> Option<About> {
    match (entry.get("scenario"), entry.get("requirement")) {
        (Some(_), None) => {
            let scenario = text(entry, "scenario", told)?;
            is_known(&scenario, "scenario", vocabulary.scenarios, told);
            Some(About::Scenario(scenario.value))
        }
        (None, Some(_)) => {
            let requirement = text(entry, "requirement", told)?;
            is_known(&requirement, "requirement", vocabulary.requirements, told);
            Some(About::Requirement(requirement.value))
        }
        (Some(_), Some(second)) => {
            let complaint = Diagnostic::mistake(
                second.spot,
                "a known deviation is about a `scenario` or a `requirement`, not both",
            );
            told.push(complaint.help("write two entries"));
            None
        }
        (None, None) => {
            told.push(Diagnostic::mistake(
                head(entry),
                "a known deviation needs `scenario` or `requirement`",
            ));
            None
        }
    }
}

fn until(entry: &Node, told: &mut Vec<Diagnostic>) -> Option<Placed<Day>> {
    let until = text(entry, "until", told)?;
    let day = until.value.parse().ok();
    if day.is_none() {
        let complaint = format!("`{}` is no day of the calendar", until.value);
        told.push(Diagnostic::mistake(until.spot, complaint).help("write the last day as `YYYY-MM-DD`"));
    }
    Some(Placed { value: day?, spot: until.spot })
}

fn text(entry: &Node, name: &str, told: &mut Vec<Diagnostic>) -> Option<Placed<String>> {
    let Some(node) = entry.get(name) else {
        told.push(Diagnostic::mistake(head(entry), format!("a known deviation needs `{name}`")));
        return None;
    };
    match node.text().filter(|text| !text.trim().is_empty()) {
        Some(text) => Some(Placed { value: text.to_owned(), spot: node.spot }),
        None => {
            let found = if node.text().is_some() { "an empty one" } else { node.noun() };
            told.push(Diagnostic::mistake(node.spot, format!("`{name}` is a text, found {found}")));
            None
        }
    }
}

fn is_known(name: &Placed<String>, noun: &str, known: &[&str], told: &mut Vec<Diagnostic>) {
    if !known.is_empty() && !known.contains(&name.value.as_str()) {
        told.push(Diagnostic::unknown(name.spot, noun, &name.value, known.iter().copied()));
    }
}

/// The first key: what a complaint about the whole entry points at.
fn head(entry: &Node) -> Spot {
    entry.map().and_then(|members| members.first()).map_or(entry.spot, |(key, _)| key.spot)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: Vocabulary<'_> = Vocabulary {
        scenarios: &["DENY-06-batch-of-a-denied-call", "RATE-01-exactly-the-maximum"],
        requirements: &["DENY-06", "RATE-01"],
        gateways: &["acme", "reference"],
    };

    #[test]
    fn a_list_is_read() {
        let text = "# looked at in October\n- {requirement: DENY-06, gateway: acme, because: \"batches: see 12\", until: 2027-01-31}\n- scenario: RATE-01-exactly-the-maximum\n  gateway: reference\n  because: a bucket\n  until: \"2026-12-01\"\n";
        let known = read(text, "known.yaml", &WORDS).unwrap();
        assert_eq!(known.deviations.len(), 2);
        let first = &known.deviations[0];
        assert_eq!(first.about, About::Requirement("DENY-06".to_owned()));
        assert_eq!((first.gateway.as_str(), first.because.as_str()), ("acme", "batches: see 12"));
        assert_eq!((first.until.value, first.until.spot.line), (Day::new(2027, 1, 31).unwrap(), 2));
        assert_eq!(known.deviations[1].about.name(), "RATE-01-exactly-the-maximum");
        assert_eq!(known.deviations[1].spot.line, 3);
        for empty in ["", "# nothing is known\n", "[]\n"] {
            assert_eq!(read(empty, "known.yaml", &WORDS).unwrap().deviations, []);
        }
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let text = "- {requirment: DENY-06, gateway: acme, because: x, until: 2027-01-31}
- {requirement: DENY-60, gateway: acem, because: \"\", until: 2027-02-30}
- {scenario: RATE-01-exactly-the-maximum, requirement: RATE-01, gateway: acme, because: 12}
- nothing
";
        let told = read(text, "known.yaml", &WORDS).unwrap_err();
        insta::assert_snapshot!(told.render(false), @r#"
        error: unknown member of a known deviation `requirment`
         --> known.yaml:1:4
          |
        1 | - {requirment: DENY-06, gateway: acme, because: x, until: 2027-01-31}
          |    ^^^^^^^^^^
          |
          = help: did you mean `requirement`?

        error: a known deviation needs `scenario` or `requirement`
         --> known.yaml:1:4
          |
        1 | - {requirment: DENY-06, gateway: acme, because: x, until: 2027-01-31}
          |    ^^^^^^^^^^

        error: unknown requirement `DENY-60`
         --> known.yaml:2:17
          |
        2 | - {requirement: DENY-60, gateway: acem, because: "", until: 2027-02-30}
          |                 ^^^^^^^
          |
          = help: did you mean `DENY-06`?

        error: unknown gateway `acem`
         --> known.yaml:2:35
          |
        2 | - {requirement: DENY-60, gateway: acem, because: "", until: 2027-02-30}
          |                                   ^^^^
          |
          = help: did you mean `acme`?

        error: `because` is a text, found an empty one
         --> known.yaml:2:50
          |
        2 | - {requirement: DENY-60, gateway: acem, because: "", until: 2027-02-30}
          |                                                  ^^

        error: `2027-02-30` is no day of the calendar
         --> known.yaml:2:61
          |
        2 | - {requirement: DENY-60, gateway: acem, because: "", until: 2027-02-30}
          |                                                             ^^^^^^^^^^
          |
          = help: write the last day as `YYYY-MM-DD`

        error: a known deviation needs `until`
         --> known.yaml:3:4
          |
        3 | - {scenario: RATE-01-exactly-the-maximum, requirement: RATE-01, gateway: acme, because: 12}
          |    ^^^^^^^^

        error: a known deviation is about a `scenario` or a `requirement`, not both
         --> known.yaml:3:56
          |
        3 | - {scenario: RATE-01-exactly-the-maximum, requirement: RATE-01, gateway: acme, because: 12}
          |                                                        ^^^^^^^
          |
          = help: write two entries

        error: `because` is a text, found a number
         --> known.yaml:3:89
          |
        3 | - {scenario: RATE-01-exactly-the-maximum, requirement: RATE-01, gateway: acme, because: 12}
          |                                                                                         ^^

        error: a known deviation is a mapping, found a text
         --> known.yaml:4:3
          |
        4 | - nothing
          |   ^^^^^^^
        "#);
    }

    #[test]
    fn any_name_is_good_where_none_is_known() {
        let text = "- {requirement: OWN-1, gateway: own, because: x, until: 2027-01-31}\n";
        assert!(read(text, "known.yaml", &Vocabulary::default()).is_ok());
        assert!(
            read(text, "known.yaml", &Vocabulary { gateways: &["acme"], ..Vocabulary::default() }).is_err()
        );
        assert!(
            read("deny: 06\n", "known.yaml", &WORDS)
                .unwrap_err()
                .to_string()
                .contains("are a list, found a mapping")
        );
        assert!(read("- [\n", "known.yaml", &WORDS).is_err());
    }
}
