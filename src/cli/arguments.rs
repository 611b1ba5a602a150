//! The command line: every verb, and the arguments of the two that several files ask about, with examples. Those of the
//! others stand in their own files.

use super::gateway::address;
use super::reports::Reports;
use crate::gateway::Isolate;
use clap::builder::ArgPredicate;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::net::SocketAddr;
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
    Run(Box<Run>),
    /// Probes a gateway, and says what is wrong and what its profile lacks
    Doctor(super::doctor::Doctor),
    /// Writes a profile, a first scenario and a workflow for a gateway that has none
    Init(super::init::Init),
    /// Finds every mistake in scenarios and gateways' profiles, without running anything
    Check(super::check::Check),
    /// Holds the suite against every way to lie: what it catches, and what it proves
    Prove(super::prove::Prove),
    /// Prints the configuration that a gateway would be given
    Render(super::render::Render),
    /// Lists scenarios, requirements, attacks, mocks, gateways, tools or flaws
    List(super::list::List),
    /// Prints the JSON Schema of a file that users write
    Schema(super::schema::Schema),
    /// Writes the shipped scenarios, gateways and mocks into a folder
    Eject(super::eject::Eject),
    /// Shows snapshots that changed, behaviour first, and accepts or rejects them
    Review(super::review::Review),
    /// Shows what changed between two runs, as behaviour: `denied → leaked`
    Compare(super::compare::Compare),
    /// Serves one mock on its own, on stdio or over HTTP
    Mock(super::mock::Mock),
    /// Serves the reference gateway, on stdio or over HTTP
    Gateway(Box<Gateway>),
    /// Prints the policy that is recommended for a server's tools
    Policy(super::policy::PolicyArguments),
    /// Pipes stdio to a mock of a run: what gateways start in place of a server
    #[command(hide = true)]
    Relay(super::relay::Relay),
    /// Ends the children of a run that was killed: told on standard input which groups live
    #[command(hide = true)]
    Guard,
}

const GATEWAY_EXAMPLES: &str = "\
Examples:
  gauntlet gateway --policy policy.json --upstream lab=mock:ludus
  gauntlet gateway --policy policy.json --upstream lab=http://127.0.0.1:9000/mcp --http 8080
  gauntlet gateway --policy policy.json --upstream lab=https://lab.test/mcp --http 8080
  gauntlet gateway --policy policy.json --upstream 'files=stdio:file-server --root /srv'
  gauntlet gateway --config reference.yaml

On stdio, `$GAUNTLET_TOKEN` is the token of whoever speaks. Policies that change are read again; one with a
mistake is told, and the one before stays in force. It speaks TLS with servers (whom it trusts, `SSL_CERT_FILE` says
where the system does not), not with agents: something in front of it does. `gauntlet schema reference` describes the file.

Exit codes: 0 the agent left or the gateway was told to end, 2 a wrong file or argument, 3 a port in use or a
file that cannot be written, 130 interrupted.";

/// Serves the reference gateway.
#[derive(Args, Debug)]
#[command(after_help = GATEWAY_EXAMPLES)]
pub struct Gateway {
    /// The policy of whoever connects without a token
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// A server behind the gateway: `NAME=mock:MOCK`, `NAME=URL` or `NAME=stdio:COMMAND`; again for more
    #[arg(long = "upstream", value_name = "NAME=WHAT")]
    pub upstreams: Vec<String>,
    /// Who may connect: `IDENTITY=POLICY.json`, the token in `$GAUNTLET_TOKEN_IDENTITY`; again for more
    #[arg(long = "grant", value_name = "IDENTITY=FILE")]
    pub grants: Vec<String>,
    /// Serve streamable HTTP there instead of stdio: an address, or a port of this machine; 0 takes a free one
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub http: Option<SocketAddr>,
    /// How approvals are asked for
    #[arg(long, value_enum, default_value = "retried")]
    pub approval: Approval,
    /// Where approvals are decided, with a token that is printed at the start
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0", value_parser = address)]
    pub decisions: SocketAddr,
    /// Append a record of each decision there, a JSON object a line
    #[arg(long, value_name = "FILE")]
    pub audit: Option<PathBuf>,
    /// Keep there what tools looked like at first, a JSON object a line, so that `pin: true` outlives a restart
    #[arg(long, value_name = "FILE")]
    pub pins: Option<PathBuf>,
    /// For so long a server may keep a call waiting
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = humantime::parse_duration)]
    pub upstream_timeout: Duration,
    /// All of that from one file instead
    #[arg(long, value_name = "FILE", conflicts_with_all = ["policy", "upstreams", "grants", "http", "approval", "decisions", "audit", "pins", "upstream_timeout"])]
    pub config: Option<PathBuf>,
}

/// How approvals are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Approval {
    /// The call is held open until it is decided
    Held,
    /// The call is refused at once, to be repeated after the decision
    Retried,
    /// The agent's own client is asked
    Elicited,
}

