//! One examination: the first probe in each era, then, if anything gets through at all, the others; and what is to be
//! said of it.

use super::chart::{Chart, Seen, listed};
use super::line::Line;
use super::measure;
use super::probes::{FIRST, Probe, REST};
use super::rendered::Cabinet;
use super::{beginning, form, names};
use crate::declared::{Declared, Naming, Spoken};
use crate::gateway::{Profile, Reach, Style};
use crate::run::outcome::Status;
use crate::run::{Contender, Entry, Fate, Pace, Ran, Setting, Wishes, plan, run};
use crate::scenario::Scenario;
use crate::wire::Revision;
use std::path::PathBuf;
use std::sync::Arc;

/// What is examined, and how.
#[derive(Clone, Debug)]
pub struct Patient {
    /// How to drive it.
    pub profile: Profile,
    /// The way in which the embedded reference lies, if it does.
    pub flaw: Option<String>,
    /// Whether there is time for what takes minutes.
    pub slow: bool,
    /// Where files are left that a person should read.
    pub folder: PathBuf,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Examination {
    /// The gateway's name.
    pub gateway: String,
    /// One line for each thing that was looked at.
    pub lines: Vec<Line>,
    /// Members for the profile; empty where it lacks nothing.
    pub draft: String,
    /// Whether it could not even be started.
    pub world: bool,
}

/// The first probe in each era: its name on the chart, and what is spoken.
pub(super) const ERAS: [(&str, Spoken, Revision); 2] = [
    ("first/legacy", Spoken::Legacy, Revision::NEWEST_LEGACY),
    ("first/modern", Spoken::Modern, Revision::V2026_07_28),
];

/// Why nothing can be said of a server that cannot be reached where it is a process.
const ENDED: &str = "its servers are processes, and one that ends has broken off: that is `dropped`";
/// How often a window is looked at again that began at the turn of a calendar's.
const TRIES: usize = 3;

/// Examines a gateway.
pub async fn examine(patient: &Patient, setting: &Setting) -> Examination {
    let mut visit = Visit::of(patient, setting);
    if let Some(trouble) = visit.begin(&patient.profile).await {
        return visit.not_started(&trouble);
    }
    visit.make_out_names();
    visit.make_out_lists();
    if let Some(tools) = visit.tools.clone() {
        // With its names understood, everything else can be looked at in the same visit.
        visit.begin(&patient.profile.clone().renaming(&tools)).await;
        visit.make_out_lists();
    }
    let first = visit.first();
    if beginning::gets_through(&visit.chart, first) {
        visit.go_on().await;
    }
    visit.told(first)
}

/// A probe in each era.
pub(super) fn in_each_era(probe: &Probe, contender: &Arc<Contender>) -> Vec<Entry> {
    ERAS.iter().map(|(.., revision)| entry(probe, contender, Some(*revision))).collect()
}

fn entry(probe: &Probe, contender: &Arc<Contender>, revision: Option<Revision>) -> Entry {
    let (scenario, contender) = (form::fitting(probe, &contender.profile), contender.clone());
    Entry { scenario, contender, revision, fate: Fate::Run, known: None }
}

/// An examination that goes on.
pub(super) struct Visit<'a> {
    pub(super) patient: &'a Patient,
    pub(super) setting: &'a Setting,
    pub(super) chart: Chart,
    pub(super) naming: Option<Naming>,
    /// The template of names that the profile should have.
    pub(super) tools: Option<String>,
    /// Whether the gateway is found to refuse calls before its tools were listed, and the profile does not say so.
    pub(super) lists_first: bool,
}

impl<'a> Visit<'a> {
    pub(super) fn of(patient: &'a Patient, setting: &'a Setting) -> Self {
        Self { patient, setting, chart: Chart::default(), naming: None, tools: None, lists_first: false }
    }
}

