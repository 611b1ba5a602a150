//! `gauntlet prove`: whether the suite can fail, and fails nobody who is honest.

use super::arguments::Format;
use super::{Exit, Surroundings, files};
use crate::proof::{self, Question, Reach};
use crate::reference::{FLAWS, Flaw};
use crate::run::{Beside, Pace, Setting};
use crate::scenario::Scenario;
use clap::Args;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  gauntlet prove                                     every flaw against the scenarios about something like it
  gauntlet prove --everywhere                        every flaw against every scenario: some minutes
  gauntlet prove --flaw admits-one-more              one flaw
  gauntlet prove --only RATE-01 --format json        the scenarios of one requirement
  gauntlet prove my-scenarios --no-variants          scenarios of your own, liars only

Exit codes: 0 every flaw is caught by what it breaks, nothing is unproved, no false alarm; 1 otherwise;
2 a mistake in a file or an argument, 3 the world is wrong, 4 no scenario is selected.";

/// Runs scenarios against the reference gateway as it lies in every way that it knows.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Prove {
    /// Scenarios, or folders of them; without any, the shipped ones
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Only this flaw; may be repeated
    #[arg(long = "flaw", value_name = "NAME")]
    pub flaws: Vec<String>,
    /// Only scenarios of this id or requirement; may be repeated
    #[arg(long, value_name = "ID")]
    pub only: Vec<String>,
    /// Each flaw against all scenarios, not only those about something like it: takes minutes, and finds what is too broad
    #[arg(long)]
    pub everywhere: bool,
    /// Leave the honest variants out
    #[arg(long)]
    pub no_variants: bool,
    /// How many run at the same time; without it, 32 for each processor
    #[arg(short, long, value_name = "N")]
    pub jobs: Option<usize>,
    /// How it is printed
    #[arg(long, value_enum, default_value = "human")]
    pub format: Format,
}

/// How long an answer is waited for: the gateway and the mocks are in this process, so that a silence is meant.
const PATIENCE: Duration = Duration::from_secs(4);

/// Proves, prints, and says how it went.
pub(super) async fn prove(arguments: &Prove, surroundings: &Surroundings) -> Exit {
    let question = match question(arguments, surroundings) {
        Ok(question) => question,
        Err(exit) => return exit,
    };
    let setting = Setting {
        patience: PATIENCE,
        program: surroundings.program.display().to_string(),
        environment: surroundings.for_children(),
        remote: None,
        beside: Beside::default(),
    };
    let jobs = arguments.jobs.unwrap_or_else(|| Pace::jobs_for([]));
    let (proof, world) = tokio::select! {
        biased;
        _ = tokio::signal::ctrl_c() => return Exit::Interrupted,
        proved = proof::prove(&question, &setting, jobs) => proved,
    };
    super::print(&match arguments.format {
        Format::Human => proof::human(&proof),
        Format::Json => proof::json(&proof),
    });
    match world.first() {
        Some(trouble) => {
            super::say(trouble);
            Exit::World
        }
        // Few scenarios cannot catch every flaw, and few flaws cannot prove every scenario.
        None if proof.holds_for(arguments.only.is_empty(), arguments.flaws.is_empty()) => Exit::Clean,
        None => Exit::Unmet,
    }
}

fn question(arguments: &Prove, surroundings: &Surroundings) -> Result<Question, Exit> {
    let about = |scenario: &Scenario| {
        let named = |word: &String| {
            *word == scenario.id || scenario.requirements.iter().any(|requirement| requirement.value == *word)
        };
        arguments.only.is_empty() || arguments.only.iter().any(named)
    };
    let scenarios = files::scenarios(&arguments.paths, surroundings)?;
    let scenarios: Vec<Arc<Scenario>> = scenarios.into_iter().filter(about).map(Arc::new).collect();
    if scenarios.is_empty() {
        super::say("no scenario is selected\nhelp: `gauntlet list scenarios` shows their ids");
        return Err(Exit::Nothing);
    }
    let mut question = Question::of(scenarios);
    question.variants = !arguments.no_variants;
    question.reach = if arguments.everywhere { Reach::Everything } else { Reach::Related };
    if !arguments.flaws.is_empty() {
        question.flaws = arguments.flaws.iter().map(|name| flaw(name)).collect::<Result<_, _>>()?;
    }
    Ok(question)
}

fn flaw(name: &str) -> Result<&'static Flaw, Exit> {
    FLAWS.iter().find(|flaw| flaw.name == name).ok_or_else(|| {
        let near = crate::diagnostic::did_you_mean(name, FLAWS.iter().map(|flaw| flaw.name));
        let hint = near.map(|near| format!("did you mean `{near}`?"));
        let hint = hint.unwrap_or_else(|| "`gauntlet list flaws` shows all of them".to_owned());
        super::say(&format!("no flaw `{name}`\nhelp: {hint}"));
        Exit::Mistake
    })
}
