//! A gateway that has one start, or one policy, for the whole run: what it is for, and why not for the rest.

use super::pack::one_start;
use super::plan::{Entry, Fate};
use super::preflight::Probe;
use super::preview::{Known, preview};
use super::remote::Places;
use crate::gateway::{Isolate, Profile, RenderError};
use crate::scenario::Scenario;
use std::sync::Arc;

/// How a gateway is shared by a whole run.
#[derive(Clone, Copy, Default)]
pub struct Sharing<'a> {
    /// The user's word against the profiles'.
    pub isolate: Option<Isolate>,
    /// Where the servers stand behind a gateway that runs already.
    pub places: Option<&'a Places>,
    /// Which of the starts that all of them would need; 0 and 1 are the one for the most.
    pub round: usize,
}

/// What a gateway that runs already is for.
#[derive(Default)]
pub struct Settled {
    /// The call that shows whether calls come through.
    pub probe: Option<Probe>,
    /// How many starts all of them would need.
    pub rounds: usize,
}

/// Makes what does not fit into the one start of its gateway not applicable.
pub fn settle(entries: &mut [Entry], sharing: Sharing<'_>) -> Settled {
    let mut settled = Settled::default();
    for own in entries.chunk_by_mut(|one, next| Arc::ptr_eq(&one.contender, &next.contender)) {
        let profile = own[0].contender.profile.clone();
        let once = sharing.isolate.unwrap_or(profile.isolate) == Isolate::Run;
        let because = match sharing.places {
            Some(_) => "it runs with one policy",
            None if once => "it is started once",
            None => continue,
        };
        if sharing.places.is_some() {
            own.iter_mut().for_each(not_over_there);
        }
        let one = one_start(own, sharing.round, &|all| expressible(&profile, all));
        for (place, why) in one.left_out {
            own[place].fate = Fate::NotApplicable(format!("{because}, and {}", named(&why)));
        }
        let members: Vec<&Entry> = one.members.iter().map(|place| &own[*place]).collect();
        settled = Settled { probe: Probe::of(&members), rounds: one.rounds };
    }
    settled
}

/// Whether a gateway's dialect can express these policies together; why not, a fragment.
pub(super) fn expressible(profile: &Profile, all: &[&Scenario]) -> Result<(), String> {
    let files = preview(profile, all, &Places::default(), &Known::default());
    files.map(drop).map_err(|error| match error {
        RenderError::Cannot(what) => format!("it cannot express {what}"),
        RenderError::Template(wrong) => wrong,
    })
}

/// "it" is the scenario in a reason, and the gateway in what the reason becomes a part of.
fn named(why: &str) -> String {
    match why.strip_prefix("it ") {
        Some(rest) if !rest.starts_with("cannot") => format!("the scenario {rest}"),
        _ => why.to_owned(),
    }
}

/// What cannot be done to a gateway that somebody else runs.
fn not_over_there(entry: &mut Entry) {
    let scenario = &entry.scenario;
    let spoiled = scenario.policy.as_ref().is_some_and(|text| text.spoiled.is_some());
    let why = match scenario.identities.len() {
        _ if scenario.audit_is_full => "its disk is not ours to fill",
        _ if spoiled => "its policy is not ours to break",
        1 => return,
        _ => "it is given one credential, and the scenario is about several identities",
    };
    if !matches!(entry.fate, Fate::NotApplicable(_)) {
        entry.fate = Fate::NotApplicable(why.to_owned());
    }
}