impl Visit<'_> {
    /// The first probe in each era, and the names of several upstreams; gives what kept the gateway from being started.
    async fn begin(&mut self, profile: &Profile) -> Option<String> {
        let contender = self.contender(profile.clone());
        let several = REST.iter().find(|probe| probe.name == "several")?;
        let mut entries = in_each_era(&FIRST, &contender);
        entries.push(entry(several, &contender, None));
        let ran = run(&entries, self.setting, &Pace::of(1), |_| ()).await;
        let trouble = ran.world.first().cloned();
        let refused = ran.outcome.scenarios.first().filter(|first| first.status == Status::NotApplicable);
        let refused = refused.and_then(|first| first.why.clone());
        self.keep(ERAS.iter().map(|(name, ..)| *name).chain([several.name]), &entries, ran);
        trouble.or(refused)
    }

    /// The same gateway, with what was found out of it.
    pub(super) fn as_understood(&self, profile: Profile) -> Profile {
        let profile = if self.lists_first { profile.listing_first() } else { profile };
        match &self.tools {
            Some(tools) => profile.renaming(tools),
            None => profile,
        }
    }

    /// Everything else.
    async fn go_on(&mut self) {
        let mut profile = self.as_understood(self.patient.profile.clone());
        let eras = self.eras_to_speak();
        // What it declares is in question here; only the reference behaves as it is told to declare.
        if !profile.is_embedded() {
            profile.declares = Declared::default();
        }
        profile.declares.eras = Some(eras);
        let contender = self.contender(profile);
        let probes: Vec<&Probe> = REST.iter().filter(|probe| probe.name != "several").collect();
        let scenarios: Vec<Arc<Scenario>> =
            probes.iter().map(|probe| form::fitting(probe, &self.patient.profile)).collect();
        let wishes = Wishes { slow: self.patient.slow, ..Wishes::default() };
        let mut entries = plan(&scenarios, &[contender], &wishes);
        for (entry, probe) in entries.iter_mut().zip(&probes) {
            if let Some(why) = self.why_not(probe).filter(|_| entry.fate == Fate::Run) {
                entry.fate = Fate::NotApplicable(why.to_owned());
            }
        }
        let jobs = std::thread::available_parallelism().map_or(2, usize::from);
        let ran = run(&entries, self.setting, &Pace::of(jobs), |_| ()).await;
        self.keep(probes.iter().map(|probe| probe.name), &entries, ran);
        for _ in 0..TRIES {
            if !measure::window_is_open(&self.chart, self.patient.profile.is_embedded()) {
                break;
            }
            let again: Vec<Entry> =
                entries.iter().filter(|entry| entry.scenario.id == "window").cloned().collect();
            let ran = run(&again, self.setting, &Pace::of(1), |_| ()).await;
            self.keep(["window"].into_iter(), &again, ran);
        }
    }

    /// Why a probe would say nothing of this gateway, or would take too long.
    fn why_not(&self, probe: &Probe) -> Option<&'static str> {
        let starts_its_servers = self.patient.profile.upstream == [Reach::Stdio];
        match probe.name {
            "refund-unreachable" if starts_its_servers => Some(ENDED),
            _ => probe.slow.filter(|_| !self.patient.slow),
        }
    }

    pub(super) fn contender(&self, profile: Profile) -> Arc<Contender> {
        let name = profile.gateway.clone();
        Arc::new(Contender { name, profile: Arc::new(profile), flaw: self.patient.flaw.clone() })
    }

    pub(super) fn keep<'n>(&mut self, names: impl Iterator<Item = &'n str>, entries: &[Entry], ran: Ran) {
        for ((name, entry), outcome) in names.zip(entries).zip(ran.outcome.scenarios) {
            self.chart.add(name, Seen { scenario: entry.scenario.clone(), outcome });
        }
    }

    /// The first probe in the era that says most; where nothing opens, in one that is declared.
    pub(super) fn first(&self) -> &'static str {
        let through = ERAS.iter().find(|(name, ..)| beginning::gets_through(&self.chart, name));
        let opened = || ERAS.iter().find(|(name, ..)| beginning::opens(&self.chart, name));
        let eras = self.patient.profile.declares.eras.as_ref();
        let declared = || ERAS.iter().find(|(_, spoken, _)| eras.is_none_or(|eras| eras.contains(spoken)));
        through.or_else(opened).or_else(declared).map_or(ERAS[0].0, |(name, ..)| name)
    }

    pub(super) fn spoken(&self) -> Vec<Spoken> {
        let opens = ERAS.iter().filter(|(name, ..)| beginning::opens(&self.chart, name));
        opens.map(|(_, spoken, _)| *spoken).collect()
    }

    /// Those of the declared eras that are spoken; all that are where none of them is.
    pub(super) fn eras_to_speak(&self) -> Vec<Spoken> {
        let spoken = self.spoken();
        // A question in mid-call is the legacy era's, and an answer that asks for inputs the modern one's.
        let asks_in = match self.patient.profile.approval_style() {
            Some(Style::Elicitation) => Some(vec![Spoken::Legacy]),
            Some(Style::InputRequired) => Some(vec![Spoken::Modern]),
            _ => None,
        };
        let wanted = self.patient.profile.declares.eras.clone().or(asks_in).unwrap_or_else(|| spoken.clone());
        let both: Vec<Spoken> = spoken.iter().copied().filter(|era| wanted.contains(era)).collect();
        if both.is_empty() { spoken } else { both }
    }

    /// Compares what is listed with what the servers have.
    pub(super) fn make_out_names(&mut self) {
        let names = |probe| self.chart.step(probe, "list").and_then(listed);
        let one = names(self.first())
            .and_then(|names| names::template(&[("lab", "list_hosts"), ("lab", "get_license")], &names));
        let several = names("several")
            .and_then(|names| names::template(&[("lab", "list_hosts"), ("dfir", "list_orgs")], &names));
        let Some(one) = one else { return };
        let (naming, template) = names::naming(&one, several.as_deref());
        self.naming = Some(naming);
        let understood = |probe, step| {
            let outcome = self.chart.step(probe, step)?;
            let sent = outcome.exchanges.first().and_then(super::chart::sent_name)?;
            Some(names(probe).is_none_or(|listed| listed.contains(&sent)))
        };
        let all = [
            understood(self.first(), "allowed"),
            understood("several", "one"),
            understood("several", "other"),
        ];
        if all.contains(&Some(false)) {
            self.tools = Some(template.unwrap_or_else(|| "{{ tool }}".to_owned()));
        }
    }

    /// Whether a call was refused before the tools were listed, and let through afterwards.
    pub(super) fn make_out_lists(&mut self) {
        self.lists_first = beginning::refuses_unlisted(&self.chart, self.first());
    }

    pub(super) fn cabinet(&self) -> Cabinet<'_> {
        Cabinet { profile: &self.patient.profile, setting: self.setting, folder: self.patient.folder.clone() }
    }
}
