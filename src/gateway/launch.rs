//! A gateway's process: a group of its own, its last words kept, its sign of readiness watched for, and gone with all
//! that it left behind when it is stopped or dropped. It does not know what a gateway is.

use super::reads::Pattern;
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// How many lines of last words are kept.
const LAST_WORDS: usize = 40;
/// How long a process may take to end by itself.
const GRACE: Duration = Duration::from_secs(3);
/// How long its pipes may take to run dry after that: somebody it left behind may hold them open.
const DRY: Duration = Duration::from_millis(300);
/// How often a foreign process is asked whether it is there: it cannot tell us.
const LOOK: Duration = Duration::from_millis(20);

/// What to start, complete: nothing is inherited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The program, looked up on the `PATH` of `environment`.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Its environment.
    pub environment: Vec<(String, String)>,
    /// Where it runs.
    pub folder: std::path::PathBuf,
}

/// A process that runs.
#[derive(Debug)]
pub(super) struct Process {
    child: tokio::process::Child,
    /// An open pipe that says nothing: some programs end when their input does, and waiting for a child closes its own.
    stdin: Option<tokio::process::ChildStdin>,
    group: Pid,
    words: Words,
    readers: JoinSet<()>,
}

/// What a process says before it can be spoken to.
#[derive(Debug)]
pub(super) enum Sign {
    /// This address answers.
    Answers(String),
    /// It prints such a line.
    Prints(Pattern),
}

/// Why it cannot be spoken to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unready {
    /// It ended.
    Ended(String),
    /// The time is over.
    Late,
}

/// The last lines of a process's output.
#[derive(Clone, Debug, Default)]
struct Words(Arc<Mutex<VecDeque<String>>>);

impl Process {
    /// Starts a process; what it prints goes to `heard` for as long as anybody listens.
    pub(super) fn spawn(command: &Command, heard: &mpsc::UnboundedSender<String>) -> io::Result<Self> {
        let mut builder = tokio::process::Command::new(&command.program);
        builder.args(&command.arguments).env_clear().envs(command.environment.iter().cloned());
        builder.current_dir(&command.folder).process_group(0).kill_on_drop(true);
        builder.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = builder.spawn()?;
        let group = child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
        let group = group.ok_or_else(|| io::Error::other("the process has no id"))?;
        let words = Words::default();
        let mut readers = JoinSet::new();
        if let Some(stdout) = child.stdout.take() {
            readers.spawn(words.clone().gather(stdout, heard.clone()));
        }
        if let Some(stderr) = child.stderr.take() {
            readers.spawn(words.clone().gather(stderr, heard.clone()));
        }
        Ok(Self { stdin: child.stdin.take(), child, group, words, readers })
    }

    /// Waits for the sign that it may be spoken to.
    pub(super) async fn ready(
        &mut self,
        sign: &Sign,
        heard: mpsc::UnboundedReceiver<String>,
        within: Duration,
    ) -> Result<(), Unready> {
        let ended = async {
            let status = self.child.wait().await;
            Unready::Ended(status.map_or_else(|error| error.to_string(), |status| status.to_string()))
        };
        let seen = async {
            match sign {
                Sign::Answers(url) => answers(url).await,
                Sign::Prints(pattern) => prints(pattern, heard).await,
            }
        };
        let outcome = timeout(within, async {
            tokio::select! {
                () = seen => Ok(()),
                ended = ended => Err(ended),
            }
        });
        let outcome = outcome.await.unwrap_or(Err(Unready::Late));
        if outcome.is_err() {
            let _ = self.stop(Duration::ZERO).await;
        }
        outcome
    }

    /// The last lines that it printed.
    pub(super) fn last_words(&self) -> String {
        self.words.lock().iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    /// Whether it still runs.
    pub(super) fn lives(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends it a signal.
    pub(super) fn signal(&self, signal: Signal) -> io::Result<()> {
        kill(self.group, signal).map_err(io::Error::from)
    }

    /// Asks its group to end, waits, and ends what is left of it by force.
    pub(super) async fn stop(&mut self, grace: Duration) -> Option<ExitStatus> {
        drop(self.stdin.take());
        let _ = killpg(self.group, Signal::SIGTERM);
        let status = timeout(grace, self.child.wait()).await;
        let _ = killpg(self.group, Signal::SIGKILL);
        let status = match status {
            Ok(status) => status,
            Err(_) => self.child.wait().await,
        };
        let _ = timeout(DRY, async { while self.readers.join_next().await.is_some() {} }).await;
        self.readers.abort_all();
        status.ok()
    }

    /// The time that a gateway is given to end by itself.
    pub(super) async fn end(mut self) -> Option<ExitStatus> {
        self.stop(GRACE).await
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A process that was waited for has no group any more, and its number may belong to somebody else.
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = killpg(self.group, Signal::SIGKILL);
        }
    }
}

impl Words {
    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn gather(self, pipe: impl AsyncRead + Unpin, heard: mpsc::UnboundedSender<String>) {
        let mut lines = BufReader::new(pipe);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).await.is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            line.clear();
            let mut words = self.lock();
            if words.len() == LAST_WORDS {
                words.pop_front();
            }
            words.push_back(text.clone());
            drop(words);
            let _ = heard.send(text);
        }
    }
}

/// Ends when an address answers with anything at all.
async fn answers(url: &str) {
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    let client = client.timeout(Duration::from_secs(2)).build().unwrap_or_default();
    while client.get(url).send().await.is_err() {
        sleep(LOOK).await;
    }
}

/// Ends when a line matches; never, when the output ends without one.
async fn prints(pattern: &Pattern, mut heard: mpsc::UnboundedReceiver<String>) {
    while let Some(line) = heard.recv().await {
        if pattern.0.is_match(&line) {
            return;
        }
    }
    std::future::pending::<()>().await;
}

