//! The policy that a scenario carries: a document as written, and ways to break its rendering.

use crate::policy::Policy;
use crate::source::Spot;

/// A policy document in a scenario.
#[derive(Clone, Debug)]
pub struct PolicyText {
    /// Where it stands in the file.
    pub spot: Spot,
    /// The document, without `spoiled`.
    pub policy: Policy,
    /// How the *rendered* file is broken on purpose.
    pub spoiled: Option<Spoil>,
}

/// A way to break a policy file after it was rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Spoil {
    /// A member that the dialect does not have.
    UnknownMember,
    /// A member that the dialect does not have, in the rule of a tool.
    UnknownMemberOfARule,
    /// The file ends in the middle.
    Truncated,
    /// There is no file.
    Missing,
}

impl Spoil {
    /// The word for it in scenarios.
    pub const fn word(self) -> &'static str {
        match self {
            Self::UnknownMember => "unknown_member",
            Self::UnknownMemberOfARule => "unknown_member_of_a_rule",
            Self::Truncated => "truncated",
            Self::Missing => "missing",
        }
    }
}
