//! Lists of tools: what an identity is shown, which entries changed, and where names lead.

use super::agent::lock;
use super::approvals::{About, Standing, Ticket, Verdict};
use super::conduct::Seen;
use super::link::Trouble;
use super::names::{Joint, Table, candidates, joint, spelled};
use super::pins::PinsError;
use super::refusal::{FAILED, Refusal};
use super::state::{State, unguessable};
use super::walk::Context;
use crate::declared::Failure;
use crate::policy::{Call, Decision, Denied, Policy};
use crate::wire::{Era, Json, Message, Object, RpcError, rpc};
use std::sync::Arc;
use std::time::Duration;

/// So many pages of one upstream's list are read; a server that gives more gives them for ever.
const MOST_PAGES: usize = 1_000;

/// For so long a changed entry can be approved.
const PATIENCE: Duration = Duration::from_secs(7 * 24 * 3600);

/// Which page of a list somebody asked for, and with which request.
#[derive(Clone, Copy)]
struct Page<'a> {
    id: &'a Json,
    again: bool,
    number: usize,
}

impl Context {
    /// The answer to `tools/list`: a response frame, its id to be set.
    pub(super) async fn list(&self, id: &Json, params: Option<Json>) -> Json {
        let cursor = params.as_ref().and_then(|params| params.get("cursor")).map(ToString::to_string);
        let shelf = (self.state.conduct.shelf)(self.granted.identity());
        let shelf = shelf.map(|shelf| format!("{shelf}\n{}", cursor.clone().unwrap_or_default()));
        let kept = shelf.as_ref().and_then(|shelf| lock(&self.state.shelves).get(shelf).cloned());
        if let Some(kept) = kept {
            return kept;
        }
        let again = self.session.asks_again(id);
        let listed = match self.state.settings.upstreams.len() {
            1 => self.one_list(params, Page { id, again, number: usize::from(cursor.is_some()) }).await,
            _ => self.merged_list(Page { id, again, number: 0 }).await,
        };
        let frame = match listed {
            Ok(frame) => frame,
            Err(trouble) => return rpc::error(Json::Null, error_of(trouble)),
        };
        if let Some(shelf) = shelf {
            lock(&self.state.shelves).insert(shelf, frame.clone());
        }
        frame
    }

    /// One upstream: its own page, less what is not shown. Everything else in it stays as it is.
    async fn one_list(&self, params: Option<Json>, page: Page<'_>) -> Result<Json, Trouble> {
        let mut frame = self.ask(0, "tools/list", params).await?;
        let result =
            frame.as_object_mut().and_then(|frame| frame.0.iter_mut().find(|(name, _)| name == "result"));
        if let Some(result) = result.and_then(|(_, result)| result.as_object_mut()) {
            if let Some((_, Json::Array(tools))) = result.0.iter_mut().find(|(name, _)| name == "tools") {
                self.pin(0, tools).await?;
                tools.retain(|entry| self.shows(0, entry, page));
                tools.iter_mut().for_each(|entry| *entry = (self.state.conduct.entry)(std::mem::take(entry)));
                let (joint, upstream) = (self.joint(), &self.state.settings.upstreams[0].name);
                if joint.is_some() {
                    tools.iter_mut().for_each(|entry| rename(entry, joint, upstream));
                }
            }
            // What one identity is shown must not be kept for another.
            if result.get("cacheScope").is_some() {
                result.set("cacheScope", "private");
            }
        }
        Ok(frame)
    }

    /// Several upstreams: all their pages as one.
    async fn merged_list(&self, page: Page<'_>) -> Result<Json, Trouble> {
        let lists = self.all_lists().await?;
        let table = self.keep_table(&lists);
        let mut tools = Vec::new();
        for (place, entries) in lists.into_iter().enumerate() {
            self.pin(place, &entries).await?;
            for mut entry in entries {
                let shown = name_of(&entry).and_then(|name| table.shown(place, name)).map(str::to_owned);
                if let Some(shown) = shown.filter(|_| self.shows(place, &entry, page)) {
                    entry.as_object_mut().into_iter().for_each(|entry| entry.set("name", shown.as_str()));
                    tools.push((self.state.conduct.entry)(entry));
                }
            }
        }
        let mut result = Object::default();
        result.set("tools", Json::Array(tools));
        if self.session.revision.era() == Era::Modern {
            result.set("resultType", "complete");
            result.set("ttlMs", 0);
            result.set("cacheScope", "private");
        }
        Ok(rpc::result(Json::Null, Json::Object(result)))
    }

