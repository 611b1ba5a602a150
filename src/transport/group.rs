//! Process groups of children, and on Linux the daemons that leave them.
//!
//! A process that forks twice and takes a session of its own is in no group of ours. On Linux this process therefore
//! becomes a *subreaper*: such a daemon is handed to it when its parent ends. A daemon is recognised as a certain
//! child's by the environment that it inherited. It does not know what the processes are for.
//!
//! A child that was started a moment ago looks like such a daemon until it is known as the leader of a group. So
//! `LIVING` is held while one is started, and while daemons are looked for.

use super::guard;
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

/// How long a killed process may take to be gone. One that the system holds on to is left to it.
const PATIENCE: Duration = Duration::from_secs(2);

/// An environment, as a child was given it.
type Environment = Vec<(String, String)>;

/// Groups by number, with what their leaders were given.
type Living = BTreeMap<i32, Environment>;

/// The groups that live.
static LIVING: Mutex<Living> = Mutex::new(BTreeMap::new());

fn living() -> MutexGuard<'static, Living> {
    LIVING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes this process the parent of orphaned descendants, where the system can.
fn adopt_daemons() {
    #[cfg(target_os = "linux")]
    {
        // Where it is refused, daemons escape; groups are still ended.
        let _ = nix::sys::prctl::set_child_subreaper(true);
    }
}

/// Ends every child that lives, at once: for exits that unwind no stack (a second Ctrl-C, `process::exit`).
pub fn end_all() {
    let numbers: Vec<i32> = living().keys().copied().collect();
    for number in numbers {
        Group { number }.end();
    }
}

/// The group that a child leads.
#[derive(Debug)]
pub(super) struct Group {
    number: i32,
}

impl Group {
    /// Starts a child as the leader of a group. The command is to have this environment and no other.
    pub(super) fn start(
        command: &mut Command,
        environment: &[(String, String)],
    ) -> io::Result<(Child, Self)> {
        adopt_daemons();
        let mut living = living();
        let child = command.process_group(0).spawn()?;
        let number = child.id().and_then(|number| i32::try_from(number).ok()).unwrap_or_default();
        // Zero would be our own group.
        if number > 0 {
            living.insert(number, environment.to_vec());
            guard::lives(number);
        }
        Ok((child, Self { number }))
    }

    /// SIGTERM for all of it.
    pub(super) fn ask_to_end(&self) {
        if living().contains_key(&self.number) {
            let _ = killpg(Pid::from_raw(self.number), Signal::SIGTERM);
        }
    }

    /// SIGTERM for the one that leads it.
    pub(super) fn ask_leader_to_end(&self) {
        if living().contains_key(&self.number) {
            let _ = kill(Pid::from_raw(self.number), Signal::SIGTERM);
        }
    }

    /// Whether nothing of it runs any more; those that have ended and were handed to us are let go.
    pub(super) fn is_gone(&self) -> bool {
        let group = Pid::from_raw(self.number);
        loop {
            match waitpid(Pid::from_raw(-self.number), Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) => return false,
                Ok(_) | Err(Errno::EINTR) => {}
                Err(_) => return killpg(group, None).is_err(),
            }
        }
    }

    /// SIGKILL for all of it and for its daemons; returns when they are gone. A second time it does nothing.
    pub(super) fn end(&self) {
        let Some(environment) = living().remove(&self.number) else { return };
        kill_group(self.number);
        // When a process ends, its children are ours before it can be reaped: so this finds the whole group.
        reap(Pid::from_raw(-self.number));
        end_daemons(&environment);
        guard::gone(self.number);
    }
}

/// SIGKILL for a group, without waiting.
pub(super) fn kill_group(number: i32) {
    let _ = killpg(Pid::from_raw(number), Signal::SIGKILL);
}

/// Waits until no child of ours fits (a number, or a group as a negative one), but not for ever.
fn reap(which: Pid) {
    let limit = Instant::now() + PATIENCE;
    while Instant::now() < limit {
        match waitpid(which, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => std::thread::sleep(Duration::from_millis(1)),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => return,
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn end_daemons(_environment: &Environment) {}

#[cfg(target_os = "linux")]
fn end_daemons(environment: &Environment) {
    // What a daemon had started becomes ours when the daemon ends: hence the rounds.
    let limit = Instant::now() + PATIENCE;
    while Instant::now() < limit {
        let daemons = kill_daemons(environment, &living());
        if daemons.is_empty() {
            return;
        }
        daemons.into_iter().for_each(reap);
    }
}

/// SIGKILL for the daemons of a child that had this environment, without waiting.
#[cfg(target_os = "linux")]
fn kill_daemons(environment: &Environment, living: &Living) -> Vec<Pid> {
    // A child without an environment, or with the same one as a child that still lives, has no daemons that can be
    // told from others; the last of its kind ends them for all.
    let shared = living.values().any(|other| environment.iter().all(|pair| other.contains(pair)));
    if environment.is_empty() || shared {
        return Vec::new();
    }
    let daemons = linux::adopted(environment, living);
    for daemon in &daemons {
        let _ = kill(*daemon, Signal::SIGKILL);
    }
    daemons
}

#[cfg(target_os = "linux")]
mod linux {
    use super::{Environment, Living};
    use nix::unistd::{Pid, getpgrp, getpid};
    use std::fs;

    /// The adopted processes that inherited this environment, and lead none of the groups that live.
    pub(super) fn adopted(environment: &Environment, living: &Living) -> Vec<Pid> {
        let (ours, own_group) = (getpid().as_raw(), getpgrp().as_raw());
        let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
        let numbers = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        let adopted = |number: &i32| {
            let Some((parent, group)) = parent_and_group(*number) else { return false };
            // Children in our own group were started elsewhere in this program: no descendant of a group leader can
            // come there.
            parent == ours
                && group != own_group
                && !living.contains_key(&group)
                && inherited(*number, environment)
        };
        numbers.filter(adopted).map(Pid::from_raw).collect()
    }

    fn parent_and_group(number: i32) -> Option<(i32, i32)> {
        let stat = fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
        // The program's name stands in parentheses and may hold anything, also parentheses.
        let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(1);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    }

    fn inherited(number: i32, environment: &Environment) -> bool {
        let Ok(held) = fs::read(format!("/proc/{number}/environ")) else { return false };
        let held: Vec<&[u8]> = held.split(|byte| *byte == 0).collect();
        environment.iter().all(|(name, value)| held.contains(&format!("{name}={value}").as_bytes()))
    }
}