/// Two ports of the loopback that were free a moment ago.
pub fn free_ports() -> io::Result<(u16, u16)> {
    let one = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok((one.local_addr()?.port(), other.local_addr()?.port()))
}

/// The process that a file names, by a plain number or at a pointer into JSON.
pub(super) fn pid_in(file: &Path, pointer: Option<&str>) -> Option<Pid> {
    let text = std::fs::read_to_string(file).ok()?;
    let number = match pointer {
        None => text.trim().parse().ok()?,
        Some(pointer) => serde_json::from_str::<serde_json::Value>(&text).ok()?.pointer(pointer)?.as_i64()?,
    };
    // 0, 1 and negative numbers mean whole groups, or everybody.
    i32::try_from(number)
        .ok()
        .filter(|number| *number > 1)
        .map(Pid::from_raw)
        .filter(|pid| *pid != Pid::this())
}

/// Ends a process that is no child of ours: asks, waits, forces.
pub(super) async fn end_stranger(pid: Pid) {
    if kill(pid, Signal::SIGTERM).is_err() {
        return;
    }
    let deadline = Instant::now() + GRACE;
    let gone = async {
        while kill(pid, None) != Err(Errno::ESRCH) {
            sleep(LOOK).await;
        }
    };
    if timeout_at(deadline, gone).await.is_err() {
        let _ = kill(pid, Signal::SIGKILL);
    }
}

/// The same at once, where nothing can be waited for.
pub(super) fn end_stranger_now(pid: Pid) {
    let _ = kill(pid, Signal::SIGKILL);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(script: &str) -> Command {
        Command {
            program: "sh".to_owned(),
            arguments: vec!["-c".to_owned(), script.to_owned()],
            environment: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
            folder: "/".into(),
        }
    }

    fn prints(expression: &str) -> Sign {
        Sign::Prints(Pattern(regex::Regex::new(expression).unwrap()))
    }

    fn spawn(script: &str) -> (Process, mpsc::UnboundedReceiver<String>) {
        let (heard, hears) = mpsc::unbounded_channel();
        (Process::spawn(&command(script), &heard).unwrap(), hears)
    }

    #[tokio::test]
    async fn ready_is_a_line_on_either_output() {
        for script in ["echo up; cat", "echo up >&2; cat"] {
            let (mut process, hears) = spawn(script);
            process.ready(&prints("^up$"), hears, Duration::from_secs(10)).await.unwrap();
            assert!(process.lives());
            process.end().await;
        }
    }

    #[tokio::test]
    async fn ready_is_an_address_that_answers_even_with_a_refusal() {
        let server = wiremock::MockServer::start().await;
        let (mut process, hears) = spawn("cat");
        process.ready(&Sign::Answers(server.uri()), hears, Duration::from_secs(10)).await.unwrap();
    }

    #[tokio::test]
    async fn one_that_ends_leaves_its_last_words() {
        let (mut process, hears) = spawn("echo trying; echo 'no such policy' >&2; exit 7");
        let unready = process.ready(&prints("up"), hears, Duration::from_secs(10)).await.unwrap_err();
        assert_eq!(unready, Unready::Ended("exit status: 7".to_owned()));
        assert!(process.last_words().contains("no such policy"));
    }

    #[tokio::test]
    async fn one_that_never_gets_ready_is_ended() {
        let (mut process, hears) = spawn("cat");
        assert_eq!(
            process.ready(&prints("up"), hears, Duration::from_millis(20)).await.unwrap_err(),
            Unready::Late
        );
        assert!(!process.lives());
    }

    /// Starts a shell with a child that outlives it, and gives the child's id.
    async fn with_offspring() -> (Process, Pid) {
        let (process, mut hears) = spawn("sleep 600 & echo $!; wait");
        let pid = hears.recv().await.unwrap().parse().unwrap();
        (process, Pid::from_raw(pid))
    }

    async fn gone(pid: Pid) {
        // An orphan is reaped by whoever adopts it; a zombie is as gone as can be.
        let stat = format!("/proc/{pid}/stat");
        let lives = || {
            kill(pid, None).is_ok() && !std::fs::read_to_string(&stat).is_ok_and(|text| text.contains(") Z "))
        };
        while lives() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn the_whole_group_is_gone_after_a_stop_and_after_a_drop() {
        let (process, offspring) = with_offspring().await;
        process.end().await;
        timeout(Duration::from_secs(10), gone(offspring)).await.unwrap();
        let (process, offspring) = with_offspring().await;
        drop(process);
        timeout(Duration::from_secs(10), gone(offspring)).await.unwrap();
    }

    #[tokio::test]
    async fn one_that_ignores_the_request_to_end_is_forced() {
        let (mut process, mut hears) = spawn("trap '' TERM; echo set; while :; do sleep 600; done");
        hears.recv().await.unwrap();
        let status = process.stop(Duration::from_millis(20)).await.unwrap();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(Signal::SIGKILL as i32));
    }

    #[test]
    fn the_process_that_a_file_names() {
        let folder = tempfile::tempdir().unwrap();
        let pid = |text: &str, pointer| {
            let file = folder.path().join("pid");
            std::fs::write(&file, text).unwrap();
            pid_in(&file, pointer)
        };
        assert_eq!(pid("4242\n", None), Some(Pid::from_raw(4242)));
        assert_eq!(pid("{\"a\":{\"pid\":4242}}", Some("/a/pid")), Some(Pid::from_raw(4242)));
        for never in ["0", "1", "-1", "x", "99999999999"] {
            assert_eq!(pid(never, None), None, "{never}");
        }
        assert_eq!(pid(&std::process::id().to_string(), None), None, "never oneself");
    }
}
