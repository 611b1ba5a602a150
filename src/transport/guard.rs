//! A process beside this one that ends our children should we be killed outright.
//!
//! SIGKILL unwinds no stack. So a guard, in a group of its own, holds one end of a pipe and is told on it which groups
//! live; when the pipe ends and some still do, it kills them. It does not know of daemons that left their group: those
//! are ended only while this process lives. A child of which it was not yet told, in the instant of its start, escapes.

use super::group::kill_group;
use std::collections::BTreeSet;
use std::io::{self, BufRead, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Our end of the pipe, once a guard is posted. It is not inherited: children do not hold it open.
static PIPE: Mutex<Option<ChildStdin>> = Mutex::new(None);

fn pipe() -> MutexGuard<'static, Option<ChildStdin>> {
    PIPE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Posts a guard: this command, whose standard input is the pipe, and which should call [`keep`]. Children that were
/// started before are not in its care.
pub fn post(program: &str, arguments: &[&str]) -> io::Result<()> {
    let mut guard = Command::new(program);
    // Ctrl-C in a terminal goes to our group; the guard outlives it in one of its own.
    guard.args(arguments).env_clear().process_group(0);
    guard.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    *pipe() = guard.spawn()?.stdin;
    Ok(())
}

/// Tells the guard that a group lives.
pub(super) fn lives(number: i32) {
    tell('+', number);
}

/// Tells the guard that a group is gone.
pub(super) fn gone(number: i32) {
    tell('-', number);
}

fn tell(sign: char, number: i32) {
    // A guard that was killed itself is nothing to fail for.
    let _ = pipe().as_mut().map(|pipe| pipe.write_all(format!("{sign}{number}\n").as_bytes()));
}

/// The guard's whole life: it hears which groups live, and ends them when the pipe does.
pub fn keep(pipe: impl BufRead) {
    let mut living = BTreeSet::new();
    for line in pipe.lines().map_while(Result::ok) {
        let number = line.get(1..).and_then(|number| number.parse::<i32>().ok());
        match (line.chars().next(), number) {
            (Some('+'), Some(number)) if number > 1 => drop(living.insert(number)),
            (Some('-'), Some(number)) => drop(living.remove(&number)),
            _ => {}
        }
    }
    living.into_iter().for_each(kill_group);
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::signal::Signal;
    use std::os::unix::process::ExitStatusExt as _;

    fn asleep() -> std::process::Child {
        Command::new("sleep").arg("1000").process_group(0).spawn().unwrap()
    }

    #[test]
    fn what_lives_when_the_pipe_ends_is_ended() {
        let (mut left, mut ended) = (asleep(), asleep());
        let told = format!("+{}\n+{}\n-{}\nnoise\n+0\n+1\n", left.id(), ended.id(), ended.id());
        keep(told.as_bytes());
        assert_eq!(left.wait().unwrap().signal(), Some(Signal::SIGKILL as i32));
        assert!(ended.try_wait().unwrap().is_none(), "it is no longer in the guard's care");
        ended.kill().unwrap();
        ended.wait().unwrap();
    }
}
