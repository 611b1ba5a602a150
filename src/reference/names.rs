//! Tools of several upstreams under one roof: which name leads where.

use crate::declared::Naming;
use std::collections::HashMap;

/// Where each listed name leads: an upstream, by its place, and the tool's name there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Table(HashMap<String, (usize, String)>);

/// What stands between an upstream's name and a tool's; `None` where a tool's name is shown alone.
pub(super) type Joint = Option<&'static str>;

/// One upstream's names are kept; of several, each tool gets its upstream's name in front, so that a name means the same
/// whatever the others list. Or it is always there.
pub(super) fn joint(upstreams: usize, declared: Option<Naming>) -> Joint {
    match declared {
        Some(Naming::Rewritten) => Some("__"),
        _ => (upstreams > 1).then_some("-"),
    }
}

/// The name under which a tool is listed.
pub(super) fn spelled(joint: Joint, upstream: &str, tool: &str) -> String {
    joint.map_or_else(|| tool.to_owned(), |joint| format!("{upstream}{joint}{tool}"))
}

impl Table {
    /// Every tool under its name. One that is ambiguous leads nowhere.
    pub(super) fn of(joint: Joint, upstreams: &[&str], tools: &[Vec<String>]) -> Self {
        let mut leads: HashMap<String, Vec<(usize, String)>> = HashMap::new();
        for (place, names) in tools.iter().enumerate() {
            for name in names {
                let shown = spelled(joint, upstreams[place], name);
                leads.entry(shown).or_default().push((place, name.clone()));
            }
        }
        let alone = |(shown, mut ways): (String, Vec<(usize, String)>)| {
            (ways.len() == 1).then(|| (shown, ways.remove(0)))
        };
        Self(leads.into_iter().filter_map(alone).collect())
    }

    /// Where a listed name leads.
    pub(super) fn find(&self, shown: &str) -> Option<(usize, String)> {
        self.0.get(shown).cloned()
    }

    /// Under which name a tool is listed.
    pub(super) fn shown(&self, place: usize, tool: &str) -> Option<&str> {
        let leads_there = |(_, way): &(&String, &(usize, String))| way.0 == place && way.1 == tool;
        self.0.iter().find(leads_there).map(|(shown, _)| shown.as_str())
    }
}

/// Every upstream and tool that a name could mean, whatever the lists say; what its prefix says comes last.
pub(super) fn candidates<'a>(joint: Joint, upstreams: &[&str], shown: &'a str) -> Vec<(usize, &'a str)> {
    let prefixed = |(place, name): (usize, &&str)| {
        shown.strip_prefix(*name)?.strip_prefix(joint?).map(|tool| (place, tool))
    };
    let plain = (0..upstreams.len()).map(|place| (place, shown));
    plain.chain(upstreams.iter().enumerate().filter_map(prefixed)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_where_they_can_be() {
        let tools = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let table = Table::of(
            joint(2, None),
            &["a", "a-b"],
            &[tools(&["list", "only", "b-list"]), tools(&["list", "pay"])],
        );
        assert_eq!(table.find("a-only"), Some((0, "only".into())));
        assert_eq!(table.find("list"), None);
        assert_eq!(table.find("a-b-list"), None, "two tools would have this name");
        assert_eq!(table.shown(1, "pay"), Some("a-b-pay"));
        let one = |declared| Table::of(joint(1, declared), &["lab"], &[tools(&["list"])]);
        assert_eq!(one(Some(Naming::WhenNeeded)).shown(0, "list"), Some("list"));
        assert_eq!(one(Some(Naming::Rewritten)).shown(0, "list"), Some("lab__list"));
        assert_eq!(one(Some(Naming::Rewritten)).find("list"), None);
    }

    #[test]
    fn a_name_can_mean_what_it_says_and_what_its_prefix_says() {
        let meanings = candidates(joint(2, None), &["lab", "shop"], "lab-list");
        assert_eq!(meanings, [(0, "lab-list"), (1, "lab-list"), (0, "list")]);
        assert_eq!(candidates(joint(1, None), &["lab"], "lab-list"), [(0, "lab-list")]);
    }
}
