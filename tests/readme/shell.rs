//! Commands as a shell runs them, with `gauntlet` on the path and nothing else in the environment.

use crate::blocks::{Ends, Step};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use regex::Regex;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// How a checkout starts the program; here it is built already.
const FROM_A_CHECKOUT: &str = "cargo run --release -- ";

/// Runs a command of the README, and holds its end and its output against what the README says.
pub(crate) fn follow(folder: &Path, step: &Step) {
    let command = match step.command.strip_prefix(FROM_A_CHECKOUT) {
        Some(arguments) => format!("gauntlet {arguments}"),
        None => step.command.clone(),
    };
    let is_ours = command.split(' ').any(|word| word == "gauntlet");
    assert!(is_ours, "README.md:{}: `{command}` is no command of this program", step.line);
    let (code, output) = match step.ends {
        Ends::With(_) => to_its_end(folder, &command),
        Ends::Interrupted => interrupted(folder, &command),
    };
    let expected = match step.ends {
        Ends::With(code) => code,
        Ends::Interrupted => 130,
    };
    let place = format!("README.md:{}: `{}`", step.line, step.command);
    assert_eq!(code, Some(expected), "{place} ended otherwise:\n{output}");
    let mut lines = output.lines().map(plain);
    for line in &step.printed {
        let wanted = plain(line);
        assert!(
            lines.any(|printed| printed == wanted),
            "{place} does not print, in this order:\n{line}\nbut:\n{output}"
        );
    }
}

/// Checks a scenario, or a profile.
pub(crate) fn check(folder: &Path, file: &str) {
    let (code, output) = to_its_end(folder, &format!("gauntlet check {file}"));
    assert_eq!(code, Some(0), "{output}");
}

/// A line without what differs from run to run: counts, times, ports and secrets.
fn plain(line: &str) -> String {
    Regex::new("[0-9a-f]{16,}|[0-9]+").expect("a pattern").replace_all(line, "#").into_owned()
}

fn to_its_end(folder: &Path, command: &str) -> (Option<i32>, String) {
    let mut child = shell(folder, &format!("{{ {command}; }} 2>&1"));
    let mut output = String::new();
    child.stdout.take().expect("piped").read_to_string(&mut output).expect("text");
    (child.wait().expect("an end").code(), output)
}

/// A server is ready when it says where it listens; then it is told to end.
fn interrupted(folder: &Path, command: &str) -> (Option<i32>, String) {
    let mut child = shell(folder, &format!("exec 2>&1; exec {command}"));
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines().map_while(Result::ok);
    let mut output: Vec<String> = Vec::new();
    for line in lines.by_ref() {
        let ready = line.starts_with("listening on ");
        output.push(line);
        if ready {
            let id = i32::try_from(child.id()).expect("a process id");
            kill(Pid::from_raw(id), Signal::SIGINT).expect("it is ours");
            break;
        }
    }
    output.extend(lines);
    (child.wait().expect("an end").code(), output.join("\n"))
}

fn shell(folder: &Path, script: &str) -> Child {
    let program = Path::new(env!("CARGO_BIN_EXE_gauntlet")).parent().expect("a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    Command::new("sh")
        .args(["-c", script])
        .current_dir(folder)
        .env_clear()
        .env("PATH", format!("{}:{path}", program.display()))
        .env("HOME", folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a shell")
}
