//! `gauntlet doctor`: what is wrong with a gateway or with its profile, and what the profile lacks.

use super::expand::expand;
use super::remote::{self, PlacesFlags};
use super::{Exit, Surroundings, files, print, say};
use crate::doctor::{Examination, Mark, Patient, examine, examine_there, look, report};
use crate::gateway::{Profile, Start};
use crate::run::{Beside, Remote, Setting};
use crate::source::Placed;
use clap::Args;
use http::{HeaderName, HeaderValue};
use std::path::PathBuf;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  gauntlet doctor mcp-policy-gateway            a gateway with a shipped profile
  gauntlet doctor ./my-gateway                  a profile of your own
  gauntlet doctor ./my-gateway --draft d.yaml   what the profile lacks, in a file too
  gauntlet doctor --url http://127.0.0.1:8080/mcp --header 'Authorization: Bearer ${TOKEN}'
  gauntlet doctor ./my-gateway --url http://127.0.0.1:8080/mcp --listen 127.0.0.1:7700
      one that runs already, with the mock behind it, under the policy of `gauntlet render doctor --for ./my-gateway`

An `https://` address is trusted as this system does, or as the file says that `SSL_CERT_FILE` names.
With `--url` nothing is started. Without `--listen` or `--public-url` no tool that exists is called either: only what an
agent can see is told. With one of them a mock called `lab` stands there, and what arrived is told too.

Exit codes: 0 all is well, 1 something is wrong, 2 a wrong file or argument, 3 the gateway does not start or cannot
be reached, 130 interrupted.";

/// What the probes call the server behind the gateway.
const SERVER: &str = "lab";

/// Probes a gateway.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Doctor {
    /// The name of a shipped profile, or a folder with a `profile.yaml`
    #[arg(value_name = "NAME|FOLDER", required_unless_present = "url")]
    pub gateway: Option<String>,
    /// The address of a gateway that runs already
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// A header of each request to it, its secrets from the environment; again for more
    #[arg(long = "header", value_name = "NAME: VALUE", requires = "url")]
    pub headers: Vec<String>,
    /// How long a first call may take to come through
    #[arg(long, value_name = "TIME", requires = "url", default_value = "10s", value_parser = humantime::parse_duration)]
    pub wait: Duration,
    /// Where the server behind it stands.
    #[command(flatten)]
    pub places: PlacesFlags,
    /// Measure also what takes minutes
    #[arg(long)]
    pub slow: bool,
    /// How long an answer is waited for
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = humantime::parse_duration)]
    pub timeout: Duration,
    /// The way in which the reference gateway lies
    #[arg(long, value_name = "NAME")]
    pub flaw: Option<String>,
    /// Write what the profile lacks there
    #[arg(long, value_name = "FILE")]
    pub draft: Option<PathBuf>,
}

/// Examines, prints, and says how it went.
pub(super) async fn doctor(arguments: &Doctor, surroundings: &Surroundings) -> Exit {
    let setting = Setting {
        patience: arguments.timeout,
        program: surroundings.program.display().to_string(),
        environment: surroundings.for_children(),
        remote: None,
        beside: Beside::default(),
    };
    let (subject, secrets) = match subject(arguments, surroundings) {
        Ok(subject) => subject,
        Err(exit) => return exit,
    };
    let examination = tokio::select! {
        biased;
        _ = tokio::signal::ctrl_c() => {
            crate::transport::child::end_all();
            say("interrupted: gateways and mocks are being stopped");
            return Exit::Interrupted;
        }
        examination = examined(&subject, &setting) => examination,
    };
    conclude(arguments, surroundings, &examination, &secrets)
}

/// What is examined: a gateway that is started, or one that runs.
enum Subject {
    Started(Box<Patient>),
    Running(Box<Profile>),
    /// One that runs, with a server of ours behind it.
    There(Box<Patient>, Box<Remote>),
}

/// Secrets by the text that stands for them.
type Secrets = Vec<(String, String)>;

fn subject(arguments: &Doctor, surroundings: &Surroundings) -> Result<(Subject, Secrets), Exit> {
    if let Some(url) = &arguments.url {
        return running(arguments, url, surroundings);
    }
    if arguments.places.are_told() {
        return Err(wrong(
            "`--listen`, `--public-url` and `--bearer` are about a gateway that runs already\nhelp: say where it is with `--url`",
        ));
    }
    let profile = files::profile(arguments.gateway.as_deref().unwrap_or_default())?;
    if let Some(flaw) = &arguments.flaw {
        files::flaw(flaw, &profile)?;
    }
    if matches!(profile.start, Some(Start::Command(_))) {
        super::guard::post(surroundings);
    }
    let patient = patient(profile, arguments);
    Ok((Subject::Started(Box::new(patient)), Vec::new()))
}

