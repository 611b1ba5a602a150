//! `gauntlet run`.

use super::arguments::{Era, Format, Run};
use super::{Exit, Surroundings, again, files, snapshots};
use crate::gateway::Start;
use crate::report;
use crate::run::{Contender, Event, Pace, Ran, Setting, Wishes, plan, run as run_plan};
use crate::scenario::{EraChoice, Scenario};
use globset::{Glob, GlobSet, GlobSetBuilder};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

/// Runs, reports, and says how it went.
pub(super) async fn run(arguments: &Run, surroundings: &Surroundings) -> Exit {
    if arguments.update && surroundings.is_ci() {
        super::say(
            "snapshots are not updated in continuous integration\nhelp: run with `-u` on your machine and commit what changed",
        );
        return Exit::Refused;
    }
    let (scenarios, contenders) = match select(arguments, surroundings) {
        Ok(selected) => selected,
        Err(exit) => return exit,
    };
    let wishes = Wishes { slow: arguments.slow, era: arguments.era.map(era) };
    let entries = plan(&scenarios, &contenders, &wishes);
    let setting = Setting {
        patience: arguments.timeout,
        program: surroundings.program.display().to_string(),
        environment: surroundings.for_children(),
    };
    let jobs =
        arguments.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(2, usize::from) * 2);
    let pace = Pace { jobs, fail_fast: arguments.fail_fast };
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
    again::note(arguments, &contenders, &mut ran.outcome);
    conclude(arguments, surroundings, &ran)
}

type Selected = (Vec<Arc<Scenario>>, Vec<Arc<Contender>>);

fn select(arguments: &Run, surroundings: &Surroundings) -> Result<Selected, Exit> {
    let scenarios = files::scenarios(&arguments.paths, surroundings)?;
    let only = globs(&arguments.only)?;
    let wanted = |scenario: &Scenario| {
        let named = arguments.only.is_empty()
            || only.is_match(&scenario.id)
            || is_requirement(&arguments.only, scenario);
        let tagged = arguments.tag.is_empty() || scenario.tags.iter().any(|tag| arguments.tag.contains(tag));
        named && tagged
    };
    let scenarios: Vec<_> = scenarios.into_iter().filter(wanted).map(Arc::new).collect();
    if scenarios.is_empty() {
        super::say("no scenario is selected\nhelp: `gauntlet list scenarios` shows their ids and tags");
        return Err(Exit::Nothing);
    }
    let mut contenders = Vec::new();
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
    Ok((scenarios, contenders))
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

fn conclude(arguments: &Run, surroundings: &Surroundings, ran: &Ran) -> Exit {
    let stored = snapshots::settle(arguments, surroundings, &ran.outcome);
    let text = match arguments.format {
        Format::Human => report::human(&ran.outcome, surroundings.colour()),
        Format::Json => report::json(&ran.outcome),
    };
    // A closed pipe (`| head`) is no reason to complain.
    let _ = std::io::stdout().write_all(text.as_bytes());
    for (file, text) in [
        (&arguments.json, report::json as fn(&_) -> String),
        (&arguments.junit, report::junit as fn(&_) -> String),
    ] {
        if let Some(file) = file
            && let Err(exit) = write(file, &text(&ran.outcome))
        {
            return exit;
        }
    }
    for report in &arguments.attacks {
        if let Err(exit) = write(&report.file, &report.text(&ran.outcome)) {
            return exit;
        }
    }
    if let Some(trouble) = ran.world.first() {
        super::say(trouble);
        return Exit::World;
    }
    if ran.outcome.summary.ran() == 0 {
        super::say("nothing that was selected could be run\nhelp: the report says why");
        return Exit::Nothing;
    }
    match stored {
        Exit::Clean if !ran.outcome.is_clean() => Exit::Unmet,
        stored => stored,
    }
}

fn write(file: &Path, text: &str) -> Result<(), Exit> {
    std::fs::write(file, text).map_err(|error| {
        super::say(&format!("`{}` cannot be written: {error}", file.display()));
        Exit::World
    })
}
