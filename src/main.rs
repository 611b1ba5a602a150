//! The binary `gauntlet`: reads its surroundings once, and leaves with an exit code.

use clap::Parser as _;
use mcp_gauntlet::cli::{self, Arguments, Surroundings};
use std::io::IsTerminal as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let surroundings = Surroundings {
        environment: std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect(),
        program: std::env::current_exe().unwrap_or_else(|_| "gauntlet".into()),
        out_is_terminal: std::io::stdout().is_terminal(),
        err_is_terminal: std::io::stderr().is_terminal(),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("no threads to run on: {error}");
            return ExitCode::from(3);
        }
    };
    let exit = runtime.block_on(cli::main(arguments, &surroundings));
    // A read of standard input cannot be interrupted: it must not keep the process.
    runtime.shutdown_background();
    ExitCode::from(exit.code())
}
