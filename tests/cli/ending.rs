//! However a run ends, its gateways end with it: also one that ignores every gentle signal, and what it had started.

use crate::program::{ENOUGH, start};
use crate::suite::{SOUND, folder};
use mcp_gauntlet::embedded::{GATEWAYS, text};
use mcp_gauntlet::transport::child::{Child, Talk};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::ExitStatus;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::net::unix::pipe::{OpenOptions, Receiver};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// The gateway and its child hold the pipe open as long as they live, deaf to all but SIGKILL.
const STUBBORN: &str =
    "trap \"\" TERM HUP INT; exec 9>PIPE; (exec sleep 1000) & HEARS echo up >&9; exec sleep 1000";

/// A gateway that the run is in the midst of, for a long time: it never gets ready, or never answers.
enum Gateway {
    /// The run asks an address of ours whether it is ready.
    Asked,
    /// The run speaks to it on stdio.
    Spoken,
}

impl Gateway {
    fn profile(&self, pipe: &Path, address: SocketAddr) -> String {
        let script = STUBBORN.replace("PIPE", &format!("\"{}\"", pipe.display()));
        match self {
            Self::Asked => format!(
                "gateway: stubborn\nconnect: {{http: 'http://{address}'}}\n\
                 start: {{command: [sh, -c, '{}'], ready: {{http: 'http://{address}', within: 1h}}}}\n",
                script.replace("HEARS", "")
            ),
            Self::Spoken => format!(
                "gateway: stubborn\nconnect: {{stdio: {{}}}}\nstart: {{command: [sh, -c, '{}']}}\n",
                script.replace("HEARS", "read -r first;")
            ),
        }
    }
}

/// A run in the midst of its work.
struct Running {
    run: Child,
    /// Its other end is held by the gateway and by what the gateway started.
    pipe: BufReader<Receiver>,
    _folder: TempDir,
    _asked: Option<TcpStream>,
}

impl Running {
    /// Starts a run; returns when its gateway lives and the run has turned to it: so the start itself is over.
    async fn start(gateway: &Gateway) -> Self {
        let here = folder(&[("sound.yaml", SOUND)]);
        let path = here.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        // Opened so, it waits for nobody; reading does.
        let mut pipe = BufReader::new(OpenOptions::new().open_receiver(&path).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        std::fs::create_dir(here.path().join("stubborn")).unwrap();
        let profile = gateway.profile(&path, listener.local_addr().unwrap());
        std::fs::write(here.path().join("stubborn/profile.yaml"), profile).unwrap();
        let arguments = ["run", "sound.yaml", "--gateway", "stubborn", "--timeout", "1h"];
        let run = start(here.path(), &arguments, &[("PATH", "/usr/bin:/bin")], Talk::Words);
        // An end of our own: until the gateway has opened its one, nobody has left.
        let ours = OpenOptions::new().open_sender(&path).unwrap();
        let mut line = String::new();
        let heard = timeout(ENOUGH, pipe.read_line(&mut line)).await;
        assert!(heard.is_ok(), "the gateway did not start:\n{}", run.last_words());
        assert_eq!(line, "up\n");
        drop(ours);
        let asked = match gateway {
            Gateway::Asked => Some(timeout(ENOUGH, listener.accept()).await.expect("nobody asks").unwrap().0),
            Gateway::Spoken => None,
        };
        Self { run, pipe, _folder: here, _asked: asked }
    }
}

/// Waits until nobody holds the pipe any more.
async fn all_gone(mut pipe: BufReader<Receiver>) {
    let mut rest = Vec::new();
    timeout(ENOUGH, pipe.read_to_end(&mut rest)).await.expect("a process is left behind").unwrap();
}

/// The end of the program after a signal.
async fn signalled(run: &mut Child, signal: Signal) -> ExitStatus {
    kill(Pid::from_raw(i32::try_from(run.pid()).unwrap()), signal).unwrap();
    timeout(ENOUGH, run.exited()).await.expect("it goes on").unwrap()
}

async fn ends_by(signal: Signal, gateway: &Gateway) -> ExitStatus {
    let Running { mut run, pipe, .. } = Running::start(gateway).await;
    let status = signalled(&mut run, signal).await;
    all_gone(pipe).await;
    status
}

#[tokio::test]
async fn interrupted_it_leaves_nothing_behind() {
    for gateway in [&Gateway::Asked, &Gateway::Spoken] {
        assert_eq!(ends_by(Signal::SIGINT, gateway).await.code(), Some(130));
    }
}

#[tokio::test]
async fn terminated_or_killed_it_leaves_nothing_behind() {
    for signal in [Signal::SIGTERM, Signal::SIGKILL] {
        for gateway in [&Gateway::Asked, &Gateway::Spoken] {
            assert_eq!(ends_by(signal, gateway).await.signal(), Some(signal as i32));
        }
    }
}

#[tokio::test]
async fn a_mock_on_its_own_is_interrupted_too() {
    let here = folder(&[]);
    let mut mock = start(here.path(), &["mock", "ludus", "--http", "127.0.0.1:0"], &[], Talk::Words);
    crate::program::heard(&mock, "listening on ").await;
    assert_eq!(signalled(&mut mock, Signal::SIGINT).await.code(), Some(130));
}

/// Restarts the gateway, and looks at how it went.
const ORDERLY: &str = "\
scenario: it ends in order
upstreams: [ludus]
policy: {version: \"1\", default: allow, tools: {}}
steps:
  - {call: list_hosts, expect: allowed}
  - {restart: gateway, expect: orderly}
  - {call: list_hosts, expect: allowed}
";

#[test]
fn how_a_gateway_goes_is_told() {
    let profile = text(GATEWAYS, "reference-process/profile.yaml").unwrap();
    let template = text(GATEWAYS, "reference-process/reference.yaml.j2").unwrap();
    let command = "command: [\"{{ gauntlet }}\"";
    assert!(profile.contains(command));
    let told = |script: &str| {
        let wrapped = format!("command: [sh, -c, '{script}', sh, \"{{{{ gauntlet }}}}\"");
        let profile = profile.replace(command, &wrapped);
        let here = folder(&[
            ("g/profile.yaml", &profile),
            ("g/reference.yaml.j2", template),
            ("orderly.yaml", ORDERLY),
        ]);
        let arguments = ["run", "orderly.yaml", "--gateway", "g"];
        crate::program::ran(here.path(), &arguments, &[("PATH", "/usr/bin:/bin")])
    };
    let orderly = told("exec \"$@\"");
    assert_eq!(orderly.code, 0, "{}{}", orderly.out, orderly.err);
    for (script, words) in [
        ("sleep 1000 & exec \"$@\"", "was a process that it had started stayed behind"),
        ("trap \"kill \\$!; exit 7\" TERM; \"$@\" & wait", "was exit status: 7"),
    ] {
        let odd = told(script);
        assert_eq!(odd.code, 1, "{}{}", odd.out, odd.err);
        assert!(odd.out.contains(words), "`{words}` is not in\n{}", odd.out);
    }
}
