//! A process with a group of its own, gone when this side lets go of it.
//!
//! Dropping a [`Child`] kills its whole group and, on Linux, the daemons that left the group (see the module `group`):
//! so they are gone after Ctrl-C and after a panic too, as long as the stack unwinds. [`end_all`] is for exits that do
//! not unwind. It knows nothing of what the process is for.

mod words;

use super::lines::{LONGEST, LineReader, LineWriter};
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::task::JoinSet;
use words::Words;

#[cfg(unix)]
use super::group::Group;
#[cfg(unix)]
pub use super::group::end_all;

/// What to run. Nothing is inherited: the environment is complete as given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// A path, or a name that is looked up in the `PATH` given below.
    pub program: String,
    /// What follows it.
    pub arguments: Vec<String>,
    /// The whole environment.
    pub environment: Vec<(String, String)>,
    /// Where it runs.
    pub folder: PathBuf,
}

/// What a child's streams are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Talk {
    /// Frames, a line each, on standard input and output; standard error is words.
    Frames,
    /// Standard input is empty; all output is words.
    Words,
}

/// Why a process was not started.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// There is no such program.
    #[error("command `{0}` not found")]
    NotFound(String),
    /// There is no such folder to run it in.
    #[error("folder `{}` does not exist", .0.display())]
    NoFolder(PathBuf),
    /// The system refused.
    #[error("cannot start `{0}`: {1}")]
    Refused(String, io::Error),
}

/// How a process went when it was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Departure {
    /// How it ended; `None` where it did not, in the time that it had.
    pub status: Option<ExitStatus>,
    /// Whether something that it had started stayed behind.
    pub left_behind: bool,
}

/// A running process and its group.
#[derive(Debug)]
pub struct Child {
    /// Where frames go in; `None` where it talks in words, and once taken.
    pub stdin: Option<LineWriter>,
    /// Where frames come out; `None` where it talks in words, and once taken.
    pub stdout: Option<LineReader>,
    words: Words,
    // Dropped in this order: the group is ended while the process still has its number.
    #[cfg(unix)]
    group: Group,
    process: tokio::process::Child,
    pid: u32,
    /// They hear the child out; a daemon may hold its streams open for ever, so they end with the child.
    _listeners: JoinSet<()>,
}

impl Child {
    /// Starts it. Must be called within a runtime.
    pub fn spawn(command: &Command, talk: Talk) -> Result<Self, SpawnError> {
        if !command.folder.is_dir() {
            return Err(SpawnError::NoFolder(command.folder.clone()));
        }
        let mut starting = prepared(command, talk);
        #[cfg(unix)]
        let started = Group::start(&mut starting, &command.environment);
        #[cfg(not(unix))]
        let started = starting.kill_on_drop(true).spawn().map(|process| (process, ()));
        let (mut process, group) = started.map_err(|error| match error.kind() {
            ErrorKind::NotFound => SpawnError::NotFound(command.program.clone()),
            _ => SpawnError::Refused(command.program.clone(), error),
        })?;
        let pid = process.id().unwrap_or_default();
        let words = Words::default();
        let mut listeners = JoinSet::new();
        let mut listen = |stream| drop(listeners.spawn(words.clone().hear(stream)));
        process.stderr.take().into_iter().for_each(|stream| listen(Box::new(stream) as _));
        let mut stdout = None;
        match talk {
            Talk::Frames => stdout = process.stdout.take().map(|stream| LineReader::new(stream, LONGEST)),
            Talk::Words => process.stdout.take().into_iter().for_each(|stream| listen(Box::new(stream) as _)),
        }
        Ok(Self {
            stdin: process.stdin.take().map(LineWriter::new),
            stdout,
            words,
            #[cfg(unix)]
            group,
            process,
            pid,
            _listeners: listeners,
        })
    }

    /// The process's number, also after it ended.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// The end of what it said in words (standard error; all output where it talks in words), made printable.
    pub fn last_words(&self) -> String {
        self.words.last()
    }

    /// Waits for a line of words that satisfies; `false` when it has ended all its output without one. Lines already
    /// said count.
    pub async fn says(&self, satisfies: impl Fn(&str) -> bool) -> bool {
        self.words.wait_for(satisfies).await
    }

    /// How it ended, without waiting; `None` while it runs.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.process.try_wait().ok().flatten()
    }

    /// Waits for its end, and for its last words; `None` where the system cannot tell how it ended. Dropping the
    /// future loses nothing.
    pub async fn exited(&mut self) -> Option<ExitStatus> {
        self.process.wait().await.ok()
    }

    /// Asks the process alone to end (SIGTERM), as whoever looks after services does, and looks at what stays when it
    /// is gone; then all of it is ended. What it started may take its time to follow it, within the same grace.
    #[cfg(unix)]
    pub async fn depart(mut self, grace: Duration) -> Departure {
        if self.ended().is_none() {
            self.group.ask_leader_to_end();
        }
        let status = tokio::time::timeout(grace, self.exited()).await.ok().flatten();
        let limit = tokio::time::Instant::now() + grace;
        let mut left_behind = status.is_some();
        while left_behind && tokio::time::Instant::now() < limit {
            left_behind = !self.group.is_gone();
            // Nobody tells of the end of a process that is not our own child.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Departure { status, left_behind }
    }

    /// Ends it: standard input closed, then after the grace SIGTERM to the group, then after the grace SIGKILL.
    pub async fn stop(mut self, grace: Duration) -> Option<ExitStatus> {
        if let Some(stdin) = self.stdin.take() {
            // A child that does not read must not keep us: closing waits for what is unwritten.
            let _ = tokio::time::timeout(grace, stdin.close()).await;
            if let Ok(status) = tokio::time::timeout(grace, self.exited()).await {
                return status;
            }
        }
        #[cfg(unix)]
        {
            self.group.ask_to_end();
            if let Ok(status) = tokio::time::timeout(grace, self.exited()).await {
                return status;
            }
        }
        let _ = self.process.start_kill();
        self.exited().await
    }
}

#[cfg(unix)]
impl Drop for Child {
    fn drop(&mut self) {
        self.group.end();
    }
}

/// The command, ready to be started.
fn prepared(command: &Command, talk: Talk) -> tokio::process::Command {
    let stdin = if talk == Talk::Frames { Stdio::piped() } else { Stdio::null() };
    let mut starting = tokio::process::Command::new(&command.program);
    starting
        .args(&command.arguments)
        .env_clear()
        .envs(command.environment.iter().map(|(name, value)| (name, value)));
    starting.current_dir(&command.folder).stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
    starting
}

#[cfg(all(test, unix))]
mod tests;
