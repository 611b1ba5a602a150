//! What reading alone cannot tell: whether names exist, whether a denial has an allowed twin, whether anything was
//! named in vain.

mod answers;
mod dressed;
mod literal;
mod names;
mod tools;
mod twin;
mod used;
mod walk;

pub(super) use walk::flat;

use super::document::Scenario;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{self, Node};
use indexmap::IndexMap;

/// What exists outside of the file.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The mocks, each with its tools.
    pub mocks: IndexMap<String, Vec<String>>,
    /// The requirements; empty leaves them unchecked.
    pub requirements: Vec<String>,
    /// The names of what gateways can declare; empty leaves them unchecked.
    pub declarations: Vec<String>,
}

/// Everything that is wrong with a scenario beyond its form, and what is merely odd. No mistakes: it can be run.
pub fn check(scenario: &Scenario, known: &Known) -> Diagnostics {
    let mut checking = Checking {
        scenario,
        known,
        // The text was read before, or there would be no scenario.
        root: source::read(&scenario.text).ok(),
        told: Vec::new(),
    };
    names::check(&mut checking);
    answers::check(&mut checking);
    tools::check(&mut checking);
    literal::check(&mut checking);
    dressed::check(&mut checking);
    twin::check(&mut checking);
    used::check(&mut checking);
    scenario.diagnostics(checking.told)
}

/// A check under way.
struct Checking<'a> {
    scenario: &'a Scenario,
    known: &'a Known,
    root: Option<Node>,
    told: Vec<Diagnostic>,
}

impl Checking<'_> {
    /// Where the key at that pointer into the file stands.
    fn key(&self, pointer: &str) -> source::Spot {
        self.root.as_ref().map(|root| root.key(pointer)).unwrap_or_default()
    }
}

/// A name as a token of a JSON pointer.
fn token(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests;
