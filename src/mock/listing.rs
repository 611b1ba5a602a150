//! The tool list of a living server: which tools there are now, and the pages of `tools/list` as ready bytes.

use super::change::Changed;
use super::tool::{Tool, Words};
use super::{Answer, Entry};
use crate::wire::{Json, name};
use bytes::Bytes;
use indexmap::IndexMap;
use serde_json::{Map, Value as Plain, json};
use std::sync::{Arc, OnceLock};

/// The tools at one moment. A change makes a new listing; whoever reads the old one is not disturbed.
pub(super) struct Listing {
    tools: IndexMap<Arc<str>, Arc<Tool>>,
    /// How many tools stand on a page.
    page: Option<usize>,
    pages: OnceLock<Vec<Bytes>>,
}

/// One page: the members of its result, and whether another follows.
pub(super) struct Page<'a> {
    pub(super) members: &'a Bytes,
    pub(super) is_last: bool,
}

/// What cursors begin with; the rest is the index of the page.
const CURSOR: &str = "page-";

impl Listing {
    /// A list of these tools.
    pub(super) fn new(tools: IndexMap<Arc<str>, Arc<Tool>>, page: Option<usize>) -> Self {
        Self { tools, page: page.filter(|size| *size > 0), pages: OnceLock::new() }
    }

    /// The tool of that name.
    pub(super) fn tool(&self, name: &str) -> Option<&Arc<Tool>> {
        self.tools.get(name)
    }

    /// The tool that a careless server takes a name for; `None` where there are several, or none.
    pub(super) fn meant(&self, spelling: &str) -> Option<&Arc<Tool>> {
        let wanted = name::careless(spelling);
        let mut meant = self.tools.iter().filter(|(known, _)| name::careless(known) == wanted);
        let (_, tool) = meant.next().filter(|_| !wanted.is_empty())?;
        meant.next().is_none().then_some(tool)
    }

    /// The page that a cursor asks for; `None` for a cursor that was never given out.
    pub(super) fn page(&self, cursor: Option<&Json>) -> Option<Page<'_>> {
        let pages = self.pages.get_or_init(|| self.render());
        let index = match cursor {
            None | Some(Json::Null) => 0,
            Some(cursor) => cursor.as_str()?.strip_prefix(CURSOR)?.parse().ok().filter(|index| *index > 0)?,
        };
        let members = pages.get(index)?;
        Some(Page { members, is_last: index + 1 == pages.len() })
    }

    fn render(&self) -> Vec<Bytes> {
        let entries: Vec<&Bytes> = self.tools.values().map(|tool| &tool.text).collect();
        let size = self.page.unwrap_or(usize::MAX);
        let count = entries.len().div_ceil(size).max(1);
        let page = |index: usize| {
            let mut members = b"\"tools\":[".to_vec();
            let entries = entries.iter().skip(index.saturating_mul(size)).take(size);
            for (place, entry) in entries.enumerate() {
                members.extend_from_slice(if place > 0 { b"," } else { b"" });
                members.extend_from_slice(entry);
            }
            members.push(b']');
            if index + 1 < count {
                members.extend_from_slice(format!(",\"nextCursor\":\"{CURSOR}{}\"", index + 1).as_bytes());
            }
            Bytes::from(members)
        };
        (0..count).map(page).collect()
    }

    /// The list after a change; `None` where the tool that should change is not there.
    pub(super) fn changed(&self, change: &Changed) -> Option<Self> {
        let mut tools = self.tools.clone();
        match change {
            Changed::Tool(name, fields) => {
                let tool = tools.get_mut(name.as_str())?;
                *tool = Arc::new(tool.with_fields(fields));
            }
            Changed::Add(name, fields, answers) => {
                tools.insert(name.as_str().into(), Arc::new(added(name, fields, answers)));
            }
            Changed::Remove(name) => {
                tools.shift_remove(name.as_str())?;
            }
        }
        Some(Self::new(tools, self.page))
    }
}

fn added(name: &str, fields: &Map<String, Plain>, answers: &[Answer]) -> Tool {
    let mut entry = Map::new();
    entry.insert("name".to_owned(), json!(name));
    entry.insert("description".to_owned(), json!(""));
    entry.insert("inputSchema".to_owned(), json!({"type": "object", "properties": {}}));
    entry.extend(fields.clone());
    let words = Entry { answers: answers.to_vec(), ..Entry::default() };
    Tool::new(
        name,
        Plain::Object(entry).to_string(),
        super::tool::Facts::default(),
        Words::Read(Arc::new(words)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mock::Mock;
    use crate::wire::parse;

    fn listing(page: Option<usize>) -> Listing {
        Listing::new(Mock::ludus().0.tools.clone(), page)
    }

    fn names(page: &Page<'_>) -> Vec<String> {
        let whole = parse(&[&b"{"[..], page.members, b"}"].concat()).unwrap();
        let tools = whole.get("tools").unwrap().as_array().unwrap();
        tools.iter().map(|tool| tool.get("name").unwrap().as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn pages_follow_one_another_and_hold_everything_once() {
        let listing = listing(Some(60));
        let (mut cursor, mut seen, mut pages) = (None, Vec::new(), 0);
        loop {
            let page = listing.page(cursor.as_ref()).unwrap();
            seen.extend(names(&page));
            pages += 1;
            if page.is_last {
                break;
            }
            cursor = Some(Json::from(format!("page-{pages}")));
        }
        assert_eq!((pages, seen.len()), (4, 201));
        assert!(listing.page(Some(&Json::from("page-0"))).is_none());
        assert!(listing.page(Some(&Json::from("page-4"))).is_none());
        assert!(listing.page(Some(&Json::from(3))).is_none());
    }

    #[test]
    fn a_careless_server_takes_a_spelling_for_the_one_tool_that_it_means() {
        let listing = listing(None);
        let meant = |listing: &Listing, name: &str| listing.meant(name).map(|tool| tool.name.to_string());
        for spelling in ["Get_Range", "getRange ", "lab.get-range", "get_range\0.pdf"] {
            assert_eq!(meant(&listing, spelling).as_deref(), Some("get_range"), "{spelling:?}");
        }
        assert_eq!(meant(&listing, "get_ranges_of"), None);
        assert_eq!(meant(&listing, "\0"), None);
        let twice = listing.changed(&Changed::Add("get-range".into(), Map::new(), Vec::new())).unwrap();
        assert_eq!(meant(&twice, "getRange"), None, "it could be either");
    }

    #[test]
    fn a_change_makes_a_new_list() {
        let before = listing(None);
        let fields = json!({"description": "now reads mail", "outputSchema": null});
        let changed =
            before.changed(&Changed::Tool("list_hosts".into(), fields.as_object().unwrap().clone())).unwrap();
        let entry = |listing: &Listing| listing.tool("list_hosts").unwrap().entry().clone();
        assert_eq!(entry(&changed)["description"], "now reads mail");
        assert!(entry(&changed).get("outputSchema").is_none());
        assert_ne!(entry(&before), entry(&changed));
        let grown = changed.changed(&Changed::Add("new".into(), Map::new(), Vec::new())).unwrap();
        assert_eq!(names(&grown.page(None).unwrap()).last().map(String::as_str), Some("new"));
        let shrunk = grown.changed(&Changed::Remove("get_range".into())).unwrap();
        assert_eq!(names(&shrunk.page(None).unwrap()).len(), 201);
        assert!(shrunk.changed(&Changed::Remove("get_range".into())).is_none());
    }
}
