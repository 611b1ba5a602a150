//! The arguments of every verb, with examples.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// Shows what an MCP gateway really lets through.
#[derive(Debug, Parser)]
#[command(name = "gauntlet", version, about, max_term_width = 100)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Drives scenarios through gateways and judges each call from both sides
    Run(Run),
}

const RUN_EXAMPLES: &str = "\
Examples:
  gauntlet run                                         the shipped scenarios against the reference gateway
  gauntlet run --gateway acme scenarios/deny           a folder of scenarios through one gateway
  gauntlet run --gateway ./my-gateway --only 'DENY-*'  a profile of your own, some scenarios
  gauntlet run --flaw leaks-denied                     the reference gateway, lying in a named way
  gauntlet run --junit junit.xml --json outcome.json   reports for continuous integration

Exit codes: 0 all expectations met, 1 some not, 2 a wrong file or argument, 3 a gateway or port that
does not work, 4 nothing selected, 5 refused, 130 interrupted.";

/// Drives scenarios through gateways.
#[derive(Args, Debug)]
#[command(after_help = RUN_EXAMPLES)]
pub struct Run {
    /// Scenario files or folders; without any, the shipped ones
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// A gateway: the name of a shipped profile, or a folder with a `profile.yaml`; again for more
    #[arg(long = "gateway", value_name = "NAME|FOLDER", default_value = "reference")]
    pub gateways: Vec<String>,
    /// The way in which the reference gateway lies; again for more, one after the other
    #[arg(long = "flaw", value_name = "NAME")]
    pub flaws: Vec<String>,
    /// Only scenarios whose id matches, such as `DENY-06` or `RATE-*`; again for more
    #[arg(long, value_name = "ID|GLOB")]
    pub only: Vec<String>,
    /// Only scenarios with this tag; again for more
    #[arg(long, value_name = "TAG")]
    pub tag: Vec<String>,
    /// How many scenarios run at the same time; by default twice the processors
    #[arg(short = 'j', long, value_name = "N")]
    pub jobs: Option<usize>,
    /// Run slow scenarios too
    #[arg(long)]
    pub slow: bool,
    /// How long an answer is waited for
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = humantime::parse_duration)]
    pub timeout: Duration,
    /// The era instead of each scenario's own choice
    #[arg(long, value_enum)]
    pub era: Option<Era>,
    /// Stop after the first scenario that does not pass
    #[arg(long)]
    pub fail_fast: bool,
    /// What is printed
    #[arg(long, value_enum, default_value = "human")]
    pub format: Format,
    /// Write a JUnit report there
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Write the outcome as JSON there
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Update the stored snapshots
    #[arg(short, long)]
    pub update: bool,
}

/// Which protocol era is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Era {
    /// The newest that both sides speak
    Newest,
    /// Sessions: 2025-11-25
    Legacy,
    /// Stateless: 2026-07-28
    Modern,
    /// Each that the gateway speaks
    Every,
}

/// What is printed on standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A report for people
    Human,
    /// The outcome as JSON
    Json,
}
