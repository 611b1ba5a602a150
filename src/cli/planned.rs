//! What a run is about: the scenarios and gateways that the user names, and the plan that they make.

use super::arguments::{Era, Run};
use super::known::Whole;
use super::remote::{self, Wanted};
use super::{Exit, Surroundings, files};
use crate::gateway::Profile;
use crate::run::{Contender, Entry, Fate, Remote, Settled, Sharing, Wishes, plan, settle};
use crate::scenario::{EraChoice, Scenario};
use globset::{Glob, GlobSet, GlobSetBuilder};
use std::sync::Arc;

/// Everything under the PATHs, and every gateway.
pub(super) fn whole(
    arguments: &Run,
    surroundings: &Surroundings,
    wanted: Option<&Wanted>,
) -> Result<Whole, Exit> {
    let scenarios = files::scenarios(&arguments.paths, surroundings)?.into_iter().map(Arc::new).collect();
    Ok(Whole { scenarios, contenders: contenders(arguments, wanted)? })
}

/// The entries that were chosen, each with its fate.
pub(super) fn planned(
    arguments: &Run,
    whole: &Whole,
    wishes: &Wishes,
    wanted: &mut Option<Wanted>,
) -> Result<Vec<Entry>, Exit> {
    let chosen = chosen(arguments)?;
    let isolate = arguments.isolate.map(Into::into);
    let mut entries = plan(&whole.scenarios, &whole.contenders, wishes);
    match wanted {
        // The policy that it runs with is that of all the PATHs: what is chosen among them changes nothing about it.
        Some(Wanted { remote, .. }) => {
            let names =
                whole.scenarios.iter().flat_map(|scenario| scenario.upstreams.keys().map(String::as_str));
            remote::check_names(&remote.places, names)?;
            let round = arguments.remote.round;
            let sharing = Sharing { isolate, places: Some(&remote.places), round };
            let Settled { probe, rounds } = settle(&mut entries, sharing);
            remote::check_round(round, rounds)?;
            remote.probe = probe;
            entries.retain(|entry| chosen(&entry.scenario));
            introduce(&entries, remote);
        }
        None => {
            entries.retain(|entry| chosen(&entry.scenario));
            settle(&mut entries, Sharing { isolate, ..Sharing::default() });
        }
    }
    if entries.is_empty() {
        super::say("no scenario is selected\nhelp: `gauntlet list scenarios` shows their ids and tags");
        return Err(Exit::Nothing);
    }
    Ok(entries)
}

/// Says where the servers stand: a gateway that does not find them is the first thing to go wrong.
fn introduce(entries: &[Entry], remote: &Remote) {
    if let Some(entry) = entries.iter().find(|entry| entry.fate == Fate::Run) {
        let servers = remote::told(&remote.places, &entry.scenario.upstreams);
        super::say(&format!("the gateway is expected to know {servers}"));
    }
}

/// Whether a scenario is one of those that were asked for.
fn chosen(arguments: &Run) -> Result<impl Fn(&Scenario) -> bool, Exit> {
    let only = globs(&arguments.only)?;
    Ok(move |scenario: &Scenario| {
        let named = arguments.only.is_empty()
            || only.is_match(&scenario.id)
            || is_requirement(&arguments.only, scenario);
        let tagged = arguments.tag.is_empty() || scenario.tags.iter().any(|tag| arguments.tag.contains(tag));
        named && tagged
    })
}

fn contenders(arguments: &Run, wanted: Option<&Wanted>) -> Result<Vec<Arc<Contender>>, Exit> {
    let contender = |profile: Profile| {
        Arc::new(Contender { name: profile.gateway.clone(), profile: profile.into(), flaw: None })
    };
    if let Some(Wanted { remote, headers, .. }) = wanted {
        let profile = match arguments.gateways.as_slice() {
            [] => Profile::unknown("remote", &remote.url, headers),
            [name] if arguments.flaws.is_empty() => files::profile(name)?.connected_to(&remote.url, headers),
            _ => {
                super::say(
                    "`--gateway-url` is one gateway\nhelp: name one profile with `--gateway`, or none, and no `--flaw`",
                );
                return Err(Exit::Mistake);
            }
        };
        return Ok(vec![contender(profile)]);
    }
    let mut contenders: Vec<Arc<Contender>> = Vec::new();
    for name in &arguments.gateways {
        let profile = files::profile(name)?;
        if arguments.flaws.is_empty() {
            contenders.push(contender(profile));
            continue;
        }
        let profile = Arc::new(profile);
        for flaw in &arguments.flaws {
            files::flaw(flaw, &profile)?;
            let name = format!("{}+{flaw}", profile.gateway);
            contenders.push(Arc::new(Contender { name, profile: profile.clone(), flaw: Some(flaw.clone()) }));
        }
    }
    let names: Vec<&str> = contenders.iter().map(|contender| contender.name.as_str()).collect();
    if let Some(twice) = (1..names.len()).find(|place| names[..*place].contains(&names[*place])) {
        super::say(&format!(
            "two gateways are called `{}`\nhelp: name each once, or give one of them another name in its `profile.yaml`",
            names[twice]
        ));
        return Err(Exit::Mistake);
    }
    Ok(contenders)
}

/// `DENY-06` means every scenario of that requirement.
fn is_requirement(only: &[String], scenario: &Scenario) -> bool {
    let own = |word: &String| scenario.requirements.iter().any(|requirement| requirement.value == *word);
    only.iter().any(own)
        || only.iter().any(|word| scenario.id.split('-').take(2).collect::<Vec<_>>().join("-") == *word)
}

fn globs(patterns: &[String]) -> Result<GlobSet, Exit> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        match Glob::new(pattern) {
            Ok(glob) => set.add(glob),
            Err(error) => {
                super::say(&format!("`--only {pattern}` is no pattern: {}", error.kind()));
                return Err(Exit::Mistake);
            }
        };
    }
    set.build().map_err(|_| Exit::Mistake)
}

pub(super) fn era(era: Era) -> EraChoice {
    match era {
        Era::Newest => EraChoice::Newest,
        Era::Legacy => EraChoice::Legacy,
        Era::Modern => EraChoice::Modern,
        Era::Every => EraChoice::Every,
    }
}
