//! A list that came through the gateway against those of the servers themselves.

use super::difference::{Difference, Kind};
use super::exchange;
use super::twin::Twin;
use super::value::differences;
use crate::gateway::Names;
use crate::run::perform::Listed;
use crate::transcript::Exchange;
use crate::wire::{Json, Message};
use indexmap::IndexMap;

/// The place of an entry.
const ENTRY: &str = "/result/tools/*";

/// A tool of an upstream.
type Tool = (String, String);

/// What the servers list when nothing stands in front of them.
pub(super) struct Straight {
    tools: IndexMap<Tool, Json>,
    /// Server by server, page by page.
    pages: Vec<Vec<Exchange>>,
}

impl Straight {
    /// Lists at every server; `None` where one gives no whole list.
    pub(super) async fn list(twin: &mut Twin, session: &str) -> Option<Self> {
        let mut straight = Self { tools: IndexMap::new(), pages: Vec::new() };
        for upstream in twin.upstreams() {
            let outcome = twin.list(&upstream, session).await?;
            if outcome.incomplete.is_some() {
                return None;
            }
            straight
                .tools
                .extend(outcome.tools.into_iter().map(|entry| ((upstream.clone(), name_of(&entry)), entry)));
            straight.pages.push(outcome.pages);
        }
        Some(straight)
    }

    /// Every difference of a list that came through.
    pub(super) fn against(&self, listed: &Listed, names: &Names) -> Vec<Difference> {
        let mut found = self.entries(listed, names);
        // What several servers say around their lists cannot all be said around one.
        if let ([only], Some(through)) = (self.pages.as_slice(), listed.pages.first())
            && let Some(first) = only.first()
        {
            found.extend(exchange::around(first, through));
            found.extend(differences("/result", &frame_of(first), &frame_of(through)));
            if only.len() != listed.pages.len() {
                found.push(Difference::of(Kind::Changed, "number of pages", only.len(), listed.pages.len()));
            }
        }
        found
    }

    /// Every entry against the one of the same tool, whatever the gateway calls it.
    fn entries(&self, listed: &Listed, names: &Names) -> Vec<Difference> {
        let mut after: IndexMap<Tool, Json> = IndexMap::new();
        let mut found = Vec::new();
        for mut entry in listed.pages.iter().flat_map(tools_of) {
            let shown = name_of(&entry);
            match self.meant(&shown, names) {
                Some(known) => {
                    entry
                        .as_object_mut()
                        .into_iter()
                        .for_each(|members| members.set("name", known.1.clone()));
                    after.insert(known, entry);
                }
                None => found.push(Difference::of(Kind::Added, ENTRY, "", shown)),
            }
        }
        for (tool, entry) in &self.tools {
            match after.get(tool) {
                Some(now) => found.extend(differences(ENTRY, entry, now)),
                None => found.push(Difference::of(Kind::Dropped, ENTRY, &tool.1, "")),
            }
        }
        let kept: Vec<&Tool> = self.tools.keys().filter(|tool| after.contains_key(*tool)).collect();
        let now: Vec<&Tool> = after.keys().collect();
        if kept != now {
            found.push(Difference::of(
                Kind::Reordered,
                "/result/tools",
                first_names(&kept),
                first_names(&now),
            ));
        }
        found
    }

    /// The tool that an agent means; one that came to the list while the scenario went on is in no table, and keeps its
    /// name.
    fn meant(&self, shown: &str, names: &Names) -> Option<Tool> {
        let known = names.meant(shown).map(|(upstream, tool)| (upstream.to_owned(), tool.to_owned()));
        let same_name = || self.tools.keys().find(|(_, tool)| *tool == shown).cloned();
        known.or_else(same_name).filter(|known| self.tools.contains_key(known))
    }
}

fn name_of(entry: &Json) -> String {
    entry.get("name").and_then(Json::as_str).unwrap_or_default().to_owned()
}

fn first_names(tools: &[&Tool]) -> String {
    tools.iter().take(3).map(|(_, tool)| tool.as_str()).collect::<Vec<_>>().join(", ")
}

fn tools_of(page: &Exchange) -> Vec<Json> {
    match page.response() {
        Some(Message::Response { outcome: Ok(result), .. }) => {
            result.get("tools").and_then(Json::as_array).unwrap_or_default().to_vec()
        }
        _ => Vec::new(),
    }
}

/// A page's result without its tools and its cursor, which are compared over all pages.
fn frame_of(page: &Exchange) -> Json {
    let mut result = match page.response() {
        Some(Message::Response { outcome: Ok(result), .. }) => result.clone(),
        _ => Json::Null,
    };
    if let Some(members) = result.as_object_mut() {
        members.remove("tools");
        members.remove("nextCursor");
    }
    result
}
