//! Which scenarios may share one start of a gateway, and what they share.
//!
//! A verdict must be the same packed or not: so whatever one scenario could do to another one keeps them apart. It
//! knows entries of a plan and their policies; it starts nothing.

mod alone;
mod footprint;
mod merged;
mod owner;

pub use alone::Alone;
pub(super) use alone::{footprint, policies};
pub(super) use footprint::passes_freely;
pub(super) use merged::{merged, merged_with};
pub(super) use owner::{Part, owners};

use super::plan::{Entry, Fate};
use crate::gateway::{Isolate, Profile};
use crate::mock::Mock;
use crate::scenario::Scenario;
use crate::wire::name::folded;
use footprint::Footprint;
use std::cmp::Reverse;
use std::sync::Arc;

/// Why two scenarios cannot share a start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Apart {
    /// They are for different gateways.
    #[error("are for different gateways")]
    Gateways,
    /// Other servers stand behind the gateway.
    #[error("have other servers behind the gateway")]
    Upstreams,
    /// Others call.
    #[error("are about other identities")]
    Identities,
    /// What is not listed is allowed in one and denied in the other.
    #[error("have different defaults")]
    Defaults,
    /// A rule of one would bind the calls of the other, or nobody could tell whose call arrived late.
    #[error("both touch `{0}`")]
    Tool(String),
    /// They would share a count.
    #[error("both count `{0}`")]
    Counter(String),
}

/// An entry of a plan, and what it would share.
struct Candidate<'a> {
    place: usize,
    entry: &'a Entry,
    footprint: Result<Footprint, Alone>,
}

impl<'a> Candidate<'a> {
    fn of(place: usize, entry: &'a Entry) -> Self {
        Self { place, entry, footprint: footprint(entry) }
    }

    /// Why it cannot share a start with another one.
    fn apart(&self, other: &Self) -> Option<Apart> {
        let (Ok(own), Ok(others)) = (&self.footprint, &other.footprint) else { return None };
        if !Arc::ptr_eq(&self.entry.contender, &other.entry.contender) {
            return Some(Apart::Gateways);
        }
        merged::apart(&self.entry.scenario, &other.entry.scenario).or_else(|| own.apart(others))
    }
}

/// Whether a gateway's dialect can express these policies together; why not, a fragment.
pub type Expressible<'a> = &'a dyn Fn(&[&Scenario]) -> Result<(), String>;

/// The same, of any gateway.
pub(in crate::run) type ExpressibleBy<'a> = &'a dyn Fn(&Profile, &[&Scenario]) -> Result<(), String>;

/// The entries of a plan in packs that share one start each: every entry in the first pack that takes it, in the order
/// of the plan; the largest pack is first, since one pack is performed in turn. `wanted` is the user's word against the
/// profiles'.
pub(in crate::run) fn packs(
    entries: &[Entry],
    wanted: Option<Isolate>,
    fits: ExpressibleBy<'_>,
) -> Vec<Vec<usize>> {
    let mut packs: Vec<Vec<Candidate<'_>>> = Vec::new();
    let mut all = Vec::new();
    for (place, entry) in entries.iter().enumerate() {
        let profile = &*entry.contender.profile;
        let shares = wanted.unwrap_or(profile.isolate) != Isolate::Scenario;
        let candidate = (shares && entry.fate == Fate::Run).then(|| Candidate::of(place, entry));
        // One that cannot be expressed would take those that can out of its pack, one start after the other.
        let alone = |one: &Candidate<'_>| one.footprint.is_ok() && fits(profile, &[&entry.scenario]).is_ok();
        match candidate.filter(alone) {
            Some(candidate) => place_in(&mut packs, candidate, &|all| fits(profile, all)),
            None => all.push(vec![place]),
        }
    }
    all.extend(packs.into_iter().map(|pack| pack.iter().map(|member| member.place).collect::<Vec<_>>()));
    all.sort_by_key(|pack| (Reverse(pack.len()), pack[0]));
    all
}

