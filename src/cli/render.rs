//! `gauntlet render`: the configuration that a gateway would be given.

use super::again::quoted;
use super::remote::{self, PlacesFlags};
use super::{Exit, Surroundings, files, print, say};
use crate::doctor;
use crate::gateway::{CommandLine, Profile, RenderError};
use crate::run::preview::{File, Known, Preview, preview};
use crate::run::{Contender, Entry, Fate, Places, Settled, Sharing, Wishes, plan, settle};
use crate::scenario::Scenario;
use clap::Args;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const EXAMPLES: &str = "\
Examples:
  gauntlet render DENY-01-denied-tool --for reference            one scenario's policy, as policy.json
  gauntlet render scenarios/deny/mine.yaml --for ./my-gateway    a scenario and a profile of your own
  gauntlet render --suite --for mcp-policy-gateway --into conf \\
    --public-url ludus=https://lab.test/mcp --bearer '${LAB_TOKEN}'
      what a gateway that runs already is configured with once, for `gauntlet run --gateway-url ...` with the same PATHs
  gauntlet render doctor --for ./my-gateway                      the same for `gauntlet doctor --url ... --listen ...`

A gateway that takes its policy on the command line is shown that: `start.command`, its environment before it.
What only a start makes known is named: `${PORT}`, `${TOKEN}`, `${TOKEN_SHA256}`, `${SECRET}`. With `--suite`, what does
not fit together with the most is left out and told, each with the reason.

Exit codes: 0 printed, 2 a wrong file or argument, 3 a file that cannot be written, 4 the gateway cannot express it, or
nothing fits.";

/// The name under which a command is shown.
const COMMAND: &str = "start.command";

/// Prints the configuration that a gateway would be given.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Render {
    /// A scenario: the id of a shipped one, a file, or `doctor` for its probes; with `--suite` files or folders, without any the shipped ones
    #[arg(value_name = "SCENARIO|PATH")]
    pub paths: Vec<PathBuf>,
    /// Merge every scenario that fits together with the others
    #[arg(long)]
    pub suite: bool,
    /// The gateway: the name of a shipped profile, or a folder with a `profile.yaml`
    #[arg(long = "for", value_name = "NAME|FOLDER")]
    pub gateway: String,
    /// Write the files there instead of printing them
    #[arg(long, value_name = "FOLDER")]
    pub into: Option<PathBuf>,
    /// The agent's credential, such as '${TOKEN}': for dialects that hold it, or its hash
    #[arg(long, value_name = "${NAME}", requires = "into")]
    pub token: Option<String>,
    /// Where the servers behind it stand.
    #[command(flatten)]
    pub places: PlacesFlags,
    /// Which of the policies that all scenarios would need, the one for the most first
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub round: usize,
}

/// Prints, or writes, and says what is left out.
pub(super) fn render(arguments: &Render, surroundings: &Surroundings) -> Exit {
    rendered(arguments, surroundings).unwrap_or_else(|exit| exit)
}

fn rendered(arguments: &Render, surroundings: &Surroundings) -> Result<Exit, Exit> {
    let profile = files::profile(&arguments.gateway)?;
    let places = remote::places(&arguments.places)?;
    let token =
        arguments.token.as_ref().map(|text| remote::expanded("--token", text, surroundings)).transpose()?;
    let (scenarios, open) = if is_doctor(&arguments.paths) {
        fitting(&doctor::together(&profile), &profile, (&places, arguments.round))?
    } else if arguments.suite {
        let scenarios: Vec<_> =
            files::scenarios(&arguments.paths, surroundings)?.into_iter().map(Arc::new).collect();
        fitting(&scenarios, &profile, (&places, arguments.round))?
    } else {
        (vec![Arc::new(single(&arguments.paths, surroundings)?)], None)
    };
    let names = scenarios.iter().flat_map(|scenario| scenario.upstreams.keys().map(String::as_str));
    remote::check_names(&places, names)?;
    let all: Vec<&Scenario> = scenarios.iter().map(|scenario| &**scenario).collect();
    let known = Known { token: token.as_deref(), open: open.as_deref() };
    let Preview { mut files, command } =
        preview(&profile, &all, &places, &known).map_err(|error| match error {
            RenderError::Cannot(what) => {
                say(&format!("`{}` cannot express {what}", profile.gateway));
                Exit::Nothing
            }
            RenderError::Template(wrong) => {
                say(&format!("gateway `{}`: {wrong}", profile.gateway));
                Exit::Mistake
            }
        })?;
    if command.is_none() && !profile.has_files() && !profile.is_embedded() {
        say(&format!(
            "the profile of `{}` tells it nothing; this is the policy in no gateway's words",
            profile.gateway
        ));
    }
    files.extend(command.map(|command| (COMMAND.to_owned(), line(&command))));
    broken(&profile, &all);
    match &arguments.into {
        Some(folder) => write_all(folder, &files),
        None => {
            print(&shown(&files));
            Ok(Exit::Clean)
        }
    }
}

