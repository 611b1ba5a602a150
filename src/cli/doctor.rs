//! `gauntlet doctor`: what is wrong with a gateway or with its profile, and what the profile lacks.

use super::{Exit, Surroundings, files, print, say};
use crate::doctor::{Mark, Patient, examine, report};
use crate::gateway::Start;
use crate::run::Setting;
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  gauntlet doctor mcp-policy-gateway           a gateway with a shipped profile
  gauntlet doctor ./my-gateway                 a profile of your own
  gauntlet doctor ./my-gateway --draft d.yaml  the draft alone, in a file

Exit codes: 0 all is well, 1 something is wrong, 2 a wrong file or argument, 3 the gateway does not start,
130 interrupted.";

/// Probes a gateway.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Doctor {
    /// The name of a shipped profile, or a folder with a `profile.yaml`
    #[arg(value_name = "NAME|FOLDER")]
    pub gateway: String,
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
    let profile = match files::profile(&arguments.gateway) {
        Ok(profile) => profile,
        Err(exit) => return exit,
    };
    if let Some(flaw) = &arguments.flaw
        && let Err(exit) = files::flaw(flaw, &profile)
    {
        return exit;
    }
    let setting = Setting {
        patience: arguments.timeout,
        program: surroundings.program.display().to_string(),
        environment: surroundings.for_children(),
    };
    if matches!(profile.start, Some(Start::Command(_))) {
        super::guard::post(surroundings);
    }
    let folder = std::env::temp_dir().join(format!("gauntlet-doctor-{}", profile.gateway));
    let patient = Patient { profile, flaw: arguments.flaw.clone(), slow: arguments.slow, folder };
    let examination = tokio::select! {
        biased;
        _ = tokio::signal::ctrl_c() => {
            crate::transport::child::end_all();
            say("interrupted: gateways and mocks are being stopped");
            return Exit::Interrupted;
        }
        examination = examine(&patient, &setting) => examination,
    };
    print(&report(&examination, surroundings.colour()));
    if let Some(file) = &arguments.draft
        && let Err(error) = std::fs::write(file, &examination.draft)
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