    async fn all_lists(&self) -> Result<Vec<Vec<Json>>, Trouble> {
        let mut lists = Vec::new();
        for place in 0..self.state.settings.upstreams.len() {
            lists.push(self.whole_list(place).await?);
        }
        Ok(lists)
    }

    async fn whole_list(&self, place: usize) -> Result<Vec<Json>, Trouble> {
        let (mut tools, mut cursor) = (Vec::new(), None);
        for _ in 0..MOST_PAGES {
            let frame = self.ask(place, "tools/list", Some(self.page_params(cursor.as_ref()))).await?;
            let Message::Response { outcome: Ok(Json::Object(mut result)), .. } = frame.into() else {
                return Ok(tools);
            };
            if let Some(Json::Array(page)) = result.remove("tools") {
                tools.extend(page);
            }
            let next = result.remove("nextCursor").filter(|next| !next.is_null());
            if next.is_none() || next == cursor {
                return Ok(tools);
            }
            cursor = next;
        }
        Err(Trouble::new(Failure::Dropped, "the upstream's list does not end"))
    }

    /// Parameters of our own: in the modern era they must say who speaks.
    fn page_params(&self, cursor: Option<&Json>) -> Json {
        let mut params = Object::default();
        if let Some(cursor) = cursor {
            params.set("cursor", cursor.clone());
        }
        if self.session.revision.era() == Era::Modern {
            params.set("_meta", super::route::own_meta());
        }
        Json::Object(params)
    }

    fn joint(&self) -> Joint {
        let settings = &self.state.settings;
        joint(settings.upstreams.len(), settings.declared.names)
    }

    fn keep_table(&self, lists: &[Vec<Json>]) -> Arc<Table> {
        let names = |entries: &Vec<Json>| entries.iter().filter_map(name_of).map(str::to_owned).collect();
        let tools: Vec<Vec<String>> = lists.iter().map(names).collect();
        let table = Arc::new(Table::of(self.joint(), &self.state.upstream_names(), &tools));
        *lock(&self.state.table) = Some(table.clone());
        table
    }

    /// Where a called name leads: the upstreams' lists say it, and a name that none has leads nowhere, since a careless
    /// server could take it for another. What the policy refuses whatever the name means, and what it names for the
    /// only upstream there is, is known without asking anybody.
    pub(super) async fn resolve(&self, shown: &str, arguments: &Json) -> Result<(usize, String), Refusal> {
        let names = self.state.upstream_names();
        let known = |context: &Self| lock(&context.state.table).as_ref().and_then(|table| table.find(shown));
        let meanings = candidates(self.joint(), &names, shown);
        let refused = |(place, tool): &&(usize, &str)| {
            let call = Call { upstream: names[*place], tool, arguments };
            let decision = self.granted.policy().map(|policy| policy.decide(&call));
            matches!(decision, None | Some(Decision::Denied(_) | Decision::Hidden))
        };
        if let Some(way) = known(self) {
            return Ok(way);
        }
        let kept = self.joint().is_none();
        let named = |policy: &Policy| kept && policy.tools.contains_key(shown);
        let decided =
            meanings.iter().all(|meaning| refused(&meaning)) || self.granted.policy().is_some_and(named);
        if let Some((place, tool)) = meanings.last().filter(|_| decided) {
            return Ok((*place, (*tool).to_owned()));
        }
        let lists = self.all_lists().await.map_err(|trouble| Refusal::Failed(error_of(trouble)))?;
        self.keep_table(&lists);
        match known(self) {
            Some(way) => Ok(way),
            None if names.len() == 1 && (self.state.conduct.passes_unlisted)(shown) => {
                Ok((0, shown.to_owned()))
            }
            None => Err(Refusal::Unknown(shown.to_owned())),
        }
    }

    /// Compares an upstream's list with what was listed first, for identities whose tools are pinned.
    pub(super) async fn look_at_pinned(&self, place: usize) -> Result<(), Refusal> {
        let entries = self.whole_list(place).await.map_err(|trouble| Refusal::Failed(error_of(trouble)))?;
        self.pin(place, &entries)
            .await
            .map_err(|error| Refusal::Denied(Denied { rule: "/pin".into(), reason: error.to_string() }))?;
        let upstream = self.state.settings.upstreams[place].name.as_str();
        for entry in &entries {
            self.changed(upstream, entry);
        }
        Ok(())
    }

