//! `gauntlet run`.

use super::arguments::{Format, Run};
use super::known::{self, Whole};
use super::remote::{self, Wanted};
use super::{Exit, Surroundings, again, compare, planned, snapshots};
use crate::change::{self, Changes, Document};
use crate::gateway::{Isolate, Start};
use crate::report;
use crate::run::{Beside, Entry, Event, Pace, Ran, Setting, Wishes, run as run_plan};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::Write as _;

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
    let About { whole, entries, listed, before, wanted } = match about(arguments, surroundings) {
        Ok(about) => about,
        Err(exit) => return exit,
    };
    let contenders = &whole.contenders;
    let secrets = wanted.as_ref().map(|wanted| wanted.secrets.clone()).unwrap_or_default();
    let setting = Setting {
        patience: arguments.timeout,
        program: surroundings.program.display().to_string(),
        environment: surroundings.for_children(),
        remote: wanted.map(|wanted| wanted.remote),
        beside: Beside { direct: arguments.against.is_some(), sdk: arguments.agent.is_some() },
    };
    let jobs = arguments.jobs.unwrap_or_else(|| Pace::jobs_for(contenders.iter().map(|one| &**one)));
    // A gateway that runs already has started once.
    let once = setting.remote.as_ref().map(|_| Isolate::Run);
    let isolate = once.or(arguments.isolate.map(Into::into));
    let pace = Pace { jobs, fail_fast: arguments.fail_fast, isolate };
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
        ran = run_plan(&entries, &setting, &pace, |event| show(&bar, event)) => ran,
    };
    bar.finish_and_clear();
    again::note(arguments, contenders, &mut ran.outcome);
    if let Some(listed) = &listed {
        listed.settle(&whole, &mut ran.outcome, surroundings);
    }
    ran.conceal(&secrets);
    let changes = before.map(|before| change::compare(&before, &Document::of(&ran.outcome)));
    conclude(arguments, surroundings, &ran, changes.as_ref())
}

/// All that a run is about, found and checked before anything starts.
struct About {
    whole: Whole,
    entries: Vec<Entry>,
    listed: Option<known::Listed>,
    before: Option<Document>,
    wanted: Option<Wanted>,
}

fn about(arguments: &Run, surroundings: &Surroundings) -> Result<About, Exit> {
    let mut wanted = remote::wanted(&arguments.remote, surroundings)?;
    let whole = planned::whole(arguments, surroundings, wanted.as_ref())?;
    let listed = known::read(arguments, &whole, surroundings)?;
    let before = arguments.since.as_deref().map(compare::read).transpose()?;
    let known = listed.as_ref().map(known::Listed::holding).unwrap_or_default();
    let wishes = Wishes { slow: arguments.slow, era: arguments.era.map(planned::era), known };
    let entries = planned::planned(arguments, &whole, &wishes, &mut wanted)?;
    Ok(About { whole, entries, listed, before, wanted })
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
        Event::Ended { .. } => bar.inc(1),
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
