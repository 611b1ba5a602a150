//! One examination: the first probe in each era, then, if anything gets through at all, the others; and what is to be
//! said of it.

use super::chart::{Chart, Seen, listed};
use super::line::{Line, Mark};
use super::measure::{self, Beside, Measured, declared, spelled};
use super::probes::{FIRST, Probe, REST};
use super::rendered::Cabinet;
use super::sample::{samples, successes};
use super::{approvals, beginning, calls, draft, names};
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
    let mut visit = Visit { patient, setting, chart: Chart::default(), naming: None, tools: None };
    if let Some(trouble) = visit.begin(&patient.profile).await {
        return visit.not_started(&trouble);
    }
    visit.make_out_names();
    if let Some(tools) = visit.tools.clone() {
        // With its names understood, everything else can be looked at in the same visit.
        visit.begin(&patient.profile.clone().renaming(&tools)).await;
    }
    let first = visit.first();
    if beginning::gets_through(&visit.chart, first) {
        visit.go_on().await;
    }
    visit.told(first)
}

/// An examination that goes on.
struct Visit<'a> {
    patient: &'a Patient,
    setting: &'a Setting,
    chart: Chart,
    naming: Option<Naming>,
    /// The template of names that the profile should have.
    tools: Option<String>,
}

impl Visit<'_> {
    /// The first probe in each era, and the names of several upstreams; gives what kept the gateway from being started.
    async fn begin(&mut self, profile: &Profile) -> Option<String> {
        let contender = self.contender(profile.clone());
        let entry = |probe: &Probe, revision| Entry {
            scenario: probe.scenario(),
            contender: contender.clone(),
            revision,
            fate: Fate::Run,
            known: None,
        };
        let several = REST.iter().find(|probe| probe.name == "several")?;
        let entries: Vec<Entry> = ERAS
            .iter()
            .map(|(.., revision)| entry(&FIRST, Some(*revision)))
            .chain([entry(several, None)])
            .collect();
        let ran = run(&entries, self.setting, &Pace::of(1), |_| ()).await;
        let trouble = ran.world.first().cloned();
        let refused = ran.outcome.scenarios.first().filter(|first| first.status == Status::NotApplicable);
        let refused = refused.and_then(|first| first.why.clone());
        self.keep(ERAS.iter().map(|(name, ..)| *name).chain([several.name]), &entries, ran);
        trouble.or(refused)
    }

    /// Everything else.
    async fn go_on(&mut self) {
        let mut profile = match &self.tools {
            Some(tools) => self.patient.profile.clone().renaming(tools),
            None => self.patient.profile.clone(),
        };
        let eras = self.eras_to_speak();
        // What it declares is in question here; only the reference behaves as it is told to declare.
        if !profile.is_embedded() {
            profile.declares = Declared::default();
        }
        profile.declares.eras = Some(eras);
        let contender = self.contender(profile);
        let probes: Vec<&Probe> = REST.iter().filter(|probe| probe.name != "several").collect();
        let scenarios: Vec<Arc<Scenario>> = probes.iter().map(|probe| probe.scenario()).collect();
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

    fn contender(&self, profile: Profile) -> Arc<Contender> {
        let name = profile.gateway.clone();
        Arc::new(Contender { name, profile: Arc::new(profile), flaw: self.patient.flaw.clone() })
    }

    fn keep<'n>(&mut self, names: impl Iterator<Item = &'n str>, entries: &[Entry], ran: Ran) {
        for ((name, entry), outcome) in names.zip(entries).zip(ran.outcome.scenarios) {
            self.chart.add(name, Seen { scenario: entry.scenario.clone(), outcome });
        }
    }

    /// The first probe in the era that says most.
    fn first(&self) -> &'static str {
        let through = ERAS.iter().find(|(name, ..)| beginning::gets_through(&self.chart, name));
        let opened = || ERAS.iter().find(|(name, ..)| beginning::opens(&self.chart, name));
        through.or_else(opened).map_or(ERAS[0].0, |(name, ..)| name)
    }

    fn spoken(&self) -> Vec<Spoken> {
        let opens = ERAS.iter().filter(|(name, ..)| beginning::opens(&self.chart, name));
        opens.map(|(_, spoken, _)| *spoken).collect()
    }

    /// Those of the declared eras that are spoken; all that are where none of them is.
    fn eras_to_speak(&self) -> Vec<Spoken> {
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
    fn make_out_names(&mut self) {
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

    fn cabinet(&self) -> Cabinet<'_> {
        Cabinet { profile: &self.patient.profile, setting: self.setting, folder: self.patient.folder.clone() }
    }

    fn not_started(&self, trouble: &str) -> Examination {
        let mut words = trouble.lines();
        let line = Line::new(Mark::Wrong, "start", words.next().unwrap_or_default());
        let mut line = words.fold(line, Line::because);
        if trouble.contains("not ready within") {
            line = line.because("it runs, and the sign of `start.ready` never came: does it listen on `{{ port }}`, and does it print or answer what the profile waits for?");
        }
        let line = self.cabinet().policy("first").into_iter().fold(line, Line::because);
        Examination {
            gateway: self.patient.profile.gateway.clone(),
            lines: vec![line],
            draft: String::new(),
            world: true,
        }
    }

    fn told(&self, first: &'static str) -> Examination {
        let (profile, cabinet) = (&self.patient.profile, self.cabinet());
        let mut lines = vec![beginning::list(&self.chart, first), self.names_line()];
        if beginning::opens(&self.chart, first) {
            lines.push(beginning::allowed(&self.chart, first, &cabinet));
        }
        let mut draft = String::new();
        if let Some(tools) = &self.tools {
            draft.push_str(&format!("tools: {}\n", super::rule::quoted(tools)));
        }
        if beginning::gets_through(&self.chart, first) {
            lines.extend(calls::Calls { chart: &self.chart, cabinet: &cabinet, first }.lines());
            lines.extend(approvals::lines(&self.chart, profile, &cabinet));
            let readings = draft::readings(profile, &samples(&self.chart), &successes(&self.chart));
            draft.push_str(&readings.yaml());
            draft.push_str(&self.approval_draft());
            lines.extend(readings.doubts.iter().map(|doubt| Line::new(Mark::Note, "reads", doubt.as_str())));
            let measured = self.measured();
            let compared: Vec<Line> = measured.iter().map(|one| self.compared(one)).collect();
            if compared.iter().any(|line| matches!(line.mark, Mark::Wrong | Mark::Note)) {
                draft.push_str(&measure::draft(&self.chart, &measured, &profile.declares));
            }
            lines.extend(compared);
        } else {
            lines.push(Line::new(
                Mark::Unmeasured,
                "everything else",
                "mend this first: without an allowed call a denial says nothing",
            ));
        }
        Examination { gateway: profile.gateway.clone(), lines, draft, world: false }
    }

    fn names_line(&self) -> Line {
        let about = "names";
        match (&self.tools, self.naming) {
            (Some(tools), _) => Line::new(
                Mark::Wrong,
                about,
                "the profile makes other names of the tools than the gateway lists",
            )
            .because(format!(
                "what is listed is made by `tools: {}`; all that follows was looked at with that",
                super::rule::quoted(tools)
            )),
            (None, Some(Naming::Kept)) => Line::new(Mark::Well, about, "kept as the servers have them"),
            (None, Some(Naming::WhenNeeded)) => Line::new(
                Mark::Well,
                about,
                "rewritten with several servers, as the profile's `tools` has it",
            ),
            (None, Some(Naming::Rewritten)) => {
                Line::new(Mark::Well, about, "rewritten, as the profile's `tools` has it")
            }
            (None, None) => {
                Line::new(Mark::Unmeasured, about, "no simple template explains the names that are listed")
            }
        }
    }

    fn measured(&self) -> Vec<Measured> {
        let declared = self.patient.profile.declares.eras.is_some();
        let eras = if declared { self.spoken() } else { self.eras_to_speak() };
        let beside = Beside { eras, naming: self.naming, still: self.patient.profile.is_embedded() };
        measure::measure(&self.chart, &beside)
    }

    /// One member of `declares`: what was measured, held against what is declared.
    fn compared(&self, measured: &Measured) -> Line {
        let about = format!("declares {}", measured.member);
        let before = declared(&self.patient.profile.declares, measured.member);
        let found = match &measured.found {
            Ok(found) => found,
            Err(why) => return Line::new(Mark::Unmeasured, &about, why.as_str()),
        };
        let said = spelled(found);
        match before {
            None => Line::new(Mark::Note, &about, format!("{said}; the profile does not declare it")),
            Some(before) if self.agrees(measured.member, &before, found) => {
                let more = if before == *found {
                    String::new()
                } else {
                    format!(" (declared {})", spelled(&before))
                };
                Line::new(Mark::Well, &about, format!("{said}{more}"))
            }
            Some(before) => {
                Line::new(Mark::Wrong, &about, format!("measured {said}, declared {}", spelled(&before)))
                    .because("one of the two is wrong: the word in the profile, or the gateway")
            }
        }
    }

    fn agrees(&self, member: &str, before: &serde_json::Value, found: &serde_json::Value) -> bool {
        let words = |value: &serde_json::Value| value.as_array().cloned().unwrap_or_default();
        match member {
            // It may speak more than it is to be driven in.
            "eras" => words(before).iter().all(|era| words(found).contains(era)),
            "refund" => {
                let measured = |kind: &serde_json::Value| {
                    let failure = serde_json::from_value(kind.clone()).ok()?;
                    measure::gives_back(&self.chart, failure).ok()
                };
                words(before).iter().all(|kind| measured(kind) != Some(false))
                    && words(found).iter().all(|kind| words(before).contains(kind))
            }
            // With one upstream alone nobody sees what becomes of names that collide.
            "names" if self.chart.done("several").is_none() => before == found || before == "when_needed",
            _ => before == found,
        }
    }

    /// The whole of `approval`, where the agent's own client decides.
    fn approval_draft(&self) -> String {
        let asked =
            self.chart.step("approval", "asked").filter(|_| self.patient.profile.approval_style().is_none());
        match asked.map(approvals::style) {
            Some(style @ "elicitation") => approval(style, "nothing"),
            Some(style @ "input_required") => approval(style, "call"),
            _ => String::new(),
        }
    }
}

fn approval(style: &str, repeat: &str) -> String {
    format!(
        "approval: {{style: {style}, approve: {{answer: {{action: accept, content: {{}}}}}}, reject: {{answer: {{action: decline}}}}, repeat: {repeat}}}\n"
    )
}