    /// Pins what is listed for the first time, where tools are pinned, and learns what others pinned meanwhile.
    async fn pin(&self, place: usize, entries: &[Json]) -> Result<(), PinsError> {
        if !self.granted.policy().is_some_and(|policy| policy.pin) {
            return Ok(());
        }
        let upstream = &self.state.settings.upstreams[place].name;
        let key = |tool| [self.granted.identity(), upstream, tool].map(str::to_owned);
        let listed = entries.iter().filter_map(|entry| Some((key(name_of(entry)?), entry)));
        self.state.pins.keep(self.state.pins.unseen(listed)).await
    }

    fn shows(&self, place: usize, entry: &Json, page: Page<'_>) -> bool {
        let Some(tool) = name_of(entry) else { return false };
        let (settings, policy) = (&self.state.settings, self.granted.policy());
        let upstream = settings.upstreams[place].name.as_str();
        let denied_too = settings.declared.denied_are_listed != Some(false);
        let packed = (self.state.conduct.packs)(&self.headers);
        let (id, again, page) = (page.id, page.again, page.number);
        let seen = Seen { policy, upstream, tool, id, again, page, packed, denied_too };
        (self.state.conduct.shows)(&seen)
            && !(policy.is_some_and(|policy| policy.pin) && self.changed(upstream, entry))
    }

    /// Whether an entry is not the one that was listed first; if so, somebody can approve exactly this one.
    fn changed(&self, upstream: &str, entry: &Json) -> bool {
        let (state, identity) = (&self.state, self.granted.identity());
        let tool = name_of(entry).unwrap_or_default();
        let key = [identity, upstream, tool].map(str::to_owned);
        let first = state.pins.first(&key);
        let withheld = !first.is_some_and(|first| (state.conduct.unchanged)(&first, entry));
        let seal = entry_seal(identity, upstream, tool);
        let known = state.approvals.find(&seal, |ticket| ticket.standing == Standing::Open);
        match known {
            Some(ticket) if withheld && ticket.arguments == *entry => return true,
            Some(ticket) => state.approvals.forget(&ticket.id),
            None => {}
        }
        if withheld {
            state.approvals.open(Ticket {
                id: unguessable(),
                about: About::Entry,
                seal,
                identity: identity.to_owned(),
                upstream: upstream.to_owned(),
                tool: tool.to_owned(),
                arguments: entry.clone(),
                requested: state.clock.now(),
                patience: PATIENCE,
                standing: Standing::Open,
            });
        }
        withheld
    }

    /// Whether a call is of a tool whose changed entry nobody has approved.
    pub(super) fn entry_is_withheld(&self, call: &Call<'_>) -> bool {
        let seal = entry_seal(self.granted.identity(), call.upstream, call.tool);
        self.state.approvals.find(&seal, |_| true).is_some()
    }
}

impl State {
    /// An approved entry is the one that counts from now on. A rejected one stays withheld, and so does one whose
    /// approval cannot be kept.
    pub(super) fn decide_entry(&self, ticket: &Ticket, verdict: Verdict) -> Result<(), PinsError> {
        if verdict == Verdict::Approve {
            let key = [&ticket.identity, &ticket.upstream, &ticket.tool].map(String::clone);
            self.pins.accept(key, (self.conduct.settles_on)(&ticket.arguments))?;
            self.approvals.forget(&ticket.id);
        }
        Ok(())
    }
}

impl From<PinsError> for Trouble {
    fn from(error: PinsError) -> Self {
        Self::new(Failure::Dropped, error.to_string())
    }
}

fn rename(entry: &mut Json, joint: Joint, upstream: &str) {
    let shown = name_of(entry).map(|tool| spelled(joint, upstream, tool));
    if let (Some(entry), Some(shown)) = (entry.as_object_mut(), shown) {
        entry.set("name", shown);
    }
}

fn name_of(entry: &Json) -> Option<&str> {
    entry.get("name").and_then(Json::as_str)
}

fn entry_seal(identity: &str, upstream: &str, tool: &str) -> String {
    crate::policy::fingerprint(identity, upstream, tool, &Json::from("entry"))
}

fn error_of(trouble: Trouble) -> RpcError {
    RpcError::new(FAILED, trouble.what)
}
