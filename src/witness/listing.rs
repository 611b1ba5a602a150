//! A whole list of tools: page after page, as they came.

use super::ask::{Ask, members};
use super::session::Session;
use crate::transcript::Exchange;
use crate::wire::{Json, Message};
use std::collections::BTreeSet;
use std::time::Duration;

/// More pages than this are no list but a trap.
const MOST_PAGES: usize = 1000;

/// What `tools/list` brought.
#[derive(Clone, Debug)]
pub struct ListOutcome {
    /// One exchange for each page, in order.
    pub pages: Vec<Exchange>,
    /// The entries of all pages, in order, repeated ones included.
    pub tools: Vec<Json>,
    /// Why it is not the whole list, a fragment; `None` where it is.
    pub incomplete: Option<&'static str>,
}

impl Session {
    /// Lists the tools, following cursors; so long at most for each page.
    pub async fn list_tools(&self, patience: Duration) -> ListOutcome {
        let mut outcome = ListOutcome { pages: Vec::new(), tools: Vec::new(), incomplete: None };
        let mut seen = BTreeSet::new();
        let mut params = Json::object();
        loop {
            let page = self.start(Ask::new("tools/list", params)).wait(patience).await;
            outcome.pages.push(page);
            let response = outcome.pages.last().and_then(Exchange::response);
            let Some(Message::Response { outcome: Ok(result), .. }) = response else {
                outcome.incomplete = Some("a page without a result");
                return outcome;
            };
            match result.get("tools").and_then(Json::as_array) {
                Some(tools) => outcome.tools.extend_from_slice(tools),
                None => outcome.incomplete = Some("a page without `tools`"),
            }
            let Some(cursor) = result.get("nextCursor").filter(|cursor| !cursor.is_null()) else {
                return outcome;
            };
            if !seen.insert(cursor.to_string()) || outcome.pages.len() == MOST_PAGES {
                outcome.incomplete = Some("cursors without an end");
                return outcome;
            }
            params = members([("cursor", cursor.clone())]);
        }
    }
}