/// Says what is wrong on purpose: nobody should have to find it, or to miss a file.
fn broken(profile: &Profile, scenarios: &[&Scenario]) {
    let spoiled = scenarios.iter().find_map(|scenario| scenario.policy.as_ref()?.spoiled);
    let Some(how) = spoiled else { return };
    let word = how.word();
    if !profile.has_files() && !profile.is_embedded() {
        say(&format!(
            "the scenario breaks the policy (`spoiled: {word}`); `{}` has no file of its own to break",
            profile.gateway
        ));
    } else {
        say(&format!("the policy is broken on purpose: `spoiled: {word}`"));
    }
}

/// A command as a shell takes it, what it adds to the environment before it.
fn line(command: &CommandLine) -> String {
    let variables = command.environment.iter().map(|(name, text)| format!("{name}={}", word(text)));
    variables.chain(command.words.iter().map(|text| word(text))).collect::<Vec<_>>().join(" ")
}

/// One word of it; what stands for what nobody knows yet is left to the shell.
fn word(text: &str) -> String {
    let known = text.split("${").map(|part| part.split_once('}').map_or(part, |(_, behind)| behind));
    let plain = known.collect::<String>();
    if !plain.is_empty() && quoted(&plain) != plain || text.is_empty() {
        quoted(text)
    } else {
        text.to_owned()
    }
}

/// Whether the probes of `gauntlet doctor --url` are meant.
fn is_doctor(paths: &[PathBuf]) -> bool {
    matches!(paths, [path] if path.as_os_str() == "doctor" && !path.exists())
}

/// The one scenario that was named.
fn single(paths: &[PathBuf], surroundings: &Surroundings) -> Result<Scenario, Exit> {
    let [path] = paths else {
        say("one scenario is rendered at a time\nhelp: name one, or merge several with `--suite`");
        return Err(Exit::Mistake);
    };
    if path.is_dir() {
        say(&format!(
            "`{}` is a folder\nhelp: add `--suite` to merge what fits together in it",
            path.display()
        ));
        return Err(Exit::Mistake);
    }
    let found = if path.exists() {
        files::scenarios(paths, surroundings)?.pop()
    } else {
        let shipped = files::scenarios(&[], surroundings)?;
        let id = path.display().to_string();
        shipped.into_iter().find(|scenario| scenario.id == id)
    };
    found.ok_or_else(|| {
        say(&format!(
            "no scenario `{}`: neither a file nor the id of a shipped one\nhelp: `gauntlet list scenarios` shows their ids",
            path.display()
        ));
        Exit::Mistake
    })
}

/// The scenarios that fit together, told with those that do not: the same ones that `run --gateway-url` runs.
fn fitting(
    scenarios: &[Arc<Scenario>],
    profile: &Profile,
    (places, round): (&Places, usize),
) -> Result<(Vec<Arc<Scenario>>, Option<String>), Exit> {
    let there = Arc::new(profile.connected_to("http://gateway.invalid/mcp", &[]));
    let contender = Arc::new(Contender { name: profile.gateway.clone(), profile: there, flaw: None });
    let mut entries = plan(scenarios, &[contender], &Wishes::default());
    let Settled { probe, rounds } =
        settle(&mut entries, Sharing { isolate: None, places: Some(places), round });
    remote::check_round(round, rounds)?;
    let fit = |entry: &&Entry| !matches!(entry.fate, Fate::NotApplicable(_));
    let fitting: Vec<_> = entries.iter().filter(fit).map(|entry| entry.scenario.clone()).collect();
    let left: Vec<String> = entries
        .iter()
        .filter_map(|entry| match &entry.fate {
            Fate::NotApplicable(why) => Some(format!("  {}: {why}", entry.scenario.id)),
            _ => None,
        })
        .collect();
    say(&format!("{} of {} fit together (round {round} of {rounds})", fitting.len(), entries.len()));
    if !left.is_empty() {
        say(&format!("left out:\n{}", left.join("\n")));
    }
    match fitting.first() {
        Some(first) => {
            say(&format!("the gateway is expected to know {}", remote::told(places, &first.upstreams)));
            Ok((fitting, probe.and_then(|probe| probe.reserved().map(str::to_owned))))
        }
        None => Err(Exit::Nothing),
    }
}

/// One file as it is; several with their names.
fn shown(files: &[File]) -> String {
    match files {
        [(_, text)] => format!("{}\n", text.trim_end()),
        several => {
            several.iter().map(|(name, text)| format!("==> {name} <==\n{}\n", text.trim_end())).collect()
        }
    }
}

fn write_all(folder: &Path, files: &[File]) -> Result<Exit, Exit> {
    let there = files.iter().map(|(name, _)| folder.join(name)).find(|path| path.exists());
    if let Some(path) = there {
        say(&format!("`{}` is there already\nhelp: remove it, or name another folder", path.display()));
        return Err(Exit::Mistake);
    }
    for (name, text) in files {
        let path = folder.join(name);
        write(&path, text).map_err(|error| {
            say(&format!("`{}` cannot be written: {error}", path.display()));
            Exit::World
        })?;
        say(&format!("wrote {}", path.display()));
    }
    Ok(Exit::Clean)
}

/// Writes a file that may hold credentials: nobody else may read it.
fn write(path: &Path, text: &str) -> io::Result<()> {
    std::fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}
