//! The program as a process: started in a folder of its own with nothing in its environment, and heard.

use mcp_gauntlet::transport::child::{Child, Command, Talk};
use std::path::Path;
use std::time::Duration;

/// Long enough for a busy machine; nothing waits that long that works.
pub(crate) const ENOUGH: Duration = Duration::from_secs(30);

/// Runs the program to its end: its exit code and what it printed on standard error.
pub(crate) fn run(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let ran = assert_cmd::Command::new(env!("CARGO_BIN_EXE_gauntlet"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .timeout(ENOUGH)
        .output()
        .unwrap();
    (ran.status.code().unwrap(), String::from_utf8(ran.stderr).unwrap())
}

/// Starts the program and leaves it running.
pub(crate) fn start(folder: &Path, arguments: &[&str], environment: &[(&str, &str)], talk: Talk) -> Child {
    let text = |text: &str| text.to_owned();
    let command = Command {
        program: text(env!("CARGO_BIN_EXE_gauntlet")),
        arguments: arguments.iter().map(|argument| text(argument)).collect(),
        environment: environment.iter().map(|(name, value)| (text(name), text(value))).collect(),
        folder: folder.to_owned(),
    };
    Child::spawn(&command, talk).unwrap()
}

/// Waits until the program has said something with that in it, and gives what follows it on the line.
pub(crate) async fn heard(child: &Child, beginning: &str) -> String {
    let said = tokio::time::timeout(ENOUGH, child.says(|line| line.contains(beginning))).await;
    let words = child.last_words();
    assert!(matches!(said, Ok(true)), "`{beginning}` was not said:\n{words}");
    let line = words.lines().rev().find_map(|line| line.split_once(beginning)).unwrap_or_default();
    line.1.split([' ', ',']).next().unwrap_or_default().to_owned()
}

/// How a run of the program ended.
#[derive(Debug)]
pub(crate) struct Ran {
    /// Its exit code.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

/// Runs the program to its end, with nothing but that in its environment.
pub(crate) fn ran(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Ran {
    let ran = assert_cmd::Command::new(env!("CARGO_BIN_EXE_gauntlet"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .envs(environment.iter().copied())
        .timeout(ENOUGH)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let code = ran.status.code();
    let (out, err) = (text(ran.stdout), text(ran.stderr));
    Ran {
        code: code.unwrap_or_else(|| panic!("it was ended by a signal, perhaps as too slow:\n{err}")),
        out,
        err,
    }
}
