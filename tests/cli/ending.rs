//! However a run ends, its gateways end with it: also one that ignores every gentle signal, and what it had started.

use crate::program::start;
use crate::suite::{SOUND, folder};
use mcp_gauntlet::transport::child::{Child, Talk};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use tempfile::TempDir;

/// The gateway and its child hold the pipe open as long as they live, deaf to all but SIGKILL.
const STUBBORN: &str =
    "trap \"\" TERM HUP INT; exec 9>PIPE; (exec sleep 1000) & echo $$ >&9; exec sleep 1000";

/// Not ready for a long time, or silent on stdio for a long time: the run is in the midst of it.
const STANDS: &str = "start: {command: [sh, -c, 'SCRIPT'], ready: {line: up, within: 1h}}\nconnect: {http: 'http://127.0.0.1:1/mcp'}\n";
const SPEAKS: &str = "start: {command: [sh, -c, 'SCRIPT']}\nconnect: {stdio: {}}\n";

/// A folder with the scenario, the gateway, and the pipe.
fn prepared(gateway: &str) -> TempDir {
    let here = folder(&[("sound.yaml", SOUND)]);
    let pipe = here.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let script = STUBBORN.replace("PIPE", &format!("\"{}\"", pipe.display()));
    std::fs::create_dir(here.path().join("stubborn")).unwrap();
    let profile = format!("gateway: stubborn\n{}", gateway.replace("SCRIPT", &script));
    std::fs::write(here.path().join("stubborn/profile.yaml"), profile).unwrap();
    here
}

/// Starts a run; returns it with the pipe once the gateway lives.
async fn running(folder: &Path) -> (Child, BufReader<File>) {
    let arguments = ["run", "sound.yaml", "--gateway", "stubborn", "--timeout", "1h"];
    let run = start(folder, &arguments, &[("PATH", "/usr/bin:/bin")], Talk::Words);
    let pipe = folder.join("pipe");
    // Opening waits for the gateway to open its end.
    let opened = tokio::task::spawn_blocking(move || {
        let mut pipe = BufReader::new(File::open(pipe).unwrap());
        let mut line = String::new();
        pipe.read_line(&mut line).unwrap();
        (pipe, line)
    });
    let (pipe, line) = opened.await.unwrap();
    assert!(line.trim().parse::<i32>().is_ok(), "{line}");
    (run, pipe)
}

/// Waits until nobody holds the pipe any more.
async fn all_gone(mut pipe: BufReader<File>) {
    let read = tokio::task::spawn_blocking(move || pipe.read_to_end(&mut Vec::new()));
    tokio::time::timeout(crate::program::ENOUGH, read)
        .await
        .expect("a process is left behind")
        .unwrap()
        .unwrap();
}

async fn ends_by(signal: Signal, gateway: &str) -> std::process::ExitStatus {
    let here = prepared(gateway);
    let (mut run, pipe) = running(here.path()).await;
    kill(Pid::from_raw(i32::try_from(run.pid()).unwrap()), signal).unwrap();
    let status = run.exited().await.unwrap();
    all_gone(pipe).await;
    status
}

#[tokio::test]
async fn interrupted_it_leaves_nothing_behind() {
    for gateway in [STANDS, SPEAKS] {
        assert_eq!(ends_by(Signal::SIGINT, gateway).await.code(), Some(130));
    }
}

#[tokio::test]
async fn terminated_or_killed_it_leaves_nothing_behind() {
    for signal in [Signal::SIGTERM, Signal::SIGKILL] {
        for gateway in [STANDS, SPEAKS] {
            assert_eq!(ends_by(signal, gateway).await.signal(), Some(signal as i32));
        }
    }
}

#[tokio::test]
async fn a_mock_on_its_own_is_interrupted_too() {
    let here = folder(&[]);
    let mut mock = start(here.path(), &["mock", "ludus", "--http", "127.0.0.1:0"], &[], Talk::Words);
    crate::program::heard(&mock, "listening on ").await;
    kill(Pid::from_raw(i32::try_from(mock.pid()).unwrap()), Signal::SIGINT).unwrap();
    assert_eq!(mock.exited().await.unwrap().code(), Some(130));
}