fn patient(profile: Profile, arguments: &Doctor) -> Patient {
    let folder = std::env::temp_dir().join(format!("gauntlet-doctor-{}", std::process::id()));
    Patient { profile, flaw: arguments.flaw.clone(), slow: arguments.slow, folder }
}

async fn examined(subject: &Subject, setting: &Setting) -> Examination {
    match subject {
        Subject::Started(patient) => examine(patient, setting).await,
        Subject::Running(profile) => look((**profile).clone(), setting).await,
        Subject::There(patient, remote) => examine_there(patient, setting, remote).await,
    }
}

/// A gateway that runs: where it is, with which headers, and what is behind it, where that is ours.
fn running(arguments: &Doctor, url: &str, surroundings: &Surroundings) -> Result<(Subject, Secrets), Exit> {
    if arguments.flaw.is_some() {
        return Err(wrong("`--flaw` is for a gateway that is started\nhelp: leave out `--url` or `--flaw`"));
    }
    let mut secrets = Secrets::new();
    let address = filled("--url", url, surroundings, &mut secrets)?;
    if let Some(unfit) = remote::unfit("--url", &address, url) {
        return Err(wrong(&unfit));
    }
    let mut headers = Vec::new();
    for header in &arguments.headers {
        let Some((name, value)) = header.split_once(':').filter(|(name, _)| !name.trim().is_empty()) else {
            return Err(wrong(
                "a `--header` has no name\nhelp: write `NAME: VALUE`, such as 'Authorization: Bearer ${TOKEN}'",
            ));
        };
        let value = filled("--header", value.trim(), surroundings, &mut secrets)?;
        if HeaderName::try_from(name.trim()).is_err() || HeaderValue::try_from(&value).is_err() {
            // The value is not shown: it may be what should not be seen.
            return Err(wrong(&format!("`--header {}: ...` cannot be sent", name.trim())));
        }
        headers.push((name.trim().to_owned(), value));
    }
    let profile = match &arguments.gateway {
        Some(name) => files::profile(name)?.connected_to(&address, &headers),
        None => Profile::unknown("remote", &address, &headers).called(url),
    };
    if !arguments.places.are_told() {
        return Ok((Subject::Running(Box::new(profile)), secrets));
    }
    let (places, hidden) = remote::known_places(&arguments.places, surroundings)?;
    remote::check_names(&places, [SERVER].into_iter())?;
    secrets.extend(hidden.into_iter().map(|secret| (secret, "${...}".to_owned())));
    say(&format!("the gateway is expected to know `{SERVER}` at {}", places.url(0, SERVER)));
    let remote = Remote { url: url.to_owned(), places, within: arguments.wait, probe: None };
    Ok((Subject::There(Box::new(patient(profile, arguments)), Box::new(remote)), secrets))
}

/// An argument with its variables filled in; what they hold is not to be shown.
fn filled(
    flag: &str,
    text: &str,
    surroundings: &Surroundings,
    secrets: &mut Secrets,
) -> Result<String, Exit> {
    let placed = Placed { value: text.to_owned(), ..Placed::default() };
    let value = expand(&placed, &surroundings.environment).map_err(|mistake| {
        let help = mistake.help.map(|help| format!("\nhelp: {help}")).unwrap_or_default();
        wrong(&format!("`{flag}`: {}{help}", mistake.message))
    })?;
    for part in text.split("${").skip(1).filter_map(|part| part.split(['}', ':']).next()) {
        if let Some(secret) = surroundings.environment.get(part).filter(|secret| !secret.is_empty()) {
            secrets.push((secret.clone(), format!("${{{part}}}")));
        }
    }
    Ok(value)
}

fn wrong(text: &str) -> Exit {
    say(text);
    Exit::Mistake
}

fn conclude(
    arguments: &Doctor,
    surroundings: &Surroundings,
    examination: &Examination,
    secrets: &Secrets,
) -> Exit {
    let hidden = |text: String| secrets.iter().fold(text, |text, (secret, name)| text.replace(secret, name));
    print(&hidden(report(examination, surroundings.colour())));
    if let Some(file) = &arguments.draft
        && let Err(error) = std::fs::write(file, hidden(examination.draft.clone()))
    {
        say(&format!("`{}` cannot be written: {error}", file.display()));
        return Exit::World;
    }
    match () {
        () if examination.world => Exit::World,
        () if examination.lines.iter().any(|line| line.mark == Mark::Wrong) => Exit::Unmet,
        () => Exit::Clean,
    }
}