fn place_in<'a>(packs: &mut Vec<Vec<Candidate<'a>>>, candidate: Candidate<'a>, fits: Expressible<'_>) {
    let takes = |pack: &Vec<Candidate<'_>>| {
        let all: Vec<&Scenario> = pack.iter().chain([&candidate]).map(|one| &*one.entry.scenario).collect();
        pack.iter().all(|member| candidate.apart(member).is_none()) && fits(&all).is_ok()
    };
    match packs.iter().position(takes) {
        Some(place) => packs[place].push(candidate),
        None => packs.push(vec![candidate]),
    }
}

/// What one start of a gateway is for, and what it is not for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OneStart {
    /// The places of the entries that share it.
    pub members: Vec<usize>,
    /// The places of the others that would run, each with the reason why it does not fit, a clause.
    pub left_out: Vec<(usize, String)>,
    /// How many starts all of them would need.
    pub rounds: usize,
}

/// What a gateway is for that is started once, or that runs already: the largest pack, the first of several; in a second
/// round the next, and so on. It is the same for `run` and for `render`: slow entries are packed like any other.
pub fn one_start(entries: &[Entry], round: usize, fits: Expressible<'_>) -> OneStart {
    let would_run = |(_, entry): &(usize, &Entry)| !matches!(entry.fate, Fate::NotApplicable(_));
    let candidates =
        || entries.iter().enumerate().filter(would_run).map(|(place, entry)| Candidate::of(place, entry));
    let mut packs: Vec<Vec<Candidate<'_>>> = Vec::new();
    for candidate in candidates().filter(|candidate| fits(&[&candidate.entry.scenario]).is_ok()) {
        match candidate.footprint {
            Ok(_) => place_in(&mut packs, candidate, fits),
            Err(_) => packs.push(vec![candidate]),
        }
    }
    packs.sort_by_key(|pack| Reverse(pack.len()));
    let rounds = packs.len();
    let chosen = packs.into_iter().nth(round.saturating_sub(1)).unwrap_or_default();
    let members: Vec<usize> = chosen.iter().map(|member| member.place).collect();
    let others = candidates().filter(|candidate| !members.contains(&candidate.place));
    let left_out = others.map(|other| (other.place, why_not(&other, &chosen, fits))).collect();
    OneStart { members, left_out, rounds }
}

/// A tool that none of these scenarios touches, and that can be called without arguments: its upstream and its name.
pub fn untouched(entries: &[&Entry]) -> Option<(String, String)> {
    let footprints: Vec<Footprint> =
        entries.iter().map(|entry| footprint(entry).ok()).collect::<Option<_>>()?;
    let free = |mock: &Mock, tool: &str| {
        let required = mock.entry(tool).and_then(|entry| entry.pointer("/inputSchema/required")?.as_array());
        let harmless = mock.risk(tool).is_none_or(|risk| risk.eq_ignore_ascii_case("low") || risk == "read");
        let folded = folded(tool);
        required.is_none_or(Vec::is_empty) && harmless && !footprints.iter().any(|one| one.touches(&folded))
    };
    entries.first()?.scenario.upstreams.iter().find_map(|(name, upstream)| {
        let mock = upstream.player()?;
        let tool = mock.tools().into_iter().find(|tool| free(&mock, tool))?.to_owned();
        Some((name.clone(), tool))
    })
}

fn why_not(other: &Candidate<'_>, chosen: &[Candidate<'_>], fits: Expressible<'_>) -> String {
    if let Err(why) = fits(&[&other.entry.scenario]) {
        return why;
    }
    if let Err(alone) = &other.footprint {
        return format!("it {alone}");
    }
    let apart = |member: &Candidate<'_>| Some((member.entry.scenario.id.clone(), other.apart(member)?));
    match chosen.iter().find_map(apart) {
        Some((id, apart)) => format!("it and `{id}` {apart}"),
        None => match chosen {
            [only] if only.footprint.is_err() => {
                format!("`{}` shares a start with nobody", only.entry.scenario.id)
            }
            _ => "its policy cannot be expressed beside the others'".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests;
