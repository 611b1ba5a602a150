//! What a server remembers between calls: the state that answers read and set, how often each call came, and how
//! often each answer was used.

use super::convention::Rendered;
use super::value::from_plain;
use minijinja::Value;
use serde_json::{Map, Value as Plain};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The memory of one living server.
#[derive(Default)]
pub(super) struct World {
    keys: Keys,
    state: Option<Value>,
    calls: HashMap<String, u64>,
    used: HashMap<(Arc<str>, usize), u64>,
    /// What calls were answered since the state was last set.
    answered: HashMap<Asked, Rendered>,
}

/// What the state holds, by name; a copy shares the values.
pub(super) type Keys = BTreeMap<String, Value>;

/// What an author wrote, as values of the state.
pub(super) fn keys(written: &Map<String, Plain>) -> Keys {
    written.iter().map(|(name, value)| (name.clone(), from_plain(value))).collect()
}

/// A call, as far as its answer may depend on it in a world that does not change: tool, arguments, who calls.
pub(super) type Asked = (Arc<str>, String, Arc<str>);

/// How many answers are kept, and how long one may be: a few megabytes at most.
const ANSWERS: usize = 256;
const LENGTH: usize = 16 << 10;

impl World {
    /// The world as it begins.
    pub(super) fn new(keys: &Keys) -> Self {
        Self { keys: keys.clone(), ..Self::default() }
    }

    /// The state as expressions see it.
    pub(super) fn state(&mut self) -> Value {
        let keys = &self.keys;
        self.state
            .get_or_insert_with(|| Value::from_pairs(keys.iter().map(|(name, value)| (name, value.clone()))))
            .clone()
    }

    /// Sets keys; all at once.
    pub(super) fn set(&mut self, changes: Vec<(String, Value)>) {
        if !changes.is_empty() {
            self.keys.extend(changes);
            self.state = None;
            self.answered.clear();
        }
    }

    /// What that call was answered, if it came before and the state is still the same.
    pub(super) fn recall(&self, asked: &Asked) -> Option<Rendered> {
        self.answered.get(asked).cloned()
    }

    /// Keeps an answer that only depends on the call and the state.
    pub(super) fn keep(&mut self, asked: Asked, rendered: &Rendered) {
        if rendered.members.len() > LENGTH {
            return;
        }
        // Who asks for so many different things is not helped by remembering a few of them.
        if self.answered.len() >= ANSWERS {
            self.answered.clear();
        }
        self.answered.insert(asked, rendered.clone());
    }

    /// Counts one more call of that kind and gives its number, from 1.
    pub(super) fn count(&mut self, call: &str) -> u64 {
        let count = self.calls.entry(call.to_owned()).or_default();
        *count += 1;
        *count
    }

    /// The number of the last call of that kind.
    pub(super) fn counted(&self, call: &str) -> u64 {
        self.calls.get(call).copied().unwrap_or(1)
    }

    /// Uses an answer that may be used only so often; whether it still could be.
    pub(super) fn spend(&mut self, tool: &Arc<str>, answer: usize, times: u64) -> bool {
        let used = self.used.entry((Arc::clone(tool), answer)).or_default();
        *used += 1;
        *used <= times
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mock::value::to_plain;
    use serde_json::json;

    #[test]
    fn an_answer_is_kept_until_the_state_changes() {
        let mut world = World::default();
        let asked = |arguments: &str| ("t".into(), arguments.to_owned(), "".into());
        world.keep(asked("{}"), &Rendered::text("a", false));
        world.keep(asked("long"), &Rendered::text(&"x".repeat(LENGTH), false));
        world.set(Vec::new());
        assert_eq!(world.recall(&asked("{}")), Some(Rendered::text("a", false)));
        assert_eq!((world.recall(&asked("[]")), world.recall(&asked("long"))), (None, None));
        world.set(vec![("a".into(), Value::from(1))]);
        assert_eq!(world.recall(&asked("{}")), None);
    }

    #[test]
    fn what_is_set_is_seen_and_what_is_counted_counts() {
        let initial = json!({"vms": [1, 2]});
        let mut world = World::new(&keys(initial.as_object().unwrap()));
        let before = world.state();
        world.set(vec![("vms".into(), Value::from(vec![1])), ("new".into(), Value::from(true))]);
        assert_eq!(to_plain(&world.state()), json!({"vms": [1], "new": true}));
        assert_eq!(to_plain(&before), initial, "a state that somebody holds does not change");
        assert_eq!((world.count("a"), world.count("a"), world.count("b"), world.counted("a")), (1, 2, 1, 2));
        let tool: Arc<str> = "t".into();
        assert!(world.spend(&tool, 0, 1) && !world.spend(&tool, 0, 1) && world.spend(&tool, 1, 1));
    }
}
