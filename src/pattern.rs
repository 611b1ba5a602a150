//! The attacks that are known, and the lists that name them, as the shipped `scenarios/patterns.yaml` says it.
//!
//! It only reads. Which scenario replays a pattern the scenario says, and how a gateway fares a run tells.

use crate::embedded::{SCENARIOS, text};
use crate::source;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// The name of the file, beside the scenarios; it is none itself.
pub const FILE: &str = "patterns.yaml";

/// Everything in the file, each by its id, in its order.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Patterns {
    /// The documented attacks, such as `K24`.
    pub patterns: IndexMap<String, Pattern>,
    /// OWASP's ids, such as `ASI02`.
    pub owasp: IndexMap<String, Term>,
    /// MITRE ATLAS's ids, such as `AML.T0101`.
    pub atlas: IndexMap<String, Term>,
}

/// One documented way to attack.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pattern {
    /// What it is called, in a few words.
    pub name: String,
    /// What a gateway can have against it; empty where it cannot be seen at a gateway.
    pub stopped_by: Vec<Control>,
    /// OWASP's ids.
    pub owasp: Vec<String>,
    /// MITRE ATLAS's ids.
    pub atlas: Vec<String>,
    /// One sentence: what is done.
    pub statement: String,
}

/// One id of a list.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// Its name in that list.
    pub name: String,
    /// One sentence of ours.
    pub statement: String,
}

/// Something that a gateway can have against an attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// The tool is denied by its name or by default.
    Deny,
    /// A rule about arguments.
    Arguments,
    /// The tool is left out of lists.
    Hide,
    /// So many, or so much, in a time.
    Limit,
    /// A person decides.
    Approval,
    /// What was listed is compared with what was listed before.
    Pinning,
    /// Lists and results are read.
    Inspection,
    /// What was called before counts.
    Sequence,
    /// Who calls counts.
    Identity,
    /// What was decided is recorded.
    Audit,
    /// Nothing passes that the protocol does not know.
    Strictness,
}

impl Control {
    /// The word for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Deny => "a denial by name or default",
            Self::Arguments => "a rule about arguments",
            Self::Hide => "hiding the tool",
            Self::Limit => "a limit",
            Self::Approval => "an approval",
            Self::Pinning => "pinning of what was listed",
            Self::Inspection => "inspection of lists and results",
            Self::Sequence => "memory of earlier calls",
            Self::Identity => "identities",
            Self::Audit => "an audit",
            Self::Strictness => "strictness about the protocol",
        }
    }
}

/// The shipped file.
pub fn shipped() -> &'static Patterns {
    static SHIPPED: LazyLock<Patterns> = LazyLock::new(|| {
        let text = text(SCENARIOS, FILE).expect("the patterns ship");
        source::typed(text).unwrap_or_else(|error| panic!("{FILE}:{}: {error}", error.spot.line))
    });
    &SHIPPED
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn whatever_is_named_is_there_and_every_pattern_is_replayed() {
        let known = shipped();
        let mut replayed = BTreeSet::new();
        let mut named: Vec<(String, Vec<String>, Vec<String>)> = Vec::new();
        for file in SCENARIOS.iter().filter(|file| file.path.starts_with("attacks/")) {
            let attack = crate::scenario::read(file.text, file.path).unwrap().attack;
            let attack = attack.unwrap_or_else(|| panic!("{} names no attack", file.path));
            assert!(!attack.patterns.is_empty() && !attack.owasp.is_empty(), "{}", file.path);
            assert!(attack.patterns.iter().all(|id| known.patterns.contains_key(id)), "{}", file.path);
            replayed.extend(attack.patterns);
            named.push((file.path.to_owned(), attack.owasp, attack.atlas));
        }
        let own =
            |(id, pattern): (&String, &Pattern)| (id.clone(), pattern.owasp.clone(), pattern.atlas.clone());
        named.extend(known.patterns.iter().map(own));
        for (who, owasp, atlas) in named {
            assert!(owasp.iter().all(|id| known.owasp.contains_key(id)), "{who}: {owasp:?}");
            assert!(atlas.iter().all(|id| known.atlas.contains_key(id)), "{who}: {atlas:?}");
        }
        assert!(known.patterns.keys().eq(replayed.iter()), "{replayed:?}");
        assert_eq!(known.patterns.len(), 42);
    }

    #[test]
    fn a_control_is_written_as_a_word() {
        let pattern: Pattern =
            source::typed("{name: x, stopped_by: [deny, pinning], owasp: [], atlas: [], statement: y}")
                .unwrap();
        assert_eq!(pattern.stopped_by, [Control::Deny, Control::Pinning]);
        assert!(
            source::typed::<Pattern>("{name: x, stopped_by: [hope], owasp: [], atlas: [], statement: y}")
                .is_err()
        );
    }
}
