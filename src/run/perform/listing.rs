//! Lists of tools, under the names that the servers know, and notifications.

use super::Trouble;
use crate::run::stage::{Opened, Stage};
use crate::scenario::{Expect, List, Notice, NoticeExpect, Step};
use crate::transcript::{Exchange, Received};
use crate::wire::Json;
use indexmap::IndexMap;
use std::time::{Duration, Instant};

/// How long a notification is given that should not come.
const ABSENCE: Duration = Duration::from_millis(500);

/// A list of tools, as the agent got it.
#[derive(Clone, Debug, Default)]
pub(in crate::run) struct Listed {
    /// Each entry by the name that the server knows; the gateway's own tools by the name that they have.
    pub(in crate::run) tools: IndexMap<String, Json>,
    /// The pages.
    pub(in crate::run) pages: Vec<Exchange>,
    /// Whether every page was a list.
    pub(in crate::run) whole: bool,
}

/// Asks for the list, all pages of it.
pub(super) async fn list(stage: &Stage, list: &List) -> Result<Listed, Trouble> {
    let patience = stage.patience_of(&list.voice);
    let open = match stage.session(&stage.voice_name(&list.voice)).await {
        Opened::Open(open) => open,
        Opened::Refused(exchange) => return Ok(Listed { pages: vec![exchange], ..Listed::default() }),
    };
    let outcome = open.list_tools(patience).await;
    let whole = outcome.incomplete.is_none();
    let mut tools = IndexMap::new();
    for mut entry in outcome.tools {
        let shown = entry.get("name").and_then(Json::as_str).unwrap_or_default().to_owned();
        let known = stage.theatre.names.meant(&shown).map_or(shown, |(_, tool)| tool.to_owned());
        if let Some(members) = entry.as_object_mut() {
            members.set("name", known.clone());
        }
        tools.insert(known, entry);
    }
    Ok(Listed { tools, pages: outcome.pages, whole })
}

/// Waits for a notification that came since the last change.
pub(super) async fn notice(
    stage: &Stage,
    notice: &Notice,
    step: &Step,
    since: Instant,
) -> Result<Option<Received>, Trouble> {
    let unwanted = matches!(step.expect, Some(Expect::Notice(NoticeExpect::Absent)));
    let within = stage.within(&notice.voice).unwrap_or(if unwanted { ABSENCE } else { stage.patience });
    match stage.session(&stage.voice_name(&notice.voice)).await {
        Opened::Open(open) => Ok(open.notice(&notice.method, since, within).await),
        Opened::Refused(_) => Ok(None),
    }
}
