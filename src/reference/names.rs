//! Tools of several upstreams under one roof: which name leads where.

use std::collections::HashMap;

/// Where each listed name leads: an upstream, by its place, and the tool's name there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Table(HashMap<String, (usize, String)>);

impl Table {
    /// One upstream's names are kept; of several, each tool gets its upstream's name in front, so that a name means
    /// the same whatever the others list. A name that is ambiguous even so leads nowhere.
    pub(super) fn of(upstreams: &[&str], tools: &[Vec<String>]) -> Self {
        let mut leads: HashMap<String, Vec<(usize, String)>> = HashMap::new();
        for (place, names) in tools.iter().enumerate() {
            for name in names {
                let shown =
                    if upstreams.len() > 1 { format!("{}-{name}", upstreams[place]) } else { name.clone() };
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

/// Every upstream and tool that a name could mean, whatever the lists say.
pub(super) fn candidates<'a>(upstreams: &[&str], shown: &'a str) -> Vec<(usize, &'a str)> {
    let prefixed = |(place, name): (usize, &&str)| {
        shown.strip_prefix(*name)?.strip_prefix('-').map(|tool| (place, tool))
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
        let table = Table::of(&["a", "a-b"], &[tools(&["list", "only", "b-list"]), tools(&["list", "pay"])]);
        assert_eq!(table.find("a-only"), Some((0, "only".into())));
        assert_eq!(table.find("list"), None);
        assert_eq!(table.find("a-b-list"), None, "two tools would have this name");
        assert_eq!(table.shown(1, "pay"), Some("a-b-pay"));
        let alone = Table::of(&["lab"], &[tools(&["list"])]);
        assert_eq!(alone.shown(0, "list"), Some("list"));
    }

    #[test]
    fn a_name_can_mean_what_it_says_and_what_its_prefix_says() {
        assert_eq!(candidates(&["lab", "shop"], "lab-list"), [(0, "lab-list"), (1, "lab-list"), (0, "list")]);
    }
}