const RUN_EXAMPLES: &str = "\
Examples:
  gauntlet run                                         the shipped scenarios against the reference gateway
  gauntlet run --gateway acme scenarios/deny           a folder of scenarios through one gateway
  gauntlet run --gateway ./my-gateway --only 'DENY-*'  a profile of your own, some scenarios
  gauntlet run --flaw forwards-then-refuses            the reference gateway, lying in a named way
  gauntlet run --gateway direct --gateway reference    one matrix: requirements and gateways
  gauntlet run --against direct                        what the gateway adds, drops and changes; its latency
  gauntlet run --junit junit.xml --json outcome.json   reports for continuous integration
  gauntlet run --markdown \"$GITHUB_STEP_SUMMARY\"      a summary beside a pull request
  gauntlet run --attacks attacks.md --attacks a.sarif  how the attacks fared, for people and for code scanning
  gauntlet run --since outcome.json                    what changed, as behaviour: `denied → leaked`
  gauntlet run --gateway-url https://gate.test/mcp --header 'Authorization: Bearer ${TOKEN}' \\
    --listen 0.0.0.0:7700 --public-url ludus=https://lab.test/mcp --bearer '${LAB_TOKEN}'
                                                       a gateway that runs already, configured once with what
                                                       `gauntlet render --suite` printed

What is spoken to over `https://` is trusted as this system does; `SSL_CERT_FILE` names a file with other authorities
in their place, or with the one certificate that a gateway signed itself.

`known.yaml` lists failures that are known: `- {scenario or requirement: DENY-06, gateway: acme, because: ...,
until: 2027-01-31}`. They do not fail the run; an entry that passes, or is past its day, does.

Places such as `scenarios/conformance/deny/...:14` are of the shipped scenarios, which lie in the program:
`gauntlet eject FOLDER` writes them out.

Exit codes: 0 all expectations met, 1 some not, 2 a wrong file or argument, 3 a gateway or port that
does not work, 4 nothing that could be run, 5 refused, 130 interrupted.";

/// Drives scenarios through gateways.
#[derive(Args, Debug)]
#[command(after_help = RUN_EXAMPLES)]
pub struct Run {
    /// Scenario files or folders; without any, the shipped ones
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// A gateway: the name of a shipped profile, or a folder with a `profile.yaml`; again for more
    #[arg(
        long = "gateway",
        value_name = "NAME|FOLDER",
        default_value = "reference",
        default_value_if("gateway_url", ArgPredicate::IsPresent, None)
    )]
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
    /// How many scenarios run at the same time; by default 2 for each processor, or 32 where the gateway runs within
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
    /// What may share one start of a gateway, instead of what its profile says
    #[arg(long, value_enum, value_name = "WHAT")]
    pub isolate: Option<IsolateBy>,
    /// What is printed
    #[arg(long, value_enum, default_value = "human")]
    pub format: Format,
    /// What is written into files.
    #[command(flatten)]
    pub reports: Reports,
    /// Failures that are known, and do not fail the run; by default `known.yaml` in the first PATH or above it
    #[arg(long, value_name = "FILE")]
    pub known: Option<PathBuf>,
    /// Tell what changed since the run of that outcome, too
    #[arg(long, value_name = "FILE")]
    pub since: Option<PathBuf>,
    /// Where snapshots are stored; by default `snapshots` in the first PATH, where that folder exists
    #[arg(long, value_name = "FOLDER")]
    pub snapshots: Option<PathBuf>,
    /// Do again what ran, without the gateway, and report what it adds, drops and changes, and how long it takes
    #[arg(long, value_enum)]
    pub against: Option<Against>,
    /// Make the plain steps once more with the client of an SDK, and report what it saw
    #[arg(long, value_enum)]
    pub agent: Option<Agent>,
    /// Store the snapshots of this run; refused in continuous integration
    #[arg(short, long)]
    pub update: bool,
    /// A gateway that runs already.
    #[command(flatten)]
    pub remote: super::remote::RemoteFlags,
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

/// What may share one start of a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum IsolateBy {
    /// Nothing: a start for each scenario
    Scenario,
    /// Scenarios whose policies touch different tools
    Pack,
    /// One start for all that fit together; the others are not applicable
    Run,
}

impl From<IsolateBy> for Isolate {
    fn from(wanted: IsolateBy) -> Self {
        match wanted {
            IsolateBy::Scenario => Self::Scenario,
            IsolateBy::Pack => Self::Pack,
            IsolateBy::Run => Self::Run,
        }
    }
}

/// What a gateway is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Against {
    /// The same calls, made straight to the same servers
    Direct,
}

/// An SDK whose client is asked for a second opinion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Agent {
    /// The protocol's Rust SDK
    Rmcp,
}

/// What is printed on standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A report for people
    Human,
    /// The outcome as JSON
    Json,
}
