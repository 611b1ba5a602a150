//! The suite proves itself: the honest gateway passes every scenario, and a gateway that lies, or none at all, fails it.
//!
//! Each flaw of the reference gateway meets the scenarios about what it breaks: those whose requirements are of the same
//! group, and the attacks. Which of them catch it is a snapshot; so are the scenarios that only the absence of a gateway
//! fails, which prove less than they seem to.

use mcp_gauntlet::reference::{FLAWS, Flaw};
use mcp_gauntlet::run::outcome::{ScenarioOutcome, Status};
use mcp_gauntlet::run::{Contender, Entry, Pace, Setting, Wishes, plan, run};
use mcp_gauntlet::scenario::{self, Scenario};
use mcp_gauntlet::{embedded, gateway, pattern, requirement};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

/// What attacks are about.
const ATTACKED: [&str; 3] = ["ARG", "DENY", "RATE"];

#[tokio::test(flavor = "multi_thread")]
async fn the_suite_proves_itself() {
    let scenarios = shipped();
    let ran = run(&entries(&scenarios), &setting(), &Pace { jobs: 16, fail_fast: false }, |_| {}).await;
    assert_eq!(ran.world, Vec::<String>::new());
    let proof = Proof::of(&scenarios, &ran.outcome.scenarios);
    let unfair: Vec<_> = proof.unfair.iter().map(String::as_str).collect();
    assert!(unfair.is_empty(), "the honest gateway does not pass:\n{}", unfair.join("\n"));
    insta::assert_snapshot!(proof.table());
}

/// The scenarios that can fail.
fn shipped() -> Vec<Arc<Scenario>> {
    let files = embedded::SCENARIOS.iter().filter(|file| {
        file.path.ends_with(".yaml") && ![requirement::FILE, pattern::FILE].contains(&file.path)
    });
    let read = |file: &embedded::File| {
        let read = scenario::read(file.text, &format!("scenarios/{}", file.path));
        read.unwrap_or_else(|mistakes| panic!("{}", mistakes.render(false)))
    };
    files.map(read).filter(|scenario| !scenario.observe).map(Arc::new).collect()
}

/// The honest gateway and no gateway at all against everything; each flaw against what it is about.
fn entries(scenarios: &[Arc<Scenario>]) -> Vec<Entry> {
    let contender = |name: &str, profile: &str, flaw: Option<&str>| {
        let profile = Arc::new(gateway::named(profile).expect("a shipped profile"));
        [Arc::new(Contender { name: name.to_owned(), profile, flaw: flaw.map(str::to_owned) })]
    };
    let mut entries = Vec::new();
    for name in ["reference", "direct"] {
        entries.extend(plan(scenarios, &contender(name, name, None), &Wishes::default()));
    }
    for flaw in FLAWS {
        let about: Vec<_> = scenarios.iter().filter(|scenario| concerns(flaw, scenario)).cloned().collect();
        entries.extend(plan(&about, &contender(flaw.name, "reference", Some(flaw.name)), &Wishes::default()));
    }
    entries
}

/// Whether a scenario is about what a flaw breaks.
fn concerns(flaw: &Flaw, scenario: &Scenario) -> bool {
    let broken: BTreeSet<&str> = flaw.requirements.iter().map(|id| group(id)).collect();
    let mut groups = scenario.requirements.iter().map(|requirement| group(&requirement.value));
    groups.any(|group| broken.contains(group))
        || (scenario.attack.is_some() && ATTACKED.iter().any(|group| broken.contains(group)))
}

/// `DENY` of `DENY-06`.
fn group(requirement: &str) -> &str {
    requirement.split('-').next().unwrap_or_default()
}

fn setting() -> Setting {
    Setting { patience: Duration::from_secs(5), program: "gauntlet".to_owned(), environment: Vec::new() }
}

/// Who fails whom.
#[derive(Default)]
struct Proof {
    /// Scenarios that the honest gateway does not pass, and why.
    unfair: Vec<String>,
    /// The scenarios that fail without a gateway.
    needs_a_gateway: BTreeSet<String>,
    /// The scenarios that catch each flaw.
    caught: BTreeMap<String, BTreeSet<String>>,
    scenarios: BTreeSet<String>,
}

impl Proof {
    fn of(scenarios: &[Arc<Scenario>], outcomes: &[ScenarioOutcome]) -> Self {
        let scenarios = scenarios.iter().map(|scenario| scenario.id.clone()).collect();
        let mut proof = Self { scenarios, ..Self::default() };
        for outcome in outcomes {
            let failed = matches!(outcome.status, Status::Failed | Status::Inconclusive);
            match outcome.gateway.as_str() {
                "reference" if outcome.status != Status::Passed => {
                    let story = mcp_gauntlet::report::human::story(outcome).join("\n  ");
                    proof.unfair.push(format!("{} ({:?})\n  {story}", outcome.id, outcome.status));
                }
                "direct" if failed => drop(proof.needs_a_gateway.insert(outcome.id.clone())),
                "reference" | "direct" => {}
                flaw if failed => {
                    proof.caught.entry(flaw.to_owned()).or_default().insert(outcome.id.clone());
                }
                _ => {}
            }
        }
        proof
    }

    /// The table, flaw by flaw in the order of the flaws; then what is not proved.
    fn table(&self) -> String {
        let nobody = BTreeSet::new();
        let mut table = String::from("each flaw, and the scenarios that catch it\n");
        for flaw in FLAWS {
            let _ = writeln!(table, "\n{}   {}", flaw.name, flaw.requirements.join(" "));
            lines(&mut table, self.caught.get(flaw.name).unwrap_or(&nobody));
        }
        let by_flaw: BTreeSet<String> = self.caught.values().flatten().cloned().collect();
        let only_direct: BTreeSet<String> = self.needs_a_gateway.difference(&by_flaw).cloned().collect();
        let proved = self.needs_a_gateway.union(&by_flaw).cloned().collect();
        let unproved: BTreeSet<String> = self.scenarios.difference(&proved).cloned().collect();
        table.push_str("\nscenarios that only the absence of a gateway fails\n");
        lines(&mut table, &only_direct);
        table.push_str("\nscenarios that nothing fails\n");
        lines(&mut table, &unproved);
        table
    }
}

fn lines(table: &mut String, ids: &BTreeSet<String>) {
    if ids.is_empty() {
        table.push_str("  (none)\n");
    }
    for id in ids {
        let _ = writeln!(table, "  {id}");
    }
}
