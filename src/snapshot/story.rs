//! What is stored of one scenario at one gateway, before it is redacted and rendered.
//!
//! Plain values that the runner fills. Times and lines of the file are left out on purpose: they change without any
//! change of behaviour.

use crate::transcript::Exchange;
use std::collections::BTreeMap;

/// One scenario at one gateway.
#[derive(Clone, Debug, Default)]
pub struct Story {
    /// The scenario's id.
    pub scenario: String,
    /// The scenario's file, as the user knows it.
    pub file: String,
    /// The gateway's name.
    pub gateway: String,
    /// One for each era that was spoken, the leading one first.
    pub sections: Vec<Section>,
}

/// The steps as they went in one era.
#[derive(Clone, Debug, Default)]
pub struct Section {
    /// The era as it is told to people: `legacy 2025-11-25`.
    pub label: String,
    /// Step by step, in the order of the file.
    pub steps: Vec<StepStory>,
}

/// How one step went.
#[derive(Clone, Debug, Default)]
pub struct StepStory {
    /// What the step does, in a few words: `call destroy_vm`.
    pub name: String,
    /// What came of it.
    pub came: Came,
    /// What passed on the agent's side; not stored for a group, whose order means nothing.
    pub exchanges: Vec<Exchange>,
}

/// What came of a step, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came {
    /// A word for each call, one after the other; none for a step that comes to nothing.
    InOrder(Vec<String>),
    /// How many calls of a group came to which word.
    Counted(BTreeMap<String, usize>),
}

impl Default for Came {
    fn default() -> Self {
        Self::InOrder(Vec::new())
    }
}

impl Came {
    /// One word.
    pub fn word(word: impl Into<String>) -> Self {
        Self::InOrder(vec![word.into()])
    }

    /// The words of a group, counted.
    pub fn counted<T: Into<String>>(words: impl IntoIterator<Item = T>) -> Self {
        let mut counts = BTreeMap::new();
        for word in words {
            *counts.entry(word.into()).or_default() += 1;
        }
        Self::Counted(counts)
    }
}
