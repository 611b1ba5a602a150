//! `gauntlet run`.

use super::arguments::{Era, Format, Run};
use super::known::{self, Whole};
use super::{Exit, Surroundings, again, compare, files, snapshots};
use crate::change::{self, Changes, Document};
use crate::gateway::Start;
use crate::report;
use crate::run::{Beside, Contender, Event, Pace, Ran, Setting, Wishes, plan, run as run_plan};
use crate::scenario::{EraChoice, Scenario};
use globset::{Glob, GlobSet, GlobSetBuilder};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::Write as _;
use std::sync::Arc;

/// Runs, reports, and says how it went.
pub(super) async fn run(arguments: &Run, surroundings: &Surroundings) -> Exit {
    if arguments.update && surroundings.is_ci() {
        super::say(
            "snapshots are not updated in continuous integration\nhelp: run with `-u` on your machine and commit what changed",
        );
        return Exit::Refused;
    }
    if arguments.agent.is_some() && !cfg!(feature = "rmcp") {
        super::say(
            "`--agent rmcp`: this program was built without the client of rmcp\nhelp: build it with that: `cargo install --path . --features rmcp`",
        );
        return Exit::Mistake;
    }
    let selected = whole(arguments, surroundings).and_then(|whole| {
        let scenarios = select(arguments, &whole.scenarios)?;
        let listed = known::read(arguments, &whole, surroundings)?;
        let before = arguments.since.as_deref().map(compare::read).transpose()?;
        Ok((whole, scenarios, listed, before))
    });
    let (whole, scenarios, listed, before) = match selected {
        Ok(selected) => selected,
        Err(exit) => return exit,
    };
    let contenders = &whole.contenders;
    let known = listed.as_ref().map(known::Listed::holding).unwrap_or_default();
    let wishes = Wishes { slow: arguments.slow, era: arguments.era.map(era), known };
    let entries = plan(&scenarios, contenders, &wishes);
    let setting = Setting {
        patience: arguments.timeout,
        program: surroundings.program.display().to_string(),
        environment: surroundings.for_children(),
        beside: Beside { direct: arguments.against.is_some(), sdk: arguments.agent.is_some() },
    };
    let jobs =
        arguments.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(2, usize::from) * 2);
    let pace = Pace { jobs, fail_fast: arguments.fail_fast, isolate: arguments.isolate.map(Into::into) };
    if contenders.iter().any(|contender| matches!(contender.profile.start, Some(Start::Command(_)))) {
        super::guard::post(surroundings);
    }
    let bar = progress(surroundings);
    let mut ran = tokio::select! {
        biased;
        _ = tokio::signal::ctrl_c() => {
            bar.finish_and_clear();
            crate::transport::child::end_all();
            super::say("interrupted: gateways and mocks are being stopped");
            return Exit::Interrupted;
        }
        ran = run_plan(&entries, &setting, &pace, |event| show(&bar, &event)) => ran,
    };
    bar.finish_and_clear();
    again::note(arguments, contenders, &mut ran.outcome);
    if let Some(listed) = &listed {
        listed.settle(&whole, &mut ran.outcome, surroundings);
    }
    let changes = before.map(|before| change::compare(&before, &Document::of(&ran.outcome)));
    conclude(arguments, surroundings, &ran, changes.as_ref())
}

fn select(arguments: &Run, scenarios: &[Arc<Scenario>]) -> Result<Vec<Arc<Scenario>>, Exit> {
    let only = globs(&arguments.only)?;
    let wanted = |scenario: &&Arc<Scenario>| {
        let named = arguments.only.is_empty()
            || only.is_match(&scenario.id)
            || is_requirement(&arguments.only, scenario);
        let tagged = arguments.tag.is_empty() || scenario.tags.iter().any(|tag| arguments.tag.contains(tag));
        named && tagged
    };
    let scenarios: Vec<_> = scenarios.iter().filter(wanted).cloned().collect();
    if scenarios.is_empty() {
        super::say("no scenario is selected\nhelp: `gauntlet list scenarios` shows their ids and tags");
        return Err(Exit::Nothing);
    }
    Ok(scenarios)
}

fn whole(arguments: &Run, surroundings: &Surroundings) -> Result<Whole, Exit> {
    let scenarios = files::scenarios(&arguments.paths, surroundings)?.into_iter().map(Arc::new).collect();
    let mut contenders: Vec<Arc<Contender>> = Vec::new();
    for name in &arguments.gateways {
        let profile = Arc::new(files::profile(name)?);
        if arguments.flaws.is_empty() {
            contenders.push(Arc::new(Contender { name: profile.gateway.clone(), profile, flaw: None }));
            continue;
        }
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
    Ok(Whole { scenarios, contenders })
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

fn era(era: Era) -> EraChoice {
    match era {
        Era::Newest => EraChoice::Newest,
        Era::Legacy => EraChoice::Legacy,
        Era::Modern => EraChoice::Modern,
        Era::Every => EraChoice::Every,
    }
}

fn progress(surroundings: &Surroundings) -> ProgressBar {
    let target = if surroundings.err_is_terminal {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len}  {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(Some(0), target).with_style(style)
}

fn show(bar: &ProgressBar, event: &Event) {
    match event {
        Event::Planned { total } => bar.set_length(*total as u64),
        Event::Started { id, .. } => bar.set_message(id.clone()),
        Event::Ended(_) => bar.inc(1),
    }
}

fn conclude(arguments: &Run, surroundings: &Surroundings, ran: &Ran, changes: Option<&Changes>) -> Exit {
    let stored = snapshots::settle(arguments, surroundings, &ran.outcome);
    let text = match arguments.format {
        Format::Human => report::human(&ran.outcome, surroundings.colour()),
        Format::Json => report::json(&ran.outcome),
    };
    // A closed pipe (`| head`) is no reason to complain.
    let _ = std::io::stdout().write_all(text.as_bytes());
    if let (Some(changes), Some(before), Format::Human) = (changes, &arguments.since, arguments.format) {
        let told = report::changes::human(changes, surroundings.colour());
        super::print(&format!("\nsince {}\n{told}", before.display()));
    }
    if let Err(exit) = arguments.reports.write(&ran.outcome, changes) {
        return exit;
    }
    for trouble in &ran.world {
        super::say(trouble);
    }
    if !ran.world.is_empty() {
        return Exit::World;
    }
    if ran.outcome.summary.ran() == 0 {
        super::say("nothing that was selected could be run\nhelp: the report says why");
        return Exit::Nothing;
    }
    match stored {
        Exit::Clean if !ran.outcome.is_clean() => Exit::Unmet,
        Exit::Clean => changes.map_or(Exit::Clean, super::compare::exit),
        stored => stored,
    }
}
