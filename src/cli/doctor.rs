//! `gauntlet doctor`: what is wrong with a gateway or with its profile, and what the profile lacks.

use super::expand::expand;
use super::{Exit, Surroundings, files, print, say};
use crate::doctor::{Examination, Mark, Patient, examine, look, report};
use crate::gateway::{Profile, Start};
use crate::run::{Beside, Setting};
use crate::source::Placed;
use clap::Args;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  gauntlet doctor mcp-policy-gateway            a gateway with a shipped profile
  gauntlet doctor ./my-gateway                  a profile of your own
  gauntlet doctor ./my-gateway --draft d.yaml   what the profile lacks, in a file too
  gauntlet doctor --url http://127.0.0.1:8080/mcp --header 'Authorization: Bearer ${TOKEN}'

With `--url` nothing is started, and no tool that exists is called: only what an agent can see is told.

Exit codes: 0 all is well, 1 something is wrong, 2 a wrong file or argument, 3 the gateway does not start or cannot
be reached, 130 interrupted.";

/// Probes a gateway.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Doctor {
    /// The name of a shipped profile, or a folder with a `profile.yaml`
    #[arg(value_name = "NAME|FOLDER", required_unless_present = "url", conflicts_with = "url")]
    pub gateway: Option<String>,
    /// The address of a gateway that runs already
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// A header of each request to it, its secrets from the environment; again for more
    #[arg(long = "header", value_name = "NAME: VALUE", requires = "url")]
    pub headers: Vec<String>,
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
}

/// Secrets by the text that stands for them.
type Secrets = Vec<(String, String)>;

fn subject(arguments: &Doctor, surroundings: &Surroundings) -> Result<(Subject, Secrets), Exit> {
    if let Some(url) = &arguments.url {
        return running(url, &arguments.headers, surroundings);
    }
    let profile = files::profile(arguments.gateway.as_deref().unwrap_or_default())?;
    if let Some(flaw) = &arguments.flaw {
        files::flaw(flaw, &profile)?;
    }
    if matches!(profile.start, Some(Start::Command(_))) {
        super::guard::post(surroundings);
    }
    let folder = std::env::temp_dir().join(format!("gauntlet-doctor-{}", std::process::id()));
    let patient = Patient { profile, flaw: arguments.flaw.clone(), slow: arguments.slow, folder };
    Ok((Subject::Started(Box::new(patient)), Vec::new()))
}

async fn examined(subject: &Subject, setting: &Setting) -> Examination {
    match subject {
        Subject::Started(patient) => examine(patient, setting).await,
        Subject::Running(profile) => look((**profile).clone(), setting).await,
    }
}

/// A profile for a gateway that runs: where it is, and with which headers.
fn running(url: &str, headers: &[String], surroundings: &Surroundings) -> Result<(Subject, Secrets), Exit> {
    let mut secrets = Secrets::new();
    let address = filled("--url", url, surroundings, &mut secrets)?;
    let uri = address.parse::<http::Uri>().ok();
    if uri.is_none_or(|uri| uri.scheme_str() != Some("http") || uri.host().is_none_or(str::is_empty)) {
        return Err(wrong(&format!(
            "`--url {url}` is no address such as `http://127.0.0.1:8080/mcp`\nhelp: an encrypted one needs something on this machine that ends the encryption"
        )));
    }
    let mut lines = String::new();
    for header in headers {
        let Some((name, value)) = header.split_once(':').filter(|(name, _)| !name.trim().is_empty()) else {
            return Err(wrong(
                "a `--header` has no name\nhelp: write `NAME: VALUE`, such as 'Authorization: Bearer ${TOKEN}'",
            ));
        };
        let value = filled("--header", value.trim(), surroundings, &mut secrets)?;
        lines.push_str(&format!("    {}: {}\n", literal(name.trim()), literal(&value)));
    }
    let headers = if lines.is_empty() { String::new() } else { format!("  headers:\n{lines}") };
    let text = format!("gateway: {}\nconnect:\n  http: {}\n{headers}", literal(url), literal(&address));
    match Profile::read("profile.yaml", &text, BTreeMap::new()) {
        Ok(profile) => Ok((Subject::Running(Box::new(profile)), secrets)),
        // The text is not shown: it holds what should not be seen.
        Err(_) => Err(wrong(
            "`--url` and `--header` may not hold `{{` or `{%`\nhelp: write the address and the headers as they are sent",
        )),
    }
}

/// A text as YAML takes it word for word.
fn literal(text: &str) -> String {
    serde_json::Value::from(text).to_string()
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
