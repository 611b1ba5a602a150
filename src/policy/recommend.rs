//! The policy that a catalogue recommends for its tools, by the class of each: what reads passes, what writes or runs is
//! limited, what destroys is hidden.

use super::amount::Amount;
use super::document::{Cost, Limit, Policy, Posture, Scope, ToolRule};
use super::window::Window;

/// What kind of harm a tool can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// It only looks.
    Read,
    /// It changes something.
    Write,
    /// It runs something.
    Execute,
    /// It takes something away for good.
    Destructive,
}

impl Class {
    /// The class of that word, however it is capitalised.
    pub fn of(word: &str) -> Option<Self> {
        let classes = [Self::Read, Self::Write, Self::Execute, Self::Destructive];
        classes
            .into_iter()
            .zip(["read", "write", "execute", "destructive"])
            .find_map(|(class, known)| known.eq_ignore_ascii_case(word).then_some(class))
    }

    /// How many calls a minute the recommendation grants; nothing where it sets no limit.
    fn a_minute(self) -> Option<u64> {
        match self {
            Self::Write => Some(30),
            Self::Execute => Some(10),
            Self::Read | Self::Destructive => None,
        }
    }
}

/// The policy for these tools.
pub fn recommend<'a>(tools: impl IntoIterator<Item = (&'a str, Class)>, default: Posture) -> Policy {
    let mut policy = Policy::with_default(default);
    for (tool, class) in tools {
        if class == Class::Destructive {
            policy.hide.push(tool.to_owned());
            continue;
        }
        let limits = class.a_minute().map(|max| Limit {
            counter: format!("{tool}_rate"),
            window: Window::Minute,
            max: Amount::whole(max),
            scope: Scope::default(),
            cost: Cost::default(),
        });
        policy.tools.insert(
            tool.to_owned(),
            ToolRule { limits: limits.into_iter().collect(), ..ToolRule::default() },
        );
    }
    policy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_has_its_advice() {
        let tools = ["read", "Write", "EXECUTE", "destructive"].map(|word| (word, Class::of(word).unwrap()));
        let policy = recommend(tools, Posture::Deny);
        let text = serde_json::to_string(&policy).unwrap();
        assert_eq!(
            text,
            r#"{"version":"1","default":"deny","hide":["destructive"],"tools":{"read":{},"Write":{"limits":[{"counter":"Write_rate","window":"minute","max":30}]},"EXECUTE":{"limits":[{"counter":"EXECUTE_rate","window":"minute","max":10}]}}}"#
        );
        assert_eq!(Policy::from_json(&text).unwrap(), policy);
        assert_eq!(Class::of("harmless"), None);
    }
}
