//! A gateway that runs already, with our mock behind it and one policy for all probes: both sides are seen, and what
//! needs another policy or another start is left out.

use super::examine::{ERAS, Examination, Patient, Visit, in_each_era};
use super::line::{Line, Mark};
use super::probes::{FIRST, Probe, REST};
use super::{beginning, form};
use crate::declared::Declared;
use crate::gateway::{Isolate, Profile};
use crate::run::{
    Contender, Entry, Fate, Pace, Remote, Setting, Settled, Sharing, Wishes, plan, run, settle,
};
use crate::scenario::Scenario;
use std::sync::Arc;

/// The probes that one policy has room for, beside the first.
const TOGETHER: [&str; 4] = ["arguments", "hidden", "limit", "approval"];

/// Why the others are left out.
const ONE_POLICY: &str = "it runs with one policy, and nobody here starts it anew";

/// What the policy of such a gateway is to be made for.
pub fn together(profile: &Profile) -> Vec<Arc<Scenario>> {
    let fitting = REST.iter().filter(|probe| TOGETHER.contains(&probe.name));
    [&FIRST].into_iter().chain(fitting).map(|probe| form::fitting(probe, profile)).collect()
}

/// Examines a gateway that runs already; `remote` says where it and its servers are.
pub async fn examine_there(patient: &Patient, setting: &Setting, remote: &Remote) -> Examination {
    let (entries, settled) = fitting(&in_question(&patient.profile), remote);
    if let Some(Fate::NotApplicable(why)) = entries.first().map(|first| &first.fate) {
        return unreached(&patient.profile, why);
    }
    let remote = Remote { probe: settled.probe, ..remote.clone() };
    let setting = Setting { remote: Some(remote), ..setting.clone() };
    let mut visit = Visit::of(patient, &setting);
    if let Some(trouble) = visit.begin_there().await {
        return unreached(&patient.profile, &trouble);
    }
    visit.make_out_names();
    visit.make_out_lists();
    let first = visit.first();
    if beginning::gets_through(&visit.chart, first) {
        visit.go_on_there().await;
    }
    visit.told(first)
}

/// The same gateway as if it declared nothing but its eras: what it declares is in question here.
fn in_question(profile: &Profile) -> Profile {
    let mut profile = profile.clone();
    profile.declares = Declared { eras: profile.declares.eras.take(), ..Declared::default() };
    profile
}

/// The first probe and all that fit beside it, with the call that shows whether calls come through.
fn fitting(profile: &Profile, remote: &Remote) -> (Vec<Entry>, Settled) {
    let contender =
        Contender { name: profile.gateway.clone(), profile: Arc::new(profile.clone()), flaw: None };
    let mut entries = plan(&together(profile), &[Arc::new(contender)], &Wishes::default());
    let settled = settle(&mut entries, Sharing { isolate: None, places: Some(&remote.places), round: 1 });
    (entries, settled)
}

fn unreached(profile: &Profile, trouble: &str) -> Examination {
    let lines = vec![Line::of_lines(Mark::Wrong, "first call", trouble)];
    Examination { gateway: profile.gateway.clone(), lines, draft: String::new(), world: true }
}

impl Visit<'_> {
    /// The first probe in each era; gives why no call comes through.
    async fn begin_there(&mut self) -> Option<String> {
        let entries = in_each_era(&FIRST, &self.contender(in_question(&self.patient.profile)));
        let ran = run(&entries, self.setting, &Pace::of(1), |_| ()).await;
        let trouble = ran.world.first().cloned();
        self.keep(ERAS.iter().map(|(name, ..)| *name), &entries, ran);
        trouble
    }

    /// What fits beside the first probe, in the era that says most.
    async fn go_on_there(&mut self) {
        let Some(remote) = &self.setting.remote else { return };
        let mut profile = self.as_understood(in_question(&self.patient.profile));
        profile.declares.eras = Some(self.eras_to_speak());
        let (fitting, _) = fitting(&profile, remote);
        let left = REST.iter().filter(|probe| !TOGETHER.contains(&probe.name));
        let scenarios: Vec<Arc<Scenario>> = left.map(Probe::scenario).collect();
        let mut entries = plan(&scenarios, &[self.contender(profile)], &Wishes::default());
        for entry in &mut entries {
            entry.fate = Fate::NotApplicable(ONE_POLICY.to_owned());
        }
        entries.extend(fitting.into_iter().skip(1));
        // A probe is called as its file is.
        let names: Vec<String> = entries.iter().map(|entry| entry.scenario.id.clone()).collect();
        let pace = Pace { isolate: Some(Isolate::Run), ..Pace::of(1) };
        let ran = run(&entries, self.setting, &pace, |_| ()).await;
        self.keep(names.iter().map(String::as_str), &entries, ran);
    }
}
