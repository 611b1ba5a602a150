//! Every decision of the gateway, each as a function that can be replaced. The default is honest; nothing else asks
//! whether it lies.

use super::approvals::{Ticket, Verdict};
use super::audit::Record;
use super::read::Taken;
use super::refusal::{Put, Refusal};
use super::settings::Grant;
use crate::declared::{Declared, Failure, WindowKind};
use crate::policy::{Call, Charge, Counters, Decision, Limited, Policy, Reservation, Who};
use crate::wire::{Json, RpcError};
use http::HeaderMap;
use std::time::Duration;

/// Every decision of the gateway.
#[derive(Clone, Debug)]
pub struct Conduct {
    /// What the text of a policy means, at the start and when it is read again.
    pub understands: fn(&str) -> Result<Policy, String>,
    /// What a request's path leads to.
    pub door: fn(&str) -> Door,
    /// Whether a version of the protocol is spoken.
    pub speaks: fn(&str) -> bool,
    /// Whether a body of that type and encoding is read at all.
    pub readable: fn(&HeaderMap) -> bool,
    /// What the bytes of a message are taken for.
    pub read: fn(&[u8], &Declared) -> Taken,
    /// Whether a request's `Host` and `Origin` are of this machine.
    pub local: fn(&HeaderMap) -> bool,
    /// Which grant a request has, by its place in the list.
    pub who: fn(&HeaderMap, &[Grant]) -> Option<usize>,
    /// Which grants hold after new ones were read: the old ones come first.
    pub adopts: fn(&[Grant], Vec<Grant>) -> Vec<Grant>,
    /// Whether a session that lives follows a policy that was changed.
    pub follows: fn() -> bool,
    /// Whether a call waits for a record that can be kept.
    pub needs_records: fn() -> bool,
    /// What is said to a method that there is not.
    pub strange: fn(&str) -> Result<Json, RpcError>,
    /// Whether a call without a session is served.
    pub sessionless: fn() -> bool,
    /// Whether the headers of a modern request say what its body says.
    pub agrees: fn(&Json, &HeaderMap) -> Result<(), RpcError>,
    /// Whether a request that the agent takes back, or does not wait for, is given up.
    pub gives_up: fn() -> bool,
    /// Which grant somebody has by what the client says of itself, by its place in the list; `None`: that counts for nothing.
    pub introduces: fn(&Json, &[Grant]) -> Option<usize>,
    /// Whether a session of the first identity may be used by the second.
    pub owns: fn(&str, &str) -> bool,
    /// Whether a frame that wants no answer goes on to the upstream.
    pub passes_notice: fn(&str) -> bool,
    /// Whether a tool is listed, on that page.
    pub shows: fn(&Seen<'_>) -> bool,
    /// On which shelf an identity's list is kept for later; `None`: it is asked for anew each time.
    pub shelf: fn(&str) -> Option<String>,
    /// What is told of a hidden tool, of what would be told of one that is not listed.
    pub veils: fn(Refusal) -> Refusal,
    /// How an entry that is shown reads.
    pub entry: fn(Json) -> Json,
    /// What the policy says to a call; the number is that of the identity's earlier calls.
    pub decide: fn(&Policy, &Call<'_>, u64) -> Decision,
    /// Whether what was pinned before the start still counts.
    pub recalls: fn() -> bool,
    /// What is said to a call of somebody who has no policy.
    pub unruled: fn() -> Decision,
    /// Whether a tool's entry is still the one that was seen first.
    pub unchanged: fn(&Json, &Json) -> bool,
    /// What counts as seen first, once somebody has approved an entry.
    pub settles_on: fn(&Json) -> Json,
    /// What an approval is bound to.
    pub seal: fn(&str, &Call<'_>) -> String,
    /// Whether a ticket can be decided: still, or once more.
    pub decidable: fn(&Ticket, Duration) -> bool,
    /// Whether a ticket lets a call pass now.
    pub usable: fn(&Ticket, Duration) -> bool,
    /// Whether a use takes the approval away.
    pub burns: fn(&Ticket) -> bool,
    /// Whether an approval that was used comes back.
    pub rearms: fn(Ending) -> bool,
    /// Whether the policy is looked at once more before an approval is used.
    pub looks_again: fn() -> bool,
    /// Whether who shows these headers may decide; the text is the deciders' token.
    pub may_decide: fn(&HeaderMap, &str, &[Grant]) -> bool,
    /// What it means that nobody decided in time.
    pub silence: fn() -> Verdict,
    /// How a limit's window moves, of the way that its policy says.
    pub moves: fn(WindowKind, &Declared) -> WindowKind,
    /// What is counted, and against whom.
    pub charges: fn(Vec<Charge>, &Who<'_>) -> Vec<Charge>,
    /// Takes what is charged, or refuses.
    pub reserve: fn(&mut Counters, &[Charge], Duration) -> Result<Reservation, Limited>,
    /// Whether what was charged goes back.
    pub gives_back: fn(Ending, &Declared) -> bool,
    /// Gives it back, at that time.
    pub release: fn(&mut Counters, Reservation, Duration),
    /// Whether counts outlive new grants.
    pub keeps_counts: fn() -> bool,
    /// How long a call waits before anybody looks at it, while so many others of its session are under way.
    pub pauses: fn(usize) -> Duration,
    /// Under which name an answer is kept for later calls; `None`: each call is asked anew.
    pub remembers: fn(&Call<'_>, &Json) -> Option<String>,
    /// To which upstream a call goes that is meant for this one, by its place, and came with these headers.
    pub lands: fn(usize, &HeaderMap) -> usize,
    /// Which of the agent's headers go on to the upstream.
    pub crosses: fn(&HeaderMap) -> Vec<(String, String)>,
    /// Whether a name that no upstream lists goes on to the only one there is.
    pub passes_unlisted: fn(&str) -> bool,
    /// The parameters that go on to the upstream.
    pub sends: fn(Json) -> Json,
    /// How long an upstream may keep a call waiting, of the time that was set.
    pub waits: fn(Duration) -> Option<Duration>,
    /// Whether a call that failed so is sent once more.
    pub sends_again: fn(Failure) -> bool,
    /// Whether a response answers the request of the first id; the second is its own.
    pub answers: fn(i64, &Json) -> bool,
    /// What is told of an upstream that gave no response: only a status, and perhaps a cookie.
    pub explains: fn(u16, Option<&str>) -> String,
    /// Whether a notice of the upstream goes on to the agent.
    pub relays: fn(&str) -> bool,
    /// Whether an upstream's answer in that encoding is unpacked.
    pub unpacks: fn(&str) -> bool,
    /// Whether it goes where a server's answer sends it on, with that status.
    pub wanders: fn(u16) -> bool,
    /// The address to which a request with these headers goes, in place of its upstream's own.
    pub leads: fn(&HeaderMap) -> Option<String>,
    /// What of the bytes of an upstream's answer is taken for the frame.
    pub hears: fn(&[u8]) -> &[u8],
    /// What is answered to a question of the upstream in the place of the agent's client; `None`: the client is asked.
    pub stands_in: fn(&str) -> Option<Put>,
    /// The result that goes back to the agent.
    pub returns: fn(Json) -> Json,
    /// The error that goes back to the agent.
    pub reports: fn(Json) -> Json,
    /// The id that an answer bears, of the request's.
    pub echoes: fn(Json) -> Json,
    /// Whether an answer comes packed to whoever asks with these headers.
    pub packs: fn(&HeaderMap) -> bool,
    /// Whether an answer comes as a stream, although nothing comes before it.
    pub streams: fn() -> bool,
    /// How a refusal is put into words.
    pub puts: fn(&Refusal) -> Put,
    /// What stands for the arguments in a record.
    pub prints: fn(&str, &Call<'_>) -> String,
    /// What a record calls somebody whom no grant knows, and who came with these headers.
    pub calls_strangers: fn(&HeaderMap) -> Option<String>,
    /// What is kept of a record, if anything.
    pub records: fn(Record) -> Option<Record>,
    /// In which order a call goes through its stages.
    pub order: &'static [Stage],
}

/// A stage of a call. The first that refuses ends the walk; `Record` is entered in any event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Is it hidden?
    Hide,
    /// Is it denied, by action, default or arguments?
    Decide,
    /// Is its entry still the one that was listed first?
    Pin,
    /// Has somebody approved?
    Approve,
    /// Would its limits admit it? Takes nothing: no honest order has this stage.
    Check,
    /// Takes from its limits without asking: no honest order has this stage.
    Count,
    /// Takes from its limits, or refuses.
    Reserve,
    /// Uses the approval up.
    Consume,
    /// To the upstream, and back.
    Forward,
    /// Leaves a record.
    Record,
}

/// Where a path leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// To where agents come in.
    Agents,
    /// To the same place, past the policy: no honest gateway has such a door.
    Unwatched,
    /// To where people decide: no honest gateway has that behind the agents' door.
    Decisions,
    /// Nowhere.
    Closed,
}

/// Hidden, denied, approval asked for, limits reserved, approval consumed, forwarded.
pub const HONEST_ORDER: &[Stage] = &[
    Stage::Hide,
    Stage::Decide,
    Stage::Pin,
    Stage::Approve,
    Stage::Reserve,
    Stage::Consume,
    Stage::Forward,
    Stage::Record,
];

/// An entry of a list, and who looks at it.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The policy of the one who looks; without, nothing is listed.
    pub policy: Option<&'a Policy>,
    /// The upstream's name.
    pub upstream: &'a str,
    /// The tool's name there.
    pub tool: &'a str,
    /// The id of the request for the list.
    pub id: &'a Json,
    /// Whether another request of that id is under way.
    pub again: bool,
    /// Which page this is, from 0.
    pub page: usize,
    /// Whether the answer is going to be packed.
    pub packed: bool,
    /// Whether tools that are always denied are listed all the same.
    pub denied_too: bool,
}

/// How a call that was charged came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Refused by a later stage; the upstream was never asked.
    Refused,
    /// The upstream was asked, and this came of it.
    Failed(Failure),
    /// It was answered.
    Answered,
}
